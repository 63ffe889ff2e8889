//! Rows on their way into the files of a Delta table: in exactly the table's types, and with no value missing that must
//! be there.

use super::target::DeltaColumn;
use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, RecordBatchOptions, StructArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use model::{Error, Result};
use std::sync::Arc;

/// What the columns of a table have to be.
#[derive(Debug)]
struct Shape {
    schema: SchemaRef,
    /// The columns that must have values.
    required: Vec<(usize, String)>,
}

/// The stream's columns, in order, as the table's.
pub(super) fn shaped(
    stream: SendableRecordBatchStream,
    columns: &[DeltaColumn],
) -> SendableRecordBatchStream {
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(&column.spelled, column.written.to_arrow(), true)).collect();
    let required =
        columns.iter().enumerate().filter(|(_, c)| !c.nullable).map(|(at, c)| (at, c.name.clone())).collect();
    let shape = Shape { schema: Arc::new(Schema::new(fields)), required };
    let schema = Arc::clone(&shape.schema);
    let batches = stream.map(move |batch| shape.apply(&batch?).map_err(crate::external));
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

impl Shape {
    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if batch.num_columns() != self.schema.fields().len() {
            return Err(Error::internal("rows for a Delta table have other columns than the table"));
        }
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(array, field)| {
                conform(array, field.data_type()).map_err(|e| e.context(format!("column `{}`", field.name())))
            })
            .collect::<Result<_>>()?;
        for (at, name) in &self.required {
            if columns.get(*at).is_some_and(|array| array.logical_null_count() > 0) {
                return Err(Error::invalid(format!("NULL is no value of the column `{name}`"))
                    .why("the table says that the column is NOT NULL"));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(broken)
    }
}

fn broken(e: arrow::error::ArrowError) -> Error {
    functions::cast::arrow_error(e)
}

/// The array in that type: nested values part by part, in order, as only the names of their fields may differ.
fn conform(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), wanted) {
        (DataType::Struct(is), DataType::Struct(fields)) if is.len() == fields.len() => {
            let array = array.as_struct();
            let parts =
                array.columns().iter().zip(fields).map(|(part, field)| conform(part, field.data_type()));
            let parts: Vec<ArrayRef> = parts.collect::<Result<_>>()?;
            let made = match parts.is_empty() {
                true => StructArray::new_empty_fields(array.len(), array.nulls().cloned()),
                false => {
                    StructArray::try_new(fields.clone(), parts, array.nulls().cloned()).map_err(broken)?
                }
            };
            Ok(Arc::new(made))
        }
        (DataType::List(_), DataType::List(field)) => {
            let array = array.as_list::<i32>();
            let values = conform(array.values(), field.data_type())?;
            let made = ListArray::try_new(
                Arc::clone(field),
                array.offsets().clone(),
                values,
                array.nulls().cloned(),
            );
            Ok(Arc::new(made.map_err(broken)?))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let array = array.as_map();
            let inside: ArrayRef = Arc::new(array.entries().clone());
            let inside = conform(&inside, entries.data_type())?;
            let made = MapArray::try_new(
                Arc::clone(entries),
                array.offsets().clone(),
                inside.as_struct().clone(),
                array.nulls().cloned(),
                *sorted,
            );
            Ok(Arc::new(made.map_err(broken)?))
        }
        _ => {
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(array, wanted, &options).map_err(broken)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{TimestampMicrosecondArray, TimestampMillisecondArray};
    use arrow::datatypes::TimeUnit;

    #[test]
    fn fields_are_renamed_and_times_widened() {
        let millis: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![Some(1_500), None]));
        let from = vec![Field::new("userid", millis.data_type().clone(), true)];
        let row: ArrayRef = Arc::new(StructArray::try_new(from.into(), vec![millis], None).unwrap());
        let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let wanted = DataType::Struct(vec![Field::new("userId", micros, true)].into());
        let made = conform(&row, &wanted).unwrap();
        assert_eq!(made.data_type(), &wanted);
        let expected = TimestampMicrosecondArray::from(vec![Some(1_500_000), None]).with_timezone("UTC");
        assert_eq!(made.as_struct().column(0).as_ref(), &expected as &dyn Array);
    }
}
