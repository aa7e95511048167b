//! The numbers of a command line: what is none, or out of its range, is refused with the range.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What a parser of an argument returns; the error is what stands behind its name and value.
type Parsed<T> = std::result::Result<T, String>;

fn whole<T: FromStr + PartialOrd + Display>(text: &str, range: RangeInclusive<T>) -> Parsed<T> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    let (least, most) = range.into_inner();
    number.ok_or_else(|| format!("it must be a whole number from {least} to {most}"))
}

/// A number of elements or of threads, or an index.
pub(crate) fn count(text: &str) -> Parsed<usize> {
    whole(text, 0..=usize::MAX)
}

/// What chance starts from.
pub(crate) fn seed(text: &str) -> Parsed<u64> {
    whole(text, 0..=u64::MAX)
}

/// Magnitude bits of a code: at most so many.
pub(crate) fn bits<const MOST: u8>(text: &str) -> Parsed<u8> {
    whole(text, 1..=MOST)
}

fn real(text: &str, holds: impl Fn(f64) -> bool, rule: &str) -> Parsed<f64> {
    let number = text.parse().ok().filter(|number| holds(*number));
    number.ok_or_else(|| format!("it must be {rule}"))
}

/// Any number that another can be compared with.
pub(crate) fn limit(text: &str) -> Parsed<f64> {
    real(text, |number| !number.is_nan(), "a number")
}

/// The largest error, which is never negative.
pub(crate) fn error_limit(text: &str) -> Parsed<f64> {
    real(text, |number| number >= 0.0, "a number of 0 or more")
}

/// A number that is not infinite.
pub(crate) fn finite(text: &str) -> Parsed<f64> {
    real(text, f64::is_finite, "a finite number")
}

/// A share of the values from the least one on.
pub(crate) fn quantile(text: &str) -> Parsed<f64> {
    real(text, |number| (0.0..=1.0).contains(&number), "a number from 0 to 1")
}
