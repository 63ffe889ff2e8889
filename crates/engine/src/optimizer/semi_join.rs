//! `x IN (SELECT …)` over a join: asked of the table that x comes from, before that is joined with others.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// Brings semi joins below inner joins, to the side that has their keys. Only where the other side keeps all its rows: a
/// join that leaves rows away is better done first.
#[derive(Debug)]
pub(super) struct PushDownSemiJoin;

impl OptimizerRule for PushDownSemiJoin {
    fn name(&self) -> &str {
        "push_down_semi_join"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Join(semi) = &plan else { return Ok(Transformed::no(plan)) };
        match pushed(semi)? {
            Some(join) => Ok(Transformed::yes(LogicalPlan::Join(join))),
            None => Ok(Transformed::no(plan)),
        }
    }
}

fn pushed(semi: &Join) -> Result<Option<Join>> {
    if semi.join_type != JoinType::LeftSemi || semi.filter.is_some() || semi.on.is_empty() {
        return Ok(None);
    }
    let LogicalPlan::Join(inner) = semi.left.as_ref() else { return Ok(None) };
    if inner.join_type != JoinType::Inner {
        return Ok(None);
    }
    let keys: Vec<&Expr> = semi.on.iter().map(|(key, _)| key).collect();
    let on_left = match (has_all(&inner.left, &keys), has_all(&inner.right, &keys)) {
        (true, _) if keeps_rows(&inner.right) => true,
        (_, true) if keeps_rows(&inner.left) => false,
        _ => return Ok(None),
    };
    let side = if on_left { &inner.left } else { &inner.right };
    let sieved = Join::try_new(
        Arc::clone(side),
        Arc::clone(&semi.right),
        semi.on.clone(),
        None,
        JoinType::LeftSemi,
        semi.join_constraint,
        semi.null_equality,
        semi.null_aware,
    )?;
    let mut joined = inner.clone();
    let sieved = Arc::new(LogicalPlan::Join(sieved));
    match on_left {
        true => joined.left = sieved,
        false => joined.right = sieved,
    }
    Ok(Some(joined))
}

/// Whether the keys are made of columns of this plan alone.
fn has_all(plan: &LogicalPlan, keys: &[&Expr]) -> bool {
    keys.iter().all(|key| key.column_refs().iter().all(|column| plan.schema().has_column(column)))
}

/// Whether nothing below leaves rows of its tables away, as far as can be seen.
fn keeps_rows(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => scan.filters.is_empty() && scan.fetch.is_none(),
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => {
            plan.inputs().into_iter().all(keeps_rows)
        }
        LogicalPlan::Join(join) => {
            matches!(join.join_type, JoinType::Inner | JoinType::Left)
                && join.filter.is_none()
                && keeps_rows(&join.left)
                && keeps_rows(&join.right)
        }
        _ => false,
    }
}
