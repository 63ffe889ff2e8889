//! Plain metrics: every measurement within its range and its jitter, slightly out of order.

use crate::samples::{PLAIN, made};
use chrono::DateTime;
use proptest::prelude::*;

/// Component, metric, value, published.
fn rows(text: &[u8]) -> Vec<(String, String, f64, i64, String)> {
    let text = std::str::from_utf8(text).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("componentName,metricName,unit,value,publicationTimestamp"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [component, metric, "percent", value, time] = cells[..] else { panic!("{line}") };
            let millis = DateTime::parse_from_rfc3339(time).unwrap().timestamp_millis();
            (component.to_owned(), metric.to_owned(), value.parse().unwrap(), millis, time.to_owned())
        })
        .collect()
}

fn with(iterations: u64, step: i64, jitter: i64) -> String {
    PLAIN
        .replace("\"numberOfIterations\": 500", &format!("\"numberOfIterations\": {iterations}"))
        .replace("\"stepMillis\": 1000", &format!("\"stepMillis\": {step}"))
        .replace("\"jitterMillis\": 5000", &format!("\"jitterMillis\": {jitter}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn each_metric_is_measured_once_per_iteration_within_the_jitter(
        iterations in 1u64..300, step in 1i64..90_000, jitter in 0i64..200_000,
    ) {
        let start = DateTime::parse_from_rfc3339("2026-03-01T23:58:00.500Z").unwrap().timestamp_millis();
        let files = made(&with(iterations, step, jitter));
        prop_assert_eq!(files.keys().collect::<Vec<_>>(), ["plain/order-service.csv", "plain/user-service.csv"]);
        let rows = rows(&files["plain/order-service.csv"]);
        prop_assert_eq!(rows.len() as u64, iterations * 2);
        for (index, (component, metric, value, millis, _)) in rows.iter().enumerate() {
            let (name, least, most) = [("cpu", 10.0, 25.0), ("ram", -0.5, 0.75)][index % 2];
            prop_assert_eq!((component.as_str(), metric.as_str()), ("order-service", name));
            prop_assert!((least..=most).contains(value), "{}", value);
            let late = millis - (start + (index as i64 / 2) * step);
            prop_assert!((0..=jitter).contains(&late), "{} ms late", late);
        }
    }
}

#[test]
fn a_jitter_of_several_steps_puts_rows_out_of_order_but_not_far() {
    let rows = rows(&made(&with(5000, 1000, 5000))["plain/order-service.csv"]);
    let backwards = rows.windows(2).filter(|pair| pair[1].3 < pair[0].3).count();
    assert!((3000..6000).contains(&backwards), "{backwards}");
    let mut latest = 0;
    for (.., millis, _) in &rows {
        assert!(latest - millis <= 5000);
        latest = latest.max(*millis);
    }
}

#[test]
fn short_times_leave_out_a_fraction_of_zero_only() {
    let text = with(5000, 1000, 5000);
    let long = rows(&made(&text)["plain/order-service.csv"]);
    let short = text.replace("\"randomSeed\": 7", "\"randomSeed\": 7, \"shortTimes\": true");
    let short = rows(&made(&short)["plain/order-service.csv"]);
    let mut cut = 0;
    for (long, short) in long.iter().zip(&short) {
        assert_eq!((long.2.to_bits(), long.3), (short.2.to_bits(), short.3));
        if long.3 % 1000 == 0 {
            cut += 1;
            assert_eq!(short.4, long.4.replace(".000Z", "Z"));
        } else {
            assert_eq!(short.4, long.4);
        }
    }
    assert!(cut > 0);
}

#[test]
fn without_jitter_the_rows_stand_in_order() {
    let rows = rows(&made(&with(100, 1000, 0))["plain/user-service.csv"]);
    assert!(rows.windows(2).all(|pair| pair[0].3 <= pair[1].3));
    assert_eq!(rows.len(), 100);
}
