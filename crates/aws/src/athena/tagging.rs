//! Tags of workgroups and data catalogs.

use super::workgroups::{Tag, tags_of};
use super::{Athena, Done};
use crate::json::{Call, Input};
use crate::tags;
use model::{Error, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
pub(super) struct TagResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

impl Input for TagResource {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct UntagResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "TagKeys")]
    keys: Vec<String>,
}

impl Input for UntagResource {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ListTags {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

impl Input for ListTags {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Athena {
    /// Checks that the caller may, and that there is such a thing.
    async fn tagged(&self, call: &Call, operation: &str, arn: &str) -> Result<()> {
        call.may(&format!("athena:{operation}"), arn)?;
        let missing = || Error::not_found(format!("there is no resource `{arn}` here"));
        let own = call.arn("athena", "");
        let rest = arn.strip_prefix(own.as_str()).ok_or_else(missing)?;
        match rest.split_once('/') {
            Some(("workgroup", name)) => self.workgroup(name).await.map(|_| ()),
            Some(("datacatalog", name)) => self.check_catalog(Some(name)).await,
            _ => Err(missing()),
        }
    }
}

pub(super) async fn tag(athena: Athena, call: Call, input: TagResource) -> Result<Done> {
    athena.tagged(&call, "TagResource", &input.arn).await?;
    tags::add(&athena.documents, &input.arn, tags_of(Some(input.tags))).await?;
    Ok(Done {})
}

pub(super) async fn untag(athena: Athena, call: Call, input: UntagResource) -> Result<Done> {
    athena.tagged(&call, "UntagResource", &input.arn).await?;
    tags::remove(&athena.documents, &input.arn, &input.keys).await?;
    Ok(Done {})
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    tags: Vec<Tag>,
}

pub(super) async fn list(athena: Athena, call: Call, input: ListTags) -> Result<Listed> {
    athena.tagged(&call, "ListTagsForResource", &input.arn).await?;
    let tags = tags::of(&athena.documents, &input.arn).await?;
    Ok(Listed { tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}
