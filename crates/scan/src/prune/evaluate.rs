//! Filters evaluated on partition values and on files, many at a time, by DataFusion's own expressions.

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::PhysicalExpr;
use model::{Error, Result};
use std::sync::Arc;

/// Filters over rows of constants.
pub(crate) struct Evaluator {
    schema: SchemaRef,
    filter: Option<Arc<dyn PhysicalExpr>>,
}

impl Evaluator {
    /// The filters, all of which must be true, over rows of these columns.
    pub(crate) fn new(state: &dyn Session, fields: &[Arc<Field>], filters: &[Expr]) -> Result<Self> {
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let Some(filter) = conjunction(filters.iter().map(unqualified)) else {
            return Ok(Self { schema, filter: None });
        };
        let df_schema = DFSchema::try_from(Arc::clone(&schema)).map_err(crate::error)?;
        let filter = state.create_physical_expr(filter, &df_schema).map_err(crate::error)?;
        Ok(Self { schema, filter: Some(filter) })
    }

    /// Whether everything is kept.
    pub(crate) fn keeps_all(&self) -> bool {
        self.filter.is_none()
    }

    /// Which of the rows are kept.
    pub(crate) fn keep(&self, rows: &[&[ScalarValue]]) -> Result<Vec<bool>> {
        let Some(filter) = &self.filter else { return Ok(vec![true; rows.len()]) };
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let columns = (0..self.schema.fields().len()).map(|index| {
            let values = rows.iter().map(|row| {
                row.get(index).cloned().ok_or_else(|| {
                    datafusion::common::DataFusionError::Internal(
                        "a row of constants is too short".to_owned(),
                    )
                })
            });
            ScalarValue::iter_to_array(values.collect::<Result<Vec<_>, _>>()?)
        });
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(crate::error)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|e| Error::internal("partition values do not have their columns' types").source_is(e))?;
        let answers = filter.evaluate(&batch).and_then(|value| value.into_array(rows.len()));
        let answers = answers.map_err(crate::error)?;
        let Some(answers) = answers.as_boolean_opt() else {
            return Err(Error::internal("a filter on partitions is neither true nor false"));
        };
        Ok((0..answers.len()).map(|row| answers.is_valid(row) && answers.value(row)).collect())
    }
}

/// The filter with its columns named by their names alone.
fn unqualified(filter: &Expr) -> Expr {
    use datafusion::common::Column;
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let renamed = filter.clone().transform(|node| match node {
        Expr::Column(column) if column.relation.is_some() => {
            Ok(Transformed::yes(Expr::Column(Column::from_name(column.name))))
        }
        other => Ok(Transformed::no(other)),
    });
    renamed.map_or_else(|_| filter.clone(), |renamed| renamed.data)
}
