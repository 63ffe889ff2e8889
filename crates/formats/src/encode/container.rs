//! Avro and ORC files: their libraries write, after the columns have been turned into the types that the format has.

use super::orc::{OrcThread, Shared};
use super::{Encoder, Finished, WriteSpec};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use arrow_avro::compression::CompressionCodec;
use arrow_avro::writer::format::AvroOcfFormat;
use arrow_avro::writer::{Writer as AvroWriter, WriterBuilder};
use bytes::Bytes;
use model::{Error, Result};
use orc_rust::compression::CompressionType;
use std::sync::Arc;

/// ORC stripes of about so many bytes of memory.
const STRIPE: usize = 32 << 20;

enum Writer {
    Avro(Box<AvroWriter<Shared, AvroOcfFormat>>),
    Orc(OrcThread),
}

pub(super) struct Container {
    writer: Writer,
    schema: SchemaRef,
    out: Shared,
    /// ORC holds rows back until a stripe is full.
    held: usize,
    stripe: usize,
    taken: u64,
    rows: u64,
}

impl Container {
    pub(super) fn avro(spec: &WriteSpec, schema: &Schema) -> Result<Self> {
        let codec = avro_codec(spec.compression.as_deref().unwrap_or("none"))?;
        for field in schema.fields() {
            check_avro_name(field.name())?;
        }
        let schema = file_schema(schema, avro_type)?;
        let out = Shared::default();
        let writer = WriterBuilder::new(schema.as_ref().clone())
            .with_compression(codec)
            .build::<_, AvroOcfFormat>(out.clone())
            .map_err(|e| Error::unsupported("the result's columns cannot be written as Avro").source_is(e))?;
        Ok(Self {
            writer: Writer::Avro(Box::new(writer)),
            schema,
            out,
            held: 0,
            stripe: 0,
            taken: 0,
            rows: 0,
        })
    }

    pub(super) fn orc(spec: &WriteSpec, schema: &Schema) -> Result<Self> {
        let codec = orc_codec(spec.compression.as_deref().unwrap_or("zlib"))?;
        let schema = file_schema(schema, orc_type)?;
        let out = Shared::default();
        let stripe = spec.block_bytes.unwrap_or(STRIPE).max(1 << 16);
        let thread = OrcThread::start(SchemaRef::clone(&schema), out.clone(), stripe, codec);
        Ok(Self { writer: Writer::Orc(thread), schema, out, held: 0, stripe, taken: 0, rows: 0 })
    }
}

fn avro_codec(name: &str) -> Result<Option<CompressionCodec>> {
    Ok(match name {
        "none" | "uncompressed" => None,
        "snappy" => Some(CompressionCodec::Snappy),
        "deflate" | "gzip" | "zlib" => Some(CompressionCodec::Deflate),
        "zstd" | "zstandard" => Some(CompressionCodec::ZStandard),
        "bzip2" => Some(CompressionCodec::Bzip2),
        other => {
            return Err(Error::unsupported(format!("Avro files cannot be compressed by `{other}`"))
                .hint("choose snappy, deflate, zstd, bzip2 or none"));
        }
    })
}

fn orc_codec(name: &str) -> Result<Option<CompressionType>> {
    Ok(match name {
        "none" | "uncompressed" => None,
        "zlib" | "gzip" | "deflate" => Some(CompressionType::Zlib),
        "snappy" => Some(CompressionType::Snappy),
        "zstd" => Some(CompressionType::Zstd),
        "lz4" => Some(CompressionType::Lz4),
        other => {
            return Err(Error::unsupported(format!("ORC files cannot be compressed by `{other}`"))
                .hint("choose zlib, snappy, zstd, lz4 or none"));
        }
    })
}

fn check_avro_name(name: &str) -> Result<()> {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(Error::unsupported(format!("the column `{name}` cannot be written as Avro"))
        .why("names in Avro have letters, digits and underscores only")
        .hint("give the column another name with AS"))
}

fn file_schema(schema: &Schema, file_type: fn(&str, &DataType) -> Result<DataType>) -> Result<SchemaRef> {
    let field = |f: &Arc<Field>| Ok(Field::new(f.name(), file_type(f.name(), f.data_type())?, true));
    Ok(Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Result<Vec<_>>>()?)))
}

fn avro_type(column: &str, data_type: &DataType) -> Result<DataType> {
    Ok(match data_type {
        DataType::Int8 | DataType::Int16 => DataType::Int32,
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        // What readers know as timestamps are instants; a calendar's times are kept as if in UTC, as Hive does it.
        DataType::Timestamp(unit, _) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::Time64(TimeUnit::Nanosecond)
        | DataType::Interval(_)
        | DataType::Duration(_)
        | DataType::Null => return Err(unwritable(column, data_type, "Avro")),
        DataType::List(items) => DataType::List(Arc::new(
            items.as_ref().clone().with_data_type(avro_type(column, items.data_type())?),
        )),
        DataType::Struct(fields) => {
            let nested = |f: &Arc<Field>| {
                check_avro_name(f.name())?;
                Ok(f.as_ref().clone().with_data_type(avro_type(column, f.data_type())?))
            };
            DataType::Struct(fields.iter().map(nested).collect::<Result<Fields>>()?)
        }
        DataType::Map(entries, sorted) => {
            let DataType::Struct(parts) = entries.data_type() else {
                return Err(unwritable(column, data_type, "Avro"));
            };
            if parts.first().is_none_or(|key| *key.data_type() != DataType::Utf8View) {
                return Err(Error::unsupported(format!("the column `{column}` cannot be written as Avro"))
                    .why("keys of maps are always text in Avro")
                    .hint("cast the keys to varchar, or choose a format such as parquet"));
            }
            let part =
                |f: &Arc<Field>| Ok(f.as_ref().clone().with_data_type(avro_type(column, f.data_type())?));
            let parts = parts.iter().map(part).collect::<Result<Fields>>()?;
            DataType::Map(Arc::new(entries.as_ref().clone().with_data_type(DataType::Struct(parts))), *sorted)
        }
        other => other.clone(),
    })
}

fn orc_type(column: &str, data_type: &DataType) -> Result<DataType> {
    Ok(match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32 => data_type.clone(),
        DataType::Timestamp(unit, None) => DataType::Timestamp(*unit, None),
        other => return Err(unwritable(column, other, "ORC")),
    })
}

fn unwritable(column: &str, data_type: &DataType, format: &str) -> Error {
    let name = sql::SqlType::from_arrow(data_type).map_or_else(|| data_type.to_string(), |t| t.to_string());
    Error::unsupported(format!("the column `{column}` of type {name} cannot be written as {format}"))
        .hint("cast it to another type, or choose the format parquet, which has them all")
}

impl Encoder for Container {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let converted = |(column, field): (&ArrayRef, &Arc<Field>)| cast(column, field.data_type());
        let columns = batch.columns().iter().zip(self.schema.fields()).map(converted);
        let file_batch = columns
            .collect::<std::result::Result<Vec<_>, _>>()
            .and_then(|columns| RecordBatch::try_new(SchemaRef::clone(&self.schema), columns))
            .map_err(|e| Error::internal("a batch does not become the file's columns").source_is(e))?;
        let before = self.out.with(|out| out.len());
        match &mut self.writer {
            Writer::Avro(writer) => {
                writer.write(&file_batch).map_err(|e| Error::internal("writing Avro failed").source_is(e))?;
            }
            Writer::Orc(writer) => {
                let size = file_batch.get_array_memory_size();
                writer.send(file_batch)?;
                self.held = self.held.saturating_add(size).min(self.stripe * 2);
                if self.out.with(|out| out.len()) > before {
                    self.held = 0;
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn bytes_buffered(&self) -> usize {
        self.held + self.out.with(|out| out.len())
    }

    fn bytes_written(&self) -> u64 {
        self.taken + self.out.with(|out| out.len()) as u64 + self.held as u64 / 4
    }

    fn take(&mut self) -> Bytes {
        let bytes = self.out.with(std::mem::take);
        self.taken += bytes.len() as u64;
        bytes.into()
    }

    fn finish(self: Box<Self>) -> Result<Finished> {
        match self.writer {
            Writer::Avro(mut writer) => {
                writer.finish().map_err(|e| Error::internal("writing Avro failed").source_is(e))?;
            }
            Writer::Orc(writer) => writer.finish()?,
        }
        let bytes = self.out.with(std::mem::take);
        Ok(Finished { size: self.taken + bytes.len() as u64, bytes: bytes.into(), rows: self.rows })
    }
}
