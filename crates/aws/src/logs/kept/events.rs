//! Events: put, and read by page.

use super::groups::Group;
use super::statement::{AnyQuery, Conditions};
use super::streams::Stream;
use super::{Kept, OVERHEAD, cell, signed, wrong};
use crate::logs::pattern::Pattern;
use crate::logs::{no_group, no_stream};
use futures::TryStreamExt as _;
use model::{Error, Result};
use serde::Deserialize;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use state::db;

/// How many events a statement writes, and how many it reads.
const WRITTEN_AT_ONCE: usize = 250;
const READ_AT_ONCE: usize = 500;
/// How many bytes of events a page has, unless its first one alone has more.
const PAGE_BYTES: usize = 1 << 20;
/// How many events a call looks at before it gives the rest to the next.
const MOST_LOOKED_AT: usize = 100_000;

/// An event to be put.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::logs) struct NewEvent {
    pub(in crate::logs) timestamp: i64,
    pub(in crate::logs) message: String,
}

impl NewEvent {
    /// Its bytes as CloudWatch counts them.
    pub(in crate::logs) fn size(&self) -> usize {
        self.message.len() + OVERHEAD
    }
}

/// What became of events that were put.
pub(in crate::logs) struct Placed {
    /// The number of the last one.
    pub(in crate::logs) upload: i64,
    /// When old events of the group were last removed.
    pub(in crate::logs) swept: i64,
}

/// An event that is kept.
#[derive(Debug)]
pub(in crate::logs) struct KeptEvent {
    pub(in crate::logs) stream: String,
    pub(in crate::logs) place: Place,
    pub(in crate::logs) ingested: i64,
    pub(in crate::logs) message: String,
}

/// A place in the order of events: before the one of that time and number, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::logs) struct Place {
    pub(in crate::logs) at: i64,
    pub(in crate::logs) number: i64,
}

impl Place {
    /// Before all events of that time.
    pub(in crate::logs) fn before(at: i64) -> Self {
        Self { at, number: 0 }
    }

    /// Behind the event that is here.
    pub(in crate::logs) fn behind(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }
}

/// In which direction pages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::logs) enum Way {
    Forward,
    Backward,
}

/// Whose events are read.
#[derive(Debug)]
pub(in crate::logs) enum Of {
    Group,
    Stream(i64),
    Streams(Vec<i64>),
    /// Streams whose names begin so.
    Prefix(String),
}

/// Which events are read.
#[derive(Debug)]
pub(in crate::logs) struct Search {
    pub(in crate::logs) group: i64,
    pub(in crate::logs) of: Of,
    /// From that time on.
    pub(in crate::logs) from: i64,
    /// Before that time.
    pub(in crate::logs) to: Option<i64>,
}

/// Events in the direction that was asked for.
#[derive(Debug, Default)]
pub(in crate::logs) struct Page {
    pub(in crate::logs) events: Vec<KeptEvent>,
    /// Where the next page begins, if there is or may be one.
    pub(in crate::logs) next: Option<Place>,
}

impl Search {
    /// The statement that reads on from a place.
    fn query(&self, way: Way, place: Option<Place>) -> AnyQuery {
        let mut conditions = Conditions::default();
        conditions.also("s.id = e.stream".to_owned());
        match &self.of {
            Of::Stream(stream) => {
                let stream = conditions.number(*stream);
                conditions.also(format!("e.stream = {stream}"));
            }
            _ => {
                let group = conditions.number(self.group);
                conditions.also(format!("e.log_group = {group}"));
            }
        }
        match &self.of {
            Of::Group | Of::Stream(_) => {}
            Of::Streams(streams) => {
                let places: Vec<String> = streams.iter().map(|stream| conditions.number(*stream)).collect();
                // With the plus no index is taken for it: that of the group has the events in their order.
                conditions.also(format!("+e.stream IN ({})", places.join(", ")));
            }
            Of::Prefix(prefix) => conditions.begins("s.name", prefix),
        }
        let (mut first, mut end) = (Place::before(self.from), self.to.map(Place::before));
        match (way, place) {
            (_, None) => {}
            (Way::Forward, Some(place)) => first = first.max(place),
            (Way::Backward, Some(place)) => end = Some(end.map_or(place, |end| end.min(place))),
        }
        let (at, number) = (conditions.number(first.at), conditions.number(first.number));
        conditions.also(format!("(e.at, e.number) >= ({at}, {number})"));
        if let Some(end) = end {
            let (at, number) = (conditions.number(end.at), conditions.number(end.number));
            conditions.also(format!("(e.at, e.number) < ({at}, {number})"));
        }
        let way = if way == Way::Forward { "ASC" } else { "DESC" };
        // A cross join is not turned round: events are gone through in their order, not stream by stream.
        conditions.query(
            "SELECT s.name, e.at, e.number, e.ingested, e.message
             FROM aws_log_events e CROSS JOIN aws_log_streams s",
            &format!("ORDER BY e.at {way}, e.number {way} LIMIT {READ_AT_ONCE}"),
        )
    }
}

fn event(row: &AnyRow) -> Result<KeptEvent> {
    let message: Vec<u8> = cell(row, 4)?;
    Ok(KeptEvent {
        stream: cell(row, 0)?,
        place: Place { at: cell(row, 1)?, number: cell(row, 2)? },
        ingested: cell(row, 3)?,
        message: String::from_utf8(message)
            .map_err(|e| Error::corrupt("a stored log event is no text").source_is(e))?,
    })
}

impl Kept {
    /// Adds events to a stream, all or none. What is answered is on disk.
    pub(in crate::logs) async fn put(
        &self,
        group: &Group,
        stream: &Stream,
        events: &[NewEvent],
        now: i64,
    ) -> Result<Placed> {
        let count = signed(events.len());
        let bytes = signed(events.iter().map(NewEvent::size).sum());
        let latest = events.last().map_or(0, |event| event.timestamp);
        let mut tx = self.db.begin().await?;
        let row = sqlx::query(
            "UPDATE aws_log_groups SET numbers = numbers + $2, bytes = bytes + $3 WHERE id = $1
             RETURNING numbers, swept",
        )
        .bind(group.id)
        .bind(count)
        .bind(bytes)
        .fetch_optional(&mut *tx)
        .await
        .map_err(wrong)?;
        let row = row.ok_or_else(|| no_group(&group.name))?;
        let (upload, swept): (i64, i64) = (cell(&row, 0)?, cell(&row, 1)?);
        let done = sqlx::query(
            "UPDATE aws_log_streams SET last_event = CASE WHEN last_event < $2 THEN $2 ELSE last_event END,
                 ingested = $3, upload = $4 WHERE id = $1",
        )
        .bind(stream.id)
        .bind(latest)
        .bind(now)
        .bind(upload)
        .execute(&mut *tx)
        .await
        .map_err(wrong)?;
        if done.rows_affected() == 0 {
            return Err(no_stream());
        }
        let mut number = upload - count;
        for chunk in events.chunks(WRITTEN_AT_ONCE) {
            let rows: Vec<String> = (0..chunk.len())
                .map(|i| 4 * i + 4)
                .map(|n| format!("($1, ${n}, ${}, $2, $3, ${}, ${})", n + 1, n + 2, n + 3))
                .collect();
            let sql = format!(
                "INSERT INTO aws_log_events (log_group, at, number, stream, ingested, bytes, message) VALUES {}",
                rows.join(", ")
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(group.id).bind(stream.id).bind(now);
            for event in chunk {
                number += 1;
                query = query
                    .bind(event.timestamp)
                    .bind(number)
                    .bind(signed(event.size()))
                    .bind(event.message.as_bytes());
            }
            query.execute(&mut *tx).await.map_err(wrong)?;
        }
        db::commit(tx).await?;
        Ok(Placed { upload, swept })
    }

    /// Reads events that a pattern fits, from a place on: at most so many, and no more than a page has.
    pub(in crate::logs) async fn read(
        &self,
        search: &Search,
        way: Way,
        place: Option<Place>,
        most: usize,
        pattern: &Pattern,
    ) -> Result<Page> {
        let (mut page, mut place) = (Page::default(), place);
        let (mut bytes, mut looked_at) = (0, 0);
        loop {
            let mut rows = search.query(way, place).fetch(self.db.read());
            let mut count = 0;
            while let Some(row) = rows.try_next().await.map_err(wrong)? {
                count += 1;
                let event = event(&row)?;
                // Where to go on with this event, and where without it.
                let (with, without) = match way {
                    Way::Forward => (event.place, event.place.behind()),
                    Way::Backward => (event.place.behind(), event.place),
                };
                place = Some(without);
                if !pattern.fits(&event.message) {
                    continue;
                }
                let size = event.message.len() + OVERHEAD;
                let is_full = page.events.len() >= most || bytes + size > PAGE_BYTES;
                if is_full && !page.events.is_empty() {
                    page.next = Some(with);
                    return Ok(page);
                }
                bytes += size;
                page.events.push(event);
            }
            looked_at += count;
            if count < READ_AT_ONCE {
                return Ok(page);
            }
            if looked_at >= MOST_LOOKED_AT {
                page.next = place;
                return Ok(page);
            }
        }
    }
}
