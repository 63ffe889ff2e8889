//! ETL jobs: defined once, run natively, incremental by bookmark; what they write appears whole or not at all.
//!
//! A definition (Glue's visual job) comes in, is checked by `jobgraph`, becomes a flow of the engine, and runs as a run.
//! Its outputs, the rows it rejected and, for Delta tables, their logs go into one commit of the lake. What else has to
//! happen with that commit (partitions in the catalog, files that the bookmark has seen) is on record before the commit
//! is published, and is made good by whoever opens the jobs after a kill.

mod analyst;
mod bookmarks;
mod build;
mod cost;
mod gate;
mod jobs;
mod options;
mod outputs;
mod report;
mod run;
mod scripts;
mod settle;
mod store;
mod usage;

pub use bookmarks::{Bookmark, BookmarkMode};
pub use cost::Prices;
pub use jobs::{JobRequest, Jobs, JobsRooms};
pub use report::{JobCost, JobReport, NodePreview, NodeReport, TargetReport};
pub use scripts::{LocalScript, NOTE, ScriptDoor, ScriptKey, ScriptReport, script_run};
pub use store::StoredJob;
