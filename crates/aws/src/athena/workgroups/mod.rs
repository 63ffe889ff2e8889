//! Workgroups: where results go and what a query may read, for all queries that name the group.

mod configuration;
mod update;

pub(super) use configuration::{Configuration, EngineVersion, ResultConfiguration};
pub(super) use update::update;

use super::{Athena, Done, limit, of_workgroup};
use crate::json::{Call, Input, epoch, token};
use crate::page::write_token;
use crate::tags::{self, Tags};
use chrono::{DateTime, Utc};
use engine::PRIMARY_WORKGROUP;
use model::{Error, Result};
use serde::{Deserialize, Serialize};

const KIND: &str = "athena.workgroup";
const MAX_RESULTS: usize = 50;
/// The version whose language is spoken here.
pub(super) const ENGINE_VERSION: &str = "Athena engine version 3";

/// A workgroup as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct WorkGroup {
    pub(super) description: Option<String>,
    pub(super) is_disabled: bool,
    pub(super) configuration: Configuration,
}

/// The ARN of a workgroup, for its tags.
fn arn(call: &Call, name: &str) -> String {
    call.arn("athena", &format!("workgroup/{name}"))
}

fn check_name(name: &str) -> Result<()> {
    let fits = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_' | '-');
    match (1..=128).contains(&name.len()) && name.chars().all(fits) {
        true => Ok(()),
        false => Err(Error::invalid(format!("`{name}` is no name for a workgroup"))
            .hint("use 1 to 128 letters, digits, dots, hyphens and underscores")),
    }
}

impl Athena {
    /// A workgroup that must be there, as it holds. The first one always is.
    pub(super) async fn workgroup(&self, name: &str) -> Result<(WorkGroup, DateTime<Utc>)> {
        let is_primary = name == PRIMARY_WORKGROUP;
        let (mut group, created) = match self.documents.get::<WorkGroup>(KIND, name).await? {
            Some(kept) => (kept.body, kept.created),
            None if is_primary => (WorkGroup::default(), DateTime::default()),
            None => {
                return Err(Error::not_found(format!("WorkGroup {name} is not found."))
                    .hint("list-work-groups names those that are there"));
            }
        };
        group.configuration = group.configuration.shown(!is_primary);
        Ok((group, created))
    }
}

/// A tag as requests have it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

pub(super) fn tags_of(list: Option<Vec<Tag>>) -> Tags {
    list.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateWorkGroup {
    name: String,
    configuration: Option<Configuration>,
    description: Option<String>,
    tags: Option<Vec<Tag>>,
}

impl Input for CreateWorkGroup {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.name))
    }
}

pub(super) async fn create(athena: Athena, call: Call, input: CreateWorkGroup) -> Result<Done> {
    check_name(&input.name)?;
    let configuration = input.configuration.unwrap_or_default();
    configuration.check(call.caller.account.as_str())?;
    let group = WorkGroup { description: input.description, is_disabled: false, configuration };
    let tags = tags_of(input.tags);
    tags::check(&tags)?;
    let is_new =
        input.name != PRIMARY_WORKGROUP && athena.documents.create(KIND, &input.name, &group).await?;
    if !is_new {
        return Err(Error::already_exists(format!("WorkGroup {} is already created", input.name)));
    }
    tags::add(&athena.documents, &arn(&call, &input.name), tags).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetWorkGroup {
    work_group: String,
}

impl Input for GetWorkGroup {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.work_group))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotWorkGroup {
    work_group: Shown,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    name: String,
    state: &'static str,
    configuration: Configuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(serialize_with = "epoch")]
    creation_time: DateTime<Utc>,
}

fn state(group: &WorkGroup) -> &'static str {
    if group.is_disabled { "DISABLED" } else { "ENABLED" }
}

pub(super) async fn get(athena: Athena, input: GetWorkGroup) -> Result<GotWorkGroup> {
    let (group, created) = athena.workgroup(&input.work_group).await?;
    let work_group = Shown {
        name: input.work_group,
        state: state(&group),
        description: group.description,
        configuration: group.configuration,
        creation_time: created,
    };
    Ok(GotWorkGroup { work_group })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteWorkGroup {
    work_group: String,
    #[serde(default)]
    recursive_delete_option: bool,
}

impl Input for DeleteWorkGroup {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.work_group))
    }
}

pub(super) async fn delete(athena: Athena, call: Call, input: DeleteWorkGroup) -> Result<Done> {
    let name = input.work_group;
    if name == PRIMARY_WORKGROUP {
        return Err(Error::invalid("the workgroup primary cannot be deleted"));
    }
    athena.workgroup(&name).await?;
    let queries = super::named::of_workgroup(&athena, &name).await?;
    let statements = athena.rooms.engine.list_prepared(&name, None, 1000).await?;
    let is_empty = queries.is_empty() && statements.is_empty();
    if !is_empty && !input.recursive_delete_option {
        return Err(Error::invalid(format!("WorkGroup {name} is not empty"))
            .why(format!(
                "it has {} named queries and {} prepared statements",
                queries.len(),
                statements.len()
            ))
            .hint("delete them first, or set RecursiveDeleteOption"));
    }
    for query in queries {
        super::named::forget(&athena, &query.name).await?;
    }
    for statement in statements {
        athena.rooms.engine.delete_prepared(&name, &statement.name).await?;
    }
    athena.documents.delete(KIND, &name).await?;
    tags::forget(&athena.documents, &arn(&call, &name)).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WorkGroups {
    work_groups: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    name: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(serialize_with = "epoch")]
    creation_time: DateTime<Utc>,
    engine_version: EngineVersion,
}

pub(super) async fn list(athena: Athena, input: Listing) -> Result<WorkGroups> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let mut kept = athena.documents.list::<WorkGroup>(KIND, after.as_deref(), most + 1).await?;
    let mut groups: Vec<(String, WorkGroup, DateTime<Utc>)> =
        kept.drain(..).map(|kept| (kept.name, kept.body, kept.created)).collect();
    let is_listed = groups.iter().any(|(name, ..)| name == PRIMARY_WORKGROUP);
    let is_behind = after.as_deref().is_none_or(|after| after < PRIMARY_WORKGROUP);
    if !is_listed && is_behind && athena.documents.get::<WorkGroup>(KIND, PRIMARY_WORKGROUP).await?.is_none()
    {
        groups.push((PRIMARY_WORKGROUP.to_owned(), WorkGroup::default(), DateTime::default()));
        groups.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let next_token = (groups.len() > most).then(|| write_token(&groups[most - 1].0));
    groups.truncate(most);
    let work_groups = groups
        .into_iter()
        .map(|(name, group, creation_time)| Summary {
            name,
            state: state(&group),
            description: group.description,
            creation_time,
            engine_version: EngineVersion::auto(),
        })
        .collect();
    Ok(WorkGroups { work_groups, next_token })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EngineVersions {
    engine_versions: Vec<EngineVersion>,
}

pub(super) async fn engine_versions(_: Athena, _: Listing) -> Result<EngineVersions> {
    let named = EngineVersion {
        selected_engine_version: Some(ENGINE_VERSION.to_owned()),
        effective_engine_version: Some(ENGINE_VERSION.to_owned()),
    };
    Ok(EngineVersions { engine_versions: vec![EngineVersion::auto(), named] })
}
