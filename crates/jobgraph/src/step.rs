//! What a node does, as the engine is told: a source, a query, one of the few things SQL does not say, or a target.
//!
//! Queries are Trino's SQL and name their inputs by `Relation::name`; whoever runs them registers each input's rows
//! under that name. Rows that a query cannot take go to the reject location with a reason.

use crate::columns::Columns;
use model::LakeUri;
use sql::{SqlType, quote_ident, quote_string};

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Reads files or a table.
    Source(SourceSpec),
    /// A query over its inputs.
    Query(QueryStep),
    /// Drops the columns that hold nothing but nulls, which only the data can tell.
    DropNulls(DropNulls),
    /// Takes lines of text apart.
    ParseLog(LogStep),
    /// Several outputs; whoever reads one names it by `Member::relation`.
    Collection(Collection),
    /// Writes a sample of the rows and passes all of them on.
    Spigot(SpigotStep),
    /// Passes the rows on in so many parts, which a later target writes as so many files.
    Repartition(RepartitionStep),
    /// Writes files or a table.
    Target(TargetSpec),
}

/// An input of a step: the rows of a node, or of one member of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The name the step's SQL uses (there it is quoted).
    pub name: String,
    /// The node that makes the rows.
    pub node: String,
    /// Which of its outputs, if it has several.
    pub member: Option<usize>,
}

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryStep {
    /// Trino's SQL.
    pub sql: String,
    /// What it reads.
    pub inputs: Vec<Relation>,
    /// Which rows of the first input must not reach the query.
    pub rejects: Vec<Reject>,
}

/// Why a row cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// SQL over the first input's row; true (not NULL) when the row must be rejected.
    pub condition: String,
    /// The column that is wrong.
    pub column: String,
    /// What is wrong, for people.
    pub reason: String,
}

impl QueryStep {
    /// What is selected, where the query computes each row of its one input and nothing else.
    pub fn projection(&self) -> Option<&str> {
        let [input] = self.inputs.as_slice() else { return None };
        let items =
            self.sql.strip_prefix("SELECT ")?.strip_suffix(&format!(" FROM {}", quote_ident(&input.name)))?;
        // Queries with rejects are made here: none of these has a subquery among what it selects.
        let plain = !items.contains(" FROM ") && !items.starts_with("DISTINCT ");
        (plain && !self.rejects.is_empty()).then_some(items)
    }

    /// The query over the good rows alone, as one statement.
    pub fn accepted(&self) -> String {
        let (Some(condition), Some(input)) = (self.rejected_condition(), self.inputs.first()) else {
            return self.sql.clone();
        };
        let name = quote_ident(&input.name);
        format!("WITH accepted AS (SELECT * FROM {name} WHERE NOT coalesce({condition}, false)) {}", {
            // Queries with rejects are made here, and all of them end with (or continue behind) `FROM "input"`.
            self.sql.replacen(&format!("FROM {name}"), "FROM accepted", 1)
        })
    }

    /// The rejected rows with the column that is wrong and the reason, or nothing if none can be rejected.
    pub fn rejected(&self) -> Option<String> {
        let condition = self.rejected_condition()?;
        let input = self.inputs.first()?;
        let cases = |pick: fn(&Reject) -> &str| -> String {
            let arms =
                self.rejects.iter().map(|r| format!(" WHEN {} THEN {}", r.condition, quote_string(pick(r))));
            format!("CASE{} END", arms.collect::<String>())
        };
        Some(format!(
            "SELECT *, {} AS rejected_column, {} AS rejected_reason FROM {} WHERE {condition}",
            cases(|r| &r.column),
            cases(|r| &r.reason),
            quote_ident(&input.name),
        ))
    }

    fn rejected_condition(&self) -> Option<String> {
        let all: Vec<String> = self.rejects.iter().map(|r| format!("({})", r.condition)).collect();
        (!all.is_empty()).then(|| all.join(" OR "))
    }
}

/// Several outputs of one node.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// What they are made from.
    pub input: Relation,
    /// The outputs in their order.
    pub members: Vec<Member>,
}

/// One output of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, such as a route's.
    pub name: String,
    /// The query that makes it from the collection's input.
    pub sql: String,
    /// The name under which `SelectFromCollection` reads it.
    pub relation: String,
}

/// Which columns count as empty.
#[derive(Debug, Clone, PartialEq)]
pub struct DropNulls {
    /// What is read.
    pub input: Relation,
    /// Texts that count as null.
    pub texts: Vec<String>,
    /// Whole numbers that count as null.
    pub numbers: Vec<i64>,
}

impl DropNulls {
    /// A query of one row: for each column, how many values are not null. A column with 0 is dropped.
    pub fn probe(&self, columns: &Columns) -> String {
        let counts: Vec<String> = columns
            .iter()
            .map(|column| {
                let name = quote_ident(&column.name);
                let is_value = match &column.sql_type {
                    t if t.is_text() && !self.texts.is_empty() => {
                        let texts: Vec<String> = self.texts.iter().map(|text| quote_string(text)).collect();
                        format!("{name} IS NOT NULL AND trim({name}) NOT IN ({})", texts.join(", "))
                    }
                    t if t.is_numeric() && !self.numbers.is_empty() => {
                        let numbers: Vec<String> = self.numbers.iter().map(i64::to_string).collect();
                        format!("{name} IS NOT NULL AND {name} NOT IN ({})", numbers.join(", "))
                    }
                    _ => format!("{name} IS NOT NULL"),
                };
                format!("count_if({is_value}) AS {name}")
            })
            .collect();
        format!("SELECT {} FROM {}", counts.join(", "), quote_ident(&self.input.name))
    }

    /// The query without the dropped columns; if all are dropped, the first one stays, as rows need a column.
    pub fn kept(&self, columns: &Columns, counts: &[u64]) -> String {
        let mut kept: Vec<String> = columns
            .names()
            .zip(counts.iter().chain(std::iter::repeat(&1)))
            .filter(|(_, count)| **count > 0)
            .map(|(name, _)| quote_ident(name))
            .collect();
        if kept.is_empty() {
            kept.extend(columns.names().next().map(quote_ident));
        }
        format!("SELECT {} FROM {}", kept.join(", "), quote_ident(&self.input.name))
    }
}

/// How lines are taken apart. Out come the pattern's columns and behind them the input's others, without the line
/// (unless it is kept) and without columns whose names begin with `$`. Lines that do not fit are rejected.
#[derive(Debug, Clone, PartialEq)]
pub struct LogStep {
    /// What is read.
    pub input: Relation,
    /// The column that holds the line.
    pub column: String,
    /// The line's form.
    pub pattern: LogPattern,
    /// The column with the file's path, from which the built-in access logs take the target service where the line
    /// does not name it.
    pub path_column: Option<String>,
    /// Whether the line itself stays as a column.
    pub keep_line: bool,
}

/// The form of a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogPattern {
    /// The two shapes of access logs that the monitoring practice has, see [`access_log_columns`].
    AccessLog,
    /// A grok pattern with further named patterns, one a line.
    Grok {
        /// The pattern.
        pattern: String,
        /// `NAME regex` lines.
        custom: String,
    },
}

/// The columns of the built-in access logs: the line's parts, and which service called which. `source` is NULL for an
/// external user; `target` comes from the path's first segment or from the file's name.
pub fn access_log_columns() -> Columns {
    [
        ("remote_addr", SqlType::VARCHAR),
        ("remote_user", SqlType::VARCHAR),
        ("time", SqlType::Timestamp(3)),
        ("method", SqlType::VARCHAR),
        ("path", SqlType::VARCHAR),
        ("protocol", SqlType::VARCHAR),
        ("status", SqlType::Integer),
        ("user_agent", SqlType::VARCHAR),
        ("source", SqlType::VARCHAR),
        ("target", SqlType::VARCHAR),
    ]
    .into_iter()
    .collect()
}

/// Where a sample is written.
#[derive(Debug, Clone, PartialEq)]
pub struct SpigotStep {
    /// What is read.
    pub input: Relation,
    /// The folder the sample goes to, as JSON lines.
    pub path: LakeUri,
    /// At most so many rows.
    pub top: Option<u64>,
    /// The part of all rows that is taken, above 0 and up to 1.
    pub probability: Option<f64>,
}

/// Rows in so many parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepartitionStep {
    /// What is read.
    pub input: Relation,
    /// How many parts; the engine chooses where nothing is said.
    pub partitions: Option<u32>,
    /// Rows with equal values here stay together.
    pub columns: Vec<String>,
}

/// What a source reads.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceSpec {
    /// Files below some paths.
    Files(FilesSpec),
    /// A table of the catalog.
    Table(TableSpec),
}

/// A table of the catalog as a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    /// Its database.
    pub database: String,
    /// Its name.
    pub table: String,
    /// SQL over the partition columns: only partitions where it is true are read.
    pub predicate: Option<String>,
    /// At most so many bytes in one run, where a bookmark goes on.
    pub bounded_bytes: Option<u64>,
    /// At most so many files in one run.
    pub bounded_files: Option<u64>,
    /// Whether everything is read in each run, whatever the job's bookmark has seen.
    pub read_all: bool,
}

/// Files as a source.
#[derive(Debug, Clone, PartialEq)]
pub struct FilesSpec {
    /// Folders, files, or paths with `*`.
    pub paths: Vec<LakeUri>,
    /// What the files are.
    pub format: FileFormat,
    /// Whether folders in folders are read.
    pub recurse: bool,
    /// Paths (with `*`) that are left out.
    pub exclusions: Vec<String>,
    /// `gzip` or `bzip2`, where the file's name does not tell.
    pub compression: Option<String>,
    /// The declared columns (`OutputSchemas`), if there are any.
    pub columns: Option<Columns>,
    /// At most so many bytes in one run.
    pub bounded_bytes: Option<u64>,
    /// At most so many files in one run.
    pub bounded_files: Option<u64>,
    /// Whether everything is read in each run, whatever the job's bookmark has seen.
    pub read_all: bool,
}

/// The format of files with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFormat {
    /// Separated values.
    Csv(CsvFormat),
    /// JSON, one value a line or one document.
    Json {
        /// Which part of each document is the rows: `$.records[*]`.
        json_path: Option<String>,
        /// Whether a value may reach over many lines.
        multiline: bool,
    },
    /// Apache Parquet.
    Parquet,
    /// Apache Avro.
    Avro,
    /// Apache ORC.
    Orc,
    /// Lines; one column `line`.
    Text,
    /// A Delta Lake table.
    Delta,
}

/// How separated values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFormat {
    /// Between values.
    pub separator: char,
    /// Around values, if any.
    pub quote: Option<char>,
    /// Before a quote that belongs to the value.
    pub escape: Option<char>,
    /// Whether a value may hold line ends.
    pub multiline: bool,
    /// Whether the first line has the names.
    pub header: bool,
    /// Whether the first line is thrown away.
    pub skip_first: bool,
}

impl Default for CsvFormat {
    fn default() -> Self {
        Self {
            separator: ',',
            quote: Some('"'),
            escape: None,
            multiline: false,
            header: true,
            skip_first: false,
        }
    }
}

impl FileFormat {
    /// Its name, as Glue writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Json { .. } => "json",
            Self::Parquet => "parquet",
            Self::Avro => "avro",
            Self::Orc => "orc",
            Self::Text => "text",
            Self::Delta => "delta",
        }
    }
}

/// What a target writes.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSpec {
    /// What is written.
    pub input: Relation,
    /// Where to.
    pub destination: Destination,
    /// The format; a catalog table has its own.
    pub format: Option<FileFormat>,
    /// Glue's word: `snappy`, `gzip`, `none`, …; the format's usual one where nothing is said.
    pub compression: Option<String>,
    /// The columns by whose values folders are made.
    pub partition_keys: Vec<String>,
    /// The table that is made or kept up to date, if the catalog is.
    pub update: Option<CatalogUpdate>,
    /// What happens to what is there.
    pub mode: WriteMode,
    /// No file becomes much larger than so many bytes.
    pub max_file_bytes: Option<u64>,
    /// As many files are written, if it is said.
    pub files: Option<u32>,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A folder.
    Path(LakeUri),
    /// A table that the catalog has.
    Table {
        /// Its database.
        database: String,
        /// Its name.
        table: String,
    },
}

/// What a target does to the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogUpdate {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// Whether new columns are added to the table (`UPDATE_IN_DATABASE`), or only partitions (`LOG`).
    pub add_columns: bool,
}

/// What happens to what is at the destination.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WriteMode {
    /// It stays; rows are added.
    #[default]
    Append,
    /// It is replaced.
    Overwrite,
    /// Partitions that are written are replaced; the others stay.
    OverwritePartitions,
    /// Rows with equal keys are replaced, others added (Delta).
    Merge {
        /// The keys.
        keys: Vec<String>,
    },
}
