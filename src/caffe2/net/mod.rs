//! `NetDef`: a network of operators, of which those are read that fill tensors with fixed values. A
//! model's weights ship so, as `init_net.pb`.
//!
//! Nothing is kept in memory but the list of operators and the tensor that is read. Field numbers
//! and the operators' rules are those of `caffe2.proto`, `given_tensor_fill_op`, `filler_op` and
//! `int8_given_tensor_fill_op` in PyTorch 1.8.1.

mod argument;
mod fill;
mod values;

pub use fill::Fill;

use super::emit::MAX_MESSAGE;
use super::file::{Bytes, Window};
use super::minidb::{Value, check_file};
use super::wire::{Payload, Scanner, Span};
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const MESSAGE: &str = "NetDef";
const OPERATION: &str = "read the network's file";

/// Bytes that are looked at together.
const WINDOW: usize = 1 << 15;

type View<'a> = Window<'a, WINDOW>;

/// A network's list of operators.
///
/// ```no_run
/// use caffe2_qtensor::minidb::Value;
/// use caffe2_qtensor::net::Net;
///
/// let net = Net::open("init_net.pb".as_ref())?;
/// for fill in net.fills() {
///     if let Value::Dense(tensor) = net.load(fill)? {
///         println!("{:?}: {:?}", fill.output(), tensor.dims());
///     }
/// }
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// A file must not be changed while it is open.
pub struct Net<'a> {
    source: Source<'a>,
    fills: Vec<Fill>,
}

enum Source<'a> {
    File(File),
    Memory(&'a [u8]),
}

/// The field numbers of the message.
mod field {
    pub(super) const OP: u32 = 2;
}

impl Net<'static> {
    /// Opens a file that is a `NetDef`, and lists its operators.
    ///
    /// # Errors
    /// `Io` for what is no regular file; as for [`Net::of`].
    pub fn open(path: &Path) -> Result<Net<'static>> {
        // Opening a pipe that nobody writes to would otherwise wait for ever.
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
        let file = opened.map_err(Error::io("open the network's file"))?;
        let metadata = file.metadata().map_err(Error::io("read the size of the network's file"))?;
        check_file(OPERATION, &metadata)?;
        Net::list(Source::File(file), metadata.len())
    }
}

impl<'a> Net<'a> {
    /// Lists the operators of a `NetDef` in memory.
    ///
    /// # Errors
    /// `Malformed` where the bytes are no protobuf message or an operator is none; `OutOfMemory`.
    /// Operators that are well-formed and cannot be read are listed all the same. At most 128 bytes
    /// are allocated per byte present.
    pub fn of(bytes: &'a [u8]) -> Result<Net<'a>> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Net::list(Source::Memory(bytes), length)
    }

    fn list(source: Source<'a>, length: u64) -> Result<Net<'a>> {
        let mut fills = Vec::new();
        let span = Span { start: 0, end: length };
        let mut view = source.view();
        if length > MAX_MESSAGE {
            let scanner = Scanner::new(&mut view, span, MESSAGE);
            return Err(scanner.error("it is longer than 2^31 - 1 bytes"));
        }
        // Counted before they are read: a list that grows asks for much more than it needs, and an
        // operator may have two bytes. What is wrong with the message is found out below.
        let (mut counted, mut count) = (Scanner::new(&mut view, span, MESSAGE), 0usize);
        while let Ok(Some(number)) = counted.next() {
            count = count.saturating_add(usize::from(number == field::OP));
        }
        let bytes = count.saturating_mul(size_of::<Fill>());
        let failed = Error::OutOfMemory { what: "list of operators", bytes };
        fills.try_reserve_exact(count).map_err(|_| failed)?;
        let mut scanner = Scanner::new(&mut view, span, MESSAGE);
        while let Some(number) = scanner.next()? {
            if let (field::OP, Payload::Bytes(span)) = (number, scanner.payload()) {
                let fill = Fill::read(&mut scanner.lend(span, fill::MESSAGE)?, span)?;
                fills.try_reserve(1).map_err(|_| failed)?;
                fills.push(fill);
            }
        }
        Ok(Net { source, fills })
    }

    /// The operators, in the order in which they run.
    pub fn fills(&self) -> &[Fill] {
        &self.fills
    }

    /// The tensor that an operator of this network gives: a quantized one of
    /// `Int8GivenTensorFill` and `Int8GivenIntTensorFill`, an ordinary one of the other operators,
    /// and [`Value::Other`] for strings.
    ///
    /// # Errors
    /// `Unsupported` for an operator whose result is not fixed or that is not known, and for what
    /// [`Fill::refusal`] says; `Malformed` and `ShapeMismatch` where its values are damaged or not
    /// as many as the shape has; `Io`, `OutOfMemory`. At most 128 bytes are allocated per byte
    /// present where [`Fill::is_written_out`] is true; otherwise what the shape says, up to 2 GiB.
    pub fn load(&self, fill: &Fill) -> Result<Value> {
        let mut view = self.source.view();
        fill.load(&mut view)
    }
}

impl Source<'_> {
    fn view(&self) -> View<'_> {
        Window::new(match self {
            Source::File(file) => Bytes::File(file, OPERATION),
            Source::Memory(bytes) => Bytes::Memory(bytes),
        })
    }
}
