//! Writers that fail, are dropped, or are asked for what no database can hold: nothing is left
//! half-written, and the old file stays.

use crate::check_refused;
use crate::folder::{Folder, golden};
use caffe2_qtensor::ErrorKind::{InvalidArgument, Io, Overflow};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::minidb::{Reader, Writer};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// The name of the variable that tells the child where to write.
const CHILD: &str = "QTENSOR_TEST_FULL_FOLDER";

fn keys(path: &Path) -> Vec<Vec<u8>> {
    let (mut reader, mut keys) = (Reader::open(path).unwrap(), Vec::new());
    while let Some(entry) = reader.next_entry().unwrap() {
        keys.push(entry.key().to_vec());
    }
    keys
}

#[test]
fn a_dropped_writer_leaves_the_old_file() {
    let (folder, old) = (Folder::new(), golden("blobs.minidb"));
    let path = folder.file("db", &old);
    let mut writer = Writer::create(&path).unwrap();
    writer.append(b"w", &QTensor::with_shape(&[9], 3, true).unwrap()).unwrap();
    assert_eq!(folder.names().len(), 2);
    assert_eq!(fs::read(&path).unwrap(), old);
    drop(writer);
    assert_eq!(folder.names(), ["db"]);
    assert_eq!(fs::read(&path).unwrap(), old);
}

#[test]
fn a_failed_commit_leaves_the_old_file() {
    let (folder, old) = (Folder::new(), golden("blobs.minidb"));
    // A folder takes the place of the file; then the temporary file is gone.
    let path = folder.path("db");
    let mut writer = Writer::create(&path).unwrap();
    writer.append_bytes(b"key", b"value").unwrap();
    fs::create_dir(&path).unwrap();
    check_refused("a folder", writer.commit(), Io, "rename the temporary database file");
    check_refused("again", writer.commit(), InvalidArgument, "an earlier call failed");
    check_refused("go on", writer.append_bytes(b"k", b"v"), InvalidArgument, "earlier call failed");
    drop(writer);
    assert_eq!(folder.names(), ["db"]);

    let path = folder.file("other", &old);
    let mut writer = Writer::create(&path).unwrap();
    let temporary = folder.names().into_iter().find(|name| name.contains(".tmp-")).unwrap();
    fs::remove_file(folder.path(&temporary)).unwrap();
    check_refused("stolen", writer.commit(), Io, "rename the temporary database file");
    drop(writer);
    assert_eq!(folder.names(), ["db", "other"]);
    assert_eq!(fs::read(&path).unwrap(), old);
}

#[test]
fn a_committed_writer_is_done() {
    let folder = Folder::new();
    let path = folder.path("db");
    let tensor = QTensor::with_shape(&[9], 3, true).unwrap();
    let mut writer = Writer::create(&path).unwrap();
    writer.append(b"w", &tensor).unwrap();
    writer.commit().unwrap();
    let written = fs::read(&path).unwrap();
    check_refused("again", writer.commit(), InvalidArgument, "it was committed");
    check_refused("more", writer.append(b"x", &tensor), InvalidArgument, "it was committed");
    check_refused("more", writer.append_bytes(b"x", b"y"), InvalidArgument, "it was committed");
    drop(writer);
    assert_eq!(folder.names(), ["db"]);
    assert_eq!(fs::read(&path).unwrap(), written);
}

#[test]
fn a_link_stays_and_its_target_is_replaced() {
    let folder = Folder::new();
    fs::create_dir(folder.path("there")).unwrap();
    let (target, link) = (folder.path("there/db"), folder.path("link"));
    fs::write(&target, b"old").unwrap();
    std::os::unix::fs::symlink("there/db", &link).unwrap();
    let mut writer = Writer::create(&link).unwrap();
    writer.append_bytes(b"key", b"\x0A\x00").unwrap();
    writer.commit().unwrap();
    assert!(link.is_symlink());
    assert_eq!(keys(&target), [b"key"]);
    assert_eq!(folder.names(), ["link", "there"]);
}

#[test]
fn permissions_are_kept() {
    let folder = Folder::new();
    for mode in [0o600, 0o640, 0o644, 0o664] {
        let path = folder.file("db", b"old");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Writer::create(&path).unwrap().commit().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
    }
}

#[test]
fn writers_of_one_file_do_not_meet() {
    let folder = Folder::new();
    let path = folder.path("db");
    let mut writers: Vec<Writer> = (0..3).map(|_| Writer::create(&path).unwrap()).collect();
    for (number, writer) in writers.iter_mut().enumerate() {
        writer.append_bytes(format!("key{number}").as_bytes(), b"\x0A\x00").unwrap();
    }
    for (number, mut writer) in writers.into_iter().enumerate() {
        writer.commit().unwrap();
        assert_eq!(keys(&path), [format!("key{number}").as_bytes()]);
    }
    assert_eq!(folder.names(), ["db"]);
}

#[test]
fn what_no_record_can_hold() {
    const LENGTH: usize = 1 << 31;
    // SAFETY: a new mapping, which nothing else uses; its pages are zeros that are only read, so
    // that they take no memory.
    let huge = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let start = libc::mmap(std::ptr::null_mut(), LENGTH, libc::PROT_READ, flags, -1, 0);
        assert_ne!(start, libc::MAP_FAILED);
        std::slice::from_raw_parts(start.cast::<u8>(), LENGTH)
    };
    let folder = Folder::new();
    let path = folder.path("db");
    let mut writer = Writer::create(&path).unwrap();
    let tensor = QTensor::with_shape(&[9], 3, true).unwrap();
    let refusals = [
        ("no key", writer.append_bytes(b"", b"value"), InvalidArgument, "key is 0"),
        ("no value", writer.append_bytes(b"key", b""), InvalidArgument, "value is 0"),
        ("no name", writer.append(b"", &tensor), InvalidArgument, "key is 0"),
        ("a value of 2 GiB", writer.append_bytes(b"key", huge), Overflow, "2147483647"),
        ("a key of 2 GiB", writer.append_bytes(huge, b"value"), Overflow, "2147483647"),
        ("a name of 2 GiB", writer.append(huge, &tensor), Overflow, "2147483647"),
    ];
    for (what, result, kind, words) in refusals {
        check_refused(what, result, kind, words);
    }
    // Nothing of them was written, and the writer goes on.
    writer.append_bytes(b"key", b"\x0A\x00").unwrap();
    writer.commit().unwrap();
    assert_eq!(keys(&path), [b"key"]);
    assert_eq!(fs::metadata(&path).unwrap().len(), 13);
    // SAFETY: the mapping from above, which nothing uses any more.
    unsafe { libc::munmap(huge.as_ptr().cast_mut().cast(), LENGTH) };
}

/// A file that may not grow is what a full folder is like. The limit holds for a whole process,
/// so it is this test's program again that runs into it.
#[test]
fn a_full_folder() {
    let (folder, old) = (Folder::new(), golden("blobs.minidb"));
    let path = folder.file("db", &old);
    for call in ["append", "append_bytes", "append_int8", "append_dense"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["writing::child_in_a_full_folder", "--exact", "--nocapture"])
            .env(CHILD, &path)
            .env("QTENSOR_TEST_CALL", call)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("was full"), "{call}: {output:?}");
        assert_eq!(folder.names(), ["db"]);
        assert_eq!(fs::read(&path).unwrap(), old);
    }
}

#[test]
fn child_in_a_full_folder() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let limit = libc::rlimit { rlim_cur: 10_000, rlim_max: 10_000 };
    // SAFETY: valid arguments; this process runs one test, which expects both.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
    let mut writer = Writer::create(Path::new(&path)).unwrap();
    let tensor = QTensor::with_shape(&[3000], 8, false).unwrap();
    let elements = caffe2_qtensor::Elements::Float(vec![1.0; 700]);
    let dense = caffe2_qtensor::DenseTensor::new(&[700], elements).unwrap();
    let call = std::env::var("QTENSOR_TEST_CALL").unwrap();
    let mut append = || match call.as_str() {
        "append" => writer.append(b"w", &tensor),
        "append_bytes" => writer.append_bytes(b"key", &[0; 3000]),
        "append_int8" => writer.append_int8(b"w", &tensor),
        _ => writer.append_dense(b"w", &dense, 100),
    };
    for _ in 0..3 {
        append().unwrap();
    }
    check_refused("full", append(), Io, "write the temporary database file");
    check_refused("after it", append(), InvalidArgument, "an earlier call failed");
    check_refused("commit", writer.commit(), InvalidArgument, "an earlier call failed");
    println!("the folder was full");
}
