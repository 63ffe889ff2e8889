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
