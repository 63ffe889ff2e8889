//! How much of an object is read: heads and footers, never the whole.

use super::classify_source;
use async_trait::async_trait;
use bytes::Bytes;
use crawl::classify::{Limits, Source};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// An object of any size whose bytes are made up when asked for, counting them.
struct Counting<F> {
    size: u64,
    read: AtomicU64,
    bytes: F,
}

#[async_trait]
impl<F: Fn(Range<u64>) -> Vec<u8> + Send + Sync> Source for Counting<F> {
    fn name(&self) -> &str {
        "s3://lake/huge"
    }

    fn size(&self) -> u64 {
        self.size
    }

    async fn read_range(&self, range: Range<u64>) -> model::Result<Bytes> {
        assert!(range.end <= self.size, "read behind the end");
        self.read.fetch_add(range.end - range.start, Ordering::Relaxed);
        Ok((self.bytes)(range).into())
    }
}

const GIGABYTE: u64 = 1 << 30;

fn read_of(size: u64, bytes: impl Fn(Range<u64>) -> Vec<u8> + Send + Sync) -> (u64, model::Result<u64>) {
    let source = Counting { size, read: AtomicU64::new(0), bytes };
    let found = classify_source(&source, &Limits::default());
    (source.read.load(Ordering::Relaxed), found.map(|found| found.sampled_rows))
}

#[test]
fn a_gigabyte_of_text_is_sampled() {
    let line = b"12345,name of it,3.5\n";
    let (read, rows) =
        read_of(GIGABYTE, |range| range.map(|at| line[(at % line.len() as u64) as usize]).collect());
    assert_eq!(rows.unwrap(), 1000 + 1);
    assert!(read < 3 << 20, "{read}");
}

#[test]
fn a_gigabyte_without_a_line_end_is_sampled() {
    let (read, rows) = read_of(GIGABYTE, |range| range.map(|_| b'x').collect());
    assert!(rows.is_err());
    assert!(read < 3 << 20, "{read}");
}

#[test]
fn a_gigabyte_of_json_array_is_sampled() {
    let element = b",{\"id\":1,\"tags\":[\"a\",\"b\"]}";
    let (read, rows) = read_of(GIGABYTE, |range| {
        range.map(|at| if at == 0 { b'[' } else { element[(at % element.len() as u64) as usize] }).collect()
    });
    assert_eq!(rows.unwrap(), 1000);
    assert!(read < 3 << 20, "{read}");
}

#[test]
fn of_a_gigabyte_of_parquet_the_end_is_read() {
    let file = super::binary::wide_parquet(10);
    let start = GIGABYTE - file.len() as u64;
    let (read, rows) = read_of(GIGABYTE, |range| {
        range
            .map(|at| match at {
                0..4 => b"PAR1"[at as usize],
                at if at >= start + 4 => file[(at - start) as usize],
                _ => 0xaa,
            })
            .collect()
    });
    rows.unwrap();
    assert!(read < 1 << 20, "{read}");
}

#[test]
fn a_gzip_bomb_costs_no_more_than_the_sample() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let text = "id,name\n".to_owned() + &"1,aaaaaaaaaaaaaaaa\n".repeat(1000);
    for _ in 0..2000 {
        gzip.write_all(text.as_bytes()).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let (read, rows) =
        read_of(bomb.len() as u64, |range| bomb[range.start as usize..range.end as usize].to_vec());
    rows.unwrap();
    assert!(read <= 256 << 10, "{read}");
}
