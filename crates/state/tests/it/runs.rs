//! A run's life on both databases: how it ends, is stopped, timed out, retried, limited.

use crate::ground::{Ground, START, millis, new, on_both};
use model::{Error, ErrorKind, Outcome, Progress, RunState, Unit};
use serde_json::{Value, json};
use state::Database;
use state::events::{Filter, Live};
use state::runs::{ConcurrencyLimit, NewRun, Run, RunContext, RunOptions, WhenFull};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

on_both!(
    a_run_ends_well,
    a_failure_and_a_panic_become_diagnoses,
    a_waiting_run_is_stopped_at_once,
    a_run_at_work_is_asked_to_stop,
    a_body_that_ignores_the_wish_is_cut_off,
    a_run_that_takes_too_long_is_ended,
    a_failed_attempt_is_tried_again,
    a_retry_that_waits_can_be_stopped,
    a_key_lets_so_many_work_at_once,
    a_full_key_refuses,
    a_full_queue_refuses,
    the_same_token_gives_the_same_run,
    shutting_down_stops_what_works_and_what_waits,
    odd_words_are_refused_or_kept,
);

async fn ground(db: Database) -> Ground {
    Ground::open(db, RunOptions::default()).await
}

/// A body that works until it is asked to stop.
async fn obedient(run: RunContext) -> model::Result<Value> {
    run.cancelled().cancelled().await;
    run.check()?;
    Ok(Value::Null)
}

fn diagnosis(run: &Run) -> &model::Diagnosis {
    match &run.outcome {
        Some(Outcome::Diagnosis(diagnosis)) => diagnosis,
        other => panic!("a diagnosis is expected, not {other:?}"),
    }
}

async fn reaches(g: &Ground, id: &model::RunId, state: RunState) -> Run {
    let mut watch = g.runs.watch(id);
    while let Some(run) = watch.next().await.unwrap() {
        if run.state == state {
            return run;
        }
    }
    panic!("{id} never became {state}");
}

async fn a_run_ends_well(db: Database) {
    let g = ground(db).await;
    let mut events = g.events.live(Filter::kind("run.finished"));
    let arguments = json!({ "target": "s3://raw/", "deep": { "n": [1, 2] } });
    let wanted = NewRun { owner: "ann".into(), arguments: arguments.clone(), ..new("crawl", "sales") };
    let handle = g
        .runs
        .start(wanted, |run| async move {
            assert_eq!((run.attempt(), run.arguments()["target"].as_str()), (1, Some("s3://raw/")));
            run.debug("too fine to be kept").await;
            run.info("first").await;
            run.progress(3, Some(10), Unit::Files);
            run.count("rows", 5);
            run.counter("rows").add(2);
            let blocking = run.clone();
            tokio::task::spawn_blocking(move || {
                blocking.log_blocking(state::runs::LogLevel::Warn, "from a thread");
            })
            .await
            .unwrap();
            Ok(json!({ "tables": 2 }))
        })
        .await
        .unwrap();
    let run = handle.wait().await.unwrap();
    assert_eq!((run.state, run.attempt, &run.arguments), (RunState::Succeeded, 1, &arguments));
    assert_eq!((run.owner.as_str(), run.name.as_str()), ("ann", "sales"));
    assert_eq!(run.result().unwrap(), json!({ "tables": 2 }));
    assert_eq!(run.progress, Some(Progress { done: 3, total: Some(10), unit: Unit::Files }));
    assert_eq!(run.counters.get("rows"), Some(&7));
    assert_eq!(
        [Some(run.created), run.started, run.ended].map(|t| t.unwrap().timestamp_millis()),
        [START; 3]
    );
    assert_eq!(g.runs.get(handle.id()).await.unwrap(), run);
    let copy: Run = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
    assert_eq!(copy, run);

    let log = g.runs.log(handle.id(), 0, 10).await.unwrap();
    let lines: Vec<(u64, &str)> = log.iter().map(|line| (line.seq, line.message.as_str())).collect();
    assert_eq!(lines, [(1, "first"), (2, "from a thread")]);
    assert_eq!(g.runs.log(handle.id(), 1, 10).await.unwrap(), log[1..]);

    let Some(Live::Event(event)) = events.next().await else { panic!("an event is expected") };
    assert_eq!(event.subject, handle.id().as_str());
    assert_eq!(event.payload["state"], "succeeded");
    // An end is an end.
    assert_eq!(g.runs.stop(handle.id()).await.unwrap(), run);
}

async fn a_failure_and_a_panic_become_diagnoses(db: Database) {
    let g = ground(db).await;
    let failing = g
        .runs
        .start(new("job", "a"), |run| async move {
            run.info("before").await;
            Err(Error::corrupt("bad magic").at(model::Place::object("s3://raw/x")).hint("write it again"))
        })
        .await
        .unwrap();
    let run = failing.wait().await.unwrap();
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(diagnosis(&run).what, "bad magic");
    assert_eq!(run.result().unwrap_err().kind(), ErrorKind::Corrupt);
    let log = g.runs.log(failing.id(), 0, 10).await.unwrap();
    assert_eq!(log[0].message, "before");
    assert!(log[1].message.contains("s3://raw/x"), "{}", log[1].message);

    let panicking =
        g.runs.start(new("job", "b"), |_| async move { panic!("index {} out of bounds", 7) }).await.unwrap();
    let run = panicking.wait().await.unwrap();
    assert_eq!((run.state, diagnosis(&run).kind), (RunState::Failed, ErrorKind::Internal));
    assert_eq!(diagnosis(&run).why.as_deref(), Some("index 7 out of bounds"));
    let unknown = model::RunId::from_parts(1, 1);
    assert_eq!(g.runs.get(&unknown).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(g.runs.stop(&unknown).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(g.runs.log(&unknown, 0, 1).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn a_waiting_run_is_stopped_at_once(db: Database) {
    let g = Ground::open(db, RunOptions { max_running: 1, ..RunOptions::default() }).await;
    let mut events = g.events.live(Filter::default());
    let first = g.runs.start(new("job", "first"), obedient).await.unwrap();
    reaches(&g, first.id(), RunState::Running).await;
    let second = g.runs.start(new("job", "second"), async |_| panic!("it must not begin")).await.unwrap();
    assert_eq!(g.runs.get(second.id()).await.unwrap().state, RunState::Waiting);
    let stopped = second.stop().await.unwrap();
    assert_eq!((stopped.state, stopped.attempt, stopped.started), (RunState::Stopped, 0, None));
    assert_eq!(second.wait().await.unwrap(), stopped);
    let Some(Live::Event(event)) = events.next().await else { panic!("an event is expected") };
    assert_eq!(event.subject, second.id().as_str());
    first.stop().await.unwrap();
    assert_eq!(first.wait().await.unwrap().state, RunState::Stopped);
    assert_eq!(g.runs.waiting(), 0);
}

async fn a_run_at_work_is_asked_to_stop(db: Database) {
    let g = ground(db).await;
    let tidy = Arc::new(Notify::new());
    let tidied = tidy.clone();
    let handle = g
        .runs
        .start(new("job", "a"), move |run: RunContext| {
            let tidied = tidied.clone();
            async move {
                run.cancelled().cancelled().await;
                tidied.notified().await;
                run.info("tidied up").await;
                run.check().map(|()| Value::Null)
            }
        })
        .await
        .unwrap();
    reaches(&g, handle.id(), RunState::Running).await;
    assert_eq!(handle.stop().await.unwrap().state, RunState::Stopping);
    assert_eq!(handle.stop().await.unwrap().state, RunState::Stopping);
    tidy.notify_one();
    let run = handle.wait().await.unwrap();
    assert_eq!((run.state, diagnosis(&run).kind), (RunState::Stopped, ErrorKind::Cancelled));
    assert_eq!(g.runs.log(handle.id(), 0, 10).await.unwrap()[0].message, "tidied up");
}

async fn a_body_that_ignores_the_wish_is_cut_off(db: Database) {
    let g = ground(db).await;
    let handle = g.runs.start(new("job", "a"), async |_| std::future::pending().await).await.unwrap();
    reaches(&g, handle.id(), RunState::Running).await;
    handle.stop().await.unwrap();
    g.until("the end of the grace period", millis(100), async || {
        g.runs.get(handle.id()).await.unwrap().state.is_final()
    })
    .await;
    let run = handle.wait().await.unwrap();
    assert_eq!(run.state, RunState::Stopped);
    assert!(run.ended.unwrap().timestamp_millis() >= START + 10_000);
}

async fn a_run_that_takes_too_long_is_ended(db: Database) {
    let g = ground(db).await;
    let wanted = NewRun { timeout: Some(Duration::from_secs(60)), retries: 3, ..new("query", "q") };
    let handle = g.runs.start(wanted, obedient).await.unwrap();
    reaches(&g, handle.id(), RunState::Running).await;
    g.hand.advance(millis(59_000));
    assert_eq!(g.runs.get(handle.id()).await.unwrap().state, RunState::Running);
    g.until("the timeout", millis(200), async || g.runs.get(handle.id()).await.unwrap().state.is_final())
        .await;
    let run = handle.wait().await.unwrap();
    assert_eq!((run.state, run.attempt), (RunState::TimedOut, 1));
    assert_eq!(diagnosis(&run).what, "the query `q` took longer than its 60 s");
}

async fn a_failed_attempt_is_tried_again(db: Database) {
    let g = ground(db).await;
    let wanted = NewRun { retries: 2, retry_delay: Duration::from_secs(300), ..new("job", "flaky") };
    let mut calls = 0;
    let handle = g
        .runs
        .start(wanted, move |run: RunContext| {
            calls += 1;
            let call = calls;
            async move {
                assert_eq!(run.attempt(), call);
                run.count("rows", 10);
                run.progress(1, None, Unit::Steps);
                match call {
                    1 => Err(Error::unavailable("no server")),
                    2 => panic!("oh"),
                    _ => Ok(json!(call)),
                }
            }
        })
        .await
        .unwrap();
    g.until("the second retry", millis(60_000), async || {
        g.runs.get(handle.id()).await.unwrap().state.is_final()
    })
    .await;
    let run = handle.wait().await.unwrap();
    assert_eq!((run.state, run.attempt, run.retries_left), (RunState::Succeeded, 3, 0));
    assert_eq!(run.counters.get("rows"), Some(&10));
    assert!(run.ended.unwrap().timestamp_millis() >= START + 600_000);
    let log = g.runs.log(handle.id(), 0, 10).await.unwrap();
    assert!(log[0].message.starts_with("attempt 1 failed, 2 to go: no server"), "{}", log[0].message);
    assert!(log[1].message.starts_with("attempt 2 failed, one to go: the job `flaky` panicked"));

    let hopeless = NewRun { retries: 1, ..new("job", "hopeless") };
    let handle = g.runs.start(hopeless, async |_| Err(Error::unavailable("no server"))).await.unwrap();
    let run = handle.wait().await.unwrap();
    assert_eq!((run.state, run.attempt), (RunState::Failed, 2));

    // What is wrong stays wrong.
    let wrong = NewRun { retries: 3, ..new("job", "wrong") };
    let handle = g.runs.start(wrong, async |_| Err(Error::invalid("no such column"))).await.unwrap();
    let run = handle.wait().await.unwrap();
    assert_eq!((run.state, run.attempt), (RunState::Failed, 1));
}

async fn a_retry_that_waits_can_be_stopped(db: Database) {
    let g = ground(db).await;
    let wanted = NewRun { retries: 5, retry_delay: Duration::from_secs(3600), ..new("job", "flaky") };
    let handle = g.runs.start(wanted, async |_| Err(Error::unavailable("no server"))).await.unwrap();
    let mut watch = handle.watch();
    while let Some(run) = watch.next().await.unwrap() {
        if run.state == RunState::Waiting && run.attempt == 1 {
            break;
        }
    }
    assert_eq!(handle.stop().await.unwrap().state, RunState::Stopped);
    assert_eq!(handle.wait().await.unwrap().attempt, 1);
}

fn limited(name: &str, limit: usize, when_full: WhenFull) -> NewRun {
    NewRun {
        concurrency: Some(ConcurrencyLimit { key: format!("crawler/{name}"), limit, when_full }),
        ..new("crawl", name)
    }
}

async fn a_key_lets_so_many_work_at_once(db: Database) {
    let g = ground(db).await;
    let at_work = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let turn = Arc::new(Semaphore::new(0));
    let mut handles = Vec::new();
    for _ in 0..6 {
        let (at_work, most, turn) = (at_work.clone(), most.clone(), turn.clone());
        let body = move |_| {
            let (at_work, most, turn) = (at_work.clone(), most.clone(), turn.clone());
            async move {
                most.fetch_max(at_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                turn.acquire().await.unwrap().forget();
                at_work.fetch_sub(1, Ordering::SeqCst);
                Ok(Value::Null)
            }
        };
        handles.push(g.runs.start(limited("sales", 2, WhenFull::Wait), body).await.unwrap());
    }
    // Another key is free meanwhile.
    let other = limited("other", 1, WhenFull::Wait);
    g.runs.start(other, async |_| Ok(Value::Null)).await.unwrap().wait().await.unwrap();
    g.until("two at work", millis(0), async || at_work.load(Ordering::SeqCst) == 2).await;
    turn.add_permits(6);
    for handle in &handles {
        assert_eq!(handle.wait().await.unwrap().state, RunState::Succeeded);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

async fn a_full_key_refuses(db: Database) {
    let g = ground(db).await;
    let first = g.runs.start(limited("sales", 1, WhenFull::Refuse), obedient).await.unwrap();
    let refused = g.runs.start(limited("sales", 1, WhenFull::Refuse), obedient).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
    assert_eq!(refused.message(), "crawl `sales` is at work already and may run once at a time");
    assert_eq!(g.count("runs").await, 1);
    first.stop().await.unwrap();
    first.wait().await.unwrap();
    // Many at once: one wins.
    let starts = (0..8).map(|_| g.runs.start(limited("sales", 1, WhenFull::Refuse), obedient));
    let started = futures::future::join_all(starts).await;
    assert_eq!(started.iter().filter(|start| start.is_ok()).count(), 1);
}

async fn a_full_queue_refuses(db: Database) {
    let g = Ground::open(db, RunOptions { max_running: 1, max_waiting: 2, ..RunOptions::default() }).await;
    let first = g.runs.start(new("job", "a"), obedient).await.unwrap();
    reaches(&g, first.id(), RunState::Running).await;
    for waiting in 1..=2 {
        g.runs.start(new("job", "a"), obedient).await.unwrap();
        g.until("the run to queue up", millis(0), async || g.runs.waiting() == waiting).await;
    }
    let refused = g.runs.start(new("job", "a"), obedient).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
}

async fn the_same_token_gives_the_same_run(db: Database) {
    let g = ground(db).await;
    let wanted = || NewRun { token: Some("t-1".into()), ..new("query", "q") };
    let starts = (0..5).map(|_| g.runs.start(wanted(), async |_| Ok(Value::Null)));
    let started = futures::future::join_all(starts).await;
    let first = started[0].as_ref().unwrap();
    assert!(started.iter().all(|start| start.as_ref().unwrap().id() == first.id()));
    assert_eq!(first.wait().await.unwrap().attempt, 1);
    let other = NewRun { name: "other".into(), ..wanted() };
    let refused = g.runs.start(other, async |_| Ok(Value::Null)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    // Another kind's tokens are its own.
    let other_kind = NewRun { token: Some("t-1".into()), ..new("job", "q") };
    let job = g.runs.start(other_kind, async |_| Ok(Value::Null)).await.unwrap();
    assert_ne!(job.id(), first.id());
}

async fn shutting_down_stops_what_works_and_what_waits(db: Database) {
    let g = Ground::open(db, RunOptions { max_running: 2, ..RunOptions::default() }).await;
    let good = g.runs.start(new("job", "good"), obedient).await.unwrap();
    let stubborn =
        g.runs.start(new("job", "stubborn"), async |_| std::future::pending().await).await.unwrap();
    reaches(&g, good.id(), RunState::Running).await;
    reaches(&g, stubborn.id(), RunState::Running).await;
    let waiting = g.runs.start(new("job", "waiting"), obedient).await.unwrap();
    let mut down = tokio::spawn({
        let runs = g.runs.clone();
        async move { runs.shutdown(Duration::from_secs(5)).await }
    });
    loop {
        g.hand.advance(millis(100));
        tokio::select! {
            done = &mut down => break done.unwrap(),
            () = tokio::task::yield_now() => {}
        }
    }
    for handle in [&good, &stubborn, &waiting] {
        let run = handle.wait().await.unwrap();
        assert_eq!(run.state, RunState::Stopped, "{}", run.name);
        assert!(diagnosis(&run).what.contains("shut down"), "{}", diagnosis(&run).what);
    }
    let refused = g.runs.start(new("job", "late"), obedient).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
}

async fn odd_words_are_refused_or_kept(db: Database) {
    let g = ground(db).await;
    let bad = g.runs.start(new("job", "a\0b"), obedient).await.unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::InvalidInput);
    let bad = g.runs.start(limited("x", 0, WhenFull::Wait), obedient).await.unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::InvalidInput);
    let odd = NewRun { arguments: json!({ "zero": "a\0b", "n": u64::MAX }), ..new("job", "été '\"; --") };
    let handle = g
        .runs
        .start(odd, |run| async move {
            run.info("zero \0 byte").await;
            run.count("huge", u64::MAX);
            Ok(run.arguments().clone())
        })
        .await
        .unwrap();
    let run = handle.wait().await.unwrap();
    assert_eq!(run.result().unwrap(), json!({ "zero": "a\0b", "n": u64::MAX }));
    assert_eq!(run.name, "été '\"; --");
    assert_eq!(run.counters["huge"], u64::MAX);
    assert_eq!(g.runs.log(handle.id(), 0, 1).await.unwrap()[0].message, "zero \u{fffd} byte");
}
