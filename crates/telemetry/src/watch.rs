//! Hears of every run that ends, notes it among the figures, and hands its spans on.
//!
//! Two tasks do that, since the bus waits for nobody: one hears and only notes who ended, the other reads what there is to
//! tell, at the database's speed.

use crate::figures::Figures;
use crate::queue::Queue;
use crate::span::spans_of;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use model::{RunId, RunState};
use state::events::{Live, LiveEvents};
use state::runs::{Run, RunQuery, Runs};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh64::xxh64;

/// So many ended runs may wait to be read.
const WAITING: usize = 16_384;
/// So many runs are looked at for those that a crash has left and the start has ended.
const LOOKED_AT: usize = 1000;

/// Where spans go.
pub(crate) struct Spans {
    pub(crate) queue: Arc<Queue>,
    /// Which part of the traces is told of.
    pub(crate) ratio: f64,
}

/// Who reads what there is to tell of ended runs.
pub(crate) struct Watch {
    pub(crate) runs: Runs,
    pub(crate) figures: Arc<Figures>,
    pub(crate) spans: Option<Spans>,
    /// When the server began.
    pub(crate) start: DateTime<Utc>,
}

/// Hears until it is told to stop; what was said before is heard even so.
pub(crate) async fn hear(
    mut ends: LiveEvents,
    ended: mpsc::Sender<RunId>,
    figures: Arc<Figures>,
    stop: CancellationToken,
) {
    let note = |live: Live| match live {
        Live::Missed(count) => figures.ledger.note_missed(count),
        Live::Event(event) => {
            if let Ok(id) = event.subject.parse()
                && ended.try_send(id).is_err()
            {
                figures.ledger.note_missed(1);
            }
        }
    };
    loop {
        tokio::select! {
            live = ends.next() => match live {
                Some(live) => note(live),
                None => return,
            },
            () = stop.cancelled() => break,
        }
    }
    while let Some(Some(live)) = tokio::task::unconstrained(ends.next()).now_or_never() {
        note(live);
    }
}

/// The channel between the two.
pub(crate) fn channel() -> (mpsc::Sender<RunId>, mpsc::Receiver<RunId>) {
    mpsc::channel(WAITING)
}

impl Watch {
    /// Reads until nobody hears any more.
    pub(crate) async fn run(self, mut ended: mpsc::Receiver<RunId>) {
        let mut told = self.recovered().await;
        while let Some(id) = ended.recv().await {
            match self.runs.get(&id).await {
                Ok(run) => {
                    self.figures.ledger.note(&run);
                    if !told.remove(&id) {
                        self.tell(&run);
                    }
                }
                Err(error) => {
                    self.figures.ledger.note_missed(1);
                    tracing::debug!(%error, "an ended run cannot be read");
                }
            }
        }
        if let Some(spans) = &self.spans {
            spans.queue.close();
        }
    }

    /// Tells of the runs that were found unfinished when the server began: they ended before anybody heard. Answers which.
    async fn recovered(&self) -> HashSet<RunId> {
        if self.spans.is_none() {
            return HashSet::new();
        }
        let states = vec![RunState::Failed, RunState::Stopped];
        let query = RunQuery { states, limit: LOOKED_AT, ..RunQuery::default() };
        let found = match self.runs.list(&query).await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "the runs that a crash has left cannot be listed");
                return HashSet::new();
            }
        };
        let ended = found.into_iter().filter(|run| run.ended.is_some_and(|ended| ended >= self.start));
        ended
            .map(|run| {
                self.tell(&run);
                run.id
            })
            .collect()
    }

    fn tell(&self, run: &Run) {
        let Some(spans) = &self.spans else { return };
        if is_chosen(&run.id, spans.ratio) {
            let dropped = spans.queue.push(spans_of(run));
            self.figures.ledger.note_spans("dropped", dropped);
        }
    }
}

/// Whether a trace is among that part of all. By a hash: ids of one moment are too much alike.
fn is_chosen(run: &RunId, ratio: f64) -> bool {
    let place = xxh64(run.as_str().as_bytes(), 0) as f64 / u64::MAX as f64;
    ratio >= 1.0 || place < ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_traces_is_about_that_part() {
        let chosen = |ratio: f64| {
            (0..10_000_u64)
                .filter(|n| is_chosen(&RunId::from_parts(1_700_000_000_000, u128::from(*n)), ratio))
                .count()
        };
        assert_eq!((chosen(0.0), chosen(1.0)), (0, 10_000));
        let some = chosen(0.25);
        assert!((2300..2700).contains(&some), "{some}");
    }
}
