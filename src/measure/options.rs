//! What a measurement of errors may be asked for.

/// What to keep of errors besides their sums, and how to work.
///
/// ```
/// use caffe2_qtensor::measure::ErrorOptions;
///
/// let options = ErrorOptions { error_histogram: true, ..ErrorOptions::default() };
/// assert_eq!(options.threads, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorOptions {
    /// Counts each code, for [`code_entropy`](super::Errors::code_entropy): up to a precision of
    /// [`MAX_COUNTED_PRECISION`](super::MAX_COUNTED_PRECISION).
    pub code_histogram: bool,
    /// Counts the magnitudes of errors, for [`quantile`](super::Errors::quantile).
    pub error_histogram: bool,
    /// Counts references and values, for [`kl`](super::Errors::kl): 64 KiB a channel.
    pub value_histogram: bool,
    /// On how many threads to work; 0 is 1.
    pub threads: usize,
}

impl Default for ErrorOptions {
    /// The sums alone, on one thread.
    fn default() -> ErrorOptions {
        ErrorOptions {
            code_histogram: false,
            error_histogram: false,
            value_histogram: false,
            threads: 1,
        }
    }
}
