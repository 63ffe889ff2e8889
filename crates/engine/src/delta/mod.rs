//! Delta Lake tables: INSERT, DELETE, UPDATE, MERGE, and how they are made. All changes go one way: a query says which
//! rows change and how, `scan::delta` writes files, these are published, and one entry of the table's log makes them
//! part of it. Nobody sees a change before that entry.
//!
//! A change that was made from a version that is no longer the newest is made again: it has left nothing behind.

mod change;
mod create;
pub(crate) use create::delta_entry;

use crate::engine::Engine;
use crate::query::Context;
use catalog::TableEntry;
use lake::Commit;
use model::{Error, ErrorKind, Result, Unit};
use scan::delta::{Operation, Staged, Writing};
use tokio_util::sync::CancellationToken;

/// How often a statement is made again because others were faster.
const ATTEMPTS: usize = 10;

/// Whether the catalog says that it is a Delta Lake table.
pub(crate) fn is_delta(entry: &TableEntry) -> bool {
    let is = |key: &str| entry.table.parameters.get(key).is_some_and(|v| v.eq_ignore_ascii_case("delta"));
    is("table_type") || is("spark.sql.sources.provider") || is("classification")
}

/// Whether a statement is worth another attempt: others were faster, and nothing has happened.
fn was_overtaken(error: &Error, attempt: usize) -> bool {
    error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS
}

/// What an attempt writes with; its number tells its files apart.
struct Attempt<'a> {
    commit: Commit,
    prefix: String,
    progress: Box<dyn Fn(u64, u64) + Send + Sync + 'a>,
    cancel: &'a CancellationToken,
    memory_limit: usize,
}

impl<'a> Attempt<'a> {
    fn new(engine: &Engine, number: usize, context: &'a Context) -> Self {
        let progress = move |rows: u64, _bytes: u64| {
            if let Some(run) = &context.run {
                run.progress(rows, None, Unit::Rows);
            }
        };
        Self {
            commit: engine.commit_for(context),
            prefix: format!("{}-{number}", context.id),
            progress: Box::new(progress),
            cancel: &context.cancel,
            memory_limit: engine.inner.options.memory_limit / 2,
        }
    }

    fn writing(&self) -> Writing<'_> {
        Writing {
            commit: &self.commit,
            prefix: &self.prefix,
            progress: self.progress.as_ref(),
            cancel: self.cancel,
            memory_limit: self.memory_limit,
        }
    }

    /// What was written, to be published; nothing stays of what has failed.
    async fn ended<T>(self, result: Result<T>) -> Result<(T, Commit)> {
        match result {
            Ok(done) => Ok((done, self.commit)),
            Err(error) => {
                self.commit.abort().await?;
                Err(error)
            }
        }
    }
}

impl Engine {
    /// Publishes what was written and makes it part of the table.
    async fn commit_delta(
        &self,
        staged: Staged,
        commit: Commit,
        operation: Operation,
        context: &Context,
    ) -> Result<()> {
        if staged.is_nothing() {
            return commit.abort().await;
        }
        if let Some(run) = &context.run {
            run.count("rows_written", staged.rows_written());
        }
        let ready = staged.publish(&self.inner.scans, commit).await?;
        crashpoint::hit("engine.delta.before_commit");
        ready.commit(operation).await
    }
}

/// Rows of tables without a log cannot be changed.
fn unchangeable(target: &plan::TableName, verb: &str) -> Error {
    Error::unsupported(format!("{verb} does not work on `{target}`"))
        .why("it is a table of plain files, and rows of these cannot be changed")
        .hint("write the rows you want to keep into a new table: CREATE TABLE … AS SELECT …")
        .hint("or make it a Delta table, whose rows can: CREATE TABLE … WITH (table_type = 'DELTA') AS SELECT …")
}
