//! Starting what a query asks for.

use super::command::{Command, Query, Source, answers_rows, change, verb};
use super::running::{Rows, Running};
use super::settings::Settings;
use super::{Prepared, Session};
use crate::fault::{CANCELLED, Fault, SOURCE};
use crate::introspect;
use crate::values::{Column, Shape, literal, null_of};
use crate::wire::Wire;
use arrow::array::{RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::reader::FileReader;
use engine::{QueryOutcome, QueryRequest};
use model::{Error, ErrorKind};
use sql::{SqlType, Statement};
use state::trace;
use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// What came of starting a query.
pub(super) enum Started {
    /// It answers rows.
    Rows(Box<Running>),
    /// It is done, in these words.
    Done(String),
}

impl Session {
    /// A token for the next statement: another connection, or the time that is allowed, cancels it.
    pub(super) fn begin(&self) -> CancellationToken {
        let token = self.process.begin();
        if let Some(millis) = self.settings.timeout() {
            let (token, clock) = (token.clone(), self.house.rooms.clock.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = token.cancelled() => {}
                    () = clock.sleep(chrono::Duration::milliseconds(millis)) => token.cancel(),
                }
            });
        }
        token
    }

    /// Starts a query with its values, as a part of the trace that it belongs to.
    pub(super) async fn start(
        &self,
        query: &Query,
        values: &[String],
        cancel: &CancellationToken,
    ) -> Result<Started, Fault> {
        let Some(mut span) = self.span_of(query) else { return self.launch(query, values, cancel).await };
        let started = trace::within(Some(span.context()), self.launch(query, values, cancel)).await;
        match started {
            Ok(Started::Rows(mut running)) => {
                running.trace(span);
                Ok(Started::Rows(running))
            }
            Ok(done) => {
                span.succeeded();
                Ok(done)
            }
            Err(fault) => {
                // What was stopped on request is no failure.
                if fault.code != CANCELLED {
                    span.refused(fault.code, fault.message());
                }
                Err(fault)
            }
        }
    }

    async fn launch(
        &self,
        query: &Query,
        values: &[String],
        cancel: &CancellationToken,
    ) -> Result<Started, Fault> {
        match &query.source {
            Source::Setting(name) => self.show(name).map(|running| Started::Rows(Box::new(running))),
            Source::Catalog(question) => {
                let surroundings = self.surroundings();
                let answered = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(Fault::of(&Error::cancelled())),
                    answered = question.answer(&surroundings, values) => answered?,
                };
                let rows = Rows::Batches(VecDeque::from([answered.rows]));
                Ok(Started::Rows(Box::new(Running::new(answered.columns, rows, "SELECT"))))
            }
            Source::Engine { translated, statement, .. } => {
                let executed = self.engine_s_own(statement).await?;
                let carried = executed.as_ref().unwrap_or(statement);
                // EXECUTE of what is not there is the engine's to refuse.
                let reads = carried.only_reads()
                    || (executed.is_none() && matches!(**statement, Statement::Execute { .. }));
                if !reads && self.settings.is_read_only() {
                    let what = format!("cannot execute {} in a read-only transaction", change(carried));
                    return Err(Fault::new("25006", what));
                }
                let verb = verb(carried);
                let may =
                    self.house.config.guests.may_run(&self.facts.user, statement, &self.facts.schema).await;
                may.map_err(|e| query.fault(&e))?;
                let parameters = translated
                    .parameters
                    .iter()
                    .map(|number| values.get(number - 1).cloned())
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| Fault::new("08P01", "a parameter has no value"))?;
                let request = QueryRequest {
                    source_name: SOURCE.to_owned(),
                    postgres: Some(self.settings.zone()),
                    parameters,
                    ..QueryRequest::new(translated.text.clone()).in_database(self.facts.schema.clone())
                };
                if reads {
                    let answer = tokio::select! {
                        biased;
                        () = cancel.cancelled() => return Err(Fault::of(&Error::cancelled())),
                        answer = self.house.rooms.engine.query(request) => answer.map_err(|e| query.fault(&e))?,
                    };
                    let columns =
                        answer.columns.iter().map(|c| Column::new(c.name.clone(), &c.sql_type)).collect();
                    let rows = Rows::Answer(Box::new(Mutex::new(answer)));
                    return Ok(Started::Rows(Box::new(Running::new(columns, rows, verb))));
                }
                let rows = self.write(request, cancel).await.map_err(|e| query.fault(&e))?;
                Ok(Started::Done(match verb {
                    "INSERT" => format!("INSERT 0 {rows}"),
                    "SELECT" | "DELETE" | "UPDATE" | "MERGE" | "UNLOAD" => format!("{verb} {rows}"),
                    verb => verb.to_owned(),
                }))
            }
        }
    }

    /// The statement that EXECUTE runs where the engine keeps it; none for what is no such EXECUTE, or finds nothing.
    async fn engine_s_own(&self, statement: &Statement) -> Result<Option<Statement>, Fault> {
        let Statement::Execute { name, .. } = statement else { return Ok(None) };
        match self.house.rooms.engine.get_prepared(engine::PRIMARY_WORKGROUP, &name.value).await {
            Ok(prepared) => Ok(Some(sql::parse_one(&prepared.query, SOURCE)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::of(&error)),
        }
    }

    /// Whether a query answers rows and changes nothing, so that it may run when it is described.
    pub(super) async fn reads_rows(&self, query: &Query) -> Result<bool, Fault> {
        let Source::Engine { statement, .. } = &query.source else { return Ok(true) };
        let executed = self.engine_s_own(statement).await?;
        let carried = executed.as_ref().unwrap_or(statement);
        Ok(carried.only_reads() && answers_rows(carried))
    }

    /// Carries out a statement that changes something, as a run; answers how many rows it wrote.
    async fn write(&self, request: QueryRequest, cancel: &CancellationToken) -> model::Result<i64> {
        let handle = self.house.rooms.engine.start(request).await?;
        let run = tokio::select! {
            biased;
            run = handle.wait() => run?,
            () = cancel.cancelled() => {
                handle.stop().await?;
                handle.wait().await?
            }
        };
        let outcome: QueryOutcome = serde_json::from_value(run.result()?)
            .map_err(|e| Error::internal("a run's outcome cannot be read").source_is(e))?;
        let damaged = |e| Error::corrupt("the outcome of a statement cannot be read").source_is(e);
        let file = File::open(&outcome.result)
            .map_err(|e| Error::unavailable("the outcome of a statement is gone").source_is(e))?;
        let first = FileReader::try_new(file, None).map_err(damaged)?.next().transpose().map_err(damaged)?;
        let count = first.as_ref().filter(|batch| batch.num_rows() > 0).and_then(|batch| {
            use arrow::array::AsArray;
            batch.columns().first()?.as_primitive_opt::<arrow::datatypes::Int64Type>().map(|all| all.value(0))
        });
        Ok(count.unwrap_or(0))
    }

    /// What questions about the catalog may ask for.
    pub(super) fn surroundings(&self) -> introspect::Surroundings<'_> {
        introspect::Surroundings {
            catalog: &self.house.rooms.catalog,
            engine: &self.house.rooms.engine,
            guests: self.house.config.guests.as_ref(),
            facts: &self.facts,
            settings: &self.settings,
            cursors: self.portals.iter().filter(|(_, p)| p.is_cursor).map(|(name, _)| name.clone()).collect(),
            statements: self.statements.keys().filter(|name| !name.is_empty()).cloned().collect(),
            now: self.house.rooms.clock.now(),
        }
    }

    /// `SHOW setting`
    fn show(&self, name: &str) -> Result<Running, Fault> {
        let (names, rows): (Vec<&str>, Vec<Vec<&str>>) = if name == "all" {
            let rows =
                self.settings.all().map(|(name, value)| vec![Settings::written(name), value, ""]).collect();
            (vec!["name", "setting", "description"], rows)
        } else {
            let value = self.settings.get(name).ok_or_else(|| {
                Fault::new("42704", format!("unrecognized configuration parameter \"{name}\""))
            })?;
            (vec![Settings::written(name)], vec![vec![value]])
        };
        let fields: Vec<Field> =
            names.iter().map(|name| Field::new(*name, DataType::Utf8View, true)).collect();
        let arrays = (0..names.len()).map(|at| {
            let values = rows.iter().map(|row| row.get(at).copied());
            Arc::new(values.collect::<StringViewArray>()) as _
        });
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect())
            .map_err(|e| Error::internal("settings make no rows").source_is(e))?;
        let columns = names.iter().map(|name| Column::new(*name, &SqlType::VARCHAR)).collect();
        Ok(Running::new(columns, Rows::Batches(VecDeque::from([batch])), "SHOW"))
    }

    /// Keeps a prepared statement.
    pub(super) fn keep(&mut self, name: String, prepared: Prepared) -> Result<(), Fault> {
        if self.statements.len() >= super::MAX_KEPT {
            return Err(Fault::new("54000", "the session keeps too many prepared statements")
                .hint("DEALLOCATE those that are not needed"));
        }
        self.statements.remove(&name);
        self.check_kept(&prepared, &[])?;
        self.statements.insert(name, Arc::new(prepared));
        Ok(())
    }

    /// What a query's parameters are and which columns it answers, without running it.
    pub(super) async fn described(
        &self,
        query: &Query,
        types: &[Option<Shape>],
    ) -> Result<(Vec<Shape>, Option<Vec<Column>>), Fault> {
        let text = || Shape::Text(25, None);
        let count = query.parameters().max(types.len());
        let known = |at: usize| types.get(at).cloned().flatten();
        match &query.source {
            Source::Setting(name) => Ok((Vec::new(), Some(self.show(name)?.columns))),
            Source::Catalog(question) => {
                let nulls = vec!["NULL".to_owned(); count];
                let (surroundings, cancel) = (self.surroundings(), self.begin());
                let _done = cancel.clone().drop_guard();
                let answered = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(Fault::of(&Error::cancelled())),
                    answered = question.answer(&surroundings, &nulls) => answered?,
                };
                let shapes = (0..count).map(|at| known(at).unwrap_or_else(text)).collect();
                Ok((shapes, Some(answered.columns)))
            }
            Source::Engine { translated, statement, .. } => {
                let may =
                    self.house.config.guests.may_run(&self.facts.user, statement, &self.facts.schema).await;
                may.map_err(|e| query.fault(&e))?;
                let parameters = translated.parameters.iter();
                let parameters = parameters.map(|number| {
                    known(number - 1).map_or_else(|| "NULL".to_owned(), |shape| null_of(&shape))
                });
                let request = QueryRequest {
                    source_name: SOURCE.to_owned(),
                    postgres: Some(self.settings.zone()),
                    parameters: parameters.collect(),
                    ..QueryRequest::new(translated.text.clone()).in_database(self.facts.schema.clone())
                };
                let engine = &self.house.rooms.engine;
                let described = engine.describe(request.clone()).await.map_err(|e| query.fault(&e))?;
                let learned = |number: usize| {
                    let uses = translated.parameters.iter().enumerate().filter(|(_, n)| **n == number);
                    uses.filter_map(|(at, _)| described.parameters.get(&(at + 1))).next().map(Shape::of)
                };
                let shapes = (0..count)
                    .map(|at| known(at).or_else(|| learned(at + 1).map(bindable)).unwrap_or_else(text))
                    .collect();
                let columns = match described.columns {
                    Some(columns) => Some(columns),
                    // Definitions that show something are quick, and only they know what they show.
                    None if self.reads_rows(query).await? => {
                        Some(engine.query(request).await.map_err(|e| query.fault(&e))?.columns)
                    }
                    None => None,
                };
                let columns =
                    columns.map(|all| all.iter().map(|c| Column::new(c.name.clone(), &c.sql_type)).collect());
                Ok((shapes, columns))
            }
        }
    }

    /// The values of parameters as expressions of the engine's language.
    pub(super) async fn bound(
        &self,
        prepared: &Prepared,
        values: &[Option<bytes::Bytes>],
        formats: &[bool],
    ) -> Result<Vec<String>, Fault> {
        let mut shapes = prepared.types.clone();
        if shapes.iter().any(Option::is_none)
            && let Some(query) = query_of(&prepared.command)
        {
            shapes = self.described(query, &prepared.types).await?.0.into_iter().map(Some).collect();
        }
        if values.len() != shapes.len() {
            return Err(Fault::new(
                "08P01",
                format!(
                    "{} values were bound, but the statement has {} parameters",
                    values.len(),
                    shapes.len()
                ),
            ));
        }
        values
            .iter()
            .zip(&shapes)
            .enumerate()
            .map(|(at, (value, shape))| {
                let shape = shape.as_ref().unwrap_or(&Shape::Text(25, None));
                let bytes = value.as_deref();
                literal(bytes, super::running::is_binary(formats, at), shape).map_err(|e| {
                    let mut fault = Fault::of(&e.context(format!("parameter ${}", at + 1)));
                    fault.code = "22P02";
                    fault
                })
            })
            .collect()
    }
}

/// Values of a learned type may be of any length or precision.
fn bindable(shape: Shape) -> Shape {
    match shape {
        Shape::Text(..) => Shape::Text(25, None),
        other => other,
    }
}

/// The query inside of a statement, whose parameters are the statement's.
pub(super) fn query_of(command: &Command) -> Option<&Arc<Query>> {
    match command {
        Command::Query(query) | Command::Declare { query, .. } | Command::Copy { query, .. } => Some(query),
        _ => None,
    }
}

pub(super) fn notice<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, code: &'static str, text: &str) {
    let mut fault = Fault::new(code, text);
    fault.severity = "WARNING";
    wire.put(b'N', |out| fault.write(out));
}

pub(super) fn no_cursor(name: &str) -> Fault {
    Fault::new("34000", format!("cursor \"{name}\" does not exist"))
}

pub(super) fn no_statement(name: &str) -> Fault {
    Fault::new("26000", format!("prepared statement \"{name}\" does not exist"))
}

/// The tag of an end with rows.
pub(super) fn tag(verb: &str, rows: u64) -> String {
    match verb {
        "SELECT" | "FETCH" | "MOVE" | "COPY" => format!("{verb} {rows}"),
        verb => verb.to_owned(),
    }
}
