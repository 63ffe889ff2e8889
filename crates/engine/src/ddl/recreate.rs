//! SHOW CREATE TABLE and SHOW CREATE VIEW: statements that make the same thing again when they are run.

use super::view::read_view;
use super::{DdlContext, DdlResult};
use catalog::{Parameters, TableEntry};
use model::{Column, Result};
use sql::QualifiedName;
use sql::{hive_ident, hive_string, quote_ident};

/// Properties that the statement itself says, or that the catalog sets anew.
const IMPLIED: [&str; 2] = ["EXTERNAL", "comment"];

pub(super) async fn table(ctx: &DdlContext<'_>, name: &QualifiedName) -> Result<DdlResult> {
    let entry = ctx.entry(name).await?;
    if entry.table.is_view() {
        let error = ctx.invalid(name.span(), format!("`{}.{}` is a view", entry.database, entry.table.name));
        return Err(error.hint(format!("write `SHOW CREATE VIEW {}`", entry.table.name)));
    }
    Ok(DdlResult::column("createtab_stmt", statement(ctx, &entry)))
}

/// The statement's lines in Hive's layout.
fn statement(ctx: &DdlContext<'_>, entry: &TableEntry) -> Vec<String> {
    let (table, storage) = (&entry.table, &entry.table.storage);
    let mut lines = Vec::new();
    let mut name = hive_ident(table.name.as_str());
    if entry.database != *ctx.database {
        name = format!("{}.{name}", hive_ident(entry.database.as_str()));
    }
    // A Delta table's columns are in its log, and the statement that adds it to a catalog takes none.
    let is_delta = crate::delta::is_delta(entry);
    if storage.columns.is_empty() || is_delta {
        lines.push(format!("CREATE EXTERNAL TABLE {name}"));
    } else {
        lines.push(format!("CREATE EXTERNAL TABLE {name}("));
        columns(&storage.columns, &mut lines);
    }
    if let Some(comment) = &table.description {
        lines.push(format!("COMMENT {}", hive_string(comment)));
    }
    if !table.partition_keys.is_empty() && !is_delta {
        lines.push("PARTITIONED BY ( ".to_owned());
        columns(&table.partition_keys, &mut lines);
    }
    if !storage.bucket_columns.is_empty() {
        lines.push("CLUSTERED BY ( ".to_owned());
        let named: Vec<String> =
            storage.bucket_columns.iter().map(|c| format!("  {}", hive_ident(c))).collect();
        lines.extend(closed(named));
        lines.push(format!("INTO {} BUCKETS", storage.number_of_buckets.unwrap_or(1)));
    }
    if let Some(serde) = &storage.serde.library {
        lines.push("ROW FORMAT SERDE ".to_owned());
        lines.push(format!("  {} ", hive_string(serde)));
        if !storage.serde.parameters.is_empty() {
            lines.push("WITH SERDEPROPERTIES ( ".to_owned());
            properties(&storage.serde.parameters, &[], &mut lines);
        }
    }
    if let (Some(input), Some(output)) = (&storage.input_format, &storage.output_format) {
        lines.push("STORED AS INPUTFORMAT ".to_owned());
        lines.push(format!("  {} ", hive_string(input)));
        lines.push("OUTPUTFORMAT ".to_owned());
        lines.push(format!("  {}", hive_string(output)));
    }
    if let Some(location) = &storage.location {
        lines.push("LOCATION".to_owned());
        lines.push(format!("  {}", hive_string(location)));
    }
    if table.parameters.keys().any(|key| !IMPLIED.contains(&key.as_str())) {
        lines.push("TBLPROPERTIES (".to_owned());
        properties(&table.parameters, &IMPLIED, &mut lines);
    }
    lines
}

fn columns(columns: &[Column], lines: &mut Vec<String>) {
    let all = columns
        .iter()
        .map(|column| {
            let comment = hive_string(column.comment.as_deref().unwrap_or_default());
            format!("  {} {} COMMENT {comment}", hive_ident(&column.name), column.hive_type)
        })
        .collect();
    lines.extend(closed(all));
}

fn properties(all: &Parameters, without: &[&str], lines: &mut Vec<String>) {
    let kept = all.iter().filter(|(key, _)| !without.contains(&key.as_str()));
    let pairs = kept.map(|(key, value)| format!("  {}={}", hive_string(key), hive_string(value))).collect();
    lines.extend(closed(pairs));
}

/// Items with commas between them and the parenthesis closed behind the last.
fn closed(items: Vec<String>) -> Vec<String> {
    let last = items.len().saturating_sub(1);
    let ended = |(index, item): (usize, String)| format!("{item}{}", if index == last { ")" } else { ", " });
    items.into_iter().enumerate().map(ended).collect()
}

pub(super) async fn view(ctx: &DdlContext<'_>, name: &QualifiedName) -> Result<DdlResult> {
    let entry = ctx.entry(name).await?;
    if !entry.table.is_view() {
        let error = ctx.invalid(name.span(), format!("`{}.{}` is a table", entry.database, entry.table.name));
        return Err(error.hint(format!("write `SHOW CREATE TABLE {}`", entry.table.name)));
    }
    let view = read_view(&entry.table).map_err(|error| ctx.located(error, name.span()))?;
    let mut shown = quote_ident(entry.table.name.as_str());
    if entry.database != *ctx.database {
        shown = format!("{}.{shown}", quote_ident(entry.database.as_str()));
    }
    let mut lines = vec![format!("CREATE VIEW {shown} AS ")];
    lines.extend(view.original_sql.lines().map(str::to_owned));
    Ok(DdlResult::column("Create View", lines))
}
