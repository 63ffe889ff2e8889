//! Delivery streams by Amazon's own client and the command line; and kills at every step of a batch.

use crate::aws::{python_with, up};
use crate::home::{Home, LONG};
use std::fmt::Write;
use std::path::Path;
use testkit::{Process, await_until};

#[test]
fn records_become_tables_objects_and_lines_of_errors() {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    python_with(&home, &url, "firehose.py", &["parquet", "dynamic"], "test");
    let list = home.succeed(["stream", "delivery", "list"]);
    assert!(list.contains("metrics") && list.contains("s3://lake/by/"), "{list}");
    python_with(&home, &url, "firehose.py", &["control"], "test");
    let shown = home.succeed(["stream", "delivery", "show", "metrics"]);
    assert!(shown.contains("version 2") && shown.contains("changed/year="), "{shown}");
    assert!(home.succeed(["stream", "list"]).lines().all(|line| !line.contains("metrics")));
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// The numbers in all objects below a folder, in order.
fn numbers(folder: &Path) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(numbers(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(
                text.lines().flat_map(|line| line.split_terminator(';').map(|n| n.parse::<u32>().unwrap())),
            );
        }
    }
    found.sort_unstable();
    found
}

/// Killed at one point of a batch after the other, each time with new records, also while it makes good what the kill
/// before has left: every record is in one object once.
#[test]
fn kills_at_every_step_of_a_batch_lose_and_double_nothing() {
    const POINTS: [&str; 8] = [
        "delivery.batch.before_plan",
        "delivery.batch.planned",
        "lake.commit.published",
        "delivery.batch.published",
        "delivery.batch.before_settle",
        "delivery.batch.before_settle",
        "delivery.batch.settled",
        "delivery.batch.planned:2",
    ];
    const EACH: u32 = 120;
    let home = Home::new();
    home.succeed(["stream", "create", "clicks", "--shards", "3"]);
    let (server, url) = up(&home, &[]);
    python_with(&home, &url, "firehose.py", &["kill"], "test");
    server.signal(15);
    server.wait(LONG);
    let mut next = 0;
    let mut put = || {
        let mut text = String::new();
        (next..next + EACH).for_each(|n| writeln!(text, "{n};").unwrap());
        home.write("records.txt", &text);
        home.succeed(["stream", "delivery", "put", "hose", "records.txt"]);
        home.succeed(["stream", "put", "clicks", "records.txt"]);
        next += EACH;
    };
    for point in POINTS {
        put();
        let mut command = home.command(["up", "--aws", "off", "--console", "off"]);
        let finished = Process::start(command.env("GLULAM_CRASH_AT", point)).wait(LONG);
        assert_eq!(finished.code, None, "{point} was not reached: {}{}", finished.stdout, finished.stderr);
    }
    put();
    let mut command = home.command(["up", "--aws", "off", "--console", "off"]);
    let mut server = Process::start(&mut command);
    server.wait_for_line("ready ", LONG);
    let total = u64::from(next);
    for name in ["hose", "clicks"] {
        await_until("all records to be delivered", LONG, || {
            let stream = home.json(["stream", "delivery", "show", name]);
            (stream["totals"]["records"].as_u64() == Some(total)).then_some(())
        });
    }
    server.signal(15);
    assert_eq!(server.wait(LONG).code, Some(0));
    let lake = home.bucket("lake");
    for folder in ["raw", "clicks"] {
        let found = numbers(&lake.join(folder));
        assert_eq!(found.len(), next as usize, "{folder}");
        assert!(found.into_iter().eq(0..next), "{folder}");
    }
    let left: Vec<_> = std::fs::read_dir(lake.join("_glulam/commits"))
        .map(|entries| entries.flatten().map(|e| e.file_name()).collect())
        .unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
}
