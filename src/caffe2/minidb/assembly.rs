//! Putting an ordinary tensor together from its chunks, which come in any order.

use crate::caffe2::blob::{self, BlobFields};
use crate::caffe2::dense::{DenseTensor, dense_size};
use crate::caffe2::elements::Elements;
use crate::caffe2::tensor_proto::TensorFields;
use crate::caffe2::wire::{Scanner, Source, Span};
use crate::error::{Error, Result};
use crate::params::try_copy;

/// A tensor of which some chunks are there.
pub(super) struct Assembly {
    /// Known from the first chunk on.
    tensor: Option<(Vec<i64>, Elements)>,
    /// Begin and end of each chunk so far, with room for all.
    ranges: Vec<(usize, usize)>,
    /// Memory for floats that is there already.
    spare: Vec<f32>,
}

impl Assembly {
    /// For at most `chunks` chunks.
    pub(super) fn new(chunks: usize, spare: Vec<f32>) -> Result<Assembly> {
        let mut ranges = Vec::new();
        let bytes = chunks.saturating_mul(size_of::<(usize, usize)>());
        let failed = Error::OutOfMemory { what: "chunk list", bytes };
        ranges.try_reserve_exact(chunks).map_err(|_| failed)?;
        Ok(Assembly { tensor: None, ranges, spare })
    }

    /// Adds one chunk, whose blob lies at `span`. `present` is the size of all of them together,
    /// which bounds how many elements there can be.
    ///
    /// Floats go straight to their place; what else there is goes by way of `value`.
    pub(super) fn add<S: Source>(
        &mut self,
        mut source: S,
        span: Span,
        present: u64,
        value: &mut Vec<u8>,
        read: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let mut scanner = Scanner::new(&mut source, span, blob::MESSAGE);
        if let Some((fields, floats)) = blob::plain_floats(&mut scanner)? {
            let range = self.range_for(&fields, present)?;
            if let Some((_, Elements::Float(elements))) = &mut self.tensor {
                let to = elements.get_mut(range).unwrap_or_default();
                return fields.stream(&mut scanner, floats, to);
            }
        }
        read(value)?;
        let fields = BlobFields::new(value).read()?.take_tensor_fields()?;
        let range = self.range_for(&fields, present)?;
        let Some((_, elements)) = &mut self.tensor else { return Ok(()) };
        fields.decode(value, elements, range)
    }

    /// Which elements a chunk has, noted.
    fn range_for(
        &mut self,
        fields: &TensorFields,
        present: u64,
    ) -> Result<core::ops::Range<usize>> {
        let element_type = fields.element_type()?;
        if self.tensor.is_none() {
            let size = dense_size(fields.dims()?)?;
            // An element takes a byte at least, and a scalar's blob more than one.
            if u64::try_from(size).unwrap_or(u64::MAX) > present {
                return Err(Error::ShapeMismatch {
                    what: "number of elements that the chunks can hold",
                    value: i128::from(present),
                    expected: i128::try_from(size).unwrap_or(i128::MAX),
                });
            }
            let spare = core::mem::take(&mut self.spare);
            // What it held is overwritten: chunks that leave a gap make no tensor.
            let elements = Elements::reusing(element_type, size, spare)?;
            self.tensor = Some((try_copy(fields.dims()?)?, elements));
        }
        let Some((dims, elements)) = &mut self.tensor else { return Ok(0..0) };
        if fields.dims()? != dims || element_type != elements.view().element_type() {
            return Err(broken("its chunks differ in dimensions or element type", 0));
        }
        let range = fields.range(elements.view().len())?;
        // An empty chunk fills nothing and overlaps nothing.
        if !range.is_empty() && self.ranges.len() < self.ranges.capacity() {
            self.ranges.push((range.start, range.end));
        }
        Ok(range)
    }

    /// The tensor, if the chunks fill it without overlap.
    pub(super) fn finish(mut self) -> Result<DenseTensor> {
        self.ranges.sort_unstable();
        let mut filled = 0;
        for (begin, end) in &self.ranges {
            match begin.cmp(&filled) {
                core::cmp::Ordering::Less => {
                    return Err(broken("two of its chunks overlap", *begin));
                }
                core::cmp::Ordering::Greater => return Err(broken("a chunk is missing", filled)),
                core::cmp::Ordering::Equal => filled = *end,
            }
        }
        match self.tensor {
            Some((dims, elements)) if elements.view().len() == filled => {
                Ok(DenseTensor::from_parts(dims, elements))
            }
            _ => Err(broken("a chunk is missing", filled)),
        }
    }
}

fn broken(problem: &'static str, element: usize) -> Error {
    let offset = u64::try_from(element).unwrap_or(u64::MAX);
    Error::MalformedChunks { problem, offset }
}
