//! How a command ends when it does not end well.

use qtensor_cli::input::{InputError, shown};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// What a command returns.
pub(crate) type Result<T> = core::result::Result<T, Failure>;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not do what was asked: a line for stderr.
    Message(String),
    /// What was asked for is no command line that makes sense, whatever the files hold: a line for
    /// stderr.
    Usage(String),
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

    /// A failure of the command line, with a sentence of its own.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::Usage(message.into())
    }

    /// A failure that the command line alone is to blame for.
    pub(crate) fn of_usage(self) -> Failure {
        match self {
            Failure::Message(message) => Failure::Usage(message),
            other => other,
        }
    }

    /// The same with the name of the tensor that it is about.
    pub(crate) fn about(self, name: &[u8]) -> Failure {
        match self {
            Failure::Message(message) => Failure::Message(format!("{}: {message}", shown(name))),
            other => other,
        }
    }

    /// Says why on stderr, in one line, and gives the exit status. A wrong command line has the hint
    /// below it that the parser gives, too.
    pub(crate) fn report(&self) -> ExitCode {
        let (line, hint, status) = match self {
            Failure::Message(message) => (message.clone(), "", 1),
            Failure::Usage(message) => {
                (message.clone(), "\n\nFor more information, try '--help'.", 2)
            }
            Failure::Negative => return ExitCode::from(1),
            Failure::Interrupted(signal) => {
                (format!("interrupted by signal {signal}"), "", 128u8.saturating_add(*signal))
            }
            Failure::NobodyReads => return ExitCode::SUCCESS,
        };
        // One line, whatever a message is about.
        let line = line.replace(|c: char| c.is_control(), " ");
        // Where stderr is gone, the exit status still tells.
        let _ = writeln!(std::io::stderr(), "error: {line}{hint}");
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
