//! The entrance: delivery streams made, shown, changed and deleted, and records put into them.

use crate::keeper::keep;
use crate::run::{Control, Driver, ROOM, is_missing, stream_of};
use crate::settings::{Compiled, S3Destination};
use crate::source::begin;
use crate::store::{Body, Encryption, Source, Store, Stored};
use bytes::Bytes;
use catalog::Catalog;
use chrono::{DateTime, Utc};
use lake::Lake;
use model::{Diagnosis, Error, ErrorKind, Result, RunId, RunKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use state::events::Events;
use state::runs::{ConcurrencyLimit, NewRun, RunContext, Runs, WhenFull};
use state::{Clock, Database};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use streams::{Log, NewRecord, NewStream, StreamStatus};

/// The largest record, in bytes.
pub const MAX_RECORD: usize = 1000 << 10;
/// The kind of their runs.
const KIND: &str = "delivery";

/// The rooms that deliveries stand on.
#[derive(Clone)]
pub struct DeliveriesRooms {
    /// The state database.
    pub database: Database,
    /// The clock.
    pub clock: Clock,
    /// The lake.
    pub lake: Lake,
    /// The catalog.
    pub catalog: Catalog,
    /// The runs.
    pub runs: Runs,
    /// Where is told what happened to objects.
    pub events: Events,
    /// The streams.
    pub log: Arc<dyn Log>,
}

/// Delivery streams. Cheap to clone.
#[derive(Clone)]
pub struct Deliveries {
    pub(crate) inner: Arc<Inner>,
}

/// What they share.
pub(crate) struct Inner {
    pub(crate) rooms: DeliveriesRooms,
    pub(crate) store: Store,
    working: Mutex<BTreeMap<String, Arc<Control>>>,
    /// Whether they work in this process.
    serving: AtomicBool,
    /// One is made or deleted at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

/// A delivery stream to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewDelivery {
    /// 1 to 64 letters, digits, `_`, `.`, `-`.
    pub name: String,
    /// Where records come from.
    pub source: Source,
    /// Where they go.
    pub destination: S3Destination,
    /// What it is told of encryption.
    pub encryption: Option<Encryption>,
}

/// A delivery stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryStream {
    /// Its name.
    pub name: String,
    /// Where records come from.
    pub source: Source,
    /// Where they go.
    pub destination: S3Destination,
    /// What it was told of encryption.
    pub encryption: Option<Encryption>,
    /// Counts the changes of its settings, from 1.
    pub version: u64,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
    /// What it has delivered.
    pub totals: Totals,
    /// Its latest run.
    pub run: Option<RunId>,
    /// Why nothing is delivered at the moment, and since when.
    pub failure: Option<(Diagnosis, DateTime<Utc>)>,
}

/// What a delivery stream has delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Records, also those that failed.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that went under the error prefix.
    pub failed: u64,
    /// Objects.
    pub objects: u64,
    /// When the last batch was written.
    pub last: Option<DateTime<Utc>>,
}

impl Deliveries {
    /// The delivery streams of these rooms. None begins to work by itself; see [`Deliveries::serve`].
    pub async fn open(rooms: DeliveriesRooms) -> Result<Self> {
        let store = Store::open(rooms.database.clone()).await?;
        let (working, serving, turn) = Default::default();
        Ok(Self { inner: Arc::new(Inner { rooms, store, working, serving, turn }) })
    }

    /// Lets all of them work from now on, also those that are made later, and looks after them. Answers what kept some
    /// from starting.
    pub async fn serve(&self) -> Result<Vec<(String, Error)>> {
        let _turn = self.inner.turn.lock().await;
        if !self.inner.serving.swap(true, Ordering::AcqRel) {
            keep(&self.inner);
        }
        let mut failed = Vec::new();
        for stored in self.inner.store.list().await? {
            if let Err(error) = self.start(&stored).await {
                failed.push((stored.name, error));
            }
        }
        Ok(failed)
    }

    /// Makes a delivery stream. It is active at once.
    pub async fn create(&self, new: NewDelivery) -> Result<DeliveryStream> {
        check_name(&new.name)?;
        Compiled::new(&new.destination)?;
        let _turn = self.inner.turn.lock().await;
        if self.inner.store.find(&new.name).await?.is_some() {
            return Err(Error::already_exists(format!("there is a delivery stream `{}` already", new.name)));
        }
        let (log, now) = (&self.inner.rooms.log, self.inner.rooms.clock.now());
        let stream = stream_of(&new.name, &new.source);
        let from = match new.source {
            Source::Direct { .. } => {
                // A creation that was killed may have left one that nobody ever put anything into.
                match log.delete_stream(&stream, true).await {
                    Err(error) if !is_missing(&error) => return Err(error),
                    _ => {}
                }
                log.create_stream(NewStream::internal(ROOM, &new.name)).await?;
                None
            }
            Source::Stream { .. } => {
                if log.stream(&stream).await?.status == StreamStatus::Deleting {
                    return Err(Error::conflict(format!("the stream `{stream}` is being deleted")));
                }
                Some(now)
            }
        };
        let positions = begin(&**log, &stream, from).await?;
        let id = format!("{:x}-{:x}", now.timestamp_millis(), fingerprint(&stream, &positions));
        let stored = Stored {
            name: new.name,
            id,
            body: Body { source: new.source, destination: new.destination, encryption: new.encryption },
            version: 1,
            positions,
            plan: None,
            batches: 0,
            totals: Totals::default(),
            run: String::new(),
            created: now,
            modified: now,
        };
        crashpoint::hit("delivery.create.before_record");
        self.inner.store.create(&stored).await?;
        if self.inner.serving.load(Ordering::Acquire)
            && let Err(error) = self.start(&stored).await
        {
            // It is there, and takes records; the failure is shown with it, and it is started again in a while.
            tracing::warn!(stream = stored.name, %error, "a delivery stream was made, but could not be started");
        }
        self.get(&stored.name).await
    }

    /// Lets one work. What keeps it from that is shown with it.
    pub(crate) async fn start(&self, stored: &Stored) -> Result<()> {
        let control = Arc::new(Control::default());
        let before = self.lock().insert(stored.name.clone(), Arc::clone(&control));
        let started = self.begin(stored, Arc::clone(&control)).await;
        if let Err(error) = &started {
            // Perhaps one still works, and listens to the control that it was started with.
            let control = before.unwrap_or(control);
            control.fails(error, self.inner.rooms.clock.now());
            self.lock().insert(stored.name.clone(), control);
        }
        started
    }

    async fn begin(&self, stored: &Stored, control: Arc<Control>) -> Result<()> {
        let new = NewRun {
            resident: true,
            concurrency: Some(ConcurrencyLimit {
                key: format!("delivery/{}", stored.id),
                limit: 1,
                when_full: WhenFull::Refuse,
            }),
            ..NewRun::new(RunKind::new(KIND)?, stored.name.clone())
        };
        let driver = Driver::new(stored, self.inner.rooms.clone(), self.inner.store.clone(), control);
        let driver = Arc::new(driver);
        let body = move |run: RunContext| {
            let driver = Arc::clone(&driver);
            async move { driver.run(&run).await.map(|()| Value::Null) }
        };
        let handle = self.inner.rooms.runs.start(new, body).await?;
        self.inner.store.set_run(&stored.name, handle.id().as_str()).await
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Control>>> {
        self.inner.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn shown(&self, stored: Stored) -> Result<DeliveryStream> {
        let Stored { name, body, version, totals, run, created, modified, .. } = stored;
        let Body { source, destination, encryption } = body;
        let failure = self.lock().get(&name).and_then(|control| control.failure());
        let mut failure = failure.map(|failure| (failure.diagnosis, failure.since));
        let run: Option<RunId> = run.parse().ok();
        if let (None, Some(run)) = (&failure, &run) {
            failure = self.ended(run).await?;
        }
        Ok(DeliveryStream {
            name,
            source,
            destination,
            encryption,
            version,
            created,
            modified,
            totals,
            run,
            failure,
        })
    }

    /// How a run ended that should go on, and when.
    async fn ended(&self, run: &RunId) -> Result<Option<(Diagnosis, DateTime<Utc>)>> {
        let run = match self.inner.rooms.runs.get(run).await {
            Ok(run) if run.state.is_final() => run,
            Err(error) if !is_missing(&error) => return Err(error),
            _ => return Ok(None),
        };
        let why = run.result().err().unwrap_or_else(|| Error::internal("it ended by itself"));
        Ok(Some((why.context("nothing is delivered").diagnosis(), run.ended.unwrap_or(run.created))))
    }

    /// A delivery stream.
    pub async fn get(&self, name: &str) -> Result<DeliveryStream> {
        self.shown(self.inner.store.get(name).await?).await
    }

    /// All delivery streams by name.
    pub async fn list(&self) -> Result<Vec<DeliveryStream>> {
        let mut all = Vec::new();
        for stored in self.inner.store.list().await? {
            all.push(self.shown(stored).await?);
        }
        Ok(all)
    }

    /// Changes the destination that stood at that version: members of the change replace those of their names, others
    /// stay. Fails with `PreconditionFailed` when it stands at another version.
    pub async fn update(
        &self,
        name: &str,
        version: u64,
        change: Map<String, Value>,
    ) -> Result<DeliveryStream> {
        let _turn = self.inner.turn.lock().await;
        let stored = self.inner.store.get(name).await?;
        let stale = || {
            let what =
                format!("the delivery stream `{name}` is at version {}, not {version}", stored.version);
            Error::new(ErrorKind::PreconditionFailed, what).hint("describe it again, and decide anew")
        };
        if stored.version != version {
            return Err(stale());
        }
        let destination = stored.body.destination.merged(change)?;
        let dynamic = |settings: &S3Destination| {
            settings.dynamic_partitioning_configuration.is_some_and(|dynamic| dynamic.enabled)
        };
        if dynamic(&destination) != dynamic(&stored.body.destination) {
            return Err(Error::invalid(
                "dynamic partitioning is enabled when a delivery stream is made, or never",
            )
            .hint("make a new delivery stream"));
        }
        Compiled::new(&destination)?;
        let body = Body { destination, ..stored.body.clone() };
        self.change(&stored, version + 1, &body).await?.then_some(()).ok_or_else(stale)?;
        self.get(name).await
    }

    async fn change(&self, stored: &Stored, next: u64, body: &Body) -> Result<bool> {
        let now = self.inner.rooms.clock.now_millis();
        let changed = self.inner.store.change(&stored.name, stored.version, next, body, now).await?;
        if let Some(control) = self.lock().get(&stored.name) {
            control.changed();
        }
        Ok(changed)
    }

    /// Keeps what it is told of encryption.
    pub async fn set_encryption(&self, name: &str, encryption: Option<Encryption>) -> Result<()> {
        let _turn = self.inner.turn.lock().await;
        let stored = self.inner.store.get(name).await?;
        if !matches!(stored.body.source, Source::Direct { .. }) {
            return Err(Error::invalid(format!(
                "`{name}` reads a stream, which is encrypted by itself or not"
            )));
        }
        let body = Body { encryption, ..stored.body.clone() };
        match self.change(&stored, stored.version, &body).await? {
            true => Ok(()),
            false => Err(Error::conflict(format!("the delivery stream `{name}` was changed meanwhile"))),
        }
    }

    /// Deletes a delivery stream. What it has delivered stays; what it has not is lost.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let _turn = self.inner.turn.lock().await;
        let stored = self.inner.store.get(name).await?;
        if self.lock().remove(name).is_some()
            && let Ok(run) = stored.run.parse::<RunId>()
        {
            match self.inner.rooms.runs.stop(&run).await {
                Ok(_) => drop(self.inner.rooms.runs.handle(&run).wait().await?),
                // It ended so long ago that nobody knows it any more.
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        if let Source::Direct { .. } = stored.body.source {
            match self.inner.rooms.log.delete_stream(&stream_of(name, &stored.body.source), true).await {
                Err(error) if !is_missing(&error) => return Err(error),
                _ => {}
            }
        }
        crashpoint::hit("delivery.delete.before_record");
        self.inner.store.delete(name, &stored.id).await
    }

    /// Puts records and answers, in their order, the number of each, or why it was not taken. What is answered as taken is
    /// on disk.
    pub async fn put(&self, name: &str, records: Vec<Bytes>) -> Result<Vec<Result<String>>> {
        if let Some(large) = records.iter().find(|record| record.len() > MAX_RECORD) {
            return Err(Error::invalid(format!(
                "a record has at most {MAX_RECORD} bytes, not {}",
                large.len()
            )));
        }
        // A creation that broke off may have left its stream: nobody would ever deliver from it.
        let is_working = self.lock().contains_key(name);
        if !is_working {
            self.inner.store.get(name).await?;
        }
        let stream = streams::internal_name(ROOM, name);
        // There is one shard, so the key says nothing.
        let records = records.into_iter().map(|data| NewRecord::new("-", data)).collect();
        match self.inner.rooms.log.put_many(&stream, records).await {
            Ok(placed) => Ok(placed
                .into_iter()
                .map(|placed| placed.map(|placed| placed.sequence_number.to_string()))
                .collect()),
            Err(error) if is_missing(&error) => Err(match self.inner.store.get(name).await?.body.source {
                Source::Stream { name: stream, .. } => Error::invalid(format!(
                    "the delivery stream `{name}` takes its records from the stream `{stream}`"
                ))
                .hint("put them there"),
                Source::Direct { .. } => error,
            }),
            Err(error) => Err(error),
        }
    }
}

/// Tells delivery streams of one name apart that are made within a millisecond.
fn fingerprint(stream: &str, positions: &crate::source::Positions) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    stream.hash(&mut hasher);
    format!("{positions:?}").hash(&mut hasher);
    hasher.finish()
}

fn check_name(name: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`{}` is no name for a delivery stream: it has 1 to 64 letters, digits, `_`, `.` and `-`",
        name.chars().take(80).collect::<String>()
    )))
}
