//! Runs of Glue's jobs.

use super::Glue;
use super::crawlers::failure;
use super::jobs::{definition, resource};
use super::shapes::{limit, refuse};
use crate::json::{Answered, Call, Failed, Input, epoch, epoch_opt, token};
use crate::page::write_token;
use catalog::Parameters;
use chrono::{DateTime, Utc};
use jobs::{JobRequest, ScriptKey};
use model::{Error, ErrorKind, Result, RunId, RunKind, RunState};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use state::runs::{Run, RunQuery};

/// The kind of runs that jobs are.
pub(crate) const RUN_KIND: &str = "job";
/// Where the logs of jobs stand.
pub(crate) const LOG_GROUP: &str = "/aws-glue/jobs";
/// Where those of Python-shell jobs stand.
pub(crate) const SCRIPT_LOG_GROUP: &str = "/aws-glue/python-jobs";
/// Glue's largest page.
const MAX_RESULTS: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartJobRun {
    job_name: String,
    job_run_id: Option<String>,
    #[serde(default)]
    arguments: Parameters,
    timeout: Option<i64>,
    security_configuration: Option<String>,
    notification_property: Option<Value>,
    execution_role_session_policy: Option<String>,
}

impl Input for StartJobRun {
    fn resources(&self) -> Vec<String> {
        resource(&self.job_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Started {
    job_run_id: String,
}

/// Workers and capacities are Glue's; the run takes what the machine has.
pub(super) async fn start(glue: Glue, call: Call, input: StartJobRun) -> Answered<Started> {
    refuse("JobRunId", input.job_run_id.is_some())?;
    refuse("Timeout of one run", input.timeout.is_some())?;
    refuse("SecurityConfiguration", input.security_configuration.is_some_and(|name| !name.is_empty()))?;
    refuse("NotificationProperty", input.notification_property.is_some_and(|it| !it.is_null()))?;
    refuse("ExecutionRoleSessionPolicy", input.execution_role_session_policy.is_some())?;
    glue.rooms.jobs.get(&input.job_name).await?;
    let arguments = input.arguments.into_iter().collect();
    let request = JobRequest { name: Some(input.job_name), definition: None, arguments };
    // A script may do what the one who started it may do.
    let key = ScriptKey {
        id: call.caller.key.id.clone(),
        secret: call.caller.key.secret.clone(),
        token: call.caller.session.as_ref().map(|session| session.token.clone()),
        region: call.caller.region.clone(),
    };
    match glue.rooms.jobs.start(request, Some(key)).await {
        Ok(handle) => Ok(Started { job_run_id: handle.id().to_string() }),
        Err(error) if error.kind() == ErrorKind::LimitExceeded => {
            Err(Failed::coded("ConcurrentRunsExceededException", error))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneRun {
    job_name: String,
    run_id: String,
}

impl Input for OneRun {
    fn resources(&self) -> Vec<String> {
        resource(&self.job_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    job_run: Shown,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    id: String,
    attempt: u32,
    job_name: String,
    #[serde(serialize_with = "epoch")]
    started_on: DateTime<Utc>,
    #[serde(serialize_with = "epoch")]
    last_modified_on: DateTime<Utc>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    completed_on: Option<DateTime<Utc>>,
    job_run_state: &'static str,
    arguments: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    predecessor_runs: Vec<Value>,
    execution_time: i64,
    log_group_name: &'static str,
    /// Members of the job that hold for its runs.
    #[serde(flatten)]
    of_job: Map<String, Value>,
}

/// Whether a job's run is a Python-shell script's.
pub(crate) fn is_script(run: &Run) -> bool {
    run.arguments.get("command").and_then(Value::as_str) == Some("pythonshell")
}

/// The members of a job that are shown with its runs.
const OF_JOB: [&str; 8] = [
    "Timeout",
    "MaxCapacity",
    "AllocatedCapacity",
    "WorkerType",
    "NumberOfWorkers",
    "GlueVersion",
    "ExecutionClass",
    "JobMode",
];

impl Glue {
    async fn of_job(&self, job: &str) -> Result<Map<String, Value>> {
        let mut members = definition(&self.rooms.jobs.get(job).await?);
        members.retain(|name, _| OF_JOB.contains(&name.as_str()));
        Ok(members)
    }

    /// A run of that job.
    async fn run_of(&self, job: &str, id: &str) -> Result<Run> {
        let missing = || Error::not_found(format!("Entity not found: the job `{job}` has no run `{id}`"));
        let id: RunId = id.parse().map_err(|_| missing())?;
        match self.rooms.runs.get(&id).await {
            Ok(run) if run.kind.as_str() == RUN_KIND && run.name == job => Ok(run),
            Ok(_) => Err(missing()),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(missing()),
            Err(error) => Err(error),
        }
    }

    fn show_run(&self, run: Run, of_job: Map<String, Value>) -> Shown {
        let now = self.rooms.clock.now();
        let until = run.ended.unwrap_or(now);
        Shown {
            attempt: run.attempt.saturating_sub(1),
            started_on: run.created,
            last_modified_on: run.ended.or(run.started).unwrap_or(run.created),
            completed_on: run.ended,
            job_run_state: match run.state {
                RunState::Waiting if run.attempt == 0 => "STARTING",
                RunState::Waiting => "WAITING",
                RunState::Running => "RUNNING",
                RunState::Stopping => "STOPPING",
                RunState::Stopped => "STOPPED",
                RunState::Succeeded => "SUCCEEDED",
                RunState::Failed => "FAILED",
                RunState::TimedOut => "TIMEOUT",
            },
            arguments: run.arguments.get("arguments").cloned().unwrap_or_default(),
            error_message: failure(&run),
            predecessor_runs: Vec::new(),
            execution_time: run.started.map_or(0, |started| (until - started).num_seconds().max(0)),
            log_group_name: if is_script(&run) { SCRIPT_LOG_GROUP } else { LOG_GROUP },
            id: run.id.to_string(),
            job_name: run.name,
            of_job,
        }
    }
}

pub(super) async fn get(glue: Glue, input: OneRun) -> Result<Got> {
    let of_job = glue.of_job(&input.job_name).await?;
    let run = glue.run_of(&input.job_name, &input.run_id).await?;
    Ok(Got { job_run: glue.show_run(run, of_job) })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    job_name: String,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        resource(&self.job_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Runs {
    job_runs: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(glue: Glue, input: Listing) -> Result<Runs> {
    let of_job = glue.of_job(&input.job_name).await?;
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = match token(input.next_token.as_deref())? {
        None => None,
        Some(text) => Some(text.parse::<RunId>().map_err(|e| e.context("NextToken"))?),
    };
    let query = RunQuery {
        kind: Some(RunKind::new(RUN_KIND)?),
        name: Some(input.job_name),
        limit: most + 1,
        after,
        ..RunQuery::default()
    };
    let runs = glue.rooms.runs.list(&query).await?;
    let next_token = (runs.len() > most).then(|| write_token(runs[most - 1].id.as_ref()));
    let job_runs = runs.into_iter().take(most).map(|run| glue.show_run(run, of_job.clone())).collect();
    Ok(Runs { job_runs, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stopping {
    job_name: String,
    job_run_ids: Vec<String>,
}

impl Input for Stopping {
    fn resources(&self) -> Vec<String> {
        resource(&self.job_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stopped {
    successful_submissions: Vec<Submitted>,
    errors: Vec<NotStopped>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Submitted {
    job_name: String,
    job_run_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotStopped {
    job_name: String,
    job_run_id: String,
    error_detail: Value,
}

/// Glue's largest batch of runs to stop.
const MAX_STOPPED: usize = 25;

pub(super) async fn stop(glue: Glue, input: Stopping) -> Result<Stopped> {
    if input.job_run_ids.len() > MAX_STOPPED {
        return Err(Error::invalid(format!("JobRunIds may hold {MAX_STOPPED} ids")));
    }
    let mut stopped = Stopped { successful_submissions: Vec::new(), errors: Vec::new() };
    for id in input.job_run_ids {
        let done = match glue.run_of(&input.job_name, &id).await {
            Ok(run) if run.state.is_final() => {
                Err(Error::invalid(format!("the run `{id}` has ended: it is {}", run.state)))
            }
            Ok(run) => glue.rooms.runs.stop(&run.id).await,
            Err(error) => Err(error),
        };
        let job_name = input.job_name.clone();
        match done {
            Ok(_) => stopped.successful_submissions.push(Submitted { job_name, job_run_id: id }),
            Err(error) => stopped.errors.push(NotStopped {
                job_name,
                job_run_id: id,
                error_detail: serde_json::json!({
                    "ErrorCode": super::code(error.kind()),
                    "ErrorMessage": crate::fault::sentence(&error),
                }),
            }),
        }
    }
    Ok(stopped)
}
