//! Operators on values: lists, calculation, patterns.

use super::query::unsupported;
use super::value::Value;
use crate::fault::Fault;
use sqlparser::ast::BinaryOperator;
use std::cmp::Ordering;

pub(super) fn negate(value: Value, negated: bool) -> Value {
    match value {
        Value::Bool(truth) => Value::Bool(truth != negated),
        other => other,
    }
}

pub(super) fn among(value: &Value, list: &[Value]) -> Result<Value, Fault> {
    let mut unknown = value.is_null();
    for one in list {
        match value.compare(one)? {
            Some(Ordering::Equal) => return Ok(Value::Bool(true)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown && !list.is_empty() { Value::Null } else { Value::Bool(false) })
}

pub(super) fn arithmetic(left: &Value, op: &BinaryOperator, right: &Value) -> Result<Value, Fault> {
    use BinaryOperator as Op;
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int())
        && !matches!((left, right), (Value::Float(_), _) | (_, Value::Float(_)))
    {
        let result = match op {
            Op::Plus => a.checked_add(b),
            Op::Minus => a.checked_sub(b),
            Op::Multiply => a.checked_mul(b),
            Op::Divide | Op::Modulo if b == 0 => return Err(Fault::new("22012", "division by zero")),
            Op::Divide => a.checked_div(b),
            Op::Modulo => a.checked_rem(b),
            Op::BitwiseAnd => Some(a & b),
            Op::BitwiseOr => Some(a | b),
            Op::PGBitwiseShiftLeft => u32::try_from(b).ok().and_then(|b| a.checked_shl(b)),
            Op::PGBitwiseShiftRight => u32::try_from(b).ok().and_then(|b| a.checked_shr(b)),
            _ => None,
        };
        return result.map(Value::Int).ok_or_else(|| Fault::new("22003", "bigint out of range"));
    }
    let (Some(a), Some(b)) = (left.as_float(), right.as_float()) else {
        return Err(Fault::new("42883", format!("the operator {op} is not there for these values")));
    };
    Ok(Value::Float(match op {
        Op::Plus => a + b,
        Op::Minus => a - b,
        Op::Multiply => a * b,
        Op::Divide if b == 0.0 => return Err(Fault::new("22012", "division by zero")),
        Op::Divide => a / b,
        _ => return Err(unsupported(format!("the operator {op} for fractions"))),
    }))
}

/// Whether a text has the pattern in it, in the way of Rust's regular expressions, which take the same time for all.
pub(super) fn matches(text: &str, pattern: &str, fold: bool) -> Result<bool, Fault> {
    let built = regex::RegexBuilder::new(pattern).case_insensitive(fold).size_limit(1 << 20).build();
    let regex = built.map_err(|_| Fault::new("2201B", format!("invalid regular expression: {pattern}")))?;
    Ok(regex.is_match(text))
}

/// A part of a pattern of LIKE.
pub(super) enum Part {
    Any,
    One,
    Char(char),
}

pub(super) fn like_pattern(pattern: &str, escape: Option<char>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            c if Some(c) == escape => Part::Char(chars.next().unwrap_or(c)),
            '%' => Part::Any,
            '_' => Part::One,
            c => Part::Char(c),
        });
    }
    parts
}

/// Linear in the text for each `%`.
pub(super) fn like(text: &[char], pattern: &[Part]) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Part::Any) => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(Part::One) => (t, p) = (t + 1, p + 1),
            Some(Part::Char(c)) if text.get(t) == Some(c) => (t, p) = (t + 1, p + 1),
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|part| matches!(part, Part::Any))
}
