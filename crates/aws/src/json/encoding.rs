//! The two ways in which a request of a JSON service may be written: as JSON, or as the same members in CBOR, which
//! clients in Java take for Kinesis. An answer is written as its request was.

use super::fields;
use crate::fault::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use ciborium::tag::Required;
use http::{HeaderMap, HeaderValue};
use model::{Error, Result as OurResult};
use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

const CBOR: &str = "application/x-amz-cbor-1.1";

/// How a request and its answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// As text; bytes are base64, times are seconds.
    #[default]
    Json,
    /// In binary; bytes are bytes, times are milliseconds.
    Cbor,
}

impl Encoding {
    /// That of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        match kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(CBOR)) {
            true => Self::Cbor,
            false => Self::Json,
        }
    }

    /// What an answer's `content-type` says; `json` is that of the service.
    pub(crate) fn content_type(self, json: &'static str) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => json,
            Self::Cbor => CBOR,
        })
    }

    /// Reads a request; what is wrong names its field.
    pub(super) fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, Fault> {
        match self {
            Self::Json => fields::read(body),
            Self::Cbor => {
                // An empty map where there is nothing to say.
                let body = if body.is_empty() { &[0xa0][..] } else { body };
                ciborium::from_reader(body).map_err(|error| match error {
                    ciborium::de::Error::Semantic(_, text) => fields::wrong(&text, "the request"),
                    other => Fault::bad("SerializationException", format!("the request is no CBOR: {other}")),
                })
            }
        }
    }

    /// Writes an answer.
    pub(crate) fn write<T: Serialize>(self, value: &T) -> OurResult<Vec<u8>> {
        match self {
            Self::Json => serde_json::to_vec(value)
                .map_err(|e| Error::internal("an answer cannot be written as JSON").source_is(e)),
            Self::Cbor => {
                let mut bytes = Vec::new();
                ciborium::into_writer(value, &mut bytes)
                    .map_err(|e| Error::internal("an answer cannot be written as CBOR").source_is(e))?;
                Ok(bytes)
            }
        }
    }
}

/// Bytes of a request or an answer: base64 in JSON, themselves in CBOR.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Blob(pub(crate) Bytes);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.serialize_str(&base64_simd::STANDARD.encode_to_string(&self.0)),
            false => serializer.serialize_bytes(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_str(BlobVisitor),
            false => deserializer.deserialize_byte_buf(BlobVisitor),
        }
    }
}

struct BlobVisitor;

impl Visitor<'_> for BlobVisitor {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes (in JSON: as base64)")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
        if let Ok(bytes) = base64_simd::STANDARD.decode_to_vec(text) {
            return Ok(Blob(bytes.into()));
        }
        // The plain decoder says what is wrong, and where.
        STANDARD
            .decode(text)
            .map(|bytes| Blob(bytes.into()))
            .map_err(|e| E::custom(format!("no base64: {e}")))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(Blob(Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
        Ok(Blob(bytes.into()))
    }
}

/// What is shown as its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A time of a request or an answer: seconds with fractions in JSON, milliseconds in CBOR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) DateTime<Utc>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => super::epoch(&self.0, serializer),
            false => Required::<i64, 1>(self.0.timestamp_millis()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millis = match deserializer.is_human_readable() {
            true => {
                let seconds = f64::deserialize(deserializer)?;
                #[allow(clippy::cast_possible_truncation, reason = "what does not fit is no time, see below")]
                let millis = (seconds * 1000.0).round() as i64;
                millis
            }
            false => i64::deserialize(deserializer)?,
        };
        DateTime::from_timestamp_millis(millis)
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("{millis} is no time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Ask {
        name: String,
        data: Blob,
        when: Option<Moment>,
        #[serde(default)]
        tags: BTreeMap<String, String>,
    }

    fn ask(size: usize) -> Ask {
        let data = Blob((0..size).map(|n| n as u8).collect::<Vec<_>>().into());
        let when = DateTime::from_timestamp_millis(1_600_000_000_123).map(Moment);
        Ask { name: "Ä".into(), data, when, tags: BTreeMap::from([("k".into(), "v".into())]) }
    }

    #[test]
    fn both_ways_say_the_same() {
        for size in [0, 1, 2, 3, 5000, 1 << 20] {
            for encoding in [Encoding::Json, Encoding::Cbor] {
                let bytes = encoding.write(&ask(size)).unwrap();
                assert_eq!(encoding.read::<Ask>(&bytes).unwrap(), ask(size), "{encoding:?} {size}");
            }
        }
        let text = String::from_utf8(Encoding::Json.write(&ask(3)).unwrap()).unwrap();
        assert_eq!(text, r#"{"Name":"Ä","Data":"AAEC","When":1600000000.123,"Tags":{"k":"v"}}"#);
    }

    #[test]
    fn cbor_as_others_write_it() {
        // As Jackson does: a map without a length, a time with tag 1, members that nobody knows.
        let mut bytes = vec![0xbf];
        for (name, value) in [
            ("Name", &b"\x61a"[..]),
            ("Data", b"\x5f\x42\x01\x02\x41\x03\xff"),
            ("When", b"\xc1\x1b\x00\x00\x01\x74\x87\x6e\x80\x7b"),
            ("Other", b"\x82\xf6\xa1\x61x\xf5"),
        ] {
            bytes.push(0x60 + name.len() as u8);
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(value);
        }
        bytes.push(0xff);
        let read: Ask = Encoding::Cbor.read(&bytes).unwrap();
        assert_eq!((read.name.as_str(), &read.data.0[..]), ("a", &[1, 2, 3][..]));
        assert_eq!(read.when.map(|when| when.0.timestamp_millis()), Some(0x0174_876e_807b));
        let written = Encoding::Cbor.write(&ask(1)).unwrap();
        assert!(written.windows(3).any(|w| w == b"\xc1\x1b\x00"), "times have their tag: {written:x?}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (encoding, body, code) in [
            (Encoding::Cbor, &b"\xa0"[..], "ValidationException"),
            (Encoding::Cbor, b"", "ValidationException"),
            (Encoding::Cbor, b"\xbf\x64", "SerializationException"),
            (Encoding::Cbor, b"\xa1\x64Name\x01", "SerializationException"),
            (Encoding::Json, br#"{"Name": "x", "Data": "?"}"#, "SerializationException"),
            (Encoding::Json, br#"{"Name": "x"}"#, "ValidationException"),
            (Encoding::Json, br#"{"Name": "x", "Data": "", "When": 1e300}"#, "SerializationException"),
        ] {
            let fault = encoding.read::<Ask>(body).unwrap_err();
            assert_eq!(fault.code, code, "{encoding:?} {}: {}", String::from_utf8_lossy(body), fault.message);
        }
        let hostile = [&[0x81; 100_000][..], &[0x80]].concat();
        assert!(Encoding::Cbor.read::<Ask>(&hostile).is_err());
    }
}
