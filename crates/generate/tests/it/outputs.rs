//! Files appear whole or not at all: what a cancelled or failed run, a killed one and a repeated one leave behind.

use crate::samples::{LOG, STREAM, StopAfter, WINDOWED, files, make, options, to_file};
use generate::{Options, Output, Task, run};
use model::ErrorKind;

#[test]
fn a_cancelled_run_leaves_neither_files_nor_folders() {
    let text = |text: &str| {
        text.replace("\"numberOfIterations\": 2", "\"numberOfIterations\": 200000")
            .replace("\"iterationsNumber\": 2", "\"iterationsNumber\": 200000")
    };
    for (task, output) in [(WINDOWED, None), (LOG, None), (STREAM, Some("deep/er/events.jsonl"))] {
        let folder = tempfile::tempdir().unwrap();
        let output = output.map(|path| Output::Path(path.into()));
        let options = Options { output, ..options(folder.path()) };
        let task = Task::parse("task.json", &text(task)).unwrap();
        let error = run(&task, &options, &StopAfter::rows(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{task:?}");
    }
}

#[test]
fn a_failed_run_keeps_what_was_there_before() {
    let folder = tempfile::tempdir().unwrap();
    // A folder stands where the second component's file should be.
    std::fs::create_dir_all(folder.path().join("metrics/order-service.csv")).unwrap();
    std::fs::write(folder.path().join("metrics/user-service.csv"), "old").unwrap();
    let error = make(WINDOWED, &options(folder.path())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("order-service.csv"), "{error}");
    let left = files(folder.path());
    assert_eq!(
        left.into_iter().collect::<Vec<_>>(),
        [("metrics/user-service.csv".to_owned(), b"old".to_vec())]
    );
}

#[test]
fn a_file_where_the_folder_should_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("metrics"), "a file").unwrap();
    let error = make(WINDOWED, &options(folder.path())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.diagnosis().to_string().contains("--output"));
}

#[test]
fn a_repeated_run_replaces_its_own_files_and_sweeps_what_a_killed_one_left() {
    let folder = tempfile::tempdir().unwrap();
    make(WINDOWED, &options(folder.path())).unwrap();
    let before = files(folder.path());
    std::fs::write(folder.path().join("metrics/.user-service.csv.1-0.glulam-partial"), "half").unwrap();
    std::fs::write(folder.path().join("metrics/user-service.csv"), "something else").unwrap();
    std::fs::write(folder.path().join("metrics/notes.txt"), "mine").unwrap();
    make(WINDOWED, &options(folder.path())).unwrap();
    let mut after = files(folder.path());
    assert_eq!(after.remove("metrics/notes.txt"), Some(b"mine".to_vec()));
    assert_eq!(after, before);
}

#[test]
fn two_runs_in_one_folder_do_not_sweep_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let many = STREAM.replace("\"iterationsNumber\": 2", "\"iterationsNumber\": 3");
    let inner = || {
        make(WINDOWED, &Options { output: Some(Output::Path(".".into())), ..options(folder.path()) })
            .unwrap();
    };
    let wait = |_| inner();
    let options = Options { wait_until: Some(&wait), ..to_file(options(folder.path()), "events.csv") };
    make(&many, &options).unwrap();
    let names: Vec<String> = files(folder.path()).into_keys().collect();
    assert_eq!(names, ["events.csv", "order-service.csv", "user-service.csv"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("events.csv")).unwrap().lines().count(), 7);
}

#[test]
fn several_files_do_not_go_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { output: Some(Output::Stdout), ..options(folder.path()) };
    for text in [WINDOWED, LOG] {
        let error = make(text, &options).unwrap_err();
        assert!(error.diagnosis().to_string().contains("--output DIR"), "{error}");
    }
}

#[test]
fn the_demo_tasks_make_what_they_promise() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/monitoring/tasks");
    let rows = |name: &str| {
        let text = std::fs::read_to_string(format!("{tasks}/{name}")).unwrap();
        let report = make(&text, &options(folder.path())).unwrap();
        (report.rows, report.files.len())
    };
    assert_eq!(rows("windowed-metrics.json"), (2016 * 6 * 4, 6));
    let (lines, files) = rows("access-logs.json");
    assert!((149_000..151_000).contains(&lines), "{lines}");
    assert_eq!(files, 6 * 7);
    assert_eq!(rows("plain-metrics.json"), (3600 * 6 * 4, 1));
}

#[test]
fn the_tasks_of_the_job_examples_make_what_their_readmes_say() {
    let folder = tempfile::tempdir().unwrap();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let promised = [
        ("metrics-windowed/tasks/windowed-metrics.json", 7_776, 3),
        ("metrics-plain/tasks/plain-metrics.json", 36_000, 3),
        ("anpr-event-time/tasks/first.json", 14_400, 32),
        ("anpr-event-time/tasks/later.json", 14_400, 32),
        ("traffic-report/tasks/service-logs.json", 900 * 12, 4 * 3),
        ("traffic-report/tasks/nginx-logs.json", 900 * 16, 5 * 3),
        ("traffic-report/tasks/windowed-metrics.json", 864 * 5, 4),
        ("taxi-cleaning/tasks/taxi-trips.json", 30_000, 2),
    ];
    for (name, rows, files) in promised {
        let text = std::fs::read_to_string(format!("{examples}/{name}")).unwrap();
        let report = make(&text, &options(folder.path())).unwrap();
        assert_eq!((report.rows, report.files.len()), (rows, files), "{name}");
    }
}
