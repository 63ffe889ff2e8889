//! Whole ways through the AWS door with real clients: boto3, awswrangler, PyAthena.

use crate::aws::{python_with, up};
use crate::home::{Home, LONG};

#[test]
fn from_files_to_answers() {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    for function in ["crawl", "athena", "workgroups", "job", "catalog", "wrangler", "pyathena", "operations"]
    {
        python_with(&home, &url, "scenarios.py", &[function], "test");
    }
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(home.tables().contains(&"shop.frame".to_owned()));
}

#[test]
fn what_athena_keeps_survives_a_restart() {
    let home = Home::new();
    std::fs::create_dir_all(home.bucket("results")).unwrap();
    let (server, url) = up(&home, &[]);
    let before = python_with(&home, &url, "scenarios.py", &["kept", "before"], "test");
    server.signal(9);
    server.wait(LONG);
    let (_server, url) = up(&home, &[]);
    let after = python_with(&home, &url, "scenarios.py", &["kept"], "test");
    assert_eq!(before, after, "the same token is the same query");
}
