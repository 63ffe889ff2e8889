//! `glulam run`: a script of this machine as a Python-shell job; anything else is a job.

use super::{Context, show_failure};
use crate::args;
use crate::operations::StartScript;
use crate::session::Session;
use crate::terminal::{self, Ending, follow_aloud};
use jobs::{LocalScript, ScriptReport};
use model::{Error, Place, Result, RunId};
use std::path::Path;

pub(super) async fn run(context: &Context, wanted: args::JobRun) -> Result<u8> {
    let path = Path::new(&wanted.job);
    if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("py")) {
        return super::job::start(context, wanted).await;
    }
    let unreadable = |e: std::io::Error| {
        Error::not_found("cannot read the script").at(Place::object(&wanted.job)).source_is(e)
    };
    let script = LocalScript {
        file: std::fs::canonicalize(path).map_err(unreadable)?,
        name: wanted.job.clone(),
        folder: std::env::current_dir().map_err(unreadable)?,
        arguments: wanted.arguments,
    };
    context
        .with_session(async |session| {
            let started = session.perform(StartScript { script }).await?;
            finish(context, session, &started.run, context.shared.quiet, context.shared.json).await
        })
        .await
}

/// Follows a script's run to its end; what it writes is shown as it comes.
pub(super) async fn finish(
    context: &Context,
    session: &Session,
    id: &RunId,
    quiet: bool,
    json: bool,
) -> Result<u8> {
    match follow_aloud(session, id, quiet, json).await? {
        Ending::Failed(run) => show_failure(context, &run),
        Ending::Done(run, account) => {
            let report: ScriptReport = serde_json::from_value(account)
                .map_err(|e| Error::internal("the run's account cannot be read").source_is(e))?;
            match json {
                true => terminal::print_json(&serde_json::json!({ "run": run.id, "report": report }))?,
                false => {
                    terminal::remark(quiet, &format!("{}: done in {:.1} s", report.script, report.seconds));
                }
            }
            Ok(0)
        }
    }
}
