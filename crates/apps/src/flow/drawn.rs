//! The dataflow of a script as boxes and lines: what the console draws.

use super::compile::Compiler;
use super::node::{Node, Step, Work, call_text, names, shown};
use super::options::Connector;
use super::resolve::{Resolved, Target};
use model::Result;
use serde::{Deserialize, Serialize};

/// A step of a dataflow, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStep {
    /// Unique in the dataflow.
    pub id: String,
    /// What it does.
    pub kind: FlowKind,
    /// Its name, or what it does in a word or two.
    pub title: String,
    /// More about it.
    pub detail: String,
    /// The steps whose rows it takes.
    pub inputs: Vec<String>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowKind {
    /// Reads a stream.
    Source,
    /// Lets some rows through.
    Filter,
    /// Makes other columns.
    Select,
    /// Puts rows into windows.
    Windows,
    /// Makes one row of many.
    Aggregate,
    /// Makes pairs of the rows of two streams; an outer one leaves rows without a partner in.
    Join,
    /// Puts rows together.
    Union,
    /// Writes a table, a stream, or the log.
    Target,
}

/// Where a target's rows go, and how surely.
pub(crate) fn place(target: &Target) -> String {
    match &target.options.connector {
        Connector::Kinesis { stream, .. } => format!("stream {stream}, at least once"),
        Connector::Files { path } => format!("{path}, exactly once"),
        Connector::Print => "the run's log".to_owned(),
        Connector::Catalog { database, table } => format!("table {database}.{table}, exactly once"),
    }
}

/// All steps of a script, sources first. A table that several queries read is there once.
pub(crate) fn steps(resolved: &Resolved) -> Result<Vec<FlowStep>> {
    let mut drawing = Drawing { resolved, steps: Vec::new() };
    for insert in &resolved.inserts {
        let node = Compiler::new(resolved.late.is_some()).compile(&insert.plan)?;
        let input = drawing.node(&node);
        let target = &insert.target;
        drawing.add(FlowKind::Target, target.name.clone(), place(target), vec![input]);
    }
    if let Some(late) = &resolved.late {
        let mut windows = drawing.ids(FlowKind::Windows);
        windows.extend(drawing.ids(FlowKind::Join));
        drawing.add(FlowKind::Target, late.name.clone(), format!("late events: {}", place(late)), windows);
    }
    let mut steps = drawing.steps;
    steps.sort_by_key(|step| step.kind != FlowKind::Source);
    Ok(steps)
}

struct Drawing<'a> {
    resolved: &'a Resolved,
    steps: Vec<FlowStep>,
}

impl Drawing<'_> {
    fn add(&mut self, kind: FlowKind, title: String, detail: String, inputs: Vec<String>) -> String {
        let id = format!("step-{}", self.steps.len() + 1);
        self.steps.push(FlowStep { id: id.clone(), kind, title, detail, inputs });
        id
    }

    fn ids(&self, kind: FlowKind) -> Vec<String> {
        self.steps.iter().filter(|step| step.kind == kind).map(|step| step.id.clone()).collect()
    }

    fn source(&mut self, table: usize) -> String {
        let id = format!("table-{table}");
        if self.steps.iter().all(|step| step.id != id) {
            let spec = self.resolved.tables.get(table);
            let title = spec.map_or_else(|| "?".to_owned(), |spec| spec.name.clone());
            let detail = spec.map_or_else(String::new, |spec| match &spec.options.connector {
                Connector::Kinesis { stream, start } => {
                    let time = spec.time.and_then(|time| spec.columns.get(time));
                    let time = time.map_or_else(String::new, |time| format!(", event time {}", time.name));
                    format!("stream {stream} from {start:?}{time}")
                }
                _ => String::new(),
            });
            let kind = FlowKind::Source;
            self.steps.push(FlowStep { id: id.clone(), kind, title, detail, inputs: Vec::new() });
        }
        id
    }

    fn node(&mut self, node: &Node) -> String {
        match &node.work {
            Work::Source { table, .. } => self.source(*table),
            Work::Rows { input, steps } => {
                let mut at = self.node(input);
                for step in steps {
                    let (kind, title, detail) = match step {
                        Step::Filter(expr) => (FlowKind::Filter, "filter", shown(&expr.to_string())),
                        Step::Project(_, schema) => (FlowKind::Select, "select", names(schema)),
                    };
                    at = self.add(kind, title.to_owned(), detail, vec![at]);
                }
                at
            }
            Work::Windows { input, time, kind, .. } => {
                let at = self.node(input);
                let time = shown(input.schema.field(*time).name());
                self.add(
                    FlowKind::Windows,
                    "windows".to_owned(),
                    format!("{} of {time}", kind.describe()),
                    vec![at],
                )
            }
            Work::Aggregate(aggregation) => {
                let at = self.node(&aggregation.input);
                let calls: Vec<String> =
                    aggregation.calls.iter().map(|call| call_text(&call.function)).collect();
                let by = match aggregation.keys.is_empty() {
                    true => String::new(),
                    false => format!(", {}", names(&aggregation.key_schema)),
                };
                let detail = format!("{} by the window{by}", calls.join(", "));
                self.add(FlowKind::Aggregate, "aggregate".to_owned(), detail, vec![at])
            }
            Work::Join(joining) => {
                let both = joining.inputs.iter().map(|input| self.node(input)).collect();
                self.add(FlowKind::Join, joining.kind().to_owned(), joining.describe(), both)
            }
            Work::Union { inputs } => {
                let all = inputs.iter().map(|input| self.node(input)).collect();
                self.add(FlowKind::Union, "union".to_owned(), format!("of {}", inputs.len()), all)
            }
        }
    }
}
