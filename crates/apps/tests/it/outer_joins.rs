//! Outer joins of two streams: rows that have met nothing come out once, padded with NULL.

use crate::house::{House, counted};
use crate::joins::{BEGIN, Event, NONE, Row, SECOND, lines, numbered, record, rows, script};
use apps::{StartOptions, Stopping};

/// What is near, with keys that repeat every five seconds: the same second of both, or the left one five seconds before.
const NEAR: &str = "a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '5' SECOND AND b.ts + INTERVAL '2' SECOND";

/// A join of this kind with all that comes out of it; `more` stands behind what is near.
fn joined(kind: &str, more: &str) -> String {
    format!("INSERT INTO pairs SELECT COALESCE(a.k, b.k), a.n, b.n FROM a {kind} JOIN b ON {NEAR} {more};")
}

fn at(key: u8, second: i64) -> (String, String) {
    record(&Event { key, number: second, time: BEGIN + second * SECOND })
}

fn row(key: u8, a: Option<i64>, b: Option<i64>) -> Row {
    ((key != NONE).then(|| format!("k{key}")), a, b)
}

fn pair(key: u8, a: i64, b: i64) -> Row {
    row(key, Some(a), Some(b))
}

/// A left row that has met nothing.
fn left(key: u8, a: i64) -> Row {
    row(key, Some(a), None)
}

/// A right row that has met nothing.
fn right(key: u8, b: i64) -> Row {
    row(key, None, Some(b))
}

/// What comes out of a full join of events with these seconds as numbers, once the watermark has come to this second.
fn full(a: &[i64], b: &[i64], mark: i64) -> Vec<Row> {
    let meets = |a: i64, b: i64| a == b || a == b - 5;
    let mut all = Vec::new();
    for a in a {
        all.extend(b.iter().filter(|b| meets(*a, **b)).map(|b| pair((b % 5) as u8, *a, *b)));
        if a + 5 <= mark && !b.iter().any(|b| meets(*a, *b)) {
            all.push(left((a % 5) as u8, *a));
        }
    }
    let alone = b.iter().filter(|b| **b + 2 <= mark && !a.iter().any(|a| meets(*a, **b)));
    all.extend(alone.map(|b| right((b % 5) as u8, *b)));
    all.sort();
    all
}

async fn house_of(settings: &str, query: &str, bound: i64) -> House {
    let house = House::new().await;
    house.stream("a", 1).await;
    house.stream("b", 1).await;
    house.apps.put("app", &script(settings, bound, query), "app.sql").await.unwrap();
    house
}

/// Lets the application read so many records, and keeps where it is.
async fn goes_on(house: &House, tasks: usize, records: u64) {
    let options = StartOptions { tasks: Some(tasks), ..Default::default() };
    let run = house.apps.start("app", options).await.unwrap();
    counted(house, &run, records).await;
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_wait_for_a_partner_through_restarts_rescaling_and_snapshots() {
    let house = house_of("", &joined("FULL", ""), 3600).await;
    let mut a: Vec<i64> = (0..50).filter(|n| n % 4 == 0).collect();
    let mut b: Vec<i64> = (0..50).filter(|n| n % 3 == 0).collect();
    house.put("a", &numbered(a.clone())).await;
    house.put("b", &numbered(b.clone())).await;
    let run = house.apps.start("app", StartOptions { tasks: Some(1), ..Default::default() }).await.unwrap();
    counted(&house, &run, (a.len() + b.len()) as u64).await;
    house.apps.snapshot("app", "waiting").await.unwrap();
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    let first = full(&a, &b, i64::MIN);
    assert_eq!(rows(&house).await, first);
    // The watermark is an hour behind: each of these pairs lets some of those that wait come out.
    for (tasks, second) in [(4, 3620), (2, 3621), (3, 3640)] {
        for (stream, all) in [("a", &mut a), ("b", &mut b)] {
            house.put(stream, &numbered([second])).await;
            all.push(second);
        }
        goes_on(&house, tasks, 2).await;
        assert_eq!(rows(&house).await, full(&a, &b, second - 3600));
    }
    let counters = house.caught_up("app", 2).await;
    assert_eq!(counters["late"], 0, "{counters}");
    let all = full(&a, &b, i64::MAX - 5);
    assert_eq!(rows(&house).await, all);
    // From the snapshot on, what came out behind it comes again.
    let options = StartOptions {
        from: apps::StartFrom::Snapshot("waiting".into()),
        until_caught_up: true,
        tasks: Some(2),
        ..Default::default()
    };
    let run = house.apps.start("app", options).await.unwrap();
    run.wait().await.unwrap().result().unwrap();
    let mut twice: Vec<Row> = all.iter().filter(|row| !first.contains(row)).cloned().collect();
    twice.extend(all);
    twice.sort();
    assert_eq!(rows(&house).await, twice);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_in_on_decide_what_meets_and_where_what_comes_out() {
    let house =
        house_of("", &joined("LEFT", "AND b.n % 2 = 0 AND a.n < 8 WHERE b.n IS NULL AND a.n > 3"), 5).await;
    house.put("a", &numbered(0..10)).await;
    house.put("b", &numbered(0..10)).await;
    house.caught_up("app", 2).await;
    let alone = [5, 7, 8, 9].map(|n| left((n % 5) as u8, n));
    let mut alone = alone.to_vec();
    alone.sort();
    assert_eq!(rows(&house).await, alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_key_come_out_alone() {
    for (kind, expected) in [
        ("LEFT", vec![left(NONE, 1), pair(0, 2, 2)]),
        ("RIGHT", vec![right(NONE, 1), pair(0, 2, 2)]),
        ("FULL", vec![right(NONE, 1), left(NONE, 1), pair(0, 2, 2)]),
    ] {
        let house = house_of("", &joined(kind, ""), 5).await;
        for stream in ["a", "b"] {
            house.put(stream, &[at(NONE, 1), at(0, 2)]).await;
        }
        // They need not wait for anything.
        goes_on(&house, 2, 4).await;
        assert_eq!(rows(&house).await, expected, "{kind}");
        let counters = house.caught_up("app", 3).await;
        assert_eq!(counters["late"], 0, "{counters}");
        assert_eq!(rows(&house).await, expected, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_come_late_are_alone_at_once_or_told_as_late() {
    let house = house_of("SET 'glulam.late-events.table' = 'late';", &joined("LEFT", ""), 0).await;
    for stream in ["a", "b"] {
        house.put(stream, &[at(0, 100)]).await;
    }
    goes_on(&house, 1, 2).await;
    // In time for a right row of now; in time for what is kept, which one of them meets; too late for everything.
    house.put("a", &[at(1, 97), at(0, 95), at(1, 94), at(1, 90), at(NONE, 90)]).await;
    goes_on(&house, 2, 5).await;
    let mut expected = vec![pair(0, 95, 100), pair(0, 100, 100), left(1, 94)];
    assert_eq!(rows(&house).await, expected);
    let counters = house.caught_up("app", 1).await;
    expected.push(left(1, 97));
    assert_eq!(rows(&house).await, expected);
    assert_eq!(counters["late"], 2, "{counters}");
    let late = lines(&house, "s3://out/late/").await;
    assert!(late.len() == 2 && late.iter().all(|line| line["n"] == 90), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_came_out_alone_when_the_application_ended_stays_alone() {
    let house = house_of("", &joined("FULL", ""), 5).await;
    house.put("a", &[at(0, 1)]).await;
    house.caught_up("app", 1).await;
    assert_eq!(rows(&house).await, [left(0, 1)]);
    house.put("b", &[at(0, 1)]).await;
    house.caught_up("app", 2).await;
    assert_eq!(rows(&house).await, [right(0, 1), left(0, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_take_rows_without_a_partner_by_their_own_time() {
    let view = |name: &str, kind: &str, side: &str, other: &str| {
        format!(
            "CREATE TEMPORARY VIEW {name} AS SELECT {side}.ts AS moment, {other}.n AS other
               FROM a {kind} JOIN b ON {NEAR};
             INSERT INTO pairs SELECT '{name}', COUNT(*), COUNT(other) FROM TABLE(
               TUMBLE(TABLE {name}, DESCRIPTOR(moment), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;"
        )
    };
    let query = view("lefts", "LEFT", "a", "b") + &view("rights", "RIGHT", "b", "a");
    let house = house_of("", &query, 10).await;
    for from in (0..240).step_by(30) {
        house.put("a", &numbered((from..from + 30).filter(|n| n % 2 == 0))).await;
        house.put("b", &numbered((from..from + 30).filter(|n| n % 3 == 0))).await;
        goes_on(&house, 1 + from as usize % 4, 25).await;
    }
    let window = |name: &str, all: i64, met: i64| (Some(name.to_owned()), Some(all), Some(met));
    // Of three left rows one meets its own second, one that five seconds later, and one nothing. Of the right rows only the
    // second one meets nothing, as nothing is five seconds before it.
    let (lefts, rights) = (window("lefts", 30, 20), window("rights", 20, 20));
    let mut expected = vec![lefts.clone(), lefts.clone(), lefts, window("rights", 20, 19)];
    expected.extend([rights.clone(), rights.clone()]);
    // The watermark is ten seconds behind, that behind the joins five more: three windows are closed.
    assert_eq!(rows(&house).await, expected);
    let counters = house.caught_up("app", 3).await;
    assert_eq!(counters["late"], 0, "{counters}");
    // What the last left row would meet did not come.
    expected.extend([window("lefts", 30, 19), rights]);
    expected.sort();
    assert_eq!(rows(&house).await, expected);
}

#[tokio::test]
async fn windows_by_a_time_that_may_be_missing_are_refused() {
    let house = House::new().await;
    for (kind, side, is_refused) in [
        ("LEFT", "a", false),
        ("LEFT", "b", true),
        ("RIGHT", "a", true),
        ("RIGHT", "b", false),
        ("FULL", "a", true),
        ("FULL", "b", true),
    ] {
        let query = format!(
            "CREATE TEMPORARY VIEW v AS SELECT {side}.ts AS moment FROM a {kind} JOIN b ON {NEAR};
             INSERT INTO pairs SELECT 'w', COUNT(*), COUNT(*) FROM TABLE(
               TUMBLE(TABLE v, DESCRIPTOR(moment), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;"
        );
        let errors = house.apps.check(&script("", 5, &query), "app.sql").await;
        let Some(error) = errors.first() else {
            assert!(!is_refused, "{kind} {side} is not refused");
            continue;
        };
        assert!(is_refused && error.message().contains("have no partner"), "{kind} {side}: {error:?}");
        assert!(error.place().is_some() && !error.diagnosis().hints.is_empty(), "{error:?}");
    }
}

#[tokio::test]
async fn outer_joins_are_explained() {
    let house = House::new().await;
    for (kind, shown) in [("LEFT", "left join on"), ("RIGHT", "right join on"), ("FULL", "full join on")] {
        let text = script("", 5, &joined(kind, ""));
        let explained = house.apps.explain(&text, "app.sql").await.unwrap();
        assert!(explained.contains(&format!("{shown} k = k, ts from ts - 5 s to ts + 2 s")), "{explained}");
    }
}
