//! Jobs of Glue: visual graphs, kept as they were written and run natively, and Python-shell scripts. Jobs that are
//! scripts for Spark or Ray are refused by name.

use super::Glue;
use super::shapes::{limit, refuse};
use crate::json::{Answered, Call, Input, epoch, token};
use crate::page::write_token;
use crate::tags::{self, Tags};
use chrono::{DateTime, Utc};
use jobs::StoredJob;
use model::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Glue's largest page.
const MAX_RESULTS: usize = 1000;
/// The member that makes a job a graph.
const NODES: &str = "CodeGenConfigurationNodes";

pub(super) fn resource(name: &str) -> Vec<String> {
    vec![format!("job/{name}")]
}

fn arn(call: &Call, name: &str) -> String {
    call.arn("glue", &format!("job/{name}"))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateJob {
    name: String,
    tags: Option<Tags>,
    #[serde(flatten)]
    definition: Map<String, Value>,
}

impl Input for CreateJob {
    fn resources(&self) -> Vec<String> {
        resource(&self.name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    name: String,
}

/// What members Glue's jobs have that cannot be kept without being done.
fn check(definition: &Map<String, Value>) -> Result<()> {
    let is_graph =
        definition.get(NODES).is_some_and(|nodes| nodes.as_object().is_some_and(|nodes| !nodes.is_empty()));
    let command = |name: &str| definition.get("Command").and_then(|it| it.get(name)).and_then(Value::as_str);
    match command("Name") {
        _ if is_graph => {}
        Some("pythonshell") => {
            // The machine's own files are for its own people, who use the command line.
            let location = command("ScriptLocation").unwrap_or_default();
            if !location.starts_with("s3://") {
                return Err(Error::invalid(format!(
                    "ScriptLocation must be the place of the script, s3://bucket/key, not `{location}`"
                )));
            }
        }
        other => {
            return Err(Error::unsupported(format!(
                "jobs that are scripts for `{}` are not supported here yet",
                other.unwrap_or("glueetl")
            ))
            .hint(format!("what is supported: `pythonshell`, and visual jobs, whose {NODES} run natively")));
        }
    }
    // What another definition around the nodes would say is not what was checked, and asked of the policy.
    for name in ["Job", "JobUpdate", "JobName"] {
        refuse(name, definition.contains_key(name))?;
    }
    for name in ["SecurityConfiguration", "NotificationProperty", "SourceControlDetails", "MaintenanceWindow"]
    {
        refuse(name, definition.get(name).is_some_and(|it| !it.is_null()))?;
    }
    Ok(())
}

/// A graph runs with the platform's own rights, which stand for the role's: who defines one must be allowed to pass it on.
fn pass_role(call: &Call, definition: &Map<String, Value>) -> Result<()> {
    match definition.get("Role").and_then(Value::as_str) {
        Some(role) if !role.is_empty() => call.pass_role(role),
        _ => {
            Err(Error::invalid("Role is missing")
                .hint("name the role that the job runs with; any name will do"))
        }
    }
}

/// The text under which a job is kept.
fn text(name: &str, mut definition: Map<String, Value>) -> Result<String> {
    definition.insert("Name".to_owned(), Value::from(name));
    serde_json::to_string_pretty(&definition)
        .map_err(|e| Error::internal("a job cannot be written").source_is(e))
}

pub(super) async fn create(glue: Glue, call: Call, input: CreateJob) -> Result<Named> {
    check(&input.definition)?;
    pass_role(&call, &input.definition)?;
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    let text = text(&input.name, input.definition)?;
    let name = glue.rooms.jobs.create(&text, &format!("{}.json", input.name)).await?;
    tags::add(&glue.documents, &arn(&call, &name), tags).await?;
    Ok(Named { name })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateJob {
    job_name: String,
    job_update: Map<String, Value>,
}

impl Input for UpdateJob {
    fn resources(&self) -> Vec<String> {
        resource(&self.job_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct JobName {
    job_name: String,
}

/// The whole definition is replaced, as in Glue.
pub(super) async fn update(glue: Glue, call: Call, input: UpdateJob) -> Result<JobName> {
    check(&input.job_update)?;
    pass_role(&call, &input.job_update)?;
    glue.rooms.jobs.get(&input.job_name).await?;
    let text = text(&input.job_name, input.job_update)?;
    let (job_name, _) = glue.rooms.jobs.put(&text, &format!("{}.json", input.job_name)).await?;
    Ok(JobName { job_name })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    job_name: String,
}

impl Input for One {
    fn resources(&self) -> Vec<String> {
        resource(&self.job_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    job: Shown,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    #[serde(flatten)]
    definition: Map<String, Value>,
    name: String,
    #[serde(serialize_with = "epoch")]
    created_on: DateTime<Utc>,
    #[serde(serialize_with = "epoch")]
    last_modified_on: DateTime<Utc>,
}

/// The definition of a kept job. One that was written in YAML is shown without its graph.
pub(super) fn definition(job: &StoredJob) -> Map<String, Value> {
    match serde_json::from_str(&job.definition) {
        Ok(Value::Object(mut definition)) => {
            if let Some(Value::Object(inner)) = definition.remove("Job") {
                definition = inner;
            }
            for name in ["Name", "Tags", "CreatedOn", "LastModifiedOn"] {
                definition.remove(name);
            }
            definition
        }
        _ => Map::new(),
    }
}

fn show(job: StoredJob) -> Shown {
    Shown {
        definition: definition(&job),
        name: job.name,
        created_on: job.created,
        last_modified_on: job.modified,
    }
}

pub(super) async fn get(glue: Glue, input: One) -> Result<Got> {
    Ok(Got { job: show(glue.rooms.jobs.get(&input.job_name).await?) })
}

/// A job that is not there is deleted as well.
pub(super) async fn delete(glue: Glue, call: Call, input: One) -> Result<JobName> {
    match glue.rooms.jobs.delete(&input.job_name).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    tags::forget(&glue.documents, &arn(&call, &input.job_name)).await?;
    Ok(JobName { job_name: input.job_name })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    next_token: Option<String>,
    max_results: Option<i64>,
    tags: Option<Tags>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

async fn page(glue: &Glue, input: &Listing) -> Result<(Vec<StoredJob>, Option<String>)> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let all = glue.rooms.jobs.list().await?;
    let mut left =
        all.into_iter().filter(|job| after.as_deref().is_none_or(|after| job.name.as_str() > after));
    let page: Vec<StoredJob> = left.by_ref().take(most).collect();
    let next = left.next().and_then(|_| page.last().map(|last| write_token(&last.name)));
    Ok((page, next))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Jobs {
    jobs: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(glue: Glue, input: Listing) -> Result<Jobs> {
    let (page, next_token) = page(&glue, &input).await?;
    Ok(Jobs { jobs: page.into_iter().map(show).collect(), next_token })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Names {
    job_names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn names(glue: Glue, call: Call, input: Listing) -> Result<Names> {
    let (page, next_token) = page(&glue, &input).await?;
    let wanted = input.tags.unwrap_or_default();
    let mut job_names = Vec::new();
    for job in page {
        if wanted.is_empty() || tags::fit(&glue.documents, &arn(&call, &job.name), &wanted).await? {
            job_names.push(job.name);
        }
    }
    Ok(Names { job_names, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Many {
    job_names: Vec<String>,
}

impl Input for Many {
    fn resources(&self) -> Vec<String> {
        self.job_names.iter().flat_map(|name| resource(name)).collect()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotMany {
    jobs: Vec<Shown>,
    jobs_not_found: Vec<String>,
}

pub(super) async fn get_many(glue: Glue, input: Many) -> Result<GotMany> {
    let mut got = GotMany { jobs: Vec::new(), jobs_not_found: Vec::new() };
    for name in input.job_names {
        match glue.rooms.jobs.get(&name).await {
            Ok(job) => got.jobs.push(show(job)),
            Err(error) if error.kind() == ErrorKind::NotFound => got.jobs_not_found.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneBookmark {
    job_name: String,
    run_id: Option<String>,
}

impl Input for OneBookmark {
    fn resources(&self) -> Vec<String> {
        resource(&self.job_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotBookmark {
    job_bookmark_entry: Bookmark,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Bookmark {
    job_name: String,
    version: u64,
    run: u64,
    attempt: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    /// The sources, and how many files and bytes of each were read.
    job_bookmark: String,
}

async fn bookmark(glue: &Glue, job: &str) -> Result<Bookmark> {
    glue.rooms.jobs.get(job).await?;
    let bookmark = glue.rooms.jobs.bookmark(job).await?;
    let sources: Map<String, Value> = bookmark
        .sources
        .iter()
        .map(|(node, (files, bytes))| (node.clone(), serde_json::json!({ "files": files, "bytes": bytes })))
        .collect();
    Ok(Bookmark {
        job_name: job.to_owned(),
        version: bookmark.version,
        run: bookmark.version,
        attempt: 0,
        run_id: bookmark.run,
        job_bookmark: Value::Object(sources).to_string(),
    })
}

pub(super) async fn get_bookmark(glue: Glue, input: OneBookmark) -> Result<GotBookmark> {
    refuse("RunId", input.run_id.is_some())?;
    let found = bookmark(&glue, &input.job_name).await?;
    match found.version {
        0 => Err(Error::not_found(format!("the job `{}` has no bookmark yet", input.job_name))
            .hint("run it with --job-bookmark-option job-bookmark-enable")),
        _ => Ok(GotBookmark { job_bookmark_entry: found }),
    }
}

pub(super) async fn reset_bookmark(glue: Glue, input: OneBookmark) -> Answered<GotBookmark> {
    glue.rooms.jobs.get(&input.job_name).await?;
    glue.rooms.jobs.rewind(&input.job_name, input.run_id.as_deref()).await?;
    Ok(GotBookmark { job_bookmark_entry: bookmark(&glue, &input.job_name).await? })
}
