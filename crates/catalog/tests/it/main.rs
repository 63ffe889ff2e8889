//! The catalog, tested from outside its crate: one suite over SQLite and PostgreSQL, filters against a naive evaluation,
//! and processes that are killed in the middle of a change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod concurrency;
mod crash;
mod databases;
mod filters;
mod functions_and_connections;
mod naive;
mod partitions;
mod places;
mod statistics;
mod tables;
