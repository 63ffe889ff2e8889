//! CloudWatch Logs: the groups, streams and events that users put here, and beside them the logs of runs, only to be
//! read, under the names that Glue gives them: a stream for each run of a job, one for each crawler.

mod filter;
mod groups;
mod kept;
mod names;
mod pattern;
mod put;
mod read;
mod runs;
mod streams;
mod tagging;

use crate::door::Rooms;
use crate::json::Table;
use kept::Kept;
use model::{Error, ErrorKind, Result};
use serde::Serialize;

/// CloudWatch's largest page of groups and streams.
const MAX_RESULTS: usize = 50;
/// CloudWatch's largest page of events.
const MAX_EVENTS: usize = 10_000;

/// What the operations stand on.
#[derive(Clone)]
pub(crate) struct Logs {
    rooms: Rooms,
    kept: Kept,
}

/// A group, whosever it is.
enum Found {
    Runs(&'static runs::Group),
    Kept(kept::Group),
}

impl Logs {
    /// The logs; their own tables are made in the database.
    pub(crate) async fn open(rooms: &Rooms) -> Result<Self> {
        let kept = Kept::open(rooms.database.clone(), rooms.clock.clone()).await?;
        Ok(Self { rooms: rooms.clone(), kept })
    }

    /// The group of that name.
    async fn find(&self, name: &str) -> Result<Found> {
        names::check_group("logGroupName", name)?;
        match runs::group(name) {
            Some(group) => Ok(Found::Runs(group)),
            None => self.kept.group(name).await?.map(Found::Kept).ok_or_else(|| no_group(name)),
        }
    }

    /// The group of that name, to be changed.
    async fn own(&self, name: &str) -> Result<kept::Group> {
        match self.find(name).await? {
            Found::Kept(group) => Ok(group),
            Found::Runs(_) => Err(runs::read_only(name)),
        }
    }

    /// A stream of a user's group.
    async fn stream(&self, group: &kept::Group, name: &str) -> Result<kept::Stream> {
        names::check_stream("logStreamName", name)?;
        self.kept.stream(group, name).await?.ok_or_else(no_stream)
    }
}

fn no_group(name: &str) -> Error {
    Error::not_found("The specified log group does not exist.")
        .why(format!("there is no `{name}`"))
        .hint("DescribeLogGroups lists those that are there")
}

fn no_stream() -> Error {
    Error::not_found("The specified log stream does not exist.")
}

/// The operations of CloudWatch Logs that are served.
pub(crate) fn table(logs: &Logs) -> Table {
    Table::new("Logs_20140328", "logs", "1.1", code)
        .add_called("CreateLogGroup", logs, groups::create)
        .add("DeleteLogGroup", logs, groups::delete)
        .add_called("DescribeLogGroups", logs, groups::describe)
        .add("PutRetentionPolicy", logs, groups::put_retention)
        .add("DeleteRetentionPolicy", logs, groups::delete_retention)
        .add("CreateLogStream", logs, streams::create)
        .add("DeleteLogStream", logs, streams::delete)
        .add_called("DescribeLogStreams", logs, streams::describe)
        .add("PutLogEvents", logs, put::put)
        .add_called("GetLogEvents", logs, read::get)
        .add_called("FilterLogEvents", logs, filter::filter)
        .add_called("TagResource", logs, tagging::tag)
        .add_called("UntagResource", logs, tagging::untag)
        .add_called("ListTagsForResource", logs, tagging::list)
        .add("TagLogGroup", logs, tagging::tag_group)
        .add("UntagLogGroup", logs, tagging::untag_group)
        .add("ListTagsLogGroup", logs, tagging::list_of_group)
        .instead(
            &[
                "StartQuery",
                "StopQuery",
                "GetQueryResults",
                "DescribeQueries",
                "GetLogRecord",
                "GetLogGroupFields",
                "PutQueryDefinition",
                "DescribeQueryDefinitions",
                "DeleteQueryDefinition",
            ],
            "read the events with FilterLogEvents",
        )
        .instead(
            &[
                "PutSubscriptionFilter",
                "DescribeSubscriptionFilters",
                "DeleteSubscriptionFilter",
                "PutDestination",
                "DescribeDestinations",
                "DeleteDestination",
            ],
            "read the events with FilterLogEvents, or put them into a stream of Kinesis yourself",
        )
        .instead(
            &["PutMetricFilter", "DescribeMetricFilters", "DeleteMetricFilter", "TestMetricFilter"],
            "there are no metrics; count the events that FilterLogEvents finds",
        )
        .instead(
            &["CreateExportTask", "DescribeExportTasks", "CancelExportTask"],
            "read the events with FilterLogEvents and put them into a bucket yourself",
        )
        .instead(&["StartLiveTail"], "ask GetLogEvents again with its nextForwardToken")
}

fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "ResourceNotFoundException",
        ErrorKind::AlreadyExists => "ResourceAlreadyExistsException",
        ErrorKind::Denied => "AccessDeniedException",
        ErrorKind::LimitExceeded => "LimitExceededException",
        ErrorKind::Conflict | ErrorKind::PreconditionFailed => "OperationAbortedException",
        ErrorKind::InvalidInput | ErrorKind::Unsupported => "InvalidParameterException",
        ErrorKind::Timeout
        | ErrorKind::Cancelled
        | ErrorKind::Unavailable
        | ErrorKind::Corrupt
        | ErrorKind::Internal => "ServiceUnavailableException",
    }
}

fn limit(asked: Option<i64>, usual: usize, most: usize) -> Result<usize> {
    match asked {
        None => Ok(usual),
        Some(count) => match usize::try_from(count) {
            Ok(count) if (1..=most).contains(&count) => Ok(count),
            _ => Err(Error::invalid(format!("limit must be from 1 to {most}, not {count}"))),
        },
    }
}

/// A sequence token, which clients no longer need: the number of the event that was put last.
fn sequence(upload: i64) -> String {
    format!("{upload:056}")
}

/// The answer that says nothing.
#[derive(Debug, Serialize)]
struct Done {}
