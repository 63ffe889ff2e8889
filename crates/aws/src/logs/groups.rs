//! Groups: made, listed, deleted, and how long they keep their events.

use super::kept::{Group, NewGroup, Wanted};
use super::{Done, Logs, MAX_RESULTS, limit, names, runs};
use crate::json::{Call, Input, token};
use crate::page::write_token;
use crate::tags::{self, Tags};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// The classes that groups may have. What a class costs and leaves out on AWS makes no difference here.
const CLASSES: [&str; 2] = ["STANDARD", "INFREQUENT_ACCESS"];
/// The class of the groups of runs.
const STANDARD: &str = CLASSES[0];
/// For how many days a group may keep its events.
const RETENTIONS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// The longest id of a key.
const LONGEST_KEY: usize = 256;

fn class(asked: Option<String>) -> Result<Option<String>> {
    match asked {
        Some(class) if !CLASSES.contains(&class.as_str()) => {
            Err(Error::unsupported("this logGroupClass is not supported")
                .hint(format!("supported are {}", CLASSES.join(" and "))))
        }
        class => Ok(class),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    log_group_name: String,
    log_group_class: Option<String>,
    kms_key_id: Option<String>,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    deletion_protection_enabled: bool,
}

impl Input for Create {
    fn resources(&self) -> Vec<String> {
        names::itself(&self.log_group_name)
    }
}

pub(super) async fn create(logs: Logs, call: Call, input: Create) -> Result<Done> {
    let name = input.log_group_name.as_str();
    names::check_group("logGroupName", name)?;
    if name.starts_with("aws/") {
        return Err(Error::invalid("the name of a log group must not begin with `aws/`"));
    }
    if input.deletion_protection_enabled {
        return Err(Error::unsupported("deletionProtectionEnabled is not supported"));
    }
    let class = class(input.log_group_class)?;
    let is_wrong = |key: &String| key.chars().count() > LONGEST_KEY || key.contains('\0');
    if input.kms_key_id.as_ref().is_some_and(is_wrong) {
        return Err(Error::invalid(format!("kmsKeyId must have at most {LONGEST_KEY} characters")));
    }
    tags::check(&input.tags)?;
    if !input.tags.is_empty() {
        // Either right will do.
        call.allow("logs", "TagLogGroup", &format!("log-group:{name}:log-stream:"))
            .or_else(|_| call.allow("logs", "TagResource", &format!("log-group:{name}")))?;
    }
    let exists = || Error::already_exists("The specified log group already exists");
    if runs::group(name).is_some() {
        return Err(exists().why("it holds the logs of runs").hint("choose another name"));
    }
    let new = NewGroup {
        name,
        class: class.as_deref().unwrap_or(STANDARD),
        kms_key: input.kms_key_id.as_deref(),
        tags: &input.tags,
    };
    if logs.kept.create_group(&new).await? { Ok(Done {}) } else { Err(exists()) }
}

/// A request that names a group and says no more that is of interest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    log_group_name: String,
}

impl Input for Named {
    fn resources(&self) -> Vec<String> {
        names::whole(Some(&self.log_group_name), None)
    }
}

pub(super) async fn delete(logs: Logs, input: Named) -> Result<Done> {
    let group = logs.own(&input.log_group_name).await?;
    if logs.kept.delete_group(&group).await? { Ok(Done {}) } else { Err(super::no_group(&group.name)) }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutRetention {
    log_group_name: String,
    retention_in_days: i64,
}

impl Input for PutRetention {
    fn resources(&self) -> Vec<String> {
        names::whole(Some(&self.log_group_name), None)
    }
}

pub(super) async fn put_retention(logs: Logs, input: PutRetention) -> Result<Done> {
    if !RETENTIONS.contains(&input.retention_in_days) {
        let known: Vec<String> = RETENTIONS.iter().map(i64::to_string).collect();
        return Err(Error::invalid(format!("retentionInDays cannot be {}", input.retention_in_days))
            .hint(format!("it is one of {}", known.join(", "))));
    }
    let group = logs.own(&input.log_group_name).await?;
    logs.kept.set_retention(&group, input.retention_in_days).await?;
    Ok(Done {})
}

pub(super) async fn delete_retention(logs: Logs, input: Named) -> Result<Done> {
    let group = logs.own(&input.log_group_name).await?;
    logs.kept.set_retention(&group, 0).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    next_token: Option<String>,
    limit: Option<i64>,
}

impl Input for Describe {
    fn resources(&self) -> Vec<String> {
        vec!["log-group:*".to_owned()]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    log_groups: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    log_group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_in_days: Option<i64>,
    metric_filter_count: u32,
    arn: String,
    log_group_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    log_group_class: String,
}

impl Shown {
    fn of(call: &Call, name: &str, class: &str) -> Self {
        let log_group_arn = names::group_arn(call, name);
        Self {
            log_group_name: name.to_owned(),
            creation_time: None,
            retention_in_days: None,
            metric_filter_count: 0,
            arn: format!("{log_group_arn}:*"),
            log_group_arn,
            stored_bytes: None,
            kms_key_id: None,
            log_group_class: class.to_owned(),
        }
    }

    fn kept(call: &Call, group: Group, bytes: i64) -> Self {
        Self {
            creation_time: Some(group.created),
            retention_in_days: Some(group.retention).filter(|days| *days > 0),
            stored_bytes: Some(bytes.max(0)),
            kms_key_id: group.kms_key,
            ..Self::of(call, &group.name, &group.class)
        }
    }
}

fn wanted(call: &Call, input: &Describe) -> Result<Wanted> {
    let (prefix, part) = (&input.log_group_name_prefix, &input.log_group_name_pattern);
    if prefix.is_some() && part.is_some() {
        return Err(Error::invalid("logGroupNamePrefix and logGroupNamePattern exclude each other"));
    }
    if let Some(prefix) = prefix {
        names::check_group("logGroupNamePrefix", prefix)?;
    }
    if let Some(part) = part.as_deref().filter(|part| !part.is_empty()) {
        names::check_group("logGroupNamePattern", part)?;
    }
    let names = match &input.log_group_identifiers {
        None => None,
        Some(list) if !(1..=MAX_RESULTS).contains(&list.len()) => {
            return Err(Error::invalid(format!("logGroupIdentifiers has 1 to {MAX_RESULTS} members")));
        }
        Some(list) => {
            let named = |one: &String| names::named(call, None, Some(one.as_str()));
            Some(list.iter().map(named).collect::<Result<Vec<_>>>()?)
        }
    };
    let class = class(input.log_group_class.clone())?;
    Ok(Wanted { prefix: prefix.clone(), part: part.clone(), class, names })
}

pub(super) async fn describe(logs: Logs, call: Call, input: Describe) -> Result<Described> {
    let most = limit(input.limit, MAX_RESULTS, MAX_RESULTS)?;
    let wanted = wanted(&call, &input)?;
    let after = token(input.next_token.as_deref())?;
    if let Some(after) = &after {
        names::check_group("the group in nextToken", after)?;
    }
    // One more than wanted tells whether there is another page.
    let kept = logs.kept.groups(&wanted, after.as_deref(), most + 1).await?;
    let mut shown: Vec<Shown> =
        kept.into_iter().map(|(group, bytes)| Shown::kept(&call, group, bytes)).collect();
    let of_runs = runs::GROUPS
        .iter()
        .map(|group| group.name)
        .filter(|name| wanted.fits(name, STANDARD) && after.as_deref().is_none_or(|after| *name > after));
    shown.extend(of_runs.map(|name| Shown::of(&call, name, STANDARD)));
    shown.sort_by(|a, b| a.log_group_name.cmp(&b.log_group_name));
    let next_token = (shown.len() > most).then(|| write_token(&shown[most - 1].log_group_name));
    shown.truncate(most);
    Ok(Described { log_groups: shown, next_token })
}
