//! The entrance: applications kept by name, checked, explained, started, stopped, and their snapshots.

use crate::flow::compile::Compiler;
use crate::flow::drawn::{self, FlowStep};
use crate::flow::options::{Connector, MAX_TASKS};
use crate::flow::resolve::{Resolved, resolve};
use crate::run::settle::recover;
use crate::store::{Store, StoredApplication};
use catalog::Catalog;
use chrono::{DateTime, Utc};
use engine::Engine;
use lake::Lake;
use model::{Error, LakeUri, Result, RunId, RunKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sql::Source;
use state::runs::{ConcurrencyLimit, NewRun, RunHandle, Runs, WhenFull};
use state::{Clock, Database};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use streams::Log;
use tokio::sync::{Notify, oneshot};

/// The rooms that applications stand on.
#[derive(Clone)]
pub struct ApplicationsRooms {
    /// The state database.
    pub database: Database,
    /// The clock.
    pub clock: Clock,
    /// The lake.
    pub lake: Lake,
    /// The catalog.
    pub catalog: Catalog,
    /// The engine.
    pub engine: Engine,
    /// The runs.
    pub runs: Runs,
    /// The streams.
    pub log: Arc<dyn Log>,
    /// Where state is kept: a folder of this machine's disk.
    pub folder: PathBuf,
}

/// Applications. Cheap to clone.
#[derive(Clone)]
pub struct Applications {
    pub(crate) rooms: ApplicationsRooms,
    pub(crate) store: Store,
    pub(crate) working: Arc<Mutex<BTreeMap<String, Arc<Control>>>>,
}

/// What an application is going through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationStatus {
    /// It does not run.
    Ready,
    /// It runs.
    Running,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// What its script's file was called.
    pub source_name: String,
    /// The script.
    pub script: String,
    /// Counts the changes of the script, from 1.
    pub version: u64,
    /// What it is going through.
    pub status: ApplicationStatus,
    /// Its latest run.
    pub run: Option<RunId>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

/// Kept state of an application, under a name of its own or as its latest checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name; empty for a checkpoint.
    pub name: String,
    /// Its number.
    pub number: u64,
    /// When it was taken.
    pub taken: DateTime<Utc>,
    /// What was counted until then.
    pub counters: BTreeMap<String, u64>,
}

/// What an application begins with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartFrom {
    /// Its latest checkpoint, or else where its tables say.
    #[default]
    Latest,
    /// Where its tables say. What it had is forgotten.
    Beginning,
    /// A snapshot.
    Snapshot(String),
}

/// How an application is started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StartOptions {
    /// What it begins with.
    pub from: StartFrom,
    /// How many tasks work side by side; what the script says if nothing.
    pub tasks: Option<usize>,
    /// It ends by itself once everything is read: all windows close then.
    pub until_caught_up: bool,
    /// It may begin although some of its state fits nothing in the script any more: that part is forgotten.
    #[serde(default)]
    pub allow_non_restored_state: bool,
}

/// Something that an application reads or writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// It reads that stream.
    ReadsStream(String),
    /// It puts records into that stream.
    WritesStream(String),
    /// It writes files below that folder.
    WritesFiles(LakeUri),
    /// It writes files of a table of the catalog.
    WritesTable {
        /// The table's database.
        database: String,
        /// The table.
        table: String,
        /// Its folder.
        location: LakeUri,
    },
}

/// How an application is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopping {
    /// It goes on from there when it is started again.
    Checkpoint,
    /// All windows close first. Later events of theirs will be late.
    Drain,
}

/// What a working application is asked for.
pub(crate) enum Ask {
    /// A snapshot under that name.
    Snapshot(String, oneshot::Sender<Result<u64>>),
    /// To close all windows and end.
    Drain,
}

/// The way to a working application.
#[derive(Default)]
pub(crate) struct Control {
    asks: Mutex<VecDeque<Ask>>,
    notify: Notify,
}

impl Control {
    pub(crate) fn take(&self) -> Option<Ask> {
        lock(&self.asks).pop_front()
    }

    /// Returns when there is something to take.
    pub(crate) async fn asked(&self) {
        let notified = self.notify.notified();
        if lock(&self.asks).is_empty() {
            notified.await;
        }
    }

    fn ask(&self, ask: Ask) {
        lock(&self.asks).push_back(ask);
        self.notify.notify_one();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The kind of their runs.
pub(crate) const KIND: &str = "stream";

impl Applications {
    /// The applications of these rooms. None begins to run by itself; see [`Applications::resume`].
    pub async fn open(rooms: ApplicationsRooms) -> Result<Self> {
        let store = Store::open(rooms.database.clone()).await?;
        Ok(Self { rooms, store, working: Arc::default() })
    }

    /// All mistakes of a script, with what the catalog says.
    pub async fn check(&self, script: &str, source_name: &str) -> Vec<Error> {
        resolve(Source::new(source_name, script), &self.rooms.catalog).await.1
    }

    /// The dataflow of a script, as text.
    pub async fn explain(&self, script: &str, source_name: &str) -> Result<String> {
        let resolved = self.resolved(script, source_name).await?;
        let names: Vec<String> = resolved.tables.iter().map(|t| t.name.clone()).collect();
        let mut lines = Vec::new();
        for insert in &resolved.inserts {
            let target = &insert.target;
            lines.push(format!("insert into {} ({})", target.name, drawn::place(target)));
            let node = Compiler::new(resolved.late.is_some()).compile(&insert.plan)?;
            node.describe(&names, 1, &mut lines);
        }
        for table in resolved.tables.iter() {
            if let (Connector::Kinesis { stream, start }, Some(time)) = (&table.options.connector, table.time)
            {
                let time = table.columns.get(time).map_or("", |c| c.name.as_str());
                lines
                    .push(format!("table {}: stream {stream} from {start:?}, event time {time}", table.name));
            }
        }
        let settings = &resolved.settings;
        lines.push(format!(
            "checkpoints every {}, {} task(s), allowed lateness {}, late events {}",
            crate::script::window::length(settings.checkpoint_millis),
            settings.tasks,
            crate::script::window::length(settings.lateness_millis),
            resolved.late.as_ref().map_or("are counted".to_owned(), |late| format!("go to {}", late.name)),
        ));
        Ok(lines.join("\n"))
    }

    /// The dataflow of a script, step by step.
    pub async fn flow(&self, script: &str, source_name: &str) -> Result<Vec<FlowStep>> {
        drawn::steps(&self.resolved(script, source_name).await?)
    }

    /// What an application of that script reads and writes.
    pub async fn touches(&self, script: &str, source_name: &str) -> Result<Vec<Touched>> {
        let resolved = self.resolved(script, source_name).await?;
        let mut all = BTreeSet::new();
        for insert in &resolved.inserts {
            for table in Compiler::new(resolved.late.is_some()).compile(&insert.plan)?.sources() {
                if let Some(Connector::Kinesis { stream, .. }) =
                    resolved.tables.get(table).map(|table| &table.options.connector)
                {
                    all.insert(Touched::ReadsStream(stream.clone()));
                }
            }
        }
        for target in resolved.inserts.iter().map(|insert| &insert.target).chain(&resolved.late) {
            all.extend(match (&target.options.connector, &target.entry) {
                (Connector::Kinesis { stream, .. }, _) => Some(Touched::WritesStream(stream.clone())),
                (Connector::Files { path }, _) => Some(Touched::WritesFiles(path.clone())),
                (Connector::Catalog { database, table }, Some(entry)) => Some(Touched::WritesTable {
                    database: database.clone(),
                    table: table.clone(),
                    location: engine::table_files(entry)?.location,
                }),
                (Connector::Catalog { .. }, None) | (Connector::Print, _) => None,
            });
        }
        Ok(all.into_iter().collect())
    }

    async fn resolved(&self, script: &str, source_name: &str) -> Result<Resolved> {
        let (resolved, errors) = resolve(Source::new(source_name, script), &self.rooms.catalog).await;
        match errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(resolved),
        }
    }

    /// Makes an application. Its script has no mistakes. `AlreadyExists` if there is one of that name.
    pub async fn create(&self, name: &str, script: &str, source_name: &str) -> Result<()> {
        self.resolved(script, source_name).await?;
        match self.store.create(name, source_name, script, self.rooms.clock.now_millis()).await? {
            true => Ok(()),
            false => Err(Error::already_exists(format!("the application `{name}` exists already"))),
        }
    }

    /// Changes the script that stands at that version. Answers whether it stood there.
    pub async fn change(&self, name: &str, version: u64, script: &str, source_name: &str) -> Result<bool> {
        self.resolved(script, source_name).await?;
        self.store.change((name, version), source_name, script, self.rooms.clock.now_millis()).await
    }

    /// Keeps an application, or changes the one of that name. Its script has no mistakes. Answers whether it is new.
    pub async fn put(&self, name: &str, script: &str, source_name: &str) -> Result<bool> {
        self.resolved(script, source_name).await?;
        self.store.put(name, source_name, script, None, self.rooms.clock.now_millis()).await
    }

    /// The same in the place of a script that was seen before: refused where that is no longer what is kept.
    pub async fn replace(&self, name: &str, script: &str, source_name: &str, seen: &str) -> Result<bool> {
        self.resolved(script, source_name).await?;
        self.store.put(name, source_name, script, Some(seen), self.rooms.clock.now_millis()).await
    }

    /// An application.
    pub async fn get(&self, name: &str) -> Result<Application> {
        let stored = self.store.get(name).await?;
        self.described(stored).await
    }

    /// All applications by name.
    pub async fn list(&self) -> Result<Vec<Application>> {
        let mut all = Vec::new();
        for stored in self.store.list().await? {
            all.push(self.described(stored).await?);
        }
        Ok(all)
    }

    async fn described(&self, stored: StoredApplication) -> Result<Application> {
        let run: Option<RunId> = stored.run.parse().ok();
        let mut status = ApplicationStatus::Ready;
        if let Some(run) = &run
            && self.rooms.runs.get(run).await.is_ok_and(|r| !r.state.is_final())
        {
            status = ApplicationStatus::Running;
        }
        let StoredApplication { name, source_name, script, version, created, modified, .. } = stored;
        Ok(Application { name, source_name, script, version, status, run, created, modified })
    }

    /// Deletes an application that does not run, with all of its state. What it has written stays.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let application = self.get(name).await?;
        if application.status == ApplicationStatus::Running {
            return Err(Error::conflict(format!("the application `{name}` runs")).hint("stop it first"));
        }
        recover(&self.rooms, &self.store, name).await?;
        self.store.delete(name).await?;
        match tokio::fs::remove_dir_all(self.rooms.folder.join(name)).await {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::unavailable(format!("the state of `{name}` cannot be removed")).source_is(e))
            }
            _ => Ok(()),
        }
    }

    /// Starts an application. It goes on until it is stopped.
    pub async fn start(&self, name: &str, options: StartOptions) -> Result<RunHandle> {
        let stored = self.store.get(name).await?;
        let resolved = self.resolved(&stored.script, &stored.source_name).await?;
        let tasks = options.tasks.unwrap_or(resolved.settings.tasks);
        if !(1..=MAX_TASKS).contains(&tasks) {
            return Err(Error::invalid(format!("an application has 1 to {MAX_TASKS} tasks, not {tasks}")));
        }
        if let StartFrom::Snapshot(label) = &options.from {
            self.snapshot_of(name, label).await?;
        }
        let new = NewRun {
            arguments: json!({ "tasks": tasks }),
            concurrency: Some(ConcurrencyLimit {
                key: format!("application/{name}"),
                limit: 1,
                when_full: WhenFull::Refuse,
            }),
            ..NewRun::new(RunKind::new(KIND)?, name)
        };
        let (this, resolved) = (self.clone(), Arc::new(resolved));
        let (owned, chosen) = (name.to_owned(), options.tasks.unwrap_or(0));
        // Noted before it begins, so that nobody who dies in between forgets it. One that ends by itself is not taken up
        // again: it would go on without end.
        let goes_on = !options.until_caught_up;
        self.store.want(name, goes_on, chosen).await?;
        let started = self
            .rooms
            .runs
            .start(new, move |run| {
                let (this, resolved, name, options) =
                    (this.clone(), Arc::clone(&resolved), owned.clone(), options.clone());
                async move { this.drive(&name, &resolved, tasks, options, run).await }
            })
            .await;
        match started {
            Ok(handle) => {
                self.store.note_run(name, handle.id().as_str()).await?;
                Ok(handle)
            }
            Err(error) => {
                self.store.want(name, stored.wanted, stored.tasks).await?;
                Err(error)
            }
        }
    }

    /// Starts what was running when the process before ended without being told to stop it. Answers their names, and
    /// what kept others from starting.
    pub async fn resume(&self) -> Result<Vec<(String, Result<RunHandle>)>> {
        let mut all = Vec::new();
        for stored in self.store.list().await?.into_iter().filter(|a| a.wanted) {
            let tasks = Some(stored.tasks).filter(|t| *t > 0);
            let started = self.start(&stored.name, StartOptions { tasks, ..StartOptions::default() }).await;
            all.push((stored.name, started));
        }
        Ok(all)
    }

    pub(crate) async fn snapshot_of(&self, name: &str, label: &str) -> Result<crate::store::Checkpoint> {
        let all = self.store.checkpoints(name).await?;
        let labels: Vec<String> = all.iter().map(|c| c.label.clone()).filter(|l| !l.is_empty()).collect();
        all.into_iter().find(|c| c.label == label && c.settled).ok_or_else(|| {
            Error::not_found(format!("the application `{name}` has no snapshot `{label}`"))
                .hint(model::nearest_hint(label, labels.iter().map(String::as_str)))
        })
    }

    fn control(&self, name: &str) -> Result<Arc<Control>> {
        lock(&self.working).get(name).cloned().ok_or_else(|| {
            Error::new(
                model::ErrorKind::PreconditionFailed,
                format!("the application `{name}` does not run here"),
            )
            .hint(format!("start it: glulam stream run {name}"))
        })
    }

    /// Stops an application, and waits until it has ended.
    pub async fn stop(&self, name: &str, how: Stopping) -> Result<()> {
        let application = self.get(name).await?;
        let Some(run) = application.run.filter(|_| application.status == ApplicationStatus::Running) else {
            self.store.want(name, false, 0).await?;
            return Ok(());
        };
        self.store.want(name, false, 0).await?;
        match how {
            Stopping::Checkpoint => drop(self.rooms.runs.stop(&run).await?),
            Stopping::Drain => self.control(name)?.ask(Ask::Drain),
        }
        let ended = self.rooms.runs.handle(&run).wait().await?;
        match ended.state {
            model::RunState::Failed | model::RunState::TimedOut => ended.result().map(drop),
            _ => Ok(()),
        }
    }

    /// Keeps the state of a running application under a name.
    pub async fn snapshot(&self, name: &str, label: &str) -> Result<Snapshot> {
        if label.is_empty() || label.len() > 256 {
            return Err(Error::invalid("a snapshot's name has 1 to 256 characters"));
        }
        if self.store.checkpoints(name).await?.iter().any(|c| c.label == label) {
            return Err(Error::already_exists(format!("`{name}` has a snapshot `{label}` already")));
        }
        let (reply, answer) = oneshot::channel();
        self.control(name)?.ask(Ask::Snapshot(label.to_owned(), reply));
        answer
            .await
            .map_err(|_| Error::conflict(format!("`{name}` ended before its snapshot was taken")))??;
        let all = self.snapshots(name).await?;
        all.into_iter().find(|s| s.name == label).ok_or_else(|| Error::internal("a snapshot got lost"))
    }

    /// An application's snapshots and latest checkpoints, the latest first.
    pub async fn snapshots(&self, name: &str) -> Result<Vec<Snapshot>> {
        let all = self.store.checkpoints(name).await?.into_iter().filter(|c| c.settled);
        Ok(all
            .map(|c| Snapshot { name: c.label, number: c.number, taken: c.taken, counters: c.kept.counters })
            .collect())
    }

    /// Deletes a snapshot.
    pub async fn delete_snapshot(&self, name: &str, label: &str) -> Result<()> {
        let found = self.snapshot_of(name, label).await?;
        // Its state may be the newest there is: it goes when checkpoints behind it make it old.
        self.store.unlabel(name, found.number).await
    }
}
