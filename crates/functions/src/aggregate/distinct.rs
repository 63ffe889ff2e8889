//! `f(DISTINCT …)`: gathers the different rows and hands each to the aggregate once.

use super::fold::Maker;
use super::rows::{Distinct, binary};
use super::tools::{list_of, lists, typed};
use super::{Accumulator, AggregateCall};
use arrow::array::{ArrayRef, AsArray, ListArray};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, RowParser, SortField};
use model::{Error, Result};
use sql::SqlType;
use std::fmt;

struct Once {
    make: Maker,
    converter: RowConverter,
    parser: RowParser,
    rows: Distinct<()>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("rows", &self.rows.len()).finish()
    }
}

/// An accumulator that takes equal rows once.
pub(super) fn distinct(make: Maker, call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>> {
    let values = call.arg_types.iter().filter(|t| !matches!(t, SqlType::Function(..)));
    let fields = values.map(|t| SortField::new(t.to_arrow())).collect();
    let converter = RowConverter::new(fields).map_err(crate::cast::arrow_error)?;
    Ok(Box::new(Once { make, parser: converter.parser(), converter, rows: Distinct::default() }))
}

/// Its state: the rows, as bytes.
pub(super) fn state() -> Vec<DataType> {
    vec![list_of(DataType::Binary)]
}

impl Once {
    fn gather(&self) -> Result<Box<dyn Accumulator>> {
        let mut inner = (self.make)()?;
        if self.rows.len() > 0 {
            let rows = self.rows.keys().map(|k| self.parser.parse(k));
            inner.update(&self.converter.convert_rows(rows).map_err(crate::cast::arrow_error)?)?;
        }
        Ok(inner)
    }
}

impl Accumulator for Once {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        let rows = self.converter.convert_columns(args).map_err(crate::cast::arrow_error)?;
        for row in &rows {
            self.rows.entry(row.data(), || ());
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ArrayRef>> {
        let values = binary(self.rows.keys().map(Some));
        Ok(vec![lists(std::iter::once(Some(self.rows.len())), values)?])
    }

    fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists: &ListArray = typed(states, 0)?;
        for list in lists.iter().flatten() {
            let Some(list) = list.as_binary_opt::<i32>() else {
                return Err(Error::internal("a state of distinct rows holds something else"));
            };
            for row in list.iter().flatten() {
                self.rows.entry(row, || ());
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        self.gather()?.finish()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rows.bytes()
    }

    fn retract(&mut self, _args: &[ArrayRef]) -> Result<()> {
        Err(Error::internal("DISTINCT cannot take rows back"))
    }

    fn retracts(&self) -> bool {
        false
    }
}
