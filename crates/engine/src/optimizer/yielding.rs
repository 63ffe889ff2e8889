//! Plans that make many rows of few let others run meanwhile.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::unnest::UnnestExec;
use std::sync::Arc;

/// Lets `UNNEST` give way now and then.
///
/// The optimizer's own rule does so at the tables and the exchanges, which is enough where a step gives about as many
/// rows as it takes. A few rows with long lists keep a step busy for minutes, though: a filter or a sum above it
/// would neither be cancelled nor leave its thread to anybody else until the last of them is through.
#[derive(Debug)]
pub(super) struct UnnestGivesWay;

impl PhysicalOptimizerRule for UnnestGivesWay {
    fn name(&self) -> &str {
        "unnest_gives_way"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| {
            if node.is::<UnnestExec>() {
                return Ok(Transformed::yes(Arc::new(CooperativeExec::new(node)) as _));
            }
            Ok(Transformed::no(node))
        });
        Ok(plan?.data)
    }
}
