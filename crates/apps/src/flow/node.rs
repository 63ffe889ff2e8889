//! The dataflow: what is done to rows between a source and a sink, as physical expressions.

use crate::script::window::{WindowKind, length};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use std::sync::Arc;

/// A step of the dataflow with what it takes its rows from.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) schema: SchemaRef,
    pub(crate) work: Work,
}

/// What a step does.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Rows of a table of the script: these of its columns.
    Source { table: usize, columns: Vec<usize> },
    /// Each row by itself.
    Rows { input: Box<Node>, steps: Vec<Step> },
    /// Rows with their windows beside them.
    Windows {
        input: Box<Node>,
        /// Its place among the steps that have windows.
        id: usize,
        /// The event's time.
        time: usize,
        kind: WindowKind,
        /// Which columns come out: of the input, or behind them the window's start, end and time.
        columns: Vec<usize>,
    },
    /// One row for each key and window, when the window closes.
    Aggregate(Box<Aggregation>),
    /// Pairs of rows with equal keys whose times are near each other.
    Join(Box<Joining>),
    /// The rows of all.
    Union { inputs: Vec<Node> },
}

/// A step that takes each row by itself.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Only rows where it is true.
    Filter(Arc<dyn PhysicalExpr>),
    /// Other columns.
    Project(Vec<Arc<dyn PhysicalExpr>>, SchemaRef),
}

/// An aggregation by windows and keys.
#[derive(Debug, Clone)]
pub(crate) struct Aggregation {
    pub(crate) input: Node,
    /// Its place among the aggregations, for their state.
    pub(crate) id: usize,
    pub(crate) kind: WindowKind,
    /// What the columns by which rows are grouped are.
    pub(crate) groups: Vec<Group>,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) keys: Vec<usize>,
    pub(crate) key_schema: SchemaRef,
    pub(crate) calls: Vec<Call>,
}

/// A join of two streams, whose rows meet within bounds of time.
#[derive(Debug, Clone)]
pub(crate) struct Joining {
    /// The left side and the right one.
    pub(crate) inputs: [Node; 2],
    /// Its place among the joins, for their state.
    pub(crate) id: usize,
    /// Its place among the steps that let rows be late.
    pub(crate) closed: usize,
    /// Of which sides, the left one and the right one, rows without a partner come out, too.
    pub(crate) outer: [bool; 2],
    /// What has to be equal, of each side.
    pub(crate) keys: [Vec<Arc<dyn PhysicalExpr>>; 2],
    pub(crate) key_types: Vec<DataType>,
    /// Each side's event time.
    pub(crate) times: [usize; 2],
    /// By how many milliseconds the left row's time is at least behind the right one's.
    pub(crate) lower: i64,
    /// And at most.
    pub(crate) upper: i64,
    /// All of what a pair has to fulfil.
    pub(crate) condition: Arc<dyn PhysicalExpr>,
}

/// A column by which rows are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// The window's start.
    Start,
    /// The window's end.
    End,
    /// The window's last moment.
    Time,
    /// The n-th key.
    Key(usize),
}

/// A call of an aggregate.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) function: Arc<AggregateFunctionExpr>,
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
}

impl Node {
    /// The tables of the script that it reads.
    pub(crate) fn sources(&self) -> Vec<usize> {
        match &self.work {
            Work::Source { table, .. } => vec![*table],
            Work::Rows { input, .. } | Work::Windows { input, .. } => input.sources(),
            Work::Aggregate(aggregation) => aggregation.input.sources(),
            Work::Join(joining) => joining.inputs.iter().flat_map(Node::sources).collect(),
            Work::Union { inputs } => inputs.iter().flat_map(Node::sources).collect(),
        }
    }

    /// The dataflow as a tree, the sink's side first.
    pub(crate) fn describe(&self, tables: &[String], depth: usize, lines: &mut Vec<String>) {
        let pad = "  ".repeat(depth);
        match &self.work {
            Work::Source { table, .. } => {
                let name = tables.get(*table).map_or("?", String::as_str);
                lines.push(format!("{pad}source {name}: {}", names(&self.schema)));
            }
            Work::Rows { input, steps } => {
                for step in steps.iter().rev() {
                    lines.push(match step {
                        Step::Filter(expr) => format!("{pad}filter {}", shown(&expr.to_string())),
                        Step::Project(_, schema) => format!("{pad}select {}", names(schema)),
                    });
                }
                input.describe(tables, depth + 1, lines);
            }
            Work::Windows { input, time, kind, .. } => {
                let time = input.schema.field(*time).name();
                lines.push(format!("{pad}windows {} of {}", kind.describe(), shown(time)));
                input.describe(tables, depth + 1, lines);
            }
            Work::Aggregate(aggregation) => {
                let calls: Vec<String> = aggregation.calls.iter().map(|c| call_text(&c.function)).collect();
                let by = match aggregation.keys.is_empty() {
                    true => "the window".to_owned(),
                    false => format!("the window, {}", names(&aggregation.key_schema)),
                };
                lines.push(format!("{pad}aggregate {} by {by}", calls.join(", ")));
                aggregation.input.describe(tables, depth + 1, lines);
            }
            Work::Join(joining) => {
                lines.push(format!("{pad}{} on {}", joining.kind(), joining.describe()));
                joining.inputs.iter().for_each(|input| input.describe(tables, depth + 1, lines));
            }
            Work::Union { inputs } => {
                lines.push(format!("{pad}union of {}", inputs.len()));
                inputs.iter().for_each(|input| input.describe(tables, depth + 1, lines));
            }
        }
    }
}

impl Joining {
    /// What it is called. Kept state belongs to this name.
    pub(crate) fn kind(&self) -> &'static str {
        match self.outer {
            [false, false] => "join",
            [true, false] => "left join",
            [false, true] => "right join",
            [true, true] => "full join",
        }
    }

    /// Its keys and bounds, as the dataflow shows them.
    pub(crate) fn describe(&self) -> String {
        let [left, right] = &self.keys;
        let equal = |(l, r): (&Arc<dyn PhysicalExpr>, &Arc<dyn PhysicalExpr>)| {
            format!("{} = {}", shown(&l.to_string()), shown(&r.to_string()))
        };
        let keys: Vec<String> = left.iter().zip(right).map(equal).collect();
        let time = |side: usize| {
            let name = self.inputs.get(side).zip(self.times.get(side));
            name.map_or_else(String::new, |(input, at)| shown(input.schema.field(*at).name()))
        };
        let after = |millis: i64| match millis {
            0 => time(1),
            ..0 => format!("{} - {}", time(1), length(millis.saturating_neg())),
            _ => format!("{} + {}", time(1), length(millis)),
        };
        format!("{}, {} from {} to {}", keys.join(", "), time(0), after(self.lower), after(self.upper))
    }
}

/// The names of columns, as they were written.
pub(crate) fn names(schema: &SchemaRef) -> String {
    schema.fields().iter().map(|field| shown(field.name())).collect::<Vec<_>>().join(", ")
}

/// A call of an aggregate, as it was written.
pub(crate) fn call_text(call: &AggregateFunctionExpr) -> String {
    let args: Vec<String> = call.expressions().iter().map(|e| shown(&e.to_string())).collect();
    let distinct = if call.is_distinct() { "distinct " } else { "" };
    format!("{}({distinct}{})", call.fun().name(), args.join(", "))
}

/// A name or expression without what only the plan needs: `name#7@3` is `name`.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if (c == '#' || c == '@') && chars.peek().is_some_and(char::is_ascii_digit) {
            while chars.peek().is_some_and(char::is_ascii_digit) {
                chars.next();
            }
            continue;
        }
        out.push(c);
    }
    out
}
