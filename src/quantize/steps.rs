//! The steps of a tensor's elements: one for all of them, or one for each channel.

use super::layout::{Expansion, Layout, PART};
use crate::error::{Error, Excerpt, Result};
use crate::kernels::Level;
use crate::kernels::quantize::{
    Codes, Counts, Fast, Formula, Input, Rounding, Rules, Step, Steps, Wide, exact, narrow,
};
use crate::params::Params;

/// Rows of a channel that are worth a call of the kernel each.
const LONG_ROW: usize = 512;

/// Everything that turns values into codes, checked and prepared.
pub(super) enum Plan {
    /// One step for all elements.
    One(Step, Option<Fast>),
    /// A step for each channel.
    Channels(Channels),
}

/// The steps of channels, and where their elements lie.
pub(super) struct Channels {
    layout: Layout,
    steps: Vec<Step>,
    /// One for each step, where every step has one.
    fast: Vec<Fast>,
    window: u16,
    /// Whether the codes are made on one thread: then memory that runs out does so before any of
    /// them is written, and is an error. Otherwise one goes on without it.
    alone: bool,
}

impl Plan {
    /// Refuses parameters that no value can be divided by. `single` says that the values are in
    /// single precision, so that there may be narrow codes; `alone` that there is one thread.
    pub(super) fn new(
        params: &Params<'_>,
        dims: &[i64],
        rules: &Rules,
        single: bool,
        alone: bool,
    ) -> Result<Plan> {
        let single = single && rules.precision <= 8;
        match *params {
            Params::Affine { scale, bias } => {
                let invalid = |what, value, rule| Error::InvalidNumber { what, value, rule };
                let step = checked_step(scale, bias, rules.rounding, invalid)?;
                let fast = if single { Fast::new(&step, rules) } else { None };
                Ok(Plan::One(step, fast))
            }
            // Positions are not quotients: another source makes such codes.
            Params::Log { .. } => Err(Error::UnsupportedName {
                what: "kind of the tensor",
                value: Excerpt::new(b"logarithmic"),
                reason: "this quantizer is linear",
            }),
            Params::PerChannel { axis, scales, biases } => {
                let mut steps = Vec::new();
                let bytes = scales.len().saturating_mul(size_of::<Step>());
                let no_memory = Error::OutOfMemory { what: "channel steps", bytes };
                steps.try_reserve_exact(scales.len()).map_err(|_| no_memory)?;
                for (channel, (scale, bias)) in scales.iter().zip(biases).enumerate() {
                    let invalid = |what, value, rule| Error::InvalidChannelNumber {
                        what,
                        channel,
                        value,
                        rule,
                    };
                    steps.push(checked_step(*scale, *bias, rules.rounding, invalid)?);
                }
                let mut fast = Vec::new();
                fast.try_reserve_exact(if single { steps.len() } else { 0 })
                    .map_err(|_| no_memory)?;
                fast.extend(steps.iter().filter(|_| single).map_while(|s| Fast::new(s, rules)));
                if fast.len() != steps.len() {
                    fast.clear();
                }
                let window = fast.iter().map(Fast::window).max().unwrap_or(0);
                let layout = Layout::new(dims, axis, steps.len());
                Ok(Plan::Channels(Channels { layout, steps, fast, window, alone }))
            }
        }
    }

    /// Whether [`Plan::narrow`] may be called.
    pub(super) fn is_narrow(&self) -> bool {
        match self {
            Plan::One(_, fast) => fast.is_some(),
            Plan::Channels(channels) => !channels.fast.is_empty(),
        }
    }

    /// The codes of values; returns how many of them are not finite.
    pub(super) fn narrow(
        &self,
        rules: &Rules,
        input: Input<'_>,
        codes: &mut Codes<'_>,
        counts: Option<&mut Counts>,
        expansion: &mut Expansion<f32>,
    ) -> Result<u64> {
        let Codes { bytes, signs } = codes;
        let codes = Codes { bytes, signs };
        match self {
            Plan::One(step, Some(fast)) => {
                let steps = Steps::One(step, fast);
                Ok(narrow(Level::best(), input, steps, rules, codes, counts))
            }
            Plan::One(_, None) => Ok(0),
            Plan::Channels(channels) if channels.layout.row >= LONG_ROW => {
                Ok(channels.narrow_rows(rules, input, codes, counts))
            }
            Plan::Channels(channels) => {
                channels.narrow_each(rules, input, codes, counts, expansion)
            }
        }
    }

    /// The same for any precision.
    pub(super) fn exact<T: Wide>(
        &self,
        rules: &Rules,
        first: usize,
        values: &[T],
        codes: &mut [i64],
        counts: &mut Counts,
    ) -> u64 {
        let before = counts.non_finite;
        let level = Level::best();
        match self {
            Plan::One(step, _) => {
                let formula = Formula { rules: *rules, step: *step };
                exact(level, values, &formula, wide(first), codes, counts);
            }
            Plan::Channels(channels) => {
                let (mut values, mut codes) = (values, codes);
                for (channel, at, length) in channels.layout.rows(first, values.len()) {
                    let formula = Formula { rules: *rules, step: channels.step(channel) };
                    let (row, later) = values.split_at_checked(length).unwrap_or((&[], &[]));
                    let (row_codes, later_codes) =
                        codes.split_at_mut_checked(length).unwrap_or((&mut [], &mut []));
                    exact(level, row, &formula, wide(at), row_codes, counts);
                    (values, codes) = (later, later_codes);
                }
            }
        }
        counts.non_finite.saturating_sub(before)
    }
}

impl Channels {
    fn step(&self, channel: usize) -> Step {
        // Every channel has one.
        self.steps.get(channel).copied().unwrap_or(Step { scale: 1.0, bias: 0.0 })
    }

    fn narrow_rows(
        &self,
        rules: &Rules,
        input: Input<'_>,
        codes: Codes<'_>,
        mut counts: Option<&mut Counts>,
    ) -> u64 {
        let mut non_finite = 0_u64;
        let Codes { bytes, signs } = codes;
        for (channel, at, length) in self.layout.rows(input.first, input.values.len()) {
            let Some(fast) = self.fast.get(channel) else { continue };
            let step = self.step(channel);
            let start = at.saturating_sub(input.first);
            let part = start..start.saturating_add(length);
            let values = input.values.get(part.clone()).unwrap_or_default();
            let input = Input { values, first: at, ..input };
            let bytes = bytes.get_mut(part.clone()).unwrap_or_default();
            let signs = signs.get_mut(part).unwrap_or_default();
            let (steps, codes) = (Steps::One(&step, fast), Codes { bytes, signs });
            let counts = counts.as_deref_mut();
            let found = narrow(Level::best(), input, steps, rules, codes, counts);
            non_finite = non_finite.saturating_add(found);
        }
        non_finite
    }

    fn narrow_each(
        &self,
        rules: &Rules,
        input: Input<'_>,
        codes: Codes<'_>,
        mut counts: Option<&mut Counts>,
        expansion: &mut Expansion<f32>,
    ) -> Result<u64> {
        let of =
            |channel: usize| self.fast.get(channel).map(|fast| (fast.multiplier(), fast.offset()));
        let Codes { bytes, mut signs } = codes;
        let mut non_finite = 0_u64;
        let mut first = input.first;
        for (values, bytes) in input.values.chunks(PART).zip(bytes.chunks_mut(PART)) {
            // There are as many signs as bytes, or none.
            let signs = signs.split_off_mut(..values.len().min(signs.len())).unwrap_or_default();
            let codes = Codes { bytes, signs };
            let input = Input { values, first, ..input };
            let counts = counts.as_deref_mut();
            let found = match expansion.expand(self.layout, first, values.len(), of) {
                Ok((multipliers, offsets)) => {
                    let step = |at| self.step(self.layout.channel(first.saturating_add(at)));
                    let steps =
                        Steps::Each { step: &step, multipliers, offsets, window: self.window };
                    narrow(Level::best(), input, steps, rules, codes, counts)
                }
                Err(error) if self.alone => return Err(error),
                Err(_) => self.narrow_rows(rules, input, codes, counts),
            };
            non_finite = non_finite.saturating_add(found);
            first = first.saturating_add(values.len());
        }
        Ok(non_finite)
    }
}

/// A step that values can be divided by.
pub(super) fn checked_step(
    scale: f64,
    bias: f64,
    rounding: Rounding,
    invalid: impl Fn(&'static str, f64, &'static str) -> Error,
) -> Result<Step> {
    let usable = |scale: f64| scale.is_normal() && scale > 0.0;
    if !usable(scale) {
        return Err(invalid("scale", scale, "positive, finite and not subnormal"));
    }
    if !bias.is_finite() {
        return Err(invalid("bias", bias, "finite"));
    }
    let step = Step { scale, bias }.for_rounding(rounding);
    if rounding == Rounding::Caffe2 {
        if !usable(step.scale) || !is_normal_single(step.scale) {
            let rule = "positive, finite and not subnormal in single precision";
            return Err(invalid("scale", scale, rule));
        }
        if bias != bias.trunc() || !(-2_147_483_647.0..=2_147_483_648.0).contains(&bias) {
            return Err(invalid("bias", bias, "minus a zero point, a 32-bit integer"));
        }
    }
    Ok(step)
}

fn is_normal_single(value: f64) -> bool {
    value >= f64::from(f32::MIN_POSITIVE) && value <= f64::from(f32::MAX)
}

/// An index of an element, which a `usize` on every machine fits.
fn wide(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}
