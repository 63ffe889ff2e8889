//! Compiled patterns, kept for the next batch: compiling one costs as much as matching thousands of short texts.

use super::pattern::Pattern;
use crate::Call;
use crate::Values;
use arrow::array::StringViewArray;
use model::Result;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// So many patterns are kept; when there are more, all are dropped, which costs only their compilation.
const MAX_KEPT: usize = 200;

/// Longer patterns are compiled anew for each batch.
const MAX_LENGTH: usize = 10_000;

type Kept = Mutex<HashMap<String, Arc<Pattern>>>;

fn kept() -> &'static Kept {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    KEPT.get_or_init(Kept::default)
}

/// The compiled pattern.
pub(crate) fn compiled(source: &str) -> Result<Arc<Pattern>> {
    if let Some(pattern) = kept().lock().unwrap_or_else(PoisonError::into_inner).get(source) {
        return Ok(pattern.clone());
    }
    let pattern = Arc::new(Pattern::new(source)?);
    if source.len() <= MAX_LENGTH {
        let mut kept = kept().lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(source.to_owned(), pattern.clone());
    }
    Ok(pattern)
}

/// The patterns of a call: one for all rows, or one per row, of which the last is at hand.
pub(crate) struct Patterns {
    sources: Values<StringViewArray>,
    last: Option<(String, Arc<Pattern>)>,
}

impl Patterns {
    pub(crate) fn of(call: &Call<'_>, argument: usize) -> Result<Patterns> {
        Ok(Patterns { sources: call.strings(argument)?, last: None })
    }

    /// The pattern of a row; nothing if it is NULL.
    pub(crate) fn get(&mut self, row: usize) -> Result<Option<Arc<Pattern>>> {
        let Some(source) = self.sources.get(row) else { return Ok(None) };
        if let Some((last, pattern)) = &self.last
            && (self.sources.constant || last == source)
        {
            return Ok(Some(pattern.clone()));
        }
        let pattern = compiled(source)?;
        self.last = Some((source.to_owned(), pattern.clone()));
        Ok(Some(pattern))
    }
}
