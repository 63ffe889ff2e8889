//! JSON: one object a line, objects in a row, one array of rows, or a single document; also when only its head is known.

use super::{Verdict, check_width};
use crate::classify::names::make_unique;
use crate::classify::result::{Classification, Columns, Hive};
use crate::classify::sample::Sample;
use crate::classify::shape::Shape;
use crate::classify::source::Limits;
use ::formats::JsonPath;
use model::{Error, Place, Result, Schema};
use serde_json::Value;

const HIVE: Hive = Hive::text("org.openx.data.jsonserde.JsonSerDe");
/// Broken lines among good ones are tolerated up to this share.
const MAX_BROKEN: f64 = 0.1;

/// How the rows are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One document a line.
    Lines,
    /// Documents one after another, over several lines or several on one.
    Documents,
    /// One array, its elements being the rows.
    Array,
}

/// The documents found, and what went wrong.
#[derive(Default)]
struct Found {
    rows: Vec<Value>,
    broken: Option<(u64, serde_json::Error)>,
    broken_lines: usize,
    partial: bool,
}

/// Looks for JSON objects, or an array of them.
pub(super) fn classify(sample: &Sample<'_>, limits: &Limits) -> Result<Verdict> {
    let text = sample.text.trim_start();
    let (layout, found) = match text.as_bytes().first() {
        Some(b'{') => objects(sample, limits),
        Some(b'[') => match array(sample, limits) {
            Some(found) => (Layout::Array, found),
            None => return Ok(Verdict::Other),
        },
        _ => return Ok(Verdict::Other),
    };
    if found.rows.is_empty() {
        // `[` also begins log lines; only `{` promises JSON.
        return Ok(match found.broken {
            Some((row, error)) if layout != Layout::Array => Verdict::Broken(no_json(sample, row, error)),
            _ => Verdict::Other,
        });
    }
    let share = found.broken_lines as f64 / (found.rows.len() + found.broken_lines) as f64;
    if let Some((row, error)) = found.broken.as_ref()
        && share > MAX_BROKEN
    {
        let broken = Error::invalid("the object begins as JSON, but does not go on so")
            .at(Place::row(sample.name, *row))
            .why(format!(
                "{} of {} rows are no JSON: {error}",
                found.broken_lines,
                found.rows.len() + found.broken_lines
            ))
            .hint("correct those rows, or describe the text with a custom classifier");
        return Ok(Verdict::Broken(broken));
    }
    let rows: Vec<&Value> = found.rows.iter().collect();
    let mut classification = describe(sample, &rows, limits)?;
    if let Some((row, error)) = &found.broken {
        let all = found.rows.len() + found.broken_lines;
        classification.notes.push(format!(
            "{} of {all} sampled rows are no JSON (the first is row {row}: {error})",
            found.broken_lines
        ));
        classification.confidence = 1.0 - share;
    }
    mark_layout(&mut classification, layout, found.partial);
    Ok(Verdict::Fits(Box::new(classification)))
}

/// What a custom JSON classifier's path leads to; none when the object is no JSON or nothing is there.
pub(crate) fn classify_path(
    sample: &Sample<'_>,
    path: &JsonPath,
    text: &str,
    limits: &Limits,
) -> Result<Option<Classification>> {
    let start = sample.text.trim_start();
    let found = match start.as_bytes().first() {
        Some(b'{') => objects(sample, limits).1,
        Some(b'[') => match whole(sample, start) {
            Some(found) => found,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let rows: Vec<&Value> =
        found.rows.iter().flat_map(|value| path.select(value)).take(limits.sample_rows).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let mut classification = describe(sample, &rows, limits)?;
    classification.set("jsonPath", text);
    mark_partial(&mut classification, found.partial);
    Ok(Some(classification))
}

fn mark_layout(classification: &mut Classification, layout: Layout, partial: bool) {
    match layout {
        Layout::Lines => {}
        Layout::Documents => classification.set("multiLine", "true"),
        Layout::Array => {
            classification.set("jsonPath", "$[*]");
            classification.set("multiLine", "true");
        }
    }
    mark_partial(classification, partial);
}

fn mark_partial(classification: &mut Classification, partial: bool) {
    if partial {
        classification
            .notes
            .push("the document is larger than the sample; its head alone was looked at".to_owned());
    }
}

fn no_json(sample: &Sample<'_>, row: u64, error: serde_json::Error) -> Error {
    let cut = error.is_eof();
    Error::invalid(if cut {
        "the JSON document is cut short"
    } else {
        "the object begins like JSON, but is none"
    })
    .at(Place::row(sample.name, row))
    .why(error.to_string())
    .hint("correct it, or write it again if the upload was cut short")
    .source_is(error)
}

/// Objects: one a line if the first lines are so, else one after another.
fn objects(sample: &Sample<'_>, limits: &Limits) -> (Layout, Found) {
    let mut found = Found::default();
    for (number, line) in sample.lines().take(limits.sample_rows) {
        match serde_json::from_str::<Value>(line) {
            Ok(value) if value.is_object() => found.rows.push(value),
            Ok(_) => found.note_broken(number, serde::de::Error::custom("it is no object")),
            Err(error) => found.note_broken(number, error),
        }
    }
    // A document over several lines leaves no more than stray inner objects that are complete on a line.
    let mostly_lines = found.broken_lines == 0 || found.rows.len() > found.broken_lines * 2;
    let first_is_row =
        sample.lines().next().is_some_and(|(_, line)| serde_json::from_str::<Value>(line).is_ok());
    if !found.rows.is_empty()
        && (mostly_lines || first_is_row)
        && found.broken.as_ref().is_none_or(|_| mostly_lines)
    {
        return (Layout::Lines, found);
    }
    let stream = documents(sample, limits);
    if stream.rows.is_empty() && first_is_row { (Layout::Lines, found) } else { (Layout::Documents, stream) }
}

impl Found {
    fn note_broken(&mut self, row: u64, error: serde_json::Error) {
        self.broken_lines += 1;
        if self.broken.is_none() {
            self.broken = Some((row, error));
        }
    }
}

/// Documents one after another. When the sample ends inside the first one, its head is closed where it ends.
fn documents(sample: &Sample<'_>, limits: &Limits) -> Found {
    let mut found = Found::default();
    let mut stream = serde_json::Deserializer::from_str(&sample.text).into_iter::<Value>();
    while found.rows.len() < limits.sample_rows {
        match stream.next() {
            None => break,
            Some(Ok(value)) if value.is_object() => found.rows.push(value),
            Some(Ok(_)) => {
                found.note_broken(1, serde::de::Error::custom("a value is no object"));
                break;
            }
            Some(Err(error)) if error.is_eof() && !sample.complete => {
                found.partial = true;
                break;
            }
            Some(Err(error)) => {
                found.note_broken(error.line() as u64, error);
                break;
            }
        }
    }
    if found.partial && found.rows.is_empty() {
        found.rows.extend(close_head(sample.text.trim_start()));
    }
    found
}

/// The elements of an array; an array of plain values is one row with one column, as a crawler sees it.
fn array(sample: &Sample<'_>, limits: &Limits) -> Option<Found> {
    let found = whole(sample, sample.text.trim_start())?;
    let Some(Value::Array(items)) = found.rows.into_iter().next() else { return None };
    let rows: Vec<Value> = if items.iter().any(Value::is_object) {
        items.into_iter().filter(Value::is_object).take(limits.sample_rows).collect()
    } else {
        vec![serde_json::json!({ "array": items })]
    };
    Some(Found { rows, partial: found.partial, ..Found::default() })
}

/// The one document that the object is, as far as the sample has it.
fn whole(sample: &Sample<'_>, text: &str) -> Option<Found> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => Some(Found { rows: vec![value], ..Found::default() }),
        Err(error) if error.is_eof() && !sample.complete => {
            let value = close_head(text)?;
            Some(Found { rows: vec![value], partial: true, ..Found::default() })
        }
        Err(_) => None,
    }
}

/// A document of which only the head is known, cut behind its last complete value and closed.
fn close_head(text: &str) -> Option<Value> {
    let mut open: Vec<u8> = Vec::new();
    let mut cut: Option<(usize, Vec<u8>)> = None;
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                open.pop()?;
                if open.len() < 128 {
                    cut = Some((at + 1, open.clone()));
                }
            }
            // Before a comma a value is complete.
            b',' if open.len() < 128 => cut = Some((at, open.clone())),
            _ => {}
        }
    }
    let (end, open) = cut?;
    let mut head = text[..end].to_owned();
    head.extend(open.iter().rev().map(|byte| char::from(*byte)));
    serde_json::from_str(&head).ok()
}

fn describe(sample: &Sample<'_>, rows: &[&Value], limits: &Limits) -> Result<Classification> {
    let mut shape = Shape::default();
    let wrapped: Vec<Value>;
    if rows.iter().any(|row| row.is_object()) {
        rows.iter().filter(|row| row.is_object()).for_each(|row| shape.see(row));
    } else {
        // Plain values have no name of their own.
        wrapped = rows.iter().map(|row| serde_json::json!({ "value": row })).collect();
        wrapped.iter().for_each(|row| shape.see(row));
    }
    let fields = shape.fields();
    check_width(fields.len(), limits)?;
    if fields.is_empty() {
        return Err(Error::invalid("the JSON objects have no fields")
            .why(format!("the {} objects looked at are all `{{}}`", rows.len()))
            .hint("exclude the object from the crawl"));
    }
    let mut columns = Columns::default();
    let mut clashes = Vec::new();
    for (name, field) in &fields {
        let hive_type = field.hive_type(limits);
        match columns.columns.iter_mut().find(|known| known.name.eq_ignore_ascii_case(name)) {
            Some(known) => {
                clashes.push((*name).to_owned());
                let other = hive_type.unwrap_or_else(|| known.hive_type.clone());
                known.hive_type = known.hive_type.common(&other).unwrap_or(model::HiveType::String);
            }
            None => columns.push(make_unique([*name]).remove(0), hive_type),
        }
    }
    let mut found = Classification::of_text("json", &HIVE, columns, sample);
    found.sampled_rows = rows.len() as u64;
    let paths = paths(&found.schema);
    found.set_serde("paths", paths);
    if let Some(first) = clashes.first() {
        found.notes.push(format!(
            "{} field names differ from others only in case (the first is `{first}`)",
            clashes.len()
        ));
    }
    Ok(found)
}

/// The serde's list of top-level fields.
pub(crate) fn paths(schema: &Schema) -> String {
    let mut names: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    names.join(",")
}
