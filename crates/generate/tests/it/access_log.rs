//! Server access logs: exact bytes, the shape of every line, and that each call causes the calls it should.

use crate::samples::{LOG, made, shown};
use chrono::DateTime;
use regex::Regex;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

#[test]
fn a_small_task_gives_exactly_these_files() {
    insta::assert_snapshot!(shown(&made(LOG)));
}

#[test]
fn the_nginx_shape_names_service_and_caller_in_the_line() {
    let nginx = LOG.replace("\"numberOfIterations\": 2", "\"numberOfIterations\": 1, \"format\": \"nginx\"");
    insta::assert_snapshot!(shown(&made(&nginx)));
}

#[test]
fn gzip_holds_the_same_lines() {
    let plain = made(LOG);
    let packed = made(&LOG.replace("\"randomSeed\": 7", "\"randomSeed\": 7, \"gzip\": true"));
    assert_eq!(plain.len(), packed.len());
    for (name, bytes) in packed {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
        assert_eq!(text, plain[name.strip_suffix(".gz").unwrap()]);
    }
}

/// One line, read back.
#[derive(Debug, Clone)]
struct Line {
    user: String,
    address: String,
    agent: String,
    request: String,
    status: u16,
    millis: i64,
}

fn read(files: &BTreeMap<String, Vec<u8>>) -> HashMap<String, Vec<Line>> {
    let shape = Regex::new(
        r#"^(\S+)  - (\S+) "([A-Z]+ /\S*)" (\d{3}) \[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\] "([^"]+)"$"#,
    )
    .unwrap();
    let name_shape = Regex::new(r"^logs/(.+)-(\d{4}-\d\d-\d\d)\.txt$").unwrap();
    let mut services: HashMap<String, Vec<Line>> = HashMap::new();
    for (name, bytes) in files {
        let name = name_shape.captures(name).unwrap();
        let mut before = i64::MIN;
        for line in std::str::from_utf8(bytes).unwrap().lines() {
            let found = shape.captures(line).unwrap_or_else(|| panic!("{line}"));
            assert!(found[5].starts_with(&name[2]), "a line of another day: {line}");
            let millis = DateTime::parse_from_rfc3339(&found[5]).unwrap().timestamp_millis();
            assert!(before <= millis, "not in the order of time: {line}");
            before = millis;
            services.entry(name[1].to_owned()).or_default().push(Line {
                address: found[1].to_owned(),
                user: found[2].to_owned(),
                request: found[3].to_owned(),
                status: found[4].parse().unwrap(),
                millis,
                agent: found[6].to_owned(),
            });
        }
    }
    services
}

#[test]
fn every_call_causes_the_calls_of_its_dependencies_within_the_lag() {
    let many = LOG.replace("\"numberOfIterations\": 2", "\"numberOfIterations\": 200");
    let services = read(&made(&many));
    let calls = |service: &str, user: &str| -> Vec<Line> {
        services[service].iter().filter(|line| line.user == user).cloned().collect()
    };
    let pairs = |callers: &[Line], callees: &[Line]| {
        // A step is far longer than the lag, so callers and callees pair up in the order of time.
        assert_eq!((callers.len(), callees.len()), (200, 200));
        for (caller, callee) in callers.iter().zip(callees) {
            assert!((10..=1500).contains(&(callee.millis - caller.millis)), "{caller:?} {callee:?}");
            assert_eq!((callee.address.as_str(), callee.agent.as_str()), ("<masked>", "Apache HTTP Client"));
        }
    };
    let (edge, firefox) = (calls("user-service", "34509dlkjg"), calls("order-service", ";ldkh045"));
    for (iteration, line) in (0..).zip(&edge) {
        assert_eq!(line.millis, 1_663_285_381_005 + iteration * 1_800_000);
        assert_eq!((line.address.as_str(), line.agent.as_str()), ("192.168.16.16", "Edge"));
        assert_eq!((line.request.as_str(), line.status), ("GET /api/v1/users/{id}", 200));
    }
    pairs(&firefox, &calls("audit-service", "order-service"));
    pairs(&firefox, &calls("user-service", "order-service"));
    // The audit is called by the user service twice an iteration: for Edge, and for the order.
    let audits = calls("audit-service", "user-service");
    assert_eq!(audits.len(), 400);
    let mut callers: Vec<&Line> = services["user-service"].iter().collect();
    for audit in &audits {
        let caller = callers.iter().position(|caller| (10..=1500).contains(&(audit.millis - caller.millis)));
        callers.remove(caller.unwrap_or_else(|| panic!("nobody called {audit:?}")));
    }
    assert!(callers.is_empty());
    assert_eq!(services.values().map(Vec::len).sum::<usize>(), 200 * (2 + 4));
}

#[test]
fn overlapping_calls_come_in_the_order_of_time_across_batches() {
    // The lag is a hundred steps long, and the calls fill several batches.
    let dense = LOG
        .replace("\"numberOfIterations\": 2", "\"numberOfIterations\": 40000")
        .replace("\"stepMillis\": 1800000", "\"stepMillis\": 15, \"jitterMillis\": 3000");
    let services = read(&made(&dense));
    assert_eq!(services.values().map(Vec::len).sum::<usize>(), 240_000);
    assert_eq!(services["audit-service"].len(), 120_000);
}

#[test]
fn errors_and_numbers_in_paths_come_as_often_as_asked() {
    let text = LOG
        .replace("\"numberOfIterations\": 2", "\"numberOfIterations\": 5000, \"fillPathTemplates\": true")
        .replace(
            "\"httpMethod\": \"GET\", \"dependencies\"",
            "\"httpMethod\": \"GET\", \"errorRate\": 0.1, \"dependencies\"",
        );
    let services = read(&made(&text));
    let failed = services["user-service"].iter().filter(|line| line.status == 500).count();
    assert!((900..1100).contains(&failed), "{failed}");
    assert!(services["audit-service"].iter().all(|line| line.status == 200));
    let path = Regex::new(r"^GET /api/v1/users/[1-9]\d{0,3}$").unwrap();
    assert!(services["user-service"].iter().all(|line| path.is_match(&line.request)));
    let distinct: std::collections::HashSet<&String> =
        services["user-service"].iter().map(|line| &line.request).collect();
    assert!(distinct.len() > 5000);
}

/// Time in milliseconds, source, target and status of a line, read by plain expressions.
fn call(line: &str, file: &str) -> String {
    let front = r#"^(\S+) - (\S+) \[([^\]]+)\] "(\S+) (\S+) [^"]*" (\d{3}) "([^"]*)"$"#;
    let service = r#"^(\S+)  - (\S+) "(\S+) (\S+)" (\d{3}) \[([^\]]+)\] "([^"]*)"$"#;
    let show = |at: i64, source: Option<&str>, target: &str, status: &str| {
        format!("{at}|{}|{target}|{status}", source.unwrap_or("NULL"))
    };
    if let Some(found) = expression(front).captures(line) {
        let at = DateTime::parse_from_str(&found[3], "%d/%b/%Y:%H:%M:%S %z").unwrap().timestamp_millis();
        let machine = expression(r"^Machine \(([^;)]*)(?:; ([^)]+))?\)$").captures(&found[7]);
        let source = machine.as_ref().map(|agent| agent.get(2).map_or(&found[2], |name| name.as_str()));
        let target = found[5].trim_start_matches('/').split(['/', '?']).next().unwrap();
        return show(at, source, target, &found[6]);
    }
    let found = expression(service).captures(line).unwrap_or_else(|| panic!("{line}"));
    let at = DateTime::parse_from_rfc3339(&found[6]).unwrap().timestamp_millis();
    let target = expression(r"^(.+)-\d{4}-\d\d-\d\d\.txt(?:\.gz)?$").captures(file).unwrap();
    show(at, (&found[7] == "Apache HTTP Client").then_some(&found[2]), &target[1], &found[5])
}

/// Expressions are compiled once.
fn expression(pattern: &'static str) -> Regex {
    thread_local! {
        static KNOWN: std::cell::RefCell<HashMap<&'static str, Regex>> = std::cell::RefCell::default();
    }
    KNOWN
        .with_borrow_mut(|known| known.entry(pattern).or_insert_with(|| Regex::new(pattern).unwrap()).clone())
}

#[test]
fn logs_are_read_as_plain_expressions_read_them() {
    let many = LOG
        .replace("\"numberOfIterations\": 2", "\"numberOfIterations\": 500")
        .replace("\"Firefox\"", "\"Machine (Load-Driver)\"");
    let nginx = many.replace("\"randomSeed\": 7", "\"randomSeed\": 7, \"format\": \"nginx\"");
    let columns = formats::access_log_columns();
    let at = |name: &str| columns.iter().position(|column| column.name == name).unwrap();
    let wanted = ["time", "source", "target", "status"].map(at);
    let (mut lines, mut sources) = (0, std::collections::HashSet::new());
    for (path, bytes) in [made(&many), made(&nginx)].into_iter().flatten() {
        let options = formats::DecodeOptions {
            on_error: formats::OnError::Fail,
            file: format!("s3://lake/{path}").into(),
            ..formats::DecodeOptions::default()
        };
        let spec = formats::FormatSpec::new(formats::Format::AccessLog);
        let mut decoder = formats::decoder(&spec, &columns, &wanted, options).unwrap();
        decoder.feed(bytes.clone().into()).unwrap();
        decoder.finish().unwrap();
        let mut found = Vec::new();
        while let Some(batch) = decoder.take_batch().unwrap() {
            let time = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Int64).unwrap();
            let shown = arrow::util::display::FormatOptions::default().with_null("NULL");
            let arrays = [&time, batch.column(1), batch.column(2), batch.column(3)];
            let cells =
                arrays.map(|array| arrow::util::display::ArrayFormatter::try_new(array, &shown).unwrap());
            for row in 0..batch.num_rows() {
                found.push(cells.each_ref().map(|cell| cell.value(row).to_string()).join("|"));
            }
        }
        let file = path.rsplit('/').next().unwrap();
        let expected: Vec<String> =
            std::str::from_utf8(&bytes).unwrap().lines().map(|line| call(line, file)).collect();
        lines += expected.len();
        sources.extend(expected.iter().map(|row| row.split('|').nth(1).unwrap().to_owned()));
        assert!(found == expected, "{path}");
    }
    assert_eq!(lines, 2 * 500 * (2 + 4));
    // Users, services, and the user of an agent that is a machine.
    assert_eq!(sources.len(), 4);
}
