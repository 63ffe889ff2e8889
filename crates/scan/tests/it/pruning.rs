//! Only what a query needs is listed and opened: unreadable files stand where nobody must look.

use crate::world::{World, column, name, parquet_table, rows};
use arrow::array::{Int64Array, RecordBatch};
use catalog::{Partition, StorageDescriptor};
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, cast, col, lit};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

fn one(value: i64) -> RecordBatch {
    RecordBatch::try_from_iter(vec![("a", Arc::new(Int64Array::from(vec![value])) as _)]).unwrap()
}

fn date(days: i32) -> Expr {
    lit(ScalarValue::Date32(Some(days)))
}

#[tokio::test]
async fn filters_on_partition_columns_choose_the_partitions() {
    let world = World::new().await;
    let keys = [("dt", "date"), ("region", "string"), ("n", "int")];
    let table = world.create(parquet_table("t", &[("a", "bigint")], &keys)).await;
    let all: [&[&str]; 5] = [
        &["1970-01-01", "eu", "1"],
        &["1970-01-02", "eu", "2"],
        &["1970-01-02", "us", "10"],
        &["1970-01-03", "o'b%", "11"],
        &["__HIVE_DEFAULT_PARTITION__", "eu", "12"],
    ];
    world.partitions(&table, &all).await;
    let cases: Vec<(Expr, &[usize])> = vec![
        (col("dt").eq(date(1)), &[1, 2]),
        (col("dt").gt_eq(date(1)).and(col("n").lt(lit(11))), &[1, 2]),
        (col("dt").is_null(), &[4]),
        (col("region").in_list(vec![lit("us"), lit("o'b%")], false), &[2, 3]),
        (col("region").like(lit("o'%")), &[3]),
        (col("region").not_eq(lit("eu")).and(col("dt").lt(date(2))), &[2]),
        (cast(col("n"), arrow::datatypes::DataType::Int64).between(lit(2i64), lit(10i64)), &[1, 2]),
        // Nothing that the catalog's language could say.
        ((col("n") % lit(2)).eq(lit(1)), &[0, 3]),
        (col("dt").eq(date(0)).or((col("n") + lit(1)).eq(lit(13))), &[0, 4]),
        ((!col("region").like(lit("%u%"))).and(col("n").is_not_null()), &[3]),
        (col("n").gt(lit(100)), &[]),
    ];
    for (filter, wanted) in cases {
        // The folders of the other partitions hold what cannot be read.
        for (index, values) in all.iter().enumerate() {
            let folder = format!(
                "t/dt={}/region={}/n={}",
                values[0],
                values[1].replace('%', "%25").replace('\'', "%27"),
                values[2]
            );
            match wanted.contains(&index) {
                true => world.put_parquet(&format!("{folder}/x.parquet"), &one(1 << index)).await,
                false => world.put(&format!("{folder}/x.parquet"), "this is no Parquet file").await,
            }
        }
        let opened = world.open(&table).await;
        let total = opened.frame().filter(filter.clone()).unwrap();
        let total =
            total.aggregate(vec![], vec![sum(col("a")).alias("s"), count(lit(1i64)).alias("n")]).unwrap();
        let sum: i64 = wanted.iter().map(|index| 1i64 << index).sum();
        let sum = if wanted.is_empty() { String::new() } else { sum.to_string() };
        assert_eq!(rows(total).await, ["s|n".to_owned(), format!("{sum}|{}", wanted.len())], "{filter}");
        let report = opened.report();
        assert_eq!(report.partitions_read, wanted.len() as u64, "{filter}");
        assert_eq!(report.partitions_pruned, (all.len() - wanted.len()) as u64, "{filter}");
    }
}

#[tokio::test]
async fn partitions_lie_anywhere_and_have_their_own_columns() {
    let world = World::new().await;
    world.lake.create_bucket(&"other".parse().unwrap()).await.unwrap();
    let table = world.create(parquet_table("t", &[("a", "bigint")], &[("k", "string")])).await;
    let bytes = crate::world::parquet_bytes(&one(5), None);
    let away = "s3://other/some/where/x.parquet".parse().unwrap();
    world.lake.put(&away, bytes.into(), Default::default()).await.unwrap();
    world.put_parquet("t/k=here/x.parquet", &one(7)).await;
    let partition = |value: &str, location: Option<&str>| Partition {
        storage: StorageDescriptor {
            location: location.map(str::to_owned),
            columns: vec![column("a", "int"), column("gone", "string")],
            ..table.table.storage.clone()
        },
        ..Partition::new(vec![value.to_owned()])
    };
    let both = vec![partition("away", Some("s3://other/some/where")), partition("here", None)];
    world.catalog.create_partitions(&name("db"), &name("t"), both).await.unwrap();
    let opened = world.open(&table).await;
    let frame = opened.frame().select(vec![col("k"), col("a")]).unwrap();
    assert_eq!(rows(frame).await, ["k|a", "away|5", "here|7"]);
}

#[tokio::test]
async fn of_many_partitions_only_the_needed_ones_are_listed() {
    const MANY: usize = 20_000;
    let world = World::new().await;
    let table =
        world.create(parquet_table("t", &[("a", "bigint")], &[("day", "int"), ("hour", "int")])).await;
    let storage = StorageDescriptor { location: None, ..table.table.storage.clone() };
    for first in (0..MANY).step_by(5_000) {
        let some = (first..first + 5_000).map(|n| Partition {
            storage: storage.clone(),
            ..Partition::new(vec![(n / 24).to_string(), (n % 24).to_string()])
        });
        world.catalog.create_partitions(&name("db"), &name("t"), some.collect()).await.unwrap();
    }
    for hour in 0..24 {
        world.put_parquet(&format!("t/day=700/hour={hour}/x.parquet"), &one(hour)).await;
    }
    let opened = world.open(&table).await;
    let filter = col("day").eq(lit(700)).and(col("hour").lt(lit(10)));
    let total =
        opened.frame().filter(filter).unwrap().aggregate(vec![], vec![sum(col("a")).alias("s")]).unwrap();
    assert_eq!(rows(total).await, ["s", "45"]);
    let report = opened.report();
    assert_eq!((report.partitions_read, report.files_read), (10, 10), "{report:?}");
    assert_eq!(report.partitions_pruned, MANY as u64 - 10);
}
