//! A progress bar on stderr, which is not there unless that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use qtensor_cli::input::shown;

/// How far a piece of work is.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many bytes.
    pub(crate) fn new(bytes: u64) -> Progress {
        // Hidden by itself where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let template = "{bar:30} {bytes}/{total_bytes} {eta} {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// Says what is worked on.
    pub(crate) fn at(&self, name: &[u8]) {
        self.0.set_message(shown(name));
    }

    /// Adds bytes that are done.
    pub(crate) fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Progress {
    /// Whatever comes next on the terminal finds no bar in its way.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
