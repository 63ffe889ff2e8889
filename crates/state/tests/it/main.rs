//! The ground, tested from outside its crate: one module per part.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod config;
mod database;
mod events;
mod ground;
mod runs;
mod runs_recovery;
mod runs_seen;
