//! Tags of applications.

use super::applications::Tag;
use super::{Analytics, Done};
use crate::json::{Call, Input};
use crate::tags;
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// Under which name the tags of an application are kept: the same for all regions.
pub(super) fn key(name: &str) -> String {
    format!("arn:aws:kinesisanalytics:::application/{name}")
}

fn rest(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}

impl Analytics {
    /// The tags' key of the application that an ARN names.
    async fn tagged(&self, call: &Call, arn: &str) -> Result<String> {
        let missing = || Error::not_found(format!("there is no application `{arn}` here"));
        let mut parts = arn.split(':');
        let (service, account) = (parts.nth(2), parts.nth(1));
        let is_ours = service == Some("kinesisanalytics") && account == Some(call.caller.account.as_str());
        let name = rest(arn).strip_prefix("application/").filter(|_| is_ours).ok_or_else(missing)?;
        self.apps.get(name).await?;
        Ok(key(name))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Add {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: Vec<Tag>,
}

impl Input for Add {
    fn resources(&self) -> Vec<String> {
        vec![rest(&self.resource_arn).to_owned()]
    }
}

pub(super) async fn tag(analytics: Analytics, call: Call, input: Add) -> Result<Done> {
    let key = analytics.tagged(&call, &input.resource_arn).await?;
    let tags = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    tags::add(&analytics.documents, &key, tags).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Remove {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tag_keys: Vec<String>,
}

impl Input for Remove {
    fn resources(&self) -> Vec<String> {
        vec![rest(&self.resource_arn).to_owned()]
    }
}

pub(super) async fn untag(analytics: Analytics, call: Call, input: Remove) -> Result<Done> {
    let key = analytics.tagged(&call, &input.resource_arn).await?;
    tags::remove(&analytics.documents, &key, &input.tag_keys).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

impl Input for List {
    fn resources(&self) -> Vec<String> {
        vec![rest(&self.resource_arn).to_owned()]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    key: String,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    tags: Vec<Shown>,
}

pub(super) async fn list(analytics: Analytics, call: Call, input: List) -> Result<Listed> {
    let key = analytics.tagged(&call, &input.resource_arn).await?;
    let tags = tags::of(&analytics.documents, &key).await?;
    Ok(Listed { tags: tags.into_iter().map(|(key, value)| Shown { key, value }).collect() })
}
