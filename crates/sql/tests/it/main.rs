//! The language from the outside: texts in, statements or diagnoses out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod expressions;
mod hive;
mod hostile;
mod prompt;
mod queries;
mod refused;
mod tree;
mod writes;
