//! What files are, told by looking into them: format, columns, partition keys.

use super::find::{FoundFiles, Located};
use super::format::{FileFormat, Kind, LinePattern};
use crate::counters::Meter;
use crate::files::Tap;
use async_trait::async_trait;
use bytes::Bytes;
use crawl::classify::partition::{PartitionKeys, Segment};
use crawl::classify::{BytesSource, Classification, Limits, merge};
use formats::{CsvSpec, Format, FormatSpec, JsonSpec, RangeRead as _, RegexSpec};
use futures::{StreamExt, TryStreamExt};
use lake::Lake;
use model::{Column, Error, HiveType, Place, Result};
use std::ops::Range;

/// So many files are looked into, evenly spread over all.
const SAMPLES: usize = 1000;
/// Of so many files a large part is looked at …
const FULL: usize = 16;
const FULL_BYTES: u64 = 8 << 20;
const FULL_ROWS: usize = 20_000;
/// … of the others only the beginning.
const BRIEF_BYTES: u64 = 64 << 10;
/// How many files are looked into at a time.
const AT_ONCE: usize = 8;

/// What the files are.
pub(super) struct Described {
    pub(super) spec: FormatSpec,
    pub(super) columns: Vec<Column>,
    pub(super) name: String,
    pub(super) notes: Vec<String>,
}

pub(super) async fn describe(
    lake: &Lake,
    found: &FoundFiles,
    format: &FileFormat,
    meter: &Meter,
) -> Result<Described> {
    let kind = format.kind()?;
    match format.pattern() {
        Some(LinePattern::AccessLog) if kind == Kind::Lines => return access_log(),
        Some(LinePattern::Grok { .. }) => {}
        _ if kind == Kind::Lines => return lines(format),
        _ => {}
    }
    let mut seen = classify(lake, &found.files, format, kind, meter).await?;
    if seen.classification == "json" && !format.examples.is_empty() {
        seen = with_examples(seen, &format.examples).await;
    }
    let name = seen.classification.as_str();
    let is_said = match kind {
        Kind::Any | Kind::Lines => true,
        Kind::Csv => name == "csv",
        Kind::Json => name == "json",
        Kind::Binary(said) => name == said,
    };
    if !is_said {
        let said = format.name.as_deref().unwrap_or(if kind == Kind::Csv { "csv" } else { "json" });
        return Err(Error::invalid(format!("the files are not {said}, as was said, but {name}"))
            .at(Place::object(found.name()))
            .hint("leave the format out: it is found out"));
    }
    if let Some(path) = &format.json_path
        && seen.table_parameters.get("jsonPath") != Some(path)
    {
        return Err(Error::not_found(format!("the JSON path `{path}` leads to nothing"))
            .at(Place::object(found.name()))
            .hint("name the path to the rows, such as `$.records[*]`"));
    }
    let mut columns = seen.schema.columns.clone();
    if format.as_strings && matches!(name, "csv" | "json") {
        columns.iter_mut().filter(|column| !column.hive_type.is_nested()).for_each(|column| {
            column.hive_type = HiveType::String;
        });
    }
    let spec = match name {
        "csv" => csv(&seen, format)?,
        "json" => FormatSpec::new(Format::Json(json(&seen, format))),
        _ => FormatSpec::from_table(
            Some(&seen.input_format),
            Some(seen.serde_library.as_str()).filter(|name| !name.is_empty()),
            seen.serde_parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())),
            seen.table_parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        )?,
    };
    let spec = FormatSpec { compression: None, ..spec };
    Ok(Described { spec, columns, name: seen.classification, notes: seen.notes })
}

/// Access logs: their columns are known.
fn access_log() -> Result<Described> {
    let hive = |column: formats::Column| Ok(Column::new(column.name, column.sql_type.to_hive()?));
    Ok(Described {
        spec: FormatSpec::new(Format::AccessLog),
        columns: formats::access_log_columns().into_iter().map(hive).collect::<Result<_>>()?,
        name: "access-log".to_owned(),
        notes: Vec::new(),
    })
}

/// Lines that are taken apart by a regular expression, or not at all.
fn lines(format: &FileFormat) -> Result<Described> {
    let (pattern, names) = match &format.lines {
        Some(LinePattern::Regex(pattern)) => (pattern.clone(), group_names(pattern)?),
        _ => ("(.*)".to_owned(), vec!["line".to_owned()]),
    };
    let spec = RegexSpec { pattern, case_insensitive: false, timestamp_formats: Vec::new() };
    let columns = names.into_iter().map(|name| Column::new(name, HiveType::String)).collect();
    Ok(Described {
        spec: FormatSpec::new(Format::Regex(spec)),
        columns,
        name: "text".to_owned(),
        notes: Vec::new(),
    })
}

/// The columns of a regular expression: its groups, by name or by number.
fn group_names(pattern: &str) -> Result<Vec<String>> {
    let names = formats::regex_groups(pattern)?;
    if names.is_empty() {
        return Err(Error::invalid("the regular expression has no groups")
            .hint("put what should become a column in parentheses: `(?<name>…)`"));
    }
    let name = |(index, name): (usize, Option<String>)| name.unwrap_or_else(|| format!("col{index}"));
    Ok(names.into_iter().enumerate().map(name).collect())
}

/// CSV is read as quoted text even where the sample has no quotes: they may come later. Unquoted empty fields are NULL.
fn csv(seen: &Classification, format: &FileFormat) -> Result<FormatSpec> {
    let byte = |what: &str, c: char| {
        u8::try_from(u32::from(c)).map_err(|_| {
            Error::unsupported(format!("the {what} `{c}` is more than one byte"))
                .hint("files with such fields are read with a regular expression")
        })
    };
    let first = |text: Option<&String>| text.and_then(|text| text.chars().next());
    let separator = first(seen.table_parameters.get("delimiter")).unwrap_or(',');
    let quote = match format.quote {
        Some(given) => given,
        None => Some(first(seen.serde_parameters.get("quoteChar")).unwrap_or('"')),
    };
    let escape = format.escape.or(seen.csv.escapes.then_some('\\'));
    let spec = CsvSpec {
        separator: byte("delimiter", separator)?,
        quote: quote.map(|c| byte("quote", c)).transpose()?,
        escape: escape.map(|c| byte("escape character", c)).transpose()?,
        null_text: Some(String::new()),
        multiline: format.multiline || seen.csv.multi_line,
        header_names: false,
        timestamp_formats: Vec::new(),
    };
    let skipped = seen.table_parameters.get("skip.header.line.count").and_then(|text| text.parse().ok());
    Ok(FormatSpec { skip_header: skipped.unwrap_or(0), ..FormatSpec::new(Format::Csv(spec)) })
}

fn json(seen: &Classification, format: &FileFormat) -> JsonSpec {
    let says = |key: &str| seen.table_parameters.get(key);
    JsonSpec {
        documents: format.multiline || says("multiLine").is_some_and(|value| value == "true"),
        path: format.json_path.clone().or_else(|| says("jsonPath").cloned()),
        write_nulls: true,
        ..JsonSpec::default()
    }
}

async fn classify(
    lake: &Lake,
    files: &[Located],
    format: &FileFormat,
    kind: Kind,
    meter: &Meter,
) -> Result<Classification> {
    let classifiers = format.classifiers(kind)?;
    let step = files.len().div_ceil(SAMPLES).max(1);
    // Where all is said and values stay text, only the names of the columns are looked for.
    let is_said =
        format.as_strings && kind == Kind::Csv && format.separator.is_some() && format.header.is_some();
    let looks = files.iter().step_by(step).enumerate().map(|(index, located)| {
        let classifiers = &classifiers;
        async move {
            let limits = match index < FULL && !is_said {
                true => Limits { sample_bytes: FULL_BYTES, sample_rows: FULL_ROWS, ..Limits::default() },
                false => Limits { sample_bytes: BRIEF_BYTES, ..Limits::default() },
            };
            let source = Sampled(Tap::new(located.file.open(lake).await?, meter.clone()));
            Ok::<_, Error>((located, classifiers.classify(&source, &limits).await?))
        }
    });
    let mut looks = futures::stream::iter(looks.collect::<Vec<_>>()).buffered(AT_ONCE);
    let mut all: Option<Classification> = None;
    while let Some((located, found)) = looks.try_next().await? {
        all = Some(match &all {
            None => found,
            Some(before) => merge(before, &found).ok_or_else(|| {
                Error::invalid("the files cannot be read as one table")
                    .at(Place::object(located.file.name()))
                    .why(format!("this one is {}, others are {}", told(&found), told(before)))
                    .hint("name one file, or a folder with files of one format and the same columns")
            })?,
        });
    }
    all.ok_or_else(|| Error::internal("no file was looked into"))
}

/// What was found, with the columns of more rows. A row that is none says nothing.
async fn with_examples(seen: Classification, rows: &[String]) -> Classification {
    let mut text = String::new();
    for row in rows
        .iter()
        .filter(|row| serde_json::from_str::<serde_json::Value>(row).is_ok_and(|it| it.is_object()))
    {
        // A row of a document may go over several lines.
        text.extend(row.chars().map(|sign| if matches!(sign, '\n' | '\r') { ' ' } else { sign }));
        text.push('\n');
    }
    let limits =
        Limits { sample_bytes: text.len().max(64) as u64, sample_rows: rows.len(), ..Limits::default() };
    let source = BytesSource::new("rows.json", text);
    let Ok(classifiers) = FileFormat::default().classifiers(Kind::Json) else { return seen };
    let Ok(found) = classifiers.classify(&source, &limits).await else { return seen };
    // How the rows lie in their files was seen there.
    let found = Classification {
        serde_library: seen.serde_library.clone(),
        serde_parameters: seen.serde_parameters.clone(),
        table_parameters: seen.table_parameters.clone(),
        ..found
    };
    merge(&seen, &found).unwrap_or(seen)
}

fn told(found: &Classification) -> String {
    let columns = &found.schema.columns;
    let names: Vec<&str> = columns.iter().take(4).map(|column| column.name.as_str()).collect();
    let dots = if columns.len() > names.len() { ", …" } else { "" };
    format!("{} with {} columns ({}{dots})", found.classification, columns.len(), names.join(", "))
}

/// The keys that folders name, and each file's values of them.
#[allow(clippy::type_complexity, reason = "a list of rows of texts")]
pub(super) fn partitions(
    found: &FoundFiles,
    format: &FileFormat,
) -> Result<(Vec<Column>, Vec<Vec<Option<String>>>)> {
    let mut keys = PartitionKeys::new();
    let mut values = Vec::with_capacity(found.files.len());
    for located in &found.files {
        let folders = located.relative.rsplit_once('/').map_or("", |(folders, _)| folders);
        // Folders without a key only keep files apart.
        let named: Vec<Segment> = folders
            .split('/')
            .filter(|folder| !folder.is_empty())
            .map(Segment::parse)
            .filter(|segment| segment.key.is_some())
            .collect();
        keys.see(located.file.name(), &named)?;
        values.push(named.into_iter().map(|segment| segment.value).collect());
    }
    let mut columns = keys.columns();
    if format.as_strings {
        columns.iter_mut().for_each(|column| column.hive_type = HiveType::String);
    }
    Ok((columns, values))
}

/// An open file for the classifiers.
struct Sampled(Tap);

#[async_trait]
impl crawl::classify::Source for Sampled {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn size(&self) -> u64 {
        self.0.size()
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes> {
        self.0.read(range.start..range.end.min(self.0.size())).await
    }
}
