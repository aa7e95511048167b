//! Running the command in a folder of the test's own.

use caffe2_qtensor::minidb::{LoadedBlob, Value, Writer, load_all};
use caffe2_qtensor::{DenseTensor, Elements, QTensor};
use serde_json::Value as Json;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is removed with all that is in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("qtensor-command-{}-{serial}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// A file of these bytes.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// A database of one tensor of floats for each name.
    pub(crate) fn database(&self, name: &str, tensors: &[(&[u8], &[i64], Vec<f32>)]) -> PathBuf {
        let mut writer = Writer::create(&self.path(name)).unwrap();
        for (name, dims, values) in tensors {
            let tensor = DenseTensor::new(dims, Elements::Float(values.clone())).unwrap();
            writer.append_dense(name, &tensor, 0).unwrap();
        }
        writer.commit().unwrap();
        self.path(name)
    }

    /// The names of everything in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// The command in this folder, with nothing that the test's own surroundings would change.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qtensor"));
        command.current_dir(&self.0).stdin(Stdio::null());
        command.env_remove("NO_COLOR").env("TERM", "xterm").env("COLUMNS", "100");
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        let output = self.command().args(arguments).output().unwrap();
        Ran {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            error: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what must succeed, and say nothing on stderr.
    pub(crate) fn done<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.status, ran.error.as_str()), (Some(0), ""), "{}", ran.out);
        ran.out
    }

    pub(crate) fn json<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Json {
        serde_json::from_str(&self.done(arguments)).unwrap()
    }

    /// Runs what must fail with one line that has these words, print nothing else, and leave the
    /// folder as it is.
    pub(crate) fn refused<S: AsRef<OsStr>>(&self, arguments: &[S], words: &str) {
        let before = self.names();
        let ran = self.run(arguments);
        ran.check_refused(words);
        assert_eq!(ran.out, "");
        assert_eq!(self.names(), before);
    }

    /// Runs what is no command line: status 2, these words, nothing done.
    pub(crate) fn wrong<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S], words: &str) {
        let before = self.names();
        let ran = self.run(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ran.error);
        assert!(ran.error.contains(words), "{arguments:?}: {}", ran.error);
        assert!(ran.error.contains("--help"), "{arguments:?}: {}", ran.error);
        assert_eq!(self.names(), before);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// How a run ended.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Ran {
    pub(crate) fn check_refused(&self, words: &str) {
        assert_eq!(self.status, Some(1), "{}", self.error);
        assert_eq!(self.error.lines().count(), 1, "{}", self.error);
        assert!(self.error.starts_with("error: "), "{}", self.error);
        assert!(self.error.contains(words), "{}", self.error);
    }
}

/// A file of the library's test data.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)
}

/// The model that Caffe2 trained.
pub(crate) fn model() -> String {
    data("digits/digits_mlp.minidb").to_str().unwrap().to_owned()
}

/// The same as a network, with an Int8 tensor more.
pub(crate) fn network() -> String {
    data("digits/digits_init_net.pb").to_str().unwrap().to_owned()
}

/// The blobs of a database.
pub(crate) fn blobs(path: &Path) -> Vec<LoadedBlob> {
    load_all(path).unwrap()
}

pub(crate) fn quantized(path: &Path, name: &str) -> QTensor {
    let found = blobs(path).into_iter().find(|blob| blob.name == name.as_bytes()).unwrap();
    let Value::Quantized(tensor) = found.value else { panic!("{name} is not quantized") };
    tensor
}

pub(crate) fn floats(path: &Path, name: &str) -> Vec<f32> {
    let found = blobs(path).into_iter().find(|blob| blob.name == name.as_bytes()).unwrap();
    let Value::Dense(tensor) = found.value else { panic!("{name} is quantized") };
    tensor.as_f32().unwrap().to_vec()
}

/// Values between -1 and 1 that repeat themselves late.
pub(crate) fn values(count: usize) -> Vec<f32> {
    let value = |index: usize| (index.wrapping_mul(2_654_435_761) >> 8 & 0xffff) as f32;
    (0..count).map(|index| value(index) / 32768.0 - 1.0).collect()
}
