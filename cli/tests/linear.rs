//! What it takes to read a `.npy` file is linear in the file: instructions, which valgrind counts one
//! by one, and bytes of memory that are asked for.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test stops at the first thing that is not as it should be, and uses parts of others"
)]

#[path = "../../tests/allocations/allocator.rs"]
mod allocator;
#[path = "../../tests/support/bounds.rs"]
mod bounds;
#[path = "../../tests/linear/compare.rs"]
mod compare;
#[path = "../../tests/linear/steps.rs"]
mod steps;

use qtensor_cli::input::npy::Header;

#[global_allocator]
static ALLOCATOR: allocator::Failing = allocator::Failing;

/// How many small things there are in the smallest file; four times as many fit in a header.
const N: usize = 512;

fn file(header: &str, elements: usize) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    [b"\x93NUMPY\x02\x00", &length[..], header.as_bytes(), &vec![1; elements]].concat()
}

fn array(descr: &str, fortran: &str, shape: &str, bytes: usize) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    file(&text, bytes)
}

/// Files that a careless reader would take too much time or memory for.
fn arrays(n: usize) -> Vec<(&'static str, Vec<u8>)> {
    let (list, spaces) = (format!("({n},)"), " ".repeat(n));
    let deep = format!("({}{},)", "1, ".repeat(63), n / 16);
    let shape = |shape: &str| array("<f4", "False", shape, 4);
    vec![
        ("floats", array("<f4", "False", &list, 4 * n)),
        ("doubles of the other order", array(">f8", "False", &list, 8 * n)),
        ("bytes", array("|u1", "False", &list, n)),
        ("columns", array("<f4", "True", &format!("({}, 16)", n / 16), 4 * n)),
        ("rows in columns", array("<f2", "True", &format!("(16, {})", n / 16), 2 * n)),
        ("many dimensions of columns", array("<f4", "True", &deep, 4 * (n / 16))),
        ("too few elements", array("<f4", "False", &list, 4 * n - 1)),
        ("too many elements", array("<f4", "False", "(1,)", 4 * n)),
        ("spaces", shape(&format!("{spaces}(1,)"))),
        ("spaces in a tuple", shape(&format!("({spaces}1{spaces},{spaces})"))),
        ("spaces in front", file(&spaces, 0)),
        ("digits of a dimension", shape(&format!("({}1,)", "0".repeat(n)))),
        ("a large dimension", shape(&format!("({},)", "9".repeat(n)))),
        ("dimensions", shape(&format!("({})", "1, ".repeat(n)))),
        ("tuples in each other", shape(&"(".repeat(n))),
        ("a long type", array(&"f".repeat(n), "False", "(1,)", 4)),
        ("fields", file(&format!("{{'descr': [{}", "('a', '<f4'), ".repeat(n / 16)), 0)),
        ("a long key", file(&format!("{{'{}': 1}}", "k".repeat(n)), 0)),
        ("a key again and again", file(&format!("{{{}", "'descr': '<f4', ".repeat(n / 16)), 0)),
        ("a string without end", file(&format!("{{'{}", "k".repeat(n)), 0)),
        ("more behind the header", file(&format!("{{}}{}", "}".repeat(n)), 0)),
    ]
}

fn read(mut bytes: &[u8]) -> bool {
    let Ok(header) = Header::read(&mut bytes) else { return false };
    let present = bytes.len() as u64;
    header.read_elements(&mut bytes, present).is_ok()
}

/// The files are what they are called: of the first ones there are elements.
#[test]
fn memory_of_arrays() {
    for (place, (what, bytes)) in arrays(4 * N).into_iter().enumerate() {
        let (whole, _, usage) = allocator::run(allocator::Failure::None, || read(&bytes));
        bounds::NPY.check(what, bytes.len() as u64, usage.bytes);
        let with_elements = place < 6 || (8..10).contains(&place) || what.starts_with("digits");
        assert_eq!(whole, with_elements, "{what}");
    }
}

#[test]
#[ignore = "takes a minute: make test-trust"]
fn arrays_step_by_step() {
    if !steps::under_valgrind("arrays_step_by_step") {
        return;
    }
    compare::compare("npy", N, arrays, |bytes| {
        std::hint::black_box(read(bytes));
    });
}
