//! Values as JSON: numbers and truths as they are, what JSON does not know as text.

use super::Form;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float32Type, Float64Type};
use std::fmt::Write;

/// Appends the row's value; NULL is `null`.
pub(super) fn write(form: &Form, array: &dyn Array, row: usize, out: &mut String) {
    if array.is_null(row) {
        out.push_str("null");
    } else if write_nested(form, array, row, out).is_none() {
        write_simple(form, array, row, out);
    }
}

fn write_simple(form: &Form, array: &dyn Array, row: usize, out: &mut String) {
    match form {
        Form::Null
        | Form::Boolean
        | Form::TinyInt
        | Form::SmallInt
        | Form::Integer
        | Form::BigInt
        | Form::Decimal(_)
        | Form::Json => form.write(array, row, out),
        Form::Real if array.as_primitive_opt::<Float32Type>().is_some_and(|a| a.value(row).is_finite()) => {
            form.write(array, row, out);
        }
        Form::Double if array.as_primitive_opt::<Float64Type>().is_some_and(|a| a.value(row).is_finite()) => {
            form.write(array, row, out);
        }
        _ => {
            let mut text = String::new();
            form.write(array, row, &mut text);
            write_string(&text, out);
        }
    }
}

fn write_nested(form: &Form, array: &dyn Array, row: usize, out: &mut String) -> Option<()> {
    match form {
        Form::Array(element) => {
            let values = array.as_list_opt::<i32>()?.value(row);
            out.push('[');
            for i in 0..values.len() {
                comma(i, out);
                write(element, &values, i, out);
            }
            out.push(']');
        }
        Form::Map(key, value) => {
            let entries = array.as_map_opt()?.value(row);
            out.push('{');
            let mut text = String::new();
            for i in 0..entries.len() {
                comma(i, out);
                text.clear();
                key.write_or_null(entries.column(0), i, &mut text);
                write_string(&text, out);
                out.push(':');
                write(value, entries.column(1), i, out);
            }
            out.push('}');
        }
        Form::Row(fields) => {
            let values = array.as_struct_opt()?;
            out.push('{');
            for (i, ((name, form), column)) in fields.iter().zip(values.columns()).enumerate() {
                comma(i, out);
                write_string(name, out);
                out.push(':');
                write(form, column, row, out);
            }
            out.push('}');
        }
        _ => return None,
    }
    Some(())
}

fn comma(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

/// Appends a JSON string.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[start..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        start = at + 1;
    }
    out.push_str(&text[start..]);
    out.push('"');
}
