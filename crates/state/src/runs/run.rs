//! A run as everybody sees it, its log lines, and the question that lists runs.

use crate::trace::TraceContext;
use chrono::{DateTime, Utc};
use model::{Error, Outcome, Progress, Result, RunId, RunKind, RunState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A run as it was last recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id; ids sort by the time of their making.
    pub id: RunId,
    /// The service's kind.
    pub kind: RunKind,
    /// What is run.
    pub name: String,
    /// Who started it.
    pub owner: String,
    /// Where it stands.
    pub state: RunState,
    /// How often it began to work: 0 while it waits for its first turn.
    pub attempt: u32,
    /// How many retries are left.
    pub retries_left: u32,
    /// With what it was started.
    pub arguments: Value,
    /// How long an attempt may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_millis: Option<u64>,
    /// Under what it was started: a request's span, or another run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
    /// The node that has it, for people.
    pub node: String,
    /// When it was accepted.
    pub created: DateTime<Utc>,
    /// When it first began to work.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// How far it has come.
    pub progress: Option<Progress>,
    /// What it counted so far.
    pub counters: BTreeMap<String, u64>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Rises with every recorded change.
    pub revision: u64,
}

impl Run {
    /// What an ended run gave back, or the failure that ended it. `Conflict` while it goes on.
    pub fn result(&self) -> Result<Value> {
        match &self.outcome {
            Some(Outcome::Result(value)) => Ok(value.clone()),
            Some(Outcome::Diagnosis(diagnosis)) => Err(Error::from(diagnosis.clone())),
            None => Err(Error::conflict(format!("the run {} has not ended", self.id))),
        }
    }
}

/// How grave a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For whoever looks for a mistake of ours.
    Debug,
    /// What was done.
    Info,
    /// Worth a look.
    Warn,
    /// It failed.
    Error,
}

impl LogLevel {
    /// All levels, the least grave first.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LogLevel {
    type Err = Error;
    fn from_str(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word).ok_or_else(|| {
            Error::invalid(format!("there is no log level `{word}`"))
                .hint(model::nearest_hint(word, Self::ALL.map(Self::as_str)))
        })
    }
}

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its number within the run, from 1.
    pub seq: u64,
    /// When it was said.
    pub at: DateTime<Utc>,
    /// How grave it is.
    pub level: LogLevel,
    /// The text.
    pub message: String,
}

/// Which runs a list shows, newest first. The default is the newest hundred of all.
#[derive(Debug, Clone, PartialEq)]
pub struct RunQuery {
    /// Only this kind.
    pub kind: Option<RunKind>,
    /// Only runs of this crawler, job, workflow.
    pub name: Option<String>,
    /// Only this owner's.
    pub owner: Option<String>,
    /// Only in one of these states; none named means all.
    pub states: Vec<RunState>,
    /// Only those made at that time or later.
    pub since: Option<DateTime<Utc>>,
    /// How many at most; never more than a thousand.
    pub limit: usize,
    /// Only those older than this run: the last one of the page before.
    pub after: Option<RunId>,
}

impl Default for RunQuery {
    fn default() -> Self {
        Self { kind: None, name: None, owner: None, states: Vec::new(), since: None, limit: 100, after: None }
    }
}
