//! Streams, shards, consumers: made, changed, listed, deleted, and the same after a restart.

use crate::{House, put, record, texts};
use chrono::Duration;
use model::ErrorKind;
use std::collections::BTreeMap;
use streams::*;

#[tokio::test]
async fn a_stream_is_the_same_after_a_restart() {
    let house = House::new().await;
    let log = house.open().await;
    let tags: BTreeMap<_, _> = [("team".to_owned(), "data".to_owned())].into();
    let new = NewStream { tags: tags.clone(), retention_hours: 48, ..NewStream::provisioned("clicks", 3) };
    log.create_stream(new).await.unwrap();
    log.create_stream(NewStream::on_demand("logs")).await.unwrap();
    let change = |settings: &mut StreamSettings| {
        settings.encryption = Some(Encryption { key_id: "alias/k".into() });
        settings.shard_metrics = vec!["IncomingBytes".into()];
        settings.retention_hours = 8760;
        Ok(())
    };
    log.change_stream("clicks", Box::new(change)).await.unwrap();
    log.register_consumer("clicks", "app").await.unwrap();
    let before = (log.stream("clicks").await.unwrap(), log.list_consumers("clicks").await.unwrap());
    let shards = log.list_shards("clicks", ShardFilter::default()).await.unwrap();
    drop(log);

    let log = house.open().await;
    assert_eq!(before, (log.stream("clicks").await.unwrap(), log.list_consumers("clicks").await.unwrap()));
    assert_eq!(shards, log.list_shards("clicks", ShardFilter::default()).await.unwrap());
    let (stream, consumers) = before;
    assert_eq!(stream.arn.to_string(), "arn:aws:kinesis:eu-central-1:000000000000:stream/clicks");
    assert_eq!((stream.open_shards, stream.settings.retention_hours), (3, 8760));
    assert_eq!(stream.settings.tags, tags);
    assert_eq!(stream.settings.encryption.unwrap().key_id, "alias/k");
    assert_eq!(
        consumers[0].arn.to_string(),
        "arn:aws:kinesis:eu-central-1:000000000000:stream/clicks/consumer/app:1600000000"
    );
    assert!(shards.iter().all(|shard| shard.is_open() && shard.parent.is_none()));
    let names = |streams: Vec<Stream>| streams.into_iter().map(|stream| stream.name).collect::<Vec<_>>();
    assert_eq!(names(log.list_streams(None, 10).await.unwrap()), ["clicks", "logs"]);
    assert_eq!(names(log.list_streams(None, 1).await.unwrap()), ["clicks"]);
    assert_eq!(names(log.list_streams(Some("clicks"), 10).await.unwrap()), ["logs"]);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_kind() {
    let house = House::new().await;
    let log = house.with_stream(2).await;
    log.create_stream(NewStream::on_demand("auto")).await.unwrap();
    log.register_consumer("s", "app").await.unwrap();
    let kind = |error: model::Error| error.kind();
    use ErrorKind::{AlreadyExists, Conflict, InvalidInput, NotFound};
    for (name, shards, hours, expected) in [
        ("s", 1, 24, AlreadyExists),
        ("", 1, 24, InvalidInput),
        ("a/b", 1, 24, InvalidInput),
        ("..", 0, 24, InvalidInput),
        ("t", 0, 24, InvalidInput),
        ("t", 10_001, 24, InvalidInput),
        ("t", 1, 23, InvalidInput),
        ("t", 1, 8761, InvalidInput),
    ] {
        let new = NewStream { retention_hours: hours, ..NewStream::provisioned(name, shards) };
        assert_eq!(
            log.create_stream(new).await.map_err(kind).unwrap_err(),
            expected,
            "{name} {shards} {hours}"
        );
    }
    let one = ShardId(0);
    assert_eq!(kind(log.stream("no").await.unwrap_err()), NotFound);
    assert_eq!(kind(log.put_many("no", vec![record("k", "")]).await.unwrap_err()), NotFound);
    assert_eq!(kind(log.split_shard("s", ShardId(9), 5).await.unwrap_err()), InvalidInput);
    assert_eq!(kind(log.split_shard("s", one, 0).await.unwrap_err()), InvalidInput);
    assert_eq!(kind(log.split_shard("auto", one, 5).await.unwrap_err()), InvalidInput);
    assert_eq!(kind(log.merge_shards("s", one, one).await.unwrap_err()), InvalidInput);
    assert_eq!(kind(log.update_shard_count("s", 0).await.unwrap_err()), InvalidInput);
    assert_eq!(kind(log.register_consumer("s", "app").await.unwrap_err()), AlreadyExists);
    assert_eq!(kind(log.deregister_consumer("s", "no").await.unwrap_err()), NotFound);
    assert_eq!(kind(log.delete_stream("s", false).await.unwrap_err()), Conflict);
    assert_eq!(kind(log.iterator("s", ShardId(7), StartAt::Latest).await.unwrap_err()), NotFound);
    for (key, size) in [("", 1), (&*"k".repeat(257), 1), ("k", 1 << 20)] {
        let refused = log.put_many("s", vec![record("fine", "fine"), record(key, vec![0; size])]).await;
        assert_eq!(kind(refused.unwrap_err()), InvalidInput, "{} {size}", key.len());
    }
    assert!(
        texts(&log, 0).await.is_empty() && texts(&log, 1).await.is_empty(),
        "nothing of a refused call is put"
    );
    put(&log, vec![record(&"ü".repeat(256), vec![0; (1 << 20) - 512])]).await;
}

#[tokio::test]
async fn shards_have_lineage_and_filters_see_it() {
    let house = House::new().await;
    let log = house.with_stream(2).await;
    house.hand.advance(Duration::hours(1));
    let half = HashRange::even(2)[1];
    log.split_shard("s", ShardId(1), half.first + 10).await.unwrap();
    let split = house.clock.now();
    house.hand.advance(Duration::hours(1));
    log.merge_shards("s", ShardId(2), ShardId(0)).await.unwrap();
    let shards = log.list_shards("s", ShardFilter::default()).await.unwrap();
    let lineage: Vec<_> = shards
        .iter()
        .map(|shard| {
            (shard.id.0, shard.parent.map(|id| id.0), shard.adjacent_parent.map(|id| id.0), shard.is_open())
        })
        .collect();
    assert_eq!(
        lineage,
        [
            (0, None, None, false),
            (1, None, None, false),
            (2, Some(1), None, false),
            (3, Some(1), None, true),
            (4, Some(2), Some(0), true)
        ]
    );
    assert_eq!(shards[4].range, HashRange { first: 0, last: half.first + 9 });
    for shard in &shards {
        for parent in shard.parent.iter().chain(&shard.adjacent_parent) {
            assert!(shard.starting > shards[parent.0 as usize].ending.unwrap());
        }
    }
    let hour = Duration::hours(1);
    let before = split - Duration::minutes(1);
    let after = split + Duration::minutes(1);
    let cases: Vec<(Duration, ShardFilter, &[u32])> = vec![
        (hour, ShardFilter::FromTrimHorizon, &[0, 1, 2, 3, 4]),
        (hour, ShardFilter::AtTrimHorizon, &[0, 1]),
        (hour, ShardFilter::AtLatest, &[3, 4]),
        (hour, ShardFilter::AfterShardId(ShardId(2)), &[3, 4]),
        (hour, ShardFilter::AtTimestamp(before), &[0, 1]),
        (hour, ShardFilter::AtTimestamp(after), &[0, 2, 3]),
        (hour, ShardFilter::FromTimestamp(after), &[0, 2, 3, 4]),
        // A day after the split, its parent has left the trim horizon behind.
        (Duration::hours(24), ShardFilter::FromTrimHorizon, &[0, 2, 3, 4]),
        (Duration::hours(24), ShardFilter::AtTrimHorizon, &[0, 2, 3]),
        (Duration::hours(24), ShardFilter::FromTimestamp(before), &[0, 2, 3, 4]),
    ];
    for (later, filter, expected) in cases {
        house.hand.set(split + later);
        if later > hour {
            house.hand.set(split + later + millis_after());
        }
        let listed = log.list_shards("s", filter).await.unwrap();
        assert_eq!(
            listed.iter().map(|shard| shard.id.0).collect::<Vec<_>>(),
            expected,
            "{filter:?} after {later}"
        );
    }
}

fn millis_after() -> Duration {
    Duration::milliseconds(2)
}

#[tokio::test]
async fn records_follow_their_keys_through_scaling() {
    let house = House::new().await;
    let log = house.with_stream(2).await;
    for count in [2, 4, 3, 5, 1] {
        log.update_shard_count("s", count).await.unwrap();
        let open = log.list_shards("s", ShardFilter::AtLatest).await.unwrap();
        let mut ranges: Vec<_> = open.iter().map(|shard| shard.range).collect();
        ranges.sort_by_key(|range| range.first);
        assert_eq!(ranges, HashRange::even(count));
        let keys: Vec<String> = (0..50).map(|n| format!("key {n}")).collect();
        let placed = put(&log, keys.iter().map(|key| record(key, count.to_string())).collect()).await;
        for (key, placed) in keys.iter().zip(&placed) {
            let shard = open.iter().find(|shard| shard.id == placed.shard).unwrap();
            assert!(shard.range.contains(hash_key(key)));
            assert!(placed.sequence_number > shard.starting);
        }
        let explicit = NewRecord { explicit_hash_key: Some(u128::MAX), ..record("key 0", "last") };
        let placed = put(&log, vec![explicit]).await;
        let shard = open.iter().find(|shard| shard.id == placed[0].shard).unwrap();
        assert_eq!(shard.range.last, u128::MAX);
    }
    let mut total = 0;
    for shard in log.list_shards("s", ShardFilter::default()).await.unwrap() {
        total += texts(&log, shard.id.0).await.len();
    }
    assert_eq!(total, 5 * 51);
}

#[tokio::test]
async fn a_deleted_stream_is_gone_with_its_files_and_iterators() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    crate::put_texts(&log, &["old"]).await;
    log.register_consumer("s", "app").await.unwrap();
    let iterator = crate::from(&log, 0, StartAt::Latest).await;
    let follower = tokio::spawn({
        let (log, iterator) = (log.clone(), iterator.clone());
        async move { log.wait(&iterator).await }
    });
    tokio::task::yield_now().await;
    let folder = log.shard_folder("s", ShardId(0)).unwrap();
    log.delete_stream("s", true).await.unwrap();
    assert_eq!(follower.await.unwrap().unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!folder.parent().unwrap().exists());
    log.create_stream(NewStream::provisioned("s", 1)).await.unwrap();
    let refused = log.get_records(&iterator, ReadOptions::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput, "it is another stream");
    drop(log);
    let log = house.open().await;
    assert!(texts(&log, 0).await.is_empty());
    assert!(log.list_consumers("s").await.unwrap().is_empty());
    assert_eq!(log.recovered().unknown_folders, Vec::<std::path::PathBuf>::new());
}
