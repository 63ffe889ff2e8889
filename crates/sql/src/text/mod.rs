//! The text itself: its tokens, its places, and what a prompt needs to know about it while it is being written.

pub(crate) mod lexer;
mod names;
mod prompt;
mod source;

pub(crate) use names::unescape_hive;
pub use names::{hive_ident, hive_string, quote_ident, quote_string};
pub use prompt::{TokenClass, is_complete, tokens_for_highlight};
pub use source::{Source, at};
