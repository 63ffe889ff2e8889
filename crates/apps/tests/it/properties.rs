//! Applications that run, stop and go on with other numbers of tasks, against a plain computation: every kind of window,
//! over events in any order, late ones, equal ones, silent shards, and times that calendars make difficult.
//!
//! `PROPTEST_CASES` says how many cases each test tries, `PROPTEST_RNG_SEED` which ones.

use crate::batch::{Event, Lateness, Plain, Row, Window};
use crate::house::{House, behind, counted, runner};
use apps::{StartOptions, Stopping};
use chrono::DateTime;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

/// A key, a value, a time and its form.
type Given = (u8, i64, i64, u8);

/// What one case is about.
#[derive(Debug, Clone)]
struct Case {
    /// Event times count from here.
    begin: i64,
    /// For each start of the application: its number of tasks, and the events before it.
    batches: Vec<(usize, Vec<Given>)>,
    shards: u32,
    lateness: Lateness,
    /// CSV instead of JSON.
    is_csv: bool,
    /// A window in GROUP BY instead of a table function.
    in_group_by: bool,
}

/// Moments around which calendars differ: an hour before each.
fn begins() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![
        1_698_537_600_000_i64, // Europe repeats an hour, 2023-10-29
        1_711_845_000_000,     // Europe leaves one out, 2024-03-31
        1_710_061_200_000,     // America leaves one out, 2024-03-10
        1_709_164_500_000,     // 2024-02-28 to the 29th
        1_709_247_600_000,     // 2024-02-29 to March
        1_677_624_300_000,     // 2023-02-28 to March
        4_107_538_800_000,     // 2100 has no February 29th
        1_483_228_500_000,     // the leap second at the end of 2016
        1_704_063_600_000,     // a new year
        -3_600_000,            // 1970
    ])
}

fn cases() -> impl Strategy<Value = Case> {
    // Few keys, few values and few times: many are equal. Batches move on by as much as they are wide, so that some events
    // are behind the watermark, and some of those behind all of their windows.
    let event = (0..4_u8, 0..6_i64, 0..240_i64, 0..5_u8);
    let batch = (1..5_usize, prop::collection::vec(event, 0..60));
    let batches = prop::collection::vec(batch, 1..5);
    let lateness = (0..3_i64, prop_oneof![3 => Just(0), 1 => Just(7 * MINUTE)], any::<bool>());
    let layout = (1..8_u32, any::<bool>(), any::<bool>());
    (begins(), batches, lateness, layout).prop_map(|(begin, batches, lateness, layout)| {
        let batches = batches.into_iter().enumerate();
        let batches = batches.map(|(n, (tasks, events))| {
            let later = n as i64 * 12 * MINUTE;
            let at = |(key, value, step, form)| (key, value, later + step * 5 * SECOND + step % 5 - 2, form);
            (tasks, events.into_iter().map(at).collect())
        });
        let (bound, allowed, leaves_idle) = lateness;
        let lateness = Lateness { bound: bound * 4 * MINUTE, allowed, leaves_idle };
        let (shards, is_csv, in_group_by) = layout;
        Case { begin, batches: batches.collect(), shards, lateness, is_csv, in_group_by }
    })
}

/// A time as producers write it.
fn written(time: i64, form: u8) -> String {
    let at = |east: i64| DateTime::from_timestamp_millis(time + east).unwrap();
    match form {
        0 => at(0).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        1 => at(0).format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        2 => at(2 * 60 * MINUTE).format("%Y-%m-%dT%H:%M:%S%.6f+02:00").to_string(),
        3 => at(-210 * MINUTE).format("%Y-%m-%d %H:%M:%S%.3f-0330").to_string(),
        _ if time % SECOND == 0 => at(0).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        _ => at(0).format("%Y-%m-%dT%H:%M:%S%.9f UTC").to_string().replace(" UTC", "Z"),
    }
}

fn interval(millis: i64) -> String {
    format!("INTERVAL '{}' SECOND", millis / SECOND)
}

fn script(window: Window, case: &Case) -> String {
    let (name, lengths) = match window {
        Window::Tumble(size) => ("TUMBLE", interval(size)),
        Window::Hop(slide, size) => ("HOP", format!("{}, {}", interval(slide), interval(size))),
        Window::Cumulate(step, size) => ("CUMULATE", format!("{}, {}", interval(step), interval(size))),
        Window::Session(gap) => ("SESSION", interval(gap)),
    };
    let aggregates = "k, COUNT(*), SUM(v), MIN(v), MAX(v), COUNT(DISTINCT v)";
    let query = match case.in_group_by && name != "CUMULATE" {
        true => format!(
            "SELECT {aggregates}, {name}_START(ts, {lengths}), {name}_END(ts, {lengths})
             FROM events GROUP BY {name}(ts, {lengths}), k"
        ),
        false => format!(
            "SELECT {aggregates}, window_start, window_end
             FROM TABLE({name}(TABLE events{}, DESCRIPTOR(ts), {lengths})) GROUP BY window_start, window_end, k",
            if name == "SESSION" { " PARTITION BY k" } else { "" }
        ),
    };
    let idle = if case.lateness.leaves_idle { "SET 'table.exec.source.idle-timeout' = '2 s';" } else { "" };
    format!(
        "SET 'execution.checkpointing.interval' = '1 h'; SET 'glulam.late-events.table' = 'late'; {idle}
         SET 'table.exec.emit.allow-lateness' = '{} ms';
         CREATE TABLE events (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - {})
         WITH ('connector' = 'kinesis', 'stream' = 'events', 'aws.region' = 'x', 'format' = '{}',
               'scan.stream.initpos' = 'TRIM_HORIZON');
         CREATE TABLE windows (k STRING, n BIGINT, total BIGINT, least BIGINT, most BIGINT, different BIGINT,
           begins TIMESTAMP(3), ends TIMESTAMP(3))
         WITH ('connector' = 'filesystem', 'path' = 's3://out/windows/', 'format' = 'json');
         CREATE TABLE late (k STRING, v BIGINT, ts TIMESTAMP(3))
         WITH ('connector' = 'filesystem', 'path' = 's3://out/late/', 'format' = 'json');
         INSERT INTO windows {query};",
        case.lateness.allowed,
        interval(case.lateness.bound),
        if case.is_csv { "csv" } else { "json" },
    )
}

fn record(event: &Event, is_csv: bool) -> (String, String) {
    let Event { key, value, time, form } = event;
    let ts = written(*time, *form);
    let text = match is_csv {
        true => format!("{key},{value},{ts}"),
        false => format!(r#"{{"v": {value}, "ts": "{ts}", "k": "{key}"}}"#),
    };
    (key.clone(), text)
}

fn millis(line: &serde_json::Value, column: &str) -> i64 {
    let text = line[column].as_str().unwrap_or_else(|| panic!("{column} in {line}"));
    let text = text.replace('T', " ").trim_end_matches('Z').to_owned();
    let time = chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f");
    time.unwrap_or_else(|e| panic!("{text}: {e}")).and_utc().timestamp_millis()
}

async fn read(house: &House, folder: &str) -> Vec<serde_json::Value> {
    house.lines(folder).await.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn found(house: &House) -> Vec<Row> {
    let number = |line: &serde_json::Value, column: &str| line[column].as_i64().unwrap();
    let row = |line: &serde_json::Value| {
        let [n, total, least, most, different] =
            ["n", "total", "least", "most", "different"].map(|column| number(line, column));
        let key = line["k"].as_str().unwrap().to_owned();
        (key, millis(line, "begins"), millis(line, "ends"), n, total, least, most, different)
    };
    let mut all: Vec<Row> = read(house, "s3://out/windows/").await.iter().map(row).collect();
    all.sort();
    all
}

async fn late(house: &House) -> Vec<(String, i64, i64)> {
    let row = |line: &serde_json::Value| {
        (line["k"].as_str().unwrap().to_owned(), line["v"].as_i64().unwrap(), millis(line, "ts"))
    };
    let mut all: Vec<_> = read(house, "s3://out/late/").await.iter().map(row).collect();
    all.sort();
    all
}

/// Runs one case. Each batch is there before the application starts, which reads all of it at once: so what is late does
/// not depend on how fast this machine is.
async fn holds(window: Window, case: &Case) -> TestCaseResult {
    let house = House::new().await;
    house.stream("events", case.shards).await;
    house.apps.put("app", &script(window, case), "app.sql").await.unwrap();
    let mut plain = Plain::new(window, case.lateness, case.shards as usize);
    let mut records = 0;
    for (tasks, events) in &case.batches {
        let events: Vec<Event> = events
            .iter()
            .map(|(key, value, after, form)| Event {
                key: format!("k{key}"),
                value: *value,
                time: case.begin + after,
                form: *form,
            })
            .collect();
        let texts: Vec<_> = events.iter().map(|event| record(event, case.is_csv)).collect();
        let shards = house.put("events", &texts).await;
        let run = house
            .apps
            .start("app", StartOptions { tasks: Some(*tasks), ..Default::default() })
            .await
            .unwrap();
        counted(&house, &run, events.len() as u64).await;
        records += events.len();
        let mark = plain.take(&shards.into_iter().zip(events).collect::<Vec<_>>());
        if case.lateness.leaves_idle {
            // Once all shards are silent, the one that is furthest ahead says what time it is.
            behind(&house, &run, mark).await;
        }
        house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    }
    let counters = house.caught_up("app", 3).await;
    plain.close(i64::MAX);
    plain.rows.sort();
    prop_assert_eq!(found(&house).await, plain.rows);
    let mut expected: Vec<_> = plain.late.into_iter().map(|e| (e.key, e.value, e.time)).collect();
    expected.sort();
    prop_assert_eq!(counters["late"].as_u64().unwrap_or(0), expected.len() as u64);
    prop_assert_eq!(counters["records"].as_u64().unwrap_or(0), records as u64);
    prop_assert_eq!(late(&house).await, expected);
    Ok(())
}

fn tried(window: Window) {
    runner(12, &cases(), async |case| holds(window, &case).await);
}

#[test]
fn windows_side_by_side_are_what_a_batch_computes() {
    tried(Window::Tumble(5 * MINUTE));
}

#[test]
fn windows_that_overlap_are_what_a_batch_computes() {
    tried(Window::Hop(2 * MINUTE, 5 * MINUTE));
}

#[test]
fn windows_that_grow_are_what_a_batch_computes() {
    tried(Window::Cumulate(MINUTE, 6 * MINUTE));
}

#[test]
fn sessions_are_what_a_batch_computes() {
    tried(Window::Session(40 * SECOND));
}

/// An event's time as text, and the beginning of its window of five minutes, worked out by hand.
const TIMES: [(&str, &str); 17] = [
    // The hour that Europe has twice, by its offsets and in UTC.
    ("2023-10-29T02:59:59.999+02:00", "2023-10-29 00:55:00"),
    ("2023-10-29T02:00:00+01:00", "2023-10-29 01:00:00"),
    ("2023-10-29 02:59:59 +0100", "2023-10-29 01:55:00"),
    // The hour that it leaves out: written with an offset it is a moment like others.
    ("2024-03-31T01:59:59+01:00", "2024-03-31 00:55:00"),
    ("2024-03-31T03:00:00+02", "2024-03-31 01:00:00"),
    ("2024-03-31 02:30:00", "2024-03-31 02:30:00"),
    // America's, an ocean further west, and an offset of half hours.
    ("2024-03-10T01:59:59-05:00", "2024-03-10 06:55:00"),
    ("2024-03-10T03:00:00-04:00", "2024-03-10 07:00:00"),
    ("2024-07-01T05:45:00+05:45", "2024-07-01 00:00:00"),
    // Leap days, and the day behind where there is none.
    ("2024-02-29 23:59:59.999", "2024-02-29 23:55:00"),
    ("2024-03-01T00:30:00+01:00", "2024-02-29 23:30:00"),
    ("2000-02-29T12:00:00Z", "2000-02-29 12:00:00"),
    ("2100-02-28T23:59:59.999999Z", "2100-02-28 23:55:00"),
    // The last second before a leap second and the first behind it.
    ("2016-12-31T23:59:59Z", "2016-12-31 23:55:00"),
    ("2017-01-01 00:00:00", "2017-01-01 00:00:00"),
    // A new year by its offset, and the moments around 1970.
    ("2024-01-01T00:04:59.999+00:05", "2023-12-31 23:55:00"),
    ("1969-12-31T23:59:59.999Z", "1969-12-31 23:55:00"),
];

/// Times that are none: the leap second too, which the calendar of SQL does not have.
const NO_TIMES: [&str; 9] = [
    "2016-12-31T23:59:60Z",
    "2023-02-29T00:00:00Z",
    "2100-02-29 00:00:00",
    "2024-02-30 00:00:00",
    "2024-04-31T12:00:00Z",
    "2024-01-01T24:00:00Z",
    "2024-01-01T12:60:00Z",
    "2024-13-01 00:00:00",
    "2024-03-31T02:30:00+25:00",
];

fn counting(format: &str) -> String {
    format!(
        "CREATE TABLE events (n BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
         WITH ('connector' = 'kinesis', 'stream' = 'events', 'aws.region' = 'x', 'format' = '{format}',
               'scan.stream.initpos' = 'TRIM_HORIZON', '{format}.ignore-parse-errors' = 'false');
         CREATE TABLE windows (n BIGINT, begins TIMESTAMP(3))
         WITH ('connector' = 'filesystem', 'path' = 's3://out/windows/', 'format' = 'json');
         INSERT INTO windows SELECT n, TUMBLE_START(ts, INTERVAL '5' MINUTE) FROM events
         GROUP BY TUMBLE(ts, INTERVAL '5' MINUTE), n;"
    )
}

fn numbered(format: &str, texts: &[&str]) -> Vec<(String, String)> {
    let record = |(n, ts): (usize, &&str)| match format {
        "csv" => ("k".to_owned(), format!("{n},{ts}")),
        _ => ("k".to_owned(), format!(r#"{{"n": {n}, "ts": "{ts}"}}"#)),
    };
    texts.iter().enumerate().map(record).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_calendars_make_difficult_fall_into_their_windows() {
    for format in ["json", "csv"] {
        let house = House::new().await;
        house.stream("events", 1).await;
        house.apps.put("app", &counting(format), "app.sql").await.unwrap();
        house.put("events", &numbered(format, &TIMES.map(|(text, _)| text))).await;
        let counters = house.caught_up("app", 2).await;
        assert_eq!(counters["late"], 0, "{counters}");
        let lines = read(&house, "s3://out/windows/").await;
        assert_eq!(lines.len(), TIMES.len());
        for line in lines {
            let (text, begins) = TIMES[line["n"].as_u64().unwrap() as usize];
            let wanted = chrono::NaiveDateTime::parse_from_str(begins, "%Y-%m-%d %H:%M:%S").unwrap();
            assert_eq!(millis(&line, "begins"), wanted.and_utc().timestamp_millis(), "{format} {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_are_none_stop_an_application_or_are_counted() {
    for format in ["json", "csv"] {
        for text in NO_TIMES {
            let house = House::new().await;
            house.stream("events", 1).await;
            house.apps.put("app", &counting(format), "app.sql").await.unwrap();
            house.put("events", &numbered(format, &[text])).await;
            let options = StartOptions { until_caught_up: true, ..Default::default() };
            let run = house.apps.start("app", options).await.unwrap();
            let error = run.wait().await.unwrap().result().unwrap_err();
            let shown = error.to_string();
            assert!(shown.contains(text) && shown.contains("`ts`"), "{format} {text}: {shown}");
        }
        let house = House::new().await;
        house.stream("events", 1).await;
        let lenient = counting(format).replace("'false'", "'true'");
        house.apps.put("app", &lenient, "app.sql").await.unwrap();
        house.put("events", &numbered(format, &NO_TIMES)).await;
        house.put("events", &numbered(format, &["2024-01-01 00:00:00"])).await;
        let counters = house.caught_up("app", 1).await;
        assert_eq!(counters["records"], NO_TIMES.len() + 1, "{counters}");
        assert!(counters["malformed"].as_u64().unwrap() >= NO_TIMES.len() as u64, "{counters}");
        assert_eq!(read(&house, "s3://out/windows/").await.len(), 1, "{format}");
    }
}

#[tokio::test]
async fn zones_but_utc_are_refused_by_name() {
    let house = House::new().await;
    let with = |zone: &str| format!("SET 'table.local-time-zone' = '{zone}';\n{}", counting("json"));
    for zone in ["UTC", "Z", "GMT", "Etc/UTC", "+00:00"] {
        let errors = house.apps.check(&with(zone), "app.sql").await;
        assert!(errors.is_empty(), "{zone}: {errors:?}");
    }
    for zone in
        ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "CET", "GMT+1", "+01:00", "default", ""]
    {
        let errors = house.apps.check(&with(zone), "app.sql").await;
        let error = errors.first().unwrap_or_else(|| panic!("{zone} is not refused"));
        assert_eq!(error.kind(), model::ErrorKind::Unsupported, "{error:?}");
        assert!(error.message().contains(&format!("the time zone {zone} is not supported")), "{error}");
        let Some(model::Place::Source(at)) = error.place() else { panic!("{error:?} has no place") };
        assert_eq!((at.file.as_str(), at.line), ("app.sql", 1));
        assert!(house.apps.put("app", &with(zone), "app.sql").await.is_err(), "{zone}");
    }
}
