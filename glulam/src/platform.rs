//! The rooms, opened in order over one data directory, and closed in the reverse.

use crate::entrance::ScriptEntrance;
use crate::settings;
use apps::{Applications, ApplicationsRooms};
use catalog::Catalog;
use chrono::Duration;
use crawl::Crawlers;
use delivery::{Deliveries, DeliveriesRooms};
use engine::Engine;
use jobs::{Jobs, JobsRooms, ScriptDoor};
use lake::Lake;
use model::{Error, Result};
use state::events::Events;
use state::runs::{RunOptions, Runs};
use state::{Clock, Config, DataDir, Database};
use std::sync::Arc;
use streams::{Limits, LocalLog, LocalOptions, Log};

/// Everything a command or a door may need.
pub(crate) struct Platform {
    pub(crate) clock: Clock,
    pub(crate) lake: Lake,
    pub(crate) catalog: Catalog,
    pub(crate) crawlers: Crawlers,
    pub(crate) engine: Engine,
    pub(crate) jobs: Jobs,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) apps: Applications,
    pub(crate) deliveries: Deliveries,
    pub(crate) runs: Runs,
    pub(crate) events: Events,
    pub(crate) database: Database,
    pub(crate) entrance: Arc<ScriptEntrance>,
    records: LocalLog,
    data: DataDir,
}

impl Platform {
    /// Opens all rooms; each repairs what a crash has left in it.
    pub(crate) async fn open(config: &Config, data: DataDir) -> Result<Self> {
        let clock = Clock::system();
        let database = match config.text("state.url") {
            Some(url) => Database::open(url).await?,
            None => Database::sqlite(&data.root().join("state.db")).await?,
        };
        let lake = Lake::open(settings::lake(config, data.root())?).await?;
        let exclusive = config.text("state.url").is_none();
        let events = if exclusive {
            Events::open_alone(database.clone(), clock.clone()).await?
        } else {
            Events::open(database.clone(), clock.clone()).await?
        };
        let options = RunOptions {
            node: node_name(),
            max_running: usize::try_from(config.count("runs.max_running")).unwrap_or(8),
            exclusive,
            ..RunOptions::default()
        };
        let runs = Runs::open(database.clone(), clock.clone(), events.clone(), options).await?;
        let catalog = Catalog::open(database.clone(), clock.clone()).await?;
        let crawlers = Crawlers::open(
            database.clone(),
            clock.clone(),
            lake.clone(),
            catalog.clone(),
            runs.clone(),
            events.clone(),
        )
        .await?;
        let engine = Engine::open(
            database.clone(),
            catalog.clone(),
            lake.clone(),
            Some(runs.clone()),
            clock.clone(),
            settings::engine(config, data.root())?,
        )
        .await?;
        let rooms = JobsRooms {
            database: database.clone(),
            clock: clock.clone(),
            lake: lake.clone(),
            engine: engine.clone(),
            runs: runs.clone(),
            events: events.clone(),
            python: python::Python::new(settings::python(config, data.root())),
        };
        let jobs = Jobs::open(rooms, settings::prices(config)?).await?;
        let records = open_log(config, &data, &database, &clock).await?;
        let log: Arc<dyn Log> = Arc::new(records.clone());
        let rooms = DeliveriesRooms {
            database: database.clone(),
            clock: clock.clone(),
            lake: lake.clone(),
            catalog: catalog.clone(),
            runs: runs.clone(),
            events: events.clone(),
            log: Arc::clone(&log),
        };
        let deliveries = Deliveries::open(rooms).await?;
        crate::system::register(&engine, &log, &jobs, &lake);
        let rooms = ApplicationsRooms {
            database: database.clone(),
            clock: clock.clone(),
            lake: lake.clone(),
            catalog: catalog.clone(),
            engine: engine.clone(),
            runs: runs.clone(),
            log: Arc::clone(&log),
            folder: data.root().join("applications"),
        };
        let apps = Applications::open(rooms).await?;
        let rooms = aws::Rooms {
            lake: lake.clone(),
            catalog: catalog.clone(),
            crawlers: crawlers.clone(),
            engine: engine.clone(),
            jobs: jobs.clone(),
            log: Arc::clone(&log),
            apps: apps.clone(),
            deliveries: deliveries.clone(),
            runs: runs.clone(),
            database: database.clone(),
            events: events.clone(),
            clock: clock.clone(),
        };
        let entrance = Arc::new(ScriptEntrance::new(rooms, settings::account(config)?, config)?);
        let door: Arc<dyn ScriptDoor> = entrance.clone();
        jobs.set_door(Arc::downgrade(&door));
        let platform = Self {
            entrance,
            clock,
            lake,
            catalog,
            crawlers,
            engine,
            jobs,
            log,
            apps,
            deliveries,
            runs,
            events,
            records,
            database,
            data,
        };
        platform.tidy(config).await?;
        Ok(platform)
    }

    /// Forgets what is older than the configuration wants to keep.
    async fn tidy(&self, config: &Config) -> Result<()> {
        let days = i64::try_from(config.count("runs.keep_days")).unwrap_or(90);
        self.runs.delete_before(self.clock.now() - Duration::days(days)).await?;
        self.lake.sweep(self.clock.now() - Duration::days(1)).await?;
        self.engine.forget_results(self.clock.now() - Duration::days(days.min(7))).await;
        Ok(())
    }

    /// The directory this platform owns.
    pub(crate) fn data(&self) -> &DataDir {
        &self.data
    }

    /// Ends runs; no more are started.
    pub(crate) async fn end_runs(&self) {
        self.runs.shutdown(std::time::Duration::from_secs(15)).await;
    }

    /// Ends runs and closes the database.
    pub(crate) async fn close(&self) {
        self.end_runs().await;
        self.entrance.close().await;
        self.records.close().await;
        self.database.close().await;
    }
}

/// The log of streams. What a crash has left is repaired; what is damaged is told.
async fn open_log(config: &Config, data: &DataDir, database: &Database, clock: &Clock) -> Result<LocalLog> {
    let account = model::AccountId::new(config.text("aws.account").unwrap_or_default())
        .map_err(|error| error.context("aws.account"))?;
    let region = config.text("aws.region").unwrap_or("us-east-1").parse();
    let mut options = LocalOptions::new(account, region.map_err(|error: Error| error.context("aws.region"))?);
    if config.switch("streams.limits") == Some(true) {
        options.limits = Some(Limits::default());
        options.iterator_age = Some(Duration::minutes(5));
    }
    let log = LocalLog::open(&data.root().join("streams"), database.clone(), clock.clone(), options).await?;
    for damage in &log.recovered().damages {
        tracing::error!(stream = damage.stream, path = %damage.path.display(), "records are damaged: {}", damage.what);
    }
    Ok(log)
}

/// The process among others that use the same database.
pub(crate) fn node_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}:{}", if host.trim().is_empty() { "local" } else { host.trim() }, std::process::id())
}

/// Splits `database.table`.
pub(crate) fn table_name(text: &str) -> Result<(model::EntityName, model::EntityName)> {
    let clean = text.replace(['`', '"'], "");
    match clean.split_once('.') {
        Some((database, table)) => Ok((model::EntityName::new(database)?, model::EntityName::new(table)?)),
        None => Err(Error::invalid(format!("`{text}` names no table"))
            .hint("write DATABASE.TABLE; `glulam tables` lists them")),
    }
}
