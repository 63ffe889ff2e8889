//! Conversion of records: whose columns, how they are read, how objects are written.

use super::compiled::Target;
use super::{Conversion, Serializer};
use formats::{JsonSpec, WriteFormat, WriteSpec};
use model::{EntityName, Error, Result};
use serde_json::{Map, Value};

/// Checks a conversion.
pub(super) fn target(conversion: &Conversion) -> Result<Target> {
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
