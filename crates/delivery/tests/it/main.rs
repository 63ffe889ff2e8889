//! Delivery streams over a log, a lake and a catalog of a test's own, with a clock that the test moves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod converted;
mod delivered;

use catalog::Catalog;
use chrono::{DateTime, Duration, Utc};
use delivery::{Deliveries, DeliveriesRooms, NewDelivery, S3Destination, Source};
use futures::TryStreamExt;
use lake::{Lake, LakeConfig};
use model::BucketName;
use serde_json::{Value, json};
use state::events::{Events, Filter, Live, LiveEvents};
use state::{Clock, Database, ManualClock, RunOptions, Runs};
use std::collections::BTreeMap;
use std::sync::Arc;
use streams::{LocalLog, LocalOptions, Log};
use tempfile::TempDir;

/// The rooms, over a folder that outlives them.
struct House {
    folder: Arc<TempDir>,
    rooms: DeliveriesRooms,
    deliveries: Deliveries,
    hand: ManualClock,
    created: LiveEvents,
}

fn start() -> DateTime<Utc> {
    "2026-03-02T10:20:30Z".parse().unwrap()
}

impl House {
    async fn new() -> Self {
        let (clock, hand) = Clock::manual(start());
        Self::over(Arc::new(tempfile::tempdir().unwrap()), clock, hand).await
    }

    async fn over(folder: Arc<TempDir>, clock: Clock, hand: ManualClock) -> Self {
        let path = folder.path();
        let database = Database::sqlite(&path.join("state.db")).await.unwrap();
        let events = Events::open(database.clone(), clock.clone()).await.unwrap();
        let options = LocalOptions {
            sweep_every: None,
            ..LocalOptions::new("123456789012".parse().unwrap(), "eu-central-1".parse().unwrap())
        };
        let log =
            LocalLog::open(&path.join("streams"), database.clone(), clock.clone(), options).await.unwrap();
        let rooms = DeliveriesRooms {
            lake: Lake::open(LakeConfig::local(path)).await.unwrap(),
            catalog: Catalog::open(database.clone(), clock.clone()).await.unwrap(),
            runs: Runs::open(database.clone(), clock.clone(), events.clone(), RunOptions::default())
                .await
                .unwrap(),
            log: Arc::new(log),
            database,
            clock,
            events,
        };
        let created = rooms.events.live(Filter::kind("object.created"));
        let deliveries = Deliveries::open(rooms.clone()).await.unwrap();
        assert!(deliveries.serve().await.unwrap().is_empty());
        Self { folder, rooms, deliveries, hand, created }
    }

    /// Everything ends and begins again, as at the server's end and start.
    async fn again(self) -> Self {
        self.rooms.runs.shutdown(std::time::Duration::from_secs(10)).await;
        let (folder, clock, hand) = (Arc::clone(&self.folder), self.rooms.clock.clone(), self.hand.clone());
        drop(self);
        Self::over(folder, clock, hand).await
    }

    async fn bucket(&self, name: &str) {
        self.rooms.lake.create_bucket(&BucketName::new(name).unwrap()).await.unwrap();
    }

    async fn create(&self, name: &str, source: Source, more: Value) {
        let new = NewDelivery { name: name.into(), source, destination: destination(more), encryption: None };
        self.deliveries.create(new).await.unwrap();
    }

    async fn put(&self, name: &str, records: &[&str]) {
        let records = records.iter().map(|text| text.as_bytes().to_vec().into()).collect();
        for placed in self.deliveries.put(name, records).await.unwrap() {
            placed.unwrap();
        }
    }

    async fn put_into_stream(&self, stream: &str, records: impl IntoIterator<Item = String>) {
        let record = |text: String| streams::NewRecord::new(text.clone(), text);
        let records = records.into_iter().map(record).collect();
        for placed in self.rooms.log.put_many(stream, records).await.unwrap() {
            placed.unwrap();
        }
    }

    /// The next object that is told of.
    async fn object(&mut self) -> String {
        let next = tokio::time::timeout(std::time::Duration::from_secs(60), self.created.next());
        match next.await.expect("an object comes") {
            Some(Live::Event(event)) => event.subject,
            other => panic!("{other:?}"),
        }
    }

    /// The next object that is told of, however long the other side waits by the clock before it makes one: time
    /// passes by the step whenever nothing comes for a moment.
    async fn object_in_time(&mut self, step: i64) -> String {
        for _ in 0..1200 {
            match tokio::time::timeout(std::time::Duration::from_millis(50), self.created.next()).await {
                Ok(Some(Live::Event(event))) => return event.subject,
                Ok(other) => panic!("{other:?}"),
                Err(_) => self.pass(step),
            }
        }
        panic!("an object comes")
    }

    /// What all objects of the bucket say once there are so many lines in them, whichever house delivered them.
    async fn lines(&mut self, bucket: &str, many: usize) -> String {
        loop {
            let objects = self.objects(bucket).await.into_values();
            let text: String = objects.map(|object| String::from_utf8(object).unwrap()).collect();
            if text.lines().count() >= many {
                return text;
            }
            self.object().await;
        }
    }

    async fn text(&self, uri: &str) -> String {
        String::from_utf8(self.rooms.lake.read(&uri.parse().unwrap()).await.unwrap().to_vec()).unwrap()
    }

    /// All objects of a bucket but the platform's own (a commit's marker may go while they are read), by key.
    async fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        let all = self.rooms.lake.list(&format!("s3://{bucket}/").parse().unwrap());
        let mut found = BTreeMap::new();
        let all: Vec<_> = all.try_collect().await.unwrap();
        for info in all.iter().filter(|info| !info.uri.key().starts_with("_glulam/")) {
            found.insert(info.uri.key().to_owned(), self.rooms.lake.read(&info.uri).await.unwrap().to_vec());
        }
        found
    }

    fn pass(&self, seconds: i64) {
        self.hand.advance(Duration::seconds(seconds));
    }
}

fn direct() -> Source {
    Source::Direct { throughput_hint: None }
}

fn destination(more: Value) -> S3Destination {
    let mut all = json!({ "RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::lake" });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

/// Settings with which each record is delivered as soon as it comes.
fn at_once() -> Value {
    json!({ "BufferingHints": { "SizeInMBs": 64, "IntervalInSeconds": 0 } })
}

fn with(base: Value, more: Value) -> Value {
    let mut all = base;
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

/// Reads the log of the house's own making.
fn log(house: &House) -> &dyn Log {
    &*house.rooms.log
}
