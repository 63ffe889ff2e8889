//! The streams of a group: made, found, listed.

use super::groups::Group;
use super::statement::Conditions;
use super::{Kept, cell, wrong};
use crate::logs::no_group;
use model::Result;
use sqlx::any::AnyRow;
use state::db;

/// A stream of a user's group. Times that there are none of are 0.
#[derive(Debug, Clone)]
pub(in crate::logs) struct Stream {
    pub(in crate::logs) id: i64,
    pub(in crate::logs) name: String,
    pub(in crate::logs) created: i64,
    /// The time of its latest event.
    pub(in crate::logs) last_event: i64,
    /// When something was put into it last.
    pub(in crate::logs) ingested: i64,
    /// The number of the event that was put into it last.
    pub(in crate::logs) upload: i64,
}

/// In which order streams are listed.
#[derive(Debug, Clone, Copy)]
pub(in crate::logs) struct Order {
    /// By their latest event instead of their names.
    pub(in crate::logs) by_event: bool,
    pub(in crate::logs) descending: bool,
}

const COLUMNS: &str = "s.id, s.name, s.created, s.last_event, s.ingested, s.upload";

fn stream(row: &AnyRow) -> Result<Stream> {
    Ok(Stream {
        id: cell(row, 0)?,
        name: cell(row, 1)?,
        created: cell(row, 2)?,
        last_event: cell(row, 3)?,
        ingested: cell(row, 4)?,
        upload: cell(row, 5)?,
    })
}

impl Kept {
    /// Makes a stream; false if there is one of that name.
    pub(in crate::logs) async fn create_stream(&self, group: &Group, name: &str) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        // Writing holds the group's row: it cannot be deleted meanwhile.
        let held = sqlx::query("UPDATE aws_log_groups SET swept = swept WHERE id = $1")
            .bind(group.id)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        if held.rows_affected() == 0 {
            return Err(no_group(&group.name));
        }
        let done = sqlx::query(
            "INSERT INTO aws_log_streams (log_group, name, created, last_event, ingested, upload)
             VALUES ($1, $2, $3, 0, 0, 0) ON CONFLICT (log_group, name) DO NOTHING",
        )
        .bind(group.id)
        .bind(name)
        .bind(self.clock.now_millis())
        .execute(&mut *tx)
        .await
        .map_err(wrong)?;
        db::commit(tx).await?;
        Ok(done.rows_affected() > 0)
    }

    /// The stream of that name, if there is one.
    pub(in crate::logs) async fn stream(&self, group: &Group, name: &str) -> Result<Option<Stream>> {
        let mut conditions = Conditions::default();
        let (id, name) = (conditions.number(group.id), conditions.text(name));
        conditions.also(format!("s.log_group = {id} AND s.name = {name}"));
        let query = conditions.query(&format!("SELECT {COLUMNS} FROM aws_log_streams s"), "");
        let row = query.fetch_optional(self.db.read()).await.map_err(wrong)?;
        row.as_ref().map(stream).transpose()
    }

    /// A group's streams behind the one with that latest event and name, at most so many, each with the time of its
    /// first event that is still kept.
    pub(in crate::logs) async fn streams(
        &self,
        group: &Group,
        prefix: Option<&str>,
        order: Order,
        after: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<(Stream, Option<i64>)>> {
        let (sign, way) = if order.descending { ("<", "DESC") } else { (">", "ASC") };
        let mut conditions = Conditions::default();
        let since = conditions.number(group.since(self.clock.now_millis()));
        let id = conditions.number(group.id);
        conditions.also(format!("s.log_group = {id}"));
        if let Some(prefix) = prefix {
            conditions.begins("s.name", prefix);
        }
        match after {
            Some((last, name)) if order.by_event => {
                let (last, name) = (conditions.number(last), conditions.text(&name));
                conditions.also(format!("(s.last_event, s.name) {sign} ({last}, {name})"));
            }
            Some((_, name)) => {
                let name = conditions.text(&name);
                conditions.also(format!("s.name {sign} {name}"));
            }
            None => {}
        }
        let select = format!(
            "SELECT {COLUMNS},
                 (SELECT MIN(e.at) FROM aws_log_events e WHERE e.stream = s.id AND e.at >= {since})
             FROM aws_log_streams s"
        );
        let sorted = match order.by_event {
            true => format!("s.last_event {way}, s.name {way}"),
            false => format!("s.name {way}"),
        };
        let query = conditions.query(&select, &format!("ORDER BY {sorted} LIMIT {limit}"));
        let rows = query.fetch_all(self.db.read()).await.map_err(wrong)?;
        rows.iter().map(|row| Ok((stream(row)?, cell(row, 6)?))).collect()
    }
}
