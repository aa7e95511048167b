//! Single bits in C++: the drop-in class against classes written by hand.
//!
//! A pass sets or reads the five bits of every element of a 4-bit signed tensor, element by
//! element, as client code of Caffe2 does. The codes are random.

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

use std::ffi::CStr;
use std::hint::black_box;
use support::Runner;
use support::bits_peer::{Bits, PLANES};
use support::data::{Buffer, Kind, Size};

/// The classes beside the drop-in: one with the loops and checks of Caffe2's own, and one with
/// neither checks nor anything else.
const PEERS: [(&str, &CStr); 2] = [("caffe2", c"bits_peer_caffe2"), ("bare", c"bits_peer_bare")];

fn main() {
    let mut runner = Runner::from_args();
    // Beyond the caches it is no other loop, only a long one.
    for &size in runner.sizes().iter().take(2) {
        for (peer, class) in PEERS {
            run(&mut runner, size, peer, class);
        }
    }
}

/// `set_bit/1MiB/caffe2` and its siblings: as many elements as the size has bytes.
fn run(runner: &mut Runner, size: Size, peer: &str, class: &CStr) {
    let count = size.bytes;
    let mut codes = Kind::Random.bytes(count);
    codes.iter_mut().for_each(|code| *code &= u8::MAX >> (8 - PLANES));
    let mut ours = Bits::new(c"bits_peer_dropin", count);
    let mut theirs = Bits::new(class, count);

    let case = |group: &str| format!("{group}/{}/{peer}", size.name);
    runner.pair(
        &case("set_bit"),
        count,
        peer,
        || ours.set(black_box(&codes)),
        || theirs.set(black_box(&codes)),
    );

    let mut read = Buffer::filled(count, 0);
    let mut read_by_peer = Buffer::filled(count, 0);
    runner.pair(
        &case("get_bit"),
        count,
        peer,
        || ours.get(black_box(&mut read)),
        || theirs.get(black_box(&mut read_by_peer)),
    );
    ours.set(&codes);
    theirs.set(&codes);
    ours.get(&mut read);
    theirs.get(&mut read_by_peer);
    assert!(read[..] == codes[..] && read_by_peer[..] == codes[..], "bits were lost");
}
