//! `LIKE`: patterns with `%` and `_`, matched piece by piece without a regular expression.

use super::Scalar;
use crate::{Call, Family};
use arrow::array::ArrayRef;
use memchr::memmem;
use model::{Error, Result};

/// `LIKE`, which only the planner calls.
pub const FAMILY: Family = Family { title: "LIKE", scalars: SCALARS, aggregates: &[] };

const SCALARS: &[Scalar] = &[Scalar::new(
    "$like",
    &["(varchar, varchar) -> boolean", "(varchar, varchar, varchar) -> boolean"],
    like,
    "Whether a text has the form of a pattern: `%` stands for any characters, `_` for one.",
)];

/// A run of the pattern between two `%`: texts, and numbers of characters of any kind.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Text(String),
    Any(usize),
}

/// A pattern, read.
#[derive(Debug)]
enum Pattern {
    Equal(String),
    Prefix(String),
    Suffix(String),
    Contains(Box<memmem::Finder<'static>>),
    /// The runs between `%`; the first stands at the start, the last at the end.
    Runs(Vec<Vec<Item>>),
}

impl Pattern {
    fn read(pattern: &str, escape: Option<&str>) -> Result<Pattern> {
        let mut runs = runs(pattern, escape_char(escape)?)?;
        let text = |run: &[Item]| match run {
            [] => Some(String::new()),
            [Item::Text(text)] => Some(text.clone()),
            _ => None,
        };
        let texts: Option<Vec<String>> = runs.iter().map(|r| text(r)).collect();
        let Some(texts) = texts else { return Ok(Pattern::Runs(runs)) };
        match texts.as_slice() {
            [only] => Ok(Pattern::Equal(only.clone())),
            [prefix, end] if end.is_empty() => Ok(Pattern::Prefix(prefix.clone())),
            [start, suffix] if start.is_empty() => Ok(Pattern::Suffix(suffix.clone())),
            [start, middle, end] if start.is_empty() && end.is_empty() => {
                Ok(Pattern::Contains(Box::new(memmem::Finder::new(middle.as_bytes()).into_owned())))
            }
            _ => {
                // Between the first and the last run empty ones say nothing.
                let last = runs.len() - 1;
                let mut at = 0;
                runs.retain(|run| {
                    at += 1;
                    at == 1 || at == last + 1 || !run.is_empty()
                });
                Ok(Pattern::Runs(runs))
            }
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Equal(wanted) => text == wanted,
            Pattern::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Pattern::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Pattern::Contains(finder) => finder.find(text.as_bytes()).is_some(),
            Pattern::Runs(runs) => match_runs(runs, text),
        }
    }
}

fn escape_char(escape: Option<&str>) -> Result<Option<char>> {
    let Some(escape) = escape else { return Ok(None) };
    let mut symbols = escape.chars();
    match (symbols.next(), symbols.next()) {
        (only, None) => Ok(only),
        _ => Err(Error::invalid("the escape of LIKE must be a single character")
            .why(format!("found '{}'", crate::scalar::string::shorten(escape)))),
    }
}

/// Takes a pattern apart at its `%`.
fn runs(pattern: &str, escape: Option<char>) -> Result<Vec<Vec<Item>>> {
    let mut runs = Vec::new();
    let mut run: Vec<Item> = Vec::new();
    let mut symbols = pattern.chars();
    while let Some(symbol) = symbols.next() {
        let literal = if Some(symbol) == escape {
            match symbols.next() {
                Some(c) if c == '%' || c == '_' || c == symbol => c,
                _ => {
                    return Err(Error::invalid(
                        "the escape of LIKE is followed by a character that needs none",
                    )
                    .why(format!("'{symbol}' may only stand before %, _ and itself")));
                }
            }
        } else {
            match symbol {
                '%' => {
                    runs.push(std::mem::take(&mut run));
                    continue;
                }
                '_' => {
                    match run.last_mut() {
                        Some(Item::Any(n)) => *n += 1,
                        _ => run.push(Item::Any(1)),
                    }
                    continue;
                }
                other => other,
            }
        };
        match run.last_mut() {
            Some(Item::Text(text)) => text.push(literal),
            _ => run.push(Item::Text(literal.to_string())),
        }
    }
    runs.push(run);
    Ok(runs)
}

/// What is left of the text behind the run, if it stands at the text's start.
fn strip<'a>(run: &[Item], mut text: &'a str) -> Option<&'a str> {
    for item in run {
        text = match item {
            Item::Text(wanted) => text.strip_prefix(wanted.as_str())?,
            Item::Any(count) => text.get(skip(text, *count)?..)?,
        };
    }
    Some(text)
}

/// How many bytes so many characters take; nothing if there are fewer.
fn skip(text: &str, count: usize) -> Option<usize> {
    let mut symbols = text.char_indices();
    if count > 0 {
        symbols.nth(count - 1)?;
    }
    Some(symbols.next().map_or(text.len(), |(at, _)| at))
}

/// Each run takes the first place that fits; the last one has to reach the end.
fn match_runs(runs: &[Vec<Item>], text: &str) -> bool {
    let Some((first, rest)) = runs.split_first() else { return text.is_empty() };
    let Some(mut text) = strip(first, text) else { return false };
    let Some((last, middle)) = rest.split_last() else { return text.is_empty() };
    for run in middle {
        match find(run, text) {
            Some(behind) => text = behind,
            None => return false,
        }
    }
    // The last run has a fixed number of characters: it fits at the end or nowhere.
    let length: usize = last
        .iter()
        .map(|item| match item {
            Item::Text(text) => text.chars().count(),
            Item::Any(count) => *count,
        })
        .sum();
    let Some(before) = text.chars().count().checked_sub(length) else { return false };
    let end = skip(text, before).and_then(|at| text.get(at..));
    end.and_then(|end| strip(last, end)) == Some("")
}

/// What is left behind the first place where the run fits.
fn find<'a>(run: &[Item], text: &'a str) -> Option<&'a str> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        // A run that begins with a text can only begin where that occurs.
        if let Some(Item::Text(wanted)) = run.first() {
            at += memmem::find(rest.as_bytes(), wanted.as_bytes())?;
        }
        if let Some(behind) = strip(run, text.get(at..)?) {
            return Some(behind);
        }
        at += text.get(at..)?.chars().next()?.len_utf8();
    }
}

fn like(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, pattern) = (call.strings(0)?, call.strings(1)?);
    let escape = if call.has(2) { Some(call.strings(2)?) } else { None };
    let constant = pattern.constant && escape.as_ref().is_none_or(|e| e.constant);
    let first = if constant { pattern.get(0) } else { None };
    let prepared = match first {
        Some(first) => Some(Pattern::read(first, escape.as_ref().and_then(|e| e.get(0)))?),
        None => None,
    };
    call.build_booleans(|row| {
        let (Some(text), Some(pattern)) = (text.get(row), pattern.get(row)) else { return Ok(None) };
        if let Some(prepared) = &prepared {
            return Ok(Some(prepared.matches(text)));
        }
        let escape = escape.as_ref().and_then(|e| e.get(row));
        Ok(Some(Pattern::read(pattern, escape)?.matches(text)))
    })
}
