//! What the program says of itself: structured lines on standard error, as text for people or JSON for machines.
//! A run's own log is another thing and lives with the run.

use model::{Error, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Starts logging at that level (`error` … `trace`) in that format (`text` or `json`). Once per process.
pub fn start(level: &str, format: &str, colours: bool) -> Result<()> {
    // Libraries speak one level less than we do: their news are seldom ours.
    let filter = EnvFilter::try_new(match level {
        "trace" | "debug" => format!("{level},sqlx=info,hyper=info,hyper_util=info,reqwest=info,s3s=off"),
        // A request that is turned away is no error of ours, though `s3s` calls it one; nor is a Delta table that is not
        // there yet, though its reader does.
        _ => format!("{level},sqlx=error,s3s=off,buoyant_kernel=off"),
    })
    .map_err(|e| Error::invalid(format!("there is no log level `{level}`")).source_is(e))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(true)
        .with_ansi(colours);
    let started = if format == "json" {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.compact().try_init()
    };
    started.map_err(|e| Error::internal(format!("cannot start logging: {e}")))
}
