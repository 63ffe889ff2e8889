//! Casts to and from JSON.
//!
//! To JSON: rows become objects, maps become objects with their keys in order, dates and timestamps become strings.
//! From JSON: a scalar is turned as the text it stands for would be; arrays and objects become arrays, maps and rows.

use super::tree::Json;
use super::write;
use crate::Session;
use crate::cast::{OnError, cast};
use crate::render::Renderer;
use crate::render::number::write_double_cast;
use crate::scalar::string::shorten;
use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, StringViewArray, StringViewBuilder, StructArray,
    new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use chrono::DateTime;
use model::{Error, Result};
use sql::{RowField, SqlType};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Whether values of this type can be cast to JSON.
pub fn can_be_json(sql_type: &SqlType) -> bool {
    use SqlType::*;
    match sql_type {
        Date | Timestamp(_) | Json | Unknown => true,
        Array(element) => can_be_json(element),
        Map(key, value) => is_key(key) && can_be_json(value),
        Row(fields) => fields.iter().all(|f| can_be_json(&f.sql_type)),
        other => is_key(other),
    }
}

/// Whether JSON can be cast to this type.
pub fn can_be_read(sql_type: &SqlType) -> bool {
    use SqlType::*;
    match sql_type {
        Json => true,
        Array(element) => can_be_read(element),
        Map(key, value) => is_key(key) && can_be_read(value),
        Row(fields) => fields.iter().all(|f| can_be_read(&f.sql_type)),
        Char(_) => false,
        other => is_key(other),
    }
}

/// Whether values of this type can name the members of an object.
fn is_key(sql_type: &SqlType) -> bool {
    sql_type.is_numeric() || sql_type.is_text() || matches!(sql_type, SqlType::Boolean | SqlType::Unknown)
}

/// Every value as JSON text; NULL stays NULL.
pub fn to_json(array: &ArrayRef, sql_type: &SqlType) -> Result<ArrayRef> {
    if !can_be_json(sql_type) {
        return Err(Error::invalid(format!("cannot cast {sql_type} to json")));
    }
    if *sql_type == SqlType::Json {
        return Ok(array.clone());
    }
    let writer = Writer::of(sql_type);
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) || *sql_type == SqlType::Unknown {
            builder.append_null();
            continue;
        }
        text.clear();
        writer.write(array, row, &mut text);
        builder.append_value(&text);
    }
    Ok(Arc::new(builder.finish()))
}

/// How values of a type are written.
enum Writer {
    /// As they are shown: truths, integers, decimals, JSON.
    Plain(Renderer),
    Real,
    Double,
    /// As they are shown, in quotes.
    Quoted(Renderer),
    Array(Box<Writer>),
    Map(Renderer, Box<Writer>),
    Row(Vec<(String, Writer)>),
}

impl Writer {
    fn of(sql_type: &SqlType) -> Writer {
        use SqlType::*;
        match sql_type {
            Real => Writer::Real,
            Double => Writer::Double,
            Array(element) => Writer::Array(Box::new(Writer::of(element))),
            Map(key, value) => Writer::Map(Renderer::new(key), Box::new(Writer::of(value))),
            Row(fields) => Writer::Row(
                fields
                    .iter()
                    .map(|f| (f.name.clone().unwrap_or_default(), Writer::of(&f.sql_type)))
                    .collect(),
            ),
            Varchar(_) | Char(_) | Date | Timestamp(_) => Writer::Quoted(Renderer::new(sql_type)),
            other => Writer::Plain(Renderer::new(other)),
        }
    }

    fn write(&self, array: &dyn Array, row: usize, out: &mut String) {
        if array.is_null(row) || array.data_type() == &DataType::Null {
            out.push_str("null");
            return;
        }
        match self {
            Writer::Plain(renderer) => renderer.write(array, row, out),
            Writer::Real => {
                let value = array.as_primitive_opt::<Float32Type>().map_or(f32::NAN, |a| a.value(row));
                if value.is_finite() {
                    crate::render::number::write_real(value, out);
                } else {
                    write::double(value.into(), out);
                }
            }
            Writer::Double => {
                let value = array.as_primitive_opt::<Float64Type>().map_or(f64::NAN, |a| a.value(row));
                write::double(value, out);
            }
            Writer::Quoted(renderer) => {
                let mut text = String::new();
                renderer.write(array, row, &mut text);
                write::string(&text, out);
            }
            Writer::Array(element) => {
                let elements = array.as_list_opt::<i32>().map(|a| a.value(row));
                out.push('[');
                for (i, elements) in elements.iter().flat_map(|e| (0..e.len()).map(move |i| (i, e))) {
                    if i > 0 {
                        out.push(',');
                    }
                    element.write(elements, i, out);
                }
                out.push(']');
            }
            Writer::Map(key, value) => write_map(key, value, array, row, out),
            Writer::Row(fields) => {
                out.push('{');
                let columns = array.as_struct_opt().map_or(&[][..], |a| a.columns());
                for (i, ((name, writer), column)) in fields.iter().zip(columns).enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write::string(name, out);
                    out.push(':');
                    writer.write(column, row, out);
                }
                out.push('}');
            }
        }
    }
}

fn write_map(key: &Renderer, value: &Writer, array: &dyn Array, row: usize, out: &mut String) {
    let mut sorted = BTreeMap::new();
    if let Some(entries) = array.as_map_opt().map(|a| a.value(row)) {
        for i in 0..entries.len() {
            let mut text = String::new();
            key.write(entries.column(0), i, &mut text);
            sorted.insert(text, i);
        }
        out.push('{');
        for (n, (text, i)) in sorted.iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            write::string(text, out);
            out.push(':');
            value.write(entries.column(1), *i, out);
        }
        out.push('}');
    }
}

/// Reads every JSON text as a value of the type; the first that cannot be read is the error.
pub fn from_json(array: &ArrayRef, sql_type: &SqlType) -> Result<ArrayRef> {
    read(array, sql_type, OnError::Fail)
}

/// Reads every JSON text as a value of the type; what cannot be read becomes NULL.
pub fn try_from_json(array: &ArrayRef, sql_type: &SqlType) -> Result<ArrayRef> {
    read(array, sql_type, OnError::Null)
}

fn read(array: &ArrayRef, sql_type: &SqlType, on_error: OnError) -> Result<ArrayRef> {
    if !can_be_read(sql_type) {
        return Err(Error::invalid(format!("cannot cast json to {sql_type}")));
    }
    if *sql_type == SqlType::Json || array.data_type() == &DataType::Null {
        return Ok(if *sql_type == SqlType::Json {
            array.clone()
        } else {
            new_null_array(&sql_type.to_arrow(), array.len())
        });
    }
    let texts =
        array.as_string_view_opt().ok_or_else(|| Error::internal("json came in another form than text"))?;
    let mut reader = Reader { bad: BTreeSet::new(), session: Session::new(DateTime::UNIX_EPOCH) };
    let trees: Vec<Option<Json>> = texts
        .iter()
        .enumerate()
        .map(|(row, text)| {
            let tree = text.map(Json::parse)?;
            if tree.is_err() {
                reader.bad.insert(row);
            }
            tree.ok()
        })
        .collect();
    let values: Vec<Value<'_>> = trees.iter().enumerate().map(|(row, tree)| (row, tree.as_ref())).collect();
    let made = reader.column(&values, sql_type)?;
    let Some(first) = reader.bad.first().copied() else { return Ok(made) };
    if on_error == OnError::Null {
        let good: NullBuffer =
            (0..texts.len()).map(|row| !reader.bad.contains(&row)).collect::<Vec<bool>>().into();
        let nulls = NullBuffer::union(made.nulls(), Some(&good));
        let data = made.to_data().into_builder().nulls(nulls).build();
        return data.map(arrow::array::make_array).map_err(crate::cast::arrow_error);
    }
    Err(Error::invalid(format!("cannot cast '{}' to {sql_type}", shorten(texts.value(first))))
        .why("the JSON value has another form, or does not fit")
        .hint(format!("TRY_CAST(x AS {sql_type}) gives NULL for such values")))
}

/// A value to be read and the row of the batch to which it belongs.
type Value<'a> = (usize, Option<&'a Json>);

struct Reader {
    /// Rows with something that cannot be read.
    bad: BTreeSet<usize>,
    session: Session,
}

impl Reader {
    fn column(&mut self, values: &[Value<'_>], sql_type: &SqlType) -> Result<ArrayRef> {
        match sql_type {
            SqlType::Array(element) => self.arrays(values, element, sql_type),
            SqlType::Map(key, value) => self.maps(values, key, value, sql_type),
            SqlType::Row(fields) => self.rows(values, fields, sql_type),
            SqlType::Json => {
                // A JSON null inside an array stays one.
                let texts = values.iter().map(|(_, value)| {
                    value.map(|v| {
                        let mut text = String::new();
                        v.write(&mut text);
                        text
                    })
                });
                Ok(Arc::new(texts.collect::<StringViewArray>()))
            }
            other => self.scalars(values, other),
        }
    }

    fn scalars(&mut self, values: &[Value<'_>], sql_type: &SqlType) -> Result<ArrayRef> {
        let mut texts = StringViewBuilder::with_capacity(values.len());
        for (row, value) in values {
            match value {
                None | Some(Json::Null) => texts.append_null(),
                Some(Json::Array(_) | Json::Object(_)) => {
                    self.bad.insert(*row);
                    texts.append_null();
                }
                Some(value) => {
                    let text = scalar_text(value, sql_type);
                    if let SqlType::Varchar(Some(limit)) = sql_type
                        && text.chars().count() > usize::try_from(*limit).unwrap_or(usize::MAX)
                    {
                        self.bad.insert(*row);
                        texts.append_null();
                    } else {
                        texts.append_value(text);
                    }
                }
            }
        }
        let texts: ArrayRef = Arc::new(texts.finish());
        if matches!(sql_type, SqlType::Varchar(_)) {
            return Ok(texts);
        }
        let made = cast(&texts, &SqlType::VARCHAR, sql_type, &self.session, OnError::Null)?;
        if made.null_count() > texts.null_count() {
            let lost = values.iter().enumerate().filter(|(i, _)| made.is_null(*i) && texts.is_valid(*i));
            self.bad.extend(lost.map(|(_, (row, _))| *row));
        }
        Ok(made)
    }

    fn arrays(&mut self, values: &[Value<'_>], element: &SqlType, whole: &SqlType) -> Result<ArrayRef> {
        let mut inner: Vec<Value<'_>> = Vec::new();
        let mut lengths = Vec::with_capacity(values.len());
        let mut valid = Vec::with_capacity(values.len());
        for (row, value) in values {
            let elements = match value {
                Some(Json::Array(elements)) => Some(elements),
                None | Some(Json::Null) => None,
                Some(_) => {
                    self.bad.insert(*row);
                    None
                }
            };
            inner.extend(elements.into_iter().flatten().map(|e| (*row, Some(e))));
            lengths.push(elements.map_or(0, Vec::len));
            valid.push(elements.is_some());
        }
        let inner = self.column(&inner, element)?;
        let DataType::List(field) = whole.to_arrow() else {
            return Err(Error::internal("an array is no list"));
        };
        let offsets = OffsetBuffer::from_lengths(lengths);
        let list = ListArray::try_new(field, offsets, inner, Some(NullBuffer::from(valid)));
        Ok(Arc::new(list.map_err(crate::cast::arrow_error)?))
    }

    fn maps(
        &mut self,
        values: &[Value<'_>],
        key: &SqlType,
        value: &SqlType,
        whole: &SqlType,
    ) -> Result<ArrayRef> {
        let mut names: Vec<(usize, Json)> = Vec::new();
        let mut inner: Vec<Value<'_>> = Vec::new();
        let mut lengths = Vec::with_capacity(values.len());
        let mut valid = Vec::with_capacity(values.len());
        for (row, object) in values {
            let members = match object {
                Some(Json::Object(members)) => Some(members),
                None | Some(Json::Null) => None,
                Some(_) => {
                    self.bad.insert(*row);
                    None
                }
            };
            let mut seen = BTreeSet::new();
            for (name, member) in members.into_iter().flatten() {
                if !seen.insert(name) {
                    self.bad.insert(*row);
                }
                names.push((*row, Json::String(name.clone())));
                inner.push((*row, Some(member)));
            }
            lengths.push(members.map_or(0, Vec::len));
            valid.push(members.is_some());
        }
        let named: Vec<Value<'_>> = names.iter().map(|(row, name)| (*row, Some(name))).collect();
        let keys = self.column(&named, key)?;
        let keys = fill_nulls(keys, key)?;
        let inner = self.column(&inner, value)?;
        let DataType::Map(field, _) = whole.to_arrow() else {
            return Err(Error::internal("a map is no map"));
        };
        let DataType::Struct(fields) = field.data_type().clone() else {
            return Err(Error::internal("a map has no entries"));
        };
        let entries =
            StructArray::try_new(fields, vec![keys, inner], None).map_err(crate::cast::arrow_error)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        let map = MapArray::try_new(field, offsets, entries, Some(NullBuffer::from(valid)), false);
        Ok(Arc::new(map.map_err(crate::cast::arrow_error)?))
    }

    /// An array gives the fields in order; an object gives them by name, missing ones are NULL.
    fn rows(&mut self, values: &[Value<'_>], fields: &[RowField], whole: &SqlType) -> Result<ArrayRef> {
        let mut columns: Vec<Vec<Value<'_>>> = vec![Vec::with_capacity(values.len()); fields.len()];
        let mut valid = Vec::with_capacity(values.len());
        for (row, value) in values {
            let fits = match value {
                None | Some(Json::Null) => true,
                Some(Json::Array(elements)) => elements.len() == fields.len(),
                Some(Json::Object(_)) => fields.iter().all(|f| f.name.is_some()),
                Some(_) => false,
            };
            if !fits {
                self.bad.insert(*row);
            }
            valid.push(matches!(value, Some(Json::Array(_) | Json::Object(_))));
            for (i, (field, column)) in fields.iter().zip(&mut columns).enumerate() {
                let found = match value {
                    Some(Json::Array(elements)) => elements.get(i),
                    Some(Json::Object(members)) => {
                        let mut found = members.iter().filter(|(name, _)| {
                            field.name.as_ref().is_some_and(|f| f.eq_ignore_ascii_case(name))
                        });
                        let first = found.next();
                        if found.next().is_some() {
                            self.bad.insert(*row);
                        }
                        first.map(|(_, value)| value)
                    }
                    _ => None,
                };
                column.push((*row, found));
            }
        }
        let mut made = Vec::with_capacity(fields.len());
        for (field, column) in fields.iter().zip(&columns) {
            made.push(self.column(column, &field.sql_type)?);
        }
        let DataType::Struct(names) = whole.to_arrow() else {
            return Err(Error::internal("a row is no struct"));
        };
        let made = StructArray::try_new_with_length(names, made, Some(NullBuffer::from(valid)), values.len());
        Ok(Arc::new(made.map_err(crate::cast::arrow_error)?))
    }
}

/// A scalar as the text that casts to the type as Trino casts the value.
fn scalar_text(value: &Json, sql_type: &SqlType) -> String {
    let text_wanted = matches!(sql_type, SqlType::Varchar(_));
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(truth) if text_wanted || *sql_type == SqlType::Boolean => truth.to_string(),
        Json::Bool(truth) => u8::from(*truth).to_string(),
        Json::Number(text, float) => {
            let number = text.parse::<f64>().unwrap_or(f64::NAN);
            if *sql_type == SqlType::Boolean {
                return (number != 0.0).to_string();
            }
            if *float && text_wanted {
                let mut out = String::new();
                write_double_cast(number, &mut out);
                return out;
            }
            // Halves are rounded away from zero.
            if *float && sql_type.is_integer() && number.abs() < 1e18 {
                return (number.round() as i64).to_string();
            }
            text.clone()
        }
        other => {
            let mut out = String::new();
            other.write(&mut out);
            out
        }
    }
}

/// Keys are never NULL: where one could not be read its row is refused already, and any value will do.
fn fill_nulls(keys: ArrayRef, key: &SqlType) -> Result<ArrayRef> {
    if keys.null_count() == 0 {
        return Ok(keys);
    }
    let data = keys.to_data().into_builder().nulls(None).data_type(key.to_arrow()).build();
    data.map(arrow::array::make_array).map_err(crate::cast::arrow_error)
}
