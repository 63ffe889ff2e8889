//! What becomes of runs when a process dies, on both databases: killed for real, taken over, resumed, never ended twice.

use crate::ground::{Ground, millis, new, on_both, start_time};
use model::{ErrorKind, Outcome, RunKind, RunState};
use serde_json::{Value, json};
use state::events::{Filter, Subscription};
use state::runs::{ConcurrencyLimit, NewRun, RunContext, RunOptions, RunQuery, WhenFull};
use state::{Clock, Database, Events, Runs};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

on_both!(
    what_a_dead_process_left_is_marked_failed,
    a_resumable_run_goes_on_after_a_crash,
    a_resumable_run_waits_out_a_shutdown,
    a_silent_nodes_runs_are_ended_once,
    a_run_is_stopped_from_another_node,
    a_limit_counts_on_all_nodes,
);

async fn hanging(_: RunContext) -> model::Result<Value> {
    std::future::pending().await
}

async fn running(runs: &Runs, id: &model::RunId) {
    let mut watch = runs.watch(id);
    while watch.next().await.unwrap().unwrap().state != RunState::Running {}
}

async fn finished_events(events: &Events) -> Subscription {
    events.subscribe("ends", Filter::kind("run.finished")).await.unwrap()
}

async fn drain(subscription: &mut Subscription) -> Vec<(String, String)> {
    let mut ends = Vec::new();
    while let Some(event) = subscription.try_next().await.unwrap() {
        subscription.ack(event.id).await.unwrap();
        ends.push((event.subject, event.payload["state"].as_str().unwrap().to_owned()));
    }
    ends
}

fn what(outcome: &Option<Outcome>) -> &str {
    match outcome {
        Some(Outcome::Diagnosis(diagnosis)) => &diagnosis.what,
        other => panic!("a diagnosis is expected, not {other:?}"),
    }
}

async fn what_a_dead_process_left_is_marked_failed(db: Database) {
    let dead = Ground::open(db, RunOptions { max_running: 2, ..RunOptions::default() }).await;
    let mut ends = finished_events(&dead.events).await;
    let go = Arc::new(Notify::new());
    let going = go.clone();
    let body = move |_| {
        let going = going.clone();
        async move {
            going.notified().await;
            Ok(json!("too late"))
        }
    };
    let working = dead.runs.start(new("job", "working"), body).await.unwrap();
    let stopping = dead.runs.start(new("job", "stopping"), hanging).await.unwrap();
    running(&dead.runs, working.id()).await;
    running(&dead.runs, stopping.id()).await;
    stopping.stop().await.unwrap();
    let waiting = dead.runs.start(new("job", "waiting"), hanging).await.unwrap();

    let next = Ground::open(dead.db.clone(), RunOptions::default()).await;
    let [a, b, c] = [&working, &stopping, &waiting].map(|handle| next.runs.get(handle.id()));
    let (a, b, c) = (a.await.unwrap(), b.await.unwrap(), c.await.unwrap());
    assert_eq!([a.state, b.state, c.state], [RunState::Failed, RunState::Stopped, RunState::Failed]);
    assert_eq!(what(&a.outcome), "the process ended while the run was at work");
    assert_eq!(what(&c.outcome), "the process ended before the run began");
    assert_eq!(a.result().unwrap_err().kind(), ErrorKind::Unavailable);
    let log = next.runs.log(&a.id, 0, 10).await.unwrap();
    assert!(log[0].message.starts_with("the process ended while the run was at work"));
    assert_eq!(drain(&mut ends).await.len(), 3);

    // The one that was taken for dead cannot end the run a second time.
    go.notify_one();
    assert_eq!(working.wait().await.unwrap(), a);
    assert_eq!(next.runs.get(&a.id).await.unwrap(), a);
    assert_eq!(drain(&mut ends).await, []);
}

fn resumable() -> RunOptions {
    RunOptions { resumable: BTreeSet::from([RunKind::new("stream").unwrap()]), ..RunOptions::default() }
}

async fn counting(run: RunContext) -> model::Result<Value> {
    run.count("records", 10);
    if run.attempt() == 1 {
        run.cancelled().cancelled().await;
        return Err(model::Error::cancelled());
    }
    Ok(json!({ "from": run.arguments()["from"] }))
}

async fn a_resumable_run_goes_on_after_a_crash(db: Database) {
    let dead = Ground::open(db, resumable()).await;
    let wanted = NewRun { arguments: json!({ "from": 7 }), ..new("stream", "clicks") };
    let handle = dead.runs.start(wanted, counting).await.unwrap();
    running(&dead.runs, handle.id()).await;
    dead.until("the counters to be on record", millis(100), async || {
        dead.runs.get(handle.id()).await.unwrap().counters.contains_key("records")
    })
    .await;

    let next = Ground::open(dead.db.clone(), RunOptions { node: "next".into(), ..resumable() }).await;
    assert_eq!(next.runs.get(handle.id()).await.unwrap().state, RunState::Waiting);
    assert_eq!(next.runs.resumable(RunKind::new("stream").unwrap(), counting).await.unwrap(), 1);
    let run = next.runs.handle(handle.id()).wait().await.unwrap();
    assert_eq!((run.state, run.attempt, run.node.as_str()), (RunState::Succeeded, 2, "next"));
    assert_eq!((run.counters["records"], run.result().unwrap()), (20, json!({ "from": 7 })));
    let undeclared = next.runs.resumable(RunKind::new("job").unwrap(), counting).await.unwrap_err();
    assert_eq!(undeclared.kind(), ErrorKind::Internal);
}

async fn a_resumable_run_waits_out_a_shutdown(db: Database) {
    let first = Ground::open(db, resumable()).await;
    let mut ends = finished_events(&first.events).await;
    let handle = first.runs.start(new("stream", "clicks"), counting).await.unwrap();
    running(&first.runs, handle.id()).await;
    first.runs.shutdown(Duration::from_secs(5)).await;
    assert_eq!(handle.wait().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(first.runs.get(handle.id()).await.unwrap().state, RunState::Waiting);
    assert_eq!(drain(&mut ends).await, []);

    let second = Ground::open(first.db.clone(), resumable()).await;
    // One that nobody has taken up yet can be stopped like any other.
    assert_eq!(second.runs.stop(handle.id()).await.unwrap().state, RunState::Stopped);
    assert_eq!(second.runs.resumable(RunKind::new("stream").unwrap(), counting).await.unwrap(), 0);
    assert_eq!(drain(&mut ends).await.len(), 1);
}

fn node(name: &str) -> RunOptions {
    RunOptions { node: name.to_owned(), exclusive: false, ..RunOptions::default() }
}

async fn a_silent_nodes_runs_are_ended_once(db: Database) {
    // Its clock stands still, so its heart does.
    let silent = Ground::open(db, node("silent")).await;
    let mut ends = finished_events(&silent.events).await;
    let go = Arc::new(Notify::new());
    let going = go.clone();
    let body = move |_| {
        let going = going.clone();
        async move {
            going.notified().await;
            Ok(json!("too late"))
        }
    };
    let handle = silent.runs.start(new("job", "a"), body).await.unwrap();
    running(&silent.runs, handle.id()).await;

    let alive = Ground::open(silent.db.clone(), node("alive")).await;
    let own = alive.runs.start(new("job", "own"), hanging).await.unwrap();
    assert_eq!(alive.runs.get(handle.id()).await.unwrap().state, RunState::Running);
    alive
        .until("the silent node to be noticed", millis(500), async || {
            alive.runs.get(handle.id()).await.unwrap().state == RunState::Failed
        })
        .await;
    assert!(alive.clock.now() >= start_time() + millis(30_000));
    let run = alive.runs.get(handle.id()).await.unwrap();
    assert_eq!(what(&run.outcome), "the process ended while the run was at work");
    assert_eq!(alive.runs.get(own.id()).await.unwrap().state, RunState::Running);
    go.notify_one();
    assert_eq!(handle.wait().await.unwrap(), run);
    assert_eq!(drain(&mut ends).await, [(run.id.to_string(), "failed".to_owned())]);
}

async fn a_run_is_stopped_from_another_node(db: Database) {
    let owner = Ground::open(db, node("owner")).await;
    let other = Ground::open(owner.db.clone(), node("other")).await;
    let body = |run: RunContext| async move {
        run.cancelled().cancelled().await;
        run.check().map(|()| Value::Null)
    };
    let handle = owner.runs.start(new("job", "a"), body).await.unwrap();
    running(&owner.runs, handle.id()).await;
    assert_eq!(other.runs.stop(handle.id()).await.unwrap().state, RunState::Stopping);
    owner
        .until("the owner to heed it", millis(100), async || {
            owner.runs.get(handle.id()).await.unwrap().state == RunState::Stopped
        })
        .await;
    // The other node sees the end by looking again.
    let watched = tokio::spawn({
        let handle = other.runs.handle(handle.id());
        async move { handle.wait().await.unwrap() }
    });
    other.until("the other to see it", millis(100), async || watched.is_finished()).await;
    assert_eq!(watched.await.unwrap(), handle.wait().await.unwrap());
    owner.runs.shutdown(Duration::from_secs(1)).await;
    assert_eq!(owner.count("run_nodes").await, 1);
}

async fn a_limit_counts_on_all_nodes(db: Database) {
    let one = Ground::open(db, node("one")).await;
    let two = Ground::open(one.db.clone(), node("two")).await;
    let limited = |when_full| NewRun {
        concurrency: Some(ConcurrencyLimit { key: "crawler/sales".into(), limit: 1, when_full }),
        ..new("crawl", "sales")
    };
    let obedient = |run: RunContext| async move {
        run.cancelled().cancelled().await;
        run.check().map(|()| Value::Null)
    };
    let first = one.runs.start(limited(WhenFull::Wait), obedient).await.unwrap();
    running(&one.runs, first.id()).await;
    let refused = two.runs.start(limited(WhenFull::Refuse), obedient).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
    let second = two.runs.start(limited(WhenFull::Wait), async |_| Ok(Value::Null)).await.unwrap();
    for _ in 0..20 {
        two.hand.advance(millis(100));
        assert_eq!(two.runs.get(second.id()).await.unwrap().state, RunState::Waiting);
    }
    first.stop().await.unwrap();
    assert_eq!(first.wait().await.unwrap().state, RunState::Stopped);
    two.until("its turn", millis(100), async || {
        two.runs.get(second.id()).await.unwrap().state == RunState::Succeeded
    })
    .await;
}

/// Not a test of its own: the tests below run it in a process of its own and have it killed on the way.
#[tokio::test]
async fn a_process_that_runs_one_job() {
    let Ok(url) = std::env::var("STATE_CHILD_DATABASE") else { return };
    let db = Database::open(&url).await.unwrap();
    let clock = Clock::system();
    let events = Events::open(db.clone(), clock.clone()).await.unwrap();
    finished_events(&events).await;
    let runs = Runs::open(db, clock, events, RunOptions::default()).await.unwrap();
    let body = |run: RunContext| async move {
        run.info("at work").await;
        run.count("rows", 3);
        Ok(json!("done"))
    };
    runs.start(new("job", "a"), body).await.unwrap().wait().await.unwrap();
}

async fn killed_at(point: &str, url: String) -> (RunState, Vec<String>, Value) {
    let killed = tokio::task::spawn_blocking({
        let (point, url) = (point.to_owned(), url.clone());
        move || {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "runs_recovery::a_process_that_runs_one_job", "--nocapture"])
                .env("STATE_CHILD_DATABASE", url)
                .env(crashpoint::VARIABLE, point)
                .output()
                .unwrap()
        }
    })
    .await
    .unwrap();
    assert_eq!(killed.status.code(), None, "{}", String::from_utf8_lossy(&killed.stderr));
    let g = Ground::open(Database::open(&url).await.unwrap(), RunOptions::default()).await;
    let listed = g.runs.list(&RunQuery::default()).await.unwrap();
    let [run] = listed.as_slice() else { panic!("one run is expected, not {listed:?}") };
    // The run's end was told exactly once, whoever recorded it.
    let ends = drain(&mut finished_events(&g.events).await).await;
    assert_eq!(ends, [(run.id.to_string(), run.state.to_string())]);
    let log = g.runs.log(&run.id, 0, 10).await.unwrap();
    let first_words = log.iter().map(|line| line.message.lines().next().unwrap().to_owned()).collect();
    (run.state, first_words, run.result().unwrap_or(Value::Null))
}

async fn killed_everywhere(url: impl Fn(usize) -> String) {
    let at_work = "the process ended while the run was at work";
    for (n, (point, state, log, result)) in [
        // A run whose turn it is begins with its record.
        ("runs.start.committed", RunState::Failed, vec![at_work], Value::Null),
        ("runs.started", RunState::Failed, vec![at_work], Value::Null),
        ("runs.before_end", RunState::Failed, vec![at_work], Value::Null),
        ("runs.after_end", RunState::Succeeded, vec!["at work"], json!("done")),
    ]
    .into_iter()
    .enumerate()
    {
        let (found, lines, account) = killed_at(point, url(n)).await;
        assert_eq!((found, account), (state, result), "{point}");
        assert_eq!(lines, log, "{point}");
    }
}

#[tokio::test]
async fn a_killed_process_leaves_no_half_run_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    killed_everywhere(|n| dir.path().join(format!("{n}.db")).display().to_string()).await;
}

#[tokio::test]
async fn a_killed_process_leaves_no_half_run_on_postgres() {
    killed_everywhere(|_| testkit::postgres()).await;
}
