//! The crawl crate from the outside: one binary, a module for each room.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod classify;
mod crawler;
mod crawler_kill;
mod crawler_lake;
