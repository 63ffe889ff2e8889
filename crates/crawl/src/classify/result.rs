//! What a classifier found out, and how two findings are compared and united into one table.

use super::compression::Compression;
use super::sample::Sample;
use model::{Column, HiveType, Schema};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an object is, in the words of the catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// `parquet`, `csv`, `json`, `avro`, `orc`, `xml`, `access-log`, …, or what a custom classifier calls it.
    pub classification: String,
    /// How the object as a whole is compressed; formats that compress their own pages have none.
    pub compression: Option<Compression>,
    /// The columns in the data's order.
    pub schema: Schema,
    /// The Hive input format.
    pub input_format: String,
    /// The Hive output format.
    pub output_format: String,
    /// The Hive serde; empty where Hive has none (XML).
    pub serde_library: String,
    /// What the serde needs to know.
    pub serde_parameters: BTreeMap<String, String>,
    /// The table's parameters.
    pub table_parameters: BTreeMap<String, String>,
    /// How many rows were looked at.
    pub sampled_rows: u64,
    /// How many rows the object has, where its footer tells.
    pub rows: Option<u64>,
    /// The share of the sample that fits, 0 to 1.
    pub confidence: f64,
    /// Columns whose type is a guess because no value was seen; another object's type wins when they are united.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub untyped: BTreeSet<String>,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
    /// What a reader of CSV should know beyond the table's parameters.
    #[serde(skip)]
    pub csv: CsvTraits,
}

/// Traits of CSV that Glue's tables have no parameters for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CsvTraits {
    /// Quotes within values are escaped by backslashes.
    pub escapes: bool,
    /// Values have line breaks in them.
    pub multi_line: bool,
}

/// Input format, output format and serde of a kind of table.
pub(crate) struct Hive {
    pub(crate) input: &'static str,
    pub(crate) output: &'static str,
    pub(crate) serde: &'static str,
}

impl Hive {
    /// Lines of text read by that serde.
    pub(crate) const fn text(serde: &'static str) -> Self {
        Self {
            input: "org.apache.hadoop.mapred.TextInputFormat",
            output: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            serde,
        }
    }
}

/// Columns with the names of those whose type nothing was seen of.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) columns: Vec<Column>,
    pub(crate) untyped: BTreeSet<String>,
}

impl Columns {
    /// Adds a column; without a type it is a string until another object knows better.
    pub(crate) fn push(&mut self, name: String, hive_type: Option<HiveType>) {
        if hive_type.is_none() {
            self.untyped.insert(name.clone());
        }
        self.columns.push(Column::new(name, hive_type.unwrap_or(HiveType::String)));
    }
}

impl Classification {
    /// A finding with the parameters every table gets.
    pub(crate) fn new(classification: &str, hive: &Hive, columns: Columns) -> Self {
        let parameters =
            [("classification", classification), ("compressionType", "none"), ("typeOfData", "file")];
        Self {
            classification: classification.to_owned(),
            compression: None,
            schema: Schema::new(columns.columns),
            input_format: hive.input.to_owned(),
            output_format: hive.output.to_owned(),
            serde_library: hive.serde.to_owned(),
            serde_parameters: BTreeMap::new(),
            table_parameters: parameters.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            sampled_rows: 0,
            rows: None,
            confidence: 1.0,
            untyped: columns.untyped,
            notes: Vec::new(),
            csv: CsvTraits::default(),
        }
    }

    /// A finding about a text object.
    pub(crate) fn of_text(classification: &str, hive: &Hive, columns: Columns, sample: &Sample<'_>) -> Self {
        let mut found = Self::new(classification, hive, columns);
        found.compression = sample.compression;
        if let Some(compression) = sample.compression {
            found.set("compressionType", compression.to_string());
        }
        if let Some(encoding) = sample.encoding {
            found.set_serde("serialization.encoding", encoding);
        }
        found.notes.extend(sample.notes.iter().cloned());
        found
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.table_parameters.insert(key.to_owned(), value.into());
    }

    pub(crate) fn set_serde(&mut self, key: &str, value: impl Into<String>) {
        self.serde_parameters.insert(key.to_owned(), value.into());
    }

    /// Whether its columns are told apart by position, not by name.
    fn is_positional(&self) -> bool {
        ["LazySimpleSerDe", "OpenCSVSerde", "RegexSerDe", "GrokSerDe"]
            .iter()
            .any(|serde| self.serde_library.ends_with(serde))
    }

    /// Whether every value is text underneath, so that `string` can read what has no other common type.
    fn is_text(&self) -> bool {
        !matches!(self.classification.as_str(), "parquet" | "avro" | "orc")
    }
}

/// Parameters that follow from the columns or differ without harm between objects of one table.
const DERIVED: [&str; 4] = ["paths", "avro.schema.literal", "compressionType", "averageRecordSize"];

/// One finding that describes both objects, or none when no single table could: types are widened, new columns come
/// last. Text tables fall back to `string` where values have no common type; columnar ones are then incompatible.
/// Tables whose columns count by position unite only when one's names continue the other's.
pub fn merge(a: &Classification, b: &Classification) -> Option<Classification> {
    if a.classification != b.classification
        || a.serde_library != b.serde_library
        || !same_parameters(&a.serde_parameters, &b.serde_parameters)
        || !same_parameters(&a.table_parameters, &b.table_parameters)
        || (a.is_positional() && !continues(&a.schema, &b.schema))
    {
        return None;
    }
    let mut merged = a.clone();
    for column in &b.schema.columns {
        merge_column(&mut merged, a, b, column)?;
    }
    merged.sampled_rows += b.sampled_rows;
    merged.rows = a.rows.zip(b.rows).map(|(a, b)| a + b);
    merged.confidence = a.confidence.min(b.confidence);
    merged.csv.escapes |= b.csv.escapes;
    merged.csv.multi_line |= b.csv.multi_line;
    if a.compression != b.compression {
        // Readers tell each object's compression by itself, so a folder of plain and compressed logs is one table.
        merged.compression = None;
        merged.set("compressionType", "none");
    }
    if merged.serde_parameters.contains_key("paths") {
        let paths = super::formats::json_paths(&merged.schema);
        merged.set_serde("paths", paths);
    }
    for note in &b.notes {
        if !merged.notes.contains(note) {
            merged.notes.push(note.clone());
        }
    }
    Some(merged)
}

fn merge_column(
    merged: &mut Classification,
    a: &Classification,
    b: &Classification,
    column: &Column,
) -> Option<()> {
    let is_text = a.is_text();
    let Some(known) = merged.schema.columns.iter_mut().find(|known| same_name(&known.name, &column.name))
    else {
        if b.untyped.contains(&column.name) {
            merged.untyped.insert(column.name.clone());
        }
        merged.schema.columns.push(column.clone());
        return Some(());
    };
    if b.untyped.contains(&column.name) {
        return Some(());
    }
    if merged.untyped.remove(&known.name) {
        known.hive_type = column.hive_type.clone();
        return Some(());
    }
    known.hive_type = match unite(&known.hive_type, &column.hive_type, is_text) {
        Some(united) => united,
        None if is_text => HiveType::String,
        None => return None,
    };
    Some(())
}

/// The common type. A date is no timestamp in text: its reader would find no time of day.
fn unite(a: &HiveType, b: &HiveType, is_text: bool) -> Option<HiveType> {
    use HiveType as T;
    match (a, b) {
        (T::Date, T::Timestamp) | (T::Timestamp, T::Date) if is_text => None,
        _ => a.common(b),
    }
}

fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}

fn continues(a: &Schema, b: &Schema) -> bool {
    a.columns.iter().zip(&b.columns).all(|(a, b)| same_name(&a.name, &b.name))
}

fn same_parameters(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> bool {
    let kept = |map: &BTreeMap<String, String>| -> Vec<(String, String)> {
        map.iter()
            .filter(|(key, _)| !DERIVED.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    kept(a) == kept(b)
}

/// The share of columns that both have under the same name with a type that widens into one, 0 to 1, of the columns of
/// the wider one. A common name with an incompatible type counts half. Different classifications have nothing in common.
pub fn similarity(a: &Classification, b: &Classification) -> f64 {
    if a.classification != b.classification {
        return 0.0;
    }
    let most = a.schema.columns.len().max(b.schema.columns.len());
    if most == 0 {
        return 1.0;
    }
    let by_name: BTreeMap<String, &Column> =
        b.schema.columns.iter().map(|column| (column.name.to_lowercase(), column)).collect();
    let alike: f64 = a
        .schema
        .columns
        .iter()
        .map(|column| match by_name.get(&column.name.to_lowercase()) {
            None => 0.0,
            Some(other)
                if a.untyped.contains(&column.name)
                    || b.untyped.contains(&other.name)
                    || unite(&column.hive_type, &other.hive_type, a.is_text()).is_some() =>
            {
                1.0
            }
            Some(_) => 0.5,
        })
        .sum();
    alike / most as f64
}
