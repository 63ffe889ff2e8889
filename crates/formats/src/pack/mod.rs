//! Compression of whole text files: which one a file has, and taking it off as the bytes arrive.

mod detect;
mod frame;
mod packer;
mod stream;

pub(crate) use packer::Packer;

use bytes::Bytes;
use model::{Error, Result, nearest_hint};

/// How a whole file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard, of one or more frames.
    Zstd,
    /// bzip2, of one or more streams.
    Bzip2,
    /// Snappy, in its framing format or in Hadoop's blocks (told apart by the first bytes).
    Snappy,
    /// LZ4 frames or Hadoop's blocks (told apart by the first bytes).
    Lz4,
    /// zlib, which Hadoop calls deflate.
    Deflate,
}

const NAMES: [(&str, Compression); 12] = [
    ("none", Compression::None),
    ("uncompressed", Compression::None),
    ("gzip", Compression::Gzip),
    ("gz", Compression::Gzip),
    ("zstd", Compression::Zstd),
    ("zst", Compression::Zstd),
    ("bzip2", Compression::Bzip2),
    ("bz2", Compression::Bzip2),
    ("snappy", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("deflate", Compression::Deflate),
    ("zlib", Compression::Deflate),
];

impl Compression {
    /// By its name, without regard to case.
    pub fn from_name(name: &str) -> Result<Compression> {
        let found = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
        found.map(|(_, compression)| *compression).ok_or_else(|| {
            Error::invalid(format!("there is no compression `{name}`"))
                .hint(nearest_hint(name, NAMES.iter().map(|(known, _)| *known)))
        })
    }

    /// The ending that files compressed so have, without the dot; nothing for none.
    pub fn extension(self) -> Option<&'static str> {
        Some(match self {
            Compression::None => return None,
            Compression::Gzip => "gz",
            Compression::Zstd => "zst",
            Compression::Bzip2 => "bz2",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Deflate => "deflate",
        })
    }

    /// The compression of a file by its first bytes, or where these have no mark (or are not known yet), by its name.
    pub fn detect(name: &str, first_bytes: &[u8]) -> Compression {
        detect::detect(name, first_bytes)
    }
}

/// Takes a compression off a stream of chunks. At most about a megabyte comes out at once, so that a small file that
/// expands without end holds no memory.
pub struct Unpacker {
    state: stream::State,
}

impl Unpacker {
    /// For a file of that compression.
    pub fn new(compression: Compression) -> Result<Self> {
        Ok(Self { state: stream::State::new(compression)? })
    }

    /// Gives the next chunk of the file; all that came out of the one before must have been taken.
    pub fn feed(&mut self, chunk: Bytes) {
        self.state.feed(chunk);
    }

    /// The next piece of the plain text, or none when another chunk is needed.
    pub fn take(&mut self) -> Result<Option<Bytes>> {
        self.state.take()
    }

    /// Says that the file has ended, which is an error in the middle of a compressed piece. Answers the last of the
    /// plain text; it may be empty.
    pub fn finish(&mut self) -> Result<Bytes> {
        self.state.finish()
    }
}
