//! Databases of Glue.

use super::shapes::{limit, name, refuse};
use crate::json::{Input, epoch, token};
use crate::page::write_token;
use catalog::{
    Catalog, Database, DatabaseEntry, FederatedDatabase, Parameters, PrincipalPermissions, TargetDatabase,
};
use chrono::{DateTime, Utc};
use model::Result;
use serde::{Deserialize, Serialize};

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
    region: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Federated {
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_type: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Permissions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Principal {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_lake_principal_identifier: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DatabaseInput {
    name: String,
    description: Option<String>,
    location_uri: Option<String>,
    parameters: Option<Parameters>,
    create_table_default_permissions: Option<Vec<Permissions>>,
    target_database: Option<Identifier>,
    federated_database: Option<Federated>,
}

impl DatabaseInput {
    fn take(self) -> Result<Database> {
        let mut database = Database::new(name("Name", &self.name)?);
        database.description = self.description;
        database.location = self.location_uri;
        database.parameters = self.parameters.unwrap_or_default();
        database.create_table_default_permissions = self
            .create_table_default_permissions
            .unwrap_or_default()
            .into_iter()
            .map(|given| PrincipalPermissions {
                principal: given.principal.and_then(|principal| principal.data_lake_principal_identifier),
                permissions: given.permissions,
            })
            .collect();
        database.target = self.target_database.map(|target| TargetDatabase {
            catalog_id: target.catalog_id,
            database: target.database_name,
            region: target.region,
        });
        database.federated = self.federated_database.map(|federated| FederatedDatabase {
            identifier: federated.identifier,
            connection: federated.connection_name,
            connection_type: federated.connection_type,
        });
        Ok(database)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_uri: Option<String>,
    #[serde(skip_serializing_if = "Parameters::is_empty")]
    parameters: Parameters,
    #[serde(serialize_with = "epoch")]
    create_time: DateTime<Utc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    create_table_default_permissions: Vec<Permissions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_database: Option<Identifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    federated_database: Option<Federated>,
}

fn show(entry: DatabaseEntry) -> Shown {
    let database = entry.database;
    Shown {
        name: database.name.to_string(),
        description: database.description,
        location_uri: database.location,
        parameters: database.parameters,
        create_time: entry.created,
        create_table_default_permissions: database
            .create_table_default_permissions
            .into_iter()
            .map(|given| Permissions {
                principal: Some(Principal { data_lake_principal_identifier: given.principal }),
                permissions: given.permissions,
            })
            .collect(),
        target_database: database.target.map(|target| Identifier {
            catalog_id: target.catalog_id,
            database_name: target.database,
            region: target.region,
        }),
        federated_database: database.federated.map(|federated| Federated {
            identifier: federated.identifier,
            connection_name: federated.connection,
            connection_type: federated.connection_type,
        }),
    }
}

fn touched(name: &str) -> Vec<String> {
    vec!["catalog".to_owned(), format!("database/{}", name.to_lowercase())]
}

/// An answer without anything in it.
#[derive(Debug, Serialize)]
pub(super) struct Done {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateDatabase {
    database_input: DatabaseInput,
    tags: Option<Parameters>,
}

impl Input for CreateDatabase {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_input.name)
    }
}

pub(super) async fn create(catalog: Catalog, input: CreateDatabase) -> Result<Done> {
    refuse("Tags", input.tags.is_some_and(|tags| !tags.is_empty()))?;
    catalog.create_database(input.database_input.take()?).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateDatabase {
    name: String,
    database_input: DatabaseInput,
}

impl Input for UpdateDatabase {
    fn resources(&self) -> Vec<String> {
        touched(&self.name)
    }
}

pub(super) async fn update(catalog: Catalog, input: UpdateDatabase) -> Result<Done> {
    let database = input.database_input.take()?;
    if database.name != name("Name", &input.name)? {
        return Err(model::Error::unsupported("a database cannot be renamed")
            .hint("give DatabaseInput the name that the database has"));
    }
    catalog.update_database(database).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneDatabase {
    name: String,
}

impl Input for OneDatabase {
    fn resources(&self) -> Vec<String> {
        touched(&self.name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotDatabase {
    database: Shown,
}

pub(super) async fn get(catalog: Catalog, input: OneDatabase) -> Result<GotDatabase> {
    let entry = catalog.get_database(&name("Name", &input.name)?).await?;
    Ok(GotDatabase { database: show(entry) })
}

/// As Glue does it, with everything that is in the database.
pub(super) async fn delete(catalog: Catalog, input: OneDatabase) -> Result<Done> {
    catalog.delete_database(&name("Name", &input.name)?, true).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetDatabases {
    next_token: Option<String>,
    max_results: Option<i64>,
    resource_share_type: Option<String>,
}

impl Input for GetDatabases {
    fn resources(&self) -> Vec<String> {
        vec!["catalog".to_owned()]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotDatabases {
    database_list: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(catalog: Catalog, input: GetDatabases) -> Result<GotDatabases> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    // Nothing is shared with other accounts here.
    if input.resource_share_type.as_deref() == Some("FOREIGN") {
        return Ok(GotDatabases { database_list: Vec::new(), next_token: None });
    }
    let all = catalog.list_databases().await?;
    let mut left = all
        .into_iter()
        .filter(|entry| after.as_deref().is_none_or(|after| entry.database.name.as_str() > after));
    let page: Vec<Shown> = left.by_ref().take(most).map(show).collect();
    let next_token = left.next().and_then(|_| page.last().map(|last| write_token(&last.name)));
    Ok(GotDatabases { database_list: page, next_token })
}
