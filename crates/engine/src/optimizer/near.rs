//! A scan whose rows come to a join as they are read need not sieve them by what the join looks for: the join does that.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use std::sync::Arc;

/// Leaves a join's filter to the join where nothing but filters and exchanges stands between it and the scan.
#[derive(Debug)]
pub(super) struct LeaveToJoin;

impl PhysicalOptimizerRule for LeaveToJoin {
    fn name(&self) -> &str {
        "leave_to_join"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.apply(|node| {
            if let Some(join) = node.downcast_ref::<HashJoinExec>() {
                let made = join.dynamic_expressions_produced();
                let ids: Vec<u64> = made.iter().filter_map(|filter| filter.expression_id()).collect();
                if !ids.is_empty() {
                    scan::leave_to_join(through(join.right()), &ids);
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plan)
    }
}

/// What stands below all that only lets rows through.
fn through(mut plan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    loop {
        let passes = plan.is::<RepartitionExec>()
            || plan.is::<FilterExec>()
            || plan.is::<ProjectionExec>()
            || plan.is::<CoalescePartitionsExec>()
            || plan.is::<CooperativeExec>();
        match plan.children().first() {
            Some(child) if passes => plan = child,
            _ => return plan,
        }
    }
}
