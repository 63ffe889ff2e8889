//! A whole lake in a temporary folder: files, catalog, runs, crawlers.

use catalog::{Catalog, Partition, PartitionQuery, Table};
use crawl::{CrawlReport, Crawler, Crawlers, Target};
use lake::{Lake, LakeConfig, PutOptions};
use model::{EntityName, RunState};
use state::{Clock, Database, Events, Run, RunOptions, Runs};
use std::path::{Path, PathBuf};

pub(crate) const ORDERS: &str = "id,amount\n1,2.5\n2,3.5\n";
pub(crate) const PEOPLE: &str = "name,city,age\nann,ulm,3\nbob,bonn,4\n";

/// Everything a crawl needs.
pub(crate) struct World {
    pub(crate) lake: Lake,
    pub(crate) catalog: Catalog,
    pub(crate) events: Events,
    pub(crate) runs: Runs,
    pub(crate) crawlers: Crawlers,
    root: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self::at(folder.path()).await;
        world._folder = Some(folder);
        world
    }

    pub(crate) async fn at(root: &Path) -> Self {
        Self::with(root, Database::sqlite(&root.join("state.db")).await.unwrap()).await
    }

    pub(crate) async fn with(root: &Path, db: Database) -> Self {
        let clock = Clock::system();
        let lake = Lake::open(LakeConfig::local(root)).await.unwrap();
        let events = Events::open(db.clone(), clock.clone()).await.unwrap();
        let runs =
            Runs::open(db.clone(), clock.clone(), events.clone(), RunOptions::default()).await.unwrap();
        let catalog = Catalog::open(db.clone(), clock.clone()).await.unwrap();
        let crawlers = Crawlers::open(db, clock, lake.clone(), catalog.clone(), runs.clone(), events.clone())
            .await
            .unwrap();
        let bucket = "raw".parse().unwrap();
        if !lake.bucket_exists(&bucket).await.unwrap() {
            lake.create_bucket(&bucket).await.unwrap();
        }
        Self { lake, catalog, events, runs, crawlers, root: root.to_owned(), _folder: None }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) async fn put(&self, key: &str, bytes: impl Into<bytes::Bytes>) {
        let uri = format!("s3://raw/{key}").parse().unwrap();
        self.lake.put(&uri, bytes.into(), PutOptions::default()).await.unwrap();
    }

    pub(crate) async fn delete(&self, key: &str) {
        self.lake.delete(&format!("s3://raw/{key}").parse().unwrap()).await.unwrap();
    }

    /// Stores a crawler of one folder, after `change` had its say.
    pub(crate) async fn crawler(&self, path: &str, change: impl FnOnce(&mut Crawler)) {
        let mut crawler = Crawler::new("c", db(), vec![Target::parse(path).unwrap()]);
        change(&mut crawler);
        self.crawlers.create_crawler(crawler).await.unwrap();
    }

    /// Crawls and gives the account.
    pub(crate) async fn crawl(&self) -> CrawlReport {
        report(&self.crawlers.start("c").await.unwrap().wait().await.unwrap())
    }

    pub(crate) async fn table(&self, name: &str) -> Table {
        self.catalog.get_table(&db(), &EntityName::new(name).unwrap()).await.unwrap().table
    }

    pub(crate) async fn partitions(&self, name: &str) -> Vec<Partition> {
        let name = EntityName::new(name).unwrap();
        self.catalog.list_partitions(&db(), &name, PartitionQuery::default()).await.unwrap().partitions
    }

    pub(crate) async fn tables(&self) -> Vec<String> {
        let page = self.catalog.list_tables(&db(), catalog::TableQuery::default()).await.unwrap_or_default();
        page.tables.iter().map(|entry| entry.table.name.to_string()).collect()
    }
}

pub(crate) fn db() -> EntityName {
    EntityName::new("shop").unwrap()
}

pub(crate) fn report(run: &Run) -> CrawlReport {
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    serde_json::from_value(run.result().unwrap()).unwrap()
}

pub(crate) fn columns(table: &Table) -> String {
    let columns: Vec<String> =
        table.storage.columns.iter().map(|column| format!("{} {}", column.name, column.hive_type)).collect();
    columns.join(", ")
}
