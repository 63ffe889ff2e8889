//! Files of separated values.

use super::{Kind, Operation, source_files};
use crate::fields::Fields;
use crate::step::{CsvFormat, FileFormat};
use model::Error;

pub(super) const KIND: Kind = Kind::source("S3CsvSource", read);

const SEPARATORS: &[(&str, char)] =
    &[("comma", ','), ("ctrla", '\u{1}'), ("pipe", '|'), ("semicolon", ';'), ("tab", '\t')];
const QUOTES: &[(&str, Option<char>)] =
    &[("quote", Some('"')), ("quillemet", Some('\u{ab}')), ("single_quote", Some('\'')), ("disabled", None)];

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let separator = fields.choice("Separator", &SEPARATORS.map_names());
    let quote = fields.choice("QuoteChar", &QUOTES.map_names());
    let usual = CsvFormat::default();
    let format = CsvFormat {
        separator: separator.and_then(|s| SEPARATORS.pick(s.value)).unwrap_or(usual.separator),
        quote: quote.and_then(|q| QUOTES.pick(q.value)).unwrap_or(usual.quote),
        escape: escape(fields),
        multiline: fields.flag("Multiline").unwrap_or(usual.multiline),
        header: fields.flag("WithHeader").unwrap_or(usual.header),
        skip_first: fields.flag("SkipFirst").unwrap_or(usual.skip_first),
    };
    // The first is about writing, the second about how Glue reads.
    fields.ignore(&["WriteHeader", "OptimizePerformance"]);
    Some(Box::new(source_files::read(fields, FileFormat::Csv(format))?))
}

fn escape(fields: &Fields<'_>) -> Option<char> {
    let text = fields.text("Escaper").filter(|text| !text.value.is_empty())?;
    let mut chars = text.value.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Some(c),
        _ => {
            let error = Error::invalid(format!("`Escaper` must be one character, not `{}`", text.value));
            fields.wrong(&text.span, error);
            None
        }
    }
}

/// Words with what they mean.
trait Words<T> {
    fn map_names(&self) -> Vec<&'static str>;
    fn pick(&self, word: &str) -> Option<T>;
}

impl<T: Copy> Words<T> for [(&'static str, T)] {
    fn map_names(&self) -> Vec<&'static str> {
        self.iter().map(|(name, _)| *name).collect()
    }

    fn pick(&self, word: &str) -> Option<T> {
        self.iter().find(|(name, _)| *name == word).map(|(_, meaning)| *meaning)
    }
}
