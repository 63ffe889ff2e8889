//! What goes: streams and groups that are deleted, and events whose time is over.

use super::groups::{Group, since};
use super::{HOUR, Kept, cell, wrong};
use model::Result;
use sqlx::AssertSqlSafe;
use state::db;

/// How many events go in one transaction, so that others get their turn.
const AT_ONCE: usize = 1000;
/// How many such transactions a call waits for.
const MOST_STEPS: usize = 100;
/// Stands for all streams of a group.
const ALL: i64 = 0;

impl Kept {
    /// Deletes a stream and its events; false if there is none of that name.
    pub(in crate::logs) async fn delete_stream(&self, group: &Group, name: &str) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let row = sqlx::query("DELETE FROM aws_log_streams WHERE log_group = $1 AND name = $2 RETURNING id")
            .bind(group.id)
            .bind(name)
            .fetch_optional(&mut *tx)
            .await
            .map_err(wrong)?;
        let Some(row) = row else { return Ok(false) };
        let stream: i64 = cell(&row, 0)?;
        sqlx::query("INSERT INTO aws_log_leftovers (log_group, stream) VALUES ($1, $2)")
            .bind(group.id)
            .bind(stream)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await?;
        self.clear(group.id, stream).await?;
        Ok(true)
    }

    /// Deletes a group with all that is in it; false if it is gone.
    pub(in crate::logs) async fn delete_group(&self, group: &Group) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        // The group's row first, as those who put events take the rows in this order.
        let done = sqlx::query("DELETE FROM aws_log_groups WHERE id = $1")
            .bind(group.id)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        for sql in [
            "DELETE FROM aws_log_streams WHERE log_group = $1",
            "DELETE FROM aws_log_leftovers WHERE log_group = $1",
            "INSERT INTO aws_log_leftovers (log_group, stream) VALUES ($1, 0)",
        ] {
            sqlx::query(sql).bind(group.id).execute(&mut *tx).await.map_err(wrong)?;
        }
        db::commit(tx).await?;
        self.clear(group.id, ALL).await?;
        Ok(true)
    }

    /// Removes the events of a stream, or of a group, that was deleted.
    async fn clear(&self, group: i64, stream: i64) -> Result<()> {
        while self.remove_some(group, stream, i64::MAX).await? {}
        let mut tx = self.db.begin().await?;
        sqlx::query("DELETE FROM aws_log_leftovers WHERE log_group = $1 AND stream = $2")
            .bind(group)
            .bind(stream)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }

    /// Removes the oldest events before that time, one transaction's worth; whether there may be more.
    async fn remove_some(&self, group: i64, stream: i64, before: i64) -> Result<bool> {
        let (column, id) = if stream == ALL { ("log_group", group) } else { ("stream", stream) };
        let mut tx = self.db.begin().await?;
        let sql = format!(
            "SELECT e.at, e.number FROM aws_log_events e WHERE e.{column} = $1 AND e.at < $2
             ORDER BY e.at, e.number LIMIT 1 OFFSET {AT_ONCE}"
        );
        let edge = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .bind(before)
            .fetch_optional(&mut *tx)
            .await
            .map_err(wrong)?;
        let (at, number): (i64, i64) = match &edge {
            Some(row) => (cell(row, 0)?, cell(row, 1)?),
            None => (before, 0),
        };
        let sql = format!(
            "DELETE FROM aws_log_events WHERE {column} = $1 AND (at, number) < ($2, $3) RETURNING bytes"
        );
        let gone = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .bind(at)
            .bind(number)
            .fetch_all(&mut *tx)
            .await
            .map_err(wrong)?;
        let bytes = gone.iter().map(|row| cell::<i64>(row, 0)).sum::<Result<i64>>()?;
        if bytes > 0 {
            sqlx::query("UPDATE aws_log_groups SET bytes = bytes - $2 WHERE id = $1")
                .bind(group)
                .bind(bytes)
                .execute(&mut *tx)
                .await
                .map_err(wrong)?;
        }
        db::commit(tx).await?;
        Ok(edge.is_some())
    }

    /// Removes what the group's retention no longer keeps, unless that was done within the hour, and what a crash has
    /// left of deletions.
    pub(in crate::logs) async fn keep_up(&self, group: &Group, now: i64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let row = sqlx::query(
            "UPDATE aws_log_groups SET swept = $2 WHERE id = $1 AND swept <= $3 RETURNING retention",
        )
        .bind(group.id)
        .bind(now)
        .bind(now - HOUR)
        .fetch_optional(&mut *tx)
        .await
        .map_err(wrong)?;
        db::commit(tx).await?;
        // Somebody else is at it.
        let Some(row) = row else { return Ok(()) };
        if !self.remove_expired(group.id, since(cell(&row, 0)?, now)).await? {
            // There is too much of it for one call: the next one goes on.
            let mut tx = self.db.begin().await?;
            sqlx::query("UPDATE aws_log_groups SET swept = 0 WHERE id = $1")
                .bind(group.id)
                .execute(&mut *tx)
                .await
                .map_err(wrong)?;
            db::commit(tx).await?;
        }
        self.clear_leftovers().await
    }

    /// Removes a group's events before that time; false if there are more than a call may take.
    async fn remove_expired(&self, group: i64, before: i64) -> Result<bool> {
        if before == 0 {
            return Ok(true);
        }
        for _ in 0..MOST_STEPS {
            if !self.remove_some(group, ALL, before).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn clear_leftovers(&self) -> Result<()> {
        let rows = sqlx::query("SELECT log_group, stream FROM aws_log_leftovers ORDER BY log_group, stream")
            .fetch_all(self.db.read())
            .await
            .map_err(wrong)?;
        for row in &rows {
            self.clear(cell(row, 0)?, cell(row, 1)?).await?;
        }
        Ok(())
    }
}
