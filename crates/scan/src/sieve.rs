//! Rows that nobody will want: a join that has its smaller side already says, by dynamic filters, which keys it looks
//! for. Parquet's reader skips row groups by them; here the rows of what was read are sieved, before they are aggregated
//! or joined with others for nothing. A sieve that keeps most rows ends itself; where rows come to the join as they are
//! read, it does not begin: the join looks for itself ([`leave`]).

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{filter_record_batch, or};
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, cast::as_boolean_array};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CaseExpr, Column, DynamicFilterPhysicalExpr, Literal};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::ColumnarValue;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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

/// The filters of joins that look for themselves, by their ids.
pub(crate) type Left = Arc<Mutex<HashSet<u64>>>;

/// Leaves the filters of these ids to the join that made them.
pub(crate) fn leave(left: &Left, ids: &[u64]) {
    left.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
}

/// More parts than that are not asked one by one.
const MOST_PARTS: usize = 8;

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
        left: &Left,
    ) -> Option<Self> {
        let left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let filters: Vec<One> = filters
            .iter()
            .filter(|filter| filter.expression_id().is_none_or(|id| !left.contains(&id)))
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
        // The join does not know yet what it looks for.
        let Some(mask) = self.mask(&batch)? else { return Ok(batch) };
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

impl One {
    /// Which rows pass; none if all do.
    fn mask(&self, batch: &RecordBatch) -> Result<Option<ArrayRef>> {
        let current = match self.filter.downcast_ref::<DynamicFilterPhysicalExpr>() {
            Some(dynamic) => dynamic.current()?,
            None => Arc::clone(&self.filter),
        };
        let Some(parts) = parts(&current) else { return evaluated(&current, batch) };
        let mut found: Option<ArrayRef> = None;
        for part in parts {
            let Some(mask) = evaluated(&part, batch)? else { return Ok(None) };
            found = Some(match found {
                None => mask,
                Some(before) => Arc::new(or(as_boolean_array(&before)?, as_boolean_array(&mask)?)?),
            });
        }
        Ok(found)
    }
}

fn evaluated(filter: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<Option<ArrayRef>> {
    match filter.evaluate(batch)? {
        ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))) => Ok(None),
        value => value.into_array(batch.num_rows()).map(Some),
    }
}

/// The filters of a join in parts, each of which has rows of one hash alone. To ask which part a row belongs to costs more
/// than to ask a few parts for all rows; that lets hardly a row more pass, and never one less.
fn parts(filter: &Arc<dyn PhysicalExpr>) -> Option<Vec<Arc<dyn PhysicalExpr>>> {
    let cases = filter.downcast_ref::<CaseExpr>()?;
    let no = |part: &Arc<dyn PhysicalExpr>| {
        part.downcast_ref::<Literal>().is_some_and(|it| *it.value() == ScalarValue::Boolean(Some(false)))
    };
    let all: Vec<_> = cases.when_then_expr().iter().map(|(_, then)| Arc::clone(then)).collect();
    let others = cases.else_expr().cloned();
    (!all.is_empty() && all.len() <= MOST_PARTS)
        .then(|| all.into_iter().chain(others.filter(|part| !no(part))).collect())
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
        (dynamic, Sieve::new(&[filter], Some(&projection), &Left::default()).unwrap())
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
    fn a_join_in_parts_is_asked_for_all_of_them() {
        let (dynamic, sieve) = sieve();
        let one = |from: i64, to: i64| -> Arc<dyn PhysicalExpr> {
            let above = Arc::new(BinaryExpr::new(column("b", 1), Operator::GtEq, lit(from)));
            Arc::new(BinaryExpr::new(above, Operator::And, below(to)))
        };
        let modulo = Arc::new(BinaryExpr::new(column("b", 1), Operator::Modulo, lit(2_i64)));
        let parts = vec![(lit(0_i64), one(0, 4)), (lit(1_i64), one(10, 12))];
        let cases = CaseExpr::try_new(Some(modulo), parts, Some(lit(false))).unwrap();
        dynamic.update(Arc::new(cases)).unwrap();
        let kept = sieve.pass(batch(0..100)).unwrap();
        // Rows of the other part's keys may stay, those that a part looks for must.
        assert_eq!(kept.num_rows(), 6, "{kept:?}");
    }

    #[test]
    fn what_is_left_to_the_join_is_not_sieved() {
        let dynamic: Arc<dyn PhysicalExpr> =
            Arc::new(DynamicFilterPhysicalExpr::new(vec![column("b", 1)], lit(true)));
        let projection = ProjectionExprs::new([ProjectionExpr::new(column("b", 1), "b")]);
        let left = Left::default();
        leave(&left, &[dynamic.expression_id().unwrap()]);
        assert!(Sieve::new(&[dynamic], Some(&projection), &left).is_none());
    }

    #[test]
    fn a_column_that_is_not_given_cannot_be_sieved() {
        let filter: Arc<dyn PhysicalExpr> =
            Arc::new(DynamicFilterPhysicalExpr::new(vec![column("c", 2)], lit(true)));
        let projection = ProjectionExprs::new([ProjectionExpr::new(column("b", 1), "b")]);
        assert!(Sieve::new(&[filter], Some(&projection), &Left::default()).is_none());
    }
}
