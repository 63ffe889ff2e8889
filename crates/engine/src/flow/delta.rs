//! Delta Lake tables as targets: appended to, overwritten, merged on keys. The entry of the table's log is part of the
//! flow's commit, so that the table changes with everything else or not at all. If others have changed the table
//! meanwhile, the commit fails as a conflict, and the flow can be run again.

use super::open::{OpenFlow, input_table, local};
use super::target::{FlowMode, FlowWrite, FlowWritten};
use datafusion::datasource::provider_as_source;
use datafusion::physical_plan::ExecutionPlan;
use lake::CommitOptions;
use model::{Error, ErrorKind, LakeUri, Result, nearest_hint};
use plan::{Analyzer, ChangedColumn, ChangedTable};
use scan::delta::{Change, NewColumn, NewTable, Operation, Writing};
use sql::{Source, SqlType, Statement, quote_ident};
use std::sync::Arc;

/// A planned write into a Delta table.
pub(super) struct PlannedDelta {
    write: FlowWrite,
    at: LakeUri,
    change: Change,
    plan: Arc<dyn ExecutionPlan>,
}

impl OpenFlow {
    pub(super) async fn plan_delta(&self, write: FlowWrite, at: LakeUri) -> Result<PlannedDelta> {
        let scans = &self.engine.inner.scans;
        let rewrites = write.mode != FlowMode::Append;
        let change = match Change::open_at(scans, &at, rewrites).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.new_delta(&write, &at).await?;
                Change::open_at(scans, &at, rewrites).await?
            }
            opened => opened?,
        };
        let plan = match &write.mode {
            FlowMode::Merge(keys) => self.merge_plan(&write, &change, keys).await?,
            _ => {
                let (analyzed, columns) = self.over(&write.from, "SELECT * FROM input").await?;
                let wanted: Vec<(String, SqlType)> =
                    change.columns().iter().map(|c| (c.name.clone(), c.shown.clone())).collect();
                check_columns(columns.iter().map(|c| c.name.as_str()), &change, &at)?;
                let order: Vec<Option<usize>> = wanted
                    .iter()
                    .map(|(name, _)| columns.iter().position(|c| c.name.eq_ignore_ascii_case(name)))
                    .collect();
                self.physical(&self.fitted(analyzed, &order, &wanted, None)?).await?
            }
        };
        Ok(PlannedDelta { write, at, change, plan })
    }

    /// Makes the table without rows: only its columns are there before the flow is published.
    async fn new_delta(&self, write: &FlowWrite, at: &LakeUri) -> Result<()> {
        let (_, columns) = self.over(&write.from, "SELECT * FROM input").await?;
        let columns: Vec<NewColumn> = columns
            .into_iter()
            .map(|c| NewColumn { name: c.name, sql_type: c.sql_type, nullable: true, comment: None })
            .collect();
        let new = NewTable::new(at, &columns, &write.partition_by)?;
        let lake = &self.engine.inner.lake;
        if !lake.bucket_exists(at.bucket()).await? {
            return Err(Error::not_found(format!("there is no bucket `{}`", at.bucket())));
        }
        let commit = lake.begin_commit(CommitOptions::default());
        let ready = new.empty().publish(&self.engine.inner.scans, commit).await?;
        match new.create(&self.engine.inner.scans, ready).await {
            // Somebody else was quicker.
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict) => Ok(()),
            made => made,
        }
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
        check_columns(given.iter().copied(), change, &write_place(change))?;
        for key in keys {
            if !given.iter().any(|name| name.eq_ignore_ascii_case(key)) {
                return Err(Error::not_found(format!("there is no column `{key}` to merge on"))
                    .hint(nearest_hint(key, given.iter().copied())));
            }
        }
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
        let PlannedDelta { write, at, change, plan } = planned;
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
        staged.stage_entry(&self.engine.inner.scans, commit, operation).await?;
        Ok(FlowWritten { rows, bytes, files, partitions: 0, location: at.to_string(), change: None })
    }
}

fn write_place(change: &Change) -> LakeUri {
    change.at().clone()
}

/// Every column must have its place in the table.
fn check_columns<'a>(names: impl Iterator<Item = &'a str>, change: &Change, at: &LakeUri) -> Result<()> {
    let known = || change.columns().iter().map(|c| c.name.as_str());
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
