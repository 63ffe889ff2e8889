//! StartQueryExecution: a statement becomes a run, whose end comes only after its results lie where they were wanted.

use super::statement::{Shape, Sort, StatementType, sort};
use super::workgroups::{ResultConfiguration, WorkGroup};
use super::{Athena, output, shown::Ended};
use crate::json::{Call, Input};
use crate::rights;
use chrono::Duration;
use engine::{PRIMARY_WORKGROUP, QueryRequest};
use model::{Error, LakeUri, Result, RunKind, RunState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sql::Statement;
use state::runs::{NewRun, Run, RunContext, RunQuery};
use std::sync::Arc;

/// The kind of runs that queries are.
pub(super) const RUN_KIND: &str = "query";
/// The catalog that is ours.
pub(super) const CATALOG: &str = "AwsDataCatalog";
/// Athena's longest statement.
const MAX_TEXT: usize = 262_144;
/// The least and the most characters of a token.
const TOKEN: std::ops::RangeInclusive<usize> = 32..=128;
/// Athena's longest age of a result that is used again: a week.
const MAX_AGE: i64 = 10_080;
/// How many earlier queries are looked at for one whose result can be used again.
const LOOKED_AT: usize = 1000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContextOf {
    database: Option<String>,
    catalog: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ByAge {
    pub(super) enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_age_in_minutes: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Reuse {
    pub(super) result_reuse_by_age_configuration: ByAge,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartQueryExecution {
    query_string: String,
    client_request_token: Option<String>,
    #[serde(default)]
    query_execution_context: ContextOf,
    #[serde(default)]
    result_configuration: ResultConfiguration,
    work_group: Option<String>,
    #[serde(default)]
    execution_parameters: Vec<String>,
    #[serde(default)]
    result_reuse_configuration: Reuse,
    engine_configuration: Option<Value>,
}

impl Input for StartQueryExecution {
    fn resources(&self) -> Vec<String> {
        super::of_workgroup(self.work_group.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Started {
    query_execution_id: String,
}

/// What a run of Athena's was started with, as its arguments say it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) sql: String,
    pub(super) database: String,
    #[serde(default)]
    pub(super) parameters: Vec<String>,
    pub(super) athena: Terms,
}

/// What Athena adds to a query.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) workgroup: String,
    pub(super) catalog: Option<String>,
    /// Whether a database was named.
    pub(super) has_database: bool,
    pub(super) statement_type: StatementType,
    pub(super) sub: String,
    pub(super) shape: Shape,
    /// The folder of the results.
    pub(super) folder: LakeUri,
    pub(super) results: ResultConfiguration,
    pub(super) cutoff: Option<u64>,
    pub(super) reuse: Reuse,
}

/// The name of a workgroup's queries among all runs.
pub(super) fn owner(workgroup: &str) -> String {
    format!("workgroup/{workgroup}")
}

/// A name without the signs that quote it, which some clients put around it.
fn unquoted(name: &str) -> &str {
    let inside = |sign: char| name.strip_prefix(sign).and_then(|rest| rest.strip_suffix(sign));
    inside('`').or_else(|| inside('"')).unwrap_or(name)
}

pub(super) async fn start(athena: Athena, call: Call, input: StartQueryExecution) -> Result<Started> {
    let name = input.work_group.as_deref().unwrap_or(PRIMARY_WORKGROUP);
    let (group, _) = athena.workgroup(name).await?;
    let token = check(&input, &group, name)?;
    let folder = folder(&input, &group, call.caller.account.as_str())?;
    let catalog = input.query_execution_context.catalog.clone();
    athena.check_catalog(catalog.as_deref()).await?;
    let statement = read(&input.query_string)?;
    let Sort { statement_type, sub, shape } = sort(&statement);
    let database = input.query_execution_context.database.as_deref().map(|name| unquoted(name).to_owned());
    let request_database = database.clone().unwrap_or_else(|| "default".to_owned());
    may_run(&athena, &call, &statement, (&request_database, name), &folder).await?;
    if !athena.rooms.lake.bucket_exists(folder.bucket()).await? {
        return Err(Error::not_found(format!("Unable to verify/create output bucket {}", folder.bucket()))
            .hint("create it, or name another OutputLocation"));
    }
    let cutoff = group.configuration.bytes_scanned_cutoff_per_query;
    let asked = Asked {
        sql: input.query_string,
        database: request_database,
        parameters: input.execution_parameters,
        athena: Terms {
            workgroup: name.to_owned(),
            catalog,
            has_database: database.is_some(),
            statement_type,
            sub: sub.to_owned(),
            shape,
            folder,
            results: input.result_configuration,
            cutoff: cutoff.and_then(|bytes| u64::try_from(bytes).ok()),
            reuse: input.result_reuse_configuration,
        },
    };
    let short: String = asked.sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(48).collect();
    let mut new = NewRun::new(RunKind::new(RUN_KIND)?, short);
    new.owner = owner(name);
    new.token = token;
    new.arguments = serde_json::to_value(&asked)
        .map_err(|e| Error::internal("a query cannot be written").source_is(e))?;
    let asked = Arc::new(asked);
    let runs = athena.rooms.runs.clone();
    let started = runs
        .start(new, move |run: RunContext| {
            let (athena, asked) = (athena.clone(), Arc::clone(&asked));
            async move { work(&athena, &asked, &run).await }
        })
        .await;
    match started {
        Ok(handle) => Ok(Started { query_execution_id: handle.id().to_string() }),
        Err(error) if error.kind() == model::ErrorKind::AlreadyExists => {
            Err(Error::invalid("Idempotent parameters do not match").why(error.message().to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// What can be said of a request without looking at anything else; answers its token.
fn check(input: &StartQueryExecution, group: &WorkGroup, name: &str) -> Result<Option<String>> {
    if group.is_disabled {
        return Err(Error::invalid(format!("WorkGroup {name} is disabled.")));
    }
    if input.engine_configuration.as_ref().is_some_and(|it| !it.is_null()) {
        return Err(Error::unsupported("EngineConfiguration is not supported here").hint("leave it away"));
    }
    if input.query_string.len() > MAX_TEXT {
        return Err(Error::invalid(format!("a statement may have {MAX_TEXT} bytes")));
    }
    let age = input.result_reuse_configuration.result_reuse_by_age_configuration.max_age_in_minutes;
    if age.is_some_and(|age| !(0..=MAX_AGE).contains(&age)) {
        return Err(Error::invalid(format!("MaxAgeInMinutes must be from 0 to {MAX_AGE}")));
    }
    match &input.client_request_token {
        Some(token) if !TOKEN.contains(&token.chars().count()) => {
            Err(Error::invalid("a ClientRequestToken has 32 to 128 characters"))
        }
        token => Ok(token.as_ref().map(|token| format!("athena/{token}"))),
    }
}

/// Where the results go: the group's place if it insists, else the request's, else the group's.
fn folder(input: &StartQueryExecution, group: &WorkGroup, account: &str) -> Result<LakeUri> {
    input.result_configuration.check(account)?;
    let asked = input.result_configuration.output_location.as_deref();
    let groups = group.configuration.result_configuration.output_location.as_deref();
    let insists = group.configuration.enforce_work_group_configuration == Some(true);
    let location = if insists { groups.or(asked) } else { asked.or(groups) };
    let location = location.ok_or_else(|| {
        Error::invalid(
            "No output location provided. An output location is required either through the Workgroup result \
             configuration setting or as an API input.",
        )
    })?;
    Ok(location.parse::<LakeUri>().map_err(|e| e.context("OutputLocation"))?.as_folder())
}

/// The one statement of a text; what cannot be read is refused at once, as Athena does it.
fn read(text: &str) -> Result<Statement> {
    let told = |error: &Error| Error::invalid(super::statement::told(&error.diagnosis()));
    let mut all = sql::parse_located(text, "<query>").map_err(|error| told(&error))?;
    match all.len() {
        1 => Ok(all.swap_remove(0).statement),
        0 => Err(Error::invalid("Queries of this type are not supported: the statement is empty")),
        _ => Err(Error::invalid("Only one sql statement is allowed. Got: more than one")),
    }
}

/// A query reads and writes with the caller's own rights: the tables that it names, their data, the results.
async fn may_run(
    athena: &Athena,
    call: &Call,
    statement: &Statement,
    (database, workgroup): (&str, &str),
    folder: &LakeUri,
) -> Result<()> {
    call.may("s3:PutObject", &format!("arn:aws:s3:::{}/{}*", folder.bucket(), folder.key()))?;
    rights::may_run(&call.caller, &athena.rooms.engine, workgroup, statement, database).await
}

/// The body of a run.
async fn work(athena: &Athena, asked: &Asked, run: &RunContext) -> Result<Value> {
    let ended = match reusable(athena, asked).await? {
        Some(earlier) => Ended { reused: true, ..earlier },
        None => {
            let request = QueryRequest {
                source_name: "<query>".to_owned(),
                database: asked.database.clone(),
                parameters: asked.parameters.clone(),
                workgroup: asked.athena.workgroup.clone(),
                bytes_cutoff: asked.athena.cutoff,
                ..QueryRequest::new(asked.sql.clone())
            };
            let outcome = athena.rooms.engine.carry_out(request, run).await?;
            output::write(athena, &asked.athena, outcome, run).await?
        }
    };
    serde_json::to_value(ended).map_err(|e| Error::internal("a result cannot be written").source_is(e))
}

/// The result of the same query, if it may be used again and is young enough and still there.
async fn reusable(athena: &Athena, asked: &Asked) -> Result<Option<Ended>> {
    let ByAge { enabled, max_age_in_minutes } = asked.athena.reuse.result_reuse_by_age_configuration;
    if !enabled || asked.athena.shape != Shape::Rows || asked.athena.sub != "SELECT" {
        return Ok(None);
    }
    let age = Duration::minutes(max_age_in_minutes.unwrap_or(60).clamp(0, MAX_AGE));
    let query = RunQuery {
        kind: Some(RunKind::new(RUN_KIND)?),
        owner: Some(owner(&asked.athena.workgroup)),
        states: vec![RunState::Succeeded],
        since: Some(athena.rooms.clock.now() - age),
        limit: LOOKED_AT,
        ..RunQuery::default()
    };
    for run in athena.rooms.runs.list(&query).await? {
        let Some(ended) = same(&run, asked) else { continue };
        let is_there = match &ended.output {
            Some(output) => athena.rooms.lake.head(output).await.is_ok(),
            None => false,
        };
        if is_there && tokio::fs::try_exists(&ended.result).await.unwrap_or(false) {
            return Ok(Some(ended));
        }
    }
    Ok(None)
}

fn same(run: &Run, asked: &Asked) -> Option<Ended> {
    let earlier: Asked = serde_json::from_value(run.arguments.clone()).ok()?;
    let is_same = earlier.sql == asked.sql
        && earlier.database == asked.database
        && earlier.parameters == asked.parameters
        && earlier.athena.catalog == asked.athena.catalog;
    let ended: Ended = serde_json::from_value(run.result().ok()?).ok()?;
    (is_same && !ended.reused).then_some(ended)
}
