//! The test data generator: metrics and server access logs of services that never ran.
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
//! **`kinesis-metrics-stream`** makes one event per metric and iteration (`iterationsNumber`), `rateMillis` apart. The
//! `stream` itself is not served yet: events go to standard output, or to the task's additional field `outputFilePath`
//! or the overriding output: JSON lines, or CSV where the file's name ends with `.csv`; `.gz` behind it compresses.
//! Nothing waits unless [`Options::wait_until`] is given.

mod access_log;
mod fields;
mod json;
mod options;
mod output;
mod random;
mod report;
mod stream;
mod task;
mod text;
mod timer;
mod windowed;

pub use options::{Options, Output, Watch};
pub use report::{Report, WrittenFile};
pub use task::{Task, run};
