//! Comparing values of any type, deep into arrays, maps and rows; `greatest` and `least`.
//!
//! The planner compares plain values with the engine's own operators and takes these for nested types. Equality has
//! three answers: two arrays of which one holds a NULL are neither equal nor different unless another element decides.

use super::elements::{pick, take_or_null};
use super::keys::{Keys, entry_order};
use crate::cast::arrow_error;
use crate::registry::Family;
use crate::{Call, Scalar};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanBuilder, PrimitiveArray, downcast_primitive,
};
use arrow::compute::kernels::cmp;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use model::{Error, Result};
use sql::SqlType;
use std::cmp::Ordering;

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Comparison functions and operators",
    scalars: &[
        Scalar::new("$eq", &["(T:comparable, T) -> boolean"], equal, "Whether two values are equal."),
        Scalar::new("$ne", &["(T:comparable, T) -> boolean"], not_equal, "Whether two values differ."),
        Scalar::new("$lt", &["(T:orderable, T) -> boolean"], less, "Whether the first value is less."),
        Scalar::new("$lte", &["(T:orderable, T) -> boolean"], less_or_equal, "Whether it is not greater."),
        Scalar::new("$gt", &["(T:orderable, T) -> boolean"], greater, "Whether the first value is greater."),
        Scalar::new("$gte", &["(T:orderable, T) -> boolean"], greater_or_equal, "Whether it is not less."),
        Scalar::new("$distinct_from", &["(T:comparable, T) -> boolean"], distinct, "IS DISTINCT FROM.")
            .handles_nulls(),
        Scalar::new(
            "greatest",
            &["(T:orderable, T...) -> T"],
            greatest,
            "Returns the largest of the values.",
        ),
        Scalar::new("least", &["(T:orderable, T...) -> T"], least, "Returns the smallest of the values."),
    ],
    aggregates: &[],
};

/// Says whether two places hold equal values; nothing if a NULL leaves it open.
pub(crate) type Equal<'a> = Box<dyn Fn(usize, usize) -> Option<bool> + 'a>;

/// Says how two places stand to each other; an error where a NULL inside leaves it open.
pub(crate) type Order<'a> = Box<dyn Fn(usize, usize) -> Result<Ordering> + 'a>;

/// Compares the values of two arrays of the same type by `=`.
pub(crate) fn equality<'a>(a: &'a ArrayRef, b: &'a ArrayRef, sql_type: &SqlType) -> Result<Equal<'a>> {
    let values = values_equal(a, b, sql_type)?;
    if a.logical_null_count() == 0 && b.logical_null_count() == 0 {
        return Ok(values);
    }
    let (a, b) = (a.logical_nulls(), b.logical_nulls());
    Ok(Box::new(move |i, j| {
        let null = a.as_ref().is_some_and(|n| n.is_null(i)) || b.as_ref().is_some_and(|n| n.is_null(j));
        if null { None } else { values(i, j) }
    }))
}

fn values_equal<'a>(a: &'a ArrayRef, b: &'a ArrayRef, sql_type: &SqlType) -> Result<Equal<'a>> {
    macro_rules! plain {
        ($t:ty) => {{
            let (a, b) = (a.as_primitive::<$t>(), b.as_primitive::<$t>());
            Box::new(move |i, j| Some(a.value(i) == b.value(j)))
        }};
    }
    if a.data_type() != b.data_type() {
        return Err(mismatch(a, b));
    }
    Ok(match (a.data_type(), sql_type) {
        (DataType::Null, _) => Box::new(|_, _| None),
        (DataType::Boolean, _) => {
            let (a, b) = (a.as_boolean(), b.as_boolean());
            Box::new(move |i, j| Some(a.value(i) == b.value(j)))
        }
        (DataType::Utf8View, SqlType::Char(_)) => {
            let (a, b) = (a.as_string_view(), b.as_string_view());
            Box::new(move |i, j| Some(a.value(i).trim_end_matches(' ') == b.value(j).trim_end_matches(' ')))
        }
        (DataType::Utf8View, _) => {
            let (a, b) = (a.as_string_view(), b.as_string_view());
            Box::new(move |i, j| Some(a.value(i) == b.value(j)))
        }
        (DataType::BinaryView, _) => {
            let (a, b) = (a.as_binary_view(), b.as_binary_view());
            Box::new(move |i, j| Some(a.value(i) == b.value(j)))
        }
        (DataType::List(_), SqlType::Array(element)) => lists_equal(a, b, element)?,
        (DataType::Map(..), SqlType::Map(key, value)) => maps_equal(a, b, key, value)?,
        (DataType::Struct(_), SqlType::Row(fields)) => {
            let columns = a.as_struct().columns().iter().zip(b.as_struct().columns()).zip(fields);
            let columns: Vec<Equal<'a>> =
                columns.map(|((a, b), f)| equality(a, b, &f.sql_type)).collect::<Result<_>>()?;
            Box::new(move |i, j| all_equal(columns.iter().map(|equal| equal(i, j))))
        }
        (other, _) => downcast_primitive! {
            other => (plain),
            other => return Err(Error::internal(format!("values of type {other} cannot be compared")))
        },
    })
}

/// TRUE if all are, FALSE if one is, open otherwise.
fn all_equal(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => open = true,
        }
    }
    if open { None } else { Some(true) }
}

fn lists_equal<'a>(a: &'a ArrayRef, b: &'a ArrayRef, element: &SqlType) -> Result<Equal<'a>> {
    let (a, b) = (a.as_list::<i32>(), b.as_list::<i32>());
    let equal = equality(a.values(), b.values(), element)?;
    Ok(Box::new(move |i, j| {
        let (length, other) = (a.value_length(i), b.value_length(j));
        let (start, begin) = (a.value_offsets()[i], b.value_offsets()[j]);
        if length != other {
            return Some(false);
        }
        all_equal((0..length).map(|k| equal((start + k) as usize, (begin + k) as usize)))
    }))
}

/// Maps are equal if they have the same keys with equal values: both are walked in the order of their keys.
fn maps_equal<'a>(a: &'a ArrayRef, b: &'a ArrayRef, key: &SqlType, value: &SqlType) -> Result<Equal<'a>> {
    let (order_a, order_b) = (entry_order(a, key)?, entry_order(b, key)?);
    let (a, b) = (a.as_map(), b.as_map());
    let (keys_a, keys_b) = (Keys::new(a.keys(), key)?, Keys::new(b.keys(), key)?);
    let equal = equality(a.values(), b.values(), value)?;
    Ok(Box::new(move |i, j| {
        let (length, other) = (a.value_length(i), b.value_length(j));
        let (start, begin) = (a.value_offsets()[i], b.value_offsets()[j]);
        if length != other {
            return Some(false);
        }
        all_equal((0..length).map(|k| {
            let x = order_a.value((start + k) as usize) as usize;
            let y = order_b.value((begin + k) as usize) as usize;
            if keys_a.get(x) != keys_b.get(y) { Some(false) } else { equal(x, y) }
        }))
    }))
}

/// Orders the values of two arrays of the same type; the values themselves must not be NULL. NaN is the largest.
pub(crate) fn ordering<'a>(a: &'a ArrayRef, b: &'a ArrayRef, sql_type: &SqlType) -> Result<Order<'a>> {
    macro_rules! plain {
        ($t:ty) => {
            primitives_ordered::<$t>(a.as_primitive(), b.as_primitive())
        };
    }
    if a.data_type() != b.data_type() {
        return Err(mismatch(a, b));
    }
    Ok(match (a.data_type(), sql_type) {
        (DataType::Null, _) => Box::new(|_, _| Ok(Ordering::Equal)),
        (DataType::Boolean, _) => {
            let (a, b) = (a.as_boolean(), b.as_boolean());
            Box::new(move |i, j| Ok(a.value(i).cmp(&b.value(j))))
        }
        (DataType::Utf8View, SqlType::Char(_)) => {
            let (a, b) = (a.as_string_view(), b.as_string_view());
            let trim = |text: &'a str| text.trim_end_matches(' ');
            Box::new(move |i, j| Ok(trim(a.value(i)).cmp(trim(b.value(j)))))
        }
        (DataType::Utf8View, _) => {
            let (a, b) = (a.as_string_view(), b.as_string_view());
            Box::new(move |i, j| Ok(a.value(i).cmp(b.value(j))))
        }
        (DataType::BinaryView, _) => {
            let (a, b) = (a.as_binary_view(), b.as_binary_view());
            Box::new(move |i, j| Ok(a.value(i).cmp(b.value(j))))
        }
        (DataType::List(_), SqlType::Array(element)) => lists_ordered(a, b, element)?,
        (DataType::Struct(_), SqlType::Row(fields)) => {
            let columns = a.as_struct().columns().iter().zip(b.as_struct().columns()).zip(fields);
            let columns: Vec<Order<'a>> =
                columns.map(|((a, b), f)| without_nulls(a, b, &f.sql_type, "row")).collect::<Result<_>>()?;
            Box::new(move |i, j| first_difference(columns.iter().map(|order| order(i, j))))
        }
        (other, _) => downcast_primitive! {
            other => (plain),
            other => return Err(Error::internal(format!("values of type {other} cannot be ordered")))
        },
    })
}

fn primitives_ordered<'a, T: ArrowPrimitiveType>(
    a: &'a PrimitiveArray<T>,
    b: &'a PrimitiveArray<T>,
) -> Order<'a>
where
    T::Native: PartialOrd,
{
    // Only floating-point numbers have values that do not equal themselves.
    let nan = |x: T::Native| x.partial_cmp(&x).is_none();
    Box::new(move |i, j| {
        let (x, y) = (a.value(i), b.value(j));
        Ok(x.partial_cmp(&y).unwrap_or_else(|| nan(x).cmp(&nan(y))))
    })
}

fn lists_ordered<'a>(a: &'a ArrayRef, b: &'a ArrayRef, element: &SqlType) -> Result<Order<'a>> {
    let (a, b) = (a.as_list::<i32>(), b.as_list::<i32>());
    let order = without_nulls(a.values(), b.values(), element, "array")?;
    Ok(Box::new(move |i, j| {
        let (length, other) = (a.value_length(i), b.value_length(j));
        let (start, begin) = (a.value_offsets()[i], b.value_offsets()[j]);
        let parts = (0..length.min(other)).map(|k| order((start + k) as usize, (begin + k) as usize));
        Ok(first_difference(parts)?.then(length.cmp(&other)))
    }))
}

fn first_difference(parts: impl Iterator<Item = Result<Ordering>>) -> Result<Ordering> {
    for part in parts {
        let part = part?;
        if part != Ordering::Equal {
            return Ok(part);
        }
    }
    Ok(Ordering::Equal)
}

/// The order of parts of a value: NULL among them is an error.
fn without_nulls<'a>(
    a: &'a ArrayRef,
    b: &'a ArrayRef,
    part: &SqlType,
    whole: &'static str,
) -> Result<Order<'a>> {
    let order = ordering(a, b, part)?;
    let (nulls_a, nulls_b) = (a.logical_nulls(), b.logical_nulls());
    if nulls_a.is_none() && nulls_b.is_none() {
        return Ok(order);
    }
    let parts = if whole == "row" { "fields" } else { "elements" };
    Ok(Box::new(move |i, j| {
        let null =
            |nulls: &Option<arrow::buffer::NullBuffer>, at| nulls.as_ref().is_some_and(|n| n.is_null(at));
        if null(&nulls_a, i) || null(&nulls_b, j) {
            return Err(Error::invalid(format!(
                "{whole} comparison is not supported for {whole}s with NULL {parts}"
            )));
        }
        order(i, j)
    }))
}

fn mismatch(a: &ArrayRef, b: &ArrayRef) -> Error {
    Error::internal(format!("{} is compared with {}", a.data_type(), b.data_type()))
}

fn equal(call: &Call<'_>) -> Result<ArrayRef> {
    compare_equal(call, |equal| equal)
}

fn not_equal(call: &Call<'_>) -> Result<ArrayRef> {
    compare_equal(call, |equal| !equal)
}

fn compare_equal(call: &Call<'_>, decide: fn(bool) -> bool) -> Result<ArrayRef> {
    let ((a, a_one), (b, b_one)) = (call.arg(0)?, call.arg(1)?);
    let equal = equality(a, b, first_type(call))?;
    call.build_booleans(|row| {
        let (i, j) = (if a_one { 0 } else { row }, if b_one { 0 } else { row });
        Ok(equal(i, j).map(decide))
    })
}

fn distinct(call: &Call<'_>) -> Result<ArrayRef> {
    let ((a, a_one), (b, b_one)) = (call.arg(0)?, call.arg(1)?);
    let (a, b) = (Keys::new(a, first_type(call))?, Keys::new(b, first_type(call))?);
    let mut builder = BooleanBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        builder.append_value(a.get(if a_one { 0 } else { row }) != b.get(if b_one { 0 } else { row }));
    }
    Ok(std::sync::Arc::new(builder.finish()))
}

fn less(call: &Call<'_>) -> Result<ArrayRef> {
    compare_order(call, Ordering::is_lt)
}

fn less_or_equal(call: &Call<'_>) -> Result<ArrayRef> {
    compare_order(call, Ordering::is_le)
}

fn greater(call: &Call<'_>) -> Result<ArrayRef> {
    compare_order(call, Ordering::is_gt)
}

fn greater_or_equal(call: &Call<'_>) -> Result<ArrayRef> {
    compare_order(call, Ordering::is_ge)
}

fn compare_order(call: &Call<'_>, decide: fn(Ordering) -> bool) -> Result<ArrayRef> {
    let ((a, a_one), (b, b_one)) = (call.arg(0)?, call.arg(1)?);
    let order = ordering(a, b, first_type(call))?;
    let (nan_a, nan_b) = (nan_test(a), nan_test(b));
    call.build_booleans(|row| {
        let (i, j) = (if a_one { 0 } else { row }, if b_one { 0 } else { row });
        Ok(Some(!nan_a(i) && !nan_b(j) && decide(order(i, j)?)))
    })
}

fn first_type<'a>(call: &'a Call<'_>) -> &'a SqlType {
    call.arg_types.first().unwrap_or(&SqlType::Unknown)
}

/// Whether a place holds NaN: such a value is neither less nor greater than any.
fn nan_test(array: &ArrayRef) -> Box<dyn Fn(usize) -> bool + '_> {
    match array.data_type() {
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            Box::new(|i| values.value(i).is_nan())
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            Box::new(|i| values.value(i).is_nan())
        }
        _ => Box::new(|_| false),
    }
}

fn greatest(call: &Call<'_>) -> Result<ArrayRef> {
    extreme(call, Ordering::Greater)
}

fn least(call: &Call<'_>) -> Result<ArrayRef> {
    extreme(call, Ordering::Less)
}

/// The value that stands in this order to all others; NULL if one is NULL. NaN loses against every number.
fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef> {
    let data_type = call.return_type.to_arrow();
    if data_type == DataType::Null {
        return Ok(call.nulls());
    }
    let columns = (0..call.args.len()).map(|i| call.column(i)).collect::<Result<Vec<ArrayRef>>>()?;
    let careful =
        data_type.is_nested() || data_type.is_floating() || matches!(call.return_type, SqlType::Char(_));
    let best = if careful {
        extreme_by_place(call, &columns, wanted, &data_type)?
    } else {
        let mut columns = columns.iter();
        let mut best = columns.next().cloned().unwrap_or_else(|| call.nulls());
        for column in columns {
            let better = match wanted {
                Ordering::Greater => cmp::gt(column, &best),
                _ => cmp::lt(column, &best),
            };
            best = zip(&better.map_err(arrow_error)?, column, &best).map_err(arrow_error)?;
        }
        best
    };
    match call.valid() {
        None => Ok(best),
        Some(valid) => {
            let rows = (0..call.rows).map(|row| valid.is_valid(row).then_some(row));
            take_or_null(&best, rows, &data_type)
        }
    }
}

fn extreme_by_place(
    call: &Call<'_>,
    columns: &[ArrayRef],
    wanted: Ordering,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let valid = call.valid();
    let mut best = vec![0usize; call.rows];
    for (index, column) in columns.iter().enumerate().skip(1) {
        let orders: Vec<Order<'_>> =
            columns[..index].iter().map(|b| ordering(column, b, call.return_type)).collect::<Result<_>>()?;
        let tests: Vec<_> = columns[..=index].iter().map(nan_test).collect();
        for (row, best) in best.iter_mut().enumerate() {
            if valid.as_ref().is_some_and(|v| v.is_null(row)) {
                continue;
            }
            let better = match (tests[index](row), tests[*best](row)) {
                (true, _) => false,
                (false, true) => true,
                (false, false) => orders[*best](row, row)? == wanted,
            };
            if better {
                *best = index;
            }
        }
    }
    pick(columns, best.iter().copied().enumerate().map(|(row, source)| (source, row)), data_type)
}
