//! Messages of Protocol Buffers, as trees of numbered and named fields, and their two encodings: the binary one and
//! OTLP's JSON (ids in hexadecimal digits, whole numbers of 64 bits as texts, enumerations as numbers).
//!
//! Both are made from one tree, so they cannot say different things.

use serde_json::{Map, Value};

/// A message, as it grows. Fields that hold what the format takes for granted are left out.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Message(Vec<(u32, &'static str, Field)>);

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Text(String),
    Id(Vec<u8>),
    Fixed(u64),
    SignedFixed(i64),
    Whole(i64),
    Choice(u32),
    Real(f64),
    Switch(bool),
    One(Message),
    Many(Vec<Message>),
    FixedList(Vec<u64>),
    RealList(Vec<f64>),
}

impl Message {
    fn with(mut self, number: u32, name: &'static str, field: Field) -> Self {
        self.0.push((number, name, field));
        self
    }

    /// A `string`; nothing where it is empty.
    pub(crate) fn text(self, number: u32, name: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { self } else { self.with(number, name, Field::Text(text)) }
    }

    /// A `string` that is one of several fields: also where it is empty.
    pub(crate) fn chosen_text(self, number: u32, name: &'static str, text: impl Into<String>) -> Self {
        self.with(number, name, Field::Text(text.into()))
    }

    /// The id of a trace or span, of type `bytes`.
    pub(crate) fn id(self, number: u32, name: &'static str, id: &[u8]) -> Self {
        self.with(number, name, Field::Id(id.to_vec()))
    }

    /// A `fixed64`.
    pub(crate) fn fixed(self, number: u32, name: &'static str, value: u64) -> Self {
        self.with(number, name, Field::Fixed(value))
    }

    /// An `sfixed64`.
    pub(crate) fn signed_fixed(self, number: u32, name: &'static str, value: i64) -> Self {
        self.with(number, name, Field::SignedFixed(value))
    }

    /// An `int64`.
    pub(crate) fn whole(self, number: u32, name: &'static str, value: i64) -> Self {
        self.with(number, name, Field::Whole(value))
    }

    /// A value of an enumeration.
    pub(crate) fn choice(self, number: u32, name: &'static str, value: u32) -> Self {
        self.with(number, name, Field::Choice(value))
    }

    /// A `double`.
    pub(crate) fn real(self, number: u32, name: &'static str, value: f64) -> Self {
        self.with(number, name, Field::Real(value))
    }

    /// A `bool`.
    pub(crate) fn switch(self, number: u32, name: &'static str, value: bool) -> Self {
        self.with(number, name, Field::Switch(value))
    }

    /// A message within.
    pub(crate) fn one(self, number: u32, name: &'static str, message: Message) -> Self {
        self.with(number, name, Field::One(message))
    }

    /// Messages within.
    pub(crate) fn many(self, number: u32, name: &'static str, messages: Vec<Message>) -> Self {
        if messages.is_empty() { self } else { self.with(number, name, Field::Many(messages)) }
    }

    /// A list of `fixed64`.
    pub(crate) fn fixed_list(self, number: u32, name: &'static str, values: Vec<u64>) -> Self {
        if values.is_empty() { self } else { self.with(number, name, Field::FixedList(values)) }
    }

    /// A list of `double`.
    pub(crate) fn real_list(self, number: u32, name: &'static str, values: Vec<f64>) -> Self {
        if values.is_empty() { self } else { self.with(number, name, Field::RealList(values)) }
    }

    /// The binary encoding.
    pub(crate) fn to_protobuf(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, _, field) in &self.0 {
            field.write(*number, &mut out);
        }
        out
    }

    /// OTLP's JSON.
    pub(crate) fn to_json(&self) -> Value {
        let fields = self.0.iter().map(|(_, name, field)| ((*name).to_owned(), field.json()));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

const VARINT: u32 = 0;
const EIGHT_BYTES: u32 = 1;
const LENGTH_FIRST: u32 = 2;

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_tag(number: u32, kind: u32, out: &mut Vec<u8>) {
    put_varint(u64::from(number << 3 | kind), out);
}

fn put_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    put_tag(number, LENGTH_FIRST, out);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

impl Field {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => put_bytes(number, text.as_bytes(), out),
            Self::Id(id) => put_bytes(number, id, out),
            Self::Fixed(value) => {
                put_tag(number, EIGHT_BYTES, out);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Self::SignedFixed(value) => {
                put_tag(number, EIGHT_BYTES, out);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Self::Real(value) => {
                put_tag(number, EIGHT_BYTES, out);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Self::Whole(value) => {
                put_tag(number, VARINT, out);
                put_varint(value.cast_unsigned(), out);
            }
            Self::Choice(value) => {
                put_tag(number, VARINT, out);
                put_varint(u64::from(*value), out);
            }
            Self::Switch(value) => {
                put_tag(number, VARINT, out);
                put_varint(u64::from(*value), out);
            }
            Self::One(message) => put_bytes(number, &message.to_protobuf(), out),
            Self::Many(messages) => {
                messages.iter().for_each(|message| put_bytes(number, &message.to_protobuf(), out));
            }
            Self::FixedList(values) => {
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                put_bytes(number, &bytes, out);
            }
            Self::RealList(values) => {
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                put_bytes(number, &bytes, out);
            }
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Id(id) => hex::encode(id).into(),
            Self::Fixed(value) => value.to_string().into(),
            Self::SignedFixed(value) | Self::Whole(value) => value.to_string().into(),
            Self::Choice(value) => (*value).into(),
            Self::Real(value) => real(*value),
            Self::Switch(value) => (*value).into(),
            Self::One(message) => message.to_json(),
            Self::Many(messages) => messages.iter().map(Message::to_json).collect(),
            Self::FixedList(values) => values.iter().map(ToString::to_string).collect(),
            Self::RealList(values) => values.iter().map(|value| real(*value)).collect(),
        }
    }
}

/// JSON has no number for these.
fn real(value: f64) -> Value {
    match value {
        value if value.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        value => value.into(),
    }
}

/// The fields of a message in the binary encoding; none where it is no message. Fields of other types than
/// [`Found`] has are passed over.
pub(crate) fn fields(mut bytes: &[u8]) -> Option<Vec<(u32, Found<'_>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let number = u32::try_from(tag >> 3).ok()?;
        match tag & 7 {
            0 => found.push((number, Found::Whole(varint(&mut bytes)?))),
            1 => bytes = bytes.get(8..)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                found.push((number, Found::Bytes(bytes.get(..length)?)));
                bytes = bytes.get(length..)?;
            }
            5 => bytes = bytes.get(4..)?,
            _ => return None,
        }
    }
    Some(found)
}

/// A field that was read.
#[derive(Debug, PartialEq)]
pub(crate) enum Found<'a> {
    /// A number of variable length.
    Whole(u64),
    /// A text, bytes, or a message.
    Bytes(&'a [u8]),
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample() -> Message {
        Message::default()
            .text(1, "name", "ab")
            .text(2, "left", "")
            .chosen_text(3, "empty", "")
            .id(4, "spanId", &[0xab, 0x01])
            .fixed(5, "time", 1)
            .signed_fixed(6, "asInt", -2)
            .whole(7, "intValue", -1)
            .choice(8, "kind", 300)
            .real(9, "sum", 0.5)
            .switch(16, "flag", true)
            .one(17, "one", Message::default())
            .many(18, "many", vec![Message::default().switch(1, "x", false)])
            .fixed_list(19, "counts", vec![2])
            .real_list(20, "bounds", vec![f64::INFINITY])
    }

    #[test]
    fn the_binary_encoding_is_that_of_protocol_buffers() {
        let expected = concat!(
            "0a026162",
            "1a00",
            "2202ab01",
            "290100000000000000",
            "31feffffffffffffff",
            "38ffffffffffffffffff01",
            "40ac02",
            "49000000000000e03f",
            "800101",
            "8a0100",
            "9201020800",
            "9a01080200000000000000",
            "a20108000000000000f07f"
        );
        assert_eq!(hex::encode(sample().to_protobuf()), expected);
    }

    #[test]
    fn json_is_that_of_the_protocol() {
        let expected = json!({
            "name": "ab", "empty": "", "spanId": "ab01", "time": "1", "asInt": "-2", "intValue": "-1", "kind": 300,
            "sum": 0.5, "flag": true, "one": {}, "many": [{ "x": false }], "counts": ["2"], "bounds": ["Infinity"]
        });
        assert_eq!(sample().to_json(), expected);
    }

    #[test]
    fn what_is_read_is_what_was_written_and_nothing_panics() {
        let bytes = Message::default().whole(1, "a", 7).fixed(3, "c", 1).text(2, "b", "why").to_protobuf();
        assert_eq!(fields(&bytes), Some(vec![(1, Found::Whole(7)), (2, Found::Bytes(b"why"))]));
        for end in 1..bytes.len() {
            // Cut anywhere, it is read up to there or refused.
            let _ = fields(&bytes[..end]);
        }
        assert_eq!(fields(&[0x08]), None);
        assert_eq!(fields(&[0x12, 0xff, 0x01]), None);
        assert_eq!(fields(&[0xff; 20]), None);
        assert_eq!(fields(&[]), Some(Vec::new()));
    }
}
