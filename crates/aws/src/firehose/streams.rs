//! Delivery streams made, listed, changed and deleted.

use super::shown::DESTINATION_ID;
use super::tagging::{Tag, tags_of};
use super::{Done, Firehose, Named, resource};
use crate::json::{Answered, Call, Failed, Input};
use crate::tags;
use delivery::{Encryption, NewDelivery, S3Destination, Source};
use model::{Arn, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Firehose's largest page, and its usual one.
const MOST_LISTED: usize = 10_000;
const USUALLY_LISTED: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    delivery_stream_name: String,
    delivery_stream_type: Option<String>,
    direct_put_source_configuration: Option<DirectPut>,
    kinesis_stream_source_configuration: Option<KinesisSource>,
    delivery_stream_encryption_configuration_input: Option<EncryptionInput>,
    #[serde(rename = "S3DestinationConfiguration")]
    s3: Option<S3Destination>,
    #[serde(rename = "ExtendedS3DestinationConfiguration")]
    extended_s3: Option<S3Destination>,
    #[serde(default)]
    tags: Vec<Tag>,
    /// Other sources and destinations.
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DirectPut {
    #[serde(rename = "ThroughputHintInMBs")]
    throughput_hint: i64,
}

#[derive(Debug, Deserialize)]
struct KinesisSource {
    #[serde(rename = "KinesisStreamARN")]
    stream_arn: String,
    #[serde(rename = "RoleARN")]
    role_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EncryptionInput {
    #[serde(rename = "KeyARN")]
    key_arn: Option<String>,
    key_type: String,
}

impl EncryptionInput {
    /// A key that nobody has to name.
    pub(super) fn owned() -> Self {
        Self { key_arn: None, key_type: "AWS_OWNED_CMK".to_owned() }
    }

    /// What it says, if it may.
    pub(super) fn checked(self) -> Result<Encryption> {
        match (self.key_type.as_str(), &self.key_arn) {
            ("AWS_OWNED_CMK", None) | ("CUSTOMER_MANAGED_CMK", Some(_)) => {
                Ok(Encryption { key_type: self.key_type, key_arn: self.key_arn })
            }
            ("AWS_OWNED_CMK", Some(_)) => {
                Err(Error::invalid("KeyARN must not be given with the KeyType AWS_OWNED_CMK"))
            }
            ("CUSTOMER_MANAGED_CMK", None) => {
                Err(Error::invalid("the KeyType CUSTOMER_MANAGED_CMK needs a KeyARN"))
            }
            (other, _) => Err(Error::invalid(format!("there is no KeyType {other}"))
                .hint("write AWS_OWNED_CMK or CUSTOMER_MANAGED_CMK")),
        }
    }
}

impl Input for Create {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Created {
    #[serde(rename = "DeliveryStreamARN")]
    arn: String,
}

/// What a request names that is not served: other destinations and sources.
fn refuse_others(others: &Map<String, Value>, endings: &[&str]) -> Result<()> {
    let other = others
        .iter()
        .find(|(name, value)| !value.is_null() && endings.iter().any(|ending| name.ends_with(ending)));
    match other {
        None => Ok(()),
        Some((name, _)) => Err(Error::unsupported(format!("{name} is not supported"))
            .hint("supported are S3DestinationConfiguration and ExtendedS3DestinationConfiguration; sources are records put \
                   directly and Kinesis streams")),
    }
}

fn source(call: &Call, input: &Create) -> Result<Source> {
    match (input.delivery_stream_type.as_deref(), &input.kinesis_stream_source_configuration) {
        (None | Some("DirectPut"), None) => {
            let hint = input.direct_put_source_configuration.as_ref().map(|direct| direct.throughput_hint);
            if hint.is_some_and(|hint| !(1..=100).contains(&hint)) {
                return Err(Error::invalid("ThroughputHintInMBs must be from 1 to 100"));
            }
            Ok(Source::Direct { throughput_hint: hint })
        }
        (Some("KinesisStreamAsSource"), Some(KinesisSource { stream_arn, role_arn })) => {
            let arn: Arn = stream_arn.parse()?;
            let name = arn
                .resource
                .strip_prefix("stream/")
                .filter(|name| arn.service == "kinesis" && !name.contains('/'));
            let Some(name) = name else {
                return Err(Error::invalid(format!("KinesisStreamARN `{stream_arn}` is no stream's ARN")));
            };
            if arn.account != call.caller.account.as_str() {
                return Err(Error::invalid(format!("there is no `{stream_arn}` here"))
                    .why(format!("this is the account {}, not {}", call.caller.account, arn.account)));
            }
            call.allow("kinesis", "GetRecords", &format!("stream/{name}"))?;
            Ok(Source::Stream { name: name.to_owned(), arn: stream_arn.clone(), role_arn: role_arn.clone() })
        }
        (Some("KinesisStreamAsSource"), None) => {
            Err(Error::invalid("KinesisStreamSourceConfiguration is missing")
                .why("the DeliveryStreamType is KinesisStreamAsSource"))
        }
        (_, Some(_)) => {
            Err(Error::invalid("KinesisStreamSourceConfiguration is for KinesisStreamAsSource only"))
        }
        (Some(other @ ("MSKAsSource" | "DatabaseAsSource")), _) => {
            Err(Error::unsupported(format!("the DeliveryStreamType {other} is not supported"))
                .hint("supported are DirectPut and KinesisStreamAsSource"))
        }
        (Some(other), _) => Err(Error::invalid(format!("there is no DeliveryStreamType {other}"))
            .hint("write DirectPut or KinesisStreamAsSource")),
    }
}

/// Whoever makes a delivery stream needs the rights that its role would have: it writes for them.
fn allow(call: &Call, destination: &S3Destination) -> Result<()> {
    for (bucket, prefix) in destination.writes()? {
        call.may("s3:PutObject", &format!("arn:aws:s3:::{bucket}/{prefix}*"))?;
    }
    if let Some((database, table)) = destination.reads()? {
        call.allow("glue", "GetTable", &format!("table/{database}/{table}"))?;
    }
    Ok(())
}

pub(super) async fn create(firehose: Firehose, call: Call, input: Create) -> Answered<Created> {
    refuse_others(&input.others, &["Configuration"])?;
    let source = source(&call, &input)?;
    let destination = match (input.s3, input.extended_s3) {
        (Some(_), Some(_)) => return Err(Error::invalid("a delivery stream has one destination").into()),
        (Some(plain), None) => plain.plain(),
        (None, Some(extended)) => extended,
        (None, None) => {
            return Err(Error::invalid("a delivery stream needs a destination")
                .hint("give an ExtendedS3DestinationConfiguration")
                .into());
        }
    };
    allow(&call, &destination)?;
    let encryption =
        input.delivery_stream_encryption_configuration_input.map(EncryptionInput::checked).transpose()?;
    if encryption.is_some() && !matches!(source, Source::Direct { .. }) {
        return Err(Error::invalid("encryption is for DirectPut only; a Kinesis stream has its own").into());
    }
    let tags = tags_of(input.tags);
    tags::check(&tags)?;
    let name = input.delivery_stream_name;
    let new = NewDelivery { name: name.clone(), source, destination, encryption };
    firehose.rooms.deliveries.create(new).await.map_err(|error| match error.kind() {
        // The stream that it shall read is not there: the request is wrong, not its target.
        ErrorKind::NotFound => Failed::coded("InvalidArgumentException", error),
        _ => Failed::from(error),
    })?;
    let arn = call.arn("firehose", &resource(&name));
    tags::add(&firehose.documents, &arn, tags).await?;
    Ok(Created { arn })
}

pub(super) async fn delete(firehose: Firehose, call: Call, input: Named) -> Result<Done> {
    firehose.rooms.deliveries.delete(&input.delivery_stream_name).await?;
    tags::forget(&firehose.documents, &call.arn("firehose", &resource(&input.delivery_stream_name))).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    limit: Option<i64>,
    delivery_stream_type: Option<String>,
    exclusive_start_delivery_stream_name: Option<String>,
}

impl Input for List {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    delivery_stream_names: Vec<String>,
    has_more_delivery_streams: bool,
}

pub(super) async fn list(firehose: Firehose, input: List) -> Result<Listed> {
    let limit = match input.limit.map(usize::try_from) {
        None => USUALLY_LISTED,
        Some(Ok(limit)) if (1..=MOST_LISTED).contains(&limit) => limit,
        Some(_) => return Err(Error::invalid(format!("Limit must be from 1 to {MOST_LISTED}"))),
    };
    let after = input.exclusive_start_delivery_stream_name.unwrap_or_default();
    let wanted = input.delivery_stream_type.as_deref();
    let all = firehose.rooms.deliveries.list().await?.into_iter();
    let mut names: Vec<String> = all
        .filter(|stream| {
            stream.name > after && wanted.is_none_or(|kind| kind == super::shown::kind(&stream.source))
        })
        .map(|stream| stream.name)
        .take(limit + 1)
        .collect();
    let has_more_delivery_streams = names.len() > limit;
    names.truncate(limit);
    Ok(Listed { delivery_stream_names: names, has_more_delivery_streams })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    delivery_stream_name: String,
    current_delivery_stream_version_id: String,
    destination_id: String,
    #[serde(rename = "S3DestinationUpdate")]
    s3: Option<Map<String, Value>>,
    #[serde(rename = "ExtendedS3DestinationUpdate")]
    extended_s3: Option<Map<String, Value>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Input for Update {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

pub(super) async fn update(firehose: Firehose, call: Call, input: Update) -> Result<Done> {
    refuse_others(&input.others, &["Update"])?;
    let deliveries = &firehose.rooms.deliveries;
    let stream = deliveries.get(&input.delivery_stream_name).await?;
    if input.destination_id != DESTINATION_ID {
        return Err(Error::invalid(format!(
            "the delivery stream has no destination `{}`",
            input.destination_id
        ))
        .hint(format!("its destination is {DESTINATION_ID}")));
    }
    let version = input.current_delivery_stream_version_id.parse().map_err(|_| {
        Error::invalid(format!(
            "`{}` is no version of a delivery stream",
            input.current_delivery_stream_version_id
        ))
    })?;
    let ((Some(change), None) | (None, Some(change))) = (input.s3, input.extended_s3) else {
        return Err(Error::invalid("give either an S3DestinationUpdate or an ExtendedS3DestinationUpdate"));
    };
    allow(&call, &stream.destination.merged(change.clone())?)?;
    deliveries.update(&input.delivery_stream_name, version, change).await?;
    Ok(Done {})
}
