//! Tags of streams, which the log keeps, and of consumers, which the door keeps.

use super::naming::{StreamRef, is_consumer, resource_of};
use super::shapes::limit;
use super::{Done, Kinesis};
use crate::json::{Call, Input};
use crate::tags::{self, Tags};
use model::Result;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AddToStream {
    #[serde(flatten)]
    stream: StreamRef,
    tags: Tags,
}

impl Input for AddToStream {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

impl Kinesis {
    async fn change_tags(
        &self,
        stream: &str,
        change: impl FnOnce(&mut Tags) + Send + 'static,
    ) -> Result<Done> {
        let change = move |settings: &mut ::streams::StreamSettings| {
            change(&mut settings.tags);
            tags::check(&settings.tags)
        };
        self.log.change_stream(stream, Box::new(change)).await?;
        Ok(Done {})
    }
}

pub(super) async fn add_to_stream(kinesis: Kinesis, call: Call, input: AddToStream) -> Result<Done> {
    let stream = input.stream.name(&call)?;
    kinesis.change_tags(&stream, move |tags| tags.extend(input.tags)).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RemoveFromStream {
    #[serde(flatten)]
    stream: StreamRef,
    tag_keys: Vec<String>,
}

impl Input for RemoveFromStream {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

pub(super) async fn remove_from_stream(
    kinesis: Kinesis,
    call: Call,
    input: RemoveFromStream,
) -> Result<Done> {
    let stream = input.stream.name(&call)?;
    kinesis.change_tags(&stream, move |tags| tags.retain(|key, _| !input.tag_keys.contains(key))).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOfStream {
    #[serde(flatten)]
    stream: StreamRef,
    exclusive_start_tag_key: Option<String>,
    limit: Option<i64>,
}

impl Input for ListOfStream {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

fn shown(tags: Tags) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedOfStream {
    tags: Vec<Tag>,
    has_more_tags: bool,
}

pub(super) async fn of_stream(kinesis: Kinesis, call: Call, input: ListOfStream) -> Result<ListedOfStream> {
    let most = limit("Limit", input.limit, 50, 50)?;
    let stream = kinesis.log.stream(&input.stream.name(&call)?).await?;
    let mut tags = shown(stream.settings.tags);
    tags.retain(|tag| input.exclusive_start_tag_key.as_ref().is_none_or(|after| tag.key > *after));
    let has_more_tags = tags.len() > most;
    tags.truncate(most);
    Ok(ListedOfStream { tags, has_more_tags })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Add {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: Tags,
}

impl Input for Add {
    fn resources(&self) -> Vec<String> {
        resource_of(&self.resource_arn)
    }
}

/// What a resource's ARN names.
enum Tagged {
    Stream(String),
    /// By the ARN that the log gives it.
    Consumer(String),
}

impl Kinesis {
    async fn tagged(&self, call: &Call, arn: &str) -> Result<Tagged> {
        if is_consumer(arn) {
            let (_, consumer) = self.consumer_by_arn(call, arn).await?;
            return Ok(Tagged::Consumer(consumer.arn.to_string()));
        }
        let named = StreamRef { stream_arn: Some(arn.to_owned()), ..StreamRef::default() };
        Ok(Tagged::Stream(named.name(call)?))
    }
}

pub(super) async fn add(kinesis: Kinesis, call: Call, input: Add) -> Result<Done> {
    match kinesis.tagged(&call, &input.resource_arn).await? {
        Tagged::Stream(stream) => kinesis.change_tags(&stream, move |tags| tags.extend(input.tags)).await,
        Tagged::Consumer(arn) => tags::add(&kinesis.documents, &arn, input.tags).await.map(|()| Done {}),
    }
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
        resource_of(&self.resource_arn)
    }
}

pub(super) async fn remove(kinesis: Kinesis, call: Call, input: Remove) -> Result<Done> {
    match kinesis.tagged(&call, &input.resource_arn).await? {
        Tagged::Stream(stream) => {
            kinesis
                .change_tags(&stream, move |tags| tags.retain(|key, _| !input.tag_keys.contains(key)))
                .await
        }
        Tagged::Consumer(arn) => {
            tags::remove(&kinesis.documents, &arn, &input.tag_keys).await.map(|()| Done {})
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOf {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

impl Input for ListOf {
    fn resources(&self) -> Vec<String> {
        resource_of(&self.resource_arn)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    tags: Vec<Tag>,
}

pub(super) async fn of(kinesis: Kinesis, call: Call, input: ListOf) -> Result<Listed> {
    let tags = match kinesis.tagged(&call, &input.resource_arn).await? {
        Tagged::Stream(stream) => kinesis.log.stream(&stream).await?.settings.tags,
        Tagged::Consumer(arn) => tags::of(&kinesis.documents, &arn).await?,
    };
    Ok(Listed { tags: shown(tags) })
}
