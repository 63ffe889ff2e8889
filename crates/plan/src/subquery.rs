//! Subqueries in expressions: scalar, EXISTS, IN, compared with ANY and ALL.

use crate::analyzer::Analyzer;
use crate::error::span_of;
use crate::expr::{At, Filters, Typed, boolean};
use crate::runtime;
use crate::scope::{Relation, Scope};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Spans;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, lit};
use model::{Error, Result};
use sql::{SqlType, common_type};
use sqlparser::ast::{BinaryOperator, Expr as Ast, Query, Spanned};
use std::sync::Arc;

impl Analyzer<'_> {
    /// The subquery, in which the columns around it can be named.
    fn subquery(&self, query: &Query, at: At<'_>) -> Result<Relation> {
        let mut scope = at.scope.clone();
        if scope.lambda_depth > 0 {
            return Err(self.fail(query.span(), Error::unsupported("a lambda cannot contain a subquery")));
        }
        scope.columns.retain(|c| !c.is_parameter());
        self.plan_query(query, &at.env.inside(scope))
    }

    fn single_column(&self, query: &Query, at: At<'_>) -> Result<(Relation, Typed)> {
        let relation = self.subquery(query, at)?;
        let visible: Vec<_> = relation.visible().cloned().collect();
        match visible.as_slice() {
            [column] => {
                let value = Typed::new(Expr::Column(column.column.clone()), column.sql_type.clone());
                Ok((relation, value))
            }
            many => Err(self.fail(
                query.span(),
                Error::invalid(format!(
                    "a subquery used as a value has one column, this one has {}",
                    many.len()
                )),
            )),
        }
    }

    pub(crate) fn scalar_subquery(&self, query: &Query, at: At<'_>) -> Result<Typed> {
        let (relation, value) = self.single_column(query, at)?;
        let name = self.fresh("value");
        let single = is_single_row(&relation.plan);
        let builder = LogicalPlanBuilder::from(relation.plan);
        // A second row is an error: an aggregate that says so takes the place of the bare column.
        let builder = if single {
            builder.project([value.expr.alias(name)])
        } else {
            builder.aggregate(
                Vec::<Expr>::new(),
                [runtime::single_value(value.expr, &value.sql_type).alias(name)],
            )
        };
        let plan = builder.and_then(LogicalPlanBuilder::build).map_err(crate::error::from_datafusion)?;
        Ok(Typed::new(Expr::ScalarSubquery(wrap(plan)), value.sql_type))
    }

    pub(crate) fn exists(&self, query: &Query, negated: bool, at: At<'_>) -> Result<Typed> {
        let relation = self.subquery(query, at)?;
        if at.rules.filters == Filters::No {
            let rows = counted(relation.plan, self.fresh("rows"))?;
            return Ok(boolean(if negated { rows.eq(lit(0_i64)) } else { rows.gt(lit(0_i64)) }));
        }
        Ok(boolean(Expr::Exists(Exists { subquery: wrap(relation.plan), negated })))
    }

    pub(crate) fn in_subquery(&self, expr: &Ast, query: &Query, negated: bool, at: At<'_>) -> Result<Typed> {
        if let Ast::Tuple(items) = expr
            && items.len() > 1
        {
            return self.row_in_subquery(items, query, negated, at);
        }
        let value = self.typed(expr, At { rules: &at.rules.at_most(Filters::Somehow), ..at })?;
        let (plan, value) =
            self.comparable_subquery(value, query, at).map_err(|e| self.fail(span_of(expr), e))?;
        if !may_be_joined(negated, at) {
            let found = self.found_among(plan, value, at.scope)?;
            return Ok(boolean(if negated { Expr::Not(Box::new(found)) } else { found }));
        }
        Ok(boolean(Expr::InSubquery(InSubquery { expr: Box::new(value), subquery: wrap(plan), negated })))
    }

    /// `(a, b) IN (SELECT x, y …)`: a row exists whose columns are all equal. Where none is and it cannot be said of some
    /// because of NULLs, it is NULL.
    fn row_in_subquery(&self, items: &[Ast], query: &Query, negated: bool, at: At<'_>) -> Result<Typed> {
        let relation = self.subquery(query, at)?;
        let columns: Vec<_> = relation.visible().cloned().collect();
        if columns.len() != items.len() {
            let text =
                format!("a row of {} is compared with a subquery of {} columns", items.len(), columns.len());
            return Err(self.fail(query.span(), Error::invalid(text)));
        }
        let rules = at.rules.at_most(Filters::Somehow);
        let mut all = lit(true);
        for (item, column) in items.iter().zip(columns) {
            let value = self.typed(item, At { rules: &rules, ..at })?;
            let outside = Typed::new(as_outer(value.expr, at.scope)?, value.sql_type);
            let inside = Typed::new(Expr::Column(column.column), column.sql_type);
            all = all.and(self.equal(inside, outside).map_err(|e| self.fail(span_of(item), e))?);
        }
        let rows_where = |condition: Expr| {
            LogicalPlanBuilder::from(relation.plan.clone())
                .filter(condition)
                .and_then(LogicalPlanBuilder::build)
                .map_err(crate::error::from_datafusion)
        };
        if may_be_joined(false, at) {
            let plan = rows_where(if negated { all.is_not_false() } else { all })?;
            return Ok(boolean(Expr::Exists(Exists { subquery: wrap(plan), negated })));
        }
        let equal = counted(rows_where(all.clone())?, self.fresh("rows"))?;
        let open = counted(rows_where(all.is_null())?, self.fresh("rows"))?;
        let null = Expr::Literal(datafusion::common::ScalarValue::Boolean(None), None);
        let found = datafusion::logical_expr::when(equal.gt(lit(0_i64)), lit(true))
            .when(open.gt(lit(0_i64)), null)
            .otherwise(lit(false))
            .map_err(crate::error::from_datafusion)?;
        Ok(boolean(if negated { Expr::Not(Box::new(found)) } else { found }))
    }

    /// `value IN (…)` where it is a value and not a filter: counted, as joins only filter. NULL where NULLs leave it open.
    fn found_among(&self, plan: LogicalPlan, value: Expr, scope: &Scope) -> Result<Expr> {
        let column = plan.schema().columns().into_iter().next().map(Expr::Column);
        let column = column.ok_or_else(|| Error::internal("a subquery lost its column"))?;
        let outside = as_outer(value.clone(), scope)?;
        let matching = LogicalPlanBuilder::from(plan.clone())
            .filter(column.clone().eq(outside))
            .and_then(LogicalPlanBuilder::build)
            .map_err(crate::error::from_datafusion)?;
        let nulls = LogicalPlanBuilder::from(plan.clone())
            .filter(column.is_null())
            .and_then(LogicalPlanBuilder::build)
            .map_err(crate::error::from_datafusion)?;
        let rows = counted(plan, self.fresh("rows"))?;
        let matches = counted(matching, self.fresh("rows"))?;
        let nulls = counted(nulls, self.fresh("rows"))?;
        let null = Expr::Literal(datafusion::common::ScalarValue::Boolean(None), None);
        datafusion::logical_expr::when(rows.eq(lit(0_i64)), lit(false))
            .when(value.is_null(), null.clone())
            .when(matches.gt(lit(0_i64)), lit(true))
            .when(nulls.gt(lit(0_i64)), null)
            .otherwise(lit(false))
            .map_err(crate::error::from_datafusion)
    }

    /// The subquery's column and the value, both cast to their common type.
    fn comparable_subquery(&self, value: Typed, query: &Query, at: At<'_>) -> Result<(LogicalPlan, Expr)> {
        let (relation, column) = self.single_column(query, at)?;
        let Some(common) = common_type(&value.sql_type, &column.sql_type) else {
            return Err(Error::invalid(format!(
                "cannot compare {} with the subquery's {}",
                value.sql_type, column.sql_type
            ))
            .hint("cast one of them"));
        };
        let value = self.cast(value, &common, false)?.expr;
        let column = self.cast(column, &common, false)?.expr.alias(self.fresh("value"));
        let plan = LogicalPlanBuilder::from(relation.plan)
            .project([column])
            .and_then(LogicalPlanBuilder::build)
            .map_err(crate::error::from_datafusion)?;
        Ok((plan, value))
    }

    /// `x > ALL (SELECT …)`: by the smallest or largest value where the order allows, counting NULLs.
    pub(crate) fn quantified(
        &self,
        left: &Ast,
        op: &BinaryOperator,
        right: &Ast,
        all: bool,
        at: At<'_>,
    ) -> Result<Typed> {
        let query = match right {
            Ast::Subquery(query) => query,
            Ast::Nested(inner) => match inner.as_ref() {
                Ast::Subquery(query) => query,
                _ => return Err(Error::invalid("ANY and ALL take a subquery")),
            },
            _ => {
                return Err(Error::invalid("ANY and ALL take a subquery")
                    .hint("for an array write contains(array, x)"));
            }
        };
        let Some(op) = crate::expr::comparison_of(op) else {
            return Err(Error::invalid(format!("{op} is not a comparison")));
        };
        let value = self.typed(left, At { rules: &at.rules.at_most(Filters::Somehow), ..at })?;
        match (op, all) {
            (Operator::Eq, false) => {
                let (plan, value) = self.comparable_subquery(value, query, at)?;
                if !may_be_joined(false, at) {
                    return Ok(boolean(self.found_among(plan, value, at.scope)?));
                }
                let expr = InSubquery { expr: Box::new(value), subquery: wrap(plan), negated: false };
                Ok(boolean(Expr::InSubquery(expr)))
            }
            (Operator::NotEq, true) => {
                let (plan, value) = self.comparable_subquery(value, query, at)?;
                if !may_be_joined(true, at) {
                    let found = self.found_among(plan, value, at.scope)?;
                    return Ok(boolean(Expr::Not(Box::new(found))));
                }
                let expr = InSubquery { expr: Box::new(value), subquery: wrap(plan), negated: true };
                Ok(boolean(Expr::InSubquery(expr)))
            }
            _ => self.by_extremes(value, op, query, all, at),
        }
    }

    /// The comparison with all values is decided by the smallest and the largest, unless NULLs leave it open.
    fn by_extremes(&self, value: Typed, op: Operator, query: &Query, all: bool, at: At<'_>) -> Result<Typed> {
        let extreme = |which: fn(Expr) -> Expr| -> Result<Typed> {
            let (plan, sql_type) = self.extreme_plan(&value.sql_type, query, which, at)?;
            Ok(Typed::new(Expr::ScalarSubquery(wrap(plan)), sql_type))
        };
        use datafusion::functions_aggregate::expr_fn::{max, min};
        let compared = match (op, all) {
            (Operator::Lt | Operator::LtEq, true) | (Operator::Gt | Operator::GtEq, false) => {
                self.compare(value.clone(), op, extreme(min)?)?.expr
            }
            (Operator::Gt | Operator::GtEq, true) | (Operator::Lt | Operator::LtEq, false) => {
                self.compare(value.clone(), op, extreme(max)?)?.expr
            }
            // = ALL: the smallest and the largest are both equal; <> ANY: one of them differs.
            (Operator::Eq, _) => {
                let low = self.compare(value.clone(), op, extreme(min)?)?.expr;
                low.and(self.compare(value.clone(), op, extreme(max)?)?.expr)
            }
            _ => {
                let low = self.compare(value.clone(), op, extreme(min)?)?.expr;
                low.or(self.compare(value.clone(), op, extreme(max)?)?.expr)
            }
        };
        let (rows, nulls) = (self.count(query, false, at)?, self.count(query, true, at)?);
        let null = Expr::Literal(datafusion::common::ScalarValue::Boolean(None), None);
        // No rows decide alone; a decisive comparison stands; else NULLs leave the answer open.
        let expr = datafusion::logical_expr::when(rows.eq(lit(0_i64)), lit(all))
            .when(if all { compared.clone().is_false() } else { compared.clone().is_true() }, lit(!all))
            .when(nulls.gt(lit(0_i64)), null)
            .otherwise(compared)
            .map_err(crate::error::from_datafusion)?;
        Ok(boolean(expr))
    }

    fn extreme_plan(
        &self,
        wanted: &SqlType,
        query: &Query,
        which: fn(Expr) -> Expr,
        at: At<'_>,
    ) -> Result<(LogicalPlan, SqlType)> {
        let (relation, column) = self.single_column(query, at)?;
        if common_type(wanted, &column.sql_type).is_none() {
            return Err(Error::invalid(format!(
                "cannot compare {wanted} with the subquery's {}",
                column.sql_type
            )));
        }
        let plan = LogicalPlanBuilder::from(relation.plan)
            .aggregate(Vec::<Expr>::new(), [which(column.expr).alias(self.fresh("extreme"))])
            .and_then(LogicalPlanBuilder::build)
            .map_err(crate::error::from_datafusion)?;
        Ok((plan, column.sql_type))
    }

    /// How many rows the subquery has, or how many of them are NULL.
    fn count(&self, query: &Query, nulls: bool, at: At<'_>) -> Result<Expr> {
        let (relation, column) = self.single_column(query, at)?;
        let mut builder = LogicalPlanBuilder::from(relation.plan);
        if nulls {
            builder = builder.filter(column.expr.is_null()).map_err(crate::error::from_datafusion)?;
        }
        let count = datafusion::functions_aggregate::expr_fn::count(lit(1_i64)).alias(self.fresh("rows"));
        let plan = builder
            .aggregate(Vec::<Expr>::new(), [count])
            .and_then(LogicalPlanBuilder::build)
            .map_err(crate::error::from_datafusion)?;
        Ok(Expr::ScalarSubquery(wrap(plan)))
    }
}

/// Whether DataFusion's join in the place of `IN` means the same here: what it leaves open counts as false, and a
/// negated one has to decide alone.
fn may_be_joined(negated: bool, at: At<'_>) -> bool {
    at.rules.filters >= if negated { Filters::Decides } else { Filters::Passes }
}

/// How many rows a plan has, as a value.
fn counted(plan: LogicalPlan, name: String) -> Result<Expr> {
    let count = datafusion::functions_aggregate::expr_fn::count(lit(1_i64)).alias(name);
    let plan = LogicalPlanBuilder::from(plan)
        .aggregate(Vec::<Expr>::new(), [count])
        .and_then(LogicalPlanBuilder::build)
        .map_err(crate::error::from_datafusion)?;
    Ok(Expr::ScalarSubquery(wrap(plan)))
}

/// The expression as a subquery inside sees it.
fn as_outer(expr: Expr, scope: &Scope) -> Result<Expr> {
    expr.transform_up(|e| {
        let Expr::Column(column) = e else { return Ok(Transformed::no(e)) };
        let known = scope.columns.iter().find(|c| c.column == column);
        let data_type = known.map_or(DataType::Null, |c| c.sql_type.to_arrow());
        let field = Arc::new(Field::new(&column.name, data_type, true));
        Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
    })
    .map(|t| t.data)
    .map_err(crate::error::from_datafusion)
}

fn wrap(plan: LogicalPlan) -> Subquery {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
}

/// Whether the plan yields one row whatever the data: an aggregation without groups.
fn is_single_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(p) => is_single_row(&p.input),
        LogicalPlan::SubqueryAlias(a) => is_single_row(&a.input),
        LogicalPlan::Aggregate(a) => a.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(e) => e.produce_one_row,
        _ => false,
    }
}
