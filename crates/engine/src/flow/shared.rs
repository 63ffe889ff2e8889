//! Rows that several steps read: made once, when the first of them asks, and kept in memory, or on the disk where the
//! memory does not hold them.

use super::book::cannot;
use super::step::StepTable;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// The rows of one step, kept.
pub(super) struct Shared {
    step: OnceLock<Weak<StepTable>>,
    state: SessionState,
    folder: PathBuf,
    name: String,
    /// In memory are at most so many bytes.
    limit: usize,
    wanted: Mutex<BTreeSet<usize>>,
    plan: OnceCell<Planned>,
    kept: OnceCell<Arc<Kept>>,
}

/// How the wanted columns, in ascending order, are made.
struct Planned {
    columns: Vec<usize>,
    plan: Arc<dyn ExecutionPlan>,
}

/// What was kept: batches of the wanted columns in ascending order.
struct Kept {
    columns: Vec<usize>,
    batches: Vec<RecordBatch>,
    files: Vec<Spill>,
    _memory: Vec<MemoryReservation>,
}

/// A file that goes with its owner.
struct Spill(PathBuf);

impl Drop for Spill {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Shared {
    pub(super) fn new(state: SessionState, folder: PathBuf, name: String, limit: usize) -> Self {
        Self {
            step: OnceLock::new(),
            state,
            folder,
            name,
            limit,
            wanted: Mutex::default(),
            plan: OnceCell::new(),
            kept: OnceCell::new(),
        }
    }

    /// Says whose rows these are.
    pub(super) fn of(&self, step: &Arc<StepTable>) {
        let _ = self.step.set(Arc::downgrade(step));
    }

    /// All columns are kept: who reads them is not known yet.
    pub(super) fn want_all(&self, columns: usize) {
        self.wanted().extend(0..columns);
    }

    /// Asks for columns. Once it is planned how they are made, no others are to be had.
    pub(super) fn offers(&self, columns: &[usize]) -> bool {
        let mut wanted = self.wanted();
        if self.plan.get().is_some() {
            return columns.iter().all(|column| wanted.contains(column));
        }
        wanted.extend(columns);
        true
    }

    fn wanted(&self) -> std::sync::MutexGuard<'_, BTreeSet<usize>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn kept(&self) -> Result<Arc<Kept>> {
        self.kept.get_or_try_init(|| self.make()).await.cloned()
    }

    /// Plans how the columns are made that were asked for so far. Whoever asks is planned before.
    pub(super) async fn prepare(&self) -> Result<()> {
        let nobody = self.wanted().is_empty();
        if !nobody {
            self.planned().await?;
        }
        Ok(())
    }

    async fn planned(&self) -> Result<&Planned> {
        let plan = || async {
            let Some(step) = self.step.get().and_then(Weak::upgrade) else {
                return datafusion::common::internal_err!("rows are read whose step is gone");
            };
            let columns: Vec<usize> = self.wanted().iter().copied().collect();
            let plan = step.own_plan(&self.state, &columns).await?;
            Ok(Planned { columns, plan })
        };
        self.plan.get_or_try_init(plan).await
    }

    async fn make(&self) -> Result<Arc<Kept>> {
        let Planned { columns, plan } = self.planned().await?;
        let task = self.state.task_ctx();
        let mut parts = JoinSet::new();
        let used = Arc::new(AtomicUsize::new(0));
        for part in 0..plan.output_partitioning().partition_count() {
            let stream = plan.execute(part, Arc::clone(&task))?;
            let memory = MemoryConsumer::new(self.name.clone()).register(task.memory_pool());
            let path = self.folder.join(format!("{}-{part}.arrow", self.name));
            parts.spawn(gather(stream, memory, path, Arc::clone(&used), self.limit));
        }
        let mut kept =
            Kept { columns: columns.clone(), batches: Vec::new(), files: Vec::new(), _memory: Vec::new() };
        while let Some(part) = parts.join_next().await {
            let (batches, file, memory) =
                part.map_err(|e| datafusion::common::DataFusionError::External(Box::new(e)))??;
            kept.batches.extend(batches);
            kept.files.extend(file);
            kept._memory.push(memory);
        }
        Ok(Arc::new(kept))
    }
}

type Part = (Vec<RecordBatch>, Option<Spill>, MemoryReservation);

/// One part's rows: in memory as long as there is room, then in a file.
async fn gather(
    mut stream: SendableRecordBatchStream,
    memory: MemoryReservation,
    path: PathBuf,
    used: Arc<AtomicUsize>,
    limit: usize,
) -> Result<Part> {
    let schema = stream.schema();
    let mut batches = Vec::new();
    let mut spill: Option<(StreamWriter<BufWriter<File>>, Spill)> = None;
    while let Some(batch) = stream.try_next().await? {
        // Texts refer to the pieces of the file they were read from.
        let batch = scan::compact(&batch)?;
        if spill.is_none() {
            let size = batch.get_array_memory_size();
            let fits = used.fetch_add(size, Ordering::Relaxed) + size <= limit;
            if fits && memory.try_grow(size).is_ok() {
                batches.push(batch);
                continue;
            }
        }
        if spill.is_none() {
            let failed = |e| scan::external(cannot(&path, e));
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            let file = File::create(&path).map_err(failed)?;
            let owned = Spill(path.clone());
            spill = Some((StreamWriter::try_new(BufWriter::new(file), &schema)?, owned));
        }
        if let Some((writer, _)) = &mut spill {
            // Written in large pieces to the local disk: this does not block for long.
            writer.write(&batch)?;
        }
    }
    let file = match spill {
        Some((mut writer, file)) => {
            writer.finish()?;
            Some(file)
        }
        None => None,
    };
    Ok((batches, file, memory))
}

/// Reads kept rows, each of its parts another share of them.
pub(super) struct SharedExec {
    shared: Arc<Shared>,
    wanted: Vec<usize>,
    schema: SchemaRef,
    parts: usize,
    properties: Arc<PlanProperties>,
}

impl SharedExec {
    pub(super) fn new(shared: Arc<Shared>, wanted: Vec<usize>, schema: SchemaRef, parts: usize) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(parts),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { shared, wanted, schema, parts, properties: Arc::new(properties) }
    }
}

impl fmt::Debug for SharedExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedExec({})", self.shared.name)
    }
}

impl DisplayAs for SharedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedExec: {}", self.shared.name)
    }
}

impl ExecutionPlan for SharedExec {
    fn name(&self) -> &str {
        "SharedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (shared, wanted, parts) = (Arc::clone(&self.shared), self.wanted.clone(), self.parts);
        let stream = futures::stream::once(async move {
            let kept = shared.kept().await?;
            let places = wanted.iter().map(|column| kept.columns.binary_search(column));
            let places: Vec<usize> = match places.collect() {
                Ok(places) => places,
                Err(_) => return datafusion::common::internal_err!("kept rows lack a column"),
            };
            let share = kept.batches.iter().skip(partition).step_by(parts).cloned().map(Ok);
            let mut readers = Vec::new();
            for spill in kept.files.iter().skip(partition).step_by(parts) {
                let file = File::open(&spill.0).map_err(|e| scan::external(cannot(&spill.0, e)))?;
                readers.push(StreamReader::try_new(BufReader::new(file), None)?);
            }
            let batches: Vec<Result<RecordBatch>> = share.collect();
            // The files are there as long as the rows are kept.
            let from_disk = readers.into_iter().flatten().map(move |batch| {
                let _ = &kept;
                Ok(batch?)
            });
            let rows = futures::stream::iter(batches).chain(futures::stream::iter(from_disk));
            Ok(rows.map(move |batch| Ok(batch?.project(&places)?)))
        })
        .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream)))
    }
}
