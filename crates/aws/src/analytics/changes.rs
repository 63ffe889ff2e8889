//! Changes of an application: its script, what stands beside it, its logging options.

use super::applications::{LoggingOption, check_runtime};
use super::kept::{Beside, concurrent};
use super::running::RunConfiguration;
use super::shapes::{Described, Logging, logging};
use super::{Analytics, arn, resource};
use crate::json::{Answered, Call, Input};
use ::apps::{ApplicationStatus, StartFrom, StartOptions, Stopping};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

impl Beside {
    /// Adds a place for logs.
    pub(super) fn add_logging(&mut self, log_stream_arn: String) {
        self.logging_count += 1;
        self.logging.insert(format!("{}.1", self.logging_count), log_stream_arn);
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LoggingUpdate {
    cloud_watch_logging_option_id: String,
    #[serde(rename = "LogStreamARNUpdate")]
    log_stream_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    application_name: String,
    current_application_version_id: Option<u64>,
    conditional_token: Option<String>,
    #[serde(default)]
    application_configuration_update: Value,
    service_execution_role_update: Option<String>,
    run_configuration_update: Option<RunConfiguration>,
    #[serde(default)]
    cloud_watch_logging_option_updates: Vec<LoggingUpdate>,
    runtime_environment_update: Option<String>,
}

impl Input for Update {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

impl Analytics {
    /// Whether there is a snapshot to begin with: known before anything is stopped.
    async fn check_snapshot(&self, name: &str, label: &str) -> Result<()> {
        let all = self.apps.snapshots(name).await?;
        match !label.is_empty() && all.iter().any(|snapshot| snapshot.name == label) {
            true => Ok(()),
            false => Err(Error::not_found(format!("the application `{name}` has no snapshot `{label}`"))),
        }
    }
}

/// An application that runs is stopped with its state, and goes on with the new script, if the state fits it.
pub(super) async fn update(analytics: Analytics, call: Call, input: Update) -> Answered<Described> {
    let name = &input.application_name;
    let (application, beside) = analytics.get(name).await?;
    let token = input.conditional_token.as_deref();
    analytics.check_version((&application, &beside), input.current_application_version_id, token)?;
    if let Some(runtime) = &input.runtime_environment_update {
        check_runtime(runtime)?;
    }
    for update in &input.cloud_watch_logging_option_updates {
        let id = &update.cloud_watch_logging_option_id;
        if !beside.logging.contains_key(id) {
            return Err(Error::not_found(format!("`{name}` has no logging option `{id}`")).into());
        }
    }
    let mut configuration = beside.configuration.clone();
    let code = match configuration.take(input.application_configuration_update, true)? {
        Some(value) => Some(analytics.code(&call, &value, true).await?),
        None => None,
    };
    if let Some(code) = &code {
        analytics.check_script(code).await?;
        configuration.code_location.clone_from(&code.location);
        analytics.may_run(&call, &code.script, &code.source_name).await?;
    }
    let runs = application.status == ApplicationStatus::Running;
    let options = input.run_configuration_update.as_ref().map(RunConfiguration::options).transpose()?;
    let script_changes = code.as_ref().is_some_and(|code| code.script != application.script);
    if let Some((StartOptions { from: StartFrom::Snapshot(label), .. }, _)) = &options {
        analytics.check_snapshot(name, label).await?;
    }
    let started = options.as_ref().map(|(_, started)| started.clone());
    analytics
        .change_from(name, &beside, |beside: &mut Beside| {
            beside.configuration = configuration.clone();
            if let Some(role) = &input.service_execution_role_update {
                beside.role = Some(role.clone());
            }
            if let Some(runtime) = &input.runtime_environment_update {
                beside.runtime.clone_from(runtime);
            }
            for update in &input.cloud_watch_logging_option_updates {
                let id = update.cloud_watch_logging_option_id.clone();
                beside.logging.insert(id, update.log_stream_arn.clone());
            }
            if let Some(started) = &started {
                beside.started = Some(started.clone());
            }
            if !script_changes {
                beside.changes += 1;
            }
        })
        .await?;
    if let Some(code) = &code {
        let (script, source_name) = (&code.script, &code.source_name);
        if !analytics.apps.change(name, application.version, script, source_name).await? {
            let what = format!("the script of the application `{name}` was changed at the same time");
            return Err(concurrent(Error::conflict(what)));
        }
    }
    if runs {
        if let Err(error) = analytics.apps.stop(name, Stopping::Checkpoint).await {
            // It has ended badly; it goes on from the checkpoint before.
            tracing::warn!(%error, "the application `{name}` was changed, and could not be stopped");
        }
        let mut options = options.map(|(options, _)| options).unwrap_or_default();
        options.tasks = configuration.parallelism;
        analytics.apps.start(name, options).await?;
    }
    Ok(analytics.described(&call, name).await?)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AddLogging {
    application_name: String,
    current_application_version_id: Option<u64>,
    conditional_token: Option<String>,
    cloud_watch_logging_option: LoggingOption,
}

impl Input for AddLogging {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Changed {
    #[serde(rename = "ApplicationARN")]
    application_arn: String,
    application_version_id: u64,
    cloud_watch_logging_option_descriptions: Vec<Logging>,
}

impl Analytics {
    async fn changed(&self, call: &Call, name: &str) -> Result<Changed> {
        let (application, beside) = self.get(name).await?;
        Ok(Changed {
            application_arn: arn(call, name),
            application_version_id: beside.version(&application),
            cloud_watch_logging_option_descriptions: logging(&beside),
        })
    }
}

/// Kept and answered; an application's lines stand in its run's log.
pub(super) async fn add_logging(analytics: Analytics, call: Call, input: AddLogging) -> Answered<Changed> {
    let name = &input.application_name;
    let (application, beside) = analytics.get(name).await?;
    let token = input.conditional_token.as_deref();
    analytics.check_version((&application, &beside), input.current_application_version_id, token)?;
    let stream = input.cloud_watch_logging_option.log_stream_arn;
    if beside.logging.values().any(|kept| *kept == stream) {
        return Err(Error::invalid(format!("`{name}` logs to {stream} already")).into());
    }
    analytics
        .change_from(name, &beside, |beside: &mut Beside| {
            beside.add_logging(stream.clone());
            beside.changes += 1;
        })
        .await?;
    Ok(analytics.changed(&call, name).await?)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteLogging {
    application_name: String,
    current_application_version_id: Option<u64>,
    conditional_token: Option<String>,
    cloud_watch_logging_option_id: String,
}

impl Input for DeleteLogging {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

pub(super) async fn delete_logging(
    analytics: Analytics,
    call: Call,
    input: DeleteLogging,
) -> Answered<Changed> {
    let name = &input.application_name;
    let (application, beside) = analytics.get(name).await?;
    let token = input.conditional_token.as_deref();
    analytics.check_version((&application, &beside), input.current_application_version_id, token)?;
    let id = &input.cloud_watch_logging_option_id;
    if !beside.logging.contains_key(id) {
        return Err(Error::not_found(format!("`{name}` has no logging option `{id}`")).into());
    }
    analytics
        .change_from(name, &beside, |beside: &mut Beside| {
            beside.logging.remove(id);
            beside.changes += 1;
        })
        .await?;
    Ok(analytics.changed(&call, name).await?)
}
