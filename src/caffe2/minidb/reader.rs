//! Walking a database file: one record at a time, whatever the file's size.

use super::assembly::Assembly;
use super::{HEADER, blob_name, check_file};
use crate::caffe2::blob::{self, TENSOR_TYPE, peek_spans};
use crate::caffe2::dense::DenseTensor;
use crate::caffe2::file::{Bytes, Window};
use crate::caffe2::wire::{Scanner, Span};
use crate::error::{Error, ErrorKind, Excerpt, Result};
use crate::planes::prefer_huge_pages;
use crate::tensor::QTensor;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const MESSAGE: &str = "minidb file";
/// Bytes of a tensor's elements that are read together.
const WINDOW: usize = 1 << 15;
const OPERATION: &str = "read the database file";

/// An open database.
///
/// The file must not be changed while it is open; a file that ends early is reported as damage,
/// not as a crash. Nothing is kept in memory but the record at hand.
///
/// ```no_run
/// use caffe2_qtensor::minidb::Reader;
///
/// let mut reader = Reader::open("model.minidb".as_ref())?;
/// while let Some(entry) = reader.next_entry()? {
///     println!("{:?} is a {:?}", entry.key(), entry.kind());
/// }
/// let weights = reader.load(b"fc1_w")?;
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
pub struct Reader {
    file: File,
    length: u64,
    next: u64,
    entry: Entry,
}

/// A record: its key, where its value lies, and what blob that is.
#[derive(Debug, Default)]
pub struct Entry {
    key: Vec<u8>,
    name: Vec<u8>,
    kind: Vec<u8>,
    value: Option<Record>,
}

/// Where a record's value lies in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) end: u64,
}

impl Record {
    /// The value's place.
    fn span(self) -> Span {
        Span { start: self.offset, end: self.offset.saturating_add(self.length) }
    }
}

impl Entry {
    /// The record's key: the blob's name, with `#%K` behind it for a chunk of a large tensor.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The key without the number of a chunk: what [`Reader::load`] takes.
    pub fn blob_name(&self) -> &[u8] {
        blob_name(&self.key)
    }

    /// The name inside the blob.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The blob's type, such as `QTensor`.
    pub fn kind(&self) -> &[u8] {
        &self.kind
    }

    /// The blob's size in bytes.
    pub fn value_size(&self) -> u64 {
        self.value.map_or(0, |record| record.length)
    }

    /// Where the blob begins in the file.
    pub fn value_offset(&self) -> u64 {
        self.value.map_or(0, |record| record.offset)
    }
}

impl Reader {
    /// Opens a database for reading. An empty file is a database without records.
    ///
    /// # Errors
    /// `Io`.
    pub fn open(path: &Path) -> Result<Reader> {
        // Opening a pipe that nobody writes to would otherwise wait for ever.
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
        let file = opened.map_err(Error::io("open the database file"))?;
        let metadata = file.metadata().map_err(Error::io("read the size of the database file"))?;
        check_file("read the database", &metadata)?;
        Ok(Reader { file, length: metadata.len(), next: 0, entry: Entry::default() })
    }

    /// Goes back to the first record.
    pub fn rewind(&mut self) {
        self.next = 0;
        self.entry = Entry::default();
    }

    /// Steps to the next record and reads its key and its blob's name and type, or returns
    /// `None` at the end of the file.
    ///
    /// # Errors
    /// `Malformed` for damage. Where only the blob is damaged the reader steps over it: there is
    /// no current record and the next call goes on behind it. Where the record itself is damaged,
    /// each call fails and the reader stays where it is, as after `Io` and `OutOfMemory`.
    pub fn next_entry(&mut self) -> Result<Option<&Entry>> {
        // Read aside: where memory or the file fails, the current record stays what it is and the
        // next call tries the same one again. A damaged blob is stepped over.
        let mut entry = Entry::default();
        let Some(record) = self.record_at(self.next, &mut entry.key)? else {
            self.entry = entry;
            return Ok(None);
        };
        let (name, kind) = self.peek(record).inspect_err(|error| {
            if error.kind() == ErrorKind::Malformed {
                self.next = record.end;
                self.entry = Entry::default();
            }
        })?;
        read_span(&self.file, name, &mut entry.name)?;
        read_span(&self.file, kind, &mut entry.kind)?;
        entry.value = Some(record);
        self.next = record.end;
        self.entry = entry;
        Ok(Some(&self.entry))
    }

    /// Where in the file the name and type of a record's blob lie.
    fn peek(&self, record: Record) -> Result<(Span, Span)> {
        peek_spans(&mut Scanner::new(self.window::<512>(), record.span(), blob::MESSAGE))
    }

    /// A part of the file at a time.
    fn window<const N: usize>(&self) -> Window<'_, N> {
        Window::new(Bytes::File(&self.file, OPERATION))
    }

    /// The type of a record's blob.
    pub(super) fn kind(&self, record: Record) -> Result<Vec<u8>> {
        let (_, span) = self.peek(record)?;
        let mut kind = Vec::new();
        read_span(&self.file, span, &mut kind)?;
        Ok(kind)
    }

    /// The record that [`Reader::next_entry`] stepped to last.
    pub fn entry(&self) -> Option<&Entry> {
        self.entry.value.map(|_| &self.entry)
    }

    /// The current record's blob, undecoded.
    ///
    /// # Errors
    /// `Finished` where there is no current record; `Io`, `OutOfMemory`.
    pub fn read_entry(&self) -> Result<Vec<u8>> {
        let mut value = Vec::new();
        self.read_value(self.current()?, &mut value)?;
        Ok(value)
    }

    fn current(&self) -> Result<Record> {
        let no_record = Error::Finished { what: "reader", reason: "it is at no record" };
        self.entry.value.ok_or(no_record)
    }

    /// Reads the current record's blob, undecoded, to the front of `buffer` and returns its
    /// length.
    ///
    /// # Errors
    /// `BufferTooSmall`; as [`Reader::read_entry`].
    pub fn read_entry_into(&self, buffer: &mut [u8]) -> Result<usize> {
        let record = self.current()?;
        let (capacity, needed) =
            (buffer.len(), usize::try_from(record.length).unwrap_or(usize::MAX));
        let too_small = Error::BufferTooSmall { what: "buffer", capacity, needed };
        read_exact(&self.file, buffer.get_mut(..needed).ok_or(too_small)?, record.offset)?;
        Ok(needed)
    }

    /// The first quantized tensor whose key is `name`. The current record stays what it is.
    ///
    /// # Errors
    /// `NotFound`; what [`QTensor::deserialize`] and [`Reader::next_entry`] refuse.
    pub fn load(&self, name: &[u8]) -> Result<QTensor> {
        let (mut next, mut key) = (0, Vec::new());
        while let Some(record) = self.record_at(next, &mut key)? {
            if key == name {
                let mut value = Vec::new();
                self.read_value(record, &mut value)?;
                return QTensor::deserialize(&value);
            }
            next = record.end;
        }
        Err(Error::NotFound { what: "blob", name: Excerpt::new(name) })
    }

    /// The ordinary tensor of this name, put together from its chunks, which may stand in any
    /// order. The current record stays what it is.
    ///
    /// # Errors
    /// `NotFound`; `Malformed` where chunks overlap, disagree or leave a gap; what
    /// [`DenseTensor::deserialize`] and [`Reader::next_entry`] refuse.
    pub fn load_dense(&self, name: &[u8]) -> Result<DenseTensor> {
        let (mut next, mut key, mut chunks, mut other) = (0, Vec::new(), Vec::new(), None);
        while let Some(record) = self.record_at(next, &mut key)? {
            if blob_name(&key) == name {
                let kind = self.kind(record)?;
                if kind == TENSOR_TYPE.as_bytes() {
                    let failed = Error::OutOfMemory { what: "chunks", bytes: size_of::<Record>() };
                    chunks.try_reserve(1).map_err(|_| failed)?;
                    chunks.push(record);
                } else {
                    other = Some(Excerpt::new(&kind));
                }
            }
            next = record.end;
        }
        match other {
            _ if !chunks.is_empty() => self.assemble(chunks.iter().copied(), Vec::new()),
            Some(value) => {
                let reason = "only Tensor blobs hold an ordinary tensor";
                Err(Error::UnsupportedName { what: "type of the blob", value, reason })
            }
            None => Err(Error::NotFound { what: "blob", name: Excerpt::new(name) }),
        }
    }

    /// Puts an ordinary tensor together from the records of its chunks, in memory that is there
    /// already where it is of floats.
    pub(super) fn assemble(
        &self,
        chunks: impl ExactSizeIterator<Item = Record> + Clone,
        spare: Vec<f32>,
    ) -> Result<DenseTensor> {
        // What the chunks hold together bounds what may be allocated for them.
        let lengths = chunks.clone().map(|chunk| chunk.length);
        let present = lengths.fold(0, u64::saturating_add);
        let (mut assembly, mut value) = (Assembly::new(chunks.len(), spare)?, Vec::new());
        let mut window = self.window::<WINDOW>();
        for chunk in chunks {
            let read = |value: &mut Vec<u8>| self.read_value(chunk, value);
            assembly.add(&mut window, chunk.span(), present, &mut value, read)?;
        }
        assembly.finish()
    }

    /// Reads the header and key of the record at `offset`, or `None` at the end of the file.
    pub(super) fn record_at(&self, offset: u64, key: &mut Vec<u8>) -> Result<Option<Record>> {
        let left = self.length.saturating_sub(offset);
        if left == 0 {
            return Ok(None);
        }
        let malformed = |problem| Error::Malformed { message: MESSAGE, problem, offset };
        let mut header = [0u8; HEADER];
        let header_length = u64::try_from(header.len()).unwrap_or(u64::MAX);
        if left < header_length {
            return Err(malformed("it ends inside a record's lengths"));
        }
        read_exact(&self.file, &mut header, offset)?;
        let [a, b, c, d, e, f, g, h] = header;
        let (key_length, length) =
            (i32::from_le_bytes([a, b, c, d]), i32::from_le_bytes([e, f, g, h]));
        let key_length = u64::try_from(key_length).ok().filter(|length| *length > 0);
        let key_length = key_length.ok_or(malformed("a record's key length is not positive"))?;
        let length = u64::try_from(length).ok().filter(|length| *length > 0);
        let length = length.ok_or(malformed("a record's value length is not positive"))?;
        let key_offset = offset.saturating_add(header_length);
        let value_offset = key_offset.saturating_add(key_length);
        let end = value_offset.saturating_add(length);
        if end > self.length {
            return Err(malformed("it ends inside a record"));
        }
        read_span(&self.file, Span { start: key_offset, end: value_offset }, key)?;
        Ok(Some(Record { offset: value_offset, length, end }))
    }

    pub(super) fn read_value(&self, record: Record, value: &mut Vec<u8>) -> Result<()> {
        read_span(&self.file, record.span(), value)
    }
}

fn read_exact(file: &File, buffer: &mut [u8], offset: u64) -> Result<()> {
    file.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::Malformed {
            message: MESSAGE,
            problem: "it became shorter while it was read",
            offset,
        },
        _ => Error::io(OPERATION)(error),
    })
}

/// Replaces the contents of `bytes` by a part of the file, which was seen to be there.
fn read_span(file: &File, span: Span, bytes: &mut Vec<u8>) -> Result<()> {
    let failed = |length| Error::OutOfMemory { what: "record", bytes: length };
    let length = usize::try_from(span.len()).map_err(|_| failed(usize::MAX))?;
    bytes.clear();
    bytes.try_reserve_exact(length).map_err(|_| failed(length))?;
    prefer_huge_pages(bytes);
    bytes.resize(length, 0);
    read_exact(file, bytes, span.start)
}
