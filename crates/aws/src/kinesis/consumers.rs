//! Registered consumers.

use super::naming::{ConsumerRef, StreamRef, consumer_arn};
use super::shapes::limit;
use super::{Done, Kinesis};
use crate::json::{Call, Input, Moment};
use crate::page::{read_token, write_token};
use crate::tags::{self, Tags};
use ::streams::Consumer as OurConsumer;
use model::{Error, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Register {
    #[serde(flatten)]
    stream: StreamRef,
    consumer_name: String,
    #[serde(default)]
    tags: Tags,
}

impl Input for Register {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Consumer {
    consumer_name: String,
    #[serde(rename = "ConsumerARN")]
    consumer_arn: String,
    consumer_status: &'static str,
    consumer_creation_timestamp: Moment,
    #[serde(rename = "StreamARN", skip_serializing_if = "Option::is_none")]
    stream_arn: Option<String>,
}

impl Consumer {
    fn of(call: &Call, consumer: &OurConsumer) -> Self {
        Self {
            consumer_arn: consumer_arn(call, consumer),
            consumer_name: consumer.name.clone(),
            consumer_status: "ACTIVE",
            consumer_creation_timestamp: Moment(consumer.created),
            stream_arn: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Registered {
    consumer: Consumer,
}

pub(super) async fn register(kinesis: Kinesis, call: Call, input: Register) -> Result<Registered> {
    tags::check(&input.tags)?;
    let stream = input.stream.name(&call)?;
    let consumer = kinesis.log.register_consumer(&stream, &input.consumer_name).await?;
    tags::add(&kinesis.documents, &consumer.arn.to_string(), input.tags).await?;
    Ok(Registered { consumer: Consumer::of(&call, &consumer) })
}

impl Input for ConsumerRef {
    fn resources(&self) -> Vec<String> {
        ConsumerRef::resources(self)
    }
}

pub(super) async fn deregister(kinesis: Kinesis, call: Call, input: ConsumerRef) -> Result<Done> {
    let (stream, consumer) = input.find(&kinesis, &call).await?;
    kinesis.log.deregister_consumer(&stream, &consumer.name).await?;
    kinesis.subscriptions.end(&consumer.arn.resource);
    tags::forget(&kinesis.documents, &consumer.arn.to_string()).await?;
    Ok(Done {})
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    consumer_description: Consumer,
}

pub(super) async fn describe(kinesis: Kinesis, call: Call, input: ConsumerRef) -> Result<Described> {
    let (stream, consumer) = input.find(&kinesis, &call).await?;
    let stream_arn = Some(call.arn("kinesis", &format!("stream/{stream}")));
    Ok(Described { consumer_description: Consumer { stream_arn, ..Consumer::of(&call, &consumer) } })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    #[serde(flatten)]
    stream: StreamRef,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for List {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    consumers: Vec<Consumer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(kinesis: Kinesis, call: Call, input: List) -> Result<Listed> {
    let most = limit("MaxResults", input.max_results, 100, 10_000)?;
    let stream = input.stream.name(&call)?;
    let after = match &input.next_token {
        None => None,
        Some(token) => match read_token(token) {
            Some(after) => Some(after),
            None => return Err(Error::invalid("NextToken is not one of this server")),
        },
    };
    let mut all = kinesis.log.list_consumers(&stream).await?;
    all.retain(|consumer| after.as_ref().is_none_or(|after| consumer.name > *after));
    let next_token = (all.len() > most).then(|| write_token(&all[most - 1].name));
    all.truncate(most);
    Ok(Listed { consumers: all.iter().map(|consumer| Consumer::of(&call, consumer)).collect(), next_token })
}
