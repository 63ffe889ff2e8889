//! `glulam job`: ETL jobs.

use super::{Context, show_failure};
use crate::args;
use crate::operations::{
    BookmarkMove, CheckedText, DeleteJob, FollowRun, ListJobs, MoveBookmark, SaveJob, ShowJob, StartJob,
    StartJobPreview, WriteJobScript,
};
use crate::terminal::{self, Ending, follow};
use jobs::{Bookmark, JobReport, JobRequest, NodePreview};
use model::{Error, Place, Result};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) async fn run(context: &Context, wanted: args::Job) -> Result<u8> {
    match wanted.command {
        args::JobCommand::Run(run) => start(context, run).await,
        args::JobCommand::Preview(run) => preview(context, run).await,
        args::JobCommand::Create { file } => {
            let definition = read(&file)?;
            let (name, is_new) = perform(context, SaveJob { definition, replaces: None }).await?;
            match context.shared.json {
                true => terminal::print_json(&serde_json::json!({ "name": name, "created": is_new }))?,
                false => {
                    let verb = if is_new { "created" } else { "changed" };
                    terminal::print(&format!("job `{name}` {verb}; run it: glulam job run {name}"));
                }
            }
            Ok(0)
        }
        args::JobCommand::List => {
            let jobs = perform(context, ListJobs {}).await?;
            if context.shared.json {
                terminal::print_json(&jobs)?;
                return Ok(0);
            }
            let rows =
                jobs.into_iter().map(|job| vec![job.name, terminal::time(job.modified), job.source_name]);
            terminal::print(&terminal::table(&["job", "changed", "from"], rows));
            Ok(0)
        }
        args::JobCommand::Show { name } => {
            let (job, bookmark) = perform(context, ShowJob { name }).await?;
            match context.shared.json {
                true => terminal::print_json(&(job, bookmark))?,
                false => {
                    terminal::print(job.definition.trim_end());
                    if let Some(moved) = moved(&bookmark) {
                        let files: u64 = bookmark.sources.values().map(|(files, _)| files).sum();
                        let text = format!("bookmark: {} read, {moved}", self::files(files));
                        terminal::remark(context.shared.quiet, &text);
                    }
                }
            }
            Ok(0)
        }
        args::JobCommand::Delete { name } => {
            perform(context, DeleteJob { name: name.clone() }).await?;
            terminal::remark(context.shared.quiet, &format!("job `{name}` deleted, with its bookmark"));
            Ok(0)
        }
        args::JobCommand::Script { job, language, arguments } => {
            let (given, _) = understand(arguments)?;
            let request = request(&job, given)?;
            let script = perform(context, WriteJobScript { request, language }).await?;
            terminal::print(script.trim_end());
            Ok(0)
        }
        args::JobCommand::Bookmark { job, reset, rewind } => {
            let to = match rewind {
                _ if reset => BookmarkMove::Reset,
                Some(run) => BookmarkMove::Behind(run),
                None => BookmarkMove::Stay,
            };
            let (bookmark, forgotten) = perform(context, MoveBookmark { job, to: to.clone() }).await?;
            if context.shared.json {
                terminal::print_json(&bookmark)?;
                return Ok(0);
            }
            if to != BookmarkMove::Stay {
                let are = if forgotten == 1 { "is" } else { "are" };
                terminal::remark(context.shared.quiet, &format!("{} {are} new again", files(forgotten)));
            }
            let rows = bookmark.sources.iter().map(|(node, (count, bytes))| {
                vec![node.clone(), terminal::amount(*count), terminal::bytes(*bytes)]
            });
            terminal::print(&terminal::table(&["source", "files read", "bytes"], rows));
            if let Some(moved) = moved(&bookmark) {
                terminal::remark(context.shared.quiet, &moved);
            }
            Ok(0)
        }
    }
}

async fn perform<O: crate::operations::Operation>(context: &Context, operation: O) -> Result<O::Answer> {
    context.with_session(async |session| session.perform(operation).await).await
}

pub(super) async fn start(context: &Context, wanted: args::JobRun) -> Result<u8> {
    let (arguments, own) = understand(wanted.arguments)?;
    let (quiet, json) = (context.shared.quiet || own.quiet, context.shared.json || own.json);
    let operation = StartJob { request: request(&wanted.job, arguments)? };
    context
        .with_session(async |session| {
            let started = session.perform(operation).await?;
            let ask = FollowRun { id: started.run.clone(), seen: None, wait_millis: 0 };
            if session.perform(ask).await?.arguments.get("command").is_some() {
                return super::script::finish(context, session, &started.run, quiet, json).await;
            }
            match follow(session, &started.run, quiet).await? {
                Ending::Failed(run) => show_failure(context, &run),
                Ending::Done(run, account) => {
                    let report: JobReport = serde_json::from_value(account)
                        .map_err(|e| Error::internal("the run's account cannot be read").source_is(e))?;
                    if json {
                        terminal::print_json(&serde_json::json!({ "run": run.id, "report": report }))?;
                    } else if !quiet {
                        terminal::print(&summary(&report));
                    }
                    Ok(0)
                }
            }
        })
        .await
}

async fn preview(context: &Context, wanted: args::JobRun) -> Result<u8> {
    let (mut arguments, own) = understand(wanted.arguments)?;
    let (quiet, json) = (context.shared.quiet || own.quiet, context.shared.json || own.json);
    let rows = match arguments.remove("--rows") {
        Some(text) => {
            text.parse().map_err(|_| Error::invalid(format!("--rows takes a number, not `{text}`")))?
        }
        None => 5,
    };
    let operation = StartJobPreview { request: request(&wanted.job, arguments)?, rows };
    context
        .with_session(async |session| {
            let started = session.perform(operation).await?;
            match follow(session, &started.run, quiet).await? {
                Ending::Failed(run) => show_failure(context, &run),
                Ending::Done(_, account) => {
                    let nodes: Vec<NodePreview> = serde_json::from_value(account)
                        .map_err(|e| Error::internal("the preview cannot be read").source_is(e))?;
                    if json {
                        terminal::print_json(&nodes)?;
                        return Ok(0);
                    }
                    let mut failed = false;
                    for node in &nodes {
                        terminal::print(&format!("\n{} ({})", node.id, node.kind));
                        match (&node.rows, &node.error) {
                            (Some(shown), _) => {
                                let header: Vec<String> = shown
                                    .columns
                                    .iter()
                                    .map(|(name, kind)| format!("{name} {kind}"))
                                    .collect();
                                let rows = shown.rows.iter().map(|row| {
                                    row.iter().map(|value| value.clone().unwrap_or_default()).collect()
                                });
                                terminal::print(&terminal::table_as_is(&header, rows));
                            }
                            (None, Some(diagnosis)) => {
                                failed = true;
                                terminal::show_error(&diagnosis.clone().into(), false);
                            }
                            _ => {}
                        }
                    }
                    Ok(if failed { crate::exit::FAILED } else { 0 })
                }
            }
        })
        .await
}

/// Words that a run's command line gives to this command and not to the job.
#[derive(Default)]
struct Own {
    quiet: bool,
    json: bool,
}

/// `--name value`, `--name=value`; a name without a value is `true`.
fn understand(words: Vec<String>) -> Result<(BTreeMap<String, String>, Own)> {
    let mut arguments = BTreeMap::new();
    let mut own = Own::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quiet" | "-q" => {
                own.quiet = true;
                continue;
            }
            "--json" => {
                own.json = true;
                continue;
            }
            _ => {}
        }
        if word.len() < 3 || !word.starts_with("--") {
            return Err(Error::invalid(format!("`{word}` is no argument"))
                .hint("arguments of a job are pairs: --name value, or --name=value"));
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => {
                let value = words.next_if(|next| !next.starts_with("--"));
                (word, value.unwrap_or_else(|| "true".to_owned()))
            }
        };
        if arguments.insert(name.clone(), value).is_some() {
            return Err(Error::invalid(format!("the argument `{name}` is given twice")));
        }
    }
    Ok((arguments, own))
}

/// A file if there is one, else the name of a kept job.
fn request(job: &str, arguments: BTreeMap<String, String>) -> Result<JobRequest> {
    let path = Path::new(job);
    let names_file = [".yaml", ".yml", ".json"].iter().any(|ending| job.ends_with(ending));
    if names_file || path.is_file() {
        let CheckedText { name, text } = read(path)?;
        return Ok(JobRequest { name: None, definition: Some((text, name)), arguments });
    }
    Ok(JobRequest { name: Some(job.to_owned()), definition: None, arguments })
}

fn read(path: &Path) -> Result<CheckedText> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| {
        Error::not_found("cannot read the job's definition").at(Place::object(&name)).source_is(e)
    })?;
    Ok(CheckedText { name, text })
}

/// Who moved a bookmark last, and when.
fn moved(bookmark: &Bookmark) -> Option<String> {
    let (run, at) = (bookmark.run.as_ref()?, bookmark.modified?);
    Some(format!("moved by {run}, {}", terminal::time(at)))
}

fn files(count: u64) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{} files", terminal::amount(count)) }
}

/// What a run did, for people.
fn summary(report: &JobReport) -> String {
    let mut text = format!(
        "{}: {} rows into {} ({}) from {} ({}), {:.1} s, {:.1} s of processor time, {} of memory\n",
        report.job,
        terminal::amount(report.rows_written),
        files(report.files_written),
        terminal::bytes(report.bytes_written),
        files(report.files_read),
        terminal::bytes(report.bytes_read),
        report.seconds,
        report.cpu_seconds,
        terminal::bytes(report.peak_memory),
    );
    let rows = report.nodes.iter().map(|node| {
        vec![
            node.id.clone(),
            node.kind.clone(),
            terminal::amount(node.rows_in),
            terminal::amount(node.rows_out),
            if node.rejected > 0 { terminal::amount(node.rejected) } else { String::new() },
        ]
    });
    text.push_str(&terminal::table(&["node", "type", "rows in", "rows out", "rejected"], rows));
    for target in &report.targets {
        let table = target.table.as_ref().map(|table| format!(", table {table}")).unwrap_or_default();
        let partitions = match target.partitions {
            0 => String::new(),
            some => format!(" in {} partitions", terminal::amount(some)),
        };
        text.push_str(&format!(
            "\n{} -> {}: {} rows, {}{partitions}{table}",
            target.node,
            target.location,
            terminal::amount(target.rows),
            files(target.files)
        ));
    }
    for (node, rejected) in &report.rejects {
        let most = rejected.reasons.iter().max_by_key(|(_, count)| **count);
        let reason = most.map(|(reason, count)| format!(", {count} of them: {reason}")).unwrap_or_default();
        let at = rejected.location.as_deref().unwrap_or_default();
        text.push_str(&format!("\n{node} rejected {} rows{reason}; {at}", terminal::amount(rejected.rows)));
    }
    for note in &report.notes {
        text.push_str(&format!("\n{note}"));
    }
    if let Some(cost) = &report.cost {
        text.push_str(&format!(
            "\non AWS, {} workers of {} for {:.0} s: ${:.2}",
            cost.workers, cost.worker_type, cost.billed_seconds, cost.dollars
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_pairs() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (arguments, own) = understand(words("--input s3://a/ --quiet --n=-1 --flag --last x")).unwrap();
        let pairs: Vec<(&str, &str)> = arguments.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("--flag", "true"), ("--input", "s3://a/"), ("--last", "x"), ("--n", "-1")]);
        assert!(own.quiet && !own.json);
        assert!(understand(words("stray")).is_err() && understand(words("--a 1 --a 2")).is_err());
    }
}
