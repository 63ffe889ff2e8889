//! What people see: errors, tables, progress. Answers go to standard output, everything else to standard error; a
//! closed pipe is no failure.

mod follow;
mod progress;
mod table;

pub(crate) use follow::{Ending, follow, follow_aloud};
pub(crate) use progress::Bar;
pub(crate) use table::{amount, bytes, duration, table, table_as_is, time};

use model::Error;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Prints lines of an answer. A reader that has gone away (`| head`) has seen enough.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Prints an answer for machines.
pub(crate) fn print_json(value: &impl Serialize) -> model::Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::internal("an answer cannot be written as JSON").source_is(e))?;
    print(&text);
    Ok(())
}

/// A remark beside the answer.
pub(crate) fn remark(quiet: bool, text: &str) {
    if !quiet {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Shows an error: for people with a coloured head, for machines as one JSON object.
pub(crate) fn show_error(error: &Error, json: bool) {
    let diagnosis = error.diagnosis();
    let mut out = io::stderr().lock();
    if json {
        let _ = writeln!(out, "{}", serde_json::json!({ "error": diagnosis }));
        return;
    }
    let head = if colours() { "\u{1b}[1;31merror:\u{1b}[0m" } else { "error:" };
    let _ = writeln!(out, "{head} {diagnosis}");
}

/// Whether standard error takes colours.
pub(crate) fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
