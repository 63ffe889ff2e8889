//! `glulam python`: the environment of scripts.

use super::{Context, show_failure};
use crate::args;
use crate::operations::SetUpPython;
use crate::terminal::{self, Ending, follow_aloud};
use model::Result;

pub(super) async fn run(context: &Context, wanted: &args::Python) -> Result<u8> {
    let args::PythonCommand::Setup = wanted.command;
    context
        .with_session(async |session| {
            let started = session.perform(SetUpPython {}).await?;
            match follow_aloud(session, &started.run, context.shared.quiet, context.shared.json).await? {
                Ending::Failed(run) => show_failure(context, &run),
                Ending::Done(_, made) if context.shared.json => terminal::print_json(&made).map(|()| 0),
                Ending::Done(_, made) => {
                    let interpreter = made.get("interpreter").and_then(|path| path.as_str());
                    terminal::print(&format!("Python is ready: {}", interpreter.unwrap_or_default()));
                    Ok(0)
                }
            }
        })
        .await
}
