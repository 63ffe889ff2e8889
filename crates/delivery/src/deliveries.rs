//! The entrance: delivery streams made, shown, changed and deleted, and records put into them.

use crate::run::{Control, Driver, ROOM, is_missing, stream_of};
use crate::settings::{Compiled, S3Destination};
use crate::source::begin;
use crate::store::{Body, Encryption, Source, Store, Stored};
use bytes::Bytes;
use catalog::Catalog;
use chrono::{DateTime, Utc};
use lake::Lake;
use model::{BucketName, Diagnosis, EntityName, Error, ErrorKind, Result, RunId, RunKind};
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
    rooms: DeliveriesRooms,
    store: Store,
    working: Arc<Mutex<BTreeMap<String, Arc<Control>>>>,
    /// Whether they work in this process.
    serving: Arc<AtomicBool>,
    /// One is made or deleted at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
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
        Ok(Self { rooms, store, working: Arc::default(), serving: Arc::default(), turn: Arc::default() })
    }

    /// Lets all of them work from now on, also those that are made later. Answers what kept some from starting.
    pub async fn serve(&self) -> Result<Vec<(String, Error)>> {
        let _turn = self.turn.lock().await;
        self.serving.store(true, Ordering::Release);
        let mut failed = Vec::new();
        for stored in self.store.list().await? {
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
        let _turn = self.turn.lock().await;
        if self.store.find(&new.name).await?.is_some() {
            return Err(Error::already_exists(format!("there is a delivery stream `{}` already", new.name)));
        }
        let (log, now) = (&self.rooms.log, self.rooms.clock.now());
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
        self.store.create(&stored).await?;
        if self.serving.load(Ordering::Acquire) {
            self.start(&stored).await?;
        }
        self.get(&stored.name).await
    }

    async fn start(&self, stored: &Stored) -> Result<()> {
        let new = NewRun {
            resident: true,
            concurrency: Some(ConcurrencyLimit {
                key: format!("delivery/{}", stored.id),
                limit: 1,
                when_full: WhenFull::Refuse,
            }),
            ..NewRun::new(RunKind::new(KIND)?, stored.name.clone())
        };
        let control = Arc::new(Control::default());
        self.lock().insert(stored.name.clone(), Arc::clone(&control));
        let driver = Driver::new(stored, self.rooms.clone(), self.store.clone(), control);
        let driver = Arc::new(driver);
        let body = move |run: RunContext| {
            let driver = Arc::clone(&driver);
            async move { driver.run(&run).await.map(|()| Value::Null) }
        };
        let handle = self.rooms.runs.start(new, body).await?;
        self.store.set_run(&stored.name, handle.id().as_str()).await
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Control>>> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self, stored: Stored) -> DeliveryStream {
        let failure = self.lock().get(&stored.name).and_then(|control| control.failure());
        let Stored { name, body, version, totals, run, created, modified, .. } = stored;
        let Body { source, destination, encryption } = body;
        DeliveryStream {
            name,
            source,
            destination,
            encryption,
            version,
            created,
            modified,
            totals,
            run: run.parse().ok(),
            failure: failure.map(|failure| (failure.diagnosis, failure.since)),
        }
    }

    /// A delivery stream.
    pub async fn get(&self, name: &str) -> Result<DeliveryStream> {
        Ok(self.shown(self.store.get(name).await?))
    }

    /// All delivery streams by name.
    pub async fn list(&self) -> Result<Vec<DeliveryStream>> {
        Ok(self.store.list().await?.into_iter().map(|stored| self.shown(stored)).collect())
    }

    /// Changes the destination that stood at that version: members of the change replace those of their names, others
    /// stay. Fails with `PreconditionFailed` when it stands at another version.
    pub async fn update(
        &self,
        name: &str,
        version: u64,
        change: Map<String, Value>,
    ) -> Result<DeliveryStream> {
        let _turn = self.turn.lock().await;
        let stored = self.store.get(name).await?;
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
        let now = self.rooms.clock.now_millis();
        let changed = self.store.change(&stored.name, stored.version, next, body, now).await?;
        if let Some(control) = self.lock().get(&stored.name) {
            control.changed();
        }
        Ok(changed)
    }

    /// Keeps what it is told of encryption.
    pub async fn set_encryption(&self, name: &str, encryption: Option<Encryption>) -> Result<()> {
        let _turn = self.turn.lock().await;
        let stored = self.store.get(name).await?;
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
        let _turn = self.turn.lock().await;
        let stored = self.store.get(name).await?;
        if let Ok(run) = stored.run.parse::<RunId>()
            && self.lock().remove(name).is_some()
        {
            self.rooms.runs.stop(&run).await?;
            self.rooms.runs.handle(&run).wait().await?;
        }
        if let Source::Direct { .. } = stored.body.source {
            match self.rooms.log.delete_stream(&stream_of(name, &stored.body.source), true).await {
                Err(error) if !is_missing(&error) => return Err(error),
                _ => {}
            }
        }
        crashpoint::hit("delivery.delete.before_record");
        self.store.delete(name, &stored.id).await
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
        let stream = streams::internal_name(ROOM, name);
        // There is one shard, so the key says nothing.
        let records = records.into_iter().map(|data| NewRecord::new("-", data)).collect();
        match self.rooms.log.put_many(&stream, records).await {
            Ok(placed) => Ok(placed
                .into_iter()
                .map(|placed| placed.map(|placed| placed.sequence_number.to_string()))
                .collect()),
            Err(error) if is_missing(&error) => Err(match self.store.get(name).await?.body.source {
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

impl S3Destination {
    /// What it writes: buckets, and what all keys in them begin with.
    pub fn writes(&self) -> Result<Vec<(BucketName, String)>> {
        let compiled = Compiled::new(self)?;
        let mut all = vec![
            (compiled.bucket.clone(), compiled.prefix.literal().to_owned()),
            (compiled.bucket, compiled.error_prefix.literal().to_owned()),
        ];
        all.extend(compiled.backup.map(|backup| (backup.bucket, backup.prefix.literal().to_owned())));
        Ok(all)
    }

    /// The table whose columns the objects have, where records are converted.
    pub fn reads(&self) -> Result<Option<(EntityName, EntityName)>> {
        Ok(Compiled::new(self)?.target.map(|target| (target.database, target.table)))
    }

    /// What of it a plain S3 destination can say: the rest is left out.
    #[must_use]
    pub fn plain(self) -> Self {
        Self {
            processing_configuration: None,
            s3_backup_mode: None,
            s3_backup_configuration: None,
            data_format_conversion_configuration: None,
            dynamic_partitioning_configuration: None,
            file_extension: None,
            custom_time_zone: None,
            ..self
        }
    }

    /// With members of a change; those of a backup are changed one by one, too.
    pub fn merged(&self, change: Map<String, Value>) -> Result<Self> {
        let unwritten = |e| Error::internal("settings cannot be written down").source_is(e);
        let Value::Object(mut all) = serde_json::to_value(self).map_err(unwritten)? else {
            return Err(Error::internal("settings are no object"));
        };
        for (name, value) in change.into_iter().filter(|(_, value)| !value.is_null()) {
            match (name.as_str(), value) {
                ("S3BackupUpdate", Value::Object(change)) => {
                    let backup =
                        all.entry("S3BackupConfiguration").or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(backup) = backup {
                        backup.extend(change);
                    }
                }
                (_, value) => drop(all.insert(name, value)),
            }
        }
        serde_json::from_value(Value::Object(all))
            .map_err(|e| Error::invalid(format!("the settings cannot be read: {e}")))
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
