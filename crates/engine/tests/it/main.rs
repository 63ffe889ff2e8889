//! The engine's tests, in one binary: the language's statements, file by file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod origin;
mod slt;
mod sums;
