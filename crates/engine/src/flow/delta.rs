//! Delta Lake tables as targets: appended to, overwritten, merged on keys. The entry of the table's log is part of the
//! flow's commit, so that the table changes with everything else or not at all. If others have changed the table
//! meanwhile, the commit fails as a conflict, and the flow can be run again.

use super::open::{OpenFlow, input_table, local};
use super::target::{FlowMode, FlowWrite, FlowWritten, TableChange, check_place};
use crate::delta::delta_entry;
use datafusion::datasource::provider_as_source;
use datafusion::physical_plan::ExecutionPlan;
use model::{EntityName, Error, ErrorKind, LakeUri, Result, nearest_hint};
use plan::{Analyzer, ChangedColumn, ChangedTable};
use scan::delta::{Change, DeltaColumn, NewColumn, NewTable, Operation, Writing};
use sql::{Source, SqlType, Statement, quote_ident};
use std::sync::Arc;

/// A planned write into a Delta table.
pub(super) struct PlannedDelta {
    write: FlowWrite,
    at: LakeUri,
    table: Planned,
    change: Option<TableChange>,
    plan: Arc<dyn ExecutionPlan>,
}

/// The table itself.
enum Planned {
    Known(Box<Change>),
    New(Box<NewTable>),
}

impl Planned {
    fn columns(&self) -> &[DeltaColumn] {
        match self {
            Self::Known(change) => change.columns(),
            Self::New(table) => table.columns(),
        }
    }
}

impl PlannedDelta {
    /// Where the table is.
    pub(super) fn at(&self) -> &LakeUri {
        &self.at
    }
}

impl OpenFlow {
    pub(super) async fn plan_delta(&self, write: FlowWrite, at: LakeUri) -> Result<PlannedDelta> {
        let scans = &self.engine.inner.scans;
        let rewrites = write.mode != FlowMode::Append;
        let table = match Change::open_at(scans, &at, rewrites).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Planned::New(Box::new(self.new_delta(&write, &at).await?))
            }
            opened => Planned::Known(Box::new(opened?)),
        };
        check_keys(table.columns(), &write.partition_by, &at)?;
        let change = self.delta_change(&write, table.columns(), &at).await?;
        let plan = match (&write.mode, &table) {
            (FlowMode::Merge(keys), Planned::Known(change)) => self.merge_plan(&write, change, keys).await?,
            (mode, table) => {
                let (analyzed, columns) = self.over(&write.from, "SELECT * FROM input").await?;
                if let FlowMode::Merge(keys) = mode {
                    let given: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
                    has_keys(keys, &given)?;
                }
                let wanted: Vec<(String, SqlType)> =
                    table.columns().iter().map(|c| (c.name.clone(), c.shown.clone())).collect();
                check_columns(columns.iter().map(|c| c.name.as_str()), table.columns(), &at)?;
                let order: Vec<Option<usize>> = wanted
                    .iter()
                    .map(|(name, _)| columns.iter().position(|c| c.name.eq_ignore_ascii_case(name)))
                    .collect();
                self.physical(&self.fitted(analyzed, &order, &wanted, None)?).await?
            }
        };
        Ok(PlannedDelta { write, at, table, change, plan })
    }

    /// What the catalog learns of the table.
    async fn delta_change(
        &self,
        write: &FlowWrite,
        columns: &[DeltaColumn],
        at: &LakeUri,
    ) -> Result<Option<TableChange>> {
        let Some((database, name, _)) = &write.catalog else { return Ok(None) };
        if let Some(entry) = self.engine.known_table(database, name, false).await? {
            let path = entry.table.storage.serde.parameters.get("path");
            let location = entry.table.storage.location.as_ref().or(path).cloned().unwrap_or_default();
            check_place(&entry, &location, at)?;
            return Ok(None);
        }
        let table = delta_entry(&EntityName::new(name)?, at, columns, &[])?;
        table.check()?;
        Ok(Some(TableChange {
            database: database.clone(),
            table,
            add_columns: false,
            partitions: Vec::new(),
            replace_partitions: false,
        }))
    }

    /// The table as the rows need it.
    async fn new_delta(&self, write: &FlowWrite, at: &LakeUri) -> Result<NewTable> {
        let (_, columns) = self.over(&write.from, "SELECT * FROM input").await?;
        let columns: Vec<NewColumn> = columns
            .into_iter()
            .map(|c| NewColumn { name: c.name, sql_type: c.sql_type, nullable: true, comment: None })
            .collect();
        NewTable::new(at, &columns, &write.partition_by)
    }

    /// What becomes of which row, as MERGE says it.
    async fn merge_plan(
        &self,
        write: &FlowWrite,
        change: &Change,
        keys: &[String],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let step = self.step(&write.from)?;
        let given: Vec<&str> = self.columns(&write.from)?.iter().map(|c| c.name.as_str()).collect();
        check_columns(given.iter().copied(), change.columns(), change.at())?;
        has_keys(keys, &given)?;
        let is_key = |name: &str| keys.iter().any(|key| key.eq_ignore_ascii_case(name));
        let on: Vec<String> =
            keys.iter().map(|key| quote_ident(key)).map(|k| format!("t.{k} = s.{k}")).collect();
        let set: Vec<String> = given
            .iter()
            .filter(|name| !is_key(name))
            .map(|name| quote_ident(name))
            .map(|name| format!("{name} = s.{name}"))
            .collect();
        let update = match set.is_empty() {
            true => String::new(),
            false => format!(" WHEN MATCHED THEN UPDATE SET {}", set.join(", ")),
        };
        let names: Vec<String> = given.iter().map(|name| quote_ident(name)).collect();
        let values: Vec<String> = names.iter().map(|name| format!("s.{name}")).collect();
        let text = format!(
            "MERGE INTO target t USING input s ON ({}){update} WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
            on.join(" AND "),
            names.join(", "),
            values.join(", ")
        );
        let Statement::Merge(merge) = sql::parse_one(&text, "<merge>")? else {
            return Err(Error::internal("a MERGE is not read as one"));
        };
        let columns: Vec<ChangedColumn> = change
            .columns()
            .iter()
            .map(|c| ChangedColumn { name: c.name.clone(), shown: c.shown.clone(), stored: c.stored.clone() })
            .collect();
        let name = local("target");
        let source = provider_as_source(change.provider(self.context.counters().clone()));
        let changed = ChangedTable { name: &name, columns: &columns, source };
        let tables = input_table("input", step);
        let analyzed = {
            let source = Arc::new(Source::new("<merge>", text.as_str()));
            let analyzer = Analyzer::new(&tables, self.context.session.clone(), source, &[]);
            analyzer.merge(&changed, &merge)?
        };
        self.physical(&analyzed).await
    }

    pub(super) async fn write_delta(&self, planned: PlannedDelta, prefix: String) -> Result<FlowWritten> {
        let PlannedDelta { write, at, table, change: learned, plan } = planned;
        let streams = self.streams(&plan)?;
        let commit = self.open_commit()?;
        let progress = |rows: u64, _: u64| self.tell(rows);
        let writing = Writing {
            commit,
            prefix: &prefix,
            progress: &progress,
            cancel: &self.context.cancel,
            memory_limit: self.engine.inner.options.memory_limit / 2,
        };
        let scans = &self.engine.inner.scans;
        let change = match table {
            Planned::Known(change) => change,
            Planned::New(new) => {
                let staged = new.write(streams, &writing).await?;
                let (rows, (files, bytes)) = (staged.rows_written(), staged.files());
                new.stage_entry(&staged, scans, commit).await?;
                let location = at.to_string();
                return Ok(FlowWritten { rows, bytes, files, partitions: 0, location, change: learned });
            }
        };
        let (staged, rows, operation) = match &write.mode {
            FlowMode::Merge(_) => {
                let (staged, changes) = change.rewrite(streams, &self.state, &writing).await?;
                (staged, changes.rows(), Operation::Merge)
            }
            FlowMode::Append => {
                let staged = change.append(streams, &writing).await?;
                let rows = staged.rows_written();
                (staged, rows, Operation::Append)
            }
            mode => {
                let only = *mode == FlowMode::OverwritePartitions;
                let staged = change.overwrite(streams, only, &writing).await?;
                let rows = staged.rows_written();
                (staged, rows, Operation::Overwrite)
            }
        };
        let (files, bytes) = staged.files();
        staged.stage_entry(scans, commit, operation).await?;
        Ok(FlowWritten { rows, bytes, files, partitions: 0, location: at.to_string(), change: learned })
    }
}

fn has_keys(keys: &[String], given: &[&str]) -> Result<()> {
    match keys.iter().find(|key| !given.iter().any(|name| name.eq_ignore_ascii_case(key))) {
        None => Ok(()),
        Some(key) => Err(Error::not_found(format!("there is no column `{key}` to merge on"))
            .hint(nearest_hint(key, given.iter().copied()))),
    }
}

/// Keys that were asked for are those of the table.
fn check_keys(columns: &[DeltaColumn], wanted: &[String], at: &LakeUri) -> Result<()> {
    let keys: Vec<&str> = columns.iter().filter(|c| c.is_key).map(|c| c.name.as_str()).collect();
    let has = |key: &str| wanted.iter().any(|name| name.eq_ignore_ascii_case(key));
    if wanted.is_empty() || (keys.len() == wanted.len() && keys.iter().all(|key| has(key))) {
        return Ok(());
    }
    let own = if keys.is_empty() { "not partitioned".to_owned() } else { format!("by {}", keys.join(", ")) };
    Err(Error::invalid(format!("the Delta table is {own}, the target by {}", wanted.join(", ")))
        .at(model::Place::object(at))
        .hint("give the target the table's keys, or another folder"))
}

/// Every column must have its place in the table.
fn check_columns<'a>(
    names: impl Iterator<Item = &'a str>,
    columns: &[DeltaColumn],
    at: &LakeUri,
) -> Result<()> {
    let known = || columns.iter().map(|c| c.name.as_str());
    for name in names {
        if !known().any(|k| k.eq_ignore_ascii_case(name)) {
            return Err(Error::invalid(format!("the Delta table has no column `{name}`"))
                .at(model::Place::object(at))
                .hint(nearest_hint(name, known()))
                .hint("drop it before, or add the column to the table"));
        }
    }
    Ok(())
}
