//! Records come out as objects: when, where, how often, and what becomes of them while they cannot.

use crate::{House, at_once, destination, direct, log, with};
use delivery::{NewDelivery, Source};
use model::ErrorKind;
use serde_json::{Map, Value, json};
use streams::{NewRecord, NewStream, ShardId};

#[tokio::test]
async fn a_batch_waits_until_it_is_old_enough() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    let hints = json!({ "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": 60 }, "Prefix": "raw/" });
    house.create("hose", direct(), hints).await;
    house.put("hose", &["a", "b"]).await;
    house.pass(59);
    house.put("hose", &["c"]).await;
    assert!(house.objects("lake").await.is_empty());
    house.pass(1);
    let object = house.object().await;
    assert!(object.starts_with("s3://lake/raw/2026/03/02/10/hose-1-2026-03-02-10-20-30-"), "{object}");
    assert_eq!(house.text(&object).await, "abc");
    assert_eq!(house.objects("lake").await.len(), 1, "the marker is gone, nothing else came");
    let stream = house.deliveries.get("hose").await.unwrap();
    assert_eq!((stream.totals.records, stream.totals.objects, stream.totals.bytes), (3, 1, 3));
    // What a room keeps for itself is on no list, and whose records are delivered is in no backlog.
    assert!(log(&house).list_streams(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_is_delivered_when_it_is_large_enough() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    let hints = json!({ "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 900 } });
    house.create("hose", direct(), hints).await;
    let large = "x".repeat(400 << 10);
    house.put("hose", &[&large, &large]).await;
    house.put("hose", &[&large]).await;
    let object = house.object().await;
    assert_eq!(house.text(&object).await.len(), 3 * (400 << 10));
}

#[tokio::test]
async fn records_with_delimiters_compressed_and_backed_up() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    house.bucket("backup").await;
    let settings = with(
        at_once(),
        json!({
            "CompressionFormat": "GZIP", "S3BackupMode": "Enabled",
            "S3BackupConfiguration": { "BucketARN": "arn:aws:s3:::backup", "Prefix": "as-it-came/" },
            "ProcessingConfiguration": { "Enabled": true, "Processors": [
                { "Type": "RecordDeAggregation", "Parameters": [{ "ParameterName": "SubRecordType", "ParameterValue": "JSON" }] },
                { "Type": "AppendDelimiterToRecord" },
            ] },
        }),
    );
    house.create("hose", direct(), settings).await;
    house.put("hose", &[r#"{"a":1}{"a":2}"#]).await;
    let (first, second) = (house.object().await, house.object().await);
    let (backup, object) = if first.contains("backup") { (first, second) } else { (second, first) };
    assert!(object.ends_with(".gz"), "{object}");
    assert!(backup.starts_with("s3://backup/as-it-came/2026/03/02/10/hose-1-"), "{backup}");
    assert_eq!(house.text(&backup).await, r#"{"a":1}{"a":2}"#);
    let packed = house.rooms.lake.read(&object.parse().unwrap()).await.unwrap();
    let mut unpacker = formats::Unpacker::new(formats::Compression::Gzip).unwrap();
    unpacker.feed(packed);
    let mut text = Vec::new();
    while let Some(piece) = unpacker.take().unwrap() {
        text.extend_from_slice(&piece);
    }
    assert_eq!(text, b"{\"a\":1}\n{\"a\":2}\n");
}

#[tokio::test]
async fn a_stream_is_read_through_its_resharding_and_a_restart() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    log(&house).create_stream(NewStream::provisioned("clicks", 2)).await.unwrap();
    house.put_into_stream("clicks", (0..10).map(|n| format!("before-{n}\n"))).await;
    house.pass(1);
    let source = Source::Stream { name: "clicks".into(), arn: String::new(), role_arn: String::new() };
    let lines = json!({ "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 10 } });
    house.create("hose", source, lines).await;
    house.put_into_stream("clicks", (0..100).map(|n| format!("{n}\n"))).await;
    log(&house).split_shard("clicks", ShardId(0), 1 << 100).await.unwrap();
    log(&house).merge_shards("clicks", ShardId(3), ShardId(1)).await.unwrap();
    house.put_into_stream("clicks", (100..200).map(|n| format!("{n}\n"))).await;
    house.pass(10);
    house.object().await;
    let mut house = house.again().await;
    house.put_into_stream("clicks", (200..300).map(|n| format!("{n}\n"))).await;
    house.pass(10);
    let text = house.lines("lake", 300).await;
    let mut numbers: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_destination_that_is_not_there_is_told_and_nothing_is_lost() {
    let house = House::new().await;
    house.create("hose", direct(), at_once()).await;
    house.put("hose", &["kept"]).await;
    let failure = loop {
        if let Some(failure) = house.deliveries.get("hose").await.unwrap().failure {
            break failure;
        }
        tokio::task::yield_now().await;
    };
    assert!(failure.0.to_string().contains("lake"), "{}", failure.0);
    assert_eq!(failure.1, crate::start());
    let mut house = house.again().await;
    house.put("hose", &["too"]).await;
    house.bucket("lake").await;
    let mut text = String::new();
    while text.len() < 7 {
        let next = house.object_in_time(120).await;
        text.push_str(&house.text(&next).await);
    }
    assert_eq!(text, "kepttoo");
    while house.deliveries.get("hose").await.unwrap().failure.is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn settings_are_changed_by_version() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    let slow = json!({ "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": 900 }, "Prefix": "old/" });
    house.create("hose", direct(), slow).await;
    house.put("hose", &["x"]).await;
    let change = |value: Value| -> Map<String, Value> { serde_json::from_value(value).unwrap() };
    let new =
        change(json!({ "Prefix": "new/", "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": 0 } }));
    let stale = house.deliveries.update("hose", 7, new.clone()).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::PreconditionFailed);
    let wrong = change(json!({ "Prefix": "!{timestamp:bb}" }));
    assert_eq!(house.deliveries.update("hose", 1, wrong).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let dynamic = change(json!({ "DynamicPartitioningConfiguration": { "Enabled": true } }));
    let error = house.deliveries.update("hose", 1, dynamic).await.unwrap_err();
    assert!(error.to_string().contains("never"), "{error}");
    assert_eq!(house.deliveries.update("hose", 1, new).await.unwrap().version, 2);
    let object = house.object().await;
    assert!(object.starts_with("s3://lake/new/2026/03/02/10/hose-2-"), "{object}");
}

#[tokio::test]
async fn names_are_taken_once_and_free_again_when_deleted() {
    let house = House::new().await;
    house.bucket("lake").await;
    let new = |name: &str, source| NewDelivery {
        name: name.into(),
        source,
        destination: destination(at_once()),
        encryption: None,
    };
    house.deliveries.create(new("hose", direct())).await.unwrap();
    let twice = house.deliveries.create(new("hose", direct())).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    let missing = Source::Stream { name: "none".into(), arn: String::new(), role_arn: String::new() };
    assert_eq!(house.deliveries.create(new("other", missing)).await.unwrap_err().kind(), ErrorKind::NotFound);
    for wrong in ["", "a/b", &"x".repeat(65)] {
        assert_eq!(
            house.deliveries.create(new(wrong, direct())).await.unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{wrong}"
        );
    }
    let large = vec![vec![0; delivery::MAX_RECORD + 1].into()];
    assert_eq!(house.deliveries.put("hose", large).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    house.deliveries.delete("hose").await.unwrap();
    assert_eq!(house.deliveries.get("hose").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(house.deliveries.put("hose", vec!["x".into()]).await.unwrap_err().kind(), ErrorKind::NotFound);
    house.deliveries.create(new("hose", direct())).await.unwrap();
}

#[tokio::test]
async fn nothing_is_taken_for_a_delivery_stream_that_is_not_there() {
    let house = House::new().await;
    // What a creation leaves that breaks off.
    log(&house).create_stream(NewStream::internal("delivery", "ghost")).await.unwrap();
    let error = house.deliveries.put("ghost", vec!["lost".into()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn a_stream_that_is_made_again_is_read_from_its_beginning() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    log(&house).create_stream(NewStream::provisioned("clicks", 1)).await.unwrap();
    let source = Source::Stream { name: "clicks".into(), arn: String::new(), role_arn: String::new() };
    house.create("hose", source, at_once()).await;
    house.put_into_stream("clicks", ["old\n".to_owned()]).await;
    let object = house.object().await;
    assert_eq!(house.text(&object).await, "old\n");
    house.pass(1);
    log(&house).delete_stream("clicks", false).await.unwrap();
    loop {
        let made = log(&house).create_stream(NewStream::provisioned("clicks", 1)).await;
        if made.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
    }
    house.put_into_stream("clicks", ["new\n".to_owned()]).await;
    let mut house = house.again().await;
    let mut lines: Vec<_> = house.lines("lake", 2).await.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["new", "old"]);
}

#[tokio::test]
async fn no_shard_waits_for_the_others_and_old_records_fill_objects() {
    let house = House::new().await;
    house.bucket("lake").await;
    log(&house).create_stream(NewStream::provisioned("clicks", 4)).await.unwrap();
    let source = Source::Stream { name: "clicks".into(), arn: String::new(), role_arn: String::new() };
    // The bucket of the backlog is missing, so that it grows.
    let hints = json!({ "BucketARN": "arn:aws:s3:::later", "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 5 } });
    house.create("hose", source, hints).await;
    for turn in 0..4 {
        let filler = "x".repeat(10_000);
        let record = |n| NewRecord::new(format!("{turn}-{n}"), format!("{turn}-{n} {filler}\n"));
        for placed in log(&house).put_many("clicks", (0..100).map(record).collect()).await.unwrap() {
            placed.unwrap();
        }
        house.pass(10);
    }
    let house = house.again().await;
    house.bucket("later").await;
    let mut house = house.again().await;
    // The house before may have delivered something already, of which only the bucket tells.
    let sizes = loop {
        let sizes: Vec<usize> = house.objects("later").await.values().map(Vec::len).collect();
        if sizes.iter().sum::<usize>() >= 4_000_000 {
            break sizes;
        }
        house.object().await;
    };
    assert!(sizes.len() <= 6, "{sizes:?}");
}

#[tokio::test]
async fn a_delivery_whose_run_was_ended_is_begun_again() {
    let mut house = House::new().await;
    house.bucket("lake").await;
    house.create("hose", direct(), at_once()).await;
    let run = house.deliveries.get("hose").await.unwrap().run.unwrap();
    house.rooms.runs.stop(&run).await.unwrap();
    house.rooms.runs.handle(&run).wait().await.unwrap();
    let ended = house.deliveries.get("hose").await.unwrap();
    assert!(ended.failure.is_some(), "{ended:?}");
    house.put("hose", &["kept"]).await;
    let object = house.object_in_time(60).await;
    assert_eq!(house.text(&object).await, "kept");
    let now = house.deliveries.get("hose").await.unwrap();
    assert!(now.failure.is_none() && now.run != Some(run), "{now:?}");
}
