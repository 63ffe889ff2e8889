//! Changes of Delta tables that deltalake itself has made: what the log says afterwards, and who wins of two writers.

use crate::world::{World, name, rows};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use catalog::{StorageDescriptor, Table, TableEntry};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, col, ident, lit};
use datafusion::prelude::{SessionConfig, SessionContext};
use deltalake::kernel::{DataType, PrimitiveType};
use deltalake::logstore::{StorageConfig, default_logstore};
use deltalake::{DeltaTable, TableProperty};
use futures::StreamExt;
use lake::{Commit, CommitOptions};
use model::{ErrorKind, LakeUri};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use scan::delta::{Change, Changes, Operation, Staged, Writing};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A moment whose last digits milliseconds cannot hold.
const MOMENT: i64 = 1_600_000_000_123_456;

fn table(world: &World) -> DeltaTable {
    let url = url::Url::parse("s3://data/d/").unwrap();
    let root = world.lake.object_store(&"data".parse().unwrap());
    let prefixed = Arc::new(PrefixStore::new(Arc::clone(&root), Path::from("d")));
    DeltaTable::new(default_logstore(prefixed, root, &url, &StorageConfig::default()))
}

fn batch(rows: &[(&str, i64)]) -> RecordBatch {
    let days: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)));
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)));
    let moments = TimestampMicrosecondArray::from_value(MOMENT, rows.len()).with_timezone("UTC");
    RecordBatch::try_from_iter(vec![("Day", days), ("Id", ids), ("At", Arc::new(moments) as ArrayRef)])
        .unwrap()
}

/// A table of two versions, partitioned by `Day`, with these properties.
async fn made(world: &World, properties: &[(TableProperty, &str)]) -> TableEntry {
    let mut create = table(world).create().with_partition_columns(["Day"]);
    for (column, kind) in
        [("Day", PrimitiveType::String), ("Id", PrimitiveType::Long), ("At", PrimitiveType::Timestamp)]
    {
        create = create.with_column(column, DataType::Primitive(kind), true, None);
    }
    for (key, value) in properties {
        create = create.with_configuration([(key.as_ref(), Some(*value))]);
    }
    let made = create.await.unwrap();
    made.write([batch(&[("mon", 1), ("mon", 2), ("tue/x ä", 3)])]).await.unwrap();
    let definition = Table {
        storage: StorageDescriptor { location: Some("s3://data/d/".into()), ..StorageDescriptor::default() },
        parameters: [("table_type".to_owned(), "DELTA".to_owned())].into_iter().collect(),
        ..Table::new(name("d"))
    };
    world.create(definition).await
}

fn context(world: &World) -> SessionContext {
    let runtime = scan::runtime_env(&world.lake, None, None).unwrap();
    SessionContext::new_with_config_rt(SessionConfig::new().with_target_partitions(2), runtime)
}

async fn lines(world: &World, table: &TableEntry) -> Vec<String> {
    rows(world.open(table).await.frame().select(vec![col("id"), col("day")]).unwrap()).await
}

/// What a writer has written, not committed yet.
struct Written {
    commit: Commit,
    staged: Staged,
    changes: Changes,
}

impl Written {
    async fn commit(self, world: &World, operation: Operation) -> model::Result<()> {
        self.staged.publish(&world.scans, self.commit).await?.commit(operation).await
    }
}

/// Deletes the rows for which this is true.
async fn deleted(world: &World, table: &TableEntry, condition: Expr, prefix: &str) -> Written {
    let context = context(world);
    let change = Change::open(&world.scans, table, true).await.unwrap();
    let frame = context.read_table(change.provider(Arc::default())).unwrap().filter(condition).unwrap();
    let frame = frame.select(vec![ident("$path"), ident("$row"), lit(0_i8)]).unwrap();
    let streams = frame.execute_stream_partitioned().await.unwrap();
    let commit = world.lake.begin_commit(CommitOptions::default());
    let cancel = CancellationToken::new();
    let writing = Writing {
        commit: &commit,
        prefix,
        progress: &|_, _| {},
        cancel: &cancel,
        memory_limit: 64 << 20,
        compression: None,
        max_file_bytes: None,
    };
    let (staged, changes) = change.rewrite(streams, &context.state(), &writing).await.unwrap();
    Written { commit, staged, changes }
}

fn stream(rows: &[(&str, i64)]) -> SendableRecordBatchStream {
    let batch = batch(rows).project(&[1, 2, 0]).unwrap();
    let stream = futures::stream::iter([Ok(batch.clone())]);
    Box::pin(datafusion::physical_plan::stream::RecordBatchStreamAdapter::new(batch.schema(), stream))
}

/// Appends rows, or puts them in the place of others.
async fn written(
    world: &World,
    table: &TableEntry,
    rows: &[(&str, i64)],
    prefix: &str,
    overwrite: Option<bool>,
) -> Written {
    let change = Change::open(&world.scans, table, overwrite.is_some()).await.unwrap();
    let commit = world.lake.begin_commit(CommitOptions::default());
    let cancel = CancellationToken::new();
    let writing = Writing {
        commit: &commit,
        prefix,
        progress: &|_, _| {},
        cancel: &cancel,
        memory_limit: 64 << 20,
        compression: None,
        max_file_bytes: None,
    };
    let staged = match overwrite {
        None => change.append(vec![stream(rows)], &writing).await.unwrap(),
        Some(partitions) => change.overwrite(vec![stream(rows)], partitions, &writing).await.unwrap(),
    };
    Written { commit, staged, changes: Changes::default() }
}

async fn objects(world: &World) -> Vec<LakeUri> {
    let all = world.lake.list(&"s3://data/d/".parse().unwrap()).map(|info| info.unwrap().uri);
    all.filter(|uri| std::future::ready(!uri.to_string().contains("_delta_log"))).collect().await
}

#[tokio::test]
async fn the_log_keeps_names_values_and_counts() {
    let world = World::new().await;
    let entry = made(&world, &[]).await;
    let change = deleted(&world, &entry, col("id").eq(lit(2_i64)), "one").await;
    assert_eq!((change.changes.deleted, change.changes.rows()), (1, 1));
    assert_eq!(change.staged.rows_written(), 1);
    change.commit(&world, Operation::Delete).await.unwrap();
    assert_eq!(lines(&world, &entry).await, ["id|day", "1|mon", "3|tue/x ä"]);

    let mut log = table(&world);
    log.load().await.unwrap();
    let state = log.snapshot().unwrap();
    assert_eq!(state.version(), 2);
    let own: Vec<_> = state.log_data().iter().filter(|file| file.path().contains("one-kept")).collect();
    assert_eq!(own.len(), 1);
    let stats: serde_json::Value = serde_json::from_str(&own[0].stats().unwrap()).unwrap();
    assert_eq!(stats["numRecords"], 1);
    assert_eq!((&stats["minValues"]["Id"], &stats["maxValues"]["Id"]), (&1.into(), &1.into()));
    assert_eq!(stats["nullCount"]["At"], 0);
    // The copied row has kept all of its digits.
    assert_eq!(stats["minValues"]["At"], "2020-09-13T12:26:40.123456Z");

    // Rows of a partition with an odd name go as a whole: nothing is written.
    let change = deleted(&world, &entry, col("day").eq(lit("tue/x ä")), "two").await;
    assert_eq!((change.changes.deleted, change.staged.rows_written()), (1, 0));
    change.commit(&world, Operation::Delete).await.unwrap();
    assert_eq!(lines(&world, &entry).await, ["id|day", "1|mon"]);
}

#[tokio::test]
async fn of_two_writers_one_wins_and_nothing_is_lost() {
    let world = World::new().await;
    let entry = made(&world, &[]).await;
    // Two that only add are no conflict.
    let first = written(&world, &entry, &[("mon", 10)], "a", None).await;
    let second = written(&world, &entry, &[("wed", 11)], "b", None).await;
    first.commit(&world, Operation::Append).await.unwrap();
    second.commit(&world, Operation::Append).await.unwrap();
    let five = ["id|day", "10|mon", "11|wed", "1|mon", "2|mon", "3|tue/x ä"];
    assert_eq!(lines(&world, &entry).await, five);

    // One that deletes has not seen what was added behind its back.
    let deleting = deleted(&world, &entry, col("id").gt(lit(1_i64)), "c").await;
    let adding = written(&world, &entry, &[("mon", 12)], "d", None).await;
    adding.commit(&world, Operation::Append).await.unwrap();
    let before = objects(&world).await;
    let error = deleting.commit(&world, Operation::Delete).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert_eq!(lines(&world, &entry).await.len(), 7);
    assert_eq!(objects(&world).await, before, "its files are gone again");

    // One that adds what it has read from the table neither.
    let own = written(&world, &entry, &[("mon", 13)], "e", None).await;
    let deleting = deleted(&world, &entry, col("id").eq(lit(12_i64)), "f").await;
    deleting.commit(&world, Operation::Delete).await.unwrap();
    let error = own.commit(&world, Operation::AppendOwn).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert_eq!(lines(&world, &entry).await, five);
}

#[tokio::test]
async fn rows_take_the_place_of_others() {
    let world = World::new().await;
    let entry = made(&world, &[]).await;
    let change = written(&world, &entry, &[("mon", 20), ("new", 21)], "a", Some(true)).await;
    change.commit(&world, Operation::Overwrite).await.unwrap();
    assert_eq!(lines(&world, &entry).await, ["id|day", "20|mon", "21|new", "3|tue/x ä"]);
    let change = written(&world, &entry, &[("mon", 30)], "b", Some(false)).await;
    change.commit(&world, Operation::Overwrite).await.unwrap();
    assert_eq!(lines(&world, &entry).await, ["id|day", "30|mon"]);
}

#[tokio::test]
async fn a_row_is_changed_once() {
    let world = World::new().await;
    let entry = made(&world, &[]).await;
    let context = context(&world);
    let change = Change::open(&world.scans, &entry, true).await.unwrap();
    let frame = context.read_table(change.provider(Arc::default())).unwrap();
    let frame = frame.select(vec![ident("$path"), ident("$row"), lit(0_i8)]).unwrap();
    let twice = frame.clone().union(frame).unwrap().execute_stream_partitioned().await.unwrap();
    let commit = world.lake.begin_commit(CommitOptions::default());
    let cancel = CancellationToken::new();
    let writing = Writing {
        commit: &commit,
        prefix: "a",
        progress: &|_, _| {},
        cancel: &cancel,
        memory_limit: 1 << 20,
        compression: None,
        max_file_bytes: None,
    };
    let error = change.rewrite(twice, &context.state(), &writing).await.err().unwrap();
    assert!(error.message().contains("more than one row of the source"), "{error:?}");
}

#[tokio::test]
async fn tables_that_ask_more_of_writers_are_refused() {
    for (property, word, appends) in [
        (TableProperty::AppendOnly, "appendOnly", true),
        (TableProperty::EnableChangeDataFeed, "enableChangeDataFeed", false),
    ] {
        let world = World::new().await;
        let entry = made(&world, &[(property, "true")]).await;
        let error = Change::open(&world.scans, &entry, true).await.err().unwrap();
        assert!(format!("{:?}", error.diagnosis().why).contains(word), "{error:?}");
        assert_eq!(Change::open(&world.scans, &entry, false).await.is_ok(), appends, "{word}");
    }
    let world = World::new().await;
    let entry = made(&world, &[]).await;
    let mut log = table(&world);
    log.load().await.unwrap();
    log.add_constraint().with_constraint("positive", "Id > 0").await.unwrap();
    let error = Change::open(&world.scans, &entry, false).await.err().unwrap();
    assert!(format!("{:?}", error.diagnosis().why).contains("delta.constraints.positive"), "{error:?}");
}
