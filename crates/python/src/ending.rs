//! How a script ended, as a diagnosis: Python's own error, the script's line with its excerpt, what raised it.

use model::{Error, ErrorKind, Result, SourcePlace};
use serde::Deserialize;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

/// What the starter wrote down of a failure.
#[derive(Debug, Deserialize)]
struct Account {
    error: String,
    text: String,
    at: Option<At>,
    raised: Option<At>,
    cause: Option<String>,
    module: Option<String>,
    exit: Option<i64>,
}

/// A place in a Python file; columns count bytes from 0.
#[derive(Debug, Deserialize)]
struct At {
    file: String,
    line: u32,
    #[serde(default)]
    column: Option<usize>,
    #[serde(default)]
    end: Option<usize>,
    #[serde(default)]
    function: Option<String>,
}

/// The script, as it was run and as it is called.
pub(crate) struct Told<'a> {
    /// The file that Python read.
    pub(crate) file: &'a Path,
    /// What people call it.
    pub(crate) name: &'a str,
    /// The most memory it might hold.
    pub(crate) memory: u64,
}

/// Says how a script ended.
pub(crate) fn verdict(status: ExitStatus, record: &Path, told: &Told<'_>) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    let account = std::fs::read(record).ok().and_then(|bytes| serde_json::from_slice::<Account>(&bytes).ok());
    match account {
        Some(account) => Err(explained(&account, told)),
        None => Err(unexplained(status)),
    }
}

fn explained(account: &Account, told: &Told<'_>) -> Error {
    let text = account.text.trim();
    let what = match (account.exit, text.is_empty()) {
        (Some(code), _) if account.error == "SystemExit" && text.parse::<i64>().is_ok() => {
            format!("the script ended with exit code {code}")
        }
        (Some(_), false) => format!("the script ended: {text}"),
        (_, true) => account.error.clone(),
        (_, false) => format!("{}: {text}", account.error),
    };
    let is_memory = account.error == "MemoryError" || account.error.ends_with("ArrayMemoryError");
    let kind = if is_memory { ErrorKind::LimitExceeded } else { ErrorKind::InvalidInput };
    let mut error = Error::new(kind, what);
    if let Some(at) = &account.at {
        error = error.at(place(at, told));
    }
    match (&account.cause, &account.raised) {
        (Some(cause), _) => error = error.why(format!("it followed from {cause}")),
        (None, Some(raised)) if account.exit.is_none() => {
            let within = raised.function.as_deref().map(|name| format!(", in {name}")).unwrap_or_default();
            error = error.why(format!("raised in {}, line {}{within}", short(&raised.file), raised.line));
        }
        _ => {}
    }
    if let Some(module) = &account.module {
        let top = module.split('.').next().unwrap_or(module);
        error = error.hint(format!(
            "give the job --additional-python-modules {top}, by the name that PyPI has for it"
        ));
    }
    if is_memory && told.memory > 0 {
        error = error.hint(format!(
            "a script may hold {} MB; the setting python.memory_mb says how much",
            told.memory >> 20
        ));
    }
    error
}

fn unexplained(status: ExitStatus) -> Error {
    match (status.signal(), status.code()) {
        (Some(9), _) => Error::invalid("the script was killed (signal 9)")
            .why("mostly it is the system that kills, when memory runs out"),
        (Some(signal), _) => Error::invalid(format!("the script was ended by signal {signal}"))
            .why(if signal == 11 { "a library of the script has a bug" } else { "nobody here sent it" }),
        (None, code) => Error::invalid(format!("the script ended with exit code {}", code.unwrap_or(-1)))
            .hint("its log says what it wrote last"),
    }
}

/// The place in the script under the name that people know.
fn place(at: &At, told: &Told<'_>) -> SourcePlace {
    let file = Path::new(&at.file);
    let name = if file == told.file { told.name.to_owned() } else { short(&at.file).to_owned() };
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let index = usize::try_from(at.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
    let line = text[start..].lines().next().unwrap_or_default();
    let indent = line.len() - line.trim_start().len();
    let column = at.column.unwrap_or(indent).min(line.len());
    let end = at.end.unwrap_or(line.trim_end().len()).clamp(column, line.len());
    SourcePlace { line: at.line, ..SourcePlace::of_bytes(name, &text, start + column, start + end) }
}

/// A file of a package without the folders before it.
fn short(file: &str) -> &str {
    for before in ["site-packages/", "dist-packages/"] {
        if let Some((_, behind)) = file.rsplit_once(before) {
            return behind;
        }
    }
    file.rsplit_once('/').map_or(file, |(_, name)| name)
}
