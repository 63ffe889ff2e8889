//! Subqueries that use columns of the query around them: DataFusion makes joins of most, plan of the others.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use model::{Error, Result};

/// The optimized plan, in which no subquery looks outward any more.
pub(crate) fn optimize(state: &SessionState, plan: &LogicalPlan) -> Result<LogicalPlan> {
    let first = match state.optimize(plan) {
        _ if plan::reaches_far(plan)? => None,
        Ok(optimized) if !leans_outward(&optimized) => return Ok(optimized),
        Ok(_) => None,
        Err(error) if leans_outward(plan) => Some(error),
        Err(error) => return Err(scan::error(error)),
    };
    let lifted = plan::without_correlation(plan.clone())?;
    let optimized = state.optimize(&lifted).map_err(|second| scan::error(first.unwrap_or(second)))?;
    if leans_outward(&optimized) {
        return Err(Error::unsupported(
            "a subquery uses columns of the query around it in a way that is not supported",
        )
        .hint("compare the outer columns in its WHERE, or write it as a JOIN"));
    }
    Ok(optimized)
}

/// Whether anything is left that uses columns of a query around it.
fn leans_outward(plan: &LogicalPlan) -> bool {
    let lateral = plan.exists(|node| Ok(matches!(node, LogicalPlan::Subquery(_)))).unwrap_or(true);
    let mut outward = lateral;
    let seen = plan.apply_with_subqueries(|node| {
        outward |= node.expressions().iter().any(Expr::contains_outer);
        Ok(if outward { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    outward || seen.is_err()
}
