//! Calls a function by name on literal values and shows the answer as text: `check("substr", &[text("abc"), int(2)],
//! "bc")`. Every call runs twice, on constants and on columns, and both have to agree.
#![allow(dead_code, reason = "each family uses what it needs")]

use arrow::array::*;
use arrow::compute::{cast, concat};
use arrow::datatypes::*;
use functions::{Arg, ArgType, Call, Lambda, Session, resolve_scalar};
use model::Result;
use sql::SqlType;
use std::fmt::{self, Write};
use std::sync::Arc;

/// An argument: a value of a type (an array of length 1), or a lambda.
#[derive(Debug, Clone)]
pub(crate) enum In {
    Value(SqlType, ArrayRef),
    Lambda(usize, Arc<TestLambda>),
}

type Body = Box<dyn Fn(&[ArrayRef], &UInt32Array) -> Result<ArrayRef> + Send + Sync>;

/// A lambda written in Rust.
pub(crate) struct TestLambda {
    body: Body,
    pub(crate) returns: SqlType,
}

impl fmt::Debug for TestLambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lambda -> {}", self.returns)
    }
}

impl Lambda for TestLambda {
    fn call(&self, params: &[ArrayRef], rows: &UInt32Array) -> Result<ArrayRef> {
        (self.body)(params, rows)
    }
}

/// Any value: `typed("date", Arc::new(Date32Array::from(vec![0])))`.
pub(crate) fn typed(sql_type: &str, array: ArrayRef) -> In {
    let sql_type: SqlType = sql_type.parse().unwrap();
    let array = cast(&array, &sql_type.to_arrow()).unwrap();
    In::Value(sql_type, array)
}

pub(crate) fn text(value: &str) -> In {
    In::Value(SqlType::VARCHAR, Arc::new(StringViewArray::from(vec![value])))
}

pub(crate) fn json(value: &str) -> In {
    In::Value(SqlType::Json, Arc::new(StringViewArray::from(vec![value])))
}

pub(crate) fn bytes(value: &[u8]) -> In {
    In::Value(SqlType::Varbinary, Arc::new(BinaryViewArray::from(vec![value])))
}

pub(crate) fn int(value: i32) -> In {
    In::Value(SqlType::Integer, Arc::new(Int32Array::from(vec![value])))
}

pub(crate) fn big(value: i64) -> In {
    In::Value(SqlType::BigInt, Arc::new(Int64Array::from(vec![value])))
}

pub(crate) fn double(value: f64) -> In {
    In::Value(SqlType::Double, Arc::new(Float64Array::from(vec![value])))
}

pub(crate) fn boolean(value: bool) -> In {
    In::Value(SqlType::Boolean, Arc::new(BooleanArray::from(vec![value])))
}

/// A bare `NULL`.
pub(crate) fn null() -> In {
    In::Value(SqlType::Unknown, Arc::new(NullArray::new(1)))
}

/// A NULL of a type.
pub(crate) fn null_of(sql_type: &str) -> In {
    let sql_type: SqlType = sql_type.parse().unwrap();
    let array = new_null_array(&sql_type.to_arrow(), 1);
    In::Value(sql_type, array)
}

/// An array: `array("bigint", &[big(1), null()])`.
pub(crate) fn array(element: &str, values: &[In]) -> In {
    let element: SqlType = element.parse().unwrap();
    let values = column(&element, values);
    let field = Arc::new(Field::new_list_field(element.to_arrow(), true));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([values.len()]);
    In::Value(SqlType::array(element), Arc::new(ListArray::new(field, offsets, values, None)))
}

/// A map: `map("varchar", "bigint", &[(text("a"), big(1))])`.
pub(crate) fn map(key: &str, value: &str, entries: &[(In, In)]) -> In {
    let (key, value): (SqlType, SqlType) = (key.parse().unwrap(), value.parse().unwrap());
    let keys = column(&key, &entries.iter().map(|(k, _)| k.clone()).collect::<Vec<_>>());
    let values = column(&value, &entries.iter().map(|(_, v)| v.clone()).collect::<Vec<_>>());
    let sql_type = SqlType::map(key, value);
    let DataType::Map(field, _) = sql_type.to_arrow() else { panic!("a map's type") };
    let DataType::Struct(fields) = field.data_type().clone() else { panic!("a map's entries") };
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([keys.len()]);
    let entries = StructArray::new(fields, vec![keys, values], None);
    In::Value(sql_type, Arc::new(MapArray::new(field, offsets, entries, None, false)))
}

/// A row: `row("row(a bigint, b varchar)", &[big(1), text("x")])`.
pub(crate) fn row(sql_type: &str, values: &[In]) -> In {
    let sql_type: SqlType = sql_type.parse().unwrap();
    let SqlType::Row(of) = &sql_type else { panic!("{sql_type} is no row") };
    let columns = of.iter().zip(values).map(|(f, v)| column(&f.sql_type, std::slice::from_ref(v))).collect();
    let DataType::Struct(fields) = sql_type.to_arrow() else { panic!("a row's type") };
    In::Value(sql_type.clone(), Arc::new(StructArray::new(fields, columns, None)))
}

/// A lambda of so many parameters.
pub(crate) fn lambda(
    params: usize,
    returns: &str,
    body: impl Fn(&[ArrayRef], &UInt32Array) -> Result<ArrayRef> + Send + Sync + 'static,
) -> In {
    In::Lambda(params, Arc::new(TestLambda { body: Box::new(body), returns: returns.parse().unwrap() }))
}

/// The values as one array of this type.
pub(crate) fn column(sql_type: &SqlType, values: &[In]) -> ArrayRef {
    let parts: Vec<ArrayRef> = values
        .iter()
        .map(|v| match v {
            In::Value(_, a) => cast(a, &sql_type.to_arrow()).unwrap(),
            In::Lambda(..) => panic!("a lambda is no value"),
        })
        .collect();
    if parts.is_empty() {
        return new_empty_array(&sql_type.to_arrow());
    }
    concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap()
}

/// The session tests run in: 2024-03-10 12:34:56.789 UTC.
pub(crate) fn session() -> Session {
    Session::new(chrono::DateTime::from_timestamp_millis(1_710_074_096_789).unwrap())
}

/// The answer for one row of these arguments: an array of length 1 and its type.
pub(crate) fn eval(name: &str, args: &[In]) -> Result<(SqlType, ArrayRef)> {
    let session = session();
    let types: Vec<ArgType> = args
        .iter()
        .map(|a| match a {
            In::Value(t, _) => ArgType::Value(t.clone()),
            In::Lambda(n, _) => ArgType::Lambda(*n),
        })
        .collect();
    let resolved = resolve_scalar(name, &types, &session, &mut |at, _| match &args[at] {
        In::Lambda(_, lambda) => Ok(lambda.returns.clone()),
        In::Value(t, _) => Ok(t.clone()),
    })?;
    let run = |rows: usize, constant: bool| {
        let args: Vec<Arg> = args
            .iter()
            .zip(&resolved.arg_types)
            .map(|(arg, wanted)| match arg {
                In::Lambda(_, lambda) => Arg::Lambda(lambda.clone()),
                In::Value(_, one) => {
                    let one = cast(one, &wanted.to_arrow()).unwrap();
                    if constant {
                        return Arg::Constant(one);
                    }
                    let rows = UInt32Array::from(vec![0; rows]);
                    Arg::Column(arrow::compute::take(&one, &rows, None).unwrap())
                }
            })
            .collect();
        let call = Call {
            name,
            args: &args,
            arg_types: &resolved.arg_types,
            return_type: &resolved.return_type,
            rows,
            session: &session,
        };
        (resolved.function.kernel)(&call)
    };
    let once = run(1, true)?;
    let many = run(3, false)?;
    assert_eq!(run(0, false)?.len(), 0, "{name}: no rows");
    assert_eq!(once.len(), 1, "{name}: rows");
    assert_eq!(many.len(), 3, "{name}: rows");
    assert_eq!(once.data_type(), &resolved.return_type.to_arrow(), "{name}: the kernel's Arrow type");
    assert_eq!(many.data_type(), &resolved.return_type.to_arrow(), "{name}: the kernel's Arrow type");
    if !resolved.function.volatile {
        for row in 0..3 {
            assert_eq!(show(&once, 0), show(&many, row), "{name}: constants and columns differ");
        }
    }
    Ok((resolved.return_type, once))
}

/// The answer as text.
pub(crate) fn answer(name: &str, args: &[In]) -> String {
    match eval(name, args) {
        Ok((_, array)) => show(&array, 0),
        Err(error) => format!("error: {}", error.message()),
    }
}

/// Compares the answer, shown as text.
#[track_caller]
pub(crate) fn check(name: &str, args: &[In], expected: &str) {
    assert_eq!(answer(name, args), expected, "{name}{args:?}");
}

/// The call has to fail with a message that contains this.
#[track_caller]
pub(crate) fn fails(name: &str, args: &[In], message: &str) {
    let error = eval(name, args).map(|(_, a)| show(&a, 0)).unwrap_err();
    assert!(error.message().contains(message), "{name}{args:?}: {error}");
}

/// The type the call returns.
pub(crate) fn type_of(name: &str, args: &[In]) -> String {
    eval(name, args).unwrap().0.to_string()
}

/// A value as text: texts as they are, `NULL`, `[a, b]`, `{k=v}`, bytes as pairs of hexadecimal digits.
pub(crate) fn show(array: &ArrayRef, row: usize) -> String {
    let mut out = String::new();
    put(array, row, &mut out);
    out
}

fn put(array: &ArrayRef, row: usize, out: &mut String) {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        out.push_str("NULL");
        return;
    }
    match array.data_type() {
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::BinaryView => {
            let pairs: Vec<String> =
                array.as_binary_view().value(row).iter().map(|b| format!("{b:02x}")).collect();
            out.push_str(&pairs.join(" "));
        }
        DataType::Float64 => write!(out, "{:?}", array.as_primitive::<Float64Type>().value(row)).unwrap(),
        DataType::Float32 => write!(out, "{:?}", array.as_primitive::<Float32Type>().value(row)).unwrap(),
        DataType::List(_) => put_all(&array.as_list::<i32>().value(row), out),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            out.push('{');
            for i in 0..entries.len() {
                out.push_str(if i > 0 { ", " } else { "" });
                put(entries.column(0), i, out);
                out.push('=');
                put(entries.column(1), i, out);
            }
            out.push('}');
        }
        DataType::Struct(fields) => {
            out.push('{');
            for (i, field) in fields.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                out.push_str(field.name());
                out.push('=');
                put(array.as_struct().column(i), row, out);
            }
            out.push('}');
        }
        // Arrow knows the names of zones only with a feature that nothing else needs: the instant is shown.
        DataType::Timestamp(unit, Some(_)) => {
            let local = DataType::Timestamp(*unit, None);
            put(&make_array(array.to_data().into_builder().data_type(local).build().unwrap()), row, out);
        }
        _ => out.push_str(&arrow::util::display::array_value_to_string(array, row).unwrap()),
    }
}

fn put_all(elements: &ArrayRef, out: &mut String) {
    out.push('[');
    for i in 0..elements.len() {
        out.push_str(if i > 0 { ", " } else { "" });
        put(elements, i, out);
    }
    out.push(']');
}
