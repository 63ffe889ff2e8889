//! How fast the generator is on this machine: `cargo run --release -p generate --example speed [FOLDER] [MILLIONS]`.
//! Makes about that many million rows of each kind in the folder, prints rows and bytes per second, removes them again.

use chrono::DateTime;
use generate::{Options, Output, Task, run};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "target/speed".to_owned());
    let millions: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let folder = Path::new(&folder).join("generated");
    for (name, text) in tasks(millions * 1_000_000) {
        let task = Task::parse(name, &text)?;
        let mut options = Options::new(1, DateTime::from_timestamp_millis(0).unwrap_or_default());
        let output = if task.kind() == "kinesis-metrics-stream" {
            folder.join("events.jsonl")
        } else {
            folder.clone()
        };
        options.output = Some(Output::Path(output));
        let begin = Instant::now();
        let report = run(&task, &options, &())?;
        let seconds = begin.elapsed().as_secs_f64();
        writeln!(
            std::io::stdout(),
            "{name:<32} {:>11} rows {:>6.2} s {:>7.2} M rows/s {:>7.0} MB/s",
            report.rows,
            seconds,
            report.rows as f64 / seconds / 1e6,
            report.bytes as f64 / seconds / 1e6
        )?;
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

fn tasks(rows: u64) -> Vec<(&'static str, String)> {
    let metric = r#"{"unit": "percent", "averageFrom": 20, "averageTo": 60, "minDiff": 1, "maxDiff": 9}"#;
    let component =
        format!(r#"{{"cpu": {metric}, "memory": {metric}, "latency": {metric}, "requests": {metric}}}"#);
    let windowed = |components: usize, rows: u64| {
        let named: Vec<String> =
            (0..components).map(|index| format!(r#""service-{index}": {component}"#)).collect();
        format!(
            r#"{{"@type": "windowed-metrics", "outputFilePath": "x", "numberOfIterations": {},
            "timer": {{"@type": "synthetic", "startTime": "2026-03-02T00:00:00Z", "stepMillis": 300000}},
            "metrics": {{{}}}}}"#,
            rows / 4 / components as u64,
            named.join(",")
        )
    };
    let logs = |further: &str, rows: u64| {
        format!(
            r#"{{"@type": "server-access-log", "outputDirectoryPath": "x", "numberOfIterations": {}, {further}
            "networkLagMinMillis": 5, "networkLagMaxMillis": 400,
            "timer": {{"@type": "synthetic", "startTime": "2026-03-02T00:00:00Z", "stepMillis": 300, "jitterMillis": 300}},
            "services": [
              {{"name": "order-service", "endpoints": [{{"relativeUrl": "/api/v1/orders/{{id}}", "httpMethod": "GET",
                "dependencies": [{{"serviceName": "user-service", "relativeUrl": "/api/v1/users/{{id}}", "httpMethod": "GET"}}]}}]}},
              {{"name": "user-service", "endpoints": [{{"relativeUrl": "/api/v1/users/{{id}}", "httpMethod": "GET"}}]}}],
            "loadItems": [{{"userAgent": "Edge", "userAddress": "192.0.2.16", "remoteUser": "u16",
              "call": {{"serviceName": "order-service", "relativeUrl": "/api/v1/orders/{{id}}", "httpMethod": "GET"}}}}]}}"#,
            rows / 2
        )
    };
    let stream = format!(
        r#"{{"@type": "kinesis-metrics-stream", "outputFilePath": "x", "iterationsNumber": {},
        "timer": {{"@type": "realtime", "rateMillis": 1000}},
        "metrics": {{"order-service": {{"cpu": {{"unit": "percent", "minValue": 1, "maxValue": 99}}}}}}}}"#,
        rows
    );
    vec![
        ("windowed-metrics, 6 components", windowed(6, rows)),
        ("windowed-metrics, 1 component", windowed(1, rows)),
        ("access log", logs("", rows)),
        ("access log, nginx", logs(r#""format": "nginx","#, rows)),
        ("access log, gzip", logs(r#""gzip": true,"#, rows / 5)),
        ("metrics stream, JSON lines", stream),
    ]
}
