//! Records as rows of a table, objects by the records' own keys, and the records that fit neither.

use crate::{House, at_once, direct, with};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use catalog::{Database, PartitionQuery, StorageDescriptor, Table};
use formats::{BytesSource, Column, FormatSpec, ReadOptions, read};
use futures::TryStreamExt;
use model::{EntityName, HiveType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use sql::SqlType;
use std::sync::Arc;

fn name(text: &str) -> EntityName {
    EntityName::new(text).unwrap()
}

/// The table `shop.events` with columns `id bigint, kind string` and partitions by `day`.
async fn with_table(house: &House) {
    with_table_of(house, "string").await;
}

/// The same with another type of `kind`.
async fn with_table_of(house: &House, kind: &str) {
    let catalog = &house.rooms.catalog;
    let database: Database = serde_json::from_value(json!({ "name": "shop" })).unwrap();
    catalog.create_database(database).await.unwrap();
    let column = |name: &str, hive: &str| model::Column::new(name, hive.parse::<HiveType>().unwrap());
    let table = Table {
        storage: StorageDescriptor {
            columns: vec![column("id", "bigint"), column("kind", kind)],
            location: Some("s3://lake/events/".into()),
            ..StorageDescriptor::default()
        },
        partition_keys: vec![column("day", "string")],
        parameters: [("glulam.register-partitions".to_owned(), "true".to_owned())].into_iter().collect(),
        ..serde_json::from_value(json!({ "name": "events" })).unwrap()
    };
    catalog.create_table(&name("shop"), table).await.unwrap();
}

fn conversion(serializer: Value) -> Value {
    json!({ "DataFormatConversionConfiguration": {
        "SchemaConfiguration": { "DatabaseName": "shop", "TableName": "events" },
        "InputFormatConfiguration": { "Deserializer": { "OpenXJsonSerDe": {} } },
        "OutputFormatConfiguration": { "Serializer": serializer },
    } })
}

/// The ids in an object.
async fn ids(house: &House, uri: &str, format: &str) -> Vec<i64> {
    let bytes = house.rooms.lake.read(&uri.parse().unwrap()).await.unwrap();
    if format == "parquet" {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        return ids_of(reader.map(Result::unwrap));
    }
    let columns = vec![Column::new("id", SqlType::BigInt), Column::new("kind", SqlType::Varchar(None))];
    let spec = FormatSpec::from_name(format).unwrap();
    let source = Arc::new(BytesSource::new("object", bytes));
    let stream = read(source, &spec, &columns, &[0, 1], ReadOptions::default()).await.unwrap();
    ids_of(stream.try_collect::<Vec<_>>().await.unwrap())
}

fn ids_of(batches: impl IntoIterator<Item = RecordBatch>) -> Vec<i64> {
    let ids =
        |batch: RecordBatch| batch.column(0).as_primitive::<Int64Type>().iter().flatten().collect::<Vec<_>>();
    batches.into_iter().flat_map(ids).collect()
}

#[tokio::test]
async fn rows_of_a_table_and_records_that_fail() {
    for (serializer, format) in
        [(json!({ "ParquetSerDe": {} }), "parquet"), (json!({ "OrcSerDe": {} }), "orc")]
    {
        let mut house = House::new().await;
        house.bucket("lake").await;
        with_table(&house).await;
        let settings = with(
            with(at_once(), conversion(serializer)),
            json!({ "Prefix": "events/day=!{timestamp:yyyy-MM-dd}/", "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/" }),
        );
        house.create("hose", direct(), settings).await;
        house.put("hose", &[r#"{"id":1,"kind":"a"}"#, "no json", r#"{"ID":2}"#, r#"{"id":"x"}"#]).await;
        let (first, second) = (house.object().await, house.object().await);
        let (bad, good) = if first.contains("/bad/") { (first, second) } else { (second, first) };
        assert!(good.starts_with("s3://lake/events/day=2026-03-02/hose-1-"), "{good}");
        assert!(good.ends_with(&format!(".{format}")), "{good}");
        assert_eq!(ids(&house, &good, format).await, [1, 2]);
        assert!(bad.starts_with("s3://lake/bad/format-conversion-failed/hose-1-"), "{bad}");
        let lines: Vec<Value> =
            house.text(&bad).await.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let raw: Vec<&str> = lines.iter().map(|line| line["rawData"].as_str().unwrap()).collect();
        assert_eq!(raw, ["bm8ganNvbg==", "eyJpZCI6IngifQ=="]);
        assert!(lines.iter().all(|line| line["lastErrorCode"] == "DataFormatConversion.MalformedData"));
        assert_eq!(lines[0]["dataCatalogTable"]["tableName"], "events");
        assert_eq!(house.deliveries.get("hose").await.unwrap().totals.failed, 2);
        let page = house
            .rooms
            .catalog
            .list_partitions(&name("shop"), &name("events"), PartitionQuery::default())
            .await
            .unwrap();
        let found: Vec<_> =
            page.partitions.iter().map(|p| (p.values.clone(), p.storage.location.clone())).collect();
        assert_eq!(
            found,
            [(vec!["2026-03-02".to_owned()], Some("s3://lake/events/day=2026-03-02/".to_owned()))]
        );
        // Where all records fail there is nothing but their lines.
        house.put("hose", &["[]"]).await;
        let only = house.object().await;
        assert!(only.contains("/bad/"), "{only}");
        assert_eq!(house.objects("lake").await.len(), 3);
    }
}

fn by_keys(prefix: &str, query: &str) -> Value {
    json!({
        "Prefix": prefix, "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/",
        "DynamicPartitioningConfiguration": { "Enabled": true },
        "ProcessingConfiguration": { "Enabled": true, "Processors": [{ "Type": "MetadataExtraction", "Parameters": [
            { "ParameterName": "MetadataExtractionQuery", "ParameterValue": query },
            { "ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6" },
        ] }] },
    })
}

#[tokio::test]
async fn objects_by_the_keys_of_records() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    let settings = with(at_once(), by_keys("by/c=!{partitionKeyFromQuery:c}/", "{c: .customer}"));
    house.create("hose", direct(), settings).await;
    house
        .put(
            "hose",
            &[
                r#"{"customer":"a","n":1}"#,
                r#"{"customer":"b"}"#,
                r#"{"customer":"a","n":2}"#,
                "{",
                r#"{"n":3}"#,
            ],
        )
        .await;
    let mut found = Vec::new();
    for _ in 0..3 {
        found.push(house.object().await);
    }
    found.sort();
    assert!(found[0].starts_with("s3://lake/bad/metadata-extraction-failed/hose-1-"), "{found:?}");
    assert!(found[1].starts_with("s3://lake/by/c=a/hose-1-"), "{found:?}");
    assert!(found[2].starts_with("s3://lake/by/c=b/hose-1-"), "{found:?}");
    assert_eq!(house.text(&found[1]).await, r#"{"customer":"a","n":1}{"customer":"a","n":2}"#);
    let lines = house.text(&found[0]).await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["errorCode"], "DynamicPartitioning.MetadataExtractionFailed");
    assert_eq!(lines[0]["errorMessage"], "Non JSON record provided");
    assert_eq!(lines[1]["rawData"], "eyJuIjozfQ==");
}

#[tokio::test]
async fn more_keys_than_a_batch_may_have_fail() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    let mut settings = with(at_once(), by_keys("by/!{partitionKeyFromQuery:n}/", "{n: .n}"));
    settings["BufferingHints"]["IntervalInSeconds"] = json!(30);
    house.create("hose", direct(), settings).await;
    let records: Vec<String> = (0..502).map(|n| format!("{{\"n\":{n}}}")).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    house.put("hose", &records).await;
    house.pass(30);
    house.object().await;
    let objects = house.objects("lake").await;
    let (bad, good): (Vec<_>, Vec<_>) = objects.keys().partition(|key| key.starts_with("bad/"));
    assert_eq!((bad.len(), good.len()), (1, 500));
    let lines = String::from_utf8(objects[bad[0]].clone()).unwrap();
    assert_eq!(lines.matches("ActivePartitionsLimitExceeded").count(), 2);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_told() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    house.create("hose", direct(), with(at_once(), conversion(json!({ "ParquetSerDe": {} })))).await;
    house.put("hose", &[r#"{"id":7}"#]).await;
    let failure = loop {
        if let Some((failure, _)) = house.deliveries.get("hose").await.unwrap().failure {
            break failure.to_string();
        }
        tokio::task::yield_now().await;
    };
    assert!(failure.contains("shop"), "{failure}");
    with_table(&house).await;
    let object = house.object_in_time(120).await;
    assert_eq!(ids(&house, &object, "parquet").await, [7]);
}

#[tokio::test]
async fn rows_that_the_format_refuses_do_not_keep_back_others() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    with_table_of(&house, "timestamp").await;
    let settings = with(
        with(at_once(), conversion(json!({ "OrcSerDe": {} }))),
        json!({ "Prefix": "events/", "ErrorOutputPrefix": "bad/" }),
    );
    house.create("hose", direct(), settings).await;
    // ORC cannot tell the second before 1970 from the one behind it.
    house.put("hose", &[r#"{"id":1,"kind":"1969-12-31 23:59:59.5"}"#, r#"{"id":2}"#]).await;
    let bad = house.object().await;
    assert!(bad.starts_with("s3://lake/bad/"), "{bad}");
    let text = house.text(&bad).await;
    assert!(text.lines().count() == 2 && text.contains("ORC"), "{text}");
    house.put("hose", &[r#"{"id":7}"#]).await;
    let good = house.object().await;
    assert!(good.starts_with("s3://lake/events/"), "{good}");
    assert_eq!(house.deliveries.get("hose").await.unwrap().totals.failed, 2);
}
