//! Nodes: who lives, and what becomes of the runs of those that do not.
//!
//! In the embedded case the data directory's lock proves that whoever owned an unfinished run is dead. Among several
//! nodes each says regularly that it lives, and whoever sees a node silent for too long deals with its runs; a node that
//! was itself cut off from the database first waits, since then all look dead.

use super::options::span;
use super::supervisor::{Turn, finished};
use super::tables::{self, COLUMNS, Change, run_of};
use super::{Inner, LogLevel, Run, lock};
use crate::db::{self, failed};
use chrono::{DateTime, Utc};
use model::{Error, Outcome, Result, RunState};
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashSet;
use std::sync::Arc;

const UNFINISHED: &str = "state IN ('waiting', 'running', 'stopping')";

/// Deals with everything unfinished: nobody else can be at work.
pub(super) async fn recover_all(inner: &Arc<Inner>) -> Result<()> {
    recover(inner, None).await
}

/// Announces this node and keeps watch from now on.
pub(super) async fn join(inner: &Arc<Inner>) -> Result<()> {
    beat(inner).await?;
    let now = inner.clock.now();
    let watch = Watch { inner: Arc::clone(inner), last_beat: now, steady_since: now };
    *lock(&inner.watch) = Some(tokio::spawn(watch.keep()));
    Ok(())
}

/// Ends the watch and takes the announcement back: what this node left unfinished is free at once.
pub(super) async fn leave(inner: &Inner) {
    inner.gone.cancel();
    let watch = lock(&inner.watch).take();
    if let Some(watch) = watch {
        let _ = watch.await;
    }
    let left = async {
        let mut tx = inner.db.begin().await?;
        sqlx::query("DELETE FROM run_nodes WHERE node = $1")
            .bind(inner.node.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|e| failed("leaving the nodes", e))?;
        db::commit(tx).await
    };
    if let Err(error) = left.await {
        tracing::warn!(node = %inner.node, %error, "the other nodes will notice only later that this one is gone");
    }
}

struct Watch {
    inner: Arc<Inner>,
    last_beat: DateTime<Utc>,
    steady_since: DateTime<Utc>,
}

impl Watch {
    async fn keep(mut self) {
        loop {
            let poll = span(self.inner.options.poll);
            tokio::select! {
                () = self.inner.clock.sleep(poll) => {}
                () = self.inner.gone.cancelled() => return,
            }
            if let Err(error) = self.look().await {
                tracing::warn!(node = %self.inner.node, %error, "this node cannot reach the state database");
            }
        }
    }

    async fn look(&mut self) -> Result<()> {
        let options = &self.inner.options;
        let now = self.inner.clock.now();
        if now - self.last_beat >= span(options.heartbeat_every) {
            beat(&self.inner).await?;
            if now - self.last_beat > span(options.dead_after / 2) {
                self.steady_since = now;
            }
            self.last_beat = now;
            if now - self.steady_since >= span(options.dead_after) {
                recover(&self.inner, Some(now - span(options.dead_after))).await?;
            }
        }
        heed_others(&self.inner).await
    }
}

/// Says that this node lives.
async fn beat(inner: &Inner) -> Result<()> {
    let mut tx = inner.db.begin().await?;
    sqlx::query(
        "INSERT INTO run_nodes (node, heartbeat) VALUES ($1, $2)
         ON CONFLICT (node) DO UPDATE SET heartbeat = excluded.heartbeat",
    )
    .bind(inner.node.as_str())
    .bind(inner.clock.now_millis())
    .execute(&mut *tx)
    .await
    .map_err(|e| failed("sending a heartbeat", e))?;
    db::commit(tx).await
}

/// Cancels the runs of this node that another asked to stop, or took away from it.
async fn heed_others(inner: &Inner) -> Result<()> {
    let mine: Vec<_> = lock(&inner.live).values().cloned().collect();
    if mine.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query("SELECT id FROM runs WHERE node = $1 AND state IN ('waiting', 'running')")
        .bind(inner.node.as_str())
        .fetch_all(inner.db.read())
        .await
        .map_err(|e| failed("reading this node's runs", e))?;
    let going: HashSet<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
    for run in mine {
        if !going.contains(run.id.as_str()) {
            run.stop.cancel();
        }
    }
    Ok(())
}

/// Deals with unfinished runs: all of them, or those of nodes silent since `cutoff`.
async fn recover(inner: &Arc<Inner>, cutoff: Option<DateTime<Utc>>) -> Result<()> {
    let sql = match cutoff {
        None => format!("SELECT {COLUMNS} FROM runs WHERE {UNFINISHED} ORDER BY id"),
        Some(_) => format!(
            "SELECT {COLUMNS} FROM runs WHERE {UNFINISHED}
             AND node NOT IN (SELECT node FROM run_nodes WHERE heartbeat >= $1) ORDER BY id"
        ),
    };
    let mut query = sqlx::query(AssertSqlSafe(sql));
    if let Some(cutoff) = cutoff {
        query = query.bind(cutoff.timestamp_millis());
    }
    let rows =
        query.fetch_all(inner.db.read()).await.map_err(|e| failed("looking for unfinished runs", e))?;
    let held: HashSet<_> = lock(&inner.orphans).iter().map(|run| run.id.clone()).collect();
    for row in &rows {
        let run = run_of(row)?;
        if run.state != RunState::Stopping && inner.options.resumable.contains(&run.kind) {
            if !held.contains(&run.id) {
                adopt(inner, run).await?;
            }
        } else {
            bury(inner, &run).await?;
        }
    }
    if let Some(cutoff) = cutoff {
        forget_nodes(inner, cutoff).await?;
    }
    Ok(())
}

/// Ends a dead process's run with the reason.
async fn bury(inner: &Arc<Inner>, run: &Run) -> Result<()> {
    let (state, what) = match run.state {
        RunState::Stopping => (RunState::Stopped, "the process ended while the run was being stopped"),
        RunState::Waiting => (RunState::Failed, "the process ended before the run began"),
        _ => (RunState::Failed, "the process ended while the run was at work"),
    };
    let error = Error::unavailable(what)
        .why(format!("the process `{}` was killed, crashed, or lost its machine", run.node))
        .hint("start it again; what it had not published is not visible");
    let diagnosis = error.diagnosis();
    let now = inner.clock.now_millis();
    let mut tx = inner.db.begin().await?;
    tables::append_log(&mut tx, &run.id, &[(now, LogLevel::Error, diagnosis.to_string())]).await?;
    let outcome = Outcome::Diagnosis(diagnosis);
    let change = Change { node: Some(&run.node), outcome: Some(&outcome), ..Change::default() };
    let Some(ended) = tables::transition(&mut tx, &run.id, state, change, now).await? else {
        return Ok(());
    };
    let ticket = inner.events.publish_in(&mut tx, finished(&ended)).await?;
    db::commit(tx).await?;
    inner.events.committed(ticket);
    tracing::warn!(run = %run.id, node = %run.node, "a run was left unfinished by a process that is gone");
    Ok(())
}

/// Makes a dead process's resumable run this node's, waiting.
async fn adopt(inner: &Arc<Inner>, run: Run) -> Result<()> {
    let sql = format!(
        "UPDATE runs SET node = $3, state = 'waiting', revision = revision + 1
         WHERE id = $1 AND node = $2 AND state IN ('waiting', 'running') RETURNING {COLUMNS}"
    );
    let mut tx = inner.db.begin().await?;
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(run.id.as_str())
        .bind(run.node.as_str())
        .bind(inner.node.as_str())
        .fetch_optional(&mut *tx)
        .await
        .map_err(|e| failed("taking over a run", e))?;
    let adopted = row.as_ref().map(run_of).transpose()?;
    db::commit(tx).await?;
    match adopted {
        Some(run) => take_up(inner, run).await,
        None => Ok(()),
    }
}

/// Lets a run of this node go on where its kind's resumer is known, or keeps it for when it will be.
pub(super) async fn take_up(inner: &Arc<Inner>, run: Run) -> Result<()> {
    let resumer = {
        let resumers = lock(&inner.resumers);
        let resumer = resumers.get(&run.kind).cloned();
        if resumer.is_none() {
            lock(&inner.orphans).push(run.clone());
        }
        resumer
    };
    if let Some(resumer) = resumer {
        let plan = tables::plan(&inner.db, &run.id).await;
        let (retry_delay, key) = plan.inspect_err(|_| lock(&inner.orphans).push(run.clone()))?;
        let turn = Turn { pass: None, key, resident: false };
        inner.launch(run, Box::new(move |context| resumer(context)), retry_delay, turn);
    }
    Ok(())
}

async fn forget_nodes(inner: &Inner, cutoff: DateTime<Utc>) -> Result<()> {
    let mut tx = inner.db.begin().await?;
    sqlx::query("DELETE FROM run_nodes WHERE heartbeat < $1")
        .bind(cutoff.timestamp_millis())
        .execute(&mut *tx)
        .await
        .map_err(|e| failed("forgetting dead nodes", e))?;
    db::commit(tx).await
}
