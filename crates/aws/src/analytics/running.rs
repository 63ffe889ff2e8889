//! Applications started and stopped.

use super::kept::{Beside, Started};
use super::{Analytics, Done, resource};
use crate::json::{Call, Input};
use ::apps::{ApplicationStatus, StartFrom, StartOptions, Stopping, Touched};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Restore {
    application_restore_type: Option<String>,
    snapshot_name: Option<String>,
    snapshot_arn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FlinkRun {
    allow_non_restored_state: Option<bool>,
}

/// What an application begins with.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RunConfiguration {
    flink_run_configuration: Option<FlinkRun>,
    sql_run_configurations: Option<Vec<Value>>,
    application_restore_configuration: Option<Restore>,
}

impl RunConfiguration {
    /// The same in the applications' words, and as it is kept.
    pub(super) fn options(&self) -> Result<(StartOptions, Started)> {
        if self.sql_run_configurations.as_ref().is_some_and(|all| !all.is_empty()) {
            return Err(Error::unsupported("SqlRunConfigurations is not supported here")
                .hint("where reading begins stands in the table: 'scan.stream.initpos' = 'TRIM_HORIZON'"));
        }
        let nothing = Restore::default();
        let restore = self.application_restore_configuration.as_ref().unwrap_or(&nothing);
        if restore.snapshot_arn.is_some() {
            return Err(Error::unsupported("SnapshotArn is not supported here").hint("give SnapshotName"));
        }
        let kind = restore.application_restore_type.as_deref().unwrap_or("RESTORE_FROM_LATEST_SNAPSHOT");
        let from = match (kind, &restore.snapshot_name) {
            ("RESTORE_FROM_LATEST_SNAPSHOT", None) => StartFrom::Latest,
            ("SKIP_RESTORE_FROM_SNAPSHOT", None) => StartFrom::Beginning,
            ("RESTORE_FROM_CUSTOM_SNAPSHOT", Some(name)) => StartFrom::Snapshot(name.clone()),
            ("RESTORE_FROM_CUSTOM_SNAPSHOT", None) => {
                return Err(Error::invalid("RESTORE_FROM_CUSTOM_SNAPSHOT needs a SnapshotName"));
            }
            ("RESTORE_FROM_LATEST_SNAPSHOT" | "SKIP_RESTORE_FROM_SNAPSHOT", Some(_)) => {
                return Err(Error::invalid(format!("{kind} takes no SnapshotName"))
                    .hint("write RESTORE_FROM_CUSTOM_SNAPSHOT"));
            }
            (other, _) => {
                return Err(Error::invalid(format!("there is no ApplicationRestoreType `{other}`")));
            }
        };
        let flink = self.flink_run_configuration.as_ref();
        let allow_non_restored_state =
            flink.and_then(|flink| flink.allow_non_restored_state).unwrap_or(false);
        let started = Started {
            restore_type: kind.to_owned(),
            snapshot_name: restore.snapshot_name.clone(),
            allow_non_restored_state,
        };
        Ok((StartOptions { from, allow_non_restored_state, ..StartOptions::default() }, started))
    }
}

impl Analytics {
    /// Asks the caller's policy for all that a script reads and writes: the application does it for the caller.
    pub(super) async fn may_run(&self, call: &Call, script: &str, source_name: &str) -> Result<()> {
        for touched in self.apps.touches(script, source_name).await? {
            match touched {
                Touched::ReadsStream(stream) => {
                    call.allow("kinesis", "GetRecords", &format!("stream/{stream}"))?;
                }
                Touched::WritesStream(stream) => {
                    call.allow("kinesis", "PutRecords", &format!("stream/{stream}"))?;
                }
                Touched::WritesFiles(folder) => {
                    call.may("s3:PutObject", &format!("arn:aws:s3:::{}/{}*", folder.bucket(), folder.key()))?;
                }
                Touched::WritesTable { database, table, location } => {
                    call.allow("glue", "GetTable", &format!("table/{database}/{table}"))?;
                    call.may(
                        "s3:PutObject",
                        &format!("arn:aws:s3:::{}/{}*", location.bucket(), location.key()),
                    )?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    application_name: String,
    #[serde(default)]
    run_configuration: RunConfiguration,
}

impl Input for Start {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

pub(super) async fn start(analytics: Analytics, call: Call, input: Start) -> Result<Done> {
    let name = &input.application_name;
    let (mut options, started) = input.run_configuration.options()?;
    let (application, beside) = analytics.get(name).await?;
    if application.status == ApplicationStatus::Running {
        return Err(Error::conflict(format!("the application `{name}` runs already")));
    }
    analytics.may_run(&call, &application.script, &application.source_name).await?;
    options.tasks = beside.configuration.parallelism;
    analytics.apps.start(name, options).await?;
    analytics.change(name, |beside: &mut Beside| beside.started = Some(started.clone())).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stop {
    application_name: String,
    #[serde(default)]
    #[allow(dead_code, reason = "both ways end alike, see `stop`")]
    force: bool,
}

impl Input for Stop {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

/// Its answer.
#[derive(Debug, Serialize)]
pub(super) struct Stopped {}

/// A checkpoint is taken at the end in any case: it costs nothing, and a start goes on from it. By force, no less.
pub(super) async fn stop(analytics: Analytics, _: Call, input: Stop) -> Result<Stopped> {
    let name = &input.application_name;
    if analytics.apps.get(name).await?.status != ApplicationStatus::Running {
        return Err(Error::conflict(format!("the application `{name}` does not run")));
    }
    analytics.apps.stop(name, Stopping::Checkpoint).await?;
    Ok(Stopped {})
}
