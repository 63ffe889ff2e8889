//! From the types and columns that a file has to those that the table declares.

use crate::{Column, projected_schema};
use arrow::array::{ArrayRef, RecordBatch};
use model::{Error, Result};
use sql::SqlType;

/// How a table's columns are found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Match {
    /// By name, without regard to case: columns may be reordered, added and removed.
    #[default]
    Name,
    /// By position, whatever the file calls them.
    Index,
}

/// A batch as a file has it, turned into the projected columns of the table. Columns that the file lacks become NULL;
/// integers, floats, decimals, timestamps and texts become the table's types, nested ones too; dictionaries and other
/// encodings become plain. What does not convert without losing its meaning is an error that names the column.
pub fn adapt(
    batch: &RecordBatch,
    columns: &[Column],
    projection: &[usize],
    by: Match,
) -> Result<RecordBatch> {
    let schema = projected_schema(columns, projection);
    let _ = (batch, by);
    Err(Error::unsupported(format!("adapting to {schema:?} is in the making")))
}

/// One array turned into the Arrow type of a SQL type, as [`adapt`] does it; `name` is for the message.
pub fn adapt_array(name: &str, array: &ArrayRef, wanted: &SqlType) -> Result<ArrayRef> {
    let _ = array;
    Err(Error::unsupported(format!("adapting column `{name}` to {wanted} is in the making")))
}
