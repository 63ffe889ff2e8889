//! kill -9 at named points: nothing half-visible afterwards, and the next start repairs what is left.

use crate::home::{Home, LONG};
use std::collections::BTreeMap;
use std::path::Path;
use testkit::{Finished, Process};

const TASK: &str = r#"{ "@type": "windowed-metrics", "numberOfIterations": 50,
  "timer": { "@type": "synthetic", "startTime": "2026-03-02T00:00:00.000Z", "stepMillis": 300000 },
  "outputFilePath": "./data", "metrics": {
    "a": { "cpu": { "unit": "percent", "averageFrom": 1, "averageTo": 2, "minDiff": 0, "maxDiff": 1 } },
    "b": { "cpu": { "unit": "percent", "averageFrom": 1, "averageTo": 2, "minDiff": 0, "maxDiff": 1 } },
    "c": { "cpu": { "unit": "percent", "averageFrom": 1, "averageTo": 2, "minDiff": 0, "maxDiff": 1 } },
    "d": { "cpu": { "unit": "percent", "averageFrom": 1, "averageTo": 2, "minDiff": 0, "maxDiff": 1 } } } }"#;

/// Runs a command that the crash point must kill.
fn killed<const N: usize>(home: &Home, point: &str, arguments: [&str; N]) {
    let finished: Finished = Process::start(home.command(arguments).env("GLULAM_CRASH_AT", point)).wait(LONG);
    assert_eq!(finished.code, None, "{point} was not reached: {}{}", finished.stdout, finished.stderr);
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// The end that recovery gives to the newest run.
fn newest_run(home: &Home) -> (String, String) {
    let runs = home.json(["runs", "--limit", "1"]);
    (runs[0]["kind"].as_str().unwrap().to_owned(), runs[0]["state"].as_str().unwrap().to_owned())
}

fn commit_of_many_files(point: &str) {
    let home = Home::new();
    home.write("task.json", TASK);
    home.succeed(["gen", "task.json", "--output", "s3://metrics/", "--seed", "1"]);
    let before = files(&home.bucket("metrics"));
    assert_eq!(before.len(), 4);
    home.succeed(["gen", "task.json", "--output", "expected", "--seed", "2"]);
    let after = files(&home.path().join("expected"));

    killed(&home, point, ["gen", "task.json", "--output", "s3://metrics/", "--seed", "2"]);
    let (kind, state) = newest_run(&home);
    assert_eq!(kind, "generate");
    assert_ne!(state, "running", "{point}");
    let found = files(&home.bucket("metrics"));
    assert!(found == before || found == after, "{point}: a mixture of {:?}", found.keys());
    // What follows works as if nothing had been.
    home.succeed(["gen", "task.json", "--output", "s3://metrics/", "--seed", "2"]);
    assert_eq!(files(&home.bucket("metrics")), after, "{point}");
    for leftover in ["lake/staging", "lake/tmp", "lake/commits"] {
        let left = files(&home.path().join("glulam-data").join(leftover));
        assert!(left.is_empty(), "{point} left {:?} in {leftover}", left.keys());
    }
}

macro_rules! commit_kills {
    ($($name:ident: $point:expr,)*) => { $(#[test] fn $name() { commit_of_many_files($point); })* };
}

commit_kills! {
    commit_killed_when_staged: "lake.commit.staged",
    commit_killed_with_its_journal: "lake.commit.journal",
    commit_killed_at_the_first_rename: "lake.commit.rename",
    commit_killed_at_the_third_rename: "lake.commit.rename:3",
    commit_killed_when_published: "lake.commit.published",
    commit_killed_while_tidying_up: "lake.commit.cleanup",
}

fn fill(home: &Home) {
    home.drop_file("raw", "pets/a.csv", "name,age\nrex,3\nmia,4\n");
    home.drop_file("raw", "things/a.json", "{\"id\": 1, \"tags\": [\"x\"]}\n{\"id\": 2, \"tags\": []}\n");
    for day in 0..250 {
        home.drop_file("raw", &format!("sales/day={day}/a.csv"), "units,price\n1,2.5\n3,4.5\n");
    }
}

/// What the catalog holds, as far as a reader can tell.
fn catalog(home: &Home) -> BTreeMap<String, (Vec<String>, usize)> {
    home.tables()
        .into_iter()
        .map(|table| {
            let partitions = home.json(["partitions", &table, "--limit", "100000"]);
            let count = partitions["partitions"].as_array().unwrap().len();
            let columns = home.columns(&table);
            (table, (columns, count))
        })
        .collect()
}

fn crawl(point: &str) {
    let home = Home::new();
    fill(&home);
    home.succeed(["crawl", "s3://raw/", "--database", "whole"]);
    let whole: BTreeMap<_, _> =
        catalog(&home).into_iter().map(|(name, facts)| (name.replace("whole.", "zoo."), facts)).collect();
    assert_eq!(whole.keys().collect::<Vec<_>>(), ["zoo.pets", "zoo.sales", "zoo.things"]);
    assert_eq!(whole["zoo.sales"].1, 250);

    killed(&home, point, ["crawl", "s3://raw/", "--database", "zoo"]);
    let (kind, state) = newest_run(&home);
    assert_eq!(kind, "crawl");
    assert!(state == "failed" || (state == "succeeded" && point == "runs.after_end"), "{point}: {state}");
    for (table, facts) in catalog(&home).into_iter().filter(|(name, _)| name.starts_with("zoo.")) {
        assert_eq!(facts, whole[&table], "{point}: `{table}` is there in part");
    }
    home.succeed(["crawl", "s3://raw/", "--database", "zoo"]);
    let repaired: BTreeMap<_, _> =
        catalog(&home).into_iter().filter(|(name, _)| name.starts_with("zoo.")).collect();
    assert_eq!(repaired, whole, "{point}");
}

macro_rules! crawl_kills {
    ($($name:ident: $point:expr,)*) => { $(#[test] fn $name() { crawl($point); })* };
}

crawl_kills! {
    crawl_killed_as_its_run_starts: "runs.started",
    crawl_killed_when_listed: "crawl.listed",
    crawl_killed_before_a_table: "crawl.before_table:2",
    crawl_killed_in_a_table: "catalog.create_table.before_commit:2",
    crawl_killed_after_a_table: "crawl.after_table:2",
    crawl_killed_among_partitions: "catalog.partitions.mid",
    crawl_killed_before_its_end: "runs.before_end",
    crawl_killed_after_its_end: "runs.after_end",
}

#[test]
fn catalog_change_killed_is_whole_or_not() {
    let home = Home::new();
    home.drop_file("raw", "pets/a.csv", "name,age\nrex,3\nmia,4\n");
    home.succeed(["crawl", "s3://raw/", "--database", "zoo"]);
    home.drop_file("raw", "pets/b.csv", "name,age,colour\nbo,5,red\nkim,6,blue\n");
    killed(&home, "catalog.update_table.before_commit", ["crawl", "s3://raw/", "--database", "zoo"]);
    assert_eq!(home.columns("zoo.pets"), ["name string", "age int"]);
    home.succeed(["crawl", "s3://raw/", "--database", "zoo"]);
    assert_eq!(home.columns("zoo.pets"), ["name string", "age int", "colour string"]);
}
