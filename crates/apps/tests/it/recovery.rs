//! Stops, restarts, other numbers of tasks, snapshots: each event is counted once.

use crate::house::{House, TUMBLE, counted, metric, script};
use apps::{ApplicationStatus, StartFrom, StartOptions, Stopping};
use chrono::Duration;

const BEGIN: i64 = 1_699_999_800_000;

async fn total(house: &House) -> i64 {
    let lines = house.lines("s3://out/windowed/").await;
    lines
        .iter()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["events"].as_i64().unwrap())
        .sum()
}

fn events(from: i64, count: i64) -> Vec<(String, String)> {
    (from..from + count).map(|i| metric(&format!("c{}", i % 50), i as f64, BEGIN + i * 1000)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn state_survives_stops_and_other_numbers_of_tasks() {
    let house = House::new().await;
    house.stream("metrics", 3).await;
    house.apps.put("app", &script("", TUMBLE), "app.sql").await.unwrap();
    let mut put = 0;
    for tasks in [1, 4, 2] {
        house.put("metrics", &events(put, 500)).await;
        put += 500;
        let options = StartOptions { tasks: Some(tasks), ..Default::default() };
        let run = house.apps.start("app", options).await.unwrap();
        counted(&house, &run, 500).await;
        assert_eq!(house.apps.get("app").await.unwrap().status, ApplicationStatus::Running);
        house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
        assert_eq!(house.apps.get("app").await.unwrap().status, ApplicationStatus::Ready);
        // Windows are still open: not all is written yet.
        assert!(total(&house).await < put);
    }
    let counters = house.caught_up("app", 1).await;
    assert_eq!(counters["records"], put);
    assert_eq!(total(&house).await, put);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_a_place_to_go_back_to() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    house.apps.put("app", &script("", TUMBLE), "app.sql").await.unwrap();
    house.put("metrics", &events(0, 100)).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    counted(&house, &run, 100).await;
    let snapshot = house.apps.snapshot("app", "before").await.unwrap();
    assert_eq!(snapshot.counters["records"], 100);
    house.put("metrics", &events(100, 100)).await;
    counted(&house, &run, 200).await;
    house.apps.stop("app", Stopping::Drain).await.unwrap();
    assert_eq!(total(&house).await, 200);
    // From the snapshot on the second hundred is read again.
    let options = StartOptions {
        from: StartFrom::Snapshot("before".into()),
        until_caught_up: true,
        ..Default::default()
    };
    let run = house.apps.start("app", options).await.unwrap();
    let ended = run.wait().await.unwrap().result().unwrap();
    assert_eq!(ended["counters"]["records"], 200, "{ended}");
    assert!(house.apps.snapshot("app", "x").await.is_err());
    house.apps.delete_snapshot("app", "before").await.unwrap();
    assert!(house.apps.snapshots("app").await.unwrap().iter().all(|s| s.name.is_empty()));
    house.apps.delete("app").await.unwrap();
    assert!(house.apps.list().await.unwrap().is_empty());
    assert!(!house.path.join("applications/app").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_that_split_and_merge_are_read_whole() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    house.apps.put("app", &script("", TUMBLE), "app.sql").await.unwrap();
    house.put("metrics", &events(0, 300)).await;
    house.log.update_shard_count("metrics", 4).await.unwrap();
    house.put("metrics", &events(300, 300)).await;
    house.log.update_shard_count("metrics", 2).await.unwrap();
    house.put("metrics", &events(600, 300)).await;
    let counters = house.caught_up("app", 2).await;
    assert_eq!(counters["records"], 900);
    let late = counters["late"].as_i64().unwrap();
    assert_eq!(total(&house).await + late, 900);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_shard_holds_windows_back_until_it_counts_as_idle() {
    let house = House::new().await;
    house.stream("metrics", 8).await;
    let settings =
        "SET 'table.exec.source.idle-timeout' = '30 s'; SET 'execution.checkpointing.interval' = '1 s';";
    house.apps.put("app", &script(settings, TUMBLE), "app.sql").await.unwrap();
    // One key: one shard speaks, seven are silent.
    let records: Vec<_> = (0..100).map(|i| metric("c", 1.0, BEGIN + i * 60_000)).collect();
    house.put("metrics", &records).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    counted(&house, &run, 100).await;
    while total(&house).await == 0 {
        house.hand.advance(Duration::seconds(1));
        tokio::task::yield_now().await;
    }
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    assert_eq!(total(&house).await, 95, "all windows but the last are closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_read_stop_it_or_are_counted() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    let bad = [("k".to_owned(), "no json".to_owned()), ("k".to_owned(), r#"{"value": "x"}"#.to_owned())];
    house.put("metrics", &events(0, 10)).await;
    house.put("metrics", &bad).await;
    house.apps.put("strict", &script("", TUMBLE), "s.sql").await.unwrap();
    let options = StartOptions { until_caught_up: true, ..Default::default() };
    let run = house.apps.start("strict", options).await.unwrap();
    let error = run.wait().await.unwrap().result().unwrap_err();
    assert!(error.message().contains("cannot be read"), "{error}");
    assert!(error.to_string().contains("shardId-000000000000"), "{error}");
    let lenient = script("", TUMBLE).replace(
        "'format' = 'json', 'json.timestamp",
        "'format' = 'json', 'json.ignore-parse-errors' = 'true', 'json.timestamp",
    );
    house.apps.put("lenient", &lenient, "l.sql").await.unwrap();
    let counters = house.caught_up("lenient", 1).await;
    assert_eq!(counters["records"], 12, "{counters}");
    assert!(counters["malformed"].as_u64().unwrap() >= 2, "{counters}");
    assert_eq!(total(&house).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn state_is_taken_up_by_the_dataflow_that_it_was_kept_of_and_by_no_other() {
    let house = House::new().await;
    house.stream("metrics", 2).await;
    house.stream("elsewhere", 1).await;
    let first = script("", TUMBLE);
    house.apps.put("app", &first, "app.sql").await.unwrap();
    house.put("metrics", &events(0, 500)).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    counted(&house, &run, 500).await;
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    let written = total(&house).await;
    assert!(written < 500);
    // What the windows hold belongs to these columns, types, times, filters and aggregates.
    for (what, with) in [
        ("MIN(`value`)", "MIN(`value` + 1)"),
        ("FROM metrics_stream", "FROM metrics_stream WHERE `value` > 3"),
        ("INTERVAL '5' SECOND", "INTERVAL '6' SECOND"),
        ("`value` DOUBLE,\n  publication", "`value` FLOAT,\n  publication"),
        ("COUNT(*)", "COUNT(DISTINCT `value`)"),
        ("componentName, metricName;", "componentName, metricName, unit;"),
        ("INTERVAL '5' MINUTE", "INTERVAL '10' MINUTE"),
        ("'stream' = 'metrics'", "'stream' = 'elsewhere'"),
    ] {
        assert!(first.contains(what), "{what}");
        house.apps.put("app", &first.replace(what, with), "app.sql").await.unwrap();
        let run = house.apps.start("app", StartOptions::default()).await.unwrap();
        let error = run.wait().await.unwrap().result().unwrap_err();
        assert!(error.message().contains("script has changed"), "{with}: {error}");
        let hints = error.diagnosis().hints.join("; ");
        assert!(hints.contains("--allow-non-restored-state"), "{with}: {hints}");
    }
    // What is done behind the aggregation, and how it is written down, is another matter.
    let behind = first
        .replace("MAX(`value`)", "MAX(`value`) * 2")
        .replace("SELECT componentName", "-- a remark\nSELECT  componentName");
    house.apps.put("app", &behind, "app.sql").await.unwrap();
    house.put("metrics", &events(500, 100)).await;
    let counters = house.caught_up("app", 3).await;
    assert_eq!(counters["records"], 600);
    assert_eq!(total(&house).await, 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_fits_nothing_may_be_left_behind() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    house.apps.put("app", &script("", TUMBLE), "app.sql").await.unwrap();
    house.put("metrics", &events(0, 500)).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    counted(&house, &run, 500).await;
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    let before = total(&house).await;
    let changed = script("", TUMBLE).replace("MIN(`value`)", "MIN(`value` + 1)");
    house.apps.put("app", &changed, "app.sql").await.unwrap();
    // One event is of a window that is closed already: it must not open again.
    house.put("metrics", &events(0, 1)).await;
    house.put("metrics", &events(500, 100)).await;
    let options =
        StartOptions { allow_non_restored_state: true, until_caught_up: true, ..Default::default() };
    let run = house.apps.start("app", options).await.unwrap();
    let ended = run.wait().await.unwrap().result().unwrap();
    assert_eq!(ended["counters"]["records"], 601, "it reads on where it was: {ended}");
    assert_eq!(ended["counters"]["late"], 1, "{ended}");
    assert_eq!(total(&house).await, before + 100, "the open windows have lost what they held");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_goes_on_without_end_is_taken_up_again() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    house.apps.put("app", &script("", TUMBLE), "app.sql").await.unwrap();
    house.put("metrics", &events(0, 10)).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    counted(&house, &run, 10).await;
    let refused = house.apps.start("app", StartOptions::default()).await.unwrap_err();
    assert_eq!(refused.kind(), model::ErrorKind::LimitExceeded, "{refused}");
    // As when the process ends: the run is stopped, but nobody has said that the application shall not run.
    house.runs.stop(run.id()).await.unwrap();
    run.wait().await.unwrap();
    let resumed = house.apps.resume().await.unwrap();
    assert_eq!(resumed.len(), 1);
    let run = resumed.into_iter().next().unwrap().1.unwrap();
    house.runs.stop(run.id()).await.unwrap();
    run.wait().await.unwrap();
    let options = StartOptions { until_caught_up: true, ..Default::default() };
    let run = house.apps.start("app", options).await.unwrap();
    run.wait().await.unwrap().result().unwrap();
    assert!(house.apps.resume().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_does_not_end_an_application() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    let settings = "SET 'execution.checkpointing.interval' = '1 s';";
    house.apps.put("app", &script(settings, TUMBLE), "app.sql").await.unwrap();
    house.put("metrics", &events(0, 10)).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    // Once all of them are in a checkpoint there is nothing to keep until more comes.
    let kept = async || {
        let checkpoints = house.apps.snapshots("app").await.unwrap();
        checkpoints.iter().any(|one| one.counters.get("records") == Some(&10))
    };
    while !kept().await {
        house.hand.advance(Duration::milliseconds(200));
        tokio::task::yield_now().await;
    }
    // No state can be kept: a file stands where the folder was.
    let (folder, aside) = (house.path.join("applications/app"), house.path.join("applications/aside"));
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(&folder, "").unwrap();
    house.put("metrics", &events(10, 10)).await;
    let waits = async || {
        let lines = house.runs.log(run.id(), 0, 1000).await.unwrap();
        lines.iter().any(|line| line.message.contains("goes on from its last checkpoint"))
    };
    while !waits().await {
        assert!(!house.runs.get(run.id()).await.unwrap().state.is_final());
        house.hand.advance(Duration::milliseconds(200));
        tokio::task::yield_now().await;
    }
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    counted(&house, &run, 20).await;
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    let counters = house.caught_up("app", 1).await;
    assert_eq!(counters["records"], 20, "{counters}");
    assert_eq!(total(&house).await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_is_not_there_for_the_moment_is_not_taken_for_empty() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    house.apps.put("app", &script("", TUMBLE), "app.sql").await.unwrap();
    house.put("metrics", &events(0, 100)).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    counted(&house, &run, 100).await;
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    let folder = house.path.join("applications/app");
    let newest = || {
        let files = walkdir(&folder).into_iter();
        files.filter(|path| path.extension().is_some_and(|it| it == "arrow")).max().unwrap()
    };
    // One file of it, and all of it.
    for is_all in [false, true] {
        let missing = if is_all { folder.clone() } else { newest() };
        let aside = house.path.join("applications/aside");
        std::fs::rename(&missing, &aside).unwrap();
        let run = house.apps.start("app", StartOptions::default()).await.unwrap();
        let waits = async || {
            let lines = house.runs.log(run.id(), 0, 1000).await.unwrap();
            lines.iter().any(|line| line.message.contains("reading the state"))
        };
        while !waits().await {
            assert!(!house.runs.get(run.id()).await.unwrap().state.is_final());
            house.hand.advance(Duration::milliseconds(200));
            tokio::task::yield_now().await;
        }
        std::fs::rename(&aside, &missing).unwrap();
        house.runs.stop(run.id()).await.unwrap();
        while !house.runs.get(run.id()).await.unwrap().state.is_final() {
            house.hand.advance(Duration::milliseconds(200));
            tokio::task::yield_now().await;
        }
    }
    let counters = house.caught_up("app", 1).await;
    assert_eq!(counters["records"], 100, "{counters}");
    assert_eq!(total(&house).await, 100);
}

/// All files below a folder.
fn walkdir(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walkdir(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_that_were_forgotten_meanwhile_are_passed_over() {
    let house = House::new().await;
    house.stream("metrics", 1).await;
    house.apps.put("app", &script("", TUMBLE), "app.sql").await.unwrap();
    house.put("metrics", &events(0, 10)).await;
    let run = house.apps.start("app", StartOptions::default()).await.unwrap();
    counted(&house, &run, 10).await;
    house.apps.stop("app", Stopping::Checkpoint).await.unwrap();
    house.put("metrics", &events(10, 5)).await;
    house.log.update_shard_count("metrics", 2).await.unwrap();
    house.log.update_shard_count("metrics", 4).await.unwrap();
    house.hand.advance(Duration::hours(25));
    house.local.sweep().await.unwrap();
    house.put("metrics", &events(20, 20)).await;
    let counters = house.caught_up("app", 1).await;
    assert_eq!((&counters["records"], &counters["lost_shards"]), (&30.into(), &1.into()), "{counters}");
    let counters = house.caught_up("app", 1).await;
    assert_eq!((&counters["records"], &counters["lost_shards"]), (&30.into(), &1.into()), "{counters}");
}

/// All records of a stream of one shard.
async fn records_of(house: &House, stream: &str) -> Vec<streams::Record> {
    let at = house.log.iterator(stream, streams::ShardId(0), streams::StartAt::TrimHorizon).await.unwrap();
    let options = streams::ReadOptions { limit: 10_000, bytes: 100 << 20, dedicated: true };
    house.log.get_records(&at, options).await.unwrap().records
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_that_no_stream_takes_does_not_keep_back_the_others() {
    let house = House::new().await;
    house.stream("lines", 1).await;
    house.stream("twice", 1).await;
    let text = "CREATE TABLE plain (
          line STRING, arrived TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, WATERMARK FOR arrived AS arrived
        ) WITH ('connector' = 'kinesis', 'stream' = 'lines', 'aws.region' = 'x', 'format' = 'raw',
                'scan.stream.initpos' = 'TRIM_HORIZON');
        CREATE TABLE twice (line STRING) WITH ('connector' = 'kinesis', 'stream' = 'twice', 'aws.region' = 'x', 'format' = 'raw');
        INSERT INTO twice SELECT line || line FROM plain;";
    house.apps.put("app", text, "app.sql").await.unwrap();
    // Together more than one call puts, and one of them, twice, more than a record has.
    let line = |n: usize| ("k".to_owned(), "x".repeat(if n == 60 { 600_000 } else { 100_000 + n }));
    for first in [0, 40, 80] {
        house.put("lines", &(first..first + 40).map(line).collect::<Vec<_>>()).await;
    }
    let options = StartOptions { until_caught_up: true, ..Default::default() };
    let run = house.apps.start("app", options).await.unwrap();
    let error = run.wait().await.unwrap().result().unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    let found: Vec<usize> = records_of(&house, "twice").await.iter().map(|r| r.data().len() / 2).collect();
    let expected: Vec<usize> = (0..120).filter(|n| *n != 60).map(|n| 100_000 + n).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn of_two_that_make_or_change_one_application_one_is_refused() {
    let house = House::new().await;
    let text = script("", TUMBLE);
    house.apps.create("app", &text, "app.sql").await.unwrap();
    let twice = house.apps.create("app", &text, "app.sql").await.unwrap_err();
    assert_eq!(twice.kind(), model::ErrorKind::AlreadyExists, "{twice}");
    let changed = |number: u32| format!("-- {number}\n{text}");
    assert!(house.apps.change("app", 1, &changed(1), "app.sql").await.unwrap());
    assert!(!house.apps.change("app", 1, &changed(2), "app.sql").await.unwrap());
    let now = house.apps.get("app").await.unwrap();
    assert_eq!((now.version, now.script), (2, changed(1)));
}
