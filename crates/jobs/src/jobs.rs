//! The entrance: jobs kept by name, checked, started, previewed, written as scripts; their bookmarks.

use crate::analyst::EngineAnalyst;
use crate::bookmarks::Bookmark;
use crate::cost::Prices;
use crate::options::Options;
use crate::run::{Examples, Prepared};
use crate::scripts::{ScriptDoor, ScriptKey};
use crate::store::{Replaces, Store, StoredJob};
use engine::Engine;
use jobgraph::{Arguments, JobDefinition, parse, resolve, script};
use lake::Lake;
use model::{Error, Result, RunKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use state::events::Events;
use state::runs::{ConcurrencyLimit, NewRun, RunContext, RunHandle, Runs, WhenFull};
use state::{Clock, Database};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// The rooms that jobs stand on.
#[derive(Clone)]
pub struct JobsRooms {
    /// The state database.
    pub database: Database,
    /// The clock.
    pub clock: Clock,
    /// The lake.
    pub lake: Lake,
    /// The engine.
    pub engine: Engine,
    /// The runs.
    pub runs: Runs,
    /// Python, for jobs that are scripts.
    pub python: python::Python,
    /// Hears of objects that were written.
    pub events: Events,
}

/// Jobs. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    pub(crate) rooms: JobsRooms,
    pub(crate) store: Store,
    pub(crate) prices: Prices,
    pub(crate) door: Arc<OnceLock<Weak<dyn ScriptDoor>>>,
}

/// A job to run, to look at, or to check: one that is kept, or a definition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobRequest {
    /// The name of a kept job.
    pub name: Option<String>,
    /// A definition, and what its file is called.
    pub definition: Option<(String, String)>,
    /// Arguments, with or without `--`.
    pub arguments: Arguments,
}

impl Jobs {
    /// The jobs of these rooms. What a dead process has left undone is made good.
    pub async fn open(rooms: JobsRooms, prices: Prices) -> Result<Self> {
        let store = Store::open(rooms.database.clone(), rooms.clock.clone()).await?;
        let jobs = Self { rooms, store, prices, door: Arc::default() };
        jobs.recover().await?;
        Ok(jobs)
    }

    /// Keeps a job under the name that its definition or its file says. Answers the name, and whether it is new.
    pub async fn put(&self, definition: &str, source_name: &str) -> Result<(String, bool)> {
        self.keep(definition, source_name, Replaces::Any).await
    }

    /// The same in the place of a definition that was seen before: refused where that is no longer what is kept.
    pub async fn replace(&self, definition: &str, source_name: &str, seen: &str) -> Result<(String, bool)> {
        self.keep(definition, source_name, Replaces::Only(seen)).await
    }

    /// Keeps a job that must be new. Answers its name.
    pub async fn create(&self, definition: &str, source_name: &str) -> Result<String> {
        Ok(self.keep(definition, source_name, Replaces::Nothing).await?.0)
    }

    async fn keep(
        &self,
        definition: &str,
        source_name: &str,
        replaces: Replaces<'_>,
    ) -> Result<(String, bool)> {
        let (parsed, mut errors) = parse(definition, source_name);
        errors.extend(Options::of(&parsed, &Arguments::new()).1);
        first(errors)?;
        if parsed.script.is_some() {
            let name = script_name(&parsed);
            let is_new = self.store.put(&name, source_name, definition, replaces).await?;
            return Ok((name, is_new));
        }
        let graph = resolve(&parsed, &Arguments::new());
        // What the arguments of a run may still bring is no mistake of the definition.
        let is_argument = |e: &Error| e.message().starts_with("the argument `--");
        first(graph.errors().iter().filter(|e| !is_argument(e)).cloned().collect())?;
        let is_new = self.store.put(&graph.name, source_name, definition, replaces).await?;
        Ok((graph.name, is_new))
    }

    /// A kept job.
    pub async fn get(&self, name: &str) -> Result<StoredJob> {
        self.store.get(name).await
    }

    /// All kept jobs by name.
    pub async fn list(&self) -> Result<Vec<StoredJob>> {
        self.store.list().await
    }

    /// Deletes a kept job with its bookmark.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.store.delete(name).await
    }

    /// Where a job's bookmark stands.
    pub async fn bookmark(&self, job: &str) -> Result<Bookmark> {
        let bookmark = self.store.bookmark(job).await?;
        if bookmark.version == 0 {
            // Jobs need not be kept to have a bookmark, but one of the two must be there.
            self.store.get(job).await?;
        }
        Ok(bookmark)
    }

    /// Sets a bookmark back: to the state behind that run, or to the beginning. Answers how many files are new again.
    pub async fn rewind(&self, job: &str, to: Option<&str>) -> Result<u64> {
        self.bookmark(job).await?;
        self.store.rewind(job, to).await
    }

    /// All mistakes of a definition, with what the catalog and the files say. Files may still be missing.
    pub async fn check(&self, request: &JobRequest) -> Result<Vec<Error>> {
        let (definition, mut errors) = self.definition(request).await?;
        if definition.script.is_some() {
            errors.extend(self.check_script_of(&definition).await?);
            return Ok(errors);
        }
        errors.extend(Options::of(&definition, &request.arguments).1);
        let graph = resolve(&definition, &request.arguments);
        let analyst = EngineAnalyst {
            engine: &self.rooms.engine,
            lake: &self.rooms.lake,
            lenient: true,
            examples: &Examples::new(),
        };
        errors.extend(jobgraph::check(&graph, &analyst).await.errors);
        Ok(errors)
    }

    /// The same job as a script of Glue, or as Athena's SQL.
    pub async fn script(&self, request: &JobRequest, language: &str) -> Result<String> {
        let (definition, errors) = self.definition(request).await?;
        first(errors)?;
        graph_only(&definition)?;
        let graph = resolve(&definition, &request.arguments);
        first(graph.errors().to_vec())?;
        match language {
            "pyspark" | "python" => Ok(script::pyspark(&graph)),
            "athena" | "sql" => {
                let analyst = EngineAnalyst {
                    engine: &self.rooms.engine,
                    lake: &self.rooms.lake,
                    lenient: true,
                    examples: &Examples::new(),
                };
                let checked = jobgraph::check(&graph, &analyst).await;
                first(checked.errors.clone())?;
                script::athena(&graph, &checked)
            }
            other => Err(Error::invalid(format!("there is no script in `{other}`"))
                .hint("languages are pyspark and athena")),
        }
    }

    async fn definition(&self, request: &JobRequest) -> Result<(JobDefinition, Vec<Error>)> {
        match (&request.name, &request.definition) {
            (_, Some((text, name))) => Ok(parse(text, name)),
            (Some(name), None) => {
                let job = self.store.get(name).await?;
                let (mut definition, errors) = parse(&job.definition, &job.source_name);
                definition.name = Some(job.name);
                Ok((definition, errors))
            }
            (None, None) => Err(Error::invalid("no job is named")),
        }
    }

    /// Whether what is asked for is a script, and not a graph of nodes.
    pub async fn is_script(&self, request: &JobRequest) -> Result<bool> {
        Ok(self.definition(request).await?.0.script.is_some())
    }

    /// Reads and checks a job; all that can be known before it runs is checked.
    pub(crate) async fn prepared(&self, request: &JobRequest, examples: Examples) -> Result<Prepared> {
        let (definition, errors) = self.definition(request).await?;
        first(errors)?;
        graph_only(&definition)?;
        let graph = resolve(&definition, &request.arguments);
        let analyst = EngineAnalyst {
            engine: &self.rooms.engine,
            lake: &self.rooms.lake,
            lenient: false,
            examples: &examples,
        };
        let checked = jobgraph::check(&graph, &analyst).await;
        first(checked.errors.clone())?;
        let (options, errors) = Options::of(&definition, &request.arguments);
        first(errors)?;
        let notes = definition.unused_arguments(&request.arguments, Options::is_known);
        Ok(Prepared {
            job: graph.name,
            definition,
            checked,
            options,
            notes,
            examples,
            may_be_surprised: false,
            sorts_joins: false,
        })
    }

    /// Starts a run of a job. One that is a script calls with that key, or else with the owner's.
    pub async fn start(&self, request: JobRequest, key: Option<ScriptKey>) -> Result<RunHandle> {
        let (definition, errors) = self.definition(&request).await?;
        if definition.script.is_some() {
            first(errors)?;
            let new = new_run(script_name(&definition), &definition, &request)?;
            return self.start_script(new, definition, request.arguments, key).await;
        }
        let prepared = self.prepared(&request, Examples::new()).await?;
        let new = new_run(prepared.job.clone(), &prepared.definition, &request)?;
        let jobs = self.clone();
        // Each attempt reads and checks anew: files may have come, tables may have changed.
        self.rooms
            .runs
            .start(new, move |run: RunContext| {
                let (jobs, request) = (jobs.clone(), request.clone());
                async move {
                    let report = jobs.run(&request, &run).await?;
                    serde_json::to_value(report)
                        .map_err(|e| Error::internal("an account cannot be written").source_is(e))
                }
            })
            .await
    }

    /// Starts a look at the first rows of every node: a run that writes nothing.
    pub async fn start_preview(&self, request: JobRequest, rows: usize) -> Result<RunHandle> {
        let prepared = self.prepared(&request, Examples::new()).await?;
        let mut new = NewRun::new(RunKind::new("job-preview")?, prepared.job.clone());
        new.arguments = json!({ "arguments": request.arguments, "rows": rows });
        let jobs = self.clone();
        self.rooms
            .runs
            .start(new, move |run: RunContext| {
                let (jobs, request) = (jobs.clone(), request.clone());
                async move {
                    let prepared = jobs.prepared(&request, Examples::new()).await?;
                    let preview = jobs.preview(&prepared, rows, &run).await?;
                    serde_json::to_value(preview)
                        .map_err(|e| Error::internal("a preview cannot be written").source_is(e))
                }
            })
            .await
    }
}

/// A run of a job, as its definition says it goes.
fn new_run(job: String, definition: &JobDefinition, request: &JobRequest) -> Result<NewRun> {
    let mut new = NewRun::new(RunKind::new("job")?, job.clone());
    new.arguments = json!({
        "arguments": request.arguments,
        "definition": definition.source().name,
    });
    new.timeout = definition.timeout_minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    new.retries = u32::try_from(definition.max_retries.unwrap_or_default()).unwrap_or(u32::MAX).min(10);
    new.concurrency = Some(ConcurrencyLimit {
        key: format!("job/{job}"),
        limit: usize::try_from(definition.max_concurrent_runs.unwrap_or(1)).unwrap_or(1).max(1),
        when_full: WhenFull::Refuse,
    });
    Ok(new)
}

/// The name of a job that is a script: its own, or the file's.
fn script_name(definition: &JobDefinition) -> String {
    definition.name.clone().unwrap_or_else(|| definition.source().name.clone())
}

/// What only graphs can do.
fn graph_only(definition: &JobDefinition) -> Result<()> {
    match &definition.script {
        None => Ok(()),
        Some(script) => Err(Error::unsupported("the job is a script, not a graph of nodes")
            .at(script.place.clone())
            .hint("scripts are run, and checked by `glulam check`")),
    }
}

/// The first mistake is the error; how many more there are is said.
fn first(errors: Vec<Error>) -> Result<()> {
    let more = errors.len().saturating_sub(1);
    match errors.into_iter().next() {
        None => Ok(()),
        Some(error) if more == 0 => Err(error),
        Some(error) => {
            let many = if more == 1 { "is 1 more mistake" } else { "are more mistakes" };
            Err(error.hint(format!("there {many}; `glulam check` lists all of them")))
        }
    }
}
