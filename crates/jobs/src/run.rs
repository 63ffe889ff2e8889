//! One run: the graph becomes a flow, the flow's writes go into one commit, the commit is published and settled.

use crate::bookmarks::BookmarkMode;
use crate::build::{Building, Built, read_by, relations, seen_files, step_id};
use crate::jobs::{JobRequest, Jobs};
use crate::options::Options;
use crate::report::{JobReport, NodePreview, NodeReport, TargetReport};
use crate::settle::{Ending, bookmark, marker};
use crate::usage::{Usage, peak_memory};
use bytes::Bytes;
use engine::{FlowDestination, FlowWrite, FlowWritten};
use jobgraph::{Checked, CheckedNode, JobDefinition, SourceSpec, Step};
use model::{BucketName, Error, ErrorKind, LakeUri, Result};
use state::runs::RunContext;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How often a run is made again because others changed a Delta table, or the bookmark, meanwhile.
const ATTEMPTS: usize = 5;

/// Where rejected rows go in the first target's bucket, if nothing else is said.
const REJECTED: &str = "_rejected/";

/// Rows of JSON sources that have fields which were not seen when the job was prepared, by what the source reads.
pub(crate) type Examples = BTreeMap<String, Vec<String>>;

/// How a run of a prepared job ended.
pub(crate) enum Ended {
    /// It is done.
    Done(Box<JobReport>),
    /// Nothing has happened: it has to be prepared again, with these rows in mind.
    Surprised(Examples),
    /// Nothing has happened: a side of a join did not fit into memory.
    Crowded,
}

/// A job, ready to run.
pub(crate) struct Prepared {
    pub(crate) job: String,
    pub(crate) definition: JobDefinition,
    pub(crate) checked: Checked,
    pub(crate) options: Options,
    /// What a person should know of the arguments.
    pub(crate) notes: Vec<String>,
    /// Rows that were met in an earlier attempt.
    pub(crate) examples: Examples,
    /// Whether rows with unknown fields end an attempt.
    pub(crate) may_be_surprised: bool,
    /// Whether joins sort both sides, as an earlier attempt had no memory to hash one.
    pub(crate) sorts_joins: bool,
}

impl Jobs {
    /// Runs a job. Its sources are looked at in part; where a field first comes behind that part, the job is prepared
    /// again and knows it.
    pub(crate) async fn run(&self, request: &JobRequest, run: &RunContext) -> Result<JobReport> {
        let (usage, mut number) = (Usage::start(), 0);
        let (mut examples, mut rounds, mut sorts_joins) = (Examples::new(), 0, false);
        loop {
            rounds += 1;
            let mut prepared = self.prepared(request, examples.clone()).await?;
            // What is still unknown in the end is rejected, as every row that does not fit.
            prepared.may_be_surprised = rounds < ATTEMPTS;
            prepared.sorts_joins = sorts_joins;
            match self.run_prepared(&prepared, run, &mut number, &usage).await? {
                Ended::Done(report) => return Ok(*report),
                Ended::Crowded => {
                    let what = "a side of a join does not fit into memory";
                    run.info(format!("{what}: the job is computed again, and sorts both sides of its joins"))
                        .await;
                    sorts_joins = true;
                }
                Ended::Surprised(rows) => {
                    let sources: Vec<&str> = rows.keys().map(String::as_str).collect();
                    let what = "there are fields behind the part of the files that was looked at";
                    run.info(format!("{}: {what}; the job is computed again with them", sources.join(", ")))
                        .await;
                    for (source, rows) in rows {
                        examples.entry(source).or_default().extend(rows);
                    }
                }
            }
        }
    }

    async fn run_prepared(
        &self,
        prepared: &Prepared,
        run: &RunContext,
        number: &mut usize,
        usage: &Usage,
    ) -> Result<Ended> {
        let last = *number + ATTEMPTS;
        loop {
            *number += 1;
            match self.attempt(prepared, run, *number, usage).await {
                // Somebody else was faster, and nothing of this attempt has happened.
                Err(error) if *number < last && was_overtaken(&error) => {
                    run.warn(format!("{error}: the job is computed again")).await;
                }
                ended => return ended,
            }
        }
    }

    async fn attempt(
        &self,
        prepared: &Prepared,
        run: &RunContext,
        number: usize,
        usage: &Usage,
    ) -> Result<Ended> {
        if self.recover_job(&prepared.job, run.id()).await? {
            let note = "an earlier attempt of this run has published its outputs".to_owned();
            run.info(note.clone()).await;
            let report = JobReport { job: prepared.job.clone(), notes: vec![note], ..JobReport::default() };
            return Ok(Ended::Done(Box::new(report)));
        }
        let (version, seen) = match prepared.options.mode {
            BookmarkMode::Disabled => (0, HashMap::new()),
            _ => self.store.seen(&prepared.job).await?,
        };
        let built = self.built(prepared, seen, run).await?;
        let notes = prepared.notes.clone();
        let mut report = JobReport { job: prepared.job.clone(), notes, ..JobReport::default() };
        // Tables list their files when they are planned: whether they have new ones is not known yet.
        let has_tables = prepared.checked.nodes.iter().any(is_table);
        if let Some(note) = nothing_new(&built, &prepared.checked).filter(|_| !has_tables) {
            return self
                .idle(report, built, prepared, usage, run, note)
                .await
                .map(|report| Ended::Done(Box::new(report)));
        }
        let first = first_place(&built.writes, &self.rooms).await?;
        report.notes.extend(self.need_buckets(&built.writes).await?);
        let writes: Vec<FlowWrite> = built.writes.iter().map(|(_, write)| write.clone()).collect();
        let prefix = match number {
            1 => format!("run-{}", run.id()),
            again => format!("run-{}-{again}", run.id()),
        };
        let written = built.flow.write(writes, &prefix).await;
        let surprises = surprises(&built, prepared);
        if !surprises.is_empty() {
            built.flow.into_commit()?.abort().await?;
            return Ok(Ended::Surprised(surprises));
        }
        if written.is_err() && !prepared.sorts_joins && built.flow.refused_join() {
            built.flow.into_commit()?.abort().await?;
            return Ok(Ended::Crowded);
        }
        let written = written?;
        if let Some(note) = nothing_new(&built, &prepared.checked) {
            return self
                .idle(report, built, prepared, usage, run, note)
                .await
                .map(|report| Ended::Done(Box::new(report)));
        }
        built.flow.book().check()?;
        report.targets = targets(&built.writes, &written);
        self.measure(&mut report, &built, prepared, usage);
        check_share(prepared, &report)?;
        report.notes.extend(idle_sources(&built));
        let rejects = match &prepared.options.rejects {
            Some(at) => at.as_folder().join(&format!("{}/{}/", safe(&prepared.job), run.id()))?,
            None => LakeUri::new(
                first.bucket().clone(),
                format!("{REJECTED}{}/{}/", safe(&prepared.job), run.id()),
            )?,
        };
        report.rejects = built.flow.stage_rejects(&rejects).await?;
        let files = seen_files(&built.gates);
        let ending = Ending {
            job: prepared.job.clone(),
            run: run.id().to_string(),
            marker: marker(&first, run.id())?,
            changes: written.iter().filter_map(|written| written.change.clone()).collect(),
            bookmark: bookmark(prepared.options.mode, version, files),
            objects: written.iter().flat_map(|written| written.files.clone()).collect(),
        };
        run.check()?;
        let places = written.iter().map(|w| w.location.parse::<LakeUri>()).collect::<Result<Vec<_>>>()?;
        report.notes.extend(self.publish(built, &ending, &places, run).await?);
        self.tell(&mut report, prepared, usage, run).await;
        Ok(Ended::Done(Box::new(report)))
    }

    /// The report of a run that had nothing to read. Whatever was staged is dropped.
    async fn idle(
        &self,
        mut report: JobReport,
        built: Built,
        prepared: &Prepared,
        usage: &Usage,
        run: &RunContext,
        note: String,
    ) -> Result<JobReport> {
        run.info(note.clone()).await;
        report.notes.push(note);
        self.measure(&mut report, &built, prepared, usage);
        built.flow.into_commit()?.abort().await?;
        Ok(report)
    }

    /// Publishes what was written, then does the rest. What went wrong behind the publish is a note, not a failure: a
    /// run that failed may be run again, and these outputs are there already.
    async fn publish(
        &self,
        built: Built,
        ending: &Ending,
        places: &[LakeUri],
        run: &RunContext,
    ) -> Result<Option<String>> {
        let commit = built.flow.into_commit()?;
        // A target may be a whole bucket: what other runs have left beside the data is not its data.
        let buckets: BTreeSet<&BucketName> = places.iter().map(LakeUri::bucket).collect();
        for bucket in buckets {
            for folder in [crate::settle::OWN, REJECTED] {
                commit.keep_prefix(&LakeUri::new(bucket.clone(), folder)?);
            }
        }
        commit.put(&ending.marker, Bytes::from(ending.run.clone())).await?;
        crashpoint::hit("jobs.run.before_intend");
        self.intend(ending).await?;
        crashpoint::hit("jobs.run.before_publish");
        if let Err(error) = commit.publish().await {
            // What is decided will happen; the record says what belongs to it.
            if error.kind() != ErrorKind::Unavailable {
                self.forget(&ending.run).await?;
            }
            return Err(error);
        }
        let Err(error) = self.settle(ending).await else { return Ok(None) };
        let note = format!("the outputs are published, but not all that belongs to them is done: {error}");
        run.error(note.clone()).await;
        Ok(Some(note))
    }

    /// The graph as a flow.
    async fn built(&self, prepared: &Prepared, seen: crate::build::Seen, run: &RunContext) -> Result<Built> {
        let mut flow = self.rooms.engine.begin_flow(run, prepared.options.most)?;
        if prepared.sorts_joins {
            flow = flow.sorting_joins()?;
        }
        if Building::asks_early(&prepared.checked) {
            flow = flow.asking_early();
        }
        let building = Building {
            engine: &self.rooms.engine,
            checked: &prepared.checked,
            mode: prepared.options.mode,
            seen,
            examples: &prepared.examples,
        };
        building.build(flow, |_, _| ()).await
    }

    /// The first rows of every node, as far as there are some.
    pub(crate) async fn preview(
        &self,
        prepared: &Prepared,
        rows: usize,
        run: &RunContext,
    ) -> Result<Vec<NodePreview>> {
        let (_, seen) = match prepared.options.mode {
            BookmarkMode::Disabled => (0, HashMap::new()),
            _ => self.store.seen(&prepared.job).await?,
        };
        let flow = self.rooms.engine.begin_flow(run, None)?.for_preview();
        let building = Building {
            engine: &self.rooms.engine,
            checked: &prepared.checked,
            mode: prepared.options.mode,
            seen,
            examples: &prepared.examples,
        };
        let built = building.build(flow, |_, _| ()).await?;
        let mut previews = Vec::new();
        for node in &prepared.checked.nodes {
            let shown = match &node.step {
                Some(Step::Target(target)) => built.flow.preview(&step_id(&target.input), rows).await,
                _ => built.flow.preview(&node.id, rows).await,
            };
            run.check()?;
            let (shown, error) = match shown {
                Ok(shown) => (Some(shown), None),
                Err(error) => (None, Some(error.diagnosis())),
            };
            previews.push(NodePreview {
                id: node.id.clone(),
                name: node.name.clone(),
                kind: node.kind.to_owned(),
                rows: shown,
                error,
            });
        }
        built.flow.into_commit()?.abort().await?;
        Ok(previews)
    }

    /// Makes the targets' buckets where they are missing, and says so: a name may be mistyped.
    async fn need_buckets(&self, writes: &[(String, FlowWrite)]) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        for (node, write) in writes {
            let (FlowDestination::Folder(at) | FlowDestination::Delta(at)) = &write.destination else {
                continue;
            };
            if !self.rooms.lake.bucket_exists(at.bucket()).await? {
                let made = self.rooms.lake.create_bucket(at.bucket()).await;
                made.map_err(|e| e.context(format!("the target `{node}`")))?;
                notes.push(format!("the bucket `{}` of `{node}` was not there and was made", at.bucket()));
            }
        }
        Ok(notes)
    }

    fn measure(&self, report: &mut JobReport, built: &Built, prepared: &Prepared, usage: &Usage) {
        let rows = |id: &str| built.flow.rows(id);
        let rejected = built.flow.book().account();
        let rejected = |id: &str| {
            let staged = report.rejects.get(id).or_else(|| rejected.get(id));
            staged.map_or(0, |node| node.rows)
        };
        let out = |node: &CheckedNode| match &node.step {
            Some(Step::Target(target)) => {
                let number = built.writes.iter().position(|(id, _)| *id == node.id);
                let written = number.and_then(|number| report.targets.get(number));
                written.map_or_else(|| rows(&step_id(&target.input)), |target| target.rows)
            }
            _ => rows(&node.id),
        };
        report.nodes = prepared
            .checked
            .nodes
            .iter()
            .map(|node| {
                let rejected = rejected(&node.id);
                // Lines are taken apart while they are read: those of the source are what came out here.
                let fused = matches!(&node.step, Some(Step::ParseLog(_)));
                let rows_in = match fused {
                    true => rows(&node.id) + rejected,
                    false => relations(node).into_iter().map(|relation| rows(&step_id(relation))).sum(),
                };
                NodeReport {
                    id: node.id.clone(),
                    name: node.name.clone(),
                    kind: node.kind.to_owned(),
                    rows_in,
                    rows_out: out(node),
                    rejected,
                }
            })
            .collect();
        fill_text_sources(&mut report.nodes, &prepared.checked);
        let scanned = built.flow.scanned();
        report.bytes_read = scanned.bytes_scanned;
        report.files_read = scanned.files_read;
        report.rows_written = report.targets.iter().map(|target| target.rows).sum();
        report.bytes_written = report.targets.iter().map(|target| target.bytes).sum();
        report.files_written = report.targets.iter().map(|target| target.files).sum();
        report.peak_rows_memory = built.flow.peak_memory() as u64;
        (report.skipped_files, report.files_left) = built
            .gates
            .values()
            .map(|gate| gate.held_back())
            .fold((0, 0), |(skipped, left), more| (skipped + more.0, left + more.1));
        finish(report, self, prepared, usage);
    }

    /// Notes in the run's record what a person wants to see of it.
    async fn tell(&self, report: &mut JobReport, prepared: &Prepared, usage: &Usage, run: &RunContext) {
        finish(report, self, prepared, usage);
        for (name, value) in [
            ("rows_written", report.rows_written),
            ("bytes_read", report.bytes_read),
            ("files_read", report.files_read),
            ("bytes_written", report.bytes_written),
            ("files_written", report.files_written),
            ("rows_rejected", report.rejected()),
            ("files_skipped", report.skipped_files),
            ("peak_memory", report.peak_memory),
        ] {
            run.count(name, value);
        }
        for node in &report.nodes {
            let rejected =
                if node.rejected > 0 { format!(", {} rejected", node.rejected) } else { String::new() };
            run.info(format!(
                "{} ({}): {} rows in, {} out{rejected}",
                node.id, node.kind, node.rows_in, node.rows_out
            ))
            .await;
        }
        for (node, rejected) in &report.rejects {
            let mut reasons: Vec<(&String, &u64)> = rejected.reasons.iter().collect();
            reasons.sort_by(|a, b| b.1.cmp(a.1));
            let at = rejected.location.as_deref().unwrap_or("nowhere");
            for (reason, count) in reasons.into_iter().take(5) {
                run.warn(format!("{node}: {count} rejected, {reason}; they are in {at}")).await;
            }
        }
    }
}

fn finish(report: &mut JobReport, jobs: &Jobs, prepared: &Prepared, usage: &Usage) {
    report.seconds = usage.seconds();
    report.cpu_seconds = usage.cpu_seconds();
    report.peak_memory = peak_memory();
    report.cost = Some(jobs.prices.of(&prepared.definition, report.seconds));
}

/// A text source whose lines are taken apart right behind it is not read for itself.
fn fill_text_sources(nodes: &mut [NodeReport], checked: &Checked) {
    let fused: BTreeMap<String, u64> = checked
        .nodes
        .iter()
        .filter_map(|node| match &node.step {
            Some(Step::ParseLog(log)) => {
                let rows = nodes.iter().find(|report| report.id == node.id)?.rows_in;
                Some((log.input.node.clone(), rows))
            }
            _ => None,
        })
        .collect();
    for report in nodes {
        if let Some(rows) = fused.get(&report.id).filter(|_| report.rows_out == 0) {
            report.rows_out = *rows;
        }
    }
}

fn targets(writes: &[(String, FlowWrite)], written: &[FlowWritten]) -> Vec<TargetReport> {
    let target = |((node, write), written): (&(String, FlowWrite), &FlowWritten)| TargetReport {
        node: node.clone(),
        location: written.location.clone(),
        table: match (&write.destination, &write.catalog) {
            (FlowDestination::Table { database, table }, _) => Some(format!("{database}.{table}")),
            (_, Some((database, table, _))) => Some(format!("{database}.{table}")),
            _ => None,
        },
        rows: written.rows,
        bytes: written.bytes,
        files: written.files.len() as u64,
        partitions: written.partitions,
    };
    writes.iter().zip(written).map(target).collect()
}

/// With a bookmark, and nothing new anywhere, there is nothing to do.
fn nothing_new(built: &Built, checked: &Checked) -> Option<String> {
    let sources = checked.nodes.iter().filter(|node| matches!(node.step, Some(Step::Source(_)))).count();
    let none = built.gates.len() == sources && built.gates.values().all(|gate| gate.taken().is_empty());
    let skipped: u64 = built.gates.values().map(|gate| gate.held_back().0).sum();
    (none && skipped > 0).then(|| format!("nothing new: {skipped} files were read by earlier runs"))
}

fn is_table(node: &CheckedNode) -> bool {
    matches!(node.step, Some(Step::Source(jobgraph::SourceSpec::Table(_))))
}

/// Sources that gave nothing, because all their files were read before, beside others that gave something: a join with
/// them finds nothing.
fn idle_sources(built: &Built) -> Vec<String> {
    let (idle, busy): (Vec<_>, Vec<_>) = built.gates.iter().partition(|(_, gate)| gate.taken().is_empty());
    let is_held = |gate: &crate::gate::Gate| gate.held_back().0 > 0;
    if busy.is_empty() {
        return Vec::new();
    }
    let idle = idle.into_iter().filter(|(_, gate)| is_held(gate)).map(|(node, _)| {
        format!(
            "`{node}` gave no rows: all its files were read by earlier runs; a join with it finds nothing"
        )
    });
    idle.collect()
}

/// The place of the first output: its bucket also takes the commit's marker and rejected rows.
async fn first_place(writes: &[(String, FlowWrite)], rooms: &crate::jobs::JobsRooms) -> Result<LakeUri> {
    let (_, write) = writes.first().ok_or_else(|| Error::invalid("the job has no target"))?;
    match &write.destination {
        FlowDestination::Folder(at) | FlowDestination::Delta(at) => Ok(at.clone()),
        FlowDestination::Table { database, table } => rooms.engine.table_location(database, table).await,
    }
}

fn check_share(prepared: &Prepared, report: &JobReport) -> Result<()> {
    let Some(share) = prepared.options.share else { return Ok(()) };
    let rejected: u64 = report.nodes.iter().map(|node| node.rejected).sum();
    let is_source =
        |id: &str| prepared.checked.node(id).is_some_and(|node| node.role == jobgraph::Role::Source);
    let sources = report.nodes.iter().filter(|node| is_source(&node.id));
    let read: u64 = sources.map(|node| node.rows_out + node.rejected).sum::<u64>().max(rejected);
    if rejected as f64 > share * read as f64 {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("{rejected} of {read} rows were rejected, more than the {}% allowed", share * 100.0),
        )
        .hint("mend the data or the job, or allow more rejects"));
    }
    Ok(())
}

/// The rows with unknown fields that a flow has met, by what their sources read.
fn surprises(built: &Built, prepared: &Prepared) -> Examples {
    if !prepared.may_be_surprised {
        return Examples::new();
    }
    let is_row = |row: &String| serde_json::from_str(row).is_ok_and(|row: serde_json::Value| row.is_object());
    let met = built.flow.book().unknown_fields().into_iter();
    met.filter_map(|(node, mut rows)| match prepared.checked.node(&node)?.step.as_ref()? {
        Step::Source(SourceSpec::Files(spec)) => {
            // A row that was too long to be kept whole says nothing.
            rows.retain(is_row);
            (!rows.is_empty()).then(|| (read_by(spec), rows))
        }
        _ => None,
    })
    .collect()
}

/// Whether others changed a Delta table, or the bookmark, meanwhile.
fn was_overtaken(error: &Error) -> bool {
    let at_log = || match error.place() {
        Some(model::Place::Object { uri, .. }) => uri.contains("/_delta_log/"),
        _ => false,
    };
    error.kind() == ErrorKind::Conflict || (error.kind() == ErrorKind::AlreadyExists && at_log())
}

fn safe(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}
