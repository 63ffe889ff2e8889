//! A crawler as it is shown, with its last crawl.

use super::written::{DELETES, Policy, RECRAWLS, RecrawlPolicy, Targets, UPDATES, of};
use super::{Extra, KIND, LOG_GROUP};
use crate::fault::sentence;
use crate::glue::Glue;
use crate::json::epoch;
use chrono::{DateTime, Utc};
use crawl::{Crawler, Stored};
use model::{Error, Outcome, Result, RunState};
use serde::Serialize;
use serde_json::{Value, json};
use state::runs::{Run, RunQuery};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Schedule {
    schedule_expression: String,
    state: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LastCrawl {
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_message: Option<String>,
    pub(super) log_group: &'static str,
    pub(super) log_stream: String,
    pub(super) message_prefix: String,
    #[serde(serialize_with = "epoch")]
    pub(super) start_time: DateTime<Utc>,
}

/// Why a run failed, in one text.
pub(in crate::glue) fn failure(run: &Run) -> Option<String> {
    match &run.outcome {
        Some(Outcome::Diagnosis(diagnosis)) => Some(sentence(&Error::from(diagnosis.clone()))),
        _ => None,
    }
}

impl LastCrawl {
    pub(super) fn of(run: &Run) -> Self {
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
pub(super) struct Shown {
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

impl Glue {
    pub(super) async fn show(&self, stored: Stored<Crawler>) -> Result<Shown> {
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
