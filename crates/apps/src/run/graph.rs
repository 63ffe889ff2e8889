//! A round: what the shards had, through all dataflows.

use super::aggregate::{Part, StateRows};
use super::decode::TableDecoder;
use super::join::{JoinPart, JoinSide};
use super::round::{Round, State};
use super::signature::{self, Sources};
use super::source::{Position, Positions, Read};
use super::tasks::each;
use crate::flow::compile::Compiler;
use crate::flow::node::{Aggregation, Joining, Node, Work};
use crate::flow::resolve::Resolved;
use arrow::array::RecordBatch;
use model::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// What a round brings of one table.
#[derive(Debug, Default)]
pub(crate) struct TableRound {
    pub(crate) reads: Vec<Read>,
    /// Shards that are not waited for.
    pub(crate) idle: BTreeSet<u32>,
    /// Where all shards stand behind these reads.
    pub(crate) known: Positions,
}

/// What has come out of a round.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// By insert.
    pub(crate) outputs: Vec<Vec<RecordBatch>>,
    pub(crate) late: Vec<RecordBatch>,
    pub(crate) records: u64,
    pub(crate) rows_out: u64,
    pub(crate) late_rows: u64,
    pub(crate) malformed: u64,
}

/// An application at work.
pub(crate) struct Graph {
    decoders: BTreeMap<usize, TableDecoder>,
    streams: BTreeMap<usize, String>,
    pipelines: Vec<Pipeline>,
    pub(crate) tasks: usize,
    lateness: i64,
    keeps_late: bool,
    /// By table and shard.
    positions: BTreeMap<usize, Positions>,
    /// By table; it never falls.
    watermarks: BTreeMap<usize, i64>,
}

/// The dataflow of one insert.
struct Pipeline {
    root: Node,
    /// By windowing step: windows that end at or before this are closed. By join: what is before this is late.
    closed: Vec<i64>,
    /// By aggregation.
    parts: Vec<Vec<Part>>,
    aggregations: Vec<Aggregation>,
    /// By join.
    join_parts: Vec<Vec<JoinPart>>,
    joins: Vec<Joining>,
}

/// How many keys an aggregation's rows have, and for each call how many states.
pub(crate) type Shape = (usize, Vec<usize>);

/// What is kept of one insert's dataflow.
pub(crate) struct PipelineState {
    pub(crate) closed: Vec<i64>,
    pub(crate) aggregations: Vec<Vec<StateRows>>,
    /// The rows of the left side and the right one.
    pub(crate) joins: Vec<[Vec<RecordBatch>; 2]>,
}

impl Graph {
    /// The application of a script that has no mistakes.
    pub(crate) fn new(resolved: &Resolved, tasks: usize) -> Result<Self> {
        let keeps_late = resolved.late.is_some();
        let mut pipelines = Vec::with_capacity(resolved.inserts.len());
        let mut needed: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for insert in &resolved.inserts {
            let mut compiler = Compiler::new(keeps_late);
            let root = compiler.compile(&insert.plan)?;
            let late_steps = compiler.late_steps();
            let (mut aggregations, mut joins) = (Vec::new(), Vec::new());
            gather(&root, &mut needed, &mut aggregations, &mut joins);
            aggregations.sort_by_key(|a: &Aggregation| a.id);
            joins.sort_by_key(|j: &Joining| j.id);
            let parts = aggregations
                .iter()
                .map(|a| (0..tasks).map(|_| Part::new(a)).collect::<Result<Vec<_>>>())
                .collect::<Result<Vec<_>>>()?;
            let join_parts = joins
                .iter()
                .map(|j| (0..tasks).map(|_| JoinPart::new(j)).collect::<Result<Vec<_>>>())
                .collect::<Result<Vec<_>>>()?;
            let closed = vec![i64::MIN; late_steps];
            pipelines.push(Pipeline { root, closed, parts, aggregations, join_parts, joins });
        }
        let (mut decoders, mut streams) = (BTreeMap::new(), BTreeMap::new());
        for (table, columns) in needed {
            let spec =
                resolved.tables.get(table).ok_or_else(|| Error::internal("a table that is not there"))?;
            decoders.insert(table, TableDecoder::new(spec, columns)?);
            streams.insert(table, spec.name.clone());
        }
        Ok(Self {
            decoders,
            streams,
            pipelines,
            tasks,
            lateness: resolved.settings.lateness_millis,
            keeps_late,
            positions: BTreeMap::new(),
            watermarks: BTreeMap::new(),
        })
    }

    /// The tables that it reads.
    pub(crate) fn sources(&self) -> Vec<usize> {
        self.decoders.keys().copied().collect()
    }

    /// Where a table's shards are read on.
    pub(crate) fn set_positions(&mut self, table: usize, positions: Positions) {
        self.positions.insert(table, positions);
    }

    pub(crate) fn positions(&self) -> &BTreeMap<usize, Positions> {
        &self.positions
    }

    /// The watermark of the table that is furthest behind, once all have one.
    pub(crate) fn watermark(&self) -> Option<i64> {
        let all = self.decoders.keys().map(|t| self.watermarks.get(t).copied().unwrap_or(i64::MIN));
        all.min().filter(|mark| *mark > i64::MIN)
    }

    pub(crate) fn set_watermark(&mut self, table: usize, mark: i64) {
        self.watermarks.insert(table, mark);
    }

    pub(crate) fn watermarks(&self) -> &BTreeMap<usize, i64> {
        &self.watermarks
    }

    /// How many windows are open. Those of several parts count once for each.
    pub(crate) fn open_windows(&self) -> usize {
        let most = |parts: &Vec<Part>| parts.iter().map(Part::open).max().unwrap_or(0);
        self.pipelines.iter().flat_map(|p| &p.parts).map(most).sum()
    }

    pub(crate) fn has_joins(&self) -> bool {
        self.pipelines.iter().any(|p| !p.joins.is_empty())
    }

    /// How many rows joins keep.
    pub(crate) fn join_rows(&self) -> usize {
        self.pipelines.iter().flat_map(|p| p.join_parts.iter().flatten()).map(JoinPart::rows).sum()
    }

    /// Takes a round through everything. At the `end` all windows close, and rows that have met nothing come out of outer
    /// joins.
    pub(crate) fn round(&mut self, rounds: BTreeMap<usize, TableRound>, end: bool) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut items = Vec::new();
        let mut idle: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
        for (table, round) in rounds {
            idle.insert(table, round.idle);
            let positions = self.positions.entry(table).or_default();
            for (shard, known) in round.known {
                positions.entry(shard).or_insert(Position { next: None, watermark: None }).next = known.next;
            }
            items.extend(round.reads.into_iter().map(|read| (table, read)));
        }
        outcome.records = items.iter().map(|(_, read)| read.records.len() as u64).sum();
        let decoders = &self.decoders;
        let streams = &self.streams;
        let decoded = each(self.tasks, items, |(table, read)| {
            let decoder = decoders.get(&table).ok_or_else(|| Error::internal("a table without a decoder"))?;
            let name = format!("{}/{}", streams.get(&table).map_or("", String::as_str), read.shard);
            let rows =
                if read.records.is_empty() { None } else { Some(decoder.decode(&name, &read.records)?) };
            Ok((table, read.shard.0, rows))
        })?;
        let mut inputs: BTreeMap<usize, Vec<RecordBatch>> = BTreeMap::new();
        for (table, shard, rows) in decoded {
            let positions = self.positions.entry(table).or_default();
            if let (Some(rows), Some(position)) = (rows, positions.get_mut(&shard)) {
                position.watermark = position.watermark.max(rows.watermark);
                outcome.malformed += rows.malformed;
                if rows.rows.num_rows() > 0 {
                    inputs.entry(table).or_default().push(rows.rows);
                }
            }
        }
        self.advance(&idle);
        let round = Round {
            inputs: &inputs,
            needed: self.decoders.iter().map(|(t, d)| (*t, d.needed.as_slice())).collect(),
            watermarks: &self.watermarks,
            tasks: self.tasks,
            lateness: self.lateness,
            keeps_late: self.keeps_late,
            end,
        };
        for pipeline in &mut self.pipelines {
            let Pipeline { root, closed, parts, join_parts, .. } = pipeline;
            let mut state = State { closed, parts, join_parts, late: &mut outcome.late, late_rows: 0 };
            let (rows, _) = round.node(root, &mut state)?;
            outcome.late_rows += state.late_rows;
            outcome.rows_out += rows.iter().map(|r| r.num_rows() as u64).sum::<u64>();
            outcome.outputs.push(rows);
        }
        Ok(outcome)
    }

    /// Moves the watermarks on: to that of the shard that is furthest behind, of those that are not idle.
    fn advance(&mut self, idle: &BTreeMap<usize, BTreeSet<u32>>) {
        for (table, positions) in &self.positions {
            let silent = idle.get(table);
            let is_waited_for = |(shard, position): &(&u32, &Position)| {
                position.next.is_some() && !silent.is_some_and(|s| s.contains(shard))
            };
            let marks = positions.iter().filter(is_waited_for).map(|(_, p)| p.watermark.unwrap_or(i64::MIN));
            // When nobody is waited for, nobody is ahead either: what was heard last counts.
            let heard = || positions.values().filter_map(|p| p.watermark).max();
            let found = marks.min().or_else(heard);
            if let Some(mark) = found {
                let current = self.watermarks.entry(*table).or_insert(i64::MIN);
                *current = (*current).max(mark);
            }
        }
    }

    /// What is kept of the dataflows; they go on with it.
    pub(crate) fn snapshot(&mut self) -> Result<Vec<PipelineState>> {
        let mut all = Vec::with_capacity(self.pipelines.len());
        for pipeline in &mut self.pipelines {
            let mut aggregations = Vec::new();
            for (aggregation, parts) in pipeline.aggregations.iter().zip(&mut pipeline.parts) {
                let parts: Vec<&mut Part> = parts.iter_mut().collect();
                let rows = each(self.tasks, parts, |part| part.snapshot(aggregation))?;
                aggregations.push(rows.into_iter().flatten().collect());
            }
            let mut joins = Vec::new();
            for (joining, parts) in pipeline.joins.iter().zip(&mut pipeline.join_parts) {
                let closed = pipeline.closed.get(joining.closed).copied().unwrap_or(i64::MIN);
                let mut sides = [Vec::new(), Vec::new()];
                for kept in each(self.tasks, parts.iter_mut().collect(), |p| p.snapshot(joining, closed))? {
                    sides.iter_mut().zip(kept).for_each(|(all, rows)| all.extend(rows));
                }
                joins.push(sides);
            }
            all.push(PipelineState { closed: pipeline.closed.clone(), aggregations, joins });
        }
        Ok(all)
    }

    /// How many keys and states each aggregation's rows have, by insert.
    pub(crate) fn shapes(&self) -> Result<Vec<Vec<Shape>>> {
        let shape = |a: &Aggregation| -> Result<(usize, Vec<usize>)> {
            let states = a.calls.iter().map(|c| Ok(c.function.state_fields().map_err(scan::error)?.len()));
            Ok((a.keys.len(), states.collect::<Result<_>>()?))
        };
        self.pipelines.iter().map(|p| p.aggregations.iter().map(shape).collect()).collect()
    }

    /// Takes up what was kept of one insert's dataflow, whatever the number of tasks was.
    pub(crate) fn restore(&mut self, insert: usize, state: PipelineState) -> Result<()> {
        let tasks = self.tasks;
        let wrong = || Error::corrupt("the kept state does not fit the dataflow that it was kept of");
        let pipeline = self.pipelines.get_mut(insert).ok_or_else(wrong)?;
        if state.closed.len() != pipeline.closed.len()
            || state.aggregations.len() != pipeline.aggregations.len()
            || state.joins.len() != pipeline.joins.len()
        {
            return Err(wrong());
        }
        pipeline.closed = state.closed;
        for ((aggregation, parts), rows) in
            pipeline.aggregations.iter().zip(&mut pipeline.parts).zip(state.aggregations)
        {
            for rows in rows {
                for (part, rows) in rows.split(tasks)? {
                    if let Some(part) = parts.get_mut(part) {
                        part.restore(aggregation, &rows)?;
                    }
                }
            }
        }
        for ((joining, parts), sides) in pipeline.joins.iter().zip(&mut pipeline.join_parts).zip(state.joins)
        {
            for (side, batches) in [JoinSide::Left, JoinSide::Right].into_iter().zip(sides) {
                for rows in batches {
                    for (part, rows) in joining.sorted(side, &rows, i64::MIN, tasks)?.parts {
                        if let Some(part) = parts.get_mut(part) {
                            part.restore(joining, side, rows)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A dataflow without state in an application that goes on: windows behind the watermark do not open again.
    pub(crate) fn begin_at_watermark(&mut self, insert: usize) {
        let Some(mark) = self.watermark() else { return };
        let closing = closing(mark, self.lateness);
        if let Some(pipeline) = self.pipelines.get_mut(insert) {
            pipeline.closed.iter_mut().for_each(|closed| *closed = (*closed).max(closing));
        }
    }

    /// What the state of each insert's dataflow depends on, in words.
    pub(crate) fn signature(&self) -> Result<Vec<String>> {
        let name = |table: &usize| self.streams.get(table).map_or("", String::as_str);
        let sources: Sources<'_> = self.decoders.iter().map(|(t, d)| (*t, (name(t), d))).collect();
        self.pipelines.iter().map(|pipeline| signature::of_insert(&pipeline.root, &sources)).collect()
    }
}

/// Windows that end at or before this close with that watermark.
pub(super) fn closing(mark: i64, lateness: i64) -> i64 {
    match mark {
        i64::MIN => i64::MIN,
        mark => mark.saturating_sub(lateness).saturating_add(1),
    }
}

/// Which columns of which tables are used, the aggregations and the joins.
fn gather(
    node: &Node,
    needed: &mut BTreeMap<usize, Vec<usize>>,
    found: &mut Vec<Aggregation>,
    joins: &mut Vec<Joining>,
) {
    match &node.work {
        Work::Source { table, columns } => needed.entry(*table).or_default().extend(columns),
        Work::Rows { input, .. } | Work::Windows { input, .. } => gather(input, needed, found, joins),
        Work::Aggregate(aggregation) => {
            gather(&aggregation.input, needed, found, joins);
            found.push((**aggregation).clone());
        }
        Work::Join(joining) => {
            joining.inputs.iter().for_each(|input| gather(input, needed, found, joins));
            joins.push((**joining).clone());
        }
        Work::Union { inputs } => inputs.iter().for_each(|input| gather(input, needed, found, joins)),
    }
}
