//! How a command ends when it does not end well.

use qtensor_cli::input::InputError;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// What a command returns.
pub(crate) type Result<T> = core::result::Result<T, Failure>;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not do what was asked: a line for stderr.
    Message(String),
    /// It did what was asked, said so, and the answer is no.
    Negative,
    /// A signal of this number asked it to stop.
    Interrupted(u8),
    /// Nobody reads what it prints any more.
    NobodyReads,
}

impl Failure {
    /// A failure with a sentence of its own.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure::Message(message.into())
    }

    /// Says why on stderr, in one line, and gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        let (line, status) = match self {
            Failure::Message(message) => (message.clone(), 1),
            Failure::Negative => return ExitCode::from(1),
            Failure::Interrupted(signal) => {
                (format!("interrupted by signal {signal}"), 128u8.saturating_add(*signal))
            }
            Failure::NobodyReads => return ExitCode::SUCCESS,
        };
        // One line, whatever a message is about.
        let line = line.replace(|c: char| c.is_control(), " ");
        // Where stderr is gone, the exit status still tells.
        let _ = writeln!(std::io::stderr(), "error: {line}");
        ExitCode::from(status)
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Failure {
        Failure::Message(error.to_string())
    }
}

impl From<caffe2_qtensor::Error> for Failure {
    fn from(error: caffe2_qtensor::Error) -> Failure {
        Failure::Message(error.to_string())
    }
}

/// What is printed goes to stdout, so that this is what fails.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        match error.kind() {
            ErrorKind::BrokenPipe => Failure::NobodyReads,
            _ => Failure::Message(format!("Cannot write to stdout: {error}.")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::from(std::io::Error::from(error))
    }
}
