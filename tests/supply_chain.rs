//! What the library is built from: each package's license is one that a BSD-licensed library can be
//! built with, all versions are pinned, and the oldest Rust is said in one voice.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/toolchain.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod toolchain;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use toolchain::{in_crate, run};

/// Permissive ones, by their SPDX names. Another one is for a person to look at first.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Tools of the tests, nothing of which gets into what is built.
const TOOLS: [(&str, &str); 1] = [("cbindgen", "MPL-2.0")];

/// Whether an SPDX expression can be met: one of its alternatives has allowed licenses only.
fn allows(expression: &str) -> bool {
    // The old way to say OR.
    let expression = expression.replace('/', " OR ");
    let trimmed = |name: &str| name.trim_matches(['(', ')', ' ']).to_owned();
    // Parentheses are only ever around alternatives: `(MIT OR Apache-2.0) AND Unicode-3.0`.
    let is_allowed = |name: &str| ALLOWED.contains(&trimmed(name).as_str());
    let any_of = |part: &str| part.split(" OR ").any(is_allowed);
    if expression.contains('(') {
        return expression.split(" AND ").all(any_of);
    }
    expression.split(" OR ").any(|part| part.split(" AND ").all(is_allowed))
}

#[test]
fn expressions_are_understood() {
    for good in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR GPL-2.0) AND Unicode-3.0"] {
        assert!(allows(good), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR LGPL-3.0) AND MIT", "", "MIT-0.5"] {
        assert!(!allows(bad), "{bad}");
    }
}

fn metadata(manifest: &str) -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    // `--locked` fails where Cargo.lock is missing or not what the manifests ask for.
    command.args(["metadata", "--locked", "--offline"]);
    command.arg("--manifest-path").arg(in_crate(manifest));
    // What other systems need may never have been fetched.
    let system = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    command.args(["--filter-platform", &system]);
    serde_json::from_str(&run(command.args(["--format-version", "1"]))).unwrap()
}

#[test]
fn licenses_are_permissive() {
    check_licenses("Cargo.toml");
}

#[test]
#[ignore = "what the fuzz targets are built from is fetched when they are built, by make test-trust"]
fn licenses_of_the_fuzz_targets_are_permissive() {
    check_licenses("fuzz/Cargo.toml");
}

fn check_licenses(manifest: &str) {
    let metadata = metadata(manifest);
    let packages = metadata["packages"].as_array().unwrap();
    let mut licenses: BTreeMap<&str, u32> = BTreeMap::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let license = package["license"].as_str().unwrap_or("");
        let is_known = allows(license) || TOOLS.contains(&(name, license));
        assert!(is_known, "{name} has the license '{license}'");
        // From a registry, where a version stays what it was.
        let source = package["source"].as_str();
        assert!(source.is_none_or(|source| source.starts_with("registry+")), "{name}: {source:?}");
        *licenses.entry(license).or_default() += 1;
    }
    assert!(packages.len() > 20);
    println!("licenses of {} packages: {licenses:?}", packages.len());
}

/// What a program that links the library carries.
#[test]
fn the_library_itself_stands_on_little() {
    let metadata = metadata("Cargo.toml");
    let resolve = metadata["resolve"]["nodes"].as_array().unwrap();
    let ours = metadata["packages"].as_array().unwrap();
    let ours = ours.iter().find(|package| package["name"] == "caffe2_qtensor").unwrap();
    let node = resolve.iter().find(|node| node["id"] == ours["id"]).unwrap();
    let at_run_time = |dep: &&Value| {
        dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null())
    };
    let names: BTreeSet<&str> = node["deps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(at_run_time)
        .map(|dep| dep["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, BTreeSet::from(["libc", "thiserror"]));
}

#[test]
fn the_oldest_rust_is_one() {
    let manifest = std::fs::read_to_string(in_crate("Cargo.toml")).unwrap();
    let line = manifest.lines().find(|line| line.starts_with("rust-version")).unwrap();
    let oldest = line.split('"').nth(1).unwrap();
    for file in ["README.md", "Makefile", "SECURITY.md"] {
        let text = std::fs::read_to_string(in_crate(file)).unwrap();
        assert!(text.contains(&format!("{oldest} or newer")), "{file} does not name Rust {oldest}");
    }
}
