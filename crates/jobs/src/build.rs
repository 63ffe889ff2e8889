//! A checked graph as a flow of the engine: each node a step, each target a write.

use crate::bookmarks::{BookmarkMode, SeenFiles};
use crate::gate::{Bounds, Gate};
use crate::outputs::write_of;
use crate::run::Examples;
use engine::{
    Engine, FileFormat, FilePath, FileSearch, FlowQuery, FlowWork, FlowWrite, LinePattern, OpenFlow,
    RejectRule,
};
use jobgraph::{
    Checked, CheckedNode, DropNulls, FilesSpec, LogPattern, LogStep, QueryStep, Relation, SourceSpec, Step,
    TableSpec,
};
use model::{Error, Result};
use sql::quote_ident;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A flow with what belongs to it.
pub(crate) struct Built {
    pub(crate) flow: OpenFlow,
    /// Writes by the node that asks for them.
    pub(crate) writes: Vec<(String, FlowWrite)>,
    /// By source.
    pub(crate) gates: BTreeMap<String, Arc<Gate>>,
    /// Parts into which rows were put: targets write as many files.
    parts: HashMap<String, u32>,
}

/// What was read before, by source and path.
pub(crate) type Seen = HashMap<String, HashMap<String, (u64, i64)>>;

/// What a flow is built with.
pub(crate) struct Building<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) checked: &'a Checked,
    pub(crate) mode: BookmarkMode,
    pub(crate) seen: Seen,
    /// Rows of JSON sources with fields that a look at the files does not find.
    pub(crate) examples: &'a Examples,
}

impl Building<'_> {
    /// Whether values decide on columns, so that steps are asked while the flow is built.
    pub(crate) fn asks_early(checked: &Checked) -> bool {
        checked.nodes.iter().any(|node| matches!(node.step, Some(Step::DropNulls(_))))
    }

    /// Adds all nodes. `each` hears of every node that was added, or why it could not be.
    pub(crate) async fn build(
        mut self,
        flow: OpenFlow,
        mut each: impl FnMut(&CheckedNode, &Result<()>),
    ) -> Result<Built> {
        let mut built = Built { flow, writes: Vec::new(), gates: BTreeMap::new(), parts: HashMap::new() };
        let checked = self.checked;
        for node in &checked.nodes {
            let added = self.add(node, &mut built).await;
            let added = added.map_err(|error| told(error, node));
            each(node, &added);
            added?;
        }
        Ok(built)
    }

    /// How many nodes read this relation.
    fn readers(&self, node: &str, member: Option<usize>) -> usize {
        let reads = |relation: &Relation| relation.node == node && relation.member == member;
        let times = |other: &CheckedNode| {
            let found = relations(other).into_iter().filter(|relation| reads(relation)).count();
            // Which columns have values is looked up first.
            if matches!(other.step, Some(Step::DropNulls(_))) { 2 * found } else { found }
        };
        self.checked.nodes.iter().map(times).sum()
    }

    async fn add(&mut self, node: &CheckedNode, built: &mut Built) -> Result<()> {
        let Some(step) = &node.step else {
            return Err(Error::internal("the node was not worked out"));
        };
        let readers = self.readers(&node.id, None);
        match step {
            Step::Source(SourceSpec::Files(spec)) => {
                let work = self.files(node, spec, None, built).await?;
                built.flow.add(&node.id, work, readers).await?;
            }
            Step::Source(SourceSpec::Table(spec)) => {
                let work = self.table(node, spec, built).await?;
                built.flow.add(&node.id, work, readers).await?;
            }
            Step::Query(query) => {
                built.flow.add(&node.id, FlowWork::Query(flow_query(query)), readers).await?;
            }
            Step::DropNulls(drop) => {
                let query = self.drop_nulls(drop, built).await?;
                built.flow.add(&node.id, query, readers).await?;
            }
            Step::ParseLog(log) => {
                let work = self.parse_log(node, log, built).await?;
                built.flow.add(&node.id, work, readers).await?;
            }
            Step::Collection(collection) => {
                let from = step_id(&collection.input);
                built.flow.add(&node.id, FlowWork::Same(from), collection.members.len()).await?;
                for (number, member) in collection.members.iter().enumerate() {
                    let query = FlowQuery {
                        sql: member.sql.clone(),
                        inputs: vec![(collection.input.name.clone(), step_id(&collection.input))],
                        rejects: Vec::new(),
                        projection: None,
                    };
                    let id = format!("{}#{number}", node.id);
                    let readers = self.readers(&node.id, Some(number));
                    built.flow.add(&id, FlowWork::Query(query), readers).await?;
                }
            }
            Step::Spigot(spigot) => {
                let from = step_id(&spigot.input);
                // Its own write reads the rows as well.
                built.flow.add(&node.id, FlowWork::Same(from), readers + 1).await?;
                built.writes.push((node.id.clone(), crate::outputs::spigot(&node.id, spigot)));
            }
            Step::Repartition(repartition) => {
                let from = step_id(&repartition.input);
                built.flow.add(&node.id, FlowWork::Same(from), readers).await?;
                if let Some(parts) = repartition.partitions {
                    built.parts.insert(node.id.clone(), parts);
                }
            }
            Step::Target(target) => {
                let mut write = write_of(target, step_id(&target.input))?;
                if write.files.is_none() && write.partition_by.is_empty() {
                    write.files = built.parts.get(&target.input.node).copied();
                }
                built.writes.push((node.id.clone(), write));
            }
        }
        Ok(())
    }

    /// A source's gate; none where nothing keeps its files back.
    fn gate(
        &mut self,
        node: &CheckedNode,
        bounds: Bounds,
        read_all: bool,
        built: &mut Built,
    ) -> Option<Arc<Gate>> {
        if self.mode == BookmarkMode::Disabled || read_all {
            return None;
        }
        let gate = Arc::new(Gate::new(self.seen.remove(&node.id).unwrap_or_default(), bounds));
        built.gates.insert(node.id.clone(), Arc::clone(&gate));
        Some(gate)
    }

    async fn files(
        &mut self,
        node: &CheckedNode,
        spec: &FilesSpec,
        lines: Option<LinePattern>,
        built: &mut Built,
    ) -> Result<FlowWork> {
        let mut found = self.engine.find_files(&file_search(spec)).await?;
        let bounds = Bounds { files: spec.bounded_files, bytes: spec.bounded_bytes };
        // A version of a Delta table is more than its files: as in Glue, bookmarks do not follow such tables.
        let read_all = spec.read_all || spec.format == jobgraph::FileFormat::Delta;
        if let Some(gate) = self.gate(node, bounds, read_all, built) {
            found.admit(gate)?;
        }
        let is_parsed = lines.is_some();
        let format = Box::new(file_format(spec, lines, self.examples)?);
        let is_text = spec.format == jobgraph::FileFormat::Text && !is_parsed;
        let declared = match &spec.columns {
            Some(columns) if !is_parsed => Some(crate::analyst::flow_columns(columns)),
            // The file's path goes with each line.
            _ if is_text => node.columns.as_ref().map(crate::analyst::flow_columns),
            _ => None,
        };
        Ok(FlowWork::Files { found, format, columns: declared, rejects: Some(node.id.clone()) })
    }

    async fn table(&mut self, node: &CheckedNode, spec: &TableSpec, built: &mut Built) -> Result<FlowWork> {
        let read_all = spec.read_all
            || (self.mode != BookmarkMode::Disabled
                && self.engine.is_delta_table(&spec.database, &spec.table).await?);
        let bounds = Bounds { files: spec.bounded_files, bytes: spec.bounded_bytes };
        let gate = self.gate(node, bounds, read_all, built).map(|gate| gate as Arc<dyn engine::FileGate>);
        Ok(FlowWork::Table {
            database: spec.database.clone(),
            table: spec.table.clone(),
            predicate: spec.predicate.clone(),
            gate,
        })
    }

    /// Lines are taken apart while they are read: the node opens its source's files itself.
    async fn parse_log(&mut self, node: &CheckedNode, log: &LogStep, built: &mut Built) -> Result<FlowWork> {
        let source = self.checked.node(&log.input.node).filter(|_| log.input.member.is_none());
        let spec = match source.and_then(|source| source.step.as_ref()) {
            Some(Step::Source(SourceSpec::Files(spec))) if spec.format == jobgraph::FileFormat::Text => spec,
            _ => {
                return Err(Error::unsupported("lines are only taken apart right behind a text source")
                    .hint("make an S3TextSource the node's input"));
            }
        };
        if log.keep_line {
            return Err(Error::unsupported("the line itself cannot be kept yet").hint("leave `keepLine` out"));
        }
        let lines = match &log.pattern {
            LogPattern::AccessLog => LinePattern::AccessLog,
            LogPattern::Grok { pattern, custom } => {
                LinePattern::Grok { pattern: pattern.clone(), custom: custom.clone() }
            }
        };
        let spec = spec.clone();
        // What the bookmark says of the source counts for it.
        let source = CheckedNode { id: log.input.node.clone(), ..node.clone() };
        let work = match built.gates.get(&source.id).cloned() {
            Some(gate) => {
                let mut found = self.engine.find_files(&file_search(&spec)).await?;
                found.admit(gate)?;
                let format = Box::new(file_format(&spec, Some(lines), self.examples)?);
                FlowWork::Files { found, format, columns: None, rejects: None }
            }
            None => self.files(&source, &spec, Some(lines), built).await?,
        };
        Ok(match work {
            FlowWork::Files { found, format, columns, .. } => {
                FlowWork::Files { found, format, columns, rejects: Some(node.id.clone()) }
            }
            other => other,
        })
    }

    /// Looks which columns have values, and keeps those.
    async fn drop_nulls(&mut self, drop: &DropNulls, built: &mut Built) -> Result<FlowWork> {
        let from = step_id(&drop.input);
        let columns = crate::analyst::columns_of(built.flow.columns(&from)?);
        let probe = drop.probe(&columns).replacen(
            &format!("FROM {}", quote_ident(&drop.input.name)),
            "FROM input",
            1,
        );
        let counts = built.flow.numbers(&from, &probe).await?;
        let query = FlowQuery {
            sql: drop.kept(&columns, &counts),
            inputs: vec![(drop.input.name.clone(), from)],
            rejects: Vec::new(),
            projection: None,
        };
        Ok(FlowWork::Query(query))
    }
}

/// The step whose rows a relation stands for.
pub(crate) fn step_id(relation: &Relation) -> String {
    match relation.member {
        Some(member) => format!("{}#{member}", relation.node),
        None => relation.node.clone(),
    }
}

/// What a node reads.
pub(crate) fn relations(node: &CheckedNode) -> Vec<&Relation> {
    match &node.step {
        None | Some(Step::Source(_)) => Vec::new(),
        Some(Step::Query(query)) => query.inputs.iter().collect(),
        Some(Step::DropNulls(step)) => vec![&step.input],
        Some(Step::ParseLog(step)) => vec![&step.input],
        Some(Step::Collection(step)) => vec![&step.input],
        Some(Step::Spigot(step)) => vec![&step.input],
        Some(Step::Repartition(step)) => vec![&step.input],
        Some(Step::Target(step)) => vec![&step.input],
    }
}

fn flow_query(query: &QueryStep) -> FlowQuery {
    let rejects = query.rejects.iter().map(|reject| RejectRule {
        condition: reject.condition.clone(),
        column: reject.column.clone(),
        reason: reject.reason.clone(),
    });
    FlowQuery {
        sql: query.sql.clone(),
        inputs: query.inputs.iter().map(|input| (input.name.clone(), step_id(input))).collect(),
        rejects: rejects.collect(),
        projection: query.projection().map(str::to_owned),
    }
}

/// An error of a node says which: places in SQL that was made from its settings say nothing to people.
fn told(error: Error, node: &CheckedNode) -> Error {
    if error.kind() == model::ErrorKind::Internal {
        return error;
    }
    error.context(format!("the node `{}`", node.id))
}

/// The files of a source.
pub(crate) fn file_search(spec: &FilesSpec) -> FileSearch {
    FileSearch {
        paths: spec.paths.iter().cloned().map(FilePath::Lake).collect(),
        exclusions: spec.exclusions.clone(),
        recurse: spec.recurse,
    }
}

/// What a source reads, by which its rows are known in the next attempt.
pub(crate) fn read_by(spec: &FilesSpec) -> String {
    let paths: Vec<String> = spec.paths.iter().map(ToString::to_string).collect();
    paths.join(", ")
}

/// What files are, in the engine's words.
pub(crate) fn file_format(
    spec: &FilesSpec,
    lines: Option<LinePattern>,
    examples: &Examples,
) -> Result<FileFormat> {
    let known = FileFormat::default();
    if lines.is_some() {
        return Ok(FileFormat { lines, ..known });
    }
    Ok(match &spec.format {
        jobgraph::FileFormat::Csv(csv) => {
            if csv.skip_first && !csv.header {
                return Err(Error::unsupported(
                    "a first line that is neither names nor data cannot be skipped yet",
                )
                .hint("set `WithHeader`, so that it names the columns"));
            }
            FileFormat {
                name: Some("csv".to_owned()),
                separator: Some(csv.separator),
                quote: Some(csv.quote),
                escape: csv.escape,
                header: Some(csv.header),
                multiline: csv.multiline,
                // As in Glue: what a text means is said by the nodes behind.
                as_strings: true,
                ..known
            }
        }
        jobgraph::FileFormat::Json { json_path, multiline } => FileFormat {
            name: Some("json".to_owned()),
            json_path: json_path.clone(),
            multiline: *multiline,
            examples: examples.get(&read_by(spec)).cloned().unwrap_or_default(),
            ..known
        },
        jobgraph::FileFormat::Text => FileFormat { name: Some("text".to_owned()), ..known },
        jobgraph::FileFormat::Delta => known,
        other => FileFormat { name: Some(other.name().to_owned()), ..known },
    })
}

/// What the gates let through, by source.
pub(crate) fn seen_files(gates: &BTreeMap<String, Arc<Gate>>) -> SeenFiles {
    gates.iter().map(|(node, gate)| (node.clone(), gate.taken())).collect()
}
