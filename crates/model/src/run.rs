//! The words of a run: its kind, its states and which may follow which, its progress and its outcome.

use crate::{Diagnosis, Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What sort of thing is run (`crawl`, `query`, `job`, …): lower-case letters, digits and hyphens. Each service names
/// its own; this room need not know them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunKind(String);

impl RunKind {
    /// A kind by its word.
    pub fn new(word: impl Into<String>) -> Result<Self> {
        let word = word.into();
        let fits = (1..=32).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(word)) } else { Err(Error::invalid(format!("`{word}` is no kind of run"))) }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunKind {
    type Error = Error;
    fn try_from(word: String) -> Result<Self> {
        Self::new(word)
    }
}

impl From<RunKind> for String {
    fn from(kind: RunKind) -> String {
        kind.0
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Accepted; a limit, or a retry's delay, keeps it from starting.
    Waiting,
    /// At work.
    Running,
    /// Asked to stop, still tidying up.
    Stopping,
    /// Ended well.
    Succeeded,
    /// Ended with a diagnosis.
    Failed,
    /// Ended on request.
    Stopped,
    /// Ended because it took longer than allowed.
    TimedOut,
}

impl RunState {
    /// All states, in the order of a run's life.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Running,
        Self::Stopping,
        Self::Succeeded,
        Self::Failed,
        Self::Stopped,
        Self::TimedOut,
    ];

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Stopped | Self::TimedOut)
    }

    /// Whether `next` may follow. Running may go back to waiting (a retry).
    pub fn may_become(self, next: Self) -> bool {
        use RunState as S;
        match self {
            S::Waiting => matches!(next, S::Running | S::Stopped | S::Failed | S::TimedOut),
            S::Running => !matches!(next, S::Running),
            S::Stopping => matches!(next, S::Stopped | S::Failed | S::Succeeded | S::TimedOut),
            _ => false,
        }
    }

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::TimedOut => "timed_out",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RunState {
    type Err = Error;
    fn from_str(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
            Error::invalid(format!("there is no run state `{word}`"))
                .hint(crate::nearest_hint(word, Self::ALL.map(Self::as_str)))
        })
    }
}

/// What progress is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes read or written.
    Bytes,
    /// Rows.
    Rows,
    /// Files or objects.
    Files,
    /// Steps of a plan.
    Steps,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is done.
    pub done: u64,
    /// What there is to do, when that is known.
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ended well; the value is the kind's own account (a result's location, a list of changes).
    Result(serde_json::Value),
    /// It did not, and this is why.
    Diagnosis(Diagnosis),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_an_end() {
        for state in RunState::ALL {
            assert_eq!(state.as_str().parse::<RunState>().unwrap(), state);
            for next in RunState::ALL {
                if state.is_final() {
                    assert!(!state.may_become(next));
                }
            }
        }
        assert!(RunState::Running.may_become(RunState::Waiting));
        assert!(!RunState::Stopping.may_become(RunState::Running));
    }
}
