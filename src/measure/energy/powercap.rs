//! The powercap tree of Linux: a folder for each package, with its energy in microjoules.
//!
//! Source: Documentation/power/powercap/powercap.rst of the Linux kernel. Zones `intel-rapl:N` are
//! packages, or the whole platform, which holds them; `intel-rapl:N:M` are parts of a package. Only
//! packages count here, so that nothing is counted twice; for the same reason the tree
//! `intel-rapl-mmio`, which shows packages a second time, is left alone. AMD's processors have the
//! same names.

use super::file::{below, decimal, open, read};
use crate::error::{Error, Result};
use crate::measure::time::Stopwatch;
use std::fs::File;
use std::io;
use std::path::Path;

/// Where Linux has it.
pub(super) const ROOT: &str = "/sys/class/powercap";

/// More packages than any machine has.
const MOST_ZONES: u32 = 256;

/// More microjoules than a package takes in a second: 2000 W, four times what the largest are made
/// for.
const MOST_PER_SECOND: f64 = 2e9;

/// Seconds by which what a counter says may be older than its reading, with much to spare: most are
/// updated about once a millisecond.
const LAG: f64 = 1.0;

/// The counter of a package, which begins again at 0 when it has reached its range.
pub(super) struct Zone {
    file: File,
    /// The largest value, in microjoules.
    range: u64,
    last: u64,
    /// Runs from just before `last` was read.
    since: Stopwatch,
}

/// The packages of a tree.
///
/// # Errors
/// `Unavailable` where there is none and where one cannot be read; `Malformed` for files that hold
/// something else than they should; `OutOfMemory`.
pub(super) fn zones(root: &Path) -> Result<Vec<Zone>> {
    let mut zones = Vec::new();
    for number in 0..MOST_ZONES {
        let mut buffer = [0; 16];
        let Some(name) = zone_name(number, &mut buffer) else { continue };
        // A zone that is there and cannot be looked at may be a package, which must not be left out.
        let file = match open(&below(root, &[name, "name"])?) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(refused(&error)),
        };
        let text = read(&file).map_err(|error| refused(&error))?;
        if !text.bytes().starts_with(b"package") {
            continue;
        }
        let part = |file| -> Result<File> {
            open(&below(root, &[name, file])?).map_err(|error| refused(&error))
        };
        let range = number_in(&part("max_energy_range_uj")?, "max_energy_range_uj")?;
        if range == 0 {
            return Err(malformed("max_energy_range_uj", range, "above 0"));
        }
        let mut zone = Zone { file: part("energy_uj")?, range, last: 0, since: Stopwatch::start() };
        zone.begin()?;
        let no_memory = Error::OutOfMemory { what: "counters", bytes: size_of::<Zone>() };
        zones.try_reserve(1).map_err(|_| no_memory)?;
        zones.push(zone);
    }
    if zones.is_empty() {
        let reason = "the powercap tree has no package, as in most virtual machines";
        return Err(Error::Unavailable { what: "energy counter", reason });
    }
    Ok(zones)
}

impl Zone {
    /// Counts from now on.
    fn begin(&mut self) -> Result<()> {
        let since = Stopwatch::start();
        self.last = self.now()?;
        self.since = since;
        Ok(())
    }

    /// Microjoules since the last call, or since it began to count; nothing where they are not known.
    ///
    /// A counter that is lower than it was has reached its range and begun again, or was set to 0 by
    /// something else: a suspended machine, a driver that was loaded anew. It was set where a package
    /// cannot have taken so much in that time; where it can, the two are the same to us.
    pub(super) fn advance(&mut self) -> Result<Option<u64>> {
        let (last, since) = (self.last, self.since);
        self.begin()?;
        if let Some(passed) = self.last.checked_sub(last) {
            return Ok(Some(passed));
        }
        let wrapped = self.range.saturating_sub(last).saturating_add(self.last);
        let most = (since.seconds() + LAG) * MOST_PER_SECOND;
        Ok(Some(wrapped).filter(|wrapped| *wrapped as f64 <= most))
    }

    fn now(&self) -> Result<u64> {
        let now = number_in(&self.file, "energy_uj")?;
        if now > self.range {
            return Err(malformed("energy_uj", now, "at most max_energy_range_uj"));
        }
        Ok(now)
    }
}

fn zone_name(number: u32, buffer: &mut [u8; 16]) -> Option<&str> {
    use std::io::Write;
    let mut rest = &mut buffer[..];
    write!(rest, "intel-rapl:{number}").ok()?;
    let left = rest.len();
    let length = buffer.len().saturating_sub(left);
    core::str::from_utf8(buffer.get(..length)?).ok()
}

fn number_in(file: &File, field: &'static str) -> Result<u64> {
    let text = read(file).map_err(|error| refused(&error))?;
    decimal(text.bytes()).ok_or(Error::Malformed {
        message: field,
        problem: "it is no number of microjoules",
        offset: 0,
    })
}

fn malformed(field: &'static str, value: u64, rule: &'static str) -> Error {
    Error::MalformedValue { field, value: i128::from(value), rule }
}

fn refused(error: &io::Error) -> Error {
    let reason = match error.kind() {
        io::ErrorKind::PermissionDenied => "the counters of energy are for the superuser only",
        io::ErrorKind::NotFound => "a package lacks its counter of energy, or the range of that",
        _ => "a counter of energy cannot be read",
    };
    Error::Unavailable { what: "energy counter", reason }
}
