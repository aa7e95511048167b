//! Caffe2's quantized tensor: the bit-plane [`QTensor`], its exact wire format, and a C ABI.
//!
//! A [`QTensor`] holds integer codes of any precision as bit planes: bit `b` of every element
//! lies in plane `b`, so that products of low precision become AND and popcount. Caffe2 brought
//! the class and took it away again; this crate reads and writes its bytes to the last bit.
//!
//! ```
//! use caffe2_qtensor::{QTensor, minidb};
//!
//! # fn main() -> Result<(), caffe2_qtensor::Error> {
//! let mut weights = QTensor::with_shape(&[2, 4], 4, true)?;
//! weights.set_scale(0.125);
//! weights.write_codes(&[1i64, -7, 15, 0, 3, 2, -1, 8])?;
//!
//! // The message that Caffe2's own SerializeBlob would write.
//! let blob = weights.to_blob(b"fc1_w")?;
//! assert_eq!(QTensor::deserialize(&blob)?.data(), weights.data());
//!
//! // A database that Caffe2's Load operator reads.
//! let path = std::env::temp_dir().join("qtensor-doc.minidb");
//! let mut writer = minidb::Writer::create(&path)?;
//! writer.append(b"fc1_w", &weights)?;
//! writer.commit()?;
//! assert_eq!(minidb::Reader::open(&path)?.load(b"fc1_w")?.scale(), 0.125);
//! # std::fs::remove_file(&path).ok();
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! Arrows point down only: `capi` (the exported C functions, behind the feature of that name)
//! calls [`QTensor`], [`minidb`], [`calibrate`], which chooses parameters for values, [`measure`],
//! which tells what that cost, [`quantize`], which turns floats into codes and back, and `arith`, the
//! products of [`PackedWeights`] and fixed-point arithmetic; they stand on `planes`, the one place that
//! knows where a bit lies, and that on `kernels`, the only SIMD.
//!
//! # Memory
//!
//! Everything that grows with its input is allocated fallibly: [`Error::OutOfMemory`] instead of
//! an abort. That is why there is [`QTensor::try_clone`] and no `Clone`. Excepted is what the
//! standard library does inside its file operations.
//!
//! Whatever an input claims, what reading it asks the allocator for, all requests of a call added
//! up, is at most so many bytes for each byte of the input that is there, and a few KiB: for a
//! message 8, for a database 64, for a [`net`] and for each of its tensors 128, for an observer's
//! state 16. The one exception is an operator that fills a tensor with a single value, of which
//! [`Fill::is_written_out`](net::Fill::is_written_out) tells before it is read.
//!
//! # Safety
//!
//! The Rust interface is safe throughout. The C functions are `unsafe` for one set of reasons,
//! which they share:
//!
//! - A *handle* is NULL or was given out by this library and not freed since. `const` says that
//!   the call only reads it: several threads may do so at once. Any other call needs the handle
//!   alone, and `_free` ends it.
//! - A *buffer* is a pointer and a number of elements: valid for that many, for reading where it
//!   is `const` and for writing where it is not, for the time of the call and no longer. It is
//!   not changed by another thread meanwhile, and a buffer that is written overlaps no other
//!   argument. `(NULL, 0)` is an empty one.
//! - Memory that is *lent* is such a buffer for longer: until its release function is called, which
//!   any thread may do.
//! - A *string* is NUL-terminated.
//! - An *output* (`out`, `written`, `error`) is NULL or may be written to. An options or results
//!   structure begins with its own size.
//!
//! NULL, misalignment and impossible lengths are checked and refused; that a pointer leads to
//! what it should is the caller's part.

mod arith;
mod caffe2;
pub mod calibrate;
#[cfg(feature = "capi")]
pub mod capi;
mod error;
#[cfg(feature = "forced-panics")]
#[doc(hidden)]
pub mod forced;
#[doc(hidden)]
pub mod kernels;
pub mod measure;
mod params;
mod planes;
pub mod quantize;
mod shape;
mod tensor;
mod threads;

pub use arith::{
    FixedOptions, FixedRounding, InputFormat, PackedWeights, ProductMethod, ProductOptions, SumType,
};
pub use caffe2::bare_proto::peek_proto;
pub use caffe2::blob::{BlobInfo, INT8_TYPE, QTENSOR_LOG_TYPE, QTENSOR_TYPE, TENSOR_TYPE, peek};
pub use caffe2::dense::DenseTensor;
pub use caffe2::elements::{ElementType, Elements, ElementsRef};
pub use caffe2::minidb;
pub use caffe2::net;
pub use caffe2::parsed_proto::ParsedProto;
pub use error::{Error, ErrorKind, Excerpt, Result};
pub use params::Params;
pub use planes::codes::Code;
pub use shape::MAX_DIMS;
pub use tensor::{QTensor, View};

/// The README's Rust program runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
