//! The combinations of outer columns for which a subquery is worked out.

use super::{Lifter, outer_columns};
use crate::error::from_datafusion;
use crate::query::project;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr};
use model::{Error, Result};

/// The outer columns a subquery uses, and the plan of their distinct combinations.
pub(super) struct Domain {
    pub(super) columns: Vec<Column>,
    plan: LogicalPlan,
}

impl Domain {
    /// Of a subquery beside the rows of `outer`. Columns of queries still further out are not of it.
    pub(super) fn of(subquery: &LogicalPlan, outer: &LogicalPlan, lifter: &Lifter) -> Result<Self> {
        let mut columns: Vec<Column> = Vec::new();
        outer_columns(subquery, |column| {
            if outer.schema().has_column(column) && !columns.contains(column) {
                columns.push(column.clone());
            }
        })?;
        if !columns.is_empty() && !repeatable(outer)? {
            return Err(Error::unsupported(
                "a subquery uses columns of a query that need not give the same rows twice",
            )
            .why("the rows around it are read twice for this subquery, and a sample, a random number or a LIMIT \
                  would not be the same again")
            .hint("write it as a JOIN, or store the rows around it in a table first"));
        }
        let named = columns.iter().map(|c| Expr::Column(c.clone()).alias(lifter.fresh(&c.name))).collect();
        let plan = LogicalPlanBuilder::from(project(outer.clone(), named)?);
        let plan = if columns.is_empty() { Ok(plan) } else { plan.distinct() };
        let plan = plan.and_then(LogicalPlanBuilder::build).map_err(from_datafusion)?;
        Ok(Self { columns, plan })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The combinations under names of their own.
    pub(super) fn instance(&self, lifter: &Lifter) -> Result<(LogicalPlan, Vec<Column>)> {
        let names: Vec<String> = self.columns.iter().map(|c| lifter.fresh(&c.name)).collect();
        let given = self.plan.schema().columns();
        let exprs = given.into_iter().zip(&names).map(|(c, name)| Expr::Column(c).alias(name)).collect();
        let keys = names.into_iter().map(Column::new_unqualified).collect();
        Ok((project(self.plan.clone(), exprs)?, keys))
    }

    /// Whether the plan uses one of the columns.
    pub(super) fn is_used_by(&self, plan: &LogicalPlan) -> Result<bool> {
        let mut used = false;
        outer_columns(plan, |column| used |= self.columns.contains(column))?;
        Ok(used)
    }

    /// The column of the combination that stands for an outer one.
    pub(super) fn key<'k>(&self, outer: &Column, keys: &'k [Column]) -> Option<&'k Column> {
        self.columns.iter().position(|c| c == outer).and_then(|at| keys.get(at))
    }

    /// That a row of the query around and a row of the subquery are of one combination.
    pub(super) fn matching(
        &self,
        keys: &[Column],
        outer: &LogicalPlan,
        inner: &LogicalPlan,
    ) -> Result<Option<Expr>> {
        same(&self.columns, outer, keys, inner)
    }
}

/// That these columns and those are the same, NULLs too. Written as equalities of values that are never NULL: by these
/// joins are hashed whatever else they ask for.
pub(super) fn same(
    left: &[Column],
    left_plan: &LogicalPlan,
    right: &[Column],
    right_plan: &LogicalPlan,
) -> Result<Option<Expr>> {
    let mut all: Option<Expr> = None;
    for (l, r) in left.iter().zip(right) {
        let (l_expr, r_expr) = (Expr::Column(l.clone()), Expr::Column(r.clone()));
        let l_null = l_expr.nullable(left_plan.schema().as_ref()).map_err(from_datafusion)?;
        let r_null = r_expr.nullable(right_plan.schema().as_ref()).map_err(from_datafusion)?;
        let data_type = l_expr.get_type(left_plan.schema().as_ref()).map_err(from_datafusion)?;
        let equal = match ScalarValue::new_default(&data_type) {
            _ if !l_null && !r_null => l_expr.eq(r_expr),
            Ok(default) => {
                let value = |e: Expr| {
                    let default = Expr::Literal(default.clone(), None);
                    datafusion::functions::core::expr_fn::coalesce(vec![e, default])
                };
                let nulls = l_expr.clone().is_null().eq(r_expr.clone().is_null());
                nulls.and(value(l_expr).eq(value(r_expr)))
            }
            Err(_) => binary_expr(l_expr, Operator::IsNotDistinctFrom, r_expr),
        };
        all = Some(match all {
            Some(before) => before.and(equal),
            None => equal,
        });
    }
    Ok(all)
}

/// Whether a plan gives the same rows each time.
fn repeatable(plan: &LogicalPlan) -> Result<bool> {
    let mut repeatable = true;
    let seen = plan.apply_with_subqueries(|node| {
        let volatile = node.expressions().iter().any(Expr::is_volatile);
        if volatile || matches!(node, LogicalPlan::Limit(_)) {
            repeatable = false;
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    seen.map(|_| repeatable).map_err(from_datafusion)
}
