//! The kinds of nodes: one file each, and one line in `KINDS`.
//!
//! A kind reads its settings (every mistake with its place), says what the engine does for it, and writes itself as
//! PySpark. Names of types and settings are those of Glue's API.

mod aggregate;
mod apply_mapping;
mod catalog_source;
mod catalog_target;
mod custom_code;
mod drop_duplicates;
mod drop_fields;
mod drop_null_fields;
mod dynamic_transform;
mod fill_missing_values;
mod filter;
mod functions;
mod join;
mod merge;
mod postgresql;
mod rename_field;
mod route;
mod s3_avro_source;
mod s3_catalog_source;
mod s3_catalog_target;
mod s3_csv_source;
mod s3_delta_catalog_target;
mod s3_delta_direct_target;
mod s3_delta_source;
mod s3_direct_target;
mod s3_glue_parquet_target;
mod s3_json_source;
mod s3_orc_source;
mod s3_parquet_source;
mod s3_text_source;
mod select_fields;
mod select_from_collection;
mod source_files;
mod spark_sql;
mod spigot;
mod split_fields;
mod target_options;
mod union;

use crate::columns::{Column, Columns};
use crate::fields::{ColumnPath, Fields, Mistakes};
use crate::script::Script;
use crate::spark::Translated;
use crate::step::{Reject, Relation, Step};
use crate::text::{Placed, Span};
use model::{Error, nearest, nearest_hint};
use std::fmt;

/// Where a node stands in the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Rows come in.
    Source,
    /// Rows change.
    Transform,
    /// Rows go out.
    Target,
}

/// What is known of a kind before any node of it is read.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// Least and most inputs.
    pub(crate) inputs: (usize, usize),
    pub(crate) makes_collection: bool,
    pub(crate) takes_collection: bool,
    /// Whether a graph may end with it although it is no target (it writes something itself).
    pub(crate) is_end: bool,
    pub(crate) read: fn(&Fields<'_>) -> Option<Box<dyn Operation>>,
}

type Read = fn(&Fields<'_>) -> Option<Box<dyn Operation>>;

impl Kind {
    const fn source(name: &'static str, read: Read) -> Self {
        Self { inputs: (0, 0), role: Role::Source, ..Self::transform(name, read) }
    }

    const fn transform(name: &'static str, read: Read) -> Self {
        let (makes_collection, takes_collection, is_end) = (false, false, false);
        Self { name, role: Role::Transform, inputs: (1, 1), makes_collection, takes_collection, is_end, read }
    }

    const fn target(name: &'static str, read: Read) -> Self {
        Self { role: Role::Target, ..Self::transform(name, read) }
    }
}

/// The kinds, in the order of Glue's documentation.
const KINDS: &[&Kind] = &[
    &s3_csv_source::KIND,
    &s3_json_source::KIND,
    &s3_parquet_source::KIND,
    &s3_avro_source::KIND,
    &s3_orc_source::KIND,
    &s3_text_source::KIND,
    &s3_delta_source::KIND,
    &catalog_source::KIND,
    &s3_catalog_source::KIND,
    &postgresql::SOURCE,
    &apply_mapping::KIND,
    &select_fields::KIND,
    &drop_fields::KIND,
    &rename_field::KIND,
    &filter::KIND,
    &join::KIND,
    &union::KIND,
    &merge::KIND,
    &aggregate::KIND,
    &drop_duplicates::KIND,
    &drop_null_fields::KIND,
    &fill_missing_values::KIND,
    &split_fields::KIND,
    &select_from_collection::KIND,
    &spigot::KIND,
    &spark_sql::KIND,
    &route::KIND,
    &custom_code::KIND,
    &dynamic_transform::KIND,
    &s3_direct_target::KIND,
    &s3_glue_parquet_target::KIND,
    &catalog_target::KIND,
    &s3_catalog_target::KIND,
    &s3_delta_direct_target::KIND,
    &s3_delta_catalog_target::KIND,
    &postgresql::TARGET,
];

/// Kinds of Glue that are not here, so that they are not taken for typing errors.
const ELSEWHERE: &[&str] = &[
    "AmazonRedshiftSource",
    "AmazonRedshiftTarget",
    "AthenaConnectorSource",
    "CatalogDeltaSource",
    "CatalogHudiSource",
    "CatalogIcebergSource",
    "CatalogKafkaSource",
    "CatalogKinesisSource",
    "ConnectorDataSource",
    "ConnectorDataTarget",
    "DirectJDBCSource",
    "DirectKafkaSource",
    "DirectKinesisSource",
    "DynamoDBCatalogSource",
    "DynamoDBELTConnectorSource",
    "EvaluateDataQuality",
    "EvaluateDataQualityMultiFrame",
    "GovernedCatalogSource",
    "GovernedCatalogTarget",
    "JDBCConnectorSource",
    "JDBCConnectorTarget",
    "MicrosoftSQLServerCatalogSource",
    "MicrosoftSQLServerCatalogTarget",
    "MySQLCatalogSource",
    "MySQLCatalogTarget",
    "OracleSQLCatalogSource",
    "OracleSQLCatalogTarget",
    "PIIDetection",
    "Recipe",
    "RedshiftSource",
    "RedshiftTarget",
    "RelationalCatalogSource",
    "S3CatalogDeltaSource",
    "S3CatalogHudiSource",
    "S3CatalogIcebergSource",
    "S3ExcelSource",
    "S3HudiCatalogTarget",
    "S3HudiDirectTarget",
    "S3HudiSource",
    "S3HyperDirectTarget",
    "S3IcebergCatalogTarget",
    "S3IcebergDirectTarget",
    "SnowflakeSource",
    "SnowflakeTarget",
    "SparkConnectorSource",
    "SparkConnectorTarget",
];

/// The names of all kinds that work here.
pub fn kind_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// The kind of that name, or why there is none.
pub(crate) fn find(name: &str) -> Result<&'static Kind, Error> {
    if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
        return Ok(kind);
    }
    if ELSEWHERE.contains(&name) {
        let error = Error::unsupported(format!("nodes of type {name} are not supported"));
        return Err(error.why("Glue has this type, Glulam does not").hint(instead_of(name)));
    }
    let error = Error::invalid(format!("there is no node type `{name}`"));
    if name == "NullCheck" || name == "NullCheckBoxList" {
        return Err(
            error.hint("which values count as missing is a setting of `DropNullFields`: `NullCheckBoxList`")
        );
    }
    Err(match nearest(name, kind_names().chain(ELSEWHERE.iter().copied())) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(nearest_hint(name, kind_names())),
    })
}

fn instead_of(name: &str) -> &'static str {
    match name {
        n if n.contains("Kinesis") || n.contains("Kafka") => {
            "jobs read files and tables; streams are applications of their own"
        }
        "CatalogDeltaSource" | "S3CatalogDeltaSource" => {
            "CatalogSource reads Delta tables of the catalog, too"
        }
        n if n.contains("Iceberg") || n.contains("Hudi") => "Delta Lake is the supported table format",
        n if n.ends_with("Source") => {
            "bring the data into a bucket first, and read it with an S3 or catalog source"
        }
        n if n.ends_with("Target") => "write to a bucket or a catalog table, and load it from there",
        _ => "a SparkSQL node can often do the same",
    }
}

/// What one node does.
pub(crate) trait Operation: fmt::Debug + Send + Sync {
    /// What the engine does. Columns are checked where the inputs' columns are known; mistakes go to the context.
    fn step(&self, cx: &mut Context<'_>) -> Option<Step>;

    /// Whether there is no step without the inputs' columns.
    fn needs_columns(&self) -> bool {
        false
    }

    /// The columns that come out whatever goes in, where the settings alone tell.
    fn columns(&self) -> Option<Columns> {
        None
    }

    /// How many outputs a collection has.
    fn members(&self) -> usize {
        0
    }

    /// Which output of a collection it reads.
    fn member(&self) -> Option<usize> {
        None
    }

    /// Where the node names what may be missing outside of the graph, such as a table.
    fn span(&self) -> Option<Span> {
        None
    }

    /// The node as lines of a Glue script.
    fn script(&self, out: &mut Script<'_>);
}

/// Stands for a node whose settings could not be read, so that the rest of the graph can still be checked.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl Operation for Unreadable {
    fn step(&self, _: &mut Context<'_>) -> Option<Step> {
        None
    }

    fn script(&self, out: &mut Script<'_>) {
        out.comment("the settings of this node could not be read");
    }
}

/// An input as its reader sees it.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) relation: Relation,
    pub(crate) columns: Option<Columns>,
    /// How many outputs it has, if it is a collection.
    pub(crate) members: usize,
}

/// What a node sees while it becomes a step.
pub(crate) struct Context<'a> {
    pub(crate) id: &'a str,
    pub(crate) span: &'a Span,
    pub(crate) inputs: Vec<Input>,
    pub(crate) mistakes: &'a Mistakes<'a>,
    /// Where a text of the user stands in the step's SQL: the byte at which it begins, and the way back.
    pub(crate) user_text: Option<UserText>,
}

/// A text of the user inside of a generated query.
#[derive(Debug)]
pub(crate) struct UserText {
    pub(crate) begins: usize,
    pub(crate) translated: Translated,
    pub(crate) written: Placed<String>,
}

impl Context<'_> {
    /// The first input's relation.
    pub(crate) fn relation(&self) -> Relation {
        self.inputs.first().map_or_else(
            || Relation { name: String::new(), node: String::new(), member: None },
            |input| input.relation.clone(),
        )
    }

    /// The first input's columns.
    pub(crate) fn columns(&self) -> Option<&Columns> {
        self.inputs.first()?.columns.as_ref()
    }

    /// Keeps a mistake at a place.
    pub(crate) fn wrong(&self, span: &Span, error: Error) {
        self.mistakes.add(span, error);
    }

    /// Looks a column of the first input up; a missing one is reported.
    pub(crate) fn column(&self, name: &str, span: &Span) -> Option<&Column> {
        self.column_of(0, name, span)
    }

    /// Looks a column of an input up. Nothing comes back if it is missing or the input's columns are not known.
    pub(crate) fn column_of(&self, input: usize, name: &str, span: &Span) -> Option<&Column> {
        let input = self.inputs.get(input)?;
        let columns = input.columns.as_ref()?;
        let found = columns.find(name);
        if found.is_none() {
            let message = format!("there is no column `{name}` at `{}`", self.id);
            let error = Error::not_found(message)
                .why(format!("it reads from `{}`", input.relation.node))
                .hint(nearest_hint(name, columns.names()));
            self.wrong(span, error);
        }
        found
    }

    /// Looks a path's top column up, and its type down the path where it can be followed.
    pub(crate) fn type_of(&self, path: &Placed<ColumnPath>) -> Option<sql::SqlType> {
        let mut found = self.column(path.value.top(), &path.span)?.sql_type.clone();
        for part in path.value.parts.iter().skip(1) {
            let sql::SqlType::Row(fields) = &found else {
                let message = format!("`{}` is {found}, which has no field `{part}`", path.value.top());
                self.wrong(&path.span, Error::invalid(message));
                return None;
            };
            let names = || fields.iter().filter_map(|field| field.name.as_deref());
            let field =
                fields.iter().find(|f| f.name.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(part)));
            let Some(field) = field else {
                let message = format!("`{}` has no field `{part}`", path.value.top());
                self.wrong(&path.span, Error::not_found(message).hint(nearest_hint(part, names())));
                return None;
            };
            found = field.sql_type.clone();
        }
        Some(found)
    }

    /// A query over the inputs.
    pub(crate) fn query(&self, sql: String, rejects: Vec<Reject>) -> Option<Step> {
        let inputs = self.inputs.iter().map(|input| input.relation.clone()).collect();
        Some(Step::Query(crate::step::QueryStep { sql, inputs, rejects }))
    }
}
