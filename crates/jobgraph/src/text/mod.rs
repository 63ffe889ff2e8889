//! The written definition as values that know where they stand.
//!
//! JSON and YAML become the same tree of values, each with its bytes in the text, so that every mistake that is found
//! later, however deep, can show its line.

mod json;
mod yaml;

use model::{Error, Result, SourcePlace};
use sql::Source;
use std::ops::Range;

/// Bytes of the text.
pub(crate) type Span = Range<usize>;

/// How deep a definition may nest. Glue's own is six levels deep.
pub(crate) const MAX_DEPTH: usize = 64;
/// Longer texts are refused before anything is read.
const MAX_BYTES: usize = 8 << 20;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) data: Data,
    pub(crate) span: Span,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Value>),
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Value,
}

/// Something that was written, with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Placed<T> {
    pub(crate) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl Value {
    pub(crate) fn new(data: Data, span: Span) -> Self {
        Self { data, span }
    }

    /// What sort of value it is, for messages.
    pub(crate) fn sort(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "true or false",
            Data::Number(_) => "a number",
            Data::Text(_) => "a text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// The value as a text: what stands alone in YAML (`5`, `true`) is meant as one where a text is wanted.
    pub(crate) fn as_text(&self) -> Option<String> {
        match &self.data {
            Data::Text(text) | Data::Number(text) => Some(text.clone()),
            Data::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[Entry]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            _ => None,
        }
    }
}

/// The place of a span.
pub(crate) fn place(source: &Source, span: &Span) -> SourcePlace {
    SourcePlace::of_bytes(source.name.clone(), &source.text, span.start, span.end)
}

/// Reads a text: JSON if it begins like JSON and is not called YAML, or else YAML.
pub(crate) fn read(source: &Source) -> Result<Value> {
    let text = source.text.as_str();
    if text.len() > MAX_BYTES {
        let message = format!("a definition of {} bytes is longer than the {MAX_BYTES} allowed", text.len());
        return Err(Error::new(model::ErrorKind::LimitExceeded, message));
    }
    let begins_like_json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    let called_yaml = source.name.ends_with(".yaml") || source.name.ends_with(".yml");
    if begins_like_json && !called_yaml { json::read(source) } else { yaml::read(source) }
}

/// A key that stands twice in one map.
fn key_twice(source: &Source, key: &str, span: &Span) -> Error {
    Error::invalid(format!("the key `{key}` stands twice in one map"))
        .at(place(source, span))
        .hint("remove one of the two, or give it another name")
}

fn too_deep(source: &Source, at: usize) -> Error {
    Error::new(
        model::ErrorKind::LimitExceeded,
        format!("the definition nests deeper than {MAX_DEPTH} levels"),
    )
    .at(place(source, &(at..at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(value: &Value) -> String {
        match &value.data {
            Data::Null => "null".into(),
            Data::Bool(flag) => flag.to_string(),
            Data::Number(text) => text.clone(),
            Data::Text(text) => format!("{text:?}"),
            Data::List(values) => {
                format!("[{}]", values.iter().map(shape).collect::<Vec<_>>().join(","))
            }
            Data::Map(entries) => {
                let all: Vec<_> =
                    entries.iter().map(|e| format!("{:?}:{}", e.key, shape(&e.value))).collect();
                format!("{{{}}}", all.join(","))
            }
        }
    }

    fn both(name: &str, text: &str) -> Result<String> {
        read(&Source::new(name, text)).map(|value| shape(&value))
    }

    #[test]
    fn json_and_yaml_become_the_same_values() {
        let json = r#"{"a": [1, -2.5e3, "x\"\u00e9\ud83d\ude00", true, null], "b": {"c": {}}}"#;
        let yaml = "# a job\na:\n  - 1\n  - -2.5e3\n  - \"x\\\"é😀\"\n  - true\n  - null\nb: {c: {}}\n";
        assert_eq!(both("j.json", json).unwrap(), both("j.yaml", yaml).unwrap());
        assert_eq!(
            both("j.yaml", json.replace("\\ud83d\\ude00", "😀").as_str()).unwrap(),
            both("j", json).unwrap()
        );
        assert_eq!(
            both("y", "a: 'no'\nb: no\nc: ~\nd:\n").unwrap(),
            r#"{"a":"no","b":"no","c":null,"d":null}"#
        );
    }

    #[test]
    fn places_are_exact_in_both() {
        for (name, text) in [("a.json", "{\n \"é\": {\"key\": \"válue\"}}"), ("a.yaml", "é:\n  key: válue\n")]
        {
            let source = Source::new(name, text);
            let value = read(&source).unwrap();
            let inner = &value.as_map().unwrap()[0].value.as_map().unwrap()[0];
            let marked = |span: &Span| source.text[span.clone()].trim_matches('"').to_owned();
            assert_eq!(marked(&inner.key_span), "key", "{name}");
            assert_eq!(marked(&inner.value.span), "válue", "{name}");
            assert_eq!(place(&source, &inner.key_span).line, 2);
        }
    }

    #[test]
    fn mistakes_say_where_they_are() {
        let line_of = |name: &str, text: &str| {
            let error = both(name, text).unwrap_err();
            let Some(model::Place::Source(at)) = error.place() else { panic!("{error:?}") };
            (at.line, error.message().to_owned())
        };
        assert_eq!(line_of("j", "{\"a\": 1,\n \"a\": 2}").0, 2);
        assert_eq!(line_of("j", "{\"a\": 1\n \"b\": 2}").0, 2);
        assert_eq!(line_of("j", "{\"a\": \"x").0, 1);
        assert_eq!(line_of("y", "a: 1\nb: 2\na: 3\n").0, 3);
        assert_eq!(line_of("y", "a:\n  - b\n c: d\n").0, 3);
        assert!(line_of("y", "a: &x 1\nb: *x\n").1.contains("anchor"));
        assert!(line_of("y", "a: 1\n---\nb: 2\n").1.contains("one document"));
        assert_eq!(line_of("y", "a:\n\tb: 1\n").0, 2);
    }

    #[test]
    fn hostile_texts_end() {
        for open in ["[", "{\"a\":", "- "] {
            let deep = open.repeat(20_000);
            assert!(both("d", &deep).is_err());
            assert!(both("d.yaml", &deep).is_err());
        }
        for odd in ["", " ", "\u{feff}", "{", "}", "\"", "{\"a\"", "[1,", "\\", "\0", "%", "? :", "- - -\n -"]
        {
            let _ = both("o", odd);
            let _ = both("o.yaml", odd);
        }
    }
}
