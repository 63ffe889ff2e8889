//! Parquet files. What suits a column best is decided by a look at its first rows.

use super::{Encoder, Finished, WriteSpec};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use model::{Error, Result};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// zstd's fastest ordinary level: higher ones gain a few percent for twice the time.
const ZSTD_LEVEL: i32 = 1;
const ROW_GROUP_ROWS: usize = 1 << 20;
/// How many of the first rows are looked at; not more, because a write may begin a thousand files.
const SAMPLE: usize = 1024;
/// Too few rows to tell anything.
const LEAST_SAMPLE: usize = 256;

pub(super) struct Parquet {
    spec: WriteSpec,
    schema: SchemaRef,
    /// Begun with the first batch, which says how to encode.
    writer: Option<ArrowWriter<Vec<u8>>>,
    taken: u64,
    rows: u64,
}

fn failed(cause: parquet::errors::ParquetError) -> Error {
    Error::internal("writing Parquet failed").source_is(cause)
}

impl Parquet {
    pub(super) fn new(spec: &WriteSpec, schema: SchemaRef) -> Result<Self> {
        compression(spec)?;
        let empty = Self { spec: spec.clone(), schema, writer: None, taken: 0, rows: 0 };
        // What cannot be written is found before the first row.
        empty.open(None)?;
        Ok(empty)
    }

    fn open(&self, first: Option<&RecordBatch>) -> Result<ArrowWriter<Vec<u8>>> {
        let mut properties = WriterProperties::builder()
            .set_compression(compression(&self.spec)?)
            .set_max_row_group_row_count(Some(self.spec.row_group_rows.unwrap_or(ROW_GROUP_ROWS).max(1)))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_created_by("glulam".to_owned());
        if let Some(bytes) = self.spec.block_bytes {
            properties = properties.set_max_row_group_bytes(Some(bytes.max(1 << 16)));
        }
        for (field, array) in self.schema.fields().iter().zip(first.map_or(&[][..], RecordBatch::columns)) {
            properties = encoded(properties, &ColumnPath::new(vec![field.name().clone()]), array);
        }
        let options =
            ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
        ArrowWriter::try_new_with_options(Vec::new(), SchemaRef::clone(&self.schema), options).map_err(
            |cause| Error::unsupported("the result's columns cannot be written as Parquet").source_is(cause),
        )
    }
}

/// A dictionary pays where values repeat; numbers and times that rarely do are packed by their differences.
fn encoded(
    properties: WriterPropertiesBuilder,
    path: &ColumnPath,
    array: &ArrayRef,
) -> WriterPropertiesBuilder {
    let sample = array.slice(0, array.len().min(SAMPLE));
    if sample.len() < LEAST_SAMPLE || repeats(&sample) {
        return properties;
    }
    let properties = properties.set_column_dictionary_enabled(path.clone(), false);
    match array.data_type() {
        DataType::Int32
        | DataType::Int64
        | DataType::Date32
        | DataType::Timestamp(..)
        | DataType::Time64(_) => properties.set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED),
        _ => properties,
    }
}

/// Whether less than half of the values are different.
fn repeats(sample: &ArrayRef) -> bool {
    let hasher = RandomState::new();
    let mut seen = HashSet::with_capacity(sample.len());
    let mut values = 0usize;
    let mut see = |hash: u64| {
        values += 1;
        seen.insert(hash);
    };
    let data = sample.to_data();
    match sample.data_type() {
        DataType::Utf8View => sample.as_string_view().iter().flatten().for_each(|v| see(hasher.hash_one(v))),
        DataType::BinaryView => {
            sample.as_binary_view().iter().flatten().for_each(|v| see(hasher.hash_one(v)));
        }
        other => {
            let Some(width) = other.primitive_width() else { return true };
            let bytes = data.buffers().first().map_or(&[][..], |buffer| buffer.as_slice());
            let from = data.offset() * width;
            let all = bytes.get(from..from + sample.len() * width).unwrap_or_default();
            all.chunks_exact(width).for_each(|v| see(hasher.hash_one(v)));
        }
    }
    seen.len() * 2 < values
}

fn compression(spec: &WriteSpec) -> Result<Compression> {
    let level = spec.compression_level;
    let wrong = |cause: parquet::errors::ParquetError| {
        Error::invalid("the compression has no such level").source_is(cause)
    };
    Ok(match spec.compression.as_deref().unwrap_or("zstd") {
        "zstd" => Compression::ZSTD(ZstdLevel::try_new(level.unwrap_or(ZSTD_LEVEL)).map_err(wrong)?),
        "snappy" => Compression::SNAPPY,
        "gzip" => {
            let level = level.map_or(Ok(6), u32::try_from).unwrap_or(u32::MAX);
            Compression::GZIP(GzipLevel::try_new(level).map_err(wrong)?)
        }
        "lz4" | "lz4_raw" => Compression::LZ4_RAW,
        "brotli" => {
            let level = level.map_or(Ok(4), u32::try_from).unwrap_or(u32::MAX);
            Compression::BROTLI(BrotliLevel::try_new(level).map_err(wrong)?)
        }
        "none" | "uncompressed" => Compression::UNCOMPRESSED,
        other => {
            return Err(Error::unsupported(format!("Parquet files cannot be compressed by `{other}`"))
                .hint("choose zstd, snappy, gzip, lz4, brotli or none"));
        }
    })
}

impl Encoder for Parquet {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.writer.is_none() {
            self.writer = Some(self.open(Some(batch))?);
        }
        let Some(writer) = &mut self.writer else {
            return Err(Error::internal("a Parquet file was not begun"));
        };
        writer.write(batch).map_err(failed)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn bytes_buffered(&self) -> usize {
        self.writer.as_ref().map_or(0, |writer| writer.memory_size() + writer.inner().len())
    }

    fn bytes_written(&self) -> u64 {
        self.writer.as_ref().map_or(0, |writer| (writer.bytes_written() + writer.in_progress_size()) as u64)
    }

    fn end_block(&mut self) -> Result<()> {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.flush().map_err(failed))
    }

    fn take(&mut self) -> Bytes {
        let bytes = self.writer.as_mut().map(|writer| std::mem::take(writer.inner_mut())).unwrap_or_default();
        self.taken += bytes.len() as u64;
        bytes.into()
    }

    fn finish(mut self: Box<Self>) -> Result<Finished> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open(None)?,
        };
        let bytes = writer.into_inner().map_err(failed)?;
        let size = self.taken + bytes.len() as u64;
        Ok(Finished { bytes: bytes.into(), size, rows: self.rows })
    }
}
