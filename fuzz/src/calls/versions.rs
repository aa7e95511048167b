//! Structures that lead with their size, as programs of this and of other versions pass them.

use super::input::Input;
use super::status::{Refusals, *};
use std::marker::PhantomData;

/// A structure with room for the members of a later version, as words, the first of which is the size
/// that the program says it has.
pub(super) struct Versioned<T> {
    words: Vec<u64>,
    before: Vec<u64>,
    of: PhantomData<T>,
}

/// The words of a later version's members.
const LATER: usize = 2;
/// The most bytes that options are taken to have.
const LARGEST: u64 = 4096;

impl<T: Copy> Versioned<T> {
    const WORDS: usize = {
        assert!(size_of::<T>() % 8 == 0 && align_of::<T>() == 8);
        size_of::<T>() / 8
    };
    const SIZE: u64 = size_of::<T>() as u64;

    /// Options or other choices, mostly of this version.
    pub(super) fn of(value: T, input: &mut Input<'_>) -> Versioned<T> {
        let mut words = vec![0; Self::WORDS + LATER];
        // SAFETY: so many words of memory, which begin as the structure does.
        unsafe { words.as_mut_ptr().cast::<T>().write(value) };
        words[0] = match input.byte() {
            0..232 => Self::SIZE,
            byte @ 232..240 => u64::from(byte) % (Self::WORDS as u64) * 8,
            240..250 => Self::SIZE + 8 * LATER as u64,
            _ => input.word() | LARGEST * 2,
        };
        if words[0] > Self::SIZE {
            words[Self::WORDS] = u64::from(input.byte() % 2);
        }
        Versioned { before: words.clone(), words, of: PhantomData }
    }

    /// An output, in whose members there is something else yet.
    pub(super) fn output(input: &mut Input<'_>) -> Versioned<T> {
        // SAFETY: integers and floats only, for which all bits are values.
        let mut out = Versioned::of(unsafe { std::mem::zeroed() }, input);
        out.words[1..].fill(77);
        out.before.clone_from(&out.words);
        out
    }

    pub(super) fn pointer(&mut self) -> *mut T {
        self.words.as_mut_ptr().cast()
    }

    /// What is refused of options by their size.
    pub(super) fn options(&self, refusals: Refusals) -> Refusals {
        let size = self.before[0];
        let sets_later = (Self::SIZE + 1..=LARGEST).contains(&size) && self.words[Self::WORDS] != 0;
        self.room(refusals)
            .when(sets_later, QTENSOR_UNSUPPORTED)
            .when(size > LARGEST, QTENSOR_INVALID_ARGUMENT)
    }

    /// What is refused of an output by its size.
    pub(super) fn room(&self, refusals: Refusals) -> Refusals {
        refusals.when(self.before[0] < Self::SIZE, QTENSOR_BUFFER_TOO_SMALL)
    }

    /// What an accepted call wrote into an output: as many members as there are; a refused one wrote
    /// none.
    #[track_caller]
    pub(super) fn written(&self, accepted: bool) -> Option<T> {
        if !accepted {
            assert_eq!(self.words, self.before);
            return None;
        }
        assert_eq!(self.words[0], Self::SIZE);
        assert_eq!(self.words[Self::WORDS..], self.before[Self::WORDS..]);
        // SAFETY: so many words of memory, all bits of which are values.
        Some(unsafe { self.words.as_ptr().cast::<T>().read() })
    }
}
