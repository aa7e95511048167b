//! `qtensor sweep` and the world around it: a report that is whole or not there, signals, memory, and
//! counters of energy.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod sweep_files;

use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use sweep_files::{DIGITS, Floats, folder, normal, refused, sweep, swept, write};

/// What a shell says of a command that it runs with a limit.
fn limited(limit: &str, input: &Path, html: &Path) -> std::process::Output {
    std::process::Command::new("sh")
        .args([
            "-c",
            &format!("{limit}; exec \"$@\""),
            "sh",
            env!("CARGO_BIN_EXE_qtensor"),
            "sweep",
        ])
        .arg(input)
        .args(["--precisions", "1,4", "--methods", "min-max", "--json", "--html"])
        .arg(html)
        .env_remove("COLUMNS")
        .output()
        .unwrap()
}

#[test]
fn a_report_replaces_nothing_unasked_and_is_whole_or_not_there() {
    let folder = folder("sweep-output");
    let html = folder.join("report.html");
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(&folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let to = |path: &Path, more: &[&str]| {
        let all = ["--precisions", "4", "--html", path.to_str().unwrap()];
        sweep(Path::new(DIGITS), &[&all, more].concat())
    };
    assert!(to(&html, &[]).status.success());
    assert_eq!(names(), ["report.html"]);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));

    std::fs::write(&html, "mine").unwrap();
    refused(&to(&html, &[]), "--force");
    assert_eq!(std::fs::read_to_string(&html).unwrap(), "mine");
    // Neither full disks nor what is no file harm what is there.
    refused(&limited("ulimit -f 8", Path::new(DIGITS), &folder.join("cut.html")), "cut.html");
    assert_eq!(names(), ["report.html"]);
    refused(&to(&folder, &["--force"]), "no ordinary file");
    let pipe = folder.join("pipe.html");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    refused(&to(&pipe, &["--force"]), "no ordinary file");
    std::fs::remove_file(&pipe).unwrap();
    refused(&to(&folder.join("missing/report.html"), &[]), "missing");
    // A link stays one.
    let link = folder.join("link.html");
    std::os::unix::fs::symlink(&html, &link).unwrap();
    assert!(to(&link, &["--force"]).status.success());
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(std::fs::read_to_string(&html).unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(names(), ["link.html", "report.html"]);

    let own = folder.join("w.minidb");
    std::fs::copy(DIGITS, &own).unwrap();
    let all = ["--html", own.to_str().unwrap(), "--force"];
    refused(&sweep(&own, &all), "The output is the input");
    assert_eq!(std::fs::read(&own).unwrap(), std::fs::read(DIGITS).unwrap());
}

#[test]
fn an_interrupted_sweep_leaves_nothing() {
    let folder = folder("sweep-interrupted");
    let (input, html) = (folder.join("w.minidb"), folder.join("report.html"));
    // Far more than is done before the signal.
    let tensors: Vec<(String, Vec<f32>)> =
        (0..64).map(|index| (format!("w{index}"), normal(1 << 16, index))).collect();
    let tensors: Vec<Floats> = tensors
        .iter()
        .map(|(name, values)| (name.as_bytes(), &[256, 256][..], values.clone()))
        .collect();
    write(&input, &tensors);
    let mut child = sweep_files::qtensor()
        .args(["sweep", "--html"])
        .args([&html, &input])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // From when on it catches the signal: the second bit of a mask that the system shows.
    let status = format!("/proc/{}/status", child.id());
    let caught = || {
        let text = std::fs::read_to_string(&status).unwrap();
        let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & 2 != 0
    };
    while !caught() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let killed =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "only what it read is there");
}

#[test]
fn one_tensor_is_in_memory_at_a_time() {
    let folder = folder("sweep-memory");
    let input = folder.join("w.minidb");
    let values = normal(1 << 20, 1);
    let names: Vec<String> = (0..24).map(|index| format!("w{index}")).collect();
    let mut writer = caffe2_qtensor::minidb::Writer::create(&input).unwrap();
    for name in &names {
        let elements = caffe2_qtensor::Elements::Float(values.clone());
        let tensor = caffe2_qtensor::DenseTensor::new(&[1024, 1024], elements).unwrap();
        writer.append_dense(name.as_bytes(), &tensor, 1 << 18).unwrap();
    }
    writer.commit().unwrap();
    // 96 MiB of floats in 72 MiB of addresses, the program's own among them.
    let output = limited("ulimit -v 73728", &input, &folder.join("report.html"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["tensors"].as_array().unwrap().len(), 24);
}

#[test]
fn energy_is_measured_where_there_are_counters_and_else_said_to_be_unavailable() {
    let folder = folder("sweep-energy");
    let input = folder.join("w.minidb");
    write(&input, &[(b"w", &[64, 64], normal(4096, 1))]);
    let zone = folder.join("intel-rapl:0");
    std::fs::create_dir(&zone).unwrap();
    std::fs::write(zone.join("name"), "package-0\n").unwrap();
    std::fs::write(zone.join("max_energy_range_uj"), "99999999999999999\n").unwrap();
    let counter = zone.join("energy_uj");
    // A machine that takes ever more, so that what is busy takes more than what was idle before.
    let write_counter = |seconds: f64| {
        use std::os::unix::fs::FileExt;
        let mut how = std::fs::File::options();
        let file = how.write(true).create(true).truncate(false).open(&counter).unwrap();
        let text = format!("{:017}", (1e6 * seconds * seconds) as u64);
        file.write_all_at(text.as_bytes(), 0).unwrap();
    };
    write_counter(0.0);
    let all = ["--precisions", "8", "--methods", "min-max", "--measure-energy", "--powercap"];
    let arguments = [&all[..], &[folder.to_str().unwrap()]].concat();
    let done = AtomicBool::new(false);
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while !done.load(Ordering::Relaxed) {
                write_counter(start.elapsed().as_secs_f64());
                std::thread::yield_now();
            }
        });
        let output = sweep(&input, &[&arguments[..], &["--json"]].concat());
        done.store(true, Ordering::Relaxed);
        output
    });
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["energy_unmeasured"], Value::Null);
    let trial = &found["tensors"][0]["trials"][0];
    assert!(trial["measured_joules"].as_f64().unwrap() > 0.0, "{trial}");
    assert_eq!(found["totals"][0]["measured_joules"], trial["measured_joules"]);
    // By the model: 4096 bytes of planes from memory, 8 planes of 128 words, 4096 products and sums.
    let modeled = 4096.0 * (1950.0 / 8.0 + 3.7 + 0.9) + 1024.0 * 0.1;
    assert!((trial["energy_joules"].as_f64().unwrap() / (modeled * 1e-12) - 1.0).abs() < 1e-9);
    let floats = found["float_energy_joules"].as_f64().unwrap();
    assert!((floats / (4.0 * 4096.0 * 1950.0 / 8.0 * 1e-12) - 1.0).abs() < 1e-9);

    let nowhere = folder.join("nowhere");
    let nowhere = [&all[..], &[nowhere.to_str().unwrap()]].concat();
    let found = swept(&input, &nowhere);
    let reason = found["energy_unmeasured"].as_str().unwrap();
    assert!(reason.contains("not available"), "{reason}");
    assert_eq!(found["totals"][0]["measured_joules"], Value::Null);
    let found = swept(&input, &["--precisions", "8"]);
    let reason = found["energy_unmeasured"].as_str().unwrap();
    assert!(reason.contains("--measure-energy asks"), "{reason}");
}
