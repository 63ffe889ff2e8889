//! Reading a file of any format (but Parquet, which the engine reads itself) as a stream of batches.

use crate::decode::{OnError, Rejects};
use crate::{Column, FormatSpec, RangeRead};
use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use model::{Error, Result};
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Batches as they are read. Decoding happens while it is polled: poll it where the CPU may be used.
pub type BatchStream = BoxStream<'static, Result<RecordBatch>>;

/// How to read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Rows a batch.
    pub batch_rows: usize,
    /// What happens to values that do not convert.
    pub on_error: OnError,
    /// The part of the file to read: the lines that begin in it (Avro: blocks, ORC: stripes). None is the whole file.
    /// Compressed text and what [`FormatSpec::is_splittable`] denies must be read whole.
    pub range: Option<Range<u64>>,
    /// How many bytes of text to fetch at once.
    pub fetch_bytes: usize,
    /// Receives what did not convert when the stream ends.
    pub rejects: Option<Arc<Mutex<Rejects>>>,
    /// How columns of Avro and ORC files are found.
    pub matching: crate::Match,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            batch_rows: 8192,
            on_error: OnError::Null,
            range: None,
            fetch_bytes: 4 << 20,
            rejects: None,
            matching: crate::Match::Name,
        }
    }
}

/// Reads a file: `projection` says which of the table's columns, in which order; an empty one yields batches without
/// columns that still count the rows.
pub async fn read(
    source: Arc<dyn RangeRead>,
    spec: &FormatSpec,
    columns: &[Column],
    projection: &[usize],
    options: ReadOptions,
) -> Result<BatchStream> {
    let _ = (source, columns, projection, options);
    Err(Error::unsupported(format!("{:?} cannot be read yet", spec.format)))
}
