//! Arguments: `${name}` in a setting is the job argument `--name`; `$${` stands for `${` itself.

use crate::definition::JobDefinition;
use crate::fields::Mistakes;
use crate::text::{Data, Value};
use model::{Error, nearest_hint};
use std::collections::BTreeMap;

/// A run's arguments by name, with or without the leading `--`.
pub type Arguments = BTreeMap<String, String>;

/// What a run's settings see: the job's defaults, then the run's, then what a run cannot change.
pub(crate) fn merged(definition: &JobDefinition, given: &Arguments) -> Arguments {
    let mut all = Arguments::new();
    if let Some(name) = &definition.name {
        all.insert("JOB_NAME".to_owned(), name.clone());
    }
    for map in [&definition.default_arguments, given, &definition.fixed_arguments] {
        for (name, value) in map {
            all.insert(name.trim_start_matches("--").to_owned(), value.clone());
        }
    }
    all
}

/// The value with its arguments put in.
pub(crate) fn substituted(value: &Value, arguments: &Arguments, mistakes: &Mistakes<'_>) -> Value {
    let data = match &value.data {
        Data::Text(text) if text.contains("${") => {
            Data::Text(substituted_text(text, value, arguments, mistakes))
        }
        Data::List(values) => {
            Data::List(values.iter().map(|value| substituted(value, arguments, mistakes)).collect())
        }
        Data::Map(entries) => {
            let mut entries = entries.clone();
            for entry in &mut entries {
                entry.value = substituted(&entry.value, arguments, mistakes);
            }
            Data::Map(entries)
        }
        other => other.clone(),
    };
    Value::new(data, value.span.clone())
}

fn substituted_text(text: &str, value: &Value, arguments: &Arguments, mistakes: &Mistakes<'_>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            result.push_str(before);
            result.push_str("${");
            rest = after;
            continue;
        }
        result.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            let error = Error::invalid("an argument `${…` is never closed");
            mistakes.add(
                &value.span,
                error.hint("close it with `}`, or write `$${` for these characters themselves"),
            );
            return result;
        };
        match arguments.get(name) {
            Some(argument) => result.push_str(argument),
            None => mistakes.lacks(&value.span, unknown(name, arguments)),
        }
        rest = behind;
    }
    result.push_str(rest);
    result
}

fn unknown(name: &str, arguments: &Arguments) -> Error {
    Error::not_found(format!("the argument `--{name}` is not given"))
        .hint(nearest_hint(name, arguments.keys().map(String::as_str)))
        .hint(format!("give it with `--{name} VALUE`, or a default under `DefaultArguments`"))
}
