//! What a statement answers: columns, and a stream of rows under the names that the user gave them.

use crate::ddl::DdlResult;
use crate::origin::Origin;
use crate::query::Context;
use crate::stats::QueryStats;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use model::{Error, Result};
use plan::OutputColumn;
use sql::SqlType;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a statement answers.
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<OutputColumn>,
    /// The rows; the fields of its schema are named like the columns.
    pub stream: SendableRecordBatchStream,
    /// Whether the lines of a definition's answer are text to show as it is (DESCRIBE, SHOW CREATE TABLE).
    pub is_text: bool,
    /// What is known of the query; complete when the stream has ended.
    pub stats: Arc<QueryStats>,
    /// What the rows are made of, where the request wants to know and it can be told.
    pub origin: Option<Origin>,
}

impl Answer {
    /// The next rows; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.stream.next().await.transpose().map_err(scan::error)
    }
}

/// The answer of rows that come, under the names of the columns, until somebody cancels.
pub(crate) fn answer_of(
    rows: SendableRecordBatchStream,
    columns: Vec<OutputColumn>,
    context: &Context,
) -> Answer {
    let stream = until_cancelled(renamed(rows, schema_of(&columns)), context.cancel.clone());
    Answer { columns, stream, is_text: false, stats: context.stats.clone(), origin: None }
}

/// The schema of an answer: the columns' names and Arrow types.
pub(crate) fn schema_of(columns: &[OutputColumn]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|c| Field::new(&c.name, c.sql_type.to_arrow(), true)).collect();
    Arc::new(Schema::new(fields))
}

/// The stream's columns under the names the user gave them.
fn renamed(stream: SendableRecordBatchStream, schema: SchemaRef) -> SendableRecordBatchStream {
    let target = schema.clone();
    let mapped = stream.map(move |batch| {
        let batch = batch?;
        let rows = batch.num_rows();
        let columns = batch
            .columns()
            .iter()
            .zip(target.fields())
            .map(|(column, field)| {
                if column.data_type() == field.data_type() {
                    Ok(column.clone())
                } else {
                    Ok(arrow::compute::cast(column, field.data_type())?)
                }
            })
            .collect::<datafusion::common::Result<Vec<ArrayRef>>>()?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(target.clone(), columns, &options)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, mapped))
}

/// Ends the stream with an error as soon as somebody cancels.
fn until_cancelled(
    stream: SendableRecordBatchStream,
    cancel: CancellationToken,
) -> SendableRecordBatchStream {
    let schema = stream.schema();
    let watched =
        futures::stream::unfold((stream, cancel, false), |(mut stream, cancel, ended)| async move {
            if ended {
                return None;
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    Some((Err(scan::external(Error::cancelled())), (stream, cancel, true)))
                }
                batch = stream.next() => batch.map(|batch| {
                    let failed = batch.is_err();
                    (batch, (stream, cancel, failed))
                }),
            }
        });
    Box::pin(RecordBatchStreamAdapter::new(schema, watched))
}

/// An answer of rows that are at hand.
pub(crate) fn batch_answer(
    columns: Vec<OutputColumn>,
    arrays: Vec<ArrayRef>,
    context: &Context,
) -> Result<Answer> {
    let schema = schema_of(&columns);
    let rows = arrays.first().map_or(0, |a| a.len());
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        .map_err(functions::cast::arrow_error)?;
    let stream = futures::stream::iter([Ok(batch)]);
    let stream = Box::pin(RecordBatchStreamAdapter::new(schema, stream));
    Ok(Answer { columns, stream, is_text: false, stats: context.stats.clone(), origin: None })
}

/// The answer of a statement that wrote rows: how many.
pub(crate) fn count_answer(rows: u64, context: &Context) -> Result<Answer> {
    let columns = vec![OutputColumn { name: "rows".into(), sql_type: SqlType::BigInt }];
    let count = Int64Array::from(vec![i64::try_from(rows).unwrap_or(i64::MAX)]);
    batch_answer(columns, vec![Arc::new(count)], context)
}

/// Lines of text in one column.
pub(crate) fn text_answer(name: &str, lines: Vec<String>, context: &Context) -> Result<Answer> {
    let columns = vec![OutputColumn { name: name.into(), sql_type: SqlType::VARCHAR }];
    let lines: StringViewArray = lines.iter().map(|l| Some(l.as_str())).collect();
    let mut answer = batch_answer(columns, vec![Arc::new(lines)], context)?;
    answer.is_text = true;
    Ok(answer)
}

pub(crate) fn ddl_answer(result: DdlResult, context: &Context) -> Result<Answer> {
    let columns: Vec<OutputColumn> = result
        .columns
        .iter()
        .map(|(name, t)| OutputColumn { name: name.clone(), sql_type: t.clone() })
        .collect();
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for (i, column) in columns.iter().enumerate() {
        let texts: StringViewArray = result.rows.iter().map(|row| row.get(i).map(String::as_str)).collect();
        let texts: ArrayRef = Arc::new(texts);
        let typed = functions::cast::cast(
            &texts,
            &SqlType::VARCHAR,
            &column.sql_type,
            &context.session,
            functions::cast::OnError::Fail,
        )?;
        arrays.push(typed);
    }
    let mut answer = batch_answer(columns, arrays, context)?;
    answer.is_text = true;
    Ok(answer)
}
