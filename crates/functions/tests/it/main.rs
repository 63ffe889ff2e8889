//! The functions as queries call them: resolved by name and types, run on constants and on columns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod aggregate;
mod aggregate_more;
mod arrays;
mod binary;
mod bitwise;
mod cast;
mod datetime;
mod format;
mod harness;
mod harness_test;
mod hostile;
mod json;
mod json_path;
mod lambdas;
mod maps;
mod numbers;
mod pattern;
mod properties;
mod regexp;
mod string;
mod teradata;
mod value;
