//! Streams: made, listed, deleted.

use super::kept::{Group, Order, Stream};
use super::{Done, Found, Logs, MAX_RESULTS, limit, names, runs, sequence};
use crate::door::Rooms;
use crate::json::{Call, Input, token};
use crate::page::write_token;
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// A request that names a stream and says no more that is of interest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    log_group_name: String,
    log_stream_name: String,
}

impl Input for Named {
    fn resources(&self) -> Vec<String> {
        names::one_stream(Some(&self.log_group_name), None, &self.log_stream_name)
    }
}

pub(super) async fn create(logs: Logs, input: Named) -> Result<Done> {
    names::check_stream("logStreamName", &input.log_stream_name)?;
    let group = logs.own(&input.log_group_name).await?;
    match logs.kept.create_stream(&group, &input.log_stream_name).await? {
        true => Ok(Done {}),
        false => Err(Error::already_exists("The specified log stream already exists")),
    }
}

pub(super) async fn delete(logs: Logs, input: Named) -> Result<Done> {
    names::check_stream("logStreamName", &input.log_stream_name)?;
    let group = logs.own(&input.log_group_name).await?;
    match logs.kept.delete_stream(&group, &input.log_stream_name).await? {
        true => Ok(Done {}),
        false => Err(super::no_stream()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<i64>,
}

impl Input for Describe {
    fn resources(&self) -> Vec<String> {
        names::whole(self.log_group_name.as_deref(), self.log_group_identifier.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    log_streams: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// A stream. CloudWatch no longer tells the bytes of streams.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    log_stream_name: String,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ingestion_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_sequence_token: Option<String>,
    arn: String,
    stored_bytes: i64,
}

impl Shown {
    fn kept(call: &Call, group: &Group, stream: Stream, first: Option<i64>) -> Self {
        let was_put_to = stream.ingested > 0;
        Self {
            arn: names::stream_arn(call, &group.name, &stream.name),
            log_stream_name: stream.name,
            creation_time: stream.created,
            first_event_timestamp: first,
            // Where the first is over, so is the last.
            last_event_timestamp: first.map(|_| stream.last_event),
            last_ingestion_time: was_put_to.then_some(stream.ingested),
            upload_sequence_token: was_put_to.then(|| sequence(stream.upload)),
            stored_bytes: 0,
        }
    }
}

/// What of a group's streams is asked for.
struct Asked {
    prefix: Option<String>,
    order: Order,
    token: Option<String>,
    most: usize,
}

pub(super) async fn describe(logs: Logs, call: Call, input: Describe) -> Result<Described> {
    let name = names::named(&call, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let by_event = match input.order_by.as_deref() {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") => true,
        Some(_) => return Err(Error::invalid("orderBy must be LogStreamName or LastEventTime")),
    };
    if by_event && input.log_stream_name_prefix.is_some() {
        return Err(Error::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let asked = Asked {
        prefix: input.log_stream_name_prefix,
        order: Order { by_event, descending: input.descending },
        token: token(input.next_token.as_deref())?,
        most: limit(input.limit, MAX_RESULTS, MAX_RESULTS)?,
    };
    match logs.find(&name).await? {
        Found::Runs(group) => of_runs(&logs.rooms, &call, group, asked).await,
        Found::Kept(group) => of_user(&logs, &call, &group, asked).await,
    }
}

async fn of_user(logs: &Logs, call: &Call, group: &Group, asked: Asked) -> Result<Described> {
    if let Some(prefix) = &asked.prefix {
        names::check_stream("logStreamNamePrefix", prefix)?;
    }
    let after = match &asked.token {
        None => None,
        Some(token) => {
            let wrong = || Error::invalid("The specified nextToken is invalid.");
            let (last, name) = token.split_once('/').ok_or_else(wrong)?;
            names::check_stream("the stream in nextToken", name)?;
            Some((last.parse::<i64>().map_err(|_| wrong())?, name.to_owned()))
        }
    };
    // One more than wanted tells whether there is another page.
    let mut found =
        logs.kept.streams(group, asked.prefix.as_deref(), asked.order, after, asked.most + 1).await?;
    let has_more = found.len() > asked.most;
    found.truncate(asked.most);
    let last = found.last().filter(|_| has_more);
    let next_token = last.map(|(stream, _)| write_token(&format!("{}/{}", stream.last_event, stream.name)));
    let log_streams =
        found.into_iter().map(|(stream, first)| Shown::kept(call, group, stream, first)).collect();
    Ok(Described { log_streams, next_token })
}

async fn of_runs(rooms: &Rooms, call: &Call, group: &runs::Group, asked: Asked) -> Result<Described> {
    let mut found: Vec<Shown> = Vec::new();
    for run in group.runs(rooms, None).await? {
        let name = group.stream_of(&run);
        if asked.prefix.as_deref().is_some_and(|prefix| !name.starts_with(prefix)) {
            continue;
        }
        let created = run.created.timestamp_millis();
        let last = run.ended.or(run.started).unwrap_or(run.created).timestamp_millis();
        match found.iter_mut().find(|stream| stream.log_stream_name == name) {
            Some(stream) => {
                stream.creation_time = stream.creation_time.min(created);
                stream.first_event_timestamp = Some(stream.creation_time);
            }
            None => found.push(Shown {
                arn: names::stream_arn(call, group.name, &name),
                log_stream_name: name,
                creation_time: created,
                first_event_timestamp: Some(created),
                last_event_timestamp: Some(last),
                last_ingestion_time: Some(last),
                upload_sequence_token: None,
                stored_bytes: 0,
            }),
        }
    }
    match asked.order.by_event {
        true => found.sort_by(|a, b| {
            (a.last_event_timestamp, &a.log_stream_name).cmp(&(b.last_event_timestamp, &b.log_stream_name))
        }),
        false => found.sort_by(|a, b| a.log_stream_name.cmp(&b.log_stream_name)),
    }
    if asked.order.descending {
        found.reverse();
    }
    let most = asked.most;
    let from = match asked.token {
        None => 0,
        Some(last) => found.iter().position(|stream| stream.log_stream_name == last).map_or(0, |at| at + 1),
    };
    let mut log_streams = found.split_off(from.min(found.len()));
    let next_token = (log_streams.len() > most).then(|| write_token(&log_streams[most - 1].log_stream_name));
    log_streams.truncate(most);
    Ok(Described { log_streams, next_token })
}
