//! Integration tests of the generator: exact bytes, repeatability, what the numbers promise, diagnoses, and that a
//! stopped run leaves nothing behind. `samples` holds small tasks and the few steps that every test needs.

// Clippy excuses test functions only, not the functions they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access_log;
mod diagnoses;
mod outputs;
mod parquet;
mod plain;
mod samples;
mod stream;
mod windowed;
