//! The ground under every service: configuration, the data directory, the state database, runs, events, the clock.
//!
//! What comes in: a data directory or a PostgreSQL URL, and services that bring their own tables as [`Migration`]s and
//! their own work as runs. What goes out: durable rows, run histories, events, the time. This room must never know a
//! service's words, a protocol, or the lake.

pub mod clock;
pub mod config;
pub mod data_dir;
pub mod db;
pub mod events;
pub mod logs;
pub mod runs;
pub mod trace;

pub use clock::{Clock, ManualClock};
pub use config::Config;
pub use data_dir::DataDir;
pub use db::{Database, Dialect, Migration, Transaction};
pub use events::{Event, Events};
pub use runs::{NewRun, Run, RunContext, RunHandle, RunOptions, RunQuery, Runs};
pub use trace::TraceContext;

/// Drives a change to its end even if the caller goes away.
async fn whole<T: Send + 'static>(
    change: impl Future<Output = model::Result<T>> + Send + 'static,
) -> model::Result<T> {
    tokio::spawn(change).await.map_err(|e| model::Error::internal("a change broke off").source_is(e))?
}
