//! Signals that ask the command to stop: noted, and looked for where the work can be given up.

use crate::failure::{Failure, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Which signal has arrived, if any.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Notes signals from now on. A file that grows beyond its limit becomes an error of the write
    /// instead of the end of the process.
    pub(crate) fn watch() -> Result<Interrupt> {
        let failed = |error| Failure::new(format!("Cannot watch for signals: {error}."));
        let arrived = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or(0);
            // A second one ends it at once, whatever it waits for.
            let again = Arc::new(AtomicBool::new(false));
            let status = signal.saturating_add(128);
            signal_hook::flag::register_conditional_shutdown(signal, status, Arc::clone(&again))
                .map_err(failed)?;
            signal_hook::flag::register(signal, again).map_err(failed)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&arrived), number)
                .map_err(failed)?;
        }
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map_err(failed)?;
        Ok(Interrupt(arrived))
    }

    /// Gives up where a signal has arrived.
    pub(crate) fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(Failure::Interrupted(u8::try_from(signal).unwrap_or(0))),
        }
    }
}
