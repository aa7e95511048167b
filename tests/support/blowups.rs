//! Inputs that a careless parser would take too much time or memory for: `n` small things each.

use crate::message::{Message, blob, qtensor, record};

/// An input and what it is.
pub(crate) type Input = (&'static str, Vec<u8>);

fn repeated(part: Message, n: usize) -> Message {
    Message(part.0.repeat(n))
}

fn tensor(elements: usize, data_type: u64) -> Message {
    Message::new().varint(1, elements as u64).varint(2, data_type)
}

fn segment(begin: usize, end: usize) -> Message {
    Message::new().varint(1, begin as u64).varint(2, end as u64)
}

/// Blobs.
pub(crate) fn messages(n: usize) -> Vec<Input> {
    let empty = || qtensor(&[], 0);
    let quantized = |message: Message| blob("QTensor", 5, message);
    let one = |field: u32, message: &Message| repeated(Message::new().bytes(field, &message.0), n);
    let typed = |kind: &str, rest: Message| Message::new().bytes(2, kind.as_bytes()).raw(&rest.0).0;
    let piece = qtensor(&[n as i64], 1).varint(6, 1);
    let pieces_of_int8 =
        qtensor(&[n as i64], 8).varint(8, 2).raw(&repeated(Message::new().varint(6, 1), n).0);
    let pieces = repeated(Message::new().varint(10, 1), n);
    let one_each = one(3, &Message::new().varint(10, 1));
    vec![
        ("smallest messages", typed("QTensor", one(5, &Message::new()))),
        ("whole messages", typed("QTensor", one(5, &empty()))),
        ("smallest tensors", typed("Tensor", one(3, &Message::new()))),
        ("segments", typed("Tensor", one(3, &Message::new().bytes(11, &segment(0, 1).0)))),
        ("devices", typed("Tensor", one(3, &Message::new().bytes(8, &[])))),
        ("names", repeated(Message::new().bytes(1, b"w"), n).raw(&quantized(empty())).0),
        ("types", repeated(Message::new().bytes(2, b"QTensor"), n).raw(&quantized(empty())).0),
        ("names inside", quantized(empty().raw(&repeated(Message::new().bytes(7, b"w"), n).0))),
        ("dimensions", quantized(empty().raw(&repeated(Message::new().varint(1, 1), n).0))),
        ("packed dimensions", quantized(empty().bytes(1, &vec![1; n]))),
        ("empty dimensions", quantized(empty().raw(&repeated(Message::new().bytes(1, &[]), n).0))),
        ("empty data", quantized(empty().raw(&repeated(Message::new().bytes(6, &[]), n).0))),
        ("empty scales", quantized(empty().raw(&repeated(Message::new().bytes(9, &[]), n).0))),
        ("scales", quantized(empty().raw(&repeated(Message::new().double(9, 1.0), n).0))),
        ("packed biases", quantized(empty().bytes(10, &vec![0; 8 * n]))),
        (
            "data in pieces",
            quantized(qtensor(&[8 * n as i64], 1).raw(&repeated(Message::new().varint(6, 1), n).0)),
        ),
        (
            "too much data",
            quantized(qtensor(&[1], 1).raw(&repeated(Message::new().varint(6, 1), n).0)),
        ),
        ("messages with data", typed("QTensor", one(5, &piece))),
        ("int8 in pieces", blob("Int8TensorCPU", 5, pieces_of_int8)),
        ("int64 in pieces", blob("Tensor", 3, tensor(n, 10).raw(&pieces.0))),
        (
            "int64 in messages",
            typed("Tensor", Message::new().bytes(3, &tensor(n, 10).0).raw(&one_each.0)),
        ),
        ("int64", blob("Tensor", 3, tensor(n, 10).bytes(10, &vec![1; n]))),
        (
            "int32 of int8",
            blob("Int8TensorCPU", 5, qtensor(&[n as i64], 8).varint(8, 2).bytes(6, &vec![1; n])),
        ),
        ("unknown fields", repeated(Message::new().varint(40, 1), n).raw(&quantized(empty())).0),
        ("unknown messages", repeated(Message::new().bytes(40, &[]), n).raw(&quantized(empty())).0),
        ("groups", repeated(Message::new().groups(1), n).raw(&quantized(empty())).0),
        ("deep groups", repeated(Message::new().groups(100), n / 16).raw(&quantized(empty())).0),
        ("groups too deep", Message::new().groups(n + 100).0),
        ("groups without end", repeated(Message::new().tag(30, 3), n).0),
    ]
}

/// Databases.
pub(crate) fn databases(n: usize) -> Vec<Input> {
    let chunk = |begin: usize, end: usize| {
        let tensor = tensor(n, 10).bytes(10, &vec![1; end - begin]);
        blob("Tensor", 3, tensor.bytes(11, &segment(begin, end).0))
    };
    let chunks = |order: &mut dyn Iterator<Item = usize>| -> Vec<u8> {
        order.flat_map(|k| record(b"w#%0", &chunk(k, k + 1))).collect()
    };
    let float = |begin: usize| {
        let tensor = tensor(n, 1).bytes(3, &[0; 4]).bytes(11, &segment(begin, begin + 1).0);
        blob("Tensor", 3, tensor)
    };
    let each = |value: &[u8]| -> Vec<u8> {
        (0..n).flat_map(|k| record(format!("{k:04x}").as_bytes(), value)).collect()
    };
    let nested = Message::new().groups(100);
    vec![
        ("smallest records", record(b"w", &[8, 0]).repeat(n)),
        ("smallest chunks", record(b"w", b"\x12\x06Tensor\x1a\x00").repeat(n)),
        ("records of one name", record(b"w", &blob("QTensor", 5, qtensor(&[1], 0))).repeat(n)),
        ("names", each(&blob("QTensor", 5, qtensor(&[1], 0)))),
        ("tensors", each(&blob("Tensor", 3, tensor(1, 6).bytes(4, &[1])))),
        ("chunks of an element", chunks(&mut (0..n))),
        ("chunks backward", chunks(&mut (0..n).rev())),
        ("chunks of a float", (0..n).flat_map(|k| record(b"w#%0", &float(k))).collect()),
        ("empty chunks", (0..n).flat_map(|_| record(b"w#%1", &chunk(0, 0))).collect()),
        ("damaged records", record(b"w", &[0x0a, 0x7f]).repeat(n)),
        ("a long key", record(&vec![b'k'; 16 * n], &[8, 0])),
        ("a long type", record(b"w", &Message::new().bytes(2, &vec![b't'; 16 * n]).0)),
        ("long types", record(b"w", &Message::new().bytes(2, &[b't'; 600]).0).repeat(n / 16)),
        ("groups", record(b"w", &repeated(nested, n / 16).0)),
        ("types", record(b"w", &repeated(Message::new().bytes(2, b"Tensor"), n).0)),
    ]
}

/// Networks.
pub(crate) fn networks(n: usize) -> Vec<Input> {
    let operator = |rest: &Message| {
        Message::new().bytes(2, &Message::new().bytes(4, b"GivenTensorFill").raw(&rest.0).0)
    };
    let argument = |name: &[u8], rest: &Message| {
        Message::new().bytes(5, &Message::new().bytes(1, name).raw(&rest.0).0)
    };
    let shape = argument(b"shape", &Message::new().varint(6, n as u64));
    let floats = repeated(Message::new().tag(5, 5).raw(&[0; 4]), n);
    let packed = Message::new().bytes(5, &vec![0; 4 * n]);
    let whole = |values: &Message| {
        let named = Message::new().bytes(2, b"w").raw(&shape.0);
        operator(&named.raw(&argument(b"values", values).0)).0
    };
    let ints = argument(b"other", &Message::new().bytes(6, &[1; 33]));
    vec![
        ("smallest operators", repeated(Message::new().bytes(2, &[]), n).0),
        ("operators", repeated(operator(&Message::new()), n).0),
        ("smallest arguments", operator(&repeated(Message::new().bytes(5, &[]), n)).0),
        ("arguments of one name", operator(&repeated(argument(b"other", &Message::new()), n)).0),
        ("operators with arguments", repeated(operator(&shape), n).0),
        ("integers in arguments", operator(&repeated(ints, n)).0),
        ("dimensions", operator(&argument(b"shape", &Message::new().bytes(6, &vec![1; n]))).0),
        ("values", whole(&floats)),
        ("packed values", whole(&packed)),
        ("empty values", whole(&repeated(Message::new().bytes(5, &[]), n))),
        ("outputs", operator(&repeated(Message::new().bytes(2, b"w"), n)).0),
        ("inputs", operator(&repeated(Message::new().bytes(1, b"w"), n)).0),
        ("types", operator(&repeated(Message::new().bytes(4, b"type"), n)).0),
        (
            "argument names",
            operator(&argument(b"w", &repeated(Message::new().bytes(1, b"shape"), n))).0,
        ),
        ("unknown fields", repeated(Message::new().varint(40, 1), n).0),
        ("groups", repeated(Message::new().groups(99), n / 16).0),
    ]
}
