//! The event bus: what happened (`object.created`, `run.finished`, …), told to whoever listens now and kept for whoever
//! waits durably.
//!
//! An event is stored only where a durable subscription wants it, and goes as soon as all of them have acknowledged it.
//! Delivery to durable subscriptions is at least once; live listeners hear the events of their own process.

mod durable;
mod live;
mod tables;

pub use durable::{Subscription, SubscriptionInfo};
pub use live::{Live, LiveEvents};

use crate::clock::Clock;
use crate::db::{self, Database, Transaction};
use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

/// How many events a live listener may fall behind before it misses some.
const LIVE_BACKLOG: usize = 1024;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The number under which it is kept, rising; 0 for an event that nobody waits for durably.
    pub id: i64,
    /// What happened, such as `object.created`.
    pub kind: String,
    /// To what: a URI, a run's id, a table's name.
    pub subject: String,
    /// The kind's own details.
    pub payload: Value,
    /// When.
    pub at: DateTime<Utc>,
}

/// An event to publish; the bus adds number and time.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened: words of lower-case letters, joined by dots.
    pub kind: String,
    /// To what.
    pub subject: String,
    /// The kind's own details.
    pub payload: Value,
}

impl NewEvent {
    /// An event of that kind about that subject.
    pub fn new(kind: impl Into<String>, subject: impl Into<String>, payload: Value) -> Self {
        Self { kind: kind.into(), subject: subject.into(), payload }
    }

    fn check(&self) -> Result<()> {
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if self.kind.len() > 128 || !self.kind.split('.').all(word) {
            return Err(Error::invalid(format!("`{}` is no kind of event", self.kind.escape_debug()))
                .hint("use words of lower-case letters joined by dots, such as `object.created`"));
        }
        if self.subject.contains('\0') {
            return Err(Error::invalid("an event's subject must not hold a zero byte"));
        }
        Ok(())
    }
}

/// Which events are wanted. The default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these kinds; none named means all.
    pub kinds: Vec<String>,
    /// Only subjects that begin so.
    pub subject_prefix: String,
}

impl Filter {
    /// Events of one kind.
    pub fn kind(kind: impl Into<String>) -> Self {
        Self { kinds: vec![kind.into()], subject_prefix: String::new() }
    }

    /// Only subjects that begin so.
    #[must_use]
    pub fn under(mut self, prefix: impl Into<String>) -> Self {
        self.subject_prefix = prefix.into();
        self
    }

    /// Whether an event is wanted.
    pub fn wants(&self, kind: &str, subject: &str) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|k| k == kind))
            && subject.starts_with(&self.subject_prefix)
    }
}

/// What [`Events::publish_in`] leaves to do once its transaction is committed. Dropped instead (a rollback), live
/// listeners never hear of it.
#[must_use = "give it to `Events::committed` after the commit, or live listeners hear nothing"]
#[derive(Debug)]
pub struct Ticket {
    event: Event,
}

impl Ticket {
    /// The event as it will be seen.
    pub fn event(&self) -> &Event {
        &self.event
    }
}

/// The bus. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
}

struct Inner {
    db: Database,
    clock: Clock,
    live: broadcast::Sender<Arc<Event>>,
    /// Counts up with every stored event, to wake the durable subscriptions of this process.
    stored: watch::Sender<u64>,
}

impl Events {
    /// The bus over that database. Brings its tables up to date.
    pub async fn open(db: Database, clock: Clock) -> Result<Self> {
        db.migrate("events", tables::MIGRATIONS).await?;
        let inner =
            Inner { db, clock, live: broadcast::Sender::new(LIVE_BACKLOG), stored: watch::Sender::new(0) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Publishes an event by itself. Where nobody waits for it durably, nothing is written.
    pub async fn publish(&self, event: NewEvent) -> Result<Event> {
        event.check()?;
        if tables::wanted_by(&mut *self.reader().await?, &event, None).await?.is_empty() {
            let event = self.stamped(0, event);
            let _ = self.inner.live.send(Arc::new(event.clone()));
            return Ok(event);
        }
        let mut tx = self.inner.db.begin().await?;
        let ticket = self.publish_in(&mut tx, event).await?;
        db::commit(tx).await?;
        let event = ticket.event.clone();
        self.committed(ticket);
        Ok(event)
    }

    /// Publishes an event as part of a change: it is kept if and only if the transaction commits. After the commit give
    /// the ticket to [`Events::committed`].
    pub async fn publish_in(&self, tx: &mut Transaction, event: NewEvent) -> Result<Ticket> {
        event.check()?;
        let names = tables::wanted_by(tx, &event, Some(self.inner.db.dialect())).await?;
        let mut event = self.stamped(0, event);
        if !names.is_empty() {
            event.id = tables::store(tx, &event, &names).await?;
        }
        Ok(Ticket { event })
    }

    /// Tells live listeners of an event whose transaction is committed, and wakes durable subscriptions.
    pub fn committed(&self, ticket: Ticket) {
        if ticket.event.id != 0 {
            self.inner.stored.send_modify(|count| *count += 1);
        }
        let _ = self.inner.live.send(Arc::new(ticket.event));
    }

    /// Listens from now on to the events of this process.
    pub fn live(&self, filter: Filter) -> LiveEvents {
        LiveEvents::new(self.inner.live.subscribe(), filter)
    }

    /// Opens the durable subscription of that name, making it if it is new and giving it this filter. It gets every
    /// event published after it was made, in order, until each is acknowledged; what was delivered but not acknowledged
    /// before a crash comes again. One reader at a time: a newer one of the same name takes over.
    pub async fn subscribe(&self, name: &str, filter: Filter) -> Result<Subscription> {
        if name.is_empty() || name.len() > 255 || name.contains('\0') {
            return Err(Error::invalid("a subscription's name must have 1 to 255 characters"));
        }
        if filter.subject_prefix.contains('\0') {
            return Err(Error::invalid("a subject must not hold a zero byte"));
        }
        let reader = tables::subscribe(&self.inner.db, name, &filter, self.inner.clock.now_millis()).await?;
        Ok(Subscription::new(self.clone(), name, reader, self.inner.stored.subscribe()))
    }

    /// Ends a durable subscription; what only it waited for goes.
    pub async fn unsubscribe(&self, name: &str) -> Result<()> {
        tables::unsubscribe(&self.inner.db, name).await
    }

    /// The durable subscriptions by name, with what waits for each.
    pub async fn subscriptions(&self) -> Result<Vec<SubscriptionInfo>> {
        tables::subscriptions(&mut *self.reader().await?).await
    }

    fn stamped(&self, id: i64, event: NewEvent) -> Event {
        // To the millisecond, as the database keeps it, so that an event reads back equal.
        let at = DateTime::from_timestamp_millis(self.inner.clock.now_millis()).unwrap_or_default();
        Event { id, kind: event.kind, subject: event.subject, payload: event.payload, at }
    }

    async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Any>> {
        self.inner.db.read().acquire().await.map_err(|e| db::failed("reading the events", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_and_names() {
        let filter = Filter::kind("object.created").under("s3://raw/");
        assert!(filter.wants("object.created", "s3://raw/a.csv"));
        assert!(!filter.wants("object.deleted", "s3://raw/a.csv"));
        assert!(!filter.wants("object.created", "s3://other/a.csv"));
        assert!(Filter::default().wants("run.finished", ""));
        for bad in ["", "Run.finished", "run.", ".run", "run finished"] {
            assert!(NewEvent::new(bad, "x", Value::Null).check().is_err(), "{bad}");
        }
        assert!(NewEvent::new("run.finished", "a\0b", Value::Null).check().is_err());
    }
}
