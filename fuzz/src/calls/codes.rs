//! Codes of whole tensors, as integers of each width.

use super::input::Input;
use super::status::{Nulls, Refusals, Status, *};
use super::{Lending, Machine};
use caffe2_qtensor::capi::codes::*;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::tensor::qtensor_t;

type Read<T> =
    unsafe extern "C" fn(*const qtensor_t, *mut T, usize, *mut *mut qtensor_error_t) -> Status;
type Write<T> =
    unsafe extern "C" fn(*mut qtensor_t, *const T, usize, *mut *mut qtensor_error_t) -> Status;

impl Machine {
    pub(super) fn read_codes(&mut self, slot: usize, input: &mut Input<'_>) {
        match input.below(4) {
            0 => self.read_as::<i64>(slot, input, qtensor_read_codes, (63, true)),
            1 => self.read_as::<u8>(slot, input, qtensor_read_codes_u8, (8, false)),
            2 => self.read_as::<i8>(slot, input, qtensor_read_codes_i8, (7, true)),
            _ => self.read_as::<i32>(slot, input, qtensor_read_codes_i32, (31, true)),
        }
    }

    fn read_as<T: Copy + TryFrom<i64> + PartialEq + std::fmt::Debug>(
        &mut self,
        slot: usize,
        input: &mut Input<'_>,
        read: Read<T>,
        (bits, signed): (u8, bool),
    ) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let model = self.model(slot);
        if !model.is_small() {
            return;
        }
        let narrow = |code: i64| T::try_from(code).ok().expect("it fits the type");
        let count = input.count(model.size());
        let mut codes = vec![narrow(77); count];
        let tensor = nulls.at(0, self.handle(slot));
        let to = nulls.slice_mut(1, &mut codes, count);
        let unsupported = model.precision > bits || (model.signed && !signed);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(count != model.size(), QTENSOR_SHAPE_MISMATCH)
            .when(unsupported, QTENSOR_UNSUPPORTED);
        // SAFETY: a live handle and a buffer, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe { read(tensor, to, count, error) });
        let expected = match accepted {
            true => model.codes().into_iter().map(narrow).collect(),
            false => vec![narrow(77); count],
        };
        assert_eq!(codes, expected);
    }

    pub(super) fn write_codes(&mut self, slot: usize, input: &mut Input<'_>) {
        match input.below(4) {
            0 => self.write_as::<i64>(slot, input, qtensor_write_codes),
            1 => self.write_as::<u8>(slot, input, qtensor_write_codes_u8),
            2 => self.write_as::<i8>(slot, input, qtensor_write_codes_i8),
            _ => self.write_as::<i32>(slot, input, qtensor_write_codes_i32),
        }
    }

    fn write_as<T: Copy + TryFrom<i64> + Into<i64>>(
        &mut self,
        slot: usize,
        input: &mut Input<'_>,
        write: Write<T>,
    ) {
        let (nulls, with_error): (Nulls, bool) = (input.nulls(), input.flag());
        let model = self.model(slot);
        if !model.is_small() {
            return;
        }
        let count = input.count(model.size());
        let hostile = input.byte() > 230;
        let (lowest, highest) = (i128::from(model.lowest()), i128::from(model.highest()));
        let zero = T::try_from(0).ok().expect("it fits the type");
        let codes: Vec<T> = (0..count)
            .map(|_| {
                let byte = i128::from(input.byte());
                let inside = lowest + byte * 0x0101_0101 % (highest - lowest + 1);
                let code = if hostile && byte > 200 { byte - 300 } else { inside };
                i64::try_from(code).ok().and_then(|code| T::try_from(code).ok()).unwrap_or(zero)
            })
            .collect();
        let wide: Vec<i64> = codes.iter().map(|code| (*code).into()).collect();
        let inside = wide.iter().all(|code| (model.lowest()..=model.highest()).contains(code));
        let tensor = nulls.at_mut(0, self.handle(slot));
        let from = nulls.slice(1, &codes, count);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(count != model.size(), QTENSOR_SHAPE_MISMATCH)
            .when(model.precision > 63, QTENSOR_UNSUPPORTED)
            .when(!inside, QTENSOR_OUT_OF_RANGE);
        // SAFETY: a live handle and a buffer, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { write(tensor, from, count, error) });
        self.settle(slot, accepted, Lending::Written, |model| model.set_codes(wide));
    }
}
