//! Query executions: one, several, all of a workgroup; stopping one; where its time went.

use super::shown::{Shown, Timeline};
use super::start::{RUN_KIND, owner};
use super::{Athena, Done, Unprocessed, limit, of_workgroup};
use crate::json::{Call, Input, token};
use crate::page::write_token;
use engine::PRIMARY_WORKGROUP;
use model::{Error, ErrorKind, Result, RunId, RunKind};
use serde::{Deserialize, Serialize};
use state::runs::RunQuery;

const MAX_RESULTS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    query_execution_id: String,
}

impl Input for One {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    query_execution: Shown,
}

pub(super) async fn get(athena: Athena, call: Call, input: One) -> Result<Got> {
    let execution = athena.execution(&call, "GetQueryExecution", &input.query_execution_id).await?;
    let execution = athena.patiently(execution).await?;
    Ok(Got { query_execution: execution.show(athena.rooms.clock.now())? })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Many {
    query_execution_ids: Vec<String>,
}

impl Input for Many {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotMany {
    query_executions: Vec<Shown>,
    unprocessed_query_execution_ids: Vec<NotGot>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotGot {
    query_execution_id: String,
    error_code: String,
    error_message: String,
}

pub(super) async fn get_many(athena: Athena, call: Call, input: Many) -> Result<GotMany> {
    if input.query_execution_ids.len() > MAX_RESULTS {
        return Err(Error::invalid(format!("QueryExecutionIds may name {MAX_RESULTS} queries")));
    }
    let mut got = GotMany { query_executions: Vec::new(), unprocessed_query_execution_ids: Vec::new() };
    if input.query_execution_ids.is_empty() {
        super::allow(&call, "BatchGetQueryExecution", "*")?;
    }
    for id in input.query_execution_ids {
        match athena.execution(&call, "BatchGetQueryExecution", &id).await {
            Ok(execution) => got.query_executions.push(execution.show(athena.rooms.clock.now())?),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let Unprocessed { id, code, message } = Unprocessed::of(&id, &error);
                got.unprocessed_query_execution_ids.push(NotGot {
                    query_execution_id: id,
                    error_code: code,
                    error_message: message,
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// A query that has ended stays as it is.
pub(super) async fn stop(athena: Athena, call: Call, input: One) -> Result<Done> {
    let execution = athena.execution(&call, "StopQueryExecution", &input.query_execution_id).await?;
    athena.rooms.runs.stop(&execution.run.id).await?;
    Ok(Done {})
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotStatistics {
    query_runtime_statistics: RuntimeStatistics,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuntimeStatistics {
    timeline: Timeline,
    rows: Rows,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rows {
    input_rows: u64,
    input_bytes: u64,
    output_bytes: u64,
    output_rows: u64,
}

pub(super) async fn statistics(athena: Athena, call: Call, input: One) -> Result<GotStatistics> {
    let execution = athena.execution(&call, "GetQueryRuntimeStatistics", &input.query_execution_id).await?;
    let ended = execution.ended().ok();
    let rows = Rows {
        input_rows: execution.count("rows_read"),
        input_bytes: execution.count("bytes_scanned"),
        output_bytes: ended.as_ref().map_or(0, |it| it.output_bytes) + execution.count("bytes_written"),
        output_rows: ended.map_or(0, |it| it.rows),
    };
    let timeline = execution.timeline(athena.rooms.clock.now());
    Ok(GotStatistics { query_runtime_statistics: RuntimeStatistics { timeline, rows } })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    work_group: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        of_workgroup(self.work_group.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    query_execution_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(athena: Athena, input: Listing) -> Result<Listed> {
    let workgroup = input.work_group.as_deref().unwrap_or(PRIMARY_WORKGROUP);
    athena.workgroup(workgroup).await?;
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = match token(input.next_token.as_deref())? {
        None => None,
        Some(text) => Some(text.parse::<RunId>().map_err(|e| e.context("NextToken"))?),
    };
    let query = RunQuery {
        kind: Some(RunKind::new(RUN_KIND)?),
        owner: Some(owner(workgroup)),
        limit: most + 1,
        after,
        ..RunQuery::default()
    };
    let mut ids: Vec<String> =
        athena.rooms.runs.list(&query).await?.into_iter().map(|run| run.id.to_string()).collect();
    let next_token = (ids.len() > most).then(|| write_token(&ids[most - 1]));
    ids.truncate(most);
    Ok(Listed { query_execution_ids: ids, next_token })
}
