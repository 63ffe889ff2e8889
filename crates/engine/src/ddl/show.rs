//! SHOW: names, partitions, properties, and statements that would create a thing again.

use super::describe::padded;
use super::escape::partition_name;
use super::pattern::NamePattern;
use super::resolve::CATALOG;
use super::{DdlContext, DdlResult, functions, recreate};
use catalog::{PartitionQuery, TableEntry, TableQuery};
use model::{EntityName, Result};
use sql::QualifiedName;
use sql::ast::{At, Show};

/// Partitions read at once.
const PAGE: usize = 50_000;

pub(super) async fn show(ctx: &DdlContext<'_>, question: &Show) -> Result<DdlResult> {
    match question {
        Show::Databases { catalog, like } => {
            ctx.check_catalog(catalog.as_ref())?;
            let pattern = NamePattern::hive(ctx, like.as_ref())?;
            let all = ctx.catalog.list_databases().await?;
            let names =
                all.iter().map(|entry| entry.database.name.to_string()).filter(|name| pattern.fits(name));
            Ok(DdlResult::column("database_name", names))
        }
        Show::Tables { database, like } => {
            let tables = tables(ctx, database.as_ref(), like.as_ref()).await?;
            Ok(DdlResult::column("tab_name", tables.iter().map(|entry| entry.table.name.to_string())))
        }
        Show::Views { database, like } => {
            let tables = tables(ctx, database.as_ref(), like.as_ref()).await?;
            let views = tables.iter().filter(|entry| entry.table.is_view());
            Ok(DdlResult::column("views", views.map(|entry| entry.table.name.to_string())))
        }
        Show::Columns { table } => {
            let table = ctx.described(table).await?.table;
            let columns = table.storage.columns.iter().chain(&table.partition_keys);
            Ok(DdlResult::column("field", columns.map(|column| padded(&column.name))))
        }
        Show::Partitions { table } => partitions(ctx, table).await,
        Show::Properties { table, key } => properties(ctx, table, key.as_ref()).await,
        Show::CreateTable { table } => recreate::table(ctx, table).await,
        Show::CreateView { view } => recreate::view(ctx, view).await,
        Show::Functions { like } => functions::show(ctx, like.as_ref()),
        Show::Catalogs { like } => {
            let pattern = NamePattern::like(ctx, like.as_ref())?;
            Ok(DdlResult::column(
                "Catalog",
                [CATALOG.to_owned()].into_iter().filter(|name| pattern.fits(name)),
            ))
        }
    }
}

/// The tables and views of a database whose names fit.
async fn tables(
    ctx: &DdlContext<'_>,
    database: Option<&QualifiedName>,
    like: Option<&At<String>>,
) -> Result<Vec<TableEntry>> {
    let pattern = NamePattern::hive(ctx, like)?;
    let name: EntityName = match database {
        Some(name) => ctx.database_name(name)?,
        None => ctx.database.clone(),
    };
    let page = ctx.catalog.list_tables(&name, TableQuery::default()).await;
    let page = page.map_err(|error| match database {
        Some(name) => ctx.located(error, name.span()),
        None => error,
    })?;
    Ok(page.tables.into_iter().filter(|entry| pattern.fits(entry.table.name.as_str())).collect())
}

async fn partitions(ctx: &DdlContext<'_>, name: &QualifiedName) -> Result<DdlResult> {
    let entry = ctx.partitioned(name).await?;
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let query =
            PartitionQuery { after, limit: Some(PAGE), without_storage: true, ..PartitionQuery::default() };
        let page = ctx
            .catalog
            .list_partitions(&entry.database, &entry.table.name, query)
            .await
            .map_err(|error| ctx.located(error, name.span()))?;
        names.extend(page.partitions.iter().map(|p| partition_name(&entry.table.partition_keys, &p.values)));
        after = page.next;
        if after.is_none() {
            return Ok(DdlResult::column("partition", names));
        }
    }
}

async fn properties(
    ctx: &DdlContext<'_>,
    name: &QualifiedName,
    key: Option<&At<String>>,
) -> Result<DdlResult> {
    let entry = ctx.entry(name).await?;
    let names = ["prpt_name", "prpt_value"];
    let Some(key) = key else {
        let all = entry.table.parameters.iter().map(|(key, value)| vec![key.clone(), value.clone()]);
        return Ok(DdlResult::table(&names, all.collect()));
    };
    let line = match entry.table.parameters.get(&key.value) {
        Some(value) => vec![value.clone(), String::new()],
        None => {
            let message = format!(
                "Table {}.{} does not have property: {}",
                entry.database, entry.table.name, key.value
            );
            vec![message, String::new()]
        }
    };
    Ok(DdlResult::table(&names, vec![line]))
}
