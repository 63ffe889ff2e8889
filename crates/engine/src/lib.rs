//! The engine: statements of Athena's language, run.
//!
//! In come texts and the database they speak of. Out come columns and streams of rows, tables made and changed, files
//! written; every query that is started as one is a run, with its counters, its phases and its log. Statements that
//! write appear whole or not at all: files through a commit of the lake, tables and partitions through the catalog.
//!
//! Below are the rooms that know DataFusion with it: `plan` (what a query means) and `scan` (how tables are read and
//! written). This one ties them to the catalog; no other room above does.

mod answer;
mod check;
mod convert;
mod ddl;
mod delta;
mod describe;
mod docs;
mod engine;
mod explain;
mod flow;
mod information_schema;
mod joins;
mod memory;
mod names;
mod optimizer;
mod origin;
mod partition_table;
mod prepared;
mod query;
mod run;
mod stats;
mod sums;
mod system;
mod tables;
mod touched;
mod write;

pub use answer::Answer;
pub use check::{Finding, Overlay};
pub use convert::{ConvertOutput, ConvertRequest, Converted};
pub use describe::Description;
pub use docs::sql_reference;
pub use engine::{Engine, EngineOptions};
pub use flow::{
    FlowColumn, FlowDestination, FlowMode, FlowPreview, FlowQuery, FlowWork, FlowWrite, FlowWritten,
    OpenFlow, RejectBook, RejectRule, RejectedNode, TableChange,
};
pub use origin::Origin;
pub use plan::OutputColumn;
pub use prepared::{PRIMARY_WORKGROUP, PreparedStatement};
pub use query::QueryRequest;
pub use run::{QueryOutcome, RESULT_SCHEMA_KEY, read_columns};
pub use scan::{
    FileFormat, FileGate, FilePath, FileSearch, FoundFile, FoundFiles, LinePattern, Recent, ScanReport,
};
pub use stats::{Phases, QueryStats};
pub use system::{SYSTEM_DATABASE, SystemTable};
pub use touched::Touched;
pub use write::{TableFiles, partitions_change, table_files};
