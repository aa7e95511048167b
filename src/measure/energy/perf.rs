//! The same counters by way of Linux's performance events, where those are allowed.
//!
//! Source: Documentation/ABI/testing/sysfs-bus-event_source-devices-events of the Linux kernel: the
//! folder of the device `power` says which number the event `energy-pkg` has, in what unit it counts and
//! on which processors, one for each package.

use super::file::{below, decimal, open, read};
use crate::error::{Error, Result};
use crate::kernels::counter;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Where Linux has it.
pub(super) const ROOT: &str = "/sys/bus/event_source/devices/power";

/// The counter of a package, whose 64 bits do not overflow.
pub(super) struct Event {
    file: File,
    last: u64,
}

/// What a folder says about the event.
#[derive(Debug, PartialEq)]
pub(super) struct Described {
    kind: u32,
    config: u64,
    /// Joules for each count.
    pub(super) unit: f64,
    processors: Processors,
}

/// The processors that a list names: at most so many.
#[derive(Debug, PartialEq)]
struct Processors {
    numbers: [u32; 64],
    count: usize,
}

/// What the folder of the device says.
///
/// # Errors
/// `Unavailable` where there is no such event, and where files hold something else than they should.
pub(super) fn described(root: &Path) -> Result<Described> {
    let text = |parts: &[&str]| {
        let file = open(&below(root, parts)?).map_err(|_| NONE)?;
        read(&file).map_err(|_| NONE)
    };
    let kind = decimal(text(&["type"])?.bytes()).and_then(|kind| u32::try_from(kind).ok());
    let config = event(text(&["events", "energy-pkg"])?.bytes());
    let scale = text(&["events", "energy-pkg.scale"])?;
    let scale = core::str::from_utf8(scale.bytes()).ok().and_then(|scale| scale.parse().ok());
    let scale = scale.filter(|scale: &f64| scale.is_normal() && *scale > 0.0);
    let in_joules = text(&["events", "energy-pkg.unit"])?.bytes() == b"Joules";
    let processors = list(text(&["cpumask"])?.bytes());
    match (kind, config, scale.filter(|_| in_joules), processors) {
        (Some(kind), Some(config), Some(unit), Some(processors)) => {
            Ok(Described { kind, config, unit, processors })
        }
        _ => Err(NONE),
    }
}

const NONE: Error = Error::Unavailable {
    what: "energy counter",
    reason: "neither powercap nor performance events have packages, as in most virtual machines",
};

impl Described {
    /// Opens the counters of all packages.
    ///
    /// # Errors
    /// `Unavailable` where that is not allowed; `OutOfMemory`.
    pub(super) fn open(&self) -> Result<Vec<Event>> {
        let processors = self.processors.numbers.get(..self.processors.count).unwrap_or_default();
        let mut events = Vec::new();
        let bytes = processors.len().saturating_mul(size_of::<Event>());
        let no_memory = Error::OutOfMemory { what: "counters", bytes };
        events.try_reserve_exact(processors.len()).map_err(|_| no_memory)?;
        for processor in processors {
            let file = counter::open(self.kind, self.config, *processor).map_err(|_| {
                let reason = "performance events of the whole machine are not allowed";
                Error::Unavailable { what: "energy counter", reason }
            })?;
            let mut event = Event { file, last: 0 };
            event.begin()?;
            events.push(event);
        }
        Ok(events)
    }
}

impl Event {
    /// Counts from now on.
    fn begin(&mut self) -> Result<()> {
        self.last = self.now()?;
        Ok(())
    }

    /// Counts since the last call, or since it began to.
    pub(super) fn advance(&mut self) -> Result<u64> {
        let last = self.last;
        self.begin()?;
        Ok(self.last.wrapping_sub(last))
    }

    fn now(&mut self) -> Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact(&mut bytes).map_err(Error::io("read the energy counter"))?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

/// The number in `event=0x02`.
fn event(text: &[u8]) -> Option<u64> {
    let number = core::str::from_utf8(text).ok()?.strip_prefix("event=")?;
    match number.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => decimal(number.as_bytes()),
    }
}

/// The numbers of a list such as `0,48` or `0-1`; at least one.
fn list(text: &[u8]) -> Option<Processors> {
    let mut found = Processors { numbers: [0; 64], count: 0 };
    let number = |digits: &[u8]| u32::try_from(decimal(digits)?).ok();
    for part in text.split(|byte| *byte == b',') {
        let mut ends = part.splitn(2, |byte| *byte == b'-');
        let first = number(ends.next()?)?;
        let last = ends.next().map_or(Some(first), number)?;
        if last < first {
            return None;
        }
        for number in first..=last {
            *found.numbers.get_mut(found.count)? = number;
            found.count = found.count.saturating_add(1);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lists_as_the_kernel_writes_them() {
        assert_eq!((event(b"event=0x02"), event(b"event=17")), (Some(2), Some(17)));
        for hostile in [&b"event="[..], b"event=0x", b"event=+3", b"0x02", b"event=0x+2", b"\xff"] {
            assert_eq!(event(hostile), None);
        }
        let numbers = |text: &[u8]| {
            list(text).map(|found| found.numbers.get(..found.count).unwrap_or_default().to_vec())
        };
        assert_eq!(numbers(b"0"), Some(vec![0]));
        assert_eq!(numbers(b"0,48"), Some(vec![0, 48]));
        assert_eq!(numbers(b"2-4,7"), Some(vec![2, 3, 4, 7]));
        for hostile in [&b""[..], b",", b"4-2", b"0-4294967295", b"1-", b"-1", b"1,,2", b"a"] {
            assert_eq!(numbers(hostile), None);
        }
    }
}
