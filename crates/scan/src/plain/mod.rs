//! Files without a catalog table: found by addresses, folders and patterns ([`FileSearch`]), described by looking into
//! them ([`FileFormat`]), and then read like any table. Folders named `key=value` are columns.

mod describe;
mod find;
mod format;

pub use find::{FileGate, FilePath, FileSearch, FoundFile, FoundFiles};
pub use format::{FileFormat, LinePattern};

use crate::columns::Columns;
use crate::counters::{Meter, ScanCounters};
use crate::files::KnownFile;
use crate::format::Layout;
use crate::partitions::{name_of, typed};
use crate::provider::Source;
use crate::scans::{OpenTable, Scans};
use crate::values::NULL_VALUE;
use formats::{OnError, RejectSink};
use model::{Column, LakeUri, Result};
use std::sync::Arc;

/// How files are opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Counts what is read.
    pub counters: Arc<ScanCounters>,
    /// Takes every line of text that cannot be taken apart or has a value that does not fit, whatever
    /// [`FileFormat::strict`] says: these lines are no rows. Each comes once for a scan that is read to its end. Without
    /// it mistakes are NULL or an error. Files that are not text have no such lines.
    pub rejects: Option<Arc<dyn RejectSink>>,
}

/// Files, open as a table.
#[derive(Debug, Clone)]
pub struct OpenFiles {
    /// The table.
    pub table: OpenTable,
    /// The names of its columns (but hidden ones) as the files spell them; the table's own are in lower case.
    pub names: Vec<String>,
    /// What the files are: `csv`, `parquet`, ….
    pub format: String,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
}

impl Scans {
    /// A file or folder: the format and columns are told by the files. Values that do not fit are NULL, as in tables.
    pub async fn file_table(&self, at: &LakeUri, counters: Arc<ScanCounters>) -> Result<OpenTable> {
        let found = self.find_files(&FileSearch::new(vec![FilePath::Lake(at.clone())])).await?;
        Ok(self.open_files(&found, &FileFormat::default(), counters).await?.table)
    }

    /// The files of these addresses. Nothing is read yet.
    pub async fn find_files(&self, search: &FileSearch) -> Result<FoundFiles> {
        find::find(&self.inner.lake, search).await
    }

    /// Those files as a table.
    pub async fn open_files(
        &self,
        found: &FoundFiles,
        format: &FileFormat,
        counters: Arc<ScanCounters>,
    ) -> Result<OpenFiles> {
        self.open_files_with(found, format, OpenOptions { counters, rejects: None }).await
    }

    /// Those files as a table, with somebody who takes the lines that are no rows.
    pub async fn open_files_with(
        &self,
        found: &FoundFiles,
        format: &FileFormat,
        options: OpenOptions,
    ) -> Result<OpenFiles> {
        let OpenOptions { counters, rejects } = options;
        if let Some(at) = &found.delta {
            let table = crate::delta::open_at(self, at, None, counters, found.gate.clone()).await?;
            let names = table.columns.iter().filter(|c| c.kind != crate::ColumnKind::Hidden);
            let names = names.map(|c| c.name.clone()).collect();
            return Ok(OpenFiles { table, names, format: "delta".to_owned(), notes: Vec::new() });
        }
        let meter = Meter::new(Arc::clone(&counters), self.inner.options.bytes_cutoff);
        let described = describe::describe(&self.inner.lake, found, format, &meter).await?;
        let (keys, values) = describe::partitions(found, format)?;
        let columns = Columns::new(&found.name(), &described.columns, &keys, false)?;
        let mut layout = Layout::plain(described.spec, &columns);
        let on_error = match &rejects {
            Some(_) => OnError::Reject,
            None if format.strict => OnError::Fail,
            None => OnError::Null,
        };
        layout.on_error(on_error, rejects);
        let files = found.files.iter().zip(values).map(|(located, texts)| {
            let texts: Vec<String> =
                texts.into_iter().map(|text| text.unwrap_or_else(|| NULL_VALUE.to_owned())).collect();
            let values = typed(&columns, &texts)
                .map_err(|e| e.at_if_unknown(|| model::Place::object(located.file.name())))?;
            Ok(KnownFile {
                file: located.file.clone(),
                values: values.into(),
                name: name_of(&columns, &texts).into(),
                rows: None,
            })
        });
        let read = files.enumerate().filter(|(index, _)| found.is_read(*index)).map(|(_, file)| file);
        let files: Vec<KnownFile> = read.collect::<Result<_>>()?;
        let spelled = |column: &Column| column.name.clone();
        let names = described.columns.iter().chain(&keys).map(spelled).collect();
        let table = self.table(columns, Arc::new(layout), Source::Files(Arc::new(files)), counters, None);
        Ok(OpenFiles { table, names, format: described.name, notes: described.notes })
    }
}
