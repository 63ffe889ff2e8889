//! The JSON functions of the SQL standard, whose clauses are words: `json_value(x, 'lax $.a' RETURNING bigint)`. The
//! kernels take the clauses as plain arguments in a fixed order.

use super::call::Parts;
use super::literal::text_literal;
use super::{At, Typed};
use crate::analyzer::Analyzer;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::lit;
use model::{Error, Result};
use sql::SqlType;
use sqlparser::ast::{Expr as Ast, Value};

impl Analyzer<'_> {
    /// Whether it is one of these functions.
    pub(super) fn is_json_form(&self, parts: &Parts<'_>) -> bool {
        matches!(
            parts.name.as_str(),
            "json_value" | "json_query" | "json_exists" | "json_array" | "json_object"
        )
    }

    pub(super) fn json_call(&self, parts: &Parts<'_>, at: At<'_>) -> Result<Typed> {
        let values = parts.args.iter().map(|a| self.typed(a, at)).collect::<Result<Vec<_>>>()?;
        let result = match parts.name.as_str() {
            "json_array" | "json_object" => self.json_made(parts, values)?,
            _ => self.json_asked(parts, values, at)?,
        };
        match clause(parts, "returning") {
            Some(text) => self.cast(result, &text.parse()?, false),
            None => Ok(result),
        }
    }

    fn json_made(&self, parts: &Parts<'_>, values: Vec<Typed>) -> Result<Typed> {
        let mut words = Vec::new();
        if parts.named.iter().any(|(name, _)| name == "nulls" || name == "unique_keys") {
            let array = parts.name == "json_array";
            words.push(text_literal(clause(parts, "nulls").unwrap_or(if array { "absent" } else { "null" })));
            if !array {
                words.push(text_literal(clause(parts, "unique_keys").unwrap_or("without")));
            }
        }
        let name =
            if words.is_empty() { format!("${}", parts.name) } else { format!("${}_with", parts.name) };
        words.extend(values);
        self.function(&name, words)
    }

    fn json_asked(&self, parts: &Parts<'_>, mut values: Vec<Typed>, at: At<'_>) -> Result<Typed> {
        if values.len() != 2 {
            return Err(Error::invalid(format!("{} takes a value and a path", parts.name)));
        }
        if values[0].sql_type == SqlType::Json {
            let input = values.remove(0);
            values.insert(0, self.function("json_format", vec![input])?);
        }
        let word = |name: &str, default: &str| text_literal(clause(parts, name).unwrap_or(default));
        let (on_empty, on_error) =
            (self.json_default(parts, "on_empty", at)?, self.json_default(parts, "on_error", at)?);
        let passing = self.json_passing(parts, at)?;
        match parts.name.as_str() {
            "json_exists" => values.extend([word("on_error", "false"), passing]),
            "json_value" => {
                let empty =
                    if on_empty.is_some() { text_literal("default") } else { word("on_empty", "null") };
                let error =
                    if on_error.is_some() { text_literal("default") } else { word("on_error", "null") };
                let or_null = |value: Option<Typed>| value.unwrap_or_else(null_text);
                values.extend([empty, error, or_null(on_empty), or_null(on_error), passing]);
            }
            _ => values.extend([
                word("wrapper", "without"),
                word("quotes", "keep"),
                word("on_empty", "null"),
                word("on_error", "null"),
                passing,
            ]),
        }
        self.function(&format!("${}", parts.name), values)
    }

    /// The value of `DEFAULT x ON EMPTY`, as text: it is cast to the returned type together with all others.
    fn json_default(&self, parts: &Parts<'_>, when: &str, at: At<'_>) -> Result<Option<Typed>> {
        let name = format!("default_{when}");
        match parts.named.iter().find(|(n, _)| *n == name) {
            Some((_, ast)) => {
                let value = self.typed(ast, at)?;
                self.cast(value, &SqlType::VARCHAR, false).map(Some)
            }
            None => Ok(None),
        }
    }

    /// The variables of PASSING as one JSON object.
    fn json_passing(&self, parts: &Parts<'_>, at: At<'_>) -> Result<Typed> {
        let mut pairs = Vec::new();
        for (name, ast) in &parts.named {
            if let Some(variable) = name.strip_prefix("passing.") {
                pairs.push(text_literal(variable));
                pairs.push(self.typed(ast, at)?);
            }
        }
        if pairs.is_empty() { Ok(null_text()) } else { self.function("$json_object", pairs) }
    }
}

fn null_text() -> Typed {
    Typed::new(lit(ScalarValue::Utf8View(None)), SqlType::VARCHAR)
}

/// The word a clause gives.
fn clause<'q>(parts: &Parts<'q>, name: &str) -> Option<&'q str> {
    let (_, ast) = parts.named.iter().find(|(n, _)| n == name)?;
    match ast {
        Ast::Value(v) => match &v.value {
            Value::SingleQuotedString(text) => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    }
}
