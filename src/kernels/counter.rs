//! Counters of the operating system that take a system call of their own to open.

use std::fs::File;
use std::io;

/// What `perf_event_open` is told, in its first version; everything else is 0.
#[cfg(target_os = "linux")]
#[repr(C)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    rest: [u64; 6],
}

/// Opens a counter of all processes on one processor. Reading eight bytes gives its value in the
/// machine's order of bytes. `kind` and `config` are those that the system names the event by.
///
/// # Errors
/// The operating system's, mostly that it is not allowed.
#[cfg(target_os = "linux")]
pub fn open(kind: u32, config: u64, processor: u32) -> io::Result<File> {
    use std::os::fd::FromRawFd;
    let attributes =
        Attributes { kind, size: size_of::<Attributes>() as u32, config, rest: [0; 6] };
    let processor = libc::c_int::try_from(processor).map_err(|_| io::ErrorKind::InvalidInput)?;
    let (all_processes, no_group): (libc::pid_t, libc::c_int) = (-1, -1);
    let close_on_exec: libc::c_ulong = 1 << 3;
    // SAFETY: the attributes are as large as they say and live throughout the call, which only reads
    // them; it returns a new descriptor or a negative number.
    let descriptor = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            all_processes,
            processor,
            no_group,
            close_on_exec,
        )
    };
    match libc::c_int::try_from(descriptor) {
        // SAFETY: the descriptor is open and nobody else's.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { File::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Not to be had elsewhere.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn open(_kind: u32, _config: u64, _processor: u32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
