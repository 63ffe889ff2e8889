//! One call of a function on a batch: its arguments, and comfortable ways to read them and to build the answer.

use crate::Session;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryViewArray, BinaryViewBuilder, BooleanArray, BooleanBuilder,
    PrimitiveArray, PrimitiveBuilder, StringViewArray, StringViewBuilder, UInt32Array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use model::{Error, Result};
use sql::SqlType;
use std::fmt::Debug;
use std::sync::Arc;

/// A lambda argument: `x -> x + 1`, ready to run on many elements at once.
pub trait Lambda: Send + Sync + Debug {
    /// Runs the body on `params` (one array per parameter, all equally long). `rows[i]` is the row of the batch from
    /// which element `i` comes: the body may use that row's columns.
    fn call(&self, params: &[ArrayRef], rows: &UInt32Array) -> Result<ArrayRef>;
}

/// An argument of a call.
#[derive(Debug, Clone)]
pub enum Arg {
    /// One value per row.
    Column(ArrayRef),
    /// One value for all rows: an array of length 1.
    Constant(ArrayRef),
    /// A lambda.
    Lambda(Arc<dyn Lambda>),
}

/// A call of a scalar function on one batch. Arguments have exactly the types the signature asked for.
#[derive(Debug)]
pub struct Call<'a> {
    /// The function's name, for errors.
    pub name: &'a str,
    /// The arguments.
    pub args: &'a [Arg],
    /// Their types.
    pub arg_types: &'a [SqlType],
    /// What is to be returned: an array of `return_type.to_arrow()`, `rows` long.
    pub return_type: &'a SqlType,
    /// How many rows.
    pub rows: usize,
    /// The query's surroundings.
    pub session: &'a Session,
}

/// A column of values or one value for all rows, read by row.
#[derive(Debug, Clone)]
pub struct Values<A> {
    /// The values.
    pub array: A,
    /// Whether the first value stands for all rows.
    pub constant: bool,
}

impl<A: Array> Values<A> {
    /// Where the row's value stands; nothing if it is NULL.
    pub fn index(&self, row: usize) -> Option<usize> {
        let index = if self.constant { 0 } else { row };
        self.array.is_valid(index).then_some(index)
    }
}

impl Values<StringViewArray> {
    /// The text in this row.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.index(row).map(|i| self.array.value(i))
    }
}

impl Values<BinaryViewArray> {
    /// The bytes in this row.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        self.index(row).map(|i| self.array.value(i))
    }
}

impl Values<BooleanArray> {
    /// The truth in this row.
    pub fn get(&self, row: usize) -> Option<bool> {
        self.index(row).map(|i| self.array.value(i))
    }
}

impl<T: ArrowPrimitiveType> Values<PrimitiveArray<T>> {
    /// The number in this row.
    pub fn get(&self, row: usize) -> Option<T::Native> {
        self.index(row).map(|i| self.array.value(i))
    }
}

impl Call<'_> {
    /// The argument's values: one per row, or one for all.
    pub fn arg(&self, index: usize) -> Result<(&ArrayRef, bool)> {
        match self.args.get(index) {
            Some(Arg::Column(array)) => Ok((array, false)),
            Some(Arg::Constant(array)) => Ok((array, true)),
            Some(Arg::Lambda(_)) => Err(self.broken(index, "a value, but it is a lambda")),
            None => Err(self.broken(index, "there")),
        }
    }

    /// The argument as an array with one value per row.
    pub fn column(&self, index: usize) -> Result<ArrayRef> {
        let (array, constant) = self.arg(index)?;
        if !constant {
            return Ok(array.clone());
        }
        take(array, &UInt32Array::from(vec![0; self.rows]), None).map_err(crate::cast::arrow_error)
    }

    /// The argument as this kind of array.
    pub fn values<A: Array + Clone + 'static>(&self, index: usize) -> Result<Values<A>> {
        let (array, constant) = self.arg(index)?;
        match array.as_any().downcast_ref::<A>() {
            Some(typed) => Ok(Values { array: typed.clone(), constant }),
            None => Err(self.broken(index, std::any::type_name::<A>())),
        }
    }

    /// A text argument.
    pub fn strings(&self, index: usize) -> Result<Values<StringViewArray>> {
        self.values(index)
    }

    /// A `varbinary` argument.
    pub fn bytes(&self, index: usize) -> Result<Values<BinaryViewArray>> {
        self.values(index)
    }

    /// A `boolean` argument.
    pub fn booleans(&self, index: usize) -> Result<Values<BooleanArray>> {
        self.values(index)
    }

    /// A `bigint` argument.
    pub fn bigints(&self, index: usize) -> Result<Values<PrimitiveArray<arrow::datatypes::Int64Type>>> {
        self.values(index)
    }

    /// A `double` argument.
    pub fn doubles(&self, index: usize) -> Result<Values<PrimitiveArray<arrow::datatypes::Float64Type>>> {
        self.values(index)
    }

    /// A lambda argument.
    pub fn lambda(&self, index: usize) -> Result<&Arc<dyn Lambda>> {
        match self.args.get(index) {
            Some(Arg::Lambda(lambda)) => Ok(lambda),
            _ => Err(self.broken(index, "a lambda")),
        }
    }

    /// Whether the argument was given.
    pub fn has(&self, index: usize) -> bool {
        index < self.args.len()
    }

    /// The rows in which no argument is NULL; nothing if that holds for all.
    pub fn valid(&self) -> Option<NullBuffer> {
        let mut valid: Option<NullBuffer> = None;
        for arg in self.args {
            let of_arg = match arg {
                Arg::Column(array) => array.logical_nulls(),
                Arg::Constant(array) if array.is_null(0) || array.logical_null_count() > 0 => {
                    Some(NullBuffer::new_null(self.rows))
                }
                _ => None,
            };
            valid = NullBuffer::union(valid.as_ref(), of_arg.as_ref());
        }
        valid
    }

    /// All NULL.
    pub fn nulls(&self) -> ArrayRef {
        new_null_array(&self.return_type.to_arrow(), self.rows)
    }

    /// Computes a text per row without NULL arguments; `write` appends it and says whether there is one.
    pub fn build_strings(
        &self,
        mut write: impl FnMut(usize, &mut String) -> Result<bool>,
    ) -> Result<ArrayRef> {
        let valid = self.valid();
        let mut builder = StringViewBuilder::with_capacity(self.rows);
        let mut text = String::new();
        for row in 0..self.rows {
            text.clear();
            if valid.as_ref().is_none_or(|v| v.is_valid(row)) && write(row, &mut text)? {
                builder.append_value(&text);
            } else {
                builder.append_null();
            }
        }
        Ok(Arc::new(builder.finish()))
    }

    /// Computes bytes per row without NULL arguments; `write` appends them and says whether there are any.
    pub fn build_bytes(
        &self,
        mut write: impl FnMut(usize, &mut Vec<u8>) -> Result<bool>,
    ) -> Result<ArrayRef> {
        let valid = self.valid();
        let mut builder = BinaryViewBuilder::with_capacity(self.rows);
        let mut bytes = Vec::new();
        for row in 0..self.rows {
            bytes.clear();
            if valid.as_ref().is_none_or(|v| v.is_valid(row)) && write(row, &mut bytes)? {
                builder.append_value(&bytes);
            } else {
                builder.append_null();
            }
        }
        Ok(Arc::new(builder.finish()))
    }

    /// Computes a truth per row without NULL arguments.
    pub fn build_booleans(&self, mut decide: impl FnMut(usize) -> Result<Option<bool>>) -> Result<ArrayRef> {
        let valid = self.valid();
        let mut builder = BooleanBuilder::with_capacity(self.rows);
        for row in 0..self.rows {
            let value = if valid.as_ref().is_none_or(|v| v.is_valid(row)) { decide(row)? } else { None };
            builder.append_option(value);
        }
        Ok(Arc::new(builder.finish()))
    }

    /// Computes a number, date or time per row without NULL arguments, in the Arrow type of the return type.
    pub fn build<T: ArrowPrimitiveType>(
        &self,
        mut compute: impl FnMut(usize) -> Result<Option<T::Native>>,
    ) -> Result<ArrayRef> {
        let valid = self.valid();
        let mut builder =
            PrimitiveBuilder::<T>::with_capacity(self.rows).with_data_type(self.return_type.to_arrow());
        for row in 0..self.rows {
            let value = if valid.as_ref().is_none_or(|v| v.is_valid(row)) { compute(row)? } else { None };
            builder.append_option(value);
        }
        Ok(Arc::new(builder.finish()))
    }

    /// The function was handed something its signature excludes: a fault of ours, said instead of a panic.
    fn broken(&self, index: usize, wanted: &str) -> Error {
        let found = self.arg_types.get(index).map_or_else(|| "nothing".to_owned(), ToString::to_string);
        Error::internal(format!("argument {} of {} should be {wanted}, found {found}", index + 1, self.name))
    }
}
