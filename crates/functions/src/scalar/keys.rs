//! Values of any type as bytes that are equal, and ordered, as the values are: for finding doubles and for sorting.
//!
//! Equality is that of IS DISTINCT FROM: NULL equals NULL and NaN equals NaN, also deep inside; -0 equals 0, a map's
//! entries have no order, and trailing spaces of a `char` do not count. In order, NULL comes first and NaN last.

use crate::cast::arrow_error;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringViewArray, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};
use model::Result;
use sql::SqlType;
use std::cmp::Ordering;
use std::sync::Arc;

/// The values of an array as comparable bytes.
#[derive(Debug)]
pub(crate) struct Keys(Rows);

impl Keys {
    /// The keys of an array's values, which are of this SQL type. Keys of one type can be compared across arrays.
    pub(crate) fn new(array: &ArrayRef, sql_type: &SqlType) -> Result<Keys> {
        let array = canonical(array, sql_type)?;
        let field = SortField::new(array.data_type().clone());
        let converter = RowConverter::new(vec![field]).map_err(arrow_error)?;
        Ok(Keys(converter.convert_columns(&[array]).map_err(arrow_error)?))
    }

    /// The bytes of a value.
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        self.0.row(index).data()
    }

    /// How two values stand to each other.
    pub(crate) fn compare(&self, a: usize, b: usize) -> Ordering {
        self.get(a).cmp(self.get(b))
    }
}

/// Whether values of a type have to be changed before their bytes can be compared.
fn is_canonical(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Real | SqlType::Double | SqlType::Char(_) | SqlType::Map(..) => false,
        SqlType::Array(element) => is_canonical(element),
        SqlType::Row(fields) => fields.iter().all(|f| is_canonical(&f.sql_type)),
        _ => true,
    }
}

fn canonical(array: &ArrayRef, sql_type: &SqlType) -> Result<ArrayRef> {
    if is_canonical(sql_type) {
        return Ok(array.clone());
    }
    Ok(match (sql_type, array.data_type()) {
        (SqlType::Double, DataType::Float64) => {
            let tidy = |x: f64| if x.is_nan() { f64::NAN } else { x + 0.0 };
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(tidy)) as ArrayRef
        }
        (SqlType::Real, DataType::Float32) => {
            let tidy = |x: f32| if x.is_nan() { f32::NAN } else { x + 0.0 };
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(tidy))
        }
        (SqlType::Char(_), DataType::Utf8View) => {
            let texts = array.as_string_view();
            let trimmed: StringViewArray = texts.iter().map(|t| t.map(|t| t.trim_end_matches(' '))).collect();
            Arc::new(trimmed)
        }
        (SqlType::Array(element), DataType::List(_)) => {
            let list = array.as_list::<i32>();
            let values = canonical(list.values(), element)?;
            let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
            let built = ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned());
            Arc::new(built.map_err(arrow_error)?)
        }
        (SqlType::Map(key, value), DataType::Map(..)) => sorted_entries(array, key, value)?,
        (SqlType::Row(fields), DataType::Struct(_)) => {
            let row = array.as_struct();
            let columns = row.columns().iter().zip(fields);
            let columns: Vec<ArrayRef> =
                columns.map(|(c, f)| canonical(c, &f.sql_type)).collect::<Result<_>>()?;
            let fields = columns.iter().enumerate();
            let fields: Vec<Field> =
                fields.map(|(i, c)| Field::new(i.to_string(), c.data_type().clone(), true)).collect();
            let built =
                StructArray::try_new_with_length(fields.into(), columns, row.nulls().cloned(), row.len());
            Arc::new(built.map_err(arrow_error)?)
        }
        _ => array.clone(),
    })
}

/// A map as the list of its entries in the order of their keys.
fn sorted_entries(array: &ArrayRef, key: &SqlType, value: &SqlType) -> Result<ArrayRef> {
    let map = array.as_map();
    let order = entry_order(array, key)?;
    let keys = take(&canonical(map.keys(), key)?, &order, None).map_err(arrow_error)?;
    let values = take(&canonical(map.values(), value)?, &order, None).map_err(arrow_error)?;
    let fields = vec![
        Field::new("key", keys.data_type().clone(), false),
        Field::new("value", values.data_type().clone(), true),
    ];
    let entries = StructArray::try_new(fields.into(), vec![keys, values], None).map_err(arrow_error)?;
    let field = Arc::new(Field::new_list_field(entries.data_type().clone(), true));
    let list = ListArray::try_new(field, map.offsets().clone(), Arc::new(entries), map.nulls().cloned());
    Ok(Arc::new(list.map_err(arrow_error)?))
}

/// The places of a map array's entries, each map's in the order of its keys.
pub(crate) fn entry_order(array: &ArrayRef, key: &SqlType) -> Result<UInt32Array> {
    let map = array.as_map();
    let keys = Keys::new(map.keys(), key)?;
    let total = super::elements::index_of(map.keys().len())?;
    let mut order: Vec<u32> = (0..total).collect();
    for bounds in map.offsets().windows(2) {
        if let [start, end] = bounds
            && let Some(part) = order.get_mut(*start as usize..*end as usize)
        {
            part.sort_by(|a, b| keys.compare(*a as usize, *b as usize));
        }
    }
    Ok(UInt32Array::from(order))
}
