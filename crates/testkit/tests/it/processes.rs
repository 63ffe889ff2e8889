//! Programs, ports and waiting.

use std::process::Command;
use std::time::Duration;
use testkit::{Process, await_until, free_port};

const SOON: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Process {
    Process::start(Command::new("bash").args(["-c", script]))
}

#[test]
fn output_and_exit_code_are_kept() {
    let done = shell("echo one; echo two >&2; printf 'no newline'; exit 3").wait(SOON);
    assert_eq!(done.code, Some(3));
    assert_eq!(done.stdout, "one\nno newline");
    assert_eq!(done.stderr, "two\n");
}

#[test]
fn a_line_is_awaited_on_either_stream() {
    let mut process = shell("echo starting; echo ready on port 7 >&2; exec sleep 100");
    assert_eq!(process.wait_for_line("ready", SOON), "ready on port 7");
    assert!(!process.has_ended());
}

#[test]
#[should_panic(expected = "it went wrong")]
fn a_line_that_never_comes_fails_with_what_was_printed() {
    shell("echo it went wrong; exit 1").wait_for_line("ready", SOON);
}

#[test]
fn a_kill_leaves_no_exit_code() {
    let mut process = shell("echo up; exec sleep 100");
    process.wait_for_line("up", SOON);
    let done = process.kill();
    assert_eq!((done.code, done.stdout.as_str()), (None, "up\n"));
}

#[test]
fn a_signal_reaches_the_program() {
    let mut process =
        shell("trap 'echo asked to stop; exit 0' TERM; echo up; while :; do read -t 1 <> <(:); done");
    process.wait_for_line("up", SOON);
    process.signal(15);
    let done = process.wait(SOON);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "up\nasked to stop\n"));
}

#[test]
fn a_dropped_process_is_killed() {
    let process = shell("exec sleep 100");
    let proc_entry = format!("/proc/{}", process.id());
    drop(process);
    assert!(!std::path::Path::new(&proc_entry).exists());
}

#[test]
fn ports_differ_and_can_be_bound() {
    let ports: std::collections::HashSet<u16> = (0..20).map(|_| free_port()).collect();
    assert_eq!(ports.len(), 20);
    for port in ports {
        assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
    }
}

#[test]
#[should_panic(expected = "in vain for the moon")]
fn waiting_names_what_did_not_happen() {
    await_until("the moon", Duration::from_millis(30), || None::<()>);
}
