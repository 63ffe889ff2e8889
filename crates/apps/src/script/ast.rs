//! What a script says: tables, views and inserts, with the places of their parts. Queries and expressions are kept as
//! ranges of the text until the tables they name are known.

use sql::SqlType;
use std::ops::Range;

/// A part of the text, in bytes.
pub(crate) type Place = Range<usize>;

/// A word with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: Place,
}

/// A statement.
#[derive(Debug, Clone)]
pub(crate) enum Statement {
    Set { key: At<String>, value: At<String> },
    Table(TableDef),
    View(ViewDef),
    Insert(InsertDef),
}

/// `CREATE TABLE`
#[derive(Debug, Clone)]
pub(crate) struct TableDef {
    pub(crate) name: At<String>,
    pub(crate) columns: Vec<ColumnDef>,
    pub(crate) watermark: Option<WatermarkDef>,
    pub(crate) partitioned_by: Vec<At<String>>,
    pub(crate) options: Vec<(At<String>, At<String>)>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct ColumnDef {
    pub(crate) name: At<String>,
    pub(crate) kind: ColumnKind,
}

/// Where a column's values come from.
#[derive(Debug, Clone)]
pub(crate) enum ColumnKind {
    /// The record.
    Physical(SqlType),
    /// An expression over the other columns.
    Computed(Place),
    /// The record's surroundings: its key there.
    Metadata { sql_type: SqlType, key: At<String> },
}

/// `WATERMARK FOR column AS expression`
#[derive(Debug, Clone)]
pub(crate) struct WatermarkDef {
    pub(crate) column: At<String>,
    pub(crate) expr: Place,
}

/// `CREATE VIEW`
#[derive(Debug, Clone)]
pub(crate) struct ViewDef {
    pub(crate) name: At<String>,
    pub(crate) columns: Vec<At<String>>,
    pub(crate) query: Place,
}

/// `INSERT INTO`
#[derive(Debug, Clone)]
pub(crate) struct InsertDef {
    /// `database.table` or a table of the script.
    pub(crate) table: At<Vec<String>>,
    pub(crate) columns: Vec<At<String>>,
    pub(crate) query: Place,
}
