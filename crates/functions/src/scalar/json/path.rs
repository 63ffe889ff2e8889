//! The paths of `json_extract`: `$`, `.name`, `[0]`, `["any name"]`. Each step names a member or counts an element,
//! whichever the value is.

use super::scan::{Kind, Malformed, Scanner};
use model::{Error, Result};

#[derive(Debug)]
struct Step {
    name: String,
    index: Option<usize>,
}

/// A path, read.
#[derive(Debug)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Path> {
        let broken = || {
            let quoted = crate::scalar::string::shorten(text);
            Error::invalid(format!("the JSON path '{quoted}' is not valid"))
                .why("a path begins with $, followed by .name, [0] or [\"name\"]")
                .hint("use json_query for wildcards, `..` and filters")
        };
        let mut rest = text.strip_prefix('$').ok_or_else(broken)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (name, behind) = if let Some(dotted) = rest.strip_prefix('.') {
                unquoted(dotted, ":").ok_or_else(broken)?
            } else {
                let inside = rest.strip_prefix('[').ok_or_else(broken)?;
                let (name, behind) = match inside.strip_prefix('"') {
                    Some(quoted) => quoted_name(quoted),
                    None => unquoted(inside, ""),
                }
                .ok_or_else(broken)?;
                (name, behind.strip_prefix(']').ok_or_else(broken)?)
            };
            let index = name.parse::<i32>().ok().and_then(|i| usize::try_from(i).ok());
            steps.push(Step { name, index });
            rest = behind;
        }
        Ok(Path(steps))
    }

    /// Goes to the value at the path; says whether there is one.
    pub(crate) fn find(&self, scanner: &mut Scanner<'_>) -> std::result::Result<bool, Malformed> {
        for step in &self.0 {
            let found = match scanner.kind()? {
                Kind::Object => member(scanner, &step.name)?,
                Kind::Array => element(scanner, step.index)?,
                _ => false,
            };
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn member(scanner: &mut Scanner<'_>, name: &str) -> std::result::Result<bool, Malformed> {
    let mut more = scanner.open(true)?;
    while more {
        if scanner.key()?.is(name) {
            return Ok(true);
        }
        scanner.skip()?;
        more = scanner.more(true)?;
    }
    Ok(false)
}

fn element(scanner: &mut Scanner<'_>, index: Option<usize>) -> std::result::Result<bool, Malformed> {
    let Some(index) = index else { return Ok(false) };
    let mut more = scanner.open(false)?;
    for _ in 0..index {
        if !more {
            return Ok(false);
        }
        scanner.skip()?;
        more = scanner.more(false)?;
    }
    Ok(more)
}

/// Letters, digits and underscores.
fn unquoted<'a>(text: &'a str, also: &str) -> Option<(String, &'a str)> {
    let belongs = |c: char| c == '_' || c.is_alphanumeric() || also.contains(c);
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

/// Up to the closing quote; a backslash stands before quotes and backslashes.
fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut symbols = text.chars();
    loop {
        match symbols.next()? {
            '"' => return Some((name, symbols.as_str())),
            '\\' => match symbols.next()? {
                c @ ('"' | '\\') => name.push(c),
                _ => return None,
            },
            other => name.push(other),
        }
    }
}
