//! The first half of a grouping, of which some is known.

use super::{KeptSums, Key, ONE, Sums, over};
use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, Partitioning, PlanProperties,
};
use functions::Session;
use futures::{StreamExt as _, stream};
use scan::{Piece, Pieces};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A piece that is to be summed up, and what its sums will be kept by.
type Work = (Key, Piece);

/// Gives what is kept, and works out the rest.
pub(super) struct SumsExec {
    shared: Arc<Shared>,
    /// For each partition, what is known and what is to be done.
    shares: Vec<(Vec<Sums>, Vec<Work>)>,
    properties: Arc<PlanProperties>,
}

struct Shared {
    /// The grouping as it was planned.
    grouping: Arc<dyn ExecutionPlan>,
    pieces: Pieces,
    kept: Arc<KeptSums>,
    session: Arc<Session>,
    /// So many bytes were given out to be kept, or would have been.
    bytes: AtomicUsize,
}

impl SumsExec {
    pub(super) fn new(
        grouping: Arc<dyn ExecutionPlan>,
        pieces: Pieces,
        known: Vec<Sums>,
        mut work: Vec<Work>,
        kept: Arc<KeptSums>,
        session: Arc<Session>,
    ) -> Self {
        let count = grouping.output_partitioning().partition_count().max(1);
        let mut shares: Vec<(Vec<Sums>, Vec<Work>)> = (0..count).map(|_| Default::default()).collect();
        for (at, sums) in known.into_iter().enumerate() {
            shares[at % count].0.push(sums);
        }
        // The largest first, each to whom has least to do.
        work.sort_by_key(|(_, piece)| std::cmp::Reverse(piece.bytes()));
        let mut loads = vec![0; count];
        for one in work {
            let least = (0..count).min_by_key(|at| loads[*at]).unwrap_or_default();
            // A small file is opened, too.
            loads[least] += one.1.bytes() + 4096;
            shares[least].1.push(one);
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(grouping.schema()),
            Partitioning::UnknownPartitioning(count),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let shared = Shared { grouping, pieces, kept, session, bytes: AtomicUsize::new(0) };
        Self { shared: Arc::new(shared), shares, properties: Arc::new(properties) }
    }
}

impl fmt::Debug for SumsExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SumsExec")
    }
}

impl DisplayAs for SumsExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.grouping.fmt_as(kind, f)
    }
}

impl ExecutionPlan for SumsExec {
    fn name(&self) -> &'static str {
        "SumsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.shared.grouping.apply_expressions(f)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (known, work) = &self.shares[partition];
        let known: Vec<RecordBatch> = known.iter().flat_map(|sums| sums.iter().cloned()).collect();
        let working =
            Working { shared: Arc::clone(&self.shared), task, rest: work.clone().into(), now: None };
        let worked = stream::try_unfold(working, |mut working| async move {
            let batch = working.next().await?;
            Ok(batch.map(|batch| (batch, working)))
        });
        let batches = stream::iter(known.into_iter().map(Ok)).chain(worked);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

/// What one partition still has to do.
struct Working {
    shared: Arc<Shared>,
    task: Arc<TaskContext>,
    rest: VecDeque<Work>,
    now: Option<Now>,
}

/// The piece that is being summed up.
struct Now {
    /// What its sums are to be kept by, and those so far; none if they are too many.
    keep: Option<(Key, Vec<RecordBatch>)>,
    bytes: usize,
    groups: SendableRecordBatchStream,
}

impl Working {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let Some(now) = &mut self.now else {
                self.now = self.begin()?;
                match self.now {
                    Some(_) => continue,
                    None => return Ok(None),
                }
            };
            let Some(batch) = now.groups.next().await.transpose()? else {
                self.end();
                continue;
            };
            if let Some((_, batches)) = &mut now.keep {
                // What is kept must not hold on to a page that it was cut from.
                let batch = scan::compact(&batch)?;
                let bytes = batch.get_array_memory_size();
                now.bytes += bytes;
                batches.push(batch);
                if self.shared.bytes.fetch_add(bytes, Relaxed) + bytes > ONE {
                    now.keep = None;
                }
            }
            return Ok(Some(batch));
        }
    }

    /// Begins with the next piece; with all that are left where the groups are too many.
    fn begin(&mut self) -> Result<Option<Now>> {
        if self.shared.bytes.load(Relaxed) > ONE {
            let rest = std::mem::take(&mut self.rest);
            return match rest.is_empty() {
                true => Ok(None),
                false => self.start(rest.iter().map(|(_, piece)| piece), None).map(Some),
            };
        }
        let Some((key, piece)) = self.rest.pop_front() else { return Ok(None) };
        self.start([&piece], Some(key)).map(Some)
    }

    fn start<'a>(&self, pieces: impl IntoIterator<Item = &'a Piece>, key: Option<Key>) -> Result<Now> {
        let plan = over(&self.shared.grouping, self.shared.pieces.scan(pieces))?;
        let groups = plan.execute(0, Arc::clone(&self.task))?;
        Ok(Now { keep: key.map(|key| (key, Vec::new())), bytes: 0, groups })
    }

    /// The piece is summed up.
    fn end(&mut self) {
        let Some(Now { keep: Some((key, batches)), bytes, .. }) = self.now.take() else { return };
        // A function that knows what time it is gives something else the next time.
        if !self.shared.session.knows_time() {
            self.shared.kept.0.put(key, batches.into(), bytes);
        }
    }
}
