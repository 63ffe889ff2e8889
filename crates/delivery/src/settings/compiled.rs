//! Settings checked, defaults filled in: what a batch is written by. All mistakes that can be seen without data are found
//! here, when a delivery stream is made or changed.

use super::{CompressionFormat, Conversion, Processing, S3Backup, S3Destination, Serializer};
use crate::prefix::Prefix;
use crate::query::Query;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use chrono_tz::Tz;
use formats::{JsonSpec, WriteFormat, WriteSpec};
use model::{BucketName, EntityName, Error, Result};
use serde_json::{Map, Value};

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

/// The steps of a processing configuration.
#[derive(Default)]
struct Steps {
    query: Option<Query>,
    splitting: Option<Splitting>,
    delimiter: Vec<u8>,
}

impl Steps {
    fn read(processing: Option<&Processing>) -> Result<Self> {
        let mut steps = Self::default();
        let Some(processing) = processing.filter(|processing| processing.enabled) else { return Ok(steps) };
        for (at, processor) in processing.processors.iter().enumerate() {
            let kind = processor.r#type.as_str();
            if processing.processors.iter().take(at).any(|before| before.r#type == kind) {
                return Err(Error::invalid(format!("the processor {kind} is given twice")));
            }
            let parameter = |name: &str| {
                let found = processor.parameters.iter().find(|p| p.parameter_name == name);
                found.map(|p| p.parameter_value.as_str())
            };
            let known: &[&str] = match kind {
                "MetadataExtraction" => &["MetadataExtractionQuery", "JsonParsingEngine"],
                "RecordDeAggregation" => &["SubRecordType", "Delimiter"],
                "AppendDelimiterToRecord" => &["Delimiter"],
                _ => &[],
            };
            match kind {
                "MetadataExtraction" => steps.query = Some(query(parameter)?),
                "RecordDeAggregation" => steps.splitting = Some(splitting(parameter)?),
                "AppendDelimiterToRecord" => {
                    steps.delimiter = parameter("Delimiter").map_or_else(|| b"\n".to_vec(), unescaped);
                }
                "Lambda" | "Decompression" | "CloudWatchLogProcessing" => {
                    return Err(
                        Error::unsupported(format!("the processor {kind} is not supported")).hint(SUPPORTED)
                    );
                }
                _ => return Err(Error::invalid(format!("there is no processor {kind}")).hint(SUPPORTED)),
            }
            if let Some(other) =
                processor.parameters.iter().find(|p| !known.contains(&p.parameter_name.as_str()))
            {
                return Err(Error::invalid(format!(
                    "the processor {kind} has no parameter {}",
                    other.parameter_name
                ))
                .hint(format!("it has {}", known.join(", "))));
            }
        }
        Ok(steps)
    }
}

const SUPPORTED: &str = "supported are MetadataExtraction, RecordDeAggregation and AppendDelimiterToRecord";

fn query<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Query> {
    match parameter("JsonParsingEngine") {
        Some("JQ-1.6") => {}
        Some(other) => {
            return Err(Error::invalid(format!("there is no JsonParsingEngine {other}")).hint("write JQ-1.6"));
        }
        None => {
            return Err(Error::invalid("MetadataExtraction needs a JsonParsingEngine").hint("write JQ-1.6"));
        }
    }
    match parameter("MetadataExtractionQuery") {
        Some(text) => Query::parse(text),
        None => Err(Error::invalid("MetadataExtraction needs a MetadataExtractionQuery")
            .hint("such as {customer: .customer_id}")),
    }
}

fn splitting<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Splitting> {
    match (parameter("SubRecordType"), parameter("Delimiter")) {
        (Some("JSON"), _) => Ok(Splitting::Json),
        (Some("DELIMITED"), Some(text)) => match STANDARD.decode(text) {
            Ok(bytes) if !bytes.is_empty() => Ok(Splitting::Delimited(bytes)),
            _ => Err(Error::invalid(format!("the Delimiter `{text}` is no Base64"))
                .hint("the delimiter #### is written IyMjIw==")),
        },
        (Some("DELIMITED"), None) => Err(Error::invalid("the SubRecordType DELIMITED needs a Delimiter")
            .hint("write it as Base64: #### is IyMjIw==")),
        (Some(other), _) => {
            Err(Error::invalid(format!("there is no SubRecordType {other}")).hint("write JSON or DELIMITED"))
        }
        (None, _) => {
            Err(Error::invalid("RecordDeAggregation needs a SubRecordType").hint("write JSON or DELIMITED"))
        }
    }
}

/// Escapes as people write them: `\n`, `\t`, `\r`, `\\`.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut out, mut signs) = (String::new(), text.chars());
    while let Some(sign) = signs.next() {
        match (sign, if sign == '\\' { signs.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('\\')) => out.push('\\'),
            (_, Some(other)) => out.extend(['\\', other]),
            (other, None) => out.push(other),
        }
    }
    out.into_bytes()
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

fn target(conversion: &Conversion) -> Result<Target> {
    let missing = |what: &str| Error::invalid(format!("DataFormatConversionConfiguration needs {what}"));
    let schema = conversion.schema_configuration.as_ref().ok_or_else(|| missing("a SchemaConfiguration"))?;
    let database = schema.database_name.as_deref().ok_or_else(|| missing("a DatabaseName"))?;
    let table = schema.table_name.as_deref().ok_or_else(|| missing("a TableName"))?;
    let version = match schema.version_id.as_deref() {
        None | Some("LATEST") => None,
        Some(text) => Some(text.parse().map_err(|_| {
            Error::invalid(format!("the VersionId `{text}` is no table's version"))
                .hint("write LATEST or a number")
        })?),
    };
    let read = conversion.input_format_configuration.as_ref().and_then(|input| input.deserializer.as_ref());
    let read = read.ok_or_else(|| missing("an InputFormatConfiguration with a Deserializer"))?;
    let json = match (&read.open_x_json, &read.hive_json) {
        (Some(openx), None) => JsonSpec {
            openx: true,
            dots_in_keys: openx.convert_dots_in_json_keys_to_underscores.unwrap_or(false),
            case_sensitive: !openx.case_insensitive.unwrap_or(true),
            mappings: openx.column_to_json_key_mappings.clone().unwrap_or_default().into_iter().collect(),
            ..JsonSpec::default()
        },
        (None, Some(hive)) => {
            let timestamp_formats = hive.timestamp_formats.clone().unwrap_or_default();
            JsonSpec { openx: false, timestamp_formats, ..JsonSpec::default() }
        }
        _ => return Err(missing("either an OpenXJsonSerDe or a HiveJsonSerDe")),
    };
    let write = conversion.output_format_configuration.as_ref().and_then(|output| output.serializer.as_ref());
    let write = write_spec(write.ok_or_else(|| missing("an OutputFormatConfiguration with a Serializer"))?)?;
    Ok(Target { database: EntityName::new(database)?, table: EntityName::new(table)?, version, json, write })
}

/// What a serializer's options are called, and what they may be.
enum Allowed {
    AtLeast(i64),
    Choice(&'static [&'static str]),
    Flag,
    Share,
    Names,
}

const PARQUET: [(&str, Allowed); 6] = [
    ("BlockSizeBytes", Allowed::AtLeast(64 << 20)),
    ("PageSizeBytes", Allowed::AtLeast(64 << 10)),
    ("Compression", Allowed::Choice(&["UNCOMPRESSED", "GZIP", "SNAPPY"])),
    ("EnableDictionaryCompression", Allowed::Flag),
    ("MaxPaddingBytes", Allowed::AtLeast(0)),
    ("WriterVersion", Allowed::Choice(&["V1", "V2"])),
];

const ORC: [(&str, Allowed); 10] = [
    ("StripeSizeBytes", Allowed::AtLeast(8 << 20)),
    ("BlockSizeBytes", Allowed::AtLeast(64 << 20)),
    ("RowIndexStride", Allowed::AtLeast(1000)),
    ("EnablePadding", Allowed::Flag),
    ("PaddingTolerance", Allowed::Share),
    ("Compression", Allowed::Choice(&["NONE", "ZLIB", "SNAPPY"])),
    ("BloomFilterColumns", Allowed::Names),
    ("BloomFilterFalsePositiveProbability", Allowed::Share),
    ("DictionaryKeyThreshold", Allowed::Share),
    // Files of the older one cannot be written; those of this one are read by all that is left.
    ("FormatVersion", Allowed::Choice(&["V0_12"])),
];

fn write_spec(serializer: &Serializer) -> Result<WriteSpec> {
    let (what, options, known, format, size) = match (&serializer.parquet, &serializer.orc) {
        (Some(options), None) => {
            ("ParquetSerDe", options, &PARQUET[..], WriteFormat::Parquet, "BlockSizeBytes")
        }
        (None, Some(options)) => ("OrcSerDe", options, &ORC[..], WriteFormat::Orc, "StripeSizeBytes"),
        _ => {
            return Err(Error::invalid("a Serializer is either a ParquetSerDe or an OrcSerDe"));
        }
    };
    check_options(what, options, known)?;
    let compression = match options.get("Compression").and_then(Value::as_str) {
        None | Some("SNAPPY") => "snappy",
        Some("GZIP") => "gzip",
        Some("ZLIB") => "zlib",
        Some(_) => "none",
    };
    let mut spec = WriteSpec::new(format);
    spec.compression = Some(compression.to_owned());
    spec.block_bytes = options.get(size).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
    Ok(spec)
}

fn check_options(what: &str, options: &Map<String, Value>, known: &[(&str, Allowed)]) -> Result<()> {
    for (name, value) in options.iter().filter(|(_, value)| !value.is_null()) {
        let Some((_, allowed)) = known.iter().find(|(known, _)| known == name) else {
            return Err(Error::invalid(format!("{what} has no {name}"))
                .hint(model::nearest_hint(name, known.iter().map(|(known, _)| *known))));
        };
        let wanted = match allowed {
            Allowed::AtLeast(least) if value.as_i64().is_none_or(|n| n < *least) => {
                format!("a number from {least}")
            }
            Allowed::Choice(all) if value.as_str().is_none_or(|text| !all.contains(&text)) => {
                format!("one of {}", all.join(", "))
            }
            Allowed::Flag if !value.is_boolean() => "true or false".to_owned(),
            Allowed::Share if value.as_f64().is_none_or(|n| !(0.0..=1.0).contains(&n)) => {
                "a number from 0 to 1".to_owned()
            }
            Allowed::Names if !value.is_array() => "a list of columns".to_owned(),
            _ => continue,
        };
        return Err(Error::invalid(format!("{what}.{name} must be {wanted}, not {value}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
    fn delimiters() {
        for (text, bytes) in
            [(r"\n", &b"\n"[..]), ("\n", b"\n"), (r"\\n", br"\n"), ("||", b"||"), (r"\x", br"\x")]
        {
            assert_eq!(unescaped(text), bytes, "{text}");
        }
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
