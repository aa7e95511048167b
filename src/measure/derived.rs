//! What follows from the sums.

use super::errors::Errors;

impl Errors {
    /// The mean of `e`.
    pub fn mean_error(&self) -> f64 {
        self.sum_error() / self.finite() as f64
    }

    /// The mean of `e^2`.
    pub fn mse(&self) -> f64 {
        self.sum_squared() / self.finite() as f64
    }

    /// The root of the mean of `e^2`.
    pub fn rmse(&self) -> f64 {
        self.mse().sqrt()
    }

    /// The mean of `|e|`.
    pub fn mae(&self) -> f64 {
        self.sum_absolute() / self.finite() as f64
    }

    /// The ratio of signal to quantization noise, `10 * log10(sum(x^2) / sum(e^2))`, in decibels.
    ///
    /// Infinite where nothing was lost, also where all references are 0; negative infinity where all
    /// are 0 and not all values. NaN of no pairs.
    pub fn sqnr(&self) -> f64 {
        match (self.sum_xx(), self.sum_squared()) {
            _ if self.finite() == 0 => f64::NAN,
            (_, 0.0) => f64::INFINITY,
            (signal, noise) => 10.0 * (signal / noise).log10(),
        }
    }

    /// The cosine of the angle between references and values, `sum(x * y)` over the root of
    /// `sum(x^2) * sum(y^2)`, from -1 to 1.
    ///
    /// 1 where all references and all values are 0, and 0 where all of one are 0 and not of the other.
    /// NaN of no pairs.
    pub fn cosine(&self) -> f64 {
        match (self.sum_xx(), self.sum_yy()) {
            _ if self.finite() == 0 => f64::NAN,
            (0.0, 0.0) => 1.0,
            (0.0, _) | (_, 0.0) => 0.0,
            (xx, yy) => (self.sum_xy() / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0),
        }
    }

    /// The bits of an ideal quantizer of a sine that would lose as much: `(sqnr - 1.76) / 6.02`.
    /// Source: IEEE Std 1241, "effective number of bits". As infinite as [`sqnr`](Self::sqnr).
    pub fn effective_bits(&self) -> f64 {
        (self.sqnr() - 1.76) / 6.02
    }
}
