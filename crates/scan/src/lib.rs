//! Reading and writing: catalog tables and plain files as DataFusion tables, and the sinks that queries write through.
//!
//! In come tables of the catalog, the lake, and the filters and columns that a query wants of them. Out come
//! `TableProvider`s that list no partition and open no file without need, and counters that say what was read. This room
//! never parses or types a statement, never resolves views or names, and keeps no state but caches that notice change.

mod columns;
mod compact;
mod counters;
pub mod delta;
mod disk;
mod error;
mod files;
mod foreign;
mod format;
mod observed;
mod parquet;
mod partitions;
mod pieces;
mod plain;
mod projected;
mod provider;
mod prune;
mod recent;
mod runtime;
mod scans;
mod sieve;
pub mod sink;
mod state;
mod values;

pub use self::error::{error, external};
pub use columns::{ColumnKind, ScanColumn};
pub use compact::{compact, may_be_wasteful};
pub use counters::{ScanCounters, ScanReport};
pub use observed::leave_to_join;
pub use pieces::{Piece, Pieces};
pub use plain::{
    FileFormat, FileGate, FilePath, FileSearch, FoundFile, FoundFiles, LinePattern, OpenFiles, OpenOptions,
};
pub use recent::Recent;
pub use runtime::runtime_env;
pub use scans::{CacheSizes, OpenTable, ScanOptions, Scans};
