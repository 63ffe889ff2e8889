//! Runs: everything that executes, kept durably, limited, timed, retried, stopped, watched and remembered.
//!
//! A service starts a run with a body; the run is on disk before [`Runs::start`] returns, and its end and the event
//! `run.finished` are one transaction. What a dead process left unfinished is marked failed, or taken up again where its
//! kind can. This room must never know what a kind means.
//!
//! ```ignore
//! let new = NewRun { timeout: Some(Duration::from_secs(60)), ..NewRun::new(RunKind::new("crawl")?, "sales") };
//! let handle = runs.start(new, |run: RunContext| async move {
//!     for (done, object) in objects.iter().enumerate() {
//!         run.check()?;
//!         run.progress(done as u64, Some(objects.len() as u64), Unit::Files);
//!         run.count("rows", read(object).await?);
//!     }
//!     run.info("all read").await;
//!     Ok(json!({ "tables": 3 }))
//! }).await?;
//! let account = handle.wait().await?.result()?;
//! ```

mod context;
mod gate;
mod history;
mod nodes;
mod options;
mod pen;
mod recorder;
mod run;
mod supervisor;
mod tables;
mod verdict;
mod watch;

pub use context::{Counter, RunContext};
pub use options::{ConcurrencyLimit, NewRun, RunOptions, WhenFull};
pub use run::{LogLevel, LogLine, Run, RunQuery};
pub use watch::{RunHandle, RunWatch};

use crate::clock::Clock;
use crate::db::{self, Database};
use crate::events::Events;
use crate::trace::{self, TraceContext};
use crate::whole;
use chrono::{DateTime, Utc};
use context::{LOG_BACKLOG, Live, Meters};
use futures::future::BoxFuture;
use gate::Gate;
use model::{Error, ErrorKind, Outcome, Result, RunId, RunKind, RunState};
use options::span;
use pen::Pen;
use recorder::Recorder;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use supervisor::{Supervisor, Turn, finished};
use tables::Change;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The most log lines that one call reads.
const LONGEST_LOG: usize = 10_000;

type Body = Box<dyn FnMut(RunContext) -> BoxFuture<'static, Result<Value>> + Send>;
type Resumer = Arc<dyn Fn(RunContext) -> BoxFuture<'static, Result<Value>> + Send + Sync>;

/// The runs of this process, and the records of all. Cheap to clone.
#[derive(Clone)]
pub struct Runs {
    inner: Arc<Inner>,
}

struct Inner {
    db: Database,
    clock: Clock,
    events: Events,
    options: RunOptions,
    /// This process's name in the database, different at every start where there are several nodes.
    node: String,
    gate: Arc<Gate>,
    live: Mutex<HashMap<RunId, Arc<Live>>>,
    /// Runs of this process that are to stop and are on record, but not yet among the live ones. Locked within `live`.
    stopped_early: Mutex<HashSet<RunId>>,
    last_id: Mutex<(u64, u128)>,
    resumers: Mutex<HashMap<RunKind, Resumer>>,
    /// Runs taken over from a dead process that wait for their kind's resumer.
    orphans: Mutex<Vec<Run>>,
    tasks: TaskTracker,
    /// No more starts.
    closed: CancellationToken,
    /// No more patience.
    cutoff: CancellationToken,
    /// No more of this node.
    gone: CancellationToken,
    /// The task that watches the other nodes, where there may be some.
    watch: Mutex<Option<JoinHandle<()>>>,
}

/// A poisoned lock means that a panic passed by; what these locks guard is whole between any two statements.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runs {
    /// The runs over that database. Brings the tables up to date and deals with what a dead process left unfinished:
    /// runs of a kind in [`RunOptions::resumable`] wait for [`Runs::resumable`], the others are marked failed.
    pub async fn open(db: Database, clock: Clock, events: Events, options: RunOptions) -> Result<Self> {
        db.migrate("runs", tables::MIGRATIONS).await?;
        let node = if options.exclusive {
            options.node.clone()
        } else {
            format!("{}/{:08x}", options.node, random()? as u32)
        };
        let inner = Arc::new(Inner {
            gate: Gate::new(options.max_running),
            db,
            clock,
            events,
            options,
            node,
            live: Mutex::default(),
            stopped_early: Mutex::default(),
            last_id: Mutex::default(),
            resumers: Mutex::default(),
            orphans: Mutex::default(),
            tasks: TaskTracker::new(),
            closed: CancellationToken::new(),
            cutoff: CancellationToken::new(),
            gone: CancellationToken::new(),
            watch: Mutex::default(),
        });
        if inner.options.exclusive {
            nodes::recover_all(&inner).await?;
        } else {
            nodes::join(&inner).await?;
        }
        Ok(Self { inner })
    }

    /// Starts a run. It is on record when this returns, and goes on whether or not the handle is kept. The body is
    /// called once per attempt; it should return soon after [`RunContext::cancelled`]. The run belongs to what the
    /// caller's work belongs to ([`trace::current`]).
    pub async fn start<B, F>(&self, new: NewRun, mut body: B) -> Result<RunHandle>
    where
        B: FnMut(RunContext) -> F + Send + 'static,
        F: Future<Output = Result<Value>> + Send + 'static,
    {
        new.check()?;
        let body: Body = Box::new(move |context| Box::pin(body(context)));
        let inner = Arc::clone(&self.inner);
        // In a task of its own: a caller that goes away in the middle must not leave a record that nobody drives.
        let under = trace::current();
        let id = whole(async move { inner.start(new, under, body).await }).await?;
        Ok(self.handle(&id))
    }

    /// Registers the body that takes up a kind's unfinished runs after a crash or a restart, and takes up those that
    /// wait for it; gives how many. The kind must be among [`RunOptions::resumable`].
    pub async fn resumable<B, F>(&self, kind: RunKind, body: B) -> Result<usize>
    where
        B: Fn(RunContext) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value>> + Send + 'static,
    {
        if !self.inner.options.resumable.contains(&kind) {
            return Err(Error::internal(format!("the kind `{kind}` is not declared resumable")));
        }
        let resumer: Resumer = Arc::new(move |context| Box::pin(body(context)));
        lock(&self.inner.resumers).insert(kind.clone(), resumer);
        let mut count = 0;
        while let Some(run) = self.inner.take_orphan(&kind) {
            nodes::take_up(&self.inner, run).await?;
            count += 1;
        }
        Ok(count)
    }

    /// A handle on a run, whoever started it.
    pub fn handle(&self, id: &RunId) -> RunHandle {
        RunHandle::new(self.clone(), id.clone())
    }

    /// A run as it was last recorded.
    pub async fn get(&self, id: &RunId) -> Result<Run> {
        tables::get(&self.inner.db, id).await
    }

    /// Runs, newest first.
    pub async fn list(&self, query: &RunQuery) -> Result<Vec<Run>> {
        history::list(&self.inner.db, query).await
    }

    /// Asks a run to stop. One that waits is stopped at once; one that works is cancelled, gets a grace period and is
    /// then cut off. Gives the run as it then is; a run that has ended stays as it is.
    pub async fn stop(&self, id: &RunId) -> Result<Run> {
        let (inner, id) = (Arc::clone(&self.inner), id.clone());
        whole(async move { inner.stop(&id).await }).await
    }

    /// The lines of a run's log behind `after` (0 for the beginning), at most so many.
    pub async fn log(&self, id: &RunId, after: u64, limit: usize) -> Result<Vec<LogLine>> {
        let lines = tables::log(&self.inner.db, id, after, limit.min(LONGEST_LOG)).await?;
        if lines.is_empty() {
            // Tells an empty log from a wrong id.
            self.get(id).await?;
        }
        Ok(lines)
    }

    /// Watches a run: first as it is, then every recorded change up to its end.
    pub fn watch(&self, id: &RunId) -> RunWatch {
        RunWatch::new(self.clone(), id.clone())
    }

    /// Waits until a run's revision is past `since` or the time is up, and gives it as it then is: a long poll.
    pub async fn wait_change(&self, id: &RunId, since: u64, max_wait: Duration) -> Result<Run> {
        watch::wait_change(&self.inner, id, since, max_wait).await
    }

    /// Forgets runs that ended before that time, with their logs; gives how many.
    pub async fn delete_before(&self, time: DateTime<Utc>) -> Result<u64> {
        history::delete_before(&self.inner.db, time).await
    }

    /// Accepts no more runs, asks those at work to stop, and waits for them; after `limit` they are cut off. Resumable
    /// ones go back to waiting for the next start, the others are stopped. All that ended is on record on return.
    pub async fn shutdown(&self, limit: Duration) {
        let inner = &self.inner;
        inner.closed.cancel();
        let live: Vec<Arc<Live>> = lock(&inner.live).values().cloned().collect();
        for run in live {
            run.shutdown.store(true, Ordering::Release);
            run.stop.cancel();
        }
        inner.tasks.close();
        tokio::select! {
            () = inner.tasks.wait() => {}
            () = inner.clock.sleep(span(limit)) => {
                inner.cutoff.cancel();
                inner.tasks.wait().await;
            }
        }
        if !inner.options.exclusive {
            nodes::leave(inner).await;
        }
    }

    /// The span of a run that this process has in hand.
    pub fn trace_of(&self, id: &RunId) -> Option<TraceContext> {
        lock(&self.inner.live).get(id).map(|live| TraceContext::of_run(&live.latest.borrow()))
    }

    /// How many runs of this process wait for their turn.
    pub fn waiting(&self) -> usize {
        self.inner.gate.waiting()
    }
}

impl Inner {
    async fn start(self: Arc<Self>, new: NewRun, under: Option<TraceContext>, body: Body) -> Result<RunId> {
        if self.closed.is_cancelled() {
            return Err(shutting_down());
        }
        if let Some(id) = self.started_before(&new).await? {
            return Ok(id);
        }
        if self.gate.waiting() >= self.options.max_waiting {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("{} runs wait already; one more is refused", self.options.max_waiting),
            )
            .hint("wait for some to end, or raise the number of runs that work at once"));
        }
        let id = self.new_id()?;
        let mut pen = Pen::take(&self.db, &new).await?;
        let now = self.clock.now_millis();
        // A run that no limit can keep back and whose turn it is begins with its record.
        let pass = match (&new.concurrency, new.resident) {
            (Some(_), _) => None,
            (None, true) => Some(self.gate.beside()),
            (None, false) => self.gate.enter_now(),
        };
        let first = tables::First { id: &id, under, node: &self.node, begins: pass.is_some(), now };
        let inserted = tables::insert(pen.connection(), self.db.dialect(), &new, first).await;
        let run = match inserted {
            Ok(run) => run,
            Err(error) if error.kind() == ErrorKind::AlreadyExists && new.token.is_some() => {
                // The same token came to another node at the same time.
                drop(pen);
                return self.started_before(&new).await?.ok_or(error);
            }
            Err(error) => return Err(error),
        };
        pen.commit().await?;
        crashpoint::hit("runs.start.committed");
        let key = new.concurrency.map(|limit| (limit.key, limit.limit));
        let turn = Turn { pass, key, resident: new.resident };
        self.launch(run, body, new.retry_delay, turn);
        Ok(id)
    }

    /// The run that the same start made before, if it carries a token.
    async fn started_before(&self, new: &NewRun) -> Result<Option<RunId>> {
        let Some(token) = &new.token else { return Ok(None) };
        let Some(run) = tables::by_token(&self.db, &new.kind, token).await? else { return Ok(None) };
        if run.name == new.name && run.arguments == new.arguments {
            return Ok(Some(run.id));
        }
        Err(Error::already_exists(format!("the token `{token}` belongs to the run {}", run.id))
            .why("that run was started with another name or other arguments")
            .hint("use a new token for a new run"))
    }

    /// Hands a run of this node to its supervisor.
    fn launch(self: &Arc<Self>, run: Run, body: Body, retry_delay: Duration, turn: Turn) {
        let (log, said) = mpsc::channel(LOG_BACKLOG);
        let meters = Meters::default();
        meters.restore(&run.counters);
        let live = Arc::new(Live {
            id: run.id.clone(),
            clock: self.clock.clone(),
            stop: CancellationToken::new(),
            shutdown: AtomicBool::new(false),
            latest: tokio::sync::watch::Sender::new(run.clone()),
            meters,
            log,
            log_level: self.options.log_level,
        });
        {
            let mut all = lock(&self.live);
            all.insert(run.id.clone(), Arc::clone(&live));
            if lock(&self.stopped_early).remove(&run.id) {
                live.stop.cancel();
            }
        }
        if self.closed.is_cancelled() {
            // A shutdown that began meanwhile may have missed this one.
            live.shutdown.store(true, Ordering::Release);
            live.stop.cancel();
        }
        let recorder = Recorder::new(self.options.max_log_lines, &run);
        let body = Arc::new(Mutex::new(body));
        let supervisor =
            Supervisor { inner: Arc::clone(self), live, said, body, run, recorder, retry_delay, turn };
        self.tasks.spawn(supervisor.live());
    }

    async fn stop(self: Arc<Self>, id: &RunId) -> Result<Run> {
        let now = self.clock.now_millis();
        let mut tx = self.db.begin().await?;
        let outcome = Outcome::Diagnosis(Error::cancelled().diagnosis());
        let at_once =
            Change { outcome: Some(&outcome), only_from: Some(RunState::Waiting), ..Change::default() };
        let mut ticket = None;
        let mut run = tables::transition(&mut tx, id, RunState::Stopped, at_once, now).await?;
        if let Some(run) = &run {
            ticket = Some(self.events.publish_in(&mut tx, finished(run)).await?);
        } else {
            run = tables::transition(&mut tx, id, RunState::Stopping, Change::default(), now).await?;
        }
        db::commit(tx).await?;
        if let Some(ticket) = ticket {
            self.events.committed(ticket);
        }
        let live = {
            let all = lock(&self.live);
            let is_ours = |run: &Run| run.state == RunState::Stopping && run.node == self.node;
            if !all.contains_key(id) && run.as_ref().is_some_and(is_ours) {
                lock(&self.stopped_early).insert(id.clone());
            }
            all.get(id).cloned()
        };
        if let Some(live) = &live {
            live.stop.cancel();
        }
        lock(&self.orphans).retain(|orphan| orphan.id != *id);
        match run {
            Some(run) => {
                if let Some(live) = live {
                    live.recorded(run.clone());
                }
                Ok(run)
            }
            None => tables::get(&self.db, id).await,
        }
    }
    fn take_orphan(&self, kind: &RunKind) -> Option<Run> {
        let mut orphans = lock(&self.orphans);
        let at = orphans.iter().position(|run| run.kind == *kind)?;
        Some(orphans.remove(at))
    }

    /// Whether the run is left for the next start, since this process ends.
    fn is_left(&self, id: &RunId) -> bool {
        self.closed.is_cancelled() && !lock(&self.live).contains_key(id)
    }

    fn forget(&self, id: &RunId) {
        lock(&self.live).remove(id);
    }

    /// A new id; within a process ids rise even within a millisecond, so that lists keep the order of the starts.
    fn new_id(&self) -> Result<RunId> {
        let now = u64::try_from(self.clock.now_millis()).unwrap_or(0);
        let random = random()? >> 49;
        let mut last = lock(&self.last_id);
        *last = if now > last.0 { (now, random) } else { (last.0, last.1 + 1 + (random >> 40)) };
        Ok(RunId::from_parts(last.0, last.1))
    }
}

fn random() -> Result<u128> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::unavailable("the system gives no random numbers").source_is(e))?;
    Ok(u128::from_le_bytes(bytes))
}

fn shutting_down() -> Error {
    Error::unavailable("Glulam is shutting down and starts no more runs").hint("try again when it is up")
}
