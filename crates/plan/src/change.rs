//! DELETE, UPDATE and MERGE: from their parts to one query, whose rows say what becomes of which row of the table.
//!
//! The query's columns are the file and the number of a row in it, what becomes of the row, and the new values of all
//! columns. Whoever runs it never has to know conditions or assignments.

use crate::analyzer::{Analyzed, Analyzer, OutputColumn, assignable};
use crate::error::{from_datafusion, span_of};
use crate::expr::{Rules, Typed};
use crate::names::TableName;
use crate::query::project;
use crate::scope::{Env, Relation, Scope, ScopeColumn};
use datafusion::common::{Column, JoinType, ScalarValue, TableReference};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Cast, Expr, LogicalPlan, LogicalPlanBuilder, TableSource, lit};
use model::{Error, Result, nearest_hint};
use sql::ast::{Assignment, Delete, Merge, MergeAction, MergeClause, Update};
use sql::{SqlType, coerce_cost};
use sqlparser::ast::{Expr as Ast, Ident};
use std::collections::HashMap;
use std::sync::Arc;

/// What becomes of a row, in the third column of the query: it goes away, …
pub const DELETED: i8 = 0;
/// … it is replaced, …
pub const UPDATED: i8 = 1;
/// … or it is new.
pub const INSERTED: i8 = 2;

/// The hidden columns of the table: where a row stands.
const FILE: &str = "$path";
const ROW: &str = "$row";

/// A column of a table that is changed.
#[derive(Debug, Clone)]
pub struct ChangedColumn {
    /// Its name, in lower case.
    pub name: String,
    /// The type that queries see.
    pub shown: SqlType,
    /// The type of the source's column, which may hold more of the value.
    pub stored: SqlType,
}

/// A table that is changed.
pub struct ChangedTable<'a> {
    /// Its name.
    pub name: &'a TableName,
    /// Its columns, in order.
    pub columns: &'a [ChangedColumn],
    /// What DataFusion scans: these columns, and the hidden ones `$path` and `$row`.
    pub source: Arc<dyn TableSource>,
}

/// The table's rows on their way.
struct Target {
    relation: Relation,
    file: Expr,
    row: Expr,
    /// The columns as they are stored.
    stored: Vec<Expr>,
}

impl Analyzer<'_> {
    /// The query of a DELETE; it has no new values.
    pub fn delete(&self, table: &ChangedTable<'_>, delete: &Delete) -> Result<Analyzed> {
        let target = self.target(table, delete.alias.as_ref())?;
        let plan = self.chosen(&target, delete.selection.as_ref())?;
        self.decisions(table, plan, vec![target.file, target.row, lit(DELETED)])
    }

    /// The query of an UPDATE.
    pub fn update(&self, table: &ChangedTable<'_>, update: &Update) -> Result<Analyzed> {
        let target = self.target(table, update.alias.as_ref())?;
        let scope = Scope::new(target.relation.columns.clone(), None);
        let set = self.assigned(table, &update.assignments, &scope)?;
        let plan = self.chosen(&target, update.selection.as_ref())?;
        let mut exprs = vec![target.file, target.row, lit(UPDATED)];
        for (at, stored) in target.stored.iter().enumerate() {
            exprs.push(set.get(&at).unwrap_or(stored).clone());
        }
        self.decisions(table, plan, exprs)
    }

    /// The query of a MERGE: source rows with their partners in the table, each with the first case that it fits.
    pub fn merge(&self, table: &ChangedTable<'_>, merge: &Merge) -> Result<Analyzed> {
        let env = Env::default();
        let target = self.target(table, merge.alias.as_ref())?;
        let source = self.factor(&merge.source, &env)?;
        let source_scope = Scope::new(source.columns.clone(), None);
        let both: Vec<ScopeColumn> = target.relation.columns.iter().chain(&source.columns).cloned().collect();
        let scope = Scope::new(both, None);
        let on = self.condition(&merge.on, &scope, &env, &Rules::plain("a join's condition"))?;
        let is_inner = merge.clauses.iter().all(|clause| clause.matched);
        let kind = if is_inner { JoinType::Inner } else { JoinType::Left };
        let plan = LogicalPlanBuilder::from(source.plan)
            .join_on(target.relation.plan.clone(), kind, [on])
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let mut cases =
            Cases { table, target: &target, when: Vec::new(), actions: Vec::new(), values: Vec::new() };
        for (number, clause) in merge.clauses.iter().enumerate() {
            let scope = if clause.matched { &scope } else { &source_scope };
            self.merge_case(number, clause, scope, &mut cases)?;
        }
        let Cases { when, actions, values, .. } = cases;
        // Which case it is is settled once, as a column: conditions may cost, and may not be the same twice.
        let case = Column::new_unqualified(self.fresh("case"));
        let mut all: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        all.push(chosen_by(None, when).alias(&case.name));
        let plan = LogicalPlanBuilder::from(project(plan, all)?)
            .filter(Expr::Column(case.clone()).is_not_null())
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let of_case = |branches: Vec<(Expr, Expr)>| chosen_by(Some(Expr::Column(case.clone())), branches);
        let mut exprs = vec![target.file.clone(), target.row.clone(), of_case(actions)];
        for (at, column) in table.columns.iter().enumerate() {
            let branches: Vec<_> = values
                .iter()
                .filter_map(|(number, row)| Some((number.clone(), row.get(at)?.clone())))
                .collect();
            exprs.push(match branches.is_empty() {
                true => null(&column.stored)?,
                false => of_case(branches),
            });
        }
        self.decisions(table, plan, exprs)
    }

    /// The table's rows: its columns as queries see them, beside them as they are stored.
    fn target(&self, table: &ChangedTable<'_>, alias: Option<&Ident>) -> Result<Target> {
        let reference = TableReference::bare(self.fresh(&table.name.table));
        let scan = LogicalPlanBuilder::scan(reference.clone(), Arc::clone(&table.source), None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let of_scan = |name: &str| Expr::Column(Column::new(Some(reference.clone()), name));
        let qualifier = match alias {
            Some(alias) => vec![alias.value.to_lowercase()],
            None => vec!["awsdatacatalog".into(), table.name.database.clone(), table.name.table.clone()],
        };
        let mut exprs = Vec::new();
        let mut add = |name: &str, expr: Expr| {
            let unique = self.fresh(name);
            exprs.push(expr.alias(&unique));
            Column::new_unqualified(unique)
        };
        let (file, row) = (add(FILE, of_scan(FILE)), add(ROW, of_scan(ROW)));
        let (mut stored, mut columns) = (Vec::new(), Vec::new());
        for column in table.columns {
            let kept = add(&column.name, of_scan(&column.name));
            let shown = match column.shown == column.stored {
                true => kept.clone(),
                false => add(&column.name, converted(of_scan(&column.name), &column.shown)),
            };
            stored.push(Expr::Column(kept));
            columns.push(ScopeColumn {
                qualifier: qualifier.clone(),
                name: Some(column.name.clone()),
                column: shown,
                sql_type: column.shown.clone(),
                hidden: false,
            });
        }
        columns.push(ScopeColumn {
            qualifier,
            name: Some(FILE.to_owned()),
            column: file.clone(),
            sql_type: SqlType::VARCHAR,
            hidden: true,
        });
        let relation = Relation { plan: project(scan, exprs)?, columns };
        Ok(Target { relation, file: Expr::Column(file), row: Expr::Column(row), stored })
    }

    /// The rows of the table for which the condition is true.
    fn chosen(&self, target: &Target, selection: Option<&Ast>) -> Result<LogicalPlan> {
        let plan = target.relation.plan.clone();
        let Some(condition) = selection else { return Ok(plan) };
        let scope = Scope::new(target.relation.columns.clone(), None);
        let condition = self.condition(condition, &scope, &Env::default(), &Rules::plain("WHERE"))?;
        LogicalPlanBuilder::from(plan)
            .filter(condition)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)
    }

    /// One case of a MERGE: when it applies, what it does, and its values.
    fn merge_case(
        &self,
        number: usize,
        clause: &MergeClause,
        scope: &Scope,
        cases: &mut Cases<'_>,
    ) -> Result<()> {
        let number = lit(i32::try_from(number).unwrap_or(i32::MAX));
        let has_partner = cases.target.file.clone().is_not_null();
        let mut when = if clause.matched { has_partner } else { cases.target.file.clone().is_null() };
        if let Some(condition) = &clause.condition {
            let condition = self.condition(condition, scope, &Env::default(), &Rules::plain("WHEN"))?;
            // A condition is not asked about rows that the case is not for.
            when = chosen_by(None, vec![(when, condition)]);
        }
        cases.when.push((when, number.clone()));
        let (action, values) = match &clause.action {
            MergeAction::Delete => (DELETED, None),
            MergeAction::Update(assignments) => {
                let set = self.assigned(cases.table, assignments, scope)?;
                let values = cases.target.stored.iter().enumerate();
                (UPDATED, Some(values.map(|(at, old)| set.get(&at).unwrap_or(old).clone()).collect()))
            }
            MergeAction::Insert { columns, values } => {
                (INSERTED, Some(self.inserted(cases.table, columns, values, scope)?))
            }
        };
        cases.actions.push((number.clone(), lit(action)));
        cases.values.extend(values.map(|values| (number, values)));
        Ok(())
    }

    /// The values of `INSERT (columns) VALUES (…)`, for all columns of the table; NULL where none is given.
    fn inserted(
        &self,
        table: &ChangedTable<'_>,
        columns: &[Ident],
        values: &[Ast],
        scope: &Scope,
    ) -> Result<Vec<Expr>> {
        let wanted = if columns.is_empty() { table.columns.len() } else { columns.len() };
        if values.len() != wanted {
            let error = Error::invalid(format!("INSERT has {} values for {wanted} columns", values.len()));
            return Err(match values.first() {
                Some(first) => self.fail(span_of(first), error),
                None => error,
            });
        }
        let mut given = HashMap::new();
        for (i, value) in values.iter().enumerate() {
            let at = match columns.get(i) {
                Some(ident) => self.column_of(table, ident)?,
                None => i,
            };
            let column = &table.columns[at];
            if given.insert(at, self.value_for(column, value, scope, "VALUES")?).is_some() {
                let span = columns.get(i).map_or_else(|| span_of(value), |ident| ident.span);
                return Err(
                    self.fail(span, Error::invalid(format!("column `{}` is named twice", column.name)))
                );
            }
        }
        let all = table.columns.iter().enumerate();
        all.map(|(at, column)| given.remove(&at).map_or_else(|| null(&column.stored), Ok)).collect()
    }

    /// The new values of `SET`, by the place of their column.
    fn assigned(
        &self,
        table: &ChangedTable<'_>,
        assignments: &[Assignment],
        scope: &Scope,
    ) -> Result<HashMap<usize, Expr>> {
        let mut set = HashMap::new();
        for Assignment { column, value } in assignments {
            let at = self.column_of(table, column)?;
            let value = self.value_for(&table.columns[at], value, scope, "SET")?;
            if set.insert(at, value).is_some() {
                let error = Error::invalid(format!("column `{}` is set twice", column.value));
                return Err(self.fail(column.span, error));
            }
        }
        Ok(set)
    }

    fn column_of(&self, table: &ChangedTable<'_>, ident: &Ident) -> Result<usize> {
        let name = ident.value.to_lowercase();
        table.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let names = table.columns.iter().map(|column| column.name.as_str());
            let error = Error::not_found(format!("column `{name}` does not exist in `{}`", table.name));
            self.fail(ident.span, error.hint(nearest_hint(&name, names)))
        })
    }

    /// A value as the column stores it. What INSERT would convert is converted.
    fn value_for(
        &self,
        column: &ChangedColumn,
        value: &Ast,
        scope: &Scope,
        place: &'static str,
    ) -> Result<Expr> {
        let typed = self.expr(value, scope, &Env::default(), &Rules::plain(place))?;
        if coerce_cost(&typed.sql_type, &column.shown).is_none()
            && !assignable(&typed.sql_type, &column.shown)
        {
            let error = Error::invalid(format!(
                "column `{}` is {}, but this is {}",
                column.name, column.shown, typed.sql_type
            ));
            let hint = format!("cast it: CAST(… AS {})", column.shown);
            return Err(self.fail(span_of(value), error.hint(hint)));
        }
        let cast: Typed = self.cast(typed, &column.shown, false).map_err(|e| self.fail(span_of(value), e))?;
        Ok(converted(cast.expr, &column.stored))
    }

    /// Gives the query's columns names of their own.
    fn decisions(&self, table: &ChangedTable<'_>, plan: LogicalPlan, exprs: Vec<Expr>) -> Result<Analyzed> {
        let mut columns = vec![
            OutputColumn { name: FILE.into(), sql_type: SqlType::VARCHAR },
            OutputColumn { name: ROW.into(), sql_type: SqlType::BigInt },
            OutputColumn { name: "$action".into(), sql_type: SqlType::TinyInt },
        ];
        columns.extend(
            table.columns.iter().map(|c| OutputColumn { name: c.name.clone(), sql_type: c.stored.clone() }),
        );
        columns.truncate(exprs.len());
        let named =
            exprs.into_iter().zip(&columns).map(|(expr, column)| expr.alias(self.fresh(&column.name)));
        Ok(Analyzed { plan: project(plan, named.collect())?, columns })
    }
}

/// The cases of a MERGE, as they are gathered.
struct Cases<'a> {
    table: &'a ChangedTable<'a>,
    target: &'a Target,
    /// Conditions, each with its case's number.
    when: Vec<(Expr, Expr)>,
    /// By number: what becomes of the row.
    actions: Vec<(Expr, Expr)>,
    /// By number: the values of all columns, where rows are written.
    values: Vec<(Expr, Vec<Expr>)>,
}

/// `CASE [operand] WHEN … THEN … END`
fn chosen_by(operand: Option<Expr>, branches: Vec<(Expr, Expr)>) -> Expr {
    let pairs = branches.into_iter().map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Expr::Case(Case { expr: operand.map(Box::new), when_then_expr: pairs, else_expr: None })
}

/// Only the precision of times and their zone change, so that Arrow's own cast does.
fn converted(expr: Expr, to: &SqlType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), to.to_arrow()))
}

fn null(sql_type: &SqlType) -> Result<Expr> {
    let null = ScalarValue::try_from(&sql_type.to_arrow()).map_err(from_datafusion)?;
    Ok(Expr::Literal(null, None))
}
