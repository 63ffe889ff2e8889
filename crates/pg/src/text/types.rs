//! Names of types: PostgreSQL's, as the engine's language says them.

use super::lexer::{Kind, Token};
use model::{Error, Result};

/// A type's name in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeName {
    /// PostgreSQL's short name, in lower case and without a schema: `int4`, `timestamptz`.
    pub(crate) name: String,
    /// What stands in parentheses.
    pub(crate) arguments: Vec<u32>,
    /// Whether `[]` stands behind it.
    pub(crate) is_array: bool,
    /// How many tokens it takes.
    pub(crate) length: usize,
}

/// Reads the name of a type at the beginning of the tokens; none if there is no name.
pub(crate) fn type_name(tokens: &[Token]) -> Option<TypeName> {
    let mut at = 0;
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let symbol = |at: usize, symbol: &str| tokens.get(at).is_some_and(|token| token.is_symbol(symbol));
    let mut name = tokens.first().filter(|token| token.is_name())?.name();
    at += 1;
    while symbol(at, ".") {
        name = tokens.get(at + 1).filter(|token| token.is_name())?.name();
        at += 2;
    }
    match name.as_str() {
        "double" if word(at, "PRECISION") => at += 1,
        "character" | "char" | "nchar" if word(at, "VARYING") => {
            name = "varchar".to_owned();
            at += 1;
        }
        _ => {}
    }
    let mut arguments = Vec::new();
    if symbol(at, "(") {
        at += 1;
        while !symbol(at, ")") {
            let token = tokens.get(at)?;
            match token.kind {
                Kind::Number => arguments.push(token.value.parse().ok()?),
                Kind::Symbol if token.value == "," => {}
                _ => return None,
            }
            at += 1;
        }
        at += 1;
    }
    let has_zone = word(at + 1, "TIME") && word(at + 2, "ZONE");
    if matches!(name.as_str(), "timestamp" | "time") && has_zone && (word(at, "WITH") || word(at, "WITHOUT"))
    {
        if word(at, "WITH") {
            name.push_str("tz");
        }
        at += 3;
    }
    let mut is_array = false;
    while symbol(at, "[") {
        at += 1;
        if tokens.get(at).is_some_and(|token| token.kind == Kind::Number) {
            at += 1;
        }
        if !symbol(at, "]") {
            return None;
        }
        at += 1;
        is_array = true;
    }
    let name = match name.as_str() {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "double" | "float" => "float8",
        "real" => "float4",
        "boolean" => "bool",
        "decimal" | "dec" => "numeric",
        "character" | "char" | "nchar" => "bpchar",
        "string" => "text",
        other => other,
    };
    Some(TypeName { name: name.to_owned(), arguments, is_array, length: at })
}

impl TypeName {
    /// The same in the engine's language; refused where that has no such type.
    pub(crate) fn engine(&self) -> Result<String> {
        let first = self.arguments.first();
        let precision = first.map_or_else(String::new, |p| format!("({p})"));
        let name = match self.name.as_str() {
            "int2" => "smallint".into(),
            "int4" => "integer".into(),
            "int8" | "oid" => "bigint".into(),
            "tinyint" => "tinyint".into(),
            "float4" => "real".into(),
            "float8" => "double".into(),
            "bool" => "boolean".into(),
            "text" | "name" => "varchar".into(),
            "varchar" => format!("varchar{precision}"),
            "bpchar" => format!("char({})", first.unwrap_or(&1)),
            "bytea" | "varbinary" => "varbinary".into(),
            "date" => "date".into(),
            "time" => format!("time({})", first.unwrap_or(&6)),
            "timestamp" => format!("timestamp({})", first.unwrap_or(&6)),
            "timestamptz" => format!("timestamp({}) with time zone", first.unwrap_or(&6)),
            "uuid" => "uuid".into(),
            "inet" | "ipaddress" => "ipaddress".into(),
            "json" | "jsonb" => "json".into(),
            "numeric" => match self.arguments.as_slice() {
                [p] => format!("decimal({p},0)"),
                [p, s] => format!("decimal({p},{s})"),
                _ => {
                    return Err(Error::unsupported("numeric without a precision is not supported")
                        .why("decimals have at most 38 digits here, of which some stand behind the point")
                        .hint("write numeric(38,10), or double precision"));
                }
            },
            other => {
                return Err(Error::unsupported(format!("the type {other} is not supported here"))
                    .hint("`glulam sql --reference` has the types and functions"));
            }
        };
        Ok(if self.is_array { format!("array({name})") } else { name })
    }
}
