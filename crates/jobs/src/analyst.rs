//! What a job's check wants to know, asked of the engine.

use crate::build::{file_format, file_search};
use crate::run::Examples;
use async_trait::async_trait;
use engine::{Engine, FlowColumn};
use jobgraph::{Analyst, Column, Columns, LogPattern, SourceSpec};
use lake::Lake;
use model::{Error, ErrorKind, LakeUri, Result, nearest};

pub(crate) struct EngineAnalyst<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) lake: &'a Lake,
    /// Files that are not there yet are no mistake: they may come before the job runs.
    pub(crate) lenient: bool,
    /// Rows of JSON sources with fields that a look at the files does not find.
    pub(crate) examples: &'a Examples,
}

pub(crate) fn columns_of(columns: &[FlowColumn]) -> Columns {
    let column = |c: &FlowColumn| Column { name: c.name.clone(), sql_type: c.sql_type.clone() };
    Columns::new(columns.iter().map(column).collect())
}

pub(crate) fn flow_columns(columns: &Columns) -> Vec<FlowColumn> {
    columns.iter().map(|c| FlowColumn { name: c.name.clone(), sql_type: c.sql_type.clone() }).collect()
}

impl EngineAnalyst<'_> {
    /// A bucket that is not there, where there is one of nearly that name.
    async fn mistyped_bucket(&self, paths: &[LakeUri]) -> Result<Option<Error>> {
        let known = self.lake.list_buckets().await?;
        let known = || known.iter().map(|bucket| bucket.name.as_str());
        let missing =
            paths.iter().map(|path| path.bucket().as_str()).find(|name| !known().any(|k| k == *name));
        let mistake = missing.zip(missing.and_then(|name| nearest(name, known()))).map(|(name, near)| {
            Error::not_found(format!("there is no bucket `{name}`")).hint(format!("did you mean `{near}`?"))
        });
        Ok(mistake)
    }
}

#[async_trait]
impl Analyst for EngineAnalyst<'_> {
    async fn table(&self, database: &str, table: &str) -> Result<Option<Columns>> {
        self.engine.table_columns(database, table).await.map(|columns| Some(columns_of(&columns)))
    }

    async fn files(&self, source: &SourceSpec) -> Result<Option<Columns>> {
        let SourceSpec::Files(spec) = source else { return Ok(None) };
        let found = match self.engine.find_files(&file_search(spec)).await {
            Ok(found) => found,
            Err(error) if self.lenient && error.kind() == ErrorKind::NotFound => {
                return match self.mistyped_bucket(&spec.paths).await? {
                    Some(mistake) => Err(mistake),
                    None => Ok(None),
                };
            }
            Err(error) => return Err(error),
        };
        let columns = self.engine.file_columns(&found, &file_format(spec, None, self.examples)?).await?;
        Ok(Some(columns_of(&columns)))
    }

    async fn query(&self, sql: &str, inputs: &[(&str, &Columns)]) -> Result<Columns> {
        let inputs: Vec<(&str, Vec<FlowColumn>)> =
            inputs.iter().map(|(name, columns)| (*name, flow_columns(columns))).collect();
        self.engine.query_columns(sql, &inputs).await.map(|columns| columns_of(&columns))
    }

    async fn log_columns(&self, pattern: &LogPattern) -> Result<Option<Columns>> {
        let LogPattern::Grok { pattern, custom } = pattern else { return Ok(None) };
        let columns = Engine::grok_columns(pattern, custom)?;
        Ok(Some(columns_of(&columns)))
    }
}
