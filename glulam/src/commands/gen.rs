//! `glulam gen`: into local files from this process, into the lake as a run of the platform.

use super::{Context, show_failure};
use crate::args::Gen;
use crate::operations::{GenerateAnswer, StartGenerate};
use crate::terminal::{self, Bar, Ending, follow};
use generate::{Options, Output, Report, Task, Watch};
use model::{Error, LakeUri, Place, Result, Unit};
use state::Clock;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

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
            let output = match output {
                Some("-") => Some(Output::Stdout),
                Some(path) => Some(Output::Path(PathBuf::from(path))),
                None => None,
            };
            into_files(context, task, seed, output, wanted.pace, &clock).await
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

    /// Waits until then, or until it is stopped.
    fn wait_until(&self, clock: &Clock, then: chrono::DateTime<chrono::Utc>) {
        let left = (then - clock.now()).to_std().unwrap_or_default();
        let guard = self.stopped.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.stopped.1.wait_timeout_while(guard, left, |stopped| !*stopped);
    }
}

async fn into_files(
    context: &Context,
    task: Task,
    seed: u64,
    output: Option<Output>,
    pace: bool,
    clock: &Clock,
) -> Result<u8> {
    let begun = clock.now();
    let to_stdout = matches!(output, Some(Output::Stdout));
    let shared = Arc::new(Shared::default());
    let mut bar = Bar::new("gen", context.shared.quiet || to_stdout);
    let mut work = tokio::task::spawn_blocking({
        let (shared, clock) = (shared.clone(), clock.clone());
        move || {
            let wait = |then| shared.wait_until(&clock, then);
            let mut options = Options::new(seed, begun);
            options.output = output;
            options.wait_until = pace.then_some(&wait as &(dyn Fn(chrono::DateTime<chrono::Utc>) + Sync));
            generate::run(&task, &options, &*shared)
        }
    });
    let report: Report = loop {
        tokio::select! {
            ended = &mut work => break ended.map_err(|e| Error::internal("the generator broke off").source_is(e))??,
            () = clock.sleep(chrono::Duration::milliseconds(200)) => {
                let total = shared.total.load(Ordering::Relaxed);
                let rows = terminal::amount(shared.rows.load(Ordering::Relaxed));
                bar.set(shared.done.load(Ordering::Relaxed), (total > 0).then_some(total), Unit::Steps, &format!("{rows} rows"));
            }
            _ = tokio::signal::ctrl_c() => shared.stop(),
        }
    };
    bar.clear();
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
