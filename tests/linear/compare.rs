//! Parsers over inputs of two sizes.

use crate::steps::steps;

/// Inputs and what they are, of so many things each.
pub(crate) type Inputs = fn(usize) -> Vec<(&'static str, Vec<u8>)>;

/// Where a sort is in it, four times the things take somewhat more than four times the steps; what is
/// quadratic would take up to sixteen times as many.
const MOST: f64 = 6.0;

/// Runs a parser over inputs of `n` things and of four times as many.
pub(crate) fn compare(what: &str, n: usize, inputs: Inputs, parse: impl Fn(&[u8])) {
    let (mut worst, mut of) = (0.0, "");
    for ((name, few), (_, many)) in inputs(n).into_iter().zip(inputs(4 * n)) {
        let (Some(fewer), Some(more)) = (steps(|| parse(&few)), steps(|| parse(&many))) else {
            assert!(
                std::env::var_os("CAFFE2_QTENSOR_REQUIRE_TOOLS").is_none(),
                "ptrace is refused"
            );
            println!("{what}: not run, because a process may not trace its child here");
            return;
        };
        let ratio = more as f64 / fewer as f64;
        assert!(ratio <= MOST, "{what}: {name}: {fewer} steps, and {more} for four times as much");
        if ratio > worst {
            (worst, of) = (ratio, name);
        }
    }
    println!("{what}: four times as much takes at most {worst:.2} times the steps: {of}");
}
