//! Reading the arrays that folds are given and building those they answer with.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Float64Array, ListArray, MapArray, PrimitiveArray,
    StructArray, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
use model::{Error, Result};
use std::sync::Arc;

/// The array at this place, as this kind.
pub(crate) fn typed<A: Array + 'static>(args: &[ArrayRef], index: usize) -> Result<&A> {
    let array = column(args, index)?;
    array.as_any().downcast_ref::<A>().ok_or_else(|| {
        let (found, wanted) = (array.data_type(), std::any::type_name::<A>());
        Error::internal(format!("an aggregate was given {found}, not {wanted}"))
    })
}

/// The array at this place, as numbers.
pub(crate) fn numbers<T: ArrowPrimitiveType>(args: &[ArrayRef], index: usize) -> Result<&PrimitiveArray<T>> {
    typed(args, index)
}

/// An array of numbers, dates or times of this type.
pub(crate) fn primitive<T: ArrowPrimitiveType>(
    values: impl Iterator<Item = Option<T::Native>>,
    data_type: &DataType,
) -> ArrayRef {
    let array: PrimitiveArray<T> = values.collect();
    Arc::new(array.with_data_type(data_type.clone()))
}

/// An array of truths.
pub(crate) fn booleans(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

/// An array of arrays: `lengths` says how many of the values each holds, or that it is NULL.
pub(crate) fn lists(lengths: impl Iterator<Item = Option<usize>>, values: ArrayRef) -> Result<ArrayRef> {
    let mut sizes = Vec::new();
    let mut valid = Vec::new();
    for length in lengths {
        sizes.push(length.unwrap_or(0));
        valid.push(length.is_some());
    }
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let nulls = valid.iter().any(|v| !v).then(|| NullBuffer::from(valid));
    let array = ListArray::try_new(field, OffsetBuffer::from_lengths(sizes), values, nulls);
    Ok(Arc::new(array.map_err(crate::cast::arrow_error)?))
}

/// An array of maps of this type: `lengths` says how many of the entries each holds, or that it is NULL.
pub(crate) fn maps(
    data_type: &DataType,
    lengths: impl Iterator<Item = Option<usize>>,
    keys: ArrayRef,
    values: ArrayRef,
) -> Result<ArrayRef> {
    let broken = || Error::internal(format!("{data_type} is no type of maps"));
    let DataType::Map(field, _) = data_type else { return Err(broken()) };
    let DataType::Struct(fields) = field.data_type() else { return Err(broken()) };
    let (sizes, valid): (Vec<usize>, Vec<bool>) = lengths.map(|l| (l.unwrap_or(0), l.is_some())).unzip();
    let nulls = valid.iter().any(|v| !v).then(|| NullBuffer::from(valid));
    let entries =
        StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(crate::cast::arrow_error)?;
    let map = MapArray::try_new(field.clone(), OffsetBuffer::from_lengths(sizes), entries, nulls, false);
    Ok(Arc::new(map.map_err(crate::cast::arrow_error)?))
}

/// The column at this place.
pub(crate) fn column(args: &[ArrayRef], index: usize) -> Result<&ArrayRef> {
    args.get(index).ok_or_else(|| Error::internal("an aggregate was given too few columns"))
}

/// The type of a list of these.
pub(crate) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// Nothing, so many times.
pub(crate) fn nulls(data_type: &DataType, count: usize) -> ArrayRef {
    new_null_array(data_type, count)
}

/// Reads a double or a real, so that one loop serves both.
pub(crate) fn as_doubles(args: &[ArrayRef], index: usize) -> Result<Float64Array> {
    match numbers::<Float32Type>(args, index) {
        Ok(reals) => Ok(reals.unary::<_, Float64Type>(f64::from)),
        Err(_) => numbers::<Float64Type>(args, index).cloned(),
    }
}

/// An array of doubles, or of reals if this is the type.
#[allow(clippy::cast_possible_truncation, reason = "a real was asked for")]
pub(crate) fn floats(values: impl Iterator<Item = Option<f64>>, data_type: &DataType) -> ArrayRef {
    match data_type {
        DataType::Float32 => primitive::<Float32Type>(values.map(|v| v.map(|v| v as f32)), data_type),
        _ => primitive::<Float64Type>(values, &DataType::Float64),
    }
}
