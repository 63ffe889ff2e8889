//! CloudWatch Logs over the logs of runs, under the names that Glue gives them: a stream for each run of a job, one for
//! each crawler.

mod groups;
mod pattern;

use crate::door::Rooms;
use crate::json::{Input, Table, token};
use crate::page::write_token;
use groups::{Event, GROUPS, Span, group};
use model::{Error, ErrorKind, Result};
use pattern::Pattern;
use serde::{Deserialize, Serialize};

/// CloudWatch's largest page of groups and streams.
const MAX_RESULTS: usize = 50;
/// CloudWatch's largest page of events.
const MAX_EVENTS: usize = 10_000;

/// The operations of CloudWatch Logs that are served.
pub(crate) fn table(rooms: &Rooms) -> Table {
    Table::new("Logs_20140328", "logs", "1.1", code)
        .add("DescribeLogGroups", rooms, groups)
        .add("DescribeLogStreams", rooms, streams)
        .add("GetLogEvents", rooms, events)
        .add("FilterLogEvents", rooms, filter)
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

fn resource(name: Option<&str>, identifier: Option<&str>) -> Vec<String> {
    let name = group(name, identifier).map_or("*", |group| group.name);
    vec![format!("log-group:{name}:*")]
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

impl Input for DescribeGroups {
    fn resources(&self) -> Vec<String> {
        vec!["log-group:*".to_owned()]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Groups {
    log_groups: Vec<ShownGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownGroup {
    log_group_name: &'static str,
    log_group_class: &'static str,
    metric_filter_count: u32,
}

async fn groups(_: Rooms, input: DescribeGroups) -> Result<Groups> {
    let most = limit(input.limit, MAX_RESULTS, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let mut left = GROUPS.iter().map(|group| group.name).filter(|name| {
        input.log_group_name_prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && input
                .log_group_name_pattern
                .as_deref()
                .is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
            && after.as_deref().is_none_or(|after| *name > after)
    });
    let names: Vec<&'static str> = left.by_ref().take(most).collect();
    let next_token = left.next().and_then(|_| names.last().map(|last| write_token(last)));
    let shown =
        |log_group_name| ShownGroup { log_group_name, log_group_class: "STANDARD", metric_filter_count: 0 };
    Ok(Groups { log_groups: names.into_iter().map(shown).collect(), next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeStreams {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<i64>,
}

impl Input for DescribeStreams {
    fn resources(&self) -> Vec<String> {
        resource(self.log_group_name.as_deref(), self.log_group_identifier.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Streams {
    log_streams: Vec<Stream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    log_stream_name: String,
    creation_time: i64,
    first_event_timestamp: i64,
    last_event_timestamp: i64,
    last_ingestion_time: i64,
    stored_bytes: i64,
}

async fn streams(rooms: Rooms, input: DescribeStreams) -> Result<Streams> {
    let group = group(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let most = limit(input.limit, MAX_RESULTS, MAX_RESULTS)?;
    let by_time = input.order_by.as_deref() == Some("LastEventTime");
    if by_time && input.log_stream_name_prefix.is_some() {
        return Err(Error::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let mut found: Vec<Stream> = Vec::new();
    for run in group.runs(&rooms, None).await? {
        let name = group.stream_of(&run);
        if input.log_stream_name_prefix.as_deref().is_some_and(|prefix| !name.starts_with(prefix)) {
            continue;
        }
        let created = run.created.timestamp_millis();
        let last = run.ended.or(run.started).unwrap_or(run.created).timestamp_millis();
        match found.iter_mut().find(|stream| stream.log_stream_name == name) {
            Some(stream) => {
                stream.creation_time = stream.creation_time.min(created);
                stream.first_event_timestamp = stream.first_event_timestamp.min(created);
            }
            None => found.push(Stream {
                log_stream_name: name,
                creation_time: created,
                first_event_timestamp: created,
                last_event_timestamp: last,
                last_ingestion_time: last,
                stored_bytes: 0,
            }),
        }
    }
    match by_time {
        true => found.sort_by(|a, b| {
            (a.last_event_timestamp, &a.log_stream_name).cmp(&(b.last_event_timestamp, &b.log_stream_name))
        }),
        false => found.sort_by(|a, b| a.log_stream_name.cmp(&b.log_stream_name)),
    }
    if input.descending {
        found.reverse();
    }
    let from = match token(input.next_token.as_deref())? {
        None => 0,
        Some(last) => found.iter().position(|stream| stream.log_stream_name == last).map_or(0, |at| at + 1),
    };
    let mut log_streams = found.split_off(from.min(found.len()));
    let next_token = (log_streams.len() > most).then(|| write_token(&log_streams[most - 1].log_stream_name));
    log_streams.truncate(most);
    Ok(Streams { log_streams, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    #[serde(default)]
    start_from_head: bool,
}

impl Input for GetEvents {
    fn resources(&self) -> Vec<String> {
        resource(self.log_group_name.as_deref(), self.log_group_identifier.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Events {
    events: Vec<PlainEvent>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlainEvent {
    timestamp: i64,
    message: String,
    ingestion_time: i64,
}

/// A page of a stream. Its tokens are places between events, so that the forward one of the last page finds what comes
/// later; at either end the token comes back as it was, by which clients know the end.
async fn events(rooms: Rooms, input: GetEvents) -> Result<Events> {
    let group = group(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let most = limit(input.limit, MAX_EVENTS, MAX_EVENTS)?;
    let runs = group.runs(&rooms, Some(&input.log_stream_name)).await?;
    if runs.is_empty() {
        return Err(Error::not_found("The specified log stream does not exist."));
    }
    let all = group.events(&rooms, &runs, Span { start: input.start_time, end: input.end_time }).await?;
    let (from, to) = match token(input.next_token.as_deref())? {
        Some(token) => {
            let wrong = || Error::invalid("The specified nextToken is invalid.");
            let (way, place) = token.split_once('/').ok_or_else(wrong)?;
            let place = place.parse::<usize>().map_err(|_| wrong())?.min(all.len());
            match way {
                "f" => (place, place.saturating_add(most).min(all.len())),
                "b" => (place.saturating_sub(most), place),
                _ => return Err(wrong()),
            }
        }
        None if input.start_from_head => (0, most.min(all.len())),
        None => (all.len().saturating_sub(most), all.len()),
    };
    let plain = |event: Event| PlainEvent {
        timestamp: event.timestamp,
        message: event.message,
        ingestion_time: event.ingestion_time,
    };
    Ok(Events {
        events: all.into_iter().take(to).skip(from).map(plain).collect(),
        next_forward_token: write_token(&format!("f/{to}")),
        next_backward_token: write_token(&format!("b/{from}")),
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    #[serde(default)]
    log_stream_names: Vec<String>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

impl Input for Filter {
    fn resources(&self) -> Vec<String> {
        resource(self.log_group_name.as_deref(), self.log_group_identifier.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filtered {
    events: Vec<Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

async fn filter(rooms: Rooms, input: Filter) -> Result<Filtered> {
    let group = group(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let most = limit(input.limit, MAX_EVENTS, MAX_EVENTS)?;
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
    let mut runs = Vec::new();
    if input.log_stream_names.is_empty() {
        runs = group.runs(&rooms, None).await?;
        let prefix = input.log_stream_name_prefix.as_deref();
        runs.retain(|run| prefix.is_none_or(|prefix| group.stream_of(run).starts_with(prefix)));
    }
    for name in &input.log_stream_names {
        runs.extend(group.runs(&rooms, Some(name)).await?);
    }
    let mut all = group.events(&rooms, &runs, Span { start: input.start_time, end: input.end_time }).await?;
    all.retain(|event| pattern.fits(&event.message));
    let from = match token(input.next_token.as_deref())? {
        None => 0,
        Some(text) => text.parse::<usize>().map_err(|_| Error::invalid("nextToken is of another list"))?,
    };
    let to = from.saturating_add(most);
    let next_token = (all.len() > to).then(|| write_token(&to.to_string()));
    let events = all.into_iter().skip(from).take(most).collect();
    Ok(Filtered { events, next_token })
}
