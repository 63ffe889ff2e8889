//! The Glue data model as plain values: what a caller hands in and gets back. Every type serializes in snake_case,
//! leaves out what is not set, and checks itself against the limits that Glue documents.

mod connection;
mod database;
mod function;
mod partition;
mod statistics;
mod storage;
mod table;

pub use connection::{Connection, ConnectionEntry, PhysicalRequirements};
pub use database::{Database, DatabaseEntry, FederatedDatabase, PrincipalPermissions, TargetDatabase};
pub use function::{Function, FunctionEntry, FunctionKind, OwnerKind, Resource, ResourceKind};
pub use partition::{BatchOutcome, Partition, PartitionIndex, PartitionPage, PartitionQuery, UpsertOutcome};
pub use statistics::{ColumnStatistics, DecimalNumber, FoundStatistics, StatisticsData};
pub use storage::{SchemaReference, SerDe, Skew, SortColumn, StorageDescriptor};
pub use table::{
    FederatedTable, Table, TableEntry, TablePage, TableQuery, TargetTable, UpdateOptions, VersionPage,
    ViewDefinition, ViewRepresentation,
};

pub(crate) use partition::NULL_VALUE;

use std::collections::BTreeMap;

/// Free key-value pairs on databases, tables, partitions and the rest.
pub type Parameters = BTreeMap<String, String>;

pub(crate) fn is_false(flag: &bool) -> bool {
    !*flag
}
