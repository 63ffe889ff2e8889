//! How long crawls take, and what they changed.

use super::{Listing, page, resource};
use crate::glue::Glue;
use crate::json::Input;
use chrono::{DateTime, Utc};
use crawl::CrawlReport;
use model::{Result, RunState};
use serde::{Deserialize, Serialize};
use state::runs::{Run, RunQuery};

/// How many crawls the median is of.
const MEASURED: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::glue) struct GetMetrics {
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
pub(in crate::glue) struct Metrics {
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

pub(in crate::glue) async fn metrics(glue: Glue, input: GetMetrics) -> Result<Metrics> {
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
