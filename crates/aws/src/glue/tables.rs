//! Tables of Glue.

use super::databases::Done;
use super::shapes::{Column, StorageDescriptor, columns, limit, name, refuse, seconds, show_columns};
use crate::json::{Input, epoch, epoch_opt, token};
use crate::page::write_token;
use catalog::{Catalog, Parameters, Table, TableEntry, TableQuery, TargetTable, UpdateOptions};
use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Glue's largest page.
const MAX_RESULTS: usize = 100;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Identifier {
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableInput {
    name: String,
    description: Option<String>,
    owner: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    last_access_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "seconds")]
    last_analyzed_time: Option<DateTime<Utc>>,
    retention: Option<i32>,
    storage_descriptor: Option<StorageDescriptor>,
    partition_keys: Option<Vec<Column>>,
    view_original_text: Option<String>,
    view_expanded_text: Option<String>,
    table_type: Option<String>,
    parameters: Option<Parameters>,
    target_table: Option<Identifier>,
    view_definition: Option<Value>,
}

impl TableInput {
    fn take(self) -> Result<Table> {
        refuse("ViewDefinition", self.view_definition.is_some_and(|view| !view.is_null()))?;
        let mut table = Table::new(name("Name", &self.name)?);
        table.description = self.description;
        table.owner = self.owner;
        table.last_access = self.last_access_time;
        table.last_analyzed = self.last_analyzed_time;
        table.retention = self.retention.unwrap_or_default();
        table.storage = self.storage_descriptor.unwrap_or_default().take()?;
        table.partition_keys = columns(self.partition_keys)?;
        table.view_original_text = self.view_original_text;
        table.view_expanded_text = self.view_expanded_text;
        table.table_type = self.table_type;
        table.parameters = self.parameters.unwrap_or_default();
        table.target_table = self.target_table.map(|target| TargetTable {
            catalog_id: target.catalog_id,
            database: target.database_name,
            name: target.name,
            region: target.region,
        });
        Ok(table)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    name: String,
    database_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(serialize_with = "epoch")]
    create_time: DateTime<Utc>,
    #[serde(serialize_with = "epoch")]
    update_time: DateTime<Utc>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    last_access_time: Option<DateTime<Utc>>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    last_analyzed_time: Option<DateTime<Utc>>,
    retention: i32,
    storage_descriptor: StorageDescriptor,
    partition_keys: Vec<Column>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view_original_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view_expanded_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_type: Option<String>,
    parameters: Parameters,
    is_registered_with_lake_formation: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_table: Option<Identifier>,
    version_id: String,
}

pub(super) fn show(entry: TableEntry) -> Shown {
    let table = entry.table;
    Shown {
        name: table.name.to_string(),
        database_name: entry.database.to_string(),
        description: table.description,
        owner: table.owner,
        create_time: entry.created,
        update_time: entry.updated,
        last_access_time: table.last_access,
        last_analyzed_time: table.last_analyzed,
        retention: table.retention,
        storage_descriptor: StorageDescriptor::show(&table.storage),
        partition_keys: show_columns(&table.partition_keys),
        view_original_text: table.view_original_text,
        view_expanded_text: table.view_expanded_text,
        table_type: table.table_type,
        parameters: table.parameters,
        is_registered_with_lake_formation: false,
        target_table: table.target_table.map(|target| Identifier {
            catalog_id: target.catalog_id,
            database_name: target.database,
            name: target.name,
            region: target.region,
        }),
        version_id: entry.version.to_string(),
    }
}

/// What an operation on a table touches: the catalog, the database and the table, as Glue asks for.
pub(super) fn touched(database: &str, table: &str) -> Vec<String> {
    let (database, table) = (database.to_lowercase(), table.to_lowercase());
    vec!["catalog".to_owned(), format!("database/{database}"), format!("table/{database}/{table}")]
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateTable {
    database_name: String,
    table_input: Option<TableInput>,
    partition_indexes: Option<Vec<Value>>,
    open_table_format_input: Option<Value>,
}

impl Input for CreateTable {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, self.table_input.as_ref().map_or("", |table| table.name.as_str()))
    }
}

pub(super) async fn create(catalog: Catalog, input: CreateTable) -> Result<Done> {
    refuse("OpenTableFormatInput", input.open_table_format_input.is_some_and(|table| !table.is_null()))?;
    refuse("PartitionIndexes", input.partition_indexes.is_some_and(|indexes| !indexes.is_empty()))?;
    let table = input.table_input.ok_or_else(|| Error::invalid("TableInput is missing"))?;
    catalog.create_table(&name("DatabaseName", &input.database_name)?, table.take()?).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateTable {
    database_name: String,
    table_input: TableInput,
    #[serde(default)]
    skip_archive: bool,
    version_id: Option<String>,
}

impl Input for UpdateTable {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_input.name)
    }
}

pub(super) async fn update(catalog: Catalog, input: UpdateTable) -> Result<Done> {
    let expected_version = match input.version_id.as_deref() {
        None => None,
        Some(text) => Some(
            text.parse::<i64>().map_err(|_| Error::invalid(format!("VersionId `{text}` is no number")))?,
        ),
    };
    let options = UpdateOptions { expected_version, skip_archive: input.skip_archive };
    let table = input.table_input.take()?;
    catalog.update_table(&name("DatabaseName", &input.database_name)?, table, options).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneTable {
    database_name: String,
    name: String,
}

impl Input for OneTable {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotTable {
    table: Shown,
}

pub(super) async fn get(catalog: Catalog, input: OneTable) -> Result<GotTable> {
    let (database, table) = (name("DatabaseName", &input.database_name)?, name("Name", &input.name)?);
    Ok(GotTable { table: show(catalog.get_table(&database, &table).await?) })
}

pub(super) async fn delete(catalog: Catalog, input: OneTable) -> Result<Done> {
    let (database, table) = (name("DatabaseName", &input.database_name)?, name("Name", &input.name)?);
    catalog.drop_table(&database, &table).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTables {
    database_name: String,
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for GetTables {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, "*")
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotTables {
    table_list: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(catalog: Catalog, input: GetTables) -> Result<GotTables> {
    let query = TableQuery {
        name_pattern: input.expression.filter(|pattern| !pattern.is_empty()),
        after: token(input.next_token.as_deref())?,
        limit: Some(limit(input.max_results, MAX_RESULTS)?),
    };
    let page = catalog.list_tables(&name("DatabaseName", &input.database_name)?, query).await?;
    Ok(GotTables {
        table_list: page.tables.into_iter().map(show).collect(),
        next_token: page.next.as_deref().map(write_token),
    })
}
