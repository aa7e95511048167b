//! Numbers as people read them: for the table in the terminal and for the report. No line is broken
//! between a number and its unit.

/// Bytes with a decimal unit and three digits: `69.2 kB`.
pub(crate) fn bytes(count: u64) -> String {
    if count < 1000 {
        return format!("{count}\u{a0}B");
    }
    with_unit(count as f64, &[(1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB"), (1e15, "PB")])
}

/// A duration: `1.23 ms`.
pub(crate) fn seconds(time: f64) -> String {
    with_unit(time, &[(1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s")])
}

/// An energy: `4.56 µJ`.
pub(crate) fn joules(energy: f64) -> String {
    with_unit(energy, &[(1e-12, "pJ"), (1e-9, "nJ"), (1e-6, "µJ"), (1e-3, "mJ"), (1.0, "J")])
}

/// A signal-to-noise ratio, without its unit: `16.5`; `exact` where nothing was lost.
pub(crate) fn ratio(decibels: f64) -> String {
    match decibels {
        exact if exact == f64::INFINITY => "exact".to_owned(),
        lost if lost == f64::NEG_INFINITY => "−∞".to_owned(),
        unknown if unknown.is_nan() => "–".to_owned(),
        ratio => minus(format!("{ratio:.1}")),
    }
}

/// The same with its unit: `16.5 dB`.
pub(crate) fn decibels(ratio_in_db: f64) -> String {
    let text = ratio(ratio_in_db);
    if ratio_in_db.is_finite() { text + "\u{a0}dB" } else { text }
}

/// How many times smaller: `5.13×`.
pub(crate) fn times(from: u64, to: u64) -> String {
    if to == 0 {
        return "–".to_owned();
    }
    digits(from as f64 / to as f64) + "×"
}

/// A share of a whole: `0.12 %`.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "0\u{a0}%".to_owned();
    }
    let share = 100.0 * part as f64 / whole as f64;
    if share < 0.01 { "<\u{a0}0.01\u{a0}%".to_owned() } else { digits(share) + "\u{a0}%" }
}

/// A count with its thousands apart: `69 171`, the spaces narrow and unbreakable.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && digits.len().saturating_sub(position).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Any number with three digits: `0.00238`, `1.2e-7`.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !value.is_finite() {
        if value.is_nan() { "–".to_owned() } else { minus(format!("{value}")) }
    } else if (1e-3..1e5).contains(&magnitude) {
        minus(digits(value))
    } else {
        minus(format!("{value:.2e}"))
    }
}

/// Dimensions: `64 × 32`; a scalar has none.
pub(crate) fn dims(dims: &[i64]) -> String {
    if dims.is_empty() {
        return "scalar".to_owned();
    }
    let texts: Vec<String> = dims.iter().map(i64::to_string).collect();
    texts.join(" × ")
}

/// `1 tensor`, `2 tensors`.
pub(crate) fn plural(number: u64, word: &str) -> String {
    format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Three digits of what is neither huge nor tiny.
fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = match value.abs() {
        large if large >= 99.95 => 0,
        medium if medium >= 9.995 => 1,
        small if small >= 0.9995 => 2,
        tiny if tiny >= 0.09995 => 3,
        tiny if tiny >= 0.009995 => 4,
        _ => 5,
    };
    format!("{value:.decimals$}")
}

/// A number in the largest unit that it is at least one of.
fn with_unit(value: f64, units: &[(f64, &str)]) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let fits = |(factor, _): &&(f64, &str)| value >= 0.9995 * factor;
    match units.iter().rev().find(fits).or(units.first()) {
        Some((factor, unit)) => format!("{}\u{a0}{unit}", digits(value / factor)),
        None => digits(value),
    }
}

/// With a minus that is as wide as a plus.
fn minus(text: String) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_change_where_the_digits_do() {
        assert_eq!(bytes(999), "999\u{a0}B");
        assert_eq!(bytes(1000), "1.00\u{a0}kB");
        assert_eq!(bytes(69_171), "69.2\u{a0}kB");
        assert_eq!(bytes(999_949), "1.00\u{a0}MB");
        assert_eq!(bytes(u64::MAX), "18447\u{a0}PB");
        assert_eq!(seconds(0.001_234), "1.23\u{a0}ms");
        assert_eq!(seconds(0.0), "0\u{a0}ns");
        assert_eq!(joules(4.56e-6), "4.56\u{a0}µJ");
    }

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!(number(0.002_384), "0.00238");
        assert_eq!(number(-12.345), "−12.3");
        assert_eq!(number(1.234e-7), "1.23e−7");
        assert_eq!(number(f64::NAN), "–");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(12), "12");
    }

    #[test]
    fn ratios_without_a_number_have_words() {
        assert_eq!(ratio(f64::INFINITY), "exact");
        assert_eq!(decibels(-3.25), "−3.2\u{a0}dB");
        assert_eq!(decibels(f64::NAN), "–");
        assert_eq!(times(100, 0), "–");
        assert_eq!(times(69_171, 13_477), "5.13×");
        assert_eq!(percent(1, 1_000_000), "<\u{a0}0.01\u{a0}%");
        assert_eq!(percent(0, 0), "0\u{a0}%");
    }
}
