//! Joins of two streams within bounds of time, against pairs that are looked for plainly.

use crate::house::{House, counted, runner, until};
use apps::{StartOptions, Stopping};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::Value;
use state::runs::RunHandle;
use std::collections::BTreeSet;

pub(crate) const SECOND: i64 = 1000;
pub(crate) const BEGIN: i64 = 1_709_164_500_000;
/// The key of events that have none.
pub(crate) const NONE: u8 = 9;

/// Two streams and the table that their pairs go to; `bound` is the watermarks' and `query` makes the pairs.
pub(crate) fn script(settings: &str, bound: i64, query: &str) -> String {
    let stream = |name: &str| {
        format!(
            "CREATE TABLE {name} (k STRING, n BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '{bound}' SECOND)
             WITH ('connector' = 'kinesis', 'stream' = '{name}', 'aws.region' = 'x', 'format' = 'json',
                   'scan.stream.initpos' = 'TRIM_HORIZON');"
        )
    };
    format!(
        "SET 'execution.checkpointing.interval' = '1 h'; {settings} {} {}
         CREATE TABLE pairs (k STRING, a BIGINT, b BIGINT)
         WITH ('connector' = 'filesystem', 'path' = 's3://out/pairs/', 'format' = 'json');
         CREATE TABLE late (k STRING, n BIGINT, ts TIMESTAMP(3))
         WITH ('connector' = 'filesystem', 'path' = 's3://out/late/', 'format' = 'json');
         {query}",
        stream("a"),
        stream("b"),
    )
}

const NEAR: &str = "INSERT INTO pairs SELECT a.k, a.n, b.n FROM a JOIN b ON a.k = b.k
    AND a.ts BETWEEN b.ts - INTERVAL '5' SECOND AND b.ts + INTERVAL '2' SECOND;";

/// An event of one of the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) key: u8,
    pub(crate) number: i64,
    pub(crate) time: i64,
}

impl Event {
    fn text(&self) -> Option<String> {
        (self.key != NONE).then(|| format!("k{}", self.key))
    }
}

pub(crate) fn record(event: &Event) -> (String, String) {
    let ts = chrono::DateTime::from_timestamp_millis(event.time).unwrap().format("%Y-%m-%d %H:%M:%S%.3f");
    let key = event.text().map_or("null".to_owned(), |key| format!("\"{key}\""));
    let text = format!(r#"{{"k": {key}, "n": {}, "ts": "{ts}"}}"#, event.number);
    (format!("k{}", event.key), text)
}

pub(crate) async fn lines(house: &House, folder: &str) -> Vec<Value> {
    house.lines(folder).await.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A row that comes out: without a partner it has one number.
pub(crate) type Row = (Option<String>, Option<i64>, Option<i64>);

pub(crate) async fn rows(house: &House) -> Vec<Row> {
    let row = |l: &Value| (l["k"].as_str().map(str::to_owned), l["a"].as_i64(), l["b"].as_i64());
    let mut all: Vec<_> = lines(house, "s3://out/pairs/").await.iter().map(row).collect();
    all.sort();
    all
}

async fn pairs(house: &House) -> Vec<(String, i64, i64)> {
    let whole = |(k, a, b): Row| (k.unwrap(), a.unwrap(), b.unwrap());
    rows(house).await.into_iter().map(whole).collect()
}

/// Rows looked for plainly: every left event with every right one. Events come in rounds; those of the rounds before are
/// there until nothing that is not late can meet them.
struct Plain {
    join: Join,
    bound: i64,
    /// The latest time of each shard, of the left stream and the right one.
    latest: [Vec<Option<i64>>; 2],
    /// Times before this are late.
    closed: i64,
    kept: [Vec<Event>; 2],
    /// The numbers of events that have a partner.
    met: BTreeSet<i64>,
    rows: Vec<Row>,
    late: Vec<i64>,
}

/// A join.
struct Join {
    /// By how much the left time is behind the right one, at least and at most.
    lower: i64,
    upper: i64,
    /// Which sides' events come out without a partner, too.
    outer: [bool; 2],
    /// What else a pair's numbers have to fulfil.
    fulfils: fn(i64, i64) -> bool,
}

impl Plain {
    fn new(join: Join, bound: i64, shards: [u32; 2]) -> Self {
        Self {
            join,
            bound,
            latest: shards.map(|count| vec![None; count as usize]),
            closed: i64::MIN,
            kept: [Vec::new(), Vec::new()],
            met: BTreeSet::new(),
            rows: Vec::new(),
            late: Vec::new(),
        }
    }

    /// The last time that this event of a side may meet.
    fn last(&self, side: usize, event: &Event) -> i64 {
        if side == 0 { event.time - self.join.lower } else { event.time + self.join.upper }
    }

    fn is_kept(&self, side: usize, event: &Event) -> bool {
        self.closed == i64::MIN || self.last(side, event) >= self.closed
    }

    fn is_late(&self, side: usize, event: &Event) -> bool {
        let width = if side == 0 { self.join.upper } else { -self.join.lower };
        self.closed > i64::MIN && self.last(side, event) + width.max(0) < self.closed
    }

    /// An event that nothing meets any more.
    fn gone(&mut self, side: usize, event: &Event) {
        if self.join.outer[side] && !self.met.contains(&event.number) {
            let number = Some(event.number);
            let (a, b) = if side == 0 { (number, None) } else { (None, number) };
            self.rows.push((event.text(), a, b));
        }
    }

    fn pair(&mut self, l: &Event, r: &Event) {
        let apart = l.time - r.time;
        let is_near = self.join.lower <= apart && apart <= self.join.upper;
        // Of two that come together one at least has to be in time for others.
        let is_in_time = self.is_kept(0, l) || self.is_kept(1, r);
        if l.key == r.key && is_near && is_in_time && (self.join.fulfils)(l.number, r.number) {
            self.rows.push((l.text(), Some(l.number), Some(r.number)));
            self.met.extend([l.number, r.number]);
        }
    }

    fn round(&mut self, come: [Vec<(usize, Event)>; 2]) {
        let mut new: [Vec<Event>; 2] = [Vec::new(), Vec::new()];
        for side in [0, 1] {
            for (shard, event) in &come[side] {
                let slot = &mut self.latest[side][*shard];
                *slot = (*slot).max(Some(event.time));
                let meets_something = event.key != NONE;
                if !meets_something && !self.join.outer[side] {
                    continue;
                }
                match self.is_late(side, event) {
                    true => self.late.push(event.number),
                    false if meets_something => new[side].push(*event),
                    false => self.gone(side, event),
                }
            }
        }
        let old = self.kept.clone();
        for l in &new[0] {
            old[1].iter().chain(&new[1]).for_each(|r| self.pair(l, r));
        }
        for r in &new[1] {
            old[0].iter().for_each(|l| self.pair(l, r));
        }
        let mut marks = self.latest.iter().flatten().copied();
        if marks.clone().all(|mark| mark.is_some()) {
            let least = marks.by_ref().flatten().min().unwrap();
            self.closed = self.closed.max(least - self.bound + 1);
        }
        for side in [0, 1] {
            let all = old[side].iter().chain(&new[side]).copied();
            let (kept, gone): (Vec<Event>, Vec<Event>) = all.partition(|event| self.is_kept(side, event));
            gone.iter().for_each(|event| self.gone(side, event));
            self.kept[side] = kept;
        }
    }

    /// Nothing comes any more.
    fn finish(&mut self) {
        for side in [0, 1] {
            std::mem::take(&mut self.kept[side]).iter().for_each(|event| self.gone(side, event));
        }
    }
}

/// A key and a time.
type Given = (u8, i64);

/// What one case is about.
#[derive(Debug, Clone)]
struct Case {
    /// For each start of the application: its number of tasks, and the events of each side before it.
    rounds: Vec<(usize, [Vec<Given>; 2])>,
    shards: [u32; 2],
    bound: i64,
    /// Which of the conditions.
    condition: usize,
    /// Which of the kinds.
    kind: usize,
    /// Which of the residuals.
    residual: usize,
    keeps_late: bool,
}

/// Kinds of joins, and which sides' rows come out without a partner, too.
const KINDS: [(&str, [bool; 2]); 4] = [
    ("JOIN", [false, false]),
    ("LEFT JOIN", [true, false]),
    ("RIGHT OUTER JOIN", [false, true]),
    ("FULL OUTER JOIN", [true, true]),
];

/// What else stands in ON.
type Residual = (&'static str, fn(i64, i64) -> bool);
const RESIDUALS: [Residual; 3] = [
    ("", |_, _| true),
    (" AND (a.n + b.n) % 3 <> 0", |a, b| (a + b) % 3 != 0),
    (" AND a.n % 2 = 0", |a, _| a % 2 == 0),
];

/// Conditions with their least and greatest distance in milliseconds.
const CONDITIONS: [(&str, i64, i64); 6] = [
    ("a.ts BETWEEN b.ts - INTERVAL '5' SECOND AND b.ts + INTERVAL '2' SECOND", -5000, 2000),
    ("a.ts >= b.ts - INTERVAL '3' SECOND AND a.ts < b.ts", -3000, -1),
    ("b.ts <= a.ts AND a.ts - INTERVAL '4' SECOND <= b.ts", 0, 4000),
    ("a.ts > b.ts + INTERVAL '1' SECOND AND b.ts + INTERVAL '30' SECOND > a.ts", 1001, 29_999),
    ("b.ts BETWEEN a.ts + INTERVAL '2' SECOND AND a.ts + INTERVAL '8' SECOND", -8000, -2000),
    ("a.ts = b.ts", 0, 0),
];

fn cases() -> impl Strategy<Value = Case> {
    let key = || prop_oneof![12 => 0..3_u8, 1 => Just(NONE)];
    let events = move || prop::collection::vec((key(), 0..40_i64), 0..30);
    let rounds = prop::collection::vec((1..5_usize, events(), events()), 1..6);
    let shards = prop_oneof![3 => Just([1, 1]), 1 => (1..4_u32, 1..4_u32).prop_map(|(a, b)| [a, b])];
    let which = (0..CONDITIONS.len(), 0..KINDS.len(), 0..RESIDUALS.len());
    (rounds, shards, 0..8_i64, which, any::<bool>()).prop_map(
        |(rounds, shards, bound, (condition, kind, residual), keeps_late)| {
            // Times go on from round to round by less than they lie apart: many are late, some of them for everything.
            let at = |round: usize, (key, step): Given| {
                (key, round as i64 * 9 * SECOND + step * 500 + step % 3 - 1)
            };
            let rounds = rounds.into_iter().enumerate().map(|(n, (tasks, left, right))| {
                (tasks, [left, right].map(|side| side.into_iter().map(|event| at(n, event)).collect()))
            });
            Case { rounds: rounds.collect(), shards, bound, condition, kind, residual, keeps_late }
        },
    )
}

/// Runs one case. Each round is there before the application starts, which goes on from what it kept, with another number
/// of tasks.
async fn holds(case: Case) -> TestCaseResult {
    let (condition, lower, upper) = CONDITIONS[case.condition];
    let (kind, outer) = KINDS[case.kind];
    let (residual, fulfils) = RESIDUALS[case.residual];
    let house = House::new().await;
    house.stream("a", case.shards[0]).await;
    house.stream("b", case.shards[1]).await;
    let settings = if case.keeps_late { "SET 'glulam.late-events.table' = 'late';" } else { "" };
    let query = format!(
        "INSERT INTO pairs SELECT COALESCE(a.k, b.k), a.n, b.n FROM a {kind} b ON a.k = b.k AND {condition}{residual};"
    );
    house.apps.put("app", &script(settings, case.bound, &query), "app.sql").await.unwrap();
    let join = Join { lower, upper, outer, fulfils };
    let mut plain = Plain::new(join, case.bound * SECOND, case.shards);
    let mut number = 0;
    for (tasks, sides) in &case.rounds {
        let mut come = [Vec::new(), Vec::new()];
        for (side, events) in sides.iter().enumerate() {
            let events: Vec<Event> = events
                .iter()
                .map(|(key, after)| {
                    number += 1;
                    Event { key: *key, number, time: BEGIN + after }
                })
                .collect();
            let records: Vec<_> = events.iter().map(record).collect();
            let shards = house.put(["a", "b"][side], &records).await;
            come[side] = shards.into_iter().zip(events).collect();
        }
        let options = StartOptions { tasks: Some(*tasks), ..Default::default() };
        let run = house.apps.start("app", options).await.unwrap();
        counted(&house, &run, (come[0].len() + come[1].len()) as u64).await;
        plain.round(come);
        house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    }
    let counters = house.caught_up("app", 2).await;
    plain.finish();
    plain.rows.sort();
    plain.late.sort_unstable();
    prop_assert_eq!(rows(&house).await, plain.rows);
    prop_assert_eq!(counters["late"].as_u64().unwrap_or(0), plain.late.len() as u64);
    let mut late: Vec<i64> =
        lines(&house, "s3://out/late/").await.iter().map(|l| l["n"].as_i64().unwrap()).collect();
    late.sort_unstable();
    prop_assert_eq!(late, if case.keeps_late { plain.late } else { Vec::new() });
    Ok(())
}

#[test]
fn joins_are_what_a_batch_computes() {
    runner(32, &cases(), holds);
}

/// How many rows a run that has read everything says that its joins keep.
async fn kept(house: &House, run: &RunHandle) -> u64 {
    until(house, run, |now| now.counters.contains_key("join_rows")).await;
    house.runs.get(run.id()).await.unwrap().counters["join_rows"]
}

/// So many events of a stream, one a second, each of one of five keys.
fn seconds(from: i64, to: i64) -> Vec<(String, String)> {
    numbered(from..to)
}

/// Events with these numbers, each at that second, each of one of five keys.
pub(crate) fn numbered(numbers: impl IntoIterator<Item = i64>) -> Vec<(String, String)> {
    let event = |n: i64| Event { key: (n % 5) as u8, number: n, time: BEGIN + n * SECOND };
    numbers.into_iter().map(|n| record(&event(n))).collect()
}

/// The pairs of so many events of each stream: keys repeat every five seconds.
fn near(count: i64) -> Vec<(String, i64, i64)> {
    let mut all: Vec<_> = (0..count)
        .flat_map(|b| [b - 5, b].map(|a| (format!("k{}", b % 5), a, b)))
        .filter(|(_, a, _)| *a >= 0)
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_wait_for_each_other_through_restarts_rescaling_and_snapshots() {
    let house = House::new().await;
    house.stream("a", 2).await;
    house.stream("b", 3).await;
    house.apps.put("app", &script("", 3600, NEAR), "app.sql").await.unwrap();
    // All of one side, and nothing comes out yet.
    house.put("a", &seconds(0, 300)).await;
    let run = house.apps.start("app", StartOptions { tasks: Some(1), ..Default::default() }).await.unwrap();
    counted(&house, &run, 300).await;
    assert_eq!(kept(&house, &run).await, 300);
    house.apps.snapshot("app", "lefts").await.unwrap();
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    for (tasks, from, to) in [(4, 0, 100), (2, 100, 299), (3, 299, 300)] {
        house.put("b", &seconds(from, to)).await;
        let options = StartOptions { tasks: Some(tasks), ..Default::default() };
        let run = house.apps.start("app", options).await.unwrap();
        counted(&house, &run, (to - from) as u64).await;
        house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
        assert_eq!(pairs(&house).await, near(to));
    }
    // From the snapshot on, where only the left side had been read, every pair comes again.
    let options = StartOptions {
        from: apps::StartFrom::Snapshot("lefts".into()),
        until_caught_up: true,
        tasks: Some(2),
        ..Default::default()
    };
    let run = house.apps.start("app", options).await.unwrap();
    run.wait().await.unwrap().result().unwrap();
    let twice = near(300).into_iter().flat_map(|pair| [pair.clone(), pair]).collect::<Vec<_>>();
    assert_eq!(pairs(&house).await, twice);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_nothing_can_meet_any_more_are_let_go() {
    let house = House::new().await;
    house.stream("a", 1).await;
    house.stream("b", 1).await;
    house.apps.put("app", &script("", 0, NEAR), "app.sql").await.unwrap();
    let mut most = 0;
    for round in 0..10 {
        house.put("a", &seconds(round * 100, round * 100 + 100)).await;
        house.put("b", &seconds(round * 100, round * 100 + 100)).await;
        let run = house.apps.start("app", StartOptions::default()).await.unwrap();
        counted(&house, &run, 200).await;
        most = most.max(kept(&house, &run).await);
        house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    }
    assert_eq!(pairs(&house).await, near(1000));
    assert!((1..100).contains(&most), "{most} rows were kept of 2000");
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_are_filtered_projected_and_put_into_windows() {
    let house = House::new().await;
    house.stream("a", 1).await;
    house.stream("b", 2).await;
    // The join in a view, by commas and WHERE, with other names and columns; then windows of its left time.
    let query = "CREATE TEMPORARY VIEW both_sides AS
          SELECT l.k AS name, l.ts AS moment, l.n * 10 AS ten, r.n AS other FROM a AS l, b AS r
          WHERE l.k = r.k AND l.ts >= r.ts AND l.ts <= r.ts + INTERVAL '1' SECOND AND r.n % 2 = 0 AND l.n < 200;
        INSERT INTO pairs SELECT name, ten, other FROM both_sides WHERE ten <> 40;
        INSERT INTO pairs SELECT 'window', COUNT(*), SUM(other) FROM TABLE(
          TUMBLE(TABLE both_sides, DESCRIPTOR(moment), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;";
    house.apps.put("app", &script("", 10, query), "app.sql").await.unwrap();
    house.put("b", &seconds(0, 240)).await;
    house.put("a", &seconds(0, 120)).await;
    let run = house.apps.start("app", StartOptions { tasks: Some(2), ..Default::default() }).await.unwrap();
    counted(&house, &run, 360).await;
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    let windows = |all: &[(String, i64, i64)]| -> Vec<(i64, i64)> {
        all.iter().filter(|(k, ..)| k == "window").map(|(_, n, sum)| (*n, *sum)).collect()
    };
    // The window of the first minute is closed: ten seconds for the watermarks and one for the join are over.
    let expected = |from: i64| (30, (from..from + 60).filter(|n| n % 2 == 0).sum::<i64>());
    assert_eq!(windows(&pairs(&house).await), [expected(0)]);
    house.put("a", &seconds(120, 240)).await;
    let counters = house.caught_up("app", 3).await;
    assert_eq!(counters["late"], 0, "{counters}");
    let all = pairs(&house).await;
    let mut found = windows(&all);
    found.sort_unstable_by_key(|(_, sum)| *sum);
    let last = (10, (180..200).filter(|n| n % 2 == 0).sum::<i64>());
    assert_eq!(found, [expected(0), last, expected(60), expected(120)]);
    let mut plain: Vec<_> = all.into_iter().filter(|(k, ..)| k != "window").collect();
    plain.sort_by_key(|(_, ten, _)| *ten);
    let numbers = (0..200).filter(|n| n % 2 == 0 && *n != 4);
    assert_eq!(plain, numbers.map(|n| (format!("k{}", n % 5), n * 10, n)).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_key_meet_nothing() {
    let house = House::new().await;
    house.stream("a", 1).await;
    house.stream("b", 1).await;
    house.apps.put("app", &script("", 5, NEAR), "app.sql").await.unwrap();
    for stream in ["a", "b"] {
        let texts = [
            r#"{"n": 1, "ts": "2024-02-29 00:00:00"}"#,
            r#"{"k": "x", "n": 2, "ts": "2024-02-29 00:00:01"}"#,
        ];
        house.put(stream, &texts.map(|text| ("k".to_owned(), text.to_owned()))).await;
    }
    house.caught_up("app", 2).await;
    assert_eq!(pairs(&house).await, [("x".to_owned(), 2, 2)]);
}

#[tokio::test]
async fn joins_that_would_keep_everything_are_refused_by_name() {
    let house = House::new().await;
    let near = "a.ts BETWEEN b.ts - INTERVAL '5' SECOND AND b.ts";
    for (join, refused) in [
        ("JOIN b ON a.k = b.k", "without bounds of time"),
        ("JOIN b ON a.k = b.k AND a.ts >= b.ts", "without bounds of time"),
        ("JOIN b ON a.k = b.k AND a.n BETWEEN b.n - 5 AND b.n", "without bounds of time"),
        ("JOIN b ON a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '1' MONTH AND b.ts", "without bounds of time"),
        (
            "JOIN b ON a.k = b.k AND date_trunc('day', a.ts) BETWEEN b.ts AND b.ts + INTERVAL '1' DAY",
            "without bounds",
        ),
        ("JOIN b ON a.k <> b.k AND a.ts BETWEEN b.ts - INTERVAL '5' SECOND AND b.ts", "without an equality"),
        ("CROSS JOIN b", "without an equality"),
        ("JOIN b ON a.k = b.k AND a.ts BETWEEN b.ts + INTERVAL '5' SECOND AND b.ts", "no two rows can meet"),
        ("LEFT JOIN b ON a.k = b.k", "without bounds of time"),
        (&format!("LEFT JOIN b ON a.k = b.k WHERE {near}"), "without bounds of time"),
        (&format!("RIGHT JOIN b ON {near} WHERE a.k = b.k"), "without an equality"),
        (&format!("FULL JOIN b ON a.k <> b.k AND {near}"), "without an equality"),
    ] {
        let query = format!("INSERT INTO pairs SELECT a.k, a.n, b.n FROM a {join};");
        let errors = house.apps.check(&script("", 5, &query), "app.sql").await;
        let error = errors.first().unwrap_or_else(|| panic!("{join} is not refused"));
        assert!(error.message().contains(refused), "{join}: {error}");
        assert!(error.place().is_some(), "{join}: {error:?}");
        assert!(!error.diagnosis().hints.is_empty(), "{join}: {error:?}");
    }
}

#[tokio::test]
async fn joins_are_explained_and_drawn() {
    let house = House::new().await;
    let text = script("", 5, NEAR);
    assert!(house.apps.check(&text, "app.sql").await.is_empty());
    let explained = house.apps.explain(&text, "app.sql").await.unwrap();
    assert!(explained.contains("join on k = k, ts from ts - 5 s to ts + 2 s"), "{explained}");
    assert!(explained.contains("source a") && explained.contains("source b"), "{explained}");
    let steps = house.apps.flow(&text, "app.sql").await.unwrap();
    let join = steps.iter().find(|step| step.kind == apps::FlowKind::Join).unwrap();
    assert_eq!(join.inputs.len(), 2, "{steps:#?}");
    let touched = house.apps.touches(&text, "app.sql").await.unwrap();
    assert_eq!(touched.len(), 3, "{touched:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_that_has_changed_does_not_take_up_what_another_kept() {
    let house = House::new().await;
    house.stream("a", 1).await;
    house.stream("b", 1).await;
    let first = script("", 5, NEAR);
    house.apps.put("app", &first, "app.sql").await.unwrap();
    house.put("a", &seconds(0, 50)).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    counted(&house, &run, 50).await;
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    for (what, with) in [
        ("INTERVAL '2' SECOND;", "INTERVAL '3' SECOND;"),
        ("a.k = b.k", "a.k = b.k AND a.n = b.n"),
        ("a JOIN b", "a JOIN (SELECT * FROM b WHERE n > 3) AS b"),
        ("a JOIN b", "a LEFT JOIN b"),
    ] {
        assert!(first.contains(what), "{what}");
        house.apps.put("app", &first.replace(what, with), "app.sql").await.unwrap();
        let run = house.apps.start("app", StartOptions::default()).await.unwrap();
        let error = run.wait().await.unwrap().result().unwrap_err();
        assert!(error.message().contains("script has changed"), "{with}: {error}");
    }
    // What is done to the pairs is another matter.
    let behind = first.replace("SELECT a.k, a.n, b.n", "SELECT UPPER(a.k), a.n, b.n");
    house.apps.put("app", &behind, "app.sql").await.unwrap();
    house.put("b", &seconds(0, 50)).await;
    house.caught_up("app", 2).await;
    let found: Vec<_> = pairs(&house).await.into_iter().map(|(k, a, b)| (k.to_lowercase(), a, b)).collect();
    assert_eq!(found, near(50));
}
