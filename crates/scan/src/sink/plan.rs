//! What is written and how, checked once before the first row: the columns' roles, names, limits.

use super::SinkSpec;
use super::keys::{Buckets, TargetKey};
use super::split::{Splitter, broken};
use super::targets::Naming;
use super::{bucket, folder, value};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use formats::{Encoder, WriteFormat, WriteSpec};
use model::{Error, LakeUri, Result};
use sql::SqlType;
use std::sync::Arc;

/// A write's plan.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) location: LakeUri,
    pub(crate) max_open_writers: usize,
    pub(crate) memory_limit: usize,
    /// How many files of one target may be written at the same time.
    pub(crate) lanes: usize,
    max_file_bytes: Option<u64>,
    write: WriteSpec,
    prefix: String,
    file_name: Option<String>,
    extension: String,
    null_partition: String,
    columns: Vec<(String, SqlType, DataType)>,
    keys: Vec<usize>,
    buckets: Option<Buckets>,
    kept: Vec<usize>,
    /// Of the batches that come in.
    input: SchemaRef,
    /// Of the files.
    schema: SchemaRef,
    types: Vec<SqlType>,
}

impl Plan {
    /// Checks a specification. `workers` is how many threads encode.
    pub(crate) fn new(spec: &SinkSpec, workers: usize) -> Result<Self> {
        let columns: Vec<_> =
            spec.columns.iter().map(|(n, t)| (n.clone(), t.clone(), t.to_arrow())).collect();
        for at in &spec.partition_by {
            let (name, sql_type) = column(spec, *at)?;
            value::check_key_type(name, sql_type)?;
        }
        let kept: Vec<usize> = (0..columns.len()).filter(|at| !spec.partition_by.contains(at)).collect();
        if kept.is_empty() {
            return Err(Error::invalid("no column is left for the files")
                .why("every column is a partition key")
                .hint("keep at least one column out of partitioned_by"));
        }
        let buckets = spec.bucketed_by.as_ref().map(|(by, count)| buckets(spec, by, *count)).transpose()?;
        let all = columns.iter().map(|(name, _, t)| Field::new(name, t.clone(), true));
        let input = Arc::new(Schema::new(all.collect::<Vec<_>>()));
        let field = |at: &usize| columns.get(*at).map(|(name, _, t)| Field::new(name, t.clone(), true));
        let schema = Arc::new(Schema::new(kept.iter().filter_map(field).collect::<Vec<_>>()));
        let types = kept.iter().filter_map(|at| columns.get(*at)).map(|(_, t, _)| t.clone()).collect();
        let has_own_files = spec.partition_by.is_empty() || buckets.is_some();
        let plan = Self {
            location: spec.location.as_folder(),
            max_open_writers: spec.max_open_writers.max(1),
            memory_limit: spec.memory_limit.max(1),
            lanes: if has_own_files { 1 } else { workers.max(1) },
            max_file_bytes: spec.max_file_bytes,
            extension: spec.write.extension(),
            write: spec.write.clone(),
            prefix: spec.file_prefix.clone(),
            file_name: spec.file_name.clone(),
            null_partition: spec.null_partition.clone(),
            columns,
            keys: spec.partition_by.clone(),
            buckets,
            kept,
            input,
            schema,
            types,
        };
        // A format that cannot take these columns is refused before the first row is read.
        plan.encoder()?;
        Ok(plan)
    }

    pub(crate) fn is_partitioned(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether each stream writes files of its own.
    pub(crate) fn is_by_stream(&self) -> bool {
        self.keys.is_empty() && self.buckets.is_none()
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn splitter(&self) -> Splitter {
        let keys = self.keys.iter().filter_map(|at| Some((*at, self.columns.get(*at)?.1.clone()))).collect();
        Splitter::new(keys, self.buckets.clone(), self.kept.clone(), self.memory_limit)
    }

    /// Whether small pieces are copied together before they are encoded.
    pub(crate) fn joins(&self) -> bool {
        !matches!(self.write.format, WriteFormat::Parquet)
    }

    pub(crate) fn encoder(&self) -> Result<Box<dyn Encoder>> {
        formats::encoder(&self.write, Arc::clone(&self.schema), &self.types)
    }

    /// Whether a file of this size is long enough. Buckets stay whole: readers count on one file for each.
    pub(crate) fn is_full(&self, size: u64) -> bool {
        self.buckets.is_none() && self.max_file_bytes.is_some_and(|most| size >= most)
    }

    /// Whether there must be no second file.
    pub(crate) fn is_one_file(&self) -> bool {
        self.file_name.is_some()
    }

    /// A key as it can be told apart in folder names: nothing, the empty text and the name of the default folder are
    /// the same there.
    pub(crate) fn stored(&self, mut key: TargetKey) -> TargetKey {
        for value in &mut key.values {
            if value.as_ref().is_some_and(|text| text.is_empty() || *text == self.null_partition) {
                *value = None;
            }
        }
        key
    }

    pub(crate) fn partition_folder(&self, values: &[Option<String>]) -> Result<LakeUri> {
        let mut path = String::new();
        for (at, value) in self.keys.iter().zip(values) {
            let name = self.columns.get(*at).map_or("", |(name, ..)| name.as_str());
            path.push_str(&folder::folder_name(name, value.as_deref(), &self.null_partition));
            path.push('/');
        }
        self.location.join(&path).map_err(|error| {
            error.context(format!("the folder of a partition below {} is too long", self.location))
        })
    }

    pub(crate) fn file_uri(&self, naming: &Naming, number: u64) -> Result<LakeUri> {
        if let Some(name) = &self.file_name {
            return naming.folder.join(name);
        }
        let name = folder::file_name(&self.prefix, number, naming.bucket);
        naming.folder.join(&format!("{name}{}", self.extension))
    }

    /// The batch with exactly the Arrow types of the columns' SQL types.
    pub(crate) fn conform(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if batch.num_columns() != self.columns.len() {
            let text = format!(
                "rows of {} columns arrived, {} were planned",
                batch.num_columns(),
                self.columns.len()
            );
            return Err(Error::internal(text));
        }
        let arrays = batch.columns().iter().zip(&self.columns);
        let arrays: Vec<ArrayRef> =
            arrays.map(|(a, (name, _, t))| conform(a, name, t)).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.input), arrays, &options).map_err(broken)
    }
}

fn conform(array: &ArrayRef, name: &str, wanted: &DataType) -> Result<ArrayRef> {
    if array.data_type() == wanted {
        return Ok(ArrayRef::clone(array));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, wanted, &options).map_err(|error| {
        let text = format!("column `{name}` arrived as {}, but {wanted} was planned", array.data_type());
        Error::internal(text).source_is(error)
    })
}

fn column(spec: &SinkSpec, at: usize) -> Result<(&str, &SqlType)> {
    let (name, sql_type) = spec
        .columns
        .get(at)
        .ok_or_else(|| Error::internal(format!("there is no column {at} to write by")))?;
    Ok((name, sql_type))
}

fn buckets(spec: &SinkSpec, by: &[usize], count: u32) -> Result<Buckets> {
    let columns: Vec<(&str, &SqlType)> = by.iter().map(|at| column(spec, *at)).collect::<Result<_>>()?;
    bucket::check(&columns, count)?;
    if let Some(((name, _), _)) = columns.iter().zip(by).find(|(_, at)| spec.partition_by.contains(at)) {
        return Err(Error::invalid(format!(
            "column `{name}` cannot be both a partition key and a bucketing column"
        )));
    }
    let columns = by.iter().zip(columns).map(|(at, (_, sql_type))| (*at, sql_type.clone())).collect();
    Ok(Buckets { columns, count })
}
