//! Files without a catalog table.

use crate::world::{World, rows};
use arrow::array::{Int64Array, RecordBatch, StringArray};
use datafusion::logical_expr::{col, ident};
use model::ErrorKind;
use scan::{ColumnKind, ScanCounters};
use std::sync::Arc;

#[tokio::test]
async fn a_file_or_a_folder_is_a_table() {
    let world = World::new().await;
    let first =
        RecordBatch::try_from_iter(vec![("Id", Arc::new(Int64Array::from(vec![1, 2])) as _)]).unwrap();
    let second = RecordBatch::try_from_iter(vec![
        ("id", Arc::new(Int64Array::from(vec![3])) as _),
        ("note", Arc::new(StringArray::from(vec!["x"])) as _),
    ])
    .unwrap();
    world.put_parquet("p/1.parquet", &first).await;
    world.put_parquet("p/2.parquet", &second).await;
    let open = async |at: &str| {
        let counters = Arc::new(ScanCounters::default());
        let table = world.scans.file_table(&at.parse().unwrap(), Arc::clone(&counters)).await?;
        Ok::<_, model::Error>(world.opened(table, counters))
    };
    let folder = open("s3://data/p/").await.unwrap();
    let shown: Vec<String> = folder
        .table
        .columns
        .iter()
        .filter(|c| c.kind == ColumnKind::Data)
        .map(|c| format!("{} {}", c.name, c.sql_type))
        .collect();
    assert_eq!(shown, ["id bigint", "note varchar"]);
    let frame = folder.frame().select(vec![col("id"), col("note")]).unwrap();
    assert_eq!(rows(frame).await, ["id|note", "1|", "2|", "3|x"]);

    let file = open("s3://data/p/1.parquet").await.unwrap();
    let frame = file.frame().select(vec![col("id"), ident("$path")]).unwrap();
    assert_eq!(rows(frame).await, ["id|$path", "1|s3://data/p/1.parquet", "2|s3://data/p/1.parquet"]);

    let error = open("s3://data/nothing").await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
