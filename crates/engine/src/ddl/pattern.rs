//! The patterns of SHOW: Hive's (`*` is anything, `|` separates alternatives) and SQL's LIKE.

use super::DdlContext;
use model::Result;
use regex::{Regex, RegexBuilder};
use sql::ast::At;

/// What a name must match; everything without a pattern.
pub(super) struct NamePattern(Option<Regex>);

impl NamePattern {
    /// Hive's pattern: a regular expression in which `*` alone means anything.
    pub(super) fn hive(ctx: &DdlContext<'_>, text: Option<&At<String>>) -> Result<Self> {
        let Some(text) = text else { return Ok(Self(None)) };
        let mut expression = String::new();
        for c in text.value.trim().chars() {
            if c == '*' && !expression.ends_with(['.', ']', ')']) {
                expression.push('.');
            }
            expression.push(c);
        }
        Self::build(ctx, text, &expression)
    }

    /// LIKE's pattern: `%` is anything, `_` one character.
    pub(super) fn like(ctx: &DdlContext<'_>, text: Option<&At<String>>) -> Result<Self> {
        let Some(text) = text else { return Ok(Self(None)) };
        let mut expression = String::new();
        for c in text.value.chars() {
            match c {
                '%' => expression.push_str(".*"),
                '_' => expression.push('.'),
                other => expression.push_str(&regex::escape(&other.to_string())),
            }
        }
        Self::build(ctx, text, &expression)
    }

    fn build(ctx: &DdlContext<'_>, text: &At<String>, expression: &str) -> Result<Self> {
        let built = RegexBuilder::new(&format!("^(?:{expression})$"))
            .case_insensitive(true)
            .size_limit(1 << 20)
            .build()
            .map_err(|e| {
                ctx.invalid(text.span, format!("`{}` is not a pattern", text.value))
                    .hint("`*` stands for anything, `|` between alternatives: 'logs_*|raw_*'")
                    .source_is(e)
            })?;
        Ok(Self(Some(built)))
    }

    pub(super) fn fits(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|pattern| pattern.is_match(name))
    }
}
