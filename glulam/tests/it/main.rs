//! The binary, tested from outside as its users meet it: one module per part.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod aws;
mod aws_scenarios;
mod bad_input;
mod command_line;
mod convert;
mod demo;
mod firehose;
mod generate;
mod home;
mod job_faults;
mod job_mistakes;
mod jobs;
mod kill;
mod kinesis;
mod logs;
mod memory;
mod pg;
mod samples;
mod scripts;
mod server;
mod soak;
mod sql;
mod streams;
mod telemetry;
mod traces;
