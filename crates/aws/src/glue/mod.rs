//! Glue: the data catalog over ours, crawlers, jobs and their runs.

mod classifiers;
mod connections;
mod crawlers;
mod databases;
mod functions;
mod job_runs;
mod jobs;
mod partition_changes;
mod partitions;
mod settings;
mod shapes;
mod statistics;
mod tables;
mod tagging;
mod versions;

pub(crate) use crawlers::LOG_GROUP as CRAWL_LOGS;
pub(crate) use job_runs::{RUN_KIND as JOB_RUNS, is_script};

use crate::door::Rooms;
use crate::json::Table;
use crate::store::Documents;
use model::ErrorKind;

/// What the operations stand on that need more than the catalog.
#[derive(Clone)]
pub(crate) struct Glue {
    rooms: Rooms,
    documents: Documents,
}

/// The operations of Glue that are served.
pub(crate) fn table(rooms: &Rooms, documents: &Documents) -> Table {
    let glue = &Glue { rooms: rooms.clone(), documents: documents.clone() };
    let table = Table::new("AWSGlue", "glue", "1.1", code);
    jobs_and_settings(crawlers_and_more(tables_and_more(table, glue), glue), glue)
}

fn tables_and_more(table: Table, glue: &Glue) -> Table {
    let catalog = &glue.rooms.catalog;
    table
        .add("CreateDatabase", catalog, databases::create)
        .add("DeleteDatabase", catalog, databases::delete)
        .add("GetDatabase", catalog, databases::get)
        .add("GetDatabases", catalog, databases::list)
        .add("UpdateDatabase", catalog, databases::update)
        .add("CreateTable", catalog, tables::create)
        .add("DeleteTable", catalog, tables::delete)
        .add("GetTable", catalog, tables::get)
        .add("GetTables", catalog, tables::list)
        .add("UpdateTable", catalog, tables::update)
        .add("BatchDeleteTable", glue, versions::delete_tables)
        .add("GetTableVersion", glue, versions::get)
        .add("GetTableVersions", glue, versions::list)
        .add("DeleteTableVersion", glue, versions::delete)
        .add("BatchDeleteTableVersion", glue, versions::delete_many)
        .add("BatchCreatePartition", catalog, partitions::create_many)
        .add("CreatePartition", catalog, partitions::create)
        .add("DeletePartition", catalog, partitions::delete)
        .add("GetPartition", catalog, partitions::get)
        .add("GetPartitions", catalog, partitions::list)
        .add("BatchGetPartition", glue, partition_changes::get_many)
        .add("UpdatePartition", glue, partition_changes::update)
        .add("BatchUpdatePartition", glue, partition_changes::update_many)
        .add("BatchDeletePartition", glue, partition_changes::delete_many)
        .add("CreatePartitionIndex", glue, partition_changes::create_index)
        .add("GetPartitionIndexes", glue, partition_changes::indexes)
        .add("DeletePartitionIndex", glue, partition_changes::delete_index)
        .add("UpdateColumnStatisticsForTable", glue, statistics::update_table)
        .add("GetColumnStatisticsForTable", glue, statistics::get_table)
        .add("DeleteColumnStatisticsForTable", glue, statistics::delete_table)
        .add("UpdateColumnStatisticsForPartition", glue, statistics::update_partition)
        .add("GetColumnStatisticsForPartition", glue, statistics::get_partition)
        .add("DeleteColumnStatisticsForPartition", glue, statistics::delete_partition)
}

fn crawlers_and_more(table: Table, glue: &Glue) -> Table {
    table
        .add("CreateUserDefinedFunction", glue, functions::create)
        .add("UpdateUserDefinedFunction", glue, functions::update)
        .add("GetUserDefinedFunction", glue, functions::get)
        .add("GetUserDefinedFunctions", glue, functions::list)
        .add("DeleteUserDefinedFunction", glue, functions::delete)
        .add_called("CreateConnection", glue, connections::create)
        .add("UpdateConnection", glue, connections::update)
        .add("GetConnection", glue, connections::get)
        .add("GetConnections", glue, connections::list)
        .add_called("DeleteConnection", glue, connections::delete)
        .add_called("BatchDeleteConnection", glue, connections::delete_many)
        .add_called("CreateCrawler", glue, crawlers::create)
        .add_called("UpdateCrawler", glue, crawlers::update)
        .add("GetCrawler", glue, crawlers::get)
        .add("GetCrawlers", glue, crawlers::list)
        .add_called("ListCrawlers", glue, crawlers::names)
        .add("BatchGetCrawlers", glue, crawlers::get_many)
        .add_called("DeleteCrawler", glue, crawlers::delete)
        .add("StartCrawler", glue, crawlers::start)
        .add("StopCrawler", glue, crawlers::stop)
        .add("GetCrawlerMetrics", glue, crawlers::metrics)
        .add("ListCrawls", glue, crawlers::history)
        .add("StartCrawlerSchedule", glue, crawlers::start_schedule)
        .add("StopCrawlerSchedule", glue, crawlers::stop_schedule)
        .add("UpdateCrawlerSchedule", glue, crawlers::update_schedule)
        .add("CreateClassifier", glue, classifiers::create)
        .add("UpdateClassifier", glue, classifiers::update)
        .add("GetClassifier", glue, classifiers::get)
        .add("GetClassifiers", glue, classifiers::list)
        .add("DeleteClassifier", glue, classifiers::delete)
}

fn jobs_and_settings(table: Table, glue: &Glue) -> Table {
    table
        .add_called("CreateJob", glue, jobs::create)
        .add_called("UpdateJob", glue, jobs::update)
        .add("GetJob", glue, jobs::get)
        .add("GetJobs", glue, jobs::list)
        .add_called("ListJobs", glue, jobs::names)
        .add("BatchGetJobs", glue, jobs::get_many)
        .add_called("DeleteJob", glue, jobs::delete)
        .add("GetJobBookmark", glue, jobs::get_bookmark)
        .add("ResetJobBookmark", glue, jobs::reset_bookmark)
        .add_called("StartJobRun", glue, job_runs::start)
        .add("GetJobRun", glue, job_runs::get)
        .add("GetJobRuns", glue, job_runs::list)
        .add("BatchStopJobRun", glue, job_runs::stop)
        .add_called("TagResource", glue, tagging::tag)
        .add_called("UntagResource", glue, tagging::untag)
        .add_called("GetTags", glue, tagging::get)
        .add("PutResourcePolicy", glue, settings::put_policy)
        .add("GetResourcePolicy", glue, settings::get_policy)
        .add("GetResourcePolicies", glue, settings::list_policies)
        .add("DeleteResourcePolicy", glue, settings::delete_policy)
        .add("CreateSecurityConfiguration", glue, settings::create_security)
        .add("GetSecurityConfiguration", glue, settings::get_security)
        .add("GetSecurityConfigurations", glue, settings::list_security)
        .add("DeleteSecurityConfiguration", glue, settings::delete_security)
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
