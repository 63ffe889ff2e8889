//! Delta Lake tables, written by deltalake itself through the lake.

use crate::world::{World, column, name, rows};
use arrow::array::{Int64Array, RecordBatch, StringArray};
use catalog::{StorageDescriptor, Table, TableEntry};
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{col, lit};
use deltalake::logstore::{StorageConfig, default_logstore};
use deltalake::{DeltaTable, kernel};
use model::ErrorKind;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use std::sync::Arc;

fn batch(rows: &[(&str, i64)]) -> RecordBatch {
    let days: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let ids: Vec<i64> = rows.iter().map(|row| row.1).collect();
    RecordBatch::try_from_iter(vec![
        ("day", Arc::new(StringArray::from(days)) as _),
        ("Id", Arc::new(Int64Array::from(ids)) as _),
    ])
    .unwrap()
}

/// A table of two columns, partitioned by `day`, in two versions.
async fn table(world: &World) -> TableEntry {
    let url = url::Url::parse("s3://data/d/").unwrap();
    let root = world.lake.object_store(&"data".parse().unwrap());
    let prefixed = Arc::new(PrefixStore::new(Arc::clone(&root), Path::from("d")));
    let delta = DeltaTable::new(default_logstore(prefixed, root, &url, &StorageConfig::default()));
    let string = kernel::DataType::Primitive(kernel::PrimitiveType::String);
    let long = kernel::DataType::Primitive(kernel::PrimitiveType::Long);
    let delta = delta
        .create()
        .with_column("day", string, true, None)
        .with_column("Id", long, true, None)
        .with_partition_columns(["day"])
        .await
        .unwrap();
    let delta = delta.write([batch(&[("mon", 1), ("mon", 2), ("tue", 3)])]).await.unwrap();
    delta.write([batch(&[("tue", 4), ("wed", 5)])]).await.unwrap();
    let definition = Table {
        storage: StorageDescriptor {
            columns: vec![column("col", "array<string>")],
            location: Some("s3://data/d/".to_owned()),
            ..StorageDescriptor::default()
        },
        parameters: [("spark.sql.sources.provider".to_owned(), "delta".to_owned())].into_iter().collect(),
        ..Table::new(name("d"))
    };
    world.create(definition).await
}

#[tokio::test]
async fn the_newest_version_is_read() {
    let world = World::new().await;
    let table = table(&world).await;
    let opened = world.open(&table).await;
    let names: Vec<&str> = opened.table.columns.iter().map(|c| c.name.as_str()).take(2).collect();
    assert_eq!(names, ["id", "day"]);
    let all = opened.frame().select(vec![col("id"), col("day")]).unwrap();
    assert_eq!(rows(all).await, ["id|day", "1|mon", "2|mon", "3|tue", "4|tue", "5|wed"]);

    let opened = world.open(&table).await;
    let tuesday = opened.frame().filter(col("day").eq(lit("tue"))).unwrap();
    let tuesday = tuesday.aggregate(vec![], vec![sum(col("id")).alias("s")]).unwrap();
    assert_eq!(rows(tuesday).await, ["s", "7"]);
    let report = opened.report();
    assert_eq!((report.files_read, report.files_pruned), (2, 2), "{report:?}");

    // The log knows how many rows there are: no file is opened.
    let opened = world.open(&table).await;
    let counted = opened.frame().aggregate(vec![], vec![count(lit(1i64)).alias("n")]).unwrap();
    assert_eq!(rows(counted).await, ["n", "5"]);
    assert_eq!(opened.report().bytes_scanned, 0);
}

#[tokio::test]
async fn a_location_without_a_log_is_named() {
    let world = World::new().await;
    let mut definition = table(&world).await.table;
    definition.name = name("e");
    definition.storage.location = Some("s3://data/nothing/".into());
    let entry = world.create(definition).await;
    let error = world.try_open(&entry, Default::default()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    assert!(error.to_string().contains("s3://data/nothing"), "{error}");
}
