//! `glulam gen`: into local files from this process, into the lake as a run of the platform, or to a stream.

use super::{Context, show_failure};
use crate::args::Gen;
use crate::kinesis::RemoteStream;
use crate::operations::{GenerateAnswer, PutEvents, StartGenerate};
use crate::session::Session;
use crate::terminal::{self, Bar, Ending, follow};
use generate::{Options, Output, Report, SendEvents, StreamEvent, StreamTarget, Task, Watch};
use model::{Error, ErrorKind, LakeUri, Place, Result, Unit};
use state::Clock;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub(super) async fn run(context: &Context, wanted: Gen) -> Result<u8> {
    let file = wanted.task.display().to_string();
    let text = std::fs::read_to_string(&wanted.task)
        .map_err(|e| Error::not_found("cannot read the task file").at(Place::object(&file)).source_is(e))?;
    let clock = Clock::system();
    // A seed that JSON's numbers can hold, so that it can be put into a task file.
    let seed = wanted.seed.unwrap_or_else(|| clock.now_millis().unsigned_abs() & ((1 << 53) - 1));
    match wanted.output.as_deref() {
        Some(address) if address.contains("://") => {
            let output: LakeUri = address.parse()?;
            into_lake(context, StartGenerate { file, text, seed, output }).await
        }
        output => {
            let task = Task::parse(&file, &text)?;
            if !(wanted.speed.is_finite() && wanted.speed > 0.0) {
                return Err(Error::invalid(format!("--speed {} is no speed", wanted.speed))
                    .hint("2 is twice as fast, 0.5 half as fast"));
            }
            if let (None, Some(target)) = (output, task.stream_target()) {
                let target = target.clone();
                let pace = (!wanted.no_wait).then_some(wanted.speed);
                return into_stream(context, task, seed, target, pace, clock).await;
            }
            let output = match output {
                Some("-") => Some(Output::Stdout),
                Some(path) => Some(Output::Path(PathBuf::from(path))),
                None => None,
            };
            let pace = wanted.pace.then_some(wanted.speed);
            into_files(context, task, seed, output, pace, &clock).await
        }
    }
}

async fn into_lake(context: &Context, operation: StartGenerate) -> Result<u8> {
    context
        .with_session(async |session| {
            let started = session.perform(operation).await?;
            match follow(session, &started.run, context.shared.quiet).await? {
                Ending::Failed(run) => show_failure(context, &run),
                Ending::Done(run, account) => {
                    let answer: GenerateAnswer = serde_json::from_value(account)
                        .map_err(|e| Error::internal("the run's account cannot be read").source_is(e))?;
                    let took = run.started.zip(run.ended).map(|(from, to)| to - from).unwrap_or_default();
                    if context.shared.json {
                        terminal::print_json(&answer)?;
                    } else {
                        terminal::print(&summary(
                            answer.rows,
                            answer.files.len(),
                            answer.bytes,
                            answer.seed,
                            took,
                        ));
                    }
                    Ok(0)
                }
            }
        })
        .await
}

/// What the generator's threads tell the drawing one.
#[derive(Default)]
struct Shared {
    done: AtomicU64,
    total: AtomicU64,
    rows: AtomicU64,
    stop: AtomicBool,
    /// Wakes a paced generator when it is stopped.
    stopped: (Mutex<bool>, Condvar),
}

impl Watch for Shared {
    fn progress(&self, done: u64, total: u64, rows: u64, _bytes: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        *self.stopped.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopped.1.notify_all();
    }

    /// Waits until then, or until it is stopped. At twice the speed the time since the beginning takes half as long.
    fn wait_until(&self, clock: &Clock, begun: Time, then: Time, speed: f64) {
        #[allow(clippy::cast_possible_truncation, reason = "what does not fit waits for ever in any case")]
        let millis = ((then - begun).num_milliseconds() as f64 / speed) as i64;
        let then = begun.checked_add_signed(chrono::Duration::milliseconds(millis)).unwrap_or(Time::MAX_UTC);
        let left = (then - clock.now()).to_std().unwrap_or_default();
        let guard = self.stopped.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.stopped.1.wait_timeout_while(guard, left, |stopped| !*stopped);
    }
}

type Time = chrono::DateTime<chrono::Utc>;

/// What a generator's thread works on.
struct Making {
    task: Task,
    seed: u64,
    begun: Time,
    output: Option<Output>,
    /// How fast a realtime timer runs, if it does.
    pace: Option<f64>,
    /// Where a stream's events are handed to.
    send: Option<mpsc::Sender<Vec<StreamEvent>>>,
}

/// Generates on a thread that may block.
fn generating(making: Making, shared: &Arc<Shared>, clock: &Clock) -> JoinHandle<Result<Report>> {
    let (shared, clock) = (Arc::clone(shared), clock.clone());
    tokio::task::spawn_blocking(move || {
        let Making { task, seed, begun, output, pace, send } = making;
        let wait = |then| shared.wait_until(&clock, begun, then, pace.unwrap_or(1.0));
        let hand_on = |events| match &send {
            Some(send) => send.blocking_send(events).map_err(|_| Error::cancelled()),
            None => Err(Error::internal("nobody takes the events")),
        };
        let mut options = Options::new(seed, begun);
        options.output = output;
        options.wait_until = pace.is_some().then_some(&wait as &(dyn Fn(Time) + Sync));
        options.send = send.is_some().then_some(&hand_on as SendEvents<'_>);
        generate::run(&task, &options, &*shared)
    })
}

/// Draws how far it is until it has ended; Ctrl-C ends it early.
async fn watched(
    mut work: JoinHandle<Result<Report>>,
    shared: &Shared,
    bar: &mut Bar,
    clock: &Clock,
) -> Result<Report> {
    let report = loop {
        tokio::select! {
            ended = &mut work => break ended.map_err(|e| Error::internal("the generator broke off").source_is(e))?,
            () = clock.sleep(chrono::Duration::milliseconds(200)) => {
                let total = shared.total.load(Ordering::Relaxed);
                let rows = terminal::amount(shared.rows.load(Ordering::Relaxed));
                bar.set(shared.done.load(Ordering::Relaxed), (total > 0).then_some(total), Unit::Steps, &format!("{rows} rows"));
            }
            _ = tokio::signal::ctrl_c() => shared.stop(),
        }
    };
    bar.clear();
    report
}

/// How many batches may wait to be sent: more would only take memory.
const WAITING: usize = 4;

/// Sends a stream task's events: to the endpoint that it names, or into the stream of this data directory.
async fn into_stream(
    context: &Context,
    task: Task,
    seed: u64,
    target: StreamTarget,
    pace: Option<f64>,
    clock: Clock,
) -> Result<u8> {
    let begun = clock.now();
    let shared = Arc::new(Shared::default());
    let mut bar = Bar::new("gen", context.shared.quiet);
    let (send, batches) = mpsc::channel(WAITING);
    let name = target.name.clone();
    // What is wrong with the endpoint is told before anything is made.
    let remote = match target.endpoint.clone() {
        Some(endpoint) => Some(RemoteStream::open(target, &endpoint, clock.clone())?),
        None => None,
    };
    let making = Making { task, seed, begun, output: None, pace, send: Some(send) };
    let (made, sent) = match remote {
        Some(remote) => {
            let work = generating(making, &shared, &clock);
            let sending = drain(batches, &shared, async |events| remote.put(events).await);
            tokio::join!(watched(work, &shared, &mut bar, &clock), sending)
        }
        None => {
            context
                .with_session(async |session| {
                    let work = generating(making, &shared, &clock);
                    let put = async |events| put_here(session, &name, events, &clock).await;
                    let sending = drain(batches, &shared, put);
                    Ok(tokio::join!(watched(work, &shared, &mut bar, &clock), sending))
                })
                .await?
        }
    };
    // The one that could not send made the other end.
    sent?;
    let report = made?;
    let took = clock.now() - begun;
    match context.shared.json {
        true => terminal::print_json(&report)?,
        false => terminal::print(&format!(
            "{} events sent to the stream `{name}`, {}, seed {}, {}",
            terminal::amount(report.rows),
            terminal::bytes(report.bytes),
            report.seed,
            terminal::duration(took)
        )),
    }
    Ok(0)
}

/// Puts batches as they come; when one cannot be put, the generator ends.
async fn drain(
    mut batches: mpsc::Receiver<Vec<StreamEvent>>,
    shared: &Shared,
    put: impl AsyncFn(Vec<StreamEvent>) -> Result<()>,
) -> Result<()> {
    while let Some(events) = batches.recv().await {
        if let Err(error) = put(events).await {
            batches.close();
            shared.stop();
            return Err(error);
        }
    }
    Ok(())
}

/// Puts events into a stream of this data directory; what a limit refuses is put again.
async fn put_here(session: &Session, stream: &str, events: Vec<StreamEvent>, clock: &Clock) -> Result<()> {
    let text = |event: StreamEvent| (event.key, String::from_utf8_lossy(&event.data).into_owned());
    let mut events: Vec<(String, String)> = events.into_iter().map(text).collect();
    while !events.is_empty() {
        let operation = PutEvents { stream: stream.to_owned(), events: events.clone() };
        let refused = session.perform(operation).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => error.hint(format!("make it: glulam stream create {stream} --shards 1")),
            _ => error,
        })?;
        let mut at = 0..;
        events.retain(|_| at.next().is_some_and(|at| refused.contains(&at)));
        if !events.is_empty() {
            clock.sleep(chrono::Duration::milliseconds(200)).await;
        }
    }
    Ok(())
}

async fn into_files(
    context: &Context,
    task: Task,
    seed: u64,
    output: Option<Output>,
    pace: Option<f64>,
    clock: &Clock,
) -> Result<u8> {
    let begun = clock.now();
    let to_stdout = matches!(output, Some(Output::Stdout));
    let shared = Arc::new(Shared::default());
    let mut bar = Bar::new("gen", context.shared.quiet || to_stdout);
    let work = generating(Making { task, seed, begun, output, pace, send: None }, &shared, clock);
    let report = watched(work, &shared, &mut bar, clock).await?;
    let took = clock.now() - begun;
    match (to_stdout, context.shared.json) {
        (true, _) => {
            terminal::remark(context.shared.quiet, &summary(report.rows, 0, report.bytes, report.seed, took));
        }
        (false, true) => terminal::print_json(&report)?,
        (false, false) => {
            terminal::print(&summary(report.rows, report.files.len(), report.bytes, report.seed, took));
        }
    }
    Ok(0)
}

fn summary(rows: u64, files: usize, bytes: u64, seed: u64, took: chrono::Duration) -> String {
    let files = match files {
        0 => String::new(),
        1 => " in 1 file".to_owned(),
        many => format!(" in {} files", terminal::amount(many as u64)),
    };
    format!(
        "{} rows{files}, {}, seed {seed}, {}",
        terminal::amount(rows),
        terminal::bytes(bytes),
        terminal::duration(took)
    )
}
