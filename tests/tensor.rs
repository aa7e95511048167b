//! The tensor in memory: what the golden traces do not reach.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

use caffe2_qtensor::{ErrorKind, MAX_DIMS, Params, QTensor};

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A code, by the definition: bit by bit, the sign last.
fn code(tensor: &QTensor, index: usize) -> i64 {
    let magnitude = (0..tensor.precision())
        .fold(0i64, |code, bit| code | i64::from(tensor.get_bit(bit, index).unwrap()) << bit);
    let sign = tensor.is_signed() && tensor.get_bit(tensor.precision(), index).unwrap();
    if sign { -magnitude } else { magnitude }
}

#[test]
fn codes_of_every_precision_and_length() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for precision in 0..=63u8 {
        for signed in [false, true] {
            for size in [0usize, 1, 7, 8, 9, 63, 64, 65, 130, 511, 2047, 2048, 2049, 5000] {
                let mut tensor = QTensor::with_shape(&[size as i64], precision, signed).unwrap();
                // What lies in the padding bits stays there.
                let bytes = tensor.mutable_data().unwrap();
                bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
                let before = tensor.data().unwrap_or_default().to_vec();
                let largest = ((1u128 << precision) - 1) as u64;
                let codes: Vec<i64> = (0..size)
                    .map(|_| {
                        let magnitude = (random.next() & largest) as i64;
                        if signed && random.next() & 1 == 1 { -magnitude } else { magnitude }
                    })
                    .collect();
                tensor.write_codes(&codes).unwrap();
                let mut read = vec![0i64; size];
                tensor.read_codes(&mut read).unwrap();
                assert_eq!(read, codes, "precision {precision}, signed {signed}, size {size}");
                for index in (0..size).step_by(1 + size / 40) {
                    assert_eq!(code(&tensor, index), codes[index]);
                }
                let stride = tensor.aligned_size() / 8;
                let padding = (1u8 << (tensor.aligned_size() - size)) - 1;
                for plane in 0..tensor.nbytes().checked_div(stride).unwrap_or(0) {
                    let last = plane * stride + stride - 1;
                    assert_eq!(tensor.data().unwrap()[last] & padding, before[last] & padding);
                }
            }
        }
    }
}

#[test]
fn codes_of_every_type() {
    fn round_trip<T: caffe2_qtensor::Code + PartialEq + std::fmt::Debug + Default>(
        precision: u8,
        signed: bool,
        codes: &[T],
    ) {
        let mut tensor = QTensor::with_shape(&[codes.len() as i64], precision, signed).unwrap();
        tensor.write_codes(codes).unwrap();
        let mut read = vec![T::default(); codes.len()];
        tensor.read_codes(&mut read).unwrap();
        assert_eq!(read, codes);
    }
    round_trip(8, false, &[0u8, 255, 1, 128, 7, 99, 3, 2, 200]);
    round_trip(3, false, &[0u8, 7, 1, 5]);
    round_trip(7, true, &[0i8, 127, -127, -1]);
    round_trip(16, false, &[0u16, 65535, 256]);
    round_trip(15, true, &[0i16, -32767, 32767]);
    round_trip(32, false, &[0u32, u32::MAX, 1 << 31]);
    round_trip(31, true, &[0i32, i32::MAX, -i32::MAX]);
    round_trip(63, true, &[0i64, i64::MAX, -i64::MAX]);
}

/// What counts is the value, not the width that it comes in.
#[test]
fn narrow_codes_in_wide_tensors() {
    fn write<T: caffe2_qtensor::Code + Into<i64>>(codes: &[T], signed: bool) {
        let expected: Vec<i64> = codes.iter().map(|code| (*code).into()).collect();
        let largest = expected.iter().map(|code| code.unsigned_abs()).max().unwrap();
        for precision in (u64::BITS - largest.leading_zeros()) as u8..=63 {
            let mut tensor = QTensor::with_shape(&[codes.len() as i64], precision, signed).unwrap();
            tensor.write_codes(codes).unwrap();
            let mut read = vec![0i64; codes.len()];
            tensor.read_codes(&mut read).unwrap();
            assert_eq!(read, expected, "precision {precision}");
        }
    }
    write(&[1u8, 2, 3, 255], false);
    write(&[1u16, 2, 0x1234, 0xffff], true);
    write(&[1u32, u32::MAX], false);
    write(&[1i8, -2, 127, -127], true);
    write(&[1i16, -2, 0x7fff, -0x7fff], true);
    write(&[1i32, -2, i32::MAX, -i32::MAX], true);
    // The smallest integer has a magnitude that its own type does not hold.
    let mut tensor = QTensor::with_shape(&[1], 8, true).unwrap();
    tensor.write_codes(&[i8::MIN]).unwrap();
    let mut code = [0i64];
    tensor.read_codes(&mut code).unwrap();
    assert_eq!(code, [-128]);
}

#[test]
fn refused_codes_change_nothing() {
    let mut tensor = QTensor::with_shape(&[3], 4, false).unwrap();
    tensor.write_codes(&[1i64, 2, 3]).unwrap();
    let before = tensor.data().unwrap().to_vec();
    let refusals = [
        (tensor.write_codes(&[1i64, 2]), ErrorKind::ShapeMismatch),
        (tensor.write_codes(&[1i64, 2, 16]), ErrorKind::OutOfRange),
        (tensor.write_codes(&[1i64, -1, 3]), ErrorKind::OutOfRange),
        (tensor.write_codes(&[i64::MIN, 0, 0]), ErrorKind::OutOfRange),
        (tensor.read_codes(&mut [0i64; 4]), ErrorKind::ShapeMismatch),
    ];
    for (result, kind) in refusals {
        assert_eq!(result.unwrap_err().kind(), kind);
    }
    assert_eq!(tensor.data().unwrap(), before);
    let message = tensor.write_codes(&[1i64, 2, 16]).unwrap_err().to_string();
    assert_eq!(message, "The code is 16, outside the range 0 to 15.");

    let mut signed = QTensor::with_shape(&[1], 4, true).unwrap();
    assert_eq!(signed.read_codes(&mut [0u8]).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(signed.write_codes(&[-16i64]).unwrap_err().kind(), ErrorKind::OutOfRange);
    assert!(signed.data().is_none());
    let mut wide = QTensor::with_shape(&[1], 64, false).unwrap();
    assert_eq!(wide.read_codes(&mut [0i64]).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(wide.write_codes(&[0i64]).unwrap_err().kind(), ErrorKind::Unsupported);
    let nine = QTensor::with_shape(&[1], 9, false).unwrap();
    assert_eq!(nine.read_codes(&mut [0u8]).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn negative_zero_is_zero() {
    let mut tensor = QTensor::with_shape(&[2], 2, true).unwrap();
    tensor.set_bit(2, 0, true).unwrap();
    let mut codes = [7i64; 2];
    tensor.read_codes(&mut codes).unwrap();
    assert_eq!(codes, [0, 0]);
    tensor.write_codes(&codes).unwrap();
    assert_eq!(tensor.get_bit(2, 0), Ok(false));
}

#[test]
fn limits_of_the_shape() {
    let kind = |dims: &[i64], precision| {
        QTensor::with_shape(dims, precision, false).map_err(|error| error.kind()).err()
    };
    assert_eq!(kind(&[1 << 40, 1 << 30], 8), Some(ErrorKind::Overflow));
    assert_eq!(kind(&[1 << 62], 0), None);
    assert_eq!(kind(&[1 << 62], 15), None);
    assert_eq!(kind(&[1 << 62], 16), Some(ErrorKind::Overflow));
    assert_eq!(kind(&[i64::MAX], 0), None);
    assert_eq!(kind(&[i64::MAX, 2], 0), Some(ErrorKind::Overflow));
    assert_eq!(kind(&[i64::MAX, i64::MAX, 0], 255), None);
    assert_eq!(kind(&[-1, 0], 8), Some(ErrorKind::InvalidArgument));
    assert_eq!(kind(&[-2, -2], 8), Some(ErrorKind::InvalidArgument));
    assert_eq!(kind(&[1; MAX_DIMS], 8), None);
    assert_eq!(kind(&[1; MAX_DIMS + 1], 8), Some(ErrorKind::OutOfRange));

    let mut tensor = QTensor::with_shape(&[1 << 62], 15, false).unwrap();
    assert_eq!(tensor.set_precision(16).unwrap_err().kind(), ErrorKind::Overflow);
    assert_eq!(tensor.set_signed(true).unwrap_err().kind(), ErrorKind::Overflow);
    assert_eq!((tensor.precision(), tensor.is_signed()), (15, false));
    assert_eq!(tensor.resize(&[i64::MAX]).unwrap_err().kind(), ErrorKind::Overflow);
    assert_eq!(tensor.dims(), [1 << 62]);
    assert_eq!(tensor.mutable_data().unwrap_err().kind(), ErrorKind::OutOfMemory);
}

#[test]
fn dimensions_asked_for() {
    let tensor = QTensor::with_shape(&[2, 0, i64::from(i32::MAX), 1 << 40], 1, false).unwrap();
    assert_eq!(tensor.dim32(2), Ok(i32::MAX));
    assert_eq!(tensor.dim32(3).unwrap_err().kind(), ErrorKind::Overflow);
    for index in [-1, 4] {
        assert_eq!(tensor.dim32(index).unwrap_err().kind(), ErrorKind::OutOfRange);
    }
    assert_eq!(tensor.size_from_dim(2).unwrap_err().kind(), ErrorKind::Overflow);
    assert_eq!((tensor.size_from_dim(1), tensor.size_from_dim(4)), (Ok(0), Ok(1)));
    assert_eq!(tensor.size_from_dim(-1).unwrap_err().kind(), ErrorKind::OutOfRange);
    assert_eq!(tensor.size_to_dim(-1).unwrap_err().kind(), ErrorKind::OutOfRange);
    assert_eq!(tensor.size_to_dim(4).unwrap_err().kind(), ErrorKind::OutOfRange);
    assert_eq!((tensor.size_to_dim(0), tensor.size_to_dim(3)), (Ok(1), Ok(0)));
    assert_eq!(tensor.canonical_axis_index(-4), Ok(0));
    for axis in [-5, 4, i32::MIN, i32::MAX] {
        let error = tensor.canonical_axis_index(axis).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
        assert_eq!(error.to_string(), format!("The axis is {axis}, outside the range -4 to 3."));
    }
}

#[test]
fn bits_at_the_border() {
    let mut tensor = QTensor::with_shape(&[9], 255, true).unwrap();
    tensor.set_bit(255, 8, true).unwrap();
    assert_eq!(tensor.get_bit(255, 8), Ok(true));
    assert_eq!(tensor.data().unwrap()[255 * 2 + 1], 0x80);
    assert_eq!(tensor.get_bit(0, 9).unwrap_err().kind(), ErrorKind::OutOfRange);
    let mut small = QTensor::with_shape(&[9], 2, false).unwrap();
    assert_eq!(small.set_bit(2, 0, true).unwrap_err().kind(), ErrorKind::OutOfRange);
    assert_eq!(small.set_bit(0, 9, true).unwrap_err().kind(), ErrorKind::OutOfRange);
    // A refused write allocates nothing.
    assert!(small.data().is_none());
    assert_eq!(small.get_bit(1, 8), Ok(false));
    assert!(small.data().is_none());
}

#[test]
fn storage_and_views() {
    let mut tensor = QTensor::with_shape(&[7], 2, true).unwrap();
    assert!(tensor.view().data.is_none());
    let data = tensor.mutable_data().unwrap();
    data[0] = 0xff;
    assert_eq!(data.as_ptr().addr() % 64, 0);
    // The same bytes under another shape: a padding bit becomes an element.
    tensor.resize(&[2, 4]).unwrap();
    assert_eq!(tensor.get_bit(0, 7), Ok(true));
    let view = tensor.view();
    assert_eq!((view.size, view.precision, view.is_signed, view.plane_stride), (8, 2, true, 1));
    assert_eq!(view.data.unwrap(), [0xff, 0, 0]);
    let copy = tensor.try_clone().unwrap();
    tensor.set_bit(0, 0, false).unwrap();
    assert_eq!(copy.get_bit(0, 0), Ok(true));
    tensor.resize(&[9]).unwrap();
    assert!(tensor.data().is_none());
    for change in [QTensor::set_precision as fn(&mut QTensor, u8) -> _, |t, _| t.set_signed(true)] {
        tensor.mutable_data().unwrap();
        change(&mut tensor, 2).unwrap();
        assert!(tensor.data().is_none());
    }
}

#[test]
fn channels_travel_with_the_tensor() {
    let mut tensor = QTensor::with_shape(&[2, 3], 2, false).unwrap();
    assert_eq!(tensor.params(), Ok(Params::Affine { scale: 1.0, bias: 0.0 }));
    let refused = |tensor: &mut QTensor, axis, scales: &[f64], biases: &[f64]| {
        tensor.set_channels(axis, scales, biases).unwrap_err().kind()
    };
    assert_eq!(refused(&mut tensor, 2, &[1.0; 2], &[0.0; 2]), ErrorKind::OutOfRange);
    assert_eq!(refused(&mut tensor, -1, &[1.0; 3], &[0.0; 3]), ErrorKind::OutOfRange);
    assert_eq!(refused(&mut tensor, 1, &[1.0; 2], &[0.0; 3]), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&mut tensor, 1, &[1.0; 3], &[0.0; 2]), ErrorKind::ShapeMismatch);
    assert!(!tensor.is_multiparam());

    let (scales, biases) = ([1.0, f64::NAN, -0.0], [0.5, f64::INFINITY, 3.0]);
    tensor.set_channels(1, &scales, &biases).unwrap();
    let read = QTensor::deserialize(&tensor.to_blob(b"w").unwrap()).unwrap();
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(read.channel_scales()), bits(&scales));
    assert_eq!(bits(read.channel_biases()), bits(&biases));
    assert_eq!((read.channel_axis(), read.is_multiparam()), (Some(1), true));
    assert_eq!(read.to_blob(b"w").unwrap(), tensor.to_blob(b"w").unwrap());
    assert_eq!(read.try_clone().unwrap().channel_axis(), Some(1));

    tensor.resize(&[2, 4]).unwrap();
    assert_eq!(tensor.channel_scales().len(), 3);
    assert_eq!(tensor.params().unwrap_err().kind(), ErrorKind::ShapeMismatch);
    tensor.clear_channels();
    assert!(matches!(tensor.params(), Ok(Params::Affine { .. })));
}
