//! Glue's data catalog over ours.

mod databases;
mod partitions;
mod shapes;
mod tables;

use crate::json::Table;
use catalog::Catalog;
use model::ErrorKind;

/// The operations of Glue that are served.
pub(crate) fn table(catalog: Catalog) -> Table {
    Table::new("AWSGlue", "glue", "1.1", code)
        .add("CreateDatabase", &catalog, databases::create)
        .add("DeleteDatabase", &catalog, databases::delete)
        .add("GetDatabase", &catalog, databases::get)
        .add("GetDatabases", &catalog, databases::list)
        .add("UpdateDatabase", &catalog, databases::update)
        .add("CreateTable", &catalog, tables::create)
        .add("DeleteTable", &catalog, tables::delete)
        .add("GetTable", &catalog, tables::get)
        .add("GetTables", &catalog, tables::list)
        .add("UpdateTable", &catalog, tables::update)
        .add("BatchCreatePartition", &catalog, partitions::create_many)
        .add("CreatePartition", &catalog, partitions::create)
        .add("DeletePartition", &catalog, partitions::delete)
        .add("GetPartition", &catalog, partitions::get)
        .add("GetPartitions", &catalog, partitions::list)
}

/// Glue's errors.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "EntityNotFoundException",
        ErrorKind::AlreadyExists => "AlreadyExistsException",
        ErrorKind::Conflict | ErrorKind::PreconditionFailed => "ConcurrentModificationException",
        ErrorKind::InvalidInput | ErrorKind::Unsupported => "InvalidInputException",
        ErrorKind::Denied => "AccessDeniedException",
        ErrorKind::LimitExceeded => "ResourceNumberLimitExceededException",
        ErrorKind::Timeout | ErrorKind::Cancelled => "OperationTimeoutException",
        ErrorKind::Unavailable | ErrorKind::Corrupt | ErrorKind::Internal => "InternalServiceException",
    }
}
