//! Which of some bins of one width a number lies in.

use super::Level;
use crate::kernels::compiled::{Step, compiled_for};

struct Places<'a>(&'a [f32], f64, i32);

impl Step<u16> for Places<'_> {
    #[inline(always)]
    fn run(self, out: &mut [u16]) {
        let Places(numbers, factor, zero) = self;
        for (number, out) in numbers.iter().zip(out) {
            let position = f64::from(*number) * factor;
            let whole = position as i32;
            // Toward 0 it was rounded up, below 0.
            let floor = whole - i32::from(position < f64::from(whole));
            *out = (floor + zero) as u16;
        }
    }
}

/// The numbers of bins `1 / factor` wide, of which `zero` begins at 0: `floor(number * factor) + zero`,
/// which must be from 0 to `u16::MAX`. The slices are of one length (the function panics otherwise).
pub fn places(level: Level, numbers: &[f32], factor: f64, zero: u16, out: &mut [u16]) {
    assert!(numbers.len() == out.len(), "there is a place for each number");
    compiled_for(level, Places(numbers, factor, i32::from(zero)), out);
}
