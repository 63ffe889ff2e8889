//! Streams and applications over the AWS door, with Amazon's own clients.

use crate::aws::{python_with, up};
use crate::home::{Home, LONG};

/// Has a server serve these scenarios, one after the other, and end well.
fn served(scenarios: &[&str]) {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    python_with(&home, &url, "streams.py", scenarios, "test");
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn records_and_lineage() {
    served(&["records", "lineage", "settings"]);
}

#[test]
fn consumers_and_cbor() {
    served(&["consumers", "cbor", "command"]);
}

#[test]
fn an_application_by_boto3() {
    served(&["application"]);
}

#[test]
fn tail_goes_on_through_splits_and_merges() {
    let home = Home::new();
    let (_server, url) = up(&home, &[]);
    python_with(&home, &url, "streams.py", &["resharded"], "test");
    let shown = home.succeed(["stream", "tail", "eighth", "--from-start", "--limit", "100000", "--json"]);
    let mut numbers: Vec<u64> = Vec::new();
    for line in shown.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let text: serde_json::Value = serde_json::from_str(record["data"].as_str().unwrap()).unwrap();
        numbers.push(text["n"].as_u64().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..900).collect::<Vec<u64>>(), "each record once");
}
