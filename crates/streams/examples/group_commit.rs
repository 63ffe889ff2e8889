//! What group commit brings: durable records a second and the time a call takes, for 1 and 16 producers of 500-record
//! calls, on 1 and 100 shards, beside appending the same bytes to a plain file with a sync for each call and with one
//! sync at the end. Arguments: a folder (a temporary one), calls a producer (100), bytes a record (200).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example prints, and may panic")]

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use streams::*;

const RECORDS: usize = 500;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let temporary = tempfile::tempdir().unwrap();
    let folder = arguments.next().map_or(temporary.path().to_owned(), std::path::PathBuf::from);
    let mut number = |default: usize| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (calls, size) = (number(100), number(200));
    println!("{RECORDS} records of {size} bytes a call");
    for producers in [1, 16] {
        plain(&folder, calls, producers, size);
    }
    for (shards, producers) in [(1, 1), (1, 16), (16, 16), (100, 1), (100, 16)] {
        durable(&folder, shards, producers, calls, size).await;
    }
}

fn report(what: &str, records: usize, size: usize, took: Duration, mut calls: Vec<Duration>) {
    calls.sort();
    let at = |part: usize| calls.get(calls.len() * part / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!(
        "{what}: {:.0} records/s, {:.1} MB/s, call p50 {:.1} ms, p99 {:.1} ms",
        records as f64 / took.as_secs_f64(),
        (records * size) as f64 / 1e6 / took.as_secs_f64(),
        at(50),
        at(99)
    );
}

/// The same bytes, appended to one file: a sync for each call of each producer in turn, and one sync at the end.
fn plain(folder: &Path, calls: usize, producers: usize, size: usize) {
    let block = vec![b'x'; RECORDS * size];
    for each in [true, false] {
        let path = folder.join("plain");
        let mut file = std::fs::File::create(&path).unwrap();
        let mut times = Vec::new();
        let start = Instant::now();
        for _ in 0..calls {
            let call = Instant::now();
            (0..producers).for_each(|_| file.write_all(&block).unwrap());
            if each {
                file.sync_data().unwrap();
            }
            times.push(call.elapsed());
        }
        file.sync_data().unwrap();
        let how = if each { "one sync a round" } else { "one sync at the end" };
        let what = format!("plain append, {producers} blocks a round, {how}");
        report(&what, calls * producers * RECORDS, size, start.elapsed(), times);
        std::fs::remove_file(path).unwrap();
    }
}

async fn durable(folder: &Path, shards: u32, producers: usize, calls: usize, size: usize) {
    let place = tempfile::tempdir_in(folder).unwrap();
    let db = state::Database::sqlite(&place.path().join("state.db")).await.unwrap();
    let options = LocalOptions::new("000000000000".parse().unwrap(), "eu-central-1".parse().unwrap());
    let log =
        LocalLog::open(&place.path().join("streams"), db, state::Clock::system(), options).await.unwrap();
    log.create_stream(NewStream::provisioned("bench", shards)).await.unwrap();
    let start = Instant::now();
    let tasks: Vec<_> = (0..producers)
        .map(|producer| {
            let log = log.clone();
            tokio::spawn(async move {
                let data = bytes::Bytes::from(vec![b'x'; size]);
                let mut times = Vec::new();
                for call in 0..calls {
                    let record = |n| NewRecord::new(format!("{producer} {call} {n}"), data.clone());
                    let records = (0..RECORDS).map(record).collect();
                    let begun = Instant::now();
                    let placed = log.put_many("bench", records).await.unwrap();
                    times.push(begun.elapsed());
                    assert!(placed.iter().all(Result::is_ok));
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let what = format!("stream log, {shards} shards, {producers} producers");
    report(&what, producers * calls * RECORDS, size, start.elapsed(), times);
    read_back(&log, producers * calls * RECORDS).await;
    log.close().await;
}

/// Reads everything once, which also checks it.
async fn read_back(log: &LocalLog, expected: usize) {
    let start = Instant::now();
    let mut count = 0;
    for shard in log.list_shards("bench", ShardFilter::default()).await.unwrap() {
        let mut next = Some(log.iterator("bench", shard.id, StartAt::TrimHorizon).await.unwrap());
        while let Some(iterator) = next {
            let read = log.get_records(&iterator, ReadOptions::default()).await.unwrap();
            count += read.records.len();
            next = read.next.filter(|_| !read.records.is_empty());
        }
    }
    assert_eq!(count, expected);
    println!("    read back: {:.0} records/s", count as f64 / start.elapsed().as_secs_f64());
}
