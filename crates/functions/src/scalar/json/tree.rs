//! JSON as a tree, where one is needed: to sort members, to evaluate paths with filters.

use super::scan::{Kind, MAX_DEPTH, Malformed, Scanner};
use super::write;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it stands in the text, and whether it has a point or an exponent.
    Number(String, bool),
    String(String),
    Array(Vec<Json>),
    /// Members in their order, names possibly repeated.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole text.
    pub(crate) fn parse(text: &str) -> Result<Json, Malformed> {
        let mut scanner = Scanner::new(text);
        let value = Json::read(&mut scanner, 0)?;
        if scanner.at_end() { Ok(value) } else { scanner.bad() }
    }

    fn read(scanner: &mut Scanner<'_>, depth: usize) -> Result<Json, Malformed> {
        if depth > MAX_DEPTH {
            return scanner.bad();
        }
        Ok(match scanner.kind()? {
            Kind::Null => scanner.word("null").map(|()| Json::Null)?,
            Kind::True => scanner.word("true").map(|()| Json::Bool(true))?,
            Kind::False => scanner.word("false").map(|()| Json::Bool(false))?,
            Kind::Number => scanner.number().map(|(text, float)| Json::Number(text.to_owned(), float))?,
            Kind::String => Json::String(scanner.string()?.to_text()),
            Kind::Array => {
                let mut elements = Vec::new();
                let mut more = scanner.open(false)?;
                while more {
                    elements.push(Json::read(scanner, depth + 1)?);
                    more = scanner.more(false)?;
                }
                Json::Array(elements)
            }
            Kind::Object => {
                let mut members = Vec::new();
                let mut more = scanner.open(true)?;
                while more {
                    let key = scanner.key()?.to_text();
                    members.push((key, Json::read(scanner, depth + 1)?));
                    more = scanner.more(true)?;
                }
                Json::Object(members)
            }
        })
    }

    /// With the members of all objects in the order of their names; of those with one name the last is kept.
    pub(crate) fn canonical(self) -> Json {
        match self {
            Json::Array(elements) => Json::Array(elements.into_iter().map(Json::canonical).collect()),
            Json::Object(members) => {
                let mut sorted: Vec<(String, Json)> = Vec::with_capacity(members.len());
                let mut all: Vec<_> = members.into_iter().map(|(k, v)| (k, v.canonical())).collect();
                all.sort_by(|(a, _), (b, _)| a.cmp(b));
                for (key, value) in all {
                    match sorted.last_mut() {
                        Some((last, kept)) if *last == key => *kept = value,
                        _ => sorted.push((key, value)),
                    }
                }
                Json::Object(sorted)
            }
            other => other,
        }
    }

    /// Its compact text, appended.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(true) => out.push_str("true"),
            Json::Bool(false) => out.push_str("false"),
            Json::Number(text, float) => write::number(text, *float, out),
            Json::String(text) => write::string(text, out),
            Json::Array(elements) => {
                out.push('[');
                for (i, element) in elements.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write::string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}
