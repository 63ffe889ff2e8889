//! The SQL standard's JSON functions, with their clauses as plain arguments: the planner writes them so.

use super::convert::{can_be_json, to_json};
use super::evaluate::{Failure, evaluate};
use super::scan::Malformed;
use super::sqlpath::SqlPath;
use super::tree::Json;
use super::write;
use crate::cast::{OnError, cast};
use crate::scalar::Scalar;
use crate::scalar::string::{check_length, shorten};
use crate::{Call, Values};
use arrow::array::{ArrayRef, AsArray, BooleanBuilder, StringViewArray, StringViewBuilder};
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;

/// Without clauses, and with all of them.
const CLAUSES: &[&str] = &[
    "(varchar, varchar) -> varchar",
    "(varchar, varchar, varchar, varchar, varchar, varchar, varchar) -> varchar",
];

pub(super) const EXISTS: Scalar = Scalar::new(
    "$json_exists",
    &["(varchar, varchar) -> boolean", "(varchar, varchar, varchar, varchar) -> boolean"],
    exists,
    "json_exists(input, path, on error, passing).",
)
.handles_nulls();

pub(super) const VALUE: Scalar = Scalar::new(
    "$json_value",
    CLAUSES,
    value,
    "json_value(input, path, on empty, on error, default on empty, default on error, passing).",
)
.handles_nulls();

pub(super) const QUERY: Scalar = Scalar::new(
    "$json_query",
    CLAUSES,
    query,
    "json_query(input, path, wrapper, quotes, on empty, on error, passing).",
)
.handles_nulls();

pub(super) const ARRAY: Scalar =
    Scalar::new("$json_array", &["(any...) -> varchar"], |c| array(c, 0), "json_array(elements).")
        .handles_nulls();

pub(super) const ARRAY_WITH: Scalar = Scalar::new(
    "$json_array_with",
    &["(varchar, any...) -> varchar"],
    |c| array(c, 1),
    "json_array(nulls, elements).",
)
.handles_nulls();

pub(super) const OBJECT: Scalar =
    Scalar::new("$json_object", &["(any...) -> varchar"], |c| object(c, 0), "json_object(keys and values).")
        .handles_nulls();

pub(super) const OBJECT_WITH: Scalar = Scalar::new(
    "$json_object_with",
    &["(varchar, varchar, any...) -> varchar"],
    |c| object(c, 2),
    "json_object(nulls, unique keys, keys and values).",
)
.handles_nulls();

pub(super) const INPUT: Scalar =
    Scalar::new("$json_input", &["(varchar) -> json"], input, "A text that is said to be JSON, checked.");

/// A clause of a call, which may have been left out.
struct Word(Option<Values<StringViewArray>>);

impl Word {
    fn of(call: &Call<'_>, index: usize) -> Result<Word> {
        Ok(Word(if call.has(index) { Some(call.strings(index)?) } else { None }))
    }

    fn get(&self, row: usize) -> Option<&str> {
        self.0.as_ref().and_then(|word| word.get(row))
    }
}

/// The arguments from this one on, each as JSON.
fn as_json(call: &Call<'_>, from: usize) -> Result<Vec<Values<StringViewArray>>> {
    let turn = |index: usize| {
        let (array, constant) = call.arg(index)?;
        let sql_type = call.arg_types.get(index).unwrap_or(&SqlType::Unknown);
        let json = if can_be_json(sql_type) {
            to_json(array, sql_type)?
        } else {
            // What JSON does not know becomes a string.
            let text = cast(array, sql_type, &SqlType::VARCHAR, call.session, OnError::Fail)?;
            to_json(&text, &SqlType::VARCHAR)?
        };
        let json = json.as_string_view_opt().cloned();
        Ok(Values { array: json.ok_or_else(|| Error::internal("json is no text"))?, constant })
    };
    (from..call.args.len()).map(turn).collect()
}

/// Input, path and variables of a call.
struct Paths {
    inputs: Values<StringViewArray>,
    paths: Values<StringViewArray>,
    passing: Word,
    last: Option<(String, SqlPath)>,
}

impl Paths {
    fn of(call: &Call<'_>, passing: usize) -> Result<Paths> {
        Ok(Paths {
            inputs: call.strings(0)?,
            paths: call.strings(1)?,
            passing: Word::of(call, passing)?,
            last: None,
        })
    }

    /// What the path yields in this row; nothing if input or path are NULL.
    fn run(&mut self, row: usize) -> Result<Option<std::result::Result<Vec<Json>, Failure>>> {
        let (Some(input), Some(path)) = (self.inputs.get(row), self.paths.get(row)) else { return Ok(None) };
        if self.last.as_ref().is_none_or(|(known, _)| known != path) {
            self.last = Some((path.to_owned(), SqlPath::parse(path)?));
        }
        let Some((_, path)) = &self.last else { return Ok(None) };
        let parse = |text: &str| {
            Json::parse(text).map_err(|Malformed(at)| format!("'{}' is no JSON at byte {at}", shorten(text)))
        };
        let variables = self.passing.get(row).map_or(Ok(Json::Null), parse);
        let items = parse(input).and_then(|input| {
            let variables = variables?;
            let items = evaluate(path, &input, &variables)?;
            Ok(items.into_iter().map(std::borrow::Cow::into_owned).collect())
        });
        Ok(Some(items))
    }
}

fn failed(call: &Call<'_>, why: Failure) -> Error {
    Error::invalid(format!("{} could not be evaluated", call.name.trim_start_matches('$')))
        .why(why)
        .hint("say what to give instead: NULL ON ERROR, NULL ON EMPTY")
}

fn exists(call: &Call<'_>) -> Result<ArrayRef> {
    let on_error = Word::of(call, 2)?;
    let mut paths = Paths::of(call, 3)?;
    let mut builder = BooleanBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        builder.append_option(match paths.run(row)? {
            None => None,
            Some(Ok(items)) => Some(!items.is_empty()),
            Some(Err(why)) => match on_error.get(row) {
                Some("error") => return Err(failed(call, why)),
                Some("true") => Some(true),
                Some("unknown") => None,
                _ => Some(false),
            },
        });
    }
    Ok(Arc::new(builder.finish()))
}

/// The one scalar that `json_value` gives; nothing for a JSON null.
fn scalar(items: &[Json]) -> std::result::Result<Option<String>, Failure> {
    match items {
        [Json::Null] => Ok(None),
        [Json::String(text)] => Ok(Some(text.clone())),
        [item @ (Json::Bool(_) | Json::Number(..))] => {
            let mut text = String::new();
            item.write(&mut text);
            Ok(Some(text))
        }
        [_] => Err("the path yields an array or object".into()),
        more => Err(format!("the path yields {} items", more.len())),
    }
}

fn value(call: &Call<'_>) -> Result<ArrayRef> {
    let (on_empty, on_error) = (Word::of(call, 2)?, Word::of(call, 3)?);
    let (if_empty, if_error) = (Word::of(call, 4)?, Word::of(call, 5)?);
    let mut paths = Paths::of(call, 6)?;
    let mut builder = StringViewBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        let Some(items) = paths.run(row)? else {
            builder.append_null();
            continue;
        };
        let (result, word, default) = match items {
            Ok(items) if items.is_empty() => {
                (Err("the path yields nothing".into()), on_empty.get(row), if_empty.get(row))
            }
            Ok(items) => (scalar(&items), on_error.get(row), if_error.get(row)),
            Err(why) => (Err(why), on_error.get(row), if_error.get(row)),
        };
        match (result, word) {
            (Ok(text), _) => builder.append_option(text),
            (Err(why), Some("error")) => return Err(failed(call, why)),
            (Err(_), Some("default")) => builder.append_option(default),
            (Err(_), _) => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// What `json_query` gives of the items, as text.
fn wrapped(items: Vec<Json>, wrapper: &str, quotes: &str) -> std::result::Result<String, Failure> {
    let single = matches!(items.as_slice(), [Json::Array(_) | Json::Object(_)]);
    let item = match wrapper {
        "unconditional" => Json::Array(items),
        "conditional" if !single => Json::Array(items),
        _ => {
            let mut items = items.into_iter();
            match (items.next(), items.next()) {
                (Some(only), None) => only,
                _ => return Err("the path yields several items, and there is no wrapper".into()),
            }
        }
    };
    if let (Json::String(text), "omit") = (&item, quotes) {
        return Ok(text.clone());
    }
    let mut text = String::new();
    item.write(&mut text);
    Ok(text)
}

fn query(call: &Call<'_>) -> Result<ArrayRef> {
    let (wrapper, quotes) = (Word::of(call, 2)?, Word::of(call, 3)?);
    let (on_empty, on_error) = (Word::of(call, 4)?, Word::of(call, 5)?);
    let mut paths = Paths::of(call, 6)?;
    let mut builder = StringViewBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        let Some(items) = paths.run(row)? else {
            builder.append_null();
            continue;
        };
        let (result, word) = match items {
            Ok(items) if items.is_empty() => (Err("the path yields nothing".into()), on_empty.get(row)),
            Ok(items) => {
                let (wrapper, quotes) =
                    (wrapper.get(row).unwrap_or("without"), quotes.get(row).unwrap_or("keep"));
                (wrapped(items, wrapper, quotes), on_error.get(row))
            }
            Err(why) => (Err(why), on_error.get(row)),
        };
        match (result, word) {
            (Ok(text), _) => builder.append_value(text),
            (Err(why), Some("error")) => return Err(failed(call, why)),
            (Err(_), Some("empty array")) => builder.append_value("[]"),
            (Err(_), Some("empty object")) => builder.append_value("{}"),
            (Err(_), _) => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn array(call: &Call<'_>, from: usize) -> Result<ArrayRef> {
    let nulls = Word(if from > 0 { Some(call.strings(0)?) } else { None });
    let elements = as_json(call, from)?;
    let mut builder = StringViewBuilder::with_capacity(call.rows);
    let mut text = String::new();
    for row in 0..call.rows {
        let keep = nulls.get(row) == Some("null");
        text.clear();
        text.push('[');
        for element in &elements {
            let element = match element.get(row) {
                Some(element) => element,
                None if keep => "null",
                None => continue,
            };
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(element);
        }
        text.push(']');
        check_length("json_array", text.len())?;
        builder.append_value(&text);
    }
    Ok(Arc::new(builder.finish()))
}

fn object(call: &Call<'_>, from: usize) -> Result<ArrayRef> {
    let word = |index| Ok::<Word, Error>(Word(if from > 0 { Some(call.strings(index)?) } else { None }));
    let (nulls, unique) = (word(0)?, word(1)?);
    let parts = as_json(call, from)?;
    let keys = call.arg_types.iter().skip(from).step_by(2);
    if let Some(other) = keys.into_iter().find(|t| !t.is_text() && **t != SqlType::Unknown) {
        return Err(Error::invalid(format!("a key of json_object is text, found {other}")));
    }
    if !parts.len().is_multiple_of(2) {
        return Err(Error::invalid("json_object has a key without a value"));
    }
    let mut builder = StringViewBuilder::with_capacity(call.rows);
    let mut text = String::new();
    for row in 0..call.rows {
        let keep = nulls.get(row) != Some("absent");
        let mut seen = std::collections::HashSet::new();
        text.clear();
        text.push('{');
        for pair in parts.chunks_exact(2) {
            let [key, value] = pair else { continue };
            let key = key.get(row).ok_or_else(|| Error::invalid("a key of json_object is NULL"))?;
            let value = match value.get(row) {
                Some(value) => value,
                None if keep => "null",
                None => continue,
            };
            if !seen.insert(key) && unique.get(row) == Some("with") {
                return Err(Error::invalid(format!("json_object has the key {} twice", shorten(key))));
            }
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(key);
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        check_length("json_object", text.len())?;
        builder.append_value(&text);
    }
    Ok(Arc::new(builder.finish()))
}

fn input(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_strings(|row, out| {
        let Some(text) = text.get(row) else { return Ok(false) };
        let mut scanner = super::scan::Scanner::new(text);
        let copied = write::copy(&mut scanner, 0, out);
        match copied {
            Ok(()) if scanner.at_end() => Ok(true),
            _ => Err(Error::invalid(format!("'{}' is no JSON", shorten(text)))),
        }
    })
}
