//! Partition projection, as Athena documents it: partitions that no catalog holds.

use crate::world::{World, parquet_table, rows, try_rows};
use arrow::array::{Int64Array, RecordBatch};
use catalog::Table;
use chrono::{TimeZone, Utc};
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{col, lit};
use datafusion::scalar::ScalarValue;
use scan::ScanOptions;
use state::Clock;
use std::sync::Arc;

fn one(value: i64) -> RecordBatch {
    RecordBatch::try_from_iter(vec![("a", Arc::new(Int64Array::from(vec![value])) as _)]).unwrap()
}

fn projected(keys: &[(&str, &str)], properties: &[(&str, &str)]) -> Table {
    let mut table = parquet_table("t", &[("a", "bigint")], keys);
    table.parameters.insert("projection.enabled".into(), "true".into());
    for (key, value) in properties {
        table.parameters.insert(key.to_string(), value.to_string());
    }
    table
}

#[tokio::test]
async fn enumerations_and_numbers() {
    let world = World::new().await;
    for (key, value) in [("kind=a/n=007", 1), ("kind=a/n=009", 2), ("kind=b/n=007", 4)] {
        world.put_parquet(&format!("t/{key}/x.parquet"), &one(value)).await;
    }
    world.put("t/kind=c/n=007/x.parquet", "not in the list, and no Parquet").await;
    let properties = [
        ("projection.kind.type", "enum"),
        ("projection.kind.values", "a, b"),
        ("projection.n.type", "integer"),
        ("projection.n.range", "1,9"),
        ("projection.n.interval", "2"),
        ("projection.n.digits", "3"),
    ];
    let table = world.create(projected(&[("kind", "string"), ("n", "int")], &properties)).await;
    let opened = world.open(&table).await;
    let frame = opened.frame().select(vec![col("kind"), col("n"), col("a")]).unwrap();
    assert_eq!(rows(frame).await, ["kind|n|a", "a|7|1", "a|9|2", "b|7|4"]);
    let opened = world.open(&table).await;
    let seven = opened.frame().filter(col("n").gt(lit(8)).and(col("kind").not_eq(lit("b")))).unwrap();
    assert_eq!(rows(seven.select(vec![col("a")]).unwrap()).await, ["a", "2"]);
    assert_eq!(opened.report().partitions_read, 1);
}

#[tokio::test]
async fn dates_of_any_form_and_relative_to_now() {
    let now = Utc.with_ymd_and_hms(2024, 3, 2, 5, 30, 0).unwrap();
    let world = World::with(ScanOptions { clock: Clock::manual(now).0, ..ScanOptions::default() }).await;
    for (key, value) in [("2024/02/29", 1), ("2024/03/01", 2), ("2024/03/02", 4)] {
        world.put_parquet(&format!("logs/{key}/x.parquet"), &one(value)).await;
    }
    world.put("logs/2024/03/03/x.parquet", "tomorrow, and no Parquet").await;
    let properties = [
        ("projection.day.type", "date"),
        ("projection.day.format", "yyyy/MM/dd"),
        ("projection.day.range", "NOW-1YEARS,NOW"),
        ("storage.location.template", "s3://data/logs/${day}/"),
    ];
    let table = world.create(projected(&[("day", "string")], &properties)).await;
    let total = || vec![sum(col("a")).alias("s")];
    let opened = world.open(&table).await;
    assert_eq!(rows(opened.frame().aggregate(vec![], total()).unwrap()).await, ["s", "7"]);
    let opened = world.open(&table).await;
    let some = opened.frame().filter(col("day").gt_eq(lit("2024/03/01"))).unwrap();
    assert_eq!(rows(some.aggregate(vec![], total()).unwrap()).await, ["s", "6"]);
    assert_eq!(opened.report().partitions_read, 2);

    // A column of type date is compared as a date, whatever its folders are called.
    let mut other = projected(&[("day", "date")], &properties);
    other.name = crate::world::name("u");
    let table = world.create(other).await;
    let opened = world.open(&table).await;
    let day = lit(ScalarValue::Date32(Some(19_782)));
    let leap = opened.frame().filter(col("day").eq(day)).unwrap();
    assert_eq!(rows(leap.select(vec![col("a"), col("day")]).unwrap()).await, ["a|day", "1|2024-02-29"]);
    assert_eq!(opened.report().partitions_read, 1);
}

#[tokio::test]
async fn hours_need_an_interval() {
    let world = World::new().await;
    world.put_parquet("t/at=2020-01-01-05/x.parquet", &one(3)).await;
    let properties = [
        ("projection.at.type", "date"),
        ("projection.at.format", "yyyy-MM-dd-HH"),
        ("projection.at.range", "2020-01-01-00,2020-01-02-23"),
    ];
    let mut definition = projected(&[("at", "string")], &properties);
    let table = world.create(definition.clone()).await;
    let error = world.try_open(&table, Default::default()).await.err().unwrap();
    assert_eq!(error.message(), "the table `db.t`: the property `projection.at.interval.unit` is missing");
    definition.name = crate::world::name("u");
    definition.parameters.insert("projection.at.interval".into(), "1".into());
    definition.parameters.insert("projection.at.interval.unit".into(), "HOURS".into());
    let table = world.create(definition).await;
    let opened = world.open(&table).await;
    assert_eq!(rows(opened.frame().select(vec![col("a")]).unwrap()).await, ["a", "3"]);
    assert_eq!(opened.report().partitions_read, 48);
}

#[tokio::test]
async fn injected_values_come_from_the_query() {
    let world = World::new().await;
    world.put_parquet("t/id=x1/x.parquet", &one(5)).await;
    world.put("t/id=x2/x.parquet", "no Parquet").await;
    let table = world.create(projected(&[("id", "string")], &[("projection.id.type", "injected")])).await;
    let opened = world.open(&table).await;
    let frame = opened.frame().filter(col("id").eq(lit("x1"))).unwrap().select(vec![col("a")]).unwrap();
    assert_eq!(rows(frame).await, ["a", "5"]);
    let error = try_rows(world.open(&table).await.frame()).await.unwrap_err();
    assert_eq!(error.message(), "the query must say which values of the partition column `id` it wants");
}
