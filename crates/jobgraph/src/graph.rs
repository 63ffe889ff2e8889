//! The graph: nodes with their settings read and their arguments put in, and what is wrong with its shape.

use crate::arguments::{Arguments, merged, substituted};
use crate::definition::{JobDefinition, WrittenNode};
use crate::fields::{Fields, Mistakes};
use crate::nodes::{self, Kind, Operation, Role};
use crate::text::{Placed, Span, place};
use model::{Error, Place, nearest, nearest_hint};
use sql::Source;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// A job's nodes, ready to be checked, run, or written as a script. What was found wrong while its settings were read
/// is kept in it and is part of what [`crate::check`] returns.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The job's name.
    pub name: String,
    pub(crate) nodes: Vec<Node>,
    /// Indices into `nodes`: each behind its inputs.
    pub(crate) order: Vec<usize>,
    pub(crate) source: Arc<Source>,
    pub(crate) arguments: Arguments,
    errors: Vec<Error>,
}

/// No job is made by hand with more nodes than this.
const MAX_NODES: usize = 2_000;

/// One node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: Placed<String>,
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) kind: &'static Kind,
    pub(crate) kind_span: Span,
    pub(crate) inputs: Vec<Placed<String>>,
    pub(crate) operation: Arc<dyn Operation>,
}

impl Graph {
    /// Where a node says what it is about.
    pub(crate) fn place_of(&self, node: &Node) -> Place {
        let span = node.operation.span().unwrap_or_else(|| node.kind_span.clone());
        place(&self.source, &span).into()
    }

    /// What was found wrong so far: arguments that are missing, settings, and the graph's shape.
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }
}

/// Puts the arguments into a definition's settings and reads its nodes. Arguments are named with or without `--`; the
/// job's defaults stand behind them. Nodes that cannot be read are left out, and the mistakes are kept in the graph.
pub fn resolve(definition: &JobDefinition, arguments: &Arguments) -> Graph {
    let arguments = merged(definition, arguments);
    let mistakes = Mistakes::new(&definition.source);
    let mut nodes = Vec::new();
    if let Some(over) = definition.nodes.get(MAX_NODES) {
        let message =
            format!("the job has {} nodes, more than the {MAX_NODES} allowed", definition.nodes.len());
        let error = Error::new(model::ErrorKind::LimitExceeded, message);
        mistakes.add(&over.id.span, error.hint("make several jobs of it, which hand tables on"));
    }
    for written in definition.nodes.iter().take(MAX_NODES) {
        nodes.extend(read_node(written, &arguments, &mistakes));
    }
    let written: Vec<&str> = definition.node_ids().collect();
    let order = check_shape(&nodes, &written, &mistakes);
    Graph {
        name: definition.name.clone().unwrap_or_else(|| stem(&definition.source.name)),
        nodes,
        order,
        source: definition.source.clone(),
        arguments,
        errors: mistakes.into_found(),
    }
}

/// The file's name without folder and ending.
fn stem(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("job").to_owned()
}

fn read_node(written: &WrittenNode, arguments: &Arguments, mistakes: &Mistakes<'_>) -> Option<Node> {
    let (id, kind) = (&written.id, &written.kind);
    let id_fits = id.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if !id_fits || id.value.is_empty() {
        let error = Error::invalid(format!("`{}` cannot be a node's id", id.value));
        mistakes.add(
            &id.span,
            error.why("ids have letters, digits, `-` and `_`").hint("a free text goes into `Name`"),
        );
    }
    let found = match nodes::find(&kind.value) {
        Ok(found) => found,
        Err(error) => {
            mistakes.add(&kind.span, error);
            return None;
        }
    };
    let lacking = mistakes.lacking();
    let settings = substituted(&written.settings, arguments, mistakes);
    let is_whole = mistakes.lacking() == lacking;
    let Some(entries) = settings.as_map() else {
        let message = format!("the settings of `{}` are a map, but this is {}", id.value, settings.sort());
        mistakes.add(&settings.span, Error::invalid(message));
        return None;
    };
    let fields = Fields::new(format!("{} `{}`", kind.value, id.value), entries, kind.span.clone(), mistakes);
    let name = fields.need_text("Name");
    let inputs = if found.role == Role::Source { Vec::new() } else { fields.texts("Inputs") };
    let operation = (found.read)(&fields);
    fields.finish();
    let operation: Arc<dyn Operation> = match operation.filter(|_| is_whole) {
        Some(operation) => Arc::from(operation),
        // Its inputs and outputs still count for the graph's shape.
        None => Arc::new(nodes::Unreadable),
    };
    let name_span = name.as_ref().map_or_else(|| id.span.clone(), |name| name.span.clone());
    Some(Node {
        id: id.clone(),
        name: name.map_or_else(|| id.value.clone(), |name| name.value),
        name_span,
        kind: found,
        kind_span: kind.span.clone(),
        inputs,
        operation,
    })
}

/// Everything about the shape: names, inputs, cycles, ends. Returns the order in which nodes can run.
fn check_shape(nodes: &[Node], written: &[&str], mistakes: &Mistakes<'_>) -> Vec<usize> {
    same_names(nodes, mistakes);
    let index: HashMap<&str, usize> =
        nodes.iter().enumerate().map(|(i, n)| (n.id.value.as_str(), i)).collect();
    for node in nodes {
        input_count(node, mistakes);
        input_twice(node, mistakes);
        for input in &node.inputs {
            check_input(node, input, nodes, &index, written, mistakes);
        }
    }
    let order = ordered(nodes, &index, mistakes);
    // Ends are only spoken of when all nodes could be read: a missing one may be the end that is missed.
    if nodes.len() == written.len() && !nodes.is_empty() {
        check_ends(nodes, mistakes);
    }
    order
}

fn same_names(nodes: &[Node], mistakes: &Mistakes<'_>) {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for node in nodes {
        if let Some(first) = seen.insert(&node.name, &node.id.value) {
            let message = format!("two nodes are named `{}`: `{first}` and `{}`", node.name, node.id.value);
            mistakes.add(&node.name_span, Error::invalid(message).hint("give each node a name of its own"));
        }
    }
}

fn input_count(node: &Node, mistakes: &Mistakes<'_>) {
    let (least, most) = node.kind.inputs;
    let found = node.inputs.len();
    if (least..=most).contains(&found) || (node.kind.role == Role::Source) {
        return;
    }
    let wanted = match (least, most) {
        (1, 1) => "one input".to_owned(),
        (a, b) if a == b => format!("{a} inputs"),
        (a, _) => format!("at least {a} inputs"),
    };
    let message = format!("{} `{}` takes {wanted}, but has {found}", node.kind.name, node.id.value);
    let span = node.inputs.last().map_or(&node.kind_span, |input| &input.span);
    let hint = if found < least {
        "name them under `Inputs`, by their ids"
    } else {
        "join or unite them in a node before"
    };
    mistakes.add(span, Error::invalid(message).hint(hint));
}

/// Two inputs of one name could not be told apart in the node's query.
fn input_twice(node: &Node, mistakes: &Mistakes<'_>) {
    for (at, input) in node.inputs.iter().enumerate() {
        if node.inputs.iter().take(at).any(|before| before.value == input.value) {
            let message = format!("`{}` names its input `{}` twice", node.id.value, input.value);
            let hint = "to use the same rows twice, put a SelectFields node between for one of them";
            mistakes.add(&input.span, Error::invalid(message).hint(hint));
        }
    }
}

fn check_input(
    node: &Node,
    input: &Placed<String>,
    nodes: &[Node],
    index: &HashMap<&str, usize>,
    written: &[&str],
    mistakes: &Mistakes<'_>,
) {
    let Some(from) = index.get(input.value.as_str()).and_then(|at| nodes.get(*at)) else {
        if mistakes.is_full() || written.contains(&input.value.as_str()) {
            return;
        }
        let error = Error::not_found(format!(
            "`{}` has an input `{}`, but there is no such node",
            node.id.value, input.value
        ));
        let named = nodes.iter().find(|other| other.name == input.value);
        let error = match named {
            Some(other) => error.hint(format!("inputs are ids, not names: write `{}`", other.id.value)),
            // Among more names than these, few would be looked through.
            None => error.hint(nearest_hint(&input.value, written.iter().copied().take(300))),
        };
        return mistakes.add(&input.span, error);
    };
    if from.kind.role == Role::Target {
        let error =
            Error::invalid(format!("`{}` reads from `{}`, which is a target", node.id.value, from.id.value));
        let hint = match from.inputs.first() {
            Some(before) => format!("read from what the target reads: `{}`", before.value),
            None => "read from what the target reads".to_owned(),
        };
        return mistakes.add(&input.span, error.why("nothing comes out of a target").hint(hint));
    }
    let (collection, selects) = (from.kind.makes_collection, node.kind.takes_collection);
    if collection && !selects {
        let message = format!(
            "`{}` is a collection of several outputs, and `{}` needs one",
            from.id.value, node.id.value
        );
        mistakes
            .add(&input.span, Error::invalid(message).hint("put a SelectFromCollection node between them"));
    } else if selects && !collection {
        let message = format!("`{}` has only one output, there is nothing to select from", from.id.value);
        let hint = "collections come from SplitFields and Route; without one, leave this node out";
        mistakes.add(&input.span, Error::invalid(message).hint(hint));
    }
}

/// The nodes, each behind its inputs. Those on or behind a cycle are left out, and the cycle is reported.
fn ordered(nodes: &[Node], index: &HashMap<&str, usize>, mistakes: &Mistakes<'_>) -> Vec<usize> {
    let inputs: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| node.inputs.iter().filter_map(|input| index.get(input.value.as_str()).copied()).collect())
        .collect();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut waits: Vec<usize> = inputs.iter().map(Vec::len).collect();
    for (reader, from) in inputs.iter().enumerate().flat_map(|(r, all)| all.iter().map(move |f| (r, *f))) {
        if let Some(readers) = readers.get_mut(from) {
            readers.push(reader);
        }
    }
    let mut ready: std::collections::BTreeSet<usize> =
        waits.iter().enumerate().filter(|(_, waits)| **waits == 0).map(|(at, _)| at).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for reader in readers.get(at).into_iter().flatten() {
            if let Some(waits) = waits.get_mut(*reader) {
                *waits -= 1;
                if *waits == 0 {
                    ready.insert(*reader);
                }
            }
        }
    }
    if order.len() < nodes.len() {
        report_cycle(nodes, &inputs, &order, mistakes);
    }
    order
}

/// Follows inputs among the nodes that never became ready until one comes again.
fn report_cycle(nodes: &[Node], inputs: &[Vec<usize>], order: &[usize], mistakes: &Mistakes<'_>) {
    let done: HashSet<usize> = order.iter().copied().collect();
    let Some(mut at) = (0..nodes.len()).find(|at| !done.contains(at)) else { return };
    let mut path: Vec<usize> = Vec::new();
    while !path.contains(&at) {
        path.push(at);
        let next = inputs.get(at).into_iter().flatten().find(|input| !done.contains(input));
        let Some(next) = next else { return };
        at = *next;
    }
    let from = path.iter().position(|seen| *seen == at).unwrap_or(0);
    let mut ids: Vec<&str> =
        path.iter().skip(from).filter_map(|at| nodes.get(*at)).map(|n| n.id.value.as_str()).collect();
    // Inputs were followed backwards; rows flow the other way.
    ids.reverse();
    let first = ids.first().copied().unwrap_or("");
    let message = format!("the nodes form a cycle: {} -> {first}", ids.join(" -> "));
    let span = nodes
        .get(at)
        .map_or(0..0, |node| node.inputs.first().map_or(node.id.span.clone(), |i| i.span.clone()));
    mistakes.add(
        &span,
        Error::invalid(message).hint("rows flow from sources to targets: take one of these inputs out"),
    );
}

/// Nodes that lead nowhere, and jobs without a source or target.
fn check_ends(nodes: &[Node], mistakes: &Mistakes<'_>) {
    let mut readers: BTreeMap<&str, usize> = BTreeMap::new();
    for input in nodes.iter().flat_map(|node| &node.inputs) {
        *readers.entry(input.value.as_str()).or_default() += 1;
    }
    let first = nodes.first().map_or(0..0, |node| node.id.span.clone());
    for (role, what, hint) in [
        (Role::Source, "source", "add one, such as S3CsvSource or CatalogSource"),
        (Role::Target, "target", "add one, such as S3GlueParquetTarget or S3CatalogTarget"),
    ] {
        if !nodes.iter().any(|node| node.kind.role == role) {
            mistakes.add(&first, Error::invalid(format!("the job has no {what}")).hint(hint));
        }
    }
    if !nodes.iter().any(|node| node.kind.role == Role::Target) {
        return;
    }
    for node in nodes.iter().filter(|node| node.kind.role != Role::Target && !node.kind.is_end) {
        if !readers.contains_key(node.id.value.as_str()) && !mistakes.is_full() {
            let message = format!("nothing reads from `{}`: its rows would be lost", node.id.value);
            let error = Error::invalid(message).hint("make it an input of a target, or remove it");
            let idle = nodes.iter().find(|other| other.inputs.is_empty() && other.kind.role != Role::Source);
            let error = match idle.or_else(|| nearly(nodes, &node.id.value)) {
                Some(other) => error.hint(format!("should `{}` read from it?", other.id.value)),
                None => error,
            };
            mistakes.add(&node.id.span, error);
        }
    }
}

/// A node that names an input nearly like this id.
fn nearly<'a>(nodes: &'a [Node], id: &str) -> Option<&'a Node> {
    nodes.iter().find(|node| {
        node.inputs.iter().any(|input| input.value != id && nearest(&input.value, [id]).is_some())
    })
}
