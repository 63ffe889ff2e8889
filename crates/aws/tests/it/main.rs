//! The door from outside: real connections, requests signed here by the published rules, a real lake and catalog.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod conditions;
mod firehose;
mod glue;
mod house;
mod lake_behind_a_door;
mod listing;
mod logs;
mod objects;
mod operations;
mod security;
mod sessions;
mod streams;
mod uploads;
mod versions;
