//! The groups: made, found, listed, and what is set on them.

use super::statement::Conditions;
use super::{DAY, Kept, cell, wrong};
use crate::logs::no_group;
use crate::tags::Tags;
use model::{Error, Result};
use sqlx::any::AnyRow;
use state::db;

/// A user's group.
#[derive(Debug, Clone)]
pub(in crate::logs) struct Group {
    pub(in crate::logs) id: i64,
    pub(in crate::logs) name: String,
    pub(in crate::logs) class: String,
    pub(in crate::logs) kms_key: Option<String>,
    /// For how many days events are kept; 0 is for ever.
    pub(in crate::logs) retention: i64,
    pub(in crate::logs) created: i64,
}

impl Group {
    /// From which time on events are still kept.
    pub(in crate::logs) fn since(&self, now: i64) -> i64 {
        since(self.retention, now)
    }
}

/// From which time on events are kept by a retention of that many days.
pub(super) fn since(retention: i64, now: i64) -> i64 {
    match retention {
        0 => 0,
        days => now.saturating_sub(days.saturating_mul(DAY)).max(0),
    }
}

/// A group to be made.
pub(in crate::logs) struct NewGroup<'a> {
    pub(in crate::logs) name: &'a str,
    pub(in crate::logs) class: &'a str,
    pub(in crate::logs) kms_key: Option<&'a str>,
    pub(in crate::logs) tags: &'a Tags,
}

/// Which groups a list shows.
#[derive(Debug, Default)]
pub(in crate::logs) struct Wanted {
    pub(in crate::logs) prefix: Option<String>,
    /// A part of the name.
    pub(in crate::logs) part: Option<String>,
    pub(in crate::logs) class: Option<String>,
    /// Only these.
    pub(in crate::logs) names: Option<Vec<String>>,
}

impl Wanted {
    /// Whether the list shows a group that is not kept here.
    pub(in crate::logs) fn fits(&self, name: &str, class: &str) -> bool {
        self.prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && self.part.as_deref().is_none_or(|part| name.contains(part))
            && self.class.as_deref().is_none_or(|wanted| wanted == class)
            && self.names.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
    }

    fn conditions(&self, conditions: &mut Conditions) {
        if let Some(prefix) = &self.prefix {
            conditions.begins("g.name", prefix);
        }
        if let Some(part) = self.part.as_deref().filter(|part| !part.is_empty()) {
            // What both databases call the same and ask by letter and case.
            let place = conditions.text(part);
            conditions.also(format!("replace(g.name, {place}, '') <> g.name"));
        }
        if let Some(class) = &self.class {
            let place = conditions.text(class);
            conditions.also(format!("g.class = {place}"));
        }
        if let Some(names) = &self.names {
            let places: Vec<String> = names.iter().map(|name| conditions.text(name)).collect();
            conditions.also(format!("g.name IN ({})", places.join(", ")));
        }
    }
}

const COLUMNS: &str = "g.id, g.name, g.class, g.kms_key, g.retention, g.created";

fn group(row: &AnyRow) -> Result<Group> {
    let kms_key: String = cell(row, 3)?;
    Ok(Group {
        id: cell(row, 0)?,
        name: cell(row, 1)?,
        class: cell(row, 2)?,
        kms_key: Some(kms_key).filter(|key| !key.is_empty()),
        retention: cell(row, 4)?,
        created: cell(row, 5)?,
    })
}

fn written(tags: &Tags) -> Result<String> {
    serde_json::to_string(tags).map_err(|e| Error::internal("tags cannot be written down").source_is(e))
}

fn tags_of(group: &str, row: &AnyRow) -> Result<Tags> {
    let text: String = cell(row, 0)?;
    serde_json::from_str(&text).map_err(|e| {
        Error::corrupt(format!("the tags of the log group `{group}` cannot be read")).source_is(e)
    })
}

impl Kept {
    /// Makes a group; false if there is one of that name.
    pub(in crate::logs) async fn create_group(&self, new: &NewGroup<'_>) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "INSERT INTO aws_log_groups (name, class, kms_key, tags, retention, numbers, bytes, created, swept)
             VALUES ($1, $2, $3, $4, 0, 0, 0, $5, $5) ON CONFLICT (name) DO NOTHING",
        )
        .bind(new.name)
        .bind(new.class)
        .bind(new.kms_key.unwrap_or_default())
        .bind(written(new.tags)?)
        .bind(self.clock.now_millis())
        .execute(&mut *tx)
        .await
        .map_err(wrong)?;
        db::commit(tx).await?;
        Ok(done.rows_affected() > 0)
    }

    /// The group of that name, if there is one.
    pub(in crate::logs) async fn group(&self, name: &str) -> Result<Option<Group>> {
        let mut conditions = Conditions::default();
        let place = conditions.text(name);
        conditions.also(format!("g.name = {place}"));
        let query = conditions.query(&format!("SELECT {COLUMNS} FROM aws_log_groups g"), "");
        let row = query.fetch_optional(self.db.read()).await.map_err(wrong)?;
        row.as_ref().map(group).transpose()
    }

    /// Groups by name behind the name `after`, at most so many, each with the bytes of the events that it still keeps.
    pub(in crate::logs) async fn groups(
        &self,
        wanted: &Wanted,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Group, i64)>> {
        let mut conditions = Conditions::default();
        let now = conditions.number(self.clock.now_millis());
        if let Some(after) = after {
            let place = conditions.text(after);
            conditions.also(format!("g.name > {place}"));
        }
        wanted.conditions(&mut conditions);
        // Events that are over do not count, though they may not have been removed yet.
        let select = format!(
            "SELECT {COLUMNS}, g.bytes - COALESCE((SELECT CAST(SUM(e.bytes) AS BIGINT) FROM aws_log_events e
                 WHERE e.log_group = g.id AND g.retention > 0 AND e.at < {now} - g.retention * {DAY}), 0)
             FROM aws_log_groups g"
        );
        let query = conditions.query(&select, &format!("ORDER BY g.name LIMIT {limit}"));
        let rows = query.fetch_all(self.db.read()).await.map_err(wrong)?;
        rows.iter().map(|row| Ok((group(row)?, cell(row, 6)?))).collect()
    }

    /// Keeps events for so many days, or with 0 for ever.
    pub(in crate::logs) async fn set_retention(&self, group: &Group, days: i64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query("UPDATE aws_log_groups SET retention = $2 WHERE id = $1")
            .bind(group.id)
            .bind(days)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await?;
        if done.rows_affected() == 0 { Err(no_group(&group.name)) } else { Ok(()) }
    }

    /// A group's tags.
    pub(in crate::logs) async fn tags(&self, group: &Group) -> Result<Tags> {
        let row = sqlx::query("SELECT tags FROM aws_log_groups WHERE id = $1")
            .bind(group.id)
            .fetch_optional(self.db.read())
            .await
            .map_err(wrong)?;
        tags_of(&group.name, &row.ok_or_else(|| no_group(&group.name))?)
    }

    /// Changes a group's tags as the function does.
    pub(in crate::logs) async fn change_tags<F>(&self, group: &Group, change: F) -> Result<()>
    where
        F: FnOnce(&mut Tags) -> Result<()> + Send,
    {
        let mut tx = self.db.begin().await?;
        // Writing holds the row until the transaction ends, so that no concurrent change is lost.
        let row = sqlx::query("UPDATE aws_log_groups SET swept = swept WHERE id = $1 RETURNING tags")
            .bind(group.id)
            .fetch_optional(&mut *tx)
            .await
            .map_err(wrong)?;
        let mut tags = tags_of(&group.name, &row.ok_or_else(|| no_group(&group.name))?)?;
        change(&mut tags)?;
        sqlx::query("UPDATE aws_log_groups SET tags = $2 WHERE id = $1")
            .bind(group.id)
            .bind(written(&tags)?)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }
}
