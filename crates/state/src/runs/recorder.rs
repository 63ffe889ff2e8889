//! What a run says on its way to the database: log lines in order and at most so many, progress and counters.
//!
//! Nothing is forgotten before it is committed: a write that fails is made again later, and meanwhile the full buffer
//! holds the body back.

use super::context::{Live, Said, keepable};
use super::{LogLevel, Run, tables};
use crate::db::Transaction;
use model::{Progress, Result};
use std::collections::BTreeMap;

/// With that many lines in hand they are written without waiting for the time.
const ENOUGH: usize = 512;
/// With that many none is taken any more.
const FULL: usize = 2048;

pub(super) struct Recorder {
    most: u64,
    kept: u64,
    dropped: u64,
    lines: Vec<(i64, LogLevel, String)>,
    recorded: Meter,
}

/// Progress and counters at one moment.
#[derive(Clone, PartialEq)]
pub(super) struct Meter {
    pub(super) progress: Option<Progress>,
    pub(super) counters: BTreeMap<String, u64>,
}

impl Meter {
    fn of(live: &Live) -> Self {
        Self { progress: live.meters.progress(), counters: live.meters.counters() }
    }
}

impl Recorder {
    pub(super) fn new(most: u64, run: &Run) -> Self {
        let recorded = Meter { progress: run.progress, counters: run.counters.clone() };
        Self { most, kept: 0, dropped: 0, lines: Vec::new(), recorded }
    }

    pub(super) fn take(&mut self, said: Said) {
        if self.kept >= self.most {
            self.dropped += 1;
            return;
        }
        self.kept += 1;
        self.lines.push((said.at, said.level, said.message));
    }

    /// A line of the run's keeper. It does not count.
    pub(super) fn note(&mut self, at: i64, level: LogLevel, message: String) {
        self.lines.push((at, level, keepable(message)));
    }

    /// The last line of a log that was cut short says so.
    pub(super) fn close(&mut self, at: i64) {
        if self.dropped > 0 {
            let text = format!(
                "{} more lines were not kept: the log of a run holds at most {}",
                self.dropped, self.most
            );
            self.note(at, LogLevel::Warn, text);
            self.dropped = 0;
        }
    }

    pub(super) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    pub(super) fn has_enough(&self) -> bool {
        self.lines.len() >= ENOUGH
    }

    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= FULL
    }

    /// Whether there is something to write.
    pub(super) fn has_news(&self, live: &Live) -> bool {
        self.has_lines() || Meter::of(live) != self.recorded
    }

    /// Writes what is new. The run is `None` where nothing changed, or it is no longer this node's.
    pub(super) async fn write(&self, tx: &mut Transaction, live: &Live, node: &str) -> Result<Written> {
        let mut written = self.write_lines(tx, live).await?;
        // New lines alone are a change too: whoever follows the log waits for the next revision.
        if self.has_news(live) {
            written.run = tables::record(tx, &live.id, node, &written.recorded).await?;
        }
        Ok(written)
    }

    /// Writes new lines only; what the meters say goes with a change of state.
    pub(super) async fn write_lines(&self, tx: &mut Transaction, live: &Live) -> Result<Written> {
        if self.has_lines() {
            tables::append_log(tx, &live.id, &self.lines).await?;
        }
        Ok(Written { lines: self.lines.len(), recorded: Meter::of(live), run: None })
    }

    /// The write is committed.
    pub(super) fn written(&mut self, written: Written) {
        self.lines.drain(..written.lines);
        self.recorded = written.recorded;
    }
}

/// What a write wrote.
pub(super) struct Written {
    lines: usize,
    pub(super) recorded: Meter,
    pub(super) run: Option<Run>,
}
