//! Firehose: delivery streams over ours, and the records put into them.

mod encryption;
mod records;
mod shown;
mod streams;
mod tagging;

use crate::door::Rooms;
use crate::json::{Input, Table};
use crate::store::Documents;
use model::ErrorKind;
use serde::{Deserialize, Serialize};

/// What the operations stand on.
#[derive(Clone)]
pub(crate) struct Firehose {
    rooms: Rooms,
    documents: Documents,
}

/// The operations of Firehose that are served.
pub(crate) fn table(rooms: &Rooms, documents: &Documents) -> Table {
    let firehose = &Firehose { rooms: rooms.clone(), documents: documents.clone() };
    Table::new("Firehose_20150804", "firehose", "1.1", code)
        .add_called("CreateDeliveryStream", firehose, streams::create)
        .add_called("DeleteDeliveryStream", firehose, streams::delete)
        .add_called("DescribeDeliveryStream", firehose, shown::describe)
        .add("ListDeliveryStreams", firehose, streams::list)
        .add_called("UpdateDestination", firehose, streams::update)
        .add("PutRecord", firehose, records::put)
        .add("PutRecordBatch", firehose, records::put_many)
        .add_called("TagDeliveryStream", firehose, tagging::tag)
        .add_called("UntagDeliveryStream", firehose, tagging::untag)
        .add_called("ListTagsForDeliveryStream", firehose, tagging::list)
        .add("StartDeliveryStreamEncryption", firehose, encryption::start)
        .add("StopDeliveryStreamEncryption", firehose, encryption::stop)
}

/// Firehose's errors.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "ResourceNotFoundException",
        ErrorKind::AlreadyExists | ErrorKind::Conflict => "ResourceInUseException",
        ErrorKind::PreconditionFailed => "ConcurrentModificationException",
        ErrorKind::InvalidInput | ErrorKind::Unsupported => "InvalidArgumentException",
        ErrorKind::Denied => "AccessDeniedException",
        ErrorKind::LimitExceeded => "LimitExceededException",
        ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::Unavailable => "ServiceUnavailableException",
        ErrorKind::Corrupt | ErrorKind::Internal => "InternalFailure",
    }
}

/// The part of a delivery stream's ARN behind the account.
fn resource(name: &str) -> String {
    format!("deliverystream/{name}")
}

/// A request that names a delivery stream and says no more that is of interest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    delivery_stream_name: String,
}

impl Input for Named {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

/// The answer that says nothing.
#[derive(Debug, Serialize)]
struct Done {}
