//! The scan crate from the outside: real catalogs and lakes in temporary folders, queries through DataFusion.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod parquet;
mod pruning;
mod world;
mod sink;
