//! What a sweep finds out: plain data, made by the sweep and read by the table, the JSON and the
//! report.
//!
//! Sizes are bytes, times seconds, energies joules, signal-to-noise ratios decibels: infinite where
//! nothing was lost, NaN where they are not known.

/// A sweep of one file.
pub(crate) struct Sweep {
    /// The file's name as it is shown.
    pub(crate) file: String,
    pub(crate) precisions: Vec<u8>,
    /// The names of the methods, as they are given on the command line.
    pub(crate) methods: Vec<&'static str>,
    /// The dimension whose indices get a scale and a bias each, if any.
    pub(crate) axis: Option<usize>,
    /// The least signal-to-noise ratio that a recommendation accepts.
    pub(crate) threshold: f64,
    pub(crate) tensors: Vec<Tensor>,
    /// One for each precision and method that served a tensor, by precision, then by method.
    pub(crate) totals: Vec<Total>,
    /// To fetch the floats of all tensors from memory, by the model.
    pub(crate) float_energy: f64,
    /// Why energy was not measured, or nothing where it was.
    pub(crate) unmeasured: Option<String>,
    pub(crate) recommendation: Recommendation,
}

/// One tensor of the file.
pub(crate) struct Tensor {
    /// The name as it is shown: bytes that are no UTF-8 are escaped.
    pub(crate) name: String,
    pub(crate) dims: Vec<i64>,
    pub(crate) values: u64,
    /// Bytes of the floats in memory, 4 each.
    pub(crate) float: u64,
    /// Bytes of the blob that holds the floats.
    pub(crate) float_wire: u64,
    /// The smallest and the largest value.
    pub(crate) range: (f32, f32),
    pub(crate) left: Option<Left>,
    /// By precision, then by method; none where the tensor is left as it is.
    pub(crate) trials: Vec<Trial>,
}

/// Why a tensor is not quantized, whatever it would cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// By the rule that `quantize` has: the words say which part of it.
    Rule(String),
    /// All values are the same.
    Constant,
    /// Some values are NaN or infinite: how many.
    NonFinite(u64),
}

/// One tensor at one precision by one method.
pub(crate) struct Trial {
    pub(crate) precision: u8,
    /// The index of the method's name.
    pub(crate) method: usize,
    pub(crate) outcome: Result<Outcome, String>,
}

/// What a precision and a method cost and lose.
pub(crate) struct Outcome {
    /// Bytes of the bit planes.
    pub(crate) planes: u64,
    /// Bytes in memory, all told.
    pub(crate) resident: u64,
    /// Bytes of the serialized blob.
    pub(crate) wire: u64,
    pub(crate) sqnr: f64,
    pub(crate) mse: f64,
    pub(crate) max_error: f64,
    /// Σx² of the values and Σe² of their errors, of which totals are made.
    pub(crate) power: f64,
    pub(crate) noise: f64,
    /// How many values were below the lowest code, and above the highest.
    pub(crate) saturated: (u64, u64),
    /// How many values other than 0 became 0.
    pub(crate) flushed: u64,
    /// Bits of information in a code.
    pub(crate) entropy: f64,
    /// Half, 95 and 99 of a hundred errors are at most this large.
    pub(crate) quantiles: [f64; 3],
    pub(crate) channels: Option<Channels>,
    /// How many errors there are of each size.
    pub(crate) errors: Histogram,
    /// How often each code occurs.
    pub(crate) codes: Histogram,
    pub(crate) quantize_time: f64,
    pub(crate) dequantize_time: f64,
    /// To fetch the planes from memory and make floats of them, by the model.
    pub(crate) energy: f64,
    /// To make floats of them, measured.
    pub(crate) measured: Option<f64>,
}

/// The channels of a tensor by what they lost.
pub(crate) struct Channels {
    pub(crate) axis: usize,
    pub(crate) count: u64,
    /// The channels that lost most, the worst first: index and ratio.
    pub(crate) worst: Vec<(u64, f64)>,
    pub(crate) median: f64,
    pub(crate) best: f64,
}

/// Counts of equally wide bins.
#[derive(Default)]
pub(crate) struct Histogram {
    /// Where the first bin begins, and the last one ends.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) counts: Vec<u64>,
}

/// All tensors at one precision by one method; those that are left alone, and those that the method
/// does not serve, stay floats.
#[derive(Clone, Copy)]
pub(crate) struct Total {
    pub(crate) precision: u8,
    pub(crate) method: usize,
    /// How many tensors are quantized.
    pub(crate) tensors: u64,
    pub(crate) planes: u64,
    pub(crate) resident: u64,
    pub(crate) wire: u64,
    /// Of the values that are quantized.
    pub(crate) sqnr: f64,
    pub(crate) mse: f64,
    pub(crate) max_error: f64,
    /// The ratio of the tensor that lost most, and its index.
    pub(crate) worst: (f64, usize),
    pub(crate) quantize_time: f64,
    pub(crate) dequantize_time: f64,
    pub(crate) energy: f64,
    pub(crate) measured: Option<f64>,
    /// Whether no other total is both smaller on the wire and better.
    pub(crate) front: bool,
}

/// What to do with the file.
#[derive(Default)]
pub(crate) struct Recommendation {
    /// One sentence.
    pub(crate) headline: String,
    /// Why, a sentence each.
    pub(crate) reasons: Vec<String>,
    /// The index of the total that most tensors follow, or nothing where the file is to stay as it
    /// is.
    pub(crate) total: Option<usize>,
    /// What becomes of each tensor, in their order.
    pub(crate) tensors: Vec<Advice>,
    /// Bytes on the wire of all tensors, and the ratio of what is quantized, if it is followed.
    pub(crate) wire: u64,
    pub(crate) sqnr: f64,
}

/// What to do with one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    /// The index of the trial to follow, or nothing where the tensor stays floats.
    pub(crate) trial: Option<usize>,
    /// Whether that differs from what the file as a whole is recommended.
    pub(crate) exception: bool,
    pub(crate) reason: String,
}

impl Sweep {
    /// Bytes of all floats in memory.
    pub(crate) fn float(&self) -> u64 {
        sum(self.tensors.iter().map(|tensor| tensor.float))
    }

    /// Bytes of all blobs of floats.
    pub(crate) fn float_wire(&self) -> u64 {
        sum(self.tensors.iter().map(|tensor| tensor.float_wire))
    }

    /// How a precision and a method are called.
    pub(crate) fn label(&self, precision: u8, method: usize) -> String {
        let bits = if precision == 1 { "bit" } else { "bits" };
        format!("{precision} {bits}, {}", self.method(method))
    }

    /// The same in a sentence.
    pub(crate) fn by(&self, precision: u8, method: usize) -> String {
        let bits = if precision == 1 { "bit" } else { "bits" };
        format!("{precision} {bits} by {}", self.method(method))
    }

    /// The least ratio that is accepted, as it was given.
    pub(crate) fn wanted(&self) -> String {
        format!("{}\u{a0}dB", self.threshold).replace('-', "−")
    }

    pub(crate) fn method(&self, index: usize) -> &'static str {
        self.methods.get(index).copied().unwrap_or_default()
    }

    /// What is advised for a tensor.
    pub(crate) fn advice(&self, tensor: usize) -> Option<&Advice> {
        self.recommendation.tensors.get(tensor)
    }
}

impl Tensor {
    /// A trial that was possible.
    pub(crate) fn outcome(&self, trial: usize) -> Option<(&Trial, &Outcome)> {
        let trial = self.trials.get(trial)?;
        Some((trial, trial.outcome.as_ref().ok()?))
    }

    /// The trial of a precision and a method, if it was possible, with its index.
    pub(crate) fn tried(&self, precision: u8, method: usize) -> Option<(usize, &Outcome)> {
        let is_it = |trial: &Trial| trial.precision == precision && trial.method == method;
        let found = self.outcomes().find(|(_, trial, _)| is_it(trial));
        found.map(|(index, _, outcome)| (index, outcome))
    }

    /// The trials that were possible, with their indices.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (usize, &Trial, &Outcome)> {
        self.trials
            .iter()
            .enumerate()
            .filter_map(|(index, trial)| Some((index, trial, trial.outcome.as_ref().ok()?)))
    }
}

/// A sum that stays at the largest number instead of wrapping.
pub(crate) fn sum(values: impl Iterator<Item = u64>) -> u64 {
    values.fold(0, u64::saturating_add)
}
