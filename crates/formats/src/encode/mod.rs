//! Batches into files: one encoder a file, its bytes are taken away while it is written.

mod arrow;
mod cell;
mod container;
mod csv;
mod delimited;
mod json;
mod orc;
mod parquet;
mod text;

use crate::pack::Compression;
use crate::{CsvSpec, DelimitedSpec, JsonSpec};
use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;
use bytes::Bytes;
use model::{Error, Result};
use sql::SqlType;

/// What to write.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteSpec {
    /// The format with its options.
    pub format: WriteFormat,
    /// The compression's name in lower case (`gzip`, `snappy`, `zstd`, `none`, …), or none for the format's usual one:
    /// zstd for Parquet, zlib for ORC, none for Avro and text.
    pub compression: Option<String>,
    /// The compression's level, where it has levels.
    pub compression_level: Option<i32>,
    /// About how many bytes a Parquet row group, ORC stripe or Avro block shall have.
    pub block_bytes: Option<usize>,
    /// At most how many rows a Parquet row group has.
    pub row_group_rows: Option<usize>,
}

/// The format of a file to write.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteFormat {
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    Orc,
    /// Apache Avro object container file.
    Avro,
    /// An Arrow file (IPC).
    Arrow,
    /// JSON lines.
    Json(JsonSpec),
    /// Quoted values. Every value is quoted where `quote_all`, else only where needed; `header` writes the names first.
    Csv {
        /// Separator, quote and escape.
        spec: CsvSpec,
        /// Whether the first line has the columns' names.
        header: bool,
        /// Whether every value is quoted, as Hive's OpenCSVSerde does.
        quote_all: bool,
    },
    /// Delimited text as Hive's LazySimpleSerDe writes it.
    Delimited {
        /// Separators, escape and NULL's text.
        spec: DelimitedSpec,
        /// Whether the first line has the columns' names.
        header: bool,
    },
}

impl WriteSpec {
    /// A format with its usual settings.
    pub fn new(format: WriteFormat) -> Self {
        Self { format, compression: None, compression_level: None, block_bytes: None, row_group_rows: None }
    }

    /// How files written so end, with the dot: `.parquet`, `.csv.gz`.
    pub fn extension(&self) -> String {
        let format = match self.format {
            WriteFormat::Parquet => return ".parquet".to_owned(),
            WriteFormat::Orc => return ".orc".to_owned(),
            WriteFormat::Avro => return ".avro".to_owned(),
            WriteFormat::Arrow => return ".arrow".to_owned(),
            WriteFormat::Json(_) => ".json",
            WriteFormat::Csv { .. } => ".csv",
            WriteFormat::Delimited { .. } => ".txt",
        };
        let packed = self.compression.as_deref().and_then(|name| Compression::from_name(name).ok());
        match packed.and_then(Compression::extension) {
            Some(ending) => format!("{format}.{ending}"),
            None => format.to_owned(),
        }
    }
}

/// Writes one file. Nothing is in the file that was not taken: upload what [`Encoder::take`] gives, in order, and last
/// what [`Encoder::finish`] gives.
pub trait Encoder: Send {
    /// Adds rows. The batch has the encoder's schema.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Ends the row group, so that the encoder lets go of what it needs for one. Formats whose encoders hold little do
    /// nothing.
    fn end_block(&mut self) -> Result<()> {
        Ok(())
    }

    /// How many bytes of memory it holds: finished ones that wait to be taken and rows not yet encoded.
    fn bytes_buffered(&self) -> usize;

    /// About how many bytes the file has so far, taken or not.
    fn bytes_written(&self) -> u64;

    /// The finished bytes so far; may be empty.
    fn take(&mut self) -> Bytes;

    /// Completes the file.
    fn finish(self: Box<Self>) -> Result<Finished>;
}

/// A completed file.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The last bytes, which nobody took before.
    pub bytes: Bytes,
    /// The whole file's size.
    pub size: u64,
    /// Its rows.
    pub rows: u64,
}

/// An encoder for one file. `types` are the columns' SQL types, which say more than the schema (a date-like text, JSON).
pub fn encoder(spec: &WriteSpec, schema: SchemaRef, types: &[SqlType]) -> Result<Box<dyn Encoder>> {
    if types.len() != schema.fields().len() {
        return Err(Error::internal("the encoder has not as many types as columns"));
    }
    let names = schema.fields().iter().map(|f| f.name().as_str());
    let text = || spec.compression.as_deref().map_or(Ok(Compression::None), Compression::from_name);
    let level = spec.compression_level;
    Ok(match &spec.format {
        WriteFormat::Parquet => Box::new(parquet::Parquet::new(spec, schema)?),
        WriteFormat::Orc => Box::new(container::Container::orc(spec, &schema)?),
        WriteFormat::Avro => Box::new(container::Container::avro(spec, &schema)?),
        WriteFormat::Arrow => Box::new(self::arrow::Arrow::new(spec, &schema)?),
        WriteFormat::Json(json) => {
            Box::new(text::TextEncoder::new(json::Json::new(json, names), text()?, level)?)
        }
        WriteFormat::Csv { spec: csv, header, quote_all } => {
            let format = csv::Csv::new(csv, *header, *quote_all, names);
            Box::new(text::TextEncoder::new(format, text()?, level)?)
        }
        WriteFormat::Delimited { spec: delimited, header } => {
            let format = delimited::Delimited::new(delimited, *header, names);
            Box::new(text::TextEncoder::new(format, text()?, level)?)
        }
    })
}
