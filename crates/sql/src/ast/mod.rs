//! The statements of the language. Queries and expressions are sqlparser's trees (`lib.rs` says which shapes occur);
//! everything around them, and all of Hive's definitions, are these plain structs with the places their parts stand at.

mod hive;
mod write;

pub use hive::{
    AlterAction, AlterTable, ColumnDef, ColumnPosition, CreateDatabase, CreateTable, CreateView, Delimited,
    Describe, DropPartition, PartitionCompare, PartitionFilter, PartitionSpec, PartitionValue, Property,
    RowFormat, Show, StoredAs,
};
pub use write::{
    Assignment, CreateTableAs, Delete, Insert, Merge, MergeAction, MergeClause, Unload, Update, WriteOptions,
};

use model::{Error, Result};
use sqlparser::ast::{Expr, Ident, ObjectName, ObjectNamePart, Query};
use sqlparser::tokenizer::Span;

/// A statement with its own text and where it stands in the text that was parsed.
#[derive(Debug, Clone)]
pub struct Located {
    /// The statement.
    pub statement: Statement,
    /// Its text, without the `;`.
    pub text: String,
    /// Its place in the whole text.
    pub span: Span,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// A name of up to three parts: `catalog.database.table`. Names are kept as written; the catalog folds them.
#[derive(Debug, Clone, PartialEq)]
pub struct QualifiedName {
    /// The catalog, if it was said; the default is `AwsDataCatalog`.
    pub catalog: Option<Ident>,
    /// The database, if it was said.
    pub database: Option<Ident>,
    /// The table or view.
    pub name: Ident,
}

impl QualifiedName {
    /// The name from its parts, if they are one to three.
    pub fn from_parts(mut parts: Vec<Ident>) -> Option<Self> {
        let name = parts.pop()?;
        let database = parts.pop();
        let catalog = parts.pop();
        parts.is_empty().then_some(Self { catalog, database, name })
    }

    /// The same name from a query's tree.
    pub fn of(name: &ObjectName) -> Result<Self> {
        let parts = name.0.iter().filter_map(ObjectNamePart::as_ident).cloned().collect();
        Self::from_parts(parts).ok_or_else(|| Error::invalid(format!("`{name}` has more than three parts")))
    }

    /// Where the whole name stands.
    pub fn span(&self) -> Span {
        let first = self.catalog.as_ref().or(self.database.as_ref()).unwrap_or(&self.name);
        first.span.union(&self.name.span)
    }
}

impl std::fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in [&self.catalog, &self.database].into_iter().flatten() {
            write!(f, "{}.", part.value)?;
        }
        f.write_str(&self.name.value)
    }
}

/// What EXPLAIN prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExplainFormat {
    /// A tree in text.
    #[default]
    Text,
    /// The same as a graph in Graphviz's language.
    Graphviz,
    /// The same as JSON.
    Json,
}

/// Which plan EXPLAIN shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExplainType {
    /// The plan by its fragments.
    #[default]
    Distributed,
    /// The plan as one tree.
    Logical,
    /// Only whether the statement is valid.
    Validate,
    /// What the statement reads and writes.
    Io,
}

/// A statement. What Athena does not have is refused by the parser, by name.
#[derive(Debug, Clone)]
pub enum Statement {
    /// A query.
    Query(Box<Query>),
    /// `EXPLAIN [ANALYZE] [VERBOSE] [(FORMAT f, TYPE t)] statement`
    Explain {
        /// Whether the statement runs and is measured.
        analyze: bool,
        /// Whether more is shown.
        verbose: bool,
        /// The form of the answer.
        format: ExplainFormat,
        /// Which plan.
        kind: ExplainType,
        /// The statement that is explained.
        statement: Box<Statement>,
    },
    /// `PREPARE name FROM statement`
    Prepare {
        /// Its name.
        name: Ident,
        /// The prepared statement; its parameters are numbered placeholders.
        statement: Box<Statement>,
        /// The prepared statement's exact text.
        text: String,
    },
    /// `EXECUTE name [USING value, …]`
    Execute {
        /// The prepared statement's name.
        name: Ident,
        /// The parameters' values.
        arguments: Vec<Expr>,
    },
    /// `DEALLOCATE PREPARE name`
    Deallocate {
        /// The prepared statement's name.
        name: Ident,
    },
    /// `DESCRIBE INPUT name`
    DescribeInput {
        /// The prepared statement's name.
        name: Ident,
    },
    /// `DESCRIBE OUTPUT name`
    DescribeOutput {
        /// The prepared statement's name.
        name: Ident,
    },
    /// `CREATE TABLE … AS query`
    CreateTableAs(Box<CreateTableAs>),
    /// `INSERT INTO …`
    Insert(Box<Insert>),
    /// `UNLOAD (query) TO 's3://…' WITH (…)`
    Unload(Box<Unload>),
    /// `DELETE FROM …`
    Delete(Box<Delete>),
    /// `UPDATE … SET …`
    Update(Box<Update>),
    /// `MERGE INTO …`
    Merge(Box<Merge>),
    /// `CREATE DATABASE …`
    CreateDatabase(Box<CreateDatabase>),
    /// `DROP DATABASE …`
    DropDatabase {
        /// Its name.
        name: QualifiedName,
        /// Whether its absence is no error.
        if_exists: bool,
        /// Whether its tables are dropped with it.
        cascade: bool,
    },
    /// `ALTER DATABASE name SET DBPROPERTIES (…)`
    AlterDatabase {
        /// Its name.
        name: QualifiedName,
        /// The properties that are set.
        properties: Vec<Property>,
    },
    /// `CREATE [EXTERNAL] TABLE …` in Hive's words
    CreateTable(Box<CreateTable>),
    /// `CREATE [OR REPLACE] VIEW …`
    CreateView(Box<CreateView>),
    /// `DROP TABLE …`
    DropTable {
        /// Its name.
        name: QualifiedName,
        /// Whether its absence is no error.
        if_exists: bool,
    },
    /// `DROP VIEW …`
    DropView {
        /// Its name.
        name: QualifiedName,
        /// Whether its absence is no error.
        if_exists: bool,
    },
    /// `ALTER TABLE …`
    AlterTable(Box<AlterTable>),
    /// `MSCK REPAIR TABLE name`
    MsckRepair {
        /// The table.
        name: QualifiedName,
    },
    /// `SHOW …`
    Show(Show),
    /// `DESCRIBE [EXTENDED|FORMATTED] name …`
    Describe(Box<Describe>),
}

impl Statement {
    /// Whether the statement only reads: it may run beside anything, and its answer may be kept.
    pub fn only_reads(&self) -> bool {
        match self {
            Self::Query(_) | Self::Show(_) | Self::Describe(_) => true,
            Self::DescribeInput { .. } | Self::DescribeOutput { .. } => true,
            Self::Explain { analyze, statement, .. } => !analyze || statement.only_reads(),
            _ => false,
        }
    }
}
