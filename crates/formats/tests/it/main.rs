//! Files in, batches out, and back: through the crate's public face only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod others;
mod parquet_files;
mod readers;
mod rejects;
mod round_trip;
mod support;
mod text;
