//! An application's life: rounds while there is something to read, checkpoints at their time, the end when it is asked
//! for.
//!
//! A checkpoint is one decision. The state's files are on disk and the outputs staged; then the checkpoint is put on
//! record, with what is to be done behind it; then the outputs are published, a marker among them. Whether the marker is
//! there decides after a crash: with it, the rest is done and the checkpoint counts; without it, the checkpoint is
//! dropped, and the application goes on from the one before.

use super::graph::{Graph, Outcome, TableRound};
use super::settle::{prune, settle};
use super::sink::Sink;
use super::source::{Positions, StreamReader};
use super::state;
use crate::applications::{ApplicationsRooms, Ask, Control};
use crate::flow::options::Connector;
use crate::flow::resolve::Resolved;
use crate::store::{Checkpoint, Kept, Store};
use ::state::runs::RunContext;
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use lake::CommitOptions;
use model::{Error, LakeUri, Result, Unit};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use streams::ShardIterator;

/// More outputs than this are written before the checkpoint's time.
const MAX_BUFFERED: usize = 256 << 20;
/// How long it looks for something to do at most, where nothing says when.
const PATIENCE: Duration = Duration::seconds(1);

/// An application at work.
pub(crate) struct Driver {
    pub(crate) name: String,
    pub(crate) rooms: ApplicationsRooms,
    pub(crate) store: Store,
    /// The folder of all state.
    pub(crate) root: PathBuf,
    graph: Option<Graph>,
    readers: BTreeMap<usize, StreamReader>,
    sinks: Vec<Sink>,
    late: Option<Sink>,
    names: Vec<String>,
    signature: Vec<String>,
    /// The beginning of its files' names: no other application has ever written such.
    prefix: String,
    interval: Duration,
    number: u64,
    taken: DateTime<Utc>,
    /// Whether something has happened since the last checkpoint.
    dirty: bool,
    counters: BTreeMap<String, u64>,
    behind: i64,
}

/// What an application begins with.
pub(crate) enum Begin {
    /// Nothing.
    Anew,
    /// What a checkpoint kept.
    From(Box<Checkpoint>),
}

impl Driver {
    /// Opens an application's readers and state. `last` is the number of its latest checkpoint. State that fits nothing in
    /// the script any more keeps it from beginning, unless that is allowed: then it begins without.
    pub(crate) async fn open(
        name: &str,
        resolved: &Resolved,
        tasks: usize,
        begin: Begin,
        last: u64,
        allow_non_restored: bool,
        rooms: (ApplicationsRooms, Store),
    ) -> Result<Self> {
        let (rooms, store) = rooms;
        let mut graph = Graph::new(resolved, tasks)?;
        let names: Vec<String> = resolved.tables.iter().map(|t| t.name.to_lowercase()).collect();
        let signature = graph.signature()?;
        let root = rooms.folder.join(name);
        let now = rooms.clock.now();
        let kept = match &begin {
            Begin::Anew => None,
            Begin::From(checkpoint) => Some(&checkpoint.kept),
        };
        let (mut readers, mut restored) = (BTreeMap::new(), Vec::new());
        for table in graph.sources() {
            let spec =
                resolved.tables.get(table).ok_or_else(|| Error::internal("a table that is not there"))?;
            let Connector::Kinesis { stream, start } = &spec.options.connector else {
                return Err(Error::unsupported(format!(
                    "the table `{}` cannot be read as a stream",
                    spec.name
                ))
                .hint("sources are tables WITH ('connector' = 'kinesis')"));
            };
            let table_name = names.get(table).cloned().unwrap_or_default();
            let positions = kept.and_then(|k| k.positions.get(&table_name)).filter(|p| is_of(p, stream));
            if positions.is_some() {
                restored.push(table_name.clone());
            }
            let idle = spec.options.idle_millis.or(resolved.settings.idle_millis).filter(|m| *m > 0);
            let reader =
                StreamReader::open(Arc::clone(&rooms.log), stream, *start, idle, positions, (tasks, now))
                    .await?;
            let mut all = reader.positions();
            if let Some(positions) = positions {
                // Without the shards that their stream has forgotten.
                for (shard, position) in &mut all {
                    if let Some(kept) = positions.get(shard) {
                        position.clone_from(kept);
                    }
                }
            }
            graph.set_positions(table, all);
            if let Some(mark) =
                kept.filter(|_| positions.is_some()).and_then(|k| k.watermarks.get(&table_name))
            {
                graph.set_watermark(table, *mark);
            }
            readers.insert(table, reader);
        }
        let mut counters = BTreeMap::new();
        if let Some(kept) = kept {
            let lost = restore(&mut graph, kept, &signature, &root)?;
            let unread = kept.positions.keys().filter(|table| !restored.contains(table));
            let lost: Vec<String> = lost
                .into_iter()
                .chain(unread.map(|t| format!("nobody reads on in the table `{t}`")))
                .collect();
            match lost.is_empty() {
                false if !allow_non_restored => {
                    return Err(Error::invalid("the script has changed since its state was kept")
                        .why(lost.join("; "))
                        .hint("begin without what does not fit (--allow-non-restored-state, AllowNonRestoredState)")
                        .hint("or begin anew with --from-start, or run the script as it was"));
                }
                false => tracing::warn!("the application `{name}` begins without state: {}", lost.join("; ")),
                true => {}
            }
            counters.clone_from(&kept.counters);
        }
        // An application that was deleted and made again counts its checkpoints anew.
        let created = store.get(name).await?.created.timestamp_millis();
        let sinks = resolved.inserts.iter().map(|i| Sink::new(i.target.clone())).collect();
        Ok(Self {
            name: name.to_owned(),
            store,
            root,
            graph: Some(graph),
            readers,
            sinks,
            late: resolved.late.clone().map(Sink::new),
            names,
            signature,
            prefix: format!("{name}-{created:x}"),
            interval: Duration::milliseconds(resolved.settings.checkpoint_millis),
            number: last,
            taken: now,
            dirty: true,
            counters,
            behind: 0,
            rooms,
        })
    }

    fn graph(&self) -> Result<&Graph> {
        self.graph.as_ref().ok_or_else(|| Error::internal("the application's state got lost"))
    }

    /// Runs until it is asked to stop; or, if `until_caught_up`, until everything has been read.
    pub(crate) async fn run(
        &mut self,
        run: &RunContext,
        control: &Control,
        until_caught_up: bool,
    ) -> Result<()> {
        // Where it begins is kept before anything is read: LATEST is a place from now on.
        self.checkpoint("", Some(run)).await?;
        let cancelled = run.cancelled();
        let mut next = self.read().await?;
        loop {
            let has_more = next.values().any(|r| !r.reads.is_empty())
                || !self.readers.values().all(|r| r.is_caught_up());
            let idle_changes = self.process(next, false, run).await?;
            self.tell(run)?;
            if let Some(ask) = control.take() {
                match ask {
                    Ask::Snapshot(label, reply) => {
                        let taken = self.checkpoint(&label, Some(run)).await;
                        let number = self.number;
                        let failed = taken.as_ref().err().cloned();
                        let _ = reply.send(taken.map(|()| number));
                        if let Some(error) = failed {
                            return Err(error);
                        }
                    }
                    Ask::Drain => return self.drain(run).await,
                }
            }
            if cancelled.is_cancelled() {
                self.checkpoint("", Some(run)).await?;
                return Err(Error::cancelled());
            }
            if until_caught_up && !has_more && !idle_changes {
                return self.drain(run).await;
            }
            let now = self.rooms.clock.now();
            if self.dirty && (now >= self.taken + self.interval || self.buffered() > MAX_BUFFERED) {
                self.checkpoint("", Some(run)).await?;
            }
            if !has_more && !until_caught_up {
                self.rest(&cancelled, control).await?;
            }
            next = self.read().await?;
        }
    }

    /// Closes all windows, keeps that, and ends.
    async fn drain(&mut self, run: &RunContext) -> Result<()> {
        self.process(BTreeMap::new(), true, run).await?;
        self.checkpoint("", Some(run)).await?;
        self.tell(run)
    }

    /// Waits for records, an idle shard, or the time of a checkpoint.
    async fn rest(
        &mut self,
        cancelled: &tokio_util::sync::CancellationToken,
        control: &Control,
    ) -> Result<()> {
        let clock = &self.rooms.clock;
        let now = clock.now();
        let mut until = now + PATIENCE;
        if self.dirty {
            until = until.min(self.taken + self.interval);
        }
        for reader in self.readers.values() {
            until = reader.idle_at(now).map_or(until, |at| until.min(at));
        }
        let waits = self.readers.values().map(|r| Box::pin(r.wait()));
        tokio::select! {
            woken = futures::future::select_all(waits) => woken.0,
            () = clock.sleep_until(until) => Ok(()),
            () = cancelled.cancelled() => Ok(()),
            () = control.asked() => Ok(()),
        }
    }

    async fn read(&mut self) -> Result<BTreeMap<usize, TableRound>> {
        let now = self.rooms.clock.now();
        let mut all = BTreeMap::new();
        self.behind = 0;
        for (table, reader) in &mut self.readers {
            let reads = reader.read(now).await?;
            if let lost @ 1.. = std::mem::take(&mut reader.lost) {
                *self.counters.entry("lost_shards".to_owned()).or_default() += lost;
            }
            self.behind = reader.behind().num_milliseconds().max(self.behind);
            all.insert(*table, TableRound { reads, idle: reader.idle(now), known: reader.positions() });
        }
        Ok(all)
    }

    /// Takes a round through the dataflow; says whether the watermark has moved although nothing was read.
    async fn process(
        &mut self,
        round: BTreeMap<usize, TableRound>,
        end: bool,
        run: &RunContext,
    ) -> Result<bool> {
        let mut graph =
            self.graph.take().ok_or_else(|| Error::internal("the application's state got lost"))?;
        let before = graph.watermark();
        let work = tokio::task::spawn_blocking(move || {
            let outcome = graph.round(round, end);
            (graph, outcome)
        });
        let (graph, outcome) =
            work.await.map_err(|e| Error::internal("a round of the application broke off").source_is(e))?;
        let moved = graph.watermark() != before;
        self.graph = Some(graph);
        let outcome = outcome?;
        self.dirty |= moved || end || outcome.records > 0 || outcome.rows_out > 0;
        let records = outcome.records;
        self.take(outcome, run).await?;
        Ok(moved && records == 0)
    }

    async fn take(&mut self, outcome: Outcome, run: &RunContext) -> Result<()> {
        for (name, count) in [
            ("records", outcome.records),
            ("rows_out", outcome.rows_out),
            ("late", outcome.late_rows),
            ("malformed", outcome.malformed),
        ] {
            *self.counters.entry(name.to_owned()).or_default() += count;
            if count > 0 {
                run.count(name, count);
            }
        }
        for (sink, rows) in self.sinks.iter_mut().zip(&outcome.outputs) {
            rows.iter().try_for_each(|rows| sink.take(rows))?;
        }
        if let Some(late) = &mut self.late {
            outcome.late.iter().try_for_each(|rows| late.take_by_name(rows))?;
        }
        for sink in self.sinks.iter_mut().chain(&mut self.late) {
            if sink.prints() && !sink.is_empty() {
                let name = sink.target.name.clone();
                let text = sink.lines()?;
                for line in String::from_utf8_lossy(&text).lines() {
                    run.info(format!("{name}: {line}")).await;
                }
            }
        }
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.sinks.iter().chain(&self.late).map(|s| s.bytes).sum()
    }

    /// Says how far it is: `glulam stream run` shows this.
    fn tell(&self, run: &RunContext) -> Result<()> {
        let graph = self.graph()?;
        let records = self.counters.get("records").copied().unwrap_or(0);
        run.progress(records, None, Unit::Rows);
        let gauge = |name: &str, value: u64| {
            let counter = run.counter(name);
            counter.add(value.wrapping_sub(counter.value()));
        };
        gauge("open_windows", graph.open_windows() as u64);
        if graph.has_joins() {
            gauge("join_rows", graph.join_rows() as u64);
        }
        gauge("lag_millis", self.behind.unsigned_abs());
        // Counters have no sign: what lies before 1970 has one of its own, and counts while the other is 0.
        if let Some(mark) = graph.watermark() {
            gauge(if mark < 0 { "watermark_before_1970" } else { "watermark" }, mark.unsigned_abs());
        }
        Ok(())
    }

    /// Keeps everything together: positions, state, outputs.
    pub(crate) async fn checkpoint(&mut self, label: &str, run: Option<&RunContext>) -> Result<()> {
        let number = self.number + 1;
        let folder = format!("{number:010}-{}", token()?);
        let mut graph =
            self.graph.take().ok_or_else(|| Error::internal("the application's state got lost"))?;
        let path = self.root.join(&folder);
        let work = tokio::task::spawn_blocking(move || {
            let kept = graph.snapshot().and_then(|states| state::write(&path, &states));
            (graph, kept)
        });
        let (graph, pipelines) =
            work.await.map_err(|e| Error::internal("a checkpoint broke off").source_is(e))?;
        let by_name = |table: &usize| self.names.get(*table).cloned().unwrap_or_default();
        let positions = graph.positions().iter().map(|(t, p)| (by_name(t), p.clone())).collect();
        let watermarks = graph.watermarks().iter().map(|(t, m)| (by_name(t), *m)).collect();
        self.graph = Some(graph);
        let pipelines = pipelines?;
        let commit = self.rooms.lake.begin_commit(CommitOptions { run: run.map(|r| r.id().clone()) });
        let (mut files, mut changes, mut outbox) = (Vec::new(), Vec::new(), Vec::new());
        for (i, sink) in self.sinks.iter_mut().chain(&mut self.late).enumerate() {
            if sink.is_empty() {
                continue;
            }
            if let Some(stream) = sink.stream().map(str::to_owned) {
                let file = format!("records-{i}");
                let path = self.root.join(&folder).join(&file);
                let records = sink.records()?;
                tokio::task::spawn_blocking(move || keep(&path, &records))
                    .await
                    .map_err(|e| Error::internal("a checkpoint broke off").source_is(e))??;
                outbox.push((stream, file));
                continue;
            }
            let flushed = sink.flush(&commit, &format!("{}-{number:010}-{i}", self.prefix)).await?;
            *self.counters.entry("rows_written".into()).or_default() += flushed.rows;
            if let Some(run) = run {
                run.count("rows_written", flushed.rows);
                run.count("files_written", flushed.files.len() as u64);
            }
            files.extend(flushed.files);
            changes.extend(flushed.change);
        }
        let marker = match files.first() {
            Some(first) => {
                let beside: LakeUri = first.parse()?;
                // The folder's token tells applications of one name apart whose data directories share a bucket.
                let key = format!("_glulam/commits/app-{}-{folder}", self.name);
                let marker = LakeUri::new(beside.bucket().clone(), key)?;
                commit.put(&marker, Bytes::new()).await?;
                Some(marker)
            }
            None => None,
        };
        let kept = Kept {
            folder,
            positions,
            watermarks,
            pipelines,
            signature: self.signature.clone(),
            marker: marker.clone(),
            changes,
            outbox,
            counters: self.counters.clone(),
        };
        let taken = self.rooms.clock.now();
        let settled = marker.is_none() && kept.outbox.is_empty();
        let checkpoint = Checkpoint {
            application: self.name.clone(),
            number,
            label: label.to_owned(),
            settled,
            taken,
            kept,
        };
        crashpoint::hit("apps.checkpoint.before_record");
        self.store.record(&checkpoint).await?;
        crashpoint::hit("apps.checkpoint.recorded");
        if marker.is_some() {
            commit.publish().await?;
            crashpoint::hit("apps.checkpoint.published");
        }
        if !settled {
            settle(&self.rooms, &self.store, &checkpoint).await?;
        }
        self.number = number;
        self.taken = taken;
        self.dirty = false;
        prune(&self.rooms, &self.store, &self.name).await
    }
}

/// Whether these positions are of that stream. A table may have been given another one.
fn is_of(positions: &Positions, stream: &str) -> bool {
    let places = positions.values().filter_map(|p| p.next.as_deref());
    places.map(str::parse::<ShardIterator>).all(|place| place.is_ok_and(|place| place.stream == stream))
}

/// Gives each dataflow the state that was kept of it. Answers what nobody took up.
fn restore(graph: &mut Graph, kept: &Kept, signature: &[String], root: &Path) -> Result<Vec<String>> {
    let shapes = graph.shapes()?;
    let (mut lost, mut with_state) = (Vec::new(), BTreeSet::new());
    for (at, found) in state::matched(&kept.pipelines, &kept.signature, signature).into_iter().enumerate() {
        match (found, kept.pipelines.get(at)) {
            (Ok(Some(insert)), Some(pipeline)) => {
                let shape = shapes.get(insert).map(Vec::as_slice).unwrap_or_default();
                graph.restore(insert, state::read(&root.join(&kept.folder), at, pipeline, shape)?)?;
                with_state.insert(insert);
            }
            (Err(why), _) => lost.push(why),
            _ => {}
        }
    }
    for insert in (0..signature.len()).filter(|insert| !with_state.contains(insert)) {
        graph.begin_at_watermark(insert);
    }
    Ok(lost)
}

fn keep(path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(path)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
    };
    write().map_err(|e| {
        Error::unavailable("keeping the records of a checkpoint failed")
            .at(model::Place::object(path.display()))
            .source_is(e)
    })
}

fn token() -> Result<String> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::unavailable("the system gives no random bytes").source_is(e))?;
    Ok(hex::encode(bytes))
}
