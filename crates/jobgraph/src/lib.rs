//! Glue's visual jobs: a graph of nodes in JSON or YAML, read, checked and translated, but not run.
//!
//! In comes a job's definition (`CodeGenConfigurationNodes`); out come a checked graph, the steps that an engine runs
//! for it (Trino's SQL where SQL can say it), the columns at every node, and the same job as a Glue script or Athena's
//! SQL. Every mistake has its place in the definition, and all of them are found in one pass. This room reads no file,
//! knows no engine, and asks an [`Analyst`] for whatever the definition does not say.
//!
//! ```text
//! let (definition, errors) = jobgraph::parse(text, "job.yaml");
//! let graph = jobgraph::resolve(&definition, &arguments);
//! let checked = jobgraph::check(&graph, &analyst).await;
//! ```
//!
//! What Glulam adds to Glue's format: the sources `S3AvroSource`, `S3OrcSource` and `S3TextSource`; the transforms
//! `glulam_window`, `glulam_parse_log` and `glulam_event_time` of DynamicTransform; `AdditionalOptions` on all targets;
//! `Parameters` as a plain map; column lists without their inner lists (`Paths: [a, b]`); YAML.

mod arguments;
mod check;
mod columns;
mod definition;
mod fields;
mod graph;
mod nodes;
mod places;
mod query;
pub mod script;
mod spark;
mod step;
mod text;
mod types;

pub use arguments::Arguments;
pub use check::{Analyst, Checked, CheckedNode, KnowsNothing, check};
pub use columns::{Column, Columns};
pub use definition::{JobDefinition, ScriptCommand, parse};
pub use graph::{Graph, resolve};
pub use nodes::{Role, kind_names};
pub use step::{
    CatalogUpdate, Collection, CsvFormat, Destination, DropNulls, FileFormat, FilesSpec, LogPattern, LogStep,
    Member, QueryStep, Reject, Relation, RepartitionStep, SourceSpec, SpigotStep, Step, TableSpec,
    TargetSpec, WriteMode, access_log_columns,
};
