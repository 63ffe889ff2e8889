//! Delimited text: finds delimiter and quote, the header, ragged rows, and the type of each column.

use super::csv_header::is_header;
use super::csv_records::{Dialect, Record, Records};
use super::{Verdict, check_width};
use crate::classify::custom::{ContainsHeader, CsvSerde};
use crate::classify::infer::{ColumnKind, is_code_name};
use crate::classify::names::make_unique;
use crate::classify::result::{Classification, Columns, Hive};
use crate::classify::sample::Sample;
use crate::classify::source::Limits;
use model::{Error, HiveType, Place, Result};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Likely delimiters, the likeliest first.
const DELIMITERS: [char; 7] = [',', '\t', ';', '|', '\u{1}', '~', '^'];
/// More ragged rows than this share, and the text is no table.
const MAX_RAGGED: f64 = 0.1;
/// Lines of a title above the table.
const MAX_PREAMBLE: usize = 10;

const LAZY: Hive = Hive::text("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe");
const OPEN: Hive = Hive::text("org.apache.hadoop.hive.serde2.OpenCSVSerde");

/// What a custom classifier says beforehand.
#[derive(Debug, Clone, Default)]
pub(crate) struct CsvOptions {
    pub(crate) delimiter: Option<char>,
    pub(crate) quote: Option<char>,
    pub(crate) header: ContainsHeader,
    pub(crate) names: Vec<String>,
    pub(crate) types: ColumnsOfCsv,
    pub(crate) allow_single_column: bool,
    pub(crate) keep_space: bool,
    pub(crate) serde: Option<CsvSerde>,
}

/// Types given beforehand, by position.
pub(crate) type ColumnsOfCsv = Vec<HiveType>;

/// The built-in look at delimited text.
pub(super) fn classify(sample: &Sample<'_>, limits: &Limits) -> Result<Verdict> {
    if let Some(found) = super::w3c::classify(sample, limits)? {
        return Ok(Verdict::Fits(Box::new(found)));
    }
    let named_csv = matches!(sample.ending().as_str(), "csv" | "tsv" | "psv");
    let options = CsvOptions { allow_single_column: named_csv, ..CsvOptions::default() };
    match read(sample, &options, limits) {
        Attempt::Table(table) => Ok(Verdict::Fits(Box::new(describe(sample, *table, &options, limits)?))),
        Attempt::Ragged(error) => Ok(Verdict::Broken(error)),
        Attempt::Other => Ok(Verdict::Other),
    }
}

/// A custom classifier's look: none when the text is not delimited as it says.
pub(crate) fn classify_with(
    sample: &Sample<'_>,
    options: &CsvOptions,
    limits: &Limits,
) -> Result<Option<Classification>> {
    match read(sample, options, limits) {
        Attempt::Table(table) => describe(sample, *table, options, limits).map(Some),
        Attempt::Ragged(_) | Attempt::Other => Ok(None),
    }
}

enum Attempt<'a> {
    Table(Box<Table<'a>>),
    /// Delimited, but the rows do not fit together.
    Ragged(Error),
    Other,
}

/// The sampled records under one dialect.
struct Table<'a> {
    dialect: Dialect,
    records: Vec<Record<'a>>,
    width: usize,
    /// Records of another width.
    ragged: usize,
    first_ragged: Option<(u64, usize)>,
    /// Lines above the table.
    preamble: usize,
    stray_quotes: Option<(u64, u64)>,
}

impl Table<'_> {
    fn share(&self) -> f64 {
        1.0 - self.ragged as f64 / self.records.len().max(1) as f64
    }
}

fn read<'a>(sample: &'a Sample<'_>, options: &CsvOptions, limits: &Limits) -> Attempt<'a> {
    let delimiters = match options.delimiter {
        Some(delimiter) => vec![delimiter],
        None => DELIMITERS.to_vec(),
    };
    let mut best: Option<Table<'a>> = None;
    for delimiter in delimiters.iter().filter(|delimiter| sample.text.contains(**delimiter)) {
        for quote in quotes(sample, options, *delimiter) {
            let escaped = quote.is_some_and(|quote| sample.text.contains(&format!("\\{quote}")));
            let table = tabulate(sample, Dialect { delimiter: *delimiter, quote, escaped }, limits);
            if table.width >= 2 && best.as_ref().is_none_or(|best| score(&table) > score(best)) {
                best = Some(table);
            }
        }
    }
    let enough = |table: &Table<'_>| {
        let rows = table.records.len();
        rows >= 2 || (rows == 1 && (options.allow_single_column || options.delimiter.is_some()))
    };
    match best {
        Some(table) if table.share() >= 1.0 - MAX_RAGGED && enough(&table) => Attempt::Table(Box::new(table)),
        Some(table)
            if table.share() >= 0.5
                && (options.allow_single_column || table.width >= 3)
                && enough(&table) =>
        {
            Attempt::Ragged(ragged(sample, &table))
        }
        Some(table) if !options.allow_single_column || table.share() >= 0.5 => Attempt::Other,
        _ if options.allow_single_column => {
            let delimiter = delimiters.first().copied().unwrap_or(',');
            let quote = Some(options.quote.unwrap_or('"'));
            let table = tabulate(sample, Dialect { delimiter, quote, escaped: false }, limits);
            if table.width == 1 && table.share() >= 1.0 - MAX_RAGGED {
                Attempt::Table(Box::new(table))
            } else {
                Attempt::Other
            }
        }
        _ => Attempt::Other,
    }
}

/// The quotes worth trying: single ones only where they stand beside a delimiter and double ones do not.
fn quotes(sample: &Sample<'_>, options: &CsvOptions, delimiter: char) -> Vec<Option<char>> {
    if let Some(quote) = options.quote {
        return vec![Some(quote)];
    }
    let beside = |quote: char| {
        sample.text.starts_with(quote)
            || sample.text.contains(&format!("{delimiter}{quote}"))
            || sample.text.contains(&format!("\n{quote}"))
    };
    let closed = sample.text.contains(&format!("'{delimiter}")) || sample.text.contains("'\n");
    if !beside('"') && beside('\'') && closed { vec![Some('\''), Some('"')] } else { vec![Some('"')] }
}

/// Consistent first, then wide. Lines above the table count as rows that do not fit: another delimiter may fit them.
fn score(table: &Table<'_>) -> (u64, usize) {
    let fitting = table.records.len() - table.ragged;
    let share = fitting as f64 / (table.records.len() + table.preamble).max(1) as f64;
    ((share * 20.0).round() as u64, table.width)
}

fn tabulate<'a>(sample: &'a Sample<'_>, dialect: Dialect, limits: &Limits) -> Table<'a> {
    let mut reader = Records::new(&sample.text, dialect, limits.max_columns + 1);
    let mut records: Vec<Record<'a>> = Vec::new();
    let mut last_at = 0;
    while records.len() < limits.sample_rows + MAX_PREAMBLE + 1 {
        last_at = reader.position();
        let Some(record) = reader.next() else { break };
        records.push(record);
    }
    // The sample may end inside the last record.
    if !sample.complete
        && reader.position() == sample.text.len()
        && records.len() > 1
        && last_at < sample.text.len()
    {
        records.pop();
    }
    let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
    for record in &records {
        *widths.entry(record.fields.len()).or_default() += 1;
    }
    let width = widths.iter().max_by_key(|(width, count)| (**count, **width)).map_or(0, |(width, _)| *width);
    let preamble =
        records.iter().take(MAX_PREAMBLE).take_while(|record| record.fields.len() == 1 && width > 1).count();
    let preamble = if preamble < records.len() { preamble } else { 0 };
    let first_line = records.get(preamble).map_or(1, |record| record.line);
    records.drain(..preamble);
    records.truncate(limits.sample_rows + 1);
    let ragged = records.iter().filter(|record| record.fields.len() != width).count();
    let first_ragged = records.iter().find(|record| record.fields.len() != width);
    Table {
        dialect,
        width,
        ragged,
        first_ragged: first_ragged.map(|record| (record.line, record.fields.len())),
        preamble: usize::try_from(first_line - 1).unwrap_or(0),
        stray_quotes: reader.stray,
        records,
    }
}

fn ragged(sample: &Sample<'_>, table: &Table<'_>) -> Error {
    let (row, fields) = table.first_ragged.unwrap_or((1, 0));
    Error::invalid(format!("the rows do not have the same number of fields: {}", count_of_ragged(table)))
        .at(Place::row(sample.name, row))
        .why(format!(
            "row {row} has {}, most rows have {} (fields are parted by {})",
            plural(fields, "field"),
            table.width,
            shown(table.dialect.delimiter)
        ))
        .hint("quote fields that hold the delimiter, or name another one in a CSV classifier")
}

fn count_of_ragged(table: &Table<'_>) -> String {
    format!("{} of {} sampled rows differ", table.ragged, table.records.len())
}

fn plural(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn shown(delimiter: char) -> String {
    match delimiter {
        '\t' => "tabs".to_owned(),
        c if c.is_control() => format!("the character \\u{:04x}", u32::from(c)),
        c => format!("`{c}`"),
    }
}

fn describe(
    sample: &Sample<'_>,
    table: Table<'_>,
    options: &CsvOptions,
    limits: &Limits,
) -> Result<Classification> {
    check_width(table.width.max(options.names.len()), limits)?;
    let fitting: Vec<&[Cow<'_, str>]> = table.records.iter().map(|record| record.fields.as_slice()).collect();
    let has_header = match options.header {
        ContainsHeader::Present => true,
        ContainsHeader::Absent => false,
        ContainsHeader::Unknown => names_match(&options.names, fitting[0]) || detect(&fitting, table.width),
    };
    let rows = if has_header { &fitting[1..] } else { &fitting[..] };
    let names = column_names(&table, options, has_header, fitting[0]);
    let mut notes = Vec::new();
    // A ragged row's values stand under the wrong columns: they say nothing about types.
    let even: Vec<&[Cow<'_, str>]> = rows.iter().filter(|row| row.len() == table.width).copied().collect();
    let columns = columns(names, if even.is_empty() { rows } else { &even }, options, &mut notes);
    let quoted = table.records.iter().any(|record| record.quoted);
    let hive = match options.serde {
        Some(CsvSerde::OpenCsvSerde) => &OPEN,
        Some(CsvSerde::LazySimpleSerde | CsvSerde::None) => &LAZY,
        None if quoted => &OPEN,
        None => &LAZY,
    };
    let mut found = Classification::of_text("csv", hive, columns, sample);
    found.notes.extend(notes);
    let general = found.notes.len();
    found.sampled_rows = rows.len() as u64;
    found.confidence = table.share();
    parameters(&mut found, &table, has_header, quoted);
    note_oddities(&mut found, &table);
    // These speak of one object's rows: they must name it wherever they are read.
    for note in found.notes.iter_mut().skip(general) {
        *note = format!("{}: {note}", sample.name);
    }
    Ok(found)
}

fn names_match(names: &[String], first: &[Cow<'_, str>]) -> bool {
    !names.is_empty()
        && names.len() == first.len()
        && names.iter().zip(first).all(|(name, cell)| name.eq_ignore_ascii_case(cell.trim()))
}

fn detect(records: &[&[Cow<'_, str>]], width: usize) -> bool {
    let below: Vec<&[Cow<'_, str>]> =
        records[1..].iter().copied().filter(|record| record.len() == width).collect();
    // An index without a name is often missing from the header altogether.
    (records[0].len() == width || records[0].len() + 1 == width) && is_header(records[0], &below)
}

fn column_names(
    table: &Table<'_>,
    options: &CsvOptions,
    has_header: bool,
    first: &[Cow<'_, str>],
) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    if !options.names.is_empty() {
        names.extend(options.names.iter().map(String::as_str));
    } else if has_header {
        // R writes row names without a heading: the header is one short, and the first column is the nameless one.
        if first.len() + 1 == table.width {
            names.push("");
        }
        names.extend(first.iter().map(Cow::as_ref));
    }
    names.resize(table.width.max(options.names.len()), "");
    make_unique(names)
}

fn columns(
    names: Vec<String>,
    rows: &[&[Cow<'_, str>]],
    options: &CsvOptions,
    notes: &mut Vec<String>,
) -> Columns {
    let mut kinds = vec![ColumnKind::default(); names.len()];
    for row in rows {
        for (kind, cell) in kinds.iter_mut().zip(row.iter()) {
            // Kept space is part of the value: ` 7` is then no number.
            if options.keep_space && cell.trim() != cell.as_ref() {
                kind.see_kind(crate::classify::infer::Kind::Text);
            } else {
                kind.see(cell);
            }
        }
    }
    let mut columns = Columns::default();
    let mut other_times = Vec::new();
    let mut codes = Vec::new();
    for (index, (name, kind)) in names.into_iter().zip(kinds).enumerate() {
        let mut hive_type = kind.hive_type();
        if let Some(given) = options.types.get(index) {
            hive_type = Some(given.clone());
        } else if kind.is_other_time() {
            other_times.push(format!("`{name}`"));
        } else if hive_type.as_ref().is_some_and(HiveType::is_integer) && is_code_name(&name) {
            codes.push(format!("`{name}`"));
            hive_type = Some(HiveType::String);
        }
        columns.push(name, hive_type);
    }
    if !other_times.is_empty() {
        notes.push(format!(
            "{}: times that Hive's timestamp does not parse (it wants `yyyy-MM-dd HH:mm:ss`): kept as string",
            few(&other_times)
        ));
    }
    if !codes.is_empty() {
        notes.push(format!("{} hold digits, but are codes by their names: kept as string", few(&codes)));
    }
    columns
}

/// A few names, and how many more.
fn few(names: &[String]) -> String {
    let shown = names.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 4 { format!("{shown} and {} more columns", names.len() - 4) } else { shown }
}

fn parameters(found: &mut Classification, table: &Table<'_>, has_header: bool, quoted: bool) {
    let delimiter = table.dialect.delimiter.to_string();
    let quote = table.dialect.quote.filter(|_| quoted);
    if found.serde_library == OPEN.serde {
        found.set_serde("separatorChar", delimiter.clone());
        found.set_serde("quoteChar", quote.unwrap_or('"').to_string());
        found.set_serde("escapeChar", "\\");
    } else {
        found.set_serde("field.delim", delimiter.clone());
        found.set_serde("serialization.format", delimiter.clone());
    }
    found.set("delimiter", delimiter);
    found.set("columnsOrdered", "true");
    found.set("areColumnsQuoted", quoted.to_string());
    found.csv.escapes = table.dialect.escaped;
    found.csv.multi_line = table.records.iter().any(|record| record.multi_line);
    let skipped = table.preamble + usize::from(has_header);
    if skipped > 0 {
        found.set("skip.header.line.count", skipped.to_string());
    }
}

fn note_oddities(found: &mut Classification, table: &Table<'_>) {
    if let Some((row, fields)) = table.first_ragged {
        found.notes.push(format!(
            "{} in their number of fields from the others' {} (the first is row {row} with {})",
            count_of_ragged(table),
            table.width,
            fields
        ));
    }
    if let Some((row, count)) = table.stray_quotes {
        found.notes.push(format!(
            "{} never closed and taken as letters (the first in row {row})",
            if count == 1 { "1 quote is".to_owned() } else { format!("{count} quotes are") }
        ));
    }
    if let Some(record) = table.records.iter().find(|record| record.multi_line) {
        found.notes.push(format!(
            "row {} has a line break inside a quoted field, which readers that split at line ends cannot read",
            record.line
        ));
    }
    if table.preamble > 0 {
        found.notes.push(format!(
            "{} above the table {} skipped",
            plural(table.preamble, "line"),
            if table.preamble == 1 { "is" } else { "are" }
        ));
    }
}
