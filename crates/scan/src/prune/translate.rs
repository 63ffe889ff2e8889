//! Filters in the catalog's language. What it cannot say is left out: the answer may hold too much, never too little.

use crate::columns::{Columns, ScanColumn};
use chrono::{DateTime, Days, NaiveDate};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Like, Operator};
use sql::SqlType;

/// The catalog's limit for a filter, in characters, with room for the words between.
const MAX_LENGTH: usize = 1900;

/// The conditions on partition columns that the catalog can check itself. None when there are none.
pub(crate) fn translate(filters: &[Expr], columns: &Columns) -> Option<String> {
    let mut parts: Vec<String> = filters
        .iter()
        .flat_map(split_conjunction)
        .filter_map(|filter| Translator { columns }.condition(filter, false, 0))
        .collect();
    // The short ones first: they are the sharpest, and all of them may be too much.
    parts.sort_by_key(|part| part.chars().count());
    let (mut length, mut kept) = (0, Vec::new());
    for part in parts {
        length += part.chars().count() + 7;
        if length > MAX_LENGTH {
            break;
        }
        kept.push(format!("({part})"));
    }
    (!kept.is_empty()).then(|| kept.join(" AND "))
}

struct Translator<'a> {
    columns: &'a Columns,
}

/// How deep a condition is followed.
const MAX_DEPTH: usize = 24;

impl Translator<'_> {
    /// The filter, or something weaker. `exact`: nothing weaker will do, since it is negated or an alternative.
    fn condition(&self, filter: &Expr, exact: bool, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        let deeper = depth + 1;
        match filter {
            Expr::Alias(alias) => self.condition(&alias.expr, exact, deeper),
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                let (left, right) =
                    (self.condition(left, exact, deeper), self.condition(right, exact, deeper));
                match (left, right) {
                    (Some(left), Some(right)) => Some(format!("({left} AND {right})")),
                    (one, other) if !exact => one.or(other),
                    _ => None,
                }
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                // Either side may be weaker, but neither may be missing.
                let (left, right) =
                    (self.condition(left, exact, deeper)?, self.condition(right, exact, deeper)?);
                Some(format!("({left} OR {right})"))
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => self.comparison(left, *op, right),
            Expr::Not(inner) => Some(format!("NOT ({})", self.condition(inner, true, deeper)?)),
            Expr::IsNull(inner) => Some(format!("{} IS NULL", quoted(self.column(inner)?))),
            Expr::IsNotNull(inner) => Some(format!("{} IS NOT NULL", quoted(self.column(inner)?))),
            Expr::Between(Between { expr, negated, low, high }) => {
                let column = self.column(expr)?;
                let (low, high) = (literal(low, column)?, literal(high, column)?);
                let not = if *negated { "NOT " } else { "" };
                Some(format!("{} {not}BETWEEN {low} AND {high}", quoted(column)))
            }
            Expr::InList(InList { expr, list, negated }) => self.in_list(expr, list, *negated, exact),
            Expr::Like(Like {
                negated: false,
                expr,
                pattern,
                escape_char: None,
                case_insensitive: false,
            }) => self.like(expr, pattern, exact),
            // A boolean column alone.
            Expr::Column(_) => {
                let column = self.column(filter)?;
                (column.sql_type == SqlType::Boolean).then(|| format!("{} = true", quoted(column)))
            }
            _ => None,
        }
    }

    fn comparison(&self, left: &Expr, op: Operator, right: &Expr) -> Option<String> {
        if let Some(column) = self.column(left) {
            return Some(format!("{} {} {}", quoted(column), sign(op)?, literal(right, column)?));
        }
        let column = self.column(right)?;
        Some(format!("{} {} {}", literal(left, column)?, sign(op)?, quoted(column)))
    }

    fn in_list(&self, expr: &Expr, list: &[Expr], negated: bool, exact: bool) -> Option<String> {
        let column = self.column(expr)?;
        let values: Vec<String> = list.iter().map(|value| literal(value, column)).collect::<Option<_>>()?;
        let text =
            format!("{} {}IN ({})", quoted(column), if negated { "NOT " } else { "" }, values.join(", "));
        if text.chars().count() <= MAX_LENGTH - 100 {
            return Some(text);
        }
        // Too long: everything between the smallest and the largest.
        if negated || exact {
            return None;
        }
        let scalars: Vec<&ScalarValue> = list.iter().map(scalar).collect::<Option<_>>()?;
        let least = scalars.iter().copied().reduce(|a, b| if b < a { b } else { a })?;
        let most = scalars.iter().copied().reduce(|a, b| if b > a { b } else { a })?;
        let (least, most) = (render(least, column)?, render(most, column)?);
        Some(format!("{} BETWEEN {least} AND {most}", quoted(column)))
    }

    /// A pattern's fixed beginning.
    fn like(&self, expr: &Expr, pattern: &Expr, exact: bool) -> Option<String> {
        let column = self.column(expr).filter(|column| matches!(column.sql_type, SqlType::Varchar(_)))?;
        let pattern = scalar(pattern)?.try_as_str()??;
        let fixed: String = pattern.chars().take_while(|c| !matches!(c, '%' | '_' | '\\')).collect();
        let rest = &pattern[fixed.len()..];
        if fixed.is_empty() || (exact && rest != "%") || !plain_text(&fixed) {
            return None;
        }
        Some(format!("{} LIKE '{}%'", quoted(column), fixed.replace('\'', "''")))
    }

    /// The partition column, also under a cast that keeps the order of its values.
    fn column(&self, expr: &Expr) -> Option<&ScanColumn> {
        match expr {
            Expr::Column(column) => {
                self.columns.partitions().iter().find(|known| known.name == column.name).filter(|c| speaks(c))
            }
            Expr::Cast(cast) => {
                let column = self.column(&cast.expr)?;
                let target = cast.field.data_type();
                let keeps = (column.sql_type.is_integer() && target.is_integer() && widens(column, target))
                    || (column.arrow_type() == *target);
                keeps.then_some(column)
            }
            Expr::Alias(alias) => self.column(&alias.expr),
            _ => None,
        }
    }
}

fn widens(column: &ScanColumn, target: &arrow::datatypes::DataType) -> bool {
    let width = column.arrow_type().primitive_width();
    target.is_signed_integer() && target.primitive_width() >= width
}

/// Whether the catalog can compare values of that column as SQL does.
fn speaks(column: &ScanColumn) -> bool {
    matches!(
        column.sql_type,
        SqlType::Varchar(_) | SqlType::Date | SqlType::Timestamp(_) | SqlType::Boolean | SqlType::Decimal(..)
    ) || column.sql_type.is_integer()
}

fn quoted(column: &ScanColumn) -> String {
    format!("\"{}\"", column.name.replace('"', "\"\""))
}

fn sign(op: Operator) -> Option<&'static str> {
    Some(match op {
        Operator::Eq => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        _ => return None,
    })
}

fn scalar(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        Expr::Alias(alias) => scalar(&alias.expr),
        _ => None,
    }
}

fn literal(expr: &Expr, column: &ScanColumn) -> Option<String> {
    render(scalar(expr)?, column)
}

/// The catalog's spelling of a value that is compared with that column. None for those of another sort.
fn render(value: &ScalarValue, column: &ScanColumn) -> Option<String> {
    use ScalarValue as S;
    if value.is_null() {
        return None;
    }
    let integers = column.sql_type.is_integer() || matches!(column.sql_type, SqlType::Decimal(..));
    match (value, &column.sql_type) {
        (
            S::Int8(_) | S::Int16(_) | S::Int32(_) | S::Int64(_) | S::UInt8(_) | S::UInt16(_) | S::UInt32(_),
            _,
        ) if integers => Some(value.to_string()),
        (S::Decimal128(Some(number), _, scale), SqlType::Decimal(..)) => Some(decimal(*number, *scale)),
        (S::Utf8(Some(text)) | S::LargeUtf8(Some(text)) | S::Utf8View(Some(text)), SqlType::Varchar(_)) => {
            plain_text(text).then(|| format!("'{}'", text.replace('\'', "''")))
        }
        (S::Date32(Some(days)), SqlType::Date) => date(*days).map(|date| format!("DATE '{date}'")),
        (S::Boolean(Some(value)), SqlType::Boolean) => Some(value.to_string()),
        (S::TimestampMillisecond(Some(millis), None), SqlType::Timestamp(_)) => {
            let at = DateTime::from_timestamp_millis(*millis)?.naive_utc();
            Some(format!("TIMESTAMP '{}'", at.format("%Y-%m-%d %H:%M:%S%.3f")))
        }
        _ => None,
    }
}

/// Texts that mean something else to the catalog, or that it refuses.
fn plain_text(text: &str) -> bool {
    text != crate::values::NULL_VALUE && !text.contains('\0')
}

fn date(days: i32) -> Option<NaiveDate> {
    let start = NaiveDate::default();
    let shift = Days::new(u64::from(days.unsigned_abs()));
    let date = if days < 0 { start.checked_sub_days(shift)? } else { start.checked_add_days(shift)? };
    // Four digits: other years are written differently.
    (1..=9999).contains(&chrono::Datelike::year(&date)).then_some(date)
}

fn decimal(number: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or_default();
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// What filters say of one column alone: the values it may have, or limits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Bounds {
    /// The only values it may have.
    pub(crate) points: Option<Vec<ScalarValue>>,
    /// It is at least this.
    pub(crate) low: Option<ScalarValue>,
    /// It is at most this.
    pub(crate) high: Option<ScalarValue>,
}

/// What the filters, all of which must be true, say of that column. Limits may be wider than the filters.
pub(crate) fn bounds_of(filters: &[Expr], column: &ScanColumn) -> Bounds {
    let mut bounds = Bounds::default();
    for filter in filters.iter().flat_map(split_conjunction) {
        let values = match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (op, value) = if is_column(left, column) {
                    (Some(*op), scalar(right))
                } else if is_column(right, column) {
                    (op.swap(), scalar(left))
                } else {
                    (None, None)
                };
                match (op, value) {
                    (Some(Operator::Eq), Some(value)) => Some(vec![value.clone()]),
                    (Some(Operator::Lt | Operator::LtEq), Some(value)) => {
                        bounds.at_most(value);
                        None
                    }
                    (Some(Operator::Gt | Operator::GtEq), Some(value)) => {
                        bounds.at_least(value);
                        None
                    }
                    (Some(Operator::Or), _) | (None, _) => points_of_alternatives(filter, column, 0),
                    _ => None,
                }
            }
            Expr::Between(Between { expr, negated: false, low, high }) if is_column(expr, column) => {
                if let (Some(low), Some(high)) = (scalar(low), scalar(high)) {
                    bounds.at_least(low);
                    bounds.at_most(high);
                }
                None
            }
            other => points_of_alternatives(other, column, 0),
        };
        if let Some(values) = values {
            bounds.points = Some(match bounds.points.take() {
                None => values,
                Some(before) => before.into_iter().filter(|value| values.contains(value)).collect(),
            });
        }
    }
    bounds
}

impl Bounds {
    fn at_least(&mut self, value: &ScalarValue) {
        if self.low.as_ref().is_none_or(|low| value > low) {
            self.low = Some(value.clone());
        }
    }

    fn at_most(&mut self, value: &ScalarValue) {
        if self.high.as_ref().is_none_or(|high| value < high) {
            self.high = Some(value.clone());
        }
    }
}

fn is_column(expr: &Expr, column: &ScanColumn) -> bool {
    match expr {
        Expr::Column(found) => found.name == column.name,
        Expr::Alias(alias) => is_column(&alias.expr, column),
        _ => false,
    }
}

/// `c = 1 OR c = 2 OR c IN (3, 4)`
fn points_of_alternatives(filter: &Expr, column: &ScanColumn, depth: usize) -> Option<Vec<ScalarValue>> {
    if depth > 1000 {
        return None;
    }
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut values = points_of_alternatives(left, column, depth + 1)?;
            values.extend(points_of_alternatives(right, column, depth + 1)?);
            Some(values)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_column(left, column) => {
            Some(vec![scalar(right)?.clone()])
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_column(right, column) => {
            Some(vec![scalar(left)?.clone()])
        }
        Expr::InList(InList { expr, list, negated: false }) if is_column(expr, column) => {
            list.iter().map(|value| scalar(value).cloned()).collect()
        }
        _ => None,
    }
}
