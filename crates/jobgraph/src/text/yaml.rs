//! YAML with places, from the events of `saphyr-parser`. Anchors, aliases and tags are refused: a definition says what
//! it means in one place, and an alias can make a small text huge.

use super::{Data, Entry, MAX_DEPTH, Span, Value, key_twice, place, too_deep};
use model::{Error, Result};
use saphyr_parser::{Event, Parser, ScalarStyle};
use sql::Source;
use std::collections::HashSet;

/// Reads one YAML document.
pub(super) fn read(source: &Source) -> Result<Value> {
    let text = source.text.trim_start_matches('\u{feff}');
    let mut builder = Builder {
        source,
        bytes: byte_offsets(text, source.text.len() - text.len()),
        open: vec![],
        done: None,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let at = builder.byte(error.marker().index());
            Error::invalid("this is no valid YAML")
                .at(place(source, &(at..at)))
                .why(error.info().to_owned())
                .hint("the indentation shows what belongs together: use spaces, never tabs")
        })?;
        let span = builder.byte(span.start.index())..builder.byte(span.end.index());
        builder.event(event, span)?;
    }
    builder.done.ok_or_else(|| Error::invalid("the definition is empty").at(place(source, &(0..0))))
}

/// The byte at which each character stands, and the end.
fn byte_offsets(text: &str, base: usize) -> Vec<usize> {
    let mut all: Vec<usize> = text.char_indices().map(|(at, _)| base + at).collect();
    all.push(base + text.len());
    all
}

/// A list or map that is being read.
struct Open {
    start: usize,
    of: Content,
}

enum Content {
    List(Vec<Value>),
    Map { entries: Vec<Entry>, seen: HashSet<String>, key: Option<(String, Span)> },
}

struct Builder<'a> {
    source: &'a Source,
    bytes: Vec<usize>,
    open: Vec<Open>,
    done: Option<Value>,
}

impl Builder<'_> {
    fn byte(&self, index: usize) -> usize {
        self.bytes.get(index).or(self.bytes.last()).copied().unwrap_or(0)
    }

    fn wrong(&self, what: &str, span: &Span) -> Error {
        Error::invalid(what).at(place(self.source, span))
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<()> {
        match event {
            Event::Alias(_) => Err(self.anchored(&span)),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &span)?;
                let data = scalar(&text, style);
                // The span of a block text begins at its mark (`|`) and ends behind its last line.
                self.put(Value::new(data, trimmed(&self.source.text, span)))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &span)?;
                self.begin(span.start, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), &span)?;
                self.begin(span.start, Content::Map { entries: Vec::new(), seen: HashSet::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span.end),
            Event::DocumentStart(_) if self.done.is_some() => {
                Err(self.wrong("a definition is one document, but a second one begins here", &span))
            }
            _ => Ok(()),
        }
    }

    fn refuse(&self, anchor: usize, tagged: bool, span: &Span) -> Result<()> {
        if tagged {
            return Err(self.wrong("tags (`!…`) have no meaning in a job definition", span));
        }
        if anchor > 0 { Err(self.anchored(span)) } else { Ok(()) }
    }

    fn anchored(&self, span: &Span) -> Error {
        self.wrong("anchors and aliases (`&…`, `*…`) are not supported in job definitions", span)
            .hint("write the value out, or quote it if the `&` or `*` belongs to a text")
    }

    fn begin(&mut self, start: usize, of: Content) -> Result<()> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(self.source, start));
        }
        self.open.push(Open { start, of });
        Ok(())
    }

    fn end(&mut self, end: usize) -> Result<()> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let data = match open.of {
            Content::List(values) => Data::List(values),
            Content::Map { entries, .. } => Data::Map(entries),
        };
        let span = trimmed(&self.source.text, open.start..end.max(open.start));
        self.put(Value::new(data, span))
    }

    /// A finished value goes where it belongs.
    fn put(&mut self, value: Value) -> Result<()> {
        let source = self.source;
        let Some(open) = self.open.last_mut() else {
            self.done = Some(value);
            return Ok(());
        };
        match &mut open.of {
            Content::List(values) => values.push(value),
            Content::Map { entries, seen, key } => match key.take() {
                Some((key, key_span)) => entries.push(Entry { key, key_span, value }),
                None => {
                    let Some(text) = value.as_text() else {
                        let error = Error::invalid("a key must be a plain text");
                        return Err(error
                            .at(place(source, &value.span))
                            .hint("quote it if it begins with `{` or `[`"));
                    };
                    if !seen.insert(text.clone()) {
                        return Err(key_twice(source, &text, &value.span));
                    }
                    *key = Some((text, value.span));
                }
            },
        }
        Ok(())
    }
}

/// Spans of blocks reach to the next token; what is meant ends with the last written character.
fn trimmed(text: &str, span: Span) -> Span {
    let Some(piece) = text.get(span.clone()) else { return span };
    span.start..span.start + piece.trim_end().len()
}

/// A scalar by YAML's core schema; whatever is quoted or a block is a text.
fn scalar(text: &str, style: ScalarStyle) -> Data {
    if style != ScalarStyle::Plain {
        return Data::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "true" | "True" | "TRUE" => Data::Bool(true),
        "false" | "False" | "FALSE" => Data::Bool(false),
        number if is_number(number) => Data::Number(number.to_owned()),
        other => Data::Text(other.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let begins = text.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    begins && text.parse::<f64>().is_ok_and(f64::is_finite)
}
