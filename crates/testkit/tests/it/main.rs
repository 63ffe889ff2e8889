//! The testkit's own tests: what it promises to other crates' tests.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod processes;
mod servers;
