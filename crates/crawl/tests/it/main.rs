//! The crawl crate from the outside: one binary, a module for each room.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod classify;
