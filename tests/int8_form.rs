//! Tensors in the form of an `Int8TensorCPU`: the same values, to the last bit.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

use caffe2_qtensor::{ErrorKind, Params, QTensor};

fn values(tensor: &QTensor) -> Vec<u64> {
    let mut codes = vec![0i64; tensor.size()];
    tensor.read_codes(&mut codes).unwrap();
    let Ok(Params::Affine { scale, bias }) = tensor.params() else { panic!("{tensor:?}") };
    codes.iter().map(|code| (scale * (*code as f64 + bias)).to_bits()).collect()
}

/// A small generator of its own, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

#[test]
fn values_stay_the_same() {
    let mut random = Random(7);
    for round in 0..600u64 {
        let signed = round % 2 == 1;
        let precision = random.below(if signed { 8 } else { 9 });
        // Beyond one block of codes now and then.
        let size = random.below(if round % 20 == 0 { 9000 } else { 40 });
        let dims = [1, i64::try_from(size).unwrap()];
        let precision = u8::try_from(precision).unwrap();
        let mut tensor = QTensor::with_shape(&dims, precision, signed).unwrap();
        // Any bits at all: a sign on magnitude 0 and bits behind the last element among them.
        for byte in tensor.mutable_data().unwrap() {
            *byte = u8::try_from(random.below(256)).unwrap();
        }
        tensor.set_scale(f64::from_bits(0x3F00_0000_0000_0000 + (random.below(1 << 31) << 21)));
        tensor.set_bias(random.below(1 << 20) as f64 - f64::from(1 << 19));
        let made = tensor.to_int8().unwrap();
        assert_eq!((made.precision(), made.is_signed()), (8, false));
        assert_eq!((made.dims(), made.scale()), (tensor.dims(), tensor.scale()));
        assert_eq!(values(&made), values(&tensor));
        let blob = made.to_int8_blob(b"w").unwrap();
        let read = QTensor::deserialize(&blob).unwrap();
        assert_eq!(values(&read), values(&tensor));
        assert_eq!((read.data(), read.data_type()), (made.data(), made.data_type()));
        // In that form already, it stays as it is but for the bits behind the last element.
        assert_eq!(made.to_int8().unwrap().data(), made.data());
    }
}

#[test]
fn tensors_without_planes_have_their_values_too() {
    for signed in [false, true] {
        let tensor = QTensor::with_shape(&[5], 3, signed).unwrap();
        assert_eq!(values(&tensor.to_int8().unwrap()), values(&tensor));
    }
    let none = QTensor::new().to_int8().unwrap();
    assert_eq!((none.ndim(), none.size(), none.data()), (0, 0, None));
}

#[test]
fn elements_of_both_types() {
    let bytes = QTensor::from_int8(&[2, 2], &[0, 1, 128, 255], 0.25, 128).unwrap();
    assert_eq!((bytes.bias(), bytes.data_type()), (-128.0, Some(6)));
    assert_eq!(values(&bytes), [-32.0f64, -31.75, 0.0, 31.75].map(f64::to_bits));
    let wide = [i32::MIN, -1, 0, i32::MAX];
    let tensor = QTensor::from_int32(&[4], &wide, 0.5, 0).unwrap();
    assert_eq!((tensor.precision(), tensor.is_signed()), (32, true));
    assert_eq!((tensor.bias().to_bits(), tensor.data_type()), (0, Some(2)));
    let mut codes = [0i64; 4];
    tensor.read_codes(&mut codes).unwrap();
    assert_eq!(codes, wide.map(i64::from));
    let read = QTensor::deserialize(&tensor.to_int8_blob(b"b").unwrap()).unwrap();
    assert_eq!(read.data(), tensor.data());
    // Without dimensions there is one value, as in Caffe2.
    assert_eq!(QTensor::from_int8(&[], &[3], 1.0, 0).unwrap().dims(), [1]);
    assert_eq!(QTensor::from_int32(&[0], &[], 1.0, 0).unwrap().data(), None);
    let mismatch = ErrorKind::ShapeMismatch;
    assert_eq!(QTensor::from_int8(&[], &[], 1.0, 0).unwrap_err().kind(), mismatch);
    assert_eq!(QTensor::from_int8(&[3], &[1, 2], 1.0, 0).unwrap_err().kind(), mismatch);
    assert_eq!(QTensor::from_int32(&[1 << 60], &[1], 1.0, 0).unwrap_err().kind(), mismatch);
    let negative = QTensor::from_int32(&[-1], &[1], 1.0, 0).unwrap_err();
    assert_eq!(negative.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn what_it_cannot_hold_is_refused() {
    for (precision, signed) in [(8, true), (9, false), (32, true), (255, true)] {
        let error = QTensor::with_shape(&[2], precision, signed).unwrap().to_int8().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    for (signed, offset) in [(false, 0.0), (true, 128.0)] {
        let mut tensor = QTensor::with_shape(&[2], 7, signed).unwrap();
        let (least, most) = (offset - f64::from(i32::MAX), offset - f64::from(i32::MIN));
        let never = [0.5, -0.5, 1e-300, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        for bias in [least - 1.0, most + 1.0].into_iter().chain(never) {
            tensor.set_bias(bias);
            let error = tensor.to_int8().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfRange, "{error}");
            assert!(error.to_string().contains("zero point"), "{error}");
        }
        for bias in [least, most] {
            tensor.set_bias(bias);
            let made = tensor.to_int8().unwrap();
            assert_eq!(made.bias(), bias - offset);
            assert_eq!(values(&made), values(&tensor));
            assert!(made.to_int8_blob(b"w").is_ok());
        }
    }
    let mut tensor = QTensor::with_shape(&[2], 8, false).unwrap();
    tensor.set_channels(0, &[1.0; 2], &[0.0; 2]).unwrap();
    assert_eq!(tensor.to_int8().unwrap_err().kind(), ErrorKind::Unsupported);
}

/// What is too long for a message is refused at once, not after all its elements were counted.
#[test]
fn a_message_too_long_is_refused_at_once() {
    for (precision, signed) in [(8, false), (32, true)] {
        let tensor = QTensor::with_shape(&[1 << 57], precision, signed).unwrap();
        let error = tensor.int8_serialized_size(b"w").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Overflow, "{error}");
    }
}
