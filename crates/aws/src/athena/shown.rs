//! A run as a query execution of Athena's.

use super::start::{Asked, RUN_KIND, Reuse, Terms};
use super::statement::{Shape, StatementType, numbers, reason};
use super::workgroups::{ENGINE_VERSION, EngineVersion, ResultConfiguration};
use super::{Athena, allow, output};
use crate::json::{Call, epoch, epoch_opt};
use chrono::{DateTime, Duration, Utc};
use engine::PRIMARY_WORKGROUP;
use model::{Error, ErrorKind, LakeUri, Outcome, Result, RunId, RunState};
use serde::{Deserialize, Serialize};
use state::runs::Run;
use std::path::PathBuf;

/// A query is waited for until it is that old.
const PATIENCE_MILLIS: i64 = 300;

/// What a query's run answers once its results are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ended {
    /// The rows, as an Arrow file.
    pub(super) result: PathBuf,
    pub(super) rows: u64,
    pub(super) is_text: bool,
    #[serde(default)]
    pub(super) planning_millis: f64,
    /// Where the result lies in the lake.
    #[serde(default)]
    pub(super) output: Option<LakeUri>,
    #[serde(default)]
    pub(super) manifest: Option<LakeUri>,
    #[serde(default)]
    pub(super) update_count: i64,
    #[serde(default)]
    pub(super) output_bytes: u64,
    /// Whether it is an earlier query's.
    #[serde(default)]
    pub(super) reused: bool,
}

/// A query's run, and what Athena asked of it; nothing for a query of another door.
pub(super) struct Execution {
    pub(super) run: Run,
    asked: Option<Asked>,
}

impl Execution {
    fn new(run: Run) -> Self {
        let asked = serde_json::from_value(run.arguments.clone()).ok();
        Self { run, asked }
    }

    fn terms(&self) -> Option<&Terms> {
        self.asked.as_ref().map(|asked| &asked.athena)
    }

    pub(super) fn workgroup(&self) -> &str {
        self.terms().map_or(PRIMARY_WORKGROUP, |terms| &terms.workgroup)
    }

    pub(super) fn shape(&self) -> Shape {
        match (self.terms(), self.ended()) {
            (Some(terms), _) => terms.shape,
            (None, Ok(ended)) if ended.is_text => Shape::Lines,
            _ => Shape::Rows,
        }
    }

    /// How it ended well.
    pub(super) fn ended(&self) -> Result<Ended> {
        serde_json::from_value(self.run.result()?)
            .map_err(|e| Error::corrupt("the outcome of a query cannot be read").source_is(e))
    }

    /// Its state in Athena's words.
    pub(super) fn state(&self) -> &'static str {
        match self.run.state {
            RunState::Waiting => "QUEUED",
            RunState::Running | RunState::Stopping => "RUNNING",
            RunState::Succeeded => "SUCCEEDED",
            RunState::Stopped => "CANCELLED",
            RunState::Failed | RunState::TimedOut => "FAILED",
        }
    }
}

impl Athena {
    /// A query that the caller may speak of.
    pub(super) async fn execution(&self, call: &Call, operation: &str, id: &str) -> Result<Execution> {
        let found = match id.parse::<RunId>() {
            Ok(id) => self.rooms.runs.get(&id).await,
            Err(_) => Err(Error::not_found("no query has such an id")),
        };
        match found {
            Ok(run) if run.kind.as_str() == RUN_KIND => {
                let execution = Execution::new(run);
                allow(call, operation, execution.workgroup())?;
                Ok(execution)
            }
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => {
                // Who may not ask is not told what there is.
                allow(call, operation, "*")?;
                Err(Error::not_found(format!("QueryExecution {id} was not found")))
            }
        }
    }

    /// The same query a moment later, where it is young and that moment may bring its end: many clients ask at once and
    /// then sleep for a second. Who asks after one that takes longer, or after many in turn, is not kept.
    pub(super) async fn patiently(&self, mut execution: Execution) -> Result<Execution> {
        let until = execution.run.created + Duration::milliseconds(PATIENCE_MILLIS);
        loop {
            let left = until - self.rooms.clock.now();
            if execution.run.state.is_final() || left <= Duration::zero() {
                return Ok(execution);
            }
            let Execution { run: Run { id, revision, .. }, .. } = &execution;
            let left = left.to_std().unwrap_or_default();
            execution = Execution::new(self.rooms.runs.wait_change(id, *revision, left).await?);
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    query_execution_id: String,
    query: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_type: Option<StatementType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    substatement_type: Option<String>,
    result_configuration: ResultConfiguration,
    result_reuse_configuration: Reuse,
    query_execution_context: Context,
    status: Status,
    statistics: Statistics,
    work_group: String,
    engine_version: EngineVersion,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    execution_parameters: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_change_reason: Option<String>,
    #[serde(serialize_with = "epoch")]
    submission_date_time: DateTime<Utc>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    completion_date_time: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    athena_error: Option<AthenaError>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AthenaError {
    error_category: i32,
    error_type: i32,
    retryable: bool,
    error_message: String,
}

/// Times of a query.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Timeline {
    query_queue_time_in_millis: i64,
    service_pre_processing_time_in_millis: i64,
    query_planning_time_in_millis: i64,
    engine_execution_time_in_millis: i64,
    service_processing_time_in_millis: i64,
    total_execution_time_in_millis: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    #[serde(flatten)]
    timeline: Timeline,
    data_scanned_in_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_manifest_location: Option<String>,
    result_reuse_information: Reused,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reused {
    reused_previous_result: bool,
}

impl Execution {
    pub(super) fn count(&self, name: &str) -> u64 {
        self.run.counters.get(name).copied().unwrap_or_default()
    }

    /// Where its time went. What is written after the engine's end counts as the engine's.
    pub(super) fn timeline(&self, now: DateTime<Utc>) -> Timeline {
        let run = &self.run;
        let end = run.ended.unwrap_or(now);
        let begin = run.started.unwrap_or(end);
        let millis = |from: DateTime<Utc>, to: DateTime<Utc>| (to - from).num_milliseconds().max(0);
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds of one query")]
        let planning = self.ended().map_or(0, |ended| ended.planning_millis.round() as i64);
        Timeline {
            query_queue_time_in_millis: millis(run.created, begin),
            service_pre_processing_time_in_millis: 0,
            query_planning_time_in_millis: planning,
            engine_execution_time_in_millis: millis(begin, end),
            service_processing_time_in_millis: 0,
            total_execution_time_in_millis: millis(run.created, end),
        }
    }

    fn status(&self) -> Status {
        let diagnosis = match &self.run.outcome {
            Some(Outcome::Diagnosis(diagnosis)) => Some(diagnosis),
            _ => None,
        };
        let state = self.state();
        let athena_error = diagnosis.filter(|_| state == "FAILED").map(|diagnosis| {
            let (error_category, error_type) = numbers(diagnosis.kind);
            AthenaError {
                error_category,
                error_type,
                retryable: diagnosis.kind.retry() != model::Retry::Never,
                error_message: reason(diagnosis),
            }
        });
        let state_change_reason = match (state, diagnosis) {
            ("CANCELLED", _) => Some("Query cancelled by user".to_owned()),
            (_, diagnosis) => diagnosis.map(reason),
        };
        Status {
            state,
            state_change_reason,
            submission_date_time: self.run.created,
            completion_date_time: self.run.ended,
            athena_error,
        }
    }

    /// The whole answer.
    pub(super) fn show(self, now: DateTime<Utc>) -> Result<Shown> {
        let (timeline, status) = (self.timeline(now), self.status());
        let ended = self.ended().ok();
        let id = self.run.id.to_string();
        let mut results = self.terms().map(|terms| terms.results.clone()).unwrap_or_default();
        let mut manifest = None;
        if let Some(terms) = self.terms() {
            let (place, _) = output::places(terms, &id)?;
            let earlier = ended.as_ref().and_then(|ended| ended.output.clone());
            results.output_location = Some(earlier.unwrap_or(place).to_string());
            manifest = output::manifest(terms, &id)?.filter(|_| ended.is_some()).map(|at| at.to_string());
        }
        let statistics = Statistics {
            timeline,
            data_scanned_in_bytes: self.count("bytes_scanned"),
            data_manifest_location: manifest,
            result_reuse_information: Reused { reused_previous_result: ended.is_some_and(|it| it.reused) },
        };
        let terms = self.terms();
        let text = |name: &str| self.run.arguments.get(name).and_then(|it| it.as_str()).map(str::to_owned);
        Ok(Shown {
            query: text("sql").unwrap_or_default(),
            statement_type: terms.map(|terms| terms.statement_type),
            substatement_type: terms.map(|terms| terms.sub.clone()),
            result_configuration: results,
            result_reuse_configuration: terms.map(|terms| terms.reuse.clone()).unwrap_or_default(),
            query_execution_context: Context {
                database: text("database").filter(|_| terms.is_none_or(|terms| terms.has_database)),
                catalog: terms.and_then(|terms| terms.catalog.as_deref()).map(str::to_lowercase),
            },
            status,
            statistics,
            work_group: self.workgroup().to_owned(),
            engine_version: EngineVersion {
                effective_engine_version: Some(ENGINE_VERSION.to_owned()),
                ..EngineVersion::auto()
            },
            execution_parameters: self.asked.as_ref().map(|it| it.parameters.clone()).unwrap_or_default(),
            query_execution_id: id,
        })
    }
}
