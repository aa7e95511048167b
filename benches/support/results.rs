//! What a benchmark found: its line in `bench.jsonl`, its printed form and its goal.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

/// One case: two medians of interleaved rounds in one run.
pub(crate) struct Record {
    /// `group/case`, unique among all benchmarks.
    pub(crate) case: String,
    /// Nanoseconds that ours took.
    pub(crate) ours_ns: f64,
    /// Whom ours is compared with.
    pub(crate) peer: String,
    /// Nanoseconds that the peer took.
    pub(crate) peer_ns: f64,
    /// `peer_ns / ours_ns`: above 1, ours is the faster.
    pub(crate) ratio: f64,
    /// What `ratio` must reach, where PERFORMANCE.md or the requirement names a goal.
    pub(crate) goal: Option<f64>,
}

impl Record {
    /// The record as an object of `bench.jsonl`.
    fn to_json(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let goal = self.goal.map_or_else(|| "null".to_owned(), |goal| goal.to_string());
        format!(
            "{{\"case\": {}, \"ours_ns\": {:.3}, \"peer\": {}, \"peer_ns\": {:.3}, \
             \"ratio\": {:.4}, \"goal\": {goal}}}",
            text(&self.case),
            self.ours_ns,
            text(&self.peer),
            self.peer_ns,
            self.ratio,
        )
    }

    fn from_json(line: &str) -> Option<Record> {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(Record {
            case: value.get("case")?.as_str()?.to_owned(),
            ours_ns: value.get("ours_ns")?.as_f64()?,
            peer: value.get("peer")?.as_str()?.to_owned(),
            peer_ns: value.get("peer_ns")?.as_f64()?,
            ratio: value.get("ratio")?.as_f64()?,
            goal: value.get("goal")?.as_f64(),
        })
    }

    /// The line that a run ends with.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} ours={} peer={} peer_time={} ratio={}",
            self.case,
            human(self.ours_ns),
            self.peer,
            human(self.peer_ns),
            significant(self.ratio)
        )
    }

    /// Whether there is a goal and the ratio stays below it.
    pub(crate) fn misses(&self) -> bool {
        self.goal.is_some_and(|goal| self.ratio < goal)
    }

    /// Appends the record to `bench.jsonl`.
    pub(crate) fn append(&self) {
        append(&self.to_json());
    }
}

/// How many results of a case were compared with the definition, and how many differ.
pub(crate) struct Check {
    pub(crate) case: String,
    pub(crate) differing: usize,
    pub(crate) of: usize,
}

impl Check {
    /// Appends the figure to `bench.jsonl`.
    pub(crate) fn append(&self) {
        let case = serde_json::Value::from(self.case.as_str());
        let Check { differing, of, .. } = self;
        append(&format!("{{\"case\": {case}, \"differing\": {differing}, \"of\": {of}}}"));
    }

    fn from_json(line: &str) -> Option<Check> {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        let number = |key| value.get(key)?.as_u64().map(|number| number as usize);
        let case = value.get("case")?.as_str()?.to_owned();
        Some(Check { case, differing: number("differing")?, of: number("of")? })
    }
}

fn append(line: &str) {
    let path = path();
    let file = File::options().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{line}"))
        .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}

/// Everything in `bench.jsonl` in the order of measurement. A case that was measured again counts
/// as it was the last time.
pub(crate) fn read() -> (Vec<Record>, Vec<Check>) {
    let path = path();
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    let (mut records, mut checks): (Vec<Record>, Vec<Check>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(check) = Check::from_json(line) {
            checks.retain(|earlier| earlier.case != check.case);
            checks.push(check);
            continue;
        }
        let record = Record::from_json(line)
            .unwrap_or_else(|| panic!("{} has a line that is no record: {line}", path.display()));
        records.retain(|earlier| earlier.case != record.case);
        records.push(record);
    }
    (records, checks)
}

/// The goals of `goals.toml` by case.
pub(crate) fn goals() -> BTreeMap<String, f64> {
    toml::from_str(include_str!("../goals.toml"))
        .unwrap_or_else(|error| panic!("benches/goals.toml: {error}"))
}

/// Where cargo builds: this program lies two folders below it.
pub(crate) fn target_dir() -> PathBuf {
    let program = std::env::current_exe().ok();
    let folder = program.as_ref().and_then(|program| program.ancestors().nth(3));
    std::env::var_os("CARGO_TARGET_DIR")
        .map(PathBuf::from)
        .or(folder.map(PathBuf::from))
        .unwrap_or_default()
}

fn path() -> PathBuf {
    target_dir().join("bench.jsonl")
}

/// Four significant digits and a unit, without a space between them.
fn human(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    format!("{}{unit}", significant(value))
}

/// Four significant digits, small numbers aside.
pub(crate) fn significant(value: f64) -> String {
    let decimals = match value {
        value if value < 1.0 => 4,
        value if value < 10.0 => 3,
        value if value < 100.0 => 2,
        _ => 1,
    };
    format!("{value:.decimals$}")
}
