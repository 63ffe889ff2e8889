//! Where Flink's functions are not Trino's: one table. What is not in it means the same in both, or does not exist here.
//!
//! `$1`, `$2`, … stand for the arguments, `$u1` for an argument that is a bare word (a unit of time) as a string.
//! Further differences: CAST takes Flink's type names, casts that fail stop the application in both; AVG of integers is
//! a double here, as in Trino; timestamps have the session's zone UTC.

use model::{Error, Result, nearest_hint};
use sqlparser::ast::{
    DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectNamePart, Query,
    SelectItem, SetExpr, Spanned, Value, VisitMut, VisitorMut,
};
use sqlparser::tokenizer::Span;
use std::ops::ControlFlow;

/// Name, number of arguments, what it becomes.
const TABLE: &[(&str, usize, &str)] = &[
    // Java's patterns: those of Joda, which Trino's format_datetime and parse_datetime take, are the same letters.
    ("DATE_FORMAT", 2, "format_datetime(\"$1\", \"$2\")"),
    ("TO_TIMESTAMP", 1, "try_cast(\"$1\" AS timestamp(3))"),
    ("TO_TIMESTAMP", 2, "try(cast(parse_datetime(\"$1\", \"$2\") AS timestamp(3)))"),
    ("TO_TIMESTAMP_LTZ", 1, "date_add('millisecond', \"$1\", timestamp '1970-01-01 00:00:00.000')"),
    (
        "TO_TIMESTAMP_LTZ",
        2,
        "date_add(if(\"$2\" = 0, 'second', 'millisecond'), \"$1\", timestamp '1970-01-01 00:00:00.000')",
    ),
    ("TO_DATE", 1, "try_cast(\"$1\" AS date)"),
    ("TO_DATE", 2, "try(cast(parse_datetime(\"$1\", \"$2\") AS date))"),
    (
        "FROM_UNIXTIME",
        1,
        "format_datetime(date_add('second', \"$1\", timestamp '1970-01-01 00:00:00.000'), 'yyyy-MM-dd HH:mm:ss')",
    ),
    (
        "FROM_UNIXTIME",
        2,
        "format_datetime(date_add('second', \"$1\", timestamp '1970-01-01 00:00:00.000'), \"$2\")",
    ),
    ("UNIX_TIMESTAMP", 1, "cast(floor(to_unixtime(cast(\"$1\" AS timestamp(3)))) AS bigint)"),
    ("UNIX_TIMESTAMP", 2, "cast(floor(to_unixtime(parse_datetime(\"$1\", \"$2\"))) AS bigint)"),
    ("TIMESTAMPDIFF", 3, "date_diff(\"$u1\", \"$2\", \"$3\")"),
    ("TIMESTAMPADD", 3, "date_add(\"$u1\", \"$2\", \"$3\")"),
    ("DAYOFMONTH", 1, "day(\"$1\")"),
    ("DAYOFYEAR", 1, "day_of_year(\"$1\")"),
    // Sunday is 1.
    ("DAYOFWEEK", 1, "day_of_week(\"$1\") % 7 + 1"),
    ("IFNULL", 2, "coalesce(\"$1\", \"$2\")"),
    ("CHAR_LENGTH", 1, "length(\"$1\")"),
    ("CHARACTER_LENGTH", 1, "length(\"$1\")"),
    ("INSTR", 2, "strpos(\"$1\", \"$2\")"),
    ("LOCATE", 2, "strpos(\"$2\", \"$1\")"),
    ("REGEXP", 2, "regexp_like(\"$1\", \"$2\")"),
    ("SPLIT_INDEX", 3, "try(element_at(split(\"$1\", \"$2\"), \"$3\" + 1))"),
    ("MD5", 1, "lower(to_hex(md5(to_utf8(\"$1\"))))"),
    ("SHA1", 1, "lower(to_hex(sha1(to_utf8(\"$1\"))))"),
    ("SHA256", 1, "lower(to_hex(sha256(to_utf8(\"$1\"))))"),
    ("TO_BASE64", 1, "to_base64(to_utf8(\"$1\"))"),
    ("UCASE", 1, "upper(\"$1\")"),
    ("LCASE", 1, "lower(\"$1\")"),
    ("LISTAGG", 1, "array_join(array_agg(\"$1\"), ',')"),
    ("LISTAGG", 2, "array_join(array_agg(\"$1\"), \"$2\")"),
    ("COLLECT", 1, "array_agg(\"$1\")"),
];

/// What a replay would answer differently.
const CLOCKS: [&str; 12] = [
    "NOW",
    "PROCTIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_ROW_TIMESTAMP",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "CURRENT_WATERMARK",
    "RAND",
    "RANDOM",
    "UUID",
];

/// Turns Flink's functions into Trino's. The first mistake comes back with the span that it stands at.
pub(crate) fn rewrite(query: &mut Query) -> Result<(), (Error, Span)> {
    match query.visit(&mut Rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(found) => Err(*found),
    }
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = Box<(Error, Span)>;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let Some(ObjectNamePart::Identifier(ident)) = function.name.0.last() else {
            return ControlFlow::Continue(());
        };
        let (name, span) = (ident.value.to_ascii_uppercase(), ident.span);
        if CLOCKS.contains(&name.as_str()) {
            let error = Error::unsupported(format!("{name} is not possible in a stream application"))
                .why("after a restart the same events would have another outcome")
                .hint("use the event's own time, or the time of its arrival: a METADATA FROM 'timestamp' column");
            return ControlFlow::Break(Box::new((error, span)));
        }
        if matches!(name.as_str(), "FIRST_VALUE" | "LAST_VALUE") && function.over.is_none() {
            let by = if name == "FIRST_VALUE" { "min_by" } else { "max_by" };
            let error =
                Error::unsupported(format!("{name} depends on the order of arrival and is not supported"))
                    .hint(format!("say by which order: {by}(value, ts)"));
            return ControlFlow::Break(Box::new((error, span)));
        }
        let mut arities = TABLE.iter().filter(|(known, ..)| *known == name).peekable();
        if arities.peek().is_none() {
            return ControlFlow::Continue(());
        }
        let args: Vec<Expr> = match &function.args {
            FunctionArguments::List(list) => list
                .args
                .iter()
                .filter_map(|arg| match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let Some((_, _, template)) = arities.find(|(_, count, _)| *count == args.len()) else {
            let error = Error::invalid(format!("{name} does not take {} arguments", args.len()));
            return ControlFlow::Break(Box::new((error, span)));
        };
        match made(template, &args, span) {
            Ok(new) => *expr = Expr::Nested(Box::new(new)),
            Err(error) => return ControlFlow::Break(Box::new((error, span))),
        }
        ControlFlow::Continue(())
    }
}

/// A template with the arguments in it; what is not theirs stands where the function stood.
fn made(template: &str, args: &[Expr], span: Span) -> Result<Expr> {
    let mut expr = parse_expr(template)?;
    let found = expr.visit(&mut Filler { args, span });
    match found {
        ControlFlow::Continue(()) => Ok(expr),
        ControlFlow::Break(error) => Err(*error),
    }
}

/// One expression of the house's language.
pub(crate) fn parse_expr(text: &str) -> Result<Expr> {
    let broken = || Error::internal(format!("`{text}` is no expression"));
    let sql::Statement::Query(query) = sql::parse_one(&format!("SELECT {text}"), "<function>")? else {
        return Err(broken());
    };
    match *query.body {
        SetExpr::Select(mut select) if select.projection.len() == 1 => match select.projection.pop() {
            Some(SelectItem::UnnamedExpr(expr)) => Ok(expr),
            _ => Err(broken()),
        },
        _ => Err(broken()),
    }
}

struct Filler<'a> {
    args: &'a [Expr],
    span: Span,
}

impl VisitorMut for Filler<'_> {
    type Break = Box<Error>;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match expr {
            Expr::Identifier(ident) => {
                let argument = |number: &str| number.parse::<usize>().ok().and_then(|n| self.args.get(n - 1));
                if let Some(arg) = ident.value.strip_prefix("$u").and_then(argument) {
                    match unit(arg) {
                        Ok(text) => *expr = Expr::Value(Value::SingleQuotedString(text).with_span(self.span)),
                        Err(error) => return ControlFlow::Break(Box::new(error)),
                    }
                } else if let Some(arg) = ident.value.strip_prefix('$').and_then(argument) {
                    *expr = Expr::Nested(Box::new(arg.clone()));
                }
            }
            Expr::Function(function) => {
                for part in &mut function.name.0 {
                    if let ObjectNamePart::Identifier(ident) = part {
                        ident.span = self.span;
                    }
                }
            }
            Expr::Cast { data_type: DataType::Custom(name, _), .. } => {
                for part in &mut name.0 {
                    if let ObjectNamePart::Identifier(ident) = part {
                        ident.span = self.span;
                    }
                }
            }
            Expr::Value(value) => value.span = self.span,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// A unit of time, a bare word.
fn unit(arg: &Expr) -> Result<String> {
    const UNITS: [&str; 8] = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
    let word = match arg {
        Expr::Identifier(Ident { value, .. }) => value.to_ascii_lowercase(),
        other => other.to_string(),
    };
    match UNITS.contains(&word.as_str()) {
        true => Ok(word),
        false => Err(Error::invalid(format!("`{word}` is no unit of time")).hint(nearest_hint(&word, UNITS))),
    }
}

/// Where an expression stands.
pub(crate) fn span(expr: &Expr) -> Span {
    expr.span()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> Result<String, String> {
        let sql::Statement::Query(mut query) = sql::parse_one(text, "t").map_err(|e| e.to_string())? else {
            return Err("no query".into());
        };
        rewrite(&mut query).map_err(|(e, _)| e.to_string())?;
        Ok(query.to_string())
    }

    #[test]
    fn every_template_is_an_expression() {
        for (name, count, template) in TABLE {
            let args: Vec<Expr> = (0..*count)
                .map(|i| {
                    Expr::Identifier(Ident::new(if i == 0 && template.contains("$u1") { "day" } else { "x" }))
                })
                .collect();
            let made = made(template, &args, Span::empty()).map(|e| e.to_string());
            let text = made.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(!text.contains('$'), "{name}: {text}");
        }
    }

    #[test]
    fn functions_are_turned() {
        assert_eq!(
            rewritten("SELECT date_format(ts, 'yyyy-MM-dd') FROM t").unwrap(),
            "SELECT (format_datetime((ts), ('yyyy-MM-dd'))) FROM t"
        );
        assert_eq!(
            rewritten("SELECT timestampdiff(SECOND, a, b)").unwrap(),
            "SELECT (date_diff('second', (a), (b)))"
        );
        assert!(rewritten("SELECT timestampdiff(SECND, a, b)").unwrap_err().contains("no unit of time"));
        assert!(rewritten("SELECT current_timestamp").unwrap_err().contains("CURRENT_TIMESTAMP"));
        assert!(rewritten("SELECT date_format(a)").unwrap_err().contains("1 arguments"));
    }
}
