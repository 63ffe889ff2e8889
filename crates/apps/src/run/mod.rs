//! Execution: rounds of records from the shards through the dataflow into the sinks, and checkpoints between them.
//!
//! A round takes what each shard has, through all steps, to the end; between two rounds nothing is under way, so what is
//! kept there (positions, state, outputs) belongs together. The watermark moves between rounds only.

pub(crate) mod aggregate;
pub(crate) mod decode;
pub(crate) mod driver;
pub(crate) mod graph;
pub(crate) mod join;
mod round;
pub(crate) mod rows;
pub(crate) mod session;
pub(crate) mod settle;
pub(crate) mod signature;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod state;
pub(crate) mod tasks;
