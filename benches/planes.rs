//! Packing codes into bit planes and unpacking them, against memcpy of the codes.
//!
//! Bytes are codes, one byte each, on both sides of every ratio. The kernels have no branches on
//! data, so there is one kind of it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot go on should stop"
)]

mod support;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::transpose;
use std::hint::black_box;
use support::Runner;
use support::data::{Buffer, Kind, Size};

fn main() {
    let mut runner = Runner::from_args();
    for count in [1, 4, 8] {
        // Codes of fewer bits are below 128 anyway.
        let kinds = if count == 8 { &Kind::ALL[..] } else { &[Kind::Random] };
        for &kind in kinds {
            for &size in runner.sizes() {
                for level in Level::available() {
                    run(&mut runner, count, kind, size, level);
                }
            }
        }
    }
}

/// `pack/P8/random/1MiB/avx512` and its inverse.
fn run(runner: &mut Runner, count: usize, kind: Kind, size: Size, level: Level) {
    let bytes = size.bytes;
    let stride = bytes / 8;
    let mut codes = kind.bytes(bytes);
    let mask = u8::MAX >> (8 - count);
    codes.iter_mut().for_each(|code| *code &= mask);

    let name =
        |group: &str| format!("{group}/P{count}/{}/{}/{}", kind.name(), size.name, level.name());
    let mut copy = Buffer::filled(bytes, 0);
    let mut memcpy = || black_box(&mut copy).copy_from_slice(black_box(&codes));

    let mut planes = Buffer::filled(stride * count, 0);
    runner.pair(
        &name("pack"),
        bytes,
        "memcpy",
        || transpose::pack(level, black_box(&codes), black_box(&mut planes), stride, count),
        &mut memcpy,
    );

    // Packed here once more: the command line may have left the case above out.
    transpose::pack(Level::best(), &codes, &mut planes, stride, count);
    let mut unpacked = Buffer::filled(bytes, 0xff);
    let unpack_ns = runner.pair(
        &name("unpack"),
        bytes,
        "memcpy",
        || transpose::unpack(level, black_box(&planes), stride, count, black_box(&mut unpacked)),
        &mut memcpy,
    );
    assert!(unpack_ns.is_none() || *unpacked == *codes, "{} is wrong", name("unpack"));
}
