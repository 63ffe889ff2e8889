//! Records that are too old: hidden at once, deleted by the next sweep, and not missed after a restart.

use crate::{House, put_texts, segments, texts};
use chrono::Duration;
use streams::*;

#[tokio::test]
async fn old_records_are_hidden_then_deleted_and_numbers_go_on() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    let mut placed = Vec::new();
    for n in 0..6 {
        placed.extend(put_texts(&log, &[&n.to_string()]).await);
        house.hand.advance(Duration::hours(6));
    }
    // Now is 36 hours after the first: the trim horizon lies at 12 hours.
    assert_eq!(texts(&log, 0).await, ["2", "3", "4", "5"]);
    let at =
        log.iterator("s", ShardId(0), StartAt::AtSequenceNumber(placed[0].sequence_number)).await.unwrap();
    let read = log.get_records(&at, ReadOptions::default()).await.unwrap();
    assert_eq!(read.records[0].sequence_number, placed[2].sequence_number, "what is gone is passed over");
    assert_eq!(segments(&log, 0).len(), 6);
    assert_eq!(log.sweep().await.unwrap().segments, 2);
    assert_eq!((segments(&log, 0).len(), texts(&log, 0).await.len()), (4, 4));
    assert_eq!(log.sweep().await.unwrap(), Swept::default());

    drop(log);
    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    assert_eq!(texts(&log, 0).await, ["2", "3", "4", "5"]);
    // Longer retention does not bring back what was deleted; shorter hides at once.
    let keep = |hours| {
        Box::new(move |settings: &mut StreamSettings| {
            settings.retention_hours = hours;
            Ok(())
        })
    };
    log.change_stream("s", keep(100)).await.unwrap();
    assert_eq!(texts(&log, 0).await.len(), 4);
    log.change_stream("s", keep(24)).await.unwrap();
    house.hand.advance(Duration::hours(48));
    assert!(texts(&log, 0).await.is_empty());
    assert_eq!(log.sweep().await.unwrap().segments, 4);
    assert_eq!(segments(&log, 0).len(), 0);
    drop(log);

    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    let next = put_texts(&log, &["new"]).await;
    assert!(next[0].sequence_number > placed[5].sequence_number, "numbers never start again");
    assert_eq!(texts(&log, 0).await, ["new"]);
    assert!(log.check("s").await.unwrap().is_empty());
}

#[tokio::test]
async fn closed_shards_go_away_with_their_last_record() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    put_texts(&log, &["a"]).await;
    log.update_shard_count("s", 2).await.unwrap();
    house.hand.advance(Duration::hours(25));
    let ids = async |log: &LocalLog| {
        let shards = log.list_shards("s", ShardFilter::default()).await.unwrap();
        shards.iter().map(|shard| shard.id.0).collect::<Vec<_>>()
    };
    let swept = log.sweep().await.unwrap();
    assert_eq!((swept.segments, swept.shards), (1, 1));
    assert_eq!(ids(&log).await, [1, 2]);
    drop(log);
    let log = house.open().await;
    assert_eq!(ids(&log).await, [1, 2]);
    log.update_shard_count("s", 1).await.unwrap();
    assert_eq!(
        log.list_shards("s", ShardFilter::AtLatest).await.unwrap()[0].id,
        ShardId(3),
        "no number comes twice"
    );
}

#[tokio::test]
async fn the_log_sweeps_by_itself() {
    let mut house = House::new().await;
    house.options.sweep_every = Some(Duration::minutes(10));
    let log = house.with_stream(1).await;
    put_texts(&log, &["a"]).await;
    house.hand.advance(Duration::hours(25));
    while !segments(&log, 0).is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_released_goes_before_its_time() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    let mut placed = Vec::new();
    for n in 0..4 {
        placed.extend(put_texts(&log, &[&n.to_string()]).await);
        house.hand.advance(Duration::hours(2));
    }
    assert_eq!(segments(&log, 0).len(), 4);
    log.release("s", ShardId(0), placed[1].sequence_number).await.unwrap();
    assert_eq!((segments(&log, 0).len(), texts(&log, 0).await), (2, vec!["2".to_owned(), "3".to_owned()]));
    // The segment that is being written stays, whatever is released.
    log.release("s", ShardId(0), placed[3].sequence_number).await.unwrap();
    assert_eq!((segments(&log, 0).len(), texts(&log, 0).await), (1, vec!["3".to_owned()]));
    drop(log);
    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    put_texts(&log, &["4"]).await;
    assert_eq!(texts(&log, 0).await, ["3", "4"]);
}

#[tokio::test]
async fn what_a_room_keeps_for_itself_is_on_no_list() {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    let kept = log.create_stream(NewStream::internal("room", "x")).await.unwrap();
    assert_eq!((kept.name.as_str(), kept.settings.retention_hours), ("room/x", MAX_RETENTION_HOURS));
    log.put_many(&kept.name, vec![NewRecord::new("-", "kept")]).await.unwrap();
    let names = |streams: Vec<Stream>| streams.into_iter().map(|stream| stream.name).collect::<Vec<_>>();
    assert_eq!(names(log.list_streams(None, 1).await.unwrap()), ["s"]);
    drop(log);
    let log = house.open().await;
    assert_eq!(log.stream("room/x").await.unwrap().open_shards, 1);
    for wrong in ["/x", "room/", "a/b/c"] {
        assert!(log.create_stream(NewStream::provisioned(wrong, 1)).await.is_err(), "{wrong}");
    }
    log.delete_stream("room/x", false).await.unwrap();
}
