//! How much of its input a filter keeps, guessed by what it asks. DataFusion takes a fifth for whatever it cannot work
//! out, for `name = 'x'` as for `name <> 'x'`; joins then get the wrong sides.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use std::sync::Arc;

/// Gives filters a share of rows by which statistics go where they know no better.
#[derive(Debug)]
pub(super) struct GuessSelectivity;

impl PhysicalOptimizerRule for GuessSelectivity {
    fn name(&self) -> &str {
        "guess_selectivity"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let guessed = plan.transform_up(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(node)) };
            let filter =
                FilterExecBuilder::from(filter).with_default_selectivity(percent(filter.predicate()));
            Ok(Transformed::yes(Arc::new(filter.build()?) as Arc<dyn ExecutionPlan>))
        });
        guessed.data()
    }
}

fn percent(predicate: &Arc<dyn PhysicalExpr>) -> u8 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 1 to 100")]
    let percent = (share(predicate) * 100.0).ceil().clamp(1.0, 100.0) as u8;
    percent
}

/// What nothing is known of.
const UNKNOWN: f64 = 0.25;

/// The share of rows that pass. As rough as it looks: what counts is that an equation keeps less than a comparison, and
/// that less than an inequation.
fn share(predicate: &Arc<dyn PhysicalExpr>) -> f64 {
    if let Some(binary) = predicate.downcast_ref::<BinaryExpr>() {
        let is_value = [binary.left(), binary.right()].iter().any(|side| side.is::<Literal>());
        return match binary.op() {
            Operator::And => share(binary.left()) * share(binary.right()),
            Operator::Or => {
                let (left, right) = (share(binary.left()), share(binary.right()));
                left + right - left * right
            }
            Operator::Eq | Operator::IsNotDistinctFrom => 0.05,
            Operator::NotEq | Operator::IsDistinctFrom => 0.9,
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq if is_value => 0.35,
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => 0.5,
            _ => UNKNOWN,
        };
    }
    if let Some(not) = predicate.downcast_ref::<NotExpr>() {
        return 1.0 - share(not.arg());
    }
    if let Some(list) = predicate.downcast_ref::<InListExpr>() {
        #[allow(clippy::cast_precision_loss, reason = "it is a guess")]
        let share = (list.list().len() as f64 * 0.05).min(0.5);
        return if list.negated() { 1.0 - share } else { share };
    }
    if let Some(like) = predicate.downcast_ref::<LikeExpr>() {
        return if like.negated() { 0.9 } else { 0.1 };
    }
    if predicate.is::<IsNullExpr>() {
        return 0.1;
    }
    if predicate.is::<IsNotNullExpr>() {
        return 0.95;
    }
    match predicate.downcast_ref::<ScalarFunctionExpr>() {
        Some(call) if call.name().contains("like") => 0.1,
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::physical_expr::expressions::{Column, lit};

    #[test]
    fn what_filters_keep() {
        let column = |name| Arc::new(Column::new(name, 0)) as Arc<dyn PhysicalExpr>;
        let ask = |left, op, right| Arc::new(BinaryExpr::new(left, op, right)) as Arc<dyn PhysicalExpr>;
        let equal = || ask(column("a"), Operator::Eq, lit("x"));
        let below = || ask(column("b"), Operator::Lt, lit(5));
        for (predicate, expected) in [
            (equal(), 5),
            (ask(equal(), Operator::And, below()), 2),
            (ask(equal(), Operator::Or, below()), 39),
            (ask(column("a"), Operator::NotEq, lit("x")), 90),
            (ask(column("a"), Operator::Lt, column("b")), 50),
            (Arc::new(NotExpr::new(equal())), 95),
            (column("a"), 25),
        ] {
            assert_eq!(percent(&predicate), expected, "{predicate}");
        }
    }
}
