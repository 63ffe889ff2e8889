//! Scripts: Flink SQL taken apart, before anything is looked up.

pub(crate) mod ast;
pub(crate) mod functions;
pub(crate) mod group;
mod lexer;
pub(crate) mod parser;
pub(crate) mod rewrite;
mod types;
pub(crate) mod window;
