//! What is wrong with a task is found before anything is written, and shown where it stands.

use crate::samples::{ANPR, LOG, PLAIN, STREAM, TAXI, WINDOWED};
use generate::Task;
use model::{ErrorKind, Place};

fn diagnosis(text: &str) -> String {
    let error = Task::parse("task.json", text).expect_err("the task must be refused");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(matches!(error.place(), Some(Place::Source(_))), "{error}");
    error.diagnosis().to_string()
}

/// The task with one change, refused.
fn changed(task: &str, from: &str, to: &str) -> String {
    assert!(task.contains(from), "{from}");
    diagnosis(&task.replacen(from, to, 1))
}

#[test]
fn wrong_tasks_are_explained() {
    let user_call = r#""call": { "serviceName": "user-service""#;
    let calls_order = r#""httpMethod": "POST", "dependencies": [{ "serviceName": "order-service",
        "relativeUrl": "/api/v1/orders", "httpMethod": "POST" }]"#;
    let cases = [
        ("empty", diagnosis("")),
        ("trailing comma", changed(WINDOWED, "\"maxDiff\": 5.0 }", "\"maxDiff\": 5.0, }")),
        ("missing comma", changed(WINDOWED, "\"randomSeed\": 7, ", "\"randomSeed\": 7 ")),
        ("cut off", diagnosis(&WINDOWED[..WINDOWED.len() - 3])),
        ("unknown type", changed(WINDOWED, "windowed-metrics", "windowed-metric")),
        ("no type", diagnosis("{ }")),
        ("no object", diagnosis("[1]")),
        ("misspelt field", changed(WINDOWED, "averageFrom", "averageFrm")),
        ("missing field", changed(WINDOWED, "\"averageFrom\": 10.0, ", "")),
        ("text for a number", changed(WINDOWED, "10.0", "\"10.0\"")),
        ("twice", changed(WINDOWED, "\"minDiff\": 2.0", "\"unit\": \"x\"")),
        ("ranges", changed(WINDOWED, "\"averageTo\": 25.0", "\"averageTo\": 9")),
        ("differences", changed(WINDOWED, "\"maxDiff\": 5.0", "\"maxDiff\": 1.5")),
        ("negative difference", changed(WINDOWED, "\"minDiff\": 2.0", "\"minDiff\": -2")),
        ("step", changed(WINDOWED, "300000", "0")),
        ("iterations", changed(WINDOWED, "\"numberOfIterations\": 2", "\"numberOfIterations\": 2.5")),
        ("too far", changed(WINDOWED, "\"numberOfIterations\": 2", "\"numberOfIterations\": 1e12")),
        ("time without zone", changed(WINDOWED, "23:55:00Z", "23:55:00")),
        ("time", changed(WINDOWED, "2020-09-01T23:55:00Z", "yesterday")),
        ("wrong timer", changed(WINDOWED, "synthetic", "realtime")),
        ("file name", changed(WINDOWED, "user-service", "../user-service")),
        ("case twins", changed(WINDOWED, "user-service", "Order-Service")),
        ("lake path", changed(WINDOWED, "\"metrics\",", "\"s3://bucket/x\",")),
        (
            "no metrics",
            changed(STREAM, r#"{ "ram": { "unit": "percent", "minValue": 0.5, "maxValue": 0.75 } }"#, "{}"),
        ),
        (
            "no stream",
            changed(STREAM, r#""stream": { "region": "eu-central-1", "streamName": "metrics" },"#, ""),
        ),
        ("unknown service", changed(LOG, user_call, r#""call": { "serviceName": "usr-service""#)),
        (
            "unknown endpoint",
            changed(
                LOG,
                "/api/v1/users/{id}\", \"httpMethod\": \"GET\" } ]",
                "/api/v1/user/{id}\", \"httpMethod\": \"GET\" } ]",
            ),
        ),
        ("method", changed(LOG, "\"POST\"", "\"PSOT\"")),
        ("circle", changed(LOG, "\"httpMethod\": \"POST\", \"dependencies\": []", calls_order)),
        ("lag", changed(LOG, "\"networkLagMinMillis\": 10", "\"networkLagMinMillis\": 2000")),
        ("spaces", changed(LOG, ";ldkh045", "a user")),
        ("agent", changed(LOG, "Firefox", "Fire\\\"fox")),
        ("jitter", changed(PLAIN, "\"jitterMillis\": 5000", "\"jitterMillis\": -1")),
        ("plain times", changed(PLAIN, "\"randomSeed\": 7", "\"shortTimes\": 1")),
        ("anpr lag", changed(ANPR, "\"networkLagMinMillis\": 20", "\"networkLagMinMillis\": 901")),
        ("late share", changed(ANPR, "0.04", "4")),
        ("how late", changed(ANPR, ", \"lateMaxMillis\": 7200000", "")),
        ("not late", changed(ANPR, "7200000", "900")),
        ("minutes", changed(ANPR, "\"minutesPerFile\": 30", "\"minutesPerFile\": 7")),
        (
            "too many files",
            changed(&ANPR.replace("2000,", "20000000,"), "\"stepMillis\": 4500", "\"stepMillis\": 3600000"),
        ),
        ("compression", changed(ANPR, "\"cameras\": 20", "\"compression\": \"zst\"")),
        ("month", changed(TAXI, "2021-02", "2021-2")),
        ("too many parts", changed(TAXI, "\"numberOfFiles\": 2", "\"numberOfFiles\": 5")),
        ("shares", changed(TAXI, "0.02", "0.97")),
        (
            "overlap",
            changed(
                &LOG.replace("1800000", "1")
                    .replace("\"numberOfIterations\": 2", "\"numberOfIterations\": 1e8"),
                "1500",
                "5000000",
            ),
        ),
    ];
    let shown: Vec<String> = cases.iter().map(|(name, text)| format!("== {name}\n{text}\n")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn calls_that_multiply_are_refused_before_they_fill_the_memory() {
    // Each service calls the next one four times: 4^30 calls.
    let services: Vec<String> = (0..=30)
        .map(|index| {
            let call = format!(r#"{{"serviceName": "s{}", "relativeUrl": "/", "httpMethod": "GET"}}"#, index + 1);
            let calls = if index < 30 { vec![call; 4].join(",") } else { String::new() };
            format!(
                r#"{{"name": "s{index}", "endpoints": [{{"relativeUrl": "/", "httpMethod": "GET", "dependencies": [{calls}]}}]}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"@type": "server-access-log", "numberOfIterations": 1, "networkLagMinMillis": 0, "networkLagMaxMillis": 0,
        "outputDirectoryPath": "x", "timer": {{"@type": "synthetic", "startTime": "2020-01-01T00:00:00Z", "stepMillis": 1}},
        "services": [{}], "loadItems": [{{"userAgent": "a", "userAddress": "b", "remoteUser": "c",
        "call": {{"serviceName": "s0", "relativeUrl": "/", "httpMethod": "GET"}}}}]}}"#,
        services.join(",")
    );
    assert!(diagnosis(&text).contains("more than 1000000 calls per iteration"));
}

#[test]
fn comments_nulls_and_any_64_bit_seed_are_taken() {
    let commented = WINDOWED.replacen('{', "{ // a comment\n /* and\n another */", 1);
    assert_eq!(Task::parse("t", &commented).unwrap().random_seed(), Some(7));
    let with = |seed: &str| {
        Task::parse("t", &WINDOWED.replace("\"randomSeed\": 7", &format!("\"randomSeed\": {seed}")))
    };
    assert_eq!(with("null").unwrap().random_seed(), None);
    assert_eq!(with("-1").unwrap().random_seed(), Some(u64::MAX));
    assert_eq!(with("18446744073709551615").unwrap().random_seed(), Some(u64::MAX));
    assert!(with("18446744073709551616").is_err());
    let task = with("1").unwrap();
    assert_eq!((task.kind(), task.rows()), ("windowed-metrics", 6));
}
