//! The room of the file formats: bytes in, Arrow record batches out, and back, for every format of the lake.
//!
//! What comes in: what a table says about its files ([`FormatSpec`]), its columns with their SQL types, and bytes, either
//! pushed ([`Decoder`]) or fetched by ranges ([`RangeRead`], [`read()`]). What goes out: batches of exactly the columns
//! asked for, text always as `Utf8View`; or, from an [`Encoder`], the bytes of a file that reads back equal.
//!
//! This room never lists or opens anything itself, knows neither the catalog nor the lake, and plans no queries. Bad
//! bytes never panic and never make it hold more than one line, block or stripe.

mod adapt;
mod build;
mod decode;
mod encode;
mod grok;
mod json_path;
mod pack;
mod parse;
mod read;
mod source;
mod spec;

pub use adapt::{Match, adapt, adapt_array};
pub use decode::{
    DecodeOptions, Decoder, OnError, Reject, RejectSink, RejectedLine, Rejects, UNKNOWN_FIELD,
    access_log_columns, decoder, regex_groups, split,
};
pub use encode::{Encoder, Finished, WriteFormat, WriteSpec, encoder};
pub use grok::Grok;
pub use json_path::JsonPath;
pub use pack::{Compression, Unpacker};
pub use read::{BatchStream, ReadOptions, read};
pub use source::{BytesSource, RangeRead};
pub use spec::{AvroSpec, CsvSpec, DelimitedSpec, Format, FormatSpec, GrokSpec, JsonSpec, RegexSpec};

use arrow::datatypes::{Field, Schema, SchemaRef};
use sql::SqlType;
use std::sync::Arc;

/// A column as the table declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name; names compare without regard to case.
    pub name: String,
    /// Its type, which also decides the Arrow type of its values.
    pub sql_type: SqlType,
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<String>, sql_type: SqlType) -> Self {
        Self { name: name.into(), sql_type }
    }
}

/// The schema of batches with these columns, in the order of the projection.
pub fn projected_schema(columns: &[Column], projection: &[usize]) -> SchemaRef {
    let chosen = projection.iter().filter_map(|index| columns.get(*index));
    Arc::new(Schema::new(
        chosen.map(|c| Field::new(&c.name, c.sql_type.to_arrow(), true)).collect::<Vec<_>>(),
    ))
}
