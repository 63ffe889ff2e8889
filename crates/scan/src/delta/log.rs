//! The log of a Delta table, read through the lake: columns, files, the values of their partitions, their row counts.

use crate::columns::{ColumnKind, Columns};
use crate::files::{KnownFile, ScanFile};
use crate::partitions::{name_of, typed};
use crate::values;
use chrono::DateTime;
use deltalake::arrow::datatypes::{DataType, Schema};
use deltalake::kernel::Add;
use deltalake::kernel::engine::arrow_conversion::TryIntoArrow as _;
use deltalake::kernel::transaction::TransactionError;
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use deltalake::{DeltaTable, DeltaTableError};
use futures::TryStreamExt;
use lake::{Lake, ListOptions, ObjectInfo};
use model::{Error, ErrorKind, LakeUri, Place, Result};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use sql::SqlType;
use std::sync::Arc;
use url::Url;

/// One version of a table.
pub(super) struct Snapshot {
    /// The columns in the log's order.
    pub(super) columns: Vec<LogColumn>,
    /// The partition columns as the log writes them.
    pub(super) partition_columns: Vec<String>,
    pub(super) files: Vec<Add>,
}

/// A column as the log says it is.
#[derive(Debug, Clone)]
pub(super) struct LogColumn {
    /// Its name as the log spells it; queries know it in lower case.
    pub(super) name: String,
    pub(super) data_type: DataType,
    /// What its files hold, without the log's spelling of fields.
    pub(super) stored: SqlType,
    pub(super) kind: ColumnKind,
    pub(super) nullable: bool,
}

impl LogColumn {
    /// The type that queries see.
    pub(super) fn shown(&self) -> SqlType {
        three_digits(self.stored.clone())
    }
}

/// Whether there is a log at that address.
pub(crate) async fn holds_log(lake: &Lake, at: &LakeUri) -> Result<bool> {
    let log = at.join("_delta_log/")?;
    let options = ListOptions { max_keys: 1, ..ListOptions::default() };
    match lake.list_page(&log, options).await {
        Ok(page) => Ok(!page.objects.is_empty()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The log at that address, whether there is one or not.
pub(super) fn store(lake: &Lake, at: &LakeUri) -> Result<LogStoreRef> {
    let folder = at.as_folder();
    let url = Url::parse(&folder.to_string()).map_err(|e| {
        Error::invalid("the table's location is no address").at(Place::object(at)).source_is(e)
    })?;
    let root = lake.object_store(at.bucket());
    let path = Path::from_url_path(url.path())
        .map_err(|e| Error::invalid("the table's location is no path").at(Place::object(at)).source_is(e))?;
    let prefixed = Arc::new(PrefixStore::new(Arc::clone(&root), path));
    Ok(default_logstore(prefixed, root, &url, &StorageConfig::default()))
}

/// The table at that address, with its newest version loaded.
pub(super) async fn load(lake: &Lake, at: &LakeUri) -> Result<DeltaTable> {
    let mut table = DeltaTable::new(store(lake, at)?);
    table.load().await.map_err(|e| failed(e, at))?;
    Ok(table)
}

fn conflict(at: &LakeUri) -> Error {
    Error::conflict("somebody else changed the Delta table in between")
        .at(Place::object(at))
        .why("the change was made from an older version; nothing of it has happened")
        .hint("run it again")
}

/// What deltalake says, as the house says it.
pub(super) fn failed(e: DeltaTableError, at: &LakeUri) -> Error {
    if let Some(ours) = crate::error::carried(&e) {
        return ours;
    }
    let place = || Place::object(at);
    match e {
        DeltaTableError::NotATable(_) => {
            Error::not_found("there is no Delta table at this location").at(place())
        }
        DeltaTableError::VersionAlreadyExists(_) => conflict(at),
        DeltaTableError::Transaction {
            source: source @ (TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_)),
        } => conflict(at).source_is(source),
        other => {
            let text = other.to_string();
            let line = text.lines().next().unwrap_or_default().to_owned();
            Error::new(ErrorKind::Corrupt, "the Delta table cannot be read or changed").at(place()).why(line)
        }
    }
}

/// The newest version of the table.
pub(super) async fn read(lake: &Lake, at: &LakeUri) -> Result<Snapshot> {
    read_version(&load(lake, at).await?, at).await
}

/// What the loaded version says.
#[allow(deprecated, reason = "the arrays behind the actions are not public")]
pub(super) async fn read_version(table: &DeltaTable, at: &LakeUri) -> Result<Snapshot> {
    let state = table.snapshot().map_err(|e| failed(e, at))?;
    if state.metadata().configuration().get("delta.columnMapping.mode").is_some_and(|mode| mode != "none") {
        return Err(Error::unsupported("the Delta table maps its columns to other names")
            .at(Place::object(at))
            .hint("write it without column mapping"));
    }
    let schema: Schema = state
        .schema()
        .as_ref()
        .try_into_arrow()
        .map_err(|e| Error::unsupported("the Delta table's columns have no SQL types").source_is(e))?;
    let partition_columns: Vec<String> = state.metadata().partition_columns().to_vec();
    let mut columns = Vec::new();
    for field in schema.fields() {
        let stored = SqlType::from_arrow(field.data_type()).ok_or_else(|| {
            Error::unsupported(format!(
                "the column `{}` of type {} has no SQL type",
                field.name(),
                field.data_type()
            ))
            .at(Place::object(at))
        })?;
        let is_key = partition_columns.iter().any(|key| key == field.name());
        columns.push(LogColumn {
            name: field.name().clone(),
            data_type: field.data_type().clone(),
            stored,
            kind: if is_key { ColumnKind::Partition } else { ColumnKind::Data },
            nullable: field.is_nullable(),
        });
    }
    let files = state.snapshot().file_views(table.log_store().as_ref(), None);
    let files: Vec<Add> =
        files.map_ok(|view| view.add_action()).try_collect().await.map_err(|e| failed(e, at))?;
    Ok(Snapshot { columns, partition_columns, files })
}

/// Timestamps as the catalog's tables have them: three digits, in UTC without saying so.
pub(super) fn three_digits(sql_type: SqlType) -> SqlType {
    match sql_type {
        SqlType::Timestamp(_) | SqlType::TimestampTz(..) => SqlType::Timestamp(3),
        SqlType::Array(element) => SqlType::array(three_digits(*element)),
        SqlType::Map(key, value) => SqlType::map(three_digits(*key), three_digits(*value)),
        SqlType::Row(fields) => SqlType::Row(
            fields
                .into_iter()
                .map(|field| sql::RowField { name: field.name, sql_type: three_digits(field.sql_type) })
                .collect(),
        ),
        other => other,
    }
}

impl Snapshot {
    /// The files with the values of the partition columns, in the order of `columns`.
    pub(super) fn chosen(&self, at: &LakeUri, columns: &Columns) -> Result<Vec<KnownFile>> {
        self.files.iter().map(|add| self.file(at, columns, add)).collect()
    }

    fn file(&self, at: &LakeUri, columns: &Columns, add: &Add) -> Result<KnownFile> {
        // Some writers note other files by whole addresses.
        let uri = match add.path.contains("://") {
            true => add.path.parse()?,
            false => at.join(&add.path)?,
        };
        if add.deletion_vector.is_some() {
            return Err(Error::unsupported("the Delta table has deletion vectors")
                .at(Place::object(&uri))
                .why("rows of this file are marked as deleted in another file")
                .hint("purge them where the table is written: REORG TABLE … APPLY (PURGE)"));
        }
        let texts = columns.partitions().iter().map(|column| {
            let name = self.partition_columns.iter().find(|key| key.to_lowercase() == column.name);
            let value = name.and_then(|name| add.partition_values.get(name)).and_then(Option::as_ref);
            // The protocol means a missing value by an empty one.
            value.filter(|text| !text.is_empty()).cloned().unwrap_or_else(|| values::NULL_VALUE.to_owned())
        });
        let texts: Vec<String> = texts.collect();
        let stats: Option<serde_json::Value> =
            add.stats.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let rows = stats.as_ref().and_then(|stats| usize::try_from(stats.get("numRecords")?.as_u64()?).ok());
        let info = ObjectInfo {
            uri,
            size: u64::try_from(add.size).unwrap_or_default(),
            etag: String::new(),
            last_modified: DateTime::from_timestamp_millis(add.modification_time).unwrap_or_default(),
            checksums: Default::default(),
            content_type: None,
            headers: Default::default(),
            metadata: Default::default(),
            version: None,
        };
        Ok(KnownFile {
            file: ScanFile::new(info),
            values: typed(columns, &texts)?.into(),
            name: name_of(columns, &texts).into(),
            rows,
        })
    }
}
