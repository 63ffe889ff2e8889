//! A durable subscription: reads its own queue in order and forgets only what was acknowledged.

use super::{Event, Events, tables};
use crate::db;
use chrono::{DateTime, Duration, Utc};
use model::{Error, ErrorKind, Result};
use std::collections::{BTreeSet, VecDeque};
use tokio::sync::watch;

/// How often it looks for events that another node stored.
const POLL: Duration = Duration::seconds(1);
/// How many events are read from the database at once.
const BATCH: usize = 256;
/// How many may be delivered and not yet acknowledged.
const IN_HAND: usize = 1024;

/// A durable subscription as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionInfo {
    /// Its name.
    pub name: String,
    /// How many events wait for it.
    pub pending: u64,
    /// Since when the oldest of them waits.
    pub oldest: Option<DateTime<Utc>>,
}

/// The reader of a durable subscription.
pub struct Subscription {
    events: Events,
    name: String,
    /// Which reader this is; the database knows the newest.
    reader: i64,
    stored: watch::Receiver<u64>,
    read: VecDeque<Event>,
    in_hand: BTreeSet<i64>,
}

impl Subscription {
    pub(super) fn new(events: Events, name: &str, reader: i64, stored: watch::Receiver<u64>) -> Self {
        let name = name.to_owned();
        Self { events, name, reader, stored, read: VecDeque::new(), in_hand: BTreeSet::new() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next event, waiting for one if need be. A caller that never acknowledges is stopped (`LimitExceeded`) before
    /// it holds thousands; one that was taken over by a newer reader gets `Conflict`. Safe to drop while waiting.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.try_next().await? {
                return Ok(event);
            }
            let clock = self.events.inner.clock.clone();
            tokio::select! {
                // An error means that the bus is gone, which this subscription's own handle prevents.
                _ = self.stored.changed() => {}
                () = clock.sleep(POLL) => {}
            }
        }
    }

    /// The next event if one is there.
    pub async fn try_next(&mut self) -> Result<Option<Event>> {
        if self.in_hand.len() >= IN_HAND {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("`{}` has {IN_HAND} events in hand that it did not acknowledge", self.name),
            ));
        }
        if self.read.is_empty() {
            self.stored.mark_unchanged();
            self.read = self.fetch().await?;
        }
        let event = self.read.pop_front();
        if let Some(event) = &event {
            self.in_hand.insert(event.id);
        }
        Ok(event)
    }

    /// Marks one delivered event as dealt with: it never comes again. Acknowledging twice does no harm.
    pub async fn ack(&mut self, id: i64) -> Result<()> {
        tables::acknowledge(&self.events.inner.db, &self.name, &[id]).await?;
        self.in_hand.remove(&id);
        Ok(())
    }

    /// Marks every event that was delivered to this reader up to that one as dealt with.
    pub async fn ack_through(&mut self, id: i64) -> Result<()> {
        let done: Vec<i64> = self.in_hand.range(..=id).copied().collect();
        tables::acknowledge(&self.events.inner.db, &self.name, &done).await?;
        self.in_hand.retain(|held| *held > id);
        Ok(())
    }

    /// Reads what is not in hand yet. It looks from the beginning of the queue, since a transaction that began earlier
    /// may commit later and bring a smaller number.
    async fn fetch(&self) -> Result<VecDeque<Event>> {
        let mut connection = self.events.reader().await?;
        let newest = tables::reader_of(&mut connection, &self.name).await?;
        if newest != Some(self.reader) {
            let gone = if newest.is_none() { "was ended" } else { "has a newer reader" };
            return Err(Error::conflict(format!("the subscription `{}` {gone}", self.name))
                .hint("subscribe again to take it over"));
        }
        let most = self.in_hand.len() + BATCH;
        let ids = tables::queue(&mut connection, &self.name, most).await?;
        let wanted: Vec<i64> = ids.into_iter().filter(|id| !self.in_hand.contains(id)).collect();
        tables::load(&mut connection, &wanted)
            .await
            .map(VecDeque::from)
            .map_err(|e| db::failed("reading events", e))
    }
}
