//! Settings that clients of Glue store: security configurations, the catalog's resource policy. They are kept as they
//! were given. Who may do what here is said by the policies of access keys; a resource policy is refused if it says
//! that others may, which it could not bring about.

use super::Glue;
use super::databases::Done;
use super::shapes::{limit, refuse};
use crate::json::{Answered, Failed, Input, epoch, token};
use crate::page::write_token;
use crate::signature::hex_sha256;
use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const SECURITY: &str = "glue.security-configuration";
const POLICY: &str = "glue.resource-policy";
const MAX_RESULTS: usize = 1000;
/// The policy of the catalog, which is the one that there is.
const OF_CATALOG: &str = "catalog";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateSecurity {
    name: String,
    encryption_configuration: Value,
}

impl Input for CreateSecurity {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    name: String,
    #[serde(serialize_with = "epoch")]
    created_timestamp: DateTime<Utc>,
}

pub(super) async fn create_security(glue: Glue, input: CreateSecurity) -> Result<Created> {
    if input.name.is_empty() || input.name.chars().count() > 255 {
        return Err(Error::invalid("a security configuration's Name has 1 to 255 characters"));
    }
    if !glue.documents.create(SECURITY, &input.name, &input.encryption_configuration).await? {
        return Err(Error::already_exists(format!(
            "there is a security configuration `{}` already",
            input.name
        )));
    }
    Ok(Created { name: input.name, created_timestamp: glue.rooms.clock.now() })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneSecurity {
    name: String,
}

impl Input for OneSecurity {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Security {
    name: String,
    #[serde(rename = "CreatedTimeStamp", serialize_with = "epoch")]
    created: DateTime<Utc>,
    encryption_configuration: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotSecurity {
    security_configuration: Security,
}

fn no_security(name: &str) -> Error {
    Error::not_found(format!("there is no security configuration `{name}`"))
}

pub(super) async fn get_security(glue: Glue, input: OneSecurity) -> Result<GotSecurity> {
    let kept = glue.documents.get::<Value>(SECURITY, &input.name).await?;
    let kept = kept.ok_or_else(|| no_security(&input.name))?;
    let security_configuration =
        Security { name: kept.name, created: kept.created, encryption_configuration: kept.body };
    Ok(GotSecurity { security_configuration })
}

pub(super) async fn delete_security(glue: Glue, input: OneSecurity) -> Result<Done> {
    match glue.documents.delete(SECURITY, &input.name).await? {
        true => Ok(Done {}),
        false => Err(no_security(&input.name)),
    }
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
pub(super) struct Securities {
    security_configurations: Vec<Security>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list_security(glue: Glue, input: Listing) -> Result<Securities> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let kept = glue.documents.list::<Value>(SECURITY, after.as_deref(), most + 1).await?;
    let next_token = (kept.len() > most).then(|| write_token(&kept[most - 1].name));
    let security_configurations = kept
        .into_iter()
        .take(most)
        .map(|kept| Security { name: kept.name, created: kept.created, encryption_configuration: kept.body })
        .collect();
    Ok(Securities { security_configurations, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutPolicy {
    policy_in_json: String,
    resource_arn: Option<String>,
    policy_hash_condition: Option<String>,
    policy_exists_condition: Option<String>,
    enable_hybrid: Option<String>,
}

impl Input for PutPolicy {
    fn resources(&self) -> Vec<String> {
        vec!["catalog".to_owned()]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Hash {
    policy_hash: String,
}

fn hash(text: &str) -> String {
    hex_sha256(text.as_bytes())
}

fn unmet(what: &str) -> Failed {
    Failed::coded("ConditionCheckFailureException", Error::conflict(what.to_owned()))
}

pub(super) async fn put_policy(glue: Glue, input: PutPolicy) -> Answered<Hash> {
    refuse("ResourceArn", input.resource_arn.is_some())?;
    refuse("EnableHybrid", input.enable_hybrid.as_deref() == Some("TRUE"))?;
    if serde_json::from_str::<Value>(&input.policy_in_json).is_ok_and(|it| it.get("Statement").is_some()) {
        let kept = glue.documents.get::<String>(POLICY, OF_CATALOG).await?;
        match (input.policy_exists_condition.as_deref(), &kept) {
            (Some("MUST_EXIST"), None) => return Err(unmet("there is no resource policy")),
            (Some("NOT_EXIST"), Some(_)) => return Err(unmet("there is a resource policy already")),
            _ => {}
        }
        check_hash(kept.as_ref().map(|kept| kept.body.as_str()), input.policy_hash_condition.as_deref())?;
        let new = input.policy_in_json;
        if !glue.documents.create(POLICY, OF_CATALOG, &new).await? {
            let set = |text: &mut String| {
                text.clone_from(&new);
                Ok(())
            };
            glue.documents.change(POLICY, OF_CATALOG, set).await?;
        }
        return Ok(Hash { policy_hash: hash(&new) });
    }
    Err(Error::invalid("PolicyInJson is no policy: a JSON object with Version and Statement").into())
}

fn check_hash(kept: Option<&str>, wanted: Option<&str>) -> Answered<()> {
    match (kept, wanted) {
        (_, None) => Ok(()),
        (Some(kept), Some(wanted)) if hash(kept) == wanted => Ok(()),
        _ => Err(unmet("the resource policy has another hash")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OnePolicy {
    resource_arn: Option<String>,
    policy_hash_condition: Option<String>,
}

impl Input for OnePolicy {
    fn resources(&self) -> Vec<String> {
        vec!["catalog".to_owned()]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policy {
    policy_in_json: String,
    policy_hash: String,
    #[serde(serialize_with = "epoch")]
    create_time: DateTime<Utc>,
    #[serde(serialize_with = "epoch")]
    update_time: DateTime<Utc>,
}

async fn policy(glue: &Glue) -> Result<Option<Policy>> {
    let kept = glue.documents.get::<String>(POLICY, OF_CATALOG).await?;
    Ok(kept.map(|kept| Policy {
        policy_hash: hash(&kept.body),
        policy_in_json: kept.body,
        create_time: kept.created,
        update_time: kept.updated,
    }))
}

pub(super) async fn get_policy(glue: Glue, input: OnePolicy) -> Result<Policy> {
    refuse("ResourceArn", input.resource_arn.is_some())?;
    policy(&glue).await?.ok_or_else(|| Error::not_found("Policy not found"))
}

pub(super) async fn delete_policy(glue: Glue, input: OnePolicy) -> Answered<Done> {
    refuse("ResourceArn", input.resource_arn.is_some())?;
    let kept = glue.documents.get::<String>(POLICY, OF_CATALOG).await?;
    let kept = kept.ok_or_else(|| Error::not_found("Policy not found"))?;
    check_hash(Some(&kept.body), input.policy_hash_condition.as_deref())?;
    glue.documents.delete(POLICY, OF_CATALOG).await?;
    Ok(Done {})
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policies {
    #[serde(rename = "GetResourcePoliciesResponseList")]
    list: Vec<Policy>,
}

pub(super) async fn list_policies(glue: Glue, _: Listing) -> Result<Policies> {
    Ok(Policies { list: policy(&glue).await?.into_iter().collect() })
}
