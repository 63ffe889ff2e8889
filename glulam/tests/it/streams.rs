//! Streams and the applications over them, through the binary; and kills at every step of a checkpoint.

use crate::home::{Home, LONG};
use std::fmt::Write;
use testkit::Process;

/// Events of one hour: each service and metric once a second, one of each a line.
fn events(hour: u32, count: u32) -> String {
    let mut text = String::new();
    for i in 0..count {
        let (minute, second) = (i / 60 % 60, i % 60);
        let component = ["order-service", "user-service"][(i % 2) as usize];
        writeln!(
            text,
            r#"{{"componentName":"{component}","metricName":"cpu","unit":"percent","value":{i},"publicationTimestamp":"2026-03-02T{hour:02}:{minute:02}:{second:02}.500Z"}}"#
        )
        .unwrap();
    }
    text
}

const TABLE: &str = "CREATE EXTERNAL TABLE windows (fromtimestamp timestamp, totimestamp timestamp, events bigint, \
                     highest double) PARTITIONED BY (componentname string) STORED AS PARQUET LOCATION 's3://out/windows/'";

const SCRIPT: &str = "SET 'execution.checkpointing.interval' = '20 ms';
CREATE TABLE metrics_stream (
  componentName STRING, metricName STRING, `value` DOUBLE, publicationTimestamp TIMESTAMP(3),
  WATERMARK FOR publicationTimestamp AS publicationTimestamp - INTERVAL '5' SECOND
) WITH ('connector' = 'kinesis', 'stream' = 'metrics', 'aws.region' = 'eu-central-1',
        'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
INSERT INTO windows
SELECT TUMBLE_START(publicationTimestamp, INTERVAL '5' MINUTE), TUMBLE_END(publicationTimestamp, INTERVAL '5' MINUTE),
       COUNT(*), MAX(`value`), componentName
FROM metrics_stream
GROUP BY TUMBLE(publicationTimestamp, INTERVAL '5' MINUTE), componentName;";

fn prepared() -> Home {
    let home = Home::new();
    home.bucket("out");
    home.succeed(["sql", TABLE]);
    home.succeed(["stream", "create", "metrics", "--shards", "2"]);
    home.write("windows.sql", SCRIPT);
    home
}

fn put(home: &Home, hour: u32, count: u32) {
    home.write("events.json", &events(hour, count));
    home.succeed(["stream", "put", "metrics", "events.json"]);
}

/// How many events the windows have counted, and how many rows there are for a window and component at most.
fn counted(home: &Home) -> (String, String) {
    let rows = home.json(["sql", "SELECT sum(events) AS n FROM windows"]);
    let twice = home.json([
        "sql",
        "SELECT coalesce(max(n), 0) AS n FROM (SELECT count(*) AS n FROM windows GROUP BY fromtimestamp, componentname)",
    ]);
    let first = |value: &serde_json::Value| value.to_string();
    (first(&rows), first(&twice))
}

#[test]
fn events_become_windows_in_the_catalog() {
    let home = prepared();
    put(&home, 10, 1200);
    let tail = home.succeed(["stream", "tail", "metrics", "--from-start", "--limit", "3"]);
    assert_eq!(tail.lines().count(), 3, "{tail}");
    let explained = home.succeed(["stream", "explain", "windows.sql"]);
    assert!(explained.contains("table default.windows, exactly once"), "{explained}");
    home.succeed(["check", "windows.sql"]);
    let ran = home.run(["stream", "run", "windows.sql", "--until-caught-up", "--tasks", "2"]);
    assert!(ran.stderr.contains("1,200 events read"), "{}", ran.stderr);
    let (events, rows) = counted(&home);
    assert!(events.contains("1200"), "{events}");
    assert!(rows.contains('1'), "{rows}");
    let apps = home.succeed(["stream", "apps"]);
    assert!(apps.contains("windows"), "{apps}");
}

#[test]
fn the_practice_example_runs_as_it_is() {
    let home = Home::new();
    home.bucket("windowed-metrics");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/metrics-stream/windows.sql");
    home.succeed(["check", example]);
    home.succeed(["stream", "create", "metrics-stream", "--shards", "1"]);
    home.write("events.json", &events(10, 600));
    home.succeed(["stream", "put", "metrics-stream", "events.json"]);
    home.succeed(["stream", "run", example, "--until-caught-up"]);
    let folder = home.bucket("windowed-metrics").join("metricname=cpu/componentname=order-service");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn a_wrong_script_is_refused_with_its_place() {
    let home = prepared();
    home.write("wrong.sql", &SCRIPT.replace("MAX(`value`)", "MAX(`valu`)"));
    for command in [vec!["check", "wrong.sql"], vec!["stream", "run", "wrong.sql"]] {
        let finished = Process::start(&mut home.command(command)).wait(LONG);
        assert_ne!(finished.code, Some(0));
        let shown = format!("{}{}", finished.stdout, finished.stderr);
        assert!(shown.contains("wrong.sql:9:") && shown.contains("`value`"), "{shown}");
    }
}

/// Killed at a point, run again, fed again: every event is in one window once.
fn killed_at(point: &str) {
    let home = prepared();
    put(&home, 10, 900);
    let run = ["stream", "run", "windows.sql", "--until-caught-up"];
    let finished = Process::start(home.command(run).env("GLULAM_CRASH_AT", point)).wait(LONG);
    assert_eq!(finished.code, None, "{point} was not reached: {}{}", finished.stdout, finished.stderr);
    home.succeed(run);
    put(&home, 12, 300);
    home.succeed(run);
    let (events, rows) = counted(&home);
    assert!(events.contains("1200"), "{point}: {events}");
    assert!(rows.contains('1') && !rows.contains('2'), "{point}: {rows}");
    let left: Vec<_> = std::fs::read_dir(home.bucket("out").join("_glulam/commits"))
        .map(|entries| entries.flatten().map(|e| e.file_name()).collect())
        .unwrap_or_default();
    assert!(left.is_empty(), "{point}: {left:?}");
}

#[test]
fn a_kill_before_the_first_checkpoint_loses_nothing() {
    killed_at("apps.checkpoint.before_record");
}

#[test]
fn a_kill_before_a_checkpoint_is_on_record_loses_nothing() {
    killed_at("apps.checkpoint.before_record:2");
}

#[test]
fn a_kill_before_outputs_are_published_doubles_nothing() {
    killed_at("apps.checkpoint.recorded:2");
}

#[test]
fn a_kill_while_outputs_are_published_doubles_nothing() {
    killed_at("lake.commit.published");
}

#[test]
fn a_kill_behind_the_outputs_doubles_nothing() {
    killed_at("apps.checkpoint.published");
}

#[test]
fn a_kill_before_a_checkpoint_counts_doubles_nothing() {
    killed_at("apps.checkpoint.before_settle");
}

#[test]
fn a_kill_behind_a_checkpoint_leaves_nothing() {
    killed_at("apps.checkpoint.settled");
}
