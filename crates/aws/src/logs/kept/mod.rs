//! Users' groups, streams and events in the state database.
//!
//! An event's number is its group's next one, taken with the group's row held, so that within a group numbers are in the
//! order of the commits; its place is its time and then its number, and pages go on behind places. What is deleted
//! disappears at once with its row; its events go in small transactions, and what a crash leaves of them later.

mod events;
mod groups;
mod removal;
mod statement;
mod streams;

pub(super) use events::{KeptEvent, NewEvent, Of, Place, Search, Way};
pub(super) use groups::{Group, NewGroup, Wanted};
pub(super) use streams::{Order, Stream};

use model::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use state::Clock;
use state::db::{self, Database, Migration};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "groups, streams and events",
    sql: "CREATE TABLE aws_log_groups (
              id {id}, name {text} NOT NULL UNIQUE, class {text} NOT NULL, kms_key TEXT NOT NULL, tags TEXT NOT NULL,
              retention BIGINT NOT NULL, numbers BIGINT NOT NULL, bytes BIGINT NOT NULL,
              created BIGINT NOT NULL, swept BIGINT NOT NULL);
          CREATE TABLE aws_log_streams (
              id {id}, log_group BIGINT NOT NULL, name {text} NOT NULL, created BIGINT NOT NULL,
              last_event BIGINT NOT NULL, ingested BIGINT NOT NULL, upload BIGINT NOT NULL);
          CREATE UNIQUE INDEX aws_log_streams_by_name ON aws_log_streams (log_group, name);
          CREATE INDEX aws_log_streams_by_event ON aws_log_streams (log_group, last_event, name);
          CREATE TABLE aws_log_events (
              log_group BIGINT NOT NULL, at BIGINT NOT NULL, number BIGINT NOT NULL, stream BIGINT NOT NULL,
              ingested BIGINT NOT NULL, bytes BIGINT NOT NULL, message {blob} NOT NULL,
              PRIMARY KEY (log_group, at, number));
          CREATE UNIQUE INDEX aws_log_events_by_stream ON aws_log_events (stream, at, number);
          CREATE TABLE aws_log_leftovers (
              log_group BIGINT NOT NULL, stream BIGINT NOT NULL, PRIMARY KEY (log_group, stream));",
}];

/// An hour and a day in milliseconds.
pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// What CloudWatch counts for an event besides its message.
pub(super) const OVERHEAD: usize = 26;

/// The tables. Cheap to clone.
#[derive(Clone)]
pub(super) struct Kept {
    db: Database,
    clock: Clock,
}

impl Kept {
    pub(super) async fn open(db: Database, clock: Clock) -> Result<Self> {
        db.migrate("aws_logs", MIGRATIONS).await?;
        Ok(Self { db, clock })
    }
}

fn wrong(e: sqlx::Error) -> Error {
    db::failed("keeping logs", e)
}

fn cell<'r, T>(row: &'r AnyRow, index: usize) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(index).map_err(|e| db::failed("reading logs", e))
}

/// Counts and sizes stay far below.
fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
