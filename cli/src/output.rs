//! The file that a command writes: refused where one is there, whole or not at all.

use crate::failure::{Failure, Result};
use caffe2_qtensor::minidb::Writer;
use qtensor_cli::input::shown;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where a command writes to.
#[derive(clap::Args, Debug)]
pub(crate) struct Output {
    /// The file to write
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    path: PathBuf,
    /// Replace the output if it is there
    #[arg(short, long)]
    force: bool,
}

impl Output {
    pub(crate) fn new(path: &Path, force: bool) -> Output {
        Output { path: path.to_path_buf(), force }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses to write over a file that is read, and over any other unless that is asked for; and a
    /// link that leads nowhere, of which it cannot be told whether it or its target is to be made.
    pub(crate) fn check(&self, inputs: &[&Path]) -> Result<()> {
        let there = match std::fs::metadata(&self.path) {
            Ok(there) => there,
            Err(error) if self.path.is_symlink() => {
                let refused = format!("The output is a link that cannot be followed: {error}.");
                return Err(self.failure(refused));
            }
            Err(_) => return Ok(()),
        };
        for input in inputs {
            let same = std::fs::metadata(input)
                .is_ok_and(|input| (input.dev(), input.ino()) == (there.dev(), there.ino()));
            if same {
                return Err(self.failure("The output is the input; name another file."));
            }
        }
        if !self.force {
            return Err(self.failure("The output is there already; --force replaces it."));
        }
        Ok(())
    }

    /// Begins a database, which takes the output's place when it is committed.
    pub(crate) fn minidb(&self) -> Result<Writer> {
        Writer::create(&self.path).map_err(|error| self.failure(error))
    }

    /// Refuses a folder, a pipe or a device, which a file is not to take the place of.
    pub(crate) fn check_file(&self) -> Result<()> {
        match std::fs::metadata(&self.path) {
            Ok(there) if !there.is_file() => {
                Err(self.failure("The output is there already, and is no ordinary file."))
            }
            _ => Ok(()),
        }
    }

    /// Writes a file of another kind: beside the output first, and in its place when all is written.
    pub(crate) fn write(
        &self,
        write: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>,
    ) -> Result<()> {
        self.check_file()?;
        let failed = |error| self.failure(format!("Cannot write the file: {error}."));
        // A link stays a link: what it points to is replaced.
        let target = match self.path.is_symlink() {
            true => std::fs::canonicalize(&self.path).map_err(failed)?,
            false => self.path.clone(),
        };
        let mut name = target.clone().into_os_string();
        name.push(format!(".tmp-{}", std::process::id()));
        let path = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
        let temporary = Temporary(path);
        if let Ok(old) = std::fs::metadata(&target) {
            // The replacement is as readable as what it replaces, where the system allows it.
            let _ = file.set_permissions(old.permissions());
        }
        let mut buffered = BufWriter::new(&file);
        write(&mut buffered).map_err(failed)?;
        buffered.flush().map_err(failed)?;
        drop(buffered);
        file.sync_all().map_err(failed)?;
        std::fs::rename(&temporary.0, target).map_err(failed)
    }

    /// A failure that names the file.
    pub(crate) fn failure(&self, reason: impl std::fmt::Display) -> Failure {
        Failure::new(format!("{}: {reason}", shown(self.path.as_os_str().as_encoded_bytes())))
    }
}

/// A file that goes with this, unless it has been renamed by then.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Nobody is left to tell if it fails.
        let _ = std::fs::remove_file(&self.0);
    }
}
