//! `/metrics`: what the server does, in Prometheus' text, for whoever may ask.
//!
//! Where nobody has to log in, nobody has to here. Elsewhere a scraper brings the token of the setting
//! `console.metrics_token`, and a person's session must be allowed `glulam:Metrics`.

mod ledger;
mod process;
mod requests;
mod text;

pub use requests::RequestCounts;

pub(crate) use ledger::{Ledger, keep};
pub(crate) use requests::Requests;

use crate::answer::{Answer, Failure};
use crate::caller::Caller;
use crate::door::{House, StreamTotals};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use model::{Error, ErrorKind, Result, RunState};
use state::runs::{Run, RunQuery};
use std::collections::BTreeMap;
use std::sync::Arc;
use text::{Kind, Text};

/// So many streams have metrics of their own.
const STREAMS: usize = 1000;
/// So many unfinished runs are looked at.
const RUNS: usize = 1000;
/// The kind of runs that stream applications are.
const APPLICATION: &str = "stream";

pub(crate) async fn show(
    State(house): State<Arc<House>>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
) -> Answer<Response> {
    let caller = caller.map(|Extension(caller)| caller);
    may_see(&house, caller.as_ref(), &headers).map_err(Failure)?;
    let text = page(&house).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn may_see(house: &House, caller: Option<&Caller>, headers: &HeaderMap) -> Result<()> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    match (&house.config.metrics_token, given, caller) {
        (Some(token), Some(given), _) if same(token.as_bytes(), given.as_bytes()) => Ok(()),
        (_, _, Some(caller)) => caller.may("glulam:Metrics", "*"),
        _ => Err(Error::new(ErrorKind::Denied, "metrics are not for everybody")
            .hint("set console.metrics_token, and send `Authorization: Bearer` with it")),
    }
}

/// Compares in a time that does not tell where two texts differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

async fn page(house: &House) -> Result<String> {
    let mut text = Text::default();
    text.family("glulam_info", Kind::Gauge, "The version that runs.");
    text.sample("glulam_info", &[("version", &house.config.version)], 1.0);
    let states = vec![RunState::Waiting, RunState::Running, RunState::Stopping];
    let query = RunQuery { states, limit: RUNS, ..RunQuery::default() };
    let busy = house.rooms.runs.list(&query).await?;
    unfinished(&mut text, &busy);
    house.ledger.write(&mut text);
    applications(&mut text, &busy);
    streams(&mut text, house).await?;
    let name = "glulam_http_requests_total";
    text.family(name, Kind::Counter, "Requests that were answered, by door and class of status.");
    let own = ("console", house.requests.by_class());
    let others = house.config.requests.iter().map(|(door, counts)| (*door, counts()));
    for (door, counts) in std::iter::once(own).chain(others) {
        for (class, count) in counts {
            text.sample(name, &[("door", door), ("status", class)], count as f64);
        }
    }
    process::write(&mut text);
    Ok(text.finish())
}

fn unfinished(text: &mut Text, runs: &[Run]) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for run in runs {
        *counts.entry((run.kind.as_str(), run.state.as_str())).or_default() += 1;
    }
    text.family("glulam_runs", Kind::Gauge, "Runs that have not ended, by kind and state.");
    for ((kind, state), count) in counts {
        text.sample("glulam_runs", &[("kind", kind), ("state", state)], count as f64);
    }
}

/// What running applications say of themselves.
fn applications(text: &mut Text, runs: &[Run]) {
    let running: Vec<&Run> = runs.iter().filter(|run| run.kind.as_str() == APPLICATION).collect();
    for (name, counter, scale, kind, help) in [
        (
            "glulam_application_lag_seconds",
            "lag_millis",
            1000.0,
            Kind::Gauge,
            "How far reading lies behind the present.",
        ),
        (
            "glulam_application_watermark_seconds",
            "watermark",
            1000.0,
            Kind::Gauge,
            "The watermark, in seconds since 1970.",
        ),
        ("glulam_application_open_windows", "open_windows", 1.0, Kind::Gauge, "Windows that are open."),
        ("glulam_application_records_total", "records", 1.0, Kind::Counter, "Records that were read."),
        (
            "glulam_application_late_total",
            "late",
            1.0,
            Kind::Counter,
            "Events that came too late for their window.",
        ),
        (
            "glulam_application_malformed_total",
            "malformed",
            1.0,
            Kind::Counter,
            "Records that could not be read.",
        ),
        ("glulam_application_rows_out_total", "rows_out", 1.0, Kind::Counter, "Rows that came out."),
    ] {
        text.family(name, kind, help);
        for run in &running {
            if let Some(value) = run.counters.get(counter) {
                text.sample(name, &[("application", &run.name)], *value as f64 / scale);
            }
        }
    }
}

/// Name, kind, help, and which of the totals it is.
type Family = (&'static str, Kind, &'static str, fn(&StreamTotals) -> u64);

async fn streams(text: &mut Text, house: &House) -> Result<()> {
    let totals = house.stream_totals(STREAMS).await?;
    let families: [Family; 5] = [
        ("glulam_stream_shards", Kind::Gauge, "Open shards.", |total| total.open_shards),
        ("glulam_stream_records", Kind::Gauge, "Records that are kept.", |total| total.records),
        ("glulam_stream_bytes", Kind::Gauge, "Bytes that they take.", |total| total.bytes),
        ("glulam_stream_records_in_total", Kind::Counter, "Records that were ever put.", |total| {
            total.records_in
        }),
        ("glulam_stream_records_out_total", Kind::Counter, "Records that were read.", |total| {
            total.records_out
        }),
    ];
    for (name, kind, help, value) in families {
        text.family(name, kind, help);
        for total in &totals {
            text.sample(name, &[("stream", &total.name)], value(total) as f64);
        }
    }
    Ok(())
}
