//! Windowed metrics: the exact bytes of a small task, and what holds for every row of larger ones.

use crate::samples::{WINDOWED, made, make, options, shown};
use chrono::DateTime;
use std::collections::HashMap;

#[test]
fn a_small_task_gives_exactly_these_files() {
    insta::assert_snapshot!(shown(&made(WINDOWED)));
}

#[test]
fn without_a_seed_of_its_own_the_callers_is_used_and_reported() {
    let text = WINDOWED.replace("\"randomSeed\": 7,", "");
    let folder = tempfile::tempdir().unwrap();
    let report = make(&text, &options(folder.path())).unwrap();
    assert_eq!(report.seed, 99);
    let again = made(&WINDOWED.replace("\"randomSeed\": 7", "\"randomSeed\": 99"));
    assert_eq!(crate::samples::files(folder.path()), again);
    assert_ne!(again, made(WINDOWED));
}

#[test]
fn another_metric_leaves_the_values_of_the_others_as_they_were() {
    let more = WINDOWED.replace(
        "\"order-service\": {",
        r#""order-service": { "new": {"unit": "x", "averageFrom": 1, "averageTo": 2, "minDiff": 0, "maxDiff": 0},"#,
    );
    let (before, after) = (made(WINDOWED), made(&more));
    assert_eq!(before["metrics/user-service.csv"], after["metrics/user-service.csv"]);
    let old_rows = String::from_utf8(after["metrics/order-service.csv"].clone()).unwrap();
    let old_rows: Vec<&str> = old_rows.lines().filter(|row| !row.contains(",new,")).collect();
    assert_eq!(old_rows.join("\n") + "\n", String::from_utf8_lossy(&before["metrics/order-service.csv"]));
}

#[test]
fn windows_follow_each_other_and_values_keep_to_their_ranges() {
    // Ranges of very different sizes: from, to, least and most distance.
    let ranges = [
        ("wide", 10.0, 90.0_f64, 1.0, 5.0),
        ("narrow", 0.000_1, 0.000_2, 0.000_01, 0.000_02),
        ("negative", -20.5, -3.25, 0.0, 0.75),
        ("huge", 1e14, 9e14, 1e12, 2e12),
        ("constant", 0.3, 0.3, 0.0, 0.0),
    ];
    let metrics: Vec<String> = ranges
        .iter()
        .map(|(name, from, to, least, most)| {
            format!(
                r#""{name}": {{"unit":"u","averageFrom":{from},"averageTo":{to},"minDiff":{least},"maxDiff":{most}}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"@type": "windowed-metrics", "randomSeed": 3, "numberOfIterations": 5000, "outputFilePath": ".",
        "timer": {{"@type": "synthetic", "startTime": "2024-02-28T23:59:59.999Z", "stepMillis": 61001}},
        "metrics": {{"c": {{{}}}}}}}"#,
        metrics.join(",")
    );
    let files = made(&text);
    let csv = std::str::from_utf8(&files["c.csv"]).unwrap();
    let mut rows = csv.lines();
    assert_eq!(
        rows.next(),
        Some("componentName,fromTimestamp,maxValue,metricName,minValue,toTimestamp,unit")
    );
    let mut ends: HashMap<&str, &str> = HashMap::new();
    let mut averages: HashMap<&str, Vec<f64>> = HashMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split(',').collect();
        let [component, from, max, name, min, to, unit] = cells[..] else { panic!("{row}") };
        assert_eq!((component, unit), ("c", "u"));
        let (min, max): (f64, f64) = (min.parse().unwrap(), max.parse().unwrap());
        let (_, low, high, least, most) = *ranges.iter().find(|range| range.0 == name).unwrap();
        let (average, distance) = ((min + max) / 2.0, (max - min) / 2.0);
        let tolerance = high.abs() * 1e-12;
        assert!(min <= max, "{row}");
        assert!((low - tolerance..=high + tolerance).contains(&average), "{row}");
        assert!((least - tolerance..=most + tolerance).contains(&distance), "{row}");
        let length = DateTime::parse_from_rfc3339(to).unwrap() - DateTime::parse_from_rfc3339(from).unwrap();
        assert_eq!(length.num_milliseconds(), 61_001);
        if let Some(end) = ends.insert(name, to) {
            assert_eq!(end, from);
        }
        averages.entry(name).or_default().push(average);
    }
    for (name, low, high, ..) in ranges {
        let values = &averages[name];
        assert_eq!(values.len(), 5000);
        let mean = values.iter().sum::<f64>() / 5000.0;
        assert!(
            (mean - (low + high) / 2.0).abs() <= (high - low) * 0.02 + high.abs() * 1e-9,
            "{name}: {mean}"
        );
    }
}
