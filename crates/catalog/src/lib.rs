//! The catalog: what the lake holds, in the Glue data model: databases, tables and views with their versions,
//! partitions, column statistics, user-defined functions, connections.
//!
//! What comes in: definitions from crawlers, queries and doors, and questions about them. What goes out: definitions,
//! and the partitions that a filter leaves, straight from an index of the state database. A change is there whole or
//! not at all, and no change is lost to another. This room must never read or write the lake, and never know a protocol.

mod check;
mod filter;
mod keys;
mod store;
mod types;

pub use store::Catalog;
pub use types::*;
