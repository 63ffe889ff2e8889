//! Whole queries: WITH, set operations, VALUES, ORDER BY, LIMIT.

use crate::analyzer::Analyzer;
use crate::error::from_datafusion;
use crate::error::span_of;
use crate::expr::{Rules, Typed, is_null};
use crate::scope::{Env, Relation, Scope, ScopeColumn};
use datafusion::common::{Column, JoinType, NullEquality};
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition, lit,
};
use model::{Error, Result};
use sql::{SqlType, common_type};
use sqlparser::ast::{
    Cte as AstCte, Expr as Ast, Fetch, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, SetExpr,
    SetOperator, SetQuantifier, Spanned, Value, Values, With,
};

/// ORDER BY, OFFSET and LIMIT of a query.
pub(crate) struct Tail<'q> {
    pub(crate) order_by: &'q [OrderByExpr],
    pub(crate) offset: usize,
    pub(crate) limit: Option<usize>,
    pub(crate) with_ties: bool,
}

impl Analyzer<'_> {
    /// Plans a query with all that belongs to it.
    pub(crate) fn plan_query(&self, query: &Query, env: &Env) -> Result<Relation> {
        let env = match &query.with {
            Some(with) => self.with(with, env)?,
            None => env.clone(),
        };
        let tail = self.tail(query)?;
        match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, &tail, &env),
            body => {
                let relation = self.set_expr(body, &env)?;
                self.order_output(relation, &tail, &env)
            }
        }
    }

    fn set_expr(&self, body: &SetExpr, env: &Env) -> Result<Relation> {
        let no_tail = Tail { order_by: &[], offset: 0, limit: None, with_ties: false };
        match body {
            SetExpr::Select(select) => self.select(select, &no_tail, env),
            SetExpr::Query(query) => self.plan_query(query, env),
            SetExpr::Values(values) => self.values(values, env),
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                let span = right.span();
                let left = self.set_expr(left, env)?;
                let right = self.set_expr(right, env)?;
                let all = matches!(set_quantifier, SetQuantifier::All);
                self.set_operation(*op, all, left, right).map_err(|e| self.fail(span, e))
            }
            other => Err(Error::unsupported(format!("`{other}` cannot stand in a query"))),
        }
    }

    // ---- WITH ------------------------------------------------------------------------------------------------

    fn with(&self, with: &With, env: &Env) -> Result<Env> {
        let mut env = env.clone();
        for cte in &with.cte_tables {
            let name = cte.alias.name.value.to_lowercase();
            let relation = if with.recursive && mentions(&cte.query, &name) {
                self.recursive_cte(cte, &name, &env)?
            } else {
                self.plan_query(&cte.query, &env)?
            };
            let relation =
                self.rename(relation, &name, &cte.alias.columns.iter().map(|c| &c.name).collect::<Vec<_>>())?;
            env = env.with_cte(name, relation);
        }
        Ok(env)
    }

    fn recursive_cte(&self, cte: &AstCte, name: &str, env: &Env) -> Result<Relation> {
        let SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, right } =
            cte.query.body.as_ref()
        else {
            return Err(self.fail(
                cte.alias.name.span,
                Error::invalid(format!("recursive query `{name}` must be a UNION or UNION ALL"))
                    .hint("write the start, UNION ALL, and the step that refers to it"),
            ));
        };
        let start = self.set_expr(left, env)?;
        let columns: Vec<_> = cte.alias.columns.iter().map(|c| &c.name).collect();
        let mut start = self.rename(start, name, &columns)?;
        // The step may widen a varchar(3) to a varchar(5): lengths are not kept from round to round.
        for column in &mut start.columns {
            if let SqlType::Varchar(_) = column.sql_type {
                column.sql_type = SqlType::VARCHAR;
            }
        }
        let work_name = self.fresh(name);
        let table = datafusion::datasource::cte_worktable::CteWorkTable::new(
            &work_name,
            nullable(start.plan.schema().as_arrow()),
        );
        let source = datafusion::datasource::provider_as_source(std::sync::Arc::new(table));
        let scan = LogicalPlanBuilder::scan(
            datafusion::common::TableReference::bare(work_name.clone()),
            source,
            None,
        )
        .and_then(LogicalPlanBuilder::build)
        .map_err(from_datafusion)?;
        let work_columns = scan
            .schema()
            .iter()
            .zip(&start.columns)
            .map(|((qualifier, field), c)| ScopeColumn {
                column: Column::from((qualifier, field)),
                ..c.clone()
            })
            .collect();
        let inside = env.with_cte(name.to_owned(), Relation { plan: scan, columns: work_columns });
        let step = self.set_expr(right, &inside)?;
        self.same_width(&start, &step, "UNION")?;
        let types: Vec<SqlType> = start.columns.iter().map(|c| c.sql_type.clone()).collect();
        let names: Vec<String> = start.columns.iter().map(|c| c.column.name.clone()).collect();
        let step = self.project_as(step, &types, &names)?;
        let distinct = !matches!(set_quantifier, SetQuantifier::All);
        let plan = LogicalPlanBuilder::from(start.plan.clone())
            .to_recursive_query(work_name, step.plan, distinct)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let columns = plan
            .schema()
            .iter()
            .zip(&start.columns)
            .map(|((qualifier, field), c)| ScopeColumn {
                column: Column::from((qualifier, field)),
                ..c.clone()
            })
            .collect();
        Ok(Relation { plan, columns })
    }

    /// The relation's visible columns under new plan names, and under another table name and other column names.
    pub(crate) fn rename(
        &self,
        relation: Relation,
        qualifier: &str,
        names: &[&sqlparser::ast::Ident],
    ) -> Result<Relation> {
        let visible: Vec<ScopeColumn> = relation.visible().cloned().collect();
        if !names.is_empty() && names.len() != visible.len() {
            return Err(self.fail(
                names[0].span,
                Error::invalid(format!(
                    "`{qualifier}` has {} columns, but {} names are given",
                    visible.len(),
                    names.len()
                )),
            ));
        }
        let mut exprs = Vec::with_capacity(visible.len());
        let mut columns = Vec::with_capacity(visible.len());
        for (i, column) in visible.into_iter().enumerate() {
            let name = names.get(i).map(|n| n.value.to_lowercase()).or(column.name);
            let unique = self.fresh(name.as_deref().unwrap_or("_col"));
            exprs.push(Expr::Column(column.column).alias(unique.clone()));
            columns.push(ScopeColumn {
                qualifier: vec![qualifier.to_owned()],
                name,
                column: Column::new_unqualified(unique),
                sql_type: column.sql_type,
                hidden: false,
            });
        }
        Ok(Relation { plan: project(relation.plan, exprs)?, columns })
    }

    // ---- set operations --------------------------------------------------------------------------------------

    fn same_width(&self, left: &Relation, right: &Relation, what: &str) -> Result<()> {
        let (l, r) = (left.visible().count(), right.visible().count());
        if l == r {
            return Ok(());
        }
        Err(Error::invalid(format!("the sides of {what} have {l} and {r} columns"))
            .hint("select the same number of columns on both sides"))
    }

    /// The visible columns cast to these types, under these plan names.
    fn project_as(&self, relation: Relation, types: &[SqlType], names: &[String]) -> Result<Relation> {
        let visible: Vec<ScopeColumn> = relation.visible().cloned().collect();
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for ((column, wanted), name) in visible.into_iter().zip(types).zip(names) {
            let value =
                Typed { expr: Expr::Column(column.column.clone()), sql_type: column.sql_type.clone() };
            let expr = self.cast(value, wanted, false)?.expr;
            exprs.push(expr.alias(name.clone()));
            columns.push(ScopeColumn {
                qualifier: Vec::new(),
                column: Column::new_unqualified(name.clone()),
                sql_type: wanted.clone(),
                ..column
            });
        }
        Ok(Relation { plan: project(relation.plan, exprs)?, columns })
    }

    fn set_operation(&self, op: SetOperator, all: bool, left: Relation, right: Relation) -> Result<Relation> {
        let what = op.to_string();
        self.same_width(&left, &right, &what)?;
        let mut types = Vec::new();
        for (i, (l, r)) in left.visible().zip(right.visible()).enumerate() {
            let common = common_type(&l.sql_type, &r.sql_type).ok_or_else(|| {
                Error::invalid(format!(
                    "column {} of {what} is {} on the left and {} on the right",
                    i + 1,
                    l.sql_type,
                    r.sql_type
                ))
                .hint("cast one of them to the other's type")
            })?;
            types.push(common);
        }
        let names: Vec<String> =
            left.visible().map(|c| self.fresh(c.name.as_deref().unwrap_or("_col"))).collect();
        let other_names: Vec<String> = match op {
            SetOperator::Union => names.clone(),
            _ => names.iter().map(|n| format!("{n}r")).collect(),
        };
        let left = self.project_as(left, &types, &names)?;
        let right = self.project_as(right, &types, &other_names)?;
        match op {
            SetOperator::Union => {
                let builder = LogicalPlanBuilder::from(left.plan).union(right.plan);
                let builder = if all { builder } else { builder.and_then(LogicalPlanBuilder::distinct) };
                let plan = builder.and_then(LogicalPlanBuilder::build).map_err(from_datafusion)?;
                Ok(Relation { plan, columns: left.columns })
            }
            SetOperator::Intersect => self.set_join(left, right, JoinType::LeftSemi, all),
            SetOperator::Except | SetOperator::Minus => self.set_join(left, right, JoinType::LeftAnti, all),
        }
    }

    /// INTERSECT and EXCEPT as joins in which NULL equals NULL. With ALL, equal rows are numbered on both sides, so
    /// that each row has at most one partner.
    fn set_join(&self, left: Relation, right: Relation, join: JoinType, all: bool) -> Result<Relation> {
        let (left_plan, right_plan) = if all {
            (
                self.numbered(left.plan, &left.columns, "n#l")?,
                self.numbered(right.plan, &right.columns, "n#r")?,
            )
        } else {
            (
                LogicalPlanBuilder::from(left.plan)
                    .distinct()
                    .and_then(LogicalPlanBuilder::build)
                    .map_err(from_datafusion)?,
                right.plan,
            )
        };
        let mut on_left: Vec<Column> = left.columns.iter().map(|c| c.column.clone()).collect();
        let mut on_right: Vec<Column> = right.columns.iter().map(|c| c.column.clone()).collect();
        if all {
            on_left.push(Column::new_unqualified("n#l"));
            on_right.push(Column::new_unqualified("n#r"));
        }
        let plan = LogicalPlanBuilder::from(left_plan)
            .join_detailed(right_plan, join, (on_left, on_right), None, NullEquality::NullEqualsNull)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        Ok(Relation { plan, columns: left.columns })
    }

    fn numbered(&self, plan: LogicalPlan, columns: &[ScopeColumn], name: &str) -> Result<LogicalPlan> {
        let number = datafusion::functions_window::expr_fn::row_number()
            .partition_by(columns.iter().map(|c| Expr::Column(c.column.clone())).collect())
            .build()
            .map_err(from_datafusion)?;
        let mut exprs: Vec<Expr> = columns.iter().map(|c| Expr::Column(c.column.clone())).collect();
        let (plan, numbers) = windows(plan, vec![number])?;
        exprs.extend(numbers.into_iter().map(|n| Expr::Column(n).alias(name)));
        project(plan, exprs)
    }

    // ---- VALUES ----------------------------------------------------------------------------------------------

    fn values(&self, values: &Values, env: &Env) -> Result<Relation> {
        let scope = Scope::new(Vec::new(), env.outer.clone());
        let rules = Rules::plain("VALUES");
        let mut rows: Vec<Vec<Typed>> = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let typed = row
                .content
                .iter()
                .map(|expr| self.expr(expr, &scope, env, &rules))
                .collect::<Result<Vec<_>>>()?;
            if let Some(first) = rows.first()
                && first.len() != typed.len()
            {
                let span = row.content.first().map(span_of).unwrap_or_else(sqlparser::tokenizer::Span::empty);
                let text =
                    format!("this row of VALUES has {} columns, the first one {}", typed.len(), first.len());
                return Err(self.fail(span, Error::invalid(text)));
            }
            rows.push(typed);
        }
        let width = rows.first().map_or(0, Vec::len);
        let mut types = vec![SqlType::Unknown; width];
        for (at, row) in rows.iter().enumerate() {
            for (i, value) in row.iter().enumerate() {
                types[i] = common_type(&types[i], &value.sql_type).ok_or_else(|| {
                    let span = values.rows[at]
                        .content
                        .get(i)
                        .map(span_of)
                        .unwrap_or_else(sqlparser::tokenizer::Span::empty);
                    self.fail(
                        span,
                        Error::invalid(format!(
                            "column {} of VALUES is {} here and {} before",
                            i + 1,
                            value.sql_type,
                            types[i]
                        )),
                    )
                })?;
            }
        }
        let rows = rows
            .into_iter()
            .map(|row| {
                row.into_iter()
                    .zip(&types)
                    .map(|(value, wanted)| Ok(self.cast(value, wanted, false)?.expr))
                    .collect()
            })
            .collect::<Result<Vec<Vec<Expr>>>>()?;
        // Rows that are not all literals become a union of projections: DataFusion's VALUES takes any expression
        // without columns, but correlated ones need a plan.
        let fields = types
            .iter()
            .enumerate()
            .map(|(i, t)| {
                datafusion::arrow::datatypes::Field::new(format!("column{}", i + 1), t.to_arrow(), true)
            })
            .collect::<Vec<_>>();
        let schema = datafusion::common::DFSchema::from_unqualified_fields(
            fields.into(),
            std::collections::HashMap::new(),
        )
        .map_err(from_datafusion)?;
        let plan = LogicalPlanBuilder::values_with_schema(rows, &std::sync::Arc::new(schema))
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for ((qualifier, field), sql_type) in plan.schema().iter().zip(types) {
            let unique = self.fresh("_col");
            exprs.push(Expr::from(Column::from((qualifier, field))).alias(unique.clone()));
            columns.push(ScopeColumn {
                qualifier: Vec::new(),
                name: None,
                column: Column::new_unqualified(unique),
                sql_type,
                hidden: false,
            });
        }
        Ok(Relation { plan: project(plan, exprs)?, columns })
    }

    // ---- ORDER BY and LIMIT ----------------------------------------------------------------------------------

    fn tail<'q>(&self, query: &'q Query) -> Result<Tail<'q>> {
        let order_by = match &query.order_by {
            Some(OrderBy { kind: OrderByKind::Expressions(list), .. }) => list.as_slice(),
            _ => &[],
        };
        let (mut offset, mut limit) = (0, None);
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit: given, offset: skipped, .. }) => {
                if let Some(given) = given {
                    limit = Some(self.row_count(given)?);
                }
                if let Some(skipped) = skipped {
                    offset = self.row_count(&skipped.value)?;
                }
            }
            Some(LimitClause::OffsetCommaLimit { offset: o, limit: l }) => {
                offset = self.row_count(o)?;
                limit = Some(self.row_count(l)?);
            }
            None => {}
        }
        let mut with_ties = false;
        if let Some(Fetch { with_ties: ties, quantity, .. }) = &query.fetch {
            with_ties = *ties;
            limit = Some(match quantity {
                Some(quantity) => self.row_count(quantity)?,
                None => 1,
            });
        }
        if with_ties && order_by.is_empty() {
            return Err(Error::invalid("FETCH FIRST … WITH TIES needs an ORDER BY"));
        }
        Ok(Tail { order_by, offset, limit, with_ties })
    }

    fn row_count(&self, expr: &Ast) -> Result<usize> {
        if let (Some(types), Ast::Value(v)) = (&self.wanted, expr)
            && let Value::Placeholder(name) = &v.value
            && self.parameter(name).is_none_or(is_null)
            && let Ok(number) = name.trim_start_matches('?').parse()
        {
            types.borrow_mut().insert(number, SqlType::BigInt);
            return Ok(1);
        }
        let literal = match expr {
            Ast::Value(v) => match &v.value {
                Value::Placeholder(name) => self.parameter(name).unwrap_or(expr),
                _ => expr,
            },
            _ => expr,
        };
        // Clients that bind values say their types with them.
        let literal = match literal {
            Ast::Cast { expr, .. } => expr.as_ref(),
            literal => literal,
        };
        if let Ast::Value(v) = literal
            && let Value::Number(text, _) = &v.value
            && let Ok(number) = text.parse()
        {
            return Ok(number);
        }
        Err(self.fail(span_of(expr), Error::invalid(format!("`{expr}` is not a number of rows"))))
    }

    /// Sorts and cuts a relation whose ORDER BY can only name its own columns.
    fn order_output(&self, relation: Relation, tail: &Tail<'_>, env: &Env) -> Result<Relation> {
        let scope = Scope::new(relation.columns.clone(), env.outer.clone());
        let rules = Rules::plain("ORDER BY");
        let mut sorts = Vec::new();
        for item in tail.order_by {
            let value = match self.position(&item.expr, relation.columns.len())? {
                Some(at) => Expr::Column(relation.columns[at].column.clone()),
                None => self.expr(&item.expr, &scope, env, &rules)?.expr,
            };
            sorts.push(sort(value, item));
        }
        let plan = self.sorted(relation.plan, sorts, tail)?;
        Ok(Relation { plan, columns: relation.columns })
    }

    /// The column an ORDER BY or GROUP BY item means by its number.
    pub(crate) fn position(&self, expr: &Ast, columns: usize) -> Result<Option<usize>> {
        let Ast::Value(value) = expr else { return Ok(None) };
        let Value::Number(text, _) = &value.value else { return Ok(None) };
        match text.parse::<usize>() {
            Ok(at) if (1..=columns).contains(&at) => Ok(Some(at - 1)),
            _ => Err(self.fail(
                span_of(expr),
                Error::invalid(format!("position {text} does not exist: there are {columns} columns")),
            )),
        }
    }

    /// Applies the tail to a plan that has the columns its sorts need.
    pub(crate) fn sorted(&self, plan: LogicalPlan, sorts: Vec<Sort>, tail: &Tail<'_>) -> Result<LogicalPlan> {
        let mut builder = LogicalPlanBuilder::from(plan);
        if !sorts.is_empty() {
            builder = builder.sort(sorts.clone()).map_err(from_datafusion)?;
        }
        if tail.with_ties {
            return self.with_ties(builder, sorts, tail);
        }
        if tail.offset > 0 || tail.limit.is_some() {
            builder = builder.limit(tail.offset, tail.limit).map_err(from_datafusion)?;
        }
        builder.build().map_err(from_datafusion)
    }

    fn with_ties(
        &self,
        builder: LogicalPlanBuilder,
        sorts: Vec<Sort>,
        tail: &Tail<'_>,
    ) -> Result<LogicalPlan> {
        let builder = if tail.offset > 0 {
            builder.limit(tail.offset, None).map_err(from_datafusion)?
        } else {
            builder
        };
        let columns: Vec<Expr> = builder.schema().columns().into_iter().map(Expr::Column).collect();
        let rank = datafusion::functions_window::rank::rank_udwf();
        let rank = Expr::from(WindowFunction::new(WindowFunctionDefinition::WindowUDF(rank), vec![]))
            .order_by(sorts.clone())
            .build()
            .map_err(from_datafusion)?;
        let limit = u64::try_from(tail.limit.unwrap_or(0)).unwrap_or(u64::MAX);
        let (mut plan, ranks) = windows(builder.build().map_err(from_datafusion)?, vec![rank])?;
        for rank in ranks {
            plan = LogicalPlanBuilder::from(plan)
                .filter(Expr::Column(rank).lt_eq(lit(limit)))
                .and_then(LogicalPlanBuilder::build)
                .map_err(from_datafusion)?;
        }
        LogicalPlanBuilder::from(plan)
            .sort(sorts)
            .and_then(|b| b.project(columns))
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)
    }
}

/// The plan with the window functions' columns behind its own, and what these are called.
pub(crate) fn windows(plan: LogicalPlan, exprs: Vec<Expr>) -> Result<(LogicalPlan, Vec<Column>)> {
    let names = exprs.iter().map(|e| Column::new_unqualified(e.schema_name().to_string())).collect();
    Ok((LogicalPlanBuilder::window_plan(plan, exprs).map_err(from_datafusion)?, names))
}

/// A sort with Trino's default: NULLs last, whichever the direction.
pub(crate) fn sort(expr: Expr, item: &OrderByExpr) -> Sort {
    let asc = item.options.asc.unwrap_or(true);
    Sort { expr, asc, nulls_first: item.options.nulls_first.unwrap_or(false) }
}

pub(crate) fn project(plan: LogicalPlan, exprs: Vec<Expr>) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(from_datafusion)
}

fn mentions(query: &Query, name: &str) -> bool {
    use sqlparser::ast::{ObjectName, Visit, Visitor};
    use std::ops::ControlFlow;
    struct Finder<'a>(&'a str);
    impl Visitor for Finder<'_> {
        type Break = ();
        fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
            if relation.0.len() == 1 && relation.to_string().to_lowercase() == self.0 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }
    }
    query.visit(&mut Finder(name)).is_break()
}

fn nullable(schema: &datafusion::arrow::datatypes::Schema) -> datafusion::arrow::datatypes::SchemaRef {
    let fields: Vec<_> = schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
    std::sync::Arc::new(datafusion::arrow::datatypes::Schema::new(fields))
}
