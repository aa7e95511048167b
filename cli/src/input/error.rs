//! Why a file could not be read: one line that names the file and the tensor in it.

use super::shown;
use caffe2_qtensor::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// What reading returns.
pub type Result<T> = core::result::Result<T, InputError>;

/// Why a file could not be read.
#[derive(Debug)]
pub struct InputError(Box<Details>);

#[derive(Debug)]
struct Details {
    path: PathBuf,
    name: Option<Vec<u8>>,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Library(Error),
    System(std::io::Error),
    Form(String),
}

impl InputError {
    fn new(path: &Path, name: Option<&[u8]>, reason: Reason) -> InputError {
        let name = name.map(<[u8]>::to_vec);
        InputError(Box::new(Details { path: path.to_path_buf(), name, reason }))
    }

    /// What the library says of a file.
    pub fn of_file(path: &Path, error: Error) -> InputError {
        InputError::new(path, None, Reason::Library(error))
    }

    /// What the library says of a tensor in a file.
    pub fn of_item(path: &Path, name: &[u8], error: Error) -> InputError {
        InputError::new(path, Some(name), Reason::Library(error))
    }

    /// What the system says of a file.
    pub fn of_system(path: &Path, error: std::io::Error) -> InputError {
        InputError::new(path, None, Reason::System(error))
    }

    /// Another reason, a sentence.
    pub fn other(path: &Path, reason: impl Into<String>) -> InputError {
        InputError::new(path, None, Reason::Form(reason.into()))
    }

    /// The reason alone, a sentence.
    pub fn reason(&self) -> String {
        match &self.0.reason {
            Reason::Library(error) => error.to_string(),
            Reason::System(error) => format!("Cannot read the file: {error}."),
            Reason::Form(reason) => reason.clone(),
        }
    }

    /// Whether the file is none of the formats that are read.
    pub fn is_form(&self) -> bool {
        matches!(self.0.reason, Reason::Form(_))
    }

    /// The library's reason, where it is one of those.
    pub fn library(&self) -> Option<&Error> {
        match &self.0.reason {
            Reason::Library(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", shown(self.0.path.as_os_str().as_encoded_bytes()))?;
        if let Some(name) = &self.0.name {
            write!(formatter, "{}: ", shown(name))?;
        }
        formatter.write_str(&self.reason())
    }
}

impl std::error::Error for InputError {}
