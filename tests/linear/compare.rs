//! Parsers over inputs of three sizes.

use crate::steps::steps;

/// Inputs and what they are, of so many things each.
pub(crate) type Inputs = fn(usize) -> Vec<(&'static str, Vec<u8>)>;

/// How many times the steps from `n` to `2 n` things those from `2 n` to `4 n` may be: twice where all
/// is linear, somewhat more where a sort is in it, four times where all is quadratic. What a call
/// takes whatever the input is in neither.
const MOST: f64 = 2.5;

/// Runs a parser over inputs of `n`, `2 n` and `4 n` things: `n` is a multiple of 16, for inputs of
/// `n / 16` larger things.
pub(crate) fn compare(what: &str, n: usize, inputs: Inputs, parse: impl Fn(&[u8])) {
    assert_eq!(n % 16, 0);
    let (mut worst, mut of) = (0.0, "");
    let (mut grown, mut all) = (0, 0);
    for ((few, more), most) in inputs(n).into_iter().zip(inputs(2 * n)).zip(inputs(4 * n)) {
        let name = few.0;
        let bytes = [few.1, more.1, most.1];
        let counts = bytes.each_ref().map(|bytes| steps(|| parse(bytes)));
        all += 1;
        let longer = (bytes[2].len() - bytes[0].len()) as u64;
        if counts[2] <= counts[0] + counts[0] / 4 + 2 * longer {
            // It looks at the beginning alone, and moves the rest at most.
            continue;
        }
        grown += 1;
        assert!(counts[0] < counts[1], "{what}: {name}: {counts:?} steps for {n} things and more");
        // Memory that grows is moved now and then, perhaps a byte in a step.
        let moved = 2 * (bytes[2].len() - bytes[1].len()) as u64;
        let (first, second) = (counts[1] - counts[0], counts[2].saturating_sub(counts[1]));
        let ratio = second.saturating_sub(moved) as f64 / first as f64;
        assert!(ratio <= MOST, "{what}: {name}: {counts:?} steps for {n} things and more");
        if ratio > worst {
            (worst, of) = (ratio, name);
        }
    }
    // Or next to nothing would be compared.
    assert!(
        3 * grown > all,
        "{what}: of {all} inputs {grown} take more steps where they are larger"
    );
    println!(
        "{what}: twice the growth takes at most {worst:.2} times the steps: {of}, of {grown} inputs"
    );
}
