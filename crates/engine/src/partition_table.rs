//! `"table$partitions"`: the keys of a table's partitions, as a table.

use crate::information_schema::in_memory;
use crate::write::NULL_PARTITION;
use arrow::array::{ArrayRef, StringViewArray};
use catalog::{Catalog, PartitionQuery};
use chrono::{DateTime, Utc};
use functions::Session;
use functions::cast::{OnError, cast};
use model::{EntityName, Error, Result};
use plan::{Found, TableColumn};
use sql::SqlType;
use std::sync::Arc;

/// What stands behind the table's name.
pub(crate) const SUFFIX: &str = "$partitions";

/// The partitions of that table, as the catalog knows them now.
pub(crate) async fn open(
    catalog: &Catalog,
    database: &str,
    table: &str,
    now: DateTime<Utc>,
) -> Result<Found> {
    let session = Session::new(now);
    let (database, name) = (EntityName::new(database)?, EntityName::new(table)?);
    let entry = catalog.get_table(&database, &name).await?;
    let keys = &entry.table.partition_keys;
    if keys.is_empty() {
        return Err(Error::invalid(format!("the table `{database}.{name}` is not partitioned")));
    }
    let partitions = catalog.list_partitions(&database, &name, PartitionQuery::default()).await?.partitions;
    let (mut described, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
    for (at, key) in keys.iter().enumerate() {
        let sql_type = SqlType::from_hive(&key.hive_type);
        let values =
            partitions.iter().map(|p| p.values.get(at).map(String::as_str).filter(|v| *v != NULL_PARTITION));
        let texts: ArrayRef = Arc::new(values.collect::<StringViewArray>());
        arrays.push(cast(&texts, &SqlType::VARCHAR, &sql_type, &session, OnError::Null)?);
        described.push(TableColumn { name: key.name.to_lowercase(), sql_type, hidden: false });
    }
    in_memory(described, arrays)
}
