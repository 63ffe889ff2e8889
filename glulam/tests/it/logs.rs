//! CloudWatch Logs by Amazon's own client, over both databases.

use crate::aws::{python_with, up};
use crate::home::{Home, LONG};

const ALL: [&str; 6] = ["events", "filters", "retention", "tags", "lists", "together"];

#[test]
fn logs_of_users_survive_a_kill() {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    python_with(&home, &url, "logs.py", &ALL, "test");
    server.signal(9);
    server.wait(LONG);
    let (server, url) = up(&home, &[]);
    python_with(&home, &url, "logs.py", &["kept"], "test");
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn logs_of_users_in_postgresql() {
    let home = Home::new();
    home.write("glulam.toml", &format!("[state]\nurl = \"{}\"\n", testkit::postgres()));
    let (server, url) = up(&home, &[]);
    python_with(&home, &url, "logs.py", &ALL, "test");
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (_server, url) = up(&home, &[]);
    python_with(&home, &url, "logs.py", &["kept"], "test");
}
