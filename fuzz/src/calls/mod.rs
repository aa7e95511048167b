//! A program of calls of the C interface on several live handles, and a model of each of these in
//! plain Rust that foretells what every call comes to.
//!
//! A program's bytes are read as operations and their operands; any bytes are a program. Which
//! pointers are NULL, which handles are missing, and which dimensions, counts and constants are
//! wrong is drawn from them too. Of an accepted call all outputs and all that can be seen of the
//! objects that it changed are checked, of a refused one the status, the error object, that no output
//! was written and that nothing changed.

mod choices;
mod codes;
mod database;
mod dense;
mod energy;
mod fixed;
mod input;
mod loss;
mod loss_model;
mod measure;
mod model;
mod observer;
mod product;
mod reading;
mod scalars;
mod shape;
mod status;
mod tensor;
mod values;
mod versions;
mod wire;

use caffe2_qtensor::capi::tensor::{qtensor_free, qtensor_t};
use input::Input;
use model::{Lent, Tensor};

/// The most operations of a program.
const MOST: usize = 64;

/// A live tensor and what it must look like.
struct Held {
    handle: *mut qtensor_t,
    model: Tensor,
    lent: Option<Lent>,
}

/// What becomes of planes that were lent when a call is accepted.
#[derive(Clone, Copy, PartialEq)]
enum Lending {
    Stays,
    /// Planes for reading are copied and given back.
    Written,
    Ends,
}

/// All live handles.
#[derive(Default)]
struct Machine {
    tensors: [Option<Held>; 4],
    dense: [Option<dense::Held>; 2],
    packed: [Option<product::Held>; 2],
    observers: [Option<observer::Held>; 2],
    losses: [Option<loss::Held>; 2],
    energy: energy::Energy,
    database: database::Database,
}

/// Runs a program.
pub fn run(bytes: &[u8]) {
    let (mut input, mut machine) = (Input::new(bytes), Machine::default());
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        machine.step(&mut input);
    }
    machine.end();
}

impl Machine {
    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() {
            0..64 => self.tensor(input),
            64..80 => self.measurements(input),
            80..100 => self.shape(input),
            100..140 => self.values(input),
            140..160 => self.wire(input),
            160..172 => self.dense(input),
            172..192 => self.product(input),
            192..212 => self.fixed(input),
            212..228 => self.observer(input),
            228..246 => self.database(input),
            _ => scalars::step(input),
        }
    }

    fn handle(&self, slot: usize) -> *mut qtensor_t {
        self.tensors[slot].as_ref().map_or(std::ptr::null_mut(), |held| held.handle)
    }

    /// The model of a tensor; where there is none, of any.
    fn model(&self, slot: usize) -> Tensor {
        self.tensors[slot].as_ref().map(|held| held.model.clone()).unwrap_or_default()
    }

    /// Puts a new tensor into a slot, whose old one is freed.
    fn put(&mut self, slot: usize, handle: Option<*mut qtensor_t>, model: impl FnOnce() -> Tensor) {
        let Some(handle) = handle else { return };
        self.free(slot);
        let model = model();
        model.check(handle, None);
        self.tensors[slot] = Some(Held { handle, model, lent: None });
    }

    fn free(&mut self, slot: usize) {
        let Some(held) = self.tensors[slot].take() else { return };
        held.model.check(held.handle, held.lent.as_ref());
        // SAFETY: a live handle, given up.
        unsafe { qtensor_free(held.handle) };
        if let Some(lent) = held.lent {
            assert_eq!(lent.released.get(), 1);
        }
    }

    /// Notes what an accepted call made of a tensor, and looks whether it did; a refused one made
    /// nothing.
    fn settle(
        &mut self,
        slot: usize,
        accepted: bool,
        lending: Lending,
        change: impl FnOnce(&mut Tensor),
    ) {
        let Some(held) = &mut self.tensors[slot] else { return };
        if accepted {
            let before = held.model.planes.clone();
            change(&mut held.model);
            let ends = held.lent.as_ref().is_some_and(|lent| match lending {
                Lending::Stays => false,
                Lending::Written => !lent.writable,
                Lending::Ends => true,
            });
            if let Some(lent) = held.lent.take_if(|_| ends) {
                assert_eq!(lent.released.get(), 1);
                assert!(lent.writable || before.as_ref() == Some(&lent.memory));
            }
        }
        held.model.check(held.handle, held.lent.as_ref());
    }

    /// Frees everything, which is as it was left.
    fn end(&mut self) {
        (0..self.tensors.len()).for_each(|slot| self.free(slot));
        self.free_dense();
        self.free_packed();
        self.free_observers();
        self.free_losses();
        self.energy.end();
        self.database.end();
    }
}
