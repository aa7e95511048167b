//! Whole blobs, serialized and deserialized, against prost and protobuf C++.
//!
//! Every side writes into memory that is already there; both peers start from a message that is
//! ready. Every side reads into something fresh and drops it again.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot go on should stop"
)]

mod support;

use caffe2_qtensor::QTensor;
use std::hint::black_box;
use support::Runner;
use support::data::{Kind, Size};
use support::prost_peer::BlobProto;
use support::protobuf_peer::Blob;

/// Of the blob and, inside it, of the tensor.
const NAME: &str = "gpu_0/fc6_w";

fn main() {
    let mut runner = Runner::from_args();
    for kind in Kind::ALL {
        for &size in runner.sizes() {
            run(&mut runner, kind, size);
        }
    }
}

/// `serialize/random/1MiB/protobuf` and its three siblings.
fn run(runner: &mut Runner, kind: Kind, size: Size) {
    // Eight unsigned planes take a byte for every element.
    let planes = kind.bytes(size.bytes);
    let mut tensor = QTensor::with_shape(&[size.bytes as i64], 8, false).expect("a tensor");
    tensor.mutable_data().expect("storage").copy_from_slice(&planes);
    let len = tensor.serialized_size(NAME.as_bytes()).expect("a size");
    let mut wire = vec![0; len];
    let written = tensor.serialize(NAME.as_bytes(), &mut wire).expect("a blob");
    assert_eq!(written, len, "the announced size is wrong");

    let prost = BlobProto::of(&planes, NAME);
    let mut prost_wire = Vec::with_capacity(len);
    prost.serialize(&mut prost_wire);
    assert!(prost_wire == wire, "prost writes other bytes");
    assert!(BlobProto::parse(&wire) == prost, "prost reads other bytes");

    let protobuf = Blob::of(&planes, NAME);
    let mut protobuf_wire = vec![0; len];
    assert_eq!(protobuf.serialize(&mut protobuf_wire), len, "protobuf C++ writes another size");
    assert!(protobuf_wire == wire, "protobuf C++ writes other bytes");
    protobuf_wire.fill(0);
    Blob::parse(&wire).serialize(&mut protobuf_wire);
    assert!(protobuf_wire == wire, "protobuf C++ reads other bytes");

    let name = |group: &str, peer: &str| format!("{group}/{}/{}/{peer}", kind.name(), size.name);
    // Room for two bytes per plane byte: then the planes are read once. A buffer of the exact size,
    // for which they are read twice, has cases of its own.
    let mut out = vec![0; 2 * size.bytes + 1024];
    let mut exact = vec![0; len];
    let mut serialize = || {
        let written = black_box(&tensor).serialize(NAME.as_bytes(), black_box(&mut out));
        black_box(written.expect("a blob"));
    };
    runner.pair(&name("serialize", "prost"), size.bytes, "prost", &mut serialize, || {
        black_box(&prost).serialize(black_box(&mut prost_wire));
    });
    let case = name("serialize", "protobuf");
    let ours_ns = runner.pair(&case, size.bytes, "protobuf", &mut serialize, || {
        black_box(protobuf.serialize(black_box(&mut protobuf_wire)));
    });
    assert!(ours_ns.is_none() || out[..len] == wire, "another blob than before");
    let case = name("serialize_exact", "protobuf");
    let mut serialize = || {
        let written = black_box(&tensor).serialize(NAME.as_bytes(), black_box(&mut exact));
        black_box(written.expect("a blob"));
    };
    runner.pair(&case, size.bytes, "protobuf", &mut serialize, || {
        black_box(protobuf.serialize(black_box(&mut protobuf_wire)));
    });

    let mut deserialize = || {
        black_box(QTensor::deserialize(black_box(&wire)).expect("a tensor"));
    };
    runner.pair(&name("deserialize", "prost"), size.bytes, "prost", &mut deserialize, || {
        black_box(BlobProto::parse(black_box(&wire)));
    });
    runner.pair(&name("deserialize", "protobuf"), size.bytes, "protobuf", &mut deserialize, || {
        black_box(Blob::parse(black_box(&wire)));
    });
}
