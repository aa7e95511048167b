//! Networks of fill operators: what Caffe2 wrote and ran, every operator and form, and damage.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod damage;
mod golden;
#[path = "../support/message.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod message;
mod operators;

use caffe2_qtensor::minidb::Value;
use caffe2_qtensor::net::Net;
use caffe2_qtensor::{DenseTensor, Error, QTensor};
use message::Message;

/// A network of one operator of this type that gives `y`.
fn network(kind: &str, arguments: &[Message]) -> Vec<u8> {
    let operator = Message::new().bytes(2, b"y").bytes(4, kind.as_bytes());
    wrapped(arguments.iter().fold(operator, |all, one| all.bytes(5, &one.0)))
}

fn wrapped(operator: Message) -> Vec<u8> {
    Message::new().bytes(1, b"net").bytes(2, &operator.0).bytes(8, b"y").0
}

fn argument(name: &str) -> Message {
    Message::new().bytes(1, name.as_bytes())
}

fn shape(dims: &[i64]) -> Message {
    dims.iter().fold(argument("shape"), |shape, dim| shape.varint(6, *dim as u64))
}

fn floats(values: &[f32]) -> Message {
    values.iter().fold(argument("values"), |all, value| all.tag(5, 5).raw(&value.to_le_bytes()))
}

fn ints(values: &[i64]) -> Message {
    values.iter().fold(argument("values"), |all, value| all.varint(6, *value as u64))
}

/// What the only operator of a network gives.
fn load(bytes: &[u8]) -> Result<Value, Error> {
    let net = Net::of(bytes)?;
    assert_eq!(net.fills().len(), 1);
    net.load(&net.fills()[0])
}

fn dense(bytes: &[u8]) -> DenseTensor {
    match load(bytes).unwrap() {
        Value::Dense(tensor) => tensor,
        other => panic!("{other:?} is no ordinary tensor"),
    }
}

fn quantized(bytes: &[u8]) -> QTensor {
    match load(bytes).unwrap() {
        Value::Quantized(tensor) => tensor,
        other => panic!("{other:?} is not quantized"),
    }
}
