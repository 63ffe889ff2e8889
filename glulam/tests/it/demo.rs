//! The monitoring demo, and the numbers a person can check.

use crate::home::Home;
use std::path::PathBuf;

fn task(name: &str) -> String {
    let path: PathBuf = testkit::project_root().join("examples/monitoring/tasks").join(name);
    path.display().to_string()
}

#[test]
fn a_week_of_metrics_and_logs_becomes_tables() {
    let home = Home::new();
    home.succeed(["gen", &task("windowed-metrics.json"), "--output", "s3://metrics-csv/"]);
    home.succeed(["gen", &task("access-logs.json"), "--output", "s3://access-logs/"]);
    home.succeed(["gen", &task("plain-metrics.json"), "--output", "s3://plain-metrics/"]);

    let rows: usize = std::fs::read_dir(home.bucket("metrics-csv"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap().lines().count() - 1)
        .sum();
    // A week of five-minute windows for 6 services x 4 metrics.
    assert_eq!(rows, 7 * 24 * 12 * 6 * 4);

    let report = home.succeed([
        "crawl",
        "s3://metrics-csv/",
        "s3://access-logs/",
        "s3://plain-metrics/",
        "--database",
        "monitoring",
        "--name",
        "monitoring",
        "--save",
    ]);
    assert!(report.contains("metrics_csv") && report.contains("access_logs"), "{report}");
    assert_eq!(
        home.tables(),
        ["monitoring.access_logs", "monitoring.metrics_csv", "monitoring.plain_metrics"]
    );
    assert_eq!(
        home.columns("monitoring.metrics_csv"),
        [
            "componentName string",
            "fromTimestamp string",
            "maxValue double",
            "metricName string",
            "minValue double",
            "toTimestamp string",
            "unit string"
        ]
        .map(str::to_owned)
    );
    let logs = home.columns("monitoring.access_logs");
    assert!(logs.iter().any(|column| column.contains("status") && column.ends_with(" int")), "{logs:?}");

    // The saved crawler finds nothing new; a new column is named.
    let again = home.succeed(["crawl", "monitoring"]);
    assert!(!again.contains("created"), "{again}");
    home.drop_file("plain-metrics", "late.jsonl", "{\"componentName\":\"gateway\",\"metricName\":\"cpu\",\"unit\":\"percent\",\"value\":1.5,\"publicationTimestamp\":\"2026-03-10T00:00:00Z\",\"host\":\"a1\"}\n");
    let changed = home.succeed(["crawl", "monitoring"]);
    assert!(changed.contains("host") && changed.contains("string"), "{changed}");
    assert!(home.columns("monitoring.plain_metrics").contains(&"host string".to_owned()));
}
