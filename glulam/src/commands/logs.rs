//! `glulam logs`

use super::Context;
use crate::args::Logs;
use crate::operations::{FollowRun, ListRuns, ReadLog};
use crate::session::Session;
use crate::terminal;
use model::{Error, Result, RunId};
use state::runs::{LogLevel, LogLine};

const PAGE: usize = 1000;

pub(super) async fn run(context: &Context, wanted: Logs) -> Result<u8> {
    let level = wanted.level.as_deref().map(str::parse::<LogLevel>).transpose()?;
    context
        .with_session(async |session| {
            let id = match &wanted.id {
                Some(id) => RunId::new(id.as_str())?,
                None => newest(session).await?,
            };
            show(context, session, id, level, wanted.follow).await
        })
        .await
}

async fn newest(session: &Session) -> Result<RunId> {
    let newest = ListRuns { kind: None, states: Vec::new(), limit: 1, name: None, after: None };
    let runs = session.perform(newest).await?;
    runs.into_iter()
        .next()
        .map(|run| run.id)
        .ok_or_else(|| Error::not_found("nothing ran yet, so there is no log"))
}

async fn show(
    context: &Context,
    session: &Session,
    id: RunId,
    level: Option<LogLevel>,
    follow: bool,
) -> Result<u8> {
    let mut after = 0;
    let mut run = session.perform(FollowRun { id: id.clone(), seen: None, wait_millis: 0 }).await?;
    loop {
        let ended = run.state.is_final();
        loop {
            let lines = session.perform(ReadLog { id: id.clone(), after, limit: PAGE }).await?;
            let Some(last) = lines.last() else { break };
            after = last.seq;
            for line in lines.iter().filter(|line| level.is_none_or(|wanted| line.level >= wanted)) {
                print(context, line)?;
            }
        }
        if ended || !follow {
            return Ok(0);
        }
        run =
            session.perform(FollowRun { id: id.clone(), seen: Some(run.revision), wait_millis: 500 }).await?;
    }
}

fn print(context: &Context, line: &LogLine) -> Result<()> {
    if context.shared.json {
        let text = serde_json::to_string(line)
            .map_err(|e| Error::internal("a log line cannot be written").source_is(e))?;
        terminal::print(&text);
        return Ok(());
    }
    terminal::print(&format!("{}  {:<5}  {}", terminal::time(line.at), line.level.as_str(), line.message));
    Ok(())
}
