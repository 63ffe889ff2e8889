//! The language: Athena's types, words and statements, before anything is looked up or run.
//!
//! In come the texts that users write: queries in Trino's dialect, data definitions in Hive's. Out come statements with
//! the places their parts stand at, and types. This room never touches data, the catalog or DataFusion: whether a table
//! or a function exists is decided above, with the places kept here.
//!
//! What an analyzer meets in the trees of queries is written down in `shapes.md` beside this crate's manifest:
#![doc = include_str!("../shapes.md")]

pub mod ast;
mod parser;
mod text;
mod types;

pub use ast::{Located, QualifiedName, Statement};
pub use parser::{parse, parse_located, parse_one, type_of};
pub use text::{
    Source, TokenClass, at, hive_ident, hive_string, is_complete, quote_ident, quote_string,
    tokens_for_highlight,
};
pub use types::{RowField, SqlType, coerce_cost, common_type};
