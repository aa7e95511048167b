//! What half precision can hold.

/// The largest finite number in half precision; what rounds to infinity begins at 65520.
pub const HALF_MAX: f32 = 65504.0;

/// Brings values into the range of half precision, -65504 to 65504, and returns how many lay
/// outside.
///
/// Infinities lie outside too. NaN stays what it is and is not counted. Small values stay as they
/// are: narrowing rounds them. Caffe2's `HandleWeightsSaturation` does the same and only tells
/// whether there was any.
///
/// ```
/// # use caffe2_qtensor::quantize::saturate_to_half;
/// let mut weights = [1.5, -70000.0, f32::INFINITY, 65504.0];
/// assert_eq!(saturate_to_half(&mut weights), 2);
/// assert_eq!(weights, [1.5, -65504.0, 65504.0, 65504.0]);
/// ```
pub fn saturate_to_half(values: &mut [f32]) -> usize {
    let mut outside = 0usize;
    for value in values {
        outside = outside.saturating_add(usize::from(value.abs() > HALF_MAX));
        // NaN passes through this, unlike through min and max.
        *value = value.clamp(-HALF_MAX, HALF_MAX);
    }
    outside
}
