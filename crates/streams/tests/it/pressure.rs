//! Much at once, large records, callers that lose interest, a state database that fails: the log stays right.

use crate::{House, from, put, put_texts, record, rest, texts};
use chrono::Duration;
use futures::FutureExt;
use model::ErrorKind;
use streams::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn producers_wait_when_the_queue_is_full() {
    let mut house = House::new().await;
    house.options.queue_bytes = 4 << 10;
    let log = house.with_stream(3).await;
    let producers: Vec<_> = (0..16)
        .map(|producer| {
            let log = log.clone();
            tokio::spawn(async move {
                for n in 0..20 {
                    let records = (0..3).map(|part| record(&format!("{producer} {n} {part}"), vec![7; 1000]));
                    put(&log, records.collect()).await;
                }
                // More than the queue holds gets through as well, alone.
                put(&log, vec![record("large", vec![7; 100_000])]).await;
            })
        })
        .collect();
    for producer in producers {
        producer.await.unwrap();
    }
    let mut count = 0;
    for shard in 0..3 {
        count += rest(&log, shard, StartAt::TrimHorizon).await.unwrap().len();
    }
    assert_eq!(count, 16 * 61);
}

#[tokio::test]
async fn records_may_be_as_large_as_the_options_say() {
    let mut house = House::new().await;
    house.options.record_bytes = 10 << 20;
    house.options.put_bytes = 12 << 20;
    let log = house.with_stream(1).await;
    let large: Vec<u8> = (0..(10 << 20) - 3).map(|n: u32| (n % 251) as u8).collect();
    put(&log, vec![record("a", "small"), record("key", large.clone()), record("b", "small")]).await;
    let refused = log.put_many("s", vec![record("keys", large.clone())]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    let call = vec![record("key", large[..7 << 20].to_vec()), record("key", large[..7 << 20].to_vec())];
    assert_eq!(log.put_many("s", call).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    drop(log);
    let log = house.open().await;
    let records = rest(&log, 0, StartAt::TrimHorizon).await.unwrap();
    assert_eq!(records.iter().map(|record| record.data().len()).collect::<Vec<_>>(), [5, large.len(), 5]);
    assert!(records[1].data() == large);
    let options = ReadOptions::default();
    let first = log.get_records(&from(&log, 0, StartAt::TrimHorizon).await, options).await.unwrap();
    assert_eq!(first.records.len(), 1, "a read does not grow beyond its bytes");
}

#[tokio::test]
async fn a_change_goes_on_when_its_caller_does_not() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    for count in [3, 2, 5] {
        // Polled once and dropped.
        assert!(log.update_shard_count("s", count).now_or_never().is_none());
        put_texts(&log, &["meanwhile"]).await;
        // Changes take turns: behind this one the dropped one is done.
        log.register_consumer("s", &format!("after-{count}")).await.unwrap();
        assert_eq!(log.stream("s").await.unwrap().open_shards, count as usize);
    }
    let shards = log.list_shards("s", ShardFilter::default()).await.unwrap();
    drop(log);
    assert_eq!(house.open().await.list_shards("s", ShardFilter::default()).await.unwrap(), shards);
}

#[tokio::test]
async fn a_state_database_that_fails_changes_nothing() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    put_texts(&log, &["one"]).await;
    house.db.close().await;
    assert!(log.update_shard_count("s", 4).await.is_err());
    assert!(log.delete_stream("s", true).await.is_err());
    assert!(log.create_stream(NewStream::provisioned("t", 1)).await.is_err());
    let longer = |settings: &mut StreamSettings| {
        settings.retention_hours = 99;
        Ok(())
    };
    assert!(log.change_stream("s", Box::new(longer)).await.is_err());
    // Records do not pass through the database.
    put_texts(&log, &["two"]).await;
    assert_eq!(texts(&log, 0).await, ["one", "two"]);
    let stream = log.stream("s").await.unwrap();
    assert_eq!((stream.open_shards, stream.settings.retention_hours), (1, 24));
    log.close().await;
    assert_eq!(log.put_many("s", vec![record("k", "x")]).await.unwrap_err().kind(), ErrorKind::Unavailable);
    drop(log);
    let house = House { _kept: house._kept, ..House::at(house.path).await };
    let log = house.open().await;
    assert_eq!((log.recovered().damages.len(), log.recovered().unknown_folders.len()), (0, 0));
    assert_eq!(texts(&log, 0).await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_sweeps_do_not_disturb_each_other() {
    let mut house = House::new().await;
    house.options.segment_bytes = 500;
    let log = house.with_stream(1).await;
    let writer = {
        let (log, hand) = (log.clone(), house.hand.clone());
        tokio::spawn(async move {
            for n in 0..300 {
                put_texts(&log, &[&n.to_string()]).await;
                hand.advance(Duration::minutes(30));
                if n % 10 == 0 {
                    log.sweep().await.unwrap();
                }
            }
        })
    };
    let mut reads = 0;
    while !writer.is_finished() || reads == 0 {
        let records = rest(&log, 0, StartAt::TrimHorizon).await.unwrap();
        let numbers: Vec<u32> = records
            .iter()
            .map(|record| std::str::from_utf8(record.data()).unwrap().parse().unwrap())
            .collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        reads += 1;
    }
    writer.await.unwrap();
    assert_eq!(texts(&log, 0).await.len(), 48, "a day of half hours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn iterators_are_made_while_records_are_put() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    let first = put_texts(&log, &["first"]).await[0].sequence_number;
    let writer = {
        let log = log.clone();
        tokio::spawn(async move {
            for _ in 0..1500 {
                put_texts(&log, &["more"]).await;
            }
        })
    };
    let asking: Vec<_> = (0..2)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                for _ in 0..20_000 {
                    from(&log, 0, StartAt::AfterSequenceNumber(first)).await;
                }
            })
        })
        .collect();
    for task in asking {
        task.await.unwrap();
    }
    writer.await.unwrap();
    assert_eq!(texts(&log, 0).await.len(), 1501);
}
