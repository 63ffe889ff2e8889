//! Filter: rows for which comparisons hold, all of them or any. `Route` has the same comparisons.
//!
//! As in Glue, REGEX is matched from the beginning of the text, and a negated comparison holds for NULL.

use super::{Context, Kind, Operation};
use crate::fields::{ColumnPath, Fields};
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::{Placed, Span};
use model::Error;
use sql::{SqlType, quote_ident, quote_string};

pub(super) const KIND: Kind = Kind::transform("Filter", read);

/// Comparisons, and how they stand together.
#[derive(Debug)]
pub(super) struct Condition {
    all: bool,
    comparisons: Vec<Comparison>,
}

#[derive(Debug)]
struct Comparison {
    operation: &'static str,
    negated: bool,
    column: Placed<ColumnPath>,
    other: Option<Other>,
}

/// What the column is compared with.
#[derive(Debug)]
enum Other {
    Column(Placed<ColumnPath>),
    Constant(Placed<String>),
}

const OPERATIONS: &[&str] = &["EQ", "LT", "GT", "LTE", "GTE", "REGEX", "ISNULL"];

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let condition = condition(fields);
    fields.is_good().then(|| Box::new(condition) as Box<dyn Operation>)
}

/// Reads `LogicalOperator` and `Filters`.
pub(super) fn condition(fields: &Fields<'_>) -> Condition {
    fields.need_items("Filters");
    let operator = fields.need_choice("LogicalOperator", &["AND", "OR"]);
    let all = operator.is_none_or(|operator| operator.value == "AND");
    Condition { all, comparisons: fields.each("Filters", "a filter", comparison) }
}

fn comparison(fields: &Fields<'_>) -> Option<Comparison> {
    let operation = fields.need_choice("Operation", OPERATIONS);
    let negated = fields.flag("Negated").unwrap_or(false);
    fields.need_items("Values");
    let values = fields.each("Values", "a value", value);
    let operation = operation?.value;
    let wanted = if operation == "ISNULL" { 1 } else { 2 };
    if values.len() != wanted {
        if fields.is_good() {
            let message = format!("{operation} compares {wanted} values, but {} are given", values.len());
            let hint = "the column is `{Type: COLUMNEXTRACTED, Value: [name]}`, a constant `{Type: CONSTANT, Value: ['5']}`";
            fields.wrong(&fields.span, Error::invalid(message).hint(hint));
        }
        return None;
    }
    let mut values = values.into_iter();
    let (first, second) = (values.next()?, values.next());
    let (column, other, operation) = match (first, second) {
        (Other::Column(column), other) => (column, other, operation),
        // `5 < x` is `x > 5`
        (constant, Some(Other::Column(column))) if operation != "REGEX" => {
            (column, Some(constant), turned(operation))
        }
        (Other::Constant(text), _) => {
            let error = Error::invalid(format!("{operation} compares no column"));
            fields.wrong(&text.span, error.hint("write `Type: COLUMNEXTRACTED` for a column's name"));
            return None;
        }
    };
    Some(Comparison { operation, negated, column, other })
}

fn turned(operation: &'static str) -> &'static str {
    match operation {
        "LT" => "GT",
        "GT" => "LT",
        "LTE" => "GTE",
        "GTE" => "LTE",
        other => other,
    }
}

fn value(fields: &Fields<'_>) -> Option<Other> {
    let sort = fields.need_choice("Type", &["COLUMNEXTRACTED", "CONSTANT"]);
    match sort?.value {
        "CONSTANT" => fields
            .text("Value")
            .or_else(|| {
                fields.need_path("Value");
                None
            })
            .map(Other::Constant),
        _ => fields.need_path("Value").map(Other::Column),
    }
}

impl Condition {
    /// The condition as SQL.
    pub(super) fn sql(&self, cx: &Context<'_>) -> String {
        let parts: Vec<String> = self.comparisons.iter().map(|comparison| comparison.sql(cx)).collect();
        parts.join(if self.all { " AND " } else { " OR " })
    }

    /// The condition over a Python `row`.
    pub(super) fn python(&self) -> String {
        let parts: Vec<String> = self.comparisons.iter().map(Comparison::python).collect();
        parts.join(if self.all { " and " } else { " or " })
    }

    pub(super) fn has_regex(&self) -> bool {
        self.comparisons.iter().any(|comparison| comparison.operation == "REGEX")
    }
}

impl Comparison {
    fn sql(&self, cx: &Context<'_>) -> String {
        let known = cx.type_of(&self.column);
        let column = query::path(&self.column.value);
        let other = match &self.other {
            None => String::new(),
            Some(Other::Column(path)) => {
                let other = cx.type_of(path);
                if let (Some(a), Some(b)) = (&known, &other)
                    && sql::common_type(a, b).is_none()
                {
                    let (left, right) = (self.column.value.dotted(), path.value.dotted());
                    let message = format!("`{left}` is {a} and `{right}` is {b}: they cannot be compared");
                    cx.wrong(
                        &path.span,
                        Error::invalid(message).hint("cast one of them in an ApplyMapping node before"),
                    );
                }
                query::path(&path.value)
            }
            Some(Other::Constant(text)) if self.operation == "REGEX" => {
                self.check_text(known.as_ref(), &text.span, cx);
                quote_string(&format!("^(?:{})", text.value))
            }
            Some(Other::Constant(text)) => constant(text, known.as_ref(), &self.column.value, cx),
        };
        let test = match self.operation {
            "ISNULL" if self.negated => return format!("{column} IS NOT NULL"),
            "ISNULL" => return format!("{column} IS NULL"),
            "REGEX" => format!("regexp_like({column}, {other})"),
            "LT" => format!("{column} < {other}"),
            "GT" => format!("{column} > {other}"),
            "LTE" => format!("{column} <= {other}"),
            "GTE" => format!("{column} >= {other}"),
            _ => format!("{column} = {other}"),
        };
        if self.negated { format!("NOT coalesce({test}, false)") } else { test }
    }

    fn check_text(&self, known: Option<&SqlType>, span: &Span, cx: &Context<'_>) {
        if let Some(known) = known.filter(|known| !known.is_text()) {
            let message = format!("REGEX needs a text, but `{}` is {known}", self.column.value.dotted());
            cx.wrong(
                span,
                Error::invalid(message)
                    .hint("compare with EQ, LT or GT, or cast the column to string before"),
            );
        }
    }

    fn python(&self) -> String {
        let cell = |path: &ColumnPath| {
            path.parts.iter().fold("row".to_owned(), |row, part| format!("{row}[{}]", py::text(part)))
        };
        let column = cell(&self.column.value);
        let other = match &self.other {
            Some(Other::Column(path)) => cell(&path.value),
            Some(Other::Constant(text)) if self.operation == "REGEX" => py::text(&text.value),
            Some(Other::Constant(text)) => py::constant(&text.value),
            None => String::new(),
        };
        let test = match self.operation {
            "ISNULL" => format!("{column} is None"),
            "REGEX" => format!("{column} is not None and bool(re.match({other}, {column}))"),
            "EQ" => format!("{column} == {other}"),
            "LT" => format!("{column} is not None and {column} < {other}"),
            "GT" => format!("{column} is not None and {column} > {other}"),
            "LTE" => format!("{column} is not None and {column} <= {other}"),
            _ => format!("{column} is not None and {column} >= {other}"),
        };
        if self.negated { format!("(not ({test}))") } else { format!("({test})") }
    }
}

/// A constant as its column's type wants it. Where the type is not known, its look decides.
fn constant(text: &Placed<String>, known: Option<&SqlType>, column: &ColumnPath, cx: &Context<'_>) -> String {
    let value = text.value.trim();
    let literal = match known {
        None => return query::constant_by_look(&text.value),
        Some(t) if t.is_text() => return quote_string(&text.value),
        Some(t) if t.is_numeric() => value.parse::<f64>().is_ok_and(f64::is_finite).then(|| value.to_owned()),
        Some(SqlType::Boolean) => {
            let lower = value.to_lowercase();
            ["true", "false"].contains(&lower.as_str()).then_some(lower)
        }
        Some(SqlType::Date) => is_date(value).then(|| format!("DATE {}", quote_string(value))),
        Some(SqlType::Timestamp(_) | SqlType::TimestampTz(..)) => {
            let plain = value.trim_end_matches('Z').replacen('T', " ", 1);
            plain.get(..10).is_some_and(is_date).then(|| format!("TIMESTAMP {}", quote_string(&plain)))
        }
        Some(other) => Some(format!("CAST({} AS {other})", quote_string(&text.value))),
    };
    literal.unwrap_or_else(|| {
        let known = known.map(ToString::to_string).unwrap_or_default();
        let message = format!("`{}` is {known}, but it is compared with `{}`", column.dotted(), text.value);
        cx.wrong(&text.span, Error::invalid(message).hint(format!("give a constant of type {known}")));
        "NULL".to_owned()
    })
}

/// `2020-06-03`
fn is_date(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.len() == 10 && digits == 8 && text.bytes().filter(|b| *b == b'-').count() == 2
}

impl Operation for Condition {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let condition = self.sql(cx);
        cx.query(format!("SELECT * FROM {} WHERE {condition}", quote_ident(&cx.relation().name)), vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        if self.has_regex() {
            out.import("import re");
        }
        let frame = format!("frame={}", out.input(0));
        out.assign_call("Filter.apply", &[frame, format!("f=lambda row: ({})", self.python())]);
    }
}
