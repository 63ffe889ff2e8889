//! What the WITH of a table and the SETs of a script say: known keys only, with the nearest one named for a wrong one.

use crate::script::ast::{At, TableDef};
use crate::script::parser::place;
use chrono::{DateTime, NaiveDateTime, Utc};
use formats::{CsvSpec, FormatSpec, JsonSpec, WriteFormat, WriteSpec};
use model::{Error, LakeUri, Result, nearest_hint};
use sql::Source;

/// Where a table's rows come from or go to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Connector {
    /// A stream of the log.
    Kinesis { stream: String, start: Start },
    /// Files below a folder.
    Files { path: LakeUri },
    /// The application's log.
    Print,
    /// A table of the catalog.
    Catalog { database: String, table: String },
}

/// Where an application begins to read a stream that it has not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Oldest,
    Latest,
    At(DateTime<Utc>),
}

/// How bytes are rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowFormat {
    Json(JsonSpec),
    Csv(CsvSpec),
    /// The whole record is the one column.
    Raw,
    Parquet,
}

/// A table's options, understood.
#[derive(Debug, Clone)]
pub(crate) struct TableOptions {
    pub(crate) connector: Connector,
    pub(crate) format: Option<RowFormat>,
    /// Values that do not convert are NULL and malformed records are left out; both are counted.
    pub(crate) ignores_errors: bool,
    pub(crate) compression: Option<String>,
    pub(crate) idle_millis: Option<i64>,
}

/// The keys of each connector. What only AWS's clients need is understood and not used.
const KINESIS: &[&str] = &[
    "connector",
    "format",
    "stream",
    "stream.arn",
    "aws.region",
    "aws.endpoint",
    "aws.credentials.provider",
    "aws.credentials.basic.accesskeyid",
    "aws.credentials.basic.secretkey",
    "aws.trust.all.certificates",
    "scan.stream.initpos",
    "scan.stream.initpos-timestamp",
    "scan.stream.initpos-timestamp-format",
    "scan.stream.recordpublisher",
    "source.init.position",
    "source.init.timestamp",
    "source.init.timestamp.format",
    "sink.partitioner",
    "sink.batch.max-size",
    "sink.flush-buffer.size",
    "sink.flush-buffer.timeout",
    "sink.fail-on-error",
    "scan.watermark.idle-timeout",
];
const FILES: &[&str] = &[
    "connector",
    "path",
    "format",
    "compression",
    "sink.partition-commit.policy.kind",
    "sink.partition-commit.trigger",
    "sink.partition-commit.delay",
    "sink.rolling-policy.file-size",
    "sink.rolling-policy.rollover-interval",
    "sink.rolling-policy.check-interval",
    "auto-compaction",
    "scan.watermark.idle-timeout",
    "parquet.compression",
];
const CATALOG: &[&str] = &["connector", "database-name", "table-name"];
const PRINT: &[&str] = &["connector", "print-identifier", "standard-error"];
const JSON: &[&str] = &[
    "json.ignore-parse-errors",
    "json.fail-on-missing-field",
    "json.timestamp-format.standard",
    "json.encode.decimal-as-plain-number",
    "json.map-null-key.mode",
    "json.map-null-key.literal",
    "json.encode.ignore-null-fields",
];
const CSV: &[&str] = &[
    "csv.field-delimiter",
    "csv.ignore-parse-errors",
    "csv.quote-character",
    "csv.disable-quote-character",
    "csv.null-literal",
    "csv.allow-comments",
    "csv.escape-character",
];
const RAW: &[&str] = &["raw.charset"];

struct Reader<'a> {
    source: &'a Source,
    table: &'a TableDef,
}

impl Reader<'_> {
    fn get(&self, key: &str) -> Option<&At<String>> {
        self.table.options.iter().find(|(k, _)| k.value.eq_ignore_ascii_case(key)).map(|(_, v)| v)
    }

    fn need(&self, key: &str, example: &str) -> Result<&At<String>> {
        self.get(key).ok_or_else(|| {
            let name = &self.table.name;
            Error::invalid(format!("the table `{}` does not say '{key}'", name.value))
                .at(place(self.source, &name.at))
                .hint(format!("add it to its WITH: '{key}' = '{example}'"))
        })
    }

    fn wrong(&self, value: &At<String>, error: Error) -> Error {
        error.at_if_unknown(|| place(self.source, &value.at).into())
    }

    fn switch(&self, key: &str) -> Result<bool> {
        match self.get(key) {
            None => Ok(false),
            Some(at) if at.value.eq_ignore_ascii_case("true") => Ok(true),
            Some(at) if at.value.eq_ignore_ascii_case("false") => Ok(false),
            Some(at) => {
                Err(self.wrong(at, Error::invalid(format!("'{key}' is true or false, not `{}`", at.value))))
            }
        }
    }

    fn byte(&self, key: &str) -> Result<Option<u8>> {
        let Some(at) = self.get(key) else { return Ok(None) };
        let text = at.value.replace("\\t", "\t");
        match text.as_bytes() {
            [one] => Ok(Some(*one)),
            _ => Err(self.wrong(at, Error::invalid(format!("'{key}' is one character, not `{}`", at.value)))),
        }
    }
}

/// What the options of a table say.
pub(crate) fn table(source: &Source, table: &TableDef) -> Result<TableOptions> {
    let reader = Reader { source, table };
    let connector = reader.need("connector", "kinesis")?;
    let keys = match connector.value.as_str() {
        "kinesis" | "kinesis-legacy" => KINESIS,
        "filesystem" => FILES,
        "catalog" => CATALOG,
        "print" => PRINT,
        other => {
            let known = ["kinesis", "filesystem", "catalog", "print"];
            let error = Error::unsupported(format!("the connector '{other}' is not supported"));
            return Err(reader.wrong(connector, error.hint(nearest_hint(other, known))));
        }
    };
    let (format, format_keys) = format(&reader)?;
    for (key, _) in &table.options {
        let lower = key.value.to_ascii_lowercase();
        if !keys.contains(&lower.as_str()) && !format_keys.contains(&lower.as_str()) {
            let error =
                Error::invalid(format!("the connector '{}' has no option '{}'", connector.value, key.value));
            let hint = nearest_hint(&lower, keys.iter().chain(format_keys).copied());
            return Err(error.at(place(source, &key.at)).hint(hint));
        }
    }
    let connector = match connector.value.as_str() {
        "filesystem" => {
            let path = reader.need("path", "s3://bucket/folder/")?;
            let text = path.value.replacen("s3a://", "s3://", 1);
            let uri: LakeUri = text.parse().map_err(|e| reader.wrong(path, e))?;
            Connector::Files { path: uri.as_folder() }
        }
        "catalog" => Connector::Catalog {
            database: reader.get("database-name").map_or("default".into(), |d| d.value.to_lowercase()),
            table: reader.need("table-name", "metrics")?.value.to_lowercase(),
        },
        "print" => Connector::Print,
        _ => Connector::Kinesis { stream: stream(&reader)?, start: start(&reader)? },
    };
    let ignores_errors =
        reader.switch("json.ignore-parse-errors")? || reader.switch("csv.ignore-parse-errors")?;
    if reader.switch("json.fail-on-missing-field")? {
        let at = reader.need("json.fail-on-missing-field", "false")?;
        let error = Error::unsupported("'json.fail-on-missing-field' is not supported")
            .hint("filter by `column IS NOT NULL`");
        return Err(reader.wrong(at, error));
    }
    let idle_millis = match reader.get("scan.watermark.idle-timeout") {
        Some(at) => Some(duration(&at.value).map_err(|e| reader.wrong(at, e))?),
        None => None,
    };
    let compression = reader.get("compression").or_else(|| reader.get("parquet.compression"));
    let compression = compression.map(|c| c.value.to_lowercase());
    Ok(TableOptions { connector, format, ignores_errors, compression, idle_millis })
}

fn format(reader: &Reader<'_>) -> Result<(Option<RowFormat>, &'static [&'static str])> {
    let Some(format) = reader.get("format") else { return Ok((None, &[])) };
    Ok(match format.value.as_str() {
        "json" => {
            let write_nulls = !reader.switch("json.encode.ignore-null-fields")?;
            let spec = JsonSpec { write_nulls, ..JsonSpec::default() };
            (Some(RowFormat::Json(spec)), JSON)
        }
        "csv" => {
            let mut spec = CsvSpec::default();
            if let Some(separator) = reader.byte("csv.field-delimiter")? {
                spec.separator = separator;
            }
            if let Some(quote) = reader.byte("csv.quote-character")? {
                spec.quote = Some(quote);
            }
            if reader.switch("csv.disable-quote-character")? {
                spec.quote = None;
            }
            spec.escape = reader.byte("csv.escape-character")?;
            spec.null_text = reader.get("csv.null-literal").map(|n| n.value.clone());
            (Some(RowFormat::Csv(spec)), CSV)
        }
        "raw" => (Some(RowFormat::Raw), RAW),
        "parquet" => (Some(RowFormat::Parquet), &[]),
        other => {
            let error = Error::unsupported(format!("the format '{other}' is not supported"));
            return Err(
                reader.wrong(format, error.hint(nearest_hint(other, ["json", "csv", "raw", "parquet"])))
            );
        }
    })
}

/// The stream's name. Names with `/` are of streams that rooms of the house keep for themselves.
fn stream(reader: &Reader<'_>) -> Result<String> {
    let name = named_stream(reader)?;
    if !name.contains('/') {
        return Ok(name);
    }
    let error = Error::invalid(format!("`{name}` is no name of a stream"))
        .hint("a name has 1 to 128 letters, digits, underscores, full stops and hyphens");
    Err(match reader.get("stream.arn").or_else(|| reader.get("stream")) {
        Some(at) => reader.wrong(at, error),
        None => error,
    })
}

fn named_stream(reader: &Reader<'_>) -> Result<String> {
    if let Some(arn) = reader.get("stream.arn") {
        let name = arn.value.rsplit_once(":stream/").map(|(_, name)| name.to_owned());
        return name.ok_or_else(|| {
            let error = Error::invalid(format!("`{}` is no stream's ARN", arn.value));
            reader.wrong(arn, error.hint("as in arn:aws:kinesis:eu-central-1:000000000000:stream/metrics"))
        });
    }
    Ok(reader.need("stream", "metrics")?.value.clone())
}

fn start(reader: &Reader<'_>) -> Result<Start> {
    let Some(at) = reader.get("scan.stream.initpos").or_else(|| reader.get("source.init.position")) else {
        return Ok(Start::Latest);
    };
    match at.value.to_ascii_uppercase().as_str() {
        "LATEST" => Ok(Start::Latest),
        "TRIM_HORIZON" => Ok(Start::Oldest),
        "AT_TIMESTAMP" => {
            let key = if reader.get("source.init.timestamp").is_some() {
                "source.init.timestamp"
            } else {
                "scan.stream.initpos-timestamp"
            };
            let time = reader.need(key, "2026-01-01T00:00:00.000+00:00")?;
            moment(&time.value).map(Start::At).map_err(|e| reader.wrong(time, e))
        }
        other => {
            let error = Error::invalid(format!("`{other}` is no position to begin at"));
            let hint = nearest_hint(other, ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]);
            Err(reader.wrong(at, error.hint(hint)))
        }
    }
}

/// A time: ISO 8601 or seconds since 1970.
pub(crate) fn moment(text: &str) -> Result<DateTime<Utc>> {
    if let Ok(seconds) = text.parse::<f64>()
        && let Some(time) = DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
    {
        return Ok(time);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(time.and_utc());
        }
    }
    Err(Error::invalid(format!("`{text}` is no time")).hint("write it as 2026-01-01T00:00:00Z"))
}

/// A length of time as Flink writes it: `10 s`, `5min`, `1 h`, or milliseconds.
pub(crate) fn duration(text: &str) -> Result<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => 0,
    };
    let number: Option<i64> = number.parse().ok();
    let millis = number.filter(|_| millis > 0).and_then(|n| n.checked_mul(millis));
    // Longer ones would lead beyond the times that there are.
    millis.filter(|millis| *millis <= 3_660 * 86_400_000).ok_or_else(|| {
        Error::invalid(format!("`{text}` is no length of time")).hint("write it as '10 s', '5 min' or '1 h'")
    })
}

/// What holds for the whole application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) checkpoint_millis: i64,
    pub(crate) idle_millis: Option<i64>,
    pub(crate) lateness_millis: i64,
    pub(crate) tasks: usize,
    /// The table that takes late events.
    pub(crate) late_table: Option<At<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { checkpoint_millis: 10_000, idle_millis: None, lateness_millis: 0, tasks: 1, late_table: None }
    }
}

/// The most tasks of an application.
pub const MAX_TASKS: usize = 64;

impl Settings {
    /// Takes one `SET 'key' = 'value'`.
    pub(crate) fn set(&mut self, key: &str, value: &At<String>) -> Result<()> {
        const KEYS: [&str; 9] = [
            "execution.checkpointing.interval",
            "execution.checkpointing.mode",
            "table.exec.source.idle-timeout",
            "table.exec.emit.allow-lateness",
            "parallelism.default",
            "table.exec.resource.default-parallelism",
            "table.local-time-zone",
            "pipeline.name",
            "glulam.late-events.table",
        ];
        let text = value.value.trim();
        match key.to_ascii_lowercase().as_str() {
            "execution.checkpointing.interval" => {
                self.checkpoint_millis = duration(text)?;
                if self.checkpoint_millis < 10 {
                    return Err(Error::invalid("checkpoints are at least 10 ms apart"));
                }
            }
            "execution.checkpointing.mode" if text.eq_ignore_ascii_case("EXACTLY_ONCE") => {}
            "execution.checkpointing.mode" => {
                return Err(Error::unsupported(format!("the mode {text} is not supported"))
                    .hint("write EXACTLY_ONCE"));
            }
            "table.exec.source.idle-timeout" => self.idle_millis = Some(duration(text)?).filter(|t| *t > 0),
            "table.exec.emit.allow-lateness" => self.lateness_millis = duration(text)?,
            "parallelism.default" | "table.exec.resource.default-parallelism" => {
                let tasks: Option<usize> = text.parse().ok().filter(|t| (1..=MAX_TASKS).contains(t));
                self.tasks = tasks.ok_or_else(|| {
                    Error::invalid(format!("`{text}` is no number of tasks from 1 to {MAX_TASKS}"))
                })?;
            }
            "table.local-time-zone" if matches!(text, "UTC" | "Z" | "GMT" | "Etc/UTC" | "+00:00") => {}
            "table.local-time-zone" => {
                return Err(Error::unsupported(format!("the time zone {text} is not supported"))
                    .hint("windows and timestamps are in UTC"));
            }
            "pipeline.name" => {}
            "glulam.late-events.table" => self.late_table = Some(value.clone()),
            _ => {
                return Err(
                    Error::unsupported(format!("there is no setting '{key}'")).hint(nearest_hint(key, KEYS))
                );
            }
        }
        Ok(())
    }
}

impl RowFormat {
    /// As it is read.
    pub(crate) fn read_spec(&self) -> Option<FormatSpec> {
        match self {
            Self::Json(json) => Some(FormatSpec::new(formats::Format::Json(json.clone()))),
            Self::Csv(csv) => Some(FormatSpec::new(formats::Format::Csv(csv.clone()))),
            Self::Raw | Self::Parquet => None,
        }
    }

    /// As it is written; nothing for what no file can be.
    pub(crate) fn write_spec(&self, compression: Option<&str>) -> Option<WriteSpec> {
        let format = match self {
            Self::Json(json) => WriteFormat::Json(json.clone()),
            Self::Csv(csv) => WriteFormat::Csv { spec: csv.clone(), header: false, quote_all: false },
            Self::Parquet => WriteFormat::Parquet,
            Self::Raw => return None,
        };
        let mut spec = WriteSpec::new(format);
        spec.compression = compression.map(str::to_owned);
        Some(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_times_are_read() {
        for (text, millis) in
            [("10 s", 10_000), ("5min", 300_000), ("100", 100), ("1 h", 3_600_000), ("250 ms", 250)]
        {
            assert_eq!(duration(text).ok(), Some(millis), "{text}");
        }
        for wrong in ["", "s", "5 parsecs", "-1 s", "99999999999999999999 d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        for text in
            ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000", "1767225600", "2026-01-01T01:00:00+01:00"]
        {
            assert_eq!(moment(text).map(|t| t.timestamp()).ok(), Some(1_767_225_600), "{text}");
        }
    }
}
