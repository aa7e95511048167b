//! The items of a file one after another, the next one read while one is worked on.

use crate::failure::{Failure, Result};
use qtensor_cli::input::{Input, Item, Loaded};
use std::sync::mpsc::{channel, sync_channel};

/// An item whose turn it is.
pub(super) struct Step {
    /// Its place in the list.
    pub(super) index: usize,
    /// What it holds, where that was wanted.
    pub(super) loaded: Option<Loaded>,
}

/// Shows all items in order, those that are `wanted` loaded: on another thread if `ahead`, which
/// then holds one tensor more. The memory of one tensor is that of a later one.
pub(super) fn each_loaded(
    input: &Input,
    ahead: bool,
    wanted: impl Fn(&Item) -> bool + Sync,
    mut visit: impl FnMut(&Item, &Step) -> Result<()>,
) -> Result<()> {
    let load = |index: usize, item: &Item, memory: Vec<f32>| {
        let loaded = wanted(item).then(|| input.load_reusing(index, memory)).transpose();
        loaded.map(|loaded| Step { index, loaded })
    };
    let memory_of = |step: Step| step.loaded.map_or_else(Vec::new, Loaded::into_memory);
    if !ahead {
        let mut memory = Vec::new();
        for (index, item) in input.items().iter().enumerate() {
            let step = load(index, item, memory)?;
            visit(item, &step)?;
            memory = memory_of(step);
        }
        return Ok(());
    }
    std::thread::scope(|scope| {
        // Nothing waits between the two: what is read waits for its turn in the reader's hands.
        let (sender, receiver) = sync_channel(0);
        let (give, take) = channel();
        let reader = std::thread::Builder::new().spawn_scoped(scope, move || {
            for (index, item) in input.items().iter().enumerate() {
                let step = load(index, item, take.try_recv().unwrap_or_default());
                let failed = step.is_err();
                // Where nobody wants more, the work has failed and says so.
                if sender.send(step).is_err() || failed {
                    return;
                }
            }
        });
        reader.map_err(|error| Failure::new(format!("No thread could be started: {error}.")))?;
        for item in input.items() {
            // A reader that is gone without a word has panicked, which ends the scope so.
            let Ok(step) = receiver.recv() else { return Ok(()) };
            let step: Step = step?;
            visit(item, &step)?;
            // The reader may have come to its end.
            let _ = give.send(memory_of(step));
        }
        Ok(())
    })
}
