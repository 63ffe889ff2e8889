//! What a run's body holds: its arguments, the wish to stop, progress, counters and the log.
//!
//! Progress and counters are atomics that cost nothing to move; the run's supervisor writes them down now and then. The
//! log is a bounded channel to that supervisor: when the database is slower than the body, `log` waits.

use super::{LogLevel, Run, lock};
use crate::clock::Clock;
use model::{Error, Progress, Result, RunId, Unit};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How many log lines may wait to be taken from a body.
pub(super) const LOG_BACKLOG: usize = 1024;
/// The longest log line that is kept, in bytes.
const LONGEST_LINE: usize = 64 * 1024;
const UNKNOWN: u64 = u64::MAX;

/// A run that this process has in hand.
pub(super) struct Live {
    pub(super) id: RunId,
    pub(super) clock: Clock,
    /// The wish to stop, and whose it is.
    pub(super) stop: CancellationToken,
    pub(super) shutdown: AtomicBool,
    pub(super) latest: watch::Sender<Run>,
    pub(super) meters: Meters,
    pub(super) log: mpsc::Sender<Said>,
    pub(super) log_level: LogLevel,
}

/// A log line on its way.
pub(super) struct Said {
    pub(super) at: i64,
    pub(super) level: LogLevel,
    pub(super) message: String,
}

/// Progress and counters in memory.
#[derive(Default)]
pub(super) struct Meters {
    done: AtomicU64,
    total: AtomicU64,
    /// 0 until there is progress, then the unit's place in [`UNITS`] plus 1.
    unit: AtomicU8,
    counters: Mutex<BTreeMap<String, Counter>>,
    pub(super) notify: Notify,
}

const UNITS: [Unit; 4] = [Unit::Bytes, Unit::Rows, Unit::Files, Unit::Steps];

/// One of a run's counters: cheap to hold, clone and move from any thread.
#[derive(Clone, Default)]
pub struct Counter {
    value: Arc<AtomicU64>,
}

impl Live {
    /// Takes over a newer record of the run.
    pub(super) fn recorded(&self, run: Run) {
        self.latest.send_if_modified(|latest| {
            let newer = run.revision > latest.revision;
            if newer {
                *latest = run;
            }
            newer
        });
    }
}

impl Meters {
    pub(super) fn restore(&self, counters: &BTreeMap<String, u64>) {
        for (name, value) in counters {
            self.counter(name).value.store(*value, Ordering::Relaxed);
        }
    }

    pub(super) fn reset(&self) {
        self.unit.store(0, Ordering::Relaxed);
        lock(&self.counters).clear();
        self.touched();
    }

    pub(super) fn progress(&self) -> Option<Progress> {
        let unit = *UNITS.get(usize::from(self.unit.load(Ordering::Acquire)).checked_sub(1)?)?;
        let total = self.total.load(Ordering::Relaxed);
        let done = self.done.load(Ordering::Relaxed);
        Some(Progress { done, total: (total != UNKNOWN).then_some(total), unit })
    }

    pub(super) fn counters(&self) -> BTreeMap<String, u64> {
        lock(&self.counters).iter().map(|(name, counter)| (name.clone(), counter.value())).collect()
    }

    pub(super) fn counter(&self, name: &str) -> Counter {
        let mut counters = lock(&self.counters);
        if let Some(counter) = counters.get(name) {
            return counter.clone();
        }
        counters.entry(name.to_owned()).or_default().clone()
    }

    pub(super) fn has_counters(&self) -> bool {
        !lock(&self.counters).is_empty()
    }

    fn move_to(&self, done: u64, total: Option<u64>, unit: Unit) {
        let place = UNITS.iter().position(|u| *u == unit).unwrap_or(0);
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total.unwrap_or(UNKNOWN), Ordering::Relaxed);
        self.unit.store(u8::try_from(place + 1).unwrap_or(1), Ordering::Release);
        self.touched();
    }

    /// Tells the supervisor; cheap where it was told already.
    fn touched(&self) {
        self.notify.notify_one();
    }
}

impl Counter {
    /// Counts.
    pub fn add(&self, by: u64) {
        self.value.fetch_add(by, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn value(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

/// What a run's body works with. Cheap to clone.
#[derive(Clone)]
pub struct RunContext {
    pub(super) live: Arc<Live>,
    pub(super) run: Arc<Run>,
    pub(super) cancelled: CancellationToken,
}

impl RunContext {
    /// The run's id.
    pub fn id(&self) -> &RunId {
        &self.live.id
    }

    /// The run as it was when this attempt began: kind, name, owner, arguments.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// With what it was started.
    pub fn arguments(&self) -> &Value {
        &self.run.arguments
    }

    /// Which attempt this is, from 1. Attempts before a crash count.
    pub fn attempt(&self) -> u32 {
        self.run.attempt
    }

    /// The time, injected.
    pub fn clock(&self) -> &Clock {
        &self.live.clock
    }

    /// Cancelled when the run was asked to stop, its time is up, or the process shuts down. A body that does not end
    /// soon after is cut off.
    pub fn cancelled(&self) -> CancellationToken {
        self.cancelled.clone()
    }

    /// Fails with `Cancelled` when the run was asked to stop. Call it between steps, or in a loop's head.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Says how far it has come. Cheap.
    pub fn progress(&self, done: u64, total: Option<u64>, unit: Unit) {
        self.live.meters.move_to(done, total, unit);
    }

    /// Counts something, such as `rows_in`. Where it is hot, hold the [`Counter`].
    pub fn count(&self, name: &str, by: u64) {
        self.live.meters.counter(name).add(by);
        self.live.meters.touched();
    }

    /// One of the run's counters, made at 0.
    pub fn counter(&self, name: &str) -> Counter {
        let counter = self.live.meters.counter(name);
        self.live.meters.touched();
        counter
    }

    /// Writes a line into the run's log. Waits while the database cannot follow.
    pub async fn log(&self, level: LogLevel, message: impl Into<String>) {
        if let Some(said) = self.said(level, message.into()) {
            // An error means that the run has ended: a leftover of its body speaks to nobody.
            let _ = self.live.log.send(said).await;
        }
    }

    /// The same from a blocking thread. Must not be called in async code.
    pub fn log_blocking(&self, level: LogLevel, message: impl Into<String>) {
        if let Some(said) = self.said(level, message.into()) {
            let _ = self.live.log.blocking_send(said);
        }
    }

    /// A line for whoever looks for a mistake of ours.
    pub async fn debug(&self, message: impl Into<String>) {
        self.log(LogLevel::Debug, message).await;
    }

    /// A line on what was done.
    pub async fn info(&self, message: impl Into<String>) {
        self.log(LogLevel::Info, message).await;
    }

    /// A line worth a look.
    pub async fn warn(&self, message: impl Into<String>) {
        self.log(LogLevel::Warn, message).await;
    }

    /// A line on what failed.
    pub async fn error(&self, message: impl Into<String>) {
        self.log(LogLevel::Error, message).await;
    }

    fn said(&self, level: LogLevel, message: String) -> Option<Said> {
        (level >= self.live.log_level).then(|| Said {
            at: self.live.clock.now_millis(),
            level,
            message: keepable(message),
        })
    }
}

/// Log text as the database can keep it: no zero bytes, not endless.
pub(super) fn keepable(mut message: String) -> String {
    if message.len() > LONGEST_LINE {
        let mut at = LONGEST_LINE;
        while !message.is_char_boundary(at) {
            at -= 1;
        }
        let cut = message.len() - at;
        message.truncate(at);
        message.push_str(&format!("… ({cut} more bytes)"));
    }
    if message.contains('\0') { message.replace('\0', "\u{fffd}") } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meters_move_and_reset() {
        let meters = Meters::default();
        assert_eq!(meters.progress(), None);
        meters.move_to(3, None, Unit::Files);
        assert_eq!(meters.progress(), Some(Progress { done: 3, total: None, unit: Unit::Files }));
        let rows = meters.counter("rows");
        rows.add(2);
        meters.counter("rows").add(1);
        assert_eq!(meters.counters(), BTreeMap::from([("rows".to_owned(), 3)]));
        assert!(meters.has_counters());
        meters.reset();
        assert_eq!((meters.progress(), meters.counters().len()), (None, 0));
    }

    #[test]
    fn long_and_odd_lines_are_made_keepable() {
        assert_eq!(keepable("a\0b".to_owned()), "a\u{fffd}b");
        let long = keepable("é".repeat(LONGEST_LINE));
        assert!(long.len() < LONGEST_LINE + 40);
        assert!(long.ends_with("more bytes)"), "{}", &long[long.len() - 30..]);
    }
}
