//! The events of a stream, page by page in both directions.

use super::kept::{Group, KeptEvent, Of, Place, Search, Way};
use super::pattern::Pattern;
use super::{Found, Logs, MAX_EVENTS, limit, names, no_stream, runs};
use crate::door::Rooms;
use crate::json::{Call, Input, token};
use crate::page::write_token;
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// Times within which events are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
}

impl Span {
    pub(super) fn holds(self, time: i64) -> bool {
        self.start.is_none_or(|start| time >= start) && self.end.is_none_or(|end| time < end)
    }

    /// A search among a group's events within these times.
    pub(super) fn search(self, group: &Group, of: Of, now: i64) -> Search {
        let from = self.start.unwrap_or_default().max(group.since(now));
        Search { group: group.id, of, from, to: self.end }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) log_stream_name: String,
    pub(super) timestamp: i64,
    pub(super) message: String,
    pub(super) ingestion_time: i64,
    pub(super) event_id: String,
}

fn invalid_token() -> Error {
    Error::invalid("The specified nextToken is invalid.")
}

/// A token: the direction, and a place, which is a number among the events of runs and a time with a number elsewhere.
pub(super) fn write(way: Way, place: &str) -> String {
    let way = if way == Way::Forward { "f" } else { "b" };
    write_token(&format!("{way}/{place}"))
}

/// The direction and the place of a token.
pub(super) fn read(token: &str) -> Result<(Way, &str)> {
    match token.split_once('/') {
        Some(("f", place)) => Ok((Way::Forward, place)),
        Some(("b", place)) => Ok((Way::Backward, place)),
        _ => Err(invalid_token()),
    }
}

/// A place among the events of runs.
pub(super) fn count_of(place: &str) -> Result<usize> {
    place.parse().map_err(|_| invalid_token())
}

/// A place among users' events.
pub(super) fn place_of(place: &str) -> Result<Place> {
    let (at, number) = place.split_once('.').ok_or_else(invalid_token)?;
    match (at.parse::<i64>(), number.parse::<i64>()) {
        (Ok(at), Ok(number)) => Ok(Place { at, number }),
        _ => Err(invalid_token()),
    }
}

/// Such a place as text.
pub(super) fn text_of(place: Place) -> String {
    format!("{}.{}", place.at, place.number)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Get {
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

impl Input for Get {
    fn resources(&self) -> Vec<String> {
        let (name, identifier) = (self.log_group_name.as_deref(), self.log_group_identifier.as_deref());
        names::one_stream(name, identifier, &self.log_stream_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Got {
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

impl From<Event> for PlainEvent {
    fn from(event: Event) -> Self {
        Self { timestamp: event.timestamp, message: event.message, ingestion_time: event.ingestion_time }
    }
}

impl From<KeptEvent> for PlainEvent {
    fn from(event: KeptEvent) -> Self {
        Self { timestamp: event.place.at, message: event.message, ingestion_time: event.ingested }
    }
}

/// A page of a stream. Its tokens are places between events, so that the forward one of the last page finds what comes
/// later; at either end the token comes back as it was, by which clients know the end.
pub(super) async fn get(logs: Logs, call: Call, input: Get) -> Result<Got> {
    let name = names::named(&call, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let most = limit(input.limit, MAX_EVENTS, MAX_EVENTS)?;
    let token = token(input.next_token.as_deref())?;
    match logs.find(&name).await? {
        Found::Runs(group) => of_runs(&logs.rooms, group, &input, token, most).await,
        Found::Kept(group) => of_user(&logs, &group, &input, token, most).await,
    }
}

async fn of_user(logs: &Logs, group: &Group, input: &Get, token: Option<String>, most: usize) -> Result<Got> {
    let stream = logs.stream(group, &input.log_stream_name).await?;
    let span = Span { start: input.start_time, end: input.end_time };
    let search = span.search(group, Of::Stream(stream.id), logs.rooms.clock.now_millis());
    let (way, start) = match token.as_deref().map(read).transpose()? {
        Some((way, place)) => (way, Some(place_of(place)?)),
        None if input.start_from_head => (Way::Forward, None),
        None => (Way::Backward, None),
    };
    let mut page = logs.kept.read(&search, way, start, most, &Pattern::default()).await?;
    if way == Way::Backward {
        page.events.reverse();
    }
    // Where there is nothing, both tokens are where this one was.
    let here = start.unwrap_or(Place::before(search.from));
    let first = page.events.first().map_or(here, |event| event.place);
    let behind = page.events.last().map_or(here, |event| event.place.behind());
    Ok(Got {
        events: page.events.into_iter().map(PlainEvent::from).collect(),
        next_forward_token: write(Way::Forward, &text_of(behind)),
        next_backward_token: write(Way::Backward, &text_of(first)),
    })
}

async fn of_runs(
    rooms: &Rooms,
    group: &runs::Group,
    input: &Get,
    token: Option<String>,
    most: usize,
) -> Result<Got> {
    let runs = group.runs(rooms, Some(&input.log_stream_name)).await?;
    if runs.is_empty() {
        return Err(no_stream());
    }
    let all = group.events(rooms, &runs, Span { start: input.start_time, end: input.end_time }).await?;
    let (from, to) = match token.as_deref().map(read).transpose()? {
        Some((way, place)) => {
            let place = count_of(place)?.min(all.len());
            match way {
                Way::Forward => (place, place.saturating_add(most).min(all.len())),
                Way::Backward => (place.saturating_sub(most), place),
            }
        }
        None if input.start_from_head => (0, most.min(all.len())),
        None => (all.len().saturating_sub(most), all.len()),
    };
    Ok(Got {
        events: all.into_iter().take(to).skip(from).map(PlainEvent::from).collect(),
        next_forward_token: write(Way::Forward, &to.to_string()),
        next_backward_token: write(Way::Backward, &from.to_string()),
    })
}
