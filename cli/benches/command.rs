//! The command on a database of 4 GiB: its speed beside copying the file, and its memory.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot go on should stop"
)]

#[path = "../../benches/support/results.rs"]
#[allow(dead_code, reason = "the summary uses the rest")]
mod results;

use caffe2_qtensor::minidb::Writer;
use caffe2_qtensor::{DenseTensor, Elements};
use results::Record;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The database: 64 tensors of 64 MiB.
const TENSORS: usize = 64;
const DIMS: [i64; 2] = [4096, 4096];

/// What the command may hold at a time.
const MOST_RESIDENT: u64 = 512 << 20;

const ROUNDS: usize = 3;

/// A folder that goes with its files.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn main() {
    // `cargo test --all-targets` runs this too, and measures nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = Folder(results::target_dir().join("bench-command"));
    let _ = fs::remove_dir_all(&folder.0);
    fs::create_dir_all(&folder.0).expect("a folder in the target folder");
    let (input, copied) = (folder.0.join("input.minidb"), folder.0.join("copy.minidb"));
    generate(&input);
    let (mut ours, mut theirs, mut resident) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        copy(&input, &copied);
        theirs.push(started.elapsed());
        fs::remove_file(&copied).expect("the copy");
        let (time, most) = quantize(&input, &folder.0.join("output.minidb"));
        ours.push(time);
        resident = resident.max(most);
    }
    println!("at most {} MiB resident", resident >> 20);
    assert!(resident <= MOST_RESIDENT, "{resident} bytes resident, of {MOST_RESIDENT} allowed");
    record("command/quantize_4bits/4GiB", "copy", median(ours), median(theirs));
}

fn record(case: &str, peer: &str, ours: Duration, theirs: Duration) {
    let (case, peer) = (case.to_owned(), peer.to_owned());
    let goal = results::goals().get(&case).copied();
    let (ours_ns, peer_ns) = (ours.as_secs_f64() * 1e9, theirs.as_secs_f64() * 1e9);
    let record = Record { case, ours_ns, peer, peer_ns, ratio: peer_ns / ours_ns, goal };
    println!("{}", record.line());
    record.append();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Values that are nearly normal, from a counter: no two tensors are alike.
fn generate(path: &Path) {
    let size = DIMS.iter().product::<i64>() as usize;
    let mut state = 1u64;
    let mut writer = Writer::create(path).expect("room for the database");
    for tensor in 0..TENSORS {
        let values = (0..size).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let parts = (state ^ (state >> 33)).to_le_bytes();
            let sum: i32 = parts.iter().map(|part| i32::from(*part)).sum();
            (sum - 1020) as f32 / 2048.0
        });
        let dense = DenseTensor::new(&DIMS, Elements::Float(values.collect())).expect("its size");
        let name = format!("layer{tensor}_w");
        writer.append_dense(name.as_bytes(), &dense, 0).expect("room for the database");
    }
    writer.commit().expect("room for the database");
}

/// Copies a file, to the disk as the command writes its own.
fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).expect("room for a copy");
    File::open(to).and_then(|file| file.sync_all()).expect("a copy on the disk");
}

/// Runs the command; its time, and the most that it held.
fn quantize(from: &Path, to: &Path) -> (Duration, u64) {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_qtensor"))
        .args(["quantize", "--precision", "4", "--quiet", "--force"])
        .arg(from)
        .arg("-o")
        .arg(to)
        .stdin(Stdio::null())
        .spawn()
        .expect("the command");
    let mut most = 0;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "{status}");
            return (started.elapsed(), most);
        }
        most = most.max(high_water(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The most bytes that a process has held so far.
fn high_water(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}
