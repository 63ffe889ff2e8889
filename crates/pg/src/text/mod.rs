//! PostgreSQL's way of writing: tokens, statements, and the spellings that the engine's language writes otherwise.

mod functions;
mod interval;
mod lexer;
mod operators;
mod sets;
mod times;
mod translate;
mod types;
mod words;

pub(crate) use interval::{Span, span};
pub(crate) use lexer::{Kind, Token, statements, tokens};
pub(crate) use translate::{Facts, Translated, translate};
pub(crate) use types::{TypeName, type_name};

#[cfg(test)]
mod tests;
