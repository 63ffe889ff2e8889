//! Compressing what text encoders write.

use super::Compression;
use bzip2::write::BzEncoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use model::{Error, Result};
use std::io::Write;

/// Hadoop's codecs compress blocks of so many bytes.
const BLOCK: usize = 256 << 10;

/// Compresses a stream; what is finished can be taken away at any time.
pub(crate) enum Packer {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
    Bzip2(BzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    /// Hadoop's blocks, as Hive, Trino and Spark read and write `.snappy` and `.lz4` text.
    Blocks {
        snappy: bool,
        plain: Vec<u8>,
        out: Vec<u8>,
    },
}

fn failed(cause: std::io::Error) -> Error {
    Error::internal("compressing failed").source_is(cause)
}

impl Packer {
    pub(crate) fn new(compression: Compression, level: Option<i32>) -> Result<Self> {
        let level_in =
            |most: i32, usual: u32| level.map_or(usual, |l| u32::try_from(l.clamp(1, most)).unwrap_or(usual));
        Ok(match compression {
            Compression::None => Packer::Plain(Vec::new()),
            Compression::Gzip => {
                Packer::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(level_in(9, 4))))
            }
            Compression::Deflate => {
                Packer::Deflate(ZlibEncoder::new(Vec::new(), flate2::Compression::new(level_in(9, 4))))
            }
            Compression::Bzip2 => {
                Packer::Bzip2(BzEncoder::new(Vec::new(), bzip2::Compression::new(level_in(9, 6))))
            }
            Compression::Zstd => {
                let level = level.unwrap_or(3).clamp(1, 22);
                let encoder = zstd::stream::write::Encoder::new(Vec::new(), level).map_err(failed)?;
                Packer::Zstd(Box::new(encoder))
            }
            Compression::Snappy => Packer::Blocks { snappy: true, plain: Vec::new(), out: Vec::new() },
            Compression::Lz4 => Packer::Blocks { snappy: false, plain: Vec::new(), out: Vec::new() },
        })
    }

    pub(crate) fn write(&mut self, text: &[u8]) -> Result<()> {
        match self {
            Packer::Plain(out) => {
                out.extend_from_slice(text);
                Ok(())
            }
            Packer::Gzip(encoder) => encoder.write_all(text).map_err(failed),
            Packer::Zstd(encoder) => encoder.write_all(text).map_err(failed),
            Packer::Bzip2(encoder) => encoder.write_all(text).map_err(failed),
            Packer::Deflate(encoder) => encoder.write_all(text).map_err(failed),
            Packer::Blocks { snappy, plain, out } => {
                plain.extend_from_slice(text);
                let whole = plain.len() / BLOCK * BLOCK;
                for block in plain.get(..whole).unwrap_or_default().chunks(BLOCK) {
                    write_block(*snappy, block, out)?;
                }
                plain.drain(..whole);
                Ok(())
            }
        }
    }

    fn out(&mut self) -> &mut Vec<u8> {
        match self {
            Packer::Plain(out) | Packer::Blocks { out, .. } => out,
            Packer::Gzip(encoder) => encoder.get_mut(),
            Packer::Zstd(encoder) => encoder.get_mut(),
            Packer::Bzip2(encoder) => encoder.get_mut(),
            Packer::Deflate(encoder) => encoder.get_mut(),
        }
    }

    /// How many finished bytes wait.
    pub(crate) fn ready(&self) -> usize {
        match self {
            Packer::Plain(out) => out.len(),
            Packer::Blocks { out, plain, .. } => out.len() + plain.len(),
            Packer::Gzip(encoder) => encoder.get_ref().len(),
            Packer::Zstd(encoder) => encoder.get_ref().len(),
            Packer::Bzip2(encoder) => encoder.get_ref().len(),
            Packer::Deflate(encoder) => encoder.get_ref().len(),
        }
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.out())
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        match self {
            Packer::Plain(out) => Ok(out),
            Packer::Gzip(encoder) => encoder.finish().map_err(failed),
            Packer::Zstd(encoder) => encoder.finish().map_err(failed),
            Packer::Bzip2(encoder) => encoder.finish().map_err(failed),
            Packer::Deflate(encoder) => encoder.finish().map_err(failed),
            Packer::Blocks { snappy, plain, mut out } => {
                if !plain.is_empty() {
                    write_block(snappy, &plain, &mut out)?;
                }
                Ok(out)
            }
        }
    }
}

/// The plain length, the compressed length and the compressed bytes.
fn write_block(snappy: bool, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let packed = if snappy {
        snap::raw::Encoder::new()
            .compress_vec(block)
            .map_err(|e| Error::internal("compressing failed").source_is(e))?
    } else {
        lz4_flex::block::compress(block)
    };
    for length in [block.len(), packed.len()] {
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    out.extend_from_slice(&packed);
    Ok(())
}
