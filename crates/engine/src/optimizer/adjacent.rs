//! Groups of rows that stand beside each other.
//!
//! Files of measurements keep their rows by time, and a table's partitions keep theirs by name: the rows of one group
//! follow each other. Where they do, the first half of a grouping need not look each row up in a hash table: it finds
//! where the keys change, a comparison of neighbours, and sums up what lies between. The second half, which brings the
//! same groups of different places together, remains as it is.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{concat, partition, take};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode, PlanProperties,
    replace_children_if_necessary,
};
use futures::{StreamExt, stream};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A key must stay for this many rows on average; for more where sums are lists, sketches and the like, which take the
/// more room the more parts they come in.
const LONG: usize = 16;
const LONGER: usize = 2048;
/// So many keys are allowed before that is asked.
const FREE: usize = 64;
/// So many keys are given on at once, or what takes so many bytes.
const MANY: usize = 4096;
const LARGE: usize = 4 << 20;
/// So many batches' keys are held at once: some hold on to what came with them.
const PARTS: usize = 256;

/// Has groupings sum up neighbours.
#[derive(Debug)]
pub(super) struct SumUpNeighbours;

impl PhysicalOptimizerRule for SumUpNeighbours {
    fn name(&self) -> &str {
        "sum_up_neighbours"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| {
            let Some(grouping) = node.downcast_ref::<AggregateExec>().filter(|it| is_fit(it)) else {
                return Ok(Transformed::no(node));
            };
            Ok(Transformed::yes(Arc::new(AdjacentExec::new(grouping.clone())) as _))
        });
        Ok(plan?.data)
    }
}

/// Whether the first half of a grouping can be done for neighbours: plain keys, and sums that come in parts.
fn is_fit(grouping: &AggregateExec) -> bool {
    let keys = grouping.group_expr();
    let schema = grouping.input().schema();
    *grouping.mode() == AggregateMode::Partial
        && *grouping.input_order_mode() == InputOrderMode::Linear
        && grouping.limit_options().is_none()
        && keys.is_single()
        && !keys.is_empty()
        && keys.expr().iter().all(|(key, _)| key.data_type(&schema).is_ok_and(|kind| is_plain(&kind)))
        && grouping
            .aggr_expr()
            .iter()
            .all(|sum| sum.order_bys().is_empty() && sum.groups_accumulator_supported())
}

fn is_plain(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_plain(values),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean => true,
        DataType::Interval(_) => false,
        kind => kind.is_primitive(),
    }
}

/// The first half of a grouping whose rows may stand beside each other.
pub(crate) struct AdjacentExec {
    /// What does it where they do not.
    grouping: Arc<AggregateExec>,
    metrics: ExecutionPlanMetricsSet,
}

impl AdjacentExec {
    fn new(grouping: AggregateExec) -> Self {
        Self { grouping: Arc::new(grouping), metrics: ExecutionPlanMetricsSet::new() }
    }

    /// What does it where they do not.
    pub(crate) fn grouping(&self) -> &AggregateExec {
        &self.grouping
    }
}

impl fmt::Debug for AdjacentExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdjacentExec")
    }
}

impl DisplayAs for AdjacentExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.grouping.fmt_as(kind, f)
    }
}

impl ExecutionPlan for AdjacentExec {
    fn name(&self) -> &str {
        self.grouping.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.grouping.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.grouping.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.grouping.apply_expressions(f)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let grouping = replace_children_if_necessary(Arc::clone(&self.grouping) as _, children)?;
        match grouping.downcast_ref::<AggregateExec>() {
            Some(grouping) => Ok(Arc::new(Self::new(grouping.clone()))),
            None => Ok(grouping),
        }
    }

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.grouping.input().execute(partition, Arc::clone(&task))?;
        let state = Adjacent {
            sums: Sums::new(Arc::clone(&self.grouping))?,
            rows: Rows::Adjacent(rows),
            metrics: BaselineMetrics::new(&self.metrics, partition),
            partition,
            task,
        };
        let batches = stream::try_unfold(state, |mut state| async move {
            let batch = state.next().await?;
            Ok(batch.map(|batch| (batch, state)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

enum Rows {
    /// Of the input.
    Adjacent(SendableRecordBatchStream),
    /// Of the usual grouping over the rest of the input.
    Hashed(SendableRecordBatchStream),
    Over,
}

struct Adjacent {
    sums: Sums,
    rows: Rows,
    metrics: BaselineMetrics,
    partition: usize,
    task: Arc<TaskContext>,
}

impl Adjacent {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let given = match &mut self.rows {
                Rows::Over => return Ok(None),
                Rows::Hashed(groups) => match groups.next().await.transpose()? {
                    Some(batch) => Some(batch),
                    None => {
                        self.rows = Rows::Over;
                        return Ok(None);
                    }
                },
                Rows::Adjacent(rows) => match rows.next().await.transpose()? {
                    Some(batch) => self.take(batch)?,
                    None => {
                        self.rows = Rows::Over;
                        self.sums.give()?
                    }
                },
            };
            if let Some(batch) = given {
                self.metrics.record_output(batch.num_rows());
                return Ok(Some(batch));
            }
        }
    }

    /// Sums up a batch, or hands it and all behind it to the usual grouping; gives groups where there are enough.
    fn take(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        let timer = self.metrics.elapsed_compute().timer();
        let is_taken = self.sums.take(&batch)?;
        if is_taken && !self.sums.is_full() {
            return Ok(None);
        }
        let given = self.sums.give()?;
        timer.done();
        if !is_taken && let Rows::Adjacent(rows) = std::mem::replace(&mut self.rows, Rows::Over) {
            let schema = batch.schema();
            let rest = stream::once(std::future::ready(Ok(batch))).chain(rows);
            let rest = RestExec {
                properties: Arc::clone(self.sums.grouping.input().properties()),
                rows: Mutex::new(Some(Box::pin(RecordBatchStreamAdapter::new(schema, rest)))),
            };
            let usual = Arc::clone(&self.sums.grouping);
            let hashing = replace_children_if_necessary(usual, vec![Arc::new(rest)])?;
            self.rows = Rows::Hashed(hashing.execute(self.partition, Arc::clone(&self.task))?);
        }
        Ok(given)
    }
}

/// What was summed up and not yet given on.
struct Sums {
    grouping: Arc<AggregateExec>,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// The keys, as they came.
    keys: Vec<Vec<ArrayRef>>,
    /// How many keys.
    held: usize,
    /// The group of each row of a batch.
    groups: Vec<usize>,
    /// For how many rows a key must stay.
    long: usize,
    /// Rows and keys of all batches so far.
    seen: (usize, usize),
    schema: SchemaRef,
}

impl Sums {
    fn new(grouping: Arc<AggregateExec>) -> Result<Self> {
        let accumulators: Result<Vec<_>> =
            grouping.aggr_expr().iter().map(|sum| sum.create_groups_accumulator()).collect();
        let schema = grouping.schema();
        let mut sums = schema.fields().iter().skip(grouping.group_expr().expr().len());
        let is_small = sums.all(|sum| is_plain(sum.data_type()));
        Ok(Self {
            accumulators: accumulators?,
            long: if is_small { LONG } else { LONGER },
            keys: Vec::new(),
            held: 0,
            groups: Vec::new(),
            seen: (0, 0),
            schema,
            grouping,
        })
    }

    fn is_full(&self) -> bool {
        let is_much = self.held >= MANY || self.keys.len() >= PARTS;
        is_much || self.accumulators.iter().map(|sums| sums.size()).sum::<usize>() > LARGE
    }

    /// Whether the batch was summed up; not, where its keys change too often.
    fn take(&mut self, batch: &RecordBatch) -> Result<bool> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(true);
        }
        let keys: Vec<ArrayRef> =
            values(self.grouping.group_expr().expr().iter().map(|(key, _)| key), batch)?;
        let runs = partition(&keys)?.ranges();
        let goes_on = usize::from(self.goes_on(&keys)?);
        self.seen.0 += rows;
        self.seen.1 += runs.len() - goes_on;
        if self.seen.1 > FREE + self.seen.0 / self.long {
            return Ok(false);
        }
        // Where the first rows belong to the last group, it is theirs.
        let first = self.held - goes_on;
        self.groups.clear();
        for (group, run) in runs.iter().enumerate() {
            self.groups.extend(std::iter::repeat_n(first + group, run.len()));
        }
        let held = first + runs.len();
        let (sums, filters) = (self.grouping.aggr_expr(), self.grouping.filter_expr());
        for ((accumulator, sum), filter) in self.accumulators.iter_mut().zip(sums).zip(filters) {
            let arguments = values(sum.expressions().iter(), batch)?;
            let filter = match filter {
                Some(filter) => Some(filter.evaluate(batch)?.into_array(rows)?),
                None => None,
            };
            let filter: Option<&BooleanArray> = filter.as_ref().map(|array| array.as_boolean());
            accumulator.update_batch(&arguments, &self.groups, filter, held)?;
        }
        if held > self.held {
            let new = runs.iter().skip(goes_on);
            let firsts: UInt32Array = new.map(|run| u32::try_from(run.start).ok()).collect();
            let firsts: Result<Vec<ArrayRef>> =
                keys.iter().map(|key| Ok(own(take(key, &firsts, None)?))).collect();
            self.keys.push(firsts?);
            self.held = held;
        }
        Ok(true)
    }

    /// Whether the first row of a batch has the key of the last row before.
    fn goes_on(&self, keys: &[ArrayRef]) -> Result<bool> {
        let Some(before) = self.keys.last() else { return Ok(false) };
        let pairs: Result<Vec<ArrayRef>> = before
            .iter()
            .zip(keys)
            .map(|(before, key)| Ok(concat(&[&before.slice(before.len() - 1, 1), &key.slice(0, 1)])?))
            .collect();
        Ok(partition(&pairs?)?.len() == 1)
    }

    /// Gives what is held.
    fn give(&mut self) -> Result<Option<RecordBatch>> {
        if self.held == 0 {
            return Ok(None);
        }
        let kept = std::mem::take(&mut self.keys);
        self.held = 0;
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for at in 0..self.grouping.group_expr().expr().len() {
            let parts: Vec<&dyn Array> = kept.iter().map(|keys| keys[at].as_ref()).collect();
            columns.push(concat(&parts)?);
        }
        for accumulator in &mut self.accumulators {
            columns.extend(accumulator.state(EmitTo::All)?);
        }
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), columns)?))
    }
}

/// Texts in a buffer of their own, instead of that of the whole batch.
fn own(array: ArrayRef) -> ArrayRef {
    match array.as_string_view_opt() {
        Some(texts) => Arc::new(texts.gc()),
        None => array,
    }
}

fn values<'a>(
    expressions: impl Iterator<Item = &'a Arc<dyn PhysicalExpr>>,
    batch: &RecordBatch,
) -> Result<Vec<ArrayRef>> {
    expressions.map(|expression| expression.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// Rows that are there already, once.
struct RestExec {
    properties: Arc<PlanProperties>,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for RestExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RestExec")
    }
}

impl DisplayAs for RestExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RestExec")
    }
}

impl ExecutionPlan for RestExec {
    fn name(&self) -> &str {
        "RestExec"
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

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        match self.rows.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(rows) => Ok(rows),
            None => datafusion::common::internal_err!("rows that were there are read once"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::util::pretty::pretty_format_batches;
    use datafusion::datasource::MemTable;
    use datafusion::execution::session_state::SessionStateBuilder;
    use datafusion::physical_plan::collect;
    use datafusion::prelude::{SessionConfig, SessionContext};

    /// Rows of some minutes of some names, in batches; beside each other first, scattered later.
    fn rows(scattered_from: usize) -> Vec<Vec<RecordBatch>> {
        let schema = Arc::new(arrow::datatypes::Schema::new(vec![
            arrow::datatypes::Field::new("at", DataType::Int64, true),
            arrow::datatypes::Field::new("name", DataType::Utf8View, true),
            arrow::datatypes::Field::new("value", DataType::Float64, true),
        ]));
        let batch = |at: usize| {
            let row = move |n: usize| at * 1000 + if at < scattered_from { n } else { n * 7919 % 1000 };
            let hour = move |n: usize| row(n) as i64 / if at < scattered_from { 90 } else { 3 };
            let at = (0..1000).map(|n| (hour(n) % 11 != 0).then(|| hour(n)));
            let name =
                (0..1000).map(|n| (hour(n) % 7 != 0).then(|| format!("a name of length {}", hour(n) % 5)));
            let value = (0..1000).map(|n| (n % 13 != 0).then_some((row(n) % 512) as f64));
            let columns: Vec<ArrayRef> = vec![
                Arc::new(at.collect::<arrow::array::Int64Array>()),
                Arc::new(name.collect::<arrow::array::StringViewArray>()),
                Arc::new(value.collect::<arrow::array::Float64Array>()),
            ];
            RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
        };
        (0..2).map(|part| (0..20).map(|n| batch(part * 10 + n)).collect()).collect()
    }

    async fn answer(
        rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>,
        from: usize,
        sql: &str,
    ) -> (String, bool) {
        let config = SessionConfig::new().with_target_partitions(2);
        let mut all = datafusion::physical_optimizer::optimizer::PhysicalOptimizer::new().rules;
        all.extend(rules);
        let state = SessionStateBuilder::new_with_default_features().with_config(config);
        let context = SessionContext::new_with_state(state.with_physical_optimizer_rules(all).build());
        let rows = rows(from);
        context.register_table("t", Arc::new(MemTable::try_new(rows[0][0].schema(), rows).unwrap())).unwrap();
        let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let mut ours = false;
        plan.apply(|node| {
            ours |= node.is::<AdjacentExec>();
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
        let batches = collect(plan, context.task_ctx()).await.unwrap();
        (pretty_format_batches(&batches).unwrap().to_string(), ours)
    }

    #[tokio::test]
    async fn neighbours_and_strangers_are_summed_up_alike() {
        let queries = [
            "SELECT at, name, count(*), count(value), min(value), max(value), sum(value), avg(value) FROM t
             GROUP BY at, name ORDER BY at, name",
            "SELECT name, count(*) FILTER (WHERE value > 100), sum(value) FILTER (WHERE at IS NULL) FROM t GROUP BY name ORDER BY name",
            "SELECT at / 10, stddev(value) IS NULL, bool_or(value > 500) FROM t GROUP BY at / 10 ORDER BY 1",
            "SELECT DISTINCT at IS NULL, name FROM t ORDER BY 1, 2",
            "SELECT at / 100, count(*), approx_distinct(name), array_agg(value) IS NULL FROM t GROUP BY at / 100
             ORDER BY 1",
        ];
        // Never beside each other, up to a place, always.
        for from in [0, 12, 1000] {
            for sql in queries {
                let (usual, _) = answer(Vec::new(), from, sql).await;
                let (ours, is_ours) = answer(vec![Arc::new(SumUpNeighbours)], from, sql).await;
                assert!(is_ours, "{sql}");
                assert_eq!(ours, usual, "{sql}, from {from}");
            }
        }
    }
}
