//! Torn tails, flipped bytes, missing files: what was acknowledged comes back from the journal, what was not is cut, and
//! what is really lost is reported, skipped only when asked, and kept aside.

use crate::{House, put_texts, rest, segments, texts};
use model::ErrorKind;
use std::path::Path;
use streams::*;

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn flip(path: &Path, at: usize) {
    edit(path, |bytes| bytes[at] ^= 0x20);
}

fn moved(path: &Path, from: &House, to: &House) -> std::path::PathBuf {
    to.root().join(path.strip_prefix(from.root().canonicalize().unwrap()).unwrap())
}

/// A log with three batches, each `size` bytes long in the segment; the last frame of the journal is `frame` long.
struct Three {
    house: House,
    log: LocalLog,
    segment: std::path::PathBuf,
    journal: std::path::PathBuf,
    ends: Vec<usize>,
    frames: Vec<usize>,
}

async fn three() -> Three {
    let house = House::new().await;
    let log = house.with_stream(1).await;
    let journal = house.root().canonicalize().unwrap().join("journal-a");
    let size = |path: &Path| std::fs::metadata(path).unwrap().len() as usize;
    let (mut ends, mut frames) = (vec![32], vec![size(&journal)]);
    for text in ["one", "two", "three"] {
        put_texts(&log, &[text]).await;
        ends.push(size(&segments(&log, 0)[0]));
        frames.push(size(&journal));
    }
    let segment = segments(&log, 0).remove(0);
    Three { house, log, segment, journal, ends, frames }
}

#[tokio::test]
async fn a_group_that_was_not_synced_is_cut_wherever_it_is_torn() {
    let Three { house, segment, journal, ends, frames, log: _log } = three().await;
    for cut in frames[2]..frames[3] {
        let image = house.image();
        edit(&moved(&journal, &house, &image), |bytes| bytes.truncate(cut));
        // The segment is written after the journal: of the group that was under way it has nothing.
        edit(&moved(&segment, &house, &image), |bytes| bytes.truncate(ends[2]));
        let log = image.open().await;
        let whole = texts(&log, 0).await;
        // Behind the frame's last byte that counts come up to seven that fill it up.
        let expected: &[&str] = if whole.len() == 3 { &["one", "two", "three"] } else { &["one", "two"] };
        assert!(whole.len() == 2 || cut + 7 >= frames[3], "cut at {cut}");
        assert_eq!(whole, expected);
        assert_eq!(log.recovered().damages, [], "cut at {cut}");
        put_texts(&log, &["next"]).await;
        assert_eq!(texts(&log, 0).await.len(), expected.len() + 1);
    }
}

#[tokio::test]
async fn a_torn_segment_is_made_whole_from_the_journal() {
    let Three { house, segment, ends, log: _log, .. } = three().await;
    for cut in (0..=ends[3]).step_by(7) {
        let image = house.image();
        edit(&moved(&segment, &house, &image), |bytes| bytes.truncate(cut));
        let log = image.open().await;
        assert_eq!(texts(&log, 0).await, ["one", "two", "three"], "cut at {cut}");
        assert_eq!(log.recovered().damages, []);
    }
}

#[tokio::test]
async fn a_torn_tail_that_no_journal_knows_is_cut() {
    let Three { house, segment, journal, ends, frames, log: _log } = three().await;
    for cut in ends[2]..ends[3] {
        let image = house.image();
        edit(&moved(&journal, &house, &image), |bytes| bytes.truncate(frames[2]));
        edit(&moved(&segment, &house, &image), |bytes| bytes.truncate(cut));
        let log = image.open().await;
        assert_eq!(texts(&log, 0).await, ["one", "two"], "cut at {cut}");
        assert_eq!(log.recovered().damages, []);
        assert_eq!(log.recovered().cut_bytes as usize, cut - ends[2]);
        let file = moved(&segment, &house, &image);
        assert_eq!(std::fs::metadata(file).unwrap().len() as usize, ends[2]);
    }
}

#[tokio::test]
async fn damage_is_reported_and_stops_readers_until_it_is_skipped() {
    let Three { house, segment, ends, log, .. } = three().await;
    log.close().await;
    drop(log);
    let places = (ends[1]..ends[2]).chain([0, 20]);
    for (at, is_indexed) in places.flat_map(|at| [(at, true), (at, false)]) {
        let image = house.image();
        let file = moved(&segment, &house, &image);
        if !is_indexed {
            std::fs::remove_file(file.with_extension("index")).unwrap();
        }
        flip(&file, at);
        let damaged = std::fs::read(&file).unwrap();
        let log = image.open().await;
        let header = at < 32;
        let damages = log.check("s").await.unwrap();
        assert_eq!(damages.len(), 1, "flipped at {at}: {damages:?}");
        assert_eq!(
            (&damages[0].path, &damages[0].stream, damages[0].shard),
            (&file, &"s".into(), Some(ShardId(0)))
        );
        assert_eq!(damages[0].position as usize, if header { 0 } else { ends[1] });
        // What a checkpoint has synced is not read through at the start.
        let at_start = if header || !is_indexed { damages.clone() } else { Vec::new() };
        assert_eq!(log.recovered().damages, at_start, "flipped at {at}");
        // Records can be put all the same.
        put_texts(&log, &["four"]).await;
        let error = rest(&log, 0, StartAt::TrimHorizon).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(format!("{error}").contains(file.to_str().unwrap()), "{error}");
        drop(log);
        let log = image.open().await;
        assert_eq!(log.check("s").await.unwrap(), damages, "it is found again");

        let skipped = log.skip_damage("s", ShardId(0)).await.unwrap();
        let expected: &[&str] = if header { &["four"] } else { &["one", "three", "four"] };
        assert_eq!(texts(&log, 0).await, expected, "flipped at {at}");
        assert_eq!(skipped.records as usize, 4 - expected.len());
        assert!(std::fs::read(&skipped.kept_aside[0]).unwrap().starts_with(&damaged));
        assert_eq!(log.skip_damage("s", ShardId(0)).await.unwrap(), Skipped::default());
        drop(log);
        let log = image.open().await;
        assert_eq!(log.recovered().damages, []);
        put_texts(&log, &["five"]).await;
        assert_eq!(texts(&log, 0).await.len(), expected.len() + 1);
    }
}

#[tokio::test]
async fn bytes_lost_at_the_end_of_what_was_acknowledged_are_no_torn_tail() {
    let Three { house, segment, ends, log, .. } = three().await;
    let before = rest(&log, 0, StartAt::TrimHorizon).await.unwrap();
    log.close().await;
    drop(log);
    for cut in ends[2]..ends[3] {
        let image = house.image();
        edit(&moved(&segment, &house, &image), |bytes| bytes.truncate(cut));
        let log = image.open().await;
        assert_eq!(log.recovered().damages.len(), 1, "cut at {cut}");
        let placed = put_texts(&log, &["four"]).await;
        assert!(placed[0].sequence_number > before[2].sequence_number, "a number is never given twice");
        assert_eq!(log.skip_damage("s", ShardId(0)).await.unwrap().records, 1);
        assert_eq!(texts(&log, 0).await, ["one", "two", "four"]);
    }
}

#[tokio::test]
async fn damage_in_a_finished_segment_is_found_when_it_is_read() {
    let mut house = House::new().await;
    house.options.segment_bytes = 1;
    let log = house.with_stream(1).await;
    for text in ["one", "two", "three"] {
        put_texts(&log, &[text]).await;
    }
    log.close().await;
    drop(log);
    let log = house.open().await;
    let files = segments(&log, 0);
    flip(&files[1], 70);
    let iterator = crate::from(&log, 0, StartAt::TrimHorizon).await;
    let read = log.get_records(&iterator, ReadOptions::default()).await.unwrap();
    assert_eq!(read.records.len(), 1, "what is whole before the damage is answered first");
    let error = log.get_records(&read.next.unwrap(), ReadOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(log.check("s").await.unwrap()[0].path, files[1]);
    log.skip_damage("s", ShardId(0)).await.unwrap();
    assert_eq!(texts(&log, 0).await, ["one", "three"]);
    // A segment that is gone altogether.
    std::fs::remove_file(&files[0]).unwrap();
    assert_eq!(log.check("s").await.unwrap().len(), 1);
    drop(log);
    let log = house.open().await;
    assert_eq!(log.recovered().damages.len(), 1);
    assert_eq!(rest(&log, 0, StartAt::TrimHorizon).await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(log.skip_damage("s", ShardId(0)).await.unwrap().records, 1);
    assert_eq!(texts(&log, 0).await, ["three"]);
    drop(log);
    assert_eq!(house.open().await.recovered().damages, []);
}

#[tokio::test]
async fn a_damaged_index_is_made_again() {
    let mut house = House::new().await;
    house.options.segment_bytes = 1;
    let log = house.with_stream(1).await;
    for text in ["one", "two", "three"] {
        put_texts(&log, &[text]).await;
    }
    log.close().await;
    let files = segments(&log, 0);
    drop(log);
    flip(&files[0].with_extension("index"), 30);
    std::fs::remove_file(files[1].with_extension("index")).unwrap();
    let log = house.open().await;
    assert_eq!(log.recovered().damages, []);
    assert_eq!(texts(&log, 0).await, ["one", "two", "three"]);
}

#[tokio::test]
async fn a_damaged_journal_is_reported_and_the_segments_speak_for_themselves() {
    let Three { house, journal, frames, log: _log, .. } = three().await;
    for at in frames[1]..frames[2] {
        let image = house.image();
        flip(&moved(&journal, &house, &image), at);
        let log = image.open().await;
        let damages = &log.recovered().damages;
        // The bytes that fill a frame up mean nothing.
        assert!(damages.len() == 1 || at + 7 >= frames[2], "flipped at {at}");
        assert!(damages.iter().all(|damage| damage.position as usize == frames[1] && damage.shard.is_none()));
        assert_eq!(damages.len(), usize::from(image.root().join("aside/journal-a").exists()));
        assert_eq!(texts(&log, 0).await, ["one", "two", "three"]);
    }
    let image = house.image();
    for name in ["journal-a", "journal-b"] {
        std::fs::remove_file(image.root().join(name)).unwrap();
    }
    let log = image.open().await;
    assert_eq!(log.recovered().damages.len(), 1);
    assert_eq!(texts(&log, 0).await, ["one", "two", "three"]);
}
