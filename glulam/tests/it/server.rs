//! The server, and commands that reach it.

use crate::home::{Home, LONG};
use testkit::Process;

fn up(home: &Home) -> Process {
    let mut server =
        Process::start(&mut home.command(["up", "--aws", "off", "--console", "off", "--pg", "off"]));
    server.wait_for_line("ready aws=off console=off pg=off control=unix:", LONG);
    server
}

#[test]
fn commands_work_the_same_with_and_without_a_server() {
    let home = Home::new();
    home.drop_file("raw", "pets/a.csv", "name,age\nrex,3\nmia,4\n");
    let alone = home.succeed(["crawl", "s3://raw/", "--database", "one"]);
    let tables = home.succeed(["describe", "one.pets"]);

    let server = up(&home);
    let served = home.succeed(["crawl", "s3://raw/", "--database", "two"]);
    let shape = |text: &str| text.lines().count();
    assert_eq!(shape(&alone), shape(&served), "{alone}\n{served}");
    assert_eq!(home.succeed(["describe", "one.pets"]), tables);
    assert_eq!(home.columns("two.pets"), ["name string", "age int"]);
    let missing = home.run(["describe", "two.pet"]);
    assert_eq!(missing.code, Some(3));
    assert!(missing.stderr.contains("did you mean `pets`"), "{}", missing.stderr);

    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!home.path().join("glulam-data/glulam.sock").exists());
    assert_eq!(home.tables(), ["one.pets", "two.pets"]);
}

#[test]
fn one_server_per_data_directory() {
    let home = Home::new();
    let server = up(&home);
    let second = home.run(["up", "--aws", "off", "--console", "off", "--pg", "off"]);
    assert_eq!(second.code, Some(4), "{}", second.stderr);
    assert!(second.stderr.contains("in use"), "{}", second.stderr);
    drop(server);
}

#[test]
fn a_killed_server_leaves_nothing_in_the_way() {
    let home = Home::new();
    home.drop_file("raw", "pets/a.csv", "name,age\nrex,3\nmia,4\n");
    let server = up(&home);
    home.succeed(["crawl", "s3://raw/", "--database", "one"]);
    server.kill();
    assert_eq!(home.tables(), ["one.pets"]);
    let again = up(&home);
    assert_eq!(home.tables(), ["one.pets"]);
    drop(again);
}

#[test]
fn commands_at_the_same_moment_wait_for_each_other() {
    let home = Home::new();
    let all: Vec<Process> = (0..6)
        .map(|n| {
            home.drop_file(&format!("raw-{n}"), "pets/a.csv", "name,age\nrex,3\nmia,4\n");
            let target = format!("s3://raw-{n}/");
            let database = format!("db{n}");
            Process::start(&mut home.command(["crawl", &target, "--database", &database]))
        })
        .collect();
    for one in all {
        let ended = one.wait(LONG);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    assert_eq!(home.tables().len(), 6);
}
