//! Processes that are killed in the middle of a change: what they had not committed is not there, what they had is, and
//! the next start removes what is left over.

use crate::places::{in_file, name, partition, table};
use catalog::*;
use model::HiveType;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

const FILE: &str = "GLULAM_CATALOG_TEST_FILE";
const CHANGE: &str = "GLULAM_CATALOG_TEST_CHANGE";
const PARTITIONS: i32 = 1100;

/// Not a test by itself: what the killed process does. Without its variables it does nothing.
#[tokio::test]
async fn child() {
    let (Ok(file), Ok(change)) = (std::env::var(FILE), std::env::var(CHANGE)) else { return };
    let catalog = in_file(Path::new(&file)).await;
    let (db, orders) = (name("db"), name("orders"));
    let values = |n: i32| vec![n.to_string()];
    let done = match change.as_str() {
        "create database" => catalog.create_database(Database::new(name("new"))).await.map(drop),
        "create table" => catalog.create_table(&db, table("new", &[])).await.map(drop),
        "add partitions" => {
            let more = (0..250).map(|n| partition(&table("orders", &[]), &[&(PARTITIONS + n).to_string()]));
            catalog.create_partitions(&db, &orders, more.collect()).await.map(drop)
        }
        "upsert partitions" => {
            let changed = (0..250).map(|n| Partition::new(values(n)));
            catalog.upsert_partitions(&db, &orders, changed.collect()).await.map(drop)
        }
        "delete partitions" => {
            catalog.delete_partitions(&db, &orders, (0..9).map(values).collect()).await.map(drop)
        }
        "change table" => {
            let change = |table: &mut Table| {
                table.description = Some("changed".into());
                table.partition_keys[0].hive_type = HiveType::Int;
                Ok(())
            };
            catalog.alter_table(&db, &orders, change).await.map(drop)
        }
        "drop table" => catalog.drop_table(&db, &orders).await,
        "delete database" => catalog.delete_database(&db, true).await,
        other => panic!("there is no change `{other}`"),
    };
    panic!("it should not have come this far: {done:?}");
}

/// A fresh catalog with a table and partitions, changed by a process that is killed at that point; then opened again.
async fn killed(change: &str, point: &str) -> (Catalog, sqlx::AnyPool, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let database = state::Database::sqlite(&file).await.unwrap();
    let catalog = Catalog::open(database.clone(), state::Clock::system()).await.unwrap();
    catalog.create_database(Database::new(name("db"))).await.unwrap();
    let orders = table("orders", &["n string"]);
    catalog.create_table(&name("db"), orders.clone()).await.unwrap();
    let all = (0..PARTITIONS).map(|n| partition(&orders, &[&n.to_string()])).collect();
    catalog.create_partitions(&name("db"), &orders.name, all).await.unwrap();
    database.close().await;

    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(FILE, &file)
        .env(CHANGE, change)
        .env(crashpoint::VARIABLE, point)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(9), "`{change}` must reach `{point}`");

    let database = state::Database::sqlite(&file).await.unwrap();
    let pool = database.read().clone();
    (Catalog::open(database, state::Clock::system()).await.unwrap(), pool, folder)
}

/// Everything is as before the change.
async fn assert_untouched(catalog: &Catalog) {
    let db = name("db");
    let databases = catalog.list_databases().await.unwrap();
    assert_eq!(databases.len(), 1);
    let tables = catalog.list_tables(&db, TableQuery::default()).await.unwrap().tables;
    assert_eq!(tables.len(), 1);
    assert_eq!(tables[0].table, table("orders", &["n string"]));
    assert_eq!(tables[0].version, 0);
    let versions = catalog.table_versions(&db, &name("orders"), None, None).await.unwrap();
    assert_eq!(versions.versions.len(), 1);
    let page = catalog.list_partitions(&db, &name("orders"), PartitionQuery::default()).await.unwrap();
    assert_eq!(page.partitions.len(), usize::try_from(PARTITIONS).unwrap());
    assert!(page.partitions.iter().all(|partition| partition.storage.location.is_some()));
    let query =
        PartitionQuery { filter: Some("n IN ('7', '007', '1099')".into()), ..PartitionQuery::default() };
    let some = catalog.list_partitions(&db, &name("orders"), query).await.unwrap();
    assert_eq!(some.partitions.len(), 2);
}

/// Nothing is left of the table's partitions, in no row of the database.
async fn assert_swept(pool: &sqlx::AnyPool) {
    for sql in [
        "SELECT COUNT(*) FROM catalog_partitions",
        "SELECT COUNT(*) FROM catalog_descriptors",
        "SELECT COUNT(*) FROM catalog_dropped",
    ] {
        let count: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
        assert_eq!(count, 0, "{sql}");
    }
}

#[tokio::test]
async fn creations_that_were_not_committed_are_not_there() {
    for (change, point) in [
        ("create database", "catalog.create_database.before_commit"),
        ("create table", "catalog.create_table.before_commit"),
    ] {
        let (catalog, _, _folder) = killed(change, point).await;
        assert_untouched(&catalog).await;
    }
}

#[tokio::test]
async fn partitions_are_added_changed_and_deleted_whole_or_not() {
    for (change, point) in [
        ("add partitions", "catalog.partitions.mid:2"),
        ("upsert partitions", "catalog.partitions.mid:2"),
        ("delete partitions", "catalog.partitions.deleting:5"),
    ] {
        let (catalog, _, _folder) = killed(change, point).await;
        assert_untouched(&catalog).await;
    }
}

#[tokio::test]
async fn tables_change_whole_or_not() {
    for point in ["catalog.update_table.rekeying", "catalog.update_table.before_commit"] {
        let (catalog, _, _folder) = killed("change table", point).await;
        assert_untouched(&catalog).await;
    }
}

#[tokio::test]
async fn drops_that_were_not_committed_have_not_happened() {
    for (change, point) in [
        ("drop table", "catalog.drop_table.before_commit"),
        ("delete database", "catalog.delete_database.before_commit"),
    ] {
        let (catalog, _, _folder) = killed(change, point).await;
        assert_untouched(&catalog).await;
    }
}

#[tokio::test]
async fn the_next_start_sweeps_what_a_drop_has_left() {
    for (change, point) in [
        ("drop table", "catalog.drop_table.before_sweep"),
        ("drop table", "catalog.drop_table.sweeping"),
        ("delete database", "catalog.drop_table.before_sweep"),
    ] {
        let (catalog, pool, _folder) = killed(change, point).await;
        assert!(catalog.get_table(&name("db"), &name("orders")).await.is_err());
        assert_swept(&pool).await;
    }
}
