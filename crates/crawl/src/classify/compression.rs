//! Compression: told from the first bytes, then from the name's ending; decompressed only as far as the sample needs.
//!
//! Decoders read from a prefix of the object into a buffer of bounded size, so a small object that expands without end
//! costs no more than the sample.

use super::source::{Limits, Source, read_exactly};
use bytes::Bytes;
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, Read};

/// What the first read fetches: enough compressed text for most samples.
pub(crate) const FIRST_READ: u64 = 256 << 10;
/// A block of Hadoop's streams may not claim to be larger than this.
const MAX_BLOCK: usize = 16 << 20;
/// zstd frames that need a larger window (2^27 bytes) are refused.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How an object's text is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
    /// `.bz2`
    Bzip2,
    /// `.snappy` or `.sz`, framed as the format's own description has it, or in Hadoop's blocks
    Snappy,
    /// `.lz4`, framed or in Hadoop's blocks
    Lz4,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
        })
    }
}

const ENDINGS: [(&str, Compression); 10] = [
    ("gz", Compression::Gzip),
    ("gzip", Compression::Gzip),
    ("zst", Compression::Zstd),
    ("zstd", Compression::Zstd),
    ("bz2", Compression::Bzip2),
    ("bzip2", Compression::Bzip2),
    ("snappy", Compression::Snappy),
    ("sz", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("bz", Compression::Bzip2),
];

const SNAPPY_FRAMES: &[u8] = b"\xff\x06\x00\x00sNaPpY";
/// With which framed LZ4 begins.
const LZ4_FRAMES: &[u8] = &[0x04, 0x22, 0x4d, 0x18];

impl Compression {
    /// Told from the first bytes alone.
    pub fn of_bytes(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17rE8P\x90") =>
            {
                Some(Self::Bzip2)
            }
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            _ if start.starts_with(SNAPPY_FRAMES) => Some(Self::Snappy),
            _ => None,
        }
    }

    /// Told from the name's ending, with the name without that ending.
    pub fn of_name(name: &str) -> (Option<Self>, &str) {
        let Some((rest, ending)) = name.rsplit_once('.') else { return (None, name) };
        let found = ENDINGS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known));
        found.map_or((None, name), |(_, compression)| (Some(*compression), rest))
    }
}

/// The decompressed head of an object.
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    /// Whether that is all of it.
    pub(crate) complete: bool,
}

/// Decompresses the head, fetching more of the object only while the sample is not full.
pub(crate) async fn decompress_head(
    source: &dyn Source,
    start: Bytes,
    compression: Compression,
    limits: &Limits,
) -> Result<Head> {
    let size = source.size();
    // Incompressible text grows a little when compressed, and bzip2 needs a whole block of 900 kB.
    let most = size.min(limits.sample_bytes.saturating_mul(2).saturating_add(2 << 20));
    let mut prefix = start;
    loop {
        let whole = prefix.len() as u64 == size;
        match decompress_prefix(&prefix, whole, compression, limits.sample_bytes) {
            Step::Done(head) => return Ok(head),
            Step::NeedsMore(head) if prefix.len() as u64 >= most => {
                if head.bytes.is_empty() {
                    return Err(Error::unsupported(format!(
                        "the {compression} stream yields no text in its first {most} bytes"
                    ))
                    .hint("raise the crawler's sample size, or write the object in smaller blocks"));
                }
                return Ok(head);
            }
            Step::NeedsMore(_) => {
                let end = most.min((prefix.len() as u64).saturating_mul(4).max(FIRST_READ));
                prefix = read_exactly(source, 0..end).await?;
            }
            Step::Broken(error) => return Err(broken(compression, size, error)),
        }
    }
}

fn broken(compression: Compression, size: u64, error: io::Error) -> Error {
    let cut = error.kind() == io::ErrorKind::UnexpectedEof;
    let what = if cut { "ends in the middle of its" } else { "has a broken" };
    Error::corrupt(format!("the object {what} {compression} stream"))
        .why(if cut {
            format!("its {size} bytes stop before the stream's end, so the upload was probably cut short")
        } else {
            format!("the bytes do not decompress: {error}")
        })
        .hint(format!("check it with `{}`, then write it again or exclude it", check_command(compression)))
        .source_is(error)
}

fn check_command(compression: Compression) -> &'static str {
    match compression {
        Compression::Gzip => "gzip -t",
        Compression::Zstd => "zstd -t",
        Compression::Bzip2 => "bzip2 -t",
        Compression::Snappy => "python3 -m snappy -d",
        Compression::Lz4 => "lz4 -t",
    }
}

enum Step {
    Done(Head),
    NeedsMore(Head),
    Broken(io::Error),
}

fn decompress_prefix(prefix: &[u8], whole: bool, compression: Compression, wanted: u64) -> Step {
    let mut input = Prefix { bytes: prefix, ran_out: false };
    let mut bytes = Vec::new();
    // One byte more than wanted, to know whether the text goes on.
    let outcome = read_all(&mut input, compression, wanted.saturating_add(1), &mut bytes);
    let ran_out = input.ran_out;
    if bytes.len() as u64 > wanted {
        bytes.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        return Step::Done(Head { bytes, complete: false });
    }
    match outcome {
        // A decoder that asked behind the prefix would have gone on.
        _ if ran_out && !whole => Step::NeedsMore(Head { bytes, complete: false }),
        Ok(()) => Step::Done(Head { bytes, complete: true }),
        Err(error) => Step::Broken(error),
    }
}

fn read_all(
    input: &mut Prefix<'_>,
    compression: Compression,
    most: u64,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    match compression {
        Compression::Gzip => copy(flate2::read::MultiGzDecoder::new(input), most, bytes),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            copy(decoder, most, bytes)
        }
        Compression::Bzip2 => copy(bzip2::read::MultiBzDecoder::new(input), most, bytes),
        Compression::Snappy if input.bytes.starts_with(SNAPPY_FRAMES) => {
            copy(snap::read::FrameDecoder::new(input), most, bytes)
        }
        Compression::Snappy => hadoop_blocks(input, most, bytes, unsnap),
        Compression::Lz4 if !input.bytes.starts_with(LZ4_FRAMES) => {
            hadoop_blocks(input, most, bytes, |chunk, room| {
                lz4_flex::block::decompress(chunk, room).map_err(io::Error::other)
            })
        }
        Compression::Lz4 => copy(lz4_flex::frame::FrameDecoder::new(input), most, bytes),
    }
}

fn copy(reader: impl Read, most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    reader.take(most).read_to_end(bytes).map(|_| ())
}

/// Raw snappy into at most so many bytes.
fn unsnap(chunk: &[u8], room: usize) -> io::Result<Vec<u8>> {
    if snap::raw::decompress_len(chunk).map_err(io::Error::other)? > room {
        return Err(too_large("chunk"));
    }
    snap::raw::Decoder::new().decompress_vec(chunk).map_err(io::Error::other)
}

fn too_large(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a {what} is too large"))
}

/// Hadoop's codecs: blocks of a big-endian length followed by chunks of a big-endian compressed length and raw bytes.
fn hadoop_blocks(
    input: &mut Prefix<'_>,
    most: u64,
    bytes: &mut Vec<u8>,
    unpack: impl Fn(&[u8], usize) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    while (bytes.len() as u64) < most {
        let Some(block) = input.length()? else { return Ok(()) };
        if block > MAX_BLOCK {
            return Err(too_large("block"));
        }
        let end = bytes.len() + block;
        while bytes.len() < end {
            let length = input.length()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let chunk = input.take(length)?;
            let text = unpack(chunk, end - bytes.len())?;
            if text.is_empty() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk is empty"));
            }
            bytes.extend_from_slice(&text);
        }
    }
    Ok(())
}

/// A prefix of the object that remembers whether somebody wanted to read behind it.
struct Prefix<'a> {
    bytes: &'a [u8],
    ran_out: bool,
}

impl<'a> Prefix<'a> {
    fn take(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let Some((taken, rest)) = self.bytes.split_at_checked(length) else {
            self.ran_out = true;
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        self.bytes = rest;
        Ok(taken)
    }

    /// The next big-endian length, or none at the end.
    fn length(&mut self) -> io::Result<Option<usize>> {
        if self.bytes.is_empty() {
            self.ran_out = true;
            return Ok(None);
        }
        let bytes = self.take(4)?;
        Ok(Some(bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))))
    }
}

impl Read for Prefix<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.bytes.len());
        if length == 0 && !buffer.is_empty() {
            self.ran_out = true;
        }
        let (taken, rest) = self.bytes.split_at(length);
        buffer[..length].copy_from_slice(taken);
        self.bytes = rest;
        Ok(length)
    }
}
