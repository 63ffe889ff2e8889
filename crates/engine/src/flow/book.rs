//! The book of rejects: rows and lines that could not be taken, each with its reason, kept until the flow's commit takes
//! them. They are written to files of this machine first: nobody knows how many there will be.

use super::FlowColumn;
use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema};
use bytes::Bytes;
use formats::{JsonSpec, WriteFormat, WriteSpec};
use lake::{Commit, PutOptions};
use model::{Error, LakeUri, Place, Result};
use serde::{Deserialize, Serialize};
use sql::SqlType;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much of a file is staged at a time.
const PIECE: usize = 4 << 20;

/// What one node rejected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedNode {
    /// How many rows or lines.
    pub rows: u64,
    /// By column and reason, how many.
    pub reasons: BTreeMap<String, u64>,
    /// Where they are written, once they are.
    pub location: Option<String>,
}

/// What a flow rejects. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RejectBook {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    prefix: String,
    /// At most so many, then the flow fails.
    most: Option<u64>,
    pages: Mutex<BTreeMap<String, Page>>,
    /// By node, lines with fields that the part of the files which was looked at does not have.
    surprises: Mutex<BTreeMap<String, Surprises>>,
    /// Why a line could not be taken: whoever reads lines cannot be told at once.
    failure: Mutex<Option<Error>>,
}

/// A node's lines with unknown fields, as many as say enough.
#[derive(Debug, Default)]
struct Surprises {
    lines: Vec<String>,
    bytes: usize,
}

/// So many bytes of such lines are kept for each node.
const MOST_SURPRISES: usize = 4 << 20;

#[derive(Debug)]
struct Page {
    file: BufWriter<File>,
    path: PathBuf,
    account: RejectedNode,
}

impl RejectBook {
    /// A book whose files stand in that folder of this machine, under names that begin so.
    pub(super) fn new(folder: &Path, prefix: &str, most: Option<u64>) -> Self {
        let inner = Inner {
            folder: folder.to_owned(),
            prefix: prefix.to_owned(),
            most,
            pages: Mutex::default(),
            surprises: Mutex::default(),
            failure: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    fn pages(&self) -> MutexGuard<'_, BTreeMap<String, Page>> {
        self.inner.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes rows of a node's input. `why` says for each row the column that is wrong, and what is wrong with it.
    pub(super) fn take_rows(
        &self,
        node: &str,
        columns: &[FlowColumn],
        rows: &RecordBatch,
        why: &[(&str, &str)],
    ) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let text = || SqlType::VARCHAR;
        let mut fields: Vec<Field> =
            columns.iter().map(|c| Field::new(&c.name, c.sql_type.to_arrow(), true)).collect();
        let mut types: Vec<SqlType> = columns.iter().map(|c| c.sql_type.clone()).collect();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len() + 2);
        for (array, field) in rows.columns().iter().zip(&fields) {
            arrays
                .push(arrow::compute::cast(array, field.data_type()).map_err(functions::cast::arrow_error)?);
        }
        for (name, pick) in [("rejected_column", 0), ("rejected_reason", 1)] {
            let values = why.iter().map(|(column, reason)| Some(if pick == 0 { *column } else { *reason }));
            arrays.push(Arc::new(values.collect::<StringViewArray>()));
            fields.push(Field::new(name, text().to_arrow(), true));
            types.push(text());
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .map_err(|e| Error::internal("rejected rows do not have their columns").source_is(e))?;
        let spec = WriteSpec::new(WriteFormat::Json(JsonSpec { write_nulls: true, ..JsonSpec::default() }));
        let mut encoder = formats::encoder(&spec, schema, &types)?;
        encoder.write(&batch)?;
        let first = encoder.take();
        let last = encoder.finish()?.bytes;
        self.write(node, &[&first, &last], why)
    }

    /// Takes a line of a file that could not be read.
    pub fn take_line(
        &self,
        node: &str,
        file: &str,
        line: u64,
        column: Option<&str>,
        text: &str,
        reason: &str,
    ) {
        if reason == formats::UNKNOWN_FIELD {
            let mut all = self.inner.surprises.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = all.entry(node.to_owned()).or_default();
            kept.bytes += text.len();
            if kept.bytes <= MOST_SURPRISES {
                kept.lines.push(text.to_owned());
            }
        }
        let value = serde_json::json!({
            "file": file, "line": line, "text": text, "rejected_column": column, "rejected_reason": reason,
        });
        let mut bytes = value.to_string().into_bytes();
        bytes.push(b'\n');
        if let Err(error) = self.write(node, &[&bytes], &[(column.unwrap_or("the line"), reason)]) {
            self.inner.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    /// By node, lines that were rejected because they have fields which nobody knew of when the flow was planned. With
    /// them as [`crate::FileFormat::examples`] the next flow knows.
    pub fn unknown_fields(&self) -> BTreeMap<String, Vec<String>> {
        let all = self.inner.surprises.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(node, kept)| (node.clone(), kept.lines.clone())).collect()
    }

    /// Whether all that was rejected stands in the book, and is no more than the flow may reject.
    pub fn check(&self) -> Result<()> {
        self.inner.failure.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    fn write(&self, node: &str, pieces: &[&[u8]], why: &[(&str, &str)]) -> Result<()> {
        let mut pages = self.pages();
        let count = pages.len();
        if !pages.contains_key(node) {
            let path = self.inner.folder.join(format!("{}-rejects-{count}.json", self.inner.prefix));
            std::fs::create_dir_all(&self.inner.folder).map_err(|e| cannot(&self.inner.folder, e))?;
            let file = File::create(&path).map_err(|e| cannot(&path, e))?;
            let account = RejectedNode::default();
            pages.insert(node.to_owned(), Page { file: BufWriter::new(file), path, account });
        }
        let Some(page) = pages.get_mut(node) else { return Ok(()) };
        page.account.rows += why.len() as u64;
        for (column, reason) in why {
            *page.account.reasons.entry(format!("{column}: {reason}")).or_default() += 1;
        }
        for piece in pieces {
            page.file.write_all(piece).map_err(|e| cannot(&page.path, e))?;
        }
        let all: u64 = pages.values().map(|page| page.account.rows).sum();
        match self.inner.most {
            Some(most) if all > most => {
                let mut error = Error::new(
                    model::ErrorKind::LimitExceeded,
                    format!("the job was stopped: more than {most} rows were rejected"),
                );
                for (node, page) in pages.iter().take(3) {
                    if let Some((reason, count)) = page.account.reasons.iter().max_by_key(|(_, n)| **n) {
                        error = error.why(format!("`{node}`: {reason} ({count} times)"));
                    }
                }
                Err(error.hint("mend the data or the job, or allow more rejects"))
            }
            _ => Ok(()),
        }
    }

    /// How many were rejected by each node so far.
    pub fn account(&self) -> BTreeMap<String, RejectedNode> {
        self.pages().iter().map(|(node, page)| (node.clone(), page.account.clone())).collect()
    }

    /// Stages all files below a folder of the lake, one per node. Answers what was rejected, by node.
    pub(super) async fn stage(
        &self,
        commit: &Commit,
        at: &LakeUri,
    ) -> Result<BTreeMap<String, RejectedNode>> {
        self.check()?;
        let pages = std::mem::take(&mut *self.pages());
        let mut all = BTreeMap::new();
        for (node, page) in pages {
            let Page { file, path, mut account } = page;
            let flushed = file.into_inner().map_err(|e| cannot(&path, e.into_error()));
            drop(flushed?);
            let safe: String =
                node.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect();
            let uri = at.as_folder().join(&format!("{safe}.json"))?;
            let staged = stage_file(commit, &uri, &path).await;
            let _ = std::fs::remove_file(&path);
            staged?;
            account.location = Some(uri.to_string());
            all.insert(node, account);
        }
        Ok(all)
    }
}

async fn stage_file(commit: &Commit, uri: &LakeUri, path: &Path) -> Result<()> {
    let mut file = File::open(path).map_err(|e| cannot(path, e))?;
    let mut writer = commit.writer(uri, PutOptions::made_here()).await?;
    loop {
        let mut piece = Vec::new();
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece).map_err(|e| cannot(path, e))?;
        if read == 0 {
            writer.finish().await?;
            return Ok(());
        }
        writer.write(Bytes::from(piece)).await?;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for page in self.pages.get_mut().unwrap_or_else(PoisonError::into_inner).values() {
            let _ = std::fs::remove_file(&page.path);
        }
    }
}

pub(super) fn cannot(path: &Path, error: std::io::Error) -> Error {
    Error::unavailable("cannot write to the folder for what does not fit into memory")
        .at(Place::object(path.display()))
        .source_is(error)
}
