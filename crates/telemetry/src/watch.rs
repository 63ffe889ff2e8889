//! Hears of every run that ends, notes it among the figures, and hands its spans on.
//!
//! Two tasks do that, since the bus waits for nobody: one hears and only notes who ended, the other reads what there is to
//! tell, at the database's speed.

use crate::figures::Figures;
use crate::span::spans_of;
use crate::tracer::House;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use model::{RunId, RunState};
use state::TraceContext;
use state::events::{Live, LiveEvents};
use state::runs::{Run, RunQuery, Runs};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// So many ended runs may wait to be read.
const WAITING: usize = 16_384;
/// So many runs are looked at for those that a crash has left and the start has ended.
const LOOKED_AT: usize = 1000;

/// Who reads what there is to tell of ended runs.
pub(crate) struct Watch {
    pub(crate) runs: Runs,
    pub(crate) figures: Arc<Figures>,
    /// Where spans go.
    pub(crate) spans: Option<Arc<House>>,
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
        if spans.sampling.chooses(&TraceContext::of_run(run)) {
            spans.tell(spans_of(run));
        }
    }
}
