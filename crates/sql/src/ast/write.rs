//! Statements that write rows: CTAS, INSERT, UNLOAD, DELETE, UPDATE, MERGE.

use super::{At, QualifiedName};
use sqlparser::ast::{Expr, Ident, Query, TableFactor};

/// The properties in `WITH (…)` of CTAS and UNLOAD, each with the place of its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteOptions {
    /// `format`: PARQUET, ORC, AVRO, JSON, TEXTFILE; upper case.
    pub format: Option<At<String>>,
    /// `external_location`, or `location` of a table format
    pub location: Option<At<String>>,
    /// `write_compression`, or the older `parquet_compression`, `orc_compression`, `compression`; upper case.
    pub compression: Option<At<String>>,
    /// `compression_level`
    pub compression_level: Option<At<i64>>,
    /// `partitioned_by`
    pub partitioned_by: Vec<At<String>>,
    /// `bucketed_by`
    pub bucketed_by: Vec<At<String>>,
    /// `bucket_count`
    pub bucket_count: Option<At<i64>>,
    /// `field_delimiter` of text
    pub field_delimiter: Option<At<String>>,
    /// `table_type`: HIVE, ICEBERG, DELTA; upper case.
    pub table_type: Option<At<String>>,
    /// `is_external`
    pub is_external: Option<At<bool>>,
    /// `partitioning` of Iceberg tables, as written.
    pub partitioning: Vec<At<String>>,
    /// Known properties of other table formats, as written: `vacuum_…`, `optimize_…`.
    pub others: Vec<(Ident, At<String>)>,
}

/// `CREATE TABLE name [WITH (…)] AS query [WITH [NO] DATA]`
#[derive(Debug, Clone)]
pub struct CreateTableAs {
    /// The new table.
    pub name: QualifiedName,
    /// Whether an existing table is no error.
    pub if_not_exists: bool,
    /// Names for the columns instead of the query's.
    pub columns: Vec<Ident>,
    /// A note for people.
    pub comment: Option<String>,
    /// The properties.
    pub options: WriteOptions,
    /// What is written.
    pub query: Box<Query>,
    /// Whether the query's rows are written, or only its columns become a table's.
    pub with_data: bool,
}

/// `INSERT INTO table [(columns)] query`
#[derive(Debug, Clone)]
pub struct Insert {
    /// Where to.
    pub table: QualifiedName,
    /// Which columns; empty is all of them in order.
    pub columns: Vec<Ident>,
    /// What.
    pub source: Box<Query>,
}

/// `UNLOAD (query) TO 's3://…' WITH (format = …)`
#[derive(Debug, Clone)]
pub struct Unload {
    /// What is written.
    pub query: Box<Query>,
    /// The folder.
    pub to: At<String>,
    /// The properties; the format is required.
    pub options: WriteOptions,
}

/// `DELETE FROM table [WHERE …]`
#[derive(Debug, Clone)]
pub struct Delete {
    /// The table.
    pub table: QualifiedName,
    /// Its other name in the condition.
    pub alias: Option<Ident>,
    /// Which rows; all without it.
    pub selection: Option<Expr>,
}

/// `column = value`
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The column.
    pub column: Ident,
    /// Its new value.
    pub value: Expr,
}

/// `UPDATE table SET … [WHERE …]`
#[derive(Debug, Clone)]
pub struct Update {
    /// The table.
    pub table: QualifiedName,
    /// Its other name in the expressions.
    pub alias: Option<Ident>,
    /// What is set.
    pub assignments: Vec<Assignment>,
    /// Which rows; all without it.
    pub selection: Option<Expr>,
}

/// `MERGE INTO target USING source ON condition WHEN …`
#[derive(Debug, Clone)]
pub struct Merge {
    /// The table that changes.
    pub target: QualifiedName,
    /// Its other name.
    pub alias: Option<Ident>,
    /// The rows that are merged into it; a table or derived table with its alias.
    pub source: TableFactor,
    /// Which rows belong together.
    pub on: Expr,
    /// What happens, in the order in which the cases are tried.
    pub clauses: Vec<MergeClause>,
}

/// `WHEN [NOT] MATCHED [AND condition] THEN action`
#[derive(Debug, Clone)]
pub struct MergeClause {
    /// Whether it is for rows with a partner in the target.
    pub matched: bool,
    /// A further condition.
    pub condition: Option<Expr>,
    /// What happens.
    pub action: MergeAction,
}

/// What MERGE does with a row.
#[derive(Debug, Clone)]
pub enum MergeAction {
    /// `UPDATE SET …`, only for matched rows
    Update(Vec<Assignment>),
    /// `DELETE`, only for matched rows
    Delete,
    /// `INSERT [(columns)] VALUES (…)`, only for rows without a partner
    Insert {
        /// Which columns; empty is all of them in order.
        columns: Vec<Ident>,
        /// Their values.
        values: Vec<Expr>,
    },
}
