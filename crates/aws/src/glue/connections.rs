//! Connections of Glue: kept for clients and jobs, their secrets shown only when asked for.

use super::Glue;
use super::databases::Done;
use super::partitions::Detail;
use super::shapes::{limit, refuse};
use crate::json::{Call, Input, epoch, token};
use crate::page::write_token;
use crate::tags::{self, Tags};
use catalog::{Connection, ConnectionEntry, Parameters, PhysicalRequirements};
use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

const MAX_RESULTS: usize = 1000;
/// Glue's largest batch.
const MAX_BATCH: usize = 25;

fn resource(name: &str) -> Vec<String> {
    vec!["catalog".to_owned(), format!("connection/{name}")]
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Physical {
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet_id: Option<String>,
    #[serde(default)]
    security_group_id_list: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConnectionInput {
    name: String,
    description: Option<String>,
    connection_type: String,
    #[serde(default)]
    match_criteria: Vec<String>,
    connection_properties: Parameters,
    #[serde(default)]
    spark_properties: Parameters,
    #[serde(default)]
    athena_properties: Parameters,
    #[serde(default)]
    python_properties: Parameters,
    physical_connection_requirements: Option<Physical>,
    authentication_configuration: Option<Value>,
    #[serde(default)]
    validate_credentials: bool,
}

impl ConnectionInput {
    fn take(self) -> Result<Connection> {
        refuse("ValidateCredentials", self.validate_credentials)?;
        let mut connection = Connection::new(self.name, self.connection_type);
        connection.description = self.description;
        connection.match_criteria = self.match_criteria;
        connection.properties = self.connection_properties;
        connection.spark_properties = self.spark_properties;
        connection.athena_properties = self.athena_properties;
        connection.python_properties = self.python_properties;
        connection.physical = self.physical_connection_requirements.map(|physical| PhysicalRequirements {
            subnet_id: physical.subnet_id,
            security_group_ids: physical.security_group_id_list,
            availability_zone: physical.availability_zone,
        });
        connection.authentication = self.authentication_configuration.filter(|it| !it.is_null());
        Ok(connection)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    connection_type: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    match_criteria: Vec<String>,
    connection_properties: Parameters,
    #[serde(skip_serializing_if = "Parameters::is_empty")]
    spark_properties: Parameters,
    #[serde(skip_serializing_if = "Parameters::is_empty")]
    athena_properties: Parameters,
    #[serde(skip_serializing_if = "Parameters::is_empty")]
    python_properties: Parameters,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_connection_requirements: Option<Physical>,
    #[serde(serialize_with = "epoch")]
    creation_time: DateTime<Utc>,
    #[serde(serialize_with = "epoch")]
    last_updated_time: DateTime<Utc>,
}

fn show(entry: ConnectionEntry, is_hidden: bool) -> Shown {
    let connection = entry.connection;
    let connection = if is_hidden { connection.without_secrets() } else { connection };
    Shown {
        name: connection.name,
        description: connection.description,
        connection_type: connection.kind,
        match_criteria: connection.match_criteria,
        connection_properties: connection.properties,
        spark_properties: connection.spark_properties,
        athena_properties: connection.athena_properties,
        python_properties: connection.python_properties,
        physical_connection_requirements: connection.physical.map(|physical| Physical {
            subnet_id: physical.subnet_id,
            security_group_id_list: physical.security_group_ids,
            availability_zone: physical.availability_zone,
        }),
        creation_time: entry.created,
        last_updated_time: entry.updated,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    connection_input: ConnectionInput,
    tags: Option<Tags>,
}

impl Input for Create {
    fn resources(&self) -> Vec<String> {
        resource(&self.connection_input.name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    create_connection_status: &'static str,
}

pub(super) async fn create(glue: Glue, call: Call, input: Create) -> Result<Created> {
    let connection = input.connection_input.take()?;
    let arn = call.arn("glue", &format!("connection/{}", connection.name));
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    glue.rooms.catalog.create_connection(connection).await?;
    tags::add(&glue.documents, &arn, tags).await?;
    Ok(Created { create_connection_status: "READY" })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    name: String,
    connection_input: ConnectionInput,
}

impl Input for Update {
    fn resources(&self) -> Vec<String> {
        resource(&self.name)
    }
}

pub(super) async fn update(glue: Glue, input: Update) -> Result<Done> {
    glue.rooms.catalog.update_connection(&input.name, input.connection_input.take()?).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetOne {
    name: String,
    #[serde(default)]
    hide_password: bool,
}

impl Input for GetOne {
    fn resources(&self) -> Vec<String> {
        resource(&self.name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    connection: Shown,
}

pub(super) async fn get(glue: Glue, input: GetOne) -> Result<Got> {
    let entry = glue.rooms.catalog.get_connection(&input.name).await?;
    Ok(Got { connection: show(entry, input.hide_password) })
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    match_criteria: Vec<String>,
    connection_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    #[serde(default)]
    filter: Filter,
    #[serde(default)]
    hide_password: bool,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        resource("*")
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    connection_list: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(glue: Glue, input: Listing) -> Result<Listed> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let mut all = glue.rooms.catalog.list_connections().await?;
    all.retain(|entry| {
        let connection = &entry.connection;
        input.filter.connection_type.as_deref().is_none_or(|kind| connection.kind == kind)
            && input.filter.match_criteria.iter().all(|word| connection.match_criteria.contains(word))
    });
    all.sort_by(|a, b| a.connection.name.cmp(&b.connection.name));
    let mut left = all
        .into_iter()
        .filter(|entry| after.as_deref().is_none_or(|after| entry.connection.name.as_str() > after));
    let connection_list: Vec<Shown> =
        left.by_ref().take(most).map(|entry| show(entry, input.hide_password)).collect();
    let next_token = left.next().and_then(|_| connection_list.last().map(|last| write_token(&last.name)));
    Ok(Listed { connection_list, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    connection_name: String,
}

impl Input for Delete {
    fn resources(&self) -> Vec<String> {
        resource(&self.connection_name)
    }
}

async fn remove(glue: &Glue, call: &Call, name: &str) -> Result<()> {
    glue.rooms.catalog.delete_connection(name).await?;
    tags::forget(&glue.documents, &call.arn("glue", &format!("connection/{name}"))).await
}

pub(super) async fn delete(glue: Glue, call: Call, input: Delete) -> Result<Done> {
    remove(&glue, &call, &input.connection_name).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMany {
    connection_name_list: Vec<String>,
}

impl Input for DeleteMany {
    fn resources(&self) -> Vec<String> {
        self.connection_name_list.iter().flat_map(|name| resource(name)).collect()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Deleted {
    succeeded: Vec<String>,
    errors: BTreeMap<String, Detail>,
}

pub(super) async fn delete_many(glue: Glue, call: Call, input: DeleteMany) -> Result<Deleted> {
    if input.connection_name_list.len() > MAX_BATCH {
        return Err(Error::invalid(format!("ConnectionNameList may hold {MAX_BATCH} names")));
    }
    let mut deleted = Deleted { succeeded: Vec::new(), errors: BTreeMap::new() };
    for name in input.connection_name_list {
        match remove(&glue, &call, &name).await {
            Ok(()) => deleted.succeeded.push(name),
            Err(error) => {
                deleted.errors.insert(name, Detail::of(&error));
            }
        }
    }
    Ok(deleted)
}
