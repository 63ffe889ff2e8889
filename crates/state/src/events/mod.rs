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
use crate::db::{self, Database, Dialect, Transaction};
use crate::whole;
use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::{Arc, PoisonError, RwLock};
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
    /// The subscriptions, where this process alone has the database.
    known: Option<Known>,
}

/// The subscriptions in memory, so that an event that nobody waits for needs no look at the database. A subscription is
/// among them from its commit on, and no longer when its end is committed: events of a transaction, which on the
/// embedded database has the only pen, are never queued for one that is gone.
#[derive(Default)]
struct Known {
    /// None while they could not be read: then the database is asked.
    filters: RwLock<Option<Filters>>,
    /// Held while they change.
    change: tokio::sync::Mutex<()>,
}

type Filters = Vec<(String, Filter)>;

impl Known {
    fn set(&self, filters: Option<Filters>) {
        *self.filters.write().unwrap_or_else(PoisonError::into_inner) = filters;
    }

    fn without(&self, name: &str) {
        if let Some(filters) = &mut *self.filters.write().unwrap_or_else(PoisonError::into_inner) {
            filters.retain(|(known, _)| known != name);
        }
    }

    fn wanted_by(&self, event: &NewEvent) -> Option<Vec<String>> {
        let filters = self.filters.read().unwrap_or_else(PoisonError::into_inner);
        filters.as_ref().map(|filters| wanted(filters, event))
    }
}

fn wanted(filters: &[(String, Filter)], event: &NewEvent) -> Vec<String> {
    let wants = |(_, filter): &&(String, Filter)| filter.wants(&event.kind, &event.subject);
    filters.iter().filter(wants).map(|(name, _)| name.clone()).collect()
}

impl Events {
    /// The bus over that database. Brings its tables up to date.
    pub async fn open(db: Database, clock: Clock) -> Result<Self> {
        Self::with(db, clock, None).await
    }

    /// The only bus over that embedded database: no other process, and no other bus of this one, may use it meanwhile.
    pub async fn open_alone(db: Database, clock: Clock) -> Result<Self> {
        let known = (db.dialect() == Dialect::Sqlite).then(Known::default);
        Self::with(db, clock, known).await
    }

    async fn with(db: Database, clock: Clock, known: Option<Known>) -> Result<Self> {
        db.migrate("events", tables::MIGRATIONS).await?;
        let (live, stored) = (broadcast::Sender::new(LIVE_BACKLOG), watch::Sender::new(0));
        let events = Self { inner: Arc::new(Inner { db, clock, live, stored, known }) };
        if let Some(known) = &events.inner.known {
            events.learn(known).await?;
        }
        Ok(events)
    }

    /// Publishes an event by itself. Where nobody waits for it durably, nothing is written.
    pub async fn publish(&self, event: NewEvent) -> Result<Event> {
        event.check()?;
        let names = match self.wanted_by(&event) {
            Some(names) => names,
            None => wanted(&tables::filters(&mut *self.reader().await?, None).await?, &event),
        };
        if names.is_empty() {
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
        let names = match self.wanted_by(&event) {
            Some(names) => names,
            None => wanted(&tables::filters(tx, Some(self.inner.db.dialect())).await?, &event),
        };
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
        let (events, named) = (self.clone(), name.to_owned());
        let reader = whole(async move { events.begin(&named, &filter).await }).await?;
        Ok(Subscription::new(self.clone(), name, reader, self.inner.stored.subscribe()))
    }

    /// Ends a durable subscription; what only it waited for goes.
    pub async fn unsubscribe(&self, name: &str) -> Result<()> {
        let (events, name) = (self.clone(), name.to_owned());
        whole(async move { events.finish(&name).await }).await
    }

    async fn begin(&self, name: &str, filter: &Filter) -> Result<i64> {
        let beginning = tables::subscribe(&self.inner.db, name, filter, self.inner.clock.now_millis());
        let Some(known) = &self.inner.known else { return beginning.await };
        let _turn = known.change.lock().await;
        let reader = beginning.await?;
        self.learn(known).await?;
        Ok(reader)
    }

    async fn finish(&self, name: &str) -> Result<()> {
        let Some(known) = &self.inner.known else { return tables::unsubscribe(&self.inner.db, name).await };
        let _turn = known.change.lock().await;
        known.without(name);
        let ended = tables::unsubscribe(&self.inner.db, name).await;
        self.learn(known).await?;
        ended
    }

    /// The names of the subscriptions that want an event, where this process knows them.
    fn wanted_by(&self, event: &NewEvent) -> Option<Vec<String>> {
        self.inner.known.as_ref()?.wanted_by(event)
    }

    /// Reads the subscriptions anew.
    async fn learn(&self, known: &Known) -> Result<()> {
        let read = async { tables::filters(&mut *self.reader().await?, None).await };
        match read.await {
            Ok(filters) => known.set(Some(filters)),
            Err(error) => {
                known.set(None);
                return Err(error);
            }
        }
        Ok(())
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
