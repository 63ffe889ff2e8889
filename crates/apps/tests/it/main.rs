//! Stream applications, tested from outside their crate: over a real log, lake, catalog and state database, under a clock
//! that stands still.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod batch;
mod house;
mod joins;
mod mistakes;
mod outer_joins;
mod properties;
mod recovery;
mod windows;
