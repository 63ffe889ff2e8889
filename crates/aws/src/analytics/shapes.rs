//! An application as it is answered.

use super::kept::{Beside, conditional_token};
use super::{Analytics, arn};
use crate::json::{Call, Moment};
use ::apps::{Application, ApplicationStatus};
use md5::{Digest as _, Md5};
use model::Result;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Detail {
    #[serde(rename = "ApplicationARN")]
    application_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_description: Option<String>,
    application_name: String,
    runtime_environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_execution_role: Option<String>,
    application_status: &'static str,
    application_version_id: u64,
    create_timestamp: Moment,
    last_update_timestamp: Moment,
    application_configuration_description: Value,
    cloud_watch_logging_option_descriptions: Vec<Logging>,
    conditional_token: String,
    application_mode: &'static str,
}

/// A place for logs, as it was stored.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Logging {
    cloud_watch_logging_option_id: String,
    #[serde(rename = "LogStreamARN")]
    log_stream_arn: String,
}

pub(super) fn logging(beside: &Beside) -> Vec<Logging> {
    let shown = |(id, arn): (&String, &String)| Logging {
        cloud_watch_logging_option_id: id.clone(),
        log_stream_arn: arn.clone(),
    };
    beside.logging.iter().map(shown).collect()
}

pub(super) fn status(application: &Application) -> &'static str {
    match application.status {
        ApplicationStatus::Ready => "READY",
        ApplicationStatus::Running => "RUNNING",
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    application_detail: Detail,
}

fn configuration(application: &Application, beside: &Beside) -> Value {
    let kept = &beside.configuration;
    let mut content = json!({
        "CodeMD5": hex::encode(Md5::digest(application.script.as_bytes())),
        "CodeSize": application.script.len(),
    });
    match &kept.code_location {
        Some(place) => content["S3ApplicationCodeLocationDescription"] = place.clone(),
        None => content["TextContent"] = json!(application.script),
    }
    let mut flink = json!({
        "CheckpointConfigurationDescription": { "ConfigurationType": "DEFAULT", "CheckpointingEnabled": true },
        "ParallelismConfigurationDescription": match kept.parallelism {
            Some(tasks) => json!({ "ConfigurationType": "CUSTOM", "Parallelism": tasks, "AutoScalingEnabled": false }),
            None => json!({ "ConfigurationType": "DEFAULT", "AutoScalingEnabled": false }),
        },
    });
    if let Some(monitoring) = &kept.monitoring {
        flink["MonitoringConfigurationDescription"] = monitoring.clone();
    }
    let mut all = json!({
        "ApplicationCodeConfigurationDescription": {
            "CodeContentType": "PLAINTEXT",
            "CodeContentDescription": content,
        },
        "FlinkApplicationConfigurationDescription": flink,
        "ApplicationSnapshotConfigurationDescription": { "SnapshotsEnabled": !kept.snapshots_disabled },
    });
    if let Some(started) = &beside.started {
        let mut restore = json!({ "ApplicationRestoreType": started.restore_type });
        if let Some(name) = &started.snapshot_name {
            restore["SnapshotName"] = json!(name);
        }
        all["RunConfigurationDescription"] = json!({
            "ApplicationRestoreConfigurationDescription": restore,
            "FlinkRunConfigurationDescription": { "AllowNonRestoredState": started.allow_non_restored_state },
        });
    }
    all
}

impl Analytics {
    /// An application as it is now.
    pub(super) async fn described(&self, call: &Call, name: &str) -> Result<Described> {
        let (application, beside) = self.get(name).await?;
        Ok(Described {
            application_detail: Detail {
                application_arn: arn(call, name),
                application_description: beside.description.clone(),
                runtime_environment: beside.runtime.clone(),
                service_execution_role: beside.role.clone(),
                application_status: status(&application),
                application_version_id: beside.version(&application),
                create_timestamp: Moment(application.created),
                last_update_timestamp: Moment(application.modified),
                application_configuration_description: configuration(&application, &beside),
                cloud_watch_logging_option_descriptions: logging(&beside),
                conditional_token: conditional_token(&application, &beside),
                application_mode: "STREAMING",
                application_name: application.name,
            },
        })
    }
}
