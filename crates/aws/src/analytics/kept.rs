//! What this door keeps of an application.

use super::Analytics;
use super::configuration::Configuration;
use crate::json::{Answered, Failed};
use crate::page::write_token;
use ::apps::Application;
use model::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kind of these documents.
pub(super) const KIND: &str = "analytics-application";
/// The newest runtime whose SQL the applications follow: that of applications that were made by other doors.
const USUAL_RUNTIME: &str = "FLINK-1_20";

/// What stands beside an application.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Beside {
    pub(super) description: Option<String>,
    pub(super) runtime: String,
    pub(super) role: Option<String>,
    pub(super) configuration: Configuration,
    /// By id.
    pub(super) logging: BTreeMap<String, String>,
    /// How many logging options there have been.
    pub(super) logging_count: u64,
    /// Changes that left the script as it was: versions count these, too.
    pub(super) changes: u64,
    /// Counts all changes of the version, so that of two that were made from one version one is refused.
    pub(super) updates: u64,
    /// The versions that snapshots were taken of.
    pub(super) snapshots: BTreeMap<String, u64>,
    /// How it was last started.
    pub(super) started: Option<Started>,
}

/// How an application was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Started {
    pub(super) restore_type: String,
    pub(super) snapshot_name: Option<String>,
    pub(super) allow_non_restored_state: bool,
}

impl Beside {
    /// Of an application that was made by another door.
    pub(super) fn usual() -> Self {
        Self { runtime: USUAL_RUNTIME.to_owned(), ..Self::default() }
    }

    /// The version of the whole.
    pub(super) fn version(&self, application: &Application) -> u64 {
        application.version + self.changes
    }
}

/// What names a version of an application whose sender does not count versions.
pub(super) fn conditional_token(application: &Application, beside: &Beside) -> String {
    let created = application.created.timestamp_millis();
    write_token(&format!("{created}/{}", beside.version(application)))
}

impl Analytics {
    /// An application, and what stands beside it.
    pub(super) async fn get(&self, name: &str) -> Result<(Application, Beside)> {
        let application = self.apps.get(name).await?;
        let kept = self.documents.get::<Beside>(KIND, name).await?;
        Ok((application, kept.map_or_else(Beside::usual, |kept| kept.body)))
    }

    /// Changes what stands beside an application, and begins it if need be.
    pub(super) async fn change(&self, name: &str, change: impl Fn(&mut Beside) + Send + Sync) -> Result<()> {
        self.try_change(name, |beside: &mut Beside| {
            change(beside);
            Ok(())
        })
        .await
    }

    /// Changes the version: what stands beside the application must still be what was seen.
    pub(super) async fn change_from(
        &self,
        name: &str,
        seen: &Beside,
        change: impl Fn(&mut Beside) + Send + Sync,
    ) -> Answered<()> {
        let changed = self.try_change(name, |beside: &mut Beside| {
            if beside.updates != seen.updates || beside.changes != seen.changes {
                return Err(Error::conflict(format!(
                    "the application `{name}` was changed at the same time"
                )));
            }
            change(beside);
            beside.updates += 1;
            Ok(())
        });
        changed.await.map_err(|error| match error.kind() {
            ErrorKind::Conflict => concurrent(error),
            _ => error.into(),
        })
    }

    async fn try_change(
        &self,
        name: &str,
        change: impl Fn(&mut Beside) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        if self.documents.change(KIND, name, &change).await? {
            return Ok(());
        }
        let mut first = Beside::usual();
        change(&mut first)?;
        match self.documents.create(KIND, name, &first).await? {
            true => Ok(()),
            // Somebody else was quicker.
            false => self.documents.change(KIND, name, &change).await.map(drop),
        }
    }

    /// Refuses to change another version than the one that the sender has seen.
    pub(super) fn check_version(
        &self,
        (application, beside): (&Application, &Beside),
        version: Option<u64>,
        token: Option<&str>,
    ) -> Answered<()> {
        let now = beside.version(application);
        let is_other = match (version, token) {
            (None, None) => {
                let error = Error::invalid("CurrentApplicationVersionId or ConditionalToken must be given")
                    .hint("DescribeApplication answers both");
                return Err(error.into());
            }
            (version, token) => {
                version.is_some_and(|version| version != now)
                    || token.is_some_and(|token| token != conditional_token(application, beside))
            }
        };
        match is_other {
            false => Ok(()),
            true => Err(concurrent(Error::conflict(format!(
                "the application `{}` is at version {now}",
                application.name
            )))),
        }
    }
}

/// Somebody else has changed the application.
pub(super) fn concurrent(error: Error) -> Failed {
    Failed::coded("ConcurrentModificationException", error.hint("describe it again, and repeat the change"))
}
