//! Runs ours and a peer side by side.
//!
//! The machine is shared and its clock moves, so two numbers taken minutes apart say little about
//! each other. A [`Runner::pair`] is a criterion group of two functions, ours and the peer; every
//! sample of either also times a batch of the other one right before or after it. A case's ratio
//! is the median of the peer's batches over the median of ours.

#![allow(dead_code, reason = "each benchmark uses a part of it")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on should stop")]

pub(crate) mod bits_peer;
pub(crate) mod data;
pub(crate) mod floats;
pub(crate) mod limits;
pub(crate) mod operands;
pub(crate) mod peer_library;
pub(crate) mod plain;
pub(crate) mod product_peer;
pub(crate) mod prost_peer;
pub(crate) mod protobuf_peer;
pub(crate) mod results;

use criterion::{Criterion, SamplingMode, Throughput};
use results::{Check, Record};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Samples of a criterion function: fewer where a single pass takes tens of milliseconds.
const SAMPLES: usize = 20;
const SAMPLES_LARGE: usize = 10;

/// The longest batch for the side that criterion is not asking about, one pass aside: enough for
/// a good sample, and it keeps a slow side from forcing as long a batch on a fast one.
const COMPANION: Duration = Duration::from_millis(15);

/// A benchmark program: criterion, the goals and whether this is a measurement at all.
pub(crate) struct Runner {
    criterion: Criterion,
    goals: BTreeMap<String, f64>,
    measuring: bool,
}

impl Runner {
    /// Takes the filter and the options that criterion knows from the command line.
    pub(crate) fn from_args() -> Runner {
        let criterion = Criterion::default()
            .warm_up_time(Duration::from_millis(100))
            .measurement_time(Duration::from_millis(400))
            .nresamples(1001)
            .without_plots()
            .configure_from_args();
        Runner { criterion, goals: results::goals(), measuring: measuring() }
    }

    /// The sizes to go through: only the smallest where nothing is measured (`cargo test
    /// --all-targets` runs every case once).
    pub(crate) fn sizes(&self) -> &'static [data::Size] {
        self.some_of(&data::SIZES)
    }

    /// The same of any sizes that begin with the smallest.
    pub(crate) fn some_of<T>(&self, sizes: &'static [T]) -> &'static [T] {
        if self.measuring { sizes } else { &sizes[..1] }
    }

    /// Measures `ours` against `theirs`, each one pass over `bytes` bytes, and records the case.
    /// Returns the median nanoseconds of ours, or nothing where the command line left the case
    /// out.
    pub(crate) fn pair(
        &mut self,
        case: &str,
        bytes: usize,
        peer: &str,
        ours: impl FnMut(),
        theirs: impl FnMut(),
    ) -> Option<f64> {
        self.pair_scaled(case, bytes, peer, 1.0, ours, theirs)
    }

    /// [`Runner::pair`] with a peer that would take too long: it does one part in `times`, and its
    /// time counts that often.
    pub(crate) fn pair_scaled(
        &mut self,
        case: &str,
        bytes: usize,
        peer: &str,
        times: f64,
        mut ours: impl FnMut(),
        mut theirs: impl FnMut(),
    ) -> Option<f64> {
        let samples = if bytes >= data::LARGE { SAMPLES_LARGE } else { SAMPLES };
        let mut group = self.criterion.benchmark_group(case);
        group.sample_size(samples).sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Bytes(bytes as u64));

        let mut first = Rounds::default();
        group.bench_function("ours", |bencher| {
            bencher.iter_custom(|passes| first.round(passes, &mut ours, &mut theirs));
        });
        let mut second = Rounds::default();
        group.bench_function(peer, |bencher| {
            bencher.iter_custom(|passes| second.round(passes, &mut theirs, &mut ours));
        });
        group.finish();

        // Criterion warms up through the same calls and measures last.
        let (ours, theirs) = (first.last(samples), second.last(samples));
        let ours_ns = median(ours.clone().map(|r| r.asked).chain(theirs.clone().map(|r| r.other)));
        let peer_ns = median(ours.map(|r| r.other).chain(theirs.map(|r| r.asked)));
        let (ours_ns, peer_ns) = (ours_ns?, times * peer_ns?);
        self.record(case, ours_ns, peer, peer_ns);
        Some(ours_ns)
    }

    /// Records what [`Runner::pair`] returned against a computed peer: one that moves `bytes`
    /// bytes at exactly `rate` GB/s.
    pub(crate) fn rate(&self, case: &str, bytes: usize, rate: f64, ours_ns: Option<f64>) {
        if let Some(ours_ns) = ours_ns {
            self.record(case, ours_ns, &format!("{rate}GB/s"), bytes as f64 / rate);
        }
    }

    /// Records how many results of a case are not what the definition says, and stops where
    /// there are any.
    pub(crate) fn check(&self, case: &str, of: usize, differing: usize) {
        if self.measuring {
            Check { case: case.to_owned(), differing, of }.append();
        }
        assert_eq!(differing, 0, "{case} is wrong");
    }

    fn record(&self, case: &str, ours_ns: f64, peer: &str, peer_ns: f64) {
        if self.measuring {
            let (case, peer) = (case.to_owned(), peer.to_owned());
            let goal = self.goals.get(&case).copied();
            let ratio = peer_ns / ours_ns;
            Record { case, ours_ns, peer, peer_ns, ratio, goal }.append();
        }
    }
}

/// Whether this program was started by `cargo bench`, and not by `cargo test` or for a list.
pub(crate) fn measuring() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    has("--bench") && !has("--test") && !has("--list")
}

/// One sample: nanoseconds a pass.
#[derive(Clone, Copy)]
struct Round {
    /// Of the side that criterion asked about.
    asked: f64,
    /// Of the other side, timed next to it.
    other: f64,
}

/// The samples of one criterion function, in order.
#[derive(Default)]
struct Rounds(Vec<Round>);

impl Rounds {
    /// Times `passes` passes of `asked` and about as long a batch of `other`, and returns what
    /// criterion wants to know.
    fn round(
        &mut self,
        passes: u64,
        asked: &mut impl FnMut(),
        other: &mut impl FnMut(),
    ) -> Duration {
        let total = time(passes, asked);
        let expected = self.0.last().map_or(f64::INFINITY, |round| round.other);
        let companion = total.min(COMPANION).as_nanos() as f64 / expected;
        let companion = (companion as u64).max(1);
        let other = per_pass(time(companion, other), companion);
        self.0.push(Round { asked: per_pass(total, passes), other });
        total
    }

    fn last(&self, count: usize) -> impl Iterator<Item = Round> + Clone {
        self.0[self.0.len().saturating_sub(count)..].iter().copied()
    }
}

fn time(passes: u64, side: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..passes {
        side();
    }
    start.elapsed()
}

fn per_pass(total: Duration, passes: u64) -> f64 {
    total.as_nanos() as f64 / passes as f64
}

fn median(samples: impl Iterator<Item = f64>) -> Option<f64> {
    let mut samples: Vec<f64> = samples.collect();
    samples.sort_by(f64::total_cmp);
    let upper = *samples.get(samples.len() / 2)?;
    let lower = samples[(samples.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}
