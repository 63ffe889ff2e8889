//! No process outlives its run.

use crate::{Bench, of};
use model::ErrorKind;
use python::{Script, Stream};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Says its child's number, then waits forever; so does the child.
const FAMILY: &str = "import subprocess, sys, time\n\
    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n\
    print(child.pid, flush=True)\n";

fn is_gone(pid: &str) -> bool {
    // One that has ended, but that nobody has asked for its end, is gone as well.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

async fn until_gone(pid: &str) {
    let begun = Instant::now();
    while !is_gone(pid) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the process {pid} is still there");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stop_ends_the_family() {
    let bench = Bench::new();
    for stubborn in [false, true] {
        let ignoring = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n";
        let text = format!("{}{FAMILY}time.sleep(600)\n", if stubborn { ignoring } else { "" });
        let script = Script {
            file: bench.write("script.py", text),
            folder: bench.path().to_owned(),
            ..Script::default()
        };
        let own = tempfile::tempdir().unwrap();
        let (lines, mut coming) = tokio::sync::mpsc::channel(4);
        let stop = CancellationToken::new();
        let work = bench.python.run(&bench.environment, &script, own.path(), &stop, &lines);
        let stopper = async {
            let first = coming.recv().await.unwrap().text;
            stop.cancel();
            first
        };
        let (ended, child) = tokio::join!(work, stopper);
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
        until_gone(&child).await;
    }
}

#[tokio::test]
async fn children_end_with_the_script_and_do_not_hold_it() {
    let bench = Bench::new();
    let begun = Instant::now();
    let (lines, ended) = bench.run(FAMILY, &[]).await;
    ended.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
    until_gone(of(&lines, Stream::Output)[0]).await;
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_nothing() {
    let bench = Bench::new();
    let script = Script {
        file: bench.write("script.py", format!("{FAMILY}time.sleep(600)\n")),
        folder: bench.path().to_owned(),
        ..Script::default()
    };
    let own = tempfile::tempdir().unwrap();
    let (lines, mut coming) = tokio::sync::mpsc::channel(4);
    let stop = CancellationToken::new();
    let child = {
        let work = bench.python.run(&bench.environment, &script, own.path(), &stop, &lines);
        tokio::select! {
            _ = work => panic!("it ended"),
            line = coming.recv() => line.unwrap().text,
        }
    };
    until_gone(&child).await;
}

#[tokio::test]
async fn much_output_is_neither_lost_nor_held() {
    let bench = Bench::new();
    let (lines, ended) = bench.run("for n in range(20000): print(n)\n", &[]).await;
    ended.unwrap();
    let found = of(&lines, Stream::Output);
    assert_eq!((found.len(), found[19_999]), (20_000, "19999"));
}
