//! Parquet tables: names, types, schema evolution, statistics, caches, damaged files.

use crate::world::{World, column, parquet_bytes, parquet_table, rows, try_rows};
use arrow::array::{
    ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::logical_expr::{col, ident, lit};
use model::ErrorKind;
use parquet::file::properties::WriterProperties;
use scan::{ColumnKind, ScanCounters};
use std::sync::Arc;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn numbers(name: &str, values: std::ops::Range<i64>) -> RecordBatch {
    batch(vec![(name, Arc::new(Int64Array::from_iter_values(values)))])
}

#[tokio::test]
async fn columns_are_found_by_name_and_turned_into_the_tables_types() {
    let world = World::new().await;
    let old = batch(vec![
        ("Id", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
        ("At", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, 2_000_000]).with_timezone("UTC"))),
    ]);
    let new = batch(vec![
        ("AT", Arc::new(TimestampNanosecondArray::from(vec![3_000_000_000])) as ArrayRef),
        ("note", Arc::new(StringArray::from(vec!["new"]))),
        ("ID", Arc::new(Int64Array::from(vec![3]))),
        ("unknown", Arc::new(Int64Array::from(vec![9]))),
    ]);
    world.put_parquet("t/old.parquet", &old).await;
    world.put_parquet("t/deeper/new.parquet", &new).await;
    world.put("t/_SUCCESS", "not parquet").await;
    world.put("t/.hidden/x.parquet", "not parquet").await;
    let table = world
        .create(parquet_table("t", &[("id", "bigint"), ("at", "timestamp"), ("note", "string")], &[]))
        .await;
    let opened = world.open(&table).await;
    let shown: Vec<String> = opened
        .table
        .columns
        .iter()
        .filter(|c| c.kind == ColumnKind::Data)
        .map(|c| format!("{} {}", c.name, c.sql_type))
        .collect();
    assert_eq!(shown, ["id bigint", "at timestamp(3)", "note varchar"]);
    assert_eq!(
        rows(opened.frame().select(vec![col("id"), col("at"), col("note")]).unwrap()).await,
        ["id|at|note", "1|1970-01-01T00:00:01.500|", "2|1970-01-01T00:00:02|", "3|1970-01-01T00:00:03|new"]
    );
    assert_eq!(
        rows(opened.frame().filter(col("id").gt(lit(2i64))).unwrap().select(vec![col("note")]).unwrap())
            .await,
        ["note", "new"]
    );
    assert_eq!(opened.report().files_read, 4);
}

#[tokio::test]
async fn nested_fields_are_found_by_name() {
    let world = World::new().await;
    let inner: ArrayRef = Arc::new(StructArray::from(vec![
        (Arc::new(Field::new("B", DataType::Int32, true)), Arc::new(Int32Array::from(vec![7])) as ArrayRef),
        (Arc::new(Field::new("A", DataType::Utf8, true)), Arc::new(StringArray::from(vec!["x"])) as ArrayRef),
    ]));
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1), None])]);
    world.put_parquet("t/x.parquet", &batch(vec![("s", inner), ("l", Arc::new(list))])).await;
    let columns = [("s", "struct<a:string,b:bigint,c:double>"), ("l", "array<bigint>")];
    let table = world.create(parquet_table("t", &columns, &[])).await;
    let opened = world.open(&table).await;
    let frame = opened.frame().select(vec![col("s"), col("l")]).unwrap();
    assert_eq!(rows(frame).await, ["s|l", "{a: x, b: 7, c: }|[1, ]"]);
}

#[tokio::test]
async fn by_position_when_the_serde_says_so() {
    let world = World::new().await;
    let file = batch(vec![
        ("x", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ("b", Arc::new(StringArray::from(vec!["second"]))),
    ]);
    world.put_parquet("t/x.parquet", &file).await;
    let mut definition = parquet_table("t", &[("a", "bigint"), ("c", "string"), ("b", "int")], &[]);
    definition.storage.serde.parameters.insert("parquet.column.index.access".into(), "true".into());
    let table = world.create(definition).await;
    let opened = world.open(&table).await;
    let frame = opened.frame().select(vec![col("a"), col("c"), col("b")]).unwrap();
    assert_eq!(rows(frame).await, ["a|c|b", "1|second|"]);
}

#[tokio::test]
async fn a_type_that_cannot_be_read_names_file_column_and_types() {
    let world = World::new().await;
    world
        .put_parquet("t/x.parquet", &batch(vec![("a", Arc::new(StringArray::from(vec!["x"])) as ArrayRef)]))
        .await;
    let table = world.create(parquet_table("t", &[("a", "bigint")], &[])).await;
    let error = try_rows(world.open(&table).await.frame().select(vec![col("a")]).unwrap()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the column `a` is of type varchar in the file, bigint in the table (s3://data/t/x.parquet)"
    );
}

#[tokio::test]
async fn counts_and_bounds_are_answered_from_footers() {
    let world = World::new().await;
    world.put_parquet("t/1.parquet", &numbers("a", 0..1000)).await;
    world.put_parquet("t/2.parquet", &numbers("a", 1000..5000)).await;
    let table = world.create(parquet_table("t", &[("a", "bigint")], &[])).await;
    let opened = world.open(&table).await;
    let all = vec![count(lit(1i64)).alias("n")];
    assert_eq!(rows(opened.frame().aggregate(vec![], all.clone()).unwrap()).await, ["n", "5000"]);
    let bounds = vec![min(col("a")).alias("low"), max(col("a")).alias("high")];
    assert_eq!(rows(opened.frame().aggregate(vec![], bounds).unwrap()).await, ["low|high", "0|4999"]);
    let report = opened.report();
    assert_eq!((report.rows_read, report.files_read), (0, 0), "{report:?}");
    assert_eq!(world.scans.cache_sizes().footers, 2);
    // The kept footers notice that a file is another.
    world.put_parquet("t/2.parquet", &numbers("a", 0..3)).await;
    assert_eq!(rows(world.open(&table).await.frame().aggregate(vec![], all).unwrap()).await, ["n", "1003"]);
}

#[tokio::test]
async fn row_groups_are_pruned_by_statistics() {
    let world = World::new().await;
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1000)).build();
    world.put("t/x.parquet", parquet_bytes(&numbers("A", 0..10_000), Some(properties))).await;
    let table = world.create(parquet_table("t", &[("a", "bigint")], &[])).await;
    let opened = world.open(&table).await;
    let frame = opened.frame().filter(col("a").between(lit(4_500i64), lit(4_600i64))).unwrap();
    let total = frame.aggregate(vec![], vec![sum(col("a")).alias("s")]).unwrap();
    assert_eq!(rows(total).await, ["s", &(4_500..=4_600i64).sum::<i64>().to_string()]);
    let report = opened.report();
    assert_eq!((report.row_groups_pruned, report.row_groups_read), (9, 1), "{report:?}");
    assert!(report.rows_read <= 1000 && report.bytes_scanned > 0, "{report:?}");
}

#[tokio::test]
async fn hidden_columns_tell_of_the_file() {
    let world = World::new().await;
    let bytes = parquet_bytes(&numbers("a", 0..2), None);
    let size = bytes.len();
    world.put("t/k=1/x.parquet", bytes).await;
    world.put_parquet("t/k=2/y.parquet", &numbers("a", 5..6)).await;
    let table = world.create(parquet_table("t", &[("a", "bigint")], &[("k", "int")])).await;
    world.partitions(&table, &[&["1"], &["2"]]).await;
    let opened = world.open(&table).await;
    let frame = opened.frame().filter(ident("$path").eq(lit("s3://data/t/k=1/x.parquet"))).unwrap();
    let frame = frame.select(vec![col("a"), ident("$partition"), ident("$file_size")]).unwrap();
    assert_eq!(
        rows(frame).await,
        ["a|$partition|$file_size".to_owned(), format!("0|k=1|{size}"), format!("1|k=1|{size}")]
    );
    let report = opened.report();
    assert_eq!((report.files_read, report.files_pruned), (1, 1), "{report:?}");
}

#[tokio::test]
async fn damaged_and_missing_files_are_named() {
    let world = World::new().await;
    let table = world.create(parquet_table("t", &[("a", "bigint")], &[])).await;
    let query = async || try_rows(world.open(&table).await.frame().select(vec![col("a")]).unwrap()).await;
    assert!(query().await.unwrap().len() <= 1, "an empty location has no rows");

    world.put("t/x.parquet", "PAR1 but then nothing of the sort").await;
    let error = query().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.to_string(), "the Parquet footer cannot be read (s3://data/t/x.parquet)");

    let packed = WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let mut bytes = parquet_bytes(&numbers("a", 0..100_000), Some(packed));
    bytes[5_000..60_000].fill(0xEE);
    world.put("t/x.parquet", bytes).await;
    let error = query().await.unwrap_err();
    assert!(error.to_string().ends_with("(s3://data/t/x.parquet)"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");

    world.put_parquet("t/x.parquet", &numbers("a", 0..10)).await;
    let opened = world.open(&table).await;
    let plan = opened.frame().select(vec![col("a")]).unwrap().create_physical_plan().await.unwrap();
    world.scans.clear_caches();
    world.lake.delete(&"s3://data/t/x.parquet".parse().unwrap()).await.unwrap();
    let context = datafusion::prelude::SessionContext::new_with_config_rt(
        Default::default(),
        scan::runtime_env(&world.lake, None, None).unwrap(),
    );
    let error = datafusion::physical_plan::collect(plan, context.task_ctx()).await.unwrap_err();
    let error = scan::error(error);
    assert_eq!(
        (error.kind(), error.to_string().contains("t/x.parquet")),
        (ErrorKind::NotFound, true),
        "{error}"
    );

    let mut elsewhere = parquet_table("u", &[("a", "bigint")], &[]);
    elsewhere.storage.location = Some("s3://nowhere/u/".into());
    let table = world.create(elsewhere).await;
    let error = try_rows(world.open(&table).await.frame()).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::NotFound, "bucket `nowhere` does not exist"));
}

#[tokio::test]
async fn a_query_that_reads_too_much_is_stopped() {
    let world = World::new().await;
    world.put_parquet("t/x.parquet", &numbers("a", 0..200_000)).await;
    let table = world.create(parquet_table("t", &[("a", "bigint")], &[])).await;
    let opened = world.try_open(&table, ScanCounters::with_cutoff(100_000)).await.unwrap();
    let total = opened.frame().aggregate(vec![], vec![sum(col("a"))]).unwrap();
    let error = try_rows(total).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(error.message(), "the query was stopped: it would read more than 100000 bytes");
}

#[tokio::test]
async fn names_that_are_there_twice_are_refused() {
    let world = World::new().await;
    let mut definition = parquet_table("t", &[("a", "bigint")], &[]);
    definition.storage.columns.push(column("b", "int"));
    let mut entry = world.create(definition).await;
    entry.table.storage.columns[1].name = "A".into();
    let error = world.try_open(&entry, ScanCounters::default()).await.err().unwrap();
    assert_eq!(error.message(), "the table `db.t` has the column `a` twice");
}
