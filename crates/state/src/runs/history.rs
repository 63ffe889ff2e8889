//! Listing what ran, and forgetting what is old.

use super::tables::{COLUMNS, run_of};
use super::{Run, RunQuery};
use crate::db::{self, Database, failed};
use chrono::{DateTime, Utc};
use model::{Result, RunState};
use sqlx::{AssertSqlSafe, Row};

const LONGEST_PAGE: usize = 1000;
/// How many runs are forgotten in one transaction, so that others get their turn.
const FORGET_AT_ONCE: i64 = 20;

enum Bound {
    Text(String),
    Number(i64),
}

/// The runs that a query asks for, newest first.
pub(super) async fn list(db: &Database, query: &RunQuery) -> Result<Vec<Run>> {
    let mut conditions = Vec::new();
    let mut bounds = Vec::new();
    let mut want = |condition: &str, bound: Bound| {
        bounds.push(bound);
        conditions.push(format!("{condition} ${}", bounds.len()));
    };
    if let Some(kind) = &query.kind {
        want("kind =", Bound::Text(kind.to_string()));
    }
    if let Some(name) = &query.name {
        want("name =", Bound::Text(name.clone()));
    }
    if let Some(owner) = &query.owner {
        want("owner =", Bound::Text(owner.clone()));
    }
    if let Some(since) = query.since {
        want("created >=", Bound::Number(since.timestamp_millis()));
    }
    if let Some(after) = &query.after {
        want("id <", Bound::Text(after.to_string()));
    }
    if !query.states.is_empty() {
        let states: Vec<String> = query.states.iter().map(|state| format!("'{state}'")).collect();
        conditions.push(format!("state IN ({})", states.join(", ")));
    }
    let filter =
        if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let limit = query.limit.clamp(1, LONGEST_PAGE);
    let sql = format!("SELECT {COLUMNS} FROM runs {filter} ORDER BY id DESC LIMIT {limit}");
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for bound in bounds {
        statement = match bound {
            Bound::Text(text) => statement.bind(text),
            Bound::Number(number) => statement.bind(number),
        };
    }
    let rows = statement.fetch_all(db.read()).await.map_err(|e| failed("listing runs", e))?;
    rows.iter().map(run_of).collect()
}

/// Forgets runs that ended before that time, with their logs; gives how many.
pub(super) async fn delete_before(db: &Database, time: DateTime<Utc>) -> Result<u64> {
    let ended: Vec<String> = RunState::ALL
        .into_iter()
        .filter(|state| state.is_final())
        .map(|state| format!("'{state}'"))
        .collect();
    let find = format!(
        "SELECT id FROM runs WHERE state IN ({}) AND ended < $1 ORDER BY id LIMIT {FORGET_AT_ONCE}",
        ended.join(", ")
    );
    let mut forgotten = 0;
    loop {
        let mut tx = db.begin().await?;
        let rows = sqlx::query(AssertSqlSafe(find.clone()))
            .bind(time.timestamp_millis())
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed("looking for old runs", e))?;
        for row in &rows {
            let id: String = row.try_get(0).map_err(|e| failed("looking for old runs", e))?;
            for sql in ["DELETE FROM run_log WHERE run = $1", "DELETE FROM runs WHERE id = $1"] {
                sqlx::query(sql)
                    .bind(id.as_str())
                    .execute(&mut *tx)
                    .await
                    .map_err(|e| failed("forgetting an old run", e))?;
            }
        }
        db::commit(tx).await?;
        forgotten += rows.len() as u64;
        if rows.is_empty() {
            return Ok(forgotten);
        }
    }
}
