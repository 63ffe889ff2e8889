//! Delivery streams as Firehose describes them.

use super::{Firehose, Named, resource};
use crate::json::{Call, epoch, epoch_opt};
use chrono::{DateTime, Utc};
use delivery::{DeliveryStream, Encryption, S3Destination, Source};
use model::{Error, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A delivery stream has one destination.
pub(super) const DESTINATION_ID: &str = "destinationId-000000000001";

/// What Firehose calls the kind of a source.
pub(super) fn kind(source: &Source) -> &'static str {
    match source {
        Source::Direct { .. } => "DirectPut",
        Source::Stream { .. } => "KinesisStreamAsSource",
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    delivery_stream_description: Description,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    delivery_stream_name: String,
    #[serde(rename = "DeliveryStreamARN")]
    delivery_stream_arn: String,
    delivery_stream_status: &'static str,
    /// Why nothing is delivered at the moment; Firehose tells that in its logs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_description: Option<Value>,
    delivery_stream_encryption_configuration: Value,
    delivery_stream_type: &'static str,
    version_id: String,
    #[serde(serialize_with = "epoch")]
    create_timestamp: DateTime<Utc>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    last_update_timestamp: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Value>,
    destinations: Vec<Value>,
    has_more_destinations: bool,
}

pub(super) async fn describe(firehose: Firehose, call: Call, input: Named) -> Result<Described> {
    let stream = firehose.rooms.deliveries.get(&input.delivery_stream_name).await?;
    Ok(Described { delivery_stream_description: description(&call, stream)? })
}

fn description(call: &Call, stream: DeliveryStream) -> Result<Description> {
    let changed = stream.version > 1;
    let failure = stream.failure.map(|(diagnosis, since)| {
        let text = format!("since {}: {diagnosis}", since.format("%Y-%m-%dT%H:%M:%SZ"));
        json!({ "Type": "UNKNOWN_ERROR", "Details": text.chars().take(1024).collect::<String>() })
    });
    Ok(Description {
        delivery_stream_arn: call.arn("firehose", &resource(&stream.name)),
        delivery_stream_name: stream.name,
        delivery_stream_status: "ACTIVE",
        failure_description: failure,
        delivery_stream_encryption_configuration: encryption(stream.encryption.as_ref()),
        delivery_stream_type: kind(&stream.source),
        version_id: stream.version.to_string(),
        create_timestamp: stream.created,
        last_update_timestamp: changed.then_some(stream.modified),
        source: source(&stream.source, stream.created),
        destinations: vec![destination(&stream.destination)?],
        has_more_destinations: false,
    })
}

fn encryption(encryption: Option<&Encryption>) -> Value {
    match encryption {
        None => json!({ "Status": "DISABLED" }),
        Some(Encryption { key_type, key_arn: None }) => json!({ "Status": "ENABLED", "KeyType": key_type }),
        Some(Encryption { key_type, key_arn }) => {
            json!({ "Status": "ENABLED", "KeyType": key_type, "KeyARN": key_arn })
        }
    }
}

fn source(source: &Source, created: DateTime<Utc>) -> Option<Value> {
    match source {
        Source::Direct { throughput_hint } => throughput_hint
            .map(|hint| json!({ "DirectPutSourceDescription": { "ThroughputHintInMBs": hint } })),
        Source::Stream { arn, role_arn, .. } => Some(json!({ "KinesisStreamSourceDescription": {
            "KinesisStreamARN": arn,
            "RoleARN": role_arn,
            "DeliveryStartTimestamp": created.timestamp(),
        } })),
    }
}

/// The members of a plain S3 destination.
const PLAIN: [&str; 8] = [
    "RoleARN",
    "BucketARN",
    "Prefix",
    "ErrorOutputPrefix",
    "BufferingHints",
    "CompressionFormat",
    "EncryptionConfiguration",
    "CloudWatchLoggingOptions",
];

/// What a description says where nothing was told.
fn with_defaults(members: &mut Map<String, Value>, size: i64) {
    let hints = members.entry("BufferingHints").or_insert_with(|| json!({}));
    if let Value::Object(hints) = hints {
        hints.entry("SizeInMBs").or_insert_with(|| json!(size));
        hints.entry("IntervalInSeconds").or_insert_with(|| json!(300));
    }
    members.entry("CompressionFormat").or_insert_with(|| json!("UNCOMPRESSED"));
    members
        .entry("EncryptionConfiguration")
        .or_insert_with(|| json!({ "NoEncryptionConfig": "NoEncryption" }));
    members.entry("CloudWatchLoggingOptions").or_insert_with(|| json!({ "Enabled": false }));
}

fn destination(settings: &S3Destination) -> Result<Value> {
    let unwritten = |e| Error::internal("a destination cannot be written").source_is(e);
    let Value::Object(mut extended) = serde_json::to_value(settings).map_err(unwritten)? else {
        return Err(Error::internal("a destination is no object"));
    };
    let large = settings.data_format_conversion_configuration.is_some()
        || settings.dynamic_partitioning_configuration.is_some_and(|dynamic| dynamic.enabled);
    with_defaults(&mut extended, if large { 128 } else { 5 });
    extended.entry("S3BackupMode").or_insert_with(|| json!("Disabled"));
    if let Some(Value::Object(mut backup)) = extended.remove("S3BackupConfiguration") {
        with_defaults(&mut backup, 5);
        extended.insert("S3BackupDescription".to_owned(), Value::Object(backup));
    }
    let plain: Map<String, Value> = extended
        .iter()
        .filter(|(name, _)| PLAIN.contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    Ok(json!({
        "DestinationId": DESTINATION_ID,
        "S3DestinationDescription": plain,
        "ExtendedS3DestinationDescription": extended,
    }))
}
