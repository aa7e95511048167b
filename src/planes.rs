//! The bit-plane layout: the one place that knows where a bit lies.
//!
//! A tensor of `size` elements keeps bit `b` of all its codes together in plane `b`, which
//! occupies `stride = ceil(size / 8)` bytes from `b * stride`. Element `i` is the bit
//! `0x80 >> (i % 8)` of the plane's byte `i / 8`. The planes run from the least significant bit
//! to the most significant one; a signed tensor has a sign plane behind them (1 = negative).

pub(crate) mod codes;
pub(crate) mod fill;
pub(crate) mod words;

use crate::error::{Error, Result};
use crate::kernels::varint::{self, Decoded};
use crate::kernels::{Level, Rows};
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::alloc;

/// The number of elements that a byte of a plane holds.
pub(crate) const ALIGNMENT: u8 = 8;

/// The largest number of elements or bytes a tensor may have: what fits both `int64_t` and the
/// address space.
const LIMIT: u64 = if usize::BITS < 64 { usize::MAX as u64 } else { i64::MAX as u64 };

/// How many elements there are and how many planes hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    size: usize,
    precision: u8,
    signed: bool,
}

impl Geometry {
    /// The geometry of a tensor that was never resized.
    pub(crate) const EMPTY: Geometry = Geometry { size: 0, precision: 8, signed: false };

    /// Refused when the number of elements or of bytes is above [`LIMIT`]. Dimensions must not
    /// be negative; no dimensions, or one that is zero, make the size 0.
    pub(crate) fn new(dims: &[i64], precision: u8, signed: bool) -> Result<Geometry> {
        let too_many = Error::Overflow { what: "number of elements", limit: i128::from(LIMIT) };
        let size = if dims.is_empty() { Some(0) } else { product(dims) };
        let size = size.filter(|size| *size <= LIMIT).ok_or(too_many)?;
        let size = usize::try_from(size).map_err(|_| too_many)?;
        Geometry { size, precision, signed }.checked()
    }

    /// The same elements in another number of planes.
    pub(crate) fn with_planes(self, precision: u8, signed: bool) -> Result<Geometry> {
        Geometry { size: self.size, precision, signed }.checked()
    }

    fn checked(self) -> Result<Geometry> {
        let bytes = self.stride().checked_mul(self.planes());
        match bytes.map(|bytes| bytes as u64) {
            Some(bytes) if bytes <= LIMIT => Ok(self),
            _ => Err(Error::Overflow { what: "size in bytes", limit: i128::from(LIMIT) }),
        }
    }

    pub(crate) const fn size(self) -> usize {
        self.size
    }

    pub(crate) const fn precision(self) -> u8 {
        self.precision
    }

    pub(crate) const fn signed(self) -> bool {
        self.signed
    }

    /// Bytes from the start of one plane to the start of the next.
    pub(crate) const fn stride(self) -> usize {
        self.size.div_ceil(ALIGNMENT as usize)
    }

    /// The number of planes, the sign plane included.
    pub(crate) const fn planes(self) -> usize {
        (self.precision as usize).saturating_add(self.signed as usize)
    }

    /// Bytes that all planes take; [`Geometry::checked`] saw that the product fits.
    pub(crate) const fn nbytes(self) -> usize {
        self.stride().saturating_mul(self.planes())
    }

    /// The byte offset and mask of a bit, which must exist.
    pub(crate) fn locate(self, bit: u8, index: usize) -> Result<(usize, u8)> {
        if usize::from(bit) >= self.planes() {
            return Err(out_of_range("bit", usize::from(bit), self.planes()));
        }
        if index >= self.size {
            return Err(out_of_range("element index", index, self.size));
        }
        // Neither can overflow: the byte lies below `nbytes`.
        let plane = usize::from(bit).saturating_mul(self.stride());
        let within = u32::try_from(index % 8).unwrap_or(0);
        Ok((plane.saturating_add(index / 8), 0x80u8.wrapping_shr(within)))
    }
}

/// The product of dimensions that are not negative, if it fits; 0 if any of them is.
pub(crate) fn product(dims: &[i64]) -> Option<u64> {
    if dims.contains(&0) {
        return Some(0);
    }
    dims.iter().try_fold(1u64, |product, dim| product.checked_mul(u64::try_from(*dim).ok()?))
}

fn out_of_range(what: &'static str, value: usize, count: usize) -> Error {
    // A usize fits an i128 on every machine.
    let max = i128::try_from(count).unwrap_or(i128::MAX).saturating_sub(1);
    Error::OutOfRange { what, value: i128::try_from(value).unwrap_or(i128::MAX), min: 0, max }
}

/// The bytes of all planes: 64-byte aligned and allocated fallibly, or somebody else's.
pub(crate) struct Storage {
    start: NonNull<u8>,
    length: usize,
    owner: Owner,
}

enum Owner {
    /// The allocation that the bytes lie in, where there are any.
    Own { block: NonNull<u8> },
    /// Memory of any alignment; not to be written to unless it is `writable`.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only the C interface borrows"))]
    Lent { writable: bool, _lender: Lender },
}

/// What a byte block of the allocator is aligned to; asking for more would make a zeroed
/// allocation write every page, where `calloc` gets fresh pages zeroed by the system for free.
const BLOCK_ALIGNMENT: usize = 16;
const STORAGE_ALIGNMENT: usize = 64;

/// From this size on, huge pages are asked for: first touches of 4 KiB pages would cost more
/// than filling them.
const HUGE_PAGE: usize = 2 << 20;

// SAFETY: a block belongs to this value alone, like that of a `Vec<u8>`, and lent memory may be used
// from any thread.
unsafe impl Send for Storage {}
// SAFETY: a shared reference only reads the bytes.
unsafe impl Sync for Storage {}

impl Storage {
    /// `length` bytes, all zero.
    pub(crate) fn zeroed(length: usize) -> Result<Storage> {
        Storage::allocate(length, |layout| {
            // SAFETY: `allocate` passes a layout whose size is not 0.
            unsafe { alloc::alloc_zeroed(layout) }
        })
    }

    fn block_layout(length: usize) -> Option<alloc::Layout> {
        let size = length.checked_add(STORAGE_ALIGNMENT - BLOCK_ALIGNMENT)?;
        alloc::Layout::from_size_align(size, BLOCK_ALIGNMENT).ok()
    }

    fn allocate(length: usize, get: impl Fn(alloc::Layout) -> *mut u8) -> Result<Storage> {
        if length == 0 {
            // An address that is aligned and not NULL; nothing is ever read or written there.
            let nowhere = NonNull::<Aligned>::dangling().cast();
            return Ok(Storage { start: nowhere, length, owner: Owner::Own { block: nowhere } });
        }
        let failed = Error::OutOfMemory { what: "planes", bytes: length };
        let layout = Storage::block_layout(length).ok_or(failed)?;
        let block = NonNull::new(get(layout)).ok_or(failed)?;
        let slack = block.as_ptr().align_offset(STORAGE_ALIGNMENT);
        // SAFETY: the block is aligned to 16, so at most 48 bytes are skipped, which its layout
        // holds on top of `length`.
        let start = unsafe { block.add(slack) };
        advise_huge_pages(start, length);
        Ok(Storage { start, length, owner: Owner::Own { block } })
    }

    /// Somebody else's bytes, which the lender has back when this value goes.
    ///
    /// # Safety
    /// `start` is valid for reading `length` bytes until then, from any thread, and where they are
    /// `writable` for writing too; nobody else changes them, nor reads what may be written.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn lent(
        start: NonNull<u8>,
        length: usize,
        writable: bool,
        lender: Lender,
    ) -> Storage {
        Storage { start, length, owner: Owner::Lent { writable, _lender: lender } }
    }

    /// Whether the bytes are somebody else's.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.owner, Owner::Lent { .. })
    }

    /// Whether the bytes may be changed; a copy may always.
    pub(crate) fn is_writable(&self) -> bool {
        !matches!(self.owner, Owner::Lent { writable: false, .. })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is valid for `length` initialized bytes for as long as `self` lives
        // (for 0 bytes it is aligned and not NULL), and they are written only through `&mut`.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// The bytes, for writing; none where they are not [writable](Storage::is_writable).
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let length = if self.is_writable() { self.length } else { 0 };
        // SAFETY: as in `bytes`; the bytes may be written, and `&mut self` makes this the only
        // access.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), length) }
    }

    /// Where the bytes begin, for a caller that keeps the address while others read: it comes from
    /// the allocation itself, so that later references to the bytes do not end its right to them.
    /// Not to be written to unless they are [writable](Storage::is_writable).
    #[cfg(feature = "capi")]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The bytes as rows, one for each plane of a geometry that has as many bytes.
    pub(crate) fn rows(&mut self, geometry: Geometry) -> Rows<'_> {
        Rows::new(self.bytes_mut(), geometry.stride(), geometry.planes(), geometry.stride())
    }

    /// New planes that a source of codes fills; `padding` is what goes behind the last element.
    pub(crate) fn filled_by<S: fill::Source>(
        geometry: Geometry,
        padding: &fill::Padding,
        source: &S,
        threads: usize,
    ) -> Result<(Storage, S::Tally)> {
        let mut filler = Filler::new(geometry.nbytes())?;
        let (stride, planes) = (geometry.stride(), geometry.planes());
        let rows = Rows::uninit(filler.rest(), stride, planes, stride);
        let tally = fill::fill(geometry, rows, padding, source, threads)?;
        // `fill` has written every byte of every row, and the rows are the whole block.
        filler.filled = filler.storage.length;
        Ok((filler.storage, tally))
    }

    /// A copy in memory of its own.
    pub(crate) fn try_clone(&self) -> Result<Storage> {
        let mut copy = Filler::new(self.length)?;
        copy.push_bytes(self.bytes());
        copy.finish().ok_or(Error::OutOfMemory { what: "planes", bytes: self.length })
    }
}

/// What tells a lender that it has its memory back; `None` where it need not know.
pub(crate) type Release = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// The right to somebody else's memory: when it goes, the lender is told, once.
#[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only the C interface borrows"))]
pub(crate) struct Lender {
    release: Release,
    context: *mut c_void,
}

// SAFETY: `Lender::new` asks for a function that any thread may call.
unsafe impl Send for Lender {}
// SAFETY: a shared reference does nothing.
unsafe impl Sync for Lender {}

impl Lender {
    /// # Safety
    /// `release` may be called with `context` once, at any time and from any thread, and returns.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn new(release: Release, context: *mut c_void) -> Lender {
        Lender { release, context }
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: `new` was told that this is allowed, and a value is dropped once.
            unsafe { release(self.context) }
        }
    }
}

/// Only its alignment matters.
#[repr(align(64))]
struct Aligned;

impl Drop for Storage {
    fn drop(&mut self) {
        let Owner::Own { block } = self.owner else { return };
        if let Some(layout) = Storage::block_layout(self.length).filter(|_| self.length != 0) {
            // SAFETY: `allocate` got this block from the global allocator with this layout.
            unsafe { alloc::dealloc(block.as_ptr(), layout) }
        }
    }
}

/// Asks for huge pages under the part of a buffer that was not filled yet.
pub(crate) fn prefer_huge_pages<T>(buffer: &mut Vec<T>) {
    let rest = buffer.spare_capacity_mut();
    if let Some(start) = NonNull::new(rest.as_mut_ptr().cast()) {
        advise_huge_pages(start, size_of_val(rest));
    }
}

#[cfg(target_os = "linux")]
fn advise_huge_pages(start: NonNull<u8>, length: usize) {
    let skipped = start.as_ptr().align_offset(HUGE_PAGE);
    let inside = length.saturating_sub(skipped);
    let whole = inside & !(HUGE_PAGE - 1);
    if whole == 0 {
        return;
    }
    // SAFETY: the range lies inside the block that `start` points into; the advice changes
    // neither contents nor access rights, and a refusal changes nothing.
    unsafe {
        libc::madvise(start.as_ptr().add(skipped).cast(), whole, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
fn advise_huge_pages(_start: NonNull<u8>, _length: usize) {}

/// Storage that is being filled from the front, so that nothing is zeroed first.
pub(crate) struct Filler {
    storage: Storage,
    filled: usize,
}

impl Filler {
    pub(crate) fn new(length: usize) -> Result<Filler> {
        let storage = Storage::allocate(length, |layout| {
            // SAFETY: `allocate` passes a layout whose size is not 0.
            unsafe { alloc::alloc(layout) }
        })?;
        Ok(Filler { storage, filled: 0 })
    }

    /// The part not yet filled.
    fn rest(&mut self) -> &mut [MaybeUninit<u8>] {
        let start = self.storage.start.cast::<MaybeUninit<u8>>().as_ptr();
        // SAFETY: `filled` never exceeds the length, the block is valid for writes up to it, and
        // `MaybeUninit` asks for no initialized contents.
        unsafe {
            core::slice::from_raw_parts_mut(
                start.add(self.filled),
                self.storage.length.saturating_sub(self.filled),
            )
        }
    }

    /// Copies as many bytes as there is room for.
    fn push_bytes(&mut self, bytes: &[u8]) {
        let rest = self.rest();
        let count = rest.len().min(bytes.len());
        // SAFETY: both sides hold `count` bytes, and new storage overlaps nothing.
        unsafe {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), rest.as_mut_ptr().cast(), count);
        }
        self.filled = self.filled.saturating_add(count);
    }

    /// Decodes varints that are plane bytes, as many as there is room for.
    pub(crate) fn push_varints(&mut self, source: &[u8]) -> Decoded {
        let decoded = varint::decode(Level::best(), source, self.rest());
        // `decode` initialized `produced` elements, which are at most what `rest` holds.
        self.filled = self.filled.saturating_add(decoded.produced).min(self.storage.length);
        decoded
    }

    /// Copies values that are each a byte, as many as there is room for. Whether they were.
    pub(crate) fn push_values(&mut self, values: &[i32]) -> bool {
        let rest = self.rest();
        let count = rest.len().min(values.len());
        // Without a branch in it, the loop is one that compilers vectorize.
        let mut seen = 0;
        for (slot, value) in rest.iter_mut().zip(values) {
            seen |= *value;
            let [low, ..] = value.to_le_bytes();
            slot.write(low);
        }
        self.filled = self.filled.saturating_add(count);
        u8::try_from(seen).is_ok()
    }

    /// Bytes still to come.
    pub(crate) fn missing(&self) -> usize {
        self.storage.length.saturating_sub(self.filled)
    }

    /// The storage, if every byte of it was filled.
    pub(crate) fn finish(self) -> Option<Storage> {
        (self.missing() == 0).then_some(self.storage)
    }
}
