//! Kinesis Data Streams over the durable log. Requests and answers may be JSON or CBOR; a subscription answers events.
//!
//! Streams have no region here: what one region's client makes, all see, and ARNs are written for whoever asks.

mod consumers;
mod events;
mod monitoring;
mod naming;
mod put;
mod read;
mod shapes;
mod shards;
mod streams;
mod subscribe;
mod tagging;

use crate::door::Rooms;
use crate::json::Table;
use crate::store::Documents;
use ::streams::Log;
use model::ErrorKind;
use serde::Serialize;
use state::Clock;
use std::sync::Arc;
use subscribe::Subscriptions;
use tokio_util::sync::CancellationToken;

/// What the operations stand on.
#[derive(Clone)]
pub(crate) struct Kinesis {
    log: Arc<dyn Log>,
    clock: Clock,
    documents: Documents,
    subscriptions: Arc<Subscriptions>,
}

/// The answer of operations that have nothing to say.
#[derive(Debug, Serialize)]
struct Done {}

/// The operations of Kinesis that are served. Subscriptions end when `ending` is cancelled.
pub(crate) fn table(rooms: &Rooms, documents: &Documents, ending: &CancellationToken) -> Table {
    let kinesis = &Kinesis {
        log: Arc::clone(&rooms.log),
        clock: rooms.clock.clone(),
        documents: documents.clone(),
        subscriptions: Arc::new(Subscriptions::new(ending.clone())),
    };
    Table::new("Kinesis_20131202", "kinesis", "1.1", code)
        .with_cbor()
        .add_called("CreateStream", kinesis, streams::create)
        .add_called("DeleteStream", kinesis, streams::delete)
        .add_called("DescribeStream", kinesis, streams::describe)
        .add_called("DescribeStreamSummary", kinesis, streams::summary)
        .add_called("ListStreams", kinesis, streams::list)
        .add_called("UpdateStreamMode", kinesis, streams::mode)
        .add_called("IncreaseStreamRetentionPeriod", kinesis, streams::increase)
        .add_called("DecreaseStreamRetentionPeriod", kinesis, streams::decrease)
        .add_called("StartStreamEncryption", kinesis, streams::encrypt)
        .add_called("StopStreamEncryption", kinesis, streams::decrypt)
        .add_called("EnableEnhancedMonitoring", kinesis, monitoring::enable)
        .add_called("DisableEnhancedMonitoring", kinesis, monitoring::disable)
        .add_called("DescribeLimits", kinesis, monitoring::limits)
        .add_called("ListShards", kinesis, shards::list)
        .add_called("SplitShard", kinesis, shards::split)
        .add_called("MergeShards", kinesis, shards::merge)
        .add_called("UpdateShardCount", kinesis, shards::scale)
        .add_called("RegisterStreamConsumer", kinesis, consumers::register)
        .add_called("DeregisterStreamConsumer", kinesis, consumers::deregister)
        .add_called("DescribeStreamConsumer", kinesis, consumers::describe)
        .add_called("ListStreamConsumers", kinesis, consumers::list)
        .add_called("AddTagsToStream", kinesis, tagging::add_to_stream)
        .add_called("RemoveTagsFromStream", kinesis, tagging::remove_from_stream)
        .add_called("ListTagsForStream", kinesis, tagging::of_stream)
        .add_called("TagResource", kinesis, tagging::add)
        .add_called("UntagResource", kinesis, tagging::remove)
        .add_called("ListTagsForResource", kinesis, tagging::of)
        .add_events("SubscribeToShard", kinesis, subscribe::subscribe)
        .codes(data_code)
        .add_called("PutRecord", kinesis, put::one)
        .add_called("PutRecords", kinesis, put::many)
        .add_called("GetShardIterator", kinesis, read::iterator)
        .add_called("GetRecords", kinesis, read::records)
}

/// The errors of operations on streams.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "ResourceNotFoundException",
        ErrorKind::AlreadyExists | ErrorKind::Conflict => "ResourceInUseException",
        ErrorKind::PreconditionFailed => "ExpiredIteratorException",
        ErrorKind::InvalidInput | ErrorKind::Unsupported => "InvalidArgumentException",
        ErrorKind::Denied => "AccessDeniedException",
        ErrorKind::LimitExceeded => "LimitExceededException",
        ErrorKind::Timeout
        | ErrorKind::Cancelled
        | ErrorKind::Unavailable
        | ErrorKind::Corrupt
        | ErrorKind::Internal => "InternalFailureException",
    }
}

/// Those of operations on records, whose limits are the shards'.
fn data_code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::LimitExceeded => "ProvisionedThroughputExceededException",
        other => code(other),
    }
}
