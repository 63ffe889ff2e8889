//! ETL jobs through the binary: the examples against their independent checks, bookmarks, rejects, Delta tables, kills.

use crate::home::{Home, LONG};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{Finished, Process};

fn example(name: &str) -> PathBuf {
    testkit::project_root().join("examples").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Generates an example's data into a bucket.
fn generate(home: &Home, name: &str, task: &str, to: &str) {
    let task = example(name).join("tasks").join(task);
    home.succeed(["gen", text(&task), "--output", to, "--seed", "7"]);
}

/// Runs the example's own check, which knows nothing of the engine.
fn verify(home: &Home, name: &str, input: &str, output: &Path, more: &[&str]) -> Finished {
    let mut command = Command::new(testkit::venv().join("bin/python"));
    command.arg(example(name).join("verify.py")).arg(home.bucket(input)).arg(output).args(more);
    Process::start(&mut command).wait(LONG)
}

fn verified(home: &Home, name: &str, input: &str, output: &Path, more: &[&str]) {
    let finished = verify(home, name, input, output, more);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
}

fn job(name: &str) -> String {
    text(&example(name).join("job.yaml")).to_owned()
}

#[test]
fn windowed_metrics_become_parquet_by_metric_and_component() {
    let home = Home::new();
    generate(&home, "metrics-windowed", "windowed-metrics.json", "s3://legacy-metrics/");
    let shown = home.succeed(["job", "run", &job("metrics-windowed"), "--input", "s3://legacy-metrics/"]);
    assert!(shown.contains("7,776 rows") && shown.contains("practice.metrics_windowed"), "{shown}");
    assert!(shown.contains("on AWS, 10 workers of G.1X"), "{shown}");
    let output = home.bucket("metrics-lake").join("windowed");
    verified(&home, "metrics-windowed", "legacy-metrics", &output, &[]);
    // The catalog has the table with its partitions, and they can be queried.
    let rows = home.succeed([
        "sql",
        "SELECT count(*), count(DISTINCT metricname), count(DISTINCT componentname) FROM practice.metrics_windowed",
        "--format",
        "csv",
    ]);
    assert!(rows.ends_with("7776,9,3\n") || rows.contains("7776,"), "{rows}");
    let runs = home.json(["runs", "--limit", "1", "--kind", "job"]);
    assert_eq!(runs[0]["name"], "metrics-windowed");
}

#[test]
fn plain_metrics_become_windows_of_five_minutes() {
    let home = Home::new();
    generate(&home, "metrics-plain", "plain-metrics.json", "s3://plain-metrics/");
    home.succeed(["job", "run", &job("metrics-plain")]);
    verified(&home, "metrics-plain", "plain-metrics", &home.bucket("metrics-lake").join("plain"), &[]);
}

#[test]
fn camera_records_move_to_the_hour_of_their_event_once_each() {
    let home = Home::new();
    let output = home.bucket("anpr-lake").join("by-event");
    generate(&home, "anpr-event-time", "first.json", "s3://anpr-arrivals/");
    home.succeed(["job", "run", &job("anpr-event-time")]);
    verified(&home, "anpr-event-time", "anpr-arrivals", &output, &[]);
    generate(&home, "anpr-event-time", "later.json", "s3://anpr-arrivals/");
    let shown = home.json(["job", "run", &job("anpr-event-time"), "--quiet"]);
    let report = &shown["report"];
    assert_eq!((&report["rows_written"], &report["skipped_files"]), (&14400.into(), &32.into()), "{report}");
    verified(&home, "anpr-event-time", "anpr-arrivals", &output, &[]);
    // Nothing is new: nothing is written.
    let again = home.succeed(["job", "run", &job("anpr-event-time")]);
    assert!(again.contains("nothing new: 64 files were read by earlier runs"), "{again}");
    verified(&home, "anpr-event-time", "anpr-arrivals", &output, &[]);
    // Set back to the first run, the second half is read again; paused, it stays new.
    let runs = home.json(["runs", "--kind", "job"]);
    let first = runs[2]["id"].as_str().unwrap().to_owned();
    home.succeed(["job", "bookmark", "anpr-event-time", "--rewind", &first]);
    for _ in 0..2 {
        let shown = home.json([
            "job",
            "run",
            &job("anpr-event-time"),
            "--job-bookmark-option",
            "job-bookmark-pause",
            "--output",
            "s3://anpr-lake/again/",
        ]);
        assert_eq!(shown["report"]["rows_written"], 14400, "{shown}");
    }
    let bookmark = home.json(["job", "bookmark", "anpr-event-time"]);
    assert_eq!(bookmark["sources"]["arrived"][0], 32, "{bookmark}");
    home.succeed(["job", "bookmark", "anpr-event-time", "--reset"]);
    assert_eq!(home.json(["job", "bookmark", "anpr-event-time"])["sources"], serde_json::json!({}));
}

#[test]
fn access_logs_of_both_shapes_become_a_report_and_a_graph() {
    let home = Home::new();
    generate(&home, "traffic-report", "service-logs.json", "s3://access-logs/service/");
    generate(&home, "traffic-report", "nginx-logs.json", "s3://access-logs/nginx/");
    home.succeed(["job", "run", &job("traffic-report")]);
    verified(&home, "traffic-report", "access-logs", &home.bucket("traffic-report"), &[]);
    let range = ["--from", "2026-03-02T06:00:00", "--to", "2026-03-04"];
    let [a, from, b, to] = range;
    home.succeed([
        "job",
        "run",
        &job("traffic-report"),
        "--output",
        "s3://traffic-report/range/",
        a,
        from,
        b,
        to,
    ]);
    verified(&home, "traffic-report", "access-logs", &home.bucket("traffic-report").join("range"), &range);

    generate(&home, "traffic-report", "windowed-metrics.json", "s3://legacy-metrics/");
    let enriched = testkit::project_root().join("examples/traffic-report/with-metrics.yaml");
    let enriched = enriched.to_str().unwrap();
    home.succeed(["job", "run", enriched, "--output", "s3://traffic-report/enriched/"]);
    let metrics = home.bucket("legacy-metrics");
    let metrics = ["--metrics", metrics.to_str().unwrap()];
    let output = home.bucket("traffic-report").join("enriched");
    verified(&home, "traffic-report", "access-logs", &output, &metrics);
    let nodes = std::fs::read_dir(output.join("nodes")).unwrap();
    let nodes: String = nodes.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(nodes.contains("\"detail__cpu\":"), "{nodes}");
}

#[test]
fn taxi_trips_are_cleaned_and_what_was_dropped_is_counted() {
    let home = Home::new();
    generate(&home, "taxi-cleaning", "taxi-trips.json", "s3://taxi-raw/");
    let shown = home.json(["job", "run", &job("taxi-cleaning")]);
    verified(&home, "taxi-cleaning", "taxi-raw", &home.bucket("taxi-clean"), &[]);
    // Rows that two nodes read are made once, and counted once.
    let nodes = shown["report"]["nodes"].as_array().unwrap();
    let judged = nodes.iter().find(|node| node["id"] == "judged").unwrap();
    assert_eq!((&judged["rows_in"], &judged["rows_out"]), (&30000.into(), &30000.into()));
}

const REJECTING: &str = r#"
Name: orders
CodeGenConfigurationNodes:
  files:
    S3CsvSource: {Name: Files, Paths: ["s3://orders/"], Separator: comma, QuoteChar: quote, WithHeader: true}
  typed:
    ApplyMapping:
      Name: Types
      Inputs: [files]
      Mapping:
        - {FromPath: [id], FromType: string, ToKey: id, ToType: long}
        - {FromPath: [price], FromType: string, ToKey: price, ToType: double}
        - {FromPath: [at], FromType: string, ToKey: at, ToType: timestamp}
  lake:
    S3GlueParquetTarget: {Name: Lake, Inputs: [typed], Path: "s3://curated/orders/"}
"#;

#[test]
fn rows_that_do_not_fit_are_kept_with_their_reason() {
    let home = Home::new();
    home.write("job.yaml", REJECTING);
    let good: String = (10..60).map(|id| format!("{id},1.25,2026-01-02\n")).collect();
    let bad = "1,2.5,2026-01-02T03:04:05Z\n2,cheap,2026-01-02 03:04:05\n3,,\n4,1\nx,1,2026-01-02\n5,1,2026-01-02,more\n";
    home.drop_file("orders", "a.csv", format!("id,price,at\n{bad}{good}"));
    let shown = home.json(["job", "run", "job.yaml", "--reject-location", "s3://curated/_bad/"]);
    let report = &shown["report"];
    assert_eq!(report["rows_written"], 52, "{report}");
    assert_eq!(
        (&report["rejects"]["files"]["rows"], &report["rejects"]["typed"]["rows"]),
        (&2.into(), &2.into())
    );
    let bad = home.bucket("curated").join("_bad/orders").join(shown["run"].as_str().unwrap());
    let typed = std::fs::read_to_string(bad.join("typed.json")).unwrap();
    let rows: Vec<serde_json::Value> =
        typed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    let cheap = rows.iter().find(|row| row["id"] == "2").unwrap();
    assert_eq!((&cheap["rejected_column"], &cheap["price"]), (&"price".into(), &"cheap".into()));
    let lines = std::fs::read_to_string(bad.join("files.json")).unwrap();
    assert!(lines.contains("\"4,1\"") && lines.contains("\"line\":5"), "{lines}");
    // Too many of them: nothing is written at all.
    let before = home.json(["sql", "SELECT 1 AS one"]);
    assert!(before.to_string().contains('1'));
    for most in ["2", "5%"] {
        let finished = home.run(["job", "run", "job.yaml", "--max-rejects", most]);
        assert_eq!(finished.code, Some(1), "{}{}", finished.stdout, finished.stderr);
        assert!(finished.stderr.contains("were rejected"), "{}", finished.stderr);
    }
    let files = std::fs::read_dir(home.bucket("curated").join("orders")).unwrap().count();
    assert_eq!(files, report["files_written"].as_u64().unwrap() as usize);
}

const DELTA: &str = r#"
Name: prices
DefaultArguments: {--mode: append}
CodeGenConfigurationNodes:
  files:
    S3JsonSource: {Name: Files, Paths: ["${input}"]}
  delta:
    S3DeltaDirectTarget:
      Name: Prices
      Inputs: [files]
      Path: s3://lake/prices/
      Format: delta
      Compression: snappy
      AdditionalOptions: {writeMode: "${mode}", mergeKeys: [id]}
"#;

#[test]
fn delta_tables_are_appended_to_merged_and_overwritten() {
    let home = Home::new();
    home.write("job.yaml", &DELTA.replace(", mergeKeys: [id]", ""));
    home.write("merge.yaml", &DELTA.replace("--mode: append", "--mode: merge"));
    home.drop_file("incoming", "one/a.json", "{\"id\":1,\"price\":1.5}\n{\"id\":2,\"price\":2.5}\n");
    home.drop_file("incoming", "two/a.json", "{\"id\":2,\"price\":20.5}\n{\"id\":3,\"price\":3.5}\n");
    let rows = |home: &Home| {
        home.succeed([
            "convert",
            "s3://lake/prices/",
            "out.csv",
            "--overwrite",
            "--select",
            "SELECT * FROM input ORDER BY id, price",
        ]);
        std::fs::read_to_string(home.path().join("out.csv")).unwrap()
    };
    home.succeed(["job", "run", "job.yaml", "--input", "s3://incoming/one/"]);
    assert_eq!(rows(&home), "id,price\n1,1.5\n2,2.5\n");
    home.succeed(["job", "run", "merge.yaml", "--input", "s3://incoming/two/"]);
    assert_eq!(rows(&home), "id,price\n1,1.5\n2,20.5\n3,3.5\n");
    home.succeed(["job", "run", "job.yaml", "--input", "s3://incoming/one/"]);
    assert_eq!(rows(&home), "id,price\n1,1.5\n1,1.5\n2,2.5\n2,20.5\n3,3.5\n");
    home.succeed(["job", "run", "job.yaml", "--input", "s3://incoming/two/", "--mode", "overwrite"]);
    assert_eq!(rows(&home), "id,price\n2,20.5\n3,3.5\n");
    // The log is one that others read.
    let script = "import sys, deltalake; t = deltalake.DeltaTable(sys.argv[1]); print(t.version(), t.to_pyarrow_table().num_rows)";
    let mut python = Command::new(testkit::venv().join("bin/python"));
    python.args(["-c", script]).arg(home.bucket("lake").join("prices"));
    let finished = Process::start(&mut python).wait(LONG);
    if finished.code == Some(0) {
        assert!(finished.stdout.trim().ends_with(" 2"), "{}", finished.stdout);
    }
}

#[test]
fn jobs_are_kept_previewed_written_as_scripts_and_checked() {
    let home = Home::new();
    generate(&home, "metrics-plain", "plain-metrics.json", "s3://plain-metrics/");
    home.succeed(["job", "create", &job("metrics-plain")]);
    assert!(home.succeed(["job", "list"]).contains("metrics-plain"));
    assert!(home.succeed(["job", "show", "metrics-plain"]).contains("glulam_window"));
    let preview = home.json(["job", "preview", "metrics-plain", "--rows", "2"]);
    let windows = preview.as_array().unwrap().iter().find(|node| node["id"] == "windows").unwrap();
    assert_eq!(windows["rows"]["rows"].as_array().unwrap().len(), 2, "{windows}");
    assert!(!home.bucket("metrics-lake").join("plain").exists());
    let script = home.succeed(["job", "script", "metrics-plain"]);
    assert!(script.contains("ApplyMapping.apply") && script.contains("SqlFuncs.window"), "{script}");
    let sql = home.succeed(["job", "script", "metrics-plain", "--language", "athena"]);
    assert!(sql.to_uppercase().contains("UNLOAD") || sql.to_uppercase().contains("SELECT"), "{sql}");
    home.succeed(["job", "run", "metrics-plain"]);
    let fine = home.run(["check", &job("metrics-plain")]);
    assert_eq!(fine.code, Some(0), "{}{}", fine.stdout, fine.stderr);
    home.write(
        "wrong.yaml",
        &REJECTING
            .replace("FromPath: [price]", "FromPath: [prise]")
            .replace("Inputs: [typed]", "Inputs: [tyqed]"),
    );
    home.drop_file("orders", "a.csv", "id,price,at\n1,2.5,2026-01-02T03:04:05Z\n");
    let wrong = home.run(["check", "wrong.yaml"]);
    assert_eq!(wrong.code, Some(2));
    for part in ["wrong.yaml:", "prise", "price", "tyqed", "typed"] {
        assert!(wrong.stdout.contains(part), "no `{part}` in {}", wrong.stdout);
    }
    home.succeed(["job", "delete", "metrics-plain"]);
    assert_eq!(home.run(["job", "run", "metrics-plain"]).code, Some(3));
}

/// Kills a run at a point, and runs the job again: every row is there once, in the table and in the folder.
fn killed_at(point: &str) {
    let home = Home::new();
    generate(&home, "metrics-windowed", "windowed-metrics.json", "s3://legacy-metrics/");
    let job = job("metrics-windowed");
    let arguments = ["job", "run", &job, "--job-bookmark-option", "job-bookmark-enable"];
    let finished = Process::start(home.command(arguments).env("GLULAM_CRASH_AT", point)).wait(LONG);
    assert_eq!(finished.code, None, "{point} was not reached: {}{}", finished.stdout, finished.stderr);
    home.succeed(arguments);
    let output = home.bucket("metrics-lake").join("windowed");
    verified(&home, "metrics-windowed", "legacy-metrics", &output, &[]);
    let count =
        home.succeed(["sql", "SELECT count(*) AS n FROM practice.metrics_windowed", "--format", "csv"]);
    assert!(count.contains("7776"), "{point}: {count}");
    let again = home.succeed(arguments);
    assert!(again.contains("nothing new: 3 files"), "{point}: {again}");
    let markers = home.bucket("metrics-lake").join("_glulam/commits");
    assert!(!markers.exists() || std::fs::read_dir(markers).unwrap().count() == 0, "{point}");
}

macro_rules! kills {
    ($($name:ident: $point:expr,)*) => { $(#[test] fn $name() { killed_at($point); })* };
}

kills! {
    job_killed_before_its_intent: "jobs.run.before_intend",
    job_killed_before_publishing: "jobs.run.before_publish",
    job_killed_when_staged: "lake.commit.staged",
    job_killed_with_its_journal: "lake.commit.journal",
    job_killed_at_the_first_rename: "lake.commit.rename",
    job_killed_at_the_third_rename: "lake.commit.rename:3",
    job_killed_when_published: "lake.commit.published",
    job_killed_before_the_catalog: "jobs.run.before_catalog",
    job_killed_before_settling: "jobs.run.before_settle",
    job_killed_before_the_marker_goes: "jobs.run.before_marker",
    job_killed_before_the_record_goes: "jobs.run.before_forget",
}
