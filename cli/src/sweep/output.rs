//! The report's file: whole or not there, and never in place of another one unasked.

use crate::failure::{Failure, Result};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Where a report goes.
pub(super) struct Output {
    path: PathBuf,
    force: bool,
}

/// A file that is gone when nobody renamed it.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may have got its name, or never have been there.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Output {
    /// # Errors
    /// Where something of that name exists, unless `force` is set; always where it is no ordinary
    /// file, or the one that is read.
    pub(super) fn new(path: &Path, input: &Path, force: bool) -> Result<Output> {
        if !force && path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        // A link stays a link: what it points to is replaced.
        let target = path.canonicalize().ok();
        if let Some(target) = &target {
            if !target.is_file() {
                return Err(Failure::new(format!("{} is not a file", path.display())));
            }
            if input.canonicalize().is_ok_and(|input| input == *target) {
                let path = path.display();
                return Err(Failure::new(format!("{path} is what is read, and stays as it is")));
            }
        }
        Ok(Output { path: target.unwrap_or_else(|| path.to_path_buf()), force })
    }

    /// Writes the file, in one step for those who look at it.
    ///
    /// # Errors
    /// Where it cannot be written; then whatever had its name has it still.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<()> {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_os_string();
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.tmp", std::process::id()));
        let temporary = Temporary(self.path.with_file_name(hidden));
        let about = |error| failed(&self.path, error);
        let mut file =
            File::options().write(true).create_new(true).open(&temporary.0).map_err(about)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(about)?;
        drop(file);
        if self.force {
            return std::fs::rename(&temporary.0, &self.path).map_err(about);
        }
        // Unlike a renaming, a second name is refused where a file came to be meanwhile.
        match std::fs::hard_link(&temporary.0, &self.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists(&self.path)),
            // Not every file system has second names.
            Err(_) => std::fs::rename(&temporary.0, &self.path).map_err(about),
            Ok(()) => Ok(()),
        }
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(format!("{} exists; --force writes over it", path.display()))
}

fn failed(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(format!("Cannot write {}: {error}", path.display()))
}
