//! Meters of powercap trees laid out here, hostile ones among them, and the model.

use caffe2_qtensor::measure::energy::{Meter, Modeled, Source, Table, Work, modeled};
use caffe2_qtensor::{Error, ErrorKind};
use std::path::PathBuf;

/// A powercap tree in a folder of its own, removed when it is dropped.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Tree {
        let root = std::env::temp_dir().join(format!("qtensor-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        Tree(root)
    }

    fn write(&self, zone: &str, file: &str, text: &str) {
        std::fs::create_dir_all(self.0.join(zone)).unwrap();
        std::fs::write(self.0.join(zone).join(file), text).unwrap();
    }

    fn zone(&self, zone: &str, name: &str, energy: &str, range: &str) {
        self.write(zone, "name", name);
        self.write(zone, "energy_uj", energy);
        self.write(zone, "max_energy_range_uj", range);
    }

    fn meter(&self) -> Result<Meter, Error> {
        Meter::open(Some(&self.0))
    }

    fn refusal(&self) -> Error {
        self.meter().err().expect("a refusal")
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Two packages, a part of one, the platform, and the packages a second time.
#[test]
fn packages_are_counted_once_and_wrap() {
    let tree = Tree::new("packages");
    tree.zone("intel-rapl:0", "package-0\n", "1000000\n", "262143328850\n");
    tree.zone("intel-rapl:0:0", "core\n", "5\n", "262143328850\n");
    tree.zone("intel-rapl:0:1", "dram\n", "5\n", "262143328850\n");
    tree.zone("intel-rapl:1", "psys\n", "5\n", "262143328850\n");
    tree.zone("intel-rapl:2", "package-1", "9000000", "10000000");
    tree.zone("intel-rapl-mmio:0", "package-0\n", "5\n", "262143328850\n");
    let mut meter = tree.meter().unwrap();
    assert_eq!((meter.packages(), meter.source()), (2, Source::Powercap));

    for other in ["intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:1", "intel-rapl-mmio:0"] {
        tree.write(other, "energy_uj", "777777777\n");
    }
    tree.write("intel-rapl:0", "energy_uj", "3500000\n");
    assert!((meter.read().unwrap().joules - 2.5).abs() < 1e-12);
    // The second package's counter begins again: 1 J up to its range and 0.25 J beyond.
    tree.write("intel-rapl:2", "energy_uj", "250000\n");
    let reading = meter.read().unwrap();
    assert!((reading.joules - 3.75).abs() < 1e-12, "{reading:?}");
    assert!(reading.seconds > 0.0 && reading.watts() > 0.0);

    meter.start().unwrap();
    tree.write("intel-rapl:0", "energy_uj", "3500001\n");
    assert!((meter.read().unwrap().joules - 1e-6).abs() < 1e-18);
}

/// A counter that is set to 0 far below its range has measured nothing, and no 200 kJ.
#[test]
fn a_counter_that_was_set_anew_is_no_energy() {
    let tree = Tree::new("anew");
    tree.zone("intel-rapl:0", "package-0\n", "60000000000\n", "262143328850\n");
    tree.zone("intel-rapl:1", "package-1\n", "5000000\n", "262143328850\n");
    let mut meter = tree.meter().unwrap();
    tree.write("intel-rapl:0", "energy_uj", "1000\n");
    tree.write("intel-rapl:1", "energy_uj", "6000000\n");
    // What was taken since the start stays unknown, however the counters go on.
    for energy in ["1000\n", "2000\n"] {
        tree.write("intel-rapl:0", "energy_uj", energy);
        let error = meter.read().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("a counter was set anew since the start"), "{error}");
    }
    // A start does not mind.
    tree.write("intel-rapl:0", "energy_uj", "0\n");
    meter.start().unwrap();
    tree.write("intel-rapl:0", "energy_uj", "3000\n");
    assert!((meter.read().unwrap().joules - 3e-3).abs() < 1e-12);
}

/// Counters that stand still, as some virtual machines have them, measure nothing.
#[test]
fn what_does_not_move_is_unavailable() {
    let tree = Tree::new("still");
    tree.zone("intel-rapl:0", "package-0", "42", "1000");
    let mut meter = tree.meter().unwrap();
    for _ in 0..2 {
        assert_eq!(meter.read().unwrap_err().kind(), ErrorKind::Unavailable);
        meter.start().unwrap();
    }
}

#[test]
fn nothing_there_is_unavailable() {
    let tree = Tree::new("nothing");
    assert_eq!(tree.refusal().kind(), ErrorKind::Unavailable);
    assert_eq!(
        Meter::open(Some(&tree.0.join("missing"))).err().unwrap().kind(),
        ErrorKind::Unavailable
    );
    // Only a part of a package, and a zone without a counter.
    tree.zone("intel-rapl:0:0", "core", "5", "100");
    tree.write("intel-rapl:1", "name", "dram");
    assert_eq!(tree.refusal().kind(), ErrorKind::Unavailable);
    tree.write("intel-rapl:0", "name", "package-0");
    assert_eq!(tree.refusal().kind(), ErrorKind::Unavailable);
    tree.write("intel-rapl:0", "max_energy_range_uj", "100");
    let text = tree.refusal().to_string();
    assert!(text.contains("a package lacks its counter of energy"), "{text}");
}

#[test]
fn hostile_contents_are_refused() {
    let tree = Tree::new("hostile");
    let good = ("10", "100");
    let long = "9".repeat(10_000);
    for hostile in ["", "\n", "-1", "+5", "1e3", "0x10", "18446744073709551616", "5 6", &long, "\0"]
    {
        for (energy, range) in [(hostile, good.1), (good.0, hostile)] {
            tree.zone("intel-rapl:0", "package-0", energy, range);
            assert_eq!(tree.refusal().kind(), ErrorKind::Malformed, "{energy:?} of {range:?}");
        }
    }
    for (energy, range) in [("101", "100"), ("0", "0")] {
        tree.zone("intel-rapl:0", "package-0", energy, range);
        let text = tree.refusal().to_string();
        assert!(text.contains(energy) && text.contains("_uj"), "{text}");
    }
    // What becomes hostile later.
    tree.zone("intel-rapl:0", "package-0", "10", "100");
    let mut meter = tree.meter().unwrap();
    tree.write("intel-rapl:0", "energy_uj", "100000");
    assert_eq!(meter.read().unwrap_err().kind(), ErrorKind::Malformed);
    tree.write("intel-rapl:0", "energy_uj", "");
    assert_eq!(meter.read().unwrap_err().kind(), ErrorKind::Malformed);
    tree.write("intel-rapl:0", "energy_uj", "30");
    assert!((meter.read().unwrap().joules - 20e-6).abs() < 1e-18);
}

/// Names that are none, and folders and pipes where files should be.
#[test]
fn what_is_no_file_is_refused_at_once() {
    let tree = Tree::new("kinds");
    let long = "package".repeat(1000);
    for name in ["", "pack", "\u{fffd}", "core\npackage-0"] {
        tree.zone("intel-rapl:0", name, "10", "100");
        assert_eq!(tree.refusal().kind(), ErrorKind::Unavailable, "{name:?}");
    }
    tree.zone("intel-rapl:0", &long, "10", "100");
    assert_eq!(tree.meter().unwrap().packages(), 1);
    let file = tree.0.join("intel-rapl:0/energy_uj");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_eq!(tree.refusal().kind(), ErrorKind::Unavailable);
    std::fs::remove_dir(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    assert_eq!(tree.refusal().kind(), ErrorKind::Unavailable);
}

/// On any machine: a measurement above 0, or none.
#[test]
fn the_machine_measures_or_says_that_it_cannot() {
    match Meter::open(None) {
        Ok(mut meter) => {
            assert!(meter.packages() > 0);
            match meter.read() {
                Ok(reading) => assert!(reading.joules > 0.0),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
            }
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
    }
}

#[test]
fn every_entry_of_the_model_counts() {
    let table = Table {
        int8_adds: 1.0,
        int32_adds: 2.0,
        int8_multiplies: 4.0,
        int32_multiplies: 8.0,
        half_adds: 16.0,
        float_adds: 32.0,
        half_multiplies: 64.0,
        float_multiplies: 128.0,
        bit_operations: 256.0,
        cache_8k_bytes: 512.0,
        cache_32k_bytes: 1024.0,
        cache_1m_bytes: 2048.0,
        memory_bytes: 4096.0,
    };
    let work = Work {
        int8_adds: 1,
        int32_adds: 1,
        int8_multiplies: 1,
        int32_multiplies: 1,
        half_adds: 1,
        float_adds: 1,
        half_multiplies: 1,
        float_multiplies: 1,
        bit_operations: 1,
        cache_8k_bytes: 1,
        cache_32k_bytes: 1,
        cache_1m_bytes: 1,
        memory_bytes: 1,
    };
    let energy = modeled(&work, &table).unwrap();
    assert_eq!(energy, Modeled { operations: 511e-12, memory: 7680e-12 });
    assert!((energy.joules() - 8191e-12).abs() < 1e-20);
    for entry in [-1.0, f64::NAN, f64::INFINITY] {
        let refused = modeled(&work, &Table { memory_bytes: entry, ..table }).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
        assert!(refused.to_string().contains("byte from memory"), "{refused}");
    }
    let product = Work::bit_plane_product(2, 3, 33, (4, 2));
    assert_eq!((product.int32_adds, product.bit_operations), (2 * 3 * 2 * 8, 2 * 2 * 3 * 2 * 8));
    let product = Work::float_product(2, 3, 33);
    assert_eq!((product.float_adds, product.float_multiplies), (198, 198));
}

/// A package that is there and cannot be looked at would be missing from the sum.
#[test]
fn no_package_is_left_out() {
    let tree = Tree::new("left-out");
    tree.zone("intel-rapl:0", "package-0\n", "1000000\n", "262143328850\n");
    std::fs::create_dir_all(tree.0.join("intel-rapl:1/name")).unwrap();
    assert_eq!(tree.refusal().kind(), ErrorKind::Unavailable);
}

/// What stands far behind a number is looked at, too.
#[test]
fn numbers_end_where_the_file_does() {
    let tree = Tree::new("blanks");
    tree.zone("intel-rapl:0", "package-0\n", &format!("5{}junk", " ".repeat(300)), "1000\n");
    assert_eq!(tree.refusal().kind(), ErrorKind::Malformed);
}
