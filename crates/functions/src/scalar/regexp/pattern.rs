//! A compiled pattern: two engines behind one face, with Java's way of going from match to match.

use super::translate::translate;
use model::{Error, Result};
use std::sync::OnceLock;

/// How many steps a pattern with look-around or back-references may take on one text: well under a second.
const MAX_STEPS: usize = 1_000_000;

/// How large a compiled pattern may become, in bytes.
const MAX_SIZE: usize = 8 << 20;

#[derive(Debug)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(fancy_regex::Regex),
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: String,
    engine: Engine,
    /// Whether it may match nothing at all; false only where that is sure.
    may_be_empty: bool,
    /// For texts that end in a line feed, before which `$` matches too.
    loose_source: Option<String>,
    loose: OnceLock<std::result::Result<Engine, String>>,
}

/// Where the groups of a match stand, in bytes; the first is the whole match.
pub(crate) type Spans = Vec<Option<(usize, usize)>>;

/// Room for the groups of one match after the other, of the pattern that made it.
#[derive(Debug)]
pub(crate) struct Scratch {
    places: Option<regex::CaptureLocations>,
    spans: Spans,
}

impl Pattern {
    pub(crate) fn new(source: &str) -> Result<Pattern> {
        let translated = translate(source)?;
        let engine = compile(&translated.text, translated.backtracks).map_err(|why| invalid(source, why))?;
        let may_be_empty = translated.backtracks || can_match_nothing(&translated.text);
        Ok(Pattern {
            source: source.to_owned(),
            engine,
            may_be_empty,
            loose_source: translated.before_final_newline,
            loose: OnceLock::new(),
        })
    }

    fn engine_for(&self, text: &str) -> Result<&Engine> {
        let Some(loose) = self.loose_source.as_deref().filter(|_| text.ends_with('\n')) else {
            return Ok(&self.engine);
        };
        self.loose
            .get_or_init(|| compile(loose, true))
            .as_ref()
            .map_err(|why| invalid(&self.source, why.clone()))
    }

    fn too_slow(&self, error: fancy_regex::Error) -> Error {
        let pattern = crate::scalar::string::shorten(&self.source);
        Error::invalid(format!("the pattern '{pattern}' takes too many steps on a text"))
            .why(format!("patterns with look-around, back-references or possessive quantifiers may take {MAX_STEPS} steps"))
            .hint("write it without nested repetitions such as (a+)+, or without these")
            .source_is(error)
    }

    /// How many groups it captures.
    pub(crate) fn groups(&self) -> usize {
        match &self.engine {
            Engine::Linear(r) => r.captures_len() - 1,
            Engine::Backtracking(r) => r.captures_len() - 1,
        }
    }

    /// The number of a named group.
    pub(crate) fn group_named(&self, name: &str) -> Option<usize> {
        match &self.engine {
            Engine::Linear(r) => r.capture_names().position(|n| n == Some(name)),
            Engine::Backtracking(r) => r.capture_names().position(|n| n == Some(name)),
        }
    }

    pub(crate) fn is_match(&self, text: &str) -> Result<bool> {
        match self.engine_for(text)? {
            Engine::Linear(r) => Ok(r.is_match(text)),
            Engine::Backtracking(r) => r.is_match(text).map_err(|e| self.too_slow(e)),
        }
    }

    /// The first match at or behind a place.
    pub(crate) fn find(&self, text: &str, from: usize) -> Result<Option<(usize, usize)>> {
        match self.engine_for(text)? {
            Engine::Linear(r) => Ok(r.find_at(text, from).map(|m| (m.start(), m.end()))),
            Engine::Backtracking(r) => {
                let found = r.find_from_pos(text, from).map_err(|e| self.too_slow(e))?;
                Ok(found.map(|m| (m.start(), m.end())))
            }
        }
    }

    /// The first match at or behind a place, with its groups.
    pub(crate) fn captures(&self, text: &str, from: usize) -> Result<Option<Spans>> {
        match self.engine_for(text)? {
            Engine::Linear(r) => Ok(r
                .captures_at(text, from)
                .map(|c| c.iter().map(|g| g.map(|m| (m.start(), m.end()))).collect())),
            Engine::Backtracking(r) => {
                let found = r.captures_from_pos(text, from).map_err(|e| self.too_slow(e))?;
                Ok(found.map(|c| c.iter().map(|g| g.map(|m| (m.start(), m.end()))).collect()))
            }
        }
    }

    /// Hands out one match after the other until `take` has enough. As in Java an empty match may follow right behind
    /// another one.
    pub(crate) fn each(&self, text: &str, mut take: impl FnMut(usize, usize) -> Result<bool>) -> Result<()> {
        let mut from = Some(0);
        while let Some(start) = from {
            let Some((begin, end)) = self.find(text, start)? else { return Ok(()) };
            if !take(begin, end)? {
                return Ok(());
            }
            from = next_start(text, begin, end);
        }
        Ok(())
    }

    /// Room for this pattern's groups.
    pub(crate) fn scratch(&self) -> Scratch {
        let places = match &self.engine {
            Engine::Linear(r) => Some(r.capture_locations()),
            Engine::Backtracking(_) => None,
        };
        Scratch { places, spans: Spans::new() }
    }

    /// The same with the groups of each match.
    pub(crate) fn each_captures(
        &self,
        text: &str,
        scratch: &mut Scratch,
        mut take: impl FnMut(usize, usize, &Spans) -> Result<()>,
    ) -> Result<()> {
        let mut from = Some(0);
        while let Some(start) = from {
            match (self.engine_for(text)?, &mut scratch.places) {
                (Engine::Linear(r), Some(places)) => {
                    if r.captures_read_at(places, text, start).is_none() {
                        return Ok(());
                    }
                    scratch.spans.clear();
                    scratch.spans.extend((0..places.len()).map(|group| places.get(group)));
                }
                _ => match self.captures(text, start)? {
                    Some(spans) => scratch.spans = spans,
                    None => return Ok(()),
                },
            }
            let Some(Some((begin, end))) = scratch.spans.first().copied() else { return Ok(()) };
            take(begin, end, &scratch.spans)?;
            if end == text.len() && !self.may_be_empty {
                return Ok(());
            }
            from = next_start(text, begin, end);
        }
        Ok(())
    }
}

/// Whether a pattern of the linear engine can match an empty text; true if in doubt.
fn can_match_nothing(text: &str) -> bool {
    regex_syntax::parse(text)
        .map_or(true, |tree| tree.properties().minimum_len().is_none_or(|least| least == 0))
}

/// Where to search for the next match: behind this one, one character further if it is empty.
pub(crate) fn next_start(text: &str, begin: usize, end: usize) -> Option<usize> {
    if end > begin {
        return Some(end);
    }
    text.get(end..)?.chars().next().map(|c| end + c.len_utf8())
}

fn invalid(source: &str, why: String) -> Error {
    let pattern = crate::scalar::string::shorten(source);
    Error::invalid(format!("the pattern '{pattern}' is not valid")).why(why)
}

fn compile(text: &str, backtracks: bool) -> std::result::Result<Engine, String> {
    if backtracks {
        return fancy_regex::RegexBuilder::new(text)
            .backtrack_limit(MAX_STEPS)
            .delegate_size_limit(MAX_SIZE)
            .build()
            .map(Engine::Backtracking)
            .map_err(|e| e.to_string());
    }
    let built = regex::RegexBuilder::new(text).size_limit(MAX_SIZE).nest_limit(250).build();
    built.map(Engine::Linear).map_err(|e| match e {
        regex::Error::CompiledTooBig(limit) => format!("it would take more than {limit} bytes"),
        // The parser draws the pattern with a mark under the fault; its last line says what is wrong.
        other => {
            let text = other.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    })
}
