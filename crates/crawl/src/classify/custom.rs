//! Custom classifiers, with the fields and spellings of Glue's interface, checked before they are used.

use super::formats::{ColumnsOfCsv, CsvOptions, classify_csv, classify_json_path, classify_xml_rows};
use super::grok;
use super::result::Classification;
use super::sample::Sample;
use super::source::Limits;
use ::formats::{Grok, JsonPath};
use model::{Error, HiveType, Result, nearest_hint};
use serde::{Deserialize, Serialize};

/// A classifier that somebody described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CustomClassifier {
    /// Lines that match a grok pattern.
    #[serde(rename = "GrokClassifier")]
    Grok(GrokClassifier),
    /// Delimited text.
    #[serde(rename = "CsvClassifier")]
    Csv(CsvClassifier),
    /// The values a JSON path leads to.
    #[serde(rename = "JsonClassifier")]
    Json(JsonClassifier),
    /// The elements of one tag.
    #[serde(rename = "XMLClassifier")]
    Xml(XmlClassifier),
}

/// Lines that match a grok pattern.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrokClassifier {
    /// The classifier's name.
    pub name: String,
    /// What tables of this kind are called.
    pub classification: String,
    /// The pattern: `%{IPORHOST:client} %{NUMBER:status:int}`.
    pub grok_pattern: String,
    /// More patterns, one a line: a name, a space, the pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_patterns: Option<String>,
}

/// Whether the first row names the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ContainsHeader {
    /// Find out.
    #[default]
    Unknown,
    /// It does.
    Present,
    /// It does not.
    Absent,
}

/// The serde of a delimited table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CsvSerde {
    /// Reads quoted fields.
    #[serde(rename = "OpenCSVSerDe")]
    OpenCsvSerde,
    /// Reads plain fields.
    #[serde(rename = "LazySimpleSerDe")]
    LazySimpleSerde,
    /// The default.
    None,
}

/// Delimited text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CsvClassifier {
    /// The classifier's name.
    pub name: String,
    /// One character; found out when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// One character; found out when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_symbol: Option<String>,
    /// Whether the first row names the columns.
    #[serde(default)]
    pub contains_header: ContainsHeader,
    /// The columns' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header: Vec<String>,
    /// Whether space around values is part of them.
    #[serde(default)]
    pub disable_value_trimming: bool,
    /// Whether a file of one column is a table.
    #[serde(default)]
    pub allow_single_column: bool,
    /// Whether `CustomDatatypes` holds.
    #[serde(default)]
    pub custom_datatype_configured: bool,
    /// The columns' types in order, as Glue spells them: `INT`, `LONG`, `DATE`, ….
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_datatypes: Vec<String>,
    /// The serde; chosen by the data when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serde: Option<CsvSerde>,
}

/// The values a JSON path leads to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct JsonClassifier {
    /// The classifier's name.
    pub name: String,
    /// The path: `$.records[*]`.
    pub json_path: String,
}

/// The elements of one tag.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct XmlClassifier {
    /// The classifier's name.
    pub name: String,
    /// What tables of this kind are called.
    pub classification: String,
    /// The element that is a row.
    pub row_tag: String,
}

impl CustomClassifier {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Grok(one) => &one.name,
            Self::Csv(one) => &one.name,
            Self::Json(one) => &one.name,
            Self::Xml(one) => &one.name,
        }
    }

    /// Whether it can work; the error names the classifier and what is wrong with it.
    pub fn validate(&self) -> Result<()> {
        if self.name().trim().is_empty() {
            return Err(Error::invalid("a classifier has no name"));
        }
        let checked = match self {
            Self::Grok(one) => one.compile().map(drop),
            Self::Csv(one) => one.options().map(drop),
            Self::Json(one) => JsonPath::parse(&one.json_path).map(drop),
            Self::Xml(one) => one.check(),
        };
        checked.map_err(|error| error.context(format!("the classifier `{}` is wrong", self.name())))
    }

    pub(crate) fn classify(&self, sample: &Sample<'_>, limits: &Limits) -> Result<Option<Classification>> {
        match self {
            Self::Grok(one) => grok::classify(sample, &one.compile()?, one, limits),
            Self::Csv(one) => classify_csv(sample, &one.options()?, limits),
            Self::Json(one) => {
                classify_json_path(sample, &JsonPath::parse(&one.json_path)?, &one.json_path, limits)
            }
            Self::Xml(one) => classify_xml_rows(sample, &one.classification, &one.row_tag, limits),
        }
    }
}

impl GrokClassifier {
    fn compile(&self) -> Result<Grok> {
        check_classification(&self.classification)?;
        Grok::compile(&self.grok_pattern, self.custom_patterns.as_deref().unwrap_or_default())
    }
}

impl XmlClassifier {
    fn check(&self) -> Result<()> {
        check_classification(&self.classification)?;
        let tag = &self.row_tag;
        let plain = tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
        if tag.is_empty() || !plain {
            return Err(Error::invalid(format!("`{tag}` is no element's name"))
                .hint("give the row element's tag without angle brackets, such as `book`"));
        }
        Ok(())
    }
}

fn check_classification(classification: &str) -> Result<()> {
    if classification.trim().is_empty() {
        return Err(Error::invalid("the classification is missing").hint("name it, such as `app-log`"));
    }
    Ok(())
}

/// Glue's spellings of types.
const DATATYPES: [(&str, HiveType); 11] = [
    ("BINARY", HiveType::Binary),
    ("BOOLEAN", HiveType::Boolean),
    ("DATE", HiveType::Date),
    ("DECIMAL", HiveType::Decimal { precision: 38, scale: 18 }),
    ("DOUBLE", HiveType::Double),
    ("FLOAT", HiveType::Float),
    ("INT", HiveType::Int),
    ("LONG", HiveType::BigInt),
    ("SHORT", HiveType::SmallInt),
    ("STRING", HiveType::String),
    ("TIMESTAMP", HiveType::Timestamp),
];

impl CsvClassifier {
    fn options(&self) -> Result<CsvOptions> {
        let delimiter = one_character("delimiter", self.delimiter.as_deref())?;
        let quote = one_character("quote symbol", self.quote_symbol.as_deref())?;
        if delimiter.is_some() && delimiter == quote {
            return Err(Error::invalid("the delimiter and the quote symbol are the same character"));
        }
        Ok(CsvOptions {
            delimiter,
            quote,
            header: self.contains_header,
            names: self.header.clone(),
            types: self.datatypes()?,
            allow_single_column: self.allow_single_column,
            keep_space: self.disable_value_trimming,
            serde: self.serde,
        })
    }

    fn datatypes(&self) -> Result<ColumnsOfCsv> {
        if !self.custom_datatype_configured {
            return Ok(Vec::new());
        }
        if !self.header.is_empty() && self.custom_datatypes.len() != self.header.len() {
            return Err(Error::invalid(format!(
                "{} types are given for {} columns",
                self.custom_datatypes.len(),
                self.header.len()
            ))
            .hint("give one type a column, in the header's order"));
        }
        self.custom_datatypes.iter().map(|name| datatype(name)).collect()
    }
}

fn datatype(name: &str) -> Result<HiveType> {
    let found = DATATYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
    found.map(|(_, hive_type)| hive_type.clone()).ok_or_else(|| {
        Error::invalid(format!("there is no custom data type `{name}`"))
            .hint(nearest_hint(name, DATATYPES.iter().map(|(known, _)| *known)))
    })
}

fn one_character(what: &str, text: Option<&str>) -> Result<Option<char>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let text = match text {
        "\\t" => "\t",
        "\\u0001" | "\\001" => "\u{1}",
        other => other,
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if !matches!(c, '\n' | '\r') => Ok(Some(c)),
        _ => Err(Error::invalid(format!(
            "the {what} `{}` must be one character, and no line break",
            text.escape_debug()
        ))),
    }
}
