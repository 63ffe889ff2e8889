//! Prepared statements of a workgroup; the engine keeps them, because PREPARE makes the same ones.

use super::{Athena, Done, Unprocessed, limit, of_workgroup};
use crate::json::{Input, epoch, token};
use crate::page::write_token;
use chrono::{DateTime, Utc};
use engine::PreparedStatement;
use model::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

const MAX_RESULTS: usize = 50;
const MAX_NAMES: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Written {
    statement_name: String,
    work_group: String,
    query_statement: String,
    description: Option<String>,
}

impl Input for Written {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.work_group))
    }
}

pub(super) async fn create(athena: Athena, input: Written) -> Result<Done> {
    athena.workgroup(&input.work_group).await?;
    let (group, name) = (&input.work_group, &input.statement_name);
    let engine = &athena.rooms.engine;
    engine.create_prepared(group, name, &input.query_statement, input.description.as_deref()).await?;
    Ok(Done {})
}

pub(super) async fn update(athena: Athena, input: Written) -> Result<Done> {
    athena.workgroup(&input.work_group).await?;
    let (group, name) = (&input.work_group, &input.statement_name);
    let engine = &athena.rooms.engine;
    engine.update_prepared(group, name, &input.query_statement, input.description.as_deref()).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    statement_name: String,
    work_group: String,
}

impl Input for One {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.work_group))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    statement_name: String,
    query_statement: String,
    work_group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(serialize_with = "epoch")]
    last_modified_time: DateTime<Utc>,
}

fn show(statement: PreparedStatement) -> Shown {
    Shown {
        statement_name: statement.name,
        query_statement: statement.query,
        work_group_name: statement.workgroup,
        description: statement.description,
        last_modified_time: statement.modified,
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    prepared_statement: Shown,
}

pub(super) async fn get(athena: Athena, input: One) -> Result<Got> {
    let found = athena.rooms.engine.get_prepared(&input.work_group, &input.statement_name).await?;
    Ok(Got { prepared_statement: show(found) })
}

pub(super) async fn delete(athena: Athena, input: One) -> Result<Done> {
    athena.rooms.engine.delete_prepared(&input.work_group, &input.statement_name).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Many {
    prepared_statement_names: Vec<String>,
    work_group: String,
}

impl Input for Many {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.work_group))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotMany {
    prepared_statements: Vec<Shown>,
    unprocessed_prepared_statement_names: Vec<NotGot>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotGot {
    statement_name: String,
    error_code: String,
    error_message: String,
}

pub(super) async fn get_many(athena: Athena, input: Many) -> Result<GotMany> {
    if input.prepared_statement_names.len() > MAX_NAMES {
        return Err(Error::invalid(format!("PreparedStatementNames may hold {MAX_NAMES} names")));
    }
    let mut got =
        GotMany { prepared_statements: Vec::new(), unprocessed_prepared_statement_names: Vec::new() };
    for name in input.prepared_statement_names {
        match athena.rooms.engine.get_prepared(&input.work_group, &name).await {
            Ok(found) => got.prepared_statements.push(show(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let Unprocessed { id, message, .. } = Unprocessed::of(&name, &error);
                got.unprocessed_prepared_statement_names.push(NotGot {
                    statement_name: id,
                    error_code: "STATEMENT_NOT_FOUND".to_owned(),
                    error_message: message,
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    work_group: String,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.work_group))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    prepared_statements: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    statement_name: String,
    #[serde(serialize_with = "epoch")]
    last_modified_time: DateTime<Utc>,
}

pub(super) async fn list(athena: Athena, input: Listing) -> Result<Listed> {
    athena.workgroup(&input.work_group).await?;
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let found = athena.rooms.engine.list_prepared(&input.work_group, after.as_deref(), most + 1).await?;
    let next_token = (found.len() > most).then(|| write_token(&found[most - 1].name));
    let summary =
        |it: PreparedStatement| Summary { statement_name: it.name, last_modified_time: it.modified };
    Ok(Listed { prepared_statements: found.into_iter().take(most).map(summary).collect(), next_token })
}
