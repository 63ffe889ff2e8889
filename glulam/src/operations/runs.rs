//! Operations on runs: list, follow, read the log, stop.

use super::Operation;
use crate::platform::Platform;
use model::{Result, RunId, RunKind, RunState};
use serde::{Deserialize, Serialize};
use state::runs::{LogLine, Run, RunQuery};
use std::time::Duration;

/// The answer of every operation that starts a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Started {
    /// The run to follow.
    pub(crate) run: RunId,
}

/// Lists runs, newest first.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListRuns {
    pub(crate) kind: Option<RunKind>,
    pub(crate) states: Vec<RunState>,
    pub(crate) limit: usize,
    /// Only those of this name.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Only those older than this one.
    #[serde(default)]
    pub(crate) after: Option<RunId>,
}

impl Operation for ListRuns {
    const NAME: &'static str = "list-runs";
    type Answer = Vec<Run>;

    async fn perform(self, platform: &Platform) -> Result<Self::Answer> {
        let Self { kind, states, limit, name, after } = self;
        let query = RunQuery { kind, states, limit, name, after, ..RunQuery::default() };
        platform.runs.list(&query).await
    }
}

/// Reads a run; waits a while for news when a revision is given.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FollowRun {
    pub(crate) id: RunId,
    /// The revision the caller has seen.
    pub(crate) seen: Option<u64>,
    /// How long to wait for a newer one.
    pub(crate) wait_millis: u64,
}

impl Operation for FollowRun {
    const NAME: &'static str = "follow-run";
    type Answer = Run;

    async fn perform(self, platform: &Platform) -> Result<Self::Answer> {
        match self.seen {
            None => platform.runs.get(&self.id).await,
            Some(seen) => {
                let wait = Duration::from_millis(self.wait_millis.min(30_000));
                platform.runs.wait_change(&self.id, seen, wait).await
            }
        }
    }
}

/// Reads a run's log from a line on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReadLog {
    pub(crate) id: RunId,
    pub(crate) after: u64,
    pub(crate) limit: usize,
}

impl Operation for ReadLog {
    const NAME: &'static str = "read-log";
    type Answer = Vec<LogLine>;

    async fn perform(self, platform: &Platform) -> Result<Self::Answer> {
        platform.runs.log(&self.id, self.after, self.limit).await
    }
}

/// Asks a run to stop.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StopRun {
    pub(crate) id: RunId,
}

impl Operation for StopRun {
    const NAME: &'static str = "stop-run";
    type Answer = Run;

    async fn perform(self, platform: &Platform) -> Result<Self::Answer> {
        platform.runs.stop(&self.id).await
    }
}
