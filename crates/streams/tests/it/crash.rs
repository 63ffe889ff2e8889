//! Processes that are killed at every point that matters: no record that was acknowledged is missing, none is there
//! twice, and every change of streams and shards has happened or has not.

use crate::{House, put_texts, record, rest, scratch, segments, texts};
use chrono::Duration;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use streams::*;

const FOLDER: &str = "GLULAM_STREAMS_TEST_FOLDER";
const WORK: &str = "GLULAM_STREAMS_TEST_WORK";

/// Small, so that journals and segments change often.
async fn house_at(path: &Path) -> House {
    let options = LocalOptions { journal_bytes: 3000, segment_bytes: 1500, ..crate::options() };
    House { options, ..House::at(path.to_owned()).await }
}

/// Not a test by itself: what the killed process does. Without its variables it does nothing.
#[tokio::test]
async fn child() {
    let (Ok(folder), Ok(work)) = (std::env::var(FOLDER), std::env::var(WORK)) else { return };
    let house = house_at(Path::new(&folder)).await;
    match work.as_str() {
        "put" => put_and_reshape(&house).await,
        "sweep" => {
            let log = house.with_stream(1).await;
            put_texts(&log, &["old", "older"]).await;
            house.hand.advance(Duration::hours(25));
            put_texts(&log, &["new"]).await;
            log.sweep().await.unwrap();
        }
        "delete" => {
            let log = house.with_stream(1).await;
            put_texts(&log, &["old"]).await;
            log.delete_stream("s", false).await.unwrap();
        }
        "skip" => {
            let log = house.with_stream(1).await;
            for text in ["one", "two", "three"] {
                put_texts(&log, &[text]).await;
            }
            log.checkpoint().await.unwrap();
            let file = segments(&log, 0).remove(0);
            let mut bytes = std::fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&file, bytes).unwrap();
            log.skip_damage("s", ShardId(0)).await.unwrap();
        }
        other => panic!("there is no work `{other}`"),
    }
    panic!("it should not have come this far");
}

async fn put_and_reshape(house: &House) {
    let log = house.with_stream(2).await;
    for n in 0.. {
        match n % 40 {
            13 => log.update_shard_count("s", 3).await.unwrap(),
            27 => log.update_shard_count("s", 2).await.unwrap(),
            _ => {}
        }
        let records: Vec<_> =
            (0..3).map(|part| record(&format!("key {n} {part}"), format!("{n} {part}"))).collect();
        let mut said = String::new();
        for (placed, part) in log.put_many("s", records).await.unwrap().into_iter().zip(0..) {
            let placed = placed.unwrap();
            said += &format!("{} {} {n} {part}\n", placed.shard.0, placed.sequence_number);
        }
        std::io::stdout().write_all(said.as_bytes()).unwrap();
    }
}

/// Has a process do that work until it is killed at that point. Answers what it said and what it left.
async fn killed(work: &str, point: &str) -> (String, House, tempfile::TempDir) {
    let folder = scratch();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(FOLDER, folder.path())
        .env(WORK, work)
        .env(crashpoint::VARIABLE, point)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.signal(), Some(9), "`{work}` must reach `{point}`");
    (String::from_utf8(output.stdout).unwrap(), house_at(folder.path()).await, folder)
}

/// What was acknowledged, by shard: sequence number and text. The last line may have been cut by the kill.
fn acknowledged(said: &str) -> BTreeMap<u32, Vec<(SequenceNumber, String)>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    for line in whole.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(shard), Some(number), Some(text)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        // The harness of the tests has lines of its own.
        let (Ok(shard), Ok(number)) = (shard.parse(), number.parse()) else { continue };
        all.entry(shard).or_default().push((number, text.to_owned()));
    }
    all
}

/// Every acknowledged record is in its place. At most the call that was under way has left others.
async fn assert_kept(log: &LocalLog, said: &str, point: &str) -> usize {
    let acknowledged = acknowledged(said);
    let mut extra = 0;
    for shard in log.list_shards("s", ShardFilter::default()).await.unwrap() {
        let read = rest(log, shard.id.0, StartAt::TrimHorizon).await.unwrap();
        assert!(read.windows(2).all(|pair| pair[0].sequence_number < pair[1].sequence_number));
        let read: Vec<_> = read
            .into_iter()
            .map(|record| (record.sequence_number, String::from_utf8(record.data().to_vec()).unwrap()))
            .collect();
        let wanted = acknowledged.get(&shard.id.0).cloned().unwrap_or_default();
        assert_eq!(read[..wanted.len()], wanted, "{} after {point}", shard.id);
        extra += read.len() - wanted.len();
    }
    assert!(extra <= 3, "{extra} more than were acknowledged, after {point}");
    acknowledged.values().map(Vec::len).sum()
}

#[tokio::test]
async fn no_acknowledged_record_is_lost_at_any_point() {
    for (point, least) in [
        ("streams.commit.before_journal:100", 99 * 3),
        ("streams.commit.before_sync:33", 32 * 3),
        ("streams.commit.after_sync:61", 60 * 3),
        ("streams.commit.between_segments:7", 0),
        ("streams.commit.between_segments:90", 90),
        ("streams.commit.before_answer:45", 44 * 3),
        ("streams.journal.switched:1", 3),
        ("streams.journal.switched:5", 15),
        ("streams.checkpoint.synced:1", 3),
        ("streams.checkpoint.synced:4", 12),
        ("streams.reshard.before_commit:1", 13 * 3),
        ("streams.reshard.after_commit:1", 13 * 3),
        ("streams.reshard.before_commit:4", 67 * 3),
        ("streams.reshard.after_commit:3", 53 * 3),
    ] {
        let (said, house, _folder) = killed("put", point).await;
        let log = house.open().await;
        assert_eq!(log.recovered().damages, [], "{point}");
        let kept = assert_kept(&log, &said, point).await;
        assert!(kept >= least, "{point}: {kept} acknowledged, expected {least}");
        // It goes on as if nothing had been, and stays so after an orderly restart.
        put_texts(&log, &["next"]).await;
        log.update_shard_count("s", 2).await.unwrap();
        put_texts(&log, &["last"]).await;
        let count = async |log: &LocalLog| {
            let mut count = 0;
            for shard in log.list_shards("s", ShardFilter::default()).await.unwrap() {
                count += texts(log, shard.id.0).await.len();
            }
            count
        };
        let before = count(&log).await;
        assert!(before >= kept + 2);
        drop(log);
        let log = house.open().await;
        assert_eq!((log.recovered().damages.len(), log.recovered().replayed), (0, 0));
        assert_eq!(count(&log).await, before);
    }
}

#[tokio::test]
async fn a_start_that_is_killed_is_made_up_for_by_the_next() {
    let (said, house, folder) = killed("put", "streams.commit.after_sync:50").await;
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(FOLDER, folder.path())
        .env(WORK, "put")
        .env(crashpoint::VARIABLE, "streams.open.replayed")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(9));
    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    assert_eq!(assert_kept(&log, &said, "a second kill").await, 49 * 3);
}

#[tokio::test]
async fn a_sweep_that_is_killed_hides_nothing_and_brings_nothing_back() {
    let (_, house, _folder) = killed("sweep", "streams.sweep.before_delete").await;
    house.hand.advance(Duration::hours(25));
    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    assert_eq!(texts(&log, 0).await, ["new"]);
}

#[tokio::test]
async fn a_deletion_that_is_killed_is_finished_by_the_next_start() {
    for point in ["streams.delete.marked", "streams.delete.removed"] {
        let (_, house, _folder) = killed("delete", point).await;
        let log = house.open().await;
        assert!(log.list_streams(None, 10).await.unwrap().is_empty(), "{point}");
        assert!(log.recovered().unknown_folders.is_empty() && log.recovered().damages.is_empty());
        log.create_stream(NewStream::provisioned("s", 1)).await.unwrap();
        assert!(texts(&log, 0).await.is_empty());
    }
}

#[tokio::test]
async fn a_skip_that_is_killed_has_skipped_nothing() {
    let (_, house, _folder) = killed("skip", "streams.skip.before_rename").await;
    let log = house.open().await;
    assert!(!log.check("s").await.unwrap().is_empty());
    assert!(rest(&log, 0, StartAt::TrimHorizon).await.is_err());
    log.skip_damage("s", ShardId(0)).await.unwrap();
    assert_eq!(texts(&log, 0).await.len(), 2);
    assert!(log.check("s").await.unwrap().is_empty());
}
