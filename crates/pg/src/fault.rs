//! Errors as PostgreSQL says them: a code of five characters, a position, a hint.

use crate::text::Translated;
use crate::wire::put_text;
use bytes::{BufMut, BytesMut};
use model::{Error, ErrorKind, Place};

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) severity: &'static str,
    pub(crate) code: &'static str,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    /// In characters of the client's text, from 1.
    position: Option<usize>,
}

impl Fault {
    /// An error in the door's own words.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: "ERROR", code, message: message.into(), detail: None, hint: None, position: None }
    }

    /// What has happened, in a sentence.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What a client is told whose connection or statement ends with the server.
    pub(crate) fn ending() -> Self {
        Self::new("57P01", "terminating connection due to administrator command").fatal()
    }

    /// The connection ends with it.
    pub(crate) fn fatal(mut self) -> Self {
        self.severity = "FATAL";
        self
    }

    /// What to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The code for a kind of error, where the message says no more.
    pub(crate) fn of(error: &Error) -> Self {
        let diagnosis = error.diagnosis();
        let mut message = diagnosis.what.clone();
        if let Some(place @ Place::Object { .. }) = &diagnosis.place {
            message = format!("{message} ({})", place.short());
        }
        let hints: Vec<&str> =
            diagnosis.hints.iter().map(String::as_str).filter(|hint| !hint.is_empty()).collect();
        Self {
            severity: "ERROR",
            code: code(error),
            message,
            detail: diagnosis.why.clone(),
            hint: (!hints.is_empty()).then(|| hints.join("\n")),
            position: None,
        }
    }

    /// The same for an error of a statement, which may say where in the text it is.
    pub(crate) fn in_statement(
        error: &Error,
        text: &str,
        offset: usize,
        translated: Option<&Translated>,
    ) -> Self {
        let mut fault = Self::of(error);
        // The client wrote the name without what the engine tells it by.
        fault.message = fault.message.replace("operator pg_", "the function ").replace("$pg_", "");
        let Some(Place::Source(place)) = error.place() else { return fault };
        if place.file != SOURCE {
            fault.message = format!("{} ({}:{}:{})", fault.message, place.file, place.line, place.column);
            return fault;
        }
        let bytes = match translated {
            Some(translated) if place.line == 1 => {
                translated.original(usize::try_from(place.column).unwrap_or(1))
            }
            Some(_) => None,
            None => byte_of(text.get(offset..).unwrap_or_default(), place.line, place.column)
                .map(|at| at + offset),
        };
        fault.position = bytes.and_then(|at| text.get(..at)).map(|before| before.chars().count() + 1);
        fault
    }

    /// Writes the fields of an error or a notice.
    pub(crate) fn write(&self, out: &mut BytesMut) {
        let mut field = |kind: u8, text: &str| {
            out.put_u8(kind);
            put_text(out, text);
        };
        field(b'S', self.severity);
        field(b'V', self.severity);
        field(b'C', self.code);
        field(b'M', &self.message);
        if let Some(detail) = &self.detail {
            field(b'D', detail);
        }
        if let Some(hint) = &self.hint {
            field(b'H', hint);
        }
        if let Some(position) = self.position {
            field(b'P', &position.to_string());
        }
        out.put_u8(0);
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}

/// The code of what was stopped on request.
pub(crate) const CANCELLED: &str = "57014";

/// What the texts of statements are called in places.
pub(crate) const SOURCE: &str = "<query>";

fn byte_of(text: &str, line: u32, column: u32) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?;
    Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
}

fn code(error: &Error) -> &'static str {
    let message = error.message();
    match error.kind() {
        ErrorKind::Denied => "42501",
        ErrorKind::Cancelled | ErrorKind::Timeout => CANCELLED,
        ErrorKind::LimitExceeded => "54000",
        ErrorKind::Unsupported => "0A000",
        ErrorKind::Conflict => "40001",
        ErrorKind::PreconditionFailed => "08P01",
        ErrorKind::Unavailable => "58030",
        ErrorKind::Corrupt => "XX001",
        ErrorKind::Internal => "XX000",
        ErrorKind::AlreadyExists => named(message, ("42P07", "42P06", "42701", "42723")),
        ErrorKind::NotFound => named(message, ("42P01", "3F000", "42703", "42883")),
        ErrorKind::InvalidInput => invalid(message),
    }
}

/// Of a table, a schema, a column, a function.
fn named(
    message: &str,
    (table, schema, column, function): (&'static str, &'static str, &'static str, &'static str),
) -> &'static str {
    let begins = |word: &str| message.starts_with(word);
    match () {
        () if begins("column") || message.contains("column `") => column,
        () if begins("function") || message.contains("function `") => function,
        () if begins("database") || begins("schema") => schema,
        () => table,
    }
}

/// What is wrong with a request, as far as its sentence says it.
fn invalid(message: &str) -> &'static str {
    let lower = message.to_lowercase();
    let has = |part: &str| lower.contains(part);
    match () {
        () if has("division by zero") || has("divide by zero") => "22012",
        () if has("out of range") || has("overflow") => "22003",
        () if has("cannot cast") && (has("'") || has("value")) => "22P02",
        () if has("column") && (has("does not exist") || has("there is no column")) => "42703",
        () if has("ambiguous") => "42702",
        () if has("group by") => "42803",
        () if has("function") && (has("does not exist") || has("there is no")) => "42883",
        () if has("cannot be applied") || has("must be") || has("cannot compare") || has("type") => "42804",
        () => "42601",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for (error, expected) in [
            (Error::not_found("table `a.b` does not exist"), "42P01"),
            (Error::not_found("database `a` does not exist"), "3F000"),
            (Error::not_found("column `a` does not exist"), "42703"),
            (Error::invalid("column `a` does not exist"), "42703"),
            (Error::invalid("Division by zero"), "22012"),
            (Error::invalid("unexpected `FORM`"), "42601"),
            (Error::cancelled(), "57014"),
            (Error::unsupported("no"), "0A000"),
        ] {
            assert_eq!(Fault::of(&error).code, expected, "{error}");
        }
    }

    #[test]
    fn positions_are_characters_of_the_text() {
        assert_eq!(byte_of("select\n ä b", 2, 4), Some("select\n ä ".len()));
        assert_eq!(byte_of("a", 1, 9), Some(1));
        assert_eq!(byte_of("a", 0, 1), None);
    }
}
