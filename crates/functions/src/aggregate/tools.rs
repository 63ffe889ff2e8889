//! Reading the arrays that folds are given and building those they answer with.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, PrimitiveArray, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use model::{Error, Result};
use std::sync::Arc;

/// The array at this place, as this kind.
pub(crate) fn typed<A: Array + 'static>(args: &[ArrayRef], index: usize) -> Result<&A> {
    let array = args.get(index).ok_or_else(|| Error::internal("an aggregate was given too few columns"))?;
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

/// The type of a list of these.
pub(crate) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// Nothing, so many times.
pub(crate) fn nulls(data_type: &DataType, count: usize) -> ArrayRef {
    new_null_array(data_type, count)
}
