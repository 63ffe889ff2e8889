//! The analyzer's state and its entrance.

use crate::error::{from_datafusion, place};
use crate::expr::Typed;
use crate::scope::{Env, Relation, ScopeColumn};
use crate::tables::Tables;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use functions::Session;
use model::{Error, Result};
use sql::{Source, SqlType, coerce_cost};
use sqlparser::ast::{Expr as Ast, Query};
use sqlparser::tokenizer::Span;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A column of a query's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name, as Athena says it: `_col0` where the query gives none.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
}

/// An analyzed query.
#[derive(Debug, Clone)]
pub struct Analyzed {
    /// The plan; its columns stand in the order of `columns`, under names of their own.
    pub plan: LogicalPlan,
    /// What the result's columns are called, and their types.
    pub columns: Vec<OutputColumn>,
}

/// How deep views may refer to views.
const MAX_VIEW_DEPTH: usize = 32;

/// Analyzes one statement's queries.
pub struct Analyzer<'a> {
    pub(crate) tables: &'a dyn Tables,
    pub(crate) session: Arc<Session>,
    /// The text at hand: a view's own while it is being analyzed.
    pub(crate) source: RefCell<Arc<Source>>,
    /// The database in which names are looked up.
    pub(crate) database: RefCell<String>,
    /// Values for `?`.
    pub(crate) parameters: &'a [Ast],
    /// The views being put in place.
    pub(crate) views: RefCell<Vec<crate::TableName>>,
    /// The types that the statement wants of its parameters, by number, where it is analyzed to learn them.
    pub(crate) wanted: Option<RefCell<BTreeMap<usize, SqlType>>>,
    next: Cell<usize>,
}

impl<'a> Analyzer<'a> {
    /// An analyzer for one statement.
    pub fn new(
        tables: &'a dyn Tables,
        session: Arc<Session>,
        source: Arc<Source>,
        parameters: &'a [Ast],
    ) -> Self {
        let database = RefCell::new(session.schema.clone());
        Self {
            tables,
            session,
            source: RefCell::new(source),
            database,
            parameters,
            views: RefCell::default(),
            wanted: None,
            next: Cell::new(0),
        }
    }

    /// Analyzes a query.
    pub fn query(&self, query: &Query) -> Result<Analyzed> {
        let relation = self.plan_query(query, &Env::default())?;
        self.finish(relation)
    }

    /// A query's columns as a table wants them: for each of its columns the query's column at that position, cast, or
    /// NULL.
    pub fn fitted(
        &self,
        analyzed: Analyzed,
        order: &[Option<usize>],
        wanted: &[(String, SqlType)],
    ) -> Result<Analyzed> {
        let given: Vec<Column> = analyzed.plan.schema().iter().map(Column::from).collect();
        let mut exprs = Vec::with_capacity(wanted.len());
        let mut columns = Vec::with_capacity(wanted.len());
        for (source, (name, sql_type)) in order.iter().zip(wanted) {
            let value = match source.and_then(|i| Some((given.get(i)?, analyzed.columns.get(i)?))) {
                Some((column, output)) => {
                    if coerce_cost(&output.sql_type, sql_type).is_none()
                        && !assignable(&output.sql_type, sql_type)
                    {
                        return Err(Error::invalid(format!(
                            "column `{name}` is {sql_type}, but the query's `{}` is {}",
                            output.name, output.sql_type
                        ))
                        .hint(format!("cast it: CAST({} AS {sql_type})", output.name)));
                    }
                    Typed::new(column.clone().into(), output.sql_type.clone())
                }
                None => Typed::new(datafusion::logical_expr::lit(ScalarValue::Null), SqlType::Unknown),
            };
            let expr = self.cast(value, sql_type, false)?.expr;
            exprs.push(expr.alias(self.fresh(name)));
            columns.push(OutputColumn { name: name.clone(), sql_type: sql_type.clone() });
        }
        let plan = LogicalPlanBuilder::from(analyzed.plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        Ok(Analyzed { plan, columns })
    }

    fn finish(&self, relation: Relation) -> Result<Analyzed> {
        let visible: Vec<&ScopeColumn> = relation.visible().collect();
        let columns = visible
            .iter()
            .enumerate()
            .map(|(i, c)| OutputColumn {
                name: c.name.clone().unwrap_or_else(|| format!("_col{i}")),
                sql_type: c.sql_type.clone(),
            })
            .collect();
        let exprs: Vec<_> = visible
            .iter()
            .enumerate()
            .map(|(i, c)| {
                datafusion::logical_expr::Expr::Column(c.column.clone())
                    .alias(format!("{}#{i}", c.name.as_deref().unwrap_or("_col")))
            })
            .collect();
        let plan = LogicalPlanBuilder::from(relation.plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        Ok(Analyzed { plan, columns })
    }

    /// What is analyzed becomes the query of this view: it must not lead back to it.
    pub fn for_view(self, name: crate::TableName) -> Self {
        self.views.borrow_mut().push(name);
        self
    }

    /// Learns which types the statement wants of its parameters. What is analyzed this way is not to be run.
    pub fn for_parameters(mut self) -> Self {
        self.wanted = Some(RefCell::default());
        self
    }

    /// The types that were learned, by the parameters' numbers from 1. A parameter of which nothing says its type is
    /// left out.
    pub fn parameter_types(&self) -> BTreeMap<usize, SqlType> {
        self.wanted.as_ref().map(|wanted| wanted.borrow().clone()).unwrap_or_default()
    }

    /// A name that no other column of the plan has.
    pub(crate) fn fresh(&self, name: &str) -> String {
        format!("{name}#{}", self.fresh_number())
    }

    pub(crate) fn fresh_number(&self) -> usize {
        let number = self.next.get();
        self.next.set(number + 1);
        number
    }

    pub(crate) fn fail(&self, span: Span, error: Error) -> Error {
        place(error, &self.source.borrow(), span)
    }

    /// Runs `work` inside a view: with its text and its database.
    pub(crate) fn inside_view<T>(
        &self,
        name: &crate::TableName,
        source: &Arc<Source>,
        database: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if self.views.borrow().contains(name) {
            return Err(Error::invalid(format!("view {name} refers to itself")));
        }
        if self.views.borrow().len() >= MAX_VIEW_DEPTH {
            return Err(Error::invalid(format!("view {name} stands {MAX_VIEW_DEPTH} views deep"))
                .hint("make one of the views in between a table"));
        }
        self.views.borrow_mut().push(name.clone());
        let old_source = self.source.replace(source.clone());
        let old_database = self.database.replace(database.to_owned());
        let result = work();
        self.source.replace(old_source);
        self.database.replace(old_database);
        self.views.borrow_mut().pop();
        result
    }
}

/// What INSERT converts although a comparison would not: a text of any length, a timestamp of any precision.
pub(crate) fn assignable(from: &SqlType, to: &SqlType) -> bool {
    match (from, to) {
        (SqlType::Varchar(_) | SqlType::Char(_), SqlType::Varchar(_) | SqlType::Char(_))
        | (SqlType::Timestamp(_), SqlType::Timestamp(_))
        | (SqlType::Time(_), SqlType::Time(_)) => true,
        (SqlType::Array(a), SqlType::Array(b)) => coerce_cost(a, b).is_some() || assignable(a, b),
        (SqlType::Map(k1, v1), SqlType::Map(k2, v2)) => {
            (coerce_cost(k1, k2).is_some() || assignable(k1, k2))
                && (coerce_cost(v1, v2).is_some() || assignable(v1, v2))
        }
        (SqlType::Row(a), SqlType::Row(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| {
                    coerce_cost(&a.sql_type, &b.sql_type).is_some() || assignable(&a.sql_type, &b.sql_type)
                })
        }
        _ => false,
    }
}
