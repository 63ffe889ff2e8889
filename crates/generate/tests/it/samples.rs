//! Small tasks and the steps to run them.

use chrono::{DateTime, Utc};
use generate::{Options, Output, Report, Task, Watch, run};
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) const WINDOWED: &str = r#"{
  "@type": "windowed-metrics", "randomSeed": 7, "numberOfIterations": 2, "outputFilePath": "metrics",
  "timer": { "@type": "synthetic", "startTime": "2020-09-01T23:55:00Z", "stepMillis": 300000 },
  "metrics": {
    "user-service": {
      "cpu": { "unit": "percent", "averageFrom": 10.0, "averageTo": 25.0, "minDiff": 2.0, "maxDiff": 5.0 },
      "ram, used": { "unit": "percent", "averageFrom": 50.0, "averageTo": 75.0, "minDiff": 12.0, "maxDiff": 20.0 }
    },
    "order-service": {
      "cpu": { "unit": "percent", "averageFrom": 20.0, "averageTo": 30.0, "minDiff": 9.0, "maxDiff": 15.0 }
    }
  }
}"#;

pub(crate) const LOG: &str = r#"{
  "@type": "server-access-log", "randomSeed": 7, "numberOfIterations": 2,
  "networkLagMinMillis": 10, "networkLagMaxMillis": 1500, "outputDirectoryPath": "logs",
  "timer": { "@type": "synthetic", "startTime": "2022-09-15T23:43:01.005Z", "stepMillis": 1800000 },
  "services": [
    { "name": "order-service", "endpoints": [
      { "relativeUrl": "/api/v1/orders", "httpMethod": "POST", "dependencies": [
        { "serviceName": "audit-service", "relativeUrl": "/api/v1/audit", "httpMethod": "POST" },
        { "serviceName": "user-service", "relativeUrl": "/api/v1/users/{id}", "httpMethod": "GET" } ] } ] },
    { "name": "user-service", "endpoints": [
      { "relativeUrl": "/api/v1/users/{id}", "httpMethod": "GET", "dependencies": [
        { "serviceName": "audit-service", "relativeUrl": "/api/v1/audit", "httpMethod": "POST" } ] } ] },
    { "name": "audit-service", "endpoints": [
      { "relativeUrl": "/api/v1/audit", "httpMethod": "POST", "dependencies": [] } ] }
  ],
  "loadItems": [
    { "userAgent": "Edge", "userAddress": "192.168.16.16", "remoteUser": "34509dlkjg",
      "call": { "serviceName": "user-service", "relativeUrl": "/api/v1/users/{id}", "httpMethod": "GET" } },
    { "userAgent": "Firefox", "userAddress": "192.168.17.17", "remoteUser": ";ldkh045",
      "call": { "serviceName": "order-service", "relativeUrl": "/api/v1/orders", "httpMethod": "POST" } }
  ]
}"#;

pub(crate) const STREAM: &str = r#"{
  "@type": "kinesis-metrics-stream", "randomSeed": 7, "iterationsNumber": 2,
  "stream": { "region": "eu-central-1", "streamName": "metrics" },
  "timer": { "@type": "realtime", "startTime": "2020-01-01T11:32:54.000Z", "rateMillis": 1000 },
  "metrics": { "user \"x\" service": { "cpu": { "unit": "percent", "minValue": 10.0, "maxValue": 25.0 } },
               "order-service": { "ram": { "unit": "percent", "minValue": 0.5, "maxValue": 0.75 } } }
}"#;

pub(crate) const PLAIN: &str = r#"{
  "@type": "plain-metrics", "randomSeed": 7, "numberOfIterations": 500, "outputFilePath": "plain",
  "timer": { "@type": "synthetic", "startTime": "2026-03-01T23:58:00.500Z", "stepMillis": 1000, "jitterMillis": 5000 },
  "metrics": {
    "order-service": { "cpu": { "unit": "percent", "minValue": 10.0, "maxValue": 25.0 },
                       "ram": { "unit": "percent", "minValue": -0.5, "maxValue": 0.75 } },
    "user-service": { "cpu": { "unit": "percent", "minValue": 1, "maxValue": 1 } }
  }
}"#;

pub(crate) const ANPR: &str = r#"{
  "@type": "anpr-records", "randomSeed": 7, "numberOfIterations": 2000, "outputDirectoryPath": "anpr",
  "timer": { "@type": "synthetic", "startTime": "2020-06-03T22:40:00.250Z", "stepMillis": 4500 },
  "cameras": 20, "networkLagMinMillis": 20, "networkLagMaxMillis": 900,
  "lateShare": 0.04, "lateMaxMillis": 7200000, "minutesPerFile": 30
}"#;

pub(crate) const TAXI: &str = r#"{
  "@type": "taxi-trips", "randomSeed": 7, "month": "2021-02", "numberOfTrips": 30000, "numberOfFiles": 2,
  "outputDirectoryPath": "taxi",
  "nullShare": 0.1, "nullTimeShare": 0.02, "negativeDurationShare": 0.01, "otherMonthShare": 0.03
}"#;

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_800_000_000_000).unwrap()
}

pub(crate) fn options(folder: &Path) -> Options<'static> {
    Options { base_dir: folder.to_owned(), ..Options::new(99, now()) }
}

/// Parses and runs.
pub(crate) fn make(text: &str, options: &Options<'_>) -> model::Result<Report> {
    run(&Task::parse("task.json", text)?, options, &())
}

/// Every file below a folder by its path in it, hidden ones too.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Runs in a fresh folder and gives what it wrote.
pub(crate) fn made(text: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let report = make(text, &options(folder.path())).unwrap();
    let files = files(folder.path());
    assert_eq!(report.files.len(), files.len());
    let bytes: usize = files.values().map(Vec::len).sum();
    assert_eq!(report.bytes, bytes as u64);
    files
}

/// The files as one text, for snapshots.
pub(crate) fn shown(files: &BTreeMap<String, Vec<u8>>) -> String {
    files.iter().map(|(name, bytes)| format!("== {name}\n{}", String::from_utf8_lossy(bytes))).collect()
}

/// A stream task with its output in the file `name`.
pub(crate) fn to_file(options: Options<'static>, name: &str) -> Options<'static> {
    Options { output: Some(Output::Path(name.into())), ..options }
}

/// Stops the run when this many rows are written.
pub(crate) struct StopAfter(pub(crate) u64, std::sync::atomic::AtomicBool);

impl StopAfter {
    pub(crate) fn rows(rows: u64) -> Self {
        Self(rows, false.into())
    }
}

impl Watch for StopAfter {
    fn progress(&self, done: u64, total: u64, rows: u64, _bytes: u64) {
        assert!(done <= total);
        self.1.fetch_or(rows >= self.0, std::sync::atomic::Ordering::SeqCst);
    }

    fn cancelled(&self) -> bool {
        self.1.load(std::sync::atomic::Ordering::SeqCst)
    }
}
