//! A look into files: their first rows, whatever the format, without a run.

use crate::answer::Answer;
use crate::engine::Engine;
use crate::query::{Context, DEFAULT_DATABASE};
use functions::Session;
use model::{EntityName, Result};
use scan::{FileFormat, FileSearch};
use sql::Source;
use std::sync::Arc;

impl Engine {
    /// The first rows of files, and what format they were found to have.
    pub async fn peek(
        &self,
        search: &FileSearch,
        format: &FileFormat,
        rows: usize,
    ) -> Result<(String, Answer)> {
        let mut session = Session::new(self.inner.clock.now());
        session.schema = DEFAULT_DATABASE.to_owned();
        let source = Source::new("<files>", String::new());
        let context = Context::of_look(session, source, EntityName::new(DEFAULT_DATABASE)?);
        let files = self.inner.scans.find_files(search).await?;
        let open = self.inner.scans.open_files(&files, format, Arc::clone(context.counters())).await?;
        let select = format!("SELECT * FROM input LIMIT {rows}");
        let analyzed = self.over_input(&open, Some(&select), &context).await?;
        let shown = analyzed.columns.clone();
        let mut answer = self.rows_of(analyzed, &context).await?;
        for (column, (name, _)) in answer.columns.iter_mut().zip(super::spelled(&shown, &open)) {
            column.name = name;
        }
        Ok((open.format, answer))
    }
}
