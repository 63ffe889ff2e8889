//! Compression of objects that hold records as they came.

use crate::settings::CompressionFormat;
use bytes::Bytes;
use flate2::write::GzEncoder;
use model::{Error, Result};
use std::io::Write;

/// Hadoop's codec compresses blocks of so many bytes.
const BLOCK: usize = 256 << 10;

/// How objects end.
pub(crate) fn extension(compression: CompressionFormat) -> &'static str {
    match compression {
        CompressionFormat::Uncompressed => "",
        CompressionFormat::Gzip => ".gz",
        CompressionFormat::Zip => ".zip",
        CompressionFormat::Snappy => ".snappy",
        CompressionFormat::HadoopSnappy => ".hsnappy",
    }
}

/// Compresses an object's bytes; what is finished can be taken away at any time.
pub(crate) enum Packer {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Snappy(Box<snap::write::FrameEncoder<Vec<u8>>>),
    Hadoop { plain: Vec<u8>, out: Vec<u8> },
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("compressing failed").source_is(cause)
}

impl Packer {
    pub(crate) fn new(compression: CompressionFormat) -> Result<Self> {
        Ok(match compression {
            CompressionFormat::Uncompressed => Self::Plain(Vec::new()),
            CompressionFormat::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(4))),
            CompressionFormat::Snappy => Self::Snappy(Box::new(snap::write::FrameEncoder::new(Vec::new()))),
            CompressionFormat::HadoopSnappy => Self::Hadoop { plain: Vec::new(), out: Vec::new() },
            CompressionFormat::Zip => {
                return Err(Error::unsupported("the CompressionFormat ZIP is not supported"));
            }
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Plain(out) => out.extend_from_slice(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes).map_err(failed)?,
            Self::Snappy(encoder) => encoder.write_all(bytes).map_err(failed)?,
            Self::Hadoop { plain, out } => {
                plain.extend_from_slice(bytes);
                let whole = plain.len() / BLOCK * BLOCK;
                for block in plain.get(..whole).unwrap_or_default().chunks(BLOCK) {
                    write_block(block, out)?;
                }
                plain.drain(..whole);
            }
        }
        Ok(())
    }

    /// What is finished so far.
    pub(crate) fn take(&mut self) -> Bytes {
        let out = match self {
            Self::Plain(out) | Self::Hadoop { out, .. } => out,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Snappy(encoder) => encoder.get_mut(),
        };
        std::mem::take(out).into()
    }

    /// The rest.
    pub(crate) fn finish(self) -> Result<Bytes> {
        Ok(match self {
            Self::Plain(out) => out.into(),
            Self::Gzip(encoder) => encoder.finish().map_err(failed)?.into(),
            Self::Snappy(encoder) => encoder
                .into_inner()
                .map_err(|e| Error::internal(format!("compressing failed: {}", e.error())))?
                .into(),
            Self::Hadoop { plain, mut out } => {
                if !plain.is_empty() {
                    write_block(&plain, &mut out)?;
                }
                out.into()
            }
        })
    }
}

/// The plain length, the compressed length and the compressed bytes.
fn write_block(block: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let packed = snap::raw::Encoder::new().compress_vec(block).map_err(failed)?;
    for length in [block.len(), packed.len()] {
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    out.extend_from_slice(&packed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::{Compression, Unpacker};

    #[test]
    fn what_is_packed_is_read_back() {
        let text: Vec<u8> = (0..600_000u32).flat_map(|n| (n % 1000).to_be_bytes()).collect();
        for (format, read) in [
            (CompressionFormat::Uncompressed, Compression::None),
            (CompressionFormat::Gzip, Compression::Gzip),
            (CompressionFormat::Snappy, Compression::Snappy),
            (CompressionFormat::HadoopSnappy, Compression::Snappy),
        ] {
            let mut packer = Packer::new(format).unwrap();
            let mut packed = Vec::new();
            for piece in text.chunks(70_001) {
                packer.write(piece).unwrap();
                packed.extend_from_slice(&packer.take());
            }
            packed.extend_from_slice(&packer.finish().unwrap());
            let mut unpacker = Unpacker::new(read).unwrap();
            unpacker.feed(packed.into());
            let mut plain = Vec::new();
            while let Some(piece) = unpacker.take().unwrap() {
                plain.extend_from_slice(&piece);
            }
            plain.extend_from_slice(&unpacker.finish().unwrap());
            assert!(plain == text, "{format:?}");
        }
        assert!(Packer::new(CompressionFormat::Zip).is_err());
    }
}
