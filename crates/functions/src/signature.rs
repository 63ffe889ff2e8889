//! What a function takes and returns, written as in Trino's documentation, and whether given arguments fit.
//!
//! `(array(T), function(T,U)) -> array(U)`: capital letters stand for any type, the same one everywhere; `T:orderable`,
//! `T:comparable` and `T:numeric` narrow them. `decimal`, `timestamp`, `time` and `timestamp with time zone` without
//! parameters fit any of theirs; returned, they are those of the first argument so written. `varchar` fits any text.
//! `row` fits any row, `any` whatever is given. The last argument may be repeated: `(varchar, T...) -> varchar`.

use model::{Error, Result};
use sql::{RowField, SqlType, coerce_cost, common_type};
use std::collections::HashMap;
use std::fmt;

/// An argument as it is given.
#[derive(Debug, Clone)]
pub enum ArgType {
    /// A value.
    Value(SqlType),
    /// A lambda with so many parameters.
    Lambda(usize),
}

impl fmt::Display for ArgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgType::Value(t) => write!(f, "{t}"),
            ArgType::Lambda(n) => write!(f, "a lambda of {n}"),
        }
    }
}

/// A signature, read.
#[derive(Debug)]
pub struct Signature {
    args: Vec<Pattern>,
    variadic: bool,
    result: Pattern,
}

#[derive(Debug, Clone, PartialEq)]
enum Pattern {
    Exact(SqlType),
    /// Any of this type's parameters; the text is its name.
    Any(&'static str),
    Variable(String, Option<Bound>),
    Array(Box<Pattern>),
    Map(Box<Pattern>, Box<Pattern>),
    Row(Vec<(Option<String>, Pattern)>),
    Function(Vec<Pattern>, Box<Pattern>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    Orderable,
    Comparable,
    Numeric,
}

/// How arguments fit a signature.
#[derive(Debug)]
pub(crate) struct Substitution {
    pub(crate) arg_types: Vec<SqlType>,
    pub(crate) return_type: SqlType,
    /// How much has to be coerced.
    pub(crate) cost: u32,
}

#[derive(Debug, Default)]
struct Bindings(HashMap<String, SqlType>);

impl Signature {
    /// Reads the notation. It is our own text: an error here is our own fault.
    pub fn parse(text: &str) -> Result<Signature> {
        let broken = || Error::internal(format!("signature `{text}` cannot be read"));
        let (args, result) = text.rsplit_once("->").ok_or_else(broken)?;
        let args = args.trim().strip_prefix('(').and_then(|a| a.strip_suffix(')')).ok_or_else(broken)?;
        let mut variadic = false;
        let mut patterns = Vec::new();
        for part in split(args) {
            let part = match part.strip_suffix("...") {
                Some(part) => {
                    variadic = true;
                    part
                }
                None => part,
            };
            patterns.push(Pattern::parse(part).ok_or_else(broken)?);
        }
        Ok(Signature { args: patterns, variadic, result: Pattern::parse(result).ok_or_else(broken)? })
    }

    /// Fits arguments to the signature; nothing if they do not. Lambdas are looked at after the values, when the types
    /// of their parameters are known.
    pub(crate) fn apply(
        &self,
        args: &[ArgType],
        lambda: &mut dyn FnMut(usize, &[SqlType]) -> Result<SqlType>,
    ) -> Result<Option<Substitution>> {
        let fixed = self.args.len() - usize::from(self.variadic);
        if args.len() < fixed || (!self.variadic && args.len() > fixed) {
            return Ok(None);
        }
        let pattern = |i: usize| &self.args[i.min(self.args.len() - 1)];
        let mut bindings = Bindings::default();
        for (i, arg) in args.iter().enumerate() {
            let fits = match (pattern(i), arg) {
                (Pattern::Function(params, _), ArgType::Lambda(n)) => params.len() == *n,
                (Pattern::Function(..), ArgType::Value(_)) | (_, ArgType::Lambda(_)) => false,
                (p, ArgType::Value(t)) => bindings.bind(p, t),
            };
            if !fits {
                return Ok(None);
            }
        }
        for (i, arg) in args.iter().enumerate() {
            if let (Pattern::Function(params, result), ArgType::Lambda(_)) = (pattern(i), arg) {
                let params: Vec<SqlType> = params.iter().map(|p| bindings.settle(p)).collect();
                let returned = lambda(i, &params)?;
                if !bindings.bind(result, &returned) {
                    return Ok(None);
                }
            }
        }
        let mut cost = 0;
        let mut arg_types = Vec::with_capacity(args.len());
        for (i, arg) in args.iter().enumerate() {
            let wanted = match pattern(i) {
                Pattern::Any(name) => match arg {
                    ArgType::Value(t) => any_of(name, t).unwrap_or(SqlType::Unknown),
                    ArgType::Lambda(_) => SqlType::Unknown,
                },
                p => bindings.settle(p),
            };
            if let ArgType::Value(t) = arg {
                match coerce_cost(t, &wanted) {
                    // A concrete type is meant before a variable, so that an overload made for a type wins.
                    Some(c) => cost += c * 4 + u32::from(matches!(pattern(i), Pattern::Variable(..))),
                    None => return Ok(None),
                }
            }
            arg_types.push(wanted);
        }
        let return_type = match &self.result {
            Pattern::Any(name) => {
                let first = self.args.iter().position(|p| p == &self.result);
                match first.and_then(|i| arg_types.get(i)) {
                    Some(t) => t.clone(),
                    None => default_of(name),
                }
            }
            p => bindings.settle(p),
        };
        Ok(Some(Substitution { arg_types, return_type, cost }))
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Pattern> {
        let text = text.trim();
        if let Some(inner) = inside(text, "array(") {
            return Some(Pattern::Array(Box::new(Pattern::parse(inner)?)));
        }
        if let Some(inner) = inside(text, "map(") {
            let parts = split(inner);
            let [key, value] = parts.as_slice() else { return None };
            return Some(Pattern::Map(Box::new(Pattern::parse(key)?), Box::new(Pattern::parse(value)?)));
        }
        if let Some(inner) = inside(text, "function(") {
            let mut parts = split(inner);
            let result = Pattern::parse(parts.pop()?)?;
            let params = parts.into_iter().map(Pattern::parse).collect::<Option<_>>()?;
            return Some(Pattern::Function(params, Box::new(result)));
        }
        if let Some(inner) = inside(text, "row(") {
            let fields = split(inner).into_iter().map(|part| match part.trim().split_once(' ') {
                Some((name, rest)) if name != "timestamp" && name != "interval" => {
                    Some((Some(name.to_owned()), Pattern::parse(rest)?))
                }
                _ => Some((None, Pattern::parse(part)?)),
            });
            return Some(Pattern::Row(fields.collect::<Option<_>>()?));
        }
        for any in ["decimal", "timestamp", "time", "timestamp with time zone", "row", "char", "any"] {
            if text == any {
                return Some(Pattern::Any(any));
            }
        }
        let (name, bound) = match text.split_once(':') {
            Some((name, "orderable")) => (name, Some(Bound::Orderable)),
            Some((name, "comparable")) => (name, Some(Bound::Comparable)),
            Some((name, "numeric")) => (name, Some(Bound::Numeric)),
            Some(_) => return None,
            None => (text, None),
        };
        if name.len() <= 2 && name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Some(Pattern::Variable(name.to_owned(), bound));
        }
        text.parse().ok().map(Pattern::Exact)
    }
}

impl Bindings {
    /// Whether a type fits a pattern; variables remember what they stand for.
    fn bind(&mut self, pattern: &Pattern, given: &SqlType) -> bool {
        match (pattern, given) {
            (Pattern::Exact(wanted), _) => coerce_cost(given, wanted).is_some(),
            (Pattern::Any(name), _) => any_of(name, given).is_some(),
            (Pattern::Variable(name, bound), _) => {
                let settled = match self.0.get(name) {
                    None => given.clone(),
                    Some(before) => match common_type(before, given) {
                        Some(common) => common,
                        None => return false,
                    },
                };
                let fits = match bound {
                    None => true,
                    Some(Bound::Orderable) => settled.is_orderable(),
                    Some(Bound::Comparable) => settled.is_comparable(),
                    Some(Bound::Numeric) => settled.is_numeric() || settled == SqlType::Unknown,
                };
                self.0.insert(name.clone(), settled);
                fits
            }
            // A bare NULL fits everything and says nothing about the variables.
            (_, SqlType::Unknown) => true,
            (Pattern::Array(p), SqlType::Array(t)) => self.bind(p, t),
            (Pattern::Map(pk, pv), SqlType::Map(k, v)) => self.bind(pk, k) && self.bind(pv, v),
            (Pattern::Row(ps), SqlType::Row(ts)) if ps.len() == ts.len() => {
                ps.iter().zip(ts).all(|((_, p), t)| self.bind(p, &t.sql_type))
            }
            _ => false,
        }
    }

    /// The pattern with its variables replaced.
    fn settle(&self, pattern: &Pattern) -> SqlType {
        match pattern {
            Pattern::Exact(t) => t.clone(),
            Pattern::Any(name) => default_of(name),
            Pattern::Variable(name, _) => self.0.get(name).cloned().unwrap_or(SqlType::Unknown),
            Pattern::Array(p) => SqlType::array(self.settle(p)),
            Pattern::Map(k, v) => SqlType::map(self.settle(k), self.settle(v)),
            Pattern::Row(fields) => SqlType::Row(
                fields.iter().map(|(n, p)| RowField { name: n.clone(), sql_type: self.settle(p) }).collect(),
            ),
            Pattern::Function(params, result) => SqlType::Function(
                params.iter().map(|p| self.settle(p)).collect(),
                Box::new(self.settle(result)),
            ),
        }
    }
}

/// The given type as one of this name, if it is one or becomes one; integers become decimals.
fn any_of(name: &str, given: &SqlType) -> Option<SqlType> {
    match (name, given) {
        ("decimal", SqlType::Decimal(..))
        | ("timestamp", SqlType::Timestamp(_))
        | ("time", SqlType::Time(_))
        | ("timestamp with time zone", SqlType::TimestampTz(..))
        | ("row", SqlType::Row(_))
        | ("char", SqlType::Char(_)) => Some(given.clone()),
        ("decimal", SqlType::TinyInt) => Some(SqlType::Decimal(3, 0)),
        ("decimal", SqlType::SmallInt) => Some(SqlType::Decimal(5, 0)),
        ("decimal", SqlType::Integer) => Some(SqlType::Decimal(10, 0)),
        ("decimal", SqlType::BigInt) => Some(SqlType::Decimal(19, 0)),
        ("timestamp", SqlType::Date) => Some(SqlType::Timestamp(0)),
        ("timestamp with time zone", SqlType::Timestamp(p)) => Some(SqlType::timestamp_utc(*p)),
        ("timestamp with time zone", SqlType::Date) => Some(SqlType::timestamp_utc(0)),
        ("any", _) => Some(given.clone()),
        (_, SqlType::Unknown) => Some(default_of(name)),
        _ => None,
    }
}

fn default_of(name: &str) -> SqlType {
    match name {
        "decimal" => SqlType::Decimal(1, 0),
        "timestamp" => SqlType::Timestamp(3),
        "time" => SqlType::Time(3),
        "timestamp with time zone" => SqlType::timestamp_utc(3),
        "row" => SqlType::Row(Vec::new()),
        "char" => SqlType::Char(1),
        _ => SqlType::Unknown,
    }
}

fn inside<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.strip_suffix(')')
}

/// The parts between commas that stand in no parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0usize);
    for (at, symbol) in text.char_indices() {
        match symbol {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        parts.push(text[start..].trim());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(signature: &str, args: &[&str]) -> Option<String> {
        let args: Vec<ArgType> = args
            .iter()
            .map(|a| match a.strip_prefix('\\') {
                Some(n) => ArgType::Lambda(n.parse().unwrap()),
                None => ArgType::Value(a.parse().unwrap()),
            })
            .collect();
        let mut lambda = |_: usize, params: &[SqlType]| Ok(SqlType::array(params[0].clone()));
        let found = Signature::parse(signature).unwrap().apply(&args, &mut lambda).unwrap()?;
        Some(found.return_type.to_string())
    }

    #[test]
    fn arguments_fit_by_type_variable_and_coercion() {
        let yes = |s: &str, a: &[&str], r: &str| assert_eq!(fit(s, a).as_deref(), Some(r), "{s} {a:?}");
        yes("(varchar, bigint) -> varchar", &["varchar(3)", "integer"], "varchar");
        yes("(array(T), function(T,U)) -> array(U)", &["array(bigint)", "\\1"], "array(array(bigint))");
        yes("(T, T...) -> T", &["integer", "bigint", "double"], "double");
        yes("(decimal) -> decimal", &["decimal(10,2)"], "decimal(10,2)");
        yes("(timestamp) -> timestamp", &["timestamp(6)"], "timestamp(6)");
        yes("(map(K,V), K) -> V", &["map(varchar, double)", "varchar(1)"], "double");
        yes("(array(T)) -> T", &["unknown"], "unknown");
        yes("(bigint) -> row(a bigint, b varchar)", &["bigint"], "row(a bigint, b varchar)");
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        for (signature, args) in [
            ("(varchar) -> varchar", &["bigint"][..]),
            ("(bigint) -> bigint", &["varchar"]),
            ("(T:orderable) -> T", &["map(bigint, bigint)"]),
            ("(bigint) -> bigint", &["bigint", "bigint"]),
            ("(array(T), T) -> boolean", &["array(bigint)", "varchar"]),
        ] {
            assert_eq!(fit(signature, args), None, "{signature} {args:?}");
        }
    }
}
