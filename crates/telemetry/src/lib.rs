//! Telemetry: what the server tells monitoring of itself and of what it runs.
//!
//! What comes in: the ends of runs, from the bus; the figures of other rooms, from whoever hands in a [`Source`]; what doors
//! do themselves, as spans of a [`Tracer`]. What goes
//! out: Prometheus' text when it is asked for, and traces and metrics by OpenTelemetry's protocol (OTLP over HTTP) where
//! its environment variables name a collector. This room must never slow down what it tells of: its queues have limits,
//! what does not fit is dropped and counted, and a collector that is not there costs one line of the log. It knows no
//! other room than `state`, and keeps nothing on disk.

mod export;
mod figures;
mod ids;
mod link;
mod metrics;
mod options;
mod otlp;
mod post;
mod queue;
mod request;
mod sampling;
mod span;
mod statement;
mod tls;
mod tracer;
mod traces;
mod watch;
mod wire;

pub use export::{Rooms, Telemetry};
pub use figures::{Family, Figures, Kind, Point, RequestCounts, Source};
pub use options::Options;
pub use span::Value;
pub use tracer::{OpenSpan, Tracer};
