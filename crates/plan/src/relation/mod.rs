//! FROM: tables, views, CTEs, subqueries, samples, and how they are joined.

mod join;
mod unnest;

use crate::analyzer::Analyzer;
use crate::error::from_datafusion;
use crate::error::span_of;
use crate::names::TableName;
use crate::scope::{Env, Relation, Scope, ScopeColumn};
use crate::tables::{Found, TableColumn};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Subquery, TableSource, lit};
use model::{Error, Result};
use sqlparser::ast::{
    Expr as Ast, Ident, ObjectName, Spanned, TableAlias, TableFactor, TableSampleKind, TableWithJoins, Value,
};
use std::sync::Arc;

impl Analyzer<'_> {
    /// The FROM clause: a comma joins like CROSS JOIN.
    pub(crate) fn from(&self, from: &[TableWithJoins], env: &Env) -> Result<Relation> {
        let mut joined: Option<Relation> = None;
        for item in from {
            let first = self.joined_factor(joined, &item.relation, env)?;
            joined = Some(self.joins(first, &item.joins, env)?);
        }
        match joined {
            Some(relation) => Ok(relation),
            None => Ok(Relation { plan: one_row()?, columns: Vec::new() }),
        }
    }

    /// A factor behind a comma: cross joined with what stands before, which it may use if it is lateral.
    fn joined_factor(&self, before: Option<Relation>, factor: &TableFactor, env: &Env) -> Result<Relation> {
        match before {
            None => self.factor(factor, env),
            Some(left) => self.cross_join(left, factor, env),
        }
    }

    fn with_joins(&self, item: &TableWithJoins, env: &Env) -> Result<Relation> {
        let first = self.factor(&item.relation, env)?;
        self.joins(first, &item.joins, env)
    }

    /// One table, subquery or other source of rows, on its own.
    pub(crate) fn factor(&self, factor: &TableFactor, env: &Env) -> Result<Relation> {
        match factor {
            TableFactor::Table { name, alias, sample, .. } => {
                let relation = self.named(name, env)?;
                let relation = self.sampled(relation, sample.as_ref())?;
                self.aliased(relation, alias.as_ref())
            }
            TableFactor::Derived { subquery, alias, sample, .. } => {
                let mut relation = self.plan_query(subquery, env)?;
                for column in &mut relation.columns {
                    column.qualifier.clear();
                }
                let relation = self.sampled(relation, sample.as_ref())?;
                self.aliased(relation, alias.as_ref())
            }
            TableFactor::UNNEST { array_exprs, alias, with_ordinality, .. } => {
                let nothing = Relation { plan: one_row()?, columns: Vec::new() };
                let spec =
                    unnest::Spec { exprs: array_exprs, alias: alias.as_ref(), ordinality: *with_ordinality };
                self.unnest(nothing, &spec, false, env)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let relation = self.with_joins(table_with_joins, env)?;
                self.aliased(relation, alias.as_ref())
            }
            TableFactor::TableFunction { expr, alias } => {
                let relation = self.table_function(expr, env)?;
                self.aliased(relation, alias.as_ref())
            }
            other => Err(self.fail(
                other.span(),
                Error::unsupported(format!("`{}` in FROM is not supported", shorten(&other.to_string()))),
            )),
        }
    }

    fn named(&self, name: &ObjectName, env: &Env) -> Result<Relation> {
        if let [part] = name.0.as_slice()
            && let Some(relation) = env.cte(&part.to_string().trim_matches('"').to_lowercase())
        {
            // Each use has columns of its own, or a join of a CTE with itself would confuse them.
            let qualifier =
                relation.columns.first().and_then(|c| c.qualifier.first().cloned()).unwrap_or_default();
            return self.rename(relation.clone(), &qualifier, &[]);
        }
        let span = name.span();
        let database = self.database.borrow().clone();
        let table = TableName::resolve(name, &database).map_err(|e| self.fail(span, e))?;
        match self.tables.find(&table).map_err(|e| self.fail(span, e))? {
            Found::Table { columns, source } => self.scan(&table, &columns, source),
            Found::View { query, source, columns, database } => {
                let relation = self
                    .inside_view(&table, &source, &database, || {
                        let env = Env::default();
                        self.plan_query(&query, &env)
                    })
                    .map_err(|e| if e.place().is_some() { e } else { self.fail(span, e) })?;
                let names: Vec<Ident> = columns.iter().map(Ident::new).collect();
                let mut relation = self.rename(relation, &table.table, &names.iter().collect::<Vec<_>>())?;
                for column in &mut relation.columns {
                    column.qualifier =
                        vec!["awsdatacatalog".into(), table.database.clone(), table.table.clone()];
                }
                Ok(relation)
            }
        }
    }

    fn scan(
        &self,
        table: &TableName,
        columns: &[TableColumn],
        source: Arc<dyn TableSource>,
    ) -> Result<Relation> {
        let reference = TableReference::bare(self.fresh(&table.table));
        let plan = LogicalPlanBuilder::scan(reference.clone(), source, None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let columns = columns
            .iter()
            .map(|c| ScopeColumn {
                qualifier: vec!["awsdatacatalog".into(), table.database.clone(), table.table.clone()],
                name: Some(c.name.clone()),
                column: Column::new(Some(reference.clone()), c.name.clone()),
                sql_type: c.sql_type.clone(),
                hidden: c.hidden,
            })
            .collect();
        Ok(Relation { plan, columns })
    }

    /// Gives a relation the alias's name and its columns the alias's names.
    pub(crate) fn aliased(&self, mut relation: Relation, alias: Option<&TableAlias>) -> Result<Relation> {
        let Some(alias) = alias else { return Ok(relation) };
        let name = alias.name.value.to_lowercase();
        let visible = relation.visible().count();
        if !alias.columns.is_empty() && alias.columns.len() != visible {
            return Err(self.fail(
                alias.name.span,
                Error::invalid(format!(
                    "`{name}` has {visible} columns, but {} names are given",
                    alias.columns.len()
                )),
            ));
        }
        let mut names = alias.columns.iter();
        for column in &mut relation.columns {
            column.qualifier = vec![name.clone()];
            if !column.hidden
                && let Some(given) = names.next()
            {
                column.name = Some(given.name.value.to_lowercase());
            }
        }
        Ok(relation)
    }

    fn sampled(&self, relation: Relation, sample: Option<&TableSampleKind>) -> Result<Relation> {
        let Some(TableSampleKind::AfterTableAlias(sample) | TableSampleKind::BeforeTableAlias(sample)) =
            sample
        else {
            return Ok(relation);
        };
        let Some(quantity) = &sample.quantity else { return Ok(relation) };
        let percent = match &quantity.value {
            Ast::Value(v) => match &v.value {
                Value::Number(text, _) => text.parse::<f64>().ok(),
                _ => None,
            },
            _ => None,
        };
        let Some(percent) = percent.filter(|p| (0.0..=100.0).contains(p)) else {
            return Err(self.fail(
                span_of(&quantity.value),
                Error::invalid("a sample is a number of percent between 0 and 100"),
            ));
        };
        let random = datafusion::functions::math::expr_fn::random();
        let plan = LogicalPlanBuilder::from(relation.plan)
            .filter(random.lt(lit(percent / 100.0)))
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        Ok(Relation { plan, columns: relation.columns })
    }

    /// `TABLE(sequence(1, 5))`, the one table function there is.
    fn table_function(&self, expr: &Ast, env: &Env) -> Result<Relation> {
        if let Ast::Function(function) = expr
            && function.name.to_string().eq_ignore_ascii_case("sequence")
        {
            let nothing = Relation { plan: one_row()?, columns: Vec::new() };
            let exprs = [expr.clone()];
            let spec = unnest::Spec { exprs: &exprs, alias: None, ordinality: false };
            let mut relation = self.unnest(nothing, &spec, false, env)?;
            for column in &mut relation.columns {
                column.name = Some("sequential_number".into());
            }
            return Ok(relation);
        }
        Err(self.fail(
            span_of(expr),
            Error::unsupported(format!("table function `{}` is not supported", shorten(&expr.to_string())))
                .hint("the table function there is: sequence(start, stop, step)"),
        ))
    }

    /// A subquery in FROM that uses columns of what stands before it.
    fn lateral(&self, left: &Relation, factor: &TableFactor, env: &Env) -> Result<Relation> {
        let scope = Scope::new(left.columns.clone(), env.outer.clone());
        let relation = self.factor(factor, &env.inside(scope))?;
        let outer_ref_columns = relation.plan.all_out_ref_exprs();
        if outer_ref_columns.is_empty() {
            return Ok(relation);
        }
        let plan = LogicalPlan::Subquery(Subquery {
            subquery: Arc::new(relation.plan),
            outer_ref_columns,
            spans: datafusion::common::Spans::new(),
        });
        Ok(Relation { plan, columns: relation.columns })
    }
}

/// The columns of a lateral subquery without FROM, as expressions over the row it stands beside; nothing for others.
fn lateral_row(plan: &LogicalPlan) -> Result<Option<Vec<(Expr, Column)>>> {
    let LogicalPlan::Subquery(subquery) = plan else { return Ok(None) };
    let LogicalPlan::Projection(projection) = subquery.subquery.as_ref() else { return Ok(None) };
    if !matches!(projection.input.as_ref(), LogicalPlan::EmptyRelation(e) if e.produce_one_row) {
        return Ok(None);
    }
    let names = projection.schema.columns();
    let row = projection.expr.iter().zip(names).map(|(expr, name)| {
        let expr = expr.clone().transform_up(|e| {
            Ok(match e {
                Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
                other => Transformed::no(other),
            })
        });
        Ok((expr.map_err(from_datafusion)?.data, name))
    });
    row.collect::<Result<_>>().map(Some)
}

/// A relation of one row and no columns.
pub(crate) fn one_row() -> Result<LogicalPlan> {
    LogicalPlanBuilder::empty(true).build().map_err(from_datafusion)
}

pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
