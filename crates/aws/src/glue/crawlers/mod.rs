//! Crawlers of Glue: definitions, starts and stops, their history.

mod history;
mod metrics;
mod schedule;
mod shown;
mod written;

pub(super) use history::history;
pub(super) use metrics::metrics;
pub(super) use schedule::{start_schedule, stop_schedule, update_schedule};
pub(super) use shown::failure;

use super::Glue;
use super::databases::Done;
use super::shapes::{limit, name};
use crate::json::{Answered, Call, Failed, Input, token};
use crate::page::write_token;
use crate::tags::{self, Tags};
use crawl::{Crawler, RUN_KIND, Stored};
use model::{Error, ErrorKind, Result, RunKind, RunState};
use serde::{Deserialize, Serialize};
use shown::Shown;
use state::runs::{Run, RunQuery};
use written::Written;

/// Glue's largest page.
const MAX_RESULTS: usize = 100;
/// Where the logs of crawls stand.
pub(crate) const LOG_GROUP: &str = "/aws-glue/crawlers";
/// What Glue keeps of a crawler and ours do not need, by the crawler's name.
const KIND: &str = "glue.crawler";

/// What Glue says of a crawler beside its definition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Extra {
    role: String,
    /// As it was given.
    configuration: Option<String>,
    /// Whether the schedule is stopped.
    is_paused: bool,
}

fn resource(name: &str) -> Vec<String> {
    vec![format!("crawler/{name}")]
}

pub(super) async fn create(glue: Glue, call: Call, mut input: Written) -> Result<Done> {
    input.check()?;
    let database = input.database_name.take().ok_or_else(|| {
        Error::invalid("DatabaseName is missing").hint("name the database that the tables go to")
    })?;
    let mut crawler = Crawler::new(input.name.clone(), name("DatabaseName", &database)?, Vec::new());
    let extra = Extra {
        role: input.role.clone().ok_or_else(|| Error::invalid("Role is missing"))?,
        configuration: input.configuration.clone(),
        is_paused: false,
    };
    call.pass_role(&extra.role)?;
    let tags = input.tags.take().unwrap_or_default();
    tags::check(&tags)?;
    input.apply(&mut crawler)?;
    let key = crawler.name.clone();
    glue.rooms.crawlers.create_crawler(crawler).await?;
    glue.documents.delete(KIND, &key).await?;
    glue.documents.create(KIND, &key, &extra).await?;
    tags::add(&glue.documents, &call.arn("glue", &format!("crawler/{key}")), tags).await?;
    Ok(Done {})
}

pub(super) async fn update(glue: Glue, call: Call, input: Written) -> Answered<Done> {
    input.check()?;
    let kept = glue.rooms.crawlers.get_crawler(&input.name).await?;
    // It goes on with the rights of the platform, wherever it is sent now.
    let extra = glue.documents.get::<Extra>(KIND, &input.name).await?.map(|kept| kept.body.role);
    call.pass_role(input.role.as_deref().or(extra.as_deref()).unwrap_or("*"))?;
    if glue.crawl_under_way(&input.name).await?.is_some() {
        return Err(running(&input.name));
    }
    let mut crawler = kept.definition;
    let (name, role, configuration) = (input.name.clone(), input.role.clone(), input.configuration.clone());
    input.apply(&mut crawler)?;
    glue.rooms.crawlers.update_crawler(crawler, Some(kept.version)).await?;
    glue.change_extra(&name, |extra| {
        if let Some(role) = &role {
            extra.role.clone_from(role);
        }
        if configuration.is_some() {
            extra.configuration.clone_from(&configuration);
        }
    })
    .await?;
    Ok(Done {})
}

fn running(name: &str) -> Failed {
    let error = Error::conflict(format!("Crawler with name {name} is running"));
    Failed::coded("CrawlerRunningException", error)
}

impl Glue {
    async fn change_extra(&self, name: &str, change: impl Fn(&mut Extra) + Send) -> Result<()> {
        self.documents.create(KIND, name, &Extra::default()).await?;
        let change = move |extra: &mut Extra| {
            change(extra);
            Ok(())
        };
        self.documents.change(KIND, name, change).await.map(|_| ())
    }

    /// The crawls of a crawler, the newest first.
    async fn crawls(&self, name: &str, query: RunQuery) -> Result<Vec<Run>> {
        let query = RunQuery { kind: Some(RunKind::new(RUN_KIND)?), name: Some(name.to_owned()), ..query };
        self.rooms.runs.list(&query).await
    }

    async fn crawl_under_way(&self, name: &str) -> Result<Option<Run>> {
        let states = vec![RunState::Waiting, RunState::Running, RunState::Stopping];
        let found = self.crawls(name, RunQuery { states, limit: 1, ..RunQuery::default() }).await?;
        Ok(found.into_iter().next())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    name: String,
}

impl Input for One {
    fn resources(&self) -> Vec<String> {
        resource(&self.name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    crawler: Shown,
}

pub(super) async fn get(glue: Glue, input: One) -> Result<Got> {
    let stored = glue.rooms.crawlers.get_crawler(&input.name).await?;
    Ok(Got { crawler: glue.show(stored).await? })
}

pub(super) async fn delete(glue: Glue, call: Call, input: One) -> Answered<Done> {
    if glue.crawl_under_way(&input.name).await?.is_some() {
        return Err(running(&input.name));
    }
    glue.rooms.crawlers.delete_crawler(&input.name).await?;
    glue.documents.delete(KIND, &input.name).await?;
    tags::forget(&glue.documents, &call.arn("glue", &format!("crawler/{}", input.name))).await?;
    Ok(Done {})
}

pub(super) async fn start(glue: Glue, input: One) -> Answered<Done> {
    match glue.rooms.crawlers.start(&input.name).await {
        Ok(_) => Ok(Done {}),
        Err(error) if error.kind() == ErrorKind::LimitExceeded => Err(running(&input.name)),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn stop(glue: Glue, input: One) -> Answered<Done> {
    glue.rooms.crawlers.get_crawler(&input.name).await?;
    match glue.crawl_under_way(&input.name).await? {
        None => Err(Failed::coded(
            "CrawlerNotRunningException",
            Error::conflict(format!("Crawler with name {} isn't running", input.name)),
        )),
        Some(run) if run.state == RunState::Stopping => Err(Failed::coded(
            "CrawlerStoppingException",
            Error::conflict(format!("Crawler with name {} is already stopping", input.name)),
        )),
        Some(run) => {
            glue.rooms.runs.stop(&run.id).await?;
            Ok(Done {})
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    next_token: Option<String>,
    max_results: Option<i64>,
    tags: Option<Tags>,
}

impl Input for Listing {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A page of crawlers by name, and the token of the next.
async fn page(glue: &Glue, input: &Listing) -> Result<(Vec<Stored<Crawler>>, Option<String>)> {
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = token(input.next_token.as_deref())?;
    let all = glue.rooms.crawlers.list_crawlers().await?;
    let mut left = all
        .into_iter()
        .filter(|one| after.as_deref().is_none_or(|after| one.definition.name.as_str() > after));
    let page: Vec<Stored<Crawler>> = left.by_ref().take(most).collect();
    let next = left.next().and_then(|_| page.last().map(|last| write_token(&last.definition.name)));
    Ok((page, next))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Crawlers {
    crawlers: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(glue: Glue, input: Listing) -> Result<Crawlers> {
    let (stored, next_token) = page(&glue, &input).await?;
    let mut crawlers = Vec::new();
    for one in stored {
        crawlers.push(glue.show(one).await?);
    }
    Ok(Crawlers { crawlers, next_token })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Names {
    crawler_names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn names(glue: Glue, call: Call, input: Listing) -> Result<Names> {
    let (stored, next_token) = page(&glue, &input).await?;
    let mut crawler_names = Vec::new();
    let wanted = input.tags.unwrap_or_default();
    for one in stored {
        let name = one.definition.name;
        let arn = call.arn("glue", &format!("crawler/{name}"));
        if wanted.is_empty() || tags::fit(&glue.documents, &arn, &wanted).await? {
            crawler_names.push(name);
        }
    }
    Ok(Names { crawler_names, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Many {
    crawler_names: Vec<String>,
}

impl Input for Many {
    fn resources(&self) -> Vec<String> {
        self.crawler_names.iter().flat_map(|name| resource(name)).collect()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotMany {
    crawlers: Vec<Shown>,
    crawlers_not_found: Vec<String>,
}

pub(super) async fn get_many(glue: Glue, input: Many) -> Result<GotMany> {
    if input.crawler_names.len() > MAX_RESULTS {
        return Err(Error::invalid(format!("CrawlerNames may hold {MAX_RESULTS} names")));
    }
    let mut got = GotMany { crawlers: Vec::new(), crawlers_not_found: Vec::new() };
    for name in input.crawler_names {
        match glue.rooms.crawlers.get_crawler(&name).await {
            Ok(stored) => got.crawlers.push(glue.show(stored).await?),
            Err(error) if error.kind() == ErrorKind::NotFound => got.crawlers_not_found.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
