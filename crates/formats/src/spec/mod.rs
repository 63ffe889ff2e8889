//! What a table says about its files: the format, its options, its compression.
//!
//! Hive tables say it by the names of Java classes and string properties (`table.rs`); people and jobs say it by a
//! format's name. Both end in a [`FormatSpec`], the only thing readers look at.

mod bytes;
mod name;
mod table;

use crate::pack::Compression;

/// How files are laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct FormatSpec {
    /// The format with its options.
    pub format: Format,
    /// The compression of whole text files, or none to tell it by each file's extension and first bytes.
    pub compression: Option<Compression>,
    /// How many lines at a file's beginning are no data.
    pub skip_header: u64,
    /// How many lines at a file's end are no data.
    pub skip_footer: u64,
}

/// A format with its options.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// Lines of fields between delimiters, as Hive's `LazySimpleSerDe` has them.
    Delimited(DelimitedSpec),
    /// Comma-separated values with quotes, as `OpenCSVSerde` has them.
    Csv(CsvSpec),
    /// One JSON object a line.
    Json(JsonSpec),
    /// Lines taken apart by a regular expression.
    Regex(RegexSpec),
    /// Lines taken apart by a grok pattern.
    Grok(GrokSpec),
    /// Access logs of two shapes, line by line, see [`crate::access_log_columns`].
    AccessLog,
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    Orc,
    /// Apache Avro object container files.
    Avro(AvroSpec),
}

/// Options of delimited text.
#[derive(Debug, Clone, PartialEq)]
pub struct DelimitedSpec {
    /// The bytes between fields, elements of collections, keys and values of maps, and so on into nested values.
    pub separators: [u8; 8],
    /// The byte that takes the meaning from the byte behind it.
    pub escape: Option<u8>,
    /// Whether line ends in values are escaped by the letters `n` and `r`.
    pub escape_line_ends: bool,
    /// The text that means NULL.
    pub null_text: String,
    /// Whether the last column takes the rest of the line.
    pub last_takes_rest: bool,
    /// Patterns for timestamps, in Java's letters, tried before the ordinary forms.
    pub timestamp_formats: Vec<String>,
}

/// Options of comma-separated values.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvSpec {
    /// Between fields.
    pub separator: u8,
    /// Around fields; none if quotes mean nothing.
    pub quote: Option<u8>,
    /// Takes the meaning from the quote or escape behind it; a doubled quote always means one.
    pub escape: Option<u8>,
    /// The unquoted text that means NULL in text columns. In other columns an empty field is always NULL.
    pub null_text: Option<String>,
    /// Whether quoted fields may go over several lines. Such files cannot be read in ranges.
    pub multiline: bool,
    /// Whether columns are found by the names in the header line instead of by position.
    pub header_names: bool,
    /// Patterns for timestamps, in Java's letters, tried before the ordinary forms.
    pub timestamp_formats: Vec<String>,
}

/// Options of JSON lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JsonSpec {
    /// A line that is no JSON object becomes a row of NULLs instead of an error.
    pub ignore_malformed: bool,
    /// Dots in keys stand for underscores in column names.
    pub dots_in_keys: bool,
    /// Keys and names must agree in case.
    pub case_sensitive: bool,
    /// Keys that stand for differently named columns: (column, key).
    pub mappings: Vec<(String, String)>,
    /// Patterns for timestamps, in Java's letters, tried before the ordinary forms.
    pub timestamp_formats: Vec<String>,
    /// As forgiving as the OpenX serde: lines that are no objects are rows of NULLs. Otherwise blank lines are left out
    /// and others are errors.
    pub openx: bool,
    /// Whether writers write NULL columns as `null` instead of leaving them out.
    pub write_nulls: bool,
    /// Whether the files are documents over any number of lines. Such files cannot be read in ranges.
    pub documents: bool,
    /// The path from a document to its rows, such as `$.records[*]`; each document is a row without.
    pub path: Option<String>,
}

/// Options of lines read by a regular expression.
#[derive(Debug, Clone, PartialEq)]
pub struct RegexSpec {
    /// The expression that a whole line must match; its groups are the columns in their order.
    pub pattern: String,
    /// Whether case matters.
    pub case_insensitive: bool,
    /// Patterns for timestamps, in Java's letters, tried before the ordinary forms.
    pub timestamp_formats: Vec<String>,
}

/// Options of lines read by a grok pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct GrokSpec {
    /// The pattern; its fields are found by the columns' names, without regard to case.
    pub pattern: String,
    /// More named patterns, one a line.
    pub custom_patterns: String,
}

/// Options of Avro.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AvroSpec {
    /// The reader's schema as JSON, if the table gives one.
    pub schema: Option<String>,
}

impl Default for DelimitedSpec {
    fn default() -> Self {
        Self {
            separators: [1, 2, 3, 4, 5, 6, 7, 8],
            escape: None,
            escape_line_ends: false,
            null_text: "\\N".to_owned(),
            last_takes_rest: false,
            timestamp_formats: Vec::new(),
        }
    }
}

impl Default for CsvSpec {
    fn default() -> Self {
        Self {
            separator: b',',
            quote: Some(b'"'),
            escape: None,
            null_text: None,
            multiline: false,
            header_names: false,
            timestamp_formats: Vec::new(),
        }
    }
}

impl FormatSpec {
    /// A format without headers, footers or a fixed compression.
    pub fn new(format: Format) -> Self {
        Self { format, compression: None, skip_header: 0, skip_footer: 0 }
    }

    /// Whether it is text, decoded line by line by a [`crate::Decoder`].
    pub fn is_text(&self) -> bool {
        !matches!(self.format, Format::Parquet | Format::Orc | Format::Avro(_))
    }

    /// Whether ranges of an uncompressed file may be read on their own, by different readers.
    pub fn is_splittable(&self) -> bool {
        match &self.format {
            Format::Csv(csv) => !csv.multiline && !csv.header_names && self.lines_allow_ranges(),
            Format::Json(json) if json.documents || json.path.is_some() => false,
            _ => !self.is_text() || self.lines_allow_ranges(),
        }
    }

    /// A header of one line surely stands in the first range; more lines or footers need the whole file.
    fn lines_allow_ranges(&self) -> bool {
        self.skip_header <= 1 && self.skip_footer == 0
    }

    /// The compression of a file: what the table says, else what the name and the first bytes say.
    pub fn compression_of(&self, name: &str, first_bytes: &[u8]) -> Compression {
        if !self.is_text() {
            return Compression::None;
        }
        self.compression.unwrap_or_else(|| Compression::detect(name, first_bytes))
    }
}
