//! Changing rows of Delta tables: DELETE, UPDATE and MERGE as the log's protocol wants them.

use super::location;
use super::log::{failed, load};
use crate::scans::Scans;
use catalog::TableEntry;
use datafusion::catalog::Session;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::Expr;
use deltalake::DeltaTable;
use deltalake::delta_datafusion::DeltaSessionContext;
use model::{Error, LakeUri, Result};
use std::sync::Arc;

/// What happens to rows in a merge.
#[derive(Debug, Clone)]
pub enum MergeClause {
    /// `WHEN MATCHED [AND …] THEN UPDATE SET …`
    UpdateMatched(Option<Expr>, Vec<(String, Expr)>),
    /// `WHEN MATCHED [AND …] THEN DELETE`
    DeleteMatched(Option<Expr>),
    /// `WHEN NOT MATCHED [AND …] THEN INSERT …`
    Insert(Option<Expr>, Vec<(String, Expr)>),
}

/// What a merge has done, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MergeCounts {
    /// Inserted.
    pub inserted: u64,
    /// Updated.
    pub updated: u64,
    /// Deleted.
    pub deleted: u64,
}

/// Deletes the rows for which the predicate is true, all without one. Columns are named by their names alone. Returns how
/// many rows are gone.
pub async fn delete(
    scans: &Scans,
    entry: &TableEntry,
    predicate: Option<Expr>,
    session: Arc<dyn Session>,
) -> Result<u64> {
    let at = location(entry)?;
    let table = load(&scans.inner.lake, &at).await?;
    let before = rows_of(&table);
    let names = names_of(&table, &at)?;
    let mut delete = table.delete().with_session_state(planner(&session));
    if let Some(predicate) = predicate {
        delete = delete.with_predicate(named(predicate, &names)?);
    }
    let (after, metrics) = delete.await.map_err(|e| failed(e, &at))?;
    let gone = metrics.num_deleted_rows.map(|rows| rows as u64);
    Ok(gone.or_else(|| before?.checked_sub(rows_of(&after)?)).unwrap_or_default())
}

/// Sets columns of the rows for which the predicate is true, of all without one. Returns how many rows were changed.
pub async fn update(
    scans: &Scans,
    entry: &TableEntry,
    predicate: Option<Expr>,
    assignments: Vec<(String, Expr)>,
    session: Arc<dyn Session>,
) -> Result<u64> {
    let at = location(entry)?;
    let table = load(&scans.inner.lake, &at).await?;
    let names = names_of(&table, &at)?;
    let mut update = table.update().with_session_state(planner(&session));
    if let Some(predicate) = predicate {
        update = update.with_predicate(named(predicate, &names)?);
    }
    for (column, value) in assignments {
        update = update.with_update(name(&column, &names)?, named(value, &names)?);
    }
    let (_, metrics) = update.await.map_err(|e| failed(e, &at))?;
    Ok(metrics.num_updated_rows as u64)
}

/// Merges rows into the table. In `on`, the clauses' conditions and their values, columns of the table have the qualifier
/// `target`, those of the source `source`.
pub async fn merge(
    scans: &Scans,
    entry: &TableEntry,
    source: DataFrame,
    on: Expr,
    clauses: Vec<MergeClause>,
    session: Arc<dyn Session>,
) -> Result<MergeCounts> {
    let at = location(entry)?;
    let table = load(&scans.inner.lake, &at).await?;
    let names = names_of(&table, &at)?;
    let of = |e| failed(e, &at);
    let mut merge = table
        .merge(source, named(on, &names)?)
        .with_source_alias("source")
        .with_target_alias("target")
        .with_session_state(planner(&session));
    for clause in clauses {
        merge = match clause {
            MergeClause::UpdateMatched(condition, values) => {
                let values = assigned(values, &names)?;
                let condition = condition.map(|condition| named(condition, &names)).transpose()?;
                merge.when_matched_update(|mut update| {
                    if let Some(condition) = condition {
                        update = update.predicate(condition);
                    }
                    values.into_iter().fold(update, |update, (column, value)| update.update(column, value))
                })
            }
            MergeClause::DeleteMatched(condition) => {
                let condition = condition.map(|condition| named(condition, &names)).transpose()?;
                merge.when_matched_delete(|delete| match condition {
                    Some(condition) => delete.predicate(condition),
                    None => delete,
                })
            }
            MergeClause::Insert(condition, values) => {
                let values = assigned(values, &names)?;
                let condition = condition.map(|condition| named(condition, &names)).transpose()?;
                merge.when_not_matched_insert(|mut insert| {
                    if let Some(condition) = condition {
                        insert = insert.predicate(condition);
                    }
                    values.into_iter().fold(insert, |insert, (column, value)| insert.set(column, value))
                })
            }
        }
        .map_err(of)?;
    }
    let (_, metrics) = merge.await.map_err(of)?;
    Ok(MergeCounts {
        inserted: metrics.num_target_rows_inserted as u64,
        updated: metrics.num_target_rows_updated as u64,
        deleted: metrics.num_target_rows_deleted as u64,
    })
}

/// A session that can plan deltalake's own operators, in the environment of the query's session.
fn planner(session: &Arc<dyn Session>) -> Arc<dyn Session> {
    Arc::new(DeltaSessionContext::with_runtime_env(Arc::clone(session.runtime_env())).state())
}

fn rows_of(table: &DeltaTable) -> Option<u64> {
    let state = table.snapshot().ok()?;
    state.log_data().iter().map(|file| file.num_records().map(|rows| rows as u64)).sum()
}

/// The columns as the log spells them.
fn names_of(table: &DeltaTable, at: &LakeUri) -> Result<Vec<String>> {
    let state = table.snapshot().map_err(|e| failed(e, at))?;
    Ok(state.schema().fields().map(|field| field.name().clone()).collect())
}

fn name(column: &str, names: &[String]) -> Result<String> {
    let found = names.iter().find(|name| name.to_lowercase() == column.to_lowercase());
    found.cloned().ok_or_else(|| {
        Error::invalid(format!("the table has no column `{column}`"))
            .hint(model::nearest_hint(column, names.iter().map(String::as_str)))
    })
}

/// The assignments, with the columns as the log spells them.
fn assigned(values: Vec<(String, Expr)>, names: &[String]) -> Result<Vec<(String, Expr)>> {
    let spelled = values.into_iter().map(|(column, value)| Ok((name(&column, names)?, named(value, names)?)));
    spelled.collect()
}

/// The expression with the table's columns as the log spells them.
fn named(expr: Expr, names: &[String]) -> Result<Expr> {
    let renamed = expr.transform(|node| match node {
        Expr::Column(column) if column.relation.as_ref().is_none_or(|of| of.table() == "target") => {
            let spelled = names.iter().find(|name| name.to_lowercase() == column.name.to_lowercase());
            match spelled {
                Some(spelled) if *spelled != column.name => {
                    Ok(Transformed::yes(Expr::Column(Column::new(column.relation, spelled))))
                }
                _ => Ok(Transformed::no(Expr::Column(column))),
            }
        }
        other => Ok(Transformed::no(other)),
    });
    renamed.map(|renamed| renamed.data).map_err(crate::error)
}
