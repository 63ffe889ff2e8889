//! `glulam runs`

use super::Context;
use crate::args::RunsArgs;
use crate::operations::{FollowRun, ListRuns, StopRun};
use crate::terminal;
use model::{Outcome, Result, RunId, RunKind, RunState};
use state::runs::Run;

pub(super) async fn run(context: &Context, wanted: RunsArgs) -> Result<u8> {
    if let Some(id) = &wanted.id {
        return one(context, RunId::new(id.as_str())?, wanted.stop).await;
    }
    let operation = ListRuns {
        kind: wanted.kind.map(RunKind::new).transpose()?,
        states: wanted.state.iter().map(|word| word.parse::<RunState>()).collect::<Result<_>>()?,
        limit: wanted.limit,
        name: None,
        after: None,
    };
    let runs = context.with_session(async |session| session.perform(operation).await).await?;
    if context.shared.json {
        terminal::print_json(&runs)?;
        return Ok(0);
    }
    if runs.is_empty() {
        terminal::remark(context.shared.quiet, "nothing ran yet");
        return Ok(0);
    }
    let rows = runs.iter().map(|run| {
        vec![
            run.id.to_string(),
            run.kind.to_string(),
            run.name.clone(),
            run.state.to_string(),
            terminal::time(run.created),
            took(run),
            remark(run),
        ]
    });
    terminal::print(&terminal::table(&["run", "kind", "name", "state", "created (UTC)", "took", ""], rows));
    Ok(0)
}

async fn one(context: &Context, id: RunId, stop: bool) -> Result<u8> {
    let run = context
        .with_session(async |session| {
            if stop {
                return session.perform(StopRun { id }).await;
            }
            session.perform(FollowRun { id, seen: None, wait_millis: 0 }).await
        })
        .await?;
    if context.shared.json {
        terminal::print_json(&run)?;
        return Ok(0);
    }
    let mut facts = vec![
        ("run".to_owned(), run.id.to_string()),
        ("what".to_owned(), format!("{} {}", run.kind, run.name)),
        ("state".to_owned(), run.state.to_string()),
        ("created".to_owned(), terminal::time(run.created)),
        ("took".to_owned(), took(&run)),
        ("arguments".to_owned(), run.arguments.to_string()),
    ];
    facts.extend(run.counters.iter().map(|(name, value)| (name.clone(), terminal::amount(*value))));
    terminal::print(&terminal::table(&[], facts.into_iter().map(|(key, value)| vec![key, value])));
    match &run.outcome {
        Some(Outcome::Diagnosis(diagnosis)) => terminal::print(&format!("\n{diagnosis}")),
        Some(Outcome::Result(account)) => {
            terminal::print(&format!("\n{}", super::crawl::account_text(&run, account)));
        }
        None => {}
    }
    Ok(0)
}

fn took(run: &Run) -> String {
    match (run.started, run.ended) {
        (Some(started), Some(ended)) => terminal::duration(ended - started),
        _ => "-".to_owned(),
    }
}

fn remark(run: &Run) -> String {
    match &run.outcome {
        Some(Outcome::Diagnosis(diagnosis)) => diagnosis.what.chars().take(80).collect(),
        _ => String::new(),
    }
}
