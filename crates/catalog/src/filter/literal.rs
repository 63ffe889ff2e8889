//! Literals: turned into the encoding of the key that they are compared with, or refused because they cannot be.

use super::lexer::mistake;
use crate::keys::{self, Key, KeyKind, Number};
use crate::types::NULL_VALUE;
use model::{Error, Result};
use std::ops::Range;

/// A literal as it stands in the expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(String),
    /// `DATE '2020-06-30'`
    Date(String),
    /// `TIMESTAMP '2020-06-30 12:00:00'`
    Timestamp(String),
    Boolean(bool),
    Null,
}

impl Literal {
    /// Whether it is Hive's word for null.
    pub(super) fn is_default_partition(&self) -> bool {
        matches!(self, Self::Text(text) if text == NULL_VALUE)
    }

    /// The literal's text where it is one of its own: `'a'`, `6`, `true`.
    fn plain(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.clone()),
            Self::Boolean(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// The encoding by which it is compared with values of the key. Null has none.
    pub(super) fn encode(&self, key: &Key, text: &str, span: &Range<usize>) -> Result<Option<String>> {
        if *self == Self::Null {
            return Ok(None);
        }
        let encoded = match key.kind {
            KeyKind::Text => self.as_text(),
            KeyKind::Integer(..) | KeyKind::Decimal(..) => match self {
                Self::Text(number) | Self::Number(number) => Number::parse(number.trim()).map(|n| n.encode()),
                _ => None,
            },
            KeyKind::Date => self.as_date(),
            KeyKind::Timestamp => self.as_timestamp(),
            KeyKind::Boolean => {
                self.plain().map(|t| t.to_ascii_lowercase()).filter(|t| t == "true" || t == "false")
            }
            KeyKind::Opaque => return Err(opaque(key, text, span)),
        };
        if encoded.is_some() {
            return Ok(encoded);
        }
        Err(mistake(
            text,
            span,
            format!(
                "{} cannot be compared with `{}`, which is of type {}",
                self.describe(),
                key.name,
                key.hive_type
            ),
        )
        .hint(keys::spelling(key.kind)))
    }

    fn as_text(&self) -> Option<String> {
        match self {
            Self::Date(text) => keys::parse_date(text).map(keys::date_text),
            Self::Timestamp(text) => keys::parse_timestamp(text).map(keys::timestamp_text),
            other => other.plain(),
        }
    }

    /// Dates compare with timestamps as their midnight: `2020-06-01` sorts before `2020-06-01 00:00:01`.
    fn as_date(&self) -> Option<String> {
        let (Self::Text(text) | Self::Date(text) | Self::Timestamp(text)) = self else { return None };
        let time = keys::parse_timestamp(text.trim())?;
        let is_midnight = time.time() == chrono::NaiveTime::MIN;
        Some(if is_midnight { keys::date_text(time.date()) } else { keys::timestamp_text(time) })
    }

    fn as_timestamp(&self) -> Option<String> {
        let (Self::Text(text) | Self::Date(text) | Self::Timestamp(text)) = self else { return None };
        keys::parse_timestamp(text.trim()).map(keys::timestamp_text)
    }

    fn describe(&self) -> String {
        match self {
            Self::Text(text) => format!("the text '{text}'"),
            Self::Number(number) => format!("the number {number}"),
            Self::Date(text) => format!("the date '{text}'"),
            Self::Timestamp(text) => format!("the timestamp '{text}'"),
            Self::Boolean(value) => value.to_string(),
            Self::Null => "null".to_owned(),
        }
    }
}

/// A key whose values cannot be compared.
pub(super) fn opaque(key: &Key, text: &str, span: &Range<usize>) -> Error {
    mistake(
        text,
        span,
        format!("the partition key `{}` of type {} cannot be filtered", key.name, key.hive_type),
    )
    .hint(
        "filters know keys of type string, date, timestamp, int, bigint, tinyint, smallint, decimal, boolean",
    )
}
