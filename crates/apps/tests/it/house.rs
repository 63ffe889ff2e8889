//! A house with all rooms that applications stand on.

use apps::{Applications, ApplicationsRooms, StartOptions};
use catalog::Catalog;
use chrono::{DateTime, Duration, Utc};
use engine::{Engine, EngineOptions};
use lake::{Lake, LakeConfig};
use model::LakeUri;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};
use state::events::Events;
use state::runs::{Run, RunHandle, RunOptions, Runs};
use state::{Clock, Database, ManualClock};
use std::path::PathBuf;
use std::sync::Arc;
use streams::{LocalLog, LocalOptions, Log, NewRecord, NewStream};

pub(crate) struct House {
    pub(crate) path: PathBuf,
    _kept: Option<tempfile::TempDir>,
    pub(crate) hand: ManualClock,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) local: Arc<LocalLog>,
    pub(crate) lake: Lake,
    pub(crate) apps: Applications,
    pub(crate) runs: Runs,
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap());
        let mut house = Self::at(folder.path().to_owned()).await;
        house._kept = Some(folder);
        house
    }

    pub(crate) async fn at(path: PathBuf) -> Self {
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let (clock, hand) = Clock::manual(start);
        let database = Database::sqlite(&path.join("state.db")).await.unwrap();
        let lake = Lake::open(LakeConfig::local(path.join("lake"))).await.unwrap();
        let bucket = "out".parse().unwrap();
        if !lake.bucket_exists(&bucket).await.unwrap() {
            lake.create_bucket(&bucket).await.unwrap();
        }
        let events = Events::open(database.clone(), clock.clone()).await.unwrap();
        let runs =
            Runs::open(database.clone(), clock.clone(), events.clone(), RunOptions::default()).await.unwrap();
        let catalog = Catalog::open(database.clone(), clock.clone()).await.unwrap();
        let options = EngineOptions {
            memory_limit: 256 << 20,
            spill_dir: path.join("spill"),
            threads: 1,
            bytes_cutoff: None,
            warehouse: "s3://out/warehouse/".parse().unwrap(),
            results_dir: path.join("results"),
        };
        let engine = Engine::open(
            database.clone(),
            catalog.clone(),
            lake.clone(),
            Some(runs.clone()),
            clock.clone(),
            options,
        )
        .await
        .unwrap();
        let options = LocalOptions::new("000000000000".parse().unwrap(), "eu-central-1".parse().unwrap());
        let options = LocalOptions { sweep_every: None, ..options };
        let log =
            LocalLog::open(&path.join("streams"), database.clone(), clock.clone(), options).await.unwrap();
        let local = Arc::new(log);
        let log: Arc<dyn Log> = Arc::clone(&local) as Arc<dyn Log>;
        let rooms = ApplicationsRooms {
            database,
            clock,
            lake: lake.clone(),
            catalog,
            engine,
            runs: runs.clone(),
            log: Arc::clone(&log),
            folder: path.join("applications"),
        };
        let apps = Applications::open(rooms).await.unwrap();
        Self { path, _kept: None, hand, log, local, lake, apps, runs }
    }

    pub(crate) async fn stream(&self, name: &str, shards: u32) {
        self.log.create_stream(NewStream::provisioned(name, shards)).await.unwrap();
    }

    /// Puts texts under these keys. Answers the shards that they came to.
    pub(crate) async fn put(&self, stream: &str, records: &[(String, String)]) -> Vec<usize> {
        let mut shards = Vec::with_capacity(records.len());
        for chunk in records.chunks(500) {
            let records = chunk.iter().map(|(key, text)| NewRecord::new(key, text.clone())).collect();
            for placed in self.log.put_many(stream, records).await.unwrap() {
                shards.push(placed.unwrap().shard.0 as usize);
            }
        }
        shards
    }

    /// Runs an application until it has read everything; all windows close.
    pub(crate) async fn caught_up(&self, name: &str, tasks: usize) -> serde_json::Value {
        let options = StartOptions { tasks: Some(tasks), until_caught_up: true, ..Default::default() };
        let handle = self.apps.start(name, options).await.unwrap();
        handle.wait().await.unwrap().result().unwrap()["counters"].clone()
    }

    /// All lines of the files below a folder, sorted.
    pub(crate) async fn lines(&self, folder: &str) -> Vec<String> {
        use futures::TryStreamExt;
        let uri: LakeUri = folder.parse().unwrap();
        let files: Vec<_> = self.lake.list(&uri).try_collect().await.unwrap();
        let mut lines = Vec::new();
        for file in files {
            let text = self.lake.read(&file.uri).await.unwrap();
            lines.extend(String::from_utf8(text.to_vec()).unwrap().lines().map(str::to_owned));
        }
        lines.sort();
        lines
    }
}

/// Waits until the run has counted so many records.
pub(crate) async fn counted(house: &House, run: &RunHandle, records: u64) {
    until(house, run, |now| now.counters.get("records").copied().unwrap_or(0) >= records).await;
}

/// Waits until the run's watermark is there.
pub(crate) async fn behind(house: &House, run: &RunHandle, mark: Option<i64>) {
    let Some(mark) = mark else { return };
    let name = if mark < 0 { "watermark_before_1970" } else { "watermark" };
    until(house, run, |now| now.counters.get(name) == Some(&mark.unsigned_abs())).await;
}

/// Waits for something of a run. The clock goes on meanwhile.
pub(crate) async fn until(house: &House, run: &RunHandle, is_there: impl Fn(&Run) -> bool) {
    loop {
        let now = house.runs.get(run.id()).await.unwrap();
        assert!(!now.state.is_final(), "{now:?}");
        if is_there(&now) {
            return;
        }
        house.hand.advance(Duration::milliseconds(200));
        tokio::task::yield_now().await;
    }
}

/// Tries so many cases, or as many as `PROPTEST_CASES` says: always the same ones, or those of `PROPTEST_RNG_SEED`.
pub(crate) fn runner<S: Strategy>(cases: u32, all: &S, holds: impl AsyncFn(S::Value) -> TestCaseResult) {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let chosen = Config::default();
    let seed = match chosen.rng_seed {
        RngSeed::Fixed(seed) if is_set("PROPTEST_RNG_SEED") => seed,
        _ => 7,
    };
    let config = Config {
        cases: if is_set("PROPTEST_CASES") { chosen.cases } else { cases },
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..chosen
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outcome = TestRunner::new(config).run(all, |case| runtime.block_on(holds(case)));
    outcome.unwrap_or_else(|failure| panic!("with PROPTEST_RNG_SEED={seed}: {failure}"));
}

/// A time as texts have it.
pub(crate) fn iso(millis: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(millis).unwrap().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A metric as the services report it.
pub(crate) fn metric(component: &str, value: f64, millis: i64) -> (String, String) {
    let text = format!(
        r#"{{"componentName":"{component}","metricName":"cpu","unit":"percent","value":{value},"publicationTimestamp":"{}"}}"#,
        iso(millis)
    );
    (component.to_owned(), text)
}

/// The practice's application, with these settings in front and this query behind.
pub(crate) fn script(settings: &str, insert: &str) -> String {
    format!(
        "{settings}
CREATE TABLE metrics_stream (
  componentName STRING,
  metricName STRING,
  unit STRING,
  `value` DOUBLE,
  publicationTimestamp TIMESTAMP(3),
  WATERMARK FOR publicationTimestamp AS publicationTimestamp - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kinesis', 'stream' = 'metrics', 'aws.region' = 'eu-central-1',
  'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601'
);
CREATE TABLE windowed (
  componentName STRING, metricName STRING, minValue DOUBLE, maxValue DOUBLE, events BIGINT,
  fromTimestamp TIMESTAMP(3), toTimestamp TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = 's3://out/windowed/', 'format' = 'json');
{insert}"
    )
}

/// Windows of five minutes, in GROUP BY.
pub(crate) const TUMBLE: &str = "INSERT INTO windowed
SELECT componentName, metricName, MIN(`value`), MAX(`value`), COUNT(*),
       TUMBLE_START(publicationTimestamp, INTERVAL '5' MINUTE), TUMBLE_END(publicationTimestamp, INTERVAL '5' MINUTE)
FROM metrics_stream
GROUP BY TUMBLE(publicationTimestamp, INTERVAL '5' MINUTE), componentName, metricName;";
