//! The crawls of a crawler.

use super::shown::LastCrawl;
use super::{MAX_RESULTS, resource};
use crate::glue::Glue;
use crate::glue::shapes::{limit, refuse};
use crate::json::{Input, epoch, epoch_opt, token};
use crate::page::write_token;
use chrono::{DateTime, Utc};
use model::{Result, RunId, RunState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use state::runs::{Run, RunQuery};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::glue) struct ListCrawls {
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
pub(in crate::glue) struct History {
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

pub(in crate::glue) async fn history(glue: Glue, input: ListCrawls) -> Result<History> {
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
