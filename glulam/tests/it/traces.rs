//! Traces that belong together: what requests bring and what they start, at every door, and queries that are no runs.

use crate::aws::client;
use crate::home::{Home, LONG};
use crate::telemetry::{Collector, attribute, end, of_kind, trace_of};
use serde_json::{Value, json};
use testkit::Process;

const ORDERS: &str = r#"{"id": 1, "customer": "Ada"}
{"id": 2, "customer": "Brian"}
{"id": 3, "customer": "Cy"}
{"id": 4, "customer": "Dennis"}
"#;

/// A server with a small table and all its doors, what it tells, and where the doors are.
struct World {
    home: Home,
    collector: Collector,
    server: Process,
    aws: String,
    console: String,
    pg: String,
}

impl World {
    fn new(variables: &[(&str, &str)]) -> Self {
        let home = Home::new();
        home.drop_file("raw", "orders/orders.json", ORDERS);
        home.bucket("out");
        for statement in [
            "CREATE DATABASE shop",
            "CREATE EXTERNAL TABLE shop.orders (id bigint, customer string)
             ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://raw/orders/'",
        ] {
            home.succeed(["sql", statement]);
        }
        let collector = Collector::start(&home, &[]);
        let python = format!("python.environment={}", testkit::venv().display());
        let doors =
            ["--aws", "127.0.0.1:0", "--console", "127.0.0.1:0", "--pg", "127.0.0.1:0", "--set", &python];
        let mut command = home.command(["up"].iter().chain(&doors));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
            command.env_remove(name);
        }
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url).env("OTEL_BSP_SCHEDULE_DELAY", "50");
        command.envs(variables.iter().copied());
        let mut server = Process::start(&mut command);
        let line = server.wait_for_line("ready aws=", LONG);
        let of = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=")).unwrap();
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let console = of("console").trim_start_matches("http://").to_owned();
        Self { home, collector, server, aws: of("aws"), console, pg: of("pg") }
    }

    /// Runs functions of the script `traces.py`.
    fn ask(&self, functions: &[&str]) {
        let mut command = client(&self.home, &self.aws, "traces.py", functions, "test");
        command.env("CONSOLE", &self.console).env("PG", &self.pg);
        let finished = Process::start(&mut command).wait(LONG);
        assert_eq!(finished.code, Some(0), "{functions:?}\n{}{}", finished.stdout, finished.stderr);
    }

    /// Ends the server; everything it has told then.
    fn told(self) -> Told {
        let log = end(self.server);
        assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
        Told(self.collector.spans())
    }
}

/// All spans.
struct Told(Vec<Value>);

impl Told {
    /// The only span that this is true of.
    #[track_caller]
    fn one(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> &Value {
        let found: Vec<&Value> = self.0.iter().filter(|span| is_it(span)).collect();
        assert_eq!(found.len(), 1, "{what}: {found:#?}\nof {:#?}", self.0);
        found[0]
    }

    /// The span right under the one that a client says is its own.
    #[track_caller]
    fn under_client(&self, number: u64, is_it: impl Fn(&Value) -> bool) -> &Value {
        let under = |span: &Value| is_under_client(span, number) && is_it(span);
        self.one(&format!("what belongs to the client's {number}"), under)
    }

    /// The only span of a kind of run under another span.
    #[track_caller]
    fn run_under(&self, parent: &Value, kind: &'static str) -> &Value {
        let run = self.one(kind, |span| span["parent"] == parent["id"] && of_kind(kind)(span));
        assert_eq!(run["trace"], parent["trace"], "{run}");
        run
    }
}

fn is_under_client(span: &Value, number: u64) -> bool {
    span["trace"] == format!("{number:032x}") && span["parent"] == format!("{number:016x}")
}

#[track_caller]
fn says(span: &Value, attributes: Value) {
    for (name, value) in attributes.as_object().unwrap() {
        assert_eq!(attribute(span, name), value, "{name} of {span:#}");
    }
}

/// The table's file was read, and perhaps its beginning before that.
#[track_caller]
fn was_read(span: &Value) {
    let bytes = attribute(span, "glulam.figures.bytes_scanned").as_u64().unwrap();
    let file = ORDERS.len() as u64;
    assert!((file..2 * file).contains(&bytes), "{span:#}");
}

#[test]
fn what_requests_to_the_aws_door_start_belongs_to_them() {
    let world = World::new(&[]);
    world.ask(&["athena", "objects", "delivery"]);
    let told = world.told();

    let request = told.under_client(1, |span| span["name"] == "athena.StartQueryExecution");
    assert_eq!((request["kind"].as_u64(), request["status"].as_u64()), (Some(2), Some(0)));
    says(
        request,
        json!({ "glulam.door": "aws", "http.request.method": "POST", "http.response.status_code": 200,
                "url.path": "/", "url.scheme": "http", "rpc.system": "aws-api", "rpc.service": "athena",
                "rpc.method": "StartQueryExecution", "server.address": "127.0.0.1" }),
    );
    assert!(attribute(request, "user_agent.original").as_str().unwrap().starts_with("Boto3/"), "{request}");
    let query = told.run_under(request, "query");
    says(
        query,
        json!({ "db.operation.name": "SELECT", "db.namespace": "default", "db.response.returned_rows": 3 }),
    );
    // Its parts are where they were.
    told.one("its execution", |span| span["parent"] == query["id"] && span["name"] == "execute");

    // Nothing is told of a trace of which nothing is to be told.
    assert!(told.0.iter().all(|span| span["trace"] != format!("{:032x}", 2)), "{:#?}", told.0);
    // What is no `traceparent` is none: the run is the first of its own trace, as ever.
    let alone =
        told.one("the query that belongs to nobody", |span| of_kind("query")(span) && span["parent"] == "");
    assert_eq!(alone["trace"], trace_of(attribute(alone, "glulam.run.id").as_str().unwrap()));

    let absent = told.under_client(3, |_| true);
    assert_eq!((absent["name"].as_str(), absent["status"].as_u64()), (Some("GET"), Some(0)));
    says(absent, json!({ "rpc.service": "s3", "url.path": "/out/absent", "http.response.status_code": 404 }));

    let request = told.under_client(5, |span| span["name"] == "firehose.CreateDeliveryStream");
    let delivery = told.run_under(request, "delivery");
    assert_eq!(delivery["name"], "delivery hose");
}

#[test]
fn what_a_jobs_script_starts_belongs_to_the_jobs_run() {
    let world = World::new(&[]);
    world.ask(&["job"]);
    let told = world.told();
    let request = told.under_client(4, |span| span["name"] == "glue.StartJobRun");
    let job = told.run_under(request, "job");
    let query = told.run_under(job, "query");
    assert_eq!(attribute(query, "db.query.text"), "SELECT 'of the script'");
    told.run_under(job, "crawl");
}

#[test]
fn panels_and_requests_to_the_console_are_told() {
    let world = World::new(&[]);
    world.ask(&["console"]);
    let told = world.told();

    let request = told.under_client(6, |_| true);
    assert_eq!(
        (request["name"].as_str(), request["kind"].as_u64()),
        (Some("POST /api/do/{operation}"), Some(2))
    );
    says(
        request,
        json!({ "glulam.door": "console", "http.route": "/api/do/{operation}", "url.path": "/api/do/start-query",
                "http.response.status_code": 200 }),
    );
    told.run_under(request, "query");

    let panel = |again: bool| {
        let panel = told.one("a panel", |span| attribute(span, "glulam.query.again") == again);
        let request = told.one("its request", |span| span["id"] == panel["parent"]);
        assert!(is_under_client(request, 7), "{request}");
        assert_eq!((panel["trace"].clone(), panel["kind"].as_u64()), (request["trace"].clone(), Some(1)));
        assert_eq!((panel["name"].as_str(), panel["status"].as_u64()), (Some("query SELECT"), Some(0)));
        says(
            panel,
            json!({ "glulam.door": "console", "db.system.name": "glulam", "db.namespace": "shop",
                    "db.operation.name": "SELECT", "db.query.text": "SELECT id, customer FROM shop.orders ORDER BY id",
                    "glulam.query.source": "Orders", "glulam.query.state": "succeeded" }),
        );
        panel
    };
    was_read(panel(false));
    says(panel(false), json!({ "db.response.returned_rows": 4, "glulam.figures.rows": 4 }));
    says(panel(true), json!({ "glulam.figures.bytes_scanned": 0 }));

    // Two headers are none, and such a request has no span; the query is the first of its trace.
    let failed = told.one("the query that fails", |span| attribute(span, "glulam.query.state") == "failed");
    assert_eq!((failed["parent"].as_str(), failed["status"].as_u64()), (Some(""), Some(2)));
    says(failed, json!({ "error.type": "not_found" }));
    assert!(failed["message"].as_str().unwrap().contains("nothing"), "{failed}");
    assert_eq!(failed["events"][0]["exception.message"], failed["message"]);
    assert!(told.0.iter().all(|span| span["trace"] != format!("{:032x}", 8)), "{:#?}", told.0);
}

#[test]
fn statements_of_postgresqls_clients_are_told() {
    let world = World::new(&[]);
    world.ask(&["pg"]);
    let told = world.told();

    let select = told.under_client(9, |_| true);
    assert_eq!((select["name"].as_str(), select["kind"].as_u64()), (Some("query SELECT"), Some(2)));
    says(
        select,
        json!({ "glulam.door": "pg", "db.system.name": "glulam", "db.namespace": "default", "db.operation.name": "SELECT",
                "db.query.text": "SELECT customer FROM shop.orders WHERE customer <> $1",
                "db.response.returned_rows": 4,
                "glulam.query.state": "succeeded", "user.name": "test", "network.peer.address": "127.0.0.1",
                "glulam.client.name": "tests" }),
    );
    was_read(select);
    assert!(attribute(select, "network.peer.port").as_u64() > Some(0), "{select}");
    assert!(attribute(select, "glulam.figures.planning_millis").as_f64() > Some(0.0), "{select}");
    assert!(!told.0.iter().any(|span| span.to_string().contains("hush")), "a bound value is told");

    // What changes something is a run, under its statement.
    let create = told.under_client(10, |_| true);
    assert_eq!(create["name"], "query CREATE");
    told.run_under(create, "query");

    assert!(told.0.iter().all(|span| span["trace"] != format!("{:032x}", 11)), "{:#?}", told.0);
    assert!(told.0.iter().all(|span| attribute(span, "db.operation.name") != "SHOW"), "a setting is told");
    let names = told.under_client(12, |_| true);
    assert!(attribute(names, "db.response.returned_rows").as_u64() > Some(0), "{names}");

    let failed = told.one("the failure", |span| attribute(span, "glulam.query.state") == "failed");
    assert_eq!((failed["parent"].as_str(), failed["status"].as_u64()), (Some(""), Some(2)));
    says(failed, json!({ "db.response.status_code": "42703", "error.type": "42703" }));
    assert!(failed["message"].as_str().unwrap().contains("nothing"), "{failed}");

    // A cursor that is closed before its end is no failure.
    let cursor = told.under_client(13, |_| true);
    says(cursor, json!({ "glulam.query.state": "stopped", "glulam.figures.rows": 1 }));
    assert_eq!(cursor["status"], 0);
}

#[test]
fn a_command_belongs_to_who_has_started_it() {
    let world = World::new(&[]);
    for traceparent in [format!("00-{:032x}-{:016x}-01", 14, 14), "no\ttrace".to_owned()] {
        let mut command = world.home.command(["sql", "SELECT 1"]);
        command.env("TRACEPARENT", traceparent);
        let finished = Process::start(&mut command).wait(LONG);
        assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    }
    let told = world.told();
    told.under_client(14, of_kind("query"));
    told.one("the other one", |span| of_kind("query")(span) && span["parent"] == "");
}

#[test]
fn a_sampler_that_asks_nobody_decides_alone() {
    let world = World::new(&[("OTEL_TRACES_SAMPLER", "always_on")]);
    world.ask(&["athena"]);
    let told = world.told();
    let request = told.under_client(2, |span| span["name"] == "athena.StartQueryExecution");
    told.run_under(request, "query");

    let world = World::new(&[("OTEL_TRACES_SAMPLER", "parentbased_always_off")]);
    world.ask(&["athena"]);
    let told = world.told();
    let request = told.under_client(1, |span| span["name"] == "athena.StartQueryExecution");
    let query = told.run_under(request, "query");
    assert!(told.0.iter().all(|span| span["trace"] == query["trace"]), "{:#?}", told.0);
}
