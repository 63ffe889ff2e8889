//! What a question may cost: steps, values that are held at once, the size of one value.

use super::query::Run;
use super::value::Value;
use crate::fault::Fault;
use model::Error;
use std::cell::Cell;
use std::collections::HashSet;

/// How many steps a question may take.
const MAX_WORK: u64 = 40_000_000;
/// How many values it may hold at once.
const MAX_HELD: u64 = 10_000_000;
/// How many bytes one value may have.
pub(super) const MAX_VALUE: usize = 1 << 20;

/// What a question has used.
#[derive(Debug, Default)]
pub(super) struct Meter {
    work: Cell<u64>,
    held: Cell<u64>,
}

impl Meter {
    /// How many values are held.
    pub(super) fn held(&self) -> u64 {
        self.held.get()
    }

    /// Counts as many as before: what came after is gone.
    pub(super) fn release(&self, before: u64) {
        self.held.set(before);
    }
}

pub(super) fn too_large() -> Fault {
    Fault::new("54000", "a value in a question about the catalog is too large").hint("it may have 1 MiB")
}

impl Run<'_> {
    /// Counts a step; a question that takes too many is refused.
    pub(super) fn step(&self) -> Result<(), Fault> {
        self.steps(1)
    }

    /// Counts several at once.
    pub(super) fn steps(&self, count: usize) -> Result<(), Fault> {
        let before = self.meter.work.get();
        let now = before.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.meter.work.set(now);
        if now > MAX_WORK {
            return Err(Fault::new("54000", "a question about the catalog takes too many steps")
                .hint("ask for one schema or table"));
        }
        if before / 1024 != now / 1024 && self.world.cancel.is_cancelled() {
            return Err(Fault::of(&Error::cancelled()));
        }
        Ok(())
    }

    /// Counts values that are kept until the query around them has ended.
    pub(super) fn hold(&self, values: usize) -> Result<(), Fault> {
        let now = self.meter.held.get().saturating_add(u64::try_from(values).unwrap_or(u64::MAX));
        self.meter.held.set(now);
        if now > MAX_HELD {
            return Err(Fault::new("54000", "a question about the catalog holds too many rows")
                .hint("join the tables by their numbers"));
        }
        Ok(())
    }

    /// The text by which a value is found again, counted.
    pub(super) fn key(&self, value: &Value) -> Result<String, Fault> {
        let key = value.key();
        self.hold(key.len() / 16)?;
        Ok(key)
    }

    pub(super) fn keys(&self, row: &[Value]) -> Result<Vec<String>, Fault> {
        row.iter().map(|value| self.key(value)).collect()
    }

    /// Keeps the rows that have not come before.
    pub(super) fn distinct<T>(&self, rows: &mut Vec<T>, of: impl Fn(&T) -> &[Value]) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            self.step()?;
            if seen.insert(self.keys(of(&row))?) {
                kept.push(row);
            }
        }
        *rows = kept;
        Ok(())
    }
}
