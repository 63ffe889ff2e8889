//! Where the bytes come from, and how many of them may be looked at.

use async_trait::async_trait;
use bytes::Bytes;
use model::{Error, Result};
use std::ops::Range;

/// An object that can be read in ranges.
#[async_trait]
pub trait Source: Send + Sync {
    /// The object's URI, for diagnoses; its ending is a hint to compression and format.
    fn name(&self) -> &str;
    /// How many bytes it has.
    fn size(&self) -> u64;
    /// These bytes of it; the range never reaches behind the end.
    async fn read_range(&self, range: Range<u64>) -> Result<Bytes>;
}

/// How much may be looked at.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many bytes of decompressed text are sampled from the head: 1 MiB unless said otherwise.
    pub sample_bytes: u64,
    /// How many rows are looked at: 1000 unless said otherwise.
    pub sample_rows: usize,
    /// More columns than this are refused: 5000 unless said otherwise.
    pub max_columns: usize,
    /// A nested JSON object with more different keys than this, most of them rare, is a map: 64 unless said otherwise.
    pub max_struct_fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sample_bytes: 1 << 20, sample_rows: 1000, max_columns: 5000, max_struct_fields: 64 }
    }
}

impl Limits {
    pub(crate) fn check(&self) -> Result<()> {
        if self.sample_bytes < 64 || self.sample_rows == 0 || self.max_columns == 0 {
            return Err(Error::invalid(
                "the sampling limits are too small: at least 64 bytes, 1 row and 1 column must be allowed",
            ));
        }
        Ok(())
    }
}

/// An object that is in memory already.
#[derive(Debug, Clone)]
pub struct BytesSource {
    name: String,
    bytes: Bytes,
}

impl BytesSource {
    /// These bytes under that name.
    pub fn new(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

#[async_trait]
impl Source for BytesSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes> {
        let end = range.end.min(self.size());
        let start = range.start.min(end);
        Ok(self.bytes.slice(to_usize(start)?..to_usize(end)?))
    }
}

fn to_usize(n: u64) -> Result<usize> {
    usize::try_from(n).map_err(|e| Error::internal("an offset does not fit this machine").source_is(e))
}

/// The first bytes, at most `length`.
pub(crate) async fn read_head(source: &dyn Source, length: u64) -> Result<Bytes> {
    read_exactly(source, 0..length.min(source.size())).await
}

/// Exactly that range; an object that became shorter meanwhile is told apart from a broken one.
pub(crate) async fn read_exactly(source: &dyn Source, range: Range<u64>) -> Result<Bytes> {
    let wanted = range.end - range.start;
    let bytes = source.read_range(range).await?;
    if bytes.len() as u64 != wanted {
        return Err(Error::unavailable("the object became shorter while it was read")
            .why(format!("{wanted} bytes were asked for, {} came", bytes.len()))
            .hint("crawl again when it is written completely"));
    }
    Ok(bytes)
}
