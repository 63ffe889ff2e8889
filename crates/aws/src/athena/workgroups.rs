//! Workgroups: where results go and what a query may read, for all queries that name the group.

use super::{Athena, Done, limit, of_workgroup};
use crate::json::{Call, Input, epoch, token};
use crate::page::write_token;
use crate::tags::{self, Tags};
use chrono::{DateTime, Utc};
use engine::PRIMARY_WORKGROUP;
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const KIND: &str = "athena.workgroup";
const MAX_RESULTS: usize = 50;
/// Athena's least limit for the bytes of a query.
const LEAST_CUTOFF: i64 = 10_000_000;
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

/// What a workgroup says of its queries.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Configuration {
    pub(super) result_configuration: ResultConfiguration,
    pub(super) enforce_work_group_configuration: Option<bool>,
    publish_cloud_watch_metrics_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes_scanned_cutoff_per_query: Option<i64>,
    requester_pays_enabled: Option<bool>,
    engine_version: Option<EngineVersion>,
    #[serde(skip_serializing)]
    managed_query_results_configuration: Option<Value>,
    #[serde(skip_serializing)]
    execution_role: Option<Value>,
    #[serde(skip_serializing)]
    additional_configuration: Option<Value>,
    #[serde(skip_serializing)]
    customer_content_encryption_configuration: Option<Value>,
    #[serde(skip_serializing)]
    identity_center_configuration: Option<Value>,
    #[serde(rename = "QueryResultsS3AccessGrantsConfiguration", skip_serializing)]
    grants: Option<Value>,
    #[serde(skip_serializing)]
    monitoring_configuration: Option<Value>,
    #[serde(skip_serializing)]
    engine_configuration: Option<Value>,
}

/// Where results go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ResultConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_configuration: Option<Encryption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_bucket_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acl_configuration: Option<Acl>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encryption {
    encryption_option: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Acl {
    #[serde(rename = "S3AclOption")]
    option: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EngineVersion {
    pub(super) selected_engine_version: Option<String>,
    pub(super) effective_engine_version: Option<String>,
}

impl EngineVersion {
    pub(super) fn auto() -> Self {
        Self {
            selected_engine_version: Some("AUTO".to_owned()),
            effective_engine_version: Some(ENGINE_VERSION.to_owned()),
        }
    }
}

impl ResultConfiguration {
    /// Refuses what is not done here.
    pub(super) fn check(&self, account: &str) -> Result<()> {
        if let Some(encryption) = &self.encryption_configuration
            && encryption.encryption_option != "SSE_S3"
        {
            return Err(Error::unsupported(format!(
                "EncryptionOption {} is not supported here",
                encryption.encryption_option
            ))
            .hint("leave EncryptionConfiguration away, or write SSE_S3"));
        }
        if let Some(owner) = self.expected_bucket_owner.as_deref().filter(|owner| *owner != account) {
            return Err(Error::invalid(format!("the buckets here belong to {account}, not to {owner}")));
        }
        if let Some(location) = &self.output_location {
            location.parse::<model::LakeUri>().map_err(|e| e.context("OutputLocation"))?;
        }
        Ok(())
    }
}

impl Configuration {
    fn check(&self, account: &str) -> Result<()> {
        self.result_configuration.check(account)?;
        let is_on = |value: &Option<Value>, switch: &str| {
            value.as_ref().is_some_and(|value| value.get(switch).and_then(Value::as_bool) == Some(true))
        };
        let is_set = |value: &Option<Value>| value.as_ref().is_some_and(|value| !value.is_null());
        for (name, refused) in [
            ("ManagedQueryResultsConfiguration", is_on(&self.managed_query_results_configuration, "Enabled")),
            (
                "IdentityCenterConfiguration",
                is_on(&self.identity_center_configuration, "EnableIdentityCenter"),
            ),
            ("QueryResultsS3AccessGrantsConfiguration", is_on(&self.grants, "EnableS3AccessGrants")),
            ("ExecutionRole", is_set(&self.execution_role)),
            ("AdditionalConfiguration", is_set(&self.additional_configuration)),
            (
                "CustomerContentEncryptionConfiguration",
                is_set(&self.customer_content_encryption_configuration),
            ),
            ("MonitoringConfiguration", is_set(&self.monitoring_configuration)),
            ("EngineConfiguration", is_set(&self.engine_configuration)),
        ] {
            if refused {
                return Err(Error::unsupported(format!("{name} of a workgroup is not supported here"))
                    .hint("leave it away"));
            }
        }
        if let Some(bytes) = self.bytes_scanned_cutoff_per_query.filter(|bytes| *bytes < LEAST_CUTOFF) {
            return Err(Error::invalid(format!(
                "BytesScannedCutoffPerQuery must be {LEAST_CUTOFF} at least, not {bytes}"
            )));
        }
        let selected = self.engine_version.as_ref().and_then(|it| it.selected_engine_version.as_deref());
        match selected {
            None | Some("AUTO" | ENGINE_VERSION) => Ok(()),
            Some(other) => {
                Err(Error::unsupported(format!("the engine version `{other}` is not supported here"))
                    .hint(format!("write AUTO or {ENGINE_VERSION}")))
            }
        }
    }

    /// With what holds where nothing is said.
    fn shown(mut self, is_enforced: bool) -> Self {
        self.enforce_work_group_configuration.get_or_insert(is_enforced);
        self.publish_cloud_watch_metrics_enabled.get_or_insert(false);
        self.requester_pays_enabled.get_or_insert(false);
        let selected = self.engine_version.take().and_then(|it| it.selected_engine_version);
        let auto = EngineVersion::auto();
        self.engine_version = Some(EngineVersion {
            selected_engine_version: selected.or(auto.selected_engine_version),
            effective_engine_version: auto.effective_engine_version,
        });
        self
    }
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
    let is_new =
        input.name != PRIMARY_WORKGROUP && athena.documents.create(KIND, &input.name, &group).await?;
    if !is_new {
        return Err(Error::already_exists(format!("WorkGroup {} is already created", input.name)));
    }
    tags::add(&athena.documents, &arn(&call, &input.name), tags_of(input.tags)).await?;
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
pub(super) struct UpdateWorkGroup {
    work_group: String,
    description: Option<String>,
    state: Option<String>,
    configuration_updates: Option<Updates>,
}

impl Input for UpdateWorkGroup {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.work_group))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Updates {
    #[serde(flatten)]
    configuration: Configuration,
    result_configuration_updates: ResultUpdates,
    remove_bytes_scanned_cutoff_per_query: bool,
    managed_query_results_configuration_updates: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ResultUpdates {
    #[serde(flatten)]
    configuration: ResultConfiguration,
    remove_output_location: bool,
    remove_encryption_configuration: bool,
    remove_expected_bucket_owner: bool,
    remove_acl_configuration: bool,
}

fn update_one<T>(kept: &mut Option<T>, new: Option<T>, is_removed: bool) {
    if is_removed {
        *kept = None;
    } else if new.is_some() {
        *kept = new;
    }
}

impl Updates {
    fn check(&mut self) -> Result<()> {
        self.configuration.managed_query_results_configuration =
            self.managed_query_results_configuration_updates.take();
        // The account stands in ExpectedBucketOwner alone, which is checked when a query names it.
        let account = self.result_configuration_updates.configuration.expected_bucket_owner.clone();
        self.result_configuration_updates.configuration.check(account.as_deref().unwrap_or_default())?;
        self.configuration.check("")
    }

    fn apply(&self, kept: &mut Configuration) {
        let new = self.configuration.clone();
        update_one(&mut kept.enforce_work_group_configuration, new.enforce_work_group_configuration, false);
        update_one(
            &mut kept.publish_cloud_watch_metrics_enabled,
            new.publish_cloud_watch_metrics_enabled,
            false,
        );
        update_one(&mut kept.requester_pays_enabled, new.requester_pays_enabled, false);
        update_one(&mut kept.engine_version, new.engine_version, false);
        let is_removed = self.remove_bytes_scanned_cutoff_per_query;
        update_one(&mut kept.bytes_scanned_cutoff_per_query, new.bytes_scanned_cutoff_per_query, is_removed);
        let (results, new) = (&mut kept.result_configuration, &self.result_configuration_updates);
        let said = new.configuration.clone();
        update_one(&mut results.output_location, said.output_location, new.remove_output_location);
        update_one(
            &mut results.encryption_configuration,
            said.encryption_configuration,
            new.remove_encryption_configuration,
        );
        update_one(
            &mut results.expected_bucket_owner,
            said.expected_bucket_owner,
            new.remove_expected_bucket_owner,
        );
        update_one(&mut results.acl_configuration, said.acl_configuration, new.remove_acl_configuration);
    }
}

pub(super) async fn update(athena: Athena, input: UpdateWorkGroup) -> Result<Done> {
    let name = input.work_group;
    let mut updates = input.configuration_updates.unwrap_or_default();
    updates.check()?;
    let is_disabled = match input.state.as_deref() {
        None => None,
        Some("ENABLED") => Some(false),
        Some("DISABLED") => Some(true),
        Some(other) => {
            return Err(Error::invalid(format!("`{other}` is no State: write ENABLED or DISABLED")));
        }
    };
    if name == PRIMARY_WORKGROUP {
        let first = WorkGroup {
            configuration: Configuration {
                enforce_work_group_configuration: Some(false),
                ..Configuration::default()
            },
            ..WorkGroup::default()
        };
        athena.documents.create(KIND, &name, &first).await?;
    }
    let found = athena
        .documents
        .change(KIND, &name, |group: &mut WorkGroup| {
            updates.apply(&mut group.configuration);
            update_one(&mut group.description, input.description.clone(), false);
            group.is_disabled = is_disabled.unwrap_or(group.is_disabled);
            Ok(())
        })
        .await?;
    match found {
        true => Ok(Done {}),
        false => athena.workgroup(&name).await.map(|_| Done {}),
    }
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
