//! Growing the columns of a batch, value by value: one builder a type, nested ones hold their parts'.

mod cells;
mod cursor;
mod json;
mod keys;
mod nested;
mod nulls;
mod text;
mod value;

pub(crate) use cells::{Cell, Cells, Reading};
pub(crate) use cursor::{Cursor, Malformed};
pub(crate) use keys::{KeyRules, Keys};
pub(crate) use nested::unescaped;
pub(crate) use text::Block;
pub(crate) use value::{Epoch, Field, NO_COLUMN, Rules};

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, ListArray, MapArray, NullArray,
    PrimitiveArray, StructArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMillisecondType, Fields, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalYearMonthType, TimeUnit,
};
use model::{Error, Result};
use nulls::Nulls;
use sql::SqlType;
use std::sync::Arc;
use text::{Limit, TextBuilder};

/// Why a value did not convert, as in `is no integer`.
pub(crate) type Rejected = &'static str;

/// Values of one primitive type.
pub(crate) struct Prim<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: Nulls,
}

impl<T: ArrowPrimitiveType> Prim<T> {
    fn new() -> Self {
        Self { values: Vec::new(), nulls: Nulls::default() }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: T::Native) {
        self.values.push(value);
        self.nulls.push(true);
    }

    #[inline]
    fn push_null(&mut self) {
        self.values.push(T::Native::default());
        self.nulls.push(false);
    }

    fn pop(&mut self) {
        self.values.pop();
        self.nulls.pop();
    }

    fn finish(&mut self) -> PrimitiveArray<T> {
        let capacity = self.values.len();
        let values = std::mem::replace(&mut self.values, Vec::with_capacity(capacity));
        PrimitiveArray::new(ScalarBuffer::from(values), self.nulls.finish())
    }
}

/// A column in the making.
pub(crate) enum Builder {
    Null(usize),
    Boolean(BooleanBufferBuilder, Nulls),
    Int8(Prim<Int8Type>),
    Int16(Prim<Int16Type>),
    Int32(Prim<Int32Type>),
    Int64(Prim<Int64Type>),
    Float32(Prim<Float32Type>),
    Float64(Prim<Float64Type>),
    Decimal(Prim<Decimal128Type>, u8, u8),
    Date(Prim<Date32Type>),
    /// Times and timestamps with the Arrow type they end in and the nanoseconds of one unit.
    Time(Prim<Int64Type>, DataType, i64),
    Timestamp(Prim<Int64Type>, DataType, TimeUnit),
    YearMonth(Prim<IntervalYearMonthType>),
    DaySecond(Prim<DurationMillisecondType>),
    Text(TextBuilder),
    Binary(TextBuilder),
    List(Box<Lists>),
    Map(Box<Maps>),
    Row(Box<Rows>),
}

pub(crate) struct Lists {
    offsets: Vec<i32>,
    nulls: Nulls,
    items: Builder,
    data_type: DataType,
}

pub(crate) struct Maps {
    offsets: Vec<i32>,
    nulls: Nulls,
    keys: Builder,
    values: Builder,
    data_type: DataType,
}

pub(crate) struct Rows {
    nulls: Nulls,
    names: Vec<String>,
    fields: Vec<Builder>,
    /// How JSON's keys find the fields; made when the first object comes.
    keys: Option<Keys>,
    data_type: DataType,
}

impl Builder {
    /// A builder for values of this type.
    pub(crate) fn new(sql_type: &SqlType) -> Builder {
        let data_type = sql_type.to_arrow();
        match sql_type {
            SqlType::Unknown | SqlType::Function(..) => Builder::Null(0),
            SqlType::Boolean => Builder::Boolean(BooleanBufferBuilder::new(0), Nulls::default()),
            SqlType::TinyInt => Builder::Int8(Prim::new()),
            SqlType::SmallInt => Builder::Int16(Prim::new()),
            SqlType::Integer => Builder::Int32(Prim::new()),
            SqlType::BigInt => Builder::Int64(Prim::new()),
            SqlType::Real => Builder::Float32(Prim::new()),
            SqlType::Double => Builder::Float64(Prim::new()),
            SqlType::Decimal(p, s) => Builder::Decimal(Prim::new(), *p, *s),
            SqlType::Date => Builder::Date(Prim::new()),
            SqlType::Time(_) => {
                let nanos = if data_type == DataType::Time64(TimeUnit::Nanosecond) { 1 } else { 1000 };
                Builder::Time(Prim::new(), data_type, nanos)
            }
            SqlType::Timestamp(_) | SqlType::TimestampTz(..) => {
                let unit =
                    if let DataType::Timestamp(unit, _) = &data_type { *unit } else { TimeUnit::Millisecond };
                Builder::Timestamp(Prim::new(), data_type, unit)
            }
            SqlType::IntervalYearMonth => Builder::YearMonth(Prim::new()),
            SqlType::IntervalDaySecond => Builder::DaySecond(Prim::new()),
            SqlType::Varchar(limit) => {
                Builder::Text(TextBuilder::new(limit.map_or(Limit::None, Limit::Varchar), false))
            }
            SqlType::Char(limit) => Builder::Text(TextBuilder::new(Limit::Char(*limit), false)),
            SqlType::Json | SqlType::Uuid => Builder::Text(TextBuilder::new(Limit::None, false)),
            SqlType::Varbinary | SqlType::IpAddress | SqlType::HyperLogLog => {
                Builder::Binary(TextBuilder::new(Limit::None, true))
            }
            SqlType::Array(items) => Builder::List(Box::new(Lists {
                offsets: vec![0],
                nulls: Nulls::default(),
                items: Builder::new(items),
                data_type,
            })),
            SqlType::Map(keys, values) => Builder::Map(Box::new(Maps {
                offsets: vec![0],
                nulls: Nulls::default(),
                keys: Builder::new(keys),
                values: Builder::new(values),
                data_type,
            })),
            SqlType::Row(fields) => Builder::Row(Box::new(Rows {
                nulls: Nulls::default(),
                names: fields.iter().enumerate().map(|(i, f)| f.arrow_name(i)).collect(),
                fields: fields.iter().map(|f| Builder::new(&f.sql_type)).collect(),
                keys: None,
                data_type,
            })),
        }
    }

    /// Adds a NULL.
    pub(crate) fn push_null(&mut self) {
        match self {
            Builder::Null(len) => *len += 1,
            Builder::Boolean(values, nulls) => {
                values.append(false);
                nulls.push(false);
            }
            Builder::Int8(prim) => prim.push_null(),
            Builder::Int16(prim) => prim.push_null(),
            Builder::Int32(prim) => prim.push_null(),
            Builder::Int64(prim) | Builder::Time(prim, ..) | Builder::Timestamp(prim, ..) => prim.push_null(),
            Builder::Float32(prim) => prim.push_null(),
            Builder::Float64(prim) => prim.push_null(),
            Builder::Decimal(prim, ..) => prim.push_null(),
            Builder::Date(prim) => prim.push_null(),
            Builder::YearMonth(prim) => prim.push_null(),
            Builder::DaySecond(prim) => prim.push_null(),
            Builder::Text(text) | Builder::Binary(text) => text.push_null(),
            Builder::List(lists) => lists.close(false),
            Builder::Map(maps) => maps.close(false),
            Builder::Row(rows) => {
                rows.fields.iter_mut().for_each(Builder::push_null);
                rows.nulls.push(false);
            }
        }
    }

    /// Takes back the last value.
    pub(crate) fn pop(&mut self) {
        match self {
            Builder::Null(len) => *len = len.saturating_sub(1),
            Builder::Boolean(values, nulls) => {
                values.truncate(values.len().saturating_sub(1));
                nulls.pop();
            }
            Builder::Int8(prim) => prim.pop(),
            Builder::Int16(prim) => prim.pop(),
            Builder::Int32(prim) => prim.pop(),
            Builder::Int64(prim) | Builder::Time(prim, ..) | Builder::Timestamp(prim, ..) => prim.pop(),
            Builder::Float32(prim) => prim.pop(),
            Builder::Float64(prim) => prim.pop(),
            Builder::Decimal(prim, ..) => prim.pop(),
            Builder::Date(prim) => prim.pop(),
            Builder::YearMonth(prim) => prim.pop(),
            Builder::DaySecond(prim) => prim.pop(),
            Builder::Text(text) | Builder::Binary(text) => text.pop(),
            Builder::List(lists) => lists.pop(),
            Builder::Map(maps) => maps.pop(),
            Builder::Row(rows) => {
                rows.fields.iter_mut().for_each(Builder::pop);
                rows.nulls.pop();
            }
        }
    }

    fn nulls(&self) -> Option<&Nulls> {
        Some(match self {
            Builder::Null(_) => return None,
            Builder::Boolean(_, nulls) => nulls,
            Builder::Int8(prim) => &prim.nulls,
            Builder::Int16(prim) => &prim.nulls,
            Builder::Int32(prim) => &prim.nulls,
            Builder::Int64(prim) | Builder::Time(prim, ..) | Builder::Timestamp(prim, ..) => &prim.nulls,
            Builder::Float32(prim) => &prim.nulls,
            Builder::Float64(prim) => &prim.nulls,
            Builder::Decimal(prim, ..) => &prim.nulls,
            Builder::Date(prim) => &prim.nulls,
            Builder::YearMonth(prim) => &prim.nulls,
            Builder::DaySecond(prim) => &prim.nulls,
            Builder::Text(text) | Builder::Binary(text) => &text.nulls,
            Builder::List(lists) => &lists.nulls,
            Builder::Map(maps) => &maps.nulls,
            Builder::Row(rows) => &rows.nulls,
        })
    }

    /// How many values it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Builder::Null(len) => *len,
            other => other.nulls().map_or(0, Nulls::len),
        }
    }

    /// Whether the last value is NULL.
    fn last_is_null(&self) -> bool {
        self.nulls().is_none_or(Nulls::last_is_null)
    }

    /// The array of what was added; the builder is empty again.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let array: ArrayRef = match self {
            Builder::Null(len) => Arc::new(NullArray::new(std::mem::take(len))),
            Builder::Boolean(values, nulls) => Arc::new(BooleanArray::new(values.finish(), nulls.finish())),
            Builder::Int8(prim) => Arc::new(prim.finish()),
            Builder::Int16(prim) => Arc::new(prim.finish()),
            Builder::Int32(prim) => Arc::new(prim.finish()),
            Builder::Int64(prim) => Arc::new(prim.finish()),
            Builder::Float32(prim) => Arc::new(prim.finish()),
            Builder::Float64(prim) => Arc::new(prim.finish()),
            Builder::Decimal(prim, p, s) => {
                let scale = i8::try_from(*s).unwrap_or(38);
                Arc::new(prim.finish().with_precision_and_scale(*p, scale).map_err(broken)?)
            }
            Builder::Date(prim) => Arc::new(prim.finish()),
            // The unit and zone are only a matter of the type: the values are 64 bits in all of them.
            Builder::Time(prim, data_type, _) | Builder::Timestamp(prim, data_type, _) => {
                let data = prim.finish().into_data().into_builder().data_type(data_type.clone());
                arrow::array::make_array(data.build().map_err(broken)?)
            }
            Builder::YearMonth(prim) => Arc::new(prim.finish()),
            Builder::DaySecond(prim) => Arc::new(prim.finish()),
            Builder::Text(text) | Builder::Binary(text) => text.finish().map_err(broken)?,
            Builder::List(lists) => lists.finish()?,
            Builder::Map(maps) => maps.finish()?,
            Builder::Row(rows) => rows.finish()?,
        };
        Ok(array)
    }
}

fn broken(error: arrow::error::ArrowError) -> Error {
    Error::internal("a decoded column does not fit together").source_is(error)
}

impl Lists {
    /// Ends a list, whose items have been added.
    fn close(&mut self, is_valid: bool) {
        self.offsets.push(i32::try_from(self.items.len()).unwrap_or(i32::MAX));
        self.nulls.push(is_valid);
    }

    fn pop(&mut self) {
        self.offsets.pop();
        self.nulls.pop();
        let end = self.offsets.last().map_or(0, |end| usize::try_from(*end).unwrap_or(0));
        while self.items.len() > end {
            self.items.pop();
        }
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        let DataType::List(field) = &self.data_type else {
            return Err(Error::internal("a list's type is none"));
        };
        let offsets = OffsetBuffer::new(std::mem::replace(&mut self.offsets, vec![0]).into());
        let items = self.items.finish()?;
        let array =
            ListArray::try_new(Arc::clone(field), offsets, items, self.nulls.finish()).map_err(broken)?;
        Ok(Arc::new(array))
    }
}

impl Maps {
    /// Ends a map, whose entries have been added.
    fn close(&mut self, is_valid: bool) {
        self.offsets.push(i32::try_from(self.keys.len()).unwrap_or(i32::MAX));
        self.nulls.push(is_valid);
    }

    fn pop(&mut self) {
        self.offsets.pop();
        self.nulls.pop();
        let end = self.offsets.last().map_or(0, |end| usize::try_from(*end).unwrap_or(0));
        while self.keys.len() > end {
            self.keys.pop();
            self.values.pop();
        }
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        let DataType::Map(field, _) = &self.data_type else {
            return Err(Error::internal("a map's type is none"));
        };
        let DataType::Struct(parts) = field.data_type() else {
            return Err(Error::internal("a map has no entries"));
        };
        let offsets = OffsetBuffer::new(std::mem::replace(&mut self.offsets, vec![0]).into());
        let (keys, values) = (self.keys.finish()?, self.values.finish()?);
        let entries = StructArray::try_new(parts.clone(), vec![keys, values], None).map_err(broken)?;
        let array = MapArray::try_new(Arc::clone(field), offsets, entries, self.nulls.finish(), false)
            .map_err(broken)?;
        Ok(Arc::new(array))
    }
}

impl Rows {
    fn finish(&mut self) -> Result<ArrayRef> {
        let DataType::Struct(fields) = &self.data_type else {
            return Err(Error::internal("a row's type is none"));
        };
        let fields: Fields = fields.clone();
        let length = self.nulls.len();
        let columns = self.fields.iter_mut().map(Builder::finish).collect::<Result<Vec<_>>>()?;
        let nulls = self.nulls.finish();
        let array = StructArray::try_new_with_length(fields, columns, nulls, length).map_err(broken)?;
        Ok(Arc::new(array))
    }
}
