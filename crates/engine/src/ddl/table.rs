//! CREATE TABLE and DROP TABLE.

use super::resolve::{LAST_DDL, is_absent};
use super::{DdlContext, DdlResult, layout};
use catalog::Table;
use model::{Column, Error, ErrorKind, Result, nearest_hint};
use sql::QualifiedName;
use sql::ast::{ColumnDef, CreateTable};
use std::collections::HashMap;

/// A definition's column as the catalog keeps it: names in lower case.
pub(super) fn column(column: &ColumnDef) -> Column {
    Column {
        name: column.name.value.to_lowercase(),
        hive_type: column.hive_type.value.clone(),
        comment: column.comment.clone(),
    }
}

/// No name twice among the columns, nor among columns and partition keys.
pub(crate) fn check_columns(ctx: &DdlContext<'_>, columns: &[ColumnDef], keys: &[ColumnDef]) -> Result<()> {
    let mut seen = HashMap::new();
    for (is_key, one) in columns.iter().map(|c| (false, c)).chain(keys.iter().map(|k| (true, k))) {
        let Some(first_is_key) = seen.insert(one.name.value.to_lowercase(), is_key) else { continue };
        let error = ctx.invalid(one.name.span, format!("the column `{}` is there twice", one.name.value));
        return Err(if is_key && !first_is_key {
            error
                .why("a partition key is a column by itself: its values come from the partitions")
                .hint("leave it out of the first list")
        } else {
            error.why("column names are the same without regard to case")
        });
    }
    Ok(())
}

/// Which kind of table the properties say it is.
fn table_type(create: &CreateTable) -> Option<String> {
    let property = create.properties.iter().find(|p| p.key.value.eq_ignore_ascii_case("table_type"))?;
    Some(property.value.value.to_uppercase())
}

pub(super) async fn create(ctx: &DdlContext<'_>, create: &CreateTable) -> Result<DdlResult> {
    let (database, name) = ctx.table_name(&create.name)?;
    let kind = table_type(create);
    check_kind(ctx, create, kind.as_deref())?;
    check_columns(ctx, &create.columns, &create.partitioned_by)?;
    check_plain(ctx, create)?;
    let Some(location) = &create.location else {
        return Err(ctx
            .invalid(create.name.span(), "the table has no location")
            .hint("say where its files are: LOCATION 's3://bucket/folder/'"));
    };
    ctx.location(location).await?;
    let is_delta = kind.as_deref() == Some("DELTA");
    let mut table = Table::new(name);
    table.storage = if is_delta { Default::default() } else { layout::storage(ctx, create)? };
    table.storage.columns = create.columns.iter().map(column).collect();
    table.storage.location = Some(location.value.trim().to_owned());
    table.partition_keys = create.partitioned_by.iter().map(column).collect();
    table.table_type = Some("EXTERNAL_TABLE".to_owned());
    table.description = create.comment.clone();
    buckets(ctx, create, &mut table)?;
    for property in &create.properties {
        table.parameters.insert(property.key.value.clone(), property.value.value.clone());
    }
    if is_delta {
        table.parameters.retain(|key, _| !key.eq_ignore_ascii_case("table_type"));
        table.parameters.insert("table_type".to_owned(), "DELTA".to_owned());
        table.parameters.entry("classification".to_owned()).or_insert_with(|| "delta".to_owned());
    }
    table.parameters.insert("EXTERNAL".to_owned(), "TRUE".to_owned());
    table.parameters.insert(LAST_DDL.to_owned(), ctx.stamp());
    match ctx.catalog.create_table(&database, table).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && create.if_not_exists => {
            Ok(DdlResult::nothing())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(ctx
            .located(error, create.name.span())
            .hint("write CREATE EXTERNAL TABLE IF NOT EXISTS, or drop it")),
        Err(error) => Err(ctx.located(error, create.name.span())),
        Ok(_) => Ok(DdlResult::nothing()),
    }
}

/// What only tables with a log can have.
fn check_plain(ctx: &DdlContext<'_>, create: &CreateTable) -> Result<()> {
    let mut columns = create.columns.iter().chain(&create.partitioned_by);
    match columns.find_map(|column| column.not_null.as_ref()) {
        Some(at) => Err(Error::unsupported("NOT NULL is not supported for tables of plain files")
            .at(ctx.place(at.span))
            .hint("leave it out, or make a Delta table: WITH (table_type = 'DELTA')")),
        None => Ok(()),
    }
}

/// The type of the table that `WITH` or TBLPROPERTIES name, if it is a new Delta table with a list of columns.
pub(crate) fn is_new_delta(create: &CreateTable) -> bool {
    let with = create.options.as_ref().and_then(|options| options.table_type.as_ref());
    let kind = with.map(|kind| kind.value.clone()).or_else(|| table_type(create));
    !create.external && !create.columns.is_empty() && kind.as_deref() == Some("DELTA")
}

/// Hive tables are external and list their columns; Delta tables list none; Iceberg tables are refused.
fn check_kind(ctx: &DdlContext<'_>, create: &CreateTable, kind: Option<&str>) -> Result<()> {
    let span = create.name.span();
    let is_iceberg = kind == Some("ICEBERG") || !create.partition_transforms.is_empty();
    if is_iceberg {
        return Err(Error::unsupported("Iceberg tables are not supported")
            .at(ctx.place(span))
            .hint("use a Delta table: CREATE EXTERNAL TABLE … LOCATION '…' TBLPROPERTIES ('table_type' = 'DELTA')")
            .hint("or CREATE TABLE … WITH (format = 'PARQUET') AS SELECT … for plain Parquet files"));
    }
    if let Some(other) = kind
        && !["HIVE", "DELTA", "EXTERNAL_TABLE"].contains(&other)
    {
        let error = ctx.invalid(span, format!("`{other}` is not a type of table"));
        return Err(error.hint(nearest_hint(other, ["HIVE", "DELTA"])));
    }
    if !create.external {
        return Err(ctx
            .invalid(span, "only external tables and Delta tables can be created with a list of columns")
            .hint("write CREATE EXTERNAL TABLE; its files stay when it is dropped")
            .hint("or make a Delta table: CREATE TABLE … (…) WITH (table_type = 'DELTA')"));
    }
    if kind == Some("DELTA") {
        if let Some(first) = create.columns.first().or(create.partitioned_by.first()) {
            return Err(ctx
                .invalid(first.name.span, "a Delta table takes no list of columns")
                .why("its columns and partitions are in its log")
                .hint("leave the lists out"));
        }
        return Ok(());
    }
    if create.columns.is_empty() {
        let error = ctx.invalid(span, "the table has no columns");
        return Err(error.hint("list them behind the name: (id bigint, name string); or crawl the folder"));
    }
    Ok(())
}

fn buckets(ctx: &DdlContext<'_>, create: &CreateTable, table: &mut Table) -> Result<()> {
    let Some(count) = &create.buckets else { return Ok(()) };
    let number = i32::try_from(count.value).ok().filter(|n| *n > 0);
    table.storage.number_of_buckets =
        Some(number.ok_or_else(|| ctx.invalid(count.span, "the number of buckets must be at least 1"))?);
    for name in &create.clustered_by {
        let lower = name.value.to_lowercase();
        if !table.storage.columns.iter().any(|column| column.name == lower) {
            let hint = nearest_hint(&lower, table.storage.columns.iter().map(|column| column.name.as_str()));
            let message = format!("`{}` is no column of the table, so it cannot choose buckets", name.value);
            return Err(ctx.invalid(name.span, message).hint(hint));
        }
        table.storage.bucket_columns.push(lower);
    }
    Ok(())
}

pub(super) async fn drop(ctx: &DdlContext<'_>, name: &QualifiedName, if_exists: bool) -> Result<DdlResult> {
    let (database, table) = ctx.table_name(name)?;
    let located = |error| ctx.located(error, name.span());
    match ctx.catalog.get_table(&database, &table).await {
        Err(error) if is_absent(&error) && if_exists => return Ok(DdlResult::nothing()),
        Err(error) => return Err(located(error)),
        Ok(entry) if entry.table.is_view() => {
            let error = ctx.invalid(name.span(), format!("`{database}.{table}` is a view"));
            return Err(error.hint(format!("write `DROP VIEW {table}`")));
        }
        Ok(_) => {}
    }
    match ctx.catalog.drop_table(&database, &table).await {
        Err(error) if is_absent(&error) && if_exists => Ok(DdlResult::nothing()),
        other => other.map(|()| DdlResult::nothing()).map_err(located),
    }
}
