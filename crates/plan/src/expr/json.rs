//! The JSON functions of the SQL standard, whose clauses are words: `json_value(x, 'lax $.a' RETURNING bigint)`.

use super::call::Parts;
use super::{At, Typed};
use crate::analyzer::Analyzer;
use model::{Error, Result};

impl Analyzer<'_> {
    /// Whether it is one of these functions.
    pub(super) fn is_json_form(&self, parts: &Parts<'_>) -> bool {
        matches!(
            parts.name.as_str(),
            "json_value" | "json_query" | "json_exists" | "json_array" | "json_object"
        )
    }

    pub(super) fn json_call(&self, parts: &Parts<'_>, at: At<'_>) -> Result<Typed> {
        if let Some((word, _)) = parts.named.first() {
            return Err(Error::unsupported(format!("{} with {word} is not supported", parts.name)));
        }
        let args = parts.args.iter().map(|a| self.typed(a, at)).collect::<Result<Vec<_>>>()?;
        self.function(&format!("${}", parts.name), args)
    }
}
