//! A step as DataFusion sees it: a table whose rows another plan makes, counted as they come out, and sieved where rows
//! may be rejected.

use super::FlowColumn;
use super::book::RejectBook;
use super::shared::{Shared, SharedExec};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{filter_record_batch, is_not_null, is_null};
use arrow::datatypes::{Field, Int32Type, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, Result};
use datafusion::datasource::source_as_provider;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;
use plan::Analyzed;
use sql::SqlType;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The rows of a step as a table.
pub(super) struct StepTable {
    id: String,
    /// What makes the rows: the columns that come out, then, with a sieve, its number and the input's own columns.
    plan: LogicalPlan,
    schema: SchemaRef,
    types: Vec<SqlType>,
    sieve: Option<Sieve>,
    rows: Arc<AtomicU64>,
    /// How often plans read it.
    reads: AtomicUsize,
    /// How many steps and writes will read it.
    readers: AtomicUsize,
    shared: Option<Arc<Shared>>,
}

/// Which rows do not come out: those whose number is not NULL.
#[derive(Debug, Clone)]
pub(super) struct Sieve {
    /// By number, from 0: the column that is wrong, and the reason.
    pub(super) rules: Arc<[(String, String)]>,
    /// The input's columns as they are spelled.
    pub(super) input: Arc<[FlowColumn]>,
    /// Where the input's columns stand in the plan.
    pub(super) first_input: usize,
    pub(super) book: RejectBook,
}

impl StepTable {
    /// The first `columns` of the analyzed query come out; the one behind them is the sieve's number.
    pub(super) fn new(
        id: &str,
        analyzed: Analyzed,
        columns: &[FlowColumn],
        sieve: Option<Sieve>,
        shared: Option<Arc<Shared>>,
    ) -> Self {
        let field = |c: &FlowColumn| Field::new(c.name.to_lowercase(), c.sql_type.to_arrow(), true);
        Self {
            id: id.to_owned(),
            plan: analyzed.plan,
            schema: Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>())),
            types: columns.iter().map(|c| c.sql_type.clone()).collect(),
            sieve,
            rows: Arc::default(),
            reads: AtomicUsize::new(0),
            readers: AtomicUsize::new(0),
            shared,
        }
    }

    /// How many rows came out so far.
    pub(super) fn count(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns' types.
    pub(super) fn types(&self) -> &[SqlType] {
        &self.types
    }

    /// Notes that so many steps read it.
    pub(super) fn read_by(&self, readers: usize) {
        self.readers.fetch_max(readers, Ordering::Relaxed);
    }

    /// Whether its rows are made once for several readers.
    fn is_shared(&self) -> bool {
        self.reads.load(Ordering::Relaxed).max(self.readers.load(Ordering::Relaxed)) > 1
    }

    /// Makes the plan for these columns, whether or not the rows are kept.
    pub(super) async fn own_plan(
        &self,
        state: &dyn Session,
        wanted: &[usize],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let names: Vec<Column> = self.plan.schema().iter().map(Column::from).collect();
        let visible = self.schema.fields().len();
        let mut exprs: Vec<Expr> =
            wanted.iter().filter_map(|at| names.get(*at)).cloned().map(Expr::Column).collect();
        if let Some(sieve) = &self.sieve {
            exprs.extend(names.get(visible).cloned().map(Expr::Column));
            exprs.extend(names.iter().skip(sieve.first_input).cloned().map(Expr::Column));
        }
        let logical = LogicalPlanBuilder::from(self.plan.clone()).project(exprs)?.build()?;
        let input = match state.as_any().downcast_ref::<SessionState>() {
            Some(state) => {
                let optimized = crate::optimizer::optimize(state, &logical).map_err(scan::external)?;
                state.query_planner().create_physical_plan(&optimized, state).await?
            }
            None => state.create_physical_plan(&logical).await?,
        };
        let schema = Arc::new(self.schema.project(wanted)?);
        Ok(Arc::new(StepExec::new(
            input,
            schema,
            self.id.clone(),
            self.sieve.clone(),
            Arc::clone(&self.rows),
        )))
    }
}

impl fmt::Debug for StepTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepTable({})", self.id)
    }
}

/// Notes for each step in a plan how often it is read there. Steps that are read more than once are made only once.
pub(super) fn note_reads(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && let Some(step) = (provider.as_ref() as &dyn std::any::Any).downcast_ref::<StepTable>()
        {
            step.reads.fetch_add(1, Ordering::Relaxed);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

#[async_trait]
impl TableProvider for StepTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        match &self.shared {
            Some(shared) if self.is_shared() && shared.offers(&wanted) => {
                let schema = Arc::new(self.schema.project(&wanted)?);
                let parts = state.config().target_partitions().max(1);
                Ok(Arc::new(SharedExec::new(Arc::clone(shared), wanted, schema, parts)))
            }
            _ => self.own_plan(state, &wanted).await,
        }
    }
}

/// Brings a plan's rows into the step's columns, sieves them and counts what comes out.
#[derive(Debug)]
struct StepExec {
    input: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    id: String,
    sieve: Option<Sieve>,
    rows: Arc<AtomicU64>,
    properties: Arc<PlanProperties>,
}

impl StepExec {
    fn new(
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        id: String,
        sieve: Option<Sieve>,
        rows: Arc<AtomicU64>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            datafusion::physical_plan::Partitioning::UnknownPartitioning(
                input.output_partitioning().partition_count(),
            ),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, schema, id, sieve, rows, properties: Arc::new(properties) }
    }
}

impl DisplayAs for StepExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepExec: {}", self.id)
    }
}

impl ExecutionPlan for StepExec {
    fn name(&self) -> &str {
        "StepExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// The rows pass one by one: their order in a part, and who gets them, does not matter here.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().unwrap_or_else(|| Arc::clone(&self.input));
        let schema = Arc::clone(&self.schema);
        let rows = Arc::clone(&self.rows);
        Ok(Arc::new(Self::new(input, schema, self.id.clone(), self.sieve.clone(), rows)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let stream = self.input.execute(partition, context)?;
        let (schema, rows) = (Arc::clone(&self.schema), Arc::clone(&self.rows));
        let (id, sieve) = (self.id.clone(), self.sieve.clone());
        let shaped = stream.map(move |batch| {
            let batch = batch?;
            let batch = match &sieve {
                Some(sieve) => sieve.sieved(&id, &schema, &batch)?,
                None => shaped(&schema, batch.columns(), batch.num_rows())?,
            };
            rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
            Ok(batch)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), shaped)))
    }
}

/// Columns under a schema's names and types.
fn shaped(schema: &SchemaRef, columns: &[ArrayRef], rows: usize) -> Result<RecordBatch> {
    let columns = columns.iter().zip(schema.fields()).map(|(column, field)| {
        match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => Ok(arrow::compute::cast(column, field.data_type())?),
        }
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_>>()?, &options)?)
}

impl Sieve {
    /// The rows that pass; the others go into the book. The batch has the schema's columns, the number, the input's.
    fn sieved(&self, id: &str, schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
        let visible = schema.fields().len();
        let Some(numbers) = batch.columns().get(visible) else {
            return datafusion::common::internal_err!("a sieve without its number");
        };
        if numbers.null_count() == batch.num_rows() {
            return shaped(schema, &batch.columns()[..visible], batch.num_rows());
        }
        let rejected = filter_record_batch(batch, &is_not_null(numbers)?)?;
        let rules = rejected.column(visible).as_primitive::<Int32Type>();
        let why: Vec<(&str, &str)> = rules
            .iter()
            .map(|number| {
                let rule = number.and_then(|number| self.rules.get(usize::try_from(number).ok()?));
                rule.map_or(("", "the row cannot be taken"), |(column, reason)| {
                    (column.as_str(), reason.as_str())
                })
            })
            .collect();
        let inputs: Vec<usize> = (visible + 1..batch.num_columns()).collect();
        let taken = self.book.take_rows(id, &self.input, &rejected.project(&inputs)?, &why);
        taken.map_err(scan::external)?;
        let kept = filter_record_batch(batch, &is_null(numbers)?)?;
        shaped(schema, &kept.columns()[..visible], kept.num_rows())
    }
}
