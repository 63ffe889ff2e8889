//! Dataflows: steps that read files, tables and one another's rows, and writes that end them. A job is one.
//!
//! Each step is a table that the next steps query. Its rows are made when a write (or a preview) asks for them, only the
//! columns that are asked for, and are counted on their way. What several steps read is made once and kept, in memory
//! or on the disk. Rows that a step cannot take go into the book of rejects with a reason. All writes of a flow go into
//! one commit of the lake, which its caller publishes.

mod book;
mod delta;
mod look;
mod names;
mod open;
mod shared;
mod step;
mod target;

pub use book::{RejectBook, RejectedNode};
pub use open::{FlowPreview, OpenFlow};
pub use target::{FlowDestination, FlowMode, FlowWrite, FlowWritten, TableChange};

use scan::{FileFormat, FileGate, FoundFiles};
use sql::SqlType;
use std::sync::Arc;

/// A column of a step's rows, under the name that people spell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowColumn {
    /// Its name; names compare without regard to case.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum FlowWork {
    /// Reads a table of the catalog.
    Table {
        /// Its database.
        database: String,
        /// Its name.
        table: String,
        /// SQL over its columns: only rows where it is true come out, only partitions that can have some are listed.
        predicate: Option<String>,
        /// Which of its files are read.
        gate: Option<Arc<dyn FileGate>>,
    },
    /// Reads files.
    Files {
        /// Which.
        found: FoundFiles,
        /// What they are.
        format: Box<FileFormat>,
        /// The columns that come out, hidden ones such as `$path` too; all but hidden ones if nothing is said.
        columns: Option<Vec<FlowColumn>>,
        /// Lines that cannot be read go into the book under this name; without one, they are as in tables.
        rejects: Option<String>,
    },
    /// A query over other steps.
    Query(FlowQuery),
    /// The rows of another step, as they are.
    Same(String),
}

/// A query over other steps.
#[derive(Debug, Clone)]
pub struct FlowQuery {
    /// Trino's SQL.
    pub sql: String,
    /// What its tables are: a name in the SQL, and the step whose rows it stands for.
    pub inputs: Vec<(String, String)>,
    /// Which rows of the first input must not reach it.
    pub rejects: Vec<RejectRule>,
    /// Where the query only computes each row of the first input: what it selects, so that rows are judged by the way.
    pub projection: Option<String>,
}

/// Why a row cannot be taken.
#[derive(Debug, Clone)]
pub struct RejectRule {
    /// SQL over the first input's row; true for rows that are rejected.
    pub condition: String,
    /// The column that is wrong.
    pub column: String,
    /// What is wrong.
    pub reason: String,
}
