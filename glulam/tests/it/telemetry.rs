//! Traces and metrics that `glulam up` sends to a collector of OpenTelemetry, read there with OpenTelemetry's own messages.

use crate::home::{Home, LONG};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use testkit::{Process, await_until};

/// A collector in Python, and where it listens.
pub(crate) struct Collector {
    process: Process,
    pub(crate) url: String,
}

impl Collector {
    pub(crate) fn start(home: &Home, options: &[&str]) -> Self {
        let mut command = Command::new(testkit::venv().join("bin/python"));
        command
            .arg(testkit::project_root().join("glulam/tests/it/clients/collector.py"))
            .args(options)
            .current_dir(home.path());
        let mut process = Process::start(&mut command);
        let line = process.wait_for_line("listens at ", LONG);
        Self { process, url: line.trim_start_matches("listens at ").trim().to_owned() }
    }

    /// What it has taken so far, request by request. What it could not read fails the test.
    fn requests(&self) -> Vec<Value> {
        let text = self.process.stdout();
        let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        let lines = whole.lines().filter(|line| line.starts_with('{'));
        let all: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        for request in &all {
            assert!(
                request["error"].is_null(),
                "the collector cannot read what it gets: {}",
                request["error"]
            );
        }
        all
    }

    pub(crate) fn spans(&self) -> Vec<Value> {
        let requests = self.requests();
        requests.iter().flat_map(|request| request["spans"].as_array().unwrap().clone()).collect()
    }

    /// Waits for the spans that this is true of: so many.
    #[track_caller]
    pub(crate) fn await_spans(
        &self,
        what: &str,
        count: usize,
        is_one: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        await_until(what, LONG, || {
            let found: Vec<Value> = self.spans().into_iter().filter(|span| is_one(span)).collect();
            (found.len() >= count).then_some(found)
        })
    }

    /// The newest point of a metric with these attributes, and the metric itself.
    fn point(&self, name: &str, attributes: &[(&str, &str)]) -> Option<(Value, Value)> {
        let requests = self.requests();
        let metrics = requests.iter().rev().flat_map(|request| request["metrics"].as_array().unwrap());
        let has_all =
            |point: &Value| attributes.iter().all(|(name, value)| point["attributes"][*name] == *value);
        metrics.filter(|metric| metric["name"] == name).find_map(|metric| {
            let points = metric["points"].as_array().unwrap();
            Some((points.iter().find(|point| has_all(point))?.clone(), metric.clone()))
        })
    }

    #[track_caller]
    fn await_point(
        &self,
        name: &str,
        attributes: &[(&str, &str)],
        is_it: impl Fn(&Value) -> bool,
    ) -> (Value, Value) {
        await_until(name, LONG, || self.point(name, attributes).filter(|(point, _)| is_it(point)))
    }
}

/// A server that sends soon, and the address of its console.
fn up(home: &Home, variables: &[(&str, &str)], settings: &[&str]) -> (Process, String) {
    let mut arguments = vec!["up", "--aws", "off", "--console", "127.0.0.1:0", "--pg", "off"];
    arguments.extend(settings);
    let mut command = home.command(&arguments);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.env("OTEL_BSP_SCHEDULE_DELAY", "50").env("OTEL_METRIC_EXPORT_INTERVAL", "200");
    command.envs(variables.iter().copied());
    let mut server = Process::start(&mut command);
    let line = server.wait_for_line("ready aws=off console=http://", LONG);
    let console =
        line.split("console=http://").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
    (server, console)
}

fn prometheus(console: &str) -> String {
    let mut stream = TcpStream::connect(console).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: {console}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    text
}

pub(crate) fn attribute<'a>(span: &'a Value, name: &str) -> &'a Value {
    &span["attributes"][name]
}

pub(crate) fn of_kind(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |span| attribute(span, "glulam.run.kind") == kind
}

/// The hexadecimal digits of the number that a run's id is in base 32.
pub(crate) fn trace_of(run: &str) -> String {
    let digits = "0123456789abcdefghjkmnpqrstvwxyz";
    let number = run.chars().fold(0_u128, |number, c| (number << 5) | digits.find(c).unwrap() as u128);
    format!("{number:032x}")
}

pub(crate) fn end(server: Process) -> String {
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stderr
}

/// What a crawl and two queries look like at a collector.
fn what_runs_is_told(protocol: &str, compression: &str) {
    let home = Home::new();
    home.drop_file("raw", "pets/a.csv", "name,age\nrex,3\nmia,4\n");
    let collector = Collector::start(&home, &[]);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=lake"),
    ];
    let (server, console) = up(&home, &variables, &["--set", "telemetry.service_name=mine"]);
    home.succeed(["crawl", "s3://raw/", "--database", "shop"]);
    home.succeed(["sql", "--database", "shop", "SELECT name FROM pets ORDER BY age"]);
    let failed = home.run(["sql", "--database", "shop", "SELECT nme FROM pets"]);
    assert_ne!(failed.code, Some(0));
    home.succeed(["stream", "create", "events", "--shards", "1"]);
    home.write("events.json", "{\"a\":1}\n{\"a\":2}\n");
    home.succeed(["stream", "put", "events", "events.json"]);

    let queries = collector.await_spans("both queries", 2, of_kind("query"));
    let well = queries.iter().find(|span| attribute(span, "glulam.run.state") == "succeeded").unwrap();
    assert_eq!((well["name"].as_str(), well["status"].as_u64()), (Some("query SELECT"), Some(0)));
    assert_eq!((well["parent"].as_str(), well["kind"].as_u64()), (Some(""), Some(1)));
    assert_eq!(well["trace"], trace_of(attribute(well, "glulam.run.id").as_str().unwrap()));
    for (name, expected) in [
        ("db.system.name", "glulam"),
        ("db.namespace", "shop"),
        ("db.operation.name", "SELECT"),
        ("db.query.text", "SELECT name FROM pets ORDER BY age"),
    ] {
        assert_eq!(attribute(well, name), expected, "{name}");
    }
    assert_eq!(attribute(well, "db.response.returned_rows"), 2);
    assert_eq!(attribute(well, "glulam.figures.rows"), 2);
    assert!(attribute(well, "glulam.figures.bytes_scanned").as_u64() > Some(0), "{well}");
    let parts: Vec<Value> =
        collector.spans().into_iter().filter(|span| span["parent"] == well["id"]).collect();
    assert!(parts.iter().all(|part| part["trace"] == well["trace"]), "{parts:?}");
    let named =
        |name: &str| parts.iter().find(|part| part["name"] == name).unwrap()["millis"].as_f64().unwrap();
    assert!(named("plan") + named("execute") <= well["millis"].as_f64().unwrap() + 0.001, "{parts:?}");

    let badly = queries.iter().find(|span| attribute(span, "glulam.run.state") == "failed").unwrap();
    assert_eq!(
        (badly["status"].as_u64(), attribute(badly, "error.type").as_str()),
        (Some(2), Some("not_found"))
    );
    assert!(badly["message"].as_str().unwrap().contains("nme"), "{badly}");
    let event = &badly["events"][0];
    assert_eq!((&event["name"], &event["exception.message"]), (&Value::from("exception"), &badly["message"]));
    assert!(event["exception.stacktrace"].as_str().unwrap().contains("did you mean `name`"), "{event}");

    let crawl = &collector.await_spans("the crawl", 1, of_kind("crawl"))[0];
    assert_eq!(crawl["name"], "crawl s3://raw/");
    assert_eq!(attribute(crawl, "glulam.figures.tables_created"), 1);

    let ended = [("kind", "query"), ("state", "failed")];
    let (point, metric) = collector.await_point("glulam.runs.ended", &ended, |point| point["value"] == 1);
    assert_eq!((metric["kind"].as_str(), metric["unit"].as_str()), (Some("sum"), Some("{run}")));
    assert!(point["start"].as_u64() > Some(0), "{point}");
    let (duration, metric) =
        collector.await_point("glulam.run.duration", &[("kind", "query")], |point| point["count"] == 2);
    assert_eq!((metric["kind"].as_str(), metric["unit"].as_str()), (Some("histogram"), Some("s")));
    assert!(duration["sum"].as_f64() > Some(0.0), "{duration}");
    let (put, _) =
        collector.await_point("glulam.stream.records_in", &[("stream", "events")], |p| p["value"] == 2);
    assert_eq!(put["start"], 0, "it counted before the server began");
    collector.await_point("process.memory.usage", &[], |point| point["value"].as_u64() > Some(1 << 20));
    collector.await_point("glulam.spans", &[("fate", "sent")], |point| point["value"].as_u64() > Some(2));
    // The same at the other place where figures are shown.
    let page = prometheus(&console);
    for line in [
        "glulam_runs_ended_total{kind=\"query\",state=\"failed\"} 1",
        "glulam_run_duration_seconds_count{kind=\"query\"} 2",
        "glulam_stream_records_in_total{stream=\"events\"} 2",
        "# TYPE process_resident_memory_bytes gauge",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    collector
        .await_point("glulam.http.requests", &[("door", "console"), ("status", "2xx")], |p| p["value"] == 1);

    let request = &collector.requests()[0];
    let (is_gzip, kind) =
        (compression == "gzip", if protocol == "http/json" { "json" } else { "x-protobuf" });
    assert_eq!(request["kind"], format!("application/{kind}"));
    let header = |name: &str| request["headers"][name].as_str().map(str::to_owned);
    assert_eq!(
        (header("authorization").as_deref(), header("content-encoding").is_some()),
        (Some("Bearer x"), is_gzip)
    );
    let resource = &request["resources"][0];
    assert_eq!((&resource["service.name"], &resource["team"]), (&Value::from("mine"), &Value::from("lake")));
    let log = end(server);
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    let mut ids: Vec<String> =
        collector.spans().iter().map(|span| format!("{}{}", span["trace"], span["id"])).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "a span came twice");
}

#[test]
fn what_runs_is_told_in_protobuf() {
    what_runs_is_told("http/protobuf", "none");
}

#[test]
fn what_runs_is_told_in_json() {
    what_runs_is_told("http/json", "gzip");
}

#[test]
fn what_the_servers_end_stops_is_told() {
    let home = Home::new();
    let collector = Collector::start(&home, &[]);
    // Nothing is sent before the end.
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"),
    ];
    let (server, console) = up(&home, &variables, &[]);
    let client = copying(&home, &console);
    assert!(collector.requests().is_empty());
    end(server);
    drop(client);
    let spans = collector.await_spans("the application's span", 1, of_kind("stream"));
    assert_eq!((spans[0]["name"].as_str(), spans[0]["status"].as_u64()), (Some("stream copy"), Some(0)));
    assert_eq!(attribute(&spans[0], "glulam.run.state"), "stopped");
    // The last figures have that end among them.
    let ended = [("kind", "stream"), ("state", "stopped")];
    collector.await_point("glulam.runs.ended", &ended, |point| point["value"] == 1);
}

/// An application that goes on without end, when it runs.
fn copying(home: &Home, console: &str) -> Process {
    home.bucket("out");
    home.succeed(["stream", "create", "events", "--shards", "1"]);
    home.succeed(["sql", "CREATE EXTERNAL TABLE out (a bigint) STORED AS PARQUET LOCATION 's3://out/'"]);
    home.write(
        "copy.sql",
        "CREATE TABLE events (a BIGINT) WITH ('connector' = 'kinesis', 'stream' = 'events', 'aws.region' = 'eu-central-1', \
         'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');\nINSERT INTO out SELECT a FROM events;\n",
    );
    let client = Process::start(&mut home.command(["stream", "run", "copy.sql"]));
    let running = "glulam_runs{kind=\"stream\",state=\"running\"} 1";
    await_until("the application", LONG, || prometheus(console).contains(running).then_some(()));
    client
}

#[test]
fn what_a_kill_has_left_is_told_at_the_next_start() {
    let home = Home::new();
    let collector = Collector::start(&home, &[]);
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    let (server, console) = up(&home, &variables, &[]);
    let client = copying(&home, &console);
    server.kill();
    drop(client);
    let (server, _) = up(&home, &variables, &[]);
    let span = &collector.await_spans("the application's span", 1, of_kind("stream"))[0];
    assert_eq!((span["name"].as_str(), span["status"].as_u64()), (Some("stream copy"), Some(2)));
    end(server);
}

#[test]
fn a_collector_that_is_busy_gets_everything_once() {
    let home = Home::new();
    let collector = Collector::start(&home, &["--fail", "3"]);
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    let (server, _) = up(&home, &variables, &[]);
    for number in 0..3 {
        home.succeed(["sql", &format!("SELECT {number}")]);
    }
    let queries = collector.await_spans("the queries", 3, of_kind("query"));
    collector.await_point("glulam.runs.ended", &[("kind", "query")], |point| point["value"] == 3);
    let log = end(server);
    assert_eq!(queries.len(), 3, "{queries:?}");
    assert_eq!(collector.spans().iter().filter(|span| of_kind("query")(span)).count(), 3);
    let count = |part: &str| log.matches(part).count();
    assert_eq!(count("traces cannot be sent to http://127.0.0.1"), 1, "{log}");
    assert_eq!(count("the collector answers 503 Service Unavailable: not yet"), 2, "{log}");
    assert_eq!(count("metrics are taken again by http://127.0.0.1"), 1, "{log}");
    assert_eq!(count("traces are taken again by http://127.0.0.1"), 1, "{log}");
}

#[test]
fn a_collector_that_takes_only_some_is_told_of_once() {
    let home = Home::new();
    let collector = Collector::start(&home, &["--reject"]);
    let (server, _) = up(&home, &[("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())], &[]);
    for number in 1..3 {
        home.succeed(["sql", &format!("SELECT {number}")]);
        collector.await_spans("the query", number, of_kind("query"));
    }
    let rejected = [("fate", "rejected")];
    collector.await_point("glulam.spans", &rejected, |point| point["value"].as_u64() >= Some(2));
    let log = end(server);
    assert_eq!(log.matches("spans were not taken; too old").count(), 1, "{log}");
}

#[test]
fn a_collector_that_is_not_there_holds_nobody_up() {
    let home = Home::new();
    let url = format!("http://127.0.0.1:{}", testkit::free_port());
    let (server, _) = up(&home, &[("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str())], &[]);
    home.succeed(["sql", "SELECT 1"]);
    let log = end(server);
    assert_eq!(log.matches(&format!("the collector at {url} is not reached")).count(), 1, "{log}");
    assert!(log.contains("start it, or name another one in OTEL_EXPORTER_OTLP_ENDPOINT"), "{log}");
    assert!(log.contains("spans were dropped"), "{log}");

    // One that takes connections and never says a word is waited for, but not long.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let (server, _) = up(&home, &[("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str())], &[]);
    home.succeed(["sql", "SELECT 1"]);
    assert!(end(server).contains("did not take all that was to be told within 5 s"));
}

#[test]
fn a_collector_may_be_encrypted() {
    let home = Home::new();
    let (certificate, key) = (home.path().join("collector.pem"), home.path().join("collector.key"));
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(&certificate)
        .arg("-keyout")
        .arg(&key);
    let made = Process::start(&mut openssl).wait(LONG);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let path = |path: &Path| path.display().to_string();
    let collector = Collector::start(&home, &["--tls", &path(&certificate), &path(&key)]);
    // By the setting, where no variable says it.
    let endpoint = format!("telemetry.endpoint={}", collector.url);
    let trusted = [("OTEL_EXPORTER_OTLP_CERTIFICATE", path(&certificate))];
    let trusted = [(trusted[0].0, trusted[0].1.as_str())];
    let (server, _) = up(&home, &trusted, &["--set", &endpoint]);
    home.succeed(["sql", "SELECT 1"]);
    collector.await_spans("the query", 1, of_kind("query"));
    let log = end(server);
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    // Who it is must be known.
    let (server, _) = up(&home, &[], &["--set", &endpoint]);
    let log = end(server);
    assert!(
        log.contains("no encryption was agreed upon") && log.contains("OTEL_EXPORTER_OTLP_CERTIFICATE"),
        "{log}"
    );
}

#[test]
fn what_cannot_be_is_refused_before_anything_begins() {
    let home = Home::new();
    for (name, value, part) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "write http://HOST:PORT"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hush", "NAME=VALUE"),
    ] {
        let mut command = home.command(["up", "--aws", "off", "--console", "off", "--pg", "off"]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1").env(name, value);
        let ended = Process::start(&mut command).wait(LONG);
        assert_ne!(ended.code, Some(0));
        assert!(ended.stderr.contains(part) && !ended.stderr.contains("hush"), "{}", ended.stderr);
    }
}
