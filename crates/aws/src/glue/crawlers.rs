//! Crawlers of Glue: definitions, starts and stops, their history.

use super::Glue;
use super::databases::Done;
use super::shapes::{limit, name, refuse};
use crate::fault::sentence;
use crate::json::{Answered, Call, Failed, Input, epoch, epoch_opt, token};
use crate::page::write_token;
use crate::tags::{self, Tags};
use chrono::{DateTime, Utc};
use crawl::{
    CrawlReport, Crawler, DeleteBehavior, Grouping, RUN_KIND, Recrawl, SchemaChangePolicy, Stored, Target,
    UpdateBehavior,
};
use model::{Error, ErrorKind, Outcome, Result, RunId, RunKind, RunState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use state::runs::{Run, RunQuery};

/// Glue's largest page.
const MAX_RESULTS: usize = 100;
/// Where the logs of crawls stand.
pub(crate) const LOG_GROUP: &str = "/aws-glue/crawlers";
/// What Glue keeps of a crawler and ours do not need, by the crawler's name.
const KIND: &str = "glue.crawler";
/// How many crawls the median is of.
const MEASURED: usize = 50;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Targets {
    #[serde(rename = "S3Targets")]
    s3: Vec<S3Target>,
    #[serde(flatten)]
    others: std::collections::BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct S3Target {
    path: String,
    exclusions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_queue_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dlq_event_queue_arn: Option<String>,
}

impl Targets {
    fn take(self) -> Result<Vec<Target>> {
        for (kind, list) in self.others {
            if list.as_array().is_none_or(|list| !list.is_empty()) && !list.is_null() {
                return Err(Target::not_supported(&kind));
            }
        }
        self.s3
            .into_iter()
            .map(|target| {
                let path = target.path.trim();
                // Glue takes a bucket without the scheme, too.
                let text = if path.contains("://") { path.to_owned() } else { format!("s3://{path}") };
                match Target::parse(&text)? {
                    Target::S3 { path, .. } => Ok(Target::S3 {
                        path,
                        exclusions: target.exclusions,
                        sample_size: target.sample_size,
                    }),
                    Target::Local { .. } => {
                        Err(Error::invalid(format!("`{text}` is no address in the lake"))
                            .hint("write s3://bucket/folder/"))
                    }
                }
            })
            .collect()
    }

    fn show(targets: &[Target]) -> Self {
        let one = |target: &Target| S3Target {
            path: target.to_string(),
            exclusions: target.exclusions().to_vec(),
            sample_size: target.sample_size(),
            ..S3Target::default()
        };
        Self { s3: targets.iter().map(one).collect(), others: Default::default() }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Policy {
    update_behavior: Option<String>,
    delete_behavior: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RecrawlPolicy {
    recrawl_behavior: Option<String>,
}

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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Written {
    name: String,
    role: Option<String>,
    database_name: Option<String>,
    description: Option<String>,
    targets: Option<Targets>,
    schedule: Option<String>,
    classifiers: Option<Vec<String>>,
    table_prefix: Option<String>,
    schema_change_policy: Option<Policy>,
    recrawl_policy: Option<RecrawlPolicy>,
    lineage_configuration: Option<Value>,
    lake_formation_configuration: Option<Value>,
    configuration: Option<String>,
    crawler_security_configuration: Option<String>,
    tags: Option<Tags>,
}

impl Input for Written {
    fn resources(&self) -> Vec<String> {
        resource(&self.name)
    }
}

fn resource(name: &str) -> Vec<String> {
    vec![format!("crawler/{name}")]
}

fn word<T: Copy>(field: &str, text: Option<&str>, words: &[(&str, T)]) -> Result<Option<T>> {
    match text {
        None => Ok(None),
        Some(text) => match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(Error::invalid(format!("`{text}` is no {field}"))
                    .hint(format!("write {}", known.join(", "))))
            }
        },
    }
}

const UPDATES: [(&str, UpdateBehavior); 2] =
    [("LOG", UpdateBehavior::Log), ("UPDATE_IN_DATABASE", UpdateBehavior::UpdateInDatabase)];
const DELETES: [(&str, DeleteBehavior); 3] = [
    ("LOG", DeleteBehavior::Log),
    ("DELETE_FROM_DATABASE", DeleteBehavior::DeleteFromDatabase),
    ("DEPRECATE_IN_DATABASE", DeleteBehavior::DeprecateInDatabase),
];
const RECRAWLS: [(&str, Recrawl); 3] = [
    ("CRAWL_EVERYTHING", Recrawl::Everything),
    ("CRAWL_NEW_FOLDERS_ONLY", Recrawl::NewFoldersOnly),
    ("CRAWL_EVENT_MODE", Recrawl::ByEvent),
];

fn of<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("UPDATE_IN_DATABASE", |(word, _)| word)
}

/// What the JSON of a crawler's configuration says.
fn configure(crawler: &mut Crawler, text: &str) -> Result<()> {
    let wrong = |what: &str| {
        Error::unsupported(format!("the crawler's Configuration has {what}, which is not supported here"))
    };
    let value: Value = serde_json::from_str(text)
        .map_err(|e| Error::invalid("the crawler's Configuration is no JSON").source_is(e))?;
    let Value::Object(members) = value else {
        return Err(Error::invalid("the crawler's Configuration is no JSON object"));
    };
    for (member, value) in members {
        match member.as_str() {
            "Version" => {}
            "CreatePartitionIndex" => {}
            "Grouping" => {
                let is_combined = value.get("TableGroupingPolicy").and_then(Value::as_str)
                    == Some("CombineCompatibleSchemas");
                let level = value.get("TableLevelConfiguration").and_then(Value::as_u64);
                crawler.grouping = Grouping {
                    combine_compatible: is_combined,
                    table_level: level.and_then(|level| u32::try_from(level).ok()),
                };
            }
            "CrawlerOutput" => {
                let behavior = |what: &str| {
                    value.get(what).and_then(|it| it.get("AddOrUpdateBehavior")).and_then(Value::as_str)
                };
                match behavior("Partitions") {
                    None => {}
                    Some("InheritFromTable") => crawler.partitions_inherit = true,
                    Some(other) => return Err(wrong(&format!("`{other}` for partitions"))),
                }
                match behavior("Tables") {
                    None => {}
                    Some("MergeNewColumns") => {
                        crawler.schema_change.update = UpdateBehavior::AddNewColumnsOnly;
                    }
                    Some(other) => return Err(wrong(&format!("`{other}` for tables"))),
                }
            }
            other => return Err(wrong(&format!("`{other}`"))),
        }
    }
    Ok(())
}

impl Written {
    fn check(&self) -> Result<()> {
        let is_set = |value: &Option<Value>, off: &str| {
            value.as_ref().is_some_and(|value| !value.is_null() && !value.to_string().contains(off))
        };
        refuse("LineageConfiguration", is_set(&self.lineage_configuration, "DISABLE"))?;
        refuse("LakeFormationConfiguration", is_set(&self.lake_formation_configuration, "false"))?;
        let security = self.crawler_security_configuration.as_ref();
        refuse("CrawlerSecurityConfiguration", security.is_some_and(|name| !name.is_empty()))
    }

    /// Puts what is said into the crawler.
    fn apply(self, crawler: &mut Crawler) -> Result<()> {
        if let Some(targets) = self.targets {
            crawler.targets = targets.take()?;
        }
        if let Some(database) = self.database_name {
            crawler.database = name("DatabaseName", &database)?;
        }
        if let Some(prefix) = self.table_prefix {
            crawler.table_prefix = prefix;
        }
        if let Some(classifiers) = self.classifiers {
            crawler.classifiers = classifiers;
        }
        if let Some(policy) = self.schema_change_policy {
            let update = word("UpdateBehavior", policy.update_behavior.as_deref(), &UPDATES)?;
            let delete = word("DeleteBehavior", policy.delete_behavior.as_deref(), &DELETES)?;
            crawler.schema_change = SchemaChangePolicy {
                update: update.unwrap_or(crawler.schema_change.update),
                delete: delete.unwrap_or(crawler.schema_change.delete),
            };
        }
        if let Some(policy) = self.recrawl_policy {
            let behavior = word("RecrawlBehavior", policy.recrawl_behavior.as_deref(), &RECRAWLS)?;
            crawler.recrawl = behavior.unwrap_or_default();
        }
        if let Some(schedule) = self.schedule {
            crawler.schedule = Some(schedule).filter(|text| !text.is_empty());
        }
        if self.description.is_some() {
            crawler.description = self.description;
        }
        match self.configuration.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => configure(crawler, text),
            None => Ok(()),
        }
    }
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
    let tags = input.tags.take().unwrap_or_default();
    input.apply(&mut crawler)?;
    let key = crawler.name.clone();
    glue.rooms.crawlers.create_crawler(crawler).await?;
    glue.documents.delete(KIND, &key).await?;
    glue.documents.create(KIND, &key, &extra).await?;
    tags::add(&glue.documents, &call.arn("glue", &format!("crawler/{key}")), tags).await?;
    Ok(Done {})
}

pub(super) async fn update(glue: Glue, input: Written) -> Answered<Done> {
    input.check()?;
    let kept = glue.rooms.crawlers.get_crawler(&input.name).await?;
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

    async fn show(&self, stored: Stored<Crawler>) -> Result<Shown> {
        let crawler = stored.definition;
        let extra = self.documents.get::<Extra>(KIND, &crawler.name).await?;
        let extra = extra.map(|kept| kept.body).unwrap_or_default();
        let newest = self.crawls(&crawler.name, RunQuery { limit: 2, ..RunQuery::default() }).await?;
        let going = newest.iter().find(|run| !run.state.is_final());
        let state = match going.map(|run| run.state) {
            None => "READY",
            Some(RunState::Stopping) => "STOPPING",
            Some(_) => "RUNNING",
        };
        let now = self.rooms.clock.now();
        Ok(Shown {
            role: extra.role,
            targets: Targets::show(&crawler.targets),
            database_name: crawler.database.to_string(),
            description: crawler.description,
            classifiers: crawler.classifiers,
            recrawl_policy: RecrawlPolicy {
                recrawl_behavior: Some(of(&RECRAWLS, &crawler.recrawl).to_owned()),
            },
            schema_change_policy: Policy {
                update_behavior: Some(of(&UPDATES, &crawler.schema_change.update).to_owned()),
                delete_behavior: Some(of(&DELETES, &crawler.schema_change.delete).to_owned()),
            },
            lineage_configuration: json!({ "CrawlerLineageSettings": "DISABLE" }),
            state,
            table_prefix: Some(crawler.table_prefix).filter(|prefix| !prefix.is_empty()),
            schedule: crawler.schedule.map(|expression| Schedule {
                schedule_expression: expression,
                state: if extra.is_paused { "NOT_SCHEDULED" } else { "SCHEDULED" },
            }),
            crawl_elapsed_time: going.map_or(0, |run| (now - run.created).num_milliseconds().max(0)),
            creation_time: stored.created,
            last_updated: stored.updated,
            last_crawl: newest.iter().find(|run| run.state.is_final()).map(LastCrawl::of),
            version: stored.version,
            configuration: extra.configuration,
            name: crawler.name,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Schedule {
    schedule_expression: String,
    state: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastCrawl {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    log_group: &'static str,
    log_stream: String,
    message_prefix: String,
    #[serde(serialize_with = "epoch")]
    start_time: DateTime<Utc>,
}

/// Why a run failed, in one text.
pub(super) fn failure(run: &Run) -> Option<String> {
    match &run.outcome {
        Some(Outcome::Diagnosis(diagnosis)) => Some(sentence(&Error::from(diagnosis.clone()))),
        _ => None,
    }
}

impl LastCrawl {
    fn of(run: &Run) -> Self {
        Self {
            status: match run.state {
                RunState::Succeeded => "SUCCEEDED",
                RunState::Stopped => "CANCELLED",
                _ => "FAILED",
            },
            error_message: failure(run),
            log_group: LOG_GROUP,
            log_stream: run.name.clone(),
            message_prefix: run.id.to_string(),
            start_time: run.started.unwrap_or(run.created),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    name: String,
    role: String,
    targets: Targets,
    database_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    classifiers: Vec<String>,
    recrawl_policy: RecrawlPolicy,
    schema_change_policy: Policy,
    lineage_configuration: Value,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<Schedule>,
    crawl_elapsed_time: i64,
    #[serde(serialize_with = "epoch")]
    creation_time: DateTime<Utc>,
    #[serde(serialize_with = "epoch")]
    last_updated: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_crawl: Option<LastCrawl>,
    version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetrics {
    #[serde(default)]
    crawler_name_list: Vec<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Input for GetMetrics {
    fn resources(&self) -> Vec<String> {
        self.crawler_name_list.iter().flat_map(|name| resource(name)).collect()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metrics {
    crawler_metrics_list: Vec<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    crawler_name: String,
    time_left_seconds: f64,
    still_estimating: bool,
    last_runtime_seconds: f64,
    median_runtime_seconds: f64,
    tables_created: usize,
    tables_updated: usize,
    tables_deleted: usize,
}

impl Metric {
    /// Counts of the last crawl that ended well; times of those that are looked at.
    fn of(crawler_name: String, runs: &[Run], now: DateTime<Utc>) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of one crawl")]
        let seconds = |run: &Run, until: DateTime<Utc>| {
            (until - run.started.unwrap_or(run.created)).num_milliseconds() as f64 / 1000.0
        };
        let mut times: Vec<f64> =
            runs.iter().filter_map(|run| run.ended.map(|ended| seconds(run, ended))).collect();
        let last_runtime_seconds = times.first().copied().unwrap_or_default();
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let going = runs.iter().find(|run| !run.state.is_final());
        let report: CrawlReport = runs
            .iter()
            .find(|run| run.state == RunState::Succeeded)
            .and_then(|run| serde_json::from_value(run.result().ok()?).ok())
            .unwrap_or_default();
        Self {
            crawler_name,
            time_left_seconds: going.map_or(0.0, |run| (median - seconds(run, now)).max(0.0)),
            still_estimating: going.is_some() && times.is_empty(),
            last_runtime_seconds,
            median_runtime_seconds: median,
            tables_created: report.created.len(),
            tables_updated: report.changed.len(),
            tables_deleted: report.deleted.len(),
        }
    }
}

pub(super) async fn metrics(glue: Glue, input: GetMetrics) -> Result<Metrics> {
    let (names, next_token) = if input.crawler_name_list.is_empty() {
        let asked = Listing { next_token: input.next_token, max_results: input.max_results, tags: None };
        let (stored, next) = page(&glue, &asked).await?;
        (stored.into_iter().map(|one| one.definition.name).collect(), next)
    } else {
        (input.crawler_name_list, None)
    };
    let mut crawler_metrics_list = Vec::new();
    for name in names {
        glue.rooms.crawlers.get_crawler(&name).await?;
        let runs = glue.crawls(&name, RunQuery { limit: MEASURED, ..RunQuery::default() }).await?;
        crawler_metrics_list.push(Metric::of(name, &runs, glue.rooms.clock.now()));
    }
    Ok(Metrics { crawler_metrics_list, next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListCrawls {
    crawler_name: String,
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Value>,
}

impl Input for ListCrawls {
    fn resources(&self) -> Vec<String> {
        resource(&self.crawler_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct History {
    crawls: Vec<PastCrawl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PastCrawl {
    crawl_id: String,
    state: &'static str,
    #[serde(serialize_with = "epoch")]
    start_time: DateTime<Utc>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    end_time: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    log_group: &'static str,
    log_stream: String,
    message_prefix: String,
}

impl PastCrawl {
    fn of(run: &Run) -> Self {
        let last = LastCrawl::of(run);
        Self {
            crawl_id: run.id.to_string(),
            state: match run.state {
                RunState::Succeeded => "COMPLETED",
                RunState::Stopped => "STOPPED",
                state if state.is_final() => "FAILED",
                _ => "RUNNING",
            },
            start_time: last.start_time,
            end_time: run.ended,
            summary: run.result().ok().map(|report| report.to_string()),
            error_message: last.error_message,
            log_group: last.log_group,
            log_stream: last.log_stream,
            message_prefix: last.message_prefix,
        }
    }
}

pub(super) async fn history(glue: Glue, input: ListCrawls) -> Result<History> {
    refuse("Filters", !input.filters.is_empty())?;
    glue.rooms.crawlers.get_crawler(&input.crawler_name).await?;
    let most = limit(input.max_results, MAX_RESULTS)?;
    let after = match token(input.next_token.as_deref())? {
        None => None,
        Some(text) => Some(text.parse::<RunId>().map_err(|e| e.context("NextToken"))?),
    };
    let query = RunQuery { limit: most + 1, after, ..RunQuery::default() };
    let runs = glue.crawls(&input.crawler_name, query).await?;
    let next_token = (runs.len() > most).then(|| write_token(runs[most - 1].id.as_ref()));
    Ok(History { crawls: runs.iter().take(most).map(PastCrawl::of).collect(), next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scheduling {
    crawler_name: String,
    schedule: Option<String>,
}

impl Input for Scheduling {
    fn resources(&self) -> Vec<String> {
        resource(&self.crawler_name)
    }
}

async fn pause(glue: &Glue, name: &str, is_paused: bool) -> Answered<Done> {
    let stored = glue.rooms.crawlers.get_crawler(name).await?;
    if stored.definition.schedule.is_none() {
        let code = if is_paused { "SchedulerNotRunningException" } else { "NoScheduleException" };
        return Err(Failed::coded(code, Error::conflict(format!("the crawler {name} has no schedule"))));
    }
    glue.change_extra(name, |extra| extra.is_paused = is_paused).await?;
    Ok(Done {})
}

pub(super) async fn start_schedule(glue: Glue, input: Scheduling) -> Answered<Done> {
    pause(&glue, &input.crawler_name, false).await
}

pub(super) async fn stop_schedule(glue: Glue, input: Scheduling) -> Answered<Done> {
    pause(&glue, &input.crawler_name, true).await
}

pub(super) async fn update_schedule(glue: Glue, input: Scheduling) -> Result<Done> {
    let stored = glue.rooms.crawlers.get_crawler(&input.crawler_name).await?;
    let mut crawler = stored.definition;
    crawler.schedule = input.schedule.filter(|text| !text.is_empty());
    glue.rooms.crawlers.update_crawler(crawler, Some(stored.version)).await?;
    Ok(Done {})
}
