//! Catalogs to test: on an SQLite file and on a real PostgreSQL; and short ways to write what goes into them.

use catalog::{Catalog, Database, Partition, StorageDescriptor, Table};
use chrono::DateTime;
use model::{Column, EntityName};
use state::{Clock, ManualClock};
use std::path::Path;

/// A catalog and what must live as long as it.
pub(crate) struct Place {
    pub(crate) catalog: Catalog,
    pub(crate) hand: ManualClock,
    _folder: Option<tempfile::TempDir>,
}

/// Declares tests that run a suite's functions on both databases.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(&$crate::places::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(&$crate::places::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_both;

pub(crate) async fn sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let database = state::Database::sqlite(&folder.path().join("state.db")).await.unwrap();
    place(database, Some(folder)).await
}

pub(crate) async fn postgres() -> Place {
    let url = tokio::task::spawn_blocking(testkit::postgres).await.unwrap();
    place(state::Database::postgres(&url).await.unwrap(), None).await
}

async fn place(database: state::Database, folder: Option<tempfile::TempDir>) -> Place {
    let (clock, hand) = Clock::manual(DateTime::from_timestamp(1_600_000_000, 0).unwrap());
    let catalog = Catalog::open(database, clock).await.unwrap();
    Place { catalog, hand, _folder: folder }
}

/// The catalog in a file, with the machine's clock.
pub(crate) async fn in_file(path: &Path) -> Catalog {
    Catalog::open(state::Database::sqlite(path).await.unwrap(), Clock::system()).await.unwrap()
}

pub(crate) fn name(text: &str) -> EntityName {
    EntityName::new(text).unwrap()
}

pub(crate) fn column(name: &str, hive_type: &str) -> Column {
    Column::new(name, hive_type.parse().unwrap())
}

pub(crate) fn values(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// A table with two columns and these keys, written `name type`.
pub(crate) fn table(table: &str, keys: &[&str]) -> Table {
    Table {
        storage: StorageDescriptor {
            columns: vec![column("id", "bigint"), column("price", "decimal(10,2)")],
            location: Some(format!("s3://lake/{table}/")),
            ..StorageDescriptor::default()
        },
        partition_keys: keys
            .iter()
            .map(|key| key.split_once(' ').map(|(name, kind)| column(name, kind)).unwrap())
            .collect(),
        table_type: Some("EXTERNAL_TABLE".into()),
        ..Table::new(name(table))
    }
}

/// A partition stored like its table, in a folder of its own.
pub(crate) fn partition(of: &Table, texts: &[&str]) -> Partition {
    let folder = format!("{}{}/", of.storage.location.as_deref().unwrap_or_default(), texts.join("/"));
    Partition {
        storage: StorageDescriptor { location: Some(folder), ..of.storage.clone() },
        ..Partition::new(values(texts))
    }
}

impl Place {
    /// Makes the database `db` with this table in it.
    pub(crate) async fn with(&self, table: &Table) -> &Catalog {
        if self.catalog.get_database(&name("db")).await.is_err() {
            self.catalog.create_database(Database::new(name("db"))).await.unwrap();
        }
        self.catalog.create_table(&name("db"), table.clone()).await.unwrap();
        &self.catalog
    }
}
