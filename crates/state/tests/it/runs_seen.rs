//! What others see of runs, on both databases: recorded progress, logs, lists, long polls, history.

use crate::ground::{Ground, START, millis, new, on_both, start_time};
use model::{RunKind, RunState, Unit};
use serde_json::{Value, json};
use state::Database;
use state::runs::{LogLevel, NewRun, RunContext, RunOptions, RunQuery};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

on_both!(
    progress_is_recorded_now_and_then,
    a_flood_of_lines_is_kept_in_order_and_cut_short,
    a_long_poll_answers_at_the_change_or_in_time,
    lists_are_filtered_and_paged_newest_first,
    old_runs_are_forgotten_with_their_logs,
);

async fn progress_is_recorded_now_and_then(db: Database) {
    let g = Ground::open(db, RunOptions::default()).await;
    let (go, moved) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (going, has_moved) = (go.clone(), moved.clone());
    let handle = g
        .runs
        .start(new("job", "a"), move |run: RunContext| {
            let (going, has_moved) = (going.clone(), has_moved.clone());
            async move {
                let rows = run.counter("rows");
                for step in 1..=2u64 {
                    going.notified().await;
                    run.progress(step, Some(2), Unit::Steps);
                    rows.add(100);
                    run.info(format!("step {step}")).await;
                    has_moved.notify_one();
                }
                going.notified().await;
                Ok(json!("done"))
            }
        })
        .await
        .unwrap();
    let mut watch = handle.watch();
    while watch.next().await.unwrap().unwrap().state != RunState::Running {}
    let mut revision = g.runs.get(handle.id()).await.unwrap().revision;
    for step in 1..=2u64 {
        go.notify_one();
        moved.notified().await;
        // The time stands still: nothing is written.
        assert_eq!(g.runs.get(handle.id()).await.unwrap().progress.map_or(0, |p| p.done), step - 1);
        g.until("the record", millis(100), async || {
            g.runs.get(handle.id()).await.unwrap().progress.is_some_and(|p| p.done == step)
        })
        .await;
        let run = watch.next().await.unwrap().unwrap();
        assert!(run.revision > revision);
        assert_eq!((run.state, run.counters["rows"]), (RunState::Running, step * 100));
        revision = run.revision;
        g.until("the line", millis(100), async || {
            g.runs.log(handle.id(), 0, 10).await.unwrap().len() as u64 == step
        })
        .await;
    }
    go.notify_one();
    assert_eq!(handle.wait().await.unwrap().result().unwrap(), "done");
    while watch.next().await.unwrap().is_some() {}
}

async fn a_flood_of_lines_is_kept_in_order_and_cut_short(db: Database) {
    let options = RunOptions { max_log_lines: 5000, log_level: LogLevel::Debug, ..RunOptions::default() };
    let g = Ground::open(db, options).await;
    // The clock stands still all the while: back-pressure alone makes the lines go through.
    let handle = g
        .runs
        .start(new("job", "talkative"), |run| async move {
            for n in 1..=7000 {
                run.debug(format!("line {n}")).await;
            }
            Ok(Value::Null)
        })
        .await
        .unwrap();
    handle.wait().await.unwrap();
    let log = g.runs.log(handle.id(), 0, 10_000).await.unwrap();
    assert_eq!(log.len(), 5001);
    for (index, line) in log[..5000].iter().enumerate() {
        assert_eq!(
            (line.seq, line.message.as_str()),
            (index as u64 + 1, format!("line {}", index + 1).as_str())
        );
    }
    let last = &log[5000];
    assert_eq!((last.seq, last.level), (5001, LogLevel::Warn));
    assert_eq!(last.message, "2000 more lines were not kept: the log of a run holds at most 5000");
}

async fn a_long_poll_answers_at_the_change_or_in_time(db: Database) {
    let g = Ground::open(db, RunOptions::default()).await;
    let handle = g
        .runs
        .start(new("job", "a"), |run| async move {
            run.cancelled().cancelled().await;
            run.check().map(|()| Value::Null)
        })
        .await
        .unwrap();
    let mut running = g.runs.wait_change(handle.id(), 0, Duration::from_secs(20)).await.unwrap();
    while running.state != RunState::Running {
        running = g.runs.wait_change(handle.id(), running.revision, Duration::from_secs(20)).await.unwrap();
    }
    let poll = tokio::spawn({
        let (runs, id, since) = (g.runs.clone(), handle.id().clone(), running.revision);
        async move { runs.wait_change(&id, since, Duration::from_secs(20)).await.unwrap() }
    });
    g.until("the answer in time", millis(1000), async || poll.is_finished()).await;
    assert_eq!(poll.await.unwrap(), running);
    let poll = tokio::spawn({
        let (runs, id, since) = (g.runs.clone(), handle.id().clone(), running.revision);
        async move { runs.wait_change(&id, since, Duration::from_secs(20)).await.unwrap() }
    });
    handle.stop().await.unwrap();
    assert!(poll.await.unwrap().revision > running.revision);
    let ended = handle.wait().await.unwrap();
    // Nothing more will come, so there is nothing to wait for.
    assert_eq!(
        g.runs.wait_change(handle.id(), ended.revision, Duration::from_secs(20)).await.unwrap(),
        ended
    );
}

async fn lists_are_filtered_and_paged_newest_first(db: Database) {
    let g = Ground::open(db, RunOptions::default()).await;
    let mut ids = Vec::new();
    for n in 0..12 {
        let kind = if n % 3 == 0 { "crawl" } else { "job" };
        let wanted = NewRun { owner: format!("o{}", n % 2), ..new(kind, &format!("n{}", n % 4)) };
        let fails = n == 5;
        let body =
            move |_| async move { if fails { Err(model::Error::invalid("no")) } else { Ok(Value::Null) } };
        let handle = g.runs.start(wanted, body).await.unwrap();
        handle.wait().await.unwrap();
        ids.push(handle.id().clone());
        if n == 7 {
            g.hand.advance(millis(1000));
        }
    }
    ids.reverse();
    let list = async |query: RunQuery| -> Vec<model::RunId> {
        g.runs.list(&query).await.unwrap().into_iter().map(|run| run.id).collect()
    };
    assert_eq!(list(RunQuery::default()).await, ids);
    let page = list(RunQuery { limit: 5, ..RunQuery::default() }).await;
    assert_eq!(page, ids[..5]);
    let after = page.last().cloned();
    assert_eq!(list(RunQuery { limit: 5, after, ..RunQuery::default() }).await, ids[5..10]);
    let kind = Some(RunKind::new("crawl").unwrap());
    assert_eq!(list(RunQuery { kind: kind.clone(), ..RunQuery::default() }).await.len(), 4);
    let name = Some("n0".to_owned());
    let owner = Some("o0".to_owned());
    let both = RunQuery { kind, name, owner, states: vec![RunState::Succeeded], ..RunQuery::default() };
    assert_eq!(list(both).await, [ids[11].clone()]);
    let failed = RunQuery { states: vec![RunState::Failed, RunState::TimedOut], ..RunQuery::default() };
    assert_eq!(list(failed).await, [ids[6].clone()]);
    let since = Some(start_time() + millis(1));
    assert_eq!(list(RunQuery { since, ..RunQuery::default() }).await, ids[..4]);
}

async fn old_runs_are_forgotten_with_their_logs(db: Database) {
    let g = Ground::open(db, RunOptions::default()).await;
    for n in 0..45 {
        if n == 40 {
            g.hand.advance(millis(60_000));
        }
        let body = |run: RunContext| async move {
            run.info("hello").await;
            Ok(Value::Null)
        };
        g.runs.start(new("job", "a"), body).await.unwrap().wait().await.unwrap();
    }
    let going = g
        .runs
        .start(new("job", "going"), |run| async move {
            run.cancelled().cancelled().await;
            Ok(Value::Null)
        })
        .await
        .unwrap();
    assert_eq!(g.runs.delete_before(start_time() + millis(1)).await.unwrap(), 40);
    assert_eq!((g.count("runs").await, g.count("run_log").await), (6, 5));
    assert_eq!(g.runs.delete_before(start_time() + millis(3_600_000)).await.unwrap(), 5);
    assert_eq!(g.runs.list(&RunQuery::default()).await.unwrap().len(), 1);
    going.stop().await.unwrap();
    assert_eq!(going.wait().await.unwrap().ended.unwrap().timestamp_millis(), START + 60_000);
}
