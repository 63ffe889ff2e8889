//! The storage descriptor: where rows lie and how their bytes are read. Tables have one, and every partition its own.

use super::{Parameters, is_false};
use crate::check;
use model::{Column, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// Where and how rows are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageDescriptor {
    /// The columns in the files, without the partition keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// The folder, such as `s3://bucket/prefix/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// More folders, for tables that need them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_locations: Vec<String>,
    /// Hive's input format class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_format: Option<String>,
    /// Hive's output format class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_format: Option<String>,
    /// Whether the files are compressed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub compressed: bool,
    /// How many buckets there are; -1 and 0 mean none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_of_buckets: Option<i32>,
    /// How rows become bytes.
    #[serde(default, skip_serializing_if = "SerDe::is_default")]
    pub serde: SerDe,
    /// The columns that choose a row's bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bucket_columns: Vec<String>,
    /// The order of rows within a bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort_columns: Vec<SortColumn>,
    /// Free properties.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
    /// Values that are very frequent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<Skew>,
    /// Whether skewed values lie in folders of their own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stored_as_sub_directories: bool,
    /// The schema registry's entry that gives the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_reference: Option<SchemaReference>,
}

/// The serializer and deserializer of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SerDe {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its class, such as `org.apache.hadoop.hive.serde2.OpenCSVSerde`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Its settings, such as `separatorChar`.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
}

/// A column by which rows are sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortColumn {
    /// The column's name.
    pub column: String,
    /// From small to large.
    pub ascending: bool,
}

/// Columns with very frequent values, and where those rows lie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skew {
    /// The columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// From value to folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locations: BTreeMap<String, String>,
}

/// An entry of a schema registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaReference {
    /// The schema's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_arn: Option<String>,
    /// The schema's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_name: Option<String>,
    /// The registry's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_name: Option<String>,
    /// The version by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The version by its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_number: Option<i64>,
}

impl SerDe {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl StorageDescriptor {
    pub(crate) fn check(&self, of: &str) -> Result<()> {
        check::columns(of, &self.columns)?;
        check::optional_text(of, "location", self.location.as_deref(), 0, check::LOCATION)?;
        for location in &self.additional_locations {
            check::text(of, "location", location, 0, check::LOCATION)?;
        }
        check::optional_text(of, "input format", self.input_format.as_deref(), 0, check::FORMAT)?;
        check::optional_text(of, "output format", self.output_format.as_deref(), 0, check::FORMAT)?;
        check::optional_text(of, "serde name", self.serde.name.as_deref(), 1, check::NAME)?;
        check::optional_text(of, "serde library", self.serde.library.as_deref(), 1, check::NAME)?;
        check::parameters(of, &self.serde.parameters)?;
        check::parameters(of, &self.parameters)?;
        self.check_bucketing(of)
    }

    /// Buckets and their order name columns that exist, as long as the columns are listed at all.
    fn check_bucketing(&self, of: &str) -> Result<()> {
        let known: HashSet<String> = self.columns.iter().map(|column| column.name.to_lowercase()).collect();
        let named = self.bucket_columns.iter().chain(self.sort_columns.iter().map(|sort| &sort.column));
        for name in named {
            check::text(of, "bucket or sort column", name, 1, check::NAME)?;
            if !known.is_empty() && !known.contains(&name.to_lowercase()) {
                let hint = model::nearest_hint(name, self.columns.iter().map(|column| column.name.as_str()));
                return Err(model::Error::invalid(format!(
                    "{of} is bucketed by `{name}`, which is no column of it"
                ))
                .hint(hint));
            }
        }
        Ok(())
    }
}
