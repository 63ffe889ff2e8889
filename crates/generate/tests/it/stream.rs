//! The metrics stream: JSON lines, CSV, the name of the file, and the pace.

use crate::samples::{STREAM, files, make, now, options, shown, to_file};
use chrono::{DateTime, Utc};
use generate::{Options, Task, run};
use model::ErrorKind;
use std::sync::Mutex;

#[test]
fn a_small_task_gives_exactly_these_events() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["events.jsonl", "events.csv"] {
        let report = make(STREAM, &to_file(options(folder.path()), name)).unwrap();
        assert_eq!((report.rows, report.files[0].rows, report.files.len()), (4, 4, 1));
    }
    insta::assert_snapshot!(shown(&files(folder.path())));
}

#[test]
fn every_json_line_is_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let many = STREAM.replace("\"iterationsNumber\": 2", "\"iterationsNumber\": 20000");
    make(&many, &to_file(options(folder.path()), "events.jsonl")).unwrap();
    let text = std::fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    let mut ram = Vec::new();
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let keys: Vec<&String> = event.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["componentName", "metricName", "unit", "value", "publicationTimestamp"]);
        if event["metricName"] == "ram" {
            ram.push(event["value"].as_f64().unwrap());
        }
    }
    assert_eq!((text.lines().count(), ram.len()), (40_000, 20_000));
    assert!(ram.iter().all(|value| (0.5..=0.75).contains(value)));
    let mean = ram.iter().sum::<f64>() / 20_000.0;
    assert!((mean - 0.625).abs() < 0.005, "{mean}");
}

#[test]
fn a_task_with_only_a_stream_is_refused_and_told_where_it_can_write() {
    let folder = tempfile::tempdir().unwrap();
    let error = make(STREAM, &options(folder.path())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    insta::assert_snapshot!(error.diagnosis(), @r"
    cannot write to the stream `metrics`
    why: whoever runs the task here takes files only
    help: pass `--output FILE` for a file, or `--output -` for standard output
    ");
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_folder_as_output_keeps_the_tasks_own_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let own =
        STREAM.replace("\"randomSeed\": 7,", "\"randomSeed\": 7, \"outputFilePath\": \"data/own.csv\",");
    make(&own, &to_file(options(folder.path()), "new/")).unwrap();
    make(STREAM, &to_file(options(folder.path()), "new")).unwrap();
    make(&own, &options(folder.path())).unwrap();
    let files = files(folder.path());
    assert_eq!(files.keys().collect::<Vec<_>>(), ["data/own.csv", "new/metrics-stream.jsonl", "new/own.csv"]);
    assert_eq!(files["data/own.csv"], files["new/own.csv"]);
}

#[test]
fn the_pace_waits_for_each_iteration_and_a_missing_start_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let waited: Mutex<Vec<DateTime<Utc>>> = Mutex::new(Vec::new());
    let wait = |until| waited.lock().unwrap().push(until);
    let text = STREAM.replace("\"startTime\": \"2020-01-01T11:32:54.000Z\", ", "");
    let task = Task::parse("task.json", &text).unwrap();
    let options = Options { wait_until: Some(&wait), ..to_file(options(folder.path()), "events.csv") };
    run(&task, &options, &()).unwrap();
    assert_eq!(*waited.lock().unwrap(), [now(), now() + chrono::TimeDelta::seconds(1)]);
    let csv = std::fs::read_to_string(folder.path().join("events.csv")).unwrap();
    assert!(csv.lines().nth(1).unwrap().ends_with(",2027-01-15T08:00:00.000Z"));
    assert!(csv.lines().nth(3).unwrap().ends_with(",2027-01-15T08:00:01.000Z"));
}
