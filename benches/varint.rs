//! The varint kernels against memcpy, prost, protobuf C++ and fixed rates.
//!
//! Bytes are plane bytes on both sides of every ratio, whatever the length of their varints.

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
use caffe2_qtensor::kernels::varint::{self, Decoded};
use std::hint::black_box;
use std::mem::MaybeUninit;
use support::Runner;
use support::data::{Buffer, Kind, Size};
use support::prost_peer::Packed;
use support::protobuf_peer::Blob;

fn main() {
    let mut runner = Runner::from_args();
    for kind in Kind::ALL {
        for &size in runner.sizes() {
            let case = Case::new(kind, size);
            for level in Level::available() {
                case.against_memcpy(&mut runner, level);
            }
            case.against_prost(&mut runner);
            if matches!(kind, Kind::Random) && size.bytes >= 1 << 20 {
                case.against_protobuf(&mut runner);
            }
        }
    }
}

/// Plane bytes and their varints.
struct Case {
    kind: Kind,
    size: Size,
    planes: Buffer,
    wire: Buffer,
}

impl Case {
    fn new(kind: Kind, size: Size) -> Case {
        let planes = kind.bytes(size.bytes);
        let mut wire = Buffer::filled(varint::encoded_len(Level::best(), &planes), 0);
        varint::encode(Level::best(), &planes, &mut wire);
        Case { kind, size, planes, wire }
    }

    /// `group/kind/size/level`.
    fn name(&self, group: &str, level: Level) -> String {
        format!("{group}/{}/{}/{}", self.kind.name(), self.size.name, level.name())
    }

    fn against_memcpy(&self, runner: &mut Runner, level: Level) {
        let bytes = self.size.bytes;
        let mut copy = Buffer::filled(bytes, 0);
        let mut memcpy = || black_box(&mut copy).copy_from_slice(black_box(&self.planes));

        let mut wire = Buffer::filled(self.wire.len(), 0);
        let encode = || {
            black_box(varint::encode(level, black_box(&self.planes), black_box(&mut wire)));
        };
        let case = self.name("varint_encode", level);
        let encode_ns = runner.pair(&case, bytes, "memcpy", encode, &mut memcpy);
        assert!(encode_ns.is_none() || *wire == *self.wire, "{case} is wrong");

        let mut planes = Buffer::filled(bytes, 0);
        let decode = || {
            black_box(decode(level, black_box(&self.wire), black_box(&mut planes)));
        };
        let case = self.name("varint_decode", level);
        let decode_ns = runner.pair(&case, bytes, "memcpy", decode, &mut memcpy);
        assert!(decode_ns.is_none() || *planes == *self.planes, "{case} is wrong");

        if let Some(rate) = self.rate(level) {
            runner.rate(&self.name("varint_encode_rate", level), bytes, rate, encode_ns);
            runner.rate(&self.name("varint_decode_rate", level), bytes, rate, decode_ns);
        }
    }

    /// The GB/s that this case must reach by itself, where there is such a goal: the table-driven
    /// path everywhere, AVX-512 on random bytes in cache.
    fn rate(&self, level: Level) -> Option<f64> {
        match (level.name(), self.kind) {
            ("avx2", _) => Some(6.0),
            ("avx512", Kind::Random) if self.size.bytes <= 1 << 20 => Some(15.0),
            _ => None,
        }
    }

    /// The portable path against prost's packed field. Prost writes and reads where it did
    /// before, so that its allocations are not counted.
    fn against_prost(&self, runner: &mut Runner) {
        let bytes = self.size.bytes;
        let message = Packed::of(&self.planes);
        let mut message_wire = Vec::new();
        message.serialize(&mut message_wire);
        // The tag and the length of the field come first.
        assert!(message_wire.ends_with(&self.wire), "prost writes other bytes");

        let mut wire = Buffer::filled(self.wire.len(), 0);
        let mut peer_wire = message_wire.clone();
        runner.pair(
            &self.name("varint_encode_prost", Level::PORTABLE),
            bytes,
            "prost",
            || {
                let wire = black_box(&mut wire);
                black_box(varint::encode(Level::PORTABLE, black_box(&self.planes), wire));
            },
            || black_box(&message).serialize(black_box(&mut peer_wire)),
        );

        let mut planes = Buffer::filled(bytes, 0);
        let mut peer_message = message.clone();
        runner.pair(
            &self.name("varint_decode_prost", Level::PORTABLE),
            bytes,
            "prost",
            || {
                let planes = black_box(&mut planes);
                black_box(decode(Level::PORTABLE, black_box(&self.wire), planes));
            },
            || black_box(&mut peer_message).parse(black_box(&message_wire)),
        );
        assert!(peer_message == message, "prost reads other bytes");
    }

    /// The best kernel against whole messages of protobuf C++, all but a few bytes of which are
    /// the packed field.
    fn against_protobuf(&self, runner: &mut Runner) {
        let bytes = self.size.bytes;
        let level = Level::best();
        let message = Blob::of(&self.planes, "");
        let mut message_wire = vec![0; self.wire.len() + 128];
        let len = message.serialize(&mut message_wire);
        message_wire.truncate(len);
        // The name of the tensor comes after: a tag and a length of zero.
        assert!(
            message_wire.strip_suffix(b"\x3a\0").is_some_and(|wire| wire.ends_with(&self.wire)),
            "protobuf C++ writes other bytes"
        );

        let mut wire = Buffer::filled(self.wire.len(), 0);
        let mut peer_wire = message_wire.clone();
        runner.pair(
            &self.name("varint_encode_protobuf", level),
            bytes,
            "protobuf",
            || {
                black_box(varint::encode(level, black_box(&self.planes), black_box(&mut wire)));
            },
            || {
                black_box(message.serialize(black_box(&mut peer_wire)));
            },
        );

        let mut planes = Buffer::filled(bytes, 0);
        runner.pair(
            &self.name("varint_decode_protobuf", level),
            bytes,
            "protobuf",
            || {
                black_box(decode(level, black_box(&self.wire), black_box(&mut planes)));
            },
            || {
                black_box(Blob::parse(black_box(&message_wire)));
            },
        );
    }
}

fn decode(level: Level, wire: &[u8], planes: &mut [u8]) -> Decoded {
    // SAFETY: the same memory, and `decode` writes nothing but bytes.
    let planes = unsafe { &mut *(std::ptr::from_mut(planes) as *mut [MaybeUninit<u8>]) };
    varint::decode(level, wire, planes)
}
