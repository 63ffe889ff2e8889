//! Follows a run to its end: progress while it goes, Ctrl-C stops it, and a
//! second one leaves without waiting.

use super::Bar;
use crate::operations::{FollowRun, ReadLog, StopRun};
use crate::session::Session;
use model::{Error, Outcome, Result, RunId, Unit};
use state::runs::{LogLevel, Run};

/// How a followed run ended.
pub(crate) enum Ending {
    /// It succeeded with this account.
    Done(Run, serde_json::Value),
    /// It did not.
    Failed(Run),
}

/// Waits for the run's end.
pub(crate) async fn follow(session: &Session, id: &RunId, quiet: bool) -> Result<Ending> {
    let mut run = session.perform(FollowRun { id: id.clone(), seen: None, wait_millis: 0 }).await?;
    let mut bar = Bar::new(&format!("{} {}", run.kind, run.name), quiet);
    let mut asked_to_stop = false;
    while !run.state.is_final() {
        match run.progress {
            Some(progress) => bar.set(progress.done, progress.total, progress.unit, &counters(&run)),
            None => bar.set(0, None, Unit::Steps, run.state.as_str()),
        }
        let news = session.perform(FollowRun { id: id.clone(), seen: Some(run.revision), wait_millis: 500 });
        tokio::select! {
            answer = news => run = answer?,
            _ = tokio::signal::ctrl_c() => {
                if asked_to_stop {
                    return Err(Error::cancelled());
                }
                asked_to_stop = true;
                super::remark(quiet, "stopping …");
                session.perform(StopRun { id: id.clone() }).await?;
            }
        }
    }
    bar.clear();
    Ok(match run.outcome.clone() {
        Some(Outcome::Result(account)) => Ending::Done(run, account),
        _ => Ending::Failed(run),
    })
}

/// How many lines of a log are asked for at once.
const LINES: usize = 1000;
/// How long a line may wait to be shown.
const PATIENCE: u64 = 200;

/// The same, for what writes: its lines are shown as they come, those of its standard output on ours unless that is
/// kept for machines.
pub(crate) async fn follow_aloud(session: &Session, id: &RunId, quiet: bool, json: bool) -> Result<Ending> {
    let mut run = session.perform(FollowRun { id: id.clone(), seen: None, wait_millis: 0 }).await?;
    let (mut after, mut asked_to_stop) = (0, false);
    loop {
        let ended = run.state.is_final();
        loop {
            let lines = session.perform(ReadLog { id: id.clone(), after, limit: LINES }).await?;
            let Some(last) = lines.last() else { break };
            after = last.seq;
            for line in &lines {
                match line.message.strip_prefix(jobs::NOTE) {
                    Some(note) => super::remark(quiet, note),
                    None if line.level == LogLevel::Info && !json => super::print(&line.message),
                    None => super::remark(false, &line.message),
                }
            }
        }
        if ended {
            break;
        }
        let news =
            session.perform(FollowRun { id: id.clone(), seen: Some(run.revision), wait_millis: PATIENCE });
        tokio::select! {
            answer = news => run = answer?,
            _ = tokio::signal::ctrl_c() => {
                if asked_to_stop {
                    return Err(Error::cancelled());
                }
                asked_to_stop = true;
                super::remark(quiet, "stopping …");
                session.perform(StopRun { id: id.clone() }).await?;
            }
        }
    }
    Ok(match run.outcome.clone() {
        Some(Outcome::Result(account)) => Ending::Done(run, account),
        _ => Ending::Failed(run),
    })
}

fn counters(run: &Run) -> String {
    run.counters.iter().take(3).map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}
