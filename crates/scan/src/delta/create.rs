//! New Delta tables: the first version of a log, with or without rows.

use super::commit::{Ready, Staged};
use super::log::{failed, store};
use super::target::{DeltaColumn, Target, Writing};
use crate::scans::Scans;
use arrow::datatypes::Field;
use datafusion::execution::SendableRecordBatchStream;
use deltalake::DeltaTableError;
use deltalake::kernel::StructField;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;
use model::{Error, LakeUri, Result};
use sql::SqlType;
use std::collections::HashSet;
use std::sync::Arc;

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

    /// Writes the log's first entry, with the files. If there is a table already, it fails and nothing has happened.
    pub async fn create(self, scans: &Scans, ready: Ready) -> Result<()> {
        let fields = self.fields()?;
        let log = store(&scans.inner.lake, &self.target.at)?;
        let keys = self.target.keys.iter().filter_map(|at| self.target.columns.get(*at));
        let keys: Vec<String> = keys.map(|column| column.spelled.clone()).collect();
        let comment = self.comment;
        let mut create = CreateBuilder::new()
            .with_log_store(log)
            .with_save_mode(SaveMode::ErrorIfExists)
            .with_columns(fields)
            .with_partition_columns(keys)
            .with_actions(ready.actions())
            .with_commit_properties(CommitProperties::default().with_max_retries(0));
        if let Some(comment) = comment {
            create = create.with_comment(comment);
        }
        match create.await {
            Ok(_) => Ok(()),
            Err(e) => {
                let error = failed(e, &self.target.at);
                Err(ready.give_up(error).await)
            }
        }
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
