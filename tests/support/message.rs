//! Messages written field by field, right or wrong.

/// The bytes of a message under construction.
#[derive(Clone, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn new() -> Message {
        Message::default()
    }

    /// A varint without a tag.
    pub(crate) fn raw_varint(mut self, mut value: u64) -> Message {
        while value >= 128 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Message {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn tag(self, number: u32, wire_type: u32) -> Message {
        self.raw_varint(u64::from(number) << 3 | u64::from(wire_type))
    }

    pub(crate) fn varint(self, number: u32, value: u64) -> Message {
        self.tag(number, 0).raw_varint(value)
    }

    pub(crate) fn double(self, number: u32, value: f64) -> Message {
        self.tag(number, 1).raw(&value.to_le_bytes())
    }

    pub(crate) fn bytes(self, number: u32, bytes: &[u8]) -> Message {
        self.tag(number, 2).raw_varint(bytes.len() as u64).raw(bytes)
    }

    /// Groups inside one another.
    pub(crate) fn groups(mut self, depth: usize) -> Message {
        for _ in 0..depth {
            self = self.tag(30, 3);
        }
        for _ in 0..depth {
            self = self.tag(30, 4);
        }
        self
    }
}

/// A QTensorProto with these dimensions and its required fields, but for the data.
pub(crate) fn qtensor(dims: &[i64], precision: u64) -> Message {
    let message = dims.iter().fold(Message::new(), |message, dim| message.varint(1, *dim as u64));
    message.varint(2, precision).double(3, 1.0).double(4, 0.0).varint(5, 0)
}

/// A BlobProto of this type around a message that is its field `number`.
pub(crate) fn blob(kind: &str, number: u32, message: Message) -> Vec<u8> {
    Message::new().bytes(1, b"w").bytes(2, kind.as_bytes()).bytes(number, &message.0).0
}

/// A record of a database.
pub(crate) fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut record = (key.len() as i32).to_le_bytes().to_vec();
    record.extend_from_slice(&(value.len() as i32).to_le_bytes());
    record.extend_from_slice(key);
    record.extend_from_slice(value);
    record
}
