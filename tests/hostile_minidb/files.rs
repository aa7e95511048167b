//! Paths that lead to no database.

use crate::check_refused;
use crate::folder::Folder;
use caffe2_qtensor::ErrorKind::{Io, Unavailable};
use caffe2_qtensor::minidb::{Reader, Writer, load_all};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[test]
fn nothing_to_read() {
    let folder = Folder::new();
    let file = folder.file("file", b"");
    let long = "n".repeat(300);
    let paths = [
        ("missing", folder.path("missing"), "open the database file"),
        ("a folder", folder.path("."), "no regular file"),
        ("a device", "/dev/zero".into(), "no regular file"),
        ("below a file", file.join("db"), "open the database file"),
        ("no path", "".into(), "open the database file"),
        ("a name too long", folder.path(&long), "open the database file"),
        ("a NUL inside", Path::new("a\0b").to_owned(), "open the database file"),
    ];
    for (what, path, words) in paths {
        check_refused(what, Reader::open(&path), Io, words);
        check_refused(what, load_all(&path), Io, words);
    }
}

/// Opening a pipe for reading would wait for somebody who writes.
#[test]
fn a_pipe_is_refused_at_once() {
    let folder = Folder::new();
    let path = folder.path("pipe");
    let name = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a NUL-terminated path.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    check_refused("a pipe", Reader::open(&path), Io, "no regular file");
}

#[test]
fn an_empty_file_is_an_empty_database() {
    let folder = Folder::new();
    let path = folder.file("db", b"");
    let mut reader = Reader::open(&path).unwrap();
    assert!(reader.next_entry().unwrap().is_none());
    assert!(load_all(&path).unwrap().is_empty());
    check_refused("no blob", reader.load(b"w"), Unavailable, "'w'");
    check_refused("no blob", reader.load_dense(b"w"), Unavailable, "'w'");
}

#[test]
fn nowhere_to_write() {
    let folder = Folder::new();
    let file = folder.file("file", b"old");
    let paths = [
        ("no folder", folder.path("missing/db"), "create the temporary database file"),
        ("below a file", file.join("db"), "look up the database to be replaced"),
        ("a folder", folder.path("."), "a directory, which is no regular file"),
        ("no path", "".into(), "it is empty"),
        // Nobody may make files there, whoever they are.
        ("an unwritable folder", "/proc/self/db".into(), "create the temporary database file"),
    ];
    for (what, path, words) in paths {
        check_refused(what, Writer::create(&path).map(drop), Io, words);
    }
    assert_eq!(folder.names(), ["file"]);
    assert_eq!(std::fs::read(&file).unwrap(), b"old");
}

#[test]
fn links_that_lead_nowhere() {
    let folder = Folder::new();
    for (name, target) in [("dangling", "missing"), ("loop", "loop")] {
        let link = folder.path(name);
        std::os::unix::fs::symlink(target, &link).unwrap();
        check_refused(name, Writer::create(&link).map(drop), Io, "follow the link");
        check_refused(name, Reader::open(&link), Io, "open the database file");
        assert!(link.is_symlink());
    }
    assert_eq!(folder.names(), ["dangling", "loop"]);
}
