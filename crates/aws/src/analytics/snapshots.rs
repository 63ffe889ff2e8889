//! Snapshots: an application's state under a name.

use super::applications::limit;
use super::kept::Beside;
use super::{Analytics, Done, resource};
use crate::json::{Answered, Call, Failed, Input, Moment, token};
use crate::page::write_token;
use ::apps::{ApplicationStatus, Snapshot};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    application_name: String,
    snapshot_name: String,
}

impl Input for One {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

pub(super) async fn create(analytics: Analytics, _: Call, input: One) -> Answered<Done> {
    let (name, label) = (&input.application_name, &input.snapshot_name);
    let (application, beside) = analytics.get(name).await?;
    if beside.configuration.snapshots_disabled {
        return Err(Failed::coded(
            "InvalidApplicationConfigurationException",
            Error::invalid(format!("snapshots are disabled for the application `{name}`"))
                .hint("enable them: ApplicationSnapshotConfigurationUpdate.SnapshotsEnabledUpdate"),
        ));
    }
    if application.status != ApplicationStatus::Running {
        return Err(Failed::coded(
            "InvalidRequestException",
            Error::conflict(format!("the application `{name}` does not run: it is not known what to keep")),
        ));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !label.chars().all(fits) {
        return Err(Error::invalid(format!("`{label}` is no name of a snapshot"))
            .hint("names have 1 to 256 letters, digits, `_`, `.` and `-`")
            .into());
    }
    analytics.apps.snapshot(name, label).await?;
    let version = beside.version(&application);
    analytics
        .change(name, |beside: &mut Beside| {
            beside.snapshots.insert(label.clone(), version);
        })
        .await?;
    Ok(Done {})
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    snapshot_name: String,
    snapshot_status: &'static str,
    application_version_id: u64,
    snapshot_creation_timestamp: Moment,
    runtime_environment: String,
}

impl Analytics {
    /// The application's snapshots, the latest first, and what they are answered as.
    async fn named_snapshots(&self, name: &str) -> Result<Vec<Details>> {
        let (application, beside) = self.get(name).await?;
        let mut all: Vec<Snapshot> = self.apps.snapshots(name).await?;
        all.retain(|snapshot| !snapshot.name.is_empty());
        let shown = |snapshot: Snapshot| Details {
            snapshot_status: "READY",
            // Other doors do not say of which version they take a snapshot.
            application_version_id: beside
                .snapshots
                .get(&snapshot.name)
                .copied()
                .unwrap_or_else(|| beside.version(&application)),
            snapshot_creation_timestamp: Moment(snapshot.taken),
            runtime_environment: beside.runtime.clone(),
            snapshot_name: snapshot.name,
        };
        Ok(all.into_iter().map(shown).collect())
    }

    async fn named_snapshot(&self, name: &str, label: &str) -> Result<Details> {
        let all = self.named_snapshots(name).await?;
        all.into_iter()
            .find(|found| found.snapshot_name == label)
            .ok_or_else(|| Error::not_found(format!("the application `{name}` has no snapshot `{label}`")))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    snapshot_details: Details,
}

pub(super) async fn describe(analytics: Analytics, _: Call, input: One) -> Result<Described> {
    let found = analytics.named_snapshot(&input.application_name, &input.snapshot_name).await?;
    Ok(Described { snapshot_details: found })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    application_name: String,
    limit: Option<i64>,
    next_token: Option<String>,
}

impl Input for List {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    snapshot_summaries: Vec<Details>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(analytics: Analytics, _: Call, input: List) -> Result<Listed> {
    let most = limit(input.limit)?;
    let mut all = analytics.named_snapshots(&input.application_name).await?;
    if let Some(after) = token(input.next_token.as_deref())? {
        let from = all.iter().position(|found| found.snapshot_name == after).map_or(all.len(), |at| at + 1);
        all.drain(..from);
    }
    let has_more = all.len() > most;
    all.truncate(most);
    let next_token = all.last().filter(|_| has_more).map(|last| write_token(&last.snapshot_name));
    Ok(Listed { snapshot_summaries: all, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    application_name: String,
    snapshot_name: String,
    snapshot_creation_timestamp: Moment,
}

impl Input for Delete {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

pub(super) async fn delete(analytics: Analytics, _: Call, input: Delete) -> Result<Done> {
    let (name, label) = (&input.application_name, &input.snapshot_name);
    let found = analytics.named_snapshot(name, label).await?;
    let taken = found.snapshot_creation_timestamp.0;
    // Clients may have rounded the time to seconds.
    if taken.timestamp() != input.snapshot_creation_timestamp.0.timestamp() {
        return Err(Error::invalid(format!("SnapshotCreationTimestamp is not that of `{label}`"))
            .hint("describe the snapshot, and give the time that is answered"));
    }
    analytics.apps.delete_snapshot(name, label).await?;
    analytics
        .change(name, |beside: &mut Beside| {
            beside.snapshots.remove(label);
        })
        .await?;
    Ok(Done {})
}
