//! DELETE, UPDATE and MERGE: only tables that keep a log of their files could be changed row by row, and these are only
//! read so far. What is asked is still checked, so that a wrong name is told before the refusal.

use crate::engine::Engine;
use crate::query::{Answer, Context};
use catalog::TableEntry;
use model::{Error, Result};
use plan::TableName;
use sql::QualifiedName;
use sql::ast::{Delete, Merge, Update};
use std::collections::HashSet;

/// Whether the catalog says that it is a Delta Lake table.
pub(crate) fn is_delta(entry: &TableEntry) -> bool {
    let is = |key: &str| entry.table.parameters.get(key).is_some_and(|v| v.eq_ignore_ascii_case("delta"));
    is("table_type") || is("spark.sql.sources.provider") || is("classification")
}

impl Engine {
    async fn refuse(&self, name: &QualifiedName, verb: &str, context: &Context) -> Result<Answer> {
        let (database, table) = self.table_name(name, context)?;
        let target = TableName { database: database.to_string(), table: table.to_string() };
        let tables = self.open_named(vec![target.clone()], &HashSet::new(), context.counters()).await?;
        let place = || sql::at(&context.source, name.span()).into();
        plan::Tables::find(&tables, &target).map_err(|e| e.at_if_unknown(place))?;
        let error = Error::unsupported(format!("{verb} does not work on `{target}`")).at_if_unknown(place);
        Err(if tables.entry(&target).is_some_and(is_delta) {
            error.why("Delta Lake tables can be read, not changed yet")
        } else {
            error
                .why("it is a table of plain files, and rows of these cannot be changed")
                .hint("write the rows you want to keep into a new table: CREATE TABLE … AS SELECT …")
        })
    }

    pub(crate) async fn delete(&self, delete: &Delete, context: &Context) -> Result<Answer> {
        self.refuse(&delete.table, "DELETE", context).await
    }

    pub(crate) async fn update(&self, update: &Update, context: &Context) -> Result<Answer> {
        self.refuse(&update.table, "UPDATE", context).await
    }

    pub(crate) async fn merge(&self, merge: &Merge, context: &Context) -> Result<Answer> {
        self.refuse(&merge.target, "MERGE", context).await
    }
}
