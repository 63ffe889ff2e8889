//! Glue's shapes that several operations share, and their translation to the catalog's types and back.

use catalog::{
    Parameters, SchemaReference as OurReference, SerDe, Skew, SortColumn, StorageDescriptor as OurStorage,
};
use chrono::{DateTime, Utc};
use model::{Column as OurColumn, EntityName, Error, HiveType, Result};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "Type", default, skip_serializing_if = "Option::is_none")]
    pub(super) hive_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
    #[serde(default, skip_serializing)]
    parameters: Option<Parameters>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct StorageDescriptor {
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<Column>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_locations: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_format: Option<String>,
    compressed: Option<bool>,
    number_of_buckets: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serde_info: Option<SerDeInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_columns: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_columns: Option<Vec<Order>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skewed_info: Option<SkewedInfo>,
    stored_as_sub_directories: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_reference: Option<SchemaReference>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SerDeInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serialization_library: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Order {
    column: String,
    sort_order: i32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SkewedInfo {
    skewed_column_names: Vec<String>,
    skewed_column_values: Vec<String>,
    skewed_column_value_location_maps: BTreeMap<String, String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SchemaReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_id: Option<SchemaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_version_number: Option<i64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SchemaId {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry_name: Option<String>,
}

/// A name of the catalog; what is wrong with it is said of this field.
pub(super) fn name(field: &str, text: &str) -> Result<EntityName> {
    EntityName::new(text).map_err(|error| error.context(field))
}

/// The page of a list that may be asked for at once.
pub(super) fn limit(asked: Option<i64>, most: usize) -> Result<usize> {
    match asked {
        None => Ok(most),
        Some(count) => match usize::try_from(count) {
            Ok(count) if (1..=most).contains(&count) => Ok(count),
            _ => Err(Error::invalid(format!("MaxResults must be from 1 to {most}, not {count}"))),
        },
    }
}

/// Refuses members that the catalog does not keep.
pub(super) fn refuse(field: &str, is_set: bool) -> Result<()> {
    match is_set {
        true => Err(Error::unsupported(format!("{field} is not supported here")).hint("leave it away")),
        false => Ok(()),
    }
}

/// Seconds since 1970 in a request.
pub(super) fn seconds<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<DateTime<Utc>>, D::Error> {
    let seconds = Option::<f64>::deserialize(from)?;
    #[allow(clippy::cast_possible_truncation, reason = "what is out of range is no time and refused below")]
    let time = seconds.map(|seconds| DateTime::from_timestamp_millis((seconds * 1000.0) as i64));
    match time {
        None => Ok(None),
        Some(Some(time)) => Ok(Some(time)),
        Some(None) => Err(serde::de::Error::custom("a time is out of range")),
    }
}

/// Columns for the catalog.
pub(super) fn columns(columns: Option<Vec<Column>>) -> Result<Vec<OurColumn>> {
    columns
        .unwrap_or_default()
        .into_iter()
        .map(|column| {
            let of = format!("column `{}`", column.name);
            refuse(&format!("Parameters of {of}"), column.parameters.is_some_and(|map| !map.is_empty()))?;
            let text = column.hive_type.as_deref().unwrap_or("string");
            let hive_type = text.parse::<HiveType>().map_err(|error| error.context(&of))?;
            Ok(OurColumn { name: column.name, hive_type, comment: column.comment })
        })
        .collect()
}

/// Columns for the caller.
pub(super) fn show_columns(columns: &[OurColumn]) -> Vec<Column> {
    let one = |column: &OurColumn| Column {
        name: column.name.clone(),
        hive_type: Some(column.hive_type.to_string()),
        comment: column.comment.clone(),
        parameters: None,
    };
    columns.iter().map(one).collect()
}

fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

impl StorageDescriptor {
    /// For the catalog.
    pub(super) fn take(self) -> Result<OurStorage> {
        let serde = self.serde_info.unwrap_or_default();
        Ok(OurStorage {
            columns: columns(self.columns)?,
            location: self.location,
            additional_locations: self.additional_locations.unwrap_or_default(),
            input_format: self.input_format,
            output_format: self.output_format,
            compressed: self.compressed.unwrap_or_default(),
            number_of_buckets: self.number_of_buckets,
            serde: SerDe {
                name: serde.name,
                library: serde.serialization_library,
                parameters: serde.parameters.unwrap_or_default(),
            },
            bucket_columns: self.bucket_columns.unwrap_or_default(),
            sort_columns: self
                .sort_columns
                .unwrap_or_default()
                .into_iter()
                .map(|order| SortColumn { column: order.column, ascending: order.sort_order == 1 })
                .collect(),
            parameters: self.parameters.unwrap_or_default(),
            skew: self.skewed_info.map(|skew| Skew {
                columns: skew.skewed_column_names,
                values: skew.skewed_column_values,
                locations: skew.skewed_column_value_location_maps,
            }),
            stored_as_sub_directories: self.stored_as_sub_directories.unwrap_or_default(),
            schema_reference: self.schema_reference.map(|reference| {
                let id = reference.schema_id.unwrap_or_default();
                OurReference {
                    schema_arn: id.schema_arn,
                    schema_name: id.schema_name,
                    registry_name: id.registry_name,
                    version_id: reference.schema_version_id,
                    version_number: reference.schema_version_number,
                }
            }),
        })
    }

    /// For the caller.
    pub(super) fn show(storage: &OurStorage) -> Self {
        let storage = storage.clone();
        Self {
            columns: Some(show_columns(&storage.columns)),
            location: storage.location,
            additional_locations: filled(storage.additional_locations),
            input_format: storage.input_format,
            output_format: storage.output_format,
            compressed: Some(storage.compressed),
            number_of_buckets: Some(storage.number_of_buckets.unwrap_or_default()),
            serde_info: Some(SerDeInfo {
                name: storage.serde.name,
                serialization_library: storage.serde.library,
                parameters: Some(storage.serde.parameters),
            }),
            bucket_columns: filled(storage.bucket_columns),
            sort_columns: filled(
                storage
                    .sort_columns
                    .into_iter()
                    .map(|sort| Order { column: sort.column, sort_order: i32::from(sort.ascending) })
                    .collect(),
            ),
            parameters: Some(storage.parameters),
            skewed_info: storage.skew.map(|skew| SkewedInfo {
                skewed_column_names: skew.columns,
                skewed_column_values: skew.values,
                skewed_column_value_location_maps: skew.locations,
            }),
            stored_as_sub_directories: Some(storage.stored_as_sub_directories),
            schema_reference: storage.schema_reference.map(|reference| SchemaReference {
                schema_id: Some(SchemaId {
                    schema_arn: reference.schema_arn,
                    schema_name: reference.schema_name,
                    registry_name: reference.registry_name,
                }),
                schema_version_id: reference.version_id,
                schema_version_number: reference.version_number,
            }),
        }
    }
}
