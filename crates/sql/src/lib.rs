//! The language: Athena's types, words and statements, before anything is looked up or run.
//!
//! In come the texts that users write: queries in Trino's dialect, data definitions in Hive's. Out come statements with
//! the places their parts stand at, and types. This room never touches data, the catalog or DataFusion: whether a table
//! or a function exists is decided above, with the places kept here.

mod types;

pub use types::{RowField, SqlType, coerce_cost, common_type};
