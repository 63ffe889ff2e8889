//! A delivery stream's life: it waits until a batch is large or old enough, delivers it, and goes on. What fails is tried
//! again, later each time, and shown meanwhile; the records wait in the log.

use crate::deliveries::{DeliveriesRooms, Totals};
use crate::settings::Compiled;
use crate::source::{Gathered, Positions, Reader};
use crate::store::{Plan, Source, Store, Stored};
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use lake::CommitOptions;
use model::{Diagnosis, Error, ErrorKind, Result};
use state::runs::RunContext;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use streams::{ShardId, internal_name};
use tokio::sync::Notify;

/// The room's name, for streams that it keeps for itself.
pub(crate) const ROOM: &str = "delivery";
/// How long it waits for a record before it looks again.
const PATIENCE: Duration = Duration::seconds(60);
/// How long it waits after the first failure; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::milliseconds(500);
const LONGEST_PAUSE: Duration = Duration::seconds(60);

/// The way to a delivery stream at work.
#[derive(Default)]
pub(crate) struct Control {
    changed: Notify,
    failure: Mutex<Option<Failure>>,
}

/// Why nothing is delivered at the moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) diagnosis: Diagnosis,
    pub(crate) since: DateTime<Utc>,
    pub(crate) tries: u32,
}

impl Control {
    /// The settings have changed.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    pub(crate) fn failure(&self) -> Option<Failure> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Failure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fails(&self, error: &Error, now: DateTime<Utc>) -> u32 {
        let mut failure = self.lock();
        let (since, tries) = failure.as_ref().map_or((now, 0), |failure| (failure.since, failure.tries));
        *failure = Some(Failure { diagnosis: error.diagnosis(), since, tries: tries.saturating_add(1) });
        tries
    }
}

/// A delivery stream at work.
pub(crate) struct Driver {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) rooms: DeliveriesRooms,
    pub(crate) store: Store,
    control: Arc<Control>,
    source: Source,
    stream: String,
}

impl Driver {
    pub(crate) fn new(stored: &Stored, rooms: DeliveriesRooms, store: Store, control: Arc<Control>) -> Self {
        let source = stored.body.source.clone();
        let stream = stream_of(&stored.name, &source);
        Self { name: stored.name.clone(), id: stored.id.clone(), rooms, store, control, source, stream }
    }

    /// The stream that records are read from.
    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// Delivers until it is asked to stop.
    pub(crate) async fn run(&self, run: &RunContext) -> Result<()> {
        let cancelled = run.cancelled();
        loop {
            let Err(error) = self.deliver(run).await else { continue };
            if cancelled.is_cancelled() {
                return Err(Error::cancelled());
            }
            if self.store.find(&self.name).await.is_ok_and(|stored| stored.is_none_or(|s| s.id != self.id)) {
                return Err(self.gone());
            }
            let tries = self.control.fails(&error, self.rooms.clock.now());
            run.error(format!("nothing can be delivered at the moment: {}", error.diagnosis())).await;
            let pause = (FIRST_PAUSE * (1 << tries.min(10))).min(LONGEST_PAUSE);
            tokio::select! {
                () = self.rooms.clock.sleep(pause) => {}
                () = self.control.changed.notified() => {}
                () = cancelled.cancelled() => return Err(Error::cancelled()),
            }
        }
    }

    async fn stored(&self) -> Result<Stored> {
        match self.store.find(&self.name).await? {
            Some(stored) if stored.id == self.id => Ok(stored),
            _ => Err(self.gone()),
        }
    }

    /// Delivers batch after batch until something fails, or returns to begin anew.
    async fn deliver(&self, run: &RunContext) -> Result<()> {
        let stored = self.stored().await?;
        if let Some(plan) = self.recover(&stored, run).await? {
            run.info(format!("the batch {} is delivered again: it was not published", plan.number)).await;
            let compiled = Arc::new(Compiled::new(&stored.body.destination)?);
            self.publish(&stored, &compiled, plan.gathered, plan.behind, run).await?;
            self.delivered();
            return Ok(());
        }
        let stored = self.stored().await?;
        let log = Arc::clone(&self.rooms.log);
        let mut reader = Reader::open(log, &self.stream, stored.positions.clone()).await?;
        loop {
            let gathered = self.gather(&mut reader, run).await?;
            let stored = self.stored().await?;
            let compiled = Arc::new(Compiled::new(&stored.body.destination)?);
            let behind = gathered.behind(reader.positions());
            self.publish(&stored, &compiled, gathered, behind.clone(), run).await?;
            reader.delivered(behind);
            self.delivered();
        }
    }

    fn delivered(&self) {
        *self.control.lock() = None;
    }

    /// Gathers records until there are enough, or the first has waited for long enough.
    async fn gather(&self, reader: &mut Reader, run: &RunContext) -> Result<Gathered> {
        let (clock, cancelled) = (&self.rooms.clock, run.cancelled());
        let mut compiled = Compiled::new(&self.stored().await?.body.destination)?;
        let mut batch = Gathered::default();
        loop {
            run.check()?;
            // What came before the batch is due belongs to it.
            let turn = reader.gather(&mut batch, compiled.size).await?;
            // Who catches up finds old records: as long as there are more at once, their age makes no batch.
            let due = !turn.cut && clock.now() >= batch.oldest() + compiled.interval;
            if batch.records > 0 && (batch.bytes >= compiled.size || due) {
                return Ok(batch);
            }
            if turn.found {
                continue;
            }
            let until =
                if batch.records > 0 { batch.oldest() + compiled.interval } else { clock.now() + PATIENCE };
            tokio::select! {
                woken = reader.wait() => woken?,
                () = clock.sleep_until(until) => {}
                () = cancelled.cancelled() => {}
                () = self.control.changed.notified() => {
                    compiled = Compiled::new(&self.stored().await?.body.destination)?;
                }
            }
        }
    }

    /// Writes, publishes and settles a batch.
    async fn publish(
        &self,
        stored: &Stored,
        compiled: &Arc<Compiled>,
        gathered: Gathered,
        behind: Positions,
        run: &RunContext,
    ) -> Result<()> {
        let number = stored.batches + 1;
        let begin = || self.rooms.lake.begin_commit(CommitOptions { run: Some(run.id().clone()) });
        let mut commit = begin();
        let written = match self.write((stored, compiled), &gathered, &commit, None).await {
            // Rows that their format refuses must not keep back all that comes behind them.
            Err(error) if error.kind() == ErrorKind::Unsupported && compiled.target.is_some() => {
                commit.abort().await?;
                commit = begin();
                self.write((stored, compiled), &gathered, &commit, Some(error.to_string())).await?
            }
            written => written?,
        };
        let marker = match written.objects.first() {
            Some(first) => {
                let marker = self.marker(first, number)?;
                commit.put(&marker, Bytes::new()).await?;
                Some(marker)
            }
            None => None,
        };
        let counted = written.counted;
        let objects = written.objects.len() as u64;
        let totals = Totals {
            records: stored.totals.records + counted.records,
            bytes: stored.totals.bytes + counted.bytes,
            failed: stored.totals.failed + counted.failed,
            objects: stored.totals.objects + objects,
            last: Some(self.rooms.clock.now()),
        };
        let plan = Plan {
            number,
            version: stored.version,
            gathered,
            behind,
            marker,
            objects: written.objects,
            partitions: written.partitions,
            totals,
            settled: false,
        };
        crashpoint::hit("delivery.batch.before_plan");
        if !self.store.plan(&self.name, &self.id, &plan).await? {
            return Err(self.gone());
        }
        crashpoint::hit("delivery.batch.planned");
        if plan.marker.is_some() {
            commit.publish().await?;
            crashpoint::hit("delivery.batch.published");
        }
        self.settle(&plan, run).await?;
        for (name, by) in [
            ("records", counted.records),
            ("bytes", counted.bytes),
            ("failed_records", counted.failed),
            ("objects", objects),
        ] {
            run.count(name, by);
        }
        if let Some(why) = written.first_failure {
            let text =
                format!("{} records failed and lie under the error prefix, the first: {why}", counted.failed);
            run.warn(text).await;
        }
        self.release(&plan).await;
        Ok(())
    }

    /// Gives the room of delivered records back, where nobody else reads them.
    async fn release(&self, plan: &Plan) {
        let Source::Direct { .. } = self.source else { return };
        for span in &plan.gathered.spans {
            let through = span.through.as_deref().and_then(|number| number.parse().ok());
            if let Some(through) = through
                && let Err(error) = self.rooms.log.release(&self.stream, ShardId(span.shard), through).await
            {
                // They stay until they are too old.
                tracing::warn!(stream = self.name, %error, "delivered records could not be removed");
            }
        }
    }
}

/// The stream that a delivery stream reads.
pub(crate) fn stream_of(name: &str, source: &Source) -> String {
    match source {
        Source::Direct { .. } => internal_name(ROOM, name),
        Source::Stream { name, .. } => name.clone(),
    }
}

/// Whether a log says that something is not there.
pub(crate) fn is_missing(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
}
