//! How requests name streams and consumers, and how answers do.

use super::Kinesis;
use crate::json::Call;
use ::streams::{Consumer, Stream};
use model::{Error, Result};
use serde::Deserialize;

/// How a request names its stream: by name, by ARN, or by both, which then must be the same.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StreamRef {
    pub(super) stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    pub(super) stream_arn: Option<String>,
    pub(super) stream_id: Option<String>,
}

/// The part behind the account of an ARN of Kinesis, and the account.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (start, _, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, account) = (parts.next()?, parts.next()?);
    (start == "arn" && service == "kinesis").then_some((account, parts.next()?))
}

fn own<'a>(call: &Call, arn: &'a str) -> Result<&'a str> {
    match parts(arn) {
        Some((account, rest)) if account == call.caller.account.as_str() => Ok(rest),
        Some((account, _)) => Err(Error::not_found(format!("there is no `{arn}` here"))
            .why(format!("this is the account {}, not {account}", call.caller.account))),
        None => Err(Error::invalid(format!("`{arn}` is no ARN of Kinesis"))),
    }
}

fn stream_of(rest: &str) -> Option<&str> {
    rest.strip_prefix("stream/").filter(|name| !name.is_empty())
}

impl StreamRef {
    /// The stream's name.
    pub(super) fn name(&self, call: &Call) -> Result<String> {
        if self.stream_id.is_some() {
            return Err(Error::unsupported("StreamId is not supported here")
                .hint("name the stream by StreamName or StreamARN"));
        }
        let by_arn = match &self.stream_arn {
            None => None,
            Some(arn) => match stream_of(own(call, arn)?) {
                Some(name) if !name.contains('/') => Some(name),
                _ => return Err(Error::invalid(format!("`{arn}` is no ARN of a stream"))),
            },
        };
        match (&self.stream_name, by_arn) {
            (None, None) => Err(Error::invalid("either StreamName or StreamARN must be given")),
            (Some(name), Some(other)) if name != other => Err(Error::invalid(format!(
                "StreamName is `{name}`, but StreamARN names the stream `{other}`"
            ))),
            // Streams of such names are kept by rooms of the house for themselves.
            (Some(name), _) if name.contains('/') => {
                Err(Error::invalid(format!("`{name}` is no name of a stream"))
                    .hint("a name has 1 to 128 letters, digits, underscores, full stops and hyphens"))
            }
            (Some(name), _) => Ok(name.clone()),
            (None, Some(name)) => Ok(name.to_owned()),
        }
    }

    /// What the policy is asked about.
    pub(super) fn resources(&self) -> Vec<String> {
        let by_arn = self.stream_arn.as_deref().and_then(parts).map(|(_, rest)| rest.to_owned());
        let by_name = self.stream_name.as_ref().map(|name| format!("stream/{name}"));
        let named: Vec<String> = by_arn.into_iter().chain(by_name).collect();
        if named.is_empty() { vec!["stream/*".to_owned()] } else { named }
    }
}

/// How a request names a consumer: by its ARN, or by its name and the stream's ARN.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConsumerRef {
    #[serde(rename = "StreamARN")]
    pub(super) stream_arn: Option<String>,
    pub(super) consumer_name: Option<String>,
    #[serde(rename = "ConsumerARN")]
    pub(super) consumer_arn: Option<String>,
}

impl ConsumerRef {
    /// What the policy is asked about.
    pub(super) fn resources(&self) -> Vec<String> {
        let arn = self.consumer_arn.as_deref().or(self.stream_arn.as_deref());
        vec![arn.and_then(parts).map_or_else(|| "stream/*".to_owned(), |(_, rest)| rest.to_owned())]
    }

    /// The stream's name, and the consumer.
    pub(super) async fn find(&self, kinesis: &Kinesis, call: &Call) -> Result<(String, Consumer)> {
        if let Some(arn) = &self.consumer_arn {
            return kinesis.consumer_by_arn(call, arn).await;
        }
        let (Some(_), Some(name)) = (&self.stream_arn, &self.consumer_name) else {
            return Err(Error::invalid("either ConsumerARN, or StreamARN and ConsumerName must be given"));
        };
        let stream = StreamRef { stream_arn: self.stream_arn.clone(), ..StreamRef::default() }.name(call)?;
        let all = kinesis.log.list_consumers(&stream).await?;
        let found = all.iter().find(|consumer| consumer.name == *name).cloned();
        let consumer = found.ok_or_else(|| {
            Error::not_found(format!("the stream `{stream}` has no consumer `{name}`"))
                .hint(model::nearest_hint(name, all.iter().map(|consumer| consumer.name.as_str())))
        })?;
        Ok((stream, consumer))
    }
}

impl Kinesis {
    /// The stream's name and the consumer that an ARN names.
    pub(super) async fn consumer_by_arn(&self, call: &Call, arn: &str) -> Result<(String, Consumer)> {
        let rest = own(call, arn)?;
        let Some((stream, name)) = stream_of(rest).and_then(|rest| rest.split_once("/consumer/")) else {
            return Err(Error::invalid(format!("`{arn}` is no ARN of a consumer")));
        };
        let all = self.log.list_consumers(stream).await?;
        let found = all.into_iter().find(|consumer| consumer.arn.resource == rest);
        match found {
            Some(consumer) => Ok((stream.to_owned(), consumer)),
            None => Err(Error::not_found(format!("the stream `{stream}` has no consumer `{name}`"))
                .why("it was deregistered, or registered again, which gives it another ARN")),
        }
    }
}

/// What an ARN of a stream or consumer names, behind the account.
pub(super) fn resource_of(arn: &str) -> Vec<String> {
    vec![parts(arn).map_or_else(|| "stream/*".to_owned(), |(_, rest)| rest.to_owned())]
}

/// Whether an ARN names a consumer.
pub(super) fn is_consumer(arn: &str) -> bool {
    arn.contains("/consumer/")
}

/// A stream's ARN as the caller writes it.
pub(super) fn stream_arn(call: &Call, stream: &Stream) -> String {
    call.arn("kinesis", &stream.arn.resource)
}

/// A consumer's ARN as the caller writes it.
pub(super) fn consumer_arn(call: &Call, consumer: &Consumer) -> String {
    call.arn("kinesis", &consumer.arn.resource)
}
