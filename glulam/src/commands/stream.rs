//! `glulam stream`: streams, and applications over them.

use super::{Context, show_failure};
use crate::args;
use crate::operations::{
    CheckedText, CreateStream, DeleteApplication, DeleteStream, ExplainApplication, FollowRun,
    ListApplications, ListStreams, PutRecords, ReadLog, ReadStream, SnapshotApplication, StartApplication,
    StopApplication,
};
use crate::session::Session;
use crate::terminal::{self, Bar};
use apps::{ApplicationStatus, StartFrom, StartOptions, Stopping};
use model::{Error, Outcome, Place, Result, RunId, Unit};
use state::runs::Run;
use std::io::BufRead;
use std::path::Path;

/// As many records as a call of Kinesis takes.
pub(super) const CHUNK: usize = 500;
/// How many log lines are read at a time.
const PAGE: usize = 1000;

pub(super) async fn run(context: &Context, wanted: args::Stream) -> Result<u8> {
    let quiet = context.shared.quiet;
    match wanted.command {
        args::StreamCommand::Create { name, shards, retention_hours } => {
            let stream = perform(context, CreateStream { name, shards, retention_hours }).await?;
            match context.shared.json {
                true => terminal::print_json(&stream)?,
                false => terminal::print(&format!("stream `{}`: {} shards", stream.name, stream.open_shards)),
            }
            Ok(0)
        }
        args::StreamCommand::List => list(context).await,
        args::StreamCommand::Put { stream, file, key } => put(context, stream, file.as_deref(), key).await,
        args::StreamCommand::Tail { stream, from_start, limit } => {
            tail(context, stream, from_start, limit).await
        }
        args::StreamCommand::Delete { name } => {
            perform(context, DeleteStream { name: name.clone() }).await?;
            terminal::remark(quiet, &format!("stream `{name}` deleted, with its records"));
            Ok(0)
        }
        args::StreamCommand::Delivery(command) => super::delivery::run(context, command).await,
        args::StreamCommand::Run(run) => start(context, run).await,
        args::StreamCommand::Explain { file } => {
            let text = perform(context, ExplainApplication { script: read(&file)? }).await?;
            terminal::print(&text);
            Ok(0)
        }
        args::StreamCommand::Apps => applications(context).await,
        args::StreamCommand::Stop { name, drain } => {
            let how = if drain { Stopping::Drain } else { Stopping::Checkpoint };
            perform(context, StopApplication { name: name.clone(), how }).await?;
            terminal::remark(quiet, &format!("application `{name}` stopped"));
            Ok(0)
        }
        args::StreamCommand::Snapshot { name, label } => {
            let all = perform(context, SnapshotApplication { name, label }).await?;
            if context.shared.json {
                terminal::print_json(&all)?;
                return Ok(0);
            }
            let rows = all.into_iter().map(|s| {
                let name = if s.name.is_empty() { "(checkpoint)".to_owned() } else { s.name };
                let records = s.counters.get("records").copied().unwrap_or(0);
                vec![name, s.number.to_string(), terminal::time(s.taken), terminal::amount(records)]
            });
            terminal::print(&terminal::table(&["snapshot", "number", "taken", "records"], rows));
            Ok(0)
        }
        args::StreamCommand::Forget { name } => {
            perform(context, DeleteApplication { name: name.clone() }).await?;
            terminal::remark(quiet, &format!("application `{name}` deleted, with its state"));
            Ok(0)
        }
    }
}

pub(super) async fn perform<O: crate::operations::Operation>(
    context: &Context,
    operation: O,
) -> Result<O::Answer> {
    context.with_session(async |session| session.perform(operation).await).await
}

async fn list(context: &Context) -> Result<u8> {
    let streams = perform(context, ListStreams {}).await?;
    if context.shared.json {
        terminal::print_json(&streams)?;
        return Ok(0);
    }
    let rows = streams.into_iter().map(|s| {
        let hours = format!("{} h", s.retention_hours);
        vec![s.name, s.open_shards.to_string(), s.mode, hours, terminal::time(s.created)]
    });
    terminal::print(&terminal::table(&["stream", "shards", "mode", "kept", "made"], rows));
    Ok(0)
}

async fn applications(context: &Context) -> Result<u8> {
    let all = perform(context, ListApplications {}).await?;
    if context.shared.json {
        terminal::print_json(&all)?;
        return Ok(0);
    }
    let rows = all.into_iter().map(|app| {
        let status = match app.status {
            ApplicationStatus::Ready => "ready",
            ApplicationStatus::Running => "running",
        };
        let run = app.run.map(|run| run.to_string()).unwrap_or_default();
        vec![app.name, status.to_owned(), app.version.to_string(), run, terminal::time(app.modified)]
    });
    terminal::print(&terminal::table(&["application", "status", "version", "run", "changed"], rows));
    Ok(0)
}

/// The lines of a file, or of standard input.
pub(super) fn lines_of(file: Option<&Path>) -> Result<std::io::Lines<Box<dyn BufRead>>> {
    let reader: Box<dyn BufRead> = match file {
        Some(path) if path != Path::new("-") => {
            let file = std::fs::File::open(path).map_err(|e| unreadable(path, e))?;
            Box::new(std::io::BufReader::new(file))
        }
        _ => Box::new(std::io::BufReader::new(std::io::stdin())),
    };
    Ok(reader.lines())
}

async fn put(context: &Context, stream: String, file: Option<&Path>, key: Option<String>) -> Result<u8> {
    let lines = lines_of(file)?;
    let stored = context
        .with_session(async |session| {
            let (mut stored, mut records) = (0, Vec::with_capacity(CHUNK));
            for line in lines {
                let line = line.map_err(|e| Error::unavailable("the records cannot be read").source_is(e))?;
                if line.is_empty() {
                    continue;
                }
                records.push(line);
                if records.len() == CHUNK {
                    let records = std::mem::replace(&mut records, Vec::with_capacity(CHUNK));
                    let (stream, key) = (stream.clone(), key.clone());
                    stored += session.perform(PutRecords { stream, records, key }).await?;
                }
            }
            if !records.is_empty() {
                stored += session.perform(PutRecords { stream, records, key }).await?;
            }
            Ok(stored)
        })
        .await?;
    match context.shared.json {
        true => terminal::print_json(&serde_json::json!({ "records": stored }))?,
        false => {
            terminal::remark(context.shared.quiet, &format!("{} records stored", terminal::amount(stored)));
        }
    }
    Ok(0)
}

async fn tail(context: &Context, stream: String, from_start: bool, limit: Option<u64>) -> Result<u8> {
    let mut left = limit.unwrap_or(u64::MAX);
    let clock = state::Clock::system();
    context
        .with_session(async |session| {
            let mut places = None;
            loop {
                let wanted = usize::try_from(left).unwrap_or(PAGE).min(PAGE);
                let ask = ReadStream { stream: stream.clone(), places, from_start, limit: wanted };
                let read = session.perform(ask).await?;
                let is_tip = read.records.is_empty();
                for record in read.records {
                    match context.shared.json {
                        true => {
                            let text = serde_json::to_string(&record)
                                .map_err(|e| Error::internal("a record cannot be written").source_is(e))?;
                            terminal::print(&text);
                        }
                        false => terminal::print(&record.data),
                    }
                    left = left.saturating_sub(1);
                }
                // With a limit it ends at the tip, too: a script must not wait for ever.
                if left == 0 || read.places.is_empty() || (is_tip && limit.is_some()) {
                    return Ok(0);
                }
                places = Some(read.places);
                if is_tip {
                    tokio::select! {
                        () = clock.sleep(chrono::Duration::milliseconds(200)) => {}
                        _ = tokio::signal::ctrl_c() => return Ok(0),
                    }
                }
            }
        })
        .await
}

fn read(path: &Path) -> Result<CheckedText> {
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(path, e))?;
    Ok(CheckedText { name: path.display().to_string(), text })
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    let place = Place::object(path.display());
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::not_found("the file does not exist").at(place),
        _ => Error::unavailable("the file cannot be read").at(place).source_is(error),
    }
}

async fn start(context: &Context, wanted: args::StreamRun) -> Result<u8> {
    let path = Path::new(&wanted.app);
    let is_file = path.exists() || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("sql"));
    let (name, script) = match is_file {
        true => {
            let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            (wanted.name.unwrap_or(stem), Some(read(path)?))
        }
        false => (wanted.app, None),
    };
    let from = match (wanted.from_start, wanted.from_snapshot) {
        (true, _) => StartFrom::Beginning,
        (_, Some(snapshot)) => StartFrom::Snapshot(snapshot),
        _ => StartFrom::Latest,
    };
    let options = StartOptions {
        from,
        tasks: wanted.tasks,
        until_caught_up: wanted.until_caught_up,
        allow_non_restored_state: wanted.allow_non_restored_state,
    };
    let operation = StartApplication { name: name.clone(), script, options };
    context
        .with_session(async |session| {
            let started = session.perform(operation).await?;
            if wanted.detach {
                if matches!(session, Session::Local(_)) {
                    session.perform(StopApplication { name, how: Stopping::Checkpoint }).await?;
                    return Err(Error::invalid("an application in the background needs a server")
                        .hint("start one: glulam up; or leave --detach out"));
                }
                terminal::print(&format!("application `{name}` runs; stop it: glulam stream stop {name}"));
                return Ok(0);
            }
            live(context, session, &name, &started.run).await
        })
        .await
}

/// Shows an application while it runs; Ctrl-C stops it, and it goes on from there the next time.
async fn live(context: &Context, session: &Session, name: &str, id: &RunId) -> Result<u8> {
    let quiet = context.shared.quiet;
    let mut run = session.perform(FollowRun { id: id.clone(), seen: None, wait_millis: 0 }).await?;
    let mut bar = Bar::new(name, quiet);
    let mut after = 0;
    loop {
        let ended = run.state.is_final();
        let lines = session.perform(ReadLog { id: id.clone(), after, limit: PAGE }).await?;
        for line in &lines {
            after = line.seq;
            // Rows of print tables are answers; the rest is for the log.
            if let Some((table, row)) = line.message.split_once(": ")
                && row.starts_with(['{', '"'])
            {
                terminal::print(&format!("{table}: {row}"));
            }
        }
        if ended && lines.is_empty() {
            break;
        }
        if let Some(progress) = run.progress {
            bar.set(progress.done, None, Unit::Rows, &remark(&run));
        }
        if ended {
            continue;
        }
        let news = session.perform(FollowRun { id: id.clone(), seen: Some(run.revision), wait_millis: 500 });
        tokio::select! {
            answer = news => run = answer?,
            _ = tokio::signal::ctrl_c() => {
                terminal::remark(quiet, "stopping …");
                let how = Stopping::Checkpoint;
                session.perform(StopApplication { name: name.to_owned(), how }).await?;
                run = session.perform(FollowRun { id: id.clone(), seen: None, wait_millis: 0 }).await?;
            }
        }
    }
    bar.clear();
    let stopped = run.state == model::RunState::Stopped;
    if !stopped && !matches!(run.outcome, Some(Outcome::Result(_))) {
        return show_failure(context, &run);
    }
    if context.shared.json {
        terminal::print_json(&run)?;
    } else {
        terminal::remark(quiet, &format!("{name}: {}", summary(&run)));
    }
    Ok(0)
}

fn count(run: &Run, name: &str) -> u64 {
    run.counters.get(name).copied().unwrap_or(0)
}

/// What stands behind events and events a second.
fn remark(run: &Run) -> String {
    let millis = |name: &str| i64::try_from(count(run, name)).unwrap_or(0);
    let mark = match (millis("watermark"), millis("watermark_before_1970")) {
        (0, before) => -before,
        (after, _) => after,
    };
    let mark = match mark {
        0 => "-".to_owned(),
        millis => chrono::DateTime::from_timestamp_millis(millis).map_or("-".into(), terminal::time),
    };
    format!(
        "lag {:.1} s, watermark {mark}, late {}, open windows {}",
        count(run, "lag_millis") as f64 / 1000.0,
        count(run, "late"),
        count(run, "open_windows"),
    )
}

fn summary(run: &Run) -> String {
    format!(
        "{} events read, {} rows out, {} written, {} late, {} could not be read",
        terminal::amount(count(run, "records")),
        terminal::amount(count(run, "rows_out")),
        terminal::amount(count(run, "rows_written")),
        terminal::amount(count(run, "late")),
        terminal::amount(count(run, "malformed")),
    )
}
