//! One crawl from its beginning to its account: list, read, plan, apply, remember.

use crate::apply::{Applier, Policy, Presence, existing_tables, known_tables};
use crate::classify::Classifiers;
use crate::crawler::{Crawler, Recrawl, UpdateBehavior};
use crate::events::Inbox;
use crate::plan::{Rules, plan};
use crate::reach::Reach;
use crate::report::CrawlReport;
use crate::sampling::DEFAULT_FILES;
use crate::store::{Folders, Store};
use crate::survey::{Meter, Scope, Survey};
use catalog::Catalog;
use lake::Lake;
use model::{Diagnosis, EntityName, Error, ErrorKind, Place, Result};
use state::runs::RunContext;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// More folders with events than this are cheaper listed all at once.
const MANY_FOLDERS: usize = 1000;
/// Problems that are written into the run's log.
const LOGGED: usize = 100;

/// One crawl and what it works with.
#[derive(Clone)]
pub(crate) struct Crawl {
    pub(crate) crawler: Crawler,
    /// Whether the crawler is stored: then folders are remembered under its name.
    pub(crate) is_stored: bool,
    pub(crate) classifiers: Arc<Classifiers>,
    pub(crate) store: Store,
    pub(crate) lake: Lake,
    pub(crate) catalog: Catalog,
    pub(crate) inbox: Inbox,
}

/// How much this crawl looks at.
enum Extent {
    Everything,
    NewFolders(BTreeSet<String>),
    Folders(BTreeSet<String>),
}

impl Crawl {
    /// Crawls. The value is the account.
    pub(crate) async fn run(&self, context: RunContext) -> Result<serde_json::Value> {
        let mut report =
            CrawlReport { database: self.crawler.database.to_string(), ..CrawlReport::default() };
        let pending = self.pending().await?;
        let extent = self.extent(&pending).await?;
        let mut surveys = self.list(&extent, &context, &mut report).await?;
        crashpoint::hit("crawl.listed");
        self.read(&mut surveys, &context, &mut report).await?;
        crashpoint::hit("crawl.read");
        self.apply(&surveys, &extent, &context, &mut report).await?;
        crashpoint::hit("crawl.applied");
        if self.is_stored {
            let seen = surveys.iter().flat_map(Survey::folders).collect();
            self.store.finish(&self.crawler.name, &seen, &pending).await?;
        }
        context
            .info(format!("done: {} problems, {} files read", report.problems_total, report.files_read))
            .await;
        serde_json::to_value(&report).map_err(|e| Error::internal("cannot write the account").source_is(e))
    }

    /// Folders with events since the last crawl.
    async fn pending(&self) -> Result<BTreeSet<String>> {
        if !self.is_stored || self.crawler.recrawl != Recrawl::ByEvent {
            return Ok(BTreeSet::new());
        }
        self.inbox.collect(&self.crawler).await?;
        self.store.folders(&self.crawler.name, Folders::Pending).await
    }

    async fn extent(&self, pending: &BTreeSet<String>) -> Result<Extent> {
        if !self.is_stored || self.store.crawled(&self.crawler.name).await?.is_none() {
            return Ok(Extent::Everything);
        }
        Ok(match self.crawler.recrawl {
            Recrawl::Everything => Extent::Everything,
            Recrawl::NewFoldersOnly => {
                Extent::NewFolders(self.store.folders(&self.crawler.name, Folders::Seen).await?)
            }
            Recrawl::ByEvent if pending.len() > MANY_FOLDERS => Extent::Everything,
            Recrawl::ByEvent => Extent::Folders(pending.clone()),
        })
    }

    async fn list(
        &self,
        extent: &Extent,
        context: &RunContext,
        report: &mut CrawlReport,
    ) -> Result<Vec<Survey>> {
        let mut surveys = Vec::new();
        let mut missing = None;
        for target in &self.crawler.targets {
            context.check()?;
            context.info(format!("listing {target}")).await;
            let survey = match Reach::open(target, &self.lake).await {
                Ok(reach) => self.list_one(reach, extent, context).await,
                Err(error) => Err(error),
            };
            match survey {
                Ok(survey) => surveys.push(survey),
                // One missing target must not keep the others from being crawled.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let error = error.at_if_unknown(|| Place::object(target));
                    report.problem(error.diagnosis());
                    missing = missing.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if surveys.is_empty() => Err(error),
            _ => {
                for survey in &surveys {
                    count(survey, report);
                }
                Ok(surveys)
            }
        }
    }

    async fn list_one(&self, reach: Reach, extent: &Extent, context: &RunContext) -> Result<Survey> {
        let stop = context.cancelled();
        Ok(match extent {
            Extent::Everything => {
                let inventory = reach.list(&stop).await?;
                Survey::new(reach, inventory, Scope::All)
            }
            Extent::NewFolders(seen) => {
                let mut inventory = reach.list(&stop).await?;
                inventory.folders.retain(|folder, _| !seen.contains(&format!("{}{folder}", reach.root)));
                Survey::new(reach, inventory, Scope::New)
            }
            Extent::Folders(folders) => {
                let own: BTreeSet<String> =
                    folders.iter().filter_map(|folder| reach.relative(folder)).map(str::to_owned).collect();
                let inventory = reach.list_folders(&own, &stop).await?;
                Survey::new(reach, inventory, Scope::Folders(own))
            }
        })
    }

    async fn read(
        &self,
        surveys: &mut [Survey],
        context: &RunContext,
        report: &mut CrawlReport,
    ) -> Result<()> {
        let bytes = Arc::new(AtomicU64::new(0));
        let mut meter = Meter { context: context.clone(), bytes: Arc::clone(&bytes), done: 0, total: 0 };
        for survey in surveys.iter_mut() {
            let per_folder = survey
                .reach
                .sample_size
                .or(self.crawler.sample_size)
                .map_or(DEFAULT_FILES, |n| usize::try_from(n).unwrap_or(DEFAULT_FILES));
            survey
                .read(&self.classifiers, per_folder, self.crawler.grouping.combine_compatible, &mut meter)
                .await?;
        }
        report.files_read = meter.done;
        report.bytes_read = bytes.load(Ordering::Relaxed);
        context.count("bytes_read", report.bytes_read);
        Ok(())
    }

    async fn apply(
        &self,
        surveys: &[Survey],
        extent: &Extent,
        context: &RunContext,
        report: &mut CrawlReport,
    ) -> Result<()> {
        let database = &self.crawler.database;
        let rules = Rules {
            combine_compatible: self.crawler.grouping.combine_compatible,
            table_level: self.crawler.grouping.table_level,
            known_tables: known_tables(&existing_tables(&self.catalog, database).await?),
        };
        let mut tables = Vec::new();
        let mut locations = BTreeSet::new();
        for survey in surveys {
            let found = plan(&survey.known(), &rules);
            for problem in found.problems {
                self.say(context, problem, report).await;
            }
            for table in &found.tables {
                for note in &table.found.notes {
                    let named = note.starts_with(&table.location);
                    report.note(if named { note.clone() } else { format!("{}: {note}", table.location) });
                }
            }
            found.notes.into_iter().for_each(|note| report.note(note));
            tables.extend(found.tables.into_iter().filter(|table| locations.insert(table.location.clone())));
        }
        if !tables.is_empty() {
            self.make_database(database).await?;
        }
        let partial = !matches!(extent, Extent::Everything);
        // Glue's rule: a crawl of new folders only adds partitions and tables.
        let update = match extent {
            Extent::NewFolders(_)
                if self.crawler.schema_change.update == UpdateBehavior::UpdateInDatabase =>
            {
                UpdateBehavior::AddNewColumnsOnly
            }
            _ => self.crawler.schema_change.update,
        };
        let presence = |location: &str| {
            surveys
                .iter()
                .map(|survey| survey.presence(location))
                .find(|presence| *presence != Presence::Unknown)
                .unwrap_or(Presence::Unknown)
        };
        let applier = Applier {
            catalog: &self.catalog,
            database,
            prefix: &self.crawler.table_prefix,
            policy: Policy {
                crawler: self.crawler.name.clone(),
                update,
                partial,
                partitions_inherit: self.crawler.partitions_inherit,
            },
            delete: self.crawler.schema_change.delete,
            context,
            presence: &presence,
        };
        applier.apply(&tables, report).await
    }

    async fn say(&self, context: &RunContext, problem: Diagnosis, report: &mut CrawlReport) {
        if report.problems.len() < LOGGED {
            let place =
                problem.place.as_ref().map(|place| format!("{}: ", place.short())).unwrap_or_default();
            context.warn(format!("{place}{}", problem.what)).await;
        }
        context.count("problems", 1);
        report.problem(problem);
    }

    async fn make_database(&self, name: &EntityName) -> Result<()> {
        match self.catalog.get_database(name).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
        match self.catalog.create_database(catalog::Database::new(name.clone())).await {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }
}

fn count(survey: &Survey, report: &mut CrawlReport) {
    let inventory = &survey.inventory;
    report.files += inventory.files;
    report.bytes += inventory.bytes;
    report.excluded += inventory.excluded;
    if survey.scope == Scope::All && inventory.files + inventory.empty == 0 {
        let mut error = Error::not_found("there are no data objects under the target")
            .at(Place::object(&survey.reach.root))
            .hint("check the address; folders are written with a slash at the end");
        if inventory.hidden + inventory.excluded > 0 {
            error = error.why(format!(
                "{} objects are hidden (their names begin with `_` or `.`), {} are excluded by patterns",
                inventory.hidden, inventory.excluded
            ));
        }
        report.problem(error.diagnosis());
    }
}
