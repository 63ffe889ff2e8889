//! Partitions: up to millions in a table, found by their key values.

mod change;
mod create;
mod delete;
mod descriptors;
mod list;
mod plan;
mod read;
mod rekey;
mod row;
mod upsert;
