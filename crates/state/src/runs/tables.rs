//! The runs' tables, and every statement that reads or changes them.
//!
//! A run's state changes only through [`transition`], which lets the database itself refuse what
//! [`RunState::may_become`] does not allow: two nodes cannot both end a run.

use super::options::NewRun;
use super::recorder::Meter;
use super::{LogLevel, LogLine, Run, WhenFull};
use crate::db::{Database, Dialect, Migration, Transaction, failed};
use crate::trace::TraceContext;
use chrono::{DateTime, Utc};
use model::{Error, ErrorKind, Outcome, Progress, Result, RunId, RunKind, RunState, Unit};
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::time::Duration;

pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "runs",
        sql: "CREATE TABLE runs (
                  id {text} PRIMARY KEY, kind {text} NOT NULL, name {text} NOT NULL, owner {text} NOT NULL, token {text},
                  arguments TEXT NOT NULL, timeout BIGINT, retries_left BIGINT NOT NULL, retry_delay BIGINT NOT NULL,
                  limit_key {text}, limit_size BIGINT, state {text} NOT NULL, attempt BIGINT NOT NULL, node {text} NOT NULL,
                  created BIGINT NOT NULL, started BIGINT, ended BIGINT, done BIGINT, total BIGINT, unit TEXT,
                  counters TEXT NOT NULL, outcome TEXT, revision BIGINT NOT NULL, log_lines BIGINT NOT NULL);
              CREATE UNIQUE INDEX runs_by_token ON runs (kind, token);
              CREATE INDEX runs_by_kind ON runs (kind, id);
              CREATE INDEX runs_by_name ON runs (name, id);
              CREATE INDEX runs_by_state ON runs (state, id);
              CREATE INDEX runs_by_end ON runs (ended);
              CREATE INDEX runs_by_limit ON runs (limit_key, state);
              CREATE TABLE run_log (
                  run {text} NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, level BIGINT NOT NULL,
                  message TEXT NOT NULL, PRIMARY KEY (run, seq));
              CREATE TABLE run_nodes (node {text} PRIMARY KEY, heartbeat BIGINT NOT NULL);",
    },
    Migration {
        version: 2,
        name: "under what runs were started",
        sql: "ALTER TABLE runs ADD COLUMN trace TEXT;",
    },
];

pub(super) const COLUMNS: &str = "id, kind, name, owner, state, attempt, retries_left, arguments, timeout, node, \
     created, started, ended, done, total, unit, counters, outcome, revision, trace";

/// A run from a row of [`COLUMNS`].
pub(super) fn run_of(row: &AnyRow) -> Result<Run> {
    let id: String = cell(row, 0)?;
    let corrupt = |what: &str| Error::corrupt(format!("the record of run {id} cannot be read: bad {what}"));
    let state: String = cell(row, 4)?;
    Ok(Run {
        id: RunId::new(id.clone()).map_err(|e| corrupt("id").source_is(e))?,
        kind: RunKind::new(cell::<String>(row, 1)?).map_err(|e| corrupt("kind").source_is(e))?,
        name: cell(row, 2)?,
        owner: cell(row, 3)?,
        state: state.parse().map_err(|e: Error| corrupt("state").source_is(e))?,
        attempt: narrow(cell(row, 5)?),
        retries_left: narrow(cell(row, 6)?),
        arguments: json(&cell::<String>(row, 7)?).ok_or_else(|| corrupt("arguments"))?,
        timeout_millis: cell::<Option<i64>>(row, 8)?.map(unsigned),
        node: cell(row, 9)?,
        created: time(cell(row, 10)?),
        started: cell::<Option<i64>>(row, 11)?.map(time),
        ended: cell::<Option<i64>>(row, 12)?.map(time),
        progress: progress_of(row)?,
        counters: json(&cell::<String>(row, 16)?).ok_or_else(|| corrupt("counters"))?,
        outcome: match cell::<Option<String>>(row, 17)? {
            Some(text) => Some(json(&text).ok_or_else(|| corrupt("outcome"))?),
            None => None,
        },
        revision: unsigned(cell(row, 18)?),
        // What is traced goes on without.
        trace: cell::<Option<String>>(row, 19)?.and_then(|text| text.parse().ok()),
    })
}

fn progress_of(row: &AnyRow) -> Result<Option<Progress>> {
    let Some(unit) = cell::<Option<String>>(row, 15)? else { return Ok(None) };
    let unit: Option<Unit> = serde_json::from_value(serde_json::Value::String(unit)).ok();
    let done = cell::<Option<i64>>(row, 13)?.map_or(0, unsigned);
    let total = cell::<Option<i64>>(row, 14)?.map(unsigned);
    Ok(unit.map(|unit| Progress { done, total, unit }))
}

fn cell<'r, T>(row: &'r AnyRow, index: usize) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(index).map_err(|e| failed("reading a run", e))
}

fn json<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn narrow(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn text_of<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::internal("cannot write a run down").source_is(e))
}

/// Serialises what shares a limit's key until the transaction ends. SQLite has one writer anyway.
async fn lock_key(connection: &mut AnyConnection, dialect: Dialect, key: &str) -> Result<()> {
    if dialect == Dialect::Postgres {
        sqlx::query("SELECT pg_advisory_xact_lock(7160235, hashtext($1))")
            .bind(key)
            .execute(connection)
            .await
            .map_err(|e| failed("waiting for a concurrency limit", e))?;
    }
    Ok(())
}

/// How a run is written down first.
pub(super) struct First<'a> {
    pub(super) id: &'a RunId,
    pub(super) under: Option<TraceContext>,
    pub(super) node: &'a str,
    /// Whether it begins its first attempt at once, instead of waiting for its turn.
    pub(super) begins: bool,
    pub(super) now: i64,
}

/// Writes a new run down, unless its limit refuses it.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    dialect: Dialect,
    new: &NewRun,
    first: First<'_>,
) -> Result<Run> {
    if let Some(limit) = &new.concurrency
        && limit.when_full == WhenFull::Refuse
    {
        lock_key(connection, dialect, &limit.key).await?;
        refuse_if_full(connection, new, &limit.key, limit.limit).await?;
    }
    let sql = format!(
        "INSERT INTO runs (id, kind, name, owner, token, arguments, timeout, retries_left, retry_delay,
             limit_key, limit_size, state, attempt, started, node, created, counters, revision, log_lines, trace)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '{{}}', 1, 0, $17)
         RETURNING {COLUMNS}"
    );
    let limit = new.concurrency.as_ref();
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(first.id.as_str())
        .bind(new.kind.as_str())
        .bind(new.name.as_str())
        .bind(new.owner.as_str())
        .bind(new.token.clone())
        .bind(new.arguments.to_string())
        .bind(new.timeout.map(millis))
        .bind(i64::from(new.retries))
        .bind(millis(new.retry_delay))
        .bind(limit.map(|limit| limit.key.clone()))
        .bind(limit.map(|limit| i64::try_from(limit.limit).unwrap_or(i64::MAX)))
        .bind(if first.begins { RunState::Running } else { RunState::Waiting }.as_str())
        .bind(i64::from(first.begins))
        .bind(first.begins.then_some(first.now))
        .bind(first.node)
        .bind(first.now)
        .bind(first.under.map(|under| under.to_string()))
        .fetch_one(connection)
        .await
        .map_err(|e| failed("writing a run down", e))?;
    run_of(&row)
}

async fn refuse_if_full(connection: &mut AnyConnection, new: &NewRun, key: &str, limit: usize) -> Result<()> {
    let active: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM runs WHERE limit_key = $1 AND state IN ('waiting', 'running', 'stopping')",
    )
    .bind(key)
    .fetch_one(connection)
    .await
    .map_err(|e| failed("counting runs", e))?;
    if unsigned(active) < limit as u64 {
        return Ok(());
    }
    let times = if limit == 1 { "once".to_owned() } else { format!("{limit} times") };
    Err(Error::new(
        ErrorKind::LimitExceeded,
        format!("{} `{}` is at work already and may run {times} at a time", new.kind, new.name),
    )
    .hint("wait for it to end, stop it, or raise its limit"))
}

/// The run that was started with that token.
pub(super) async fn by_token(db: &Database, kind: &RunKind, token: &str) -> Result<Option<Run>> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE kind = $1 AND token = $2");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(kind.as_str())
        .bind(token)
        .fetch_optional(db.read())
        .await
        .map_err(|e| failed("looking for a run", e))?;
    row.as_ref().map(run_of).transpose()
}

/// A run by its id.
pub(super) async fn get(db: &Database, id: &RunId) -> Result<Run> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(id.as_str())
        .fetch_optional(db.read())
        .await
        .map_err(|e| failed("reading a run", e))?;
    match row {
        Some(row) => run_of(&row),
        None => {
            Err(Error::not_found(format!("there is no run {id}"))
                .hint("`glulam runs` lists those that are kept"))
        }
    }
}

/// What a run that is taken up again must know besides its record: the retry's delay, and its limit.
pub(super) async fn plan(db: &Database, id: &RunId) -> Result<(Duration, Option<(String, usize)>)> {
    let row = sqlx::query("SELECT retry_delay, limit_key, limit_size FROM runs WHERE id = $1")
        .bind(id.as_str())
        .fetch_one(db.read())
        .await
        .map_err(|e| failed("reading a run", e))?;
    let limit = usize::try_from(cell::<Option<i64>>(&row, 2)?.unwrap_or(1)).unwrap_or(1);
    let key = cell::<Option<String>>(&row, 1)?.map(|key| (key, limit));
    Ok((Duration::from_millis(unsigned(cell(&row, 0)?)), key))
}

/// Lets a waiting run work, if its limit allows: `None` where the run is no longer waiting or the limit is reached.
pub(super) async fn admit(db: &Database, run: &Run, key: Option<&str>, now: i64) -> Result<Option<Run>> {
    let mut tx = db.begin().await?;
    if let Some(key) = key {
        lock_key(&mut tx, db.dialect(), key).await?;
    }
    let sql = format!(
        "UPDATE runs SET state = 'running', attempt = attempt + 1, started = COALESCE(started, $3),
             revision = revision + 1
         WHERE id = $1 AND node = $2 AND state = 'waiting' AND (limit_key IS NULL OR limit_size >
             (SELECT COUNT(*) FROM runs AS r WHERE r.limit_key = runs.limit_key AND r.state IN ('running', 'stopping')))
         RETURNING {COLUMNS}"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(run.id.as_str())
        .bind(run.node.as_str())
        .bind(now)
        .fetch_optional(&mut *tx)
        .await
        .map_err(|e| failed("beginning a run", e))?;
    let run = row.as_ref().map(run_of).transpose()?;
    crate::db::commit(tx).await?;
    Ok(run)
}

/// What a change of state writes besides the state.
#[derive(Default)]
pub(super) struct Change<'a> {
    /// Only this node's run; another node's where it takes over.
    pub(super) node: Option<&'a str>,
    pub(super) new_node: Option<&'a str>,
    pub(super) outcome: Option<&'a Outcome>,
    pub(super) uses_retry: bool,
    /// Only from this state.
    pub(super) only_from: Option<RunState>,
    pub(super) meter: Option<&'a Meter>,
}

/// Changes a run's state if it may become that: `None` where it may not (any more), or is another node's.
pub(super) async fn transition(
    tx: &mut Transaction,
    id: &RunId,
    to: RunState,
    change: Change<'_>,
    now: i64,
) -> Result<Option<Run>> {
    let from: Vec<String> = RunState::ALL
        .into_iter()
        .filter(|from| from.may_become(to) && change.only_from.is_none_or(|only| only == *from))
        .map(|from| format!("'{from}'"))
        .collect();
    if from.is_empty() {
        return Ok(None);
    }
    let meters =
        if change.meter.is_some() { "done = $8, total = $9, unit = $10, counters = $11, " } else { "" };
    let sql = format!(
        "UPDATE runs SET state = $2, node = COALESCE($3, node), outcome = COALESCE($4, outcome),
             ended = COALESCE($5, ended), retries_left = retries_left - $6, {meters}revision = revision + 1
         WHERE id = $1 AND node = COALESCE($7, node) AND state IN ({}) RETURNING {COLUMNS}",
        from.join(", ")
    );
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(id.as_str())
        .bind(to.as_str())
        .bind(change.new_node.map(str::to_owned))
        .bind(change.outcome.map(text_of).transpose()?)
        .bind(to.is_final().then_some(now))
        .bind(i64::from(change.uses_retry))
        .bind(change.node.map(str::to_owned));
    let query = match change.meter {
        Some(meter) => bind_meter(query, meter)?,
        None => query,
    };
    let row = query.fetch_optional(&mut **tx).await.map_err(|e| failed("changing a run's state", e))?;
    row.as_ref().map(run_of).transpose()
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

/// Progress and counters as four values.
fn bind_meter<'q>(query: Query<'q>, meter: &Meter) -> Result<Query<'q>> {
    let progress = meter.progress;
    let unit = progress.map(|p| text_of(&p.unit)).transpose()?.map(|u| u.trim_matches('"').to_owned());
    Ok(query
        .bind(progress.map(|p| signed(p.done)))
        .bind(progress.and_then(|p| p.total).map(signed))
        .bind(unit)
        .bind(text_of(&meter.counters)?))
}

/// Writes progress and counters of a run that is at work. `None` where it is no longer this node's to write.
pub(super) async fn record(
    tx: &mut Transaction,
    id: &RunId,
    node: &str,
    meter: &Meter,
) -> Result<Option<Run>> {
    let sql = format!(
        "UPDATE runs SET done = $3, total = $4, unit = $5, counters = $6, revision = revision + 1
         WHERE id = $1 AND node = $2 AND state IN ('running', 'stopping') RETURNING {COLUMNS}"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).bind(node);
    let row = bind_meter(query, meter)?
        .fetch_optional(&mut **tx)
        .await
        .map_err(|e| failed("recording a run's progress", e))?;
    row.as_ref().map(run_of).transpose()
}

/// Appends lines to a run's log; gives the number of the last one.
pub(super) async fn append_log(
    tx: &mut Transaction,
    id: &RunId,
    lines: &[(i64, LogLevel, String)],
) -> Result<u64> {
    let doing = |e| failed("writing a run's log", e);
    let last: Option<i64> =
        sqlx::query("UPDATE runs SET log_lines = log_lines + $2 WHERE id = $1 RETURNING log_lines")
            .bind(id.as_str())
            .bind(lines.len() as i64)
            .fetch_optional(&mut **tx)
            .await
            .and_then(|row| row.map(|row| row.try_get(0)).transpose())
            .map_err(doing)?;
    let Some(last) = last else { return Ok(0) };
    let mut seq = last - lines.len() as i64;
    for chunk in lines.chunks(100) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|i| format!("($1, ${}, ${}, ${}, ${})", i * 4 + 2, i * 4 + 3, i * 4 + 4, i * 4 + 5))
            .collect();
        let sql = format!("INSERT INTO run_log (run, seq, at, level, message) VALUES {}", rows.join(", "));
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str());
        for (at, level, message) in chunk {
            seq += 1;
            query = query.bind(seq).bind(*at).bind(*level as i64).bind(message.as_str());
        }
        query.execute(&mut **tx).await.map_err(doing)?;
    }
    Ok(unsigned(last))
}

/// A part of a run's log.
pub(super) async fn log(db: &Database, id: &RunId, after: u64, limit: usize) -> Result<Vec<LogLine>> {
    let rows = sqlx::query(
        "SELECT seq, at, level, message FROM run_log WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(id.as_str())
    .bind(signed(after))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(db.read())
    .await
    .map_err(|e| failed("reading a run's log", e))?;
    rows.iter()
        .map(|row| {
            let level = usize::try_from(cell::<i64>(row, 2)?).unwrap_or(0);
            Ok(LogLine {
                seq: unsigned(cell(row, 0)?),
                at: time(cell(row, 1)?),
                level: LogLevel::ALL.get(level).copied().unwrap_or(LogLevel::Error),
                message: cell(row, 3)?,
            })
        })
        .collect()
}
