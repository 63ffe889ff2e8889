//! Text into batches: lines are found, taken apart and converted in one pass, only the columns asked for.
//!
//! The core is synchronous and pushed: whoever has bytes feeds them and takes the batches that came out. See
//! [`crate::read()`] for the same over a [`crate::RangeRead`].

mod access_line;
mod access_log;
mod csv;
mod delimited;
mod documents;
mod feed;
mod handover;
mod index;
mod json;
mod matched;
mod quotes;
mod rejects;
mod sink;
mod split;
mod tokens;

pub use access_log::access_log_columns;
pub use matched::regex_groups;
pub use rejects::{OnError, Reject, RejectSink, RejectedLine, Rejects, UNKNOWN_FIELD};
pub use split::split;

use crate::build::Rules;
use crate::{Column, Format, FormatSpec};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use feed::{Lines, TextDecoder};
use model::{Error, Result};
use sink::Sink;
use std::ops::Range;
use std::sync::Arc;

/// How to decode.
#[derive(Debug, Clone)]
pub struct DecodeOptions {
    /// Rows a batch, the last one may have fewer.
    pub batch_rows: usize,
    /// What happens to values that do not convert.
    pub on_error: OnError,
    /// A longer line is an error. Trino's limit is the default.
    pub max_line_bytes: usize,
    /// The part of the (uncompressed) file to decode: the lines that begin within it. Feed the bytes from one before
    /// its start (if that is not 0) until [`Decoder::is_done`]. None is the whole file.
    pub range: Option<Range<u64>>,
    /// Texts that mean a missing value in columns that are not text, without regard to case: NULL, and no error.
    pub missing: &'static [&'static str],
    /// The file's name or URI: rejected lines are told with it, and access logs may have a service's name in it.
    pub file: Arc<str>,
    /// Takes the lines that [`OnError::Reject`] leaves out; without it they are only counted. Lines of a range that does
    /// not start at 0 wait until [`Decoder::number_lines`] is called.
    pub reject_sink: Option<Arc<dyn RejectSink>>,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            batch_rows: 8192,
            on_error: OnError::Null,
            max_line_bytes: 100 << 20,
            range: None,
            missing: &[],
            file: Arc::from(""),
            reject_sink: None,
        }
    }
}

/// Text into batches. Feed it, take batches until there is none, feed again; at the end finish and take the rest.
pub trait Decoder: Send {
    /// The schema of the batches.
    fn schema(&self) -> SchemaRef;

    /// Decodes the whole lines of the chunk and keeps the beginning of the last one. Text values refer to the chunk
    /// instead of copying it, so large chunks (1 to 16 MB) are best. Batches must be taken before the next call.
    fn feed(&mut self, chunk: Bytes) -> Result<()>;

    /// Says that there are no more bytes: decodes what is left.
    fn finish(&mut self) -> Result<()>;

    /// The next batch: full ones while feeding, the rest after finishing.
    fn take_batch(&mut self) -> Result<Option<RecordBatch>>;

    /// Whether the range's last line has been decoded, so that no more bytes are needed.
    fn is_done(&self) -> bool;

    /// What did not convert so far.
    fn rejects(&self) -> &Rejects;

    /// Whether rejected lines wait to be told how many lines of the file stand before the range.
    fn waits_for_number(&self) -> bool;

    /// Tells how many lines of the file end before the range's first line begins.
    fn number_lines(&mut self, before: u64);
}

/// A decoder for text of this format: `projection` says which of the table's columns to convert, in which order.
pub fn decoder(
    spec: &FormatSpec,
    columns: &[Column],
    projection: &[usize],
    options: DecodeOptions,
) -> Result<Box<dyn Decoder>> {
    if let Some(outside) = projection.iter().find(|index| **index >= columns.len()) {
        return Err(Error::internal(format!("column {outside} of a table with {} columns", columns.len())));
    }
    let sink = |mut rules: Rules| {
        rules.all_fields = match options.on_error {
            OnError::Fail => true,
            OnError::Reject => options.reject_sink.as_ref().is_some_and(|sink| sink.wants_unknown_fields()),
            OnError::Null | OnError::Collect(_) => false,
        };
        Sink::new(columns, projection, rules, &options)
    };
    match &spec.format {
        Format::Delimited(delimited) => {
            let lines = delimited::Delimited::new(delimited, columns, options.on_error)?;
            Ok(text(lines, sink(delimited::rules(delimited)?), spec, &options))
        }
        Format::Csv(csv) => {
            let sink = sink(csv::rules(csv)?);
            let lines = csv::Csv::new(csv, columns, &sink.wanted, options.on_error);
            // The header is read, not skipped, where it names the columns.
            let header = if csv.header_names { spec.skip_header.saturating_sub(1) } else { spec.skip_header };
            Ok(Box::new(TextDecoder::new(lines, sink, spec, &options, header)))
        }
        Format::Json(json) => {
            let sink = sink(json::rules(json)?);
            let lines = json::Json::new(json, columns, &sink);
            let lines = text(lines, sink, spec, &options);
            if !json.documents && json.path.is_none() {
                return Ok(lines);
            }
            Ok(Box::new(documents::Documents::new(json.path.as_deref(), lines)?))
        }
        Format::Regex(regex) => {
            let sink = sink(Rules::new(&regex.timestamp_formats)?);
            let lines = matched::Matched::of_regex(regex, &sink.wanted)?;
            Ok(text(lines, sink, spec, &options))
        }
        Format::Grok(grok) => {
            let sink = sink(Rules::new(&[])?);
            let lines = matched::Matched::of_grok(grok, columns, &sink.wanted)?;
            Ok(text(lines, sink, spec, &options))
        }
        Format::AccessLog => {
            let sink = sink(Rules::new(&[])?);
            let lines = access_log::AccessLog::new(columns, &sink.wanted, &options.file);
            Ok(text(lines, sink, spec, &options))
        }
        Format::Parquet | Format::Orc | Format::Avro(_) => {
            Err(Error::internal("files of this format are not decoded line by line"))
        }
    }
}

fn text<L: Lines + 'static>(
    lines: L,
    sink: Sink,
    spec: &FormatSpec,
    options: &DecodeOptions,
) -> Box<dyn Decoder> {
    Box::new(TextDecoder::new(lines, sink, spec, options, spec.skip_header))
}
