//! Literals: numbers, texts, bytes, dates, intervals, parameters.

use super::{At, Typed};
use crate::analyzer::Analyzer;
use arrow::array::ArrayRef;
use datafusion::common::ScalarValue;
use datafusion::common::metadata::FieldMetadata;
use datafusion::logical_expr::Expr;
use functions::cast;
use functions::scalar::datetime::IntervalField;
use model::{Error, Result};
use sql::SqlType;
use sqlparser::ast::{DateTimeField, Expr as Ast, Interval, TypedString, Value};
use std::collections::BTreeMap;

/// Under this key an unknown parameter says its number.
const PARAMETER: &str = "glulam.parameter";

/// Whether it is a bare NULL.
pub(crate) fn is_null(ast: &Ast) -> bool {
    matches!(ast, Ast::Value(value) if value.value == Value::Null)
}

/// A parameter whose type is to be learned: NULL, which fits everywhere, with its number.
fn unknown_parameter(name: &str) -> Typed {
    let number = name.trim_start_matches('?').to_owned();
    let metadata = FieldMetadata::new(BTreeMap::from([(PARAMETER.to_owned(), number)]));
    Typed::new(Expr::Literal(ScalarValue::Null, Some(metadata)), SqlType::Unknown)
}

impl Analyzer<'_> {
    pub(super) fn value(&self, value: &Value, at: At<'_>) -> Result<Typed> {
        match value {
            Value::Number(text, _) => number(text),
            Value::SingleQuotedString(text) => Ok(text_literal(text)),
            Value::HexStringLiteral(digits) => bytes(digits),
            Value::Boolean(truth) => {
                Ok(Typed::new(Expr::Literal(ScalarValue::Boolean(Some(*truth)), None), SqlType::Boolean))
            }
            Value::Null => Ok(Typed::new(Expr::Literal(ScalarValue::Null, None), SqlType::Unknown)),
            Value::Placeholder(name) if self.wanted.is_some() && self.parameter(name).is_none_or(is_null) => {
                Ok(unknown_parameter(name))
            }
            Value::Placeholder(name) => match self.parameter(name) {
                Some(ast) => self.typed(ast, at),
                None => Err(Error::invalid(format!("no value is given for parameter {name}"))
                    .hint("PREPARE the statement and EXECUTE it USING the values")),
            },
            other => Err(Error::unsupported(format!("the literal {other} is not supported"))),
        }
    }

    /// Notes which type the statement wants of a parameter, if that is what this value is.
    pub(super) fn learn(&self, value: &Expr, wanted: &SqlType) {
        if let Some(types) = &self.wanted
            && let Expr::Literal(_, Some(metadata)) = value
            && let Some(number) = metadata.inner().get(PARAMETER).and_then(|number| number.parse().ok())
        {
            types.borrow_mut().entry(number).or_insert_with(|| wanted.clone());
        }
    }

    /// The value of `?1`.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Ast> {
        let number: usize = name.strip_prefix('?')?.parse().ok()?;
        self.parameters.get(number.checked_sub(1)?)
    }

    /// `DATE '2024-01-01'`: a text cast to the type, now.
    pub(super) fn typed_literal(&self, literal: &TypedString) -> Result<Typed> {
        let wanted = sql::type_of(&literal.data_type)?;
        let Value::SingleQuotedString(text) = &literal.value.value else {
            return Err(Error::invalid(format!("a literal of type {wanted} is a text in single quotes")));
        };
        match &wanted {
            SqlType::Timestamp(_) | SqlType::TimestampTz(..) => {
                let (found, value) = functions::scalar::datetime::timestamp_literal(text)?;
                let zone = match &found {
                    SqlType::TimestampTz(_, zone) => Some(zone.clone()),
                    _ => None,
                };
                let scalar = match found.to_arrow() {
                    arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, _) => {
                        ScalarValue::TimestampMillisecond(Some(value), zone)
                    }
                    arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _) => {
                        ScalarValue::TimestampMicrosecond(Some(value), zone)
                    }
                    _ => ScalarValue::TimestampNanosecond(Some(value), zone),
                };
                Ok(Typed::new(Expr::Literal(scalar, None), found))
            }
            SqlType::Date => {
                let days = functions::scalar::datetime::date_literal(text)?;
                Ok(Typed::new(Expr::Literal(ScalarValue::Date32(Some(days)), None), SqlType::Date))
            }
            SqlType::Time(_) => {
                let (found, value) = functions::scalar::datetime::time_literal(text)?;
                let scalar = match found.to_arrow() {
                    arrow::datatypes::DataType::Time64(arrow::datatypes::TimeUnit::Microsecond) => {
                        ScalarValue::Time64Microsecond(Some(value))
                    }
                    _ => ScalarValue::Time64Nanosecond(Some(value)),
                };
                Ok(Typed::new(Expr::Literal(scalar, None), found))
            }
            SqlType::Json => self.function("json_parse", vec![text_literal(text)]),
            SqlType::Decimal(38, 0) => number_decimal(text),
            _ => self.cast(text_literal(text), &wanted, false),
        }
    }

    pub(super) fn interval(&self, interval: &Interval, negative: bool) -> Result<Typed> {
        let Ast::Value(value) = interval.value.as_ref() else {
            return Err(Error::invalid("an interval is a text in single quotes"));
        };
        let Value::SingleQuotedString(text) = &value.value else {
            return Err(Error::invalid("an interval is a text in single quotes"));
        };
        let from = interval.leading_field.as_ref().map_or(IntervalField::Second, field_name);
        let to = interval.last_field.as_ref().map(field_name);
        let (sql_type, value) = functions::scalar::datetime::interval_literal(text, from, to, negative)?;
        let scalar = match sql_type {
            SqlType::IntervalYearMonth => {
                let months = i32::try_from(value).map_err(|_| Error::invalid("the interval is too long"))?;
                ScalarValue::IntervalYearMonth(Some(months))
            }
            _ => ScalarValue::DurationMillisecond(Some(value)),
        };
        Ok(Typed::new(Expr::Literal(scalar, None), sql_type))
    }

    /// Casts a literal now, so that a mistake has its place and a filter its constant.
    pub(crate) fn cast_literal(
        &self,
        value: &ScalarValue,
        from: &SqlType,
        to: &SqlType,
        lenient: bool,
    ) -> Result<Expr> {
        let array: ArrayRef = value.to_array().map_err(crate::error::from_datafusion)?;
        let on_error = if lenient { cast::OnError::Null } else { cast::OnError::Fail };
        let cast = cast::cast(&array, from, to, &self.session, on_error)?;
        let value = ScalarValue::try_from_array(&cast, 0).map_err(crate::error::from_datafusion)?;
        Ok(Expr::Literal(value, None))
    }
}

fn field_name(field: &DateTimeField) -> IntervalField {
    match field {
        DateTimeField::Year => IntervalField::Year,
        DateTimeField::Month => IntervalField::Month,
        DateTimeField::Week(_) => IntervalField::Week,
        DateTimeField::Day => IntervalField::Day,
        DateTimeField::Hour => IntervalField::Hour,
        DateTimeField::Minute => IntervalField::Minute,
        _ => IntervalField::Second,
    }
}

pub(crate) fn text_literal(text: &str) -> Typed {
    let length = u32::try_from(text.chars().count()).ok();
    Typed::new(Expr::Literal(ScalarValue::Utf8View(Some(text.to_owned())), None), SqlType::Varchar(length))
}

fn number(text: &str) -> Result<Typed> {
    let literal = |value, sql_type| Ok(Typed::new(Expr::Literal(value, None), sql_type));
    if text.contains(['e', 'E']) {
        let value: f64 = text.parse().map_err(|_| Error::invalid(format!("`{text}` is not a number")))?;
        return literal(ScalarValue::Float64(Some(value)), SqlType::Double);
    }
    if text.contains('.') {
        return number_decimal(text);
    }
    if let Ok(value) = text.parse::<i32>() {
        return literal(ScalarValue::Int32(Some(value)), SqlType::Integer);
    }
    match text.parse::<i64>() {
        Ok(value) => literal(ScalarValue::Int64(Some(value)), SqlType::BigInt),
        Err(_) => Err(Error::invalid(format!("{text} is too large for bigint"))
            .hint(format!("write a decimal: DECIMAL '{text}'"))),
    }
}

/// A decimal with as many digits as are written.
fn number_decimal(text: &str) -> Result<Typed> {
    let wrong = || Error::invalid(format!("`{text}` is not a decimal"));
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty())
        || !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit())
    {
        return Err(wrong());
    }
    let whole = whole.trim_start_matches('0');
    let scale = u8::try_from(fraction.len()).map_err(|_| wrong())?;
    let precision = u8::try_from(whole.len() + fraction.len()).map_err(|_| wrong())?.max(1);
    if precision > 38 {
        return Err(Error::invalid(format!("{text} has {precision} digits; a decimal has at most 38")));
    }
    let magnitude: i128 = match format!("{whole}{fraction}").as_str() {
        "" => 0,
        digits => digits.parse().map_err(|_| wrong())?,
    };
    let value = if negative { -magnitude } else { magnitude };
    let scalar = ScalarValue::Decimal128(Some(value), precision, i8::try_from(scale).unwrap_or(38));
    Ok(Typed::new(Expr::Literal(scalar, None), SqlType::Decimal(precision, scale)))
}

fn bytes(digits: &str) -> Result<Typed> {
    let wrong = || Error::invalid(format!("X'{digits}' is not a sequence of hexadecimal pairs"));
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return Err(wrong());
    }
    let bytes = (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).map_err(|_| wrong()))
        .collect::<Result<Vec<u8>>>()?;
    Ok(Typed::new(Expr::Literal(ScalarValue::BinaryView(Some(bytes)), None), SqlType::Varbinary))
}
