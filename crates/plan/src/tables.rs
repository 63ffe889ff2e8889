//! The tables a query may use, as somebody above opened them.

use crate::TableName;
use datafusion::logical_expr::TableSource;
use model::Result;
use sql::{Source, SqlType};
use sqlparser::ast::Query;
use std::sync::Arc;

/// Where the analyzer looks tables up. Everything is there already: looking up does no I/O.
pub trait Tables: Send + Sync {
    /// The table or view of this name, or an error that names what is near.
    fn find(&self, name: &TableName) -> Result<Found>;
}

/// What stands behind a name.
#[derive(Clone)]
pub enum Found {
    /// A table: its source's schema has exactly these columns.
    Table {
        /// Its columns.
        columns: Vec<TableColumn>,
        /// What DataFusion scans.
        source: Arc<dyn TableSource>,
    },
    /// A view: a query that is put in its place.
    View {
        /// The query.
        query: Arc<Query>,
        /// Its text, for the places of errors.
        source: Arc<Source>,
        /// The names its columns have, where the view gives names of its own.
        columns: Vec<String>,
        /// The database in which its names are looked up.
        database: String,
    },
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct TableColumn {
    /// Its name, in lower case.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
    /// Whether `*` leaves it out.
    pub hidden: bool,
}
