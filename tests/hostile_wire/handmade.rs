//! Messages made by hand to break one rule each, and those that look wrong and are right.

use crate::check::{check_refused, check_sentence};
use crate::message::{Message, blob, qtensor};
use caffe2_qtensor::ErrorKind::{Malformed, Overflow, ShapeMismatch, Unsupported};
use caffe2_qtensor::{DenseTensor, ElementsRef, ErrorKind, QTensor, peek, peek_proto};

fn refused(what: &str, bytes: &[u8], kind: ErrorKind, words: &str) {
    check_refused(what, QTensor::deserialize(bytes).err(), kind, words);
}

/// The same message inside a blob and alone.
fn refused_inside(what: &str, message: Message, kind: ErrorKind, words: &str) {
    check_refused(what, QTensor::deserialize_proto(&message.0).err(), kind, words);
    refused(what, &blob("QTensor", 5, message), kind, words);
}

fn refused_int8(what: &str, message: Message, kind: ErrorKind, words: &str) {
    refused(what, &blob("Int8TensorCPU", 5, message), kind, words);
}

fn refused_dense(what: &str, tensor: Message, kind: ErrorKind, words: &str) {
    let bytes = blob("Tensor", 3, tensor);
    check_refused(what, DenseTensor::deserialize(&bytes).err(), kind, words);
}

/// Two elements of eight bits, with something behind them.
fn taken(what: &str, rest: Message) -> QTensor {
    let whole = qtensor(&[2], 8).bytes(6, &[0x80, 1, 0, 0, 0, 0, 0, 0, 0]).raw(&rest.0);
    QTensor::deserialize_proto(&whole.0).unwrap_or_else(|error| panic!("{what}: {error}"));
    let bytes = blob("QTensor", 5, whole);
    QTensor::deserialize(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"))
}

const HUGE: i64 = 1 << 60;

#[test]
fn claims_and_dimensions() {
    let data = |dims: &[i64], precision| qtensor(dims, precision).bytes(6, &[1; 8]);
    refused_inside("2^60 elements", data(&[HUGE], 8), ShapeMismatch, "1152921504606846976");
    refused_inside("2^60 by three", data(&[1 << 20; 3], 8), ShapeMismatch, "is 8,");
    refused_inside("2^60 without data", qtensor(&[HUGE], 8), ShapeMismatch, "is 0,");
    refused_inside("overflow", data(&[HUGE, HUGE], 8), Overflow, "9223372036854775807");
    refused_inside("byte overflow", data(&[HUGE], 255), Overflow, "9223372036854775807");
    refused_inside("65 dimensions", data(&[1; 65], 8), Unsupported, "is 65,");
    refused_inside("a thousand", data(&[1; 1000], 8), Unsupported, "is 1000,");
    refused_inside("negative", data(&[2, -3], 8), Malformed, "-3");
    refused_inside("product positive", data(&[-1, -8], 8), Malformed, "-1");
    refused_inside("negative beside 0", data(&[0, -8], 8), Malformed, "-8");
    refused_inside("the least", data(&[i64::MIN], 8), Malformed, "-9223372036854775808");
    assert_eq!(
        QTensor::deserialize_proto(&data(&[1; 64], 8).0).map(|tensor| tensor.ndim()).ok(),
        Some(64)
    );
    // A zero makes the rest harmless.
    let empty = QTensor::deserialize_proto(&qtensor(&[HUGE, HUGE, 0], 255).0).unwrap();
    assert_eq!((empty.size(), empty.ndim()), (0, 3));
}

#[test]
fn values_out_of_range() {
    let data = |bytes: &[u8]| qtensor(&[8], 1).bytes(6, bytes);
    refused_inside("data 256", data(&[0x80, 2]), Malformed, "256");
    refused_inside("data -1", data(&[[255; 9].as_slice(), &[1]].concat()), Malformed, "-1");
    refused_inside("data unpacked", qtensor(&[8], 1).varint(6, 300), Malformed, "300");
    refused_inside("precision 256", qtensor(&[8], 256).bytes(6, &[1]), Malformed, "256");
    refused_inside("precision -1", qtensor(&[8], u64::MAX).bytes(6, &[1]), Malformed, "-1");
    let wide = qtensor(&[8], 1 << 32 | 1).bytes(6, &[1]);
    refused_inside("precision beyond 32 bits", wide, Malformed, "4294967297");
    for axis in [1i64 << 31, -(1 << 31) - 1, 1 << 40] {
        let message = data(&[1]).varint(11, axis as u64);
        refused_inside("axis", message, Malformed, &axis.to_string());
    }
    let tensor = taken("axis -1", Message::new().varint(11, u64::MAX));
    assert_eq!(tensor.channel_axis(), Some(-1));
    refused_inside("too long", data(&[1, 1]), ShapeMismatch, "is 2,");
    refused_inside("data cut", data(&[0x80]), Malformed, "varint");
    refused_inside("data overlong", data(&[0x80; 11]), Malformed, "longer than 10 bytes");
    refused_inside("doubles", data(&[1]).bytes(9, &[0; 9]), Malformed, "multiple of 8");
    refused_inside("biases", data(&[1]).bytes(10, &[0; 7]), Malformed, "multiple of 8");
}

#[test]
fn required_fields() {
    let whole = || Message::new().varint(2, 8).double(3, 1.0).double(4, 0.0).varint(5, 0);
    assert!(QTensor::deserialize_proto(&whole().0).is_ok());
    let without = [
        ("precision", Message::new().double(3, 1.0).double(4, 0.0).varint(5, 0)),
        ("scale", Message::new().varint(2, 8).double(4, 0.0).varint(5, 0)),
        ("bias", Message::new().varint(2, 8).double(3, 1.0).varint(5, 0)),
        ("is_signed", Message::new().varint(2, 8).double(3, 1.0).double(4, 0.0)),
    ];
    for (field, message) in without {
        refused_inside(field, message.clone(), Malformed, &format!("'{field}'"));
        refused_int8(field, message, Malformed, &format!("'{field}'"));
    }
    // A field of another wire type is another, unknown field.
    let other = Message::new().double(2, 8.0).double(3, 1.0).double(4, 0.0).varint(5, 0);
    refused_inside("precision as a double", other, Malformed, "'precision'");
    let kind = || Message::new().bytes(1, b"w").bytes(2, b"QTensor");
    refused("no payload", &kind().0, Malformed, "'qtensor'");
    refused("no type", &Message::new().bytes(5, &whole().0).0, Malformed, "'type'");
    refused("empty", &[], Malformed, "'type'");
    let tensor = DenseTensor::deserialize(&Message::new().bytes(2, b"Tensor").0);
    check_refused("no tensor", tensor.err(), Malformed, "'tensor'");
    let int8 = Message::new().bytes(2, b"Int8TensorCPU").0;
    refused("no int8 payload", &int8, Malformed, "'qtensor'");
    let logarithmic = Message::new().bytes(2, b"QTensorLog").0;
    refused("no logarithmic payload", &logarithmic, Malformed, "'qtensor'");
}

#[test]
fn types_of_blobs() {
    let other = |kind: &str| blob(kind, 5, qtensor(&[], 8));
    refused("another type", &other("std::string"), Unsupported, "std::string");
    refused("an empty type", &other(""), Unsupported, "''");
    refused("an ordinary tensor", &other("Tensor"), Unsupported, "'Tensor'");
    refused("a longer name", &other("QTensor2"), Unsupported, "'QTensor2'");
    refused("a shorter one", &other("QTensorLo"), Unsupported, "'QTensorLo'");
    refused("a longer one", &other("QTensorLog2"), Unsupported, "'QTensorLog2'");
    assert!(QTensor::deserialize(&other("QTensorLog")).unwrap().is_logarithmic());
    refused("a NUL behind it", &other("QTensor\0"), Unsupported, "'QTensor\\x00'");
    let dense = DenseTensor::deserialize(&other("QTensor")).err();
    check_refused("a quantized tensor", dense, Unsupported, "'QTensor'");
    let long = Message::new().bytes(2, &[0xFF; 100]).0;
    refused("no text", &long, Unsupported, "\\xff…'");
    // The last of several counts.
    let twice = Message::new().bytes(2, b"Tensor").raw(&other("QTensor")).0;
    assert!(QTensor::deserialize(&twice).is_ok());
}

/// The same sentences through the C interface, whose messages have a fixed size.
#[test]
fn messages_of_the_c_interface_are_whole() {
    use caffe2_qtensor::capi::{error, serialize, status::qtensor_status};
    let worst = Message::new().bytes(2, &[0xFF; 100]).0;
    let (mut tensor, mut object) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: valid pointers; the object is freed once.
    unsafe {
        let (out, error) = (&raw mut tensor, &raw mut object);
        let status = serialize::qtensor_deserialize(worst.as_ptr(), worst.len(), out, error);
        assert_eq!(status, qtensor_status::QTENSOR_UNSUPPORTED);
        let message = std::ffi::CStr::from_ptr(error::qtensor_error_message(object));
        assert!(message.to_bytes().ends_with(b"a quantized tensor."), "{message:?}");
        error::qtensor_error_free(object);
    }
}

#[test]
fn varints_tags_and_lengths() {
    // Ten bytes are a varint, whatever the last one's upper bits; eleven are none.
    let padded = |bytes: usize| [vec![0x88; bytes - 1], vec![0]].concat();
    let with = |varint: &[u8]| Message::new().tag(40, 0).raw(varint);
    taken("ten bytes", with(&padded(10)));
    taken("upper bits", with(&[[0xFF; 9].as_slice(), &[0x7F]].concat()));
    let eleven = qtensor(&[], 8).raw(&with(&padded(11)).0);
    refused_inside("eleven bytes", eleven, Malformed, "longer than 10 bytes");
    let precision = Message::new().tag(2, 0).raw(&[0x88, 0x80, 0x80, 0]);
    let rest = Message::new().double(3, 1.0).double(4, 0.0).varint(5, 0);
    let tensor = QTensor::deserialize_proto(&precision.raw(&rest.0).0).unwrap();
    assert_eq!(tensor.precision(), 8);

    // A tag of five bytes drops what does not fit 32 bits; six are none.
    let tagged = |tag: &[u8]| Message::new().raw(tag).raw(&[9]);
    let tensor = taken("high bits", tagged(&[0xD8, 0x80, 0x80, 0x80, 0x70]));
    assert_eq!(tensor.channel_axis(), Some(9));
    let six = qtensor(&[], 8).raw(&tagged(&[0xD8, 0x80, 0x80, 0x80, 0x80, 0]).0);
    refused_inside("six bytes", six, Malformed, "longer than 5 bytes");
    let zero = qtensor(&[], 8).raw(&[0, 0]);
    refused_inside("field 0", zero, Malformed, "number 0");
    let hidden = qtensor(&[], 8).raw(&[0x80, 0x80, 0x80, 0x80, 0x70, 0]);
    refused_inside("field 0 behind high bits", hidden, Malformed, "number 0");
    for wire_type in [6, 7] {
        let message = qtensor(&[], 8).tag(40, wire_type).raw(&[0; 8]);
        refused_inside("wire type", message, Malformed, "wire type");
    }

    // A length takes five bytes at most and stays 16 bytes below 2 GiB.
    let sized = |length: &[u8]| Message::new().tag(40, 2).raw(length).raw(b"abc");
    taken("a length of five bytes", sized(&[0x83, 0x80, 0x80, 0x80, 0]));
    let six = qtensor(&[], 8).raw(&sized(&[0x83, 0x80, 0x80, 0x80, 0x80, 0]).0);
    refused_inside("a length of six bytes", six, Malformed, "longer than 5 bytes");
    for (length, words) in [
        (4, "longer than what is left"),
        ((1 << 31) - 17, "longer than what is left"),
        ((1 << 31) - 16, "2 GiB"),
        ((1 << 31) - 1, "2 GiB"),
        (1 << 31, "2 GiB"),
        ((1 << 35) - 1, "2 GiB"),
    ] {
        let message = sized(&Message::new().raw_varint(length).0);
        refused_inside("a long length", qtensor(&[], 8).raw(&message.0), Malformed, words);
    }
    for length in 1..8 {
        let cut = qtensor(&[], 8).tag(40, 1).raw(&[0; 8][..length]);
        refused_inside("a cut double", cut, Malformed, "ends inside a field");
    }
}

#[test]
fn groups() {
    let whole = || blob("QTensor", 5, qtensor(&[], 8));
    for depth in [1, 99, 100] {
        let bytes = Message::new().groups(depth).raw(&whole()).0;
        assert!(QTensor::deserialize(&bytes).is_ok(), "{depth}");
        assert!(peek(&bytes).is_ok(), "{depth}");
    }
    for depth in [101, 102, 100_000] {
        let bytes = Message::new().groups(depth).raw(&whole()).0;
        refused("too deep", &bytes, Malformed, "nested too deep");
        check_sentence(&peek(&bytes).unwrap_err());
    }
    // The message itself is a level: 99 groups may be in it, and 100 in a bare one.
    for (depth, inside, alone) in [(99, true, true), (100, false, true), (101, false, false)] {
        let message = qtensor(&[], 8).groups(depth);
        assert_eq!(QTensor::deserialize_proto(&message.0).is_ok(), alone, "{depth}");
        assert_eq!(peek_proto(&message.0).is_ok(), alone, "{depth}");
        let bytes = blob("QTensor", 5, message);
        assert_eq!(QTensor::deserialize(&bytes).is_ok(), inside, "{depth}");
    }
    let broken = [
        ("an end alone", Message::new().tag(30, 4), "not begun"),
        ("another end", Message::new().tag(30, 3).tag(31, 4), "another number"),
        ("no end", Message::new().tag(30, 3), "ends inside a field"),
        ("field 0 in it", Message::new().tag(30, 3).raw(&[0]).tag(30, 4), "number 0"),
        ("crossed", Message::new().tag(30, 3).tag(31, 3).tag(30, 4).tag(31, 4), "another number"),
    ];
    for (what, group, words) in broken {
        refused_inside(what, qtensor(&[], 8).raw(&group.0), Malformed, words);
        refused(what, &Message(whole()).raw(&group.0).0, Malformed, words);
    }
    // A known field's number does not make its group known.
    taken("a known number", Message::new().tag(6, 3).varint(6, 300).tag(6, 4));
}

#[test]
fn data_in_pieces() {
    let (mut pieces, mut unpacked, mut mixed) =
        (qtensor(&[100], 8), qtensor(&[100], 8), qtensor(&[100], 8));
    let expected: Vec<u8> = (0..104u32).map(|byte| (byte * 37) as u8).collect();
    for (number, byte) in expected.iter().enumerate() {
        let one = Message::new().raw_varint(u64::from(*byte));
        pieces = pieces.bytes(6, &one.0).bytes(6, b"");
        unpacked = unpacked.varint(6, u64::from(*byte));
        mixed = match number % 2 {
            0 => mixed.bytes(6, &one.0),
            _ => mixed.varint(6, u64::from(*byte)),
        };
    }
    for message in [pieces, unpacked, mixed] {
        let alone = QTensor::deserialize_proto(&message.0).unwrap();
        assert_eq!(alone.data(), Some(&expected[..]));
        let inside = QTensor::deserialize(&blob("QTensor", 5, message.clone())).unwrap();
        assert_eq!(inside.data(), Some(&expected[..]));
        refused_inside("one more", message.varint(6, 1), ShapeMismatch, "is 105,");
    }
    // A varint does not go on in the next piece.
    let torn = qtensor(&[8], 1).bytes(6, &[0x81]).bytes(6, &[1]);
    refused_inside("torn", torn, Malformed, "ends inside a field");
    // Nor does the message, whose occurrences are merged.
    let first = Message::new().bytes(5, &qtensor(&[8], 2).bytes(6, &[7]).0);
    let merged = Message(blob("QTensor", 5, Message::new().bytes(6, &[9]))).raw(&first.0);
    assert_eq!(QTensor::deserialize(&merged.0).unwrap().data(), Some(&[9, 7][..]));
}

#[test]
fn int8_tensors() {
    let int8 = |zero_point: f64, data_type: u64, data: &[u8]| {
        let head = Message::new().varint(1, 1).varint(2, 8).double(3, 1.0);
        let head = head.double(4, zero_point).varint(5, 0).bytes(6, data);
        if data_type == 0 { head } else { head.varint(8, data_type) }
    };
    for (zero_point, shown) in [
        (0.5, "0.5"),
        (f64::NAN, "NaN"),
        (2f64.powi(31), "2147483648"),
        (-2f64.powi(31) - 1.0, "-2147483649"),
        (f64::INFINITY, "inf"),
    ] {
        refused_int8("zero point", int8(zero_point, 6, &[1]), Malformed, shown);
    }
    let tensor =
        QTensor::deserialize(&blob("Int8TensorCPU", 5, int8(-2f64.powi(31), 6, &[1]))).unwrap();
    assert_eq!(tensor.bias(), 2f64.powi(31));
    refused_int8("byte 256", int8(0.0, 6, &[0x80, 2]), Malformed, "256");
    let minus = Message::new().raw_varint(u64::MAX).0;
    refused_int8("byte -1", int8(0.0, 6, &minus), Malformed, "-1");
    let large = Message::new().raw_varint(1 << 31).0;
    refused_int8("int32 2^31", int8(0.0, 2, &large), Malformed, "2147483648");
    refused_int8("int32 by default", int8(0.0, 0, &large), Malformed, "2147483648");
    // An unknown enumeration value is an absent one: 32-bit integers.
    let unknown = QTensor::deserialize(&blob("Int8TensorCPU", 5, int8(0.0, 99, &minus))).unwrap();
    assert_eq!((unknown.precision(), unknown.is_signed()), (32, true));
    refused_int8("floats", int8(0.0, 1, &[1]), Unsupported, "is 1,");
    refused_int8("two values", int8(0.0, 6, &[1, 1]), ShapeMismatch, "is 2,");
    refused_int8("none", int8(0.0, 6, &[]), ShapeMismatch, "is 0,");
    refused_int8("cut", int8(0.0, 2, &[0x80]), Malformed, "field");
}

#[test]
fn ordinary_tensors() {
    let float = |dims: u64| Message::new().varint(1, dims).varint(2, 1);
    refused_dense("a cut float", float(1).bytes(3, &[0; 5]), Malformed, "multiple");
    refused_dense("two floats", float(1).bytes(3, &[0; 8]), ShapeMismatch, "is 2,");
    refused_dense("2^60", float(1 << 60).bytes(3, &[0; 8]), ShapeMismatch, "1152921504606846976");
    refused_dense("negative", float(u64::MAX), Malformed, "-1");
    let strings = Message::new().varint(1, 1).varint(2, 4).bytes(6, b"text");
    refused_dense("strings", strings, Unsupported, "is 4,");
    let byte = |value| Message::new().varint(1, 1).varint(2, 7).varint(4, value);
    refused_dense("int8 128", byte(128), Malformed, "128");
    let segment = |begin: i64, end: i64| {
        let segment = Message::new().varint(1, begin as u64).varint(2, end as u64);
        float(2).bytes(3, &[0; 8]).bytes(11, &segment.0)
    };
    refused_dense("a chunk", segment(0, 1), Unsupported, "is 1,");
    refused_dense("behind the end", segment(0, 3), Malformed, "3");
    refused_dense("before the start", segment(-1, 1), Malformed, "-1");
    refused_dense("backward", segment(2, 0), Malformed, "2");
    let half = |field| float(0).bytes(11, &Message::new().varint(field, 0).0);
    refused_dense("no end", half(1), Malformed, "'end'");
    refused_dense("no begin", half(2), Malformed, "'begin'");
    let device = float(0).bytes(8, &[0x80]);
    refused_dense("device", device, Malformed, "ends inside a field");
}

/// However they are kept, truth values are 0 or 1 once they are read.
#[test]
fn truth_values() {
    let tensor = || Message::new().varint(1, 3).varint(2, 5);
    let fields = [
        tensor().bytes(4, &[0, 24, 1]),
        tensor().bytes(5, &[0, 24, 1]),
        tensor().bytes(13, &[0, 24, 1]),
    ];
    for message in fields {
        let dense = DenseTensor::deserialize(&blob("Tensor", 3, message)).unwrap();
        assert_eq!(dense.elements(), ElementsRef::Bool(&[0, 1, 1]));
    }
}

/// A blob's other messages are read too, as protobuf does, though nothing is made of them.
#[test]
fn a_malformed_tensor_beside_a_quantized_one() {
    let with = |tensor: &[u8]| Message(blob("QTensor", 5, qtensor(&[], 8))).bytes(3, tensor).0;
    assert!(QTensor::deserialize(&with(&[])).is_ok());
    let cases: [(&str, Vec<u8>); 6] = [
        ("cut", vec![0x08]),
        ("an unknown field", Message::new().tag(40, 6).0),
        ("floats", Message::new().bytes(3, &[0; 3]).0),
        ("integers", Message::new().bytes(4, &[0x80]).0),
        ("device", Message::new().bytes(8, &[0x80]).0),
        ("segment", Message::new().bytes(11, &[]).0),
    ];
    for (what, tensor) in cases {
        let error = QTensor::deserialize(&with(&tensor)).err();
        let words = if what == "segment" { "'begin'" } else { "malformed at byte" };
        check_refused(what, error, Malformed, words);
    }
    // And the other way around.
    let dense = Message(blob("Tensor", 3, Message::new().varint(1, 0)));
    assert!(DenseTensor::deserialize(&dense.0).is_ok());
    let error = DenseTensor::deserialize(&dense.bytes(5, &[8]).0).err();
    check_refused("qtensor", error, Malformed, "QTensorProto");
}

#[test]
fn names_of_any_bytes() {
    for name in [&b"\xFF\xFE/w"[..], b"a\0b", b"\0", b"", "größe".as_bytes(), &[b'n'; 5000]] {
        let tensor = QTensor::with_shape(&[3], 2, false).unwrap();
        let bytes = tensor.to_blob(name).unwrap();
        assert_eq!(peek(&bytes).unwrap().name, name);
        assert_eq!(QTensor::deserialize(&bytes).unwrap().dims(), [3]);
        assert_eq!(peek_proto(&tensor.to_proto(name).unwrap()).unwrap(), name);
    }
}

/// A packed field without values says no more than an absent one.
#[test]
fn an_empty_packed_field_is_none() {
    let tensor = || Message::new().varint(1, 2).varint(2, 6).bytes(13, &[5, 7]);
    for message in [tensor(), tensor().bytes(4, &[]), tensor().bytes(4, &[]).bytes(4, &[])] {
        let dense = DenseTensor::deserialize(&blob("Tensor", 3, message)).unwrap();
        assert_eq!(dense.elements(), ElementsRef::Uint8(&[5, 7]));
    }
}

/// An argument is read as one although nothing asks for its values.
#[test]
fn an_argument_that_is_no_message_is_refused() {
    let net = |floats: &[u8]| {
        let argument = Message::new().bytes(1, b"other").bytes(5, floats);
        let operator = Message::new().bytes(4, b"ConstantFill").bytes(5, &argument.0);
        Message::new().bytes(2, &operator.0).0
    };
    assert_eq!(caffe2_qtensor::net::Net::of(&net(&[0; 8])).unwrap().fills().len(), 1);
    let error = caffe2_qtensor::net::Net::of(&net(&[0; 7])).err();
    check_refused("packed floats cut", error, Malformed, "multiple");
}
