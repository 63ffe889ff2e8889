//! `"table$partitions"`: the keys of a table's partitions, as a table.

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema};
use catalog::{Catalog, PartitionQuery};
use chrono::{DateTime, Utc};
use datafusion::datasource::{MemTable, provider_as_source};
use functions::Session;
use functions::cast::{OnError, cast};
use model::{EntityName, Error, Result};
use plan::{Found, TableColumn};
use sql::SqlType;
use std::sync::Arc;

/// What stands behind the table's name.
pub(crate) const SUFFIX: &str = "$partitions";

/// The folder value of rows whose key is NULL.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

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
    let (mut fields, mut described, mut arrays) = (Vec::new(), Vec::new(), Vec::<ArrayRef>::new());
    for (at, key) in keys.iter().enumerate() {
        let sql_type = SqlType::from_hive(&key.hive_type);
        let values = partitions.iter().map(|p| p.values.get(at).map(String::as_str).filter(|v| *v != NULL));
        let texts: ArrayRef = Arc::new(values.collect::<StringViewArray>());
        let array = cast(&texts, &SqlType::VARCHAR, &sql_type, &session, OnError::Null)?;
        fields.push(Field::new(key.name.to_lowercase(), array.data_type().clone(), true));
        described.push(TableColumn { name: key.name.to_lowercase(), sql_type, hidden: false });
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(functions::cast::arrow_error)?;
    let table = MemTable::try_new(schema, vec![vec![batch]]).map_err(scan::error)?;
    Ok(Found::Table { columns: described, source: provider_as_source(Arc::new(table)) })
}
