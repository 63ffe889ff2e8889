//! The built-in formats: one file each, and one line in a list here.

mod avro;
mod csv;
mod csv_header;
mod csv_records;
mod json;
mod log;
mod orc;
mod orc_footer;
mod parquet;
mod thrift;
mod w3c;
mod xml;

pub(crate) use csv::{ColumnsOfCsv, CsvOptions, classify_with as classify_csv};
pub(crate) use json::{classify_path as classify_json_path, paths as json_paths};
pub(crate) use xml::classify_rows as classify_xml_rows;

use super::result::Classification;
use super::sample::Sample;
use super::source::{Limits, Source};
use async_trait::async_trait;
use model::{Error, Result};

/// What a text format says about a sample.
pub(crate) enum Verdict {
    /// It is of this format.
    Fits(Box<Classification>),
    /// It can only be of this format, but is broken.
    Broken(Error),
    /// It is something else.
    Other,
}

/// A text format's look at a sample.
type TextFormat = fn(&Sample<'_>, &Limits) -> Result<Verdict>;

/// The text formats in the order they are asked: the more telling ones first.
pub(crate) const TEXT: &[TextFormat] = &[json::classify, xml::classify, log::classify, csv::classify];

/// A format with magic bytes, read by ranges.
#[async_trait]
pub(crate) trait BinaryFormat: Send + Sync {
    /// Its name for people.
    fn name(&self) -> &'static str;
    /// Whether these first bytes are its mark.
    fn matches(&self, start: &[u8]) -> bool;
    /// What the object is, given its first bytes.
    async fn classify(&self, source: &dyn Source, start: &[u8], limits: &Limits) -> Result<Classification>;
}

const BINARY: &[&dyn BinaryFormat] = &[&parquet::Parquet, &avro::Avro, &orc::Orc];

/// The format that these first bytes mark.
pub(crate) fn binary_format(start: &[u8]) -> Option<&'static dyn BinaryFormat> {
    BINARY.iter().copied().find(|format| format.matches(start))
}

/// Refuses a table that is wider than allowed.
pub(crate) fn check_width(columns: usize, limits: &Limits) -> Result<()> {
    if columns <= limits.max_columns {
        return Ok(());
    }
    Err(Error::new(
        model::ErrorKind::LimitExceeded,
        format!("{columns} columns are more than the {} that are allowed", limits.max_columns),
    )
    .why("tables this wide are mostly a wrong delimiter, or JSON objects that are maps")
    .hint("raise the crawler's limit of columns if they are meant"))
}
