//! The bus's tables: events that somebody waits for, subscriptions, and a queue of event numbers for each.

use super::{Event, Filter, SubscriptionInfo};
use crate::db::{self, Database, Dialect, Migration, Transaction, failed};
use chrono::DateTime;
use model::{Error, Result};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "events",
    sql: "CREATE TABLE events (
              id {id}, kind {text} NOT NULL, subject {text} NOT NULL, payload TEXT NOT NULL, happened BIGINT NOT NULL);
          CREATE TABLE event_subscriptions (
              name {text} PRIMARY KEY, kinds TEXT NOT NULL, prefix {text} NOT NULL, reader BIGINT NOT NULL,
              created BIGINT NOT NULL);
          CREATE TABLE event_queue (
              subscription {text} NOT NULL, event BIGINT NOT NULL, PRIMARY KEY (subscription, event));
          CREATE INDEX event_queue_by_event ON event_queue (event);",
}];

/// The subscriptions and what each wants, by name. `held` keeps them from being ended before the transaction is.
pub(super) async fn filters(
    connection: &mut AnyConnection,
    held: Option<Dialect>,
) -> Result<Vec<(String, Filter)>> {
    let sql = match held {
        Some(Dialect::Postgres) => {
            "SELECT name, kinds, prefix FROM event_subscriptions ORDER BY name FOR KEY SHARE"
        }
        _ => "SELECT name, kinds, prefix FROM event_subscriptions ORDER BY name",
    };
    let rows =
        sqlx::query(sql).fetch_all(connection).await.map_err(|e| failed("reading the subscriptions", e))?;
    rows.iter().map(filter_of).collect()
}

fn filter_of(row: &AnyRow) -> Result<(String, Filter)> {
    let read = || Ok((row.try_get(0)?, row.try_get::<String, _>(1)?, row.try_get(2)?));
    let (name, kinds, subject_prefix) = read().map_err(|e| failed("reading a subscription", e))?;
    let kinds = serde_json::from_str(&kinds)
        .map_err(|e| Error::corrupt(format!("the subscription `{name}` cannot be read")).source_is(e))?;
    Ok((name, Filter { kinds, subject_prefix }))
}

/// Stores an event and queues it for those names; gives its number.
pub(super) async fn store(tx: &mut Transaction, event: &Event, names: &[String]) -> Result<i64> {
    let doing = |e| failed("storing an event", e);
    let id: i64 = sqlx::query(
        "INSERT INTO events (kind, subject, payload, happened) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(event.kind.as_str())
    .bind(event.subject.as_str())
    .bind(event.payload.to_string())
    .bind(event.at.timestamp_millis())
    .fetch_one(&mut **tx)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(doing)?;
    for name in names {
        sqlx::query("INSERT INTO event_queue (subscription, event) VALUES ($1, $2)")
            .bind(name.as_str())
            .bind(id)
            .execute(&mut **tx)
            .await
            .map_err(doing)?;
    }
    Ok(id)
}

/// Makes or changes a subscription; gives the number of its new reader.
pub(super) async fn subscribe(db: &Database, name: &str, filter: &Filter, now: i64) -> Result<i64> {
    let kinds = serde_json::Value::from(filter.kinds.clone()).to_string();
    let mut tx = db.begin().await?;
    let reader = sqlx::query(
        "INSERT INTO event_subscriptions (name, kinds, prefix, reader, created) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (name) DO UPDATE SET kinds = excluded.kinds, prefix = excluded.prefix,
             reader = event_subscriptions.reader + 1
         RETURNING reader",
    )
    .bind(name)
    .bind(kinds)
    .bind(filter.subject_prefix.as_str())
    .bind(now)
    .fetch_one(&mut *tx)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(|e| failed("subscribing to events", e))?;
    db::commit(tx).await?;
    Ok(reader)
}

/// The newest reader of a subscription.
pub(super) async fn reader_of(connection: &mut AnyConnection, name: &str) -> Result<Option<i64>> {
    sqlx::query("SELECT reader FROM event_subscriptions WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await
        .and_then(|row| row.map(|row| row.try_get(0)).transpose())
        .map_err(|e| failed("reading a subscription", e))
}

/// The numbers of the first events that wait for a subscription.
pub(super) async fn queue(connection: &mut AnyConnection, name: &str, most: usize) -> Result<Vec<i64>> {
    sqlx::query_scalar("SELECT event FROM event_queue WHERE subscription = $1 ORDER BY event LIMIT $2")
        .bind(name)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(|e| failed("reading a subscription's queue", e))
}

/// The events of those numbers, in order.
pub(super) async fn load(connection: &mut AnyConnection, ids: &[i64]) -> Result<Vec<Event>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id, kind, subject, payload, happened FROM events WHERE id IN ({}) ORDER BY id",
        numbers(ids)
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let payload: String = row.try_get(3)?;
            Ok(Event {
                id: row.try_get(0)?,
                kind: row.try_get(1)?,
                subject: row.try_get(2)?,
                payload: serde_json::from_str(&payload).map_err(|e| sqlx::Error::Decode(Box::new(e)))?,
                at: DateTime::from_timestamp_millis(row.try_get(4)?).unwrap_or_default(),
            })
        })
        .collect()
}

/// Takes events off a subscription's queue, and away altogether where nobody else waits for them.
pub(super) async fn acknowledge(db: &Database, name: &str, ids: &[i64]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let list = numbers(ids);
    let mut tx = db.begin().await?;
    for sql in [
        // Takes the rows' locks first, in order, so that two nodes that acknowledge the last two waits for an event
        // see each other and one of them removes it.
        format!("SELECT id FROM events WHERE id IN ({list}) ORDER BY id{}", for_update(db)),
        format!("DELETE FROM event_queue WHERE subscription = $1 AND event IN ({list})"),
        format!(
            "DELETE FROM events WHERE id IN ({list})
             AND NOT EXISTS (SELECT 1 FROM event_queue WHERE event_queue.event = events.id)"
        ),
    ] {
        let needs_name = sql.contains("$1");
        let query = sqlx::query(AssertSqlSafe(sql));
        let query = if needs_name { query.bind(name) } else { query };
        query.execute(&mut *tx).await.map_err(|e| failed("acknowledging events", e))?;
    }
    db::commit(tx).await
}

/// Ends a subscription, its queue, and the events that only it waited for.
pub(super) async fn unsubscribe(db: &Database, name: &str) -> Result<()> {
    let doing = |e| failed("ending a subscription", e);
    let mut tx = db.begin().await?;
    let ended = sqlx::query("DELETE FROM event_subscriptions WHERE name = $1")
        .bind(name)
        .execute(&mut *tx)
        .await
        .map_err(doing)?;
    if ended.rows_affected() == 0 {
        return Err(Error::not_found(format!("there is no subscription `{name}`")));
    }
    sqlx::query("DELETE FROM event_queue WHERE subscription = $1")
        .bind(name)
        .execute(&mut *tx)
        .await
        .map_err(doing)?;
    sqlx::query(
        "DELETE FROM events WHERE NOT EXISTS (SELECT 1 FROM event_queue WHERE event_queue.event = events.id)",
    )
    .execute(&mut *tx)
    .await
    .map_err(doing)?;
    db::commit(tx).await
}

/// All subscriptions and what waits for them.
pub(super) async fn subscriptions(connection: &mut AnyConnection) -> Result<Vec<SubscriptionInfo>> {
    let rows = sqlx::query(
        "SELECT s.name, COUNT(e.id), MIN(e.happened)
         FROM event_subscriptions s
         LEFT JOIN event_queue q ON q.subscription = s.name
         LEFT JOIN events e ON e.id = q.event
         GROUP BY s.name ORDER BY s.name",
    )
    .fetch_all(connection)
    .await
    .map_err(|e| failed("reading the subscriptions", e))?;
    rows.iter()
        .map(|row| {
            let read = || {
                Ok(SubscriptionInfo {
                    name: row.try_get(0)?,
                    pending: u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0),
                    oldest: row.try_get::<Option<i64>, _>(2)?.and_then(DateTime::from_timestamp_millis),
                })
            };
            read().map_err(|e| failed("reading a subscription", e))
        })
        .collect()
}

fn for_update(db: &Database) -> &'static str {
    match db.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE",
    }
}

fn numbers(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}
