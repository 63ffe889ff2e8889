//! UNNEST: arrays and maps become rows beside the row they come from.

use crate::analyzer::Analyzer;
use crate::error::from_datafusion;
use crate::error::span_of;
use crate::expr::{Rules, Typed};
use crate::query::project;
use crate::runtime;
use crate::scope::{Env, Relation, Scope, ScopeColumn};
use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use model::{Error, Result};
use sql::{RowField, SqlType};
use sqlparser::ast::{Expr as Ast, TableAlias, TableFactor};

/// An UNNEST as written.
pub(super) struct Spec<'q> {
    pub(super) exprs: &'q [Ast],
    pub(super) alias: Option<&'q TableAlias>,
    pub(super) ordinality: bool,
}

impl<'q> Spec<'q> {
    pub(super) fn of(factor: &'q TableFactor) -> Option<Spec<'q>> {
        match factor {
            TableFactor::UNNEST { array_exprs, alias, with_ordinality, .. } => {
                Some(Spec { exprs: array_exprs, alias: alias.as_ref(), ordinality: *with_ordinality })
            }
            _ => None,
        }
    }
}

/// One list that is unnested, and what becomes of its elements.
struct List {
    name: String,
    element: SqlType,
    /// Whether the element's fields become columns of their own.
    spread: bool,
}

impl Analyzer<'_> {
    /// Unnests beside `left`; several arrays advance together, the shorter ones padded with NULL.
    pub(super) fn unnest(
        &self,
        left: Relation,
        spec: &Spec<'_>,
        keep_empty: bool,
        env: &Env,
    ) -> Result<Relation> {
        let scope = Scope::new(left.columns.clone(), env.outer.clone());
        let mut exprs: Vec<Expr> = left.columns.iter().map(|c| Expr::Column(c.column.clone())).collect();
        let mut lists = Vec::new();
        let mut arrays = Vec::new();
        for ast in spec.exprs {
            let value = self.expr(ast, &scope, env, &Rules::plain("UNNEST"))?;
            let (value, element) = self.as_list(value).map_err(|e| self.fail(span_of(ast), e))?;
            let spread = matches!(element, SqlType::Row(_));
            let name = self.fresh("unnest");
            arrays.push(value.clone());
            exprs.push(value.alias(name.clone()));
            lists.push(List { name, element, spread });
        }
        if spec.ordinality {
            let name = self.fresh("ordinality");
            exprs.push(self.positions(arrays)?.alias(name.clone()));
            lists.push(List { name, element: SqlType::BigInt, spread: false });
        }
        let plan = project(left.plan, exprs)?;
        let handling = if keep_empty { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
        let options = UnnestOptions { null_handling: handling, recursions: Vec::new() };
        let columns = lists.iter().map(|l| Column::new_unqualified(l.name.clone())).collect();
        let plan = LogicalPlanBuilder::from(plan)
            .unnest_columns_with_options(columns, options)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let unnested = self.spread(Relation { plan, columns: left.columns.clone() }, &lists)?;
        self.named_elements(left.columns.len(), unnested, spec)
    }

    /// The value as a list: a map becomes a list of rows of key and value.
    fn as_list(&self, value: Typed) -> Result<(Expr, SqlType)> {
        match &value.sql_type {
            SqlType::Array(element) => Ok((value.expr, element.as_ref().clone())),
            SqlType::Map(key, val) => {
                let element = SqlType::Row(vec![
                    RowField::named("key", key.as_ref().clone()),
                    RowField::named("value", val.as_ref().clone()),
                ]);
                Ok((runtime::map_entries(value.expr, &value.sql_type, &element), element))
            }
            other => Err(Error::invalid(format!("UNNEST takes arrays and maps, not {other}"))),
        }
    }

    /// `[1, 2, …]` as long as the longest of the lists.
    fn positions(&self, lists: Vec<Expr>) -> Result<Expr> {
        Ok(runtime::positions(lists))
    }

    /// Gives the fields of unnested rows columns of their own.
    fn spread(&self, relation: Relation, lists: &[List]) -> Result<Relation> {
        let mut exprs: Vec<Expr> = relation.columns.iter().map(|c| Expr::Column(c.column.clone())).collect();
        let mut columns = relation.columns;
        for list in lists {
            let value = Expr::Column(Column::new_unqualified(list.name.clone()));
            let parts = match (&list.element, list.spread) {
                (SqlType::Row(fields), true) => fields
                    .iter()
                    .enumerate()
                    .map(|(i, f)| {
                        (f.name.clone(), get_field(value.clone(), f.arrow_name(i)), f.sql_type.clone())
                    })
                    .collect(),
                (element, _) => vec![(None, value, element.clone())],
            };
            for (name, expr, sql_type) in parts {
                let unique = self.fresh(name.as_deref().unwrap_or("_col"));
                exprs.push(expr.alias(unique.clone()));
                columns.push(ScopeColumn {
                    qualifier: Vec::new(),
                    name,
                    column: Column::new_unqualified(unique),
                    sql_type,
                    hidden: false,
                });
            }
        }
        Ok(Relation { plan: project(relation.plan, exprs)?, columns })
    }

    /// The alias names the new columns only.
    fn named_elements(&self, old: usize, mut relation: Relation, spec: &Spec<'_>) -> Result<Relation> {
        if let Some(alias) = spec.alias {
            let new = relation.columns.split_off(old);
            let named = self.aliased(Relation { plan: relation.plan.clone(), columns: new }, Some(alias))?;
            relation.columns.extend(named.columns);
        }
        Ok(relation)
    }
}
