//! Scripts: Flink SQL taken apart, before anything is looked up.

pub(crate) mod ast;
pub(crate) mod functions;
pub(crate) mod group;
mod lexer;
pub(crate) mod parser;
pub(crate) mod rewrite;
mod types;
pub(crate) mod window;

/// Whether a text declares a table with a connector.
pub(crate) fn is_script(text: &str) -> bool {
    let tokens = lexer::tokens(text);
    tokens.windows(2).any(|pair| match pair {
        [key, equals] => {
            key.kind == lexer::Kind::Text
                && text.get(key.start..key.end).is_some_and(|k| k.eq_ignore_ascii_case("'connector'"))
                && text.get(equals.start..equals.end) == Some("=")
        }
        _ => false,
    })
}
