//! Flink's types as the types of the house, and where the two languages differ.
//!
//! | Flink | here | |
//! |---|---|---|
//! | STRING, VARCHAR(n), CHAR(n) | varchar | lengths are not enforced |
//! | INT, BIGINT, SMALLINT, TINYINT, DOUBLE, FLOAT, DECIMAL, BOOLEAN, DATE, BYTES | the same; FLOAT is real | |
//! | TIMESTAMP(p), p = 3 or 6 | timestamp(p) | other precisions go to the next of 3, 6, 9; without one it is 6 |
//! | TIMESTAMP_LTZ(p), TIMESTAMP(p) WITH LOCAL TIME ZONE | timestamp(p) | the session's zone is UTC, so both are the same |
//! | ARRAY<t>, MAP<k, v>, ROW<name t, …> | array, map, row | |
//! | TIME, MULTISET, RAW, intervals as columns | refused by name | |

use model::{Error, Result};
use sql::{RowField, SqlType};

/// The type that a column's declaration spells.
pub(crate) fn parse(text: &str) -> Result<SqlType> {
    let mut rest = text.trim();
    for tail in ["NOT NULL", "NULL"] {
        if let Some(before) = rest.len().checked_sub(tail.len()).filter(|at| rest.is_char_boundary(*at)) {
            let (head, end) = rest.split_at(before);
            if end.eq_ignore_ascii_case(tail) && head.ends_with(char::is_whitespace) {
                rest = head.trim_end();
            }
        }
    }
    let upper = rest.to_ascii_uppercase();
    let (name, inside) = match upper.find(['(', '<']) {
        Some(at) => {
            let close = upper.rfind([')', '>']).filter(|close| *close > at).ok_or_else(|| unclosed(text))?;
            (upper.get(..at).unwrap_or("").trim(), rest.get(at + 1..close).unwrap_or("").trim())
        }
        None => (upper.as_str(), ""),
    };
    let number = |otherwise: u8| -> Result<u8> {
        if inside.is_empty() {
            return Ok(otherwise);
        }
        inside.parse().map_err(|_| Error::invalid(format!("`{inside}` is no precision of the type {name}")))
    };
    let words: Vec<&str> = name.split_whitespace().collect();
    Ok(match words.as_slice() {
        ["STRING" | "VARCHAR" | "CHAR"] => SqlType::VARCHAR,
        ["BOOLEAN"] => SqlType::Boolean,
        ["TINYINT"] => SqlType::TinyInt,
        ["SMALLINT"] => SqlType::SmallInt,
        ["INT" | "INTEGER"] => SqlType::Integer,
        ["BIGINT"] => SqlType::BigInt,
        ["FLOAT"] => SqlType::Real,
        ["DOUBLE"] | ["DOUBLE", "PRECISION"] => SqlType::Double,
        ["DATE"] => SqlType::Date,
        ["BYTES" | "BINARY" | "VARBINARY"] => SqlType::Varbinary,
        ["DECIMAL" | "NUMERIC" | "DEC"] => decimal(inside)?,
        ["TIMESTAMP" | "TIMESTAMP_LTZ"] | ["TIMESTAMP", "WITHOUT" | "WITH", ..] => {
            if upper.ends_with("WITH TIME ZONE") {
                return Err(Error::unsupported("TIMESTAMP WITH TIME ZONE is not supported")
                    .hint("write TIMESTAMP_LTZ(3)"));
            }
            SqlType::Timestamp(precision(number(6)?)?)
        }
        ["ARRAY"] => SqlType::array(parse(inside)?),
        ["MAP"] => match split(inside).as_slice() {
            [key, value] => SqlType::map(parse(key)?, parse(value)?),
            _ => return Err(Error::invalid("a map's type is written MAP<key, value>")),
        },
        ["ROW"] => {
            let fields = split(inside).into_iter().map(|field| {
                let field = field.trim();
                let (name, rest) = field
                    .split_once(char::is_whitespace)
                    .ok_or_else(|| Error::invalid("a row's fields have names: ROW<name STRING, …>"))?;
                Ok(RowField::named(super::lexer::unquoted(name).to_lowercase(), parse(rest)?))
            });
            SqlType::Row(fields.collect::<Result<_>>()?)
        }
        _ => {
            const KNOWN: [&str; 18] = [
                "STRING",
                "VARCHAR",
                "CHAR",
                "BOOLEAN",
                "TINYINT",
                "SMALLINT",
                "INT",
                "BIGINT",
                "FLOAT",
                "DOUBLE",
                "DECIMAL",
                "DATE",
                "TIMESTAMP",
                "TIMESTAMP_LTZ",
                "BYTES",
                "ARRAY",
                "MAP",
                "ROW",
            ];
            let error = Error::unsupported(format!("the type `{}` is not supported", name.trim()));
            return Err(match model::nearest(name.trim(), KNOWN) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint(format!("types are {}", KNOWN.join(", "))),
            });
        }
    })
}

fn unclosed(text: &str) -> Error {
    Error::invalid(format!("the type `{text}` is never closed"))
}

fn precision(asked: u8) -> Result<u8> {
    match asked {
        0..=3 => Ok(3),
        4..=6 => Ok(6),
        7..=9 => Ok(9),
        _ => Err(Error::invalid(format!("a timestamp has 0 to 9 digits of fraction, not {asked}"))),
    }
}

fn decimal(inside: &str) -> Result<SqlType> {
    let mut parts = inside.split(',').map(str::trim).filter(|p| !p.is_empty());
    let mut next = |otherwise: u8| match parts.next() {
        None => Ok(otherwise),
        Some(text) => {
            text.parse().map_err(|_| Error::invalid(format!("`{text}` is no precision of a decimal")))
        }
    };
    let (precision, scale) = (next(10)?, next(0)?);
    if precision == 0 || precision > 38 || scale > precision {
        return Err(Error::invalid(format!("DECIMAL({precision}, {scale}) is not possible"))
            .hint("a decimal has 1 to 38 digits, of which at most all are behind the point"));
    }
    Ok(SqlType::Decimal(precision, scale))
}

/// Splits at the commas that stand in no brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '<' => depth += 1,
            ')' | '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(from..at).unwrap_or(""));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or(""));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_understood() {
        for (text, wanted) in [
            ("STRING", "varchar"),
            ("varchar(20) not null", "varchar"),
            ("TIMESTAMP(3)", "timestamp(3)"),
            ("TIMESTAMP", "timestamp(6)"),
            ("TIMESTAMP_LTZ(3)", "timestamp(3)"),
            ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "timestamp(3)"),
            ("DECIMAL(10, 2)", "decimal(10,2)"),
            ("MAP<STRING, ARRAY<INT>>", "map(varchar, array(integer))"),
            ("ROW<`a` INT, b ROW<c DOUBLE>>", "row(a integer, b row(c double))"),
        ] {
            assert_eq!(
                parse(text).map(|t| t.to_string()).unwrap_or_else(|e| e.to_string()),
                wanted,
                "{text}"
            );
        }
        for wrong in ["STRNG", "TIME", "DECIMAL(40)", "ARRAY<", "MAP<INT>", "TIMESTAMP(12)", "ROW<a>", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
