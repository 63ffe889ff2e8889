//! Applications: made, described, listed, deleted.

use super::configuration::Configuration;
use super::kept::{Beside, KIND};
use super::shapes::{Described, status};
use super::{Analytics, Done, arn, resource};
use crate::json::{Answered, Call, Input, Moment};
use crate::tags;
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const MOST: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// A place for logs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LoggingOption {
    #[serde(rename = "LogStreamARN")]
    pub(super) log_stream_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    application_name: String,
    application_description: Option<String>,
    runtime_environment: String,
    service_execution_role: String,
    #[serde(default)]
    application_configuration: Value,
    #[serde(default)]
    cloud_watch_logging_options: Vec<LoggingOption>,
    #[serde(default)]
    tags: Vec<Tag>,
    application_mode: Option<String>,
}

impl Input for Create {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

/// Refuses runtimes whose applications are not scripts of Flink SQL.
pub(super) fn check_runtime(runtime: &str) -> Result<()> {
    if runtime.starts_with("SQL-") {
        return Err(Error::unsupported(format!("the runtime {runtime} is not supported here"))
            .why("its SQL is another language than Flink's, and AWS has given it up")
            .hint("write the application in Flink SQL and take FLINK-1_20"));
    }
    let is_flink = runtime.starts_with("FLINK-") || runtime.starts_with("ZEPPELIN-FLINK-");
    match is_flink {
        true => Ok(()),
        false => Err(Error::invalid(format!("there is no runtime `{runtime}`")).hint("take FLINK-1_20")),
    }
}

fn check_mode(mode: Option<&str>) -> Result<()> {
    match mode {
        None | Some("STREAMING") => Ok(()),
        Some("INTERACTIVE") => Err(Error::unsupported("ApplicationMode INTERACTIVE is not supported here")
            .hint("there are no notebooks; give the SQL of the notebook as the application's code")),
        Some(other) => Err(Error::invalid(format!("there is no ApplicationMode `{other}`"))),
    }
}

pub(super) async fn create(analytics: Analytics, call: Call, input: Create) -> Answered<Described> {
    let name = &input.application_name;
    check_runtime(&input.runtime_environment)?;
    check_mode(input.application_mode.as_deref())?;
    let tags = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    tags::check(&tags)?;
    let mut configuration = Configuration::default();
    let code = configuration.take(input.application_configuration, false)?;
    let code = code.ok_or_else(|| {
        Error::invalid("ApplicationCodeConfiguration is missing")
            .hint("give Flink SQL as ApplicationCodeConfiguration.CodeContent.TextContent")
    })?;
    let code = analytics.code(&call, &code, false).await?;
    configuration.code_location.clone_from(&code.location);
    match analytics.apps.get(name).await {
        Ok(_) => return Err(Error::already_exists(format!("the application `{name}` exists already")).into()),
        Err(error) if error.kind() == model::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    analytics.check_script(&code).await?;
    let mut beside = Beside {
        description: input.application_description,
        runtime: input.runtime_environment,
        role: Some(input.service_execution_role),
        configuration,
        ..Beside::default()
    };
    for option in input.cloud_watch_logging_options {
        beside.add_logging(option.log_stream_arn);
    }
    // Of two that make it at the same time one comes here. What a deleted application of this name may have left is written
    // over.
    analytics.apps.create(name, &code.script, &code.source_name).await?;
    if let Err(error) = analytics.change(name, |kept: &mut Beside| *kept = beside.clone()).await {
        // Without what stands beside it, it is another one than was asked for.
        analytics.apps.delete(name).await?;
        return Err(error.into());
    }
    tags::add(&analytics.documents, &super::tagging::key(name), tags).await?;
    Ok(analytics.described(&call, name).await?)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    application_name: String,
}

impl Input for One {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

pub(super) async fn describe(analytics: Analytics, call: Call, input: One) -> Result<Described> {
    analytics.described(&call, &input.application_name).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    limit: Option<i64>,
    next_token: Option<String>,
}

impl Input for List {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    application_name: String,
    #[serde(rename = "ApplicationARN")]
    application_arn: String,
    application_status: &'static str,
    application_version_id: u64,
    runtime_environment: String,
    application_mode: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    application_summaries: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// A page's size.
pub(super) fn limit(asked: Option<i64>) -> Result<usize> {
    match asked {
        None => Ok(MOST),
        Some(count) => match usize::try_from(count) {
            Ok(count) if (1..=MOST).contains(&count) => Ok(count),
            _ => Err(Error::invalid(format!("Limit must be from 1 to {MOST}, not {count}"))),
        },
    }
}

/// The token of a page is the name of its last application, as the service's own is.
pub(super) async fn list(analytics: Analytics, call: Call, input: List) -> Result<Listed> {
    let most = limit(input.limit)?;
    let mut all = analytics.apps.list().await?;
    all.retain(|application| input.next_token.as_ref().is_none_or(|after| application.name > *after));
    let has_more = all.len() > most;
    all.truncate(most);
    let mut application_summaries = Vec::with_capacity(all.len());
    for application in all {
        let kept = analytics.documents.get::<Beside>(KIND, &application.name).await?;
        let beside = kept.map_or_else(Beside::usual, |kept| kept.body);
        application_summaries.push(Summary {
            application_arn: arn(&call, &application.name),
            application_status: status(&application),
            application_version_id: beside.version(&application),
            runtime_environment: beside.runtime,
            application_mode: "STREAMING",
            application_name: application.name,
        });
    }
    let last = application_summaries.last().filter(|_| has_more);
    let next_token = last.map(|last| last.application_name.clone());
    Ok(Listed { application_summaries, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    application_name: String,
    create_timestamp: Moment,
}

impl Input for Delete {
    fn resources(&self) -> Vec<String> {
        resource(&self.application_name)
    }
}

pub(super) async fn delete(analytics: Analytics, _: Call, input: Delete) -> Result<Done> {
    let name = &input.application_name;
    let application = analytics.apps.get(name).await?;
    // Clients may have rounded the time to seconds.
    if application.created.timestamp() != input.create_timestamp.0.timestamp() {
        return Err(Error::invalid(format!("CreateTimestamp is not that of the application `{name}`"))
            .hint("describe the application, and give the time that is answered"));
    }
    analytics.apps.delete(name).await?;
    analytics.documents.delete(KIND, name).await?;
    tags::forget(&analytics.documents, &super::tagging::key(name)).await?;
    Ok(Done {})
}
