//! A job as it was written: Glue's `CreateJob` or `GetJob` JSON, the same as YAML, or the map of its nodes alone.

use crate::fields::{Fields, Mistakes};
use crate::text::{self, Entry, Placed, Span, Value};
use model::{Error, Place, SourcePlace, nearest_hint};
use sql::Source;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A definition, with the places of everything in it.
#[derive(Debug, Clone)]
pub struct JobDefinition {
    /// The job's name, if the definition says it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The role Glue would run it with; kept, not used.
    pub role: Option<String>,
    /// `DefaultArguments`, with their leading `--`.
    pub default_arguments: BTreeMap<String, String>,
    /// `NonOverridableArguments`: a run cannot change these.
    pub fixed_arguments: BTreeMap<String, String>,
    /// How often a failed run is tried again.
    pub max_retries: Option<u64>,
    /// Minutes after which a run is stopped.
    pub timeout_minutes: Option<u64>,
    /// How many runs may work at once.
    pub max_concurrent_runs: Option<u64>,
    /// `G.1X` and so on: what the run would cost on AWS is reckoned from it.
    pub worker_type: Option<String>,
    /// How many workers Glue would take.
    pub number_of_workers: Option<u64>,
    /// The script that a job is instead of a graph.
    pub script: Option<ScriptCommand>,
    /// `GlueVersion`
    pub glue_version: Option<String>,
    /// Free words.
    pub tags: BTreeMap<String, String>,
    /// Where the arguments' values stand.
    argument_spans: BTreeMap<String, Span>,
    pub(crate) nodes: Vec<WrittenNode>,
    pub(crate) source: Arc<Source>,
}

/// A job's script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptCommand {
    /// Where it stands: `s3://…`, or a path.
    pub location: String,
    /// Where the definition says so.
    pub place: SourcePlace,
}

/// A node before its settings are read.
#[derive(Debug, Clone)]
pub(crate) struct WrittenNode {
    pub(crate) id: Placed<String>,
    pub(crate) kind: Placed<String>,
    pub(crate) settings: Value,
}

impl JobDefinition {
    /// The ids of its nodes, in their order.
    pub fn node_ids(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.id.value.as_str())
    }

    /// The text it was read from, with its name.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Where the value of an argument stands, if the definition has one; its name is without `--`.
    pub fn place_of_argument(&self, name: &str) -> Option<Place> {
        self.argument_spans.get(name).map(|span| text::place(&self.source, span).into())
    }

    fn empty(source: Arc<Source>) -> Self {
        Self {
            name: None,
            description: None,
            role: None,
            default_arguments: BTreeMap::new(),
            fixed_arguments: BTreeMap::new(),
            max_retries: None,
            timeout_minutes: None,
            max_concurrent_runs: None,
            worker_type: None,
            number_of_workers: None,
            script: None,
            glue_version: None,
            tags: BTreeMap::new(),
            argument_spans: BTreeMap::new(),
            nodes: Vec::new(),
            source,
        }
    }
}

/// The command of jobs that are Python scripts without Spark.
const PYTHON_SHELL: &str = "pythonshell";
const NODES: &str = "CodeGenConfigurationNodes";
const WORKERS: &[&str] = &[
    "Standard", "G.025X", "G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X", "R.1X", "R.2X", "R.4X", "R.8X",
    "Z.2X",
];

/// Reads a definition. What is wrong with the job's own settings is returned beside it; the nodes' settings are read
/// by [`crate::resolve`], when their arguments are known. `name` is the file's name, shown in every diagnosis.
pub fn parse(text: &str, name: &str) -> (JobDefinition, Vec<Error>) {
    let source = Arc::new(Source::new(name, text));
    let mut definition = JobDefinition::empty(source.clone());
    let value = match text::read(&source) {
        Ok(value) => value,
        Err(error) => return (definition, vec![error]),
    };
    let mistakes = Mistakes::new(&source);
    read_top(&value, &mut definition, &mistakes);
    let found = mistakes.into_found();
    (definition, found)
}

fn read_top(value: &Value, definition: &mut JobDefinition, mistakes: &Mistakes<'_>) {
    let Some(entries) = value.as_map() else {
        let message = format!("a job definition is a map, but this is {}", value.sort());
        return mistakes.add(&value.span, Error::invalid(message).hint(SHAPE));
    };
    let has = |name: &str| entries.iter().find(|entry| entry.key == name);
    if has(NODES).is_none() {
        // GetJob wraps its answer, UpdateJob its request (which names the job beside it).
        let is_job = |entry: &&Entry| {
            let inner = entry.value.as_map().unwrap_or(&[]);
            inner.iter().any(|inner| inner.key == NODES || inner.key == "Command" || inner.key == "Role")
        };
        if let Some(inner) = has("Job").or(has("JobUpdate")).filter(is_job) {
            read_top(&inner.value, definition, mistakes);
            let name = has("JobName").and_then(|name| name.value.as_text());
            definition.name = definition.name.take().or(name);
            return;
        }
        if looks_like_nodes(entries) {
            return read_nodes(entries, definition, mistakes);
        }
    }
    read_job(entries, value.span.clone(), definition, mistakes);
}

const SHAPE: &str =
    "it has Glue's form: `Name` and `CodeGenConfigurationNodes`, a map from node ids to nodes";

/// Whether the map holds nodes: `id: {Type: {…}}`.
fn looks_like_nodes(entries: &[Entry]) -> bool {
    let is_node = |value: &Value| matches!(value.as_map(), Some([one]) if one.value.as_map().is_some());
    !entries.is_empty() && entries.iter().all(|entry| is_node(&entry.value))
}

fn read_job(entries: &[Entry], span: Span, definition: &mut JobDefinition, mistakes: &Mistakes<'_>) {
    let fields = Fields::new("the job".to_owned(), entries, 0..0, mistakes);
    let plain = |text: Option<Placed<String>>| text.map(|text| text.value);
    let number = |name| fields.number(name).map(|number| number.value);
    definition.name = plain(fields.text("Name"));
    definition.description = plain(fields.text("Description"));
    definition.role = plain(fields.text("Role"));
    definition.glue_version = plain(fields.text("GlueVersion"));
    let spans = &mut definition.argument_spans;
    definition.default_arguments = arguments(&fields, "DefaultArguments", spans);
    definition.fixed_arguments = arguments(&fields, "NonOverridableArguments", spans);
    definition.max_retries = number("MaxRetries");
    definition.timeout_minutes = fields.number("Timeout").and_then(|minutes| {
        if minutes.value == 0 {
            let error = Error::invalid("a job with a `Timeout` of 0 minutes never ends in time");
            fields.wrong(&minutes.span, error.hint("leave it out, or give at least 1"));
        }
        (minutes.value > 0).then_some(minutes.value)
    });
    definition.number_of_workers = number("NumberOfWorkers");
    definition.worker_type = fields.choice("WorkerType", WORKERS).map(|w| w.value.to_owned());
    definition.tags = texts_of_map(&fields, "Tags");
    definition.max_concurrent_runs = fields
        .map("ExecutionProperty", |inner| inner.number("MaxConcurrentRuns").map(|number| number.value))
        .flatten();
    let is_graph = entries.iter().any(|e| model::nearest(&e.key, [NODES]).is_some());
    definition.script = fields
        .map("Command", |inner| {
            inner.ignore(&["PythonVersion", "Runtime"]);
            let (name, location) = (inner.text("Name"), inner.text("ScriptLocation"));
            let name = name.filter(|name| name.value == PYTHON_SHELL && !is_graph)?;
            if location.is_none() {
                let error = Error::invalid("a Python-shell job needs a `ScriptLocation`");
                inner.wrong(&name.span, error.hint("it is the script's place: s3://bucket/script.py"));
            }
            location.map(|location| {
                let place = text::place(mistakes.source, &location.span);
                ScriptCommand { location: location.value, place }
            })
        })
        .flatten();
    fields.choice("ExecutionClass", &["FLEX", "STANDARD"]);
    match fields.choice("JobMode", &["SCRIPT", "VISUAL", "NOTEBOOK"]) {
        Some(mode) if mode.value != "VISUAL" && definition.script.is_none() => {
            let error = Error::unsupported(format!("a job of mode {} has no graph of nodes", mode.value));
            fields.wrong(&mode.span, error.hint("visual jobs have `JobMode: VISUAL`"));
        }
        _ => {}
    }
    fields.ignore(&[
        "AllocatedCapacity",
        "AutoUpgradeMetadata",
        "Connections",
        "CreatedOn",
        "JobRunQueuingEnabled",
        "LastModifiedOn",
        "LogUri",
        "MaintenanceWindow",
        "MaxCapacity",
        "NotificationProperty",
        "ProfileName",
        "SecurityConfiguration",
        "SourceControlDetails",
    ]);
    match fields.value(NODES) {
        None if definition.script.is_none() && !is_graph => {
            mistakes.add(
                &(span.start..span.start),
                Error::invalid(format!("the job has no `{NODES}`")).hint(SHAPE),
            );
        }
        None => {}
        Some(value) => match value.as_map() {
            Some(nodes) if !nodes.is_empty() => read_nodes(nodes, definition, mistakes),
            Some(_) => mistakes.add(&value.span, Error::invalid("the job has no nodes").hint(SHAPE)),
            None => {
                let message = format!("`{NODES}` is a map from ids to nodes, but this is {}", value.sort());
                mistakes.add(&value.span, Error::invalid(message));
            }
        },
    }
    fields.finish();
}

/// Arguments begin with `--` in Glue; without it they would never be found.
fn arguments(
    fields: &Fields<'_>,
    name: &'static str,
    spans: &mut BTreeMap<String, Span>,
) -> BTreeMap<String, String> {
    let all = texts_of_map(fields, name);
    if let Some(entries) = fields.value(name).and_then(Value::as_map) {
        for entry in entries {
            spans.insert(entry.key.trim_start_matches('-').to_owned(), entry.value.span.clone());
        }
        for entry in entries.iter().filter(|entry| !entry.key.starts_with("--")) {
            let error = Error::invalid(format!("the argument `{}` does not begin with `--`", entry.key));
            fields.wrong(
                &entry.key_span,
                error.hint(format!("write `--{}`", entry.key.trim_start_matches('-'))),
            );
        }
    }
    all
}

fn texts_of_map(fields: &Fields<'_>, name: &'static str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let Some(value) = fields.value(name) else { return all };
    let Some(entries) = value.as_map() else {
        fields.wrong(&value.span, Error::invalid(format!("`{name}` must be a map, but is {}", value.sort())));
        return all;
    };
    for entry in entries {
        match entry.value.as_text() {
            Some(text) => {
                all.insert(entry.key.clone(), text);
            }
            None => {
                let message = format!("`{}` must be a text, but is {}", entry.key, entry.value.sort());
                fields.wrong(&entry.value.span, Error::invalid(message));
            }
        }
    }
    all
}

/// `id: {Type: {settings}}`
fn read_nodes(entries: &[Entry], definition: &mut JobDefinition, mistakes: &Mistakes<'_>) {
    for entry in entries {
        let id = Placed::new(entry.key.clone(), entry.key_span.clone());
        let Some(kinds) = entry.value.as_map() else {
            let message = format!(
                "the node `{}` must be `{{Type: {{settings}}}}`, but is {}",
                id.value,
                entry.value.sort()
            );
            mistakes.add(&entry.value.span, Error::invalid(message));
            continue;
        };
        let [kind] = kinds else {
            mistakes.add(&entry.key_span, not_one_type(&id.value, kinds));
            continue;
        };
        definition.nodes.push(WrittenNode {
            id,
            kind: Placed::new(kind.key.clone(), kind.key_span.clone()),
            settings: kind.value.clone(),
        });
    }
}

fn not_one_type(id: &str, kinds: &[Entry]) -> Error {
    if kinds.iter().any(|entry| entry.key == "Name" || entry.key == "Inputs") {
        return Error::invalid(format!("the node `{id}` has settings, but no type around them"))
            .hint("write `id: {SelectFields: {Name: …, Inputs: […], …}}`");
    }
    let names: Vec<&str> = kinds.iter().map(|entry| entry.key.as_str()).collect();
    let error = Error::invalid(format!("the node `{id}` has {} types, but a node has one", names.len()));
    if names.is_empty() { error } else { error.hint(nearest_hint("", names)) }
}
