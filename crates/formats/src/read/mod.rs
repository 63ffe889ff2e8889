//! Reading a file of any format (but Parquet, which the engine reads itself) as a stream of batches.

mod avro;
mod orc;
mod text;

use crate::decode::{OnError, RejectSink, Rejects};
use crate::{Column, Format, FormatSpec, RangeRead};
use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
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
    /// Of compressed text and of what [`FormatSpec::is_splittable`] denies, the range that starts at 0 has all the rows
    /// and the others have none.
    pub range: Option<Range<u64>>,
    /// How many bytes of text to fetch at once.
    pub fetch_bytes: usize,
    /// Receives what did not convert when the stream ends.
    pub rejects: Option<Arc<Mutex<Rejects>>>,
    /// How columns of Avro and ORC files are found.
    pub matching: crate::Match,
    /// Texts that mean a missing value, as in [`crate::DecodeOptions`].
    pub missing: &'static [&'static str],
    /// Takes the lines of text files that [`OnError::Reject`] leaves out, with their numbers in the file.
    pub reject_sink: Option<Arc<dyn RejectSink>>,
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
            missing: &[],
            reject_sink: None,
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
    match &spec.format {
        Format::Parquet => Err(Error::internal("Parquet files are read by the engine")),
        Format::Orc => orc::read_orc(source, columns, projection, options).await,
        Format::Avro(avro) => avro::read_avro(source, avro, columns, projection, options).await,
        _ => text::read_text(source, spec, columns, projection, options).await,
    }
}

/// Runs a library's decoder over bytes that may be damaged: should it panic, that is the file's error.
pub(crate) fn guarded<T>(what: &str, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(Error::corrupt(format!("the {what} file cannot be read"))
            .why("it is damaged in a way that its reader does not expect"))
    })
}

/// A batch of some of a file's fields (given by their positions) as the table's columns at these positions.
fn by_index(
    batch: &RecordBatch,
    fields: &[usize],
    columns: &[Column],
    projection: &[usize],
) -> Result<RecordBatch> {
    let mut arrays = Vec::with_capacity(projection.len());
    for index in projection {
        let Some(column) = columns.get(*index) else { continue };
        let at = fields.iter().position(|field| field == index);
        arrays.push(match at.and_then(|at| batch.columns().get(at)) {
            Some(array) => crate::adapt_array(&column.name, array, &column.sql_type)?,
            None => new_null_array(&column.sql_type.to_arrow(), batch.num_rows()),
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(crate::projected_schema(columns, projection), arrays, &options)
        .map_err(|e| Error::internal("adapted columns do not fit together").source_is(e))
}
