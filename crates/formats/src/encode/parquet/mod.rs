//! Parquet files. Columns of numbers, times, texts and bytes are encoded here, all others by the library, which also writes
//! the footer.
//!
//! The library encodes a value at a time through tables of 64-bit places and levels; that took most of the time of a job
//! that only cleans a file. Here a page's values stay in their array until they are hashed once, and levels are bitmaps.

mod bits;
mod chunk;
mod dictionary;
mod numbers;
mod page;
mod texts;
mod values;

use super::{Encoder, Finished, WriteSpec};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use chunk::{Chunk, taken_as};
use model::{Error, Result};
use page::Codec;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

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
    compression: Compression,
    codec: Option<Codec>,
    /// Begun with the first batch, which says how to encode.
    file: Option<File>,
    taken: u64,
    rows: u64,
}

/// A file that is being written.
struct File {
    writer: SerializedFileWriter<Vec<u8>>,
    group: Vec<Column>,
    group_rows: usize,
}

/// A column of the schema in the row group that is being written.
enum Column {
    Own(Box<Chunk>),
    Library(Vec<ArrowColumnWriter>),
}

impl Column {
    fn size(&self) -> usize {
        match self {
            Self::Own(chunk) => chunk.size(),
            Self::Library(leaves) => leaves.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum(),
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Own(chunk) => chunk.memory(),
            Self::Library(leaves) => leaves.iter().map(ArrowColumnWriter::memory_size).sum(),
        }
    }
}

fn failed(cause: parquet::errors::ParquetError) -> Error {
    Error::internal("writing Parquet failed").source_is(cause)
}

impl Parquet {
    pub(super) fn new(spec: &WriteSpec, schema: SchemaRef) -> Result<Self> {
        let (compression, codec) = compression(spec)?;
        let empty = Self { spec: spec.clone(), schema, compression, codec, file: None, taken: 0, rows: 0 };
        // What cannot be written is found before the first row.
        let file = empty.open(None)?;
        empty.begin_group(&file.writer)?;
        Ok(empty)
    }

    fn open(&self, first: Option<&RecordBatch>) -> Result<File> {
        let mut properties = WriterProperties::builder()
            .set_compression(self.compression)
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_created_by("glulam".to_owned());
        let columns = self.schema.fields().iter().zip(first.map_or(&[][..], RecordBatch::columns));
        for (field, array) in columns.filter(|(field, _)| !self.is_own(field.data_type())) {
            properties = encoded(properties, &ColumnPath::new(vec![field.name().clone()]), array);
        }
        let columns = ArrowSchemaConverter::new().convert(&self.schema).map_err(|cause| {
            Error::unsupported("the result's columns cannot be written as Parquet").source_is(cause)
        })?;
        let properties = Arc::new(properties.build());
        let writer =
            SerializedFileWriter::new(Vec::new(), columns.root_schema_ptr(), properties).map_err(failed)?;
        Ok(File { writer, group: Vec::new(), group_rows: 0 })
    }

    /// Whether columns of this type are encoded here.
    fn is_own(&self, data_type: &DataType) -> bool {
        self.codec.is_some() && taken_as(data_type).is_some()
    }

    /// The columns of a new row group.
    fn begin_group(&self, writer: &SerializedFileWriter<Vec<u8>>) -> Result<Vec<Column>> {
        let descr = writer.schema_descr();
        let mut leaves = match self.schema.fields().iter().all(|field| self.is_own(field.data_type())) {
            true => Vec::new(),
            false => {
                let factory = ArrowRowGroupWriterFactory::new(writer, SchemaRef::clone(&self.schema));
                let group = writer.flushed_row_groups().len();
                factory.create_column_writers(group).map_err(|cause| {
                    Error::unsupported("the result's columns cannot be written as Parquet").source_is(cause)
                })?
            }
        }
        .into_iter();
        let mut group = Vec::with_capacity(self.schema.fields().len());
        let mut leaf = 0;
        for (root, field) in self.schema.fields().iter().enumerate() {
            let first = leaf;
            while leaf < descr.num_columns() && descr.get_column_root_idx(leaf) == root {
                leaf += 1;
            }
            let library: Vec<ArrowColumnWriter> = leaves.by_ref().take(leaf - first).collect();
            let own = self.codec.filter(|_| first < leaf).and_then(|codec| {
                Chunk::new(descr.column(first), field.data_type(), codec, self.compression)
            });
            group.push(match own {
                Some(own) => Column::Own(Box::new(own)),
                None => Column::Library(library),
            });
        }
        Ok(group)
    }
}

impl File {
    fn write(&mut self, schema: &SchemaRef, batch: &RecordBatch, from: usize, count: usize) -> Result<()> {
        for ((column, field), array) in self.group.iter_mut().zip(schema.fields()).zip(batch.columns()) {
            match column {
                Column::Own(chunk) => chunk.write(array, from, count)?,
                Column::Library(writers) => {
                    let leaves = compute_leaves(field, &array.slice(from, count)).map_err(failed)?;
                    for (writer, leaf) in writers.iter_mut().zip(&leaves) {
                        writer.write(leaf).map_err(failed)?;
                    }
                }
            }
        }
        self.group_rows += count;
        Ok(())
    }

    /// About how many bytes the row group will have.
    fn group_size(&self) -> usize {
        self.group.iter().map(Column::size).sum()
    }

    fn end_group(&mut self) -> Result<()> {
        if self.group_rows == 0 {
            return Ok(());
        }
        self.group_rows = 0;
        let size = self.group_size();
        self.writer.inner_mut().reserve(size + size / 16);
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for column in self.group.drain(..) {
            match column {
                Column::Own(chunk) => {
                    let (pages, close) = chunk.finish()?;
                    group.append_column(&pages, close).map_err(failed)?;
                }
                Column::Library(writers) => {
                    for writer in writers {
                        writer.close().and_then(|c| c.append_to_row_group(&mut group)).map_err(failed)?;
                    }
                }
            }
        }
        group.close().map(|_| ()).map_err(failed)
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

/// The compression as the footer tells it, and as pages are packed with here.
fn compression(spec: &WriteSpec) -> Result<(Compression, Option<Codec>)> {
    let level = spec.compression_level;
    let wrong = |cause: parquet::errors::ParquetError| {
        Error::invalid("the compression has no such level").source_is(cause)
    };
    Ok(match spec.compression.as_deref().unwrap_or("zstd") {
        "zstd" => {
            let level = level.unwrap_or(ZSTD_LEVEL);
            (Compression::ZSTD(ZstdLevel::try_new(level).map_err(wrong)?), Some(Codec::Zstd(level)))
        }
        "snappy" => (Compression::SNAPPY, Some(Codec::Snappy)),
        "gzip" => {
            let level = level.map_or(Ok(6), u32::try_from).unwrap_or(u32::MAX);
            (Compression::GZIP(GzipLevel::try_new(level).map_err(wrong)?), Some(Codec::Gzip(level)))
        }
        "lz4" | "lz4_raw" => (Compression::LZ4_RAW, Some(Codec::Lz4)),
        "brotli" => {
            let level = level.map_or(Ok(4), u32::try_from).unwrap_or(u32::MAX);
            (Compression::BROTLI(BrotliLevel::try_new(level).map_err(wrong)?), None)
        }
        "none" | "uncompressed" => (Compression::UNCOMPRESSED, Some(Codec::None)),
        other => {
            return Err(Error::unsupported(format!("Parquet files cannot be compressed by `{other}`"))
                .hint("choose zstd, snappy, gzip, lz4, brotli or none"));
        }
    })
}

impl Encoder for Parquet {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open(Some(batch))?,
        };
        let most = self.spec.row_group_rows.unwrap_or(ROW_GROUP_ROWS).max(1);
        let mut from = 0;
        while from < batch.num_rows() {
            if file.group_rows == 0 {
                file.group = self.begin_group(&file.writer)?;
            }
            let count = (batch.num_rows() - from).min(most - file.group_rows);
            file.write(&self.schema, batch, from, count)?;
            from += count;
            let is_large = self.spec.block_bytes.is_some_and(|bytes| file.group_size() >= bytes.max(1 << 16));
            if file.group_rows >= most || is_large {
                file.end_group()?;
            }
        }
        self.file = Some(file);
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn bytes_buffered(&self) -> usize {
        self.file.as_ref().map_or(0, |file| {
            file.group.iter().map(Column::memory).sum::<usize>() + file.writer.inner().len()
        })
    }

    fn bytes_written(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| (file.writer.bytes_written() + file.group_size()) as u64)
    }

    fn end_block(&mut self) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), File::end_group)
    }

    fn take(&mut self) -> Bytes {
        let bytes =
            self.file.as_mut().map(|file| std::mem::take(file.writer.inner_mut())).unwrap_or_default();
        self.taken += bytes.len() as u64;
        bytes.into()
    }

    fn finish(mut self: Box<Self>) -> Result<Finished> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open(None)?,
        };
        file.end_group()?;
        let bytes = file.writer.into_inner().map_err(failed)?;
        let size = self.taken + bytes.len() as u64;
        Ok(Finished { bytes: bytes.into(), size, rows: self.rows })
    }
}
