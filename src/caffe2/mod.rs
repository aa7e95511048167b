//! What Caffe2 reads and writes: its protobuf messages and its database file, byte for byte.

pub(crate) mod bare_proto;
pub(crate) mod blob;
mod data;
pub(crate) mod dense;
mod dense_blob;
mod dims;
pub(crate) mod elements;
mod emit;
mod file;
mod int8_form;
mod int8_tensor;
pub mod minidb;
pub mod net;
pub(crate) mod parsed_proto;
mod qtensor_proto;
mod tensor_proto;
mod wire;
