//! Subqueries that use columns of the query around them in ways DataFusion cannot turn to joins.
//!
//! A subquery is worked out once for every combination of the outer columns it uses, all at once: these combinations
//! (its domain) go down through the subquery's plan to where they are used, and its rows come up with the combination
//! they belong to, by which they are joined to the query around. It is the way of Neumann and Kemper's "Unnesting
//! arbitrary queries". It reads the tables around a second time, so it is only taken where DataFusion has no way.

mod domain;
mod push;

use crate::error::from_datafusion;
use crate::query::project;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError, JoinType};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, LogicalPlanBuilder, lit, when};
use domain::Domain;
use model::{Error, Result};
use std::cell::Cell;
use std::sync::Arc;

/// The plan without subqueries that use columns around them. Those that use none stay as they are.
pub fn without_correlation(plan: LogicalPlan) -> Result<LogicalPlan> {
    Lifter::default().lift(plan)
}

/// Whether a subquery uses columns of a query that is not the one right around it. DataFusion takes them for its own.
pub fn reaches_far(plan: &LogicalPlan) -> Result<bool> {
    let mut far = false;
    each_subquery(plan, &mut |middle| {
        let mut used = Vec::new();
        each_subquery(middle, &mut |inner| outer_columns(inner, |column| used.push(column.clone())))?;
        if !used.is_empty() {
            without_own(middle, &mut used)?;
            far |= !used.is_empty();
        }
        Ok(())
    })?;
    Ok(far)
}

/// Makes joins of subqueries, from the innermost outwards.
#[derive(Default)]
struct Lifter {
    next: Cell<usize>,
}

impl Lifter {
    /// A name that no other column of the plan has: the analyzer's own end in `#` and a number.
    fn fresh(&self, what: &str) -> String {
        let number = self.next.get();
        self.next.set(number + 1);
        format!("{what}~{number}")
    }

    fn lift(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, || {
            let plan = plan
                .map_children(|child| self.lift(child).map(Transformed::yes).map_err(scanned))
                .map_err(from_datafusion)?
                .data;
            match plan {
                LogicalPlan::Join(join) if matches!(join.right.as_ref(), LogicalPlan::Subquery(_)) => {
                    self.lateral(join)
                }
                LogicalPlan::Subquery(inner) if inner.outer_ref_columns.is_empty() => {
                    Ok(Arc::unwrap_or_clone(inner.subquery))
                }
                plan => self.values_of(plan),
            }
        })
    }

    /// A subquery in FROM that uses columns of what stands before it.
    fn lateral(&self, join: Join) -> Result<LogicalPlan> {
        let LogicalPlan::Subquery(inner) = join.right.as_ref() else {
            return Ok(LogicalPlan::Join(join));
        };
        if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
            return Err(Error::unsupported(
                "a lateral subquery can only be joined by CROSS, INNER or LEFT JOIN",
            ));
        }
        let columns = join.schema.columns();
        let domain = Domain::of(&inner.subquery, &join.left, self)?;
        let (right, keys) = self.push(inner.subquery.as_ref().clone(), &domain)?;
        let filter = match (domain.matching(&keys, &join.left, &right)?, join.filter) {
            (Some(matching), Some(filter)) => Some(matching.and(filter)),
            (matching, filter) => matching.or(filter),
        };
        let joined = joined(join.left, right, join.join_type, filter)?;
        project(joined, columns.into_iter().map(Expr::Column).collect())
    }

    /// Puts the values of a node's subqueries beside its rows.
    fn values_of(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        if !plan.expressions().iter().any(has_correlated) {
            return Ok(plan);
        }
        let inputs = plan.inputs();
        let [input] = inputs.as_slice() else {
            return Err(Error::unsupported("a join's condition cannot contain this subquery")
                .hint("move it to WHERE"));
        };
        let mut input = (*input).clone();
        let names = plan.schema().columns();
        let mut exprs = Vec::new();
        for expr in plan.expressions() {
            let name = expr.schema_name().to_string();
            let changed = expr
                .transform_up(|e| match self.value_of(&e, &mut input).map_err(scanned)? {
                    Some(value) => Ok(Transformed::yes(value)),
                    None => Ok(Transformed::no(e)),
                })
                .map_err(from_datafusion)?
                .data;
            let keeps_names = matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::Sort(_));
            let same = keeps_names || changed.schema_name().to_string() == name;
            exprs.push(if same { changed } else { changed.alias(name) });
        }
        let above = plan.with_new_exprs(exprs, vec![input]).map_err(from_datafusion)?;
        if above.schema().columns() == names {
            return Ok(above);
        }
        project(above, names.into_iter().map(Expr::Column).collect())
    }

    /// The value of an expression that is a subquery with columns around it; what it needs is joined to the input.
    fn value_of(&self, expr: &Expr, input: &mut LogicalPlan) -> Result<Option<Expr>> {
        if !is_correlated(expr)? {
            return Ok(None);
        }
        match expr {
            Expr::ScalarSubquery(scalar) => {
                let name = self.fresh("value");
                let plan = self.lift(scalar.subquery.as_ref().clone())?;
                let first = plan.schema().columns().into_iter().next();
                let first = first.ok_or_else(|| Error::internal("a subquery lost its column"))?;
                self.beside(plan, input, |lifter, plan, keys| {
                    lifter.keyed(plan, keys, vec![Expr::Column(first).alias(name.clone())])
                })?;
                Ok(Some(Expr::Column(Column::new_unqualified(name))))
            }
            Expr::Exists(exists) => {
                let name = self.fresh("found");
                let plan = self.lift(exists.subquery.subquery.as_ref().clone())?;
                self.beside(plan, input, |lifter, plan, keys| {
                    let (plan, keys) = lifter.keyed(plan, keys, vec![lit(true).alias(name.clone())])?;
                    let distinct = LogicalPlanBuilder::from(plan).distinct();
                    Ok((distinct.and_then(LogicalPlanBuilder::build).map_err(from_datafusion)?, keys))
                })?;
                let found = Expr::Column(Column::new_unqualified(name));
                Ok(Some(if exists.negated { found.is_null() } else { found.is_not_null() }))
            }
            Expr::InSubquery(inside) => self.among(inside, input).map(Some),
            _ => Ok(None),
        }
    }

    /// `value IN (…)`: how many rows are equal, and of how many it cannot be said.
    fn among(&self, inside: &InSubquery, input: &mut LogicalPlan) -> Result<Expr> {
        let (equal, open) = (self.fresh("equal"), self.fresh("open"));
        let plan = self.lift(inside.subquery.subquery.as_ref().clone())?;
        let column = plan.schema().columns().into_iter().next();
        let column = column.ok_or_else(|| Error::internal("a subquery lost its column"))?;
        let compared = Expr::Column(column).eq(as_outer_columns(inside.expr.as_ref().clone(), input)?);
        let compared_as = self.fresh("compared");
        let plan = project(plan, vec![compared.alias(compared_as.clone())])?;
        let compared = Expr::Column(Column::new_unqualified(compared_as));
        self.beside(plan, input, |_, plan, keys| {
            use datafusion::functions_aggregate::expr_fn::sum;
            let one = |of: Expr| when(of, lit(1_i64)).otherwise(lit(0_i64)).map_err(from_datafusion);
            let equals = sum(one(compared.clone().is_true())?).alias(equal.clone());
            let opens = sum(one(compared.clone().is_null())?).alias(open.clone());
            let grouped = LogicalPlanBuilder::from(plan)
                .aggregate(keys.iter().cloned().map(Expr::Column), [equals, opens])
                .and_then(LogicalPlanBuilder::build)
                .map_err(from_datafusion)?;
            Ok((grouped, keys))
        })?;
        let column = |name: String| Expr::Column(Column::new_unqualified(name));
        let null = Expr::Literal(datafusion::common::ScalarValue::Boolean(None), None);
        let found = when(column(equal).gt(lit(0_i64)), lit(true))
            .when(column(open).gt(lit(0_i64)), null)
            .otherwise(lit(false))
            .map_err(from_datafusion)?;
        Ok(if inside.negated { Expr::Not(Box::new(found)) } else { found })
    }

    /// Joins to the input what `make` makes of the subquery's rows for all combinations, at most one row for each.
    fn beside(
        &self,
        plan: LogicalPlan,
        input: &mut LogicalPlan,
        make: impl FnOnce(&Self, LogicalPlan, Vec<Column>) -> Result<(LogicalPlan, Vec<Column>)>,
    ) -> Result<()> {
        let domain = Domain::of(&plan, input, self)?;
        let (plan, keys) = self.push(plan, &domain)?;
        let (plan, keys) = make(self, plan, keys)?;
        let matching = domain.matching(&keys, input, &plan)?.unwrap_or_else(|| lit(true));
        *input = joined(Arc::new(input.clone()), plan, JoinType::Left, Some(matching))?;
        Ok(())
    }

    /// The plan with these columns alone, and its keys behind them.
    fn keyed(
        &self,
        plan: LogicalPlan,
        keys: Vec<Column>,
        mut exprs: Vec<Expr>,
    ) -> Result<(LogicalPlan, Vec<Column>)> {
        exprs.extend(keys.iter().cloned().map(Expr::Column));
        Ok((project(plan, exprs)?, keys))
    }
}

fn joined(
    left: Arc<LogicalPlan>,
    right: LogicalPlan,
    kind: JoinType,
    filter: Option<Expr>,
) -> Result<LogicalPlan> {
    let builder = LogicalPlanBuilder::from(Arc::unwrap_or_clone(left));
    let builder = match (filter, kind) {
        (None, JoinType::Inner) => builder.cross_join(right),
        (filter, kind) => builder.join_on(right, kind, [filter.unwrap_or_else(|| lit(true))]),
    };
    builder.and_then(LogicalPlanBuilder::build).map_err(from_datafusion)
}

/// Whether the expression is a subquery that uses columns around it, be it in a subquery of its own.
fn is_correlated(expr: &Expr) -> Result<bool> {
    let subquery = match expr {
        Expr::ScalarSubquery(subquery) => subquery,
        Expr::Exists(exists) => &exists.subquery,
        Expr::InSubquery(inside) => &inside.subquery,
        _ => return Ok(false),
    };
    if !subquery.outer_ref_columns.is_empty() {
        return Ok(true);
    }
    let mut used = Vec::new();
    outer_columns(&subquery.subquery, |column| used.push(column.clone()))?;
    without_own(&subquery.subquery, &mut used)?;
    Ok(!used.is_empty())
}

/// Takes the columns that the plan makes itself from those that are used.
fn without_own(plan: &LogicalPlan, used: &mut Vec<Column>) -> Result<()> {
    let seen = plan.apply_with_subqueries(|node| {
        used.retain(|column| !node.schema().has_column(column));
        Ok(TreeNodeRecursion::Continue)
    });
    seen.map(|_| ()).map_err(from_datafusion)
}

/// Calls `see` with the plans of all subqueries, also those within others.
fn each_subquery(plan: &LogicalPlan, see: &mut dyn FnMut(&LogicalPlan) -> Result<()>) -> Result<()> {
    let seen = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Subquery(subquery) = node {
            see(&subquery.subquery).map_err(scanned)?;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    seen.map(|_| ()).map_err(from_datafusion)
}

fn has_correlated(expr: &Expr) -> bool {
    expr.exists(|e| is_correlated(e).map_err(scanned)).unwrap_or(false)
}

/// Calls `see` with the columns of outer queries that the plan uses.
fn outer_columns(plan: &LogicalPlan, mut see: impl FnMut(&Column)) -> Result<()> {
    let seen = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                if let Expr::OuterReferenceColumn(_, column) = e {
                    see(column);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    seen.map(|_| ()).map_err(from_datafusion)
}

/// The expression over a plan's rows as a subquery beside them sees it.
fn as_outer_columns(expr: Expr, plan: &LogicalPlan) -> Result<Expr> {
    let seen = expr.transform_up(|e| {
        let Expr::Column(column) = e else { return Ok(Transformed::no(e)) };
        let field = plan.schema().qualified_field_from_column(&column)?.1.clone();
        Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
    });
    seen.map(|t| t.data).map_err(from_datafusion)
}

/// Our error on its way through DataFusion's.
fn scanned(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
