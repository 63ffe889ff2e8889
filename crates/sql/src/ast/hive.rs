//! Hive's definitions: databases, tables, views, partitions, and the questions about them.

use super::{At, QualifiedName, WriteOptions};
use model::HiveType;
use sqlparser::ast::{Ident, Query};

/// `'key' = 'value'` of a list of properties.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// The key, as written.
    pub key: At<String>,
    /// The value.
    pub value: At<String>,
}

/// `CREATE DATABASE|SCHEMA …`
#[derive(Debug, Clone)]
pub struct CreateDatabase {
    /// Its name.
    pub name: QualifiedName,
    /// Whether an existing one is no error.
    pub if_not_exists: bool,
    /// A note for people.
    pub comment: Option<String>,
    /// Where its tables go by default.
    pub location: Option<At<String>>,
    /// `WITH DBPROPERTIES`
    pub properties: Vec<Property>,
}

/// A column of a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDef {
    /// The name, as written.
    pub name: Ident,
    /// The type.
    pub hive_type: At<HiveType>,
    /// `NOT NULL`, with its place; only tables that keep a log can hold to it.
    pub not_null: Option<At<()>>,
    /// A note for people.
    pub comment: Option<String>,
}

/// `ROW FORMAT …`
#[derive(Debug, Clone, PartialEq)]
pub enum RowFormat {
    /// `ROW FORMAT SERDE 'class' [WITH SERDEPROPERTIES (…)]`
    Serde {
        /// The class that reads and writes rows.
        class: At<String>,
        /// Its properties.
        properties: Vec<Property>,
    },
    /// `ROW FORMAT DELIMITED …`
    Delimited(Box<Delimited>),
}

/// The characters of `ROW FORMAT DELIMITED`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Delimited {
    /// `FIELDS TERMINATED BY`
    pub fields: Option<At<String>>,
    /// `ESCAPED BY`
    pub escape: Option<At<String>>,
    /// `COLLECTION ITEMS TERMINATED BY`
    pub items: Option<At<String>>,
    /// `MAP KEYS TERMINATED BY`
    pub keys: Option<At<String>>,
    /// `LINES TERMINATED BY`
    pub lines: Option<At<String>>,
    /// `NULL DEFINED AS`
    pub null: Option<At<String>>,
}

/// `STORED AS …`
#[derive(Debug, Clone, PartialEq)]
pub enum StoredAs {
    /// `STORED AS PARQUET`: the format's name in upper case.
    Format(At<String>),
    /// `STORED AS INPUTFORMAT 'class' OUTPUTFORMAT 'class'`
    Classes {
        /// The class that reads files.
        input: At<String>,
        /// The class that writes files.
        output: At<String>,
    },
}

/// `CREATE [EXTERNAL] TABLE …`
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// Its name.
    pub name: QualifiedName,
    /// Whether `EXTERNAL` was said.
    pub external: bool,
    /// Whether an existing table is no error.
    pub if_not_exists: bool,
    /// The columns, without those of the partitions.
    pub columns: Vec<ColumnDef>,
    /// A note for people.
    pub comment: Option<String>,
    /// The partitions' columns.
    pub partitioned_by: Vec<ColumnDef>,
    /// `PARTITIONED BY (transform(column))` of Iceberg tables, as written; never together with `partitioned_by`.
    pub partition_transforms: Vec<At<String>>,
    /// `CLUSTERED BY (…)`
    pub clustered_by: Vec<Ident>,
    /// `INTO n BUCKETS`
    pub buckets: Option<At<i64>>,
    /// `ROW FORMAT`
    pub row_format: Option<RowFormat>,
    /// `STORED AS`
    pub stored_as: Option<StoredAs>,
    /// `LOCATION`
    pub location: Option<At<String>>,
    /// `TBLPROPERTIES`
    pub properties: Vec<Property>,
    /// `WITH (…)`, as Trino says where and how a table is made.
    pub options: Option<WriteOptions>,
}

/// `CREATE [OR REPLACE] VIEW name [(columns)] AS query`
#[derive(Debug, Clone)]
pub struct CreateView {
    /// Its name.
    pub name: QualifiedName,
    /// Whether an existing view is replaced.
    pub or_replace: bool,
    /// Names for the columns instead of the query's.
    pub columns: Vec<Ident>,
    /// A note for people.
    pub comment: Option<String>,
    /// The query.
    pub query: Box<Query>,
    /// The query's exact text.
    pub text: String,
}

/// A partition's value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionValue {
    /// The text: a string's content or a number's digits.
    pub text: String,
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// `PARTITION (key = value, …)`
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionSpec {
    /// The keys with their values, in the order they were written.
    pub values: Vec<(Ident, At<PartitionValue>)>,
}

/// How a partition's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionCompare {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `LIKE`
    Like,
}

/// `key >= value` of a DROP PARTITION.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionFilter {
    /// The key.
    pub key: Ident,
    /// How.
    pub compare: PartitionCompare,
    /// With what.
    pub value: At<PartitionValue>,
}

/// One `PARTITION (…)` of a DROP: all of its filters must hold.
pub type DropPartition = Vec<PartitionFilter>;

/// Where a changed column goes.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnPosition {
    /// Before all others.
    First,
    /// Behind this one.
    After(Ident),
}

/// `ALTER TABLE name …`
#[derive(Debug, Clone)]
pub struct AlterTable {
    /// The table.
    pub name: QualifiedName,
    /// What changes.
    pub action: AlterAction,
}

/// What ALTER TABLE does.
#[derive(Debug, Clone)]
pub enum AlterAction {
    /// `ADD [IF NOT EXISTS] PARTITION (…) [LOCATION '…'] …`
    AddPartitions {
        /// Whether existing ones are no error.
        if_not_exists: bool,
        /// The partitions with their locations.
        partitions: Vec<(PartitionSpec, Option<At<String>>)>,
    },
    /// `DROP [IF EXISTS] PARTITION (…), PARTITION (…)`
    DropPartitions {
        /// Whether their absence is no error.
        if_exists: bool,
        /// Which; a partition that fits any of them is dropped.
        partitions: Vec<DropPartition>,
    },
    /// `PARTITION (…) RENAME TO PARTITION (…)`
    RenamePartition {
        /// Which.
        from: PartitionSpec,
        /// Its new values.
        to: PartitionSpec,
    },
    /// `[PARTITION (…)] ADD COLUMNS (…)`, also `ADD COLUMN name type`
    AddColumns {
        /// Only for this partition.
        partition: Option<PartitionSpec>,
        /// The new columns.
        columns: Vec<ColumnDef>,
    },
    /// `[PARTITION (…)] REPLACE COLUMNS (…)`
    ReplaceColumns {
        /// Only for this partition.
        partition: Option<PartitionSpec>,
        /// All columns.
        columns: Vec<ColumnDef>,
    },
    /// `CHANGE [COLUMN] old new type [COMMENT …] [FIRST|AFTER …]`
    ChangeColumn {
        /// Its name so far.
        old: Ident,
        /// Its new definition.
        new: Box<ColumnDef>,
        /// Its new place.
        position: Option<ColumnPosition>,
    },
    /// `[PARTITION (…)] SET LOCATION '…'`
    SetLocation {
        /// Only for this partition.
        partition: Option<PartitionSpec>,
        /// The new location.
        location: At<String>,
    },
    /// `SET TBLPROPERTIES (…)`
    SetProperties(Vec<Property>),
}

/// `SHOW …`
#[derive(Debug, Clone)]
pub enum Show {
    /// `SHOW DATABASES|SCHEMAS [IN catalog] [LIKE 'pattern']`
    Databases {
        /// The catalog.
        catalog: Option<Ident>,
        /// The pattern: `*` is anything, `|` separates alternatives.
        like: Option<At<String>>,
    },
    /// `SHOW TABLES [IN database] ['pattern']`
    Tables {
        /// The database, perhaps with its catalog.
        database: Option<QualifiedName>,
        /// The pattern.
        like: Option<At<String>>,
    },
    /// `SHOW VIEWS [IN database] [LIKE 'pattern']`
    Views {
        /// The database.
        database: Option<QualifiedName>,
        /// The pattern.
        like: Option<At<String>>,
    },
    /// `SHOW COLUMNS IN table`
    Columns {
        /// The table.
        table: QualifiedName,
    },
    /// `SHOW PARTITIONS table`
    Partitions {
        /// The table.
        table: QualifiedName,
    },
    /// `SHOW TBLPROPERTIES table [('key')]`
    Properties {
        /// The table.
        table: QualifiedName,
        /// Only this one.
        key: Option<At<String>>,
    },
    /// `SHOW CREATE TABLE table`
    CreateTable {
        /// The table.
        table: QualifiedName,
    },
    /// `SHOW CREATE VIEW view`
    CreateView {
        /// The view.
        view: QualifiedName,
    },
    /// `SHOW FUNCTIONS [LIKE 'pattern']`
    Functions {
        /// The pattern, with `%` and `_`.
        like: Option<At<String>>,
    },
    /// `SHOW CATALOGS [LIKE 'pattern']`
    Catalogs {
        /// The pattern, with `%` and `_`.
        like: Option<At<String>>,
    },
}

/// `DESCRIBE [EXTENDED|FORMATTED] table [PARTITION (…)] [column]`
#[derive(Debug, Clone)]
pub struct Describe {
    /// The table or view.
    pub name: QualifiedName,
    /// Whether everything is said in one piece.
    pub extended: bool,
    /// Whether everything is said in blocks.
    pub formatted: bool,
    /// Only this partition.
    pub partition: Option<PartitionSpec>,
    /// Only this column, or a field of it.
    pub column: Vec<Ident>,
}
