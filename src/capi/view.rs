//! What inline code needs to read bits by itself.

use super::handle::{Extensible, fill, shared};
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use core::ptr;

/// A tensor's geometry and planes, for code that reads bits inline.
///
/// Bit `bit` of element `i` is `data[bit * plane_stride + i / 8] & (0x80 >> (i % 8))`; the sign is
/// bit `precision`. Valid until the next call that may change or free the tensor.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_view_t {
    /// Before the call the caller's sizeof(qtensor_view_t), after it the bytes that were filled.
    pub struct_size: usize,
    /// The number of elements.
    pub size: usize,
    /// Bytes from the start of one plane to the start of the next.
    pub plane_stride: usize,
    /// All planes, or NULL before the first write, when every bit is 0, and where there is no byte.
    pub data: *const u8,
    /// The number of magnitude planes.
    pub precision: u8,
    /// Whether a sign plane follows them.
    pub is_signed: bool,
    /// Whether the planes are lent for reading: the next call that writes copies them first.
    pub is_read_only: bool,
    /// Always 0; a later version may give these bytes a meaning.
    pub reserved: [u8; 5],
}

// SAFETY: repr(C), the size first, and the reserved bytes fill what would be padding.
unsafe impl Extensible for qtensor_view_t {
    const FIRST_SIZE: usize = 40;
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_view_t>() == 40);

/// Fills `*view`, whose struct_size the caller has set to sizeof(qtensor_view_t). The one call that
/// can fail and gives no error object.
///
/// QTENSOR_NULL_ARGUMENT where either pointer is NULL; QTENSOR_INVALID_ARGUMENT where `view` is not
/// aligned; QTENSOR_BUFFER_TOO_SMALL where struct_size is smaller than this version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_view(
    tensor: *const qtensor_t,
    view: *mut qtensor_view_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(ptr::null_mut(), || {
            let tensor = &shared(tensor, "tensor")?.0;
            let seen = tensor.view();
            let filled = qtensor_view_t {
                struct_size: size_of::<qtensor_view_t>(),
                size: seen.size,
                plane_stride: seen.plane_stride,
                data: seen.data.map_or(ptr::null(), <[u8]>::as_ptr),
                precision: seen.precision,
                is_signed: seen.is_signed,
                is_read_only: tensor.storage().is_some_and(|storage| !storage.is_writable()),
                reserved: [0; 5],
            };
            fill(filled, view, "view")
        })
    }
}
