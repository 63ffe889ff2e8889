//! Types in casts and literals: read as text, checked at once, so that a misspelt one is named with its place.

use super::Parser;
use crate::text::lexer::Kind;
use crate::types::SqlType;
use model::{Error, Result};
use sqlparser::ast::{DataType, Ident, ObjectNamePart};
use sqlparser::tokenizer::Span;

/// Words that may follow a type's first one.
const BEHIND: &[&[&str]] = &[
    &["WITH", "TIME", "ZONE"],
    &["WITHOUT", "TIME", "ZONE"],
    &["PRECISION"],
    &["YEAR", "TO", "MONTH"],
    &["DAY", "TO", "SECOND"],
];

/// The type that a cast or a literal of our trees names.
pub fn type_of(data_type: &DataType) -> Result<SqlType> {
    if let DataType::Custom(name, _) = data_type
        && let [ObjectNamePart::Identifier(ident)] = name.0.as_slice()
    {
        return ident.value.parse();
    }
    data_type.to_string().parse()
}

/// A type as our trees carry it: its text, with its place.
pub(super) fn as_data_type(text: String, span: Span) -> DataType {
    DataType::Custom(Ident::with_span(span, text).into(), Vec::new())
}

impl Parser<'_> {
    /// A type.
    pub(super) fn data_type(&mut self) -> Result<DataType> {
        let first = self.token(0);
        if !matches!(first.kind, Kind::Word | Kind::Quoted) {
            return Err(self.expected("a type"));
        }
        let mut text = self.piece(&first).to_owned();
        self.at += 1;
        if self.is_symbol_at(0, "(") || self.is_symbol_at(0, "<") {
            self.type_parameters(&mut text)?;
        }
        while let Some(words) = BEHIND.iter().find(|words| self.are_words(words)) {
            for word in *words {
                text.push(' ');
                text.push_str(word);
            }
            self.at += words.len();
        }
        while self.is_word_at(0, "ARRAY") {
            self.at += 1;
            text = format!("array({text})");
        }
        let span = self.span_from(&first);
        // A later pass reads the text again and must find the same, so what is wrong is said here.
        text.parse::<SqlType>().map_err(|e| self.wrong_type(e, span))?;
        Ok(as_data_type(text, span))
    }

    fn wrong_type(&self, error: Error, span: Span) -> Error {
        error.at(self.place_of(span))
    }

    fn are_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.is_word_at(ahead, word))
    }

    /// What stands in the brackets of a type, as text with single blanks.
    fn type_parameters(&mut self, text: &mut String) -> Result<()> {
        let mut open = 0_usize;
        loop {
            let token = self.token(0);
            let piece = self.piece(&token);
            match (token.kind, piece) {
                (Kind::Symbol, "(" | "<") => open += 1,
                (Kind::Symbol, ")" | ">") => open -= 1,
                (Kind::Symbol, ",") | (Kind::Word | Kind::Quoted | Kind::Number, _) => {}
                _ => return Err(self.expected("`)` to close the type")),
            }
            if token.kind != Kind::Symbol && !text.ends_with(['(', '<']) {
                text.push(' ');
            }
            text.push_str(piece);
            self.at += 1;
            if open == 0 {
                return Ok(());
            }
        }
    }
}
