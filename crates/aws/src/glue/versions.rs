//! Versions of Glue's tables, and tables deleted many at once.

use super::Glue;
use super::databases::Done;
use super::partitions::Detail;
use super::shapes::{limit, name};
use super::tables::{Shown, show, touched};
use crate::json::{Input, token};
use crate::page::write_token;
use model::{EntityName, Error, Result};
use serde::{Deserialize, Serialize};

const MAX_RESULTS: usize = 100;
const MAX_BATCH: usize = 100;

fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::invalid(format!("VersionId `{text}` is no number")))
}

fn at(database: &str, table: &str) -> Result<(EntityName, EntityName)> {
    Ok((name("DatabaseName", database)?, name("TableName", table)?))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    table: Shown,
    version_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneVersion {
    database_name: String,
    table_name: String,
    version_id: Option<String>,
}

impl Input for OneVersion {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    table_version: Version,
}

/// Without an id, the present one.
pub(super) async fn get(glue: Glue, input: OneVersion) -> Result<Got> {
    let (database, table) = at(&input.database_name, &input.table_name)?;
    let entry = match input.version_id.as_deref() {
        Some(text) => glue.rooms.catalog.get_table_version(&database, &table, number(text)?).await?,
        None => glue.rooms.catalog.get_table(&database, &table).await?,
    };
    let version_id = entry.version.to_string();
    Ok(Got { table_version: Version { table: show(entry), version_id } })
}

pub(super) async fn delete(glue: Glue, input: OneVersion) -> Result<Done> {
    let (database, table) = at(&input.database_name, &input.table_name)?;
    let version = input.version_id.ok_or_else(|| Error::invalid("VersionId is missing"))?;
    glue.rooms.catalog.delete_table_version(&database, &table, number(&version)?).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    database_name: String,
    table_name: String,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    table_versions: Vec<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(glue: Glue, input: Listing) -> Result<Listed> {
    let (database, table) = at(&input.database_name, &input.table_name)?;
    let most = limit(input.max_results, MAX_RESULTS)?;
    let before = match token(input.next_token.as_deref())? {
        None => None,
        Some(text) => Some(number(&text)?),
    };
    let page = glue.rooms.catalog.table_versions(&database, &table, before, Some(most)).await?;
    let version = |entry: catalog::TableEntry| {
        let version_id = entry.version.to_string();
        Version { table: show(entry), version_id }
    };
    Ok(Listed {
        table_versions: page.versions.into_iter().map(version).collect(),
        next_token: page.next.map(|next| write_token(&next.to_string())),
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ManyVersions {
    database_name: String,
    table_name: String,
    version_ids: Vec<String>,
}

impl Input for ManyVersions {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotDeleted {
    table_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    error_detail: Detail,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Deleted {
    errors: Vec<NotDeleted>,
}

pub(super) async fn delete_many(glue: Glue, input: ManyVersions) -> Result<Deleted> {
    let (database, table) = at(&input.database_name, &input.table_name)?;
    if input.version_ids.len() > MAX_BATCH {
        return Err(Error::invalid(format!("VersionIds may hold {MAX_BATCH} ids")));
    }
    let mut errors = Vec::new();
    for id in input.version_ids {
        let done = match number(&id) {
            Ok(version) => glue.rooms.catalog.delete_table_version(&database, &table, version).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            errors.push(NotDeleted {
                table_name: input.table_name.clone(),
                version_id: Some(id),
                error_detail: Detail::of(&error),
            });
        }
    }
    Ok(Deleted { errors })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ManyTables {
    database_name: String,
    tables_to_delete: Vec<String>,
}

impl Input for ManyTables {
    fn resources(&self) -> Vec<String> {
        let mut all = touched(&self.database_name, "*");
        all.pop();
        let tables = self.tables_to_delete.iter().flat_map(|table| touched(&self.database_name, table));
        all.extend(tables.filter(|resource| resource.starts_with("table/")));
        all
    }
}

pub(super) async fn delete_tables(glue: Glue, input: ManyTables) -> Result<Deleted> {
    if input.tables_to_delete.len() > MAX_BATCH {
        return Err(Error::invalid(format!("TablesToDelete may hold {MAX_BATCH} names")));
    }
    let database = name("DatabaseName", &input.database_name)?;
    glue.rooms.catalog.get_database(&database).await?;
    let mut errors = Vec::new();
    for table in input.tables_to_delete {
        let done = match name("TablesToDelete", &table) {
            Ok(table) => glue.rooms.catalog.drop_table(&database, &table).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            errors.push(NotDeleted { table_name: table, version_id: None, error_detail: Detail::of(&error) });
        }
    }
    Ok(Deleted { errors })
}
