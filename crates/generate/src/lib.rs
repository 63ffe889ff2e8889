//! The test data generator: metrics and server access logs of services that never ran, records of cameras and taxis that
//! never drove.
//!
//! What comes in is the text of a task file (JSON, comments allowed) and [`Options`]; what goes out is files that appear
//! whole or not at all, and a [`Report`]. The same task with the same seed gives the same bytes, on any machine and
//! whatever the number of threads. This room never asks the time, never invents a seed, never reads a lake or a catalog,
//! and knows no network: sending events to a stream is for a room above.
//!
//! # Task files
//!
//! The field `@type` says what is made. Every task may carry `randomSeed`; without it the caller's seed is used and
//! reported. Output paths are relative to the current directory (`Options::base_dir`) and can be overridden. A file
//! that is there already is replaced in one step, other files of the folder stay. Each name is published after all
//! data is written; a failed or cancelled run removes what it wrote.
//!
//! **`windowed-metrics`** writes `<outputFilePath>/<component>.csv` with the columns `componentName, fromTimestamp,
//! maxValue, metricName, minValue, toTimestamp, unit`, one row per window and metric:
//!
//! ```json
//! {
//!   "@type": "windowed-metrics", "randomSeed": 7, "numberOfIterations": 2016, "outputFilePath": "data/metrics",
//!   "timer": { "@type": "synthetic", "startTime": "2026-03-02T00:00:00Z", "stepMillis": 300000 },
//!   "metrics": { "order-service": { "cpu": {
//!     "unit": "percent", "averageFrom": 20, "averageTo": 60, "minDiff": 1, "maxDiff": 9 } } }
//! }
//! ```
//!
//! Window `i` lasts from `startTime + i * stepMillis` for one step. An average is drawn from `averageFrom..=averageTo`
//! and a distance from `minDiff..=maxDiff`; minimum and maximum lie that far below and above the average. Values have
//! three decimals, more where the range is narrow, fewer where it is huge.
//!
//! **`plain-metrics`** writes `<outputFilePath>/<component>.csv` with the columns `componentName, metricName, unit, value,
//! publicationTimestamp`, one row per iteration and metric: the fields of `windowed-metrics`, but a metric has `unit`,
//! `minValue` and `maxValue`. A measurement is published up to `timer.jitterMillis` (default 0) after its iteration's
//! time, and rows stand in the order of the iterations, so a jitter of several steps puts them slightly out of order.
//! With `shortTimes` (default `false`) whole seconds are written without a fraction, as many clocks do.
//!
//! **`server-access-log`** writes `<outputDirectoryPath>/<service>-<day>.txt`, one per service and UTC day, lines in the
//! order of time. Each load item makes its call once per iteration; the call is logged by its service, then each
//! dependency of the endpoint is called `networkLagMinMillis..=networkLagMaxMillis` later and logged by the callee, and
//! so on. Beyond the usual fields (`services`, `loadItems`, `numberOfIterations`, network lag, `timer`,
//! `outputDirectoryPath`) it knows:
//! - `format`: `service` (default: two spaces after the address, ISO time after the status) or `nginx`;
//! - `gzip`: `true` writes `.txt.gz`;
//! - `fillPathTemplates`: whether `{id}` in a path becomes a number; default `false`, for `nginx` `true`;
//! - `timer.jitterMillis`: up to how long a load item's call may come after its iteration's time, default 0;
//! - `errorRate` of an endpoint: the share of its calls answered with status 500, default 0.
//!
//! **`anpr-records`** writes Parquet below `outputDirectoryPath`, in folders `year=2020/month=06/day=03/hour=14` of the
//! UTC hour in which records ARRIVE; one record arrives per iteration of the synthetic `timer`. Columns: `uniqueid`,
//! `speed`, `trafficjamindicator` (integers), `recordtimestamp` (the arrival, in milliseconds since 1970) and
//! `originalrecordtimestamp` (when the camera made it). Further fields, all optional:
//! - `networkLagMinMillis..=networkLagMaxMillis`: from camera to arrival, default 0;
//! - `lateShare`: the share of records that come later than that, up to `lateMaxMillis`; default none;
//! - `cameras` (default 300), `minutesPerFile` (a divisor of 60, default 60),
//! - `compression`: `zstd` (default), `snappy`, `gzip` or `none`.
//!
//! **`taxi-trips`** writes `<outputDirectoryPath>/yellow_tripdata_<month>.parquet` with the 19 columns of New York's files
//! and `numberOfTrips` trips of the `month` (`2021-03`); `numberOfFiles` cuts it into several. Flaws are mixed in, as in
//! the real files; each share has a default and may be 0: `nullShare` (0.05: passenger count, rate code, flag, congestion
//! surcharge and airport fee are null), `nullTimeShare` (0.001: pickup, dropoff or both are null),
//! `negativeDurationShare` (0.001: dropoff before pickup), `otherMonthShare` (0.001: the trip begins in another month).
//! The last three never meet in one trip. `compression` as above.
//!
//! **`kinesis-metrics-stream`** makes one event per metric and iteration (`iterationsNumber`), `rateMillis` apart. They
//! are handed to [`Options::send`], whose owner sends them to the `stream` ([`Task::stream_target`]); or they go to the
//! task's additional field `outputFilePath` or the overriding output: JSON lines, or CSV where the file's name ends with
//! `.csv`; `.gz` behind it compresses. Nothing waits unless [`Options::wait_until`] is given.

mod access_log;
mod anpr;
mod fields;
mod json;
mod options;
mod output;
mod parquet;
mod plain;
mod random;
mod report;
mod stream;
mod stream_target;
mod task;
mod taxi;
mod text;
mod timer;
mod windowed;

pub use options::{Options, Output, SendEvents, Watch};
pub use report::{Report, WrittenFile};
pub use stream_target::{StreamEvent, StreamKey, StreamTarget};
pub use task::{Task, run};
