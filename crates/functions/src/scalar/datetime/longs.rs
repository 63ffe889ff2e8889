//! Times, timestamps and durations of every unit as plain 64-bit numbers, and back.

use crate::{Call, Values};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, Int64Builder, make_array};
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Int64Type, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use model::{Error, Result};

/// How many of the type's units make a second; nothing for types that are not of time.
pub(crate) fn unit_of(data_type: &DataType) -> Option<i64> {
    let (DataType::Timestamp(unit, _) | DataType::Duration(unit) | DataType::Time64(unit)) = data_type else {
        return None;
    };
    Some(match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    })
}

/// The numbers behind the array and how many of their units make a second.
pub(crate) fn raw(array: &dyn Array) -> Option<(&[i64], i64)> {
    macro_rules! values {
        ($t:ty) => {
            array.as_primitive_opt::<$t>()?.values()
        };
    }
    let values: &[i64] = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => values!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => values!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => values!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => values!(TimestampNanosecondType),
        DataType::Duration(TimeUnit::Second) => values!(DurationSecondType),
        DataType::Duration(TimeUnit::Millisecond) => values!(DurationMillisecondType),
        DataType::Duration(TimeUnit::Microsecond) => values!(DurationMicrosecondType),
        DataType::Duration(TimeUnit::Nanosecond) => values!(DurationNanosecondType),
        DataType::Time64(TimeUnit::Microsecond) => values!(Time64MicrosecondType),
        DataType::Time64(_) => values!(Time64NanosecondType),
        _ => return None,
    };
    Some((values, unit_of(array.data_type())?))
}

/// The array as numbers, sharing its memory.
pub(crate) fn to_longs(array: &ArrayRef) -> Result<Int64Array> {
    retype(array, DataType::Int64)
        .and_then(|numbers| numbers.as_primitive_opt::<Int64Type>().cloned())
        .ok_or_else(|| Error::internal(format!("{} is not kept in 64 bits", array.data_type())))
}

/// Numbers as an array of this type, sharing their memory.
pub(crate) fn from_longs(numbers: Int64Array, data_type: &DataType) -> Result<ArrayRef> {
    let array: ArrayRef = std::sync::Arc::new(numbers);
    retype(&array, data_type.clone())
        .ok_or_else(|| Error::internal(format!("{data_type} is not kept in 64 bits")))
}

fn retype(array: &ArrayRef, data_type: DataType) -> Option<ArrayRef> {
    let wide = |t: &DataType| *t == DataType::Int64 || unit_of(t).is_some();
    if !wide(array.data_type()) || !wide(&data_type) {
        return None;
    }
    let data = array.to_data().into_builder().data_type(data_type).build().ok()?;
    Some(make_array(data))
}

/// An argument's times as numbers.
#[derive(Debug)]
pub(crate) struct Longs {
    values: Values<Int64Array>,
    /// How many units make a second.
    pub(crate) unit: i64,
}

impl Longs {
    /// The number in this row.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        self.values.get(row)
    }

    /// All of them, if each row has its own.
    pub(crate) fn column(&self) -> Option<&Int64Array> {
        (!self.values.constant).then_some(&self.values.array)
    }
}

/// The argument as numbers with their unit.
pub(crate) fn longs(call: &Call<'_>, index: usize) -> Result<Longs> {
    let (array, constant) = call.arg(index)?;
    let unit = unit_of(array.data_type()).unwrap_or(1);
    Ok(Longs { values: Values { array: to_longs(array)?, constant }, unit })
}

/// How many units of the return type make a second.
pub(crate) fn return_unit(call: &Call<'_>) -> i64 {
    unit_of(&call.return_type.to_arrow()).unwrap_or(1)
}

/// Computes a time, timestamp or duration of the return type per row without NULL arguments.
pub(crate) fn build_longs(
    call: &Call<'_>,
    mut compute: impl FnMut(usize) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let valid = call.valid();
    let mut builder = Int64Builder::with_capacity(call.rows);
    for row in 0..call.rows {
        let value = if valid.as_ref().is_none_or(|v| v.is_valid(row)) { compute(row)? } else { None };
        builder.append_option(value);
    }
    from_longs(builder.finish(), &call.return_type.to_arrow())
}

/// A value prepared from a text argument: once if it is constant, else per row while it stays the same.
#[derive(Debug)]
pub(crate) struct Prepared<T> {
    values: Values<arrow::array::StringViewArray>,
    last: Option<(String, T)>,
    prepare: fn(&str) -> Result<T>,
}

impl<T> Prepared<T> {
    /// Prepares the argument's values with this.
    pub(crate) fn new(call: &Call<'_>, index: usize, prepare: fn(&str) -> Result<T>) -> Result<Self> {
        Ok(Self { values: call.strings(index)?, last: None, prepare })
    }

    /// The text, if it is the same for all rows and not NULL.
    pub(crate) fn constant(&self) -> Option<&str> {
        if self.values.constant { self.values.get(0) } else { None }
    }

    /// What was prepared for the row; the row's text must not be NULL.
    pub(crate) fn get(&mut self, row: usize) -> Result<&T> {
        if !(self.values.constant && self.last.is_some()) {
            let text = self.values.get(row).unwrap_or_default();
            if self.last.as_ref().is_none_or(|(before, _)| before != text) {
                self.last = Some((text.to_owned(), (self.prepare)(text)?));
            }
        }
        match &self.last {
            Some((_, prepared)) => Ok(prepared),
            None => Err(Error::internal("nothing was prepared")),
        }
    }
}
