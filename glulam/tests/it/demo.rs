//! The monitoring demo, and the numbers a person can check.

use crate::home::Home;
use serde_json::Value;
use std::path::PathBuf;

fn task(name: &str) -> String {
    let path: PathBuf = testkit::project_root().join("examples/monitoring/tasks").join(name);
    path.display().to_string()
}

fn example(name: &str) -> String {
    testkit::project_root().join("examples").join(name).display().to_string()
}

#[test]
fn a_week_of_metrics_and_logs_becomes_tables_and_answers() {
    let home = Home::new();
    home.succeed(["gen", &task("windowed-metrics.json"), "--output", "s3://metrics-csv/"]);
    let single = example("metrics-plain/tasks/plain-metrics.json");
    home.succeed(["gen", &single, "--output", "s3://single-csv/"]);
    home.succeed(["gen", &task("plain-metrics.json"), "--output", "s3://live-json/"]);
    home.succeed(["gen", &task("access-logs.json"), "--output", "s3://access-logs/"]);

    let rows: usize = std::fs::read_dir(home.bucket("metrics-csv"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap().lines().count() - 1)
        .sum();
    // A week of five-minute windows for 6 services x 4 metrics.
    assert_eq!(rows, 7 * 24 * 12 * 6 * 4);

    let report = home.succeed([
        "crawl",
        "s3://metrics-csv/",
        "s3://single-csv/",
        "s3://live-json/",
        "s3://access-logs/",
        "--database",
        "monitoring",
        "--name",
        "monitoring",
        "--save",
    ]);
    assert!(report.contains("metrics_csv") && report.contains("access_logs"), "{report}");
    assert_eq!(
        home.tables(),
        ["monitoring.access_logs", "monitoring.live_json", "monitoring.metrics_csv", "monitoring.single_csv"]
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

    jobs_write_tables(&home, rows);
    questions(&home, rows);

    // The saved crawler finds nothing new; a new column is named.
    let again = home.succeed(["crawl", "monitoring"]);
    assert!(!again.contains("created"), "{again}");
    home.drop_file("live-json", "late.jsonl", "{\"componentName\":\"gateway\",\"metricName\":\"cpu\",\"unit\":\"percent\",\"value\":1.5,\"publicationTimestamp\":\"2026-03-10T00:00:00Z\",\"host\":\"a1\"}\n");
    let changed = home.succeed(["crawl", "monitoring"]);
    assert!(changed.contains("host") && changed.contains("string"), "{changed}");
    assert!(home.columns("monitoring.live_json").contains(&"host string".to_owned()));
}

/// The demo's three jobs, and the crawl of what they wrote.
fn jobs_write_tables(home: &Home, rows: usize) {
    let written = |run: Value| run["report"]["rows_written"].as_u64().unwrap();
    let job = |name: &str, input: &str, output: &str| {
        let definition = example(&format!("{name}/job.yaml"));
        written(home.json(["job", "run", &definition, "--input", input, "--output", output]))
    };
    assert_eq!(job("metrics-windowed", "s3://metrics-csv/", "s3://curated/windowed/"), rows as u64);
    assert!(job("metrics-plain", "s3://single-csv/", "s3://curated/windows/") > 0);
    let reported = written(home.json([
        "job",
        "run",
        &example("traffic-report/job.yaml"),
        "--input",
        "s3://access-logs/",
        "--output",
        "s3://curated/traffic/",
        "--from",
        "2026-03-02T00:00:00",
        "--to",
        "2026-03-09T00:00:00",
    ]));
    // Ten pairs on seven days, ten edges, six services.
    assert_eq!(reported, 10 * 7 + 10 + 6);
    home.succeed(["crawl", "s3://curated/", "--database", "curated", "--name", "curated", "--save"]);
    let tables = home.tables();
    for table in ["edges", "nodes", "report", "windowed", "windows"] {
        assert!(tables.contains(&format!("curated.{table}")), "{tables:?}");
    }
}

/// The demo's questions, against what a reader of the files counts.
fn questions(home: &Home, rows: usize) {
    let ask = |file: &str| -> Vec<Vec<String>> {
        let path = example(&format!("monitoring/queries/{file}"));
        let text = home.succeed(["sql", "--database", "curated", "--file", &path, "--format", "csv"]);
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let averages = ask("1-averages.sql");
    // 4 metrics, 2 hours, 12 windows of 6 services.
    assert_eq!(averages.len(), 8, "{averages:?}");
    assert!(averages.iter().all(|row| row[4] == "72"), "{averages:?}");
    let mut failed = std::collections::BTreeMap::<String, usize>::new();
    let mut calls = std::collections::BTreeMap::<(String, String), usize>::new();
    for file in std::fs::read_dir(home.bucket("access-logs")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let service = name.split('-').next().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        *failed.entry(service).or_default() += text.lines().filter(|l| l.contains("\" 5")).count();
        let target = name.rsplitn(4, '-').last().unwrap();
        for line in text.lines().filter(|line| line.ends_with("\"Apache HTTP Client\"")) {
            let source = line.split_whitespace().nth(2).unwrap();
            *calls.entry((source.to_owned(), target.to_owned())).or_default() += 1;
        }
    }
    let rates = ask("3-error-rate.sql");
    assert_eq!(rates.len(), failed.len(), "{rates:?}");
    for row in &rates {
        assert_eq!(row[2], failed[&row[0]].to_string(), "{row:?}");
    }
    assert_eq!(ask("4-jumps.sql").len(), 5);
    // Three services with three metrics each.
    assert_eq!(ask("5-windows.sql").len(), 9);
    let edges = ask("6-calls.sql");
    assert_eq!(edges.len(), 5);
    for row in &edges {
        assert_eq!(row[2], calls[&(row[0].clone(), row[1].clone())].to_string(), "{row:?}");
    }
    let count = ["sql", "--format", "csv", "SELECT count(*) FROM curated.windowed"];
    assert_eq!(home.succeed(count).lines().last().unwrap(), rows.to_string());
    assert_eq!(ask("8-to-parquet.sql"), [[rows.to_string()]]);
    assert_eq!(ask("9-from-parquet.sql"), ask("7-from-csv.sql"));
    let runs = home.json(["runs", "--kind", "query", "--limit", "2"]);
    let read = |i: usize| runs[i]["counters"]["bytes_scanned"].as_u64().unwrap();
    // The Parquet query ran first, the CSV query last.
    assert!(read(1) * 20 < read(0), "{} of {} bytes", read(1), read(0));
    assert_eq!(runs[1]["counters"]["partitions_read"], 1);
    assert_eq!(runs[1]["counters"]["partitions_pruned"], 23);
}

#[test]
fn a_saved_crawler_by_event_reads_what_was_written_since() {
    let home = Home::new();
    let small = r#"{ "@type": "windowed-metrics", "numberOfIterations": 5,
      "timer": { "@type": "synthetic", "startTime": "2026-03-02T00:00:00.000Z", "stepMillis": 300000 },
      "outputFilePath": "./data", "metrics": { "a": { "cpu":
        { "unit": "percent", "averageFrom": 1, "averageTo": 2, "minDiff": 0, "maxDiff": 1 } } } }"#;
    home.write("task.json", small);
    home.succeed(["gen", "task.json", "--output", "s3://metrics/first/"]);
    let target =
        ["crawl", "s3://metrics/", "--database", "m", "--recrawl", "by-event", "--name", "m", "--save"];
    home.succeed(target);
    assert_eq!(home.tables(), ["m.first"]);
    // Dropped by hand: nobody tells. Written through the platform: an event does.
    home.drop_file("metrics", "dropped/a.csv", "name,age\nrex,3\nmia,4\n");
    home.succeed(["gen", "task.json", "--output", "s3://metrics/second/"]);
    home.succeed(["crawl", "m"]);
    assert_eq!(home.tables(), ["m.first", "m.second"]);
}
