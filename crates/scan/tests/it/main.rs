//! The scan crate from the outside: real catalogs and lakes in temporary folders, queries through DataFusion.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod changes;
mod delta;
mod files;
mod parquet;
mod plain;
mod projection;
mod pruning;
mod sink;
mod world;
