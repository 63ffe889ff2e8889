//! What sort of statement it is, in Athena's words, and what of it is a mistake of whom.

use model::{Blame, Diagnosis, ErrorKind, Place};
use serde::{Deserialize, Serialize};
use sql::Statement;
use sql::ast::Show;

/// Athena's sorts of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum StatementType {
    Ddl,
    Dml,
    Utility,
}

/// How a statement's rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    /// `ID.csv`, the names of the columns in the first row.
    Rows,
    /// `ID.txt`, lines without names.
    Lines,
    /// Files elsewhere, which a manifest `ID-manifest.csv` lists; how many rows is all that is answered.
    Written,
    /// The same for a new table: below `tables/`.
    NewTable,
}

/// A statement as Athena speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sort {
    pub(super) statement_type: StatementType,
    pub(super) sub: &'static str,
    pub(super) shape: Shape,
}

/// The sort of a statement.
pub(super) fn sort(statement: &Statement) -> Sort {
    use Shape::{Lines, NewTable, Rows, Written};
    use StatementType::{Ddl, Dml, Utility};
    let (statement_type, sub, shape) = match statement {
        Statement::Query(_) => (Dml, "SELECT", Rows),
        Statement::Execute { .. } => (Dml, "EXECUTE", Rows),
        Statement::Explain { .. } => (Utility, "EXPLAIN", Lines),
        Statement::Prepare { .. } => (Utility, "PREPARE", Lines),
        Statement::Deallocate { .. } => (Utility, "DEALLOCATE", Lines),
        Statement::DescribeInput { .. } => (Utility, "DESCRIBE_INPUT", Rows),
        Statement::DescribeOutput { .. } => (Utility, "DESCRIBE_OUTPUT", Rows),
        Statement::CreateTableAs(_) => (Ddl, "CREATE_TABLE_AS_SELECT", NewTable),
        Statement::Insert(_) => (Dml, "INSERT", Written),
        Statement::Unload(_) => (Dml, "UNLOAD", Written),
        Statement::Delete(_) => (Dml, "DELETE", Written),
        Statement::Update(_) => (Dml, "UPDATE", Written),
        Statement::Merge(_) => (Dml, "MERGE", Written),
        Statement::CreateDatabase(_) => (Ddl, "CREATE_DATABASE", Lines),
        Statement::DropDatabase { .. } => (Ddl, "DROP_DATABASE", Lines),
        Statement::AlterDatabase { .. } => (Ddl, "ALTER_DATABASE", Lines),
        Statement::CreateTable(_) => (Ddl, "CREATE_TABLE", Lines),
        Statement::CreateView(_) => (Ddl, "CREATE_VIEW", Lines),
        Statement::DropTable { .. } => (Ddl, "DROP_TABLE", Lines),
        Statement::DropView { .. } => (Ddl, "DROP_VIEW", Lines),
        Statement::AlterTable(_) => (Ddl, "ALTER_TABLE", Lines),
        Statement::MsckRepair { .. } => (Ddl, "MSCK_REPAIR_TABLE", Lines),
        Statement::Describe(_) => (Utility, "DESCRIBE_TABLE", Lines),
        Statement::Show(show) => (Utility, shown(show), Lines),
    };
    Sort { statement_type, sub, shape }
}

fn shown(show: &Show) -> &'static str {
    match show {
        Show::Databases { .. } => "SHOW_DATABASES",
        Show::Tables { .. } => "SHOW_TABLES",
        Show::Views { .. } => "SHOW_VIEWS",
        Show::Columns { .. } => "SHOW_COLUMNS",
        Show::Partitions { .. } => "SHOW_PARTITIONS",
        Show::Properties { .. } => "SHOW_TBLPROPERTIES",
        _ => "SHOW",
    }
}

/// Why a statement failed, as its `StateChangeReason` says it.
pub(super) fn reason(diagnosis: &Diagnosis) -> String {
    let word = match (diagnosis.kind, &diagnosis.place) {
        (ErrorKind::Timeout, _) => "EXCEEDED_TIME_LIMIT",
        (ErrorKind::LimitExceeded, _) => "EXCEEDED_LIMIT",
        (ErrorKind::Cancelled, _) => "USER_CANCELED",
        (kind, Some(Place::Source(_))) if kind.blame() == Blame::User => "SYNTAX_ERROR",
        (kind, _) if kind.blame() == Blame::User => "GENERIC_USER_ERROR",
        _ => "GENERIC_INTERNAL_ERROR",
    };
    format!("{word}: {}", told(diagnosis))
}

/// The text of a diagnosis in Athena's order: the place, what is wrong, why, what to do.
pub(super) fn told(diagnosis: &Diagnosis) -> String {
    let mut text = match &diagnosis.place {
        Some(Place::Source(at)) => format!("line {}:{}: {}", at.line, at.column, diagnosis.what),
        Some(place) => format!("{} ({})", diagnosis.what, place.short()),
        None => diagnosis.what.clone(),
    };
    if let Some(why) = &diagnosis.why {
        text.push_str(": ");
        text.push_str(why);
    }
    for hint in diagnosis.hints.iter().filter(|hint| !hint.is_empty()) {
        text.push_str("; ");
        text.push_str(hint);
    }
    text
}

/// Athena's numbers for a failure: whose it is (1 the system's, 2 the user's), and what sort.
pub(super) fn numbers(kind: ErrorKind) -> (i32, i32) {
    match kind {
        ErrorKind::Timeout => (1, 206),
        ErrorKind::LimitExceeded => (2, 1500),
        kind if kind.blame() == Blame::User => (2, 1006),
        _ => (1, 100),
    }
}
