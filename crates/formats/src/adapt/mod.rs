//! From the types and columns that a file has to those that the table declares.

mod convert;

use crate::{Column, projected_schema};
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::Schema;
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

/// For each projected column of the table its index in the file, or none where the file lacks it.
pub(crate) fn find_columns(
    file: &Schema,
    columns: &[Column],
    projection: &[usize],
    by: Match,
) -> Result<Vec<Option<usize>>> {
    let find = |index: &usize| {
        let Some(column) = columns.get(*index) else {
            return Err(Error::internal(format!("column {index} of a table with {} columns", columns.len())));
        };
        Ok(match by {
            Match::Index => (*index < file.fields().len()).then_some(*index),
            Match::Name => convert::find_name(file.fields().iter().map(|f| f.name().as_str()), &column.name),
        })
    };
    projection.iter().map(find).collect()
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
    let found = find_columns(batch.schema_ref(), columns, projection, by)?;
    let mut arrays = Vec::with_capacity(projection.len());
    for (index, at) in projection.iter().zip(found) {
        let Some(column) = columns.get(*index) else { continue };
        arrays.push(match at.and_then(|at| batch.columns().get(at)) {
            Some(array) => adapt_array(&column.name, array, &column.sql_type)?,
            None => new_null_array(&column.sql_type.to_arrow(), batch.num_rows()),
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(projected_schema(columns, projection), arrays, &options)
        .map_err(|e| Error::internal("adapted columns do not fit together").source_is(e))
}

/// One array turned into the Arrow type of a SQL type, as [`adapt`] does it; `name` is for the message.
pub fn adapt_array(name: &str, array: &ArrayRef, wanted: &SqlType) -> Result<ArrayRef> {
    convert::convert(array, wanted).map_err(|problem| match problem {
        convert::Problem::Type => Error::invalid(format!(
            "column `{name}` is {} in the file, but {wanted} in the table",
            readable(array.data_type())
        ))
        .why("these types do not convert into each other")
        .hint("change the column's type in the table, or write the file again"),
        convert::Problem::Value(cause) => Error::invalid(format!(
            "column `{name}` has a value that does not fit: it is {} in the file, but {wanted} in the table",
            readable(array.data_type())
        ))
        .hint("declare a wider type for the column")
        .source_is(cause),
    })
}

/// A file's type in SQL's words, or Arrow's where SQL has none.
fn readable(data_type: &arrow::datatypes::DataType) -> String {
    SqlType::from_arrow(data_type).map_or_else(|| data_type.to_string(), |t| t.to_string())
}
