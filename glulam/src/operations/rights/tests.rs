//! What each operation asks for, and what is refused to all who log in.

use super::*;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// Allows all, and remembers what it was asked.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl console::Keys for Notes {
    fn admits(&self, _: &str, _: &str) -> bool {
        true
    }

    fn allows(&self, _: &str, action: &str, resource: &str) -> bool {
        let end = resource.rsplit("123456789012:").next().unwrap_or(resource);
        self.0.lock().unwrap().push(format!("{action} {end}"));
        true
    }
}

fn asked(name: &str, body: &Value) -> Result<Vec<String>> {
    let notes = Arc::new(Notes::default());
    let account = "123456789012".parse().unwrap();
    let caller = Caller::keyed("k".to_owned(), notes.clone(), account);
    plain(name, body.to_string().as_bytes(), &Asking(&caller))?;
    let all = notes.0.lock().unwrap().clone();
    Ok(all)
}

#[test]
fn every_operation_asks_for_what_it_touches() {
    let anything = [
        "glue:GetTable *",
        "s3:GetObject arn:aws:s3:::*",
        "glue:CreateTable *",
        "glue:UpdateTable *",
        "glue:DeleteTable *",
        "s3:PutObject arn:aws:s3:::*",
    ];
    let with = |first: &[&'static str]| [first, &anything].concat();
    let script = json!({ "name": "a.sql", "text": "" });
    let options = json!({ "from": "latest", "tasks": null, "until_caught_up": false });
    let job = |definition: Value| json!({ "request": { "name": "j", "definition": definition, "arguments": {} }, "rows": 3, "language": "sql" });
    for (name, body, expected) in [
        ("list-tables", json!({ "database": null, "pattern": null }), vec!["glue:GetTables database/*"]),
        ("list-tables", json!({ "database": "d", "pattern": null }), vec!["glue:GetTables database/d"]),
        ("describe-table", json!({ "table": "d.t", "versions": false }), vec!["glue:GetTable table/d/t"]),
        (
            "list-partitions",
            json!({ "table": "d.t", "filter": null, "limit": 1 }),
            vec!["glue:GetPartitions table/d/t"],
        ),
        ("completion-names", json!({ "database": "d" }), vec!["glue:GetTables database/*"]),
        ("start-saved-crawl", json!({ "name": "c" }), vec!["glue:StartCrawler crawler/c"]),
        (
            "start-crawl",
            json!({ "spec": { "targets": [{ "kind": "s3", "path": "s3://raw/a/" }], "database": "d" } }),
            vec![
                "s3:GetObject arn:aws:s3:::raw/a/*",
                "glue:StartCrawler crawler/*",
                "glue:CreateTable table/d/*",
                "glue:UpdateTable table/d/*",
                "glue:DeleteTable table/d/*",
            ],
        ),
        (
            "start-generate",
            json!({ "file": "f", "text": "", "seed": 1, "output": "s3://raw/x" }),
            vec!["s3:PutObject arn:aws:s3:::raw/x/*"],
        ),
        (
            "save-job",
            json!({ "definition": script }),
            with(&["glue:CreateJob job/*", "glue:UpdateJob job/*"]),
        ),
        ("start-job", job(Value::Null), vec!["glue:StartJobRun job/j"]),
        ("start-job", job(json!(["{}", "j.yaml"])), with(&["glue:StartJobRun job/j"])),
        ("start-job-preview", job(Value::Null), with(&["glue:StartJobRun job/j"])),
        ("write-job-script", job(Value::Null), vec!["glue:GetJob job/j"]),
        ("list-jobs", json!({}), vec!["glue:GetJobs *"]),
        ("show-job", json!({ "name": "j" }), vec!["glue:GetJob job/j"]),
        ("delete-job", json!({ "name": "j" }), vec!["glue:DeleteJob job/j"]),
        ("move-bookmark", json!({ "job": "j", "to": "stay" }), vec!["glue:GetJobBookmark job/j"]),
        ("move-bookmark", json!({ "job": "j", "to": "reset" }), vec!["glue:ResetJobBookmark job/j"]),
        ("check-jobs", json!({ "texts": [] }), vec!["glue:GetTable *", "s3:GetObject arn:aws:s3:::*"]),
        ("list-runs", json!({}), vec!["glulam:ListRuns *"]),
        ("follow-run", json!({}), vec!["glulam:GetRun *"]),
        ("read-log", json!({}), vec!["glulam:GetRun *"]),
        ("stop-run", json!({}), vec!["glulam:StopRun *"]),
        (
            "create-stream",
            json!({ "name": "s", "shards": 1, "retention_hours": null }),
            vec!["kinesis:CreateStream stream/s"],
        ),
        ("list-streams", json!({}), vec!["kinesis:ListStreams *"]),
        ("describe-stream", json!({ "name": "s" }), vec!["kinesis:DescribeStream stream/s"]),
        ("delete-stream", json!({ "name": "s" }), vec!["kinesis:DeleteStream stream/s"]),
        (
            "put-records",
            json!({ "stream": "s", "records": [], "key": null }),
            vec!["kinesis:PutRecords stream/s"],
        ),
        (
            "read-shard",
            json!({ "stream": "s", "shard": "0", "from": "latest", "limit": 1 }),
            vec!["kinesis:GetRecords stream/s"],
        ),
        (
            "read-stream",
            json!({ "stream": "s", "places": ["1:0:0:1:0:secret"], "from_start": true, "limit": 1 }),
            vec!["kinesis:GetRecords stream/s", "kinesis:GetRecords stream/secret"],
        ),
        (
            "watch-applications",
            json!({}),
            vec!["kinesisanalytics:ListApplications *", "kinesisanalytics:DescribeApplication application/*"],
        ),
        (
            "show-application",
            json!({ "name": "a" }),
            vec!["kinesisanalytics:DescribeApplication application/a"],
        ),
        (
            "start-application",
            json!({ "name": "a", "script": null, "options": options }),
            vec!["kinesisanalytics:StartApplication application/a"],
        ),
        (
            "save-application",
            json!({ "name": "a", "script": script }),
            with(&[
                "kinesisanalytics:CreateApplication application/a",
                "kinesisanalytics:UpdateApplication application/a",
                "kinesis:GetRecords stream/*",
                "kinesis:PutRecords stream/*",
            ]),
        ),
        (
            "stop-application",
            json!({ "name": "a", "how": "drain" }),
            vec!["kinesisanalytics:StopApplication application/a"],
        ),
        (
            "delete-application",
            json!({ "name": "a" }),
            vec!["kinesisanalytics:DeleteApplication application/a"],
        ),
        (
            "snapshot-application",
            json!({ "name": "a", "label": "l" }),
            vec!["kinesisanalytics:CreateApplicationSnapshot application/a"],
        ),
        (
            "snapshot-application",
            json!({ "name": "a", "label": null }),
            vec!["kinesisanalytics:ListApplicationSnapshots application/a"],
        ),
        (
            "delete-snapshot",
            json!({ "name": "a", "label": "l" }),
            vec!["kinesisanalytics:DeleteApplicationSnapshot application/a"],
        ),
        ("explain-application", json!({ "script": script }), vec!["glue:GetTable *"]),
    ] {
        assert_eq!(asked(name, &body).unwrap(), expected, "{name}");
    }
}

#[test]
fn this_machines_disk_and_unknown_operations_are_refused() {
    let file = |path: &str| match path.starts_with("s3:") {
        true => json!({ "Lake": path }),
        false => json!({ "Disk": path }),
    };
    let input = |path: &str| json!({ "paths": [file(path)], "exclusions": [], "recurse": true });
    let convert = |from: &str, to: &str| {
        let output = json!({ "at": file(to), "format": null, "compression": null, "partition_by": [],
            "header": true, "delimiter": null, "max_file_bytes": null, "overwrite": false });
        let format = engine::FileFormat::default();
        json!({ "request": { "input": input(from), "format": format, "select": null, "output": output } })
    };
    let crawl = json!({ "spec": { "targets": [{ "kind": "local", "path": "/etc" }], "database": "d" } });
    for (name, body) in [
        ("start-convert", convert("/etc/passwd", "s3://out/a.csv")),
        ("start-convert", convert("s3://raw/a.csv", "/tmp/a.csv")),
        ("start-crawl", crawl),
        ("start-script", json!({})),
        ("set-up-python", json!({})),
        ("check-scripts", json!({})),
        ("start-anything", json!({})),
        ("no-job", json!({})),
    ] {
        let error = asked(name, &body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{name}: {error}");
    }
}
