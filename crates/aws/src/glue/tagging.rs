//! Tags of Glue's crawlers, jobs, connections and databases.

use super::Glue;
use super::databases::Done;
use super::shapes::name;
use crate::json::{Call, Input};
use crate::tags::{self, Tags};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagResource {
    resource_arn: String,
    tags_to_add: Tags,
}

impl Input for TagResource {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagResource {
    resource_arn: String,
    tags_to_remove: Vec<String>,
}

impl Input for UntagResource {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTags {
    resource_arn: String,
}

impl Input for GetTags {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Glue {
    /// Checks that the caller may, and that there is such a thing.
    async fn tagged(&self, call: &Call, operation: &str, arn: &str) -> Result<()> {
        call.may(&format!("glue:{operation}"), arn)?;
        let missing = || Error::not_found(format!("there is no resource `{arn}` here"));
        let own = call.arn("glue", "");
        let rest = arn.strip_prefix(own.as_str()).ok_or_else(missing)?;
        match rest.split_once('/') {
            Some(("crawler", name)) => self.rooms.crawlers.get_crawler(name).await.map(|_| ()),
            Some(("job", name)) => self.rooms.jobs.get(name).await.map(|_| ()),
            Some(("connection", name)) => self.rooms.catalog.get_connection(name).await.map(|_| ()),
            Some(("database", text)) => {
                self.rooms.catalog.get_database(&name("ResourceArn", text)?).await.map(|_| ())
            }
            _ => Err(missing()),
        }
    }
}

pub(super) async fn tag(glue: Glue, call: Call, input: TagResource) -> Result<Done> {
    glue.tagged(&call, "TagResource", &input.resource_arn).await?;
    tags::add(&glue.documents, &input.resource_arn, input.tags_to_add).await?;
    Ok(Done {})
}

pub(super) async fn untag(glue: Glue, call: Call, input: UntagResource) -> Result<Done> {
    glue.tagged(&call, "UntagResource", &input.resource_arn).await?;
    tags::remove(&glue.documents, &input.resource_arn, &input.tags_to_remove).await?;
    Ok(Done {})
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    tags: Tags,
}

pub(super) async fn get(glue: Glue, call: Call, input: GetTags) -> Result<Got> {
    glue.tagged(&call, "GetTags", &input.resource_arn).await?;
    Ok(Got { tags: tags::of(&glue.documents, &input.resource_arn).await? })
}
