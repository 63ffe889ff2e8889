//! Pages: packed, with the header that says what is in them.

use super::bits::zigzag;
use bytes::Bytes;
use model::{Error, Result};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{Read, Write};

/// How pages are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Snappy,
    Lz4,
    Gzip(u32),
    Zstd(i32),
}

/// No header of a page has more bytes.
const LARGEST_HEADER: usize = 64;

/// What a thread packs with: setting these up takes longer than packing a page.
#[derive(Default)]
struct Tools {
    zstd: Option<(i32, zstd::bulk::Compressor<'static>)>,
    snappy: Option<snap::raw::Encoder>,
    packed: Vec<u8>,
}

thread_local! {
    static TOOLS: RefCell<Tools> = RefCell::default();
}

/// What is in a page.
pub(super) enum Content {
    /// Values, with their levels before them.
    Data {
        /// How many, missing ones too.
        values: usize,
        encoding: Encoding,
    },
    /// A dictionary of so many values.
    Dictionary(usize),
}

/// Packed pages, one after another. Each has memory of its own: a vector of all would move and double as it grows.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: VecDeque<Bytes>,
    length: usize,
}

impl Pages {
    /// How many bytes they have together.
    pub(super) fn size(&self) -> usize {
        self.length
    }

    /// Packs a page and adds it; answers how many bytes it would have unpacked, header included.
    pub(super) fn add(&mut self, codec: Codec, raw: &[u8], content: &Content) -> Result<usize> {
        TOOLS.with_borrow_mut(|tools| {
            let packed = tools.pack(codec, raw)?;
            let mut page = Vec::with_capacity(packed.len() + LARGEST_HEADER);
            header(raw.len(), packed.len(), content, &mut page)?;
            let header = page.len();
            page.extend_from_slice(packed);
            self.length += page.len();
            self.pages.push_back(page.into());
            Ok(header + raw.len())
        })
    }

    /// These in front of the others.
    pub(super) fn before(mut self, others: Self) -> Self {
        self.length += others.length;
        self.pages.extend(others.pages);
        self
    }
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.length as u64
    }
}

impl ChunkReader for Pages {
    type T = PagesRead;

    fn get_read(&self, start: u64) -> parquet::errors::Result<PagesRead> {
        let mut read = PagesRead(self.pages.clone());
        let skipped = std::io::copy(&mut Read::by_ref(&mut read).take(start), &mut std::io::sink())?;
        match skipped == start {
            true => Ok(read),
            false => Err(ParquetError::EOF(format!("there are no pages at {start}"))),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads pages one after another.
#[derive(Debug)]
pub(super) struct PagesRead(VecDeque<Bytes>);

impl Read for PagesRead {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while let Some(page) = self.0.front_mut() {
            if page.is_empty() {
                self.0.pop_front();
                continue;
            }
            let count = page.len().min(out.len());
            let from = page.split_to(count);
            if let Some(to) = out.get_mut(..count) {
                to.copy_from_slice(&from);
            }
            return Ok(count);
        }
        Ok(0)
    }
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("a Parquet page cannot be packed").source_is(cause)
}

impl Tools {
    fn pack<'a>(&'a mut self, codec: Codec, raw: &'a [u8]) -> Result<&'a [u8]> {
        let packed = &mut self.packed;
        packed.clear();
        match codec {
            Codec::None => return Ok(raw),
            Codec::Snappy => {
                packed.resize(snap::raw::max_compress_len(raw.len()), 0);
                let snappy = self.snappy.get_or_insert_with(snap::raw::Encoder::new);
                let length = snappy.compress(raw, packed).map_err(failed)?;
                packed.truncate(length);
            }
            Codec::Lz4 => *packed = lz4_flex::block::compress(raw),
            Codec::Gzip(level) => {
                let mut gzip =
                    flate2::write::GzEncoder::new(std::mem::take(packed), flate2::Compression::new(level));
                *packed = gzip.write_all(raw).and_then(|()| gzip.finish()).map_err(failed)?;
            }
            Codec::Zstd(level) => {
                if self.zstd.as_ref().is_none_or(|(of, _)| *of != level) {
                    self.zstd = Some((level, zstd::bulk::Compressor::new(level).map_err(failed)?));
                }
                packed.reserve(zstd::zstd_safe::compress_bound(raw.len()));
                if let Some((_, zstd)) = &mut self.zstd {
                    zstd.compress_to_buffer(raw, packed).map_err(failed)?;
                }
            }
        }
        Ok(packed)
    }
}

/// Thrift's compact form: a byte says how far the field's number is from the last one, and its type.
const I32: u8 = 5;
const STRUCT: u8 = 12;
const FALSE: u8 = 2;
const STOP: u8 = 0;

fn header(raw: usize, packed: usize, content: &Content, out: &mut Vec<u8>) -> Result<()> {
    let number = |value: usize| {
        let fits = i32::try_from(value).map(i64::from);
        fits.map_err(|_| Error::unsupported("a Parquet page would have more than 2 GB"))
    };
    let (raw, packed) = (number(raw)?, number(packed)?);
    let mut field = |step: u8, value: i64| {
        out.push(step << 4 | I32);
        zigzag(value, out);
    };
    match content {
        Content::Data { values, encoding } => {
            field(1, 0);
            field(1, raw);
            field(1, packed);
            out.push(2 << 4 | STRUCT);
            let mut field = |value: i64| {
                out.push(1 << 4 | I32);
                zigzag(value, out);
            };
            field(number(*values)?);
            field(i64::from(*encoding as i32));
            // Both kinds of levels.
            field(i64::from(Encoding::RLE as i32));
            field(i64::from(Encoding::RLE as i32));
        }
        Content::Dictionary(values) => {
            field(1, 2);
            field(1, raw);
            field(1, packed);
            out.push(4 << 4 | STRUCT);
            let mut field = |value: i64| {
                out.push(1 << 4 | I32);
                zigzag(value, out);
            };
            field(number(*values)?);
            field(i64::from(Encoding::PLAIN as i32));
            // It is not sorted.
            out.push(1 << 4 | FALSE);
        }
    }
    out.extend_from_slice(&[STOP, STOP]);
    Ok(())
}
