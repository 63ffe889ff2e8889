//! What a destination is told: Firehose's own words, kept as they were given.

mod changes;
mod compiled;
mod conversion;
mod steps;

pub(crate) use compiled::{Compiled, Splitting, Target};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a delivery stream delivers to, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct S3Destination {
    /// The role; kept, since buckets belong to whoever runs the platform.
    #[serde(rename = "RoleARN", default)]
    pub role_arn: String,
    /// The bucket, as `arn:aws:s3:::NAME`.
    #[serde(rename = "BucketARN", default)]
    pub bucket_arn: String,
    /// What objects' keys begin with; may have expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What the keys of objects with failed records begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_output_prefix: Option<String>,
    /// When a batch is large or old enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffering_hints: Option<BufferingHints>,
    /// How objects are compressed, where their format has no compression of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression_format: Option<CompressionFormat>,
    /// Encryption of objects; kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_configuration: Option<Value>,
    /// Where failures are told; kept, they are told in the run's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logging_options: Option<CloudWatchLoggingOptions>,
    /// What is done to records on their way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing_configuration: Option<Processing>,
    /// `Disabled` or `Enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_backup_mode: Option<String>,
    /// Where records go as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_backup_configuration: Option<S3Backup>,
    /// Conversion to Parquet or ORC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_format_conversion_configuration: Option<Conversion>,
    /// Objects by keys that the records hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic_partitioning_configuration: Option<DynamicPartitioning>,
    /// How objects' names end, instead of what follows from their format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_extension: Option<String>,
    /// The time zone of timestamps in prefixes and names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_time_zone: Option<String>,
}

/// Where records go as they came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct S3Backup {
    /// The role; kept.
    #[serde(rename = "RoleARN", default)]
    pub role_arn: String,
    /// The bucket.
    #[serde(rename = "BucketARN", default)]
    pub bucket_arn: String,
    /// What objects' keys begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Kept: nothing fails in a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_output_prefix: Option<String>,
    /// Kept: a backup has the batches of its destination, with which it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffering_hints: Option<BufferingHints>,
    /// How objects are compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression_format: Option<CompressionFormat>,
    /// Encryption of objects; kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_configuration: Option<Value>,
    /// Where failures are told; kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logging_options: Option<CloudWatchLoggingOptions>,
}

/// When a batch is delivered: as soon as either is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BufferingHints {
    /// So many mebibytes wait.
    #[serde(rename = "SizeInMBs", default, skip_serializing_if = "Option::is_none")]
    pub size_in_mbs: Option<i64>,
    /// The oldest record has waited for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_in_seconds: Option<i64>,
}

/// How objects are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompressionFormat {
    /// Not at all.
    #[default]
    #[serde(rename = "UNCOMPRESSED")]
    Uncompressed,
    /// gzip.
    #[serde(rename = "GZIP")]
    Gzip,
    /// Zip archives; refused.
    #[serde(rename = "ZIP")]
    Zip,
    /// Snappy in its framing format.
    Snappy,
    /// Snappy in Hadoop's blocks.
    #[serde(rename = "HADOOP_SNAPPY")]
    HadoopSnappy,
}

/// Where failures are told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CloudWatchLoggingOptions {
    /// Whether they are.
    #[serde(default)]
    pub enabled: bool,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group_name: Option<String>,
    /// The stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_stream_name: Option<String>,
}

/// What is done to records on their way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Processing {
    /// Whether it is done.
    #[serde(default)]
    pub enabled: bool,
    /// The steps.
    #[serde(default)]
    pub processors: Vec<Processor>,
}

/// A step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Processor {
    /// `MetadataExtraction`, `RecordDeAggregation`, `AppendDelimiterToRecord`, …
    pub r#type: String,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Vec<ProcessorParameter>,
}

/// A parameter of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProcessorParameter {
    /// Its name.
    pub parameter_name: String,
    /// Its value.
    pub parameter_value: String,
}

/// Objects by keys that the records hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DynamicPartitioning {
    /// Whether.
    #[serde(default)]
    pub enabled: bool,
    /// Kept: a delivery is tried until it succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_options: Option<RetryOptions>,
}

/// For how long is tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RetryOptions {
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_in_seconds: Option<i64>,
}

/// Conversion of JSON to Parquet or ORC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Conversion {
    /// Whether records are converted; true where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The table whose columns the objects have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_configuration: Option<SchemaConfiguration>,
    /// How records are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_format_configuration: Option<InputFormat>,
    /// How objects are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_format_configuration: Option<OutputFormat>,
}

/// A table of the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SchemaConfiguration {
    /// The role; kept.
    #[serde(rename = "RoleARN", default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The catalog; there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_id: Option<String>,
    /// The database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_name: Option<String>,
    /// The table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_name: Option<String>,
    /// The region; kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The table's version, or `LATEST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

/// How records are read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InputFormat {
    /// By this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deserializer: Option<Deserializer>,
}

/// How records are read: one of both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deserializer {
    /// As OpenX's serde reads JSON.
    #[serde(rename = "OpenXJsonSerDe", default, skip_serializing_if = "Option::is_none")]
    pub open_x_json: Option<OpenXJson>,
    /// As Hive's serde does.
    #[serde(rename = "HiveJsonSerDe", default, skip_serializing_if = "Option::is_none")]
    pub hive_json: Option<HiveJson>,
}

/// Options of OpenX's serde.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OpenXJson {
    /// Dots in keys are underscores in columns' names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convert_dots_in_json_keys_to_underscores: Option<bool>,
    /// Whether case in keys means nothing; true where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_insensitive: Option<bool>,
    /// Keys for columns of other names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_to_json_key_mappings: Option<BTreeMap<String, String>>,
}

/// Options of Hive's serde.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HiveJson {
    /// Patterns of timestamps, or `millis`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_formats: Option<Vec<String>>,
}

/// How objects are written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OutputFormat {
    /// By this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serializer: Option<Serializer>,
}

/// How objects are written: one of both. What only changes how bytes are laid out is kept, and the platform's writers
/// decide.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Serializer {
    /// Parquet.
    #[serde(rename = "ParquetSerDe", default, skip_serializing_if = "Option::is_none")]
    pub parquet: Option<serde_json::Map<String, Value>>,
    /// ORC.
    #[serde(rename = "OrcSerDe", default, skip_serializing_if = "Option::is_none")]
    pub orc: Option<serde_json::Map<String, Value>>,
}
