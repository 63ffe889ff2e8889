//! Values written as text and answers shown as results show them.

use crate::harness::{In, eval, session};
use arrow::array::{Array, ArrayRef, DurationMillisecondArray, IntervalYearMonthArray, StringViewArray};
use functions::cast::{OnError, cast};
use functions::render::Renderer;
use functions::scalar::datetime::{IntervalField, interval_literal};
use sql::SqlType;
use std::sync::Arc;

/// The text cast to the type: `value("timestamp(3)", "2024-01-01")`. `timestamp(3) Europe/Berlin` has that zone.
pub(crate) fn value(sql_type: &str, text: &str) -> In {
    let sql_type = typed(sql_type);
    let texts: ArrayRef = Arc::new(StringViewArray::from(vec![text]));
    let array = cast(&texts, &SqlType::VARCHAR, &sql_type, &session(), OnError::Fail).unwrap();
    In::Value(sql_type, array)
}

/// A type, also one with a zone: `timestamp(3) Europe/Berlin`.
pub(crate) fn typed(text: &str) -> SqlType {
    match text.split_once(") ") {
        Some((timestamp, zone)) if timestamp.starts_with("timestamp(") && !zone.starts_with("with") => {
            SqlType::TimestampTz(timestamp["timestamp(".len()..].parse().unwrap(), Arc::from(zone))
        }
        _ => text.parse().unwrap(),
    }
}

/// `interval("2 03:04:05.678", "day", "second")`
pub(crate) fn interval(text: &str, from: &str, to: &str) -> In {
    let to = (!to.is_empty()).then(|| IntervalField::parse(to).unwrap());
    let (sql_type, value) = interval_literal(text, IntervalField::parse(from).unwrap(), to, false).unwrap();
    let array: ArrayRef = if sql_type == SqlType::IntervalYearMonth {
        Arc::new(IntervalYearMonthArray::from(vec![i32::try_from(value).unwrap()]))
    } else {
        Arc::new(DurationMillisecondArray::from(vec![value]))
    };
    In::Value(sql_type, array)
}

/// A value as results show it.
pub(crate) fn shown(sql_type: &SqlType, array: &ArrayRef) -> String {
    if array.is_null(0) {
        return "NULL".to_owned();
    }
    let mut out = String::new();
    Renderer::new(sql_type).write(array, 0, &mut out);
    out
}

/// Compares the answer as results show it.
#[track_caller]
pub(crate) fn gives(name: &str, args: &[In], expected: &str) {
    let answer = match eval(name, args) {
        Ok((sql_type, array)) => shown(&sql_type, &array),
        Err(error) => format!("error: {error:?}"),
    };
    assert_eq!(answer, expected, "{name}{args:?}");
}

/// Casts a value and compares what results show; `error` if it cannot be cast.
#[track_caller]
pub(crate) fn casts(from: &In, to: &str, expected: &str) {
    let In::Value(from_type, array) = from else { panic!("a lambda is no value") };
    let to = typed(to);
    let answer = match cast(array, from_type, &to, &session(), OnError::Fail) {
        Ok(array) => shown(&to, &array),
        Err(error) => {
            let tried = cast(array, from_type, &to, &session(), OnError::Null).unwrap();
            assert!(tried.is_null(0), "TRY_CAST of what CAST refuses: {from:?} to {to}");
            format!("error: {}", error.message())
        }
    };
    assert_eq!(answer, expected, "{from:?} to {to}");
}

/// A timestamp with a zone as one without.
pub(crate) fn local(array: &ArrayRef) -> ArrayRef {
    let data_type = typed("timestamp(3)").to_arrow();
    arrow::array::make_array(array.to_data().into_builder().data_type(data_type).build().unwrap())
}
