//! Hive's definitions and questions, carried out: databases, tables, views, partitions, SHOW, DESCRIBE, MSCK.
//!
//! In come parsed statements and the catalog; out come rows of text in Athena's layout. Definitions are checked here as
//! Athena checks them; what they say about files is only checked, never the files themselves. No data is deleted.

mod alter;
mod database;
mod describe;
mod escape;
mod functions;
mod layout;
mod partition;
mod pattern;
mod recreate;
mod repair;
mod resolve;
mod show;
mod table;
mod view;

pub(crate) use layout::storage_classes;
pub(crate) use resolve::LAST_DDL;
pub(crate) use table::{check_columns, is_new_delta};
pub(crate) use view::create_view;

#[cfg(test)]
mod tests;

use catalog::Catalog;
use chrono::{DateTime, Utc};
use lake::Lake;
use model::{EntityName, Error, Result};
use sql::{Source, SqlType, Statement};

/// What a definition needs to be carried out.
#[derive(Clone, Copy)]
pub(crate) struct DdlContext<'a> {
    /// The catalog that is changed and asked.
    pub(crate) catalog: &'a Catalog,
    /// The lake; only listed, for MSCK and to check that a location's bucket exists.
    pub(crate) lake: &'a Lake,
    /// The database of names that do not say one.
    pub(crate) database: &'a EntityName,
    /// The time, which definitions are stamped with.
    pub(crate) now: DateTime<Utc>,
    /// The text that the statement's places refer to.
    pub(crate) source: &'a Source,
}

/// The answer: columns with their types, and rows of text. A definition answers with neither.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DdlResult {
    /// The columns' names and types.
    pub(crate) columns: Vec<(String, SqlType)>,
    /// The rows.
    pub(crate) rows: Vec<Vec<String>>,
}

impl DdlResult {
    /// No answer.
    fn nothing() -> Self {
        Self::default()
    }

    /// One column of texts.
    fn column(name: &str, values: impl IntoIterator<Item = String>) -> Self {
        Self {
            columns: vec![(name.to_owned(), SqlType::VARCHAR)],
            rows: values.into_iter().map(|value| vec![value]).collect(),
        }
    }

    /// Several columns of texts.
    fn table(names: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { columns: names.iter().map(|name| ((*name).to_owned(), SqlType::VARCHAR)).collect(), rows }
    }
}

/// Carries out a definition or answers a question about definitions. Views are made by [`create_view`], because their
/// columns come from the analyzer.
pub(crate) async fn execute(ctx: &DdlContext<'_>, statement: &Statement) -> Result<DdlResult> {
    match statement {
        Statement::CreateDatabase(create) => database::create(ctx, create).await,
        Statement::DropDatabase { name, if_exists, cascade } => {
            database::drop(ctx, name, *if_exists, *cascade).await
        }
        Statement::AlterDatabase { name, properties } => database::alter(ctx, name, properties).await,
        Statement::CreateTable(create) => table::create(ctx, create).await,
        Statement::DropTable { name, if_exists } => table::drop(ctx, name, *if_exists).await,
        Statement::DropView { name, if_exists } => view::drop(ctx, name, *if_exists).await,
        Statement::AlterTable(alter) => alter::alter(ctx, alter).await,
        Statement::MsckRepair { name } => repair::repair(ctx, name).await,
        Statement::Show(question) => show::show(ctx, question).await,
        Statement::Describe(question) => describe::describe(ctx, question).await,
        _ => Err(Error::internal("this statement is no definition")),
    }
}
