//! Checking a graph: every node becomes a step, its columns are worked out, and all mistakes are gathered in one pass.
//!
//! What the catalog and the files hold is asked of an [`Analyst`]. Where it does not know a schema, the columns behind
//! it are unknown and nothing is said about them; a guess would call a right job wrong.

use crate::columns::Columns;
use crate::fields::Mistakes;
use crate::graph::{Graph, Node};
use crate::nodes::{Context, Input, Role, UserText};
use crate::step::{
    CatalogUpdate, Destination, LogPattern, LogStep, QueryStep, Relation, SourceSpec, Step, TargetSpec,
    access_log_columns,
};
use crate::text::{Placed, place};
use async_trait::async_trait;
use model::{Error, ErrorKind, Place, Result, SourcePlace};
use sql::Source;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Knows what the graph alone does not say. `Ok(None)` is "not known": nothing is checked then. What does not exist is
/// an error of the kind not-found, with the nearest name as its hint.
#[async_trait]
pub trait Analyst: Send + Sync {
    /// The columns of a catalog table, partition columns included.
    async fn table(&self, database: &str, table: &str) -> Result<Option<Columns>>;

    /// The columns of files.
    async fn files(&self, source: &SourceSpec) -> Result<Option<Columns>>;

    /// The columns of a query over inputs of these names. A mistake in the query has its place in the query's text.
    async fn query(&self, sql: &str, inputs: &[(&str, &Columns)]) -> Result<Columns>;

    /// The columns that a grok pattern makes. Unless an analyst knows patterns, they stay unknown.
    async fn log_columns(&self, _pattern: &LogPattern) -> Result<Option<Columns>> {
        Ok(None)
    }
}

/// An analyst that knows nothing: what is wrong with the definition alone is found with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnowsNothing;

#[async_trait]
impl Analyst for KnowsNothing {
    async fn table(&self, _: &str, _: &str) -> Result<Option<Columns>> {
        Ok(None)
    }

    async fn files(&self, _: &SourceSpec) -> Result<Option<Columns>> {
        Ok(None)
    }

    async fn query(&self, _: &str, _: &[(&str, &Columns)]) -> Result<Columns> {
        Err(Error::unsupported("no columns are known"))
    }
}

/// What came out of a check.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Every mistake, in the order of the text.
    pub errors: Vec<Error>,
    /// The nodes, each behind its inputs: the order in which they run.
    pub nodes: Vec<CheckedNode>,
}

/// A node with its step and columns.
#[derive(Debug, Clone)]
pub struct CheckedNode {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: &'static str,
    /// Where it stands in the flow.
    pub role: Role,
    /// The ids of its inputs.
    pub inputs: Vec<String>,
    /// What it does; nothing if it could not be worked out (then there is an error, or its columns are unknown).
    pub step: Option<Step>,
    /// The columns that come out (or go into a target), where they are known.
    pub columns: Option<Columns>,
    /// The columns of a collection's outputs.
    pub members: Vec<Option<Columns>>,
}

impl Checked {
    /// The node of that id.
    pub fn node(&self, id: &str) -> Option<&CheckedNode> {
        self.nodes.iter().find(|node| node.id == id)
    }
}

/// Checks a graph. All mistakes come back, those found while it was resolved included.
pub async fn check(graph: &Graph, analyst: &dyn Analyst) -> Checked {
    let mut errors = graph.errors().to_vec();
    let mut nodes: Vec<CheckedNode> = Vec::with_capacity(graph.order.len());
    let mut done: HashMap<String, usize> = HashMap::new();
    for node in graph.order.iter().filter_map(|at| graph.nodes.get(*at)) {
        let inputs = inputs_of(node, &nodes, &done);
        let checked = check_node(graph, node, inputs, analyst, &mut errors).await;
        done.insert(node.id.value.clone(), nodes.len());
        nodes.push(checked);
    }
    crate::places::check(graph, &nodes, &mut errors);
    errors.sort_by_key(|error| match error.place() {
        Some(Place::Source(at)) => (at.line, at.column),
        _ => (u32::MAX, 0),
    });
    Checked { errors, nodes }
}

fn inputs_of(node: &Node, nodes: &[CheckedNode], done: &HashMap<String, usize>) -> Vec<Input> {
    let input = |id: &Placed<String>| {
        let from = done.get(&id.value).and_then(|at| nodes.get(*at));
        let (member, columns, name) = match (node.operation.member(), from) {
            (Some(member), Some(from)) => {
                let columns = from.members.get(member).cloned().flatten();
                (Some(member), columns, format!("{}#{member}", id.value))
            }
            (_, from) => (None, from.and_then(|from| from.columns.clone()), id.value.clone()),
        };
        let relation = Relation { name, node: id.value.clone(), member };
        Input { relation, columns, members: from.map_or(0, |from| from.members.len()) }
    };
    node.inputs.iter().map(input).collect()
}

async fn check_node(
    graph: &Graph,
    node: &Node,
    inputs: Vec<Input>,
    analyst: &dyn Analyst,
    errors: &mut Vec<Error>,
) -> CheckedNode {
    let known: BTreeMap<String, Option<Columns>> =
        inputs.iter().map(|input| (input.relation.node.clone(), input.columns.clone())).collect();
    let first = inputs.first().and_then(|input| input.columns.clone());
    let (step, user_text, found) = step_of(graph, node, inputs);
    let good = found.is_empty();
    errors.extend(found);
    let look = Look { graph, node, analyst, user_text: user_text.as_ref() };
    let mut members = vec![None; node.operation.members()];
    let asked = match &step {
        Some(step) if good => look.columns(step, &known, first.as_ref(), &mut members).await,
        _ => Ok(None),
    };
    let columns = asked.unwrap_or_else(|found| {
        errors.extend(found);
        None
    });
    CheckedNode {
        id: node.id.value.clone(),
        name: node.name.clone(),
        kind: node.kind.name,
        role: node.kind.role,
        inputs: node.inputs.iter().map(|input| input.value.clone()).collect(),
        // A step that is known to be wrong should not run.
        step: step.filter(|_| good),
        columns: columns.or_else(|| node.operation.columns()),
        members,
    }
}

/// The node's step with the mistakes that were found on the way.
fn step_of(graph: &Graph, node: &Node, inputs: Vec<Input>) -> (Option<Step>, Option<UserText>, Vec<Error>) {
    let (least, most) = node.kind.inputs;
    let unknown = inputs.iter().any(|input| input.columns.is_none());
    if !(least..=most).contains(&inputs.len()) || (node.operation.needs_columns() && unknown) {
        return (None, None, Vec::new());
    }
    let mistakes = Mistakes::new(&graph.source);
    let mut cx =
        Context { id: &node.id.value, span: &node.kind_span, inputs, mistakes: &mistakes, user_text: None };
    let step = node.operation.step(&mut cx);
    let user_text = cx.user_text.take();
    (step, user_text, mistakes.into_found())
}

/// Looks the columns of one step up.
struct Look<'a> {
    graph: &'a Graph,
    node: &'a Node,
    analyst: &'a dyn Analyst,
    user_text: Option<&'a UserText>,
}

type Known = BTreeMap<String, Option<Columns>>;
type Found = Result<Option<Columns>, Vec<Error>>;

impl Look<'_> {
    async fn columns(
        &self,
        step: &Step,
        known: &Known,
        first: Option<&Columns>,
        members: &mut [Option<Columns>],
    ) -> Found {
        match step {
            Step::Source(source) => self.source(source).await,
            Step::Query(query) => self.query(query, known).await,
            Step::Collection(collection) => {
                for (member, columns) in collection.members.iter().zip(members) {
                    let inputs = vec![collection.input.clone()];
                    let query = QueryStep { sql: member.sql.clone(), inputs, rejects: vec![] };
                    *columns = self.query(&query, known).await?;
                }
                Ok(first.cloned())
            }
            Step::ParseLog(log) => self.log(log, first).await,
            Step::Target(target) => self.target(target, first).await,
            Step::DropNulls(_) | Step::Spigot(_) | Step::Repartition(_) => Ok(first.cloned()),
        }
    }

    fn node_place(&self) -> Place {
        self.graph.place_of(self.node)
    }

    /// What somebody else found gets this node's place, unless it has one of its own.
    fn placed(&self, error: Error) -> Vec<Error> {
        vec![error.at_if_unknown(|| self.node_place())]
    }

    async fn source(&self, source: &SourceSpec) -> Found {
        match source {
            SourceSpec::Files(_) => match self.node.operation.columns() {
                Some(declared) => Ok(Some(declared)),
                None => self.analyst.files(source).await.map_err(|error| self.placed(error)),
            },
            SourceSpec::Table(table) => {
                let found = self.analyst.table(&table.database, &table.table).await;
                let columns = found.map_err(|error| self.placed(error))?;
                if let (Some(predicate), Some(user)) = (&table.predicate, self.user_text) {
                    let before = "SELECT 1 FROM source WHERE ";
                    let sql = format!("{before}{predicate}");
                    self.ask(&sql, before.len(), user, columns.as_ref())
                        .await
                        .map_err(|error| vec![error])?;
                }
                Ok(columns)
            }
        }
    }

    /// Whether a predicate over a source is right.
    async fn ask(&self, sql: &str, begins: usize, user: &UserText, columns: Option<&Columns>) -> Result<()> {
        let place = |error: Error| self.in_user_text(error, sql, begins, user);
        sql::parse_one(sql, QUERY).map_err(place)?;
        if let Some(columns) = columns {
            self.analyst.query(sql, &[("source", columns)]).await.map_err(place)?;
        }
        Ok(())
    }

    async fn query(&self, query: &QueryStep, known: &Known) -> Found {
        let wrong = |error: Error| match self.user_text {
            Some(user) => vec![self.in_user_text(error, &query.sql, user.begins, user)],
            None => vec![self.in_generated(error)],
        };
        sql::parse_one(&query.sql, QUERY).map_err(wrong)?;
        let mut inputs: Vec<(&str, &Columns)> = Vec::new();
        for relation in &query.inputs {
            match known.get(&relation.node) {
                Some(Some(columns)) => inputs.push((&relation.name, columns)),
                _ => return Ok(None),
            }
        }
        // What decides on rejects must be right as well; it is always our own SQL.
        if let Some(rejected) = query.rejected() {
            self.analyst.query(&rejected, &inputs).await.map_err(|error| vec![self.in_generated(error)])?;
        }
        let columns = self.analyst.query(&query.sql, &inputs).await.map_err(wrong)?;
        self.twice(&columns)?;
        Ok(Some(columns))
    }

    /// Two columns of one name cannot be told apart by whatever comes behind.
    fn twice(&self, columns: &Columns) -> Result<(), Vec<Error>> {
        let mut seen = std::collections::HashSet::new();
        match columns.names().find(|name| !seen.insert(name.to_lowercase())) {
            None => Ok(()),
            Some(name) => Err(vec![
                Error::invalid(format!("two columns of `{}` are named `{name}`", self.node.id.value))
                    .at(self.node_place())
                    .hint("name the columns one by one and give one of them another name"),
            ]),
        }
    }

    async fn log(&self, log: &LogStep, first: Option<&Columns>) -> Found {
        let made = match &log.pattern {
            LogPattern::AccessLog => Some(access_log_columns()),
            pattern => self.analyst.log_columns(pattern).await.map_err(|error| self.placed(error))?,
        };
        let (Some(mut columns), Some(first)) = (made, first) else { return Ok(None) };
        for column in first.iter() {
            let is_line = crate::columns::same_name(&column.name, &log.column);
            // `$path` and the like belong to the file, not to the rows.
            let hidden = column.name.starts_with('$');
            if !hidden && (!is_line || log.keep_line) && columns.find(&column.name).is_none() {
                columns.push(column.name.clone(), column.sql_type.clone());
            }
        }
        Ok(Some(columns))
    }

    async fn target(&self, target: &TargetSpec, first: Option<&Columns>) -> Found {
        let Destination::Table { database, table } = &target.destination else { return Ok(first.cloned()) };
        let there = self.analyst.table(database, table).await.map_err(|error| self.placed(error))?;
        let (Some(there), Some(columns)) = (there, first) else { return Ok(first.cloned()) };
        let mut wrong = Vec::new();
        for column in columns.iter() {
            match there.find(&column.name) {
                Some(known) if sql::common_type(&known.sql_type, &column.sql_type).is_none() => {
                    let message = format!(
                        "`{}` is {} here, but {} in `{database}.{table}`",
                        column.name, column.sql_type, known.sql_type
                    );
                    let hint = "cast it in an ApplyMapping node before, or change the table";
                    wrong.push(Error::invalid(message).at(self.node_place()).hint(hint));
                }
                Some(_) => {}
                None if target.update.as_ref().is_some_and(|update: &CatalogUpdate| update.add_columns) => {}
                None => {
                    let message = format!("`{database}.{table}` has no column `{}`", column.name);
                    let error = Error::invalid(message).at(self.node_place());
                    let error = match model::nearest(&column.name, there.names()) {
                        Some(near) => error.hint(format!("is it `{near}`? Rename it before")),
                        None => error,
                    };
                    let policy = "`SchemaChangePolicy: {EnableUpdateCatalog: true, UpdateBehavior: UPDATE_IN_DATABASE}`";
                    wrong.push(error.hint(format!("drop it before, or let the table grow with {policy}")));
                }
            }
        }
        if wrong.is_empty() { Ok(Some(columns.clone())) } else { Err(wrong) }
    }

    /// A mistake in a query that was made here: its place in that query says nothing to the user.
    fn in_generated(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::Internal {
            return error;
        }
        error.context(format!("`{}`", self.node.id.value)).at(self.node_place())
    }

    /// A mistake in the user's own SQL: its place is brought back into the definition's text.
    fn in_user_text(&self, error: Error, sql: &str, begins: usize, user: &UserText) -> Error {
        let Some(Place::Source(at)) = error.place() else { return error.at(self.node_place()) };
        let origin = offset_of(sql, at)
            .and_then(|at| at.checked_sub(begins))
            .and_then(|at| user.translated.origin(at));
        match origin {
            Some(bytes) => error.at(place_in_text(&self.graph.source, &user.written, &bytes)),
            None => error.at(place(&self.graph.source, &user.written.span)),
        }
    }
}

/// What generated and translated queries are called in places.
const QUERY: &str = "<query>";

/// The byte that a place stands for, if the place is in this text.
fn offset_of(text: &str, at: &SourcePlace) -> Option<usize> {
    let line_at = usize::try_from(at.line).ok()?.checked_sub(1)?;
    let line = text.split('\n').nth(line_at)?;
    if line.trim_end_matches('\r') != at.excerpt {
        return None;
    }
    let start: usize = text.split('\n').take(line_at).map(|line| line.len() + 1).sum();
    let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
    Some(start + line.char_indices().nth(column).map_or(line.len(), |(at, _)| at))
}

/// The place, in the definition's text, of some bytes of a text that is written there. The text may be indented,
/// folded or escaped, so its lines are looked for one by one; where one is not found, the whole text is meant.
pub(crate) fn place_in_text(source: &Source, written: &Placed<String>, bytes: &Range<usize>) -> SourcePlace {
    let whole = || place(source, &written.span);
    let Some(raw) = source.text.get(written.span.clone()) else { return whole() };
    let mut from = 0;
    let mut start = 0;
    for line in written.value.split('\n') {
        let trimmed = line.trim();
        let Some(found) = raw.get(from..).and_then(|rest| rest.find(trimmed)) else { return whole() };
        let end = start + line.len();
        if (start..=end).contains(&bytes.start) {
            let indent = line.len() - line.trim_start().len();
            let offset = (bytes.start - start).saturating_sub(indent).min(trimmed.len());
            let begins = written.span.start + from + found + offset;
            let length = bytes.len().min(trimmed.len() - offset);
            return place(source, &(begins..begins + length));
        }
        from += found + trimmed.len();
        start = end + 1;
    }
    whole()
}
