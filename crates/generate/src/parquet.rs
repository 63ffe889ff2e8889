//! Parquet files of a task: rows come as batches and leave as bytes as soon as the encoder lets go of them.

use crate::fields::Fields;
use crate::output::{BUFFER_BYTES, Finished, Lines, Staging};
use crate::report::Meter;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use formats::{Encoder, WriteFormat, WriteSpec, encoder};
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;

/// What all files of a task have in common.
#[derive(Debug)]
pub(crate) struct Layout {
    schema: SchemaRef,
    types: Vec<SqlType>,
    spec: WriteSpec,
}

impl Layout {
    /// Columns by name and type; the task's optional field `compression` says how they are packed.
    pub(crate) fn new(columns: &[(&str, SqlType)], fields: &Fields<'_>) -> Result<Self> {
        let compression = fields
            .optional("compression")
            .map_or(Ok("zstd"), |field| field.one_of(&["zstd", "snappy", "gzip", "none"]))?;
        let field =
            |(name, sql_type): &(&str, SqlType)| Field::new((*name).to_owned(), sql_type.to_arrow(), true);
        let spec =
            WriteSpec { compression: Some(compression.to_owned()), ..WriteSpec::new(WriteFormat::Parquet) };
        Ok(Self {
            schema: Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>())),
            types: columns.iter().map(|(_, sql_type)| sql_type.clone()).collect(),
            spec,
        })
    }

    /// Begins a file.
    pub(crate) fn file(&self, staging: &Staging, name: &str) -> Result<ParquetFile> {
        let encoder = encoder(&self.spec, SchemaRef::clone(&self.schema), &self.types)?;
        let lines = staging.file(name, false, BUFFER_BYTES)?;
        Ok(ParquetFile { schema: SchemaRef::clone(&self.schema), encoder, lines, rows: 0 })
    }
}

/// A Parquet file in the making.
pub(crate) struct ParquetFile {
    schema: SchemaRef,
    encoder: Box<dyn Encoder>,
    lines: Lines,
    rows: u64,
}

impl ParquetFile {
    /// Adds rows, given as the columns of the layout, and counts them.
    pub(crate) fn write(&mut self, columns: Vec<ArrayRef>, meter: &Meter<'_>) -> Result<()> {
        let batch = RecordBatch::try_new(SchemaRef::clone(&self.schema), columns)
            .map_err(|cause| Error::internal("generated columns do not fit their file").source_is(cause))?;
        self.encoder.write(&batch)?;
        let rows = batch.num_rows() as u64;
        self.rows += rows;
        self.lines.buffer.extend_from_slice(&self.encoder.take());
        let bytes = if self.lines.is_full() { self.lines.flush()? } else { 0 };
        meter.advance(rows, rows, bytes)
    }

    /// Completes the file.
    pub(crate) fn finish(mut self, meter: &Meter<'_>) -> Result<Option<Finished>> {
        let end = self.encoder.finish()?;
        self.lines.buffer.extend_from_slice(&end.bytes);
        let (bytes, finished) = self.lines.finish(self.rows)?;
        meter.advance(0, 0, bytes)?;
        Ok(finished)
    }
}
