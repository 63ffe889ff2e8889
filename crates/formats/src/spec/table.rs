//! Formats as Glue and Hive tables declare them: class names and properties.

use super::bytes::{character, delimiter};
use super::{AvroSpec, CsvSpec, DelimitedSpec, Format, FormatSpec, GrokSpec, JsonSpec, RegexSpec};
use crate::pack::Compression;
use model::{Error, Result};
use std::collections::BTreeMap;

type Properties = BTreeMap<String, String>;

impl FormatSpec {
    /// The format of a table: its input format's and serde's class names, the serde's and the table's properties.
    /// A table without a serde is read by what its input format or its `classification` says.
    pub fn from_table<'a>(
        input_format: Option<&str>,
        serde_library: Option<&str>,
        serde_params: impl IntoIterator<Item = (&'a str, &'a str)>,
        table_params: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<FormatSpec> {
        let table: Properties = lowered(table_params);
        let serde: Properties = lowered(serde_params);
        let mut all = table.clone();
        all.extend(serde);
        let library = serde_library.unwrap_or_default();
        let format = match library.rsplit('.').next().unwrap_or_default() {
            "" => format_without_serde(input_format.unwrap_or_default(), &all)?,
            "LazySimpleSerDe" => Format::Delimited(delimited(&all)?),
            "OpenCSVSerde" | "CSVSerde" => Format::Csv(csv(&all)?),
            "JsonSerDe" | "JsonSerde" => Format::Json(json(library, &all)),
            "RegexSerDe" => Format::Regex(regex(&all)?),
            "GrokSerDe" => Format::Grok(grok(&all)?),
            "ParquetHiveSerDe" => Format::Parquet,
            "OrcSerde" | "VectorizedOrcSerde" => Format::Orc,
            "AvroSerDe" => Format::Avro(AvroSpec { schema: all.get("avro.schema.literal").cloned() }),
            _ => return Err(unknown_serde(library)),
        };
        let mut spec = FormatSpec::new(format);
        spec.skip_header = lines(&all, "skip.header.line.count")?;
        spec.skip_footer = lines(&all, "skip.footer.line.count")?;
        spec.compression = declared_compression(&all)?;
        if let Format::Csv(csv) = &mut spec.format {
            csv.header_names = csv.header_names && spec.skip_header <= 1;
        }
        Ok(spec)
    }
}

/// Property names without regard to case; the values stay as they are.
fn lowered<'a>(params: impl IntoIterator<Item = (&'a str, &'a str)>) -> Properties {
    params.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value.to_owned())).collect()
}

fn format_without_serde(input_format: &str, all: &Properties) -> Result<Format> {
    let class = input_format.rsplit('.').next().unwrap_or_default();
    match class {
        "MapredParquetInputFormat" => return Ok(Format::Parquet),
        "OrcInputFormat" => return Ok(Format::Orc),
        "AvroContainerInputFormat" => {
            return Ok(Format::Avro(AvroSpec { schema: all.get("avro.schema.literal").cloned() }));
        }
        _ => {}
    }
    match all.get("classification").map(|name| name.to_ascii_lowercase()) {
        Some(name) if name == "csv" => Ok(Format::Csv(csv(all)?)),
        Some(name) if name == "json" => Ok(Format::Json(JsonSpec::default())),
        Some(name) => FormatSpec::from_name(&name).map(|spec| spec.format),
        None if class == "TextInputFormat" => Ok(Format::Delimited(delimited(all)?)),
        None => Err(Error::invalid("the table does not say how its files are laid out")
            .why("it has neither a serde nor a known input format nor a `classification`")
            .hint("declare ROW FORMAT or STORED AS, or crawl the files")),
    }
}

fn unknown_serde(library: &str) -> Error {
    Error::unsupported(format!("the serde `{library}` is not supported"))
        .why("files are read by this platform itself, not by Java classes")
        .hint(
            "supported are LazySimpleSerDe, OpenCSVSerde, both JsonSerDes, RegexSerDe, GrokSerDe, ParquetHiveSerDe, \
             OrcSerde and AvroSerDe",
        )
}

fn lines(all: &Properties, key: &str) -> Result<u64> {
    let Some(text) = all.get(key) else { return Ok(0) };
    text.trim().parse().map_err(|_| {
        Error::invalid(format!("`{key}` is {text:?}, which is no number of lines"))
            .hint("write a number such as `1`")
    })
}

/// Crawlers note `compressionType`; `none` there is no promise, so the files are looked at anyway.
fn declared_compression(all: &Properties) -> Result<Option<Compression>> {
    match all.get("compressiontype").map(String::as_str) {
        None | Some("" | "none") => Ok(None),
        Some(name) => Compression::from_name(name).map(Some),
    }
}

fn timestamp_formats(all: &Properties) -> Vec<String> {
    let text = all.get("timestamp.formats").map(String::as_str).unwrap_or_default();
    text.split(',').map(str::trim).filter(|format| !format.is_empty()).map(str::to_owned).collect()
}

fn is_true(all: &Properties, key: &str) -> bool {
    all.get(key).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
}

fn delimited(all: &Properties) -> Result<DelimitedSpec> {
    let mut spec = DelimitedSpec { timestamp_formats: timestamp_formats(all), ..DelimitedSpec::default() };
    // Hive's own spelling of the second key has been wrong for many versions, so both are in use.
    let keys: [&[&str]; 3] = [
        &["field.delim", "serialization.format"],
        &["collection.delim", "colelction.delim"],
        &["mapkey.delim"],
    ];
    for (separator, names) in spec.separators.iter_mut().zip(keys) {
        if let Some((key, text)) = names.iter().find_map(|key| Some((key, all.get(*key)?)))
            && !text.is_empty()
        {
            *separator = delimiter(key, text)?;
        }
    }
    if let Some(text) = all.get("escape.delim").filter(|text| !text.is_empty()) {
        spec.escape = Some(delimiter("escape.delim", text)?);
    }
    if let Some(text) = all.get("serialization.null.format") {
        spec.null_text.clone_from(text);
    }
    if let Some(text) = all.get("line.delim").filter(|text| !text.is_empty())
        && delimiter("line.delim", text)? != b'\n'
    {
        return Err(Error::unsupported(format!("`line.delim` {text:?} is not supported"))
            .why("lines end with a newline, as in Hive and Athena"));
    }
    spec.escape_line_ends = is_true(all, "serialization.escape.crlf");
    spec.last_takes_rest = is_true(all, "serialization.last.column.takes.rest");
    Ok(spec)
}

fn csv(all: &Properties) -> Result<CsvSpec> {
    // A backslash escapes unless the table says otherwise; `"` as the escape means the same, as the serde has it.
    let mut spec =
        CsvSpec { escape: Some(b'\\'), timestamp_formats: timestamp_formats(all), ..CsvSpec::default() };
    if let Some(text) = all.get("separatorchar").or_else(|| all.get("delimiter")).filter(|t| !t.is_empty()) {
        spec.separator = character("separatorChar", text)?;
    }
    if let Some(text) = all.get("quotechar").filter(|text| !text.is_empty()) {
        spec.quote = Some(character("quoteChar", text)?);
    }
    if let Some(text) = all.get("escapechar").filter(|text| !text.is_empty()) {
        spec.escape = Some(match character("escapeChar", text)? {
            b'"' => b'\\',
            other => other,
        });
    }
    if spec.quote == Some(spec.separator) || spec.escape == Some(spec.separator) {
        return Err(Error::invalid("the separator of the CSV files is also their quote or escape character"));
    }
    if let Some(text) = all.get("serialization.null.format") {
        spec.null_text = Some(text.clone());
    }
    Ok(spec)
}

fn json(library: &str, all: &Properties) -> JsonSpec {
    let mut mappings = Vec::new();
    for (key, value) in all {
        if let Some(column) = key.strip_prefix("mapping.") {
            mappings.push((column.to_owned(), value.clone()));
        }
    }
    let openx = library.starts_with("org.openx");
    JsonSpec {
        ignore_malformed: is_true(all, "ignore.malformed.json"),
        dots_in_keys: is_true(all, "dots.in.keys"),
        case_sensitive: openx
            && all.get("case.insensitive").is_some_and(|v| v.trim().eq_ignore_ascii_case("false")),
        mappings,
        timestamp_formats: timestamp_formats(all),
        openx,
        write_nulls: is_true(all, "explicit.null"),
        // Tables are read line by line, as Athena does.
        documents: false,
        path: None,
    }
}

fn regex(all: &Properties) -> Result<RegexSpec> {
    let pattern = all.get("input.regex").filter(|text| !text.is_empty()).ok_or_else(|| {
        Error::invalid("the table's RegexSerDe has no `input.regex`")
            .hint("add it: WITH SERDEPROPERTIES ('input.regex' = '…')")
    })?;
    Ok(RegexSpec {
        pattern: pattern.clone(),
        case_insensitive: is_true(all, "input.regex.case.insensitive"),
        timestamp_formats: timestamp_formats(all),
    })
}

fn grok(all: &Properties) -> Result<GrokSpec> {
    let pattern = all.get("input.format").filter(|text| !text.is_empty()).ok_or_else(|| {
        Error::invalid("the table's GrokSerDe has no `input.format`")
            .hint("add the pattern: WITH SERDEPROPERTIES ('input.format' = '%{…}')")
    })?;
    Ok(GrokSpec {
        pattern: pattern.clone(),
        custom_patterns: all.get("input.grokcustompatterns").cloned().unwrap_or_default(),
    })
}
