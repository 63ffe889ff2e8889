//! Runs the files of `tests/slt/`: what statements of the language answer. Each file has an engine and a folder of its
//! own. All mistakes of a file are shown, not only the first.

use catalog::{Catalog, Database};
use engine::{Engine, EngineOptions, QueryRequest, ScanReport};
use functions::render::Renderer;
use futures::TryStreamExt;
use lake::{Lake, LakeConfig};
use model::{EntityName, Error};
use sqllogictest::{DB, DBOutput, DefaultColumnType, Record, Runner};
use state::Clock;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// An engine over an empty lake with one bucket, `slt`.
pub(crate) struct Session {
    pub(crate) runtime: Runtime,
    pub(crate) engine: Engine,
    _folder: tempfile::TempDir,
}

/// What is wrong, why and what to do: what expectations are matched with. The excerpt of the statement is left out, as
/// it would match by itself.
#[derive(Debug)]
pub(crate) struct Fault(Error);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())?;
        let diagnosis = self.0.diagnosis();
        diagnosis.why.iter().chain(&diagnosis.hints).try_for_each(|line| write!(f, "\n{line}"))
    }
}

impl std::error::Error for Fault {}

impl Session {
    pub(crate) fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let engine = runtime.block_on(async {
            let lake = Lake::open(LakeConfig::local(folder.path())).await.unwrap();
            lake.create_bucket(&"slt".parse().unwrap()).await.unwrap();
            let db = state::Database::sqlite(&folder.path().join("state.db")).await.unwrap();
            let catalog = Catalog::open(db.clone(), Clock::system()).await.unwrap();
            let default = EntityName::new("default").unwrap();
            // Some catalogs begin with it.
            let _ = catalog.create_database(Database::new(default)).await;
            let options = EngineOptions {
                memory_limit: 256 << 20,
                spill_dir: folder.path().join("spill"),
                threads: 2,
                bytes_cutoff: None,
                warehouse: "s3://slt/warehouse/".parse().unwrap(),
                results_dir: folder.path().join("results"),
            };
            Engine::open(db, catalog, lake, None, Clock::system(), options).await.unwrap()
        });
        Self { runtime, engine, _folder: folder }
    }

    pub(crate) async fn rows(&self, sql: &str) -> Result<(usize, Vec<Vec<String>>), Error> {
        self.asked(QueryRequest::new(sql)).await.map(|(columns, rows, _)| (columns, rows))
    }

    /// How many columns, the rows, and what was read for them.
    pub(crate) async fn asked(
        &self,
        request: QueryRequest,
    ) -> Result<(usize, Vec<Vec<String>>, ScanReport), Error> {
        let answer = self.engine.query(request).await?;
        let stats = Arc::clone(&answer.stats);
        let renderers: Vec<Renderer> = answer.columns.iter().map(|c| Renderer::new(&c.sql_type)).collect();
        let batches: Vec<_> = answer.stream.try_collect().await.map_err(plan::from_datafusion)?;
        let mut rows = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let columns = batch.columns().iter().zip(&renderers);
                rows.push(columns.map(|(column, renderer)| value(column.as_ref(), row, renderer)).collect());
            }
        }
        Ok((renderers.len(), rows, stats.scanned()))
    }
}

/// A value as the files write it: NULL as such, an empty text as (empty).
fn value(column: &dyn arrow::array::Array, row: usize, renderer: &Renderer) -> String {
    if column.is_null(row) || column.data_type() == &arrow::datatypes::DataType::Null {
        return "NULL".to_owned();
    }
    let mut text = String::new();
    renderer.write(column, row, &mut text);
    if text.is_empty() { "(empty)".to_owned() } else { text }
}

impl DB for Session {
    type Error = Fault;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Fault> {
        let (columns, rows) = self.runtime.block_on(self.rows(sql)).map_err(Fault)?;
        if columns == 0 {
            return Ok(DBOutput::StatementComplete(0));
        }
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Text; columns], rows })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

fn run(name: &str) {
    let records =
        sqllogictest::parse_file::<DefaultColumnType>(folder().join(format!("{name}.slt"))).unwrap();
    let mut runner = Runner::new(|| async { Ok(Session::new()) });
    let mut wrong = Vec::new();
    for record in records {
        if matches!(record, Record::Halt { .. }) {
            break;
        }
        if let Err(error) = runner.run(record) {
            wrong.push(error.display(false).to_string());
        }
    }
    assert!(wrong.is_empty(), "{} mistakes in {name}.slt\n\n{}", wrong.len(), wrong.join("\n\n"));
}

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_file_is_run() {
            let mut listed = vec![$(concat!(stringify!($name), ".slt").to_owned()),*];
            let mut there: Vec<String> = std::fs::read_dir(folder())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            listed.sort();
            there.sort();
            assert_eq!(listed, there, "add new files to the list in slt.rs");
        }
    };
}

files! {
    aggregate approx arithmetic array binary case cast compare correlated ctas cte date_format datetime ddl decimal delta errors explain format grouping information_schema insert interval joda joins json lambda map math orderby prepare ranges regexp render row setops sieve string subqueries timezone try_cast unnest url values views window
}
