//! Every operator that is read, in every form that protobuf allows.

use crate::message::Message;
use crate::{argument, dense, floats, ints, load, network, quantized, shape, wrapped};
use caffe2_qtensor::ElementsRef;
use caffe2_qtensor::minidb::Value;
use caffe2_qtensor::net::Net;

#[test]
fn values_packed_and_not_in_any_order_of_fields() {
    let values = [1.5f32, -2.0, f32::MIN_POSITIVE, 0.0, 1e30, 7.0];
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let one = |value: f32| Message::new().tag(5, 5).raw(&value.to_le_bytes());
    let packed = Message::new().bytes(5, &bytes);
    let two = Message::new().bytes(5, &bytes[..8]).raw(&one(values[2]).0).bytes(5, &bytes[12..]);
    let singly = values.iter().fold(Message::new(), |all, value| all.raw(&one(*value).0));
    for list in [packed, two, singly] {
        for named in
            [argument("values").raw(&list.0), Message::new().raw(&list.0).bytes(1, b"values")]
        {
            let packed_shape = argument("shape").bytes(6, &[2, 3]);
            for arguments in
                [[shape(&[2, 3]), named.clone()], [named.clone(), packed_shape.clone()]]
            {
                let tensor = dense(&network("GivenTensorFill", &arguments));
                assert_eq!(tensor.dims(), [2, 3]);
                assert_eq!(tensor.as_f32(), Some(&values[..]));
            }
        }
    }
}

#[test]
fn long_lists_cross_what_is_read_at_a_time() {
    // Values that straddle every border of the window, at each of its offsets.
    for offset in 0..5usize {
        let values: Vec<f32> = (0..40_000).map(|index| index as f32 * 0.5).collect();
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let name = Message::new().bytes(3, &vec![b'n'; offset]);
        for list in [floats(&values), argument("values").bytes(5, &bytes)] {
            let operator = name.clone().bytes(2, b"y").bytes(4, b"GivenTensorFill");
            let operator = operator.bytes(5, &list.0).bytes(5, &shape(&[40_000]).0);
            assert_eq!(dense(&wrapped(operator)).as_f32(), Some(&values[..]));
        }
        let integers: Vec<i64> = (0..40_000).map(|index| (index - 20_000) * index).collect();
        let arguments = [ints(&integers), shape(&[40_000])];
        let tensor = dense(&network("GivenTensorInt64Fill", &arguments));
        assert_eq!(tensor.elements(), ElementsRef::Int64(&integers));
    }
}

#[test]
fn every_type_of_element() {
    for (kind, arguments, expected) in [
        ("GivenTensorDoubleFill", vec![floats(&[1.5, -2.0])], ElementsRef::Double(&[1.5, -2.0])),
        ("GivenTensorIntFill", vec![ints(&[1, -2])], ElementsRef::Int32(&[1, -2])),
        ("GivenTensorInt64Fill", vec![ints(&[1, -2])], ElementsRef::Int64(&[1, -2])),
        ("GivenTensorInt16Fill", vec![ints(&[1, -2])], ElementsRef::Int16(&[1, -2])),
        ("GivenTensorBoolFill", vec![ints(&[1, 0])], ElementsRef::Bool(&[1, 0])),
        ("GivenTensorFill", vec![ints(&[1, -2]), dtype(2)], ElementsRef::Int32(&[1, -2])),
        ("GivenTensorFill", vec![ints(&[1, 0]), dtype(5)], ElementsRef::Bool(&[1, 0])),
        ("GivenTensorFill", vec![floats(&[1.0, 0.5]), dtype(13)], ElementsRef::Double(&[1.0, 0.5])),
        ("GivenTensorFill", vec![floats(&[1.0, 0.5]), dtype(1)], ElementsRef::Float(&[1.0, 0.5])),
    ] {
        let tensor = dense(&network(kind, &[&arguments[..], &[shape(&[2])]].concat()));
        assert_eq!(tensor.elements(), expected, "{kind}");
    }
    let strings = argument("values").bytes(7, b"a").bytes(7, b"b");
    for arguments in [vec![shape(&[2]), strings.clone()], vec![shape(&[2]), strings, dtype(4)]] {
        let kind = if arguments.len() == 2 { "GivenTensorStringFill" } else { "GivenTensorFill" };
        assert!(matches!(load(&network(kind, &arguments)), Ok(Value::Other)));
    }
}

fn dtype(number: u64) -> Message {
    argument("dtype").varint(3, number)
}

#[test]
fn constants() {
    let float = argument("value").tag(2, 5).raw(&2.5f32.to_le_bytes());
    let integer = |value: i64| argument("value").varint(3, value as u64);
    for (arguments, expected) in [
        (vec![float.clone()], ElementsRef::Float(&[2.5; 3])),
        (vec![], ElementsRef::Float(&[0.0; 3])),
        (vec![integer(-7)], ElementsRef::Int64(&[-7; 3])),
        (vec![integer(-7), dtype(2)], ElementsRef::Int32(&[-7; 3])),
        (vec![integer(200), dtype(6)], ElementsRef::Uint8(&[200; 3])),
        (vec![integer(-7), dtype(7)], ElementsRef::Int8(&[-7; 3])),
        (vec![integer(65535), dtype(8)], ElementsRef::Uint16(&[65535; 3])),
        (vec![integer(7), dtype(5)], ElementsRef::Bool(&[1; 3])),
        (vec![float, dtype(13)], ElementsRef::Double(&[2.5; 3])),
    ] {
        let bytes = network("ConstantFill", &[&arguments[..], &[shape(&[3])]].concat());
        assert_eq!(dense(&bytes).elements(), expected);
        assert!(!Net::of(&bytes).unwrap().fills()[0].is_written_out());
    }
    // Without a shape it is a scalar, one element.
    assert_eq!(dense(&network("ConstantFill", &[])).elements(), ElementsRef::Float(&[0.0]));
}

#[test]
fn int8_tensors() {
    let scale = argument("Y_scale").tag(2, 5).raw(&0.5f32.to_le_bytes());
    let zero_point = argument("Y_zero_point").varint(3, 128);
    let bytes = argument("values").bytes(4, &[0, 128, 255]);
    let arguments = [shape(&[3]), bytes.clone(), scale.clone(), zero_point.clone()];
    let tensor = quantized(&network("Int8GivenTensorFill", &arguments));
    let mut values = [0.0f32; 3];
    tensor.dequantize(&mut values, 1).unwrap();
    assert_eq!((tensor.precision(), tensor.is_signed()), (8, false));
    assert_eq!(values, [-64.0, 0.0, 63.5]);
    // Both parameters may be left out.
    let plain = quantized(&network("Int8GivenTensorFill", &[shape(&[3]), bytes]));
    assert_eq!((plain.scale(), plain.bias()), (1.0, 0.0));
    let arguments = [shape(&[2]), ints(&[-5, 1 << 30]), scale, zero_point];
    let tensor = quantized(&network("Int8GivenIntTensorFill", &arguments));
    let mut codes = [0i64; 2];
    tensor.read_codes(&mut codes).unwrap();
    assert_eq!((tensor.precision(), tensor.is_signed(), codes), (32, true, [-5, 1 << 30]));
}
