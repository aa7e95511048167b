//! `.npy`: NumPy's file of one array, of the versions 1 to 3.
//!
//! Source: `numpy.lib.format`. Arrays of floats of 2, 4 and 8 bytes are read, and of those integers
//! and truth values that a tensor has elements for, of either byte order, in C and in Fortran order.
//! What a header claims is checked against the bytes present before anything is allocated for it: at
//! most 4 bytes for each byte of the file, and 68 KiB.

mod header;

use caffe2_qtensor::{DenseTensor, ElementType, Elements, Error, Excerpt};
use header::Said;
use std::io::{Read, Write};

/// What such a file begins with.
pub const MAGIC: &[u8] = b"\x93NUMPY";

const MESSAGE: &str = ".npy file";

/// The longest header that is read; NumPy itself reads 10,000 bytes.
const MOST_HEADER: u32 = 1 << 16;

/// Bytes that are read together: a multiple of every element's size.
const PART: usize = 1 << 16;

type Result<T> = core::result::Result<T, Error>;

/// What an array is, before its elements are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The type of the elements.
    pub element: ElementType,
    /// Whether an element's most significant byte comes first.
    pub big_endian: bool,
    /// Whether the first index runs fastest, not the last one.
    pub fortran: bool,
    /// The dimensions, outermost first; none for a scalar.
    pub dims: Vec<i64>,
    /// Where the elements begin, in bytes.
    pub offset: u64,
}

impl Header {
    /// Reads the front of a file up to the elements.
    ///
    /// # Errors
    /// `Malformed` for anything that NumPy would not write, `Unsupported` for elements of another
    /// type and for another version, `Io`.
    pub fn read(file: &mut impl Read) -> Result<Header> {
        let mut front = [0u8; 8];
        exact(file, &mut front, 0)?;
        let [magic @ .., major, _] = front;
        if magic != MAGIC {
            return Err(malformed("it does not begin as such a file does", 0));
        }
        let (length, start) = match major {
            1 => {
                let mut length = [0u8; 2];
                exact(file, &mut length, 8)?;
                (u32::from(u16::from_le_bytes(length)), 10)
            }
            2 | 3 => {
                let mut length = [0u8; 4];
                exact(file, &mut length, 8)?;
                (u32::from_le_bytes(length), 12)
            }
            other => {
                return Err(Error::Unsupported {
                    what: "version of the .npy file",
                    value: i128::from(other),
                    reason: "versions 1 to 3 are read",
                });
            }
        };
        if length > MOST_HEADER {
            return Err(malformed("its header is longer than 65536 bytes", 8));
        }
        let mut text = vec![0u8; usize::try_from(length).unwrap_or(0)];
        exact(file, &mut text, start)?;
        let said = Said::parse(&text).map_err(|(problem, at)| {
            malformed(problem, start.saturating_add(u64::try_from(at).unwrap_or(0)))
        })?;
        let missing = |field| Error::MissingField { message: MESSAGE, field };
        let (element, big_endian) = element_of(&said.descr.ok_or(missing("descr"))?)?;
        Ok(Header {
            element,
            big_endian,
            fortran: said.fortran.ok_or(missing("fortran_order"))?,
            dims: said.shape.ok_or(missing("shape"))?,
            offset: start.saturating_add(u64::from(length)),
        })
    }

    /// The number of elements and of bytes that they take.
    ///
    /// # Errors
    /// `Overflow` where no file holds so many.
    pub fn size(&self) -> Result<(usize, u64)> {
        let limit = i128::from(i64::MAX);
        let failed = Error::Overflow { what: "size of the array in bytes", limit };
        let count = self
            .dims
            .iter()
            .try_fold(1u64, |count, dim| count.checked_mul(u64::try_from(*dim).ok()?));
        // A dimension of 0 makes up for any other.
        let count = if self.dims.contains(&0) { Some(0) } else { count };
        let bytes =
            count.and_then(|count| count.checked_mul(u64::try_from(self.element.size()).ok()?));
        let count = count.and_then(|count| usize::try_from(count).ok());
        match (count, bytes) {
            (Some(count), Some(bytes)) if bytes <= i64::MAX.unsigned_abs() => Ok((count, bytes)),
            _ => Err(failed),
        }
    }

    /// Reads the elements that follow the header, of which there are `present` bytes.
    ///
    /// # Errors
    /// `ShapeMismatch` where there are more or fewer bytes than the shape says; `Io`,
    /// `OutOfMemory`.
    pub fn read_elements(&self, file: &mut impl Read, present: u64) -> Result<DenseTensor> {
        let (count, bytes) = self.size()?;
        if bytes != present {
            return Err(Error::ShapeMismatch {
                what: "number of bytes behind the header",
                value: i128::from(present),
                expected: i128::from(bytes),
            });
        }
        let elements = match self.element {
            ElementType::Float => Elements::Float(self.values(file, count, f32::from_le_bytes)?),
            ElementType::Double => {
                Elements::Double(self.values(file, count, f64::from_le_bytes)?)
            }
            ElementType::Float16 => {
                Elements::Float16(self.values(file, count, u16::from_le_bytes)?)
            }
            ElementType::Bool => {
                Elements::Bool(self.values(file, count, |[byte]: [u8; 1]| u8::from(byte != 0))?)
            }
            ElementType::Uint8 => Elements::Uint8(self.values(file, count, u8::from_le_bytes)?),
            ElementType::Int8 => Elements::Int8(self.values(file, count, i8::from_le_bytes)?),
            ElementType::Uint16 => {
                Elements::Uint16(self.values(file, count, u16::from_le_bytes)?)
            }
            ElementType::Int16 => Elements::Int16(self.values(file, count, i16::from_le_bytes)?),
            ElementType::Int32 => Elements::Int32(self.values(file, count, i32::from_le_bytes)?),
            ElementType::Int64 => Elements::Int64(self.values(file, count, i64::from_le_bytes)?),
        };
        DenseTensor::new(&self.dims, elements)
    }

    /// Reads values of `N` bytes to where they stand in row-major order.
    fn values<T: Copy + Default, const N: usize>(
        &self,
        file: &mut impl Read,
        count: usize,
        value: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>> {
        let mut values = Vec::new();
        let failed = Error::OutOfMemory {
            what: "elements of the array",
            bytes: count.saturating_mul(size_of::<T>()),
        };
        values.try_reserve_exact(count).map_err(|_| failed)?;
        let decode = |bytes: &[u8; N]| {
            let mut bytes = *bytes;
            if self.big_endian {
                bytes.reverse();
            }
            value(bytes)
        };
        if !self.fortran || self.dims.len() < 2 {
            self.each_part(file, count, |part: &[[u8; N]]| values.extend(part.iter().map(decode)))?;
            return Ok(values);
        }
        values.resize(count, T::default());
        let mut at = Place::new(&self.dims);
        self.each_part(file, count, |part: &[[u8; N]]| {
            for bytes in part {
                if let Some(slot) = values.get_mut(at.offset) {
                    *slot = decode(bytes);
                }
                at.step();
            }
        })?;
        Ok(values)
    }

    fn each_part<const N: usize>(
        &self,
        file: &mut impl Read,
        count: usize,
        mut visit: impl FnMut(&[[u8; N]]),
    ) -> Result<()> {
        let mut buffer = vec![0u8; PART];
        let mut left = count.saturating_mul(N);
        let mut at = self.offset;
        while left > 0 {
            let length = left.min(PART);
            let part = buffer.get_mut(..length).unwrap_or_default();
            exact(file, part, at)?;
            visit(part.as_chunks::<N>().0);
            left = left.saturating_sub(length);
            at = at.saturating_add(u64::try_from(length).unwrap_or(0));
        }
        Ok(())
    }
}

/// A place in row-major order that moves with the first index running fastest.
struct Place {
    /// Each dimension, its stride and the index along it.
    axes: Vec<(usize, usize, usize)>,
    offset: usize,
}

impl Place {
    fn new(dims: &[i64]) -> Place {
        let mut stride = 1usize;
        let mut axes: Vec<(usize, usize, usize)> = Vec::with_capacity(dims.len());
        for dim in dims.iter().rev() {
            let dim = usize::try_from(*dim).unwrap_or(0);
            axes.push((dim, stride, 0));
            stride = stride.saturating_mul(dim);
        }
        axes.reverse();
        Place { axes, offset: 0 }
    }

    fn step(&mut self) {
        for (dim, stride, index) in &mut self.axes {
            *index = index.saturating_add(1);
            self.offset = self.offset.saturating_add(*stride);
            if *index < *dim {
                return;
            }
            self.offset = self.offset.saturating_sub(dim.saturating_mul(*stride));
            *index = 0;
        }
    }
}

/// Writes floats as an array of version 1, little-endian and in C order.
///
/// # Errors
/// What the writer returns.
pub fn write(to: &mut impl Write, dims: &[i64], values: &[f32]) -> std::io::Result<()> {
    let shape: Vec<String> = dims.iter().map(i64::to_string).collect();
    // A tuple of one has a comma behind it.
    let comma = if dims.len() == 1 { "," } else { "" };
    let shape = format!("({}{comma})", shape.join(", "));
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // The elements begin at a multiple of 64.
    while !header.len().saturating_add(11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(std::io::Error::other)?;
    to.write_all(MAGIC)?;
    to.write_all(&[1, 0])?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(header.as_bytes())?;
    let mut bytes = Vec::with_capacity(PART);
    for part in values.chunks(PART / 4) {
        bytes.clear();
        bytes.extend(part.iter().flat_map(|value| value.to_le_bytes()));
        to.write_all(&bytes)?;
    }
    Ok(())
}

fn malformed(problem: &'static str, offset: u64) -> Error {
    Error::Malformed { message: MESSAGE, problem, offset }
}

fn exact(file: &mut impl Read, to: &mut [u8], offset: u64) -> Result<()> {
    file.read_exact(to).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => malformed("it ends too early", offset),
        kind => Error::Io {
            operation: "read the .npy file",
            kind,
            code: error.raw_os_error().unwrap_or(0),
        },
    })
}

/// The element type that NumPy's short name stands for, and whether it is big-endian.
fn element_of(descr: &[u8]) -> Result<(ElementType, bool)> {
    let unsupported = || Error::UnsupportedName {
        what: "element type of the array",
        value: Excerpt::new(descr),
        reason: "floats of 2, 4 and 8 bytes are read, bool, and integers of up to 8 bytes \
                 that a tensor has",
    };
    let [order, name @ ..] = descr else { return Err(unsupported()) };
    let big_endian = match order {
        b'<' | b'|' => false,
        b'>' => true,
        b'=' => cfg!(target_endian = "big"),
        _ => return Err(unsupported()),
    };
    let element = match name {
        b"f2" => ElementType::Float16,
        b"f4" => ElementType::Float,
        b"f8" => ElementType::Double,
        b"b1" => ElementType::Bool,
        b"u1" => ElementType::Uint8,
        b"i1" => ElementType::Int8,
        b"u2" => ElementType::Uint16,
        b"i2" => ElementType::Int16,
        b"i4" => ElementType::Int32,
        b"i8" => ElementType::Int64,
        _ => return Err(unsupported()),
    };
    Ok((element, big_endian))
}
