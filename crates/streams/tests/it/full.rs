//! A disk that is full or may not be written: puts fail with a clear error, nothing that was acknowledged is lost, and the
//! log goes on once there is space.

use crate::{House, put_texts, record, segments, texts};
use model::{Error, ErrorKind, Result};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::path::Path;
use std::process::Command;
use streams::*;

const CHILD: &str = "GLULAM_STREAMS_TEST_FULL";

async fn try_put(log: &LocalLog, text: &str) -> Result<()> {
    log.put_many("s", vec![record("key", text)]).await?.remove(0).map(drop)
}

fn assert_no_space(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("no space left"), "{error}");
    assert!(!error.diagnosis().hints.is_empty() && error.place().is_some());
}

#[tokio::test]
async fn a_segment_that_cannot_be_written_takes_no_records() {
    let mut house = House::new().await;
    house.options.segment_bytes = 1;
    let log = house.with_stream(1).await;
    put_texts(&log, &["one"]).await;
    let folder = log.shard_folder("s", ShardId(0)).unwrap();
    let next = folder.join(format!("{:020}.seg", 2));
    std::os::unix::fs::symlink("/dev/full", &next).unwrap();
    for _ in 0..3 {
        assert_no_space(&try_put(&log, "two").await.unwrap_err());
    }
    let several = ["a", "b", "c"].map(|text| record("key", text));
    assert!(log.put_many("s", several.into()).await.unwrap().iter().all(Result::is_err));
    assert_eq!(texts(&log, 0).await, ["one"]);
    std::fs::remove_file(&next).unwrap();
    put_texts(&log, &["three"]).await;
    assert_eq!(texts(&log, 0).await, ["one", "three"]);
    // The journal knows of what was refused, too: a restart must not bring it back over what came after.
    let image = house.image();
    let recovered = image.open().await;
    assert_eq!(recovered.recovered().damages, []);
    assert_eq!(texts(&recovered, 0).await, ["one", "three"]);
    drop(log);
    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    assert_eq!(texts(&log, 0).await, ["one", "three"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_takes_no_records() {
    let mut house = House::new().await;
    house.options.segment_bytes = 1;
    let log = house.with_stream(2).await;
    let half = HashRange::even(2)[1].first;
    let to = |hash: u128| NewRecord { explicit_hash_key: Some(hash), ..record("k", "x") };
    let put = async || log.put_many("s", vec![to(0), to(half)]).await.unwrap();
    assert!(put().await.iter().all(Result::is_ok));
    let folder = log.shard_folder("s", ShardId(0)).unwrap();
    let aside = folder.with_extension("aside");
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let answers = put().await;
    assert_eq!(answers[0].as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(answers[1].is_ok(), "the other shard is not concerned");
    // A checkpoint cannot sync what is not there. It fails, and so do puts when they would need it, until it can.
    assert_eq!(log.checkpoint().await.unwrap_err().kind(), ErrorKind::Unavailable);
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    log.checkpoint().await.unwrap();
    assert!(put().await.iter().all(Result::is_ok));
    drop(log);
    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    assert_eq!((texts(&log, 0).await.len(), texts(&log, 1).await.len()), (2, 3));
}

#[tokio::test]
async fn a_checkpoint_that_is_tried_again_does_not_bring_back_what_was_refused() {
    let mut house = House::new().await;
    house.options.segment_bytes = 1;
    let log = house.with_stream(2).await;
    let half = HashRange::even(2)[1].first;
    let to =
        |hash: u128, text: &'static str| NewRecord { explicit_hash_key: Some(hash), ..record("k", text) };
    let put = async |records: Vec<NewRecord>| {
        let answers = log.put_many("s", records).await.unwrap();
        answers.iter().filter(|answer| answer.is_ok()).count()
    };
    assert_eq!(put(vec![to(0, "first"), to(half, "first")]).await, 2);
    let (one, two) = (log.shard_folder("s", ShardId(0)).unwrap(), log.shard_folder("s", ShardId(1)).unwrap());
    let next = one.join(format!("{:020}.seg", 2));
    std::os::unix::fs::symlink("/dev/full", &next).unwrap();
    assert_eq!(put(vec![to(0, "refused")]).await, 0);
    std::fs::remove_file(&next).unwrap();
    // The journal that has the refused record cannot be retired for now; the other one takes the next record.
    let aside = two.with_extension("aside");
    std::fs::rename(&two, &aside).unwrap();
    std::fs::write(&two, "in the way").unwrap();
    assert!(log.checkpoint().await.is_err());
    assert_eq!(put(vec![to(0, "as long")]).await, 1);
    std::fs::remove_file(&two).unwrap();
    std::fs::rename(&aside, &two).unwrap();
    log.checkpoint().await.unwrap();
    assert_eq!(texts(&log, 0).await, ["first", "as long"]);
    assert_eq!(log.check("s").await.unwrap(), []);
    drop(log);
    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    assert_eq!((texts(&log, 0).await.len(), texts(&log, 1).await.len()), (2, 1));
}

/// Not a test by itself: puts until files may not grow any more, then is given more room.
#[tokio::test]
async fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let house = House::new().await;
    let options = LocalOptions { segment_bytes: 20_000, ..house.options.clone() };
    let log =
        LocalLog::open(Path::new(&folder), house.db.clone(), house.clock.clone(), options).await.unwrap();
    log.create_stream(NewStream::provisioned("s", 1)).await.unwrap();
    let limit = |current| setrlimit(Resource::Fsize, Rlimit { current, maximum: None }).unwrap();
    limit(Some(100_000));
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for n in 0..400 {
        let text = format!("{n} {}", "x".repeat(1000));
        match try_put(&log, &text).await {
            Ok(()) => acknowledged.push(text),
            Err(error) => {
                assert_no_space(&error);
                refused += 1;
                if refused == 5 {
                    limit(None);
                }
            }
        }
    }
    assert_eq!(refused, 5);
    assert_eq!(texts(&log, 0).await, acknowledged);
    assert!(segments(&log, 0).len() > 10);
    drop(log);
    let log = LocalLog::open(Path::new(&folder), house.db.clone(), house.clock.clone(), crate::options())
        .await
        .unwrap();
    assert_eq!(texts(&log, 0).await, acknowledged);
    println!("it went on");
}

#[test]
fn a_full_disk_stops_acknowledgements_and_loses_nothing() {
    let folder = crate::scratch();
    let me = std::env::current_exe().unwrap();
    // A process that may not write on gets a signal, which would end it; the shell has it ignored.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(me)
        .args(["--exact", "full::child", "--nocapture"])
        .env(CHILD, folder.path())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("it went on"), "{said}");
}
