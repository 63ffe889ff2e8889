//! One run's life: it waits for its turn, works, is watched while it works, and ends, or tries again.
//!
//! One task per run does all of it, so nothing here is shared: it drives the body's task, takes its log lines, writes
//! progress down now and then, and keeps the time. The end of a run and its event are one transaction.

use super::context::{Live, RunContext, Said};
use super::gate::Pass;
use super::options::span;
use super::recorder::Recorder;
use super::tables::{self, Change};
use super::verdict::{Cause, Ended, Verdict, shut_down, verdict};
use super::{Body, Inner, LogLevel, Run, lock};
use crate::db;
use crate::events::NewEvent;
use crate::trace::{self, TraceContext};
use chrono::{DateTime, Utc};
use model::{Diagnosis, Outcome, Result, RunState};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub(super) struct Supervisor {
    pub(super) inner: Arc<Inner>,
    pub(super) live: Arc<Live>,
    pub(super) said: mpsc::Receiver<Said>,
    pub(super) body: Arc<Mutex<Body>>,
    pub(super) run: Run,
    pub(super) recorder: Recorder,
    pub(super) retry_delay: Duration,
    pub(super) turn: Turn,
}

/// How a run comes to its turns.
pub(super) struct Turn {
    /// The pass of a run that is on record as beginning already.
    pub(super) pass: Option<Pass>,
    /// What it shares a limit with, and the limit.
    pub(super) key: Option<(String, usize)>,
    /// Whether it takes no place.
    pub(super) resident: bool,
}

/// Where an attempt stands with its time.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Working,
    /// Asked to stop.
    Tidying,
    /// Aborted; only a body that never yields is still there.
    CutOff,
}

struct Attempt {
    task: JoinHandle<Result<Value>>,
    cancelled: CancellationToken,
    phase: Phase,
    cause: Cause,
    deadline: Option<DateTime<Utc>>,
    /// When to write down what is new; none while nothing is.
    record_at: Option<DateTime<Utc>>,
    recorded_at: DateTime<Utc>,
}

impl Supervisor {
    /// From waiting to the end.
    pub(super) async fn live(mut self) {
        while let Some(pass) = self.admitted().await {
            crashpoint::hit("runs.started");
            let (ended, cause) = self.work().await;
            let again = self.conclude(ended, cause).await;
            drop(pass);
            if !again {
                break;
            }
            let delay = self.inner.clock.sleep(span(self.retry_delay));
            tokio::select! {
                () = delay => {}
                () = self.live.stop.cancelled() => {}
            }
        }
        self.inner.forget(&self.live.id);
    }

    /// Waits for its turn; `None` when it ended instead.
    async fn admitted(&mut self) -> Option<Pass> {
        if let Some(pass) = self.turn.pass.take() {
            return Some(pass);
        }
        loop {
            let pass = tokio::select! {
                biased;
                () = self.live.stop.cancelled() => {
                    self.leave_waiting().await;
                    return None;
                }
                pass = self.pass() => pass,
            };
            let key = self.turn.key.as_ref().map(|(key, _)| key.as_str());
            let now = self.inner.clock.now_millis();
            match tables::admit(&self.inner.db, &self.run, key, now).await {
                Ok(Some(run)) => {
                    self.took(run);
                    return Some(pass);
                }
                Ok(None) => {
                    // Either it is over, or runs of another node fill its limit.
                    drop(pass);
                    if self.is_over().await {
                        return None;
                    }
                }
                Err(error) => tracing::warn!(run = %self.live.id, %error, "a run cannot begin yet"),
            }
            tokio::select! {
                () = self.inner.clock.sleep(span(self.inner.options.poll)) => {}
                () = self.live.stop.cancelled() => {}
            }
        }
    }

    async fn pass(&self) -> Pass {
        if self.turn.resident {
            self.inner.gate.beside()
        } else {
            self.inner.gate.enter(self.turn.key.clone()).await
        }
    }

    /// The wish to stop came while it waited. A stop has ended it already; a shutdown does here, unless the run can be
    /// taken up at the next start.
    async fn leave_waiting(&mut self) {
        let shutdown = self.live.shutdown.load(Ordering::Acquire);
        if shutdown && !self.is_resumable() {
            self.end(RunState::Stopped, Outcome::Diagnosis(shut_down().diagnosis())).await;
        } else {
            self.is_over().await;
        }
    }

    async fn is_over(&mut self) -> bool {
        match tables::get(&self.inner.db, &self.live.id).await {
            Ok(run) => {
                let over = run.state != RunState::Waiting || run.node != self.inner.node;
                self.took(run);
                over
            }
            Err(error) => error.kind() == model::ErrorKind::NotFound,
        }
    }

    fn is_resumable(&self) -> bool {
        self.inner.options.resumable.contains(&self.run.kind)
    }

    fn took(&mut self, run: Run) {
        self.run = run.clone();
        self.live.recorded(run);
    }

    fn begin(&self) -> Attempt {
        let cancelled = self.live.stop.child_token();
        let context = RunContext {
            live: Arc::clone(&self.live),
            run: Arc::new(self.run.clone()),
            cancelled: cancelled.clone(),
        };
        let body = Arc::clone(&self.body);
        let span_of_run =
            tracing::info_span!("run", id = %self.run.id, kind = %self.run.kind, name = %self.run.name);
        // What it starts belongs to it.
        let work = trace::within(Some(TraceContext::of_run(&self.run)), async move {
            let work = lock(&body)(context);
            work.await
        });
        let task = tokio::spawn(work.instrument(span_of_run));
        let now = self.inner.clock.now();
        let deadline = self.run.timeout_millis.map(|millis| now + span(Duration::from_millis(millis)));
        Attempt {
            task,
            cancelled,
            phase: Phase::Working,
            cause: Cause::Nobody,
            deadline,
            record_at: None,
            recorded_at: now,
        }
    }

    /// Runs the body once and watches it.
    async fn work(&mut self) -> (Ended, Cause) {
        let mut attempt = self.begin();
        let clock = self.inner.clock.clone();
        let mut said = Vec::new();
        loop {
            let due = attempt.record_at;
            let deadline = attempt.deadline;
            tokio::select! {
                biased;
                ended = &mut attempt.task => return (Ended::from(ended), self.cause_of(&attempt)),
                () = self.inner.cutoff.cancelled(), if attempt.phase != Phase::CutOff => attempt.cut_off(&clock),
                () = self.live.stop.cancelled(), if attempt.cause == Cause::Nobody => {
                    attempt.ask_to_stop(self.cause_of(&attempt), self.grace());
                }
                () = clock.sleep_until(deadline.unwrap_or_default()), if deadline.is_some() => match attempt.phase {
                    Phase::Working => attempt.ask_to_stop(Cause::Timeout, self.grace()),
                    Phase::Tidying => attempt.cut_off(&clock),
                    Phase::CutOff => return (Ended::CutOff, attempt.cause),
                },
                _ = self.said.recv_many(&mut said, 128), if !self.recorder.is_full() => {
                    said.drain(..).for_each(|line| self.recorder.take(line));
                    if self.recorder.has_enough() && !self.recorder.is_full() {
                        self.record(&mut attempt).await;
                    } else {
                        attempt.record_soon(self.record_every());
                    }
                }
                () = self.live.meters.notify.notified(), if due.is_none() => attempt.record_soon(self.record_every()),
                () = clock.sleep_until(due.unwrap_or_default()), if due.is_some() => self.record(&mut attempt).await,
            }
        }
    }

    /// Who wants the attempt to end. A quick body may end before its supervisor has seen the wish it obeyed.
    fn cause_of(&self, attempt: &Attempt) -> Cause {
        match attempt.cause {
            Cause::Nobody if !self.live.stop.is_cancelled() => Cause::Nobody,
            Cause::Nobody if self.live.shutdown.load(Ordering::Acquire) => Cause::Shutdown,
            Cause::Nobody => Cause::Stop,
            seen => seen,
        }
    }

    fn grace(&self) -> DateTime<Utc> {
        self.inner.clock.now() + span(self.inner.options.grace)
    }

    fn record_every(&self) -> chrono::Duration {
        span(self.inner.options.record_every)
    }

    /// Writes down what is new. What cannot be written now stays for the next time.
    async fn record(&mut self, attempt: &mut Attempt) {
        if let Err(error) = self.try_record().await {
            tracing::warn!(run = %self.live.id, %error, "a run's progress cannot be recorded yet");
        }
        attempt.recorded_at = self.inner.clock.now();
        attempt.record_at = None;
        // Counters in a body's hands move without a word, so they are looked at as long as there are any.
        if self.recorder.has_lines() || self.live.meters.has_counters() {
            attempt.record_soon(self.record_every());
        }
    }

    async fn try_record(&mut self) -> Result<()> {
        if !self.recorder.has_news(&self.live) {
            return Ok(());
        }
        let mut tx = self.inner.db.begin().await?;
        let mut written = self.recorder.write(&mut tx, &self.live, &self.inner.node).await?;
        db::commit(tx).await?;
        if let Some(run) = written.run.take() {
            self.took(run);
        }
        self.recorder.written(written);
        Ok(())
    }

    /// Writes the attempt's end down; tells whether there will be another.
    async fn conclude(&mut self, ended: Ended, cause: Cause) -> bool {
        for _ in 0..self.said.len() {
            if let Ok(line) = self.said.try_recv() {
                self.recorder.take(line);
            }
        }
        match verdict(ended, cause, &self.run, self.is_resumable()) {
            Verdict::End(state, outcome) => {
                self.end(state, outcome).await;
                false
            }
            Verdict::HandOver => {
                if !self.back_to_waiting(None).await {
                    // It was asked to stop before.
                    self.end(RunState::Stopped, Outcome::Diagnosis(shut_down().diagnosis())).await;
                }
                false
            }
            Verdict::Again(diagnosis) => {
                if self.back_to_waiting(Some(&diagnosis)).await {
                    return true;
                }
                // It was asked to stop at the same moment.
                self.end(RunState::Stopped, Outcome::Diagnosis(diagnosis)).await;
                false
            }
        }
    }

    /// Ends the run. Unless the process is cut off, it does not give up before the end is on record.
    async fn end(&mut self, state: RunState, outcome: Outcome) {
        let now = self.inner.clock.now_millis();
        if let Outcome::Diagnosis(diagnosis) = &outcome {
            let level = if state == RunState::Stopped { LogLevel::Info } else { LogLevel::Error };
            self.recorder.note(now, level, diagnosis.to_string());
        }
        self.recorder.close(now);
        loop {
            match self.try_end(state, &outcome).await {
                Ok(Some(run)) => return self.took(run),
                Ok(None) => {
                    // Another node took it for dead, or ended it.
                    self.is_over().await;
                    return;
                }
                Err(error) => {
                    tracing::warn!(run = %self.live.id, %error, "a run's end cannot be recorded yet");
                }
            }
            if !self.wait_for_database().await {
                return;
            }
        }
    }

    async fn try_end(&mut self, state: RunState, outcome: &Outcome) -> Result<Option<Run>> {
        let mut tx = self.inner.db.begin().await?;
        let written = self.recorder.write_lines(&mut tx, &self.live).await?;
        let change = Change {
            node: Some(&self.inner.node),
            outcome: Some(outcome),
            meter: Some(&written.recorded),
            ..Change::default()
        };
        let now = self.inner.clock.now_millis();
        let Some(run) = tables::transition(&mut tx, &self.live.id, state, change, now).await? else {
            return Ok(None);
        };
        let ticket = self.inner.events.publish_in(&mut tx, finished(&run)).await?;
        crashpoint::hit("runs.before_end");
        db::commit(tx).await?;
        crashpoint::hit("runs.after_end");
        self.recorder.written(written);
        self.inner.events.committed(ticket);
        Ok(Some(run))
    }

    /// Puts the run back among those that wait: for a retry with the failure that calls for it, or for the next start.
    /// False where it was asked to stop meanwhile.
    async fn back_to_waiting(&mut self, failure: Option<&Diagnosis>) -> bool {
        if let Some(failure) = failure {
            let text = format!(
                "attempt {} failed, {} to go: {failure}",
                self.run.attempt,
                if self.run.retries_left == 1 { "one".to_owned() } else { self.run.retries_left.to_string() }
            );
            self.recorder.note(self.inner.clock.now_millis(), LogLevel::Warn, text);
        }
        loop {
            match self.try_back_to_waiting(failure.is_some()).await {
                Ok(Some(run)) => {
                    self.took(run);
                    if failure.is_some() {
                        self.live.meters.reset();
                    }
                    return true;
                }
                Ok(None) => return false,
                Err(error) => {
                    tracing::warn!(run = %self.live.id, %error, "a run's retry cannot be recorded yet");
                }
            }
            if !self.wait_for_database().await {
                return false;
            }
        }
    }

    async fn try_back_to_waiting(&mut self, uses_retry: bool) -> Result<Option<Run>> {
        let mut tx = self.inner.db.begin().await?;
        let written = self.recorder.write_lines(&mut tx, &self.live).await?;
        let meter = Some(&written.recorded);
        let change = Change { node: Some(&self.inner.node), uses_retry, meter, ..Change::default() };
        let now = self.inner.clock.now_millis();
        let run = tables::transition(&mut tx, &self.live.id, RunState::Waiting, change, now).await?;
        if run.is_some() {
            db::commit(tx).await?;
            self.recorder.written(written);
        }
        Ok(run)
    }

    /// Waits a little; false when the process is cut off and there is no time left.
    async fn wait_for_database(&self) -> bool {
        tokio::select! {
            () = self.inner.cutoff.cancelled() => false,
            () = self.inner.clock.sleep(span(self.inner.options.poll)) => true,
        }
    }
}

impl Attempt {
    fn ask_to_stop(&mut self, cause: Cause, until: DateTime<Utc>) {
        self.cause = cause;
        self.phase = Phase::Tidying;
        self.deadline = Some(until);
        self.cancelled.cancel();
    }

    /// Aborts the body's task. A task that blocks its thread does not notice; it is waited for a moment only.
    fn cut_off(&mut self, clock: &crate::clock::Clock) {
        self.cancelled.cancel();
        self.task.abort();
        self.phase = Phase::CutOff;
        self.deadline = Some(clock.now() + chrono::Duration::seconds(1));
    }

    fn record_soon(&mut self, every: chrono::Duration) {
        if self.record_at.is_none() {
            self.record_at = Some(self.recorded_at + every);
        }
    }
}

impl From<Result<Result<Value>, JoinError>> for Ended {
    fn from(ended: Result<Result<Value>, JoinError>) -> Self {
        match ended {
            Ok(returned) => Self::Returned(returned),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => Self::Panicked(words_of(panic.as_ref())),
                Err(_) => Self::CutOff,
            },
        }
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}

/// The event that tells of a run's end.
pub(super) fn finished(run: &Run) -> NewEvent {
    let payload = json!({
        "kind": run.kind, "name": run.name, "owner": run.owner, "state": run.state, "attempt": run.attempt,
    });
    NewEvent::new("run.finished", run.id.as_str(), payload)
}
