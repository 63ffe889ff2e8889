//! Arrow files (IPC, also called Feather version 2), with plain texts, which more readers know than views.

use super::orc::Shared;
use super::{Encoder, Finished, WriteSpec};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use bytes::Bytes;
use model::{Error, Result};
use std::sync::Arc;

pub(super) struct Arrow {
    writer: FileWriter<Shared>,
    schema: SchemaRef,
    out: Shared,
    taken: u64,
    rows: u64,
}

impl Arrow {
    pub(super) fn new(spec: &WriteSpec, schema: &Schema) -> Result<Self> {
        if let Some(name) =
            spec.compression.as_deref().filter(|name| !matches!(*name, "none" | "uncompressed"))
        {
            return Err(Error::unsupported(format!("Arrow files cannot be compressed by `{name}`"))
                .why("they are made to be read where they lie")
                .hint("leave the compression out, or choose the format parquet"));
        }
        let fields: Fields = schema.fields().iter().map(plain_field).collect();
        let schema = Arc::new(Schema::new(fields));
        let out = Shared::default();
        let writer = FileWriter::try_new(out.clone(), &schema).map_err(failed)?;
        Ok(Self { writer, schema, out, taken: 0, rows: 0 })
    }
}

fn plain_field(field: &Arc<Field>) -> Arc<Field> {
    Arc::new(field.as_ref().clone().with_data_type(plain(field.data_type())))
}

fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(items) => DataType::List(plain_field(items)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(plain_field(entries), *sorted),
        other => other.clone(),
    }
}

fn failed(cause: ArrowError) -> Error {
    Error::internal("writing Arrow failed").source_is(cause)
}

impl Encoder for Arrow {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let converted = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| cast(column, field.data_type()));
        let columns: Vec<ArrayRef> = converted.collect::<std::result::Result<_, _>>().map_err(failed)?;
        let batch = RecordBatch::try_new(SchemaRef::clone(&self.schema), columns).map_err(failed)?;
        self.writer.write(&batch).map_err(failed)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn bytes_buffered(&self) -> usize {
        self.out.with(|out| out.len())
    }

    fn bytes_written(&self) -> u64 {
        self.taken + self.out.with(|out| out.len()) as u64
    }

    fn take(&mut self) -> Bytes {
        let bytes = self.out.with(std::mem::take);
        self.taken += bytes.len() as u64;
        bytes.into()
    }

    fn finish(mut self: Box<Self>) -> Result<Finished> {
        self.writer.finish().map_err(failed)?;
        let bytes = self.out.with(std::mem::take);
        Ok(Finished { size: self.taken + bytes.len() as u64, bytes: bytes.into(), rows: self.rows })
    }
}
