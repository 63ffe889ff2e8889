//! Where rows go: files and tables of the lake with a checkpoint's commit, streams behind it, the log at once.

use super::rows::{arrow, batch};
use crate::flow::options::Connector;
use crate::flow::resolve::Target;
use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{Field, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use engine::TableChange;
use formats::{WriteFormat, WriteSpec, encoder};
use lake::Commit;
use model::{Error, Result};
use scan::sink::{SinkSpec, write};
use sql::SqlType;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The rows for one target since the last checkpoint.
pub(crate) struct Sink {
    pub(crate) target: Target,
    schema: SchemaRef,
    rows: Vec<RecordBatch>,
    pub(crate) bytes: usize,
}

/// What a sink has put into a commit.
#[derive(Default)]
pub(crate) struct Flushed {
    pub(crate) files: Vec<String>,
    pub(crate) rows: u64,
    pub(crate) change: Option<TableChange>,
}

impl Sink {
    pub(crate) fn new(target: Target) -> Self {
        let fields: Vec<Field> =
            target.columns.iter().map(|(name, t)| Field::new(name, t.to_arrow(), true)).collect();
        Self { target, schema: Arc::new(Schema::new(fields)), rows: Vec::new(), bytes: 0 }
    }

    /// Whether its rows are shown, not kept.
    pub(crate) fn prints(&self) -> bool {
        self.target.options.connector == Connector::Print
    }

    /// The stream that it puts records into.
    pub(crate) fn stream(&self) -> Option<&str> {
        match &self.target.options.connector {
            Connector::Kinesis { stream, .. } => Some(stream),
            _ => None,
        }
    }

    /// Takes rows of exactly its columns.
    pub(crate) fn take(&mut self, rows: &RecordBatch) -> Result<()> {
        let rows = super::rows::renamed(rows, &self.schema)?;
        self.bytes += rows.get_array_memory_size();
        self.rows.push(rows);
        Ok(())
    }

    /// Takes rows of other columns: those of its own are found by name, others are NULL.
    pub(crate) fn take_by_name(&mut self, rows: &RecordBatch) -> Result<()> {
        let given = rows.schema();
        let find = |name: &str| {
            given.fields().iter().position(|f| crate::flow::node::shown(f.name()).eq_ignore_ascii_case(name))
        };
        let columns = self.schema.fields().iter().map(|field| -> Result<ArrayRef> {
            match find(field.name()) {
                Some(at) if rows.column(at).data_type() == field.data_type() => {
                    Ok(Arc::clone(rows.column(at)))
                }
                Some(at) => cast(rows.column(at), field.data_type()).map_err(arrow),
                None => Ok(new_null_array(field.data_type(), rows.num_rows())),
            }
        });
        let rows = batch(&self.schema, columns.collect::<Result<Vec<_>>>()?, rows.num_rows())?;
        self.bytes += rows.get_array_memory_size();
        self.rows.push(rows);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn drain(&mut self) -> Vec<RecordBatch> {
        self.bytes = 0;
        std::mem::take(&mut self.rows)
    }

    /// How rows are written as text; nothing for rows that are bytes already.
    fn text_spec(&self) -> Option<WriteSpec> {
        match &self.target.options.format {
            Some(format) => format.write_spec(None),
            None => Some(WriteSpec::new(WriteFormat::Json(formats::JsonSpec {
                write_nulls: true,
                ..Default::default()
            }))),
        }
    }

    /// The rows as lines of text, for the log.
    pub(crate) fn lines(&mut self) -> Result<Bytes> {
        let rows = self.drain();
        match self.text_spec() {
            Some(spec) => self.encoded(&spec, &rows),
            None => {
                let mut text = Vec::new();
                each_raw(&rows, |value| {
                    text.extend_from_slice(value);
                    text.push(b'\n');
                    Ok(())
                })?;
                Ok(text.into())
            }
        }
    }

    fn encoded(&self, spec: &WriteSpec, rows: &[RecordBatch]) -> Result<Bytes> {
        let types: Vec<SqlType> = self.target.columns.iter().map(|(_, t)| t.clone()).collect();
        let mut encoder = encoder(spec, Arc::clone(&self.schema), &types)?;
        let mut text = Vec::new();
        for rows in rows {
            encoder.write(rows)?;
            text.extend_from_slice(&encoder.take());
        }
        text.extend_from_slice(&encoder.finish()?.bytes);
        Ok(text.into())
    }

    /// The rows as records for a stream, each behind its length: a row is one record, whatever signs are in it.
    pub(crate) fn records(&mut self) -> Result<Vec<u8>> {
        let rows = self.drain();
        let mut all = Vec::new();
        match self.text_spec() {
            None => each_raw(&rows, |value| frame(value, &mut all))?,
            // JSON has no line breaks within a row: those of texts are escaped.
            Some(spec) if matches!(spec.format, WriteFormat::Json(_)) => {
                let text = self.encoded(&spec, &rows)?;
                for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                    frame(line, &mut all)?;
                }
            }
            Some(spec) => {
                for rows in rows {
                    for at in 0..rows.num_rows() {
                        let line = self.encoded(&spec, &[rows.slice(at, 1)])?;
                        frame(line.strip_suffix(b"\n").unwrap_or(&line), &mut all)?;
                    }
                }
            }
        }
        Ok(all)
    }

    /// Writes the rows into a commit; names begin with the prefix, so that what is done again replaces itself.
    pub(crate) async fn flush(&mut self, commit: &Commit, prefix: &str) -> Result<Flushed> {
        let rows = self.drain();
        let options = &self.target.options;
        let (location, spec, bucketed_by) = match (&options.connector, &self.target.entry) {
            (Connector::Files { path }, _) => {
                let spec = options.format.as_ref().and_then(|f| f.write_spec(options.compression.as_deref()));
                let spec = spec.unwrap_or_else(|| {
                    let text = formats::DelimitedSpec { escape: None, ..Default::default() };
                    WriteSpec::new(WriteFormat::Delimited { spec: text, header: false })
                });
                (path.clone(), spec, None)
            }
            (Connector::Catalog { .. }, Some(entry)) => {
                let files = engine::table_files(entry)?;
                (files.location, files.write, files.bucketed_by)
            }
            _ => return Err(Error::internal("a sink that writes no files was asked to")),
        };
        let mut spec = SinkSpec::new(location, spec, self.target.columns.clone(), prefix.to_owned());
        spec.partition_by.clone_from(&self.target.partitioned_by);
        spec.bucketed_by = bucketed_by;
        let schema = Arc::clone(&self.schema);
        let stream = futures::stream::iter(rows.into_iter().map(Ok));
        let stream = Box::pin(RecordBatchStreamAdapter::new(schema, stream));
        let written = write(vec![stream], &spec, commit, &|_, _| {}, &CancellationToken::new()).await?;
        let change = match &self.target.entry {
            Some(entry) if !written.partitions.is_empty() => Some(engine::partitions_change(entry, &written)),
            _ => None,
        };
        let files = written.files.iter().map(|f| f.uri.to_string()).collect();
        Ok(Flushed { files, rows: written.rows, change })
    }
}

/// Rows of one column of text or bytes, one after the other.
fn each_raw(rows: &[RecordBatch], mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    for rows in rows {
        let column = cast(rows.column(0), &arrow::datatypes::DataType::Binary).map_err(arrow)?;
        let column = arrow::array::AsArray::as_binary_opt::<i32>(&column)
            .ok_or_else(|| Error::internal("a raw column is no bytes"))?;
        column.iter().flatten().try_for_each(&mut take)?;
    }
    Ok(())
}

/// Adds a record behind its length.
fn frame(record: &[u8], all: &mut Vec<u8>) -> Result<()> {
    let length = u32::try_from(record.len())
        .map_err(|_| Error::invalid("a row is too large for a record of a stream"))?;
    all.extend_from_slice(&length.to_le_bytes());
    all.extend_from_slice(record);
    Ok(())
}

/// The records of a file that [`Sink::records`] has given; nothing if it is not whole.
pub(crate) fn unframed(bytes: &Bytes) -> Option<Vec<Bytes>> {
    let (mut at, mut all) = (0, Vec::new());
    while at < bytes.len() {
        let length = bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)? as usize;
        let end = at.checked_add(4)?.checked_add(length).filter(|end| *end <= bytes.len())?;
        all.push(bytes.slice(at + 4..end));
        at = end;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were() {
        let records = [&b""[..], b"one", b"two\nlines", &[0xff, 0, 10]];
        let mut all = Vec::new();
        records.iter().for_each(|record| frame(record, &mut all).unwrap());
        let all = Bytes::from(all);
        assert_eq!(unframed(&all).unwrap(), records);
        for cut in [1, 5, all.len() - 1] {
            assert!(unframed(&all.slice(..cut)).is_none(), "{cut}");
        }
    }
}
