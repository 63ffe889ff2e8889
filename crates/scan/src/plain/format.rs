//! What somebody says about files beforehand; what is not said is found out.

use crawl::classify::{
    Classifiers, ContainsHeader, CsvClassifier, CustomClassifier, GrokClassifier, JsonClassifier,
};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is known of files. The default finds everything out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FileFormat {
    /// `csv`, `tsv`, `json`, `parquet`, `orc`, `avro`, `access-log` or `text` (each line a value of the column `line`).
    pub name: Option<String>,
    /// Between the fields of CSV.
    pub separator: Option<char>,
    /// Around the fields of CSV; `Some(None)` says that quotes mean nothing.
    pub quote: Option<Option<char>>,
    /// Takes the meaning from a quote of CSV behind it, besides doubled quotes.
    pub escape: Option<char>,
    /// Whether the first line of CSV names the columns.
    pub header: Option<bool>,
    /// Records of CSV may go over several lines, within quotes; JSON documents too.
    pub multiline: bool,
    /// The path to the rows in JSON documents, such as `$.records[*]`.
    pub json_path: Option<String>,
    /// How lines of text are taken apart.
    pub lines: Option<LinePattern>,
    /// No types are guessed: columns of text are strings, those of folders too.
    pub as_strings: bool,
    /// A value that does not fit its column's type is an error; otherwise it is NULL, as in tables.
    pub strict: bool,
    /// Rows of JSON that are known to be there besides those that are looked at: their fields are columns, too.
    #[serde(skip)]
    pub examples: Vec<String>,
}

/// How a line of text is taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinePattern {
    /// By a regular expression, whose groups are the columns.
    Regex(String),
    /// By a grok pattern.
    Grok {
        /// The pattern.
        pattern: String,
        /// More named patterns, one a line.
        custom: String,
    },
    /// As an access log of either of two shapes, see [`formats::access_log_columns`].
    AccessLog,
}

/// The format's name that means [`LinePattern::AccessLog`].
const ACCESS_LOG: &str = "access-log";

/// What kind of file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Csv,
    Json,
    Binary(&'static str),
    Lines,
}

impl FileFormat {
    /// The kind that is meant; an error when what is said does not fit together.
    pub(super) fn kind(&self) -> Result<Kind> {
        let name = self.name.as_deref().map(str::to_ascii_lowercase);
        let says_csv = self.separator.is_some() || self.quote.is_some() || self.header.is_some();
        let named = match name.as_deref() {
            None if self.lines.is_some() => Kind::Lines,
            None if self.json_path.is_some() => Kind::Json,
            None if says_csv || self.escape.is_some() => Kind::Csv,
            None => Kind::Any,
            Some("csv" | "tsv") => Kind::Csv,
            Some("json" | "jsonl" | "ndjson") => Kind::Json,
            Some("text" | "regex" | "grok" | "groklog" | ACCESS_LOG) => Kind::Lines,
            Some("parquet") => Kind::Binary("parquet"),
            Some("orc") => Kind::Binary("orc"),
            Some("avro") => Kind::Binary("avro"),
            Some(other) => {
                let known = ["csv", "tsv", "json", "parquet", "orc", "avro", "text", ACCESS_LOG];
                return Err(Error::unsupported(format!("files of the format `{other}` cannot be read"))
                    .hint(model::nearest_hint(other, known)));
            }
        };
        let stray = |what: &str, of: &str| {
            Err(Error::invalid(format!("{what} is an option of {of} files"))
                .hint("leave it out, or name that format"))
        };
        match named {
            Kind::Csv => {}
            _ if self.separator.is_some() => return stray("a delimiter", "CSV"),
            _ if self.header.is_some() => return stray("a header line", "CSV"),
            _ if self.quote.is_some() || self.escape.is_some() => return stray("a quote", "CSV"),
            _ => {}
        }
        if named != Kind::Json && self.json_path.is_some() {
            return stray("a JSON path", "JSON");
        }
        if named != Kind::Lines && self.lines.is_some() {
            return stray("a pattern", "text");
        }
        if name.as_deref() == Some(ACCESS_LOG) && self.pattern() != Some(&LinePattern::AccessLog) {
            return Err(Error::invalid("access logs are read without a pattern")
                .hint("leave the pattern out, or name the format `text`"));
        }
        if named == Kind::Lines && self.pattern().is_none() && name.as_deref() != Some("text") {
            return Err(Error::invalid("files of this format need the pattern of their lines"));
        }
        Ok(named)
    }

    /// How lines are taken apart, if they are.
    pub(super) fn pattern(&self) -> Option<&LinePattern> {
        let is_named = || self.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(ACCESS_LOG));
        self.lines.as_ref().or_else(|| is_named().then_some(&LinePattern::AccessLog))
    }

    pub(super) fn is_tsv(&self) -> bool {
        self.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("tsv"))
    }

    /// The classifiers that look for what was said.
    pub(super) fn classifiers(&self, kind: Kind) -> Result<Classifiers> {
        let custom = match (kind, &self.lines, &self.json_path) {
            (Kind::Csv, ..) => CustomClassifier::Csv(CsvClassifier {
                name: "csv".to_owned(),
                delimiter: self.separator.or(self.is_tsv().then_some('\t')).map(String::from),
                quote_symbol: self.quote.flatten().map(String::from),
                contains_header: match self.header {
                    Some(true) => ContainsHeader::Present,
                    Some(false) => ContainsHeader::Absent,
                    None => ContainsHeader::Unknown,
                },
                allow_single_column: true,
                ..CsvClassifier::default()
            }),
            (Kind::Lines, Some(LinePattern::Grok { pattern, custom }), _) => {
                CustomClassifier::Grok(GrokClassifier {
                    name: "grok".to_owned(),
                    classification: "grok".to_owned(),
                    grok_pattern: pattern.clone(),
                    custom_patterns: Some(custom.clone()).filter(|text| !text.is_empty()),
                })
            }
            (Kind::Json, _, Some(path)) => {
                CustomClassifier::Json(JsonClassifier { name: "json".to_owned(), json_path: path.clone() })
            }
            _ => return Ok(Classifiers::built_in()),
        };
        Classifiers::new(vec![custom])
    }
}
