//! `glulam gen` through the command line.

use crate::home::Home;
use std::io::Read;
use std::process::Stdio;

const STREAM: &str = r#"{ "@type": "kinesis-metrics-stream", "randomSeed": 7, "iterationsNumber": 1000,
  "stream": { "region": "eu-central-1", "streamName": "metrics" },
  "timer": { "@type": "realtime", "startTime": "2026-03-02T00:00:00.000Z", "rateMillis": 1000 },
  "metrics": { "order-service": { "cpu": { "unit": "percent", "minValue": 0, "maxValue": 100 } } } }"#;

const WINDOWED: &str = r#"{ "@type": "windowed-metrics", "numberOfIterations": 100,
  "timer": { "@type": "synthetic", "startTime": "2026-03-02T00:00:00.000Z", "stepMillis": 300000 },
  "outputFilePath": "./data",
  "metrics": { "order-service": { "cpu": { "unit": "percent", "averageFrom": 1, "averageTo": 2, "minDiff": 0, "maxDiff": 1 } },
               "user-service": { "cpu": { "unit": "percent", "averageFrom": 1, "averageTo": 2, "minDiff": 0, "maxDiff": 1 } } } }"#;

#[test]
fn events_on_standard_output_are_json_lines_and_repeatable() {
    let home = Home::new();
    home.write("stream.json", STREAM);
    let first = home.succeed(["gen", "stream.json", "--output", "-"]);
    assert_eq!(first.lines().count(), 1000);
    for line in first.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["componentName"], "order-service");
    }
    assert_eq!(first, home.succeed(["gen", "stream.json", "--output", "-"]));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure_of_ours() {
    let home = Home::new();
    home.write("stream.json", &STREAM.replace("1000,\n  \"stream\"", "3000000,\n  \"stream\""));
    let mut child = home
        .command(["gen", "stream.json", "--output", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut head = [0u8; 100];
    child.stdout.take().unwrap().read_exact(&mut head).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&ended.stderr).contains("panicked"));
    assert!(ended.status.code().is_some());
}

#[test]
fn into_files_with_a_seed_of_the_command_line() {
    let home = Home::new();
    home.write("task.json", WINDOWED);
    let account = home.json(["gen", "task.json", "--output", "out", "--seed", "5"]);
    assert_eq!((account["rows"].as_u64(), account["seed"].as_u64()), (Some(200), Some(5)));
    let first = std::fs::read(home.path().join("out/order-service.csv")).unwrap();
    home.succeed(["gen", "task.json", "--output", "out", "--seed", "5"]);
    assert_eq!(first, std::fs::read(home.path().join("out/order-service.csv")).unwrap());
    home.succeed(["gen", "task.json", "--output", "out", "--seed", "6"]);
    assert_ne!(first, std::fs::read(home.path().join("out/order-service.csv")).unwrap());
}

#[test]
fn into_the_lake_as_a_run() {
    let home = Home::new();
    home.write("task.json", WINDOWED);
    home.succeed(["gen", "task.json", "--output", "s3://metrics/a/b/", "--seed", "5"]);
    let folder = home.bucket("metrics").join("a/b");
    let text = std::fs::read_to_string(folder.join("order-service.csv")).unwrap();
    assert!(
        text.starts_with("componentName,fromTimestamp,maxValue,metricName,minValue,toTimestamp,unit\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 101);
    let runs = home.json(["runs", "--kind", "generate"]);
    assert_eq!(
        (runs[0]["state"].as_str(), runs[0]["counters"]["rows"].as_u64()),
        (Some("succeeded"), Some(200))
    );
    let scratch = home.path().join("glulam-data/scratch");
    assert!(!scratch.exists() || std::fs::read_dir(scratch).unwrap().next().is_none());
}

#[test]
fn a_wrong_task_is_shown_where_it_is_wrong() {
    let home = Home::new();
    home.write(
        "task.json",
        &WINDOWED.replace(
            "averageFrom\": 1, \"averageTo\": 2, \"minDiff\": 0, \"maxDiff\": 1 } },",
            "averageForm\": 1, \"averageTo\": 2, \"minDiff\": 0, \"maxDiff\": 1 } },",
        ),
    );
    let finished = home.run(["gen", "task.json"]);
    assert_eq!(finished.code, Some(2));
    assert!(
        finished.stderr.contains("task.json:4") && finished.stderr.contains("did you mean `averageFrom`"),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.lines().count() <= 11, "{}", finished.stderr);
    assert!(!home.path().join("data").exists());
}

const ANPR: &str = r#"{ "@type": "anpr-records", "randomSeed": 7, "numberOfIterations": 3000,
  "timer": { "@type": "synthetic", "startTime": "2020-06-03T22:40:00Z", "stepMillis": 3600 }, "outputDirectoryPath": "anpr",
  "networkLagMaxMillis": 500, "lateShare": 0.1, "lateMaxMillis": 7200000 }"#;

const TAXI: &str = r#"{ "@type": "taxi-trips", "randomSeed": 7, "month": "2021-03", "numberOfTrips": 9000,
  "numberOfFiles": 2, "outputDirectoryPath": "taxi" }"#;

/// Runs Python with what another library than ours finds in the files.
fn python(script: &str, folder: &std::path::Path) -> String {
    let done = std::process::Command::new(testkit::venv().join("bin/python"))
        .args(["-c", script])
        .arg(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn parquet_in_folders_of_the_lake_reads_elsewhere() {
    let home = Home::new();
    home.write("anpr.json", ANPR);
    home.succeed(["gen", "anpr.json", "--output", "s3://anpr/arrived/"]);
    let said = python(
        "import sys, pyarrow.dataset as ds, pyarrow.compute as pc
t = ds.dataset(sys.argv[1], format='parquet', partitioning='hive').to_table()
arrived = t['recordtimestamp'].cast('timestamp[ms]')
lag = pc.subtract(t['recordtimestamp'], t['originalrecordtimestamp'].cast('int64'))
print(t.num_rows, pc.all(pc.equal(pc.hour(arrived), t['hour'])), pc.all(pc.equal(pc.day(arrived), t['day'])),
      sorted(set(t['hour'].to_pylist())), pc.min(lag).as_py() >= 0, 200 < pc.sum(pc.greater(lag, 500)).as_py() < 400)
print(*(f'{f.name}={f.type}' for f in t.schema))",
        &home.bucket("anpr").join("arrived"),
    );
    assert_eq!(
        said,
        "3000 True True [0, 1, 22, 23] True True\nuniqueid=int32 speed=int32 trafficjamindicator=int32 \
         recordtimestamp=int64 originalrecordtimestamp=timestamp[ms] year=int32 month=int32 day=int32 hour=int32\n"
    );
}

#[test]
fn taxi_trips_read_elsewhere() {
    let home = Home::new();
    home.write("taxi.json", TAXI);
    home.succeed(["gen", "taxi.json", "--output", "out"]);
    let said = python(
        "import sys, pyarrow.dataset as ds, pyarrow.compute as pc
d = ds.dataset(sys.argv[1], format='parquet')
t = d.to_table()
took = pc.subtract(t['tpep_dropoff_datetime'].cast('int64'), t['tpep_pickup_datetime'].cast('int64'))
months = pc.strftime(t['tpep_pickup_datetime'], '%Y-%m')
print(len(d.files), t.num_rows, took.null_count > 0, pc.any(pc.less(took, 0)), pc.any(pc.equal(took, 0)),
      pc.any(pc.not_equal(months, '2021-03')), t['airport_fee'].null_count > 200)
print(*(f'{f.name}={f.type}' for f in t.schema))",
        &home.path().join("out"),
    );
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("2 9000 True True True True True"));
    assert_eq!(
        lines.next(),
        Some(
            "VendorID=int64 tpep_pickup_datetime=timestamp[us] tpep_dropoff_datetime=timestamp[us] \
             passenger_count=double trip_distance=double RatecodeID=double store_and_fwd_flag=string \
             PULocationID=int64 DOLocationID=int64 payment_type=int64 fare_amount=double extra=double \
             mta_tax=double tip_amount=double tolls_amount=double improvement_surcharge=double \
             total_amount=double congestion_surcharge=double airport_fee=double"
        )
    );
}

/// The texts of a stream's records, from its beginning.
fn records(home: &Home, stream: &str) -> Vec<serde_json::Value> {
    let shown = home.succeed(["stream", "tail", stream, "--from-start", "--limit", "100000", "--json"]);
    shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn events_go_into_the_stream_that_the_task_names() {
    let home = Home::new();
    home.write("stream.json", STREAM);
    let missing = home.run(["gen", "stream.json", "--no-wait"]);
    assert_eq!(missing.code, Some(3));
    assert!(missing.stderr.contains("glulam stream create metrics"), "{}", missing.stderr);
    home.succeed(["stream", "create", "metrics", "--shards", "2"]);
    let account = home.json(["gen", "stream.json", "--no-wait"]);
    assert_eq!(account["rows"], 1000);
    let found = records(&home, "metrics");
    let texts: Vec<&str> = found.iter().map(|record| record["data"].as_str().unwrap()).collect();
    let printed = home.succeed(["gen", "stream.json", "--output", "-"]);
    assert_eq!(texts, printed.lines().collect::<Vec<_>>(), "the same events, in the order of time");
    assert!(found.iter().all(|record| record["partition_key"] == "order-service/cpu"));
    // A realtime timer waits; at a thousand times the speed a second is a moment.
    home.write("few.json", &STREAM.replace("1000,\n", "20,\n"));
    home.succeed(["gen", "few.json", "--speed", "1000"]);
    assert_eq!(records(&home, "metrics").len(), 1020);
    assert_eq!(home.run(["gen", "few.json", "--speed", "0"]).code, Some(2));
}

#[test]
fn events_go_to_an_endpoint_and_what_is_refused_for_the_moment_goes_again() {
    let home = Home::new();
    home.succeed(["stream", "create", "metrics", "--shards", "1"]);
    let mut server = testkit::Process::start(
        home.command(["up", "--aws", "127.0.0.1:0", "--console", "off"]).env("GLULAM_STREAMS_LIMITS", "true"),
    );
    let line = server.wait_for_line("ready aws=http://127.0.0.1:", crate::home::LONG);
    let url = line.split("aws=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
    let sender = Home::new();
    let to = |more: &str| {
        let stream = format!(
            "\"streamName\": \"metrics\", \"endpoint\": \"{url}\", \"timeoutMillis\": 20000 }}{more}"
        );
        STREAM.replace("\"streamName\": \"metrics\" }", &stream).replace("1000,\n", "2500,\n")
    };
    sender.write("wrong.json", &to(", \"auth\": { \"accessKeyId\": \"test\", \"secretKey\": \"wrong\" }"));
    let wrong = sender.run(["gen", "wrong.json", "--no-wait"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("InvalidSignatureException"), "{}", wrong.stderr);
    sender.write("absent.json", &to("").replace("\"metrics\", \"endpoint\"", "\"absent\", \"endpoint\""));
    let absent = sender.run(["gen", "absent.json", "--no-wait"]);
    assert!(absent.stderr.contains("ResourceNotFoundException"), "{}", absent.stderr);
    // A shard takes 1,000 records a second, so most of these are refused at first.
    sender.write("right.json", &to(", \"auth\": { \"accessKeyId\": \"test\", \"secretKey\": \"test\" }"));
    assert_eq!(sender.json(["gen", "right.json", "--no-wait"])["rows"], 2500);
    assert!(!sender.path().join("glulam-data").exists(), "nothing of its own is needed");
    server.signal(15);
    assert_eq!(server.wait(crate::home::LONG).code, Some(0));
    let mut times: Vec<String> = Vec::new();
    for record in records(&home, "metrics") {
        let event: serde_json::Value = serde_json::from_str(record["data"].as_str().unwrap()).unwrap();
        times.push(event["publicationTimestamp"].as_str().unwrap().to_owned());
    }
    times.sort();
    times.dedup();
    assert_eq!(times.len(), 2500, "each event is there");
}
