//! A subquery's plan for all combinations of its outer columns at once: each node as it has to be, so that the rows of
//! one combination never meet those of another.

use super::domain::{Domain, same};
use super::{Lifter, joined};
use crate::error::from_datafusion;
use crate::query::{project, windows};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprFunctionExt, FetchType, GroupingSet, Join, Limit, LogicalPlan,
    LogicalPlanBuilder, Operator, Projection, SkipType, SortExpr, SubqueryAlias, Union, Unnest, Values,
    Window, WindowFunctionDefinition, binary_expr, lit,
};
use model::{Error, Result};
use std::sync::Arc;

/// A plan for all combinations, and the columns that say which one a row belongs to.
type Pushed = (LogicalPlan, Vec<Column>);

impl Lifter {
    /// The plan's rows for each combination of the domain; behind its columns stand the combination's.
    pub(super) fn push(&self, plan: LogicalPlan, domain: &Domain) -> Result<Pushed> {
        if domain.is_empty() {
            return Ok((plan, Vec::new()));
        }
        if !domain.is_used_by(&plan)? {
            let (combinations, keys) = domain.instance(self)?;
            return Ok((joined(Arc::new(plan), combinations, JoinType::Inner, None)?, keys));
        }
        stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, || self.push_node(plan, domain))
    }

    fn push_node(&self, plan: LogicalPlan, domain: &Domain) -> Result<Pushed> {
        match plan {
            LogicalPlan::Projection(projection) => self.projection(projection, domain),
            LogicalPlan::Filter(filter) => {
                let (input, keys) = self.push(Arc::unwrap_or_clone(filter.input), domain)?;
                let predicate = replaced(filter.predicate, domain, &keys)?;
                Ok((build(LogicalPlanBuilder::from(input).filter(predicate))?, keys))
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, domain),
            LogicalPlan::Join(join) => self.join(join, domain),
            LogicalPlan::Window(window) => self.window(window, domain),
            // Without a limit above it, an order means nothing in a subquery.
            LogicalPlan::Sort(sort) => {
                let Some(fetch) = sort.fetch else {
                    return self.push(Arc::unwrap_or_clone(sort.input), domain);
                };
                self.cut(Arc::unwrap_or_clone(sort.input), sort.expr, 0, Some(fetch), domain)
            }
            LogicalPlan::Limit(limit) => self.limit(limit, domain),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let (input, keys) = self.push(Arc::unwrap_or_clone(input), domain)?;
                Ok((build(LogicalPlanBuilder::from(input).distinct())?, keys))
            }
            LogicalPlan::Union(union) => self.union(union, domain),
            LogicalPlan::SubqueryAlias(alias) => {
                let (input, keys) = self.push(Arc::unwrap_or_clone(alias.input), domain)?;
                let keys = keys.into_iter().map(|k| Column::new(Some(alias.alias.clone()), k.name)).collect();
                let plan = SubqueryAlias::try_new(Arc::new(input), alias.alias).map_err(from_datafusion)?;
                Ok((LogicalPlan::SubqueryAlias(plan), keys))
            }
            LogicalPlan::Values(values) => self.values(values, domain),
            LogicalPlan::Unnest(unnest) => self.unnest(unnest, domain),
            other => Err(Error::unsupported(
                "a subquery uses columns of the query around it in a way that is not supported",
            )
            .why(format!("they stand below {}", name_of(&other)))
            .hint("compare the outer columns in its WHERE, or write it as a JOIN")),
        }
    }

    fn projection(&self, projection: Projection, domain: &Domain) -> Result<Pushed> {
        let names = qualified(&projection.schema);
        let (input, keys) = self.push(Arc::unwrap_or_clone(projection.input), domain)?;
        let mut exprs = Vec::with_capacity(names.len() + keys.len());
        for (expr, name) in projection.expr.into_iter().zip(names) {
            exprs.push(named(replaced(expr, domain, &keys)?, name));
        }
        exprs.extend(keys.iter().cloned().map(Expr::Column));
        Ok((project(input, exprs)?, keys))
    }

    fn aggregate(&self, aggregate: Aggregate, domain: &Domain) -> Result<Pushed> {
        let names = qualified(&aggregate.schema);
        let (input, keys) = self.push(Arc::unwrap_or_clone(aggregate.input), domain)?;
        let mut made = Vec::new();
        for expr in aggregate.aggr_expr {
            made.push(replaced(expr, domain, &keys)?);
        }
        let mut groups = Vec::new();
        for expr in aggregate.group_expr {
            groups.push(replaced(expr, domain, &keys)?);
        }
        let (input, keys) = match groups.is_empty() {
            true => self.with_empty_groups(input, keys, &mut made, domain)?,
            false => (input, keys),
        };
        let by_keys = keys.iter().cloned().map(Expr::Column);
        let (groups, behind) = match groups.as_slice() {
            [Expr::GroupingSet(GroupingSet::GroupingSets(sets))]
                if sets.iter().all(|set| !set.is_empty()) =>
            {
                let sets = sets.iter().map(|set| by_keys.clone().chain(set.iter().cloned()).collect());
                (vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets.collect()))], false)
            }
            [Expr::GroupingSet(_)] => {
                return Err(Error::unsupported(
                    "a total of all groups cannot stand in a subquery that uses outer columns",
                )
                .why("ROLLUP, CUBE and the empty set of GROUPING SETS have one even where there are no rows")
                .hint("name the groups by GROUPING SETS, without ()"));
            }
            _ => (groups.iter().cloned().chain(by_keys).collect(), true),
        };
        let before = if behind { groups.len() - keys.len() } else { 0 };
        let plan = Aggregate::try_new(Arc::new(input), groups, made).map_err(from_datafusion)?;
        // The combination's columns are groups among the others: what stood there before is taken by its place.
        let mut given = plan.schema.columns();
        let plan = LogicalPlan::Aggregate(plan);
        if given.len() != names.len() + keys.len() {
            return Err(Error::internal("a subquery's groups are not as many as its columns"));
        }
        let keys: Vec<Column> = given.drain(before..before + keys.len()).collect();
        let fresh: Vec<Column> = keys.iter().map(|k| Column::new_unqualified(self.fresh(&k.name))).collect();
        let mut exprs: Vec<Expr> =
            given.into_iter().zip(names).map(|(column, name)| named(Expr::Column(column), name)).collect();
        exprs.extend(keys.into_iter().zip(&fresh).map(|(k, name)| Expr::Column(k).alias(&name.name)));
        Ok((project(plan, exprs)?, fresh))
    }

    /// An aggregate without groups has a value for a combination without rows, too: each gets a row that no aggregate
    /// counts.
    fn with_empty_groups(
        &self,
        input: LogicalPlan,
        keys: Vec<Column>,
        aggregates: &mut [Expr],
        domain: &Domain,
    ) -> Result<Pushed> {
        let marker = Column::new_unqualified(self.fresh("row"));
        let mut exprs: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        exprs.push(lit(true).alias(&marker.name));
        let rows = project(input, exprs)?;
        let (combinations, all) = domain.instance(self)?;
        let matching = same(&all, &combinations, &keys, &rows)?;
        let plan = joined(Arc::new(combinations), rows, JoinType::Left, matching)?;
        let there = Expr::Column(marker).is_not_null();
        for aggregate in aggregates {
            let taken = std::mem::replace(aggregate, lit(true));
            *aggregate = taken
                .transform_up(|e| {
                    let Expr::AggregateFunction(mut call) = e else { return Ok(Transformed::no(e)) };
                    let filter = match call.params.filter.take() {
                        Some(filter) => filter.and(there.clone()),
                        None => there.clone(),
                    };
                    call.params.filter = Some(Box::new(filter));
                    Ok(Transformed::yes(Expr::AggregateFunction(call)))
                })
                .map_err(from_datafusion)?
                .data;
        }
        Ok((plan, all))
    }

    fn join(&self, join: Join, domain: &Domain) -> Result<Pushed> {
        let columns = join.schema.columns();
        let (left, right) = (Arc::unwrap_or_clone(join.left), Arc::unwrap_or_clone(join.right));
        let (on_left, on_right) = (domain.is_used_by(&left)?, domain.is_used_by(&right)?);
        // Rows without a partner are of every combination: both sides of such a join have to say of which they are.
        let (to_left, to_right) = match join.join_type {
            JoinType::Inner => (on_left || !on_right, on_right),
            JoinType::Left => (true, on_right),
            JoinType::Right => (on_left, true),
            JoinType::Full => (true, true),
            other => {
                return Err(Error::unsupported(format!(
                    "a {other} join cannot use columns of a query around it"
                )));
            }
        };
        let (left, l_keys) = if to_left { self.push(left, domain)? } else { (left, Vec::new()) };
        let (right, r_keys) = if to_right { self.push(right, domain)? } else { (right, Vec::new()) };
        // Of a side whose rows may be missing the keys may be, too.
        let keys = if to_left && join.join_type != JoinType::Right { &l_keys } else { &r_keys };
        let mut filter = if to_left && to_right { same(&l_keys, &left, &r_keys, &right)? } else { None };
        let given = join.on.into_iter().map(|(l, r)| match join.null_equality {
            datafusion::common::NullEquality::NullEqualsNothing => l.eq(r),
            datafusion::common::NullEquality::NullEqualsNull => {
                binary_expr(l, Operator::IsNotDistinctFrom, r)
            }
        });
        for condition in given.chain(join.filter) {
            let condition = replaced(condition, domain, keys)?;
            filter = Some(match filter {
                Some(before) => before.and(condition),
                None => condition,
            });
        }
        let plan = joined(Arc::new(left), right, join.join_type, filter)?;
        let mut exprs: Vec<Expr> = columns.into_iter().map(Expr::Column).collect();
        if join.join_type != JoinType::Full {
            let keys = keys.clone();
            exprs.extend(keys.iter().cloned().map(Expr::Column));
            return Ok((project(plan, exprs)?, keys));
        }
        let mut fresh = Vec::new();
        for (l, r) in l_keys.into_iter().zip(r_keys) {
            let name = self.fresh(&l.name);
            let either = vec![Expr::Column(l), Expr::Column(r)];
            exprs.push(datafusion::functions::core::expr_fn::coalesce(either).alias(&name));
            fresh.push(Column::new_unqualified(name));
        }
        Ok((project(plan, exprs)?, fresh))
    }

    fn window(&self, window: Window, domain: &Domain) -> Result<Pushed> {
        let columns = window.input.schema().columns();
        let names = qualified(&window.schema).split_off(columns.len());
        let (input, keys) = self.push(Arc::unwrap_or_clone(window.input), domain)?;
        let mut made = Vec::new();
        for expr in window.window_expr {
            let expr = replaced(expr, domain, &keys)?;
            made.push(apart(expr, &keys)?);
        }
        let (plan, given) = windows(input, made)?;
        let mut exprs: Vec<Expr> = columns.into_iter().map(Expr::Column).collect();
        exprs.extend(given.into_iter().zip(names).map(|(column, name)| named(Expr::Column(column), name)));
        exprs.extend(keys.iter().cloned().map(Expr::Column));
        Ok((project(plan, exprs)?, keys))
    }

    fn limit(&self, limit: Limit, domain: &Domain) -> Result<Pushed> {
        let skip = limit.get_skip_type().map_err(from_datafusion)?;
        let fetch = limit.get_fetch_type().map_err(from_datafusion)?;
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) = (skip, fetch) else {
            return Err(Error::unsupported("a LIMIT in a subquery that uses outer columns is a number"));
        };
        match Arc::unwrap_or_clone(limit.input) {
            LogicalPlan::Sort(sort) => {
                let fetch = match (sort.fetch, fetch) {
                    (Some(inner), fetch) => {
                        let left = inner.saturating_sub(skip);
                        Some(fetch.map_or(left, |f| f.min(left)))
                    }
                    (None, fetch) => fetch,
                };
                self.cut(Arc::unwrap_or_clone(sort.input), sort.expr, skip, fetch, domain)
            }
            // Columns do not change which rows there are: the order is below them.
            LogicalPlan::Projection(mut projection) => {
                let below = Limit { skip: limit.skip, fetch: limit.fetch, input: projection.input };
                projection.input = Arc::new(LogicalPlan::Limit(below));
                self.projection(projection, domain)
            }
            input => self.cut(input, Vec::new(), skip, fetch, domain),
        }
    }

    /// The first rows of each combination, by their number in it.
    fn cut(
        &self,
        input: LogicalPlan,
        order: Vec<SortExpr>,
        skip: usize,
        fetch: Option<usize>,
        domain: &Domain,
    ) -> Result<Pushed> {
        let columns = input.schema().columns();
        let (input, keys) = self.push(input, domain)?;
        let mut by = Vec::new();
        for sort in order {
            by.push(SortExpr { expr: replaced(sort.expr, domain, &keys)?, ..sort });
        }
        let number = datafusion::functions_window::row_number::row_number_udwf();
        let number = Expr::from(datafusion::logical_expr::expr::WindowFunction::new(
            WindowFunctionDefinition::WindowUDF(number),
            vec![],
        ))
        .partition_by(keys.iter().cloned().map(Expr::Column).collect())
        .order_by(by)
        .build()
        .map_err(from_datafusion)?;
        let (mut plan, numbers) = windows(input, vec![number])?;
        let as_number = |n: usize| lit(u64::try_from(n).unwrap_or(u64::MAX));
        for number in numbers {
            let number = Expr::Column(number);
            let mut kept = number.clone().gt(as_number(skip));
            if let Some(fetch) = fetch {
                kept = kept.and(number.lt_eq(as_number(skip.saturating_add(fetch))));
            }
            plan = build(LogicalPlanBuilder::from(plan).filter(kept))?;
        }
        let exprs = columns.into_iter().chain(keys.iter().cloned()).map(Expr::Column).collect();
        Ok((project(plan, exprs)?, keys))
    }

    fn union(&self, union: Union, domain: &Domain) -> Result<Pushed> {
        let names = qualified(&union.schema);
        let mut inputs = Vec::with_capacity(union.inputs.len());
        let mut keys = Vec::new();
        for input in union.inputs {
            let columns = input.schema().columns();
            let (input, given) = self.push(Arc::unwrap_or_clone(input), domain)?;
            if keys.is_empty() {
                keys = given.iter().map(|k| Column::new_unqualified(self.fresh(&k.name))).collect();
            }
            let mut exprs: Vec<Expr> =
                columns.into_iter().zip(&names).map(|(c, n)| named(Expr::Column(c), n.clone())).collect();
            exprs.extend(given.into_iter().zip(&keys).map(|(k, name)| Expr::Column(k).alias(&name.name)));
            inputs.push(Arc::new(project(input, exprs)?));
        }
        let plan = LogicalPlan::Union(Union::try_new_with_loose_types(inputs).map_err(from_datafusion)?);
        let given = plan.schema().columns();
        let all = names.into_iter().chain(keys.iter().map(|k| (None, k.name.clone())));
        let exprs = given.into_iter().zip(all).map(|(c, name)| named(Expr::Column(c), name)).collect();
        Ok((project(plan, exprs)?, keys))
    }

    /// Rows of values, each of them beside every combination.
    fn values(&self, values: Values, domain: &Domain) -> Result<Pushed> {
        let names = qualified(&values.schema);
        let keys: Vec<Column> =
            domain.columns.iter().map(|c| Column::new_unqualified(self.fresh(&c.name))).collect();
        let mut rows = Vec::with_capacity(values.values.len());
        for row in values.values {
            let (combinations, given) = domain.instance(self)?;
            let mut exprs = Vec::with_capacity(row.len() + keys.len());
            for (expr, name) in row.into_iter().zip(&names) {
                exprs.push(named(replaced(expr, domain, &given)?, name.clone()));
            }
            exprs.extend(given.into_iter().zip(&keys).map(|(k, name)| Expr::Column(k).alias(&name.name)));
            rows.push(Arc::new(project(combinations, exprs)?));
        }
        if let [row] = rows.as_slice() {
            return Ok((row.as_ref().clone(), keys));
        }
        let plan = Union::try_new_with_loose_types(rows).map_err(from_datafusion)?;
        Ok((LogicalPlan::Union(plan), keys))
    }

    fn unnest(&self, unnest: Unnest, domain: &Domain) -> Result<Pushed> {
        let columns = unnest.schema.columns();
        let (input, keys) = self.push(Arc::unwrap_or_clone(unnest.input), domain)?;
        let plan = LogicalPlanBuilder::from(input)
            .unnest_columns_with_options(unnest.exec_columns, unnest.options)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let exprs = columns.into_iter().chain(keys.iter().cloned()).map(Expr::Column).collect();
        Ok((project(plan, exprs)?, keys))
    }
}

/// The expression with the combination's columns in the place of the outer ones.
fn replaced(expr: Expr, domain: &Domain, keys: &[Column]) -> Result<Expr> {
    let seen = expr.transform_up(|e| match &e {
        Expr::OuterReferenceColumn(_, column) => match domain.key(column, keys) {
            Some(key) => Ok(Transformed::yes(Expr::Column(key.clone()))),
            None => Ok(Transformed::no(e)),
        },
        _ => Ok(Transformed::no(e)),
    });
    seen.map(|t| t.data).map_err(from_datafusion)
}

/// A window function's partitions, each of one combination.
fn apart(expr: Expr, keys: &[Column]) -> Result<Expr> {
    let seen = expr.transform_up(|e| {
        let Expr::WindowFunction(mut call) = e else { return Ok(Transformed::no(e)) };
        call.params.partition_by.extend(keys.iter().cloned().map(Expr::Column));
        Ok(Transformed::yes(Expr::WindowFunction(call)))
    });
    seen.map(|t| t.data).map_err(from_datafusion)
}

type Name = (Option<TableReference>, String);

fn qualified(schema: &datafusion::common::DFSchema) -> Vec<Name> {
    schema.columns().into_iter().map(|c| (c.relation, c.name)).collect()
}

/// The expression under the name it had.
fn named(expr: Expr, (relation, name): Name) -> Expr {
    match &expr {
        Expr::Column(column) if column.relation == relation && column.name == name => expr,
        _ => expr.unalias().alias_qualified(relation, name),
    }
}

fn build(builder: datafusion::common::Result<LogicalPlanBuilder>) -> Result<LogicalPlan> {
    builder.and_then(LogicalPlanBuilder::build).map_err(from_datafusion)
}

/// What a node is called, without what it says.
fn name_of(plan: &LogicalPlan) -> String {
    let text = plan.display().to_string();
    text.split([':', ' ', '(']).next().unwrap_or("a node").to_lowercase()
}
