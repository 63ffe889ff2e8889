//! Rows that nobody will want: a join that has its smaller side already says, by dynamic filters, which keys it looks
//! for. Parquet's reader skips row groups by them; here the rows of what was read are sieved, before they are hashed,
//! dealt out or aggregated for nothing. A sieve that keeps most rows ends itself.

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, cast::as_boolean_array};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::ColumnarValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many rows are looked at before a sieve is judged.
const TRIED: u64 = 32_768;
/// It is worth its work while it keeps at most one row of so many.
const WORTH: u64 = 3;

/// Whether a filter changes while the query runs.
pub(crate) fn is_dynamic(filter: &Arc<dyn PhysicalExpr>) -> bool {
    let mut found = false;
    // The closure does not fail, and so neither does the walk.
    let _ = filter.apply(|part| {
        found |= part.downcast_ref::<DynamicFilterPhysicalExpr>().is_some();
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

/// Dynamic filters over the columns that a scan gives.
#[derive(Debug)]
pub(crate) struct Sieve {
    filters: Vec<One>,
}

#[derive(Debug)]
struct One {
    filter: Arc<dyn PhysicalExpr>,
    seen: AtomicU64,
    kept: AtomicU64,
}

impl Sieve {
    /// The sieve of filters over a table's columns, for what the projection gives of these; none if it gives too little.
    pub(crate) fn new(
        filters: &[Arc<dyn PhysicalExpr>],
        projection: Option<&ProjectionExprs>,
    ) -> Option<Self> {
        let filters: Vec<One> = filters
            .iter()
            .filter_map(|filter| projected(filter, projection))
            .map(|filter| One { filter, seen: AtomicU64::new(0), kept: AtomicU64::new(0) })
            .collect();
        (!filters.is_empty()).then_some(Self { filters })
    }

    /// What is left of a batch.
    pub(crate) fn pass(&self, mut batch: RecordBatch) -> Result<RecordBatch> {
        for one in &self.filters {
            if batch.num_rows() > 0 && one.is_worth() {
                batch = one.pass(batch)?;
            }
        }
        Ok(batch)
    }
}

impl One {
    fn is_worth(&self) -> bool {
        let seen = self.seen.load(Ordering::Relaxed);
        seen < TRIED || self.kept.load(Ordering::Relaxed) * WORTH <= seen
    }

    fn pass(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let mask = match self.filter.evaluate(&batch)? {
            // The join does not know yet what it looks for.
            ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))) => return Ok(batch),
            value => value.into_array(batch.num_rows())?,
        };
        let mask = as_boolean_array(&mask)?;
        let kept = mask.true_count();
        self.seen.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        self.kept.fetch_add(kept as u64, Ordering::Relaxed);
        match kept == batch.num_rows() {
            true => Ok(batch),
            false => Ok(filter_record_batch(&batch, mask)?),
        }
    }
}

/// The filter over the projection's columns.
fn projected(
    filter: &Arc<dyn PhysicalExpr>,
    projection: Option<&ProjectionExprs>,
) -> Option<Arc<dyn PhysicalExpr>> {
    let Some(projection) = projection else { return Some(Arc::clone(filter)) };
    let mut is_whole = true;
    let projected = Arc::clone(filter).transform_up(|part| {
        let Some(column) = part.downcast_ref::<Column>() else { return Ok(Transformed::no(part)) };
        let given = projection.iter().position(|given| {
            given.expr.downcast_ref::<Column>().is_some_and(|given| given.index() == column.index())
        });
        Ok(match given {
            Some(at) => Transformed::yes(Arc::new(Column::new(column.name(), at)) as Arc<dyn PhysicalExpr>),
            None => {
                is_whole = false;
                Transformed::no(part)
            }
        })
    });
    projected.data().ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::logical_expr::Operator;
    use datafusion::physical_expr::expressions::{BinaryExpr, lit};
    use datafusion::physical_expr::projection::ProjectionExpr;

    fn column(name: &str, at: usize) -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(name, at))
    }

    fn batch(values: std::ops::Range<i64>) -> RecordBatch {
        let schema = Arc::new(Schema::new(vec![Field::new("b", DataType::Int64, true)]));
        RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from_iter_values(values))]).unwrap()
    }

    /// A filter over the table's second column, which the projection gives as its first.
    fn sieve() -> (Arc<DynamicFilterPhysicalExpr>, Sieve) {
        let dynamic = Arc::new(DynamicFilterPhysicalExpr::new(vec![column("b", 1)], lit(true)));
        let filter: Arc<dyn PhysicalExpr> = dynamic.clone();
        assert!(is_dynamic(&filter) && !is_dynamic(&column("b", 1)));
        let projection = ProjectionExprs::new([ProjectionExpr::new(column("b", 1), "b")]);
        (dynamic, Sieve::new(&[filter], Some(&projection)).unwrap())
    }

    fn below(bound: i64) -> Arc<dyn PhysicalExpr> {
        Arc::new(BinaryExpr::new(column("b", 1), Operator::Lt, lit(bound)))
    }

    #[test]
    fn rows_go_once_the_join_knows() {
        let (dynamic, sieve) = sieve();
        assert_eq!(sieve.pass(batch(0..100)).unwrap().num_rows(), 100);
        dynamic.update(below(10)).unwrap();
        assert_eq!(sieve.pass(batch(0..100)).unwrap(), batch(0..10));
        assert_eq!(sieve.pass(batch(50..100)).unwrap().num_rows(), 0);
    }

    #[test]
    fn a_sieve_that_keeps_most_ends() {
        let (dynamic, sieve) = sieve();
        dynamic.update(below(90)).unwrap();
        let mut last = 0;
        for _ in 0..=TRIED / 100 {
            last = sieve.pass(batch(0..100)).unwrap().num_rows();
        }
        assert_eq!(last, 90);
        assert_eq!(sieve.pass(batch(0..100)).unwrap().num_rows(), 100);
    }

    #[test]
    fn a_column_that_is_not_given_cannot_be_sieved() {
        let filter: Arc<dyn PhysicalExpr> =
            Arc::new(DynamicFilterPhysicalExpr::new(vec![column("c", 2)], lit(true)));
        let projection = ProjectionExprs::new([ProjectionExpr::new(column("b", 1), "b")]);
        assert!(Sieve::new(&[filter], Some(&projection)).is_none());
    }
}
