//! The items of a file one after another, the next one read while one is worked on.

use crate::failure::{Failure, Result};
use qtensor_cli::input::{Input, InputError, Item, Loaded};
use std::sync::mpsc::sync_channel;

/// An item whose turn it is.
pub(super) struct Step {
    /// Its place in the list.
    pub(super) index: usize,
    /// What it holds, where that was wanted.
    pub(super) loaded: Option<Loaded>,
}

/// Shows all items in order, those that are `wanted` loaded: on another thread if `ahead`, which
/// then holds one tensor more.
pub(super) fn each_loaded(
    input: &Input,
    ahead: bool,
    wanted: impl Fn(&Item) -> bool + Sync,
    mut visit: impl FnMut(&Item, Step) -> Result<()>,
) -> Result<()> {
    let load = |(index, item): (usize, &Item)| -> core::result::Result<Step, InputError> {
        let loaded = wanted(item).then(|| input.load(index)).transpose()?;
        Ok(Step { index, loaded })
    };
    let items = || input.items().iter().enumerate();
    if !ahead {
        return items().try_for_each(|item| visit(item.1, load(item)?));
    }
    std::thread::scope(|scope| {
        // Nothing waits between the two: what is read waits for its turn in the reader's hands.
        let (sender, receiver) = sync_channel(0);
        let reader = std::thread::Builder::new().spawn_scoped(scope, move || {
            for item in items() {
                let step = load(item);
                let failed = step.is_err();
                // Where nobody wants more, the work has failed and says so.
                if sender.send(step).is_err() || failed {
                    return;
                }
            }
        });
        reader.map_err(|error| Failure::new(format!("No thread could be started: {error}.")))?;
        for item in input.items() {
            match receiver.recv() {
                Ok(step) => visit(item, step?)?,
                // The reader is gone without a word: it panicked, which ends the scope so.
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    })
}
