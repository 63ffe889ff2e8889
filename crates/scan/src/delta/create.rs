//! New Delta tables: the first version of a log, with or without rows.

use super::commit::{Ready, Staged};
use super::log::{failed, store};
use super::target::{DeltaColumn, Target, Writing};
use crate::scans::Scans;
use arrow::datatypes::Field;
use datafusion::execution::SendableRecordBatchStream;
use deltalake::DeltaTableError;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::kernel::{Action, StructField};
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;
use lake::Commit;
use model::{Error, LakeUri, Result};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use sql::SqlType;
use std::collections::HashSet;
use std::sync::Arc;
use url::Url;

/// The name of the first entry in a table's folder.
const FIRST_ENTRY: &str = "_delta_log/00000000000000000000.json";

/// A column of a new table.
#[derive(Debug, Clone)]
pub struct NewColumn {
    /// Its name; the log has it in lower case.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
    /// Whether values may be missing.
    pub nullable: bool,
    /// A note for people.
    pub comment: Option<String>,
}

/// A Delta table that is not there yet.
pub struct NewTable {
    target: Arc<Target>,
    comments: Vec<Option<String>>,
    /// A note for people.
    pub comment: Option<String>,
}

impl NewTable {
    /// Checks the columns. Those of `partitioned_by` tell its files apart, in that order.
    pub fn new(at: &LakeUri, columns: &[NewColumn], partitioned_by: &[String]) -> Result<Self> {
        let mut seen = HashSet::new();
        if let Some(twice) = columns.iter().find(|column| !seen.insert(column.name.to_lowercase())) {
            return Err(Error::invalid(format!("the column `{}` is there twice", twice.name)));
        }
        let is_key = |name: &str| partitioned_by.iter().any(|key| key.eq_ignore_ascii_case(name));
        let made =
            columns.iter().map(|c| DeltaColumn::new(&c.name, &c.sql_type, c.nullable, is_key(&c.name)));
        let made: Vec<DeltaColumn> = made.collect::<Result<_>>()?;
        let place = |key: &String| made.iter().position(|column| column.name.eq_ignore_ascii_case(key));
        let keys: Vec<usize> = partitioned_by.iter().filter_map(place).collect();
        if made.is_empty() || keys.len() == made.len() {
            return Err(Error::invalid("a table needs a column besides its partition keys"));
        }
        let target = Target { at: at.as_folder(), columns: made, keys };
        let comments = columns.iter().map(|column| column.comment.clone()).collect();
        Ok(Self { target: Arc::new(target), comments, comment: None })
    }

    /// The columns as the table will have them.
    pub fn columns(&self) -> &[DeltaColumn] {
        &self.target.columns
    }

    /// Writes the table's rows into a commit of the lake.
    pub async fn write(
        &self,
        streams: Vec<SendableRecordBatchStream>,
        writing: &Writing<'_>,
    ) -> Result<Staged> {
        let written = self.target.write(streams, writing).await?;
        Ok(self.staged(vec![written]))
    }

    /// A table without rows.
    pub fn empty(&self) -> Staged {
        self.staged(Vec::new())
    }

    fn staged(&self, written: Vec<crate::sink::Written>) -> Staged {
        Staged { target: Arc::clone(&self.target), written, removed: Vec::new(), table: None }
    }

    /// Puts the log's first entry beside the files, into the commit that takes them: if there is a table already when it
    /// is published, nothing has happened.
    pub async fn stage_entry(self, staged: &Staged, scans: &Scans, commit: &Commit) -> Result<()> {
        let target = Arc::clone(&self.target);
        let adds = staged.adds(scans.inner.options.clock.now())?;
        // The library writes first entries into logs only, so it gets one in memory.
        let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let url = Url::parse("memory:///")
            .map_err(|e| Error::internal("the place of a log in memory is no address").source_is(e))?;
        let log = default_logstore(Arc::clone(&memory), Arc::clone(&memory), &url, &StorageConfig::default());
        self.builder(log, adds)?.await.map_err(|e| failed(e, &target.at))?;
        let lost = |e| Error::internal("the first entry of a log is not there").source_is(e);
        let entry = memory.get(&Path::from(FIRST_ENTRY)).await.map_err(lost)?.bytes().await.map_err(lost)?;
        target.stage_entry(0, entry, commit).await
    }

    /// Writes the log's first entry, with the files. If there is a table already, it fails and nothing has happened.
    pub async fn create(self, scans: &Scans, ready: Ready) -> Result<()> {
        let at = self.target.at.clone();
        let log = store(&scans.inner.lake, &at)?;
        match self.builder(log, ready.actions())?.await {
            Ok(_) => Ok(()),
            Err(e) => {
                let error = failed(e, &at);
                Err(ready.give_up(error).await)
            }
        }
    }

    fn builder(self, log: LogStoreRef, actions: Vec<Action>) -> Result<CreateBuilder> {
        let fields = self.fields()?;
        let keys = self.target.keys.iter().filter_map(|at| self.target.columns.get(*at));
        let keys: Vec<String> = keys.map(|column| column.spelled.clone()).collect();
        let comment = self.comment;
        let mut create = CreateBuilder::new()
            .with_log_store(log)
            .with_save_mode(SaveMode::ErrorIfExists)
            .with_columns(fields)
            .with_partition_columns(keys)
            .with_actions(actions)
            .with_commit_properties(CommitProperties::default().with_max_retries(0));
        if let Some(comment) = comment {
            create = create.with_comment(comment);
        }
        Ok(create)
    }

    fn fields(&self) -> Result<Vec<StructField>> {
        let columns = self.target.columns.iter().zip(&self.comments);
        let fields = columns.map(|(column, comment)| {
            // Keys are moments too; only their text in the log does not say so.
            let sql_type = match &column.written {
                SqlType::Timestamp(digits) => SqlType::timestamp_utc(*digits),
                other => other.clone(),
            };
            let mut field = Field::new(&column.spelled, sql_type.to_arrow(), column.nullable);
            if let Some(comment) = comment {
                field = field.with_metadata([("comment".to_owned(), comment.clone())].into());
            }
            (&field).try_into_kernel()
        });
        let fields: std::result::Result<_, _> = fields.collect();
        fields.map_err(|e| {
            let e: DeltaTableError = DeltaTableError::from(e);
            Error::unsupported("the columns are not those of a Delta table").source_is(e)
        })
    }
}
