//! An analyzed query as a dataflow: DataFusion's plan with its physical expressions, but windows, aggregations and
//! sources are ours.

use super::join;
use super::node::{Aggregation, Call, Group, Joining, Node, Step, Work};
use super::tables::{BOUNDS, Origin, StreamSource, ViewSource, WindowSource, origin};
use crate::script::window::WindowKind;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Aggregate, Expr, Join, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::optimizer::{Optimizer, OptimizerContext};
use datafusion::physical_expr::aggregate::LoweredAggregateBuilder;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use model::{Error, Result};
use plan::from_datafusion;
use std::sync::Arc;

/// Makes dataflows; numbers what has state.
pub(crate) struct Compiler {
    windows: usize,
    aggregations: usize,
    joins: usize,
    /// Late rows are kept with all of their columns.
    keep_all: bool,
}

/// Whether the plan can run as a stream.
pub(crate) fn check(plan: &LogicalPlan) -> Result<()> {
    Compiler::new(false).compile(plan).map(drop)
}

impl Compiler {
    pub(crate) fn new(keep_all: bool) -> Self {
        Self { windows: 0, aggregations: 0, joins: 0, keep_all }
    }

    /// How many steps let rows be late: those with windows, and joins.
    pub(crate) fn late_steps(&self) -> usize {
        self.windows
    }

    /// The dataflow of a plan.
    pub(crate) fn compile(&mut self, plan: &LogicalPlan) -> Result<Node> {
        let plan = with_views(plan.clone())?;
        if self.keep_all && has_join(&plan)? {
            // Late rows of joins are kept with all of their columns.
            return self.node(&plan);
        }
        let optimizer = Optimizer::with_rules(vec![Arc::new(OptimizeProjections::new())]);
        let plan = optimizer.optimize(plan, &OptimizerContext::new(), |_, _| {}).map_err(from_datafusion)?;
        self.node(&plan)
    }

    fn node(&mut self, plan: &LogicalPlan) -> Result<Node> {
        let schema: SchemaRef = Arc::new(plan.schema().as_arrow().clone());
        match plan {
            LogicalPlan::Projection(projection) => {
                let input = self.node(&projection.input)?;
                let below = projection.input.schema();
                let exprs = projection.expr.iter().map(|e| physical(e, below)).collect::<Result<Vec<_>>>()?;
                Ok(rows(input, Step::Project(exprs, Arc::clone(&schema)), schema))
            }
            LogicalPlan::Join(join) => self.join(join, None, schema),
            LogicalPlan::Filter(filter) => {
                // Of an inner join it is a part of the condition; of an outer one it is asked of padded rows, too.
                if let LogicalPlan::Join(join) = filter.input.as_ref()
                    && join.join_type == JoinType::Inner
                {
                    return self.join(join, Some(&filter.predicate), schema);
                }
                let input = self.node(&filter.input)?;
                let predicate = physical(&filter.predicate, filter.input.schema())?;
                Ok(rows(input, Step::Filter(predicate), schema))
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let input = self.node(&alias.input)?;
                Ok(Node { schema, work: input.work })
            }
            LogicalPlan::TableScan(scan) => {
                let all = || (0..scan.source.schema().fields().len()).collect::<Vec<_>>();
                let columns = scan.projection.clone().unwrap_or_else(all);
                if let Some(stream) = scan.source.downcast_ref::<StreamSource>() {
                    return Ok(Node { schema, work: Work::Source { table: stream.table, columns } });
                }
                match scan.source.downcast_ref::<WindowSource>() {
                    Some(window) => self.windows(window, &columns, schema),
                    None => Err(Error::internal("a table that is none of the script's")),
                }
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, schema),
            LogicalPlan::Union(union) => {
                let mut inputs = Vec::with_capacity(union.inputs.len());
                for input in &union.inputs {
                    inputs.push(self.node(input)?);
                }
                Ok(Node { schema, work: Work::Union { inputs } })
            }
            other => Err(refused(other)),
        }
    }

    fn join(&mut self, join: &Join, behind: Option<&Expr>, schema: SchemaRef) -> Result<Node> {
        let condition = join::understood(join, behind)?;
        let (id, closed) = (self.joins, self.windows);
        self.joins += 1;
        self.windows += 1;
        let inputs = [self.node(&join.left)?, self.node(&join.right)?];
        let (mut left, mut right, mut key_types) = (Vec::new(), Vec::new(), Vec::new());
        for (l, r) in &condition.keys {
            let (l, r) = (physical(l, join.left.schema())?, physical(r, join.right.schema())?);
            let of =
                |key: &Arc<dyn PhysicalExpr>, input: &Node| key.data_type(&input.schema).map_err(scan::error);
            let key_type = of(&l, &inputs[0])?;
            if of(&r, &inputs[1])? == key_type {
                key_types.push(key_type);
                left.push(l);
                right.push(r);
            }
        }
        if key_types.is_empty() {
            return Err(Error::internal("the keys of a join's sides have different types"));
        }
        let joining = Joining {
            inputs,
            id,
            closed,
            outer: condition.outer,
            keys: [left, right],
            key_types,
            times: [condition.times.0, condition.times.1],
            lower: condition.lower,
            upper: condition.upper,
            condition: physical(&condition.whole, &join.schema)?,
        };
        Ok(Node { schema, work: Work::Join(Box::new(joining)) })
    }

    fn windows(&mut self, window: &WindowSource, columns: &[usize], schema: SchemaRef) -> Result<Node> {
        let id = self.windows;
        self.windows += 1;
        // Of the input only what is asked for, and the time.
        let all: Vec<usize> = (0..window.input.schema().fields().len()).collect();
        let mut wanted: Vec<usize> = match self.keep_all {
            true => all,
            false => columns.iter().filter_map(|c| window.kept.get(*c).copied()).collect(),
        };
        if !wanted.contains(&window.time) {
            wanted.push(window.time);
        }
        wanted.sort_unstable();
        wanted.dedup();
        let inner = window.input.schema().columns();
        let exprs: Vec<Expr> =
            wanted.iter().filter_map(|i| inner.get(*i).cloned().map(Expr::Column)).collect();
        let pruned = LogicalPlanBuilder::from(window.input.clone())
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let input = self.compile(&pruned)?;
        let place = |at: usize| wanted.iter().position(|w| *w == at);
        let lost = || Error::internal("a window's column got lost");
        let time = place(window.time).ok_or_else(lost)?;
        let out = columns.iter().map(|c| match window.kept.get(*c) {
            Some(at) => place(*at).ok_or_else(lost),
            None => Ok(wanted.len() + c - window.kept.len()),
        });
        let columns = out.collect::<Result<Vec<_>>>()?;
        let work = Work::Windows { input: Box::new(input), id, time, kind: window.kind, columns };
        Ok(Node { schema, work })
    }

    fn aggregate(&mut self, aggregate: &Aggregate, schema: SchemaRef) -> Result<Node> {
        let below = aggregate.input.schema();
        let mut groups = Vec::new();
        let (mut start, mut end, mut kind) = (None, None, None);
        let mut keys = Vec::new();
        for expr in &aggregate.group_expr {
            let Expr::Column(column) = expr else {
                return Err(Error::unsupported("grouping sets are not possible in a stream application"));
            };
            let at = below
                .maybe_index_of_column(column)
                .ok_or_else(|| Error::internal(format!("column {column} got lost in the plan")))?;
            match origin(&aggregate.input, at) {
                Origin::Start(found) if start.is_none() => {
                    start = Some(at);
                    kind = Some(found);
                    groups.push(Group::Start);
                }
                Origin::End(_) if end.is_none() => {
                    end = Some(at);
                    groups.push(Group::End);
                }
                Origin::Time if column.name.starts_with(BOUNDS[2]) => groups.push(Group::Time),
                _ => {
                    groups.push(Group::Key(keys.len()));
                    keys.push(at);
                }
            }
        }
        let (Some(start), Some(end), Some(kind)) = (start, end, kind) else {
            return Err(Error::unsupported("an aggregation without a window never ends in a stream")
                .hint("group by TUMBLE(ts, INTERVAL '5' MINUTE), or by window_start and window_end of a window table function"));
        };
        let props = ExecutionProps::new();
        let mut calls = Vec::with_capacity(aggregate.aggr_expr.len());
        for expr in &aggregate.aggr_expr {
            let context = PhysicalPlanningContext::default();
            let call = LoweredAggregateBuilder::new(expr, below, below.as_arrow(), &props, &context)
                .build()
                .map_err(from_datafusion)?;
            calls.push(Call { function: call.aggregate, filter: call.filter });
        }
        let id = self.aggregations;
        self.aggregations += 1;
        let input = self.node(&aggregate.input)?;
        let key_fields: Vec<_> = keys.iter().map(|k| input.schema.field(*k).clone()).collect();
        if matches!(kind, WindowKind::Session { .. }) && has_other_windows(&input) {
            return Err(Error::unsupported(
                "a session window over another window's rows has to group them directly",
            ));
        }
        let key_schema = Arc::new(Schema::new(key_fields));
        let aggregation = Aggregation { input, id, kind, groups, start, end, keys, key_schema, calls };
        Ok(Node { schema, work: Work::Aggregate(Box::new(aggregation)) })
    }
}

fn has_other_windows(node: &Node) -> bool {
    match &node.work {
        Work::Rows { input, .. } => has_other_windows(input),
        Work::Union { .. } => true,
        _ => false,
    }
}

fn rows(input: Node, step: Step, schema: SchemaRef) -> Node {
    match input.work {
        Work::Rows { input, mut steps } => {
            steps.push(step);
            Node { schema, work: Work::Rows { input, steps } }
        }
        _ => Node { schema, work: Work::Rows { input: Box::new(input), steps: vec![step] } },
    }
}

pub(super) fn physical(expr: &Expr, below: &datafusion::common::DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
    // Some functions (COALESCE is one) only exist until they are simplified.
    let context = SimplifyContext::builder().with_schema(Arc::new(below.clone())).build();
    let expr = &ExprSimplifier::new(context).simplify(expr.clone()).map_err(from_datafusion)?;
    let props = ExecutionProps::new();
    create_physical_expr(expr, below, &props, &PhysicalPlanningContext::default()).map_err(from_datafusion)
}

fn has_join(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| Ok(matches!(node, LogicalPlan::Join(_)))).map_err(from_datafusion)
}

/// Views are their plans.
fn with_views(plan: LogicalPlan) -> Result<LogicalPlan> {
    let done = plan.transform_up(|node| {
        let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
        let Some(view) = scan.source.downcast_ref::<ViewSource>() else { return Ok(Transformed::no(node)) };
        let inner = with_views(view.plan.clone()).map_err(scan::external)?;
        let names = view.schema.fields();
        let all = || (0..names.len()).collect::<Vec<_>>();
        let columns = inner.schema().columns();
        let exprs: Vec<Expr> = scan
            .projection
            .clone()
            .unwrap_or_else(all)
            .into_iter()
            .filter_map(|i| {
                let name = names.get(i)?.name().clone();
                Some(
                    Expr::Column(columns.get(i)?.clone())
                        .alias_qualified(Some(scan.table_name.clone()), name),
                )
            })
            .collect();
        let plan = LogicalPlanBuilder::from(inner).project(exprs)?.build()?;
        Ok(Transformed::yes(plan))
    });
    Ok(done.map_err(from_datafusion)?.data)
}

fn refused(plan: &LogicalPlan) -> Error {
    let (what, hint) = match plan {
        LogicalPlan::Sort(_) => ("ORDER BY is", "rows come out in the order in which windows close"),
        LogicalPlan::Limit(_) => ("LIMIT is", "an application never ends by itself"),
        LogicalPlan::Distinct(_) => ("SELECT DISTINCT is", "group by a window and the columns"),
        LogicalPlan::Window(_) => ("OVER is", "aggregate by a window: TUMBLE, HOP, SESSION, CUMULATE"),
        LogicalPlan::Unnest(_) => ("UNNEST is", "write the array as it is"),
        LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => {
            ("a query without a stream is", "select from a table of the script")
        }
        LogicalPlan::Subquery(_) => ("a subquery as a value is", "use a view"),
        _ => ("this part of the query is", "filter, project, join, union, and aggregate by windows"),
    };
    Error::unsupported(format!("{what} not supported in a stream application")).hint(hint)
}
