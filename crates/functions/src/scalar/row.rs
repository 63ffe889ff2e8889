//! Rows: the constructor `ROW(…)`.

use super::elements::fit;
use crate::registry::Family;
use crate::{Call, Scalar, Session};
use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::DataType;
use model::{Error, Result};
use sql::{RowField, SqlType};
use std::sync::Arc;

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Row operators",
    scalars: &[Scalar::new("$row", &["(any...) -> any"], row, "ROW(…)").handles_nulls().returns(row_type)],
    aggregates: &[],
};

fn row_type(types: &[SqlType], _: &Session) -> Result<SqlType> {
    Ok(SqlType::Row(types.iter().cloned().map(RowField::unnamed).collect()))
}

fn row(call: &Call<'_>) -> Result<ArrayRef> {
    let DataType::Struct(fields) = call.return_type.to_arrow() else {
        return Err(Error::internal("ROW(…) makes a row"));
    };
    let columns = fields.iter().enumerate();
    let columns: Vec<ArrayRef> =
        columns.map(|(i, field)| fit(&call.column(i)?, field.data_type())).collect::<Result<_>>()?;
    let row = StructArray::try_new_with_length(fields, columns, None, call.rows);
    Ok(Arc::new(row.map_err(crate::cast::arrow_error)?))
}
