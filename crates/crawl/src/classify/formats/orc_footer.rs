//! The tail of an ORC file: postscript and footer are protocol buffers, of which only the types and the row count are
//! decoded.

use model::{Error, Result};
use std::io::Read;

/// A decompressed footer larger than this is a bomb.
pub(super) const MOST_FOOTER: usize = 32 << 20;
/// Writers use blocks of 64 kB to 1 MB; the postscript may claim up to this.
const MAX_BLOCK: usize = 16 << 20;

/// What the postscript says about the footer.
#[derive(Debug, Default)]
pub(super) struct Postscript {
    pub(super) footer_length: u64,
    compression: u64,
    block_size: usize,
}

/// One entry of the flat list of types.
#[derive(Debug, Default)]
pub(super) struct OrcType {
    pub(super) kind: u64,
    pub(super) children: Vec<u64>,
    pub(super) names: Vec<String>,
    pub(super) length: u64,
    pub(super) precision: u64,
    pub(super) scale: u64,
}

/// The decoded footer.
#[derive(Debug, Default)]
pub(super) struct Footer {
    pub(super) types: Vec<OrcType>,
    pub(super) rows: Option<u64>,
}

pub(super) fn broken(why: impl Into<String>) -> Error {
    Error::corrupt("the ORC footer is broken")
        .why(why)
        .hint("the file was probably cut short while it was written or copied; write it again, or exclude it")
}

impl Postscript {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut found = Self { block_size: 256 << 10, ..Self::default() };
        let mut magic = false;
        let mut fields = Fields { bytes };
        while let Some((id, value)) = fields.next()? {
            match (id, value) {
                (1, Value::Number(n)) => found.footer_length = n,
                (2, Value::Number(n)) => found.compression = n,
                (3, Value::Number(n)) => {
                    found.block_size = usize::try_from(n).unwrap_or(usize::MAX).min(MAX_BLOCK);
                }
                (8000, Value::Bytes(text)) => magic = text == b"ORC",
                _ => {}
            }
        }
        if magic { Ok(found) } else { Err(broken("its postscript lacks the mark `ORC`")) }
    }

    /// The footer's bytes, decompressed.
    pub(super) fn decompress(&self, footer: &[u8]) -> Result<Vec<u8>> {
        if self.compression == 0 {
            return Ok(footer.to_vec());
        }
        let mut rest = footer;
        let mut bytes = Vec::new();
        while let [a, b, c, after @ ..] = rest {
            let head = usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16;
            let (chunk, next) =
                after.split_at_checked(head >> 1).ok_or_else(|| broken("a compressed block is cut short"))?;
            if head & 1 == 1 {
                bytes.extend_from_slice(chunk);
            } else {
                self.decompress_chunk(chunk, &mut bytes)?;
            }
            if bytes.len() > MOST_FOOTER {
                return Err(broken("it decompresses to more than 32 MiB"));
            }
            rest = next;
        }
        Ok(bytes)
    }

    fn decompress_chunk(&self, chunk: &[u8], bytes: &mut Vec<u8>) -> Result<()> {
        let no = |e: &dyn std::fmt::Display| broken(format!("a block does not decompress: {e}"));
        let most = self.block_size as u64;
        match self.compression {
            1 => {
                flate2::read::DeflateDecoder::new(chunk).take(most).read_to_end(bytes).map_err(|e| no(&e))?;
            }
            2 => {
                let length = snap::raw::decompress_len(chunk).map_err(|e| no(&e))?;
                if length > self.block_size {
                    return Err(broken("a block claims to be larger than the file's block size"));
                }
                bytes.extend(snap::raw::Decoder::new().decompress_vec(chunk).map_err(|e| no(&e))?);
            }
            4 => bytes.extend(lz4_flex::block::decompress(chunk, self.block_size).map_err(|e| no(&e))?),
            5 => {
                let decoder = zstd::stream::read::Decoder::new(chunk).map_err(|e| no(&e))?;
                decoder.take(most).read_to_end(bytes).map_err(|e| no(&e))?;
            }
            other => {
                let name = match other {
                    3 => "LZO",
                    6 => "Brotli",
                    _ => "an unknown method",
                };
                return Err(Error::unsupported(format!("the ORC file's footer is compressed with {name}"))
                    .hint("write it with zlib, snappy, lz4 or zstd"));
            }
        }
        Ok(())
    }
}

impl Footer {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        let mut fields = Fields { bytes };
        while let Some((id, value)) = fields.next()? {
            match (id, value) {
                (4, Value::Bytes(bytes)) => found.types.push(OrcType::decode(bytes)?),
                (6, Value::Number(rows)) => found.rows = Some(rows),
                _ => {}
            }
        }
        Ok(found)
    }
}

impl OrcType {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        let mut fields = Fields { bytes };
        while let Some((id, value)) = fields.next()? {
            match (id, value) {
                (1, Value::Number(n)) => found.kind = n,
                (2, Value::Number(n)) => found.children.push(n),
                (2, Value::Bytes(packed)) => {
                    let mut packed = Fields { bytes: packed };
                    while !packed.bytes.is_empty() {
                        found.children.push(packed.varint()?);
                    }
                }
                (3, Value::Bytes(name)) => found.names.push(String::from_utf8_lossy(name).into_owned()),
                (4, Value::Number(n)) => found.length = n,
                (5, Value::Number(n)) => found.precision = n,
                (6, Value::Number(n)) => found.scale = n,
                _ => {}
            }
        }
        Ok(found)
    }
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(broken("a field has an unknown wire type")),
        };
        Ok(Some((tag >> 3, value)))
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.bytes.split_first().ok_or_else(|| broken("a number is cut short"))?;
            self.bytes = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(broken("a number has more than 64 bits"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or_else(|| broken("a field is cut short"))?;
        self.bytes = rest;
        Ok(taken)
    }
}
