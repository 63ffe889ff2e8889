//! Tags of delivery streams.

use super::{Done, Firehose, resource};
use crate::json::{Call, Input};
use crate::tags::{self, Tags};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// Firehose's largest page.
const MOST: usize = 50;

/// A tag.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// Tags by their keys.
pub(super) fn tags_of(list: Vec<Tag>) -> Tags {
    list.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagStream {
    delivery_stream_name: String,
    tags: Vec<Tag>,
}

impl Input for TagStream {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

impl Firehose {
    /// The ARN of a delivery stream that is there.
    async fn tagged(&self, call: &Call, name: &str) -> Result<String> {
        self.rooms.deliveries.get(name).await?;
        Ok(call.arn("firehose", &resource(name)))
    }
}

pub(super) async fn tag(firehose: Firehose, call: Call, input: TagStream) -> Result<Done> {
    let arn = firehose.tagged(&call, &input.delivery_stream_name).await?;
    tags::add(&firehose.documents, &arn, tags_of(input.tags)).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagStream {
    delivery_stream_name: String,
    tag_keys: Vec<String>,
}

impl Input for UntagStream {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

pub(super) async fn untag(firehose: Firehose, call: Call, input: UntagStream) -> Result<Done> {
    let arn = firehose.tagged(&call, &input.delivery_stream_name).await?;
    tags::remove(&firehose.documents, &arn, &input.tag_keys).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListTags {
    delivery_stream_name: String,
    exclusive_start_tag_key: Option<String>,
    limit: Option<i64>,
}

impl Input for ListTags {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    tags: Vec<Tag>,
    has_more_tags: bool,
}

pub(super) async fn list(firehose: Firehose, call: Call, input: ListTags) -> Result<Listed> {
    let limit = match input.limit.map(usize::try_from) {
        None => MOST,
        Some(Ok(limit)) if (1..=MOST).contains(&limit) => limit,
        Some(_) => return Err(Error::invalid(format!("Limit must be from 1 to {MOST}"))),
    };
    let arn = firehose.tagged(&call, &input.delivery_stream_name).await?;
    let after = input.exclusive_start_tag_key.unwrap_or_default();
    let all = tags::of(&firehose.documents, &arn).await?.into_iter().filter(|(key, _)| *key > after);
    let mut tags: Vec<Tag> = all.map(|(key, value)| Tag { key, value }).take(limit + 1).collect();
    let has_more_tags = tags.len() > limit;
    tags.truncate(limit);
    Ok(Listed { tags, has_more_tags })
}
