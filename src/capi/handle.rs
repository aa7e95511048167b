//! From raw pointers to references and slices, and from values to handles.
//!
//! The functions that take pointers are `unsafe`: what they cannot check (that a pointer which
//! is not NULL is valid for what it says) is the C caller's part of the contract.

use crate::error::{Error, Result};
use crate::tensor::QTensor;
use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::alloc::{Layout, alloc};

/// Moves a value to the heap, or returns `None` where there is no memory. `Box::new` would end
/// the process instead.
pub(super) fn allocate<T>(value: T) -> Option<NonNull<T>> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not 0.
    let memory = NonNull::new(unsafe { alloc(Layout::new::<T>()) })?.cast::<T>();
    // SAFETY: new memory of the value's own layout.
    unsafe { memory.write(value) };
    Some(memory)
}

/// Drops a value that [`allocate`] gave out; NULL does nothing.
///
/// # Safety
/// `pointer` is NULL, or [`allocate`] returned it and nobody else uses it.
pub(super) unsafe fn release<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: a box frees with the layout that `allocate` used.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

/// Gives a new handle to the caller.
///
/// # Safety
/// `out` is valid for writing, as [`output`] returned it.
pub(super) unsafe fn give<T>(value: T, out: NonNull<*mut T>) -> Result<()> {
    let failed = Error::OutOfMemory { what: "handle", bytes: size_of::<T>() };
    let object = allocate(value).ok_or(failed)?;
    // SAFETY: the caller vouches for `out`.
    unsafe { out.write(object.as_ptr()) };
    Ok(())
}

/// A handle that is only read.
///
/// # Safety
/// `pointer` is NULL or points to a live object that nobody changes for the lifetime `'a`.
pub(super) unsafe fn shared<'a, T>(pointer: *const T, argument: &'static str) -> Result<&'a T> {
    // SAFETY: the caller vouches for it.
    unsafe { pointer.as_ref() }.ok_or(Error::NullArgument { argument })
}

/// A handle that is changed.
///
/// # Safety
/// `pointer` is NULL or points to a live object that nobody else uses for the lifetime `'a`.
pub(super) unsafe fn exclusive<'a, T>(
    pointer: *mut T,
    argument: &'static str,
) -> Result<&'a mut T> {
    // SAFETY: the caller vouches for it.
    unsafe { pointer.as_mut() }.ok_or(Error::NullArgument { argument })
}

/// Where a result goes.
pub(super) fn output<T>(pointer: *mut T, argument: &'static str) -> Result<NonNull<T>> {
    let pointer = NonNull::new(pointer).ok_or(Error::NullArgument { argument })?;
    check_alignment(pointer.as_ptr(), argument)?;
    Ok(pointer)
}

/// The memory of an argument, by the parameter's name.
#[derive(Clone, Copy)]
pub(super) struct Region {
    argument: &'static str,
    start: usize,
    bytes: usize,
}

impl Region {
    /// An object, or NULL.
    pub(super) fn object<T>(pointer: *const T, argument: &'static str) -> Region {
        Region::buffer(pointer, 1, argument)
    }

    /// A buffer of a possible length, or NULL.
    pub(super) fn buffer<T>(pointer: *const T, count: usize, argument: &'static str) -> Region {
        let bytes = if pointer.is_null() { 0 } else { count.saturating_mul(size_of::<T>()) };
        Region { argument, start: pointer.addr(), bytes }
    }

    /// The planes of a tensor, which may be borrowed from anywhere.
    pub(super) fn planes(tensor: &QTensor, argument: &'static str) -> Region {
        let planes = tensor.data().unwrap_or_default();
        Region::buffer(planes.as_ptr(), planes.len(), argument)
    }
}

/// Refuses two arguments that share a byte: what is written must not be read meanwhile. Asked before
/// there is a reference to what is written.
pub(super) fn distinct(first: Region, second: Region) -> Result<()> {
    let before = |a: Region, b: Region| a.start.saturating_add(a.bytes) <= b.start;
    if first.bytes == 0 || second.bytes == 0 || before(first, second) || before(second, first) {
        return Ok(());
    }
    Err(Error::Overlap { first: first.argument, second: second.argument })
}

fn check_alignment<T>(pointer: *const T, argument: &'static str) -> Result<()> {
    if pointer.is_aligned() {
        return Ok(());
    }
    Err(Error::Misaligned { argument, address: pointer.addr() })
}

fn check_length<T>(count: usize, argument: &'static str) -> Result<()> {
    // No object is larger than half the address space.
    match count.checked_mul(size_of::<T>()).map(isize::try_from) {
        Some(Ok(_)) => Ok(()),
        _ => Err(Error::ImpossibleLength { argument, count }),
    }
}

/// A buffer that is only read; `(NULL, 0)` is empty.
///
/// # Safety
/// `pointer` is NULL or valid for reading `count` elements for the lifetime `'a`.
pub(super) unsafe fn slice<'a, T>(
    pointer: *const T,
    count: usize,
    argument: &'static str,
) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Error::NullArgument { argument });
    }
    check_alignment(pointer, argument)?;
    check_length::<T>(count, argument)?;
    // SAFETY: not NULL, aligned, of a possible length; the caller vouches for the rest.
    Ok(unsafe { core::slice::from_raw_parts(pointer, count) })
}

/// A buffer that is written; `(NULL, 0)` is empty.
///
/// # Safety
/// `pointer` is NULL or valid for writing `count` elements for the lifetime `'a`, and nothing
/// else uses them.
pub(super) unsafe fn slice_mut<'a, T>(
    pointer: *mut T,
    count: usize,
    argument: &'static str,
) -> Result<&'a mut [T]> {
    if count == 0 {
        return Ok(&mut []);
    }
    if pointer.is_null() {
        return Err(Error::NullArgument { argument });
    }
    check_alignment(pointer, argument)?;
    check_length::<T>(count, argument)?;
    // SAFETY: not NULL, aligned, of a possible length; the caller vouches for the rest. C has
    // no uninitialized integers to speak of here: the elements are only written.
    Ok(unsafe { core::slice::from_raw_parts_mut(pointer, count) })
}

/// The bytes of a NUL-terminated string, without the NUL.
///
/// # Safety
/// `pointer` is NULL or points to a NUL-terminated string that nobody changes for `'a`.
pub(super) unsafe fn string<'a>(
    pointer: *const c_char,
    argument: &'static str,
) -> Result<&'a [u8]> {
    if pointer.is_null() {
        return Err(Error::NullArgument { argument });
    }
    // SAFETY: not NULL; the caller vouches for the rest.
    Ok(unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// A structure that the library fills and that later versions may extend at its end.
///
/// # Safety
/// The type is `repr(C)`, has no padding and begins with a `usize`, its size.
pub(super) unsafe trait Extensible {
    /// The size in the first version that had the structure, which never changes: programs of
    /// that version pass it.
    const FIRST_SIZE: usize;
}

/// The bytes of the caller's version of a structure, by its first member; refused below those of
/// the first version.
///
/// # Safety
/// `out` is NULL or valid for reading its first member.
pub(super) unsafe fn capacity_of<T: Extensible>(
    out: *mut T,
    argument: &'static str,
) -> Result<usize> {
    // SAFETY: the first member is readable, says the caller.
    let capacity = unsafe { output(out, argument)?.cast::<usize>().read() };
    let needed = T::FIRST_SIZE;
    if capacity < needed {
        return Err(Error::BufferTooSmall { what: argument, capacity, needed });
    }
    Ok(capacity)
}

/// Fills as much of a structure as the caller's version of it has, and notes in its first member
/// how much that was.
///
/// # Safety
/// `out` is NULL or valid for reading its first member and for writing as many bytes as that
/// says.
pub(super) unsafe fn fill<T: Extensible>(
    value: T,
    out: *mut T,
    argument: &'static str,
) -> Result<()> {
    // SAFETY: passed on from the caller.
    let filled = unsafe { capacity_of(out, argument)? }.min(size_of::<T>());
    // SAFETY: the caller's structure has `filled` bytes, and so has `value`; the first `usize` of
    // them is the size. A byte-wise copy needs no padding to be initialized: there is none.
    unsafe {
        core::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), out.cast::<u8>(), filled);
        out.cast::<usize>().write(filled);
    }
    Ok(())
}

/// Choices that the caller passes in an extensible structure, led by its size.
///
/// A member that a later version adds means with 0 what the versions before it did. So a structure
/// of a later version that leaves its new members 0 is taken too.
///
/// # Safety
/// Every member is an integer, a float, a pointer or an array of them, for which every bit pattern
/// is a value.
/// Truth values are `i32`: another byte than 0 or 1 in a `bool` would be undefined.
pub(super) unsafe trait Options: Extensible + Copy + Default {}

/// The largest options structure that any version will have: a size beyond it is no size.
const LARGEST_OPTIONS: usize = 4096;

/// The caller's options; the defaults for NULL, and for the members that its version does not have.
///
/// # Safety
/// `pointer` is NULL or valid for reading its first member and as many bytes as that says.
pub(super) unsafe fn options<T: Options>(pointer: *const T, argument: &'static str) -> Result<T> {
    if pointer.is_null() {
        return Ok(T::default());
    }
    check_alignment(pointer, argument)?;
    // SAFETY: the first member is readable, says the caller.
    let capacity = unsafe { pointer.cast::<usize>().read() };
    if capacity < T::FIRST_SIZE {
        let needed = T::FIRST_SIZE;
        return Err(Error::BufferTooSmall { what: "options structure", capacity, needed });
    }
    if capacity > LARGEST_OPTIONS {
        return Err(Error::InvalidArgument {
            what: "size of the options structure",
            value: i128::try_from(capacity).unwrap_or(i128::MAX),
            rule: "what sizeof says, and at most 4096",
        });
    }
    // SAFETY: so many bytes are readable, says the caller, and options have no padding.
    let bytes = unsafe { core::slice::from_raw_parts(pointer.cast::<u8>(), capacity) };
    let (known, unknown) = bytes.split_at_checked(size_of::<T>()).unwrap_or((bytes, &[]));
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(Error::Unsupported {
            what: "size of the options structure",
            value: i128::try_from(capacity).unwrap_or(i128::MAX),
            reason: "it sets an option that this version of the library does not have",
        });
    }
    let mut options = MaybeUninit::new(T::default());
    // SAFETY: `known` is no longer than the options, which the defaults fill where it is shorter.
    // Any bytes are options.
    Ok(unsafe {
        core::ptr::copy_nonoverlapping(known.as_ptr(), options.as_mut_ptr().cast(), known.len());
        options.assume_init()
    })
}
