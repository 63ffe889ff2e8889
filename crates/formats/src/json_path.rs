//! JSON paths to the rows of a document: `$`, `$.records[*]`, `$['a b'].*`, as far as Glue supports them.

use model::{Error, Result, SourcePlace};
use serde_json::Value;

/// One step from a value to values inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Field(String),
    Index(usize),
    /// All elements of an array, or all values of an object.
    All,
}

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

impl JsonPath {
    /// Parses a path; the error points at what is not understood.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |at: usize, what: &str| {
            Error::invalid(format!("`{text}` is no JSON path: {what}"))
                .at(SourcePlace::of_bytes("<json path>", text, at, at + 1))
                .hint("a path is `$`, then `.name`, `['name']`, `[*]`, `[0]` or `.*`, such as `$.records[*]`")
        };
        let mut rest = text.strip_prefix('$').ok_or_else(|| wrong(0, "it does not begin with `$`"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            if rest.starts_with("..") {
                return Err(wrong(at, "searching all levels with `..` is not supported"));
            }
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                steps.push(match &after[..end] {
                    "" => return Err(wrong(at, "a name is missing behind the dot")),
                    "*" => Step::All,
                    name => Step::Field(name.to_owned()),
                });
                rest = &after[end..];
            } else if let Some(after) = rest.strip_prefix('[') {
                let end = after.find(']').ok_or_else(|| wrong(at, "the bracket is not closed"))?;
                steps.push(
                    bracket(&after[..end])
                        .ok_or_else(|| wrong(at, "what is in the brackets is not understood"))?,
                );
                rest = &after[end + 1..];
            } else {
                return Err(wrong(at, "a dot or a bracket should follow"));
            }
        }
        Ok(Self { steps })
    }

    /// The steps from the document to the rows.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The values that the path leads to.
    pub fn select<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![value];
        for step in &self.steps {
            found = found
                .into_iter()
                .flat_map(|value| -> Vec<&Value> {
                    match (step, value) {
                        (Step::Field(name), Value::Object(map)) => map.get(name).into_iter().collect(),
                        (Step::Index(index), Value::Array(items)) => items.get(*index).into_iter().collect(),
                        (Step::All, Value::Array(items)) => items.iter().collect(),
                        (Step::All, Value::Object(map)) => map.values().collect(),
                        _ => Vec::new(),
                    }
                })
                .collect();
        }
        found
    }
}

fn bracket(inner: &str) -> Option<Step> {
    let inner = inner.trim();
    if inner == "*" {
        return Some(Step::All);
    }
    if let Ok(index) = inner.parse() {
        return Some(Step::Index(index));
    }
    let quoted = |quote: char| inner.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('\'').or_else(|| quoted('"')).map(|name| Step::Field(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_select_values() {
        let value = serde_json::json!({"a b": {"rows": [{"x": 1}, {"x": 2}]}});
        for (path, count) in [("$", 1), ("$['a b'].rows[*]", 2), ("$.*.rows[1].x", 1), ("$.nothing", 0)] {
            assert_eq!(JsonPath::parse(path).unwrap().select(&value).len(), count, "{path}");
        }
    }

    #[test]
    fn wrong_paths_are_pointed_at() {
        for path in ["", "a", "$.", "$..a", "$[", "$[x]", "$a"] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }
}
