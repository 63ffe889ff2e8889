//! `glulam crawl`: of targets given now, or of a saved crawler by its name.

use super::{Context, show_failure};
use crate::args::{self, OnChange, OnGone};
use crate::operations::{SaveCrawler, StartCrawl, StartSavedCrawl};
use crate::terminal::{self, Ending, follow};
use ::crawl::classify::CustomClassifier;
use ::crawl::{
    CrawlReport, CrawlSpec, Crawler, DeleteBehavior, Grouping, Recrawl, SchemaChangePolicy, Target,
    UpdateBehavior,
};
use model::{EntityName, Error, LakeUri, Place, Result, SourcePlace};
use state::runs::Run;
use std::path::Path;

/// What the arguments ask for.
enum Wanted {
    /// A saved crawler, by name.
    Saved(String),
    /// To save this one, and run it.
    Save(Box<SaveCrawler>),
    /// A crawl that leaves no crawler behind.
    Once(Box<CrawlSpec>),
}

pub(super) async fn run(context: &Context, wanted: args::Crawl) -> Result<u8> {
    let wanted = understand(&wanted)?;
    context
        .with_session(async |session| {
            let started = match wanted {
                Wanted::Once(spec) => session.perform(StartCrawl { spec: *spec }).await?,
                Wanted::Saved(name) => session.perform(StartSavedCrawl { name }).await?,
                Wanted::Save(save) => {
                    let name = save.crawler.name.clone();
                    session.perform(*save).await?;
                    session.perform(StartSavedCrawl { name }).await?
                }
            };
            match follow(session, &started.run, context.shared.quiet).await? {
                Ending::Failed(run) => show_failure(context, &run),
                Ending::Done(run, account) => {
                    if context.shared.json {
                        terminal::print_json(&account)?;
                    } else {
                        terminal::print(&account_text(&run, &account));
                    }
                    Ok(0)
                }
            }
        })
        .await
}

/// A run's account for people: a crawl's as its report says it, any other as JSON.
pub(super) fn account_text(run: &Run, account: &serde_json::Value) -> String {
    if run.kind.as_str() == "crawl"
        && let Ok(report) = serde_json::from_value::<CrawlReport>(account.clone())
    {
        return report.to_string();
    }
    serde_json::to_string_pretty(account).unwrap_or_else(|_| account.to_string())
}

fn understand(wanted: &args::Crawl) -> Result<Wanted> {
    if let Some(name) = saved_name(wanted)? {
        return Ok(Wanted::Saved(name));
    }
    let database = wanted.database.as_deref().ok_or_else(|| {
        Error::invalid("the tables need a database").hint("add --database NAME; it is made if it is missing")
    })?;
    let mut spec = CrawlSpec::new(EntityName::new(database)?, Vec::new());
    spec.targets = wanted.targets.iter().map(|text| target(text, wanted)).collect::<Result<_>>()?;
    spec.table_prefix.clone_from(&wanted.prefix);
    spec.classifiers = classifiers(&wanted.classifiers)?;
    spec.schema_change = policy(wanted);
    spec.grouping = Grouping { combine_compatible: wanted.combine, table_level: wanted.table_level };
    spec.sample_size = wanted.sample;
    let recrawl = match wanted.recrawl {
        args::Recrawl::Everything => Recrawl::Everything,
        args::Recrawl::NewFolders => Recrawl::NewFoldersOnly,
        args::Recrawl::ByEvent => Recrawl::ByEvent,
    };
    match (&wanted.name, wanted.save) {
        (Some(name), true) => Ok(Wanted::Save(Box::new(saved(name, spec, recrawl)))),
        _ if recrawl != Recrawl::Everything => {
            Err(Error::invalid("only a saved crawler knows what it has seen before")
                .hint("add --name NAME --save, and run it again with `glulam crawl NAME`"))
        }
        _ => Ok(Wanted::Once(Box::new(spec))),
    }
}

/// A single word that is neither an address nor a path names a saved crawler.
fn saved_name(wanted: &args::Crawl) -> Result<Option<String>> {
    let [only] = wanted.targets.as_slice() else { return Ok(None) };
    if only.contains("://") || only.contains('/') || only.starts_with('.') || Path::new(only).exists() {
        return Ok(None);
    }
    if wanted.database.is_some() {
        return Err(Error::not_found(format!("there is no file or folder `{only}`"))
            .hint("write s3://bucket/prefix for data in the lake, or the path of a local folder"));
    }
    Ok(Some(only.clone()))
}

fn saved(name: &str, spec: CrawlSpec, recrawl: Recrawl) -> SaveCrawler {
    let mut crawler = Crawler::new(name, spec.database, spec.targets);
    crawler.table_prefix = spec.table_prefix;
    crawler.classifiers = spec.classifiers.iter().map(|classifier| classifier.name().to_owned()).collect();
    crawler.schema_change = spec.schema_change;
    crawler.recrawl = recrawl;
    crawler.grouping = spec.grouping;
    crawler.sample_size = spec.sample_size;
    SaveCrawler { crawler, classifiers: spec.classifiers }
}

fn policy(wanted: &args::Crawl) -> SchemaChangePolicy {
    SchemaChangePolicy {
        update: match wanted.on_change {
            OnChange::Update => UpdateBehavior::UpdateInDatabase,
            OnChange::AddColumns => UpdateBehavior::AddNewColumnsOnly,
            OnChange::Log => UpdateBehavior::Log,
        },
        delete: match wanted.on_gone {
            OnGone::Delete => DeleteBehavior::DeleteFromDatabase,
            OnGone::Deprecate => DeleteBehavior::DeprecateInDatabase,
            OnGone::Log => DeleteBehavior::Log,
        },
    }
}

fn target(text: &str, wanted: &args::Crawl) -> Result<Target> {
    if text.contains("://") {
        let path: LakeUri = text.parse()?;
        return Ok(Target::S3 { path, exclusions: wanted.exclude.clone(), sample_size: wanted.sample });
    }
    // The server may stand in another folder than this command.
    let path = std::fs::canonicalize(text).map_err(|e| {
        Error::not_found(format!("there is no file or folder `{text}`"))
            .hint("write s3://bucket/prefix for data in the lake")
            .source_is(e)
    })?;
    Ok(Target::Local { path, exclusions: wanted.exclude.clone(), sample_size: wanted.sample })
}

/// Reads classifier files; each holds one classifier or a list of them.
fn classifiers(files: &[std::path::PathBuf]) -> Result<Vec<CustomClassifier>> {
    let mut all = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::not_found("cannot read the classifier file").at(Place::object(path.display())).source_is(e)
        })?;
        let parsed = match text.trim_start().starts_with('[') {
            true => serde_json::from_str::<Vec<CustomClassifier>>(&text),
            false => serde_json::from_str::<CustomClassifier>(&text).map(|one| vec![one]),
        };
        let parsed = parsed.map_err(|e| {
            let line_start =
                text.lines().take(e.line().saturating_sub(1)).map(|line| line.len() + 1).sum::<usize>();
            let at = line_start + e.column().saturating_sub(1);
            Error::invalid(format!("the classifier file cannot be understood: {e}"))
                .at(SourcePlace::of_bytes(path.display().to_string(), &text, at, at + 1))
        })?;
        for classifier in &parsed {
            classifier.validate().map_err(|e| e.at_if_unknown(|| Place::object(path.display())))?;
        }
        all.extend(parsed);
    }
    Ok(all)
}
