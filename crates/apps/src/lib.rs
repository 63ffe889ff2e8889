//! Stream applications: scripts of Flink SQL that read streams, put events into windows and write tables, exactly once.
//!
//! In come scripts. Out come mistakes with their places, a dataflow that can be looked at, and applications that run: what
//! they have read, what their windows hold and what they have written is kept together by checkpoints, so that after a
//! kill at any moment each event is counted once. Control (create, start, stop, describe, update, snapshots) is
//! [`Applications`]; doors put a protocol in front of it.
//!
//! This room knows DataFusion, as those of the engine do: its expressions and accumulators do the work. It must not know
//! a protocol, nor how the log keeps its records.

mod applications;
mod flow;
mod lasting;
mod run;
mod script;
mod store;

/// The kind of applications' runs.
pub const RUN_KIND: &str = applications::KIND;

/// Whether a text is a script of an application, and not a query: its tables have connectors.
pub fn is_script(text: &str) -> bool {
    script::is_script(text)
}

pub use applications::{
    Application, ApplicationStatus, Applications, ApplicationsRooms, Snapshot, StartFrom, StartOptions,
    Stopping, Touched,
};
pub use flow::drawn::{FlowKind, FlowStep};
pub use flow::options::MAX_TASKS;
