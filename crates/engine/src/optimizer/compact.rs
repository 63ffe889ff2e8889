//! Sorts that know how much memory their rows take.
//!
//! Texts of rows that are sorted stay in the buffers they came in: each batch that a sort takes or gives may hold on to
//! all texts there are, and is counted, spilled and merged as if they were its own. A sort of ten batches then believes to
//! hold a hundred, spills without need and fails where spilling would have been enough.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, replace_children_if_necessary,
};
use futures::StreamExt;
use scan::{compact, may_be_wasteful};
use std::fmt;
use std::sync::Arc;

/// Has sorts take and give rows that hold on to their own texts only.
#[derive(Debug)]
pub(super) struct SortOwnTexts;

impl PhysicalOptimizerRule for SortOwnTexts {
    fn name(&self) -> &str {
        "sort_own_texts"
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
            // The few rows of a sort with a limit are copied by itself.
            let is_whole = node.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_none());
            if !is_whole || !may_be_wasteful(node.schema().fields()) {
                return Ok(Transformed::no(node));
            }
            let inputs = node.children().into_iter().map(|input| CompactExec::over(Arc::clone(input)));
            let sort = replace_children_if_necessary(Arc::clone(&node), inputs.collect())?;
            Ok(Transformed::yes(CompactExec::over(sort)))
        });
        Ok(plan?.data)
    }
}

/// Copies texts out of buffers of which few are used.
struct CompactExec {
    input: Arc<dyn ExecutionPlan>,
}

impl CompactExec {
    fn over(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { input })
    }
}

impl fmt::Debug for CompactExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompactExec")
    }
}

impl DisplayAs for CompactExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompactExec")
    }
}

impl ExecutionPlan for CompactExec {
    fn name(&self) -> &str {
        "CompactExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Self::over(input)),
            None => datafusion::common::internal_err!("rows to copy come from somewhere"),
        }
    }

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, task)?;
        let schema = rows.schema();
        let rows = rows.map(|batch| Ok(compact(&batch?)?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
