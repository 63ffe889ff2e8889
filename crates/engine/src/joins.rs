//! How tables are joined: by hashing the smaller side, or, where that does not fit into memory, by sorting both. Hashing
//! is faster; what is sorted can be written to the disk on the way.

use crate::Engine;
use crate::memory::PeakPool;
use crate::stats::QueryStats;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{StreamExt, TryStreamExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// How tables are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Joins {
    /// By hashing one side.
    #[default]
    Hashed,
    /// By sorting both.
    Sorted,
}

/// How a statement joins, which may change between two attempts.
#[derive(Debug, Default)]
pub(crate) struct JoinChoice(AtomicBool);

impl JoinChoice {
    pub(crate) fn now(&self) -> Joins {
        if self.0.load(Relaxed) { Joins::Sorted } else { Joins::Hashed }
    }

    /// Whether it is worth another attempt: the last one failed, as a join had no memory to hash a side, and both can be
    /// sorted instead.
    pub(crate) fn give_way(&self, pool: Option<&PeakPool>) -> bool {
        pool.is_some_and(PeakPool::refused_join) && !self.0.swap(true, Relaxed)
    }
}

/// What tells that joins are made by sorting from now on.
pub(crate) const BY_SORTING: &str =
    "a side of a join does not fit into memory: it begins again, and sorts both sides instead of hashing one";

/// A plan that is ready to run, and what it takes to make it again with its joins sorted.
pub(crate) struct Ready {
    pub(crate) engine: Engine,
    pub(crate) logical: LogicalPlan,
    pub(crate) stats: Arc<QueryStats>,
    pub(crate) joins: Joins,
}

impl Ready {
    /// The rows. Until the first is there the joins may turn out to be too large: then they are sorted.
    pub(crate) fn rows(
        self,
        plan: Arc<dyn ExecutionPlan>,
        task: Arc<TaskContext>,
    ) -> SendableRecordBatchStream {
        let schema = plan.schema();
        let rows = futures::stream::once(async move {
            let may_change = self.joins == Joins::Hashed && hashes(plan.as_ref());
            let mut rows = execute_stream(plan, task)?;
            if !may_change {
                return Ok(rows);
            }
            let first = match rows.next().await {
                Some(Err(_)) if self.stats.pool().is_some_and(|pool| pool.refused_join()) => {
                    drop(rows);
                    let planned = self.engine.planned(&self.logical, Joins::Sorted, &self.stats).await;
                    let (plan, task) = planned.map_err(scan::external)?;
                    return execute_stream(plan, task);
                }
                first => first,
            };
            let schema = rows.schema();
            let rows = futures::stream::iter(first).chain(rows);
            Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)) as SendableRecordBatchStream)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows.try_flatten()))
    }
}

/// Whether there is a join in the plan that hashes a side.
fn hashes(plan: &dyn ExecutionPlan) -> bool {
    plan.is::<HashJoinExec>() || plan.children().iter().any(|child| hashes(child.as_ref()))
}
