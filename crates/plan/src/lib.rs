//! The analyzer: a parsed query becomes a typed plan for DataFusion, with Trino's rules.
//!
//! In come a syntax tree, the tables it names (already opened) and the session. Out comes a `LogicalPlan` in which every
//! name is resolved, every type is Trino's and every cast is written out, beside the names and types of its columns.
//! DataFusion's own SQL planner is not used: its names, coercions and functions are not Trino's, and a query must fail
//! here, with the place of the mistake, or mean what Athena means.
//!
//! Every column inside a plan has a name of its own (`name#7`, or a column of a scan `table#3`), so that no two ever
//! clash; what the user called it is kept beside. This room does no I/O and runs nothing.

mod analyzer;
mod change;
mod correlated;
mod error;
mod expr;
mod names;
mod query;
mod relation;
mod runtime;
mod scope;
mod select;
mod subquery;
mod tables;
mod window;

pub use analyzer::{Analyzed, Analyzer, OutputColumn};
pub use change::{ChangedColumn, ChangedTable, DELETED, INSERTED, UPDATED};
pub use correlated::{reaches_far, without_correlation};
pub use error::from_datafusion;
pub use names::{TableName, table_names};
pub use runtime::cast_expr;
pub use tables::{Found, TableColumn, Tables};
