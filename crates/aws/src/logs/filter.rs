//! The events of a group, or of some of its streams, that a pattern fits.

use super::kept::{Group, KeptEvent, Of, Way};
use super::pattern::Pattern;
use super::read::{self, Event, Span};
use super::{Found, Logs, MAX_EVENTS, limit, names, runs};
use crate::door::Rooms;
use crate::json::{Call, Input, token};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// How many streams a request may name.
const MAX_STREAMS: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
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
    start_from_head: Option<bool>,
}

impl Input for Filter {
    fn resources(&self) -> Vec<String> {
        names::whole(self.log_group_name.as_deref(), self.log_group_identifier.as_deref())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filtered {
    events: Vec<Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// What is asked for, but for the streams.
struct Asked {
    span: Span,
    pattern: Pattern,
    way: Way,
    /// Where a token goes on.
    place: Option<String>,
    most: usize,
}

pub(super) async fn filter(logs: Logs, call: Call, input: Filter) -> Result<Filtered> {
    let name = names::named(&call, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    if !input.log_stream_names.is_empty() && input.log_stream_name_prefix.is_some() {
        return Err(Error::invalid("logStreamNames and logStreamNamePrefix exclude each other"));
    }
    if input.log_stream_names.len() > MAX_STREAMS {
        return Err(Error::invalid(format!("logStreamNames has at most {MAX_STREAMS} members")));
    }
    let token = token(input.next_token.as_deref())?;
    // A token goes on in its own direction.
    let (way, place) = match token.as_deref().map(read::read).transpose()? {
        Some((way, place)) => (way, Some(place.to_owned())),
        None if input.start_from_head == Some(false) => (Way::Backward, None),
        None => (Way::Forward, None),
    };
    let asked = Asked {
        // Here, unlike elsewhere, the end belongs to it.
        span: Span { start: input.start_time, end: input.end_time.map(|end| end.saturating_add(1)) },
        pattern: Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?,
        way,
        place,
        most: limit(input.limit, MAX_EVENTS, MAX_EVENTS)?,
    };
    match logs.find(&name).await? {
        Found::Runs(group) => of_runs(&logs.rooms, group, &input, asked).await,
        Found::Kept(group) => of_user(&logs, &group, &input, asked).await,
    }
}

/// Whose events a request wants.
async fn streams(logs: &Logs, group: &Group, input: &Filter) -> Result<Of> {
    if let Some(prefix) = &input.log_stream_name_prefix {
        names::check_stream("logStreamNamePrefix", prefix)?;
        return Ok(Of::Prefix(prefix.clone()));
    }
    let mut ids = Vec::with_capacity(input.log_stream_names.len());
    for name in &input.log_stream_names {
        let id = logs.stream(group, name).await?.id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(match ids.len() {
        0 => Of::Group,
        1 => Of::Stream(ids[0]),
        _ => Of::Streams(ids),
    })
}

/// An event with an id that no other has, in the shape of CloudWatch's.
fn shown(group: &Group, event: KeptEvent) -> Event {
    Event {
        event_id: format!("{:019}{:018}{:019}", event.place.at, group.id, event.place.number),
        log_stream_name: event.stream,
        timestamp: event.place.at,
        message: event.message,
        ingestion_time: event.ingested,
    }
}

async fn of_user(logs: &Logs, group: &Group, input: &Filter, asked: Asked) -> Result<Filtered> {
    let of = streams(logs, group, input).await?;
    let search = asked.span.search(group, of, logs.rooms.clock.now_millis());
    let place = asked.place.as_deref().map(read::place_of).transpose()?;
    let page = logs.kept.read(&search, asked.way, place, asked.most, &asked.pattern).await?;
    Ok(Filtered {
        events: page.events.into_iter().map(|event| shown(group, event)).collect(),
        next_token: page.next.map(|next| read::write(asked.way, &read::text_of(next))),
    })
}

async fn of_runs(rooms: &Rooms, group: &runs::Group, input: &Filter, asked: Asked) -> Result<Filtered> {
    let mut runs = Vec::new();
    if input.log_stream_names.is_empty() {
        runs = group.runs(rooms, None).await?;
        let prefix = input.log_stream_name_prefix.as_deref();
        runs.retain(|run| prefix.is_none_or(|prefix| group.stream_of(run).starts_with(prefix)));
    }
    for name in &input.log_stream_names {
        runs.extend(group.runs(rooms, Some(name)).await?);
    }
    let mut all = group.events(rooms, &runs, asked.span).await?;
    all.retain(|event| asked.pattern.fits(&event.message));
    if asked.way == Way::Backward {
        all.reverse();
    }
    let from = asked.place.as_deref().map(read::count_of).transpose()?.unwrap_or(0);
    let to = from.saturating_add(asked.most);
    let next_token = (all.len() > to).then(|| read::write(asked.way, &to.to_string()));
    let events = all.into_iter().skip(from).take(asked.most).collect();
    Ok(Filtered { events, next_token })
}
