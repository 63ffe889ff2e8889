//! Databases and tables of a data catalog, as Athena shows them.

use super::{Athena, limit};
use crate::json::{Input, epoch, epoch_opt, token};
use crate::page::write_token;
use catalog::{DatabaseEntry, Parameters, TableEntry, TableQuery};
use chrono::{DateTime, Utc};
use model::{Column as OurColumn, EntityName, Result};
use serde::{Deserialize, Serialize};

const MAX_RESULTS: usize = 50;

fn resource(catalog: &str) -> Vec<String> {
    vec![format!("datacatalog/{catalog}")]
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListDatabases {
    catalog_name: String,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for ListDatabases {
    fn resources(&self) -> Vec<String> {
        resource(&self.catalog_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Database {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Parameters::is_empty")]
    parameters: Parameters,
}

impl Database {
    fn of(entry: DatabaseEntry) -> Self {
        let database = entry.database;
        Self {
            name: database.name.to_string(),
            description: database.description,
            parameters: database.parameters,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Databases {
    database_list: Vec<Database>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn databases(athena: Athena, input: ListDatabases) -> Result<Databases> {
    athena.check_catalog(Some(&input.catalog_name)).await?;
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let all = athena.rooms.catalog.list_databases().await?;
    let mut left = all
        .into_iter()
        .filter(|entry| after.as_deref().is_none_or(|after| entry.database.name.as_str() > after));
    let database_list: Vec<Database> = left.by_ref().take(most).map(Database::of).collect();
    let next_token = left.next().and_then(|_| database_list.last().map(|last| write_token(&last.name)));
    Ok(Databases { database_list, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetDatabase {
    catalog_name: String,
    database_name: String,
}

impl Input for GetDatabase {
    fn resources(&self) -> Vec<String> {
        resource(&self.catalog_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotDatabase {
    database: Database,
}

pub(super) async fn database(athena: Athena, input: GetDatabase) -> Result<GotDatabase> {
    athena.check_catalog(Some(&input.catalog_name)).await?;
    let name = EntityName::new(&input.database_name).map_err(|e| e.context("DatabaseName"))?;
    Ok(GotDatabase { database: Database::of(athena.rooms.catalog.get_database(&name).await?) })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Column {
    name: String,
    #[serde(rename = "Type")]
    hive_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

fn columns(columns: Vec<OurColumn>) -> Vec<Column> {
    let one = |column: OurColumn| Column {
        name: column.name,
        hive_type: column.hive_type.to_string(),
        comment: column.comment,
    };
    columns.into_iter().map(one).collect()
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TableMetadata {
    name: String,
    #[serde(serialize_with = "epoch")]
    create_time: DateTime<Utc>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    last_access_time: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_type: Option<String>,
    columns: Vec<Column>,
    partition_keys: Vec<Column>,
    parameters: Parameters,
}

/// The parameters with what Athena puts beside them: where and how the rows are stored.
fn show(entry: TableEntry) -> TableMetadata {
    let table = entry.table;
    let mut parameters = table.parameters;
    let storage = table.storage;
    for (key, value) in [
        ("location", storage.location),
        ("inputformat", storage.input_format),
        ("outputformat", storage.output_format),
        ("serde.serialization.lib", storage.serde.library),
    ] {
        if let Some(value) = value {
            parameters.entry(key.to_owned()).or_insert(value);
        }
    }
    for (key, value) in storage.serde.parameters {
        parameters.entry(format!("serde.param.{key}")).or_insert(value);
    }
    TableMetadata {
        name: table.name.to_string(),
        create_time: entry.created,
        last_access_time: table.last_access,
        table_type: table.table_type,
        columns: columns(storage.columns),
        partition_keys: columns(table.partition_keys),
        parameters,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListTableMetadata {
    catalog_name: String,
    database_name: String,
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for ListTableMetadata {
    fn resources(&self) -> Vec<String> {
        resource(&self.catalog_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tables {
    table_metadata_list: Vec<TableMetadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn tables(athena: Athena, input: ListTableMetadata) -> Result<Tables> {
    athena.check_catalog(Some(&input.catalog_name)).await?;
    let name = EntityName::new(&input.database_name).map_err(|e| e.context("DatabaseName"))?;
    let query = TableQuery {
        name_pattern: input.expression.filter(|pattern| !pattern.is_empty()),
        after: token(input.next_token.as_deref())?,
        limit: Some(limit(input.max_results, MAX_RESULTS)?),
    };
    let page = athena.rooms.catalog.list_tables(&name, query).await?;
    Ok(Tables {
        table_metadata_list: page.tables.into_iter().map(show).collect(),
        next_token: page.next.as_deref().map(write_token),
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTableMetadata {
    catalog_name: String,
    database_name: String,
    table_name: String,
}

impl Input for GetTableMetadata {
    fn resources(&self) -> Vec<String> {
        resource(&self.catalog_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotTable {
    table_metadata: TableMetadata,
}

pub(super) async fn table(athena: Athena, input: GetTableMetadata) -> Result<GotTable> {
    athena.check_catalog(Some(&input.catalog_name)).await?;
    let database = EntityName::new(&input.database_name).map_err(|e| e.context("DatabaseName"))?;
    let table = EntityName::new(&input.table_name).map_err(|e| e.context("TableName"))?;
    Ok(GotTable { table_metadata: show(athena.rooms.catalog.get_table(&database, &table).await?) })
}
