//! Watching runs: at once where this process drives them, by looking again where another node does.

use super::options::span;
use super::{Inner, Run, Runs, lock, shutting_down};
use model::{Result, RunId};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long one wait of the endless ones lasts.
const LONG: Duration = Duration::from_secs(3600);

/// A run that was started. Dropping the handle does not stop the run.
#[derive(Clone)]
pub struct RunHandle {
    runs: Runs,
    id: RunId,
}

impl fmt::Debug for RunHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunHandle").field(&self.id).finish()
    }
}

impl RunHandle {
    pub(super) fn new(runs: Runs, id: RunId) -> Self {
        Self { runs, id }
    }

    /// The run's id.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Waits for the run's end, however it ends; [`Run::result`] tells how. `Unavailable` when the process shuts down
    /// first and leaves the run for its next start.
    pub async fn wait(&self) -> Result<Run> {
        let mut since = 0;
        loop {
            let run = self.runs.wait_change(&self.id, since, LONG).await?;
            if run.state.is_final() {
                return Ok(run);
            }
            if self.runs.inner.is_left(&self.id) {
                return Err(shutting_down());
            }
            since = run.revision;
        }
    }

    /// Asks it to stop.
    pub async fn stop(&self) -> Result<Run> {
        self.runs.stop(&self.id).await
    }

    /// Watches it.
    pub fn watch(&self) -> RunWatch {
        self.runs.watch(&self.id)
    }
}

/// The recorded changes of a run, one after the other. Changes that come faster than they are read become one.
pub struct RunWatch {
    runs: Runs,
    id: RunId,
    seen: Option<Run>,
}

impl RunWatch {
    pub(super) fn new(runs: Runs, id: RunId) -> Self {
        Self { runs, id, seen: None }
    }

    /// The run as it is at the first call, then after each change; `None` once its end was given.
    pub async fn next(&mut self) -> Result<Option<Run>> {
        if self.seen.as_ref().is_some_and(|run| run.state.is_final()) {
            return Ok(None);
        }
        let since = self.seen.as_ref().map_or(0, |run| run.revision);
        loop {
            let run = self.runs.wait_change(&self.id, since, LONG).await?;
            if run.revision > since {
                self.seen = Some(run.clone());
                return Ok(Some(run));
            }
            if self.runs.inner.is_left(&self.id) {
                return Err(shutting_down());
            }
        }
    }
}

pub(super) async fn wait_change(
    inner: &Arc<Inner>,
    id: &RunId,
    since: u64,
    max_wait: Duration,
) -> Result<Run> {
    let until = inner.clock.now() + span(max_wait);
    loop {
        let live = lock(&inner.live).get(id).cloned();
        if let Some(live) = live {
            let mut latest = live.latest.subscribe();
            drop(live);
            let changed = async {
                // An error means that its supervisor is gone; then the database has the last word.
                latest.wait_for(|run| run.revision > since).await.ok().map(|run| run.clone())
            };
            tokio::select! {
                biased;
                run = changed => if let Some(run) = run { return Ok(run) },
                () = inner.clock.sleep_until(until) => return inner_get(inner, id).await,
            }
        }
        let run = inner_get(inner, id).await?;
        let left = inner.clock.now() >= until || inner.closed.is_cancelled();
        if run.revision > since || run.state.is_final() || left {
            return Ok(run);
        }
        let again = (inner.clock.now() + span(inner.options.poll)).min(until);
        tokio::select! {
            () = inner.clock.sleep_until(again) => {}
            () = inner.closed.cancelled() => {}
        }
    }
}

async fn inner_get(inner: &Inner, id: &RunId) -> Result<Run> {
    super::tables::get(&inner.db, id).await
}
