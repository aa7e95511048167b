//! What is said of a tensor's values: their range and a small histogram.

use caffe2_qtensor::quantize::half_to_f32;
use caffe2_qtensor::{ElementType, ElementsRef};
use serde::Serialize;

/// Bins of a histogram.
const BINS: usize = 16;

/// Values in numbers. What there is not, because no value is finite, is `null` in JSON.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) mean: Option<f64>,
    pub(super) zeros: u64,
    pub(super) nan: u64,
    pub(super) infinite: u64,
    /// How many finite values are in each of as many parts of the range, all of one width.
    pub(super) histogram: Vec<u64>,
}

impl Summary {
    /// Of values that can be gone over twice.
    pub(super) fn of(each: impl Fn(&mut dyn FnMut(f64))) -> Summary {
        let (mut count, mut finite, mut zeros, mut nan, mut infinite) =
            (0u64, 0u64, 0u64, 0u64, 0u64);
        let (mut min, mut max, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        each(&mut |value| {
            count = count.saturating_add(1);
            if value.is_finite() {
                finite = finite.saturating_add(1);
                zeros = zeros.saturating_add(u64::from(value == 0.0));
                (min, max) = (min.min(value), max.max(value));
                sum += value;
            } else if value.is_nan() {
                nan = nan.saturating_add(1);
            } else {
                infinite = infinite.saturating_add(1);
            }
        });
        let mut histogram = vec![0u64; BINS];
        if finite > 0 {
            // Halved, as the range of doubles may be wider than a double.
            let width = (max / 2.0 - min / 2.0) / (BINS as f64 / 2.0);
            each(&mut |value| {
                let bin = histogram.get_mut(bin_of(value, min, width));
                if let Some(bin) = bin.filter(|_| value.is_finite()) {
                    *bin = bin.saturating_add(1);
                }
            });
        }
        let known = |value: f64| Some(value).filter(|_| finite > 0);
        let mean = known(sum / finite as f64);
        Summary { count, min: known(min), max: known(max), mean, zeros, nan, infinite, histogram }
    }

    /// The range in few characters.
    pub(super) fn range(&self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{} to {}", short(min), short(max)),
            _ => String::new(),
        }
    }

    /// The histogram in blocks, the fullest bin the highest.
    pub(super) fn blocks(&self) -> String {
        const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let most = self.histogram.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return String::new();
        }
        let block = |count: &u64| {
            // A bin that is not empty shows.
            let height = count.saturating_mul(8).div_ceil(most);
            usize::try_from(height).ok().and_then(|height| BLOCKS.get(height)).unwrap_or(&' ')
        };
        self.histogram.iter().map(block).collect()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and a conversion saturates"
)]
fn bin_of(value: f64, min: f64, width: f64) -> usize {
    if width > 0.0 { (((value - min) / width) as usize).min(BINS.saturating_sub(1)) } else { 0 }
}

/// A number in few characters.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e-4..1e7 => {
            let text = format!("{value:.6}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{value:.4e}"),
    }
}

/// Shows every element as a double.
pub(super) fn each_element(elements: ElementsRef<'_>, visit: &mut dyn FnMut(f64)) {
    match elements {
        ElementsRef::Float(values) => values.iter().for_each(|value| visit(f64::from(*value))),
        ElementsRef::Double(values) => values.iter().for_each(|value| visit(*value)),
        ElementsRef::Float16(values) => {
            values.iter().for_each(|bits| visit(f64::from(half_to_f32(*bits))));
        }
        ElementsRef::Int32(values) => values.iter().for_each(|value| visit(f64::from(*value))),
        ElementsRef::Bool(values) | ElementsRef::Uint8(values) => {
            values.iter().for_each(|value| visit(f64::from(*value)));
        }
        ElementsRef::Int8(values) => values.iter().for_each(|value| visit(f64::from(*value))),
        ElementsRef::Uint16(values) => values.iter().for_each(|value| visit(f64::from(*value))),
        ElementsRef::Int16(values) => values.iter().for_each(|value| visit(f64::from(*value))),
        ElementsRef::Int64(values) => values.iter().for_each(|value| visit(*value as f64)),
    }
}

/// A word for an element type.
pub(super) const fn element_name(element: ElementType) -> &'static str {
    match element {
        ElementType::Float => "float",
        ElementType::Int32 => "int32",
        ElementType::Bool => "bool",
        ElementType::Uint8 => "uint8",
        ElementType::Int8 => "int8",
        ElementType::Uint16 => "uint16",
        ElementType::Int16 => "int16",
        ElementType::Int64 => "int64",
        ElementType::Float16 => "float16",
        ElementType::Double => "double",
    }
}
