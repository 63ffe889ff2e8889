//! What a prompt asks while a statement is being typed: is it complete, and which colour has each piece.

use super::lexer::{Bad, Kind, Lexer, Mode};
use crate::parser::words;
use std::ops::Range;

/// What a piece of text is, for colouring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// A word of the language.
    Keyword,
    /// A name.
    Name,
    /// A name in quotes.
    QuotedName,
    /// A string.
    Text,
    /// A number.
    Number,
    /// Punctuation.
    Symbol,
    /// A comment.
    Comment,
    /// Something that is not finished or cannot be.
    Wrong,
}

/// Whether the text ends a statement: its last token is a `;` and nothing is left open. Blank text is complete too.
pub fn is_complete(text: &str) -> bool {
    let mut lexer = Lexer::new(text);
    let mut last_ends = true;
    let mut begins = true;
    let mut mode = Mode::Query;
    loop {
        if begins {
            mode = crate::parser::mode_of(&lexer);
        }
        let token = lexer.token(mode);
        match token.kind {
            Kind::End => return last_ends,
            Kind::Bad(Bad::Text | Bad::Quoted | Bad::BackQuoted | Bad::Comment) => return false,
            kind => last_ends = kind == Kind::Symbol && text[token.start..token.end] == *";",
        }
        begins = last_ends;
    }
}

/// The pieces of the text with their classes, in order; blanks are left out.
pub fn tokens_for_highlight(text: &str) -> Vec<(Range<usize>, TokenClass)> {
    let mut lexer = Lexer::new(text);
    let mut pieces = Vec::new();
    let mut mode = crate::parser::mode_of(&lexer);
    loop {
        let token = lexer.token_or_comment(mode);
        let piece = &text[token.start..token.end];
        let class = match token.kind {
            Kind::End => return pieces,
            Kind::Word if words::is_keyword(piece) => TokenClass::Keyword,
            Kind::Word => TokenClass::Name,
            Kind::Quoted | Kind::BackQuoted | Kind::UnicodeQuoted => TokenClass::QuotedName,
            Kind::Text | Kind::UnicodeText | Kind::Hex => TokenClass::Text,
            Kind::Number => TokenClass::Number,
            Kind::Symbol => TokenClass::Symbol,
            Kind::Comment => TokenClass::Comment,
            Kind::Bad(Bad::Text) => TokenClass::Text,
            Kind::Bad(Bad::Comment) => TokenClass::Comment,
            Kind::Bad(_) => TokenClass::Wrong,
        };
        pieces.push((token.start..token.end, class));
        if token.kind == Kind::Symbol && piece == ";" {
            mode = crate::parser::mode_of(&lexer);
        }
    }
}
