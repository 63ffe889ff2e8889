//! Managed Apache Flink (KinesisAnalyticsV2) over stream applications: scripts of Flink SQL, started and stopped, their
//! state kept as snapshots. Programs in jars are refused by name.
//!
//! The applications' room keeps script, state and runs; this one keeps beside them what only AWS's words know of:
//! description, runtime, role, logging options, how many tasks were asked for.

mod applications;
mod changes;
mod code;
mod configuration;
mod kept;
mod running;
mod shapes;
mod snapshots;
mod tagging;

use crate::door::Rooms;
use crate::json::{Call, Table};
use crate::store::Documents;
use ::apps::Applications;
use lake::Lake;
use model::ErrorKind;
use serde::Serialize;

/// What the operations stand on.
#[derive(Clone)]
pub(crate) struct Analytics {
    apps: Applications,
    lake: Lake,
    documents: Documents,
}

/// The answer of operations that have nothing to say.
#[derive(Debug, Serialize)]
struct Done {}

/// The operations of KinesisAnalyticsV2 that are served.
pub(crate) fn table(rooms: &Rooms, documents: &Documents) -> Table {
    let analytics =
        &Analytics { apps: rooms.apps.clone(), lake: rooms.lake.clone(), documents: documents.clone() };
    Table::new("KinesisAnalytics_20180523", "kinesisanalytics", "1.1", code)
        .add_called("CreateApplication", analytics, applications::create)
        .add_called("DescribeApplication", analytics, applications::describe)
        .add_called("ListApplications", analytics, applications::list)
        .add_called("DeleteApplication", analytics, applications::delete)
        .add_called("UpdateApplication", analytics, changes::update)
        .add_called("AddApplicationCloudWatchLoggingOption", analytics, changes::add_logging)
        .add_called("DeleteApplicationCloudWatchLoggingOption", analytics, changes::delete_logging)
        .add_called("StartApplication", analytics, running::start)
        .add_called("StopApplication", analytics, running::stop)
        .add_called("CreateApplicationSnapshot", analytics, snapshots::create)
        .add_called("DescribeApplicationSnapshot", analytics, snapshots::describe)
        .add_called("ListApplicationSnapshots", analytics, snapshots::list)
        .add_called("DeleteApplicationSnapshot", analytics, snapshots::delete)
        .add_called("TagResource", analytics, tagging::tag)
        .add_called("UntagResource", analytics, tagging::untag)
        .add_called("ListTagsForResource", analytics, tagging::list)
}

/// The service's errors.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "ResourceNotFoundException",
        ErrorKind::AlreadyExists | ErrorKind::Conflict | ErrorKind::PreconditionFailed => {
            "ResourceInUseException"
        }
        ErrorKind::InvalidInput => "InvalidArgumentException",
        ErrorKind::Unsupported => "UnsupportedOperationException",
        ErrorKind::Denied => "AccessDeniedException",
        ErrorKind::LimitExceeded => "LimitExceededException",
        ErrorKind::Timeout
        | ErrorKind::Cancelled
        | ErrorKind::Unavailable
        | ErrorKind::Corrupt
        | ErrorKind::Internal => "ServiceUnavailableException",
    }
}

/// What the policy is asked about an application.
fn resource(name: &str) -> Vec<String> {
    vec![format!("application/{name}")]
}

/// An application's ARN as the caller writes it.
fn arn(call: &Call, name: &str) -> String {
    call.arn("kinesisanalytics", &format!("application/{name}"))
}
