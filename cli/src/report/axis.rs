//! Axes: where a value lies on the page, and which values get a tick.

/// A range of values along a range of pixels.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Axis {
    /// From the pixel `from` to the pixel `to`. A range without width is widened.
    pub(super) fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Axis {
        let high = if high > low { high } else { low + low.abs().max(1.0) };
        Axis { low, high, from, to, logarithmic: false }
    }

    /// The same for values above 0, equal ratios equally far apart.
    pub(super) fn logarithmic((low, high): (f64, f64), (from, to): (f64, f64)) -> Axis {
        let low = if low > 0.0 { low } else { 1.0 };
        let high = if high > low { high } else { 2.0 * low };
        Axis { low, high, from, to, logarithmic: true }
    }

    /// The pixel of a value; values outside lie on the nearer end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        // Of NaN, which has no place, the low end.
        let share = if share > 0.0 { share.min(1.0) } else { 0.0 };
        self.from + share * (self.to - self.from)
    }

    /// At most `most` round values within the range, ascending.
    pub(super) fn ticks(&self, most: f64) -> Vec<f64> {
        if self.logarithmic {
            return self.decades(most);
        }
        let step = round_step((self.high - self.low) / most);
        let mut ticks = Vec::new();
        let mut index = (self.low / step - 1e-9).ceil();
        while index * step <= self.high + 1e-9 * step && ticks.len() < 64 {
            ticks.push(index * step);
            index += 1.0;
        }
        ticks
    }

    /// Of 1, 2 and 5 in each decade what there is room for.
    fn decades(&self, most: f64) -> Vec<f64> {
        let within = |tick: &f64| *tick >= 0.999 * self.low && *tick <= 1.001 * self.high;
        let all = |steps: &[f64]| {
            let mut ticks = Vec::new();
            let mut decade = self.low.log10().floor();
            while decade <= self.high.log10() {
                // To whole tenths of a decade's unit, which 1.6 of them are not in binary.
                let tick = |step: &f64| (10.0 * step).round() * 10_f64.powf(decade - 1.0);
                ticks.extend(steps.iter().map(tick).filter(within));
                decade += 1.0;
            }
            ticks
        };
        let choices: [&[f64]; 6] = [
            &[1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0],
            &[1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
            &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 3.0],
            &[1.0],
        ];
        let fits = |ticks: &Vec<f64>| ticks.len() as f64 <= most;
        choices.into_iter().map(all).find(fits).unwrap_or_default()
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is no less.
pub(super) fn round_step(least: f64) -> f64 {
    if !(least > 0.0 && least.is_finite()) {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let found = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= 0.999_999 * least);
    found.unwrap_or(10.0) * power
}

/// The texts of equally spaced ticks, with as many decimals as tell them apart.
pub(super) fn tick_texts(ticks: &[f64]) -> Vec<String> {
    let step = match ticks {
        [first, second, ..] => (second - first).abs(),
        _ => ticks.first().map_or(1.0, |tick| tick.abs()),
    };
    let most = ticks.iter().fold(0.0_f64, |most, tick| most.max(tick.abs()));
    let small = most != 0.0 && !(1e-3..1e6).contains(&most);
    let text = |tick: &f64| {
        if *tick == 0.0 || tick.abs() < 1e-9 * step {
            return "0".to_owned();
        }
        if small {
            return plain_minus(format!("{:e}", rounded(*tick, step)));
        }
        let decimals = (0..9_i32).find(|decimals| {
            let shifted = step * 10_f64.powi(*decimals);
            (shifted - shifted.round()).abs() < 1e-6 * shifted
        });
        let decimals = usize::try_from(decimals.unwrap_or(9)).unwrap_or(9);
        plain_minus(format!("{tick:.decimals$}"))
    };
    ticks.iter().map(text).collect()
}

/// Without what floating point added to it: a whole number of hundredths of a step.
fn rounded(tick: f64, step: f64) -> f64 {
    let text = format!("{:.2e}", (tick / step).round() * step);
    text.parse().unwrap_or(tick)
}

fn plain_minus(text: String) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::linear((-3.0, 47.0), (0.0, 100.0));
        assert_eq!(axis.ticks(6.0), [0.0, 10.0, 20.0, 30.0, 40.0]);
        let axis = Axis::linear((0.0, 0.3), (0.0, 100.0));
        assert_eq!(tick_texts(&axis.ticks(4.0)), ["0", "0.1", "0.2", "0.3"]);
        let axis = Axis::linear((-2e-7, 2e-7), (0.0, 100.0));
        assert_eq!(tick_texts(&axis.ticks(3.0)), ["−2e−7", "0", "2e−7"]);
        let axis = Axis::logarithmic((900.0, 70_000.0), (0.0, 100.0));
        assert_eq!(axis.ticks(7.0), [1e3, 2e3, 5e3, 1e4, 2e4, 5e4]);
        let axis = Axis::logarithmic((16e3, 26e3), (0.0, 100.0));
        assert_eq!(axis.ticks(7.0), [16e3, 18e3, 20e3, 25e3]);
        assert_eq!(axis.ticks(1.0), [2e4]);
    }

    #[test]
    fn every_value_has_a_place_on_the_axis() {
        let axis = Axis::linear((0.0, 10.0), (100.0, 0.0));
        assert_eq!(axis.at(2.5), 75.0);
        for (value, at) in [(f64::INFINITY, 0.0), (-5.0, 100.0), (f64::NAN, 100.0)] {
            assert_eq!(axis.at(value), at);
        }
        // A single value, none above 0, and nothing at all.
        for axis in [
            Axis::linear((3.0, 3.0), (0.0, 1.0)),
            Axis::logarithmic((0.0, 0.0), (0.0, 1.0)),
            Axis::logarithmic((7.0, 7.0), (0.0, 1.0)),
        ] {
            assert!(axis.at(3.0).is_finite());
            assert!(axis.ticks(5.0).len() <= 5);
        }
    }
}
