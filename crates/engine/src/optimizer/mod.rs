//! What we add to DataFusion's optimizer.

mod adjacent;
mod compact;
mod near;
mod outward;
mod selectivity;
mod semi_join;
mod yielding;

pub(crate) use adjacent::AdjacentExec;
pub(crate) use outward::optimize;

use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use std::sync::Arc;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;
type PhysicalRule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// The rules for plans, in their order.
pub(crate) fn rules() -> Vec<Rule> {
    let mut rules = Optimizer::new().rules;
    // Behind the one that brings filters to the tables: where filters stand says what a join leaves away.
    let at = rules.iter().position(|rule| rule.name() == "push_down_filter").map_or(rules.len(), |at| at + 1);
    rules.insert(at, Arc::new(semi_join::PushDownSemiJoin));
    rules
}

/// The rules for physical plans, in their order.
pub(crate) fn physical_rules() -> Vec<PhysicalRule> {
    let mut rules = PhysicalOptimizer::new().rules;
    // Before the one that chooses the sides of joins.
    rules.insert(0, Arc::new(selectivity::GuessSelectivity));
    // Behind the one that brings the filters of joins to the tables.
    rules.push(Arc::new(near::LeaveToJoin));
    rules.push(Arc::new(yielding::UnnestGivesWay));
    rules.push(Arc::new(compact::SortOwnTexts));
    rules.push(Arc::new(adjacent::SumUpNeighbours));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_stand_among_the_others() {
        let names: Vec<String> = rules().iter().map(|rule| rule.name().to_owned()).collect();
        let at = |name: &str| names.iter().position(|it| it == name);
        assert_eq!(at("push_down_semi_join"), at("push_down_filter").map(|at| at + 1));
        assert_eq!(physical_rules()[0].name(), "guess_selectivity");
    }
}
