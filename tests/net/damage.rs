//! Networks that claim what is not there, that end early, and that nothing can be read of.

use crate::message::Message;
use crate::{argument, floats, ints, load, network, shape, wrapped};
use caffe2_qtensor::net::Net;
use caffe2_qtensor::{ErrorKind, minidb::Value};

fn check(bytes: &[u8], kind: ErrorKind, words: &str) {
    let Err(error) = load(bytes) else { panic!("{words}: it was read") };
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn claims_that_do_not_hold() {
    use ErrorKind::{Malformed, Overflow, ShapeMismatch, Unsupported};
    let given = |arguments: &[Message]| network("GivenTensorFill", arguments);
    let two = || floats(&[1.0, 2.0]);
    let dtype = |number: u64| argument("dtype").varint(3, number);
    let many: Vec<i64> = vec![1; 65];
    let cases: Vec<(Vec<u8>, ErrorKind, &str)> = vec![
        (given(&[shape(&[1]), two()]), ShapeMismatch, "number of values is 2, but it must be 1"),
        (given(&[shape(&[3]), two()]), ShapeMismatch, "number of values is 2, but it must be 3"),
        (given(&[shape(&[1 << 60]), two()]), ShapeMismatch, "can hold is"),
        (given(&[shape(&[1 << 40, 1 << 40]), two()]), Overflow, "number of elements"),
        (given(&[shape(&[-1]), two()]), Malformed, "'dims' holds -1"),
        (given(&[shape(&many), floats(&[1.0])]), Unsupported, "number of dimensions is 65"),
        (given(&[shape(&[2])]), Malformed, "no field 'arg 'values''"),
        (given(&[shape(&[2]), two(), dtype(12)]), Unsupported, "element type is 12"),
        (given(&[shape(&[2]), two(), dtype(99)]), Malformed, "'arg 'dtype'' holds 99"),
        (given(&[shape(&[2]), two(), argument("extra_shape")]), Unsupported, "number of inputs"),
        (
            network("GivenTensorIntFill", &[shape(&[1]), ints(&[1 << 40])]),
            Malformed,
            "'ints' holds 1099511627776",
        ),
        (
            network("ConstantFill", &[shape(&[1 << 40])]),
            Overflow,
            "size of a constant tensor in bytes would be larger than its limit of 2147483647",
        ),
        (
            network("Int8GivenTensorFill", &[shape(&[9]), argument("values").bytes(4, b"ab")]),
            ShapeMismatch,
            "number of values is 2, but it must be 9",
        ),
        (
            network(
                "Int8GivenTensorFill",
                &[
                    shape(&[2]),
                    argument("values").bytes(4, b"ab"),
                    argument("Y_zero_point").varint(3, 1 << 40),
                ],
            ),
            Malformed,
            "'arg 'Y_zero_point'' holds 1099511627776; it must be a 32-bit integer",
        ),
        (network("XavierFill", &[shape(&[2])]), Unsupported, "operator is 'XavierFill'"),
        (network("", &[]), Unsupported, "type of the operator is ''"),
    ];
    for (bytes, kind, words) in cases {
        check(&bytes, kind, words);
    }
    let operator = Message::new().bytes(4, b"GivenTensorFill").bytes(5, &two().0);
    let operator = operator.bytes(5, &shape(&[2]).0);
    check(&wrapped(operator.clone()), Unsupported, "number of outputs of the operator is 0");
    let operator = operator.bytes(2, b"y").bytes(1, b"x");
    check(&wrapped(operator), Unsupported, "number of inputs of the operator is 1");
}

#[test]
fn a_damaged_operator_is_no_network() {
    let twice = network("ConstantFill", &[shape(&[1]), shape(&[1])]);
    check(&twice, ErrorKind::Malformed, "an operator has an argument twice");
    let open = argument("values").tag(9, 3);
    check(&network("GivenTensorFill", &[open]), ErrorKind::Malformed, "it ends inside a field");
    let odd = argument("values").bytes(5, &[0; 7]);
    let bytes = network("GivenTensorFill", &[shape(&[1]), odd]);
    check(&bytes, ErrorKind::Malformed, "no multiple of its values'");
    // Groups in groups end the walk, and networks in arguments are not entered.
    let deep = Message::new().groups(101);
    check(&wrapped(deep), ErrorKind::Malformed, "groups are nested too deep");
    let nets = (0..2000).fold(Message::new(), |net, _| {
        let inside = Message::new().bytes(8, &net.0);
        Message::new().bytes(2, &Message::new().bytes(5, &inside.0).0)
    });
    assert_eq!(load(&nets.0).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn every_cut_and_every_changed_byte_is_refused_or_read() {
    let scale = argument("Y_scale").tag(2, 5).raw(&0.5f32.to_le_bytes());
    let whole = [
        network("GivenTensorFill", &[shape(&[3]), floats(&[1.0, 2.0, 3.0])]),
        network("GivenTensorIntFill", &[shape(&[3]), ints(&[1, 200, -3])]),
        network("Int8GivenTensorFill", &[shape(&[2]), argument("values").bytes(4, b"ab"), scale]),
        network("ConstantFill", &[shape(&[2, 2])]),
    ];
    for bytes in &whole {
        // The name of an output stands last.
        let end = bytes.len() - 3;
        for length in 6..end {
            assert!(Net::of(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        }
        for place in 0..end {
            for change in 1..=255 {
                let mut changed = bytes.clone();
                changed[place] ^= change;
                let Ok(net) = Net::of(&changed) else { continue };
                for fill in net.fills() {
                    let huge = fill.dims().iter().any(|dim| *dim > 1 << 20);
                    if huge && !fill.is_written_out() {
                        continue;
                    }
                    if let Ok(Value::Dense(tensor)) = net.load(fill) {
                        assert_eq!(tensor.dims(), fill.dims());
                    }
                }
            }
        }
    }
}
