//! XML: the rows are the elements of one tag, given by a classifier or found as the one that repeats under the root.
//!
//! Attributes become columns named `_attribute`; the text of an element that has attributes or children `_VALUE`.

use super::{Verdict, check_width};
use crate::classify::names::make_unique;
use crate::classify::result::{Classification, Columns, Hive};
use crate::classify::sample::Sample;
use crate::classify::shape::Shape;
use crate::classify::source::Limits;
use model::{Error, Place, Result};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Hive itself has no serde for XML; readers go by the classification and the row tag.
const HIVE: Hive = Hive::text("");
const MAX_DEPTH: usize = 32;

/// Looks for XML with a repeating element under the root.
pub(super) fn classify(sample: &Sample<'_>, limits: &Limits) -> Result<Verdict> {
    let text = sample.text.trim_start();
    let mut chars = text.chars();
    let begins =
        chars.next() == Some('<') && chars.next().is_some_and(|c| c == '?' || c == '!' || c.is_alphabetic());
    if !begins {
        return Ok(Verdict::Other);
    }
    if text.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype html"))
        || text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<html"))
    {
        return Ok(Verdict::Broken(
            Error::invalid("the object is an HTML page, which is no table")
                .why("it is often the error page of a failed download")
                .hint("download it again, or exclude it from the crawl"),
        ));
    }
    let tag = match row_tag(sample) {
        Ok(Some(tag)) => tag,
        // Syslog lines begin `<13>`, others may begin with a tag by chance: not being XML is no fault there.
        Ok(None) | Err(_) if !text.starts_with("<?xml") => return Ok(Verdict::Other),
        Ok(None) => {
            return Ok(Verdict::Broken(
                Error::invalid("the XML document has no repeating element under its root")
                    .why("a table needs rows, and no child of the root occurs")
                    .hint("name the row element in an XML classifier"),
            ));
        }
        Err(error) => return Ok(Verdict::Broken(error)),
    };
    Ok(match classify_rows(sample, "xml", &tag, limits)? {
        Some(found) => Verdict::Fits(Box::new(found)),
        None => Verdict::Other,
    })
}

/// The most frequent child of the root.
fn row_tag(sample: &Sample<'_>) -> Result<Option<String>> {
    let mut reader = Reader::from_str(&sample.text);
    let mut depth = 0usize;
    let mut counts: Vec<(String, usize)> = Vec::new();
    loop {
        let (start, opens) = match reader.read_event() {
            Ok(Event::Start(start)) => (start, true),
            Ok(Event::Empty(start)) => (start, false),
            Ok(Event::End(_)) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Ok(Event::Eof) => break,
            Ok(_) => continue,
            // The sample's end cuts the document somewhere.
            Err(_) if !sample.complete && !counts.is_empty() => break,
            Err(error) => return Err(broken(sample, &reader, error)),
        };
        if depth == 1 {
            let name = name_of(&start);
            match counts.iter().position(|(known, _)| *known == name) {
                Some(at) => counts[at].1 += 1,
                None if counts.len() < 1000 => counts.push((name, 1)),
                None => {}
            }
        }
        depth += usize::from(opens);
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    Ok(counts.into_iter().find(|(_, count)| *count == most).map(|(name, _)| name))
}

fn broken(sample: &Sample<'_>, reader: &Reader<&[u8]>, error: quick_xml::Error) -> Error {
    let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX).min(sample.text.len());
    let row = 1 + sample.text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    Error::invalid("the XML document is not well-formed")
        .at(Place::row(sample.name, row as u64))
        .why(error.to_string())
        .hint("correct it, or write it again if the upload was cut short")
        .source_is(error)
}

fn name_of(start: &BytesStart<'_>) -> String {
    start.name().as_ref().to_owned()
}

/// The rows of that tag; none when it does not occur.
pub(crate) fn classify_rows(
    sample: &Sample<'_>,
    classification: &str,
    tag: &str,
    limits: &Limits,
) -> Result<Option<Classification>> {
    if !sample.text.contains(&format!("<{tag}")) {
        return Ok(None);
    }
    let mut reader = Reader::from_str(&sample.text);
    let mut rows = Shape::default();
    let mut count = 0usize;
    while count < limits.sample_rows {
        let row = match reader.read_event() {
            Ok(Event::Start(start)) if start.name().as_ref() == tag => element(&mut reader, &start, 0),
            Ok(Event::Empty(start)) if start.name().as_ref() == tag => {
                Ok(Some(Element { fields: attributes(&start), text: String::new() }))
            }
            Ok(Event::Eof) => break,
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        match row {
            Ok(Some(row)) => {
                rows.see_fields(row.into_fields());
                count += 1;
            }
            // The last row is cut by the sample's end.
            Ok(None) | Err(_) if !sample.complete => break,
            Ok(None) => break,
            Err(_) if count == 0 && !sample.text.trim_start().starts_with('<') => return Ok(None),
            Err(error) => return Err(broken(sample, &reader, error)),
        }
    }
    let fields = rows.fields();
    if count == 0 || fields.is_empty() {
        return Ok(None);
    }
    check_width(fields.len(), limits)?;
    let mut columns = Columns::default();
    let names = make_unique(fields.iter().map(|(name, _)| *name));
    for (name, (_, shape)) in names.into_iter().zip(&fields) {
        columns.push(name, shape.hive_type(limits));
    }
    let mut found = Classification::of_text(classification, &HIVE, columns, sample);
    found.set("rowTag", tag);
    found.set_serde("rowTag", tag);
    found.sampled_rows = count as u64;
    Ok(Some(found))
}

/// An element's attributes and children in order, with its own text.
#[derive(Default)]
struct Element {
    fields: Vec<(String, Vec<Shape>)>,
    text: String,
}

impl Element {
    fn add(&mut self, name: String, shape: Shape) {
        match self.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(shape),
            None => self.fields.push((name, vec![shape])),
        }
    }

    fn into_fields(mut self) -> Vec<(String, Vec<Shape>)> {
        if !self.text.trim().is_empty() {
            let mut shape = Shape::default();
            shape.see_text(self.text.trim());
            self.add("_VALUE".to_owned(), shape);
        }
        self.fields
    }

    fn into_shape(self) -> Shape {
        let mut shape = Shape::default();
        if self.fields.is_empty() {
            shape.see_text(self.text.trim());
        } else {
            shape.see_fields(self.into_fields());
        }
        shape
    }
}

fn attributes(start: &BytesStart<'_>) -> Vec<(String, Vec<Shape>)> {
    let mut element = Element::default();
    for attribute in start.attributes().with_checks(false).flatten() {
        let name = attribute.key.as_ref().to_owned();
        if name == "xmlns" || name.starts_with("xmlns:") {
            continue;
        }
        let mut shape = Shape::default();
        shape.see_text(&attribute.value);
        element.add(format!("_{name}"), shape);
    }
    element.fields
}

/// Reads up to the element's end; none when the text ends before.
fn element(
    reader: &mut Reader<&[u8]>,
    start: &BytesStart<'_>,
    depth: usize,
) -> Result<Option<Element>, quick_xml::Error> {
    let mut found = Element { fields: attributes(start), text: String::new() };
    loop {
        match reader.read_event()? {
            Event::Start(child) if depth >= MAX_DEPTH => {
                // What lies deeper is kept as a string.
                if reader.read_to_end(child.name()).is_err() {
                    return Ok(None);
                }
                let mut shape = Shape::default();
                shape.see_text("deep");
                found.add(name_of(&child), shape);
            }
            Event::Start(child) => {
                let name = name_of(&child);
                let Some(inner) = element(reader, &child, depth + 1)? else { return Ok(None) };
                found.add(name, inner.into_shape());
            }
            Event::Empty(child) => {
                let inner = Element { fields: attributes(&child), text: String::new() };
                found.add(name_of(&child), inner.into_shape());
            }
            Event::Text(text) => found.text.push_str(&text),
            Event::CData(text) => found.text.push_str(&text),
            // An escaped character makes any text a text.
            Event::GeneralRef(_) => found.text.push('&'),
            Event::End(_) => return Ok(Some(found)),
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}
