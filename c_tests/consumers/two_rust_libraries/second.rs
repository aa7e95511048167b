//! A library of somebody else's: one call, in which a panic is caught.

/// `dividend / divisor`, or `otherwise` where that panics.
#[no_mangle]
pub extern "C" fn second_divide(dividend: i32, divisor: i32, otherwise: i32) -> i32 {
    std::panic::catch_unwind(|| dividend / divisor).unwrap_or(otherwise)
}
