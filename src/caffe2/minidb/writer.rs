//! Writing a database file: all of it or nothing.

use super::{CHUNK_SEPARATOR, HEADER, as_path, check_file};
use crate::caffe2::dense::DenseTensor;
use crate::caffe2::dense_blob::TensorMessage;
use crate::caffe2::emit::{size_of_message, write_message};
use crate::error::{Error, Result};
use crate::params::try_copy;
use crate::planes::prefer_huge_pages;
use crate::tensor::QTensor;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of elements at which Caffe2 splits an ordinary tensor into chunks.
pub const DEFAULT_CHUNK: usize = 1_000_000;

/// The largest key or value that a record can hold.
const MAX_LENGTH: usize = i32::MAX as usize;

/// Tells apart the temporary files of one process.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A database that is being written.
///
/// Records go to a temporary file beside the one named; [`Writer::commit`] puts it in place in
/// one step. Until then, and when the writer is dropped instead, the old file is untouched. A
/// relative path is looked up again by the commit, so the working folder must stay. After an `Io`
/// error the writer refuses everything else, because the temporary file may end inside a record.
///
/// ```no_run
/// use caffe2_qtensor::{QTensor, minidb::Writer};
///
/// let mut writer = Writer::create("model.minidb".as_ref())?;
/// writer.append(b"w", &QTensor::with_shape(&[3, 4], 4, true)?)?;
/// writer.commit()?;
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
pub struct Writer {
    /// The file's own path and, until it is committed, that of the temporary file.
    path: Vec<u8>,
    temporary: Vec<u8>,
    file: File,
    /// Who began it: a child that inherits the writer must not remove its parent's file.
    process: u32,
    state: State,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Failed,
    Committed,
}

impl Writer {
    /// Begins a new database that will replace the file at `path`, if there is one.
    ///
    /// # Errors
    /// `Io` where the folder cannot be written to, and where what is at `path` cannot be looked up;
    /// `OutOfMemory`.
    pub fn create(path: &Path) -> Result<Writer> {
        let wanted = path.as_os_str().as_bytes();
        if wanted.is_empty() {
            let operation = "create the database";
            return Err(Error::NotAFile { operation, what: "nothing: it is empty" });
        }
        // A link stays a link: what it points to is replaced.
        let path = match look_up(fs::symlink_metadata(path))? {
            Some(found) if found.is_symlink() => {
                let target = fs::canonicalize(path);
                let target = target.map_err(Error::io("follow the link to the database"))?;
                try_copy(target.as_os_str().as_bytes())?
            }
            _ => try_copy(wanted)?,
        };
        // A folder, a pipe or a device is not to be replaced by a file.
        if let Some(old) = look_up(fs::metadata(as_path(&path)))? {
            check_file("replace the database", &old)?;
        }
        let (file, temporary) = create_temporary(&path)?;
        let process = std::process::id();
        Ok(Writer { path, temporary, file, process, state: State::Open, buffer: Vec::new() })
    }

    /// Appends a quantized tensor.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty name; `Overflow` for a record beyond 2^31 - 1 bytes, and
    /// then the writer can be used on; `Io`, `OutOfMemory`.
    pub fn append(&mut self, name: &[u8], tensor: &QTensor) -> Result<()> {
        let size = tensor.serialized_size(name)?;
        self.append_with(name, size, |buffer| tensor.serialize(name, buffer))
    }

    /// Appends a quantized tensor as an `Int8TensorCPU`.
    ///
    /// # Errors
    /// As [`Writer::append`]; what [`QTensor::serialize_int8`] refuses.
    pub fn append_int8(&mut self, name: &[u8], tensor: &QTensor) -> Result<()> {
        let size = tensor.int8_serialized_size(name)?;
        self.append_with(name, size, |buffer| tensor.serialize_int8(name, buffer))
    }

    /// Appends an ordinary tensor in chunks of at most `chunk` elements ([`DEFAULT_CHUNK`] where
    /// it is 0), with the keys that Caffe2 gives them.
    ///
    /// # Errors
    /// As [`Writer::append`]. A tensor that is refused leaves no chunk behind.
    pub fn append_dense(&mut self, name: &[u8], tensor: &DenseTensor, chunk: usize) -> Result<()> {
        self.check_open()?;
        check_key(name)?;
        let chunk = if chunk == 0 { DEFAULT_CHUNK } else { chunk };
        let size = tensor.elements().len();
        let message = |begin: usize| {
            TensorMessage::blob(tensor, name, begin..begin.saturating_add(chunk).min(size))
        };
        // An empty tensor is one empty chunk.
        let begins = (0..size.max(1)).step_by(chunk);
        // All that can be refused is, and all memory is there, before the first chunk is written.
        let mut largest = 0;
        for begin in begins.clone() {
            largest = size_of_message(&message(begin))?.max(largest);
        }
        let mut key = Vec::new();
        let key_length = name.len().saturating_add(CHUNK_SEPARATOR.len()).saturating_add(DIGITS);
        let record = key_length.saturating_add(largest).saturating_add(HEADER);
        self.buffer.clear();
        let failed = Error::OutOfMemory { what: "record", bytes: record };
        self.buffer.try_reserve_exact(record).map_err(|_| failed)?;
        let failed = Error::OutOfMemory { what: "record's key", bytes: key_length };
        key.try_reserve_exact(key_length).map_err(|_| failed)?;
        for (number, begin) in begins.enumerate() {
            key.clear();
            key.extend_from_slice(name);
            key.extend_from_slice(CHUNK_SEPARATOR);
            push_number(&mut key, u64::try_from(number).unwrap_or(u64::MAX));
            let message = message(begin);
            let length = size_of_message(&message)?;
            self.append_with(&key, length, |buffer| write_message(&message, buffer))?;
        }
        Ok(())
    }

    /// Appends a record as it is.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty key or value; as [`Writer::append`].
    pub fn append_bytes(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let mut buffer = core::mem::take(&mut self.buffer);
        self.begin_record(&mut buffer, key, value.len(), 0)?;
        self.write_out(&buffer)?;
        self.buffer = buffer;
        self.write_out(value)
    }

    fn append_with(
        &mut self,
        key: &[u8],
        size: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize>,
    ) -> Result<()> {
        let mut buffer = core::mem::take(&mut self.buffer);
        self.begin_record(&mut buffer, key, size, size)?;
        let value = buffer.len();
        buffer.resize(value.saturating_add(size), 0);
        fill(buffer.get_mut(value..).unwrap_or_default())?;
        let written = self.write_out(&buffer);
        self.buffer = buffer;
        written
    }

    /// Checks a record and puts its lengths and key into a buffer that has room for `more` bytes
    /// behind them: a record is best written in one piece.
    fn begin_record(
        &self,
        buffer: &mut Vec<u8>,
        key: &[u8],
        value_length: usize,
        more: usize,
    ) -> Result<()> {
        self.check_open()?;
        check_key(key)?;
        let limit = i128::try_from(MAX_LENGTH).unwrap_or(i128::MAX);
        let too_long = |what| Error::Overflow { what, limit };
        let key_length = i32::try_from(key.len()).map_err(|_| too_long("record's key"))?;
        let value_length = i32::try_from(value_length).map_err(|_| too_long("record's value"))?;
        if value_length == 0 {
            let what = "length of the record's value";
            return Err(Error::InvalidArgument { what, value: 0, rule: "1 or more" });
        }
        buffer.clear();
        let bytes = key.len().saturating_add(more).saturating_add(HEADER);
        let failed = Error::OutOfMemory { what: "record", bytes };
        buffer.try_reserve_exact(bytes).map_err(|_| failed)?;
        prefer_huge_pages(buffer);
        buffer.extend_from_slice(&key_length.to_le_bytes());
        buffer.extend_from_slice(&value_length.to_le_bytes());
        buffer.extend_from_slice(key);
        Ok(())
    }

    fn write_out(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| {
            self.state = State::Failed;
            Error::io("write the temporary database file")(error)
        })
    }

    fn check_open(&self) -> Result<()> {
        let reason = match self.state {
            State::Open => return Ok(()),
            State::Failed => "an earlier call failed",
            State::Committed => "it was committed",
        };
        Err(Error::Finished { what: "database writer", reason })
    }

    /// Puts the new file in place of the old one: flushed to the disk, renamed, and the folder
    /// flushed too. After an error the old file is there, whole; only where the folder's flush
    /// fails can it be either of the two.
    ///
    /// # Errors
    /// `Io`; the writer is then of no use any more.
    pub fn commit(&mut self) -> Result<()> {
        self.check_open()?;
        self.state = State::Failed;
        let path = as_path(&self.path);
        if let Ok(old) = fs::metadata(path) {
            // The replacement is as readable as what it replaces, where the system allows it.
            let _ = self.file.set_permissions(old.permissions());
        }
        self.file.sync_all().map_err(Error::io("flush the temporary database file"))?;
        fs::rename(as_path(&self.temporary), path)
            .map_err(Error::io("rename the temporary database file"))?;
        self.state = State::Committed;
        let folder = File::open(folder_of(&self.path));
        let flushed = folder.and_then(|folder| folder.sync_all());
        flushed.map_err(Error::io("flush the folder of the database"))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.state != State::Committed && self.process == std::process::id() {
            // Nobody is left to tell if it fails.
            let _ = fs::remove_file(as_path(&self.temporary));
        }
    }
}

fn check_key(key: &[u8]) -> Result<()> {
    if key.is_empty() {
        let what = "length of the record's key";
        return Err(Error::InvalidArgument { what, value: 0, rule: "1 or more" });
    }
    Ok(())
}

/// What is at a path; nothing where nothing is. Where the system cannot tell, it may be a link, a
/// pipe or a device.
fn look_up(found: io::Result<Metadata>) -> Result<Option<Metadata>> {
    match found {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("look up the database to be replaced")(error)),
    }
}

/// The folder that a file is in.
fn folder_of(path: &[u8]) -> &Path {
    match path.iter().rposition(|byte| *byte == b'/') {
        None => Path::new("."),
        Some(0) => Path::new("/"),
        Some(slash) => as_path(path.get(..slash).unwrap_or_default()),
    }
}

/// A new file beside `path`, which no other writer has.
fn create_temporary(path: &[u8]) -> Result<(File, Vec<u8>)> {
    loop {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let mut name = Vec::new();
        let length = path.len().saturating_add(40);
        let failed = Error::OutOfMemory { what: "file name", bytes: length };
        name.try_reserve_exact(length).map_err(|_| failed)?;
        name.extend_from_slice(path);
        name.extend_from_slice(b".tmp-");
        push_number(&mut name, u64::from(std::process::id()));
        name.push(b'-');
        push_number(&mut name, u64::from(serial));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o666);
        match options.open(as_path(&name)) {
            Ok(file) => return Ok((file, name)),
            // Left behind by a process that had this number before.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create the temporary database file")(error)),
        }
    }
}

/// The most decimal digits that a number has.
const DIGITS: usize = 20;

/// Appends decimal digits, at most [`DIGITS`] of them, to a vector that has room.
fn push_number(to: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; DIGITS];
    let mut used = 0usize;
    for digit in digits.iter_mut().rev() {
        let [low, ..] = (number % 10).to_le_bytes();
        *digit = b'0'.saturating_add(low);
        used = used.saturating_add(1);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    let start = digits.len().saturating_sub(used);
    to.extend_from_slice(digits.get(start..).unwrap_or_default());
}
