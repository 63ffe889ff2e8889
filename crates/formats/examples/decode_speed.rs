//! How fast each format is decoded and written on one core: prints MB/s and rows/s.
//!
//! `cargo run --release -p formats --example decode_speed [MB]`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people, which may end with an error"
)]

use arrow::array::RecordBatch;
use bytes::Bytes;
use formats::{
    Column, CsvSpec, DecodeOptions, DelimitedSpec, FormatSpec, JsonSpec, WriteFormat, WriteSpec, decoder,
    encoder,
};
use sql::SqlType;
use std::fmt::Write;
use std::time::Instant;

const CHUNK: usize = 4 << 20;

fn main() {
    let megabytes: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(200);
    let size = megabytes << 20;
    let csv = windowed_csv(size);
    let columns = windowed_columns();
    let lazy = FormatSpec::from_table(
        None,
        Some("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
        [("field.delim", ",")],
        [],
    )
    .unwrap();
    let all: Vec<usize> = (0..columns.len()).collect();
    decode("windowed CSV, LazySimpleSerDe, 7 of 7", &lazy, &columns, &all, &csv);
    decode("windowed CSV, LazySimpleSerDe, 2 of 7", &lazy, &columns, &[2, 3], &csv);
    decode("windowed CSV, no columns (count)", &lazy, &columns, &[], &csv);
    let open = FormatSpec::from_name("csv").unwrap();
    decode("windowed CSV, OpenCSV, 7 of 7", &open, &columns, &all, &csv);
    let plain = plain_csv(size);
    let plain_columns = plain_columns();
    decode("plain metrics CSV, 5 of 5", &lazy, &plain_columns, &[0, 1, 2, 3, 4], &plain);
    let json = events_json(size);
    let spec = FormatSpec::from_name("json").unwrap();
    decode("JSON events, 5 of 5", &spec, &plain_columns, &[0, 1, 2, 3, 4], &json);
    decode("JSON events, 2 of 5", &spec, &plain_columns, &[1, 3], &json);
    let log = access_log(size);
    let regex = r#"(\S+)\s+-?\s*(\S+) "(\S+) (\S+)" (\d+) \[([^\]]+)\] "([^"]*)""#;
    let spec = FormatSpec::from_table(
        None,
        Some("org.apache.hadoop.hive.serde2.RegexSerDe"),
        [("input.regex", regex)],
        [],
    )
    .unwrap();
    decode("access log, RegexSerDe, 7 of 7", &spec, &log_columns(), &[0, 1, 2, 3, 4, 5, 6], &log);
    let batches = decode("once more", &lazy, &columns, &all, &csv);
    encode_all(&batches, &columns, csv.len());
}

fn decode(
    what: &str,
    spec: &FormatSpec,
    columns: &[Column],
    projection: &[usize],
    text: &Bytes,
) -> Vec<RecordBatch> {
    let mut best = f64::MAX;
    let mut kept = Vec::new();
    let mut rows = 0;
    for _ in 0..3 {
        kept.clear();
        rows = 0;
        let mut decoder = decoder(spec, columns, projection, DecodeOptions::default()).unwrap();
        let start = Instant::now();
        let mut rest = text.clone();
        while !rest.is_empty() {
            let chunk = rest.split_to(rest.len().min(CHUNK));
            decoder.feed(chunk).unwrap();
            while let Some(batch) = decoder.take_batch().unwrap() {
                rows += batch.num_rows();
                if kept.len() < 130 {
                    kept.push(batch);
                }
            }
        }
        decoder.finish().unwrap();
        best = best.min(start.elapsed().as_secs_f64());
        assert_eq!(decoder.rejects().count, 0, "{:?}", decoder.rejects().first.first());
    }
    report(what, text.len(), rows, best);
    kept
}

fn report(what: &str, bytes: usize, rows: usize, seconds: f64) {
    println!(
        "{what:42} {:7.0} MB/s {:7.2} M rows/s",
        bytes as f64 / 1e6 / seconds,
        rows as f64 / 1e6 / seconds
    );
}

fn encode_all(batches: &[RecordBatch], columns: &[Column], text: usize) {
    let types: Vec<SqlType> = columns.iter().map(|c| c.sql_type.clone()).collect();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let csv = |quote_all| WriteFormat::Csv { spec: CsvSpec::default(), header: true, quote_all };
    let cases = [
        ("write Parquet, zstd", WriteFormat::Parquet, Some("zstd"), None),
        ("write Parquet, zstd 3", WriteFormat::Parquet, Some("zstd"), Some(3)),
        ("write Parquet, snappy", WriteFormat::Parquet, Some("snappy"), None),
        ("write ORC, zlib", WriteFormat::Orc, None, None),
        ("write Avro, snappy", WriteFormat::Avro, Some("snappy"), None),
        ("write CSV", csv(false), None, None),
        ("write CSV, gzip", csv(false), Some("gzip"), None),
        ("write JSON", WriteFormat::Json(JsonSpec::default()), None, None),
        ("write text", WriteFormat::Delimited { spec: DelimitedSpec::default(), header: false }, None, None),
    ];
    for (what, format, compression, level) in cases {
        let spec = WriteSpec {
            compression: compression.map(str::to_owned),
            compression_level: level,
            ..WriteSpec::new(format)
        };
        let start = Instant::now();
        let mut encoder = encoder(&spec, batches[0].schema(), &types).unwrap();
        let mut size = 0;
        for batch in batches {
            encoder.write(batch).unwrap();
            size += encoder.take().len();
        }
        size += encoder.finish().unwrap().bytes.len();
        let seconds = start.elapsed().as_secs_f64();
        report(what, size, rows, seconds);
        let _ = text;
        println!("{:42} {:7.1} bytes a row", "", size as f64 / rows as f64);
    }
}

fn column(name: &str, sql_type: &str) -> Column {
    Column::new(name, sql_type.parse().unwrap())
}

fn windowed_columns() -> Vec<Column> {
    vec![
        column("componentname", "varchar"),
        column("fromtimestamp", "varchar"),
        column("maxvalue", "double"),
        column("metricname", "varchar"),
        column("minvalue", "double"),
        column("totimestamp", "varchar"),
        column("unit", "varchar"),
    ]
}

fn plain_columns() -> Vec<Column> {
    vec![
        column("componentname", "varchar"),
        column("metricname", "varchar"),
        column("unit", "varchar"),
        column("value", "double"),
        column("publicationtimestamp", "timestamp(3)"),
    ]
}

fn log_columns() -> Vec<Column> {
    ["address", "user", "method", "path"]
        .map(|name| column(name, "varchar"))
        .into_iter()
        .chain([column("status", "integer"), column("at", "timestamp(3)"), column("agent", "varchar")])
        .collect()
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn text(size: usize, mut line: impl FnMut(&mut Numbers, u64, &mut String)) -> Bytes {
    let mut numbers = Numbers(7);
    let mut out = String::with_capacity(size + 1000);
    let mut i = 0;
    while out.len() < size {
        line(&mut numbers, i, &mut out);
        i += 1;
    }
    out.into()
}

const SERVICES: [&str; 5] =
    ["order-service", "user-service", "billing-service", "stock-service", "mail-service"];
const METRICS: [&str; 4] = ["requests", "latency", "cpu-usage", "memory"];

fn time(i: u64) -> String {
    let day = i / 86_400;
    format!(
        "2021-{:02}-{:02}T{:02}:{:02}:{:02}",
        day / 28 % 12 + 1,
        day % 28 + 1,
        i / 3600 % 24,
        i / 60 % 60,
        i % 60
    )
}

fn windowed_csv(size: usize) -> Bytes {
    text(size, |n, i, out| {
        let (a, b) = (n.next(100_000), n.next(1000));
        let service = SERVICES[(i % 5) as usize];
        let metric = METRICS[(i / 5 % 4) as usize];
        let (from, to) = (time(i / 20 * 300), time(i / 20 * 300 + 300));
        let _ = writeln!(out, "{service},{from}Z,{}.{b:03},{metric},{}.{:03},{to}Z,ms", a + 50, a, b / 2);
    })
}

fn plain_csv(size: usize) -> Bytes {
    text(size, |n, i, out| {
        let service = SERVICES[(i % 5) as usize];
        let metric = METRICS[(i / 5 % 4) as usize];
        let _ = writeln!(
            out,
            "{service},{metric},ms,{}.{},{}.{:03}Z",
            n.next(1000),
            n.next(1000),
            time(i / 20),
            n.next(1000)
        );
    })
}

fn events_json(size: usize) -> Bytes {
    text(size, |n, i, out| {
        let service = SERVICES[(i % 5) as usize];
        let metric = METRICS[(i / 5 % 4) as usize];
        let _ = writeln!(
            out,
            "{{\"componentName\":\"{service}\",\"metricName\":\"{metric}\",\"unit\":\"ms\",\"value\":{}.{},\"publicationTimestamp\":\"{}.{:03}Z\"}}",
            n.next(1000),
            n.next(1000),
            time(i / 20),
            n.next(1000)
        );
    })
}

fn access_log(size: usize) -> Bytes {
    text(size, |n, i, out| {
        let service = SERVICES[(i % 5) as usize];
        let _ = writeln!(
            out,
            "192.168.{}.{}  - {service} \"GET /api/v1/orders/{}\" 200 [{}.{:03}Z] \"Apache HTTP Client\"",
            n.next(250),
            n.next(250),
            n.next(100_000),
            time(i / 20),
            n.next(1000)
        );
    })
}
