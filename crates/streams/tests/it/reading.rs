//! Reading: where it begins, how much it answers, waiting, ends of shards, limits.

use crate::{House, from, millis, put, put_texts, record, rest, texts};
use chrono::Duration;
use model::ErrorKind;
use std::sync::Arc;
use streams::*;

fn first(records: &[Record]) -> Option<String> {
    records.first().map(|record| String::from_utf8(record.data().to_vec()).unwrap())
}

#[tokio::test]
async fn reading_begins_where_it_is_told() {
    let mut house = House::new().await;
    // Many segments with many index entries.
    house.options.segment_bytes = 200_000;
    let log = house.with_stream(1).await;
    let begin = house.clock.now();
    let mut placed = Vec::new();
    for n in 0..300 {
        house.hand.advance(millis(10));
        placed.extend(put(&log, vec![record("k", format!("{n:>3000}"))]).await);
    }
    let end = house.clock.now();
    for (from, expected) in [
        (StartAt::TrimHorizon, Some(0)),
        (StartAt::Latest, None),
        (StartAt::AtSequenceNumber(placed[0].sequence_number), Some(0)),
        (StartAt::AfterSequenceNumber(placed[0].sequence_number), Some(1)),
        (StartAt::AtSequenceNumber(placed[157].sequence_number), Some(157)),
        (StartAt::AfterSequenceNumber(placed[157].sequence_number), Some(158)),
        (StartAt::AfterSequenceNumber(placed[299].sequence_number), None),
        (StartAt::AtTimestamp(begin), Some(0)),
        (StartAt::AtTimestamp(begin + millis(10)), Some(0)),
        (StartAt::AtTimestamp(begin + millis(11)), Some(1)),
        (StartAt::AtTimestamp(begin + millis(1500)), Some(149)),
        (StartAt::AtTimestamp(begin + millis(2991)), Some(299)),
        (StartAt::AtTimestamp(end), Some(299)),
        (StartAt::AtTimestamp(begin - Duration::hours(99)), Some(0)),
    ] {
        let records = rest(&log, 0, from).await.unwrap();
        let expected = expected.map(|n| format!("{n:>3000}"));
        assert_eq!(first(&records), expected, "{from:?}");
    }
    let starting = log.list_shards("s", ShardFilter::default()).await.unwrap()[0].starting;
    assert_eq!(rest(&log, 0, StartAt::AtSequenceNumber(starting)).await.unwrap().len(), 300);
    // The same after a restart, when the indexes come from files.
    drop(log);
    let log = house.open().await;
    let records = rest(&log, 0, StartAt::AtTimestamp(begin + millis(1500))).await.unwrap();
    assert_eq!(first(&records), Some(format!("{:>3000}", 149)));
    for bad in [StartAt::AtTimestamp(end + millis(1)), StartAt::AtSequenceNumber(sequence_of_other_shard())] {
        assert_eq!(log.iterator("s", ShardId(0), bad).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

fn sequence_of_other_shard() -> SequenceNumber {
    format!("49{:054}", 7).parse().unwrap()
}

#[tokio::test]
async fn a_read_answers_as_much_as_it_may() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    put(&log, (0..500).map(|n| record("k", format!("{n:0100}"))).collect()).await;
    house.hand.advance(Duration::seconds(3));
    put_texts(&log, &["last"]).await;
    house.hand.advance(Duration::seconds(2));
    let all = rest(&log, 0, StartAt::TrimHorizon).await.unwrap();
    for (limit, bytes) in [(1, usize::MAX), (7, usize::MAX), (10_000, 1), (10_000, 1000), (499, usize::MAX)] {
        let mut next = Some(from(&log, 0, StartAt::TrimHorizon).await);
        let mut got = Vec::new();
        while got.len() < 501 {
            let options = ReadOptions { limit, bytes, dedicated: false };
            let read = log.get_records(next.as_ref().unwrap(), options).await.unwrap();
            assert!(!read.records.is_empty() && read.records.len() <= limit);
            let size: usize = read.records.iter().map(|r| r.data().len() + r.partition_key().len()).sum();
            assert!(size <= bytes || read.records.len() == 1);
            got.extend(read.records);
            let behind = if got.len() == 501 { Duration::zero() } else { Duration::seconds(5) };
            assert_eq!(read.behind, behind, "after {} records", got.len());
            next = read.next;
        }
        assert_eq!(got, all);
        let tip = log.get_records(&next.unwrap(), ReadOptions::default()).await.unwrap();
        assert!(tip.records.is_empty() && tip.next.is_some());
    }
    let none = ReadOptions { limit: 0, ..ReadOptions::default() };
    assert!(log.get_records(&from(&log, 0, StartAt::TrimHorizon).await, none).await.is_err());
}

#[tokio::test]
async fn a_closed_shard_ends_and_names_its_children() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    put_texts(&log, &["a", "b"]).await;
    let tip = from(&log, 0, StartAt::Latest).await;
    log.split_shard("s", ShardId(0), 1 << 100).await.unwrap();
    log.wait(&tip).await.unwrap();
    for iterator in [tip, from(&log, 0, StartAt::TrimHorizon).await, from(&log, 0, StartAt::Latest).await] {
        let read = log.get_records(&iterator, ReadOptions::default()).await.unwrap();
        assert_eq!(read.next, None);
        assert_eq!(read.behind, Duration::zero());
        assert_eq!(read.children.iter().map(|shard| shard.id.0).collect::<Vec<_>>(), [1, 2]);
    }
    let part = ReadOptions { limit: 1, ..ReadOptions::default() };
    let read = log.get_records(&from(&log, 0, StartAt::TrimHorizon).await, part).await.unwrap();
    assert!(read.next.is_some() && read.children.is_empty());
    let ending = log.list_shards("s", ShardFilter::default()).await.unwrap()[0].ending.unwrap();
    assert!(rest(&log, 0, StartAt::AfterSequenceNumber(ending)).await.unwrap().is_empty());
}

#[tokio::test]
async fn many_followers_see_every_record_without_asking_twice() {
    let house = House::new().await;
    let log = Arc::new(house.with_stream(1).await);
    let followers: Vec<_> = (0..8)
        .map(|n| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut next = from(&log, 0, StartAt::TrimHorizon).await;
                let (mut seen, mut reads) = (Vec::new(), 0);
                while seen.len() < 200 {
                    log.wait(&next).await.unwrap();
                    let options = ReadOptions { limit: 1 + n, ..ReadOptions::default() };
                    let read = log.get_records(&next, options).await.unwrap();
                    assert!(!read.records.is_empty(), "whoever waited has something to read");
                    seen.extend(read.records);
                    reads += 1;
                    next = read.next.unwrap();
                }
                (seen, reads)
            })
        })
        .collect();
    for n in 0..200 {
        put_texts(&log, &[&n.to_string()]).await;
    }
    let all = rest(&log, 0, StartAt::TrimHorizon).await.unwrap();
    assert_eq!(all.len(), 200);
    for follower in followers {
        let (seen, reads) = follower.await.unwrap();
        assert_eq!(seen, all);
        assert!(reads <= 200);
    }
}

#[tokio::test]
async fn limits_count_by_shard_and_can_be_off() {
    let mut house = House::new().await;
    house.options.limits = Some(Limits::default());
    house.options.iterator_age = Some(Duration::minutes(5));
    let log = house.with_stream(2).await;
    let half = HashRange::even(2)[1].first;
    let to =
        |hash: u128, size: usize| NewRecord { explicit_hash_key: Some(hash), ..record("k", vec![0; size]) };
    let put = async |records: Vec<NewRecord>| {
        let answers = log.put_many("s", records).await.unwrap();
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
        }
        answers.iter().filter(|answer| answer.is_ok()).count()
    };
    assert_eq!(put((0..1500).map(|_| to(0, 1)).collect()).await, 1000);
    assert_eq!(put((0..10).map(|_| to(half, 200 << 10)).collect()).await, 5, "another shard has its own");
    house.hand.advance(millis(500));
    assert_eq!(put((0..1500).map(|_| to(0, 1)).collect()).await, 500);
    let iterator = from(&log, 0, StartAt::TrimHorizon).await;
    let one = ReadOptions { limit: 1, ..ReadOptions::default() };
    for call in 0..7 {
        let read = log.get_records(&iterator, one).await.map_err(|e| e.kind());
        assert_eq!(read.is_ok(), call < 5, "call {call}: {read:?}");
    }
    let dedicated = ReadOptions { dedicated: true, ..one };
    assert!(log.get_records(&iterator, dedicated).await.is_ok());
    house.hand.advance(Duration::minutes(5) + millis(1));
    let expired = log.get_records(&iterator, one).await.unwrap_err();
    assert_eq!(expired.kind(), ErrorKind::PreconditionFailed);
    drop(log);
    house.options.limits = None;
    let log = house.open().await;
    let answers = log.put_many("s", (0..1500).map(|_| to(0, 1)).collect()).await.unwrap();
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(texts(&log, 0).await.len(), 3000);
}

#[tokio::test]
async fn usage_counts_what_is_kept_and_what_went_through() {
    let house = House::new().await;
    let log = house.with_stream(2).await;
    let empty = log.usage("s").await.unwrap();
    assert_eq!(
        empty.iter().map(|shard| (shard.records, shard.records_in)).collect::<Vec<_>>(),
        [(0, 0), (0, 0)]
    );
    assert_eq!(empty[0].last_arrival, None);
    let placed = put_texts(&log, &["a", "b", "c"]).await;
    let own = placed[0].shard;
    let read = rest(&log, own.0, StartAt::AtSequenceNumber(placed[1].sequence_number)).await.unwrap();
    assert_eq!(read.len(), 2);
    let of = |all: Vec<ShardUsage>| all.into_iter().find(|shard| shard.shard == own).unwrap();
    let used = of(log.usage("s").await.unwrap());
    assert_eq!((used.records, used.records_in, used.records_out, used.bytes_out), (3, 3, 2, 8));
    assert!(used.bytes > 0 && used.last_arrival == Some(house.clock.now()), "{used:?}");
    drop(log);
    // What was put is known after a restart; what was read is counted anew.
    let used = of(house.open().await.usage("s").await.unwrap());
    assert_eq!((used.records, used.records_in, used.records_out), (3, 3, 0));
    let none = house.open().await.usage("t").await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
}
