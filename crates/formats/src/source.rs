//! Where bytes come from: whoever owns the storage implements [`RangeRead`]; this room only asks for ranges.

use bytes::Bytes;
use futures::future::BoxFuture;
use model::{Error, Result};
use std::ops::Range;

/// A file of known size of which ranges can be fetched.
pub trait RangeRead: Send + Sync {
    /// The file's size in bytes.
    fn size(&self) -> u64;

    /// The file's name or URI, for its extension and for messages.
    fn name(&self) -> &str;

    /// The bytes of the range, which always lies within the size. An answer of another length is an error.
    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>>;
}

/// A file that is in memory already.
#[derive(Debug, Clone)]
pub struct BytesSource {
    name: String,
    bytes: Bytes,
}

impl BytesSource {
    /// A file of these bytes.
    pub fn new(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

impl RangeRead for BytesSource {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        Box::pin(std::future::ready(slice(&self.bytes, &range)))
    }
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Result<Bytes> {
    let start = usize::try_from(range.start).ok();
    let end = usize::try_from(range.end).ok().filter(|end| *end <= bytes.len());
    match (start, end) {
        (Some(start), Some(end)) if start <= end => Ok(bytes.slice(start..end)),
        _ => Err(Error::internal(format!(
            "the range {range:?} lies outside of a file of {} bytes",
            bytes.len()
        ))),
    }
}
