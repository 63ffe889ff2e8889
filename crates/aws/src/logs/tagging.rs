//! Tags of groups, by ARN and, as it was done before, by name. They are kept with their group and go with it.

use super::{Done, Found, Logs, names};
use crate::json::{Call, Input};
use crate::tags::{self, Tags};
use model::Result;
use serde::{Deserialize, Serialize};

impl Logs {
    async fn add_tags(&self, name: &str, added: Tags) -> Result<Done> {
        let group = self.own(name).await?;
        let change = |tags: &mut Tags| {
            tags.extend(added);
            tags::check(tags)
        };
        self.kept.change_tags(&group, change).await?;
        Ok(Done {})
    }

    async fn remove_tags(&self, name: &str, keys: &[String]) -> Result<Done> {
        let group = self.own(name).await?;
        let change = |tags: &mut Tags| {
            tags.retain(|key, _| !keys.contains(key));
            Ok(())
        };
        self.kept.change_tags(&group, change).await?;
        Ok(Done {})
    }

    /// The groups of runs have none.
    async fn tags_of(&self, name: &str) -> Result<Listed> {
        let tags = match self.find(name).await? {
            Found::Runs(_) => Tags::new(),
            Found::Kept(group) => self.kept.tags(&group).await?,
        };
        Ok(Listed { tags })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tag {
    resource_arn: String,
    tags: Tags,
}

impl Input for Tag {
    fn resources(&self) -> Vec<String> {
        names::by_arn(&self.resource_arn)
    }
}

pub(super) async fn tag(logs: Logs, call: Call, input: Tag) -> Result<Done> {
    logs.add_tags(names::of_arn(&call, &input.resource_arn)?, input.tags).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Untag {
    resource_arn: String,
    tag_keys: Vec<String>,
}

impl Input for Untag {
    fn resources(&self) -> Vec<String> {
        names::by_arn(&self.resource_arn)
    }
}

pub(super) async fn untag(logs: Logs, call: Call, input: Untag) -> Result<Done> {
    logs.remove_tags(names::of_arn(&call, &input.resource_arn)?, &input.tag_keys).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    resource_arn: String,
}

impl Input for List {
    fn resources(&self) -> Vec<String> {
        names::by_arn(&self.resource_arn)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    tags: Tags,
}

pub(super) async fn list(logs: Logs, call: Call, input: List) -> Result<Listed> {
    logs.tags_of(names::of_arn(&call, &input.resource_arn)?).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagGroup {
    log_group_name: String,
    tags: Tags,
}

impl Input for TagGroup {
    fn resources(&self) -> Vec<String> {
        names::itself(&self.log_group_name)
    }
}

pub(super) async fn tag_group(logs: Logs, input: TagGroup) -> Result<Done> {
    logs.add_tags(&input.log_group_name, input.tags).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagGroup {
    log_group_name: String,
    /// The keys.
    tags: Vec<String>,
}

impl Input for UntagGroup {
    fn resources(&self) -> Vec<String> {
        names::itself(&self.log_group_name)
    }
}

pub(super) async fn untag_group(logs: Logs, input: UntagGroup) -> Result<Done> {
    logs.remove_tags(&input.log_group_name, &input.tags).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListOfGroup {
    log_group_name: String,
}

impl Input for ListOfGroup {
    fn resources(&self) -> Vec<String> {
        names::itself(&self.log_group_name)
    }
}

pub(super) async fn list_of_group(logs: Logs, input: ListOfGroup) -> Result<Listed> {
    logs.tags_of(&input.log_group_name).await
}
