//! Windows against a plain computation over the same events.

use crate::house::{House, TUMBLE, metric, runner, script};
use proptest::prelude::*;
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000;
const BEGIN: i64 = 1_699_999_800_000;

fn text(line: &serde_json::Value, key: &str) -> String {
    line[key].as_str().unwrap_or_else(|| panic!("{key} in {line}")).to_owned()
}

/// What `windowed` has: component and start to (min, max, count). No window comes twice.
async fn found(house: &House) -> BTreeMap<(String, String), (f64, f64, i64)> {
    rows(house).await.into_iter().map(|((component, start, _), value)| ((component, start), value)).collect()
}

async fn rows(house: &House) -> BTreeMap<(String, String, String), (f64, f64, i64)> {
    let mut all = BTreeMap::new();
    for line in house.lines("s3://out/windowed/").await {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let key = (text(&line, "componentName"), text(&line, "fromTimestamp"), text(&line, "toTimestamp"));
        let value = (
            line["minValue"].as_f64().unwrap(),
            line["maxValue"].as_f64().unwrap(),
            line["events"].as_i64().unwrap(),
        );
        assert!(all.insert(key.clone(), value).is_none(), "{key:?} came twice");
    }
    all
}

fn start_text(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis).unwrap().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The same, computed plainly.
fn expected(events: &[(String, f64, i64)], size: i64) -> BTreeMap<(String, String), (f64, f64, i64)> {
    let mut all: BTreeMap<(String, String), (f64, f64, i64)> = BTreeMap::new();
    for (component, value, time) in events {
        let start = time - time.rem_euclid(size);
        let entry = all.entry((component.clone(), start_text(start))).or_insert((
            f64::INFINITY,
            f64::NEG_INFINITY,
            0,
        ));
        *entry = (entry.0.min(*value), entry.1.max(*value), entry.2 + 1);
    }
    all
}

/// Timestamps are written with or without a fraction; the windows here begin at whole seconds.
fn plain(found: BTreeMap<(String, String), (f64, f64, i64)>) -> BTreeMap<(String, String), (f64, f64, i64)> {
    found
        .into_iter()
        .map(|((component, start), value)| {
            let start = start.replace('T', " ").trim_end_matches('Z').split('.').next().unwrap().to_owned();
            ((component, start), value)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_practice_counts_every_event_once() {
    let house = House::new().await;
    house.stream("metrics", 2).await;
    let mut events = Vec::new();
    for i in 0..2000_i64 {
        let component = ["order-service", "user-service", "mail-service"][(i % 3) as usize];
        events.push((component.to_owned(), f64::from((i % 100) as i32), BEGIN + i * 1000));
    }
    let records: Vec<_> = events.iter().map(|(c, v, t)| metric(c, *v, *t)).collect();
    house.put("metrics", &records).await;
    house.apps.put("practice", &script("", TUMBLE), "practice.sql").await.unwrap();
    let counters = house.caught_up("practice", 1).await;
    assert_eq!(counters["records"], 2000, "{counters}");
    assert_eq!(counters["late"], 0, "{counters}");
    assert_eq!(plain(found(&house).await), expected(&events, 5 * MINUTE));
}

#[tokio::test(flavor = "multi_thread")]
async fn table_functions_say_the_same_as_group_windows() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    let events: Vec<(String, f64, i64)> =
        (0..600).map(|i| (format!("c{}", i % 7), i as f64, BEGIN + i * 700)).collect();
    let records: Vec<_> = events.iter().map(|(c, v, t)| metric(c, *v, *t)).collect();
    house.put("metrics", &records).await;
    let insert = "CREATE TEMPORARY VIEW busy AS SELECT * FROM metrics_stream WHERE `value` >= 0;
        INSERT INTO windowed
        SELECT componentName, metricName, MIN(`value`), MAX(`value`), COUNT(DISTINCT `value`), window_start, window_end
        FROM TABLE(TUMBLE(TABLE busy, DESCRIPTOR(publicationTimestamp), INTERVAL '1' MINUTES))
        GROUP BY window_start, window_end, componentName, metricName HAVING COUNT(*) > 0;";
    house.apps.put("functions", &script("", insert), "f.sql").await.unwrap();
    house.caught_up("functions", 4).await;
    assert_eq!(plain(found(&house).await), expected(&events, MINUTE));
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_that_overlap_grow_or_wait() {
    let cases = [
        (
            "HOP(TABLE metrics_stream, DESCRIPTOR(publicationTimestamp), INTERVAL '1' MINUTE, INTERVAL '3' MINUTE)",
            3,
            30,
        ),
        (
            "CUMULATE(TABLE metrics_stream, DESCRIPTOR(publicationTimestamp), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)",
            0,
            0,
        ),
        (
            "SESSION(TABLE metrics_stream PARTITION BY componentName, DESCRIPTOR(publicationTimestamp), INTERVAL '2' MINUTE)",
            1,
            10,
        ),
    ];
    for (window, times, total) in cases {
        let house = House::new().await;
        house.stream("metrics", 1).await;
        // Five events a minute apart, then a pause of ten minutes, and five more.
        let times_of: Vec<i64> = (0..5).chain(15..20).map(|m| BEGIN + m * MINUTE).collect();
        let records: Vec<_> = times_of.iter().map(|t| metric("c", 1.0, *t)).collect();
        house.put("metrics", &records).await;
        let insert = format!(
            "INSERT INTO windowed SELECT componentName, metricName, MIN(`value`), MAX(`value`), COUNT(*), window_start,
             window_end FROM TABLE({window}) GROUP BY window_start, window_end, componentName, metricName;"
        );
        house.apps.put("w", &script("", &insert), "w.sql").await.unwrap();
        house.caught_up("w", 2).await;
        let all = rows(&house).await;
        let sum: i64 = all.values().map(|v| v.2).sum();
        match window.split('(').next().unwrap() {
            "HOP" => assert_eq!(sum, total, "{times} {all:?}"),
            "SESSION" => {
                assert_eq!(all.values().map(|v| v.2).collect::<Vec<_>>(), [5, 5], "{all:?}");
            }
            // Begin is a multiple of five minutes: an event of minute m is in the windows that end behind it.
            _ => assert_eq!(sum, 2 * (5 + 4 + 3 + 2 + 1), "{all:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_events_are_counted_and_kept() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    let settings = "SET 'glulam.late-events.table' = 'late';
        CREATE TABLE late (componentName STRING, `value` DOUBLE, publicationTimestamp TIMESTAMP(3))
        WITH ('connector' = 'filesystem', 'path' = 's3://out/late/', 'format' = 'json');";
    house.apps.put("late", &script(settings, TUMBLE), "late.sql").await.unwrap();
    house.put("metrics", &[metric("c", 1.0, BEGIN), metric("c", 2.0, BEGIN + 20 * MINUTE)]).await;
    house.caught_up("late", 1).await;
    house.put("metrics", &[metric("c", 7.0, BEGIN + MINUTE), metric("c", 3.0, BEGIN + 40 * MINUTE)]).await;
    let counters = house.caught_up("late", 1).await;
    assert_eq!((&counters["records"], &counters["late"]), (&4.into(), &1.into()), "{counters}");
    assert_eq!(found(&house).await.values().map(|v| v.2).sum::<i64>(), 3);
    let late = house.lines("s3://out/late/").await;
    assert_eq!(late.len(), 1, "{late:?}");
    assert!(late[0].contains("7"), "{late:?}");
}

#[test]
fn windows_are_what_a_batch_computes() {
    // Events around the hour that European clocks repeat, a leap day, and the leap second of 2016; few keys, equal
    // times, any order within the bound, two to four shards of which some stay silent.
    let begins = prop_oneof![Just(1_698_537_600_000_i64), Just(1_709_164_500_000), Just(1_483_228_500_000)];
    let event = (0..4_u8, 0..1000_u16, 0..1_800_000_i64);
    let input = (begins, prop::collection::vec(event, 1..400), 1..5_u32, 1..5_usize);
    runner(12, &input, async |(begin, events, shards, tasks)| {
        let house = House::new().await;
        house.stream("metrics", shards).await;
        let events: Vec<(String, f64, i64)> = events
            .iter()
            .map(|(key, value, after)| (format!("c{key}"), f64::from(*value), begin + after))
            .collect();
        let records: Vec<_> = events.iter().map(|(c, v, t)| metric(c, *v, *t)).collect();
        // The bound is as wide as the events lie: nobody is late, whatever the order.
        let script = script("", TUMBLE).replace("INTERVAL '5' SECOND", "INTERVAL '40' MINUTE");
        house.apps.put("p", &script, "p.sql").await.unwrap();
        let (first, second) = records.split_at(records.len() / 2);
        house.put("metrics", first).await;
        house.put("metrics", second).await;
        let counters = house.caught_up("p", tasks).await;
        prop_assert_eq!(counters["late"].as_u64(), Some(0));
        prop_assert_eq!(plain(found(&house).await), expected(&events, 5 * MINUTE));
        Ok(())
    });
}
