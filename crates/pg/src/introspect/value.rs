//! Values of the interpreter: few kinds, which turn into each other as PostgreSQL's literals do.

use crate::fault::Fault;
use crate::values::put_element;
use std::cmp::Ordering;
use std::sync::Arc;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    List(Arc<[Value]>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    pub(super) fn is_true(&self) -> bool {
        self.as_bool() == Some(true)
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "t" | "true" | "on" | "yes" | "1" => Some(true),
                "f" | "false" | "off" | "no" | "0" => Some(false),
                _ => None,
            },
            Self::Int(number) => Some(*number != 0),
            _ => None,
        }
    }

    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Bool(truth) => Some(i64::from(*truth)),
            Self::Text(text) => text.trim().parse().ok(),
            #[allow(
                clippy::cast_possible_truncation,
                reason = "rounded as PostgreSQL does, and cut at its limits"
            )]
            Self::Float(number) => Some(number.round_ties_even() as i64),
            _ => None,
        }
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            #[allow(clippy::cast_precision_loss, reason = "as PostgreSQL does it")]
            Self::Int(number) => Some(*number as f64),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The value as text; none for NULL.
    pub(super) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(truth) => if *truth { "true" } else { "false" }.to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => text.to_string(),
            Self::List(all) => {
                let mut out = "{".to_owned();
                for (at, value) in all.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    match value.text() {
                        None => out.push_str("NULL"),
                        Some(text) => put_element(&text, &mut out),
                    }
                }
                out.push('}');
                out
            }
        })
    }

    /// The elements of an array, which may be written as text: `{1,2}`, or PostgreSQL's old `1 2`.
    pub(super) fn elements(&self) -> Option<Vec<Value>> {
        match self {
            Self::List(all) => Some(all.to_vec()),
            Self::Text(text) => match text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
                Some("") => Some(Vec::new()),
                Some(inside) => {
                    Some(inside.split(',').map(|part| Value::from(part.trim().trim_matches('"'))).collect())
                }
                None => Some(text.split_whitespace().map(Value::from).collect()),
            },
            _ => None,
        }
    }

    /// Takes the value's size, in about the bytes of its text, from what is left; false if that is not enough.
    pub(super) fn fits(&self, left: &mut usize) -> bool {
        let size = match self {
            Self::Text(text) => text.len() + 1,
            Self::List(all) => return all.iter().all(|value| value.fits(left)),
            _ => 8,
        };
        match left.checked_sub(size) {
            Some(rest) => *left = rest,
            None => return false,
        }
        true
    }

    /// How two values stand; none if one of them is NULL. A text beside a number is read as one.
    pub(super) fn compare(&self, other: &Self) -> Result<Option<Ordering>, Fault> {
        let unlike = |text: &str, kind: &str| {
            Fault::new("22P02", format!("invalid input syntax for type {kind}: \"{text}\""))
        };
        Ok(match (self, other) {
            (Self::Null, _) | (_, Self::Null) => None,
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Text(text)) => {
                let b: i64 = text.trim().parse().map_err(|_| unlike(text, "integer"))?;
                Some(a.cmp(&b))
            }
            (Self::Bool(a), Self::Text(text)) => {
                Some(a.cmp(&other.as_bool().ok_or_else(|| unlike(text, "boolean"))?))
            }
            (Self::Text(_), Self::Int(_) | Self::Bool(_)) => other.compare(self)?.map(Ordering::reverse),
            (Self::List(_), _) | (_, Self::List(_)) => match (self.elements(), other.elements()) {
                (Some(a), Some(b)) => Some(Self::compare_lists(&a, &b)?),
                _ => return Err(Fault::new("42804", "an array cannot be compared with this")),
            },
            _ => match (self.as_float(), other.as_float()) {
                (Some(a), Some(b)) => Some(a.total_cmp(&b)),
                _ => return Err(Fault::new("42804", "these values cannot be compared")),
            },
        })
    }

    fn compare_lists(a: &[Value], b: &[Value]) -> Result<Ordering, Fault> {
        for (a, b) in a.iter().zip(b) {
            match a.compare(b)? {
                Some(Ordering::Equal) => {}
                Some(unequal) => return Ok(unequal),
                None => return Ok(b.is_null().cmp(&a.is_null()).reverse()),
            }
        }
        Ok(a.len().cmp(&b.len()))
    }

    /// A text that is the same for values that are equal; for joins and groups.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Null => "\u{0}".to_owned(),
            Self::Bool(truth) => if *truth { "t" } else { "f" }.to_owned(),
            other => other.text().unwrap_or_default(),
        }
    }
}
