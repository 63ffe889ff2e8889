//! Athena over the engine: statements as runs, their results as objects in the lake and by pages.

mod catalogs;
mod executions;
mod metadata;
mod named;
mod output;
mod prepared;
mod results;
mod shown;
mod start;
mod statement;
mod tagging;
mod workgroups;

use crate::door::Rooms;
use crate::json::{Call, Table};
use crate::store::Documents;
use model::{Error, ErrorKind, Result};

/// What the operations stand on.
#[derive(Clone)]
pub(crate) struct Athena {
    rooms: Rooms,
    documents: Documents,
}

/// The operations of Athena that are served.
pub(crate) fn table(rooms: &Rooms, documents: &Documents) -> Table {
    let athena = &Athena { rooms: rooms.clone(), documents: documents.clone() };
    Table::new("AmazonAthena", "athena", "1.1", code)
        .add_called("StartQueryExecution", athena, start::start)
        .add_called("GetQueryExecution", athena, executions::get)
        .add_called("BatchGetQueryExecution", athena, executions::get_many)
        .add_called("StopQueryExecution", athena, executions::stop)
        .add_called("GetQueryRuntimeStatistics", athena, executions::statistics)
        .add_called("GetQueryResults", athena, results::get)
        .add("ListQueryExecutions", athena, executions::list)
        .add_called("CreateWorkGroup", athena, workgroups::create)
        .add("GetWorkGroup", athena, workgroups::get)
        .add("UpdateWorkGroup", athena, workgroups::update)
        .add_called("DeleteWorkGroup", athena, workgroups::delete)
        .add("ListWorkGroups", athena, workgroups::list)
        .add("ListEngineVersions", athena, workgroups::engine_versions)
        .add("CreateNamedQuery", athena, named::create)
        .add_called("GetNamedQuery", athena, named::get)
        .add_called("BatchGetNamedQuery", athena, named::get_many)
        .add_called("UpdateNamedQuery", athena, named::update)
        .add_called("DeleteNamedQuery", athena, named::delete)
        .add("ListNamedQueries", athena, named::list)
        .add("CreatePreparedStatement", athena, prepared::create)
        .add("ListPreparedStatements", athena, prepared::list)
        .add("BatchGetPreparedStatement", athena, prepared::get_many)
        .add_called("CreateDataCatalog", athena, catalogs::create)
        .add("GetDataCatalog", athena, catalogs::get)
        .add("UpdateDataCatalog", athena, catalogs::update)
        .add_called("DeleteDataCatalog", athena, catalogs::delete)
        .add("ListDataCatalogs", athena, catalogs::list)
        .codes(resource_code)
        .add("GetPreparedStatement", athena, prepared::get)
        .add("UpdatePreparedStatement", athena, prepared::update)
        .add("DeletePreparedStatement", athena, prepared::delete)
        .add_called("TagResource", athena, tagging::tag)
        .add_called("UntagResource", athena, tagging::untag)
        .add_called("ListTagsForResource", athena, tagging::list)
        .codes(metadata_code)
        .add("ListDatabases", athena, metadata::databases)
        .add("GetDatabase", athena, metadata::database)
        .add("ListTableMetadata", athena, metadata::tables)
        .add("GetTableMetadata", athena, metadata::table)
}

/// Athena's errors.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Denied => "AccessDeniedException",
        ErrorKind::LimitExceeded | ErrorKind::Unavailable => "TooManyRequestsException",
        ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::Corrupt | ErrorKind::Internal => {
            "InternalServerException"
        }
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::PreconditionFailed
        | ErrorKind::InvalidInput
        | ErrorKind::Unsupported => "InvalidRequestException",
    }
}

/// Of operations on resources that may be missing.
fn resource_code(kind: ErrorKind) -> &'static str {
    if kind == ErrorKind::NotFound { "ResourceNotFoundException" } else { code(kind) }
}

/// Of operations that ask the catalog.
fn metadata_code(kind: ErrorKind) -> &'static str {
    if kind == ErrorKind::NotFound { "MetadataException" } else { code(kind) }
}

/// What an operation on things of a workgroup touches.
fn of_workgroup(name: Option<&str>) -> Vec<String> {
    vec![format!("workgroup/{}", name.unwrap_or(engine::PRIMARY_WORKGROUP))]
}

/// Whether the caller may do this with things of that workgroup; for operations that learn late which it is.
fn allow(call: &Call, operation: &str, workgroup: &str) -> Result<()> {
    call.allow("athena", operation, &format!("workgroup/{workgroup}"))
}

/// A page's size.
fn limit(asked: Option<i64>, most: usize) -> Result<usize> {
    match asked {
        None => Ok(most),
        Some(count) => match usize::try_from(count) {
            Ok(count) if (1..=most).contains(&count) => Ok(count),
            _ => Err(Error::invalid(format!("MaxResults must be from 1 to {most}, not {count}"))),
        },
    }
}

/// An answer without anything in it.
#[derive(Debug, serde::Serialize)]
struct Done {}

/// One of many things that could not be had.
#[derive(Debug, Clone)]
struct Unprocessed {
    id: String,
    code: String,
    message: String,
}

impl Unprocessed {
    fn of(id: &str, error: &Error) -> Self {
        let code = match error.kind() {
            ErrorKind::NotFound => "INVALID_INPUT".to_owned(),
            other => code(other).to_owned(),
        };
        Self { id: id.to_owned(), code, message: crate::fault::sentence(error) }
    }
}
