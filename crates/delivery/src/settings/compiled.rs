//! Settings checked, defaults filled in: what a batch is written by. All mistakes that can be seen without data are found
//! here, when a delivery stream is made or changed.

use super::conversion::target;
use super::steps::Steps;
use super::{CompressionFormat, S3Backup, S3Destination};
use crate::prefix::Prefix;
use crate::query::Query;
use chrono::Duration;
use chrono_tz::Tz;
use formats::{JsonSpec, WriteSpec};
use model::{BucketName, EntityName, Error, Result};

const MEBI: usize = 1 << 20;
/// As much waits where nothing is said.
const USUAL_SIZE: i64 = 5;
/// The same for conversion and dynamic partitioning.
const LARGE_SIZE: i64 = 128;
/// What conversion and dynamic partitioning need at least.
const LEAST_SIZE: i64 = 64;
const MOST_SIZE: i64 = 128;
const USUAL_INTERVAL: i64 = 300;
const MOST_INTERVAL: i64 = 900;

/// A destination, ready to be written to.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) bucket: BucketName,
    pub(crate) prefix: Prefix,
    pub(crate) error_prefix: Prefix,
    pub(crate) zone: Tz,
    pub(crate) size: usize,
    pub(crate) interval: Duration,
    pub(crate) extension: String,
    pub(crate) compression: CompressionFormat,
    pub(crate) splitting: Option<Splitting>,
    /// What follows each record.
    pub(crate) delimiter: Vec<u8>,
    pub(crate) dynamic: Option<Dynamic>,
    pub(crate) target: Option<Target>,
    pub(crate) backup: Option<Backup>,
}

/// How a record is taken apart into several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Splitting {
    /// JSON objects that follow each other.
    Json,
    /// Texts between delimiters.
    Delimited(Vec<u8>),
}

/// Dynamic partitioning.
#[derive(Debug, Clone)]
pub(crate) struct Dynamic {
    pub(crate) query: Query,
    /// The keys that the prefix has.
    pub(crate) names: Vec<String>,
}

/// Conversion: whose columns, how records are read and objects written.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) database: EntityName,
    pub(crate) table: EntityName,
    /// The latest if nothing.
    pub(crate) version: Option<i64>,
    pub(crate) json: JsonSpec,
    pub(crate) write: WriteSpec,
}

/// Where records go as they came.
#[derive(Debug, Clone)]
pub(crate) struct Backup {
    pub(crate) bucket: BucketName,
    pub(crate) prefix: Prefix,
    pub(crate) compression: CompressionFormat,
}

impl Compiled {
    /// Checks a destination.
    pub(crate) fn new(settings: &S3Destination) -> Result<Self> {
        let target = match &settings.data_format_conversion_configuration {
            Some(conversion) if conversion.enabled != Some(false) => Some(target(conversion)?),
            _ => None,
        };
        let steps = Steps::read(settings.processing_configuration.as_ref())?;
        let text = settings.prefix.as_deref().unwrap_or_default();
        let prefix = Prefix::parse(text)?;
        let dynamic = dynamic(settings, steps.query, &prefix)?;
        let compression = settings.compression_format.unwrap_or_default();
        if compression == CompressionFormat::Zip {
            return Err(zip());
        }
        if target.is_some() && compression != CompressionFormat::Uncompressed {
            return Err(Error::invalid("CompressionFormat must be UNCOMPRESSED when records are converted")
                .hint("choose the compression in the ParquetSerDe or OrcSerDe"));
        }
        let (size, interval) = hints(settings, target.is_some(), dynamic.is_some())?;
        let extension = match settings.file_extension.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => extension(text)?,
            None => match &target {
                Some(target) => target.write.extension(),
                None => crate::pack::extension(compression).to_owned(),
            },
        };
        Ok(Self {
            bucket: bucket("BucketARN", &settings.bucket_arn)?,
            error_prefix: Prefix::parse_error(settings.error_output_prefix.as_deref(), text)?,
            prefix,
            zone: zone(settings.custom_time_zone.as_deref())?,
            size,
            interval,
            extension,
            compression,
            splitting: steps.splitting,
            delimiter: steps.delimiter,
            dynamic,
            target,
            backup: backup(settings)?,
        })
    }
}

fn zip() -> Error {
    Error::unsupported("the CompressionFormat ZIP is not supported")
        .hint("take GZIP, Snappy or HADOOP_SNAPPY")
}

/// A bucket by its ARN.
fn bucket(what: &str, arn: &str) -> Result<BucketName> {
    let mut parts = arn.splitn(4, ':');
    let is_s3 = parts.next() == Some("arn") && parts.next().is_some() && parts.next() == Some("s3");
    match parts.next().and_then(|rest| rest.strip_prefix("::")).filter(|_| is_s3) {
        Some(name) => BucketName::new(name).map_err(|error| error.context(what)),
        None => {
            Err(Error::invalid(format!("{what} `{arn}` is no bucket's ARN")).hint("write arn:aws:s3:::NAME"))
        }
    }
}

fn zone(name: Option<&str>) -> Result<Tz> {
    match name.filter(|name| !name.is_empty()) {
        None => Ok(Tz::UTC),
        Some(name) => name.parse().map_err(|_| {
            Error::invalid(format!("there is no time zone `{name}`"))
                .hint(model::nearest_hint(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())))
        }),
    }
}

fn extension(text: &str) -> Result<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "!-_.*'()".contains(c);
    match text.strip_prefix('.') {
        Some(rest) if !rest.is_empty() && text.len() <= 128 && rest.chars().all(fits) => Ok(text.to_owned()),
        _ => Err(Error::invalid(format!("FileExtension `{text}` is none"))
            .hint("it begins with a dot, followed by small letters, digits and !-_.*'()")),
    }
}

fn hints(settings: &S3Destination, converts: bool, partitions: bool) -> Result<(usize, Duration)> {
    let hints = settings.buffering_hints.unwrap_or_default();
    let (usual, least) = if converts || partitions { (LARGE_SIZE, LEAST_SIZE) } else { (USUAL_SIZE, 1) };
    let size = hints.size_in_mbs.unwrap_or(usual);
    let interval = hints.interval_in_seconds.unwrap_or(USUAL_INTERVAL);
    if !(least..=MOST_SIZE).contains(&size) {
        let why = match (converts, partitions) {
            (true, _) => " when records are converted",
            (_, true) => " with dynamic partitioning",
            _ => "",
        };
        return Err(Error::invalid(format!(
            "BufferingHints.SizeInMBs must be from {least} to {MOST_SIZE}{why}, not {size}"
        )));
    }
    if !(0..=MOST_INTERVAL).contains(&interval) {
        return Err(Error::invalid(format!(
            "BufferingHints.IntervalInSeconds must be from 0 to {MOST_INTERVAL}, not {interval}"
        )));
    }
    Ok((usize::try_from(size).unwrap_or(1) * MEBI, Duration::seconds(interval)))
}

fn dynamic(settings: &S3Destination, query: Option<Query>, prefix: &Prefix) -> Result<Option<Dynamic>> {
    let enabled = settings.dynamic_partitioning_configuration.is_some_and(|dynamic| dynamic.enabled);
    let names: Vec<String> = prefix.keys().map(str::to_owned).collect();
    if !enabled {
        if let Some(name) = names.first() {
            return Err(Error::invalid(format!(
                "Prefix has !{{partitionKeyFromQuery:{name}}}, but dynamic partitioning is not enabled"
            )));
        }
        return match query {
            Some(_) => {
                Err(Error::invalid("MetadataExtraction needs dynamic partitioning, which is not enabled"))
            }
            None => Ok(None),
        };
    }
    let Some(query) = query else {
        return Err(Error::invalid("dynamic partitioning needs a MetadataExtraction processor")
            .why("keys are taken from the records by its query"));
    };
    if names.is_empty() {
        return Err(Error::invalid("dynamic partitioning needs keys in Prefix")
            .hint("such as customer=!{partitionKeyFromQuery:customer}/"));
    }
    if settings.error_output_prefix.as_deref().is_none_or(str::is_empty) {
        return Err(Error::invalid("dynamic partitioning needs an ErrorOutputPrefix")
            .why("records without keys go there"));
    }
    // A query that names its keys gives them for any object.
    if let Some(given) = query.names()
        && let Some(missing) = names.iter().find(|name| !given.contains(name))
    {
        return Err(Error::invalid(format!(
            "the MetadataExtractionQuery gives no key `{missing}`, which Prefix has"
        ))
        .hint(model::nearest_hint(missing, given.iter().map(String::as_str))));
    }
    Ok(Some(Dynamic { query, names }))
}

fn backup(settings: &S3Destination) -> Result<Option<Backup>> {
    match settings.s3_backup_mode.as_deref() {
        None | Some("Disabled") => Ok(None),
        Some("Enabled") => match &settings.s3_backup_configuration {
            Some(S3Backup { bucket_arn, prefix, compression_format, .. }) => {
                let compression = compression_format.unwrap_or_default();
                if compression == CompressionFormat::Zip {
                    return Err(zip());
                }
                let prefix = Prefix::parse(prefix.as_deref().unwrap_or_default())?;
                if prefix.keys().next().is_some() {
                    return Err(Error::invalid(
                        "the Prefix of a backup must not have keys of dynamic partitioning",
                    ));
                }
                let bucket = bucket("the backup's BucketARN", bucket_arn)?;
                Ok(Some(Backup { bucket, prefix, compression }))
            }
            None => Err(Error::invalid("S3BackupMode is Enabled, but there is no S3BackupConfiguration")),
        },
        Some(other) => {
            Err(Error::invalid(format!("there is no S3BackupMode {other}")).hint("write Disabled or Enabled"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn compiled(more: Value) -> Result<Compiled> {
        let mut all =
            json!({ "RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::lake" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Compiled::new(&serde_json::from_value(all).unwrap())
    }

    fn conversion(more: Value) -> Value {
        let mut all = json!({
            "SchemaConfiguration": { "DatabaseName": "d", "TableName": "t" },
            "InputFormatConfiguration": { "Deserializer": { "OpenXJsonSerDe": {} } },
            "OutputFormatConfiguration": { "Serializer": { "ParquetSerDe": {} } },
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "DataFormatConversionConfiguration": all })
    }

    fn steps(processors: Value) -> Value {
        json!({
            "ProcessingConfiguration": { "Enabled": true, "Processors": processors },
            "DynamicPartitioningConfiguration": { "Enabled": true },
            "Prefix": "c=!{partitionKeyFromQuery:c}/", "ErrorOutputPrefix": "bad/",
        })
    }

    fn step(kind: &str, parameters: &[(&str, &str)]) -> Value {
        let all = parameters.iter().map(|(n, v)| json!({ "ParameterName": n, "ParameterValue": v }));
        json!({ "Type": kind, "Parameters": all.collect::<Vec<_>>() })
    }

    #[test]
    fn defaults() {
        let plain = compiled(json!({})).unwrap();
        assert_eq!((plain.size, plain.interval.num_seconds()), (5 << 20, 300));
        assert_eq!(plain.extension, "");
        let parquet = compiled(conversion(json!({}))).unwrap();
        assert_eq!((parquet.size, parquet.extension.as_str()), (128 << 20, ".parquet"));
        let target = parquet.target.unwrap();
        assert_eq!(target.write.compression.as_deref(), Some("snappy"));
        assert!(target.json.openx && !target.json.case_sensitive);
        let gzip = compiled(json!({ "CompressionFormat": "GZIP" })).unwrap();
        assert_eq!(gzip.extension, ".gz");
        let named = compiled(json!({ "CompressionFormat": "GZIP", "FileExtension": ".json.gz" })).unwrap();
        assert_eq!(named.extension, ".json.gz");
        let zero = compiled(json!({ "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 0 } })).unwrap();
        assert_eq!(zero.interval.num_seconds(), 0);
    }

    #[test]
    fn mistakes_are_named() {
        let query = step(
            "MetadataExtraction",
            &[("MetadataExtractionQuery", "{c: .c}"), ("JsonParsingEngine", "JQ-1.6")],
        );
        for (settings, part) in [
            (json!({ "BucketARN": "lake" }), "no bucket's ARN"),
            (json!({ "CompressionFormat": "ZIP" }), "ZIP"),
            (json!({ "BufferingHints": { "SizeInMBs": 129 } }), "from 1 to 128"),
            (json!({ "BufferingHints": { "IntervalInSeconds": 901 } }), "from 0 to 900"),
            (json!({ "CustomTimeZone": "Europe/Berlim" }), "no time zone"),
            (json!({ "FileExtension": "gz" }), "FileExtension"),
            (json!({ "S3BackupMode": "Enabled" }), "no S3BackupConfiguration"),
            (json!({ "Prefix": "!{partitionKeyFromQuery:c}/", "ErrorOutputPrefix": "e/" }), "is not enabled"),
            (steps(json!([])), "MetadataExtraction processor"),
            (steps(json!([step("Lambda", &[])])), "Lambda"),
            (steps(json!([step("Decompression", &[])])), "Decompression"),
            (steps(json!([query, query])), "twice"),
            (steps(json!([query, step("RecordDeAggregation", &[("SubRecordType", "XML")])])), "XML"),
            (steps(json!([query, step("RecordDeAggregation", &[("SubRecordType", "DELIMITED")])])), "Base64"),
            (
                steps(json!([step(
                    "MetadataExtraction",
                    &[("MetadataExtractionQuery", "{d: .d}"), ("JsonParsingEngine", "JQ-1.6")]
                )])),
                "no key `c`",
            ),
            (
                steps(json!([step(
                    "MetadataExtraction",
                    &[("MetadataExtractionQuery", "{c: .c"), ("JsonParsingEngine", "JQ-1.6")]
                )])),
                "MetadataExtractionQuery",
            ),
            (conversion(json!({ "SchemaConfiguration": { "DatabaseName": "d" } })), "TableName"),
            (conversion(json!({ "InputFormatConfiguration": {} })), "Deserializer"),
            (
                conversion(
                    json!({ "OutputFormatConfiguration": { "Serializer": { "ParquetSerDe": {}, "OrcSerDe": {} } } }),
                ),
                "either",
            ),
            (
                conversion(json!({ "OutputFormatConfiguration":
                    { "Serializer": { "ParquetSerDe": { "Compression": "ZSTD" } } } })),
                "ParquetSerDe.Compression",
            ),
            (
                conversion(json!({ "OutputFormatConfiguration":
                    { "Serializer": { "OrcSerDe": { "FormatVersion": "V0_11" } } } })),
                "V0_12",
            ),
        ] {
            let error = compiled(settings.clone()).unwrap_err();
            assert!(format!("{error} {:?}", error.diagnosis()).contains(part), "{settings}: {error}");
        }
        let mut small = conversion(json!({}));
        small["BufferingHints"] = json!({ "SizeInMBs": 5 });
        assert!(compiled(small).unwrap_err().to_string().contains("from 64"));
        let mut packed = conversion(json!({}));
        packed["CompressionFormat"] = json!("GZIP");
        assert!(compiled(packed).unwrap_err().to_string().contains("UNCOMPRESSED"));
    }
}
