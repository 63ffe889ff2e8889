//! Whole ways through the AWS door with real clients: boto3, awswrangler, PyAthena, SQLAlchemy, dbt, the aws command.

use crate::aws::{python_with, up};
use crate::home::{Home, LONG};

/// Has a server that serves these scenarios of these scripts, one after the other, and ends well.
fn served(scenarios: &[(&str, &[&str])]) -> Home {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    for (script, names) in scenarios {
        python_with(&home, &url, script, names, "test");
    }
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    home
}

#[test]
fn from_files_to_answers() {
    served(&[("queries.py", &["crawl", "athena", "workgroups"]), ("catalogs.py", &["job", "catalog"])]);
}

#[test]
fn from_files_to_frames() {
    let home = served(&[("queries.py", &["crawl"]), ("frames.py", &["wrangler", "pyathena"])]);
    assert!(home.tables().contains(&"shop.frame".to_owned()));
}

#[test]
fn every_operation_is_served_or_refused_by_name() {
    served(&[("catalogs.py", &["operations"])]);
}

#[test]
fn the_aws_command_syncs() {
    let home = served(&[("tools.py", &["aws"])]);
    assert!(home.bucket("synced").join("here/large.bin").is_file());
}

#[test]
fn sqlalchemy_reflects() {
    served(&[("tools.py", &["sqlalchemy"])]);
}

#[test]
fn dbt_builds_a_project() {
    served(&[("tools.py", &["dbt"])]);
}

#[test]
fn what_athena_keeps_survives_a_restart() {
    let home = Home::new();
    std::fs::create_dir_all(home.bucket("results")).unwrap();
    let (server, url) = up(&home, &[]);
    let before = python_with(&home, &url, "kept.py", &["keep"], "test");
    server.signal(9);
    server.wait(LONG);
    let (_server, url) = up(&home, &[]);
    let after = python_with(&home, &url, "kept.py", &["kept"], "test");
    assert_eq!(before, after, "the same token is the same query");
}
