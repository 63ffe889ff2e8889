//! What a new run is made of, and how the runs of a process are kept.

use super::LogLevel;
use model::{Error, Result, RunKind};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// A run to start.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// The service's kind.
    pub kind: RunKind,
    /// What is run: the crawler's, job's or workflow's name.
    pub name: String,
    /// Who started it.
    pub owner: String,
    /// With what.
    pub arguments: Value,
    /// How long an attempt may work before it is ended as timed out. Waiting does not count.
    pub timeout: Option<Duration>,
    /// How often a failed attempt is tried again.
    pub retries: u32,
    /// How long to wait before that.
    pub retry_delay: Duration,
    /// How many runs may work at once under a common key.
    pub concurrency: Option<ConcurrencyLimit>,
    /// Whether it lives as long as the server and mostly waits: then it takes no place among the runs that work at once.
    pub resident: bool,
    /// An idempotency token: a second start with the same kind and token gives the run of the first.
    pub token: Option<String>,
}

/// A limit shared by all runs that name its key, on all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcurrencyLimit {
    /// What the runs have in common, such as `crawler/sales`.
    pub key: String,
    /// How many may work at once; at least 1.
    pub limit: usize,
    /// What becomes of one more.
    pub when_full: WhenFull,
}

/// What becomes of a run that a limit keeps from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It waits for its turn.
    Wait,
    /// Its start is refused (`LimitExceeded`).
    Refuse,
}

impl NewRun {
    /// A run without timeout, retries or limit.
    pub fn new(kind: RunKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            owner: String::new(),
            arguments: Value::Null,
            timeout: None,
            retries: 0,
            retry_delay: Duration::ZERO,
            concurrency: None,
            resident: false,
            token: None,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let key = self.concurrency.as_ref().map_or("", |limit| limit.key.as_str());
        for text in [&self.name, &self.owner, key, self.token.as_deref().unwrap_or_default()] {
            if text.contains('\0') || text.len() > 4096 {
                return Err(Error::invalid(
                    "a run's name, owner, limit key and token must be short text without zero bytes",
                ));
            }
        }
        if self.concurrency.as_ref().is_some_and(|limit| limit.limit == 0) {
            return Err(Error::invalid("a concurrency limit must be at least 1"));
        }
        Ok(())
    }
}

/// How the runs of this process are kept.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// This process's name among several, for people.
    pub node: String,
    /// Whether this process alone uses the database (the data directory's lock says so). Then whatever is unfinished at
    /// the start was left by a dead process; otherwise nodes watch each other's heartbeats.
    pub exclusive: bool,
    /// How many runs work at once in this process; the others wait.
    pub max_running: usize,
    /// How many may wait in this process; a further start is refused.
    pub max_waiting: usize,
    /// How long a run that was asked to stop may tidy up before it is cut off.
    pub grace: Duration,
    /// At most how often progress, counters and log lines are written while a run works.
    pub record_every: Duration,
    /// How often to look at what other nodes may have changed.
    pub poll: Duration,
    /// How often a node says that it lives.
    pub heartbeat_every: Duration,
    /// After how long without a heartbeat a node counts as dead. Nodes' clocks must agree better than that.
    pub dead_after: Duration,
    /// Log lines below this level are not kept.
    pub log_level: LogLevel,
    /// How many log lines of a run are kept.
    pub max_log_lines: u64,
    /// Kinds whose unfinished runs wait for [`super::Runs::resumable`] instead of being marked failed.
    pub resumable: BTreeSet<RunKind>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            node: "local".to_owned(),
            exclusive: true,
            max_running: 16,
            max_waiting: 10_000,
            grace: Duration::from_secs(10),
            record_every: Duration::from_millis(500),
            poll: Duration::from_millis(500),
            heartbeat_every: Duration::from_secs(5),
            dead_after: Duration::from_secs(30),
            log_level: LogLevel::Info,
            max_log_lines: 100_000,
            resumable: BTreeSet::new(),
        }
    }
}

/// The injected clock counts in chrono's durations. More than a century is taken for a century.
pub(super) fn span(duration: Duration) -> chrono::Duration {
    let longest = chrono::Duration::days(36_500);
    chrono::Duration::from_std(duration).map_or(longest, |d| d.min(longest))
}
