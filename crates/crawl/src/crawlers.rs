//! The service: definitions of crawlers and classifiers, and the runs that crawl.

use crate::classify::{Classifiers, CustomClassifier};
use crate::crawl::Crawl;
use crate::crawler::{Crawler, Grouping, Recrawl, SchemaChangePolicy, Target, check_name};
use crate::events::Inbox;
use crate::store::{Store, Stored};
use catalog::Catalog;
use lake::Lake;
use model::{EntityName, Error, Result, RunKind, nearest_hint};
use serde::{Deserialize, Serialize};
use state::runs::{ConcurrencyLimit, WhenFull};
use state::{Clock, Database, Events, NewRun, RunHandle, Runs};
use std::sync::Arc;

/// The kind of a crawl's run.
pub const RUN_KIND: &str = "crawl";
/// What tables are marked with that a crawl without a stored crawler made.
pub const ONCE: &str = "glulam crawl";

/// The crawlers. Cheap to clone.
#[derive(Clone)]
pub struct Crawlers {
    store: Store,
    lake: Lake,
    catalog: Catalog,
    runs: Runs,
    inbox: Inbox,
}

/// A crawl without a stored crawler.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CrawlSpec {
    /// What it looks at.
    pub targets: Vec<Target>,
    /// The database its tables go to.
    pub database: EntityName,
    /// Put before every table's name.
    #[serde(default)]
    pub table_prefix: String,
    /// Custom classifiers, tried in this order before the built-in ones.
    #[serde(default)]
    pub classifiers: Vec<CustomClassifier>,
    /// What happens to tables whose data changed.
    #[serde(default)]
    pub schema_change: SchemaChangePolicy,
    /// How folders become tables.
    #[serde(default)]
    pub grouping: Grouping,
    /// How many files of a leaf folder are read.
    #[serde(default)]
    pub sample_size: Option<u32>,
}

impl CrawlSpec {
    /// A crawl of these targets with everything else as usual.
    pub fn new(database: EntityName, targets: Vec<Target>) -> Self {
        Self {
            targets,
            database,
            table_prefix: String::new(),
            classifiers: Vec::new(),
            schema_change: SchemaChangePolicy::default(),
            grouping: Grouping::default(),
            sample_size: None,
        }
    }
}

impl Crawlers {
    /// Brings the tables up to date.
    pub async fn open(
        db: Database,
        clock: Clock,
        lake: Lake,
        catalog: Catalog,
        runs: Runs,
        events: Events,
    ) -> Result<Self> {
        let store = Store::open(db, clock).await?;
        let inbox = Inbox { events, store: store.clone() };
        Ok(Self { store, lake, catalog, runs, inbox })
    }

    /// Stores a new crawler.
    pub async fn create_crawler(&self, crawler: Crawler) -> Result<Stored<Crawler>> {
        self.check(&crawler).await?;
        let stored = self.store.create(crawler).await?;
        self.inbox.follow(&stored.definition).await?;
        Ok(stored)
    }

    /// A crawler by its name.
    pub async fn get_crawler(&self, name: &str) -> Result<Stored<Crawler>> {
        self.store.get(name).await
    }

    /// All crawlers in the order of their names.
    pub async fn list_crawlers(&self) -> Result<Vec<Stored<Crawler>>> {
        self.store.list().await
    }

    /// Replaces a crawler's definition; `Conflict` when it is not at the expected version. A crawl that is under way
    /// goes on with the old one.
    pub async fn update_crawler(&self, crawler: Crawler, expected: Option<i64>) -> Result<Stored<Crawler>> {
        self.check(&crawler).await?;
        let stored = self.store.update(crawler, expected).await?;
        self.inbox.follow(&stored.definition).await?;
        Ok(stored)
    }

    /// Removes a crawler. Its tables stay.
    pub async fn delete_crawler(&self, name: &str) -> Result<()> {
        self.store.delete::<Crawler>(name).await?;
        self.inbox.leave(name).await
    }

    /// Stores a new custom classifier.
    pub async fn create_classifier(&self, classifier: CustomClassifier) -> Result<Stored<CustomClassifier>> {
        check_name("classifier", classifier.name())?;
        classifier.validate()?;
        self.store.create(classifier).await
    }

    /// A classifier by its name.
    pub async fn get_classifier(&self, name: &str) -> Result<Stored<CustomClassifier>> {
        self.store.get(name).await
    }

    /// All custom classifiers in the order of their names.
    pub async fn list_classifiers(&self) -> Result<Vec<Stored<CustomClassifier>>> {
        self.store.list().await
    }

    /// Replaces a classifier; `Conflict` when it is not at the expected version.
    pub async fn update_classifier(
        &self,
        classifier: CustomClassifier,
        expected: Option<i64>,
    ) -> Result<Stored<CustomClassifier>> {
        check_name("classifier", classifier.name())?;
        classifier.validate()?;
        self.store.update(classifier, expected).await
    }

    /// Removes a classifier, unless a crawler uses it.
    pub async fn delete_classifier(&self, name: &str) -> Result<()> {
        let users: Vec<String> = self
            .list_crawlers()
            .await?
            .into_iter()
            .filter(|crawler| crawler.definition.classifiers.iter().any(|used| used == name))
            .map(|crawler| format!("`{}`", crawler.definition.name))
            .collect();
        if !users.is_empty() {
            return Err(Error::conflict(format!("classifier `{name}` is in use"))
                .why(format!("used by {}", users.join(", ")))
                .hint("take it out of these crawlers first"));
        }
        self.store.delete::<CustomClassifier>(name).await
    }

    /// Starts a crawl of a stored crawler. Refused while one is under way.
    pub async fn start(&self, name: &str) -> Result<RunHandle> {
        let crawler = self.get_crawler(name).await?.definition;
        let mut custom = Vec::new();
        for classifier in &crawler.classifiers {
            custom.push(self.get_classifier(classifier).await?.definition);
        }
        let arguments = serde_json::json!({ "crawler": crawler.name, "database": crawler.database });
        self.launch(crawler, custom, true, name, format!("crawl/{name}"), arguments).await
    }

    /// Starts a crawl that nobody defined before.
    pub async fn crawl_once(&self, spec: CrawlSpec) -> Result<RunHandle> {
        let arguments = serde_json::to_value(&spec)
            .map_err(|e| Error::internal("cannot write the crawl's arguments").source_is(e))?;
        let mut crawler = Crawler::new(ONCE, spec.database, spec.targets);
        crawler.table_prefix = spec.table_prefix;
        crawler.schema_change = spec.schema_change;
        crawler.grouping = spec.grouping;
        crawler.sample_size = spec.sample_size;
        crawler.recrawl = Recrawl::Everything;
        crawler.check()?;
        let name = crawler.targets.first().map(ToString::to_string).unwrap_or_default();
        let key = format!("crawl-once/{}", crawler.database);
        self.launch(crawler, spec.classifiers, false, &name, key, arguments).await
    }

    async fn launch(
        &self,
        crawler: Crawler,
        custom: Vec<CustomClassifier>,
        is_stored: bool,
        name: &str,
        key: String,
        arguments: serde_json::Value,
    ) -> Result<RunHandle> {
        let mut new = NewRun::new(RunKind::new(RUN_KIND)?, name);
        new.arguments = arguments;
        new.concurrency = Some(ConcurrencyLimit { key, limit: 1, when_full: WhenFull::Refuse });
        let crawl = Crawl {
            crawler,
            is_stored,
            classifiers: Arc::new(Classifiers::new(custom)?),
            store: self.store.clone(),
            lake: self.lake.clone(),
            catalog: self.catalog.clone(),
            inbox: self.inbox.clone(),
        };
        self.runs
            .start(new, move |context| {
                let crawl = crawl.clone();
                async move { crawl.run(context).await }
            })
            .await
    }

    async fn check(&self, crawler: &Crawler) -> Result<()> {
        crawler.check()?;
        if crawler.classifiers.is_empty() {
            return Ok(());
        }
        let known = self.list_classifiers().await?;
        let names: Vec<&str> = known.iter().map(|one| one.definition.name()).collect();
        for wanted in &crawler.classifiers {
            if !names.contains(&wanted.as_str()) {
                return Err(Error::not_found(format!("there is no classifier `{wanted}`"))
                    .hint(nearest_hint(wanted, names.iter().copied())));
            }
        }
        Ok(())
    }
}
