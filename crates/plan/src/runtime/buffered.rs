//! Aggregates over rows that have to be kept: DISTINCT, ORDER BY, frames that slide.

use crate::error::to_datafusion;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, UInt32Array, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortColumn, SortOptions, concat, lexsort_to_indices, take};
use arrow::datatypes::{DataType, Field, Fields};
use arrow::row::{RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Accumulator;
use model::Result;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

type DfResult<T> = datafusion::common::Result<T>;
type Make = Box<dyn Fn() -> Result<Box<dyn functions::Accumulator>> + Send + Sync>;

/// Keeps the rows and gathers them when the answer is asked for.
pub(super) struct Buffered {
    /// The types of the arguments and, behind them, of the order's keys.
    types: Vec<DataType>,
    /// How many of them are arguments.
    values: usize,
    distinct: bool,
    keys: Vec<SortOptions>,
    chunks: Vec<Vec<ArrayRef>>,
    make: Make,
}

impl fmt::Debug for Buffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffered")
            .field("types", &self.types)
            .field("distinct", &self.distinct)
            .finish_non_exhaustive()
    }
}

impl Buffered {
    pub(super) fn new(
        types: Vec<DataType>,
        values: usize,
        distinct: bool,
        keys: Vec<SortOptions>,
        make: Make,
    ) -> Self {
        Self { types, values, distinct, keys, chunks: Vec::new(), make }
    }

    /// The state: one list of rows.
    pub(super) fn state_type(types: &[DataType]) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Struct(fields(types)), true)))
    }

    fn columns(&self) -> DfResult<Vec<ArrayRef>> {
        (0..self.types.len())
            .map(|i| {
                let parts: Vec<&dyn Array> = self.chunks.iter().map(|c| c[i].as_ref()).collect();
                if parts.is_empty() {
                    return Ok(new_empty_array(&self.types[i]));
                }
                Ok(concat(&parts)?)
            })
            .collect()
    }

    /// Each combination of arguments once, the first one that came.
    fn without_repeats(&self, columns: Vec<ArrayRef>) -> DfResult<Vec<ArrayRef>> {
        let sort_fields = self.types[..self.values].iter().map(|t| SortField::new(t.clone())).collect();
        let converter = RowConverter::new(sort_fields)?;
        let rows = converter.convert_columns(&columns[..self.values])?;
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            if seen.insert(row.owned()) {
                kept.push(u32::try_from(i).unwrap_or(u32::MAX));
            }
        }
        let kept = UInt32Array::from(kept);
        columns.iter().map(|c| Ok(take(c, &kept, None)?)).collect()
    }

    fn in_order(&self, columns: Vec<ArrayRef>) -> DfResult<Vec<ArrayRef>> {
        let keys: Vec<SortColumn> = columns[self.values..]
            .iter()
            .zip(&self.keys)
            .map(|(values, options)| SortColumn { values: values.clone(), options: Some(*options) })
            .collect();
        let order = lexsort_to_indices(&keys, None)?;
        columns.iter().map(|c| Ok(take(c, &order, None)?)).collect()
    }
}

fn fields(types: &[DataType]) -> Fields {
    types.iter().enumerate().map(|(i, t)| Field::new(format!("c{i}"), t.clone(), true)).collect()
}

impl Accumulator for Buffered {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        if values.first().is_some_and(|v| !v.is_empty()) {
            self.chunks.push(values.to_vec());
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let mut rows = values.first().map_or(0, |v| v.len());
        while rows > 0 && !self.chunks.is_empty() {
            let length = self.chunks[0].first().map_or(0, |c| c.len());
            if length <= rows {
                self.chunks.remove(0);
                rows -= length;
            } else {
                self.chunks[0] = self.chunks[0].iter().map(|c| c.slice(rows, length - rows)).collect();
                rows = 0;
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let mut columns = self.columns()?;
        if self.distinct && self.values > 0 {
            columns = self.without_repeats(columns)?;
        }
        if !self.keys.is_empty() {
            columns = self.in_order(columns)?;
        }
        columns.truncate(self.values);
        let mut accumulator = (self.make)().map_err(to_datafusion)?;
        if columns.first().is_none_or(|c| !c.is_empty()) {
            accumulator.update(&columns).map_err(to_datafusion)?;
        }
        let array = accumulator.finish().map_err(to_datafusion)?;
        ScalarValue::try_from_array(&array, 0)
    }

    fn size(&self) -> usize {
        let held: usize = self.chunks.iter().flatten().map(|a| a.get_array_memory_size()).sum();
        std::mem::size_of_val(self) + held
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let columns = self.columns()?;
        let rows = columns.first().map_or(0, |c| c.len());
        let DataType::List(field) = Self::state_type(&self.types) else { return Ok(Vec::new()) };
        let rows_array = StructArray::try_new(fields(&self.types), columns, None)?;
        let list = ListArray::try_new(field, OffsetBuffer::from_lengths([rows]), Arc::new(rows_array), None)?;
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        let Some(list) = states.first().and_then(|s| s.as_list_opt::<i32>()) else { return Ok(()) };
        for i in 0..list.len() {
            if list.is_null(i) {
                continue;
            }
            let rows = list.value(i);
            if let Some(rows) = rows.as_struct_opt()
                && !rows.is_empty()
            {
                self.chunks.push(rows.columns().to_vec());
            }
        }
        Ok(())
    }
}
