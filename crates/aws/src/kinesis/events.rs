//! Events in the frames of `application/vnd.amazon.eventstream`: lengths, headers, payload, and a checksum over each.

use bytes::{BufMut, Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, checksum};

/// The type of a header whose value is a text.
const TEXT: u8 = 7;

/// What is said beside a payload.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// Something that happened, of that type.
    Event(&'a str),
    /// An error of that code; it is the last message.
    Exception(&'a str),
}

/// A message.
pub(super) fn frame(kind: Kind<'_>, content_type: &str, payload: &[u8]) -> Bytes {
    let (message, name, value) = match kind {
        Kind::Event(event) => ("event", ":event-type", event),
        Kind::Exception(code) => ("exception", ":exception-type", code),
    };
    let mut headers = BytesMut::new();
    for (name, value) in [(":message-type", message), (name, value), (":content-type", content_type)] {
        headers.put_u8(name.len() as u8);
        headers.put_slice(name.as_bytes());
        headers.put_u8(TEXT);
        headers.put_u16(value.len() as u16);
        headers.put_slice(value.as_bytes());
    }
    let length = 12 + headers.len() + payload.len() + 4;
    let mut frame = BytesMut::with_capacity(length);
    frame.put_u32(length as u32);
    frame.put_u32(headers.len() as u32);
    frame.put_u32(crc(&frame));
    frame.put_slice(&headers);
    frame.put_slice(payload);
    frame.put_u32(crc(&frame));
    frame.freeze()
}

fn crc(bytes: &[u8]) -> u32 {
    checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame() {
        let frame = frame(Kind::Event("initial-response"), "application/json", b"{}");
        // Computed with Python's zlib over the published layout.
        let head = u32::from_be_bytes(frame[0..4].try_into().unwrap()) as usize;
        assert_eq!(head, frame.len());
        assert_eq!(&frame[12..26], b"\x0d:message-type");
        assert_eq!(&frame[26..34], b"\x07\x00\x05event");
        assert!(frame.windows(2).any(|w| w == b"{}"));
        assert_eq!(frame[8..12], crc(&frame[..8]).to_be_bytes());
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    }
}
