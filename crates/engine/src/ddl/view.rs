//! Views, stored as Athena stores them: the query's text in JSON in base64 in a comment.

use super::resolve::{CATALOG, LAST_DDL, is_absent};
use super::{DdlContext, DdlResult};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use catalog::Table;
use model::{Column, Error, ErrorKind, HiveType, Result};
use serde::{Deserialize, Serialize};
use sql::ast::CreateView;
use sql::{QualifiedName, SqlType};
use std::collections::HashSet;

const BEGIN: &str = "/* Presto View: ";
const END: &str = " */";
const EXPANDED: &str = "/* Presto View */";

/// A column of a view, as its query gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ViewColumn {
    /// Its name.
    pub(crate) name: String,
    /// Its SQL type in text.
    #[serde(rename = "type")]
    pub(crate) sql_type: String,
}

/// What a stored view says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ViewText {
    /// The query as it was written.
    pub(crate) original_sql: String,
    /// The catalog of names that do not say one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) catalog: Option<String>,
    /// The database of names that do not say one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<String>,
    /// Its columns.
    #[serde(default)]
    pub(crate) columns: Vec<ViewColumn>,
}

/// Reads what a view of the catalog says.
pub(crate) fn read_view(table: &Table) -> Result<ViewText> {
    let broken = |why: &str| {
        Error::corrupt(format!("the view `{}` cannot be read", table.name))
            .why(why.to_owned())
            .hint("create it anew with CREATE OR REPLACE VIEW")
    };
    let text = table.view_original_text.as_deref().unwrap_or_default().trim();
    let inner = text.strip_prefix(BEGIN.trim_end()).and_then(|rest| rest.strip_suffix(END.trim_start()));
    let Some(inner) = inner else { return Err(broken("its text is not in Athena's form")) };
    let json = STANDARD.decode(inner.trim()).map_err(|e| broken("its text is not base64").source_is(e))?;
    serde_json::from_slice(&json).map_err(|e| broken("its text is not the JSON of a view").source_is(e))
}

/// Creates or replaces a view whose query has these columns. Names of the statement's own list go before theirs.
pub(crate) async fn create_view(
    ctx: &DdlContext<'_>,
    create: &CreateView,
    columns: &[(String, SqlType)],
) -> Result<DdlResult> {
    let (database, name) = ctx.table_name(&create.name)?;
    let columns = named(ctx, create, columns)?;
    let text = ViewText {
        original_sql: create.text.clone(),
        catalog: Some(CATALOG.to_lowercase()),
        schema: Some(ctx.database.to_string()),
        columns: columns
            .iter()
            .map(|(name, sql_type)| ViewColumn { name: name.clone(), sql_type: sql_type.to_string() })
            .collect(),
    };
    let json = serde_json::to_vec(&text)
        .map_err(|e| Error::internal("cannot write the view's text").source_is(e))?;
    let mut table = Table::new(name.clone());
    table.table_type = Some("VIRTUAL_VIEW".to_owned());
    table.description = create.comment.clone();
    table.view_original_text = Some(format!("{BEGIN}{}{END}", STANDARD.encode(json)));
    table.view_expanded_text = Some(EXPANDED.to_owned());
    table.storage.columns = columns.iter().map(|(name, sql_type)| hive_column(name, sql_type)).collect();
    table.parameters.insert("presto_view".to_owned(), "true".to_owned());
    table.parameters.insert("comment".to_owned(), "Presto View".to_owned());
    table.parameters.insert(LAST_DDL.to_owned(), ctx.stamp());
    let located = |error| ctx.located(error, create.name.span());
    match ctx.catalog.create_table(&database, table.clone()).await {
        Ok(_) => Ok(DdlResult::nothing()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !create.or_replace {
                return Err(located(error).hint("write CREATE OR REPLACE VIEW"));
            }
            ctx.catalog
                .alter_table(&database, &name, |current| {
                    if !current.is_view() {
                        return Err(Error::already_exists(format!(
                            "`{database}.{name}` is a table, not a view"
                        ))
                        .hint("give the view another name, or drop the table"));
                    }
                    *current = table.clone();
                    Ok(())
                })
                .await
                .map_err(located)?;
            Ok(DdlResult::nothing())
        }
        Err(error) => Err(located(error)),
    }
}

/// The view's columns under their final names.
fn named(
    ctx: &DdlContext<'_>,
    create: &CreateView,
    columns: &[(String, SqlType)],
) -> Result<Vec<(String, SqlType)>> {
    let mut columns = columns.to_vec();
    if !create.columns.is_empty() {
        if create.columns.len() != columns.len() {
            let (said, has) = (create.columns.len(), columns.len());
            let message = format!("the view names {said} columns, but its query has {has}");
            return Err(ctx.invalid(create.name.span(), message));
        }
        for (column, alias) in columns.iter_mut().zip(&create.columns) {
            column.0 = alias.value.to_lowercase();
        }
    }
    let mut seen = HashSet::new();
    for (name, _) in &columns {
        if !seen.insert(name.to_lowercase()) {
            let message = format!("the view would have the column `{name}` twice");
            return Err(ctx
                .invalid(create.name.span(), message)
                .hint("give one of them another name with AS"));
        }
    }
    Ok(columns)
}

/// A view's column in Hive's types; what Hive has no type for is shown as text, as the view's own text knows better.
fn hive_column(name: &str, sql_type: &SqlType) -> Column {
    Column::new(name, sql_type.to_hive().unwrap_or(HiveType::String))
}

pub(super) async fn drop(ctx: &DdlContext<'_>, name: &QualifiedName, if_exists: bool) -> Result<DdlResult> {
    let (database, view) = ctx.table_name(name)?;
    let located = |error| ctx.located(error, name.span());
    match ctx.catalog.get_table(&database, &view).await {
        Err(error) if is_absent(&error) && if_exists => return Ok(DdlResult::nothing()),
        Err(error) => return Err(located(error)),
        Ok(entry) if !entry.table.is_view() => {
            let error = ctx.invalid(name.span(), format!("`{database}.{view}` is a table, not a view"));
            return Err(error.hint(format!("write `DROP TABLE {view}`")));
        }
        Ok(_) => {}
    }
    match ctx.catalog.drop_table(&database, &view).await {
        Err(error) if is_absent(&error) && if_exists => Ok(DdlResult::nothing()),
        other => other.map(|()| DdlResult::nothing()).map_err(located),
    }
}
