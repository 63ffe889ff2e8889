//! The figures of the server: gathered once, told in two languages (Prometheus' text, OpenTelemetry's metrics).

mod ledger;
mod process;
mod prometheus;

pub(crate) use ledger::{BOUNDS, Ledger};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use model::{Result, RunState};
use state::runs::{Run, RunQuery, Runs};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// So many unfinished runs are looked at.
const RUNS: usize = 1000;
/// The kind of runs that stream applications are.
const APPLICATION: &str = "stream";

/// What a family's points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, and begins anew with whatever counts it.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

/// Since when a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// The server began.
    Server,
    /// That time.
    Time(DateTime<Utc>),
    /// Longer than the server runs: the count is kept on disk.
    Before,
}

/// The value of a point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Figure {
    Whole(u64),
    Real(f64),
    Spread(Spread),
}

/// How values are spread over the buckets of [`BOUNDS`], and what is above the last bound.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Spread {
    /// How many fell into each bucket, not into those below it.
    pub(crate) buckets: [u64; BOUNDS.len() + 1],
    pub(crate) sum: f64,
}

impl Spread {
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// A value with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) figure: Figure,
    pub(crate) since: Since,
}

impl Point {
    fn new(labels: &[(&'static str, &str)], figure: Figure) -> Self {
        let labels = labels.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        Self { labels, figure, since: Since::Server }
    }

    /// A whole number.
    pub fn whole(labels: &[(&'static str, &str)], value: u64) -> Self {
        Self::new(labels, Figure::Whole(value))
    }

    /// Any number.
    pub fn real(labels: &[(&'static str, &str)], value: f64) -> Self {
        Self::new(labels, Figure::Real(value))
    }

    /// The same of a counter that began at that time, not with the server.
    #[must_use]
    pub fn since(self, time: DateTime<Utc>) -> Self {
        Self { since: Since::Time(time), ..self }
    }

    /// The same of a counter that outlives the server.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { since: Since::Before, ..self }
    }
}

/// Values of one meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The name as OpenTelemetry writes it, with dots, without unit: `glulam.run.duration`. Prometheus' name is made from
    /// it by OpenTelemetry's rules.
    pub(crate) name: &'static str,
    /// Prometheus' name, where it is another one.
    pub(crate) prometheus: Option<&'static str>,
    /// The unit in UCUM: `s`, `By`, `{row}`; empty for none.
    pub(crate) unit: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    pub(crate) points: Vec<Point>,
}

impl Family {
    /// A family, by its name as OpenTelemetry writes it (dots, no unit) and its unit (`s`, `By`, `{row}`, or nothing).
    pub fn new(
        name: &'static str,
        unit: &'static str,
        kind: Kind,
        help: &'static str,
        points: Vec<Point>,
    ) -> Self {
        Self { name, prometheus: None, unit, kind, help, points }
    }

    /// The same under a name of its own for Prometheus.
    fn known_to_prometheus_as(self, name: &'static str) -> Self {
        Self { prometheus: Some(name), ..self }
    }
}

/// A room that has figures of its own.
#[async_trait]
pub trait Source: Send + Sync {
    /// Its figures now. The same families in the same order each time, also where they have no points.
    async fn families(&self) -> Result<Vec<Family>>;
}

/// The counts of a door, asked for when they are shown: class of status (`2xx`) and how many.
pub type RequestCounts = Arc<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>;

/// All figures of the server.
pub struct Figures {
    runs: Runs,
    version: String,
    sources: Vec<Arc<dyn Source>>,
    doors: Mutex<Vec<(&'static str, RequestCounts)>>,
    pub(crate) ledger: Ledger,
}

impl Figures {
    /// The figures of a server of that version, with those of other rooms.
    pub(crate) fn new(runs: Runs, version: String, sources: Vec<Arc<dyn Source>>) -> Self {
        Self { runs, version, sources, doors: Mutex::default(), ledger: Ledger::default() }
    }

    /// Shows what a door has answered from now on, too.
    pub fn count_door(&self, name: &'static str, counts: RequestCounts) {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner).push((name, counts));
    }

    /// All of them as Prometheus' text, version 0.0.4.
    pub async fn prometheus(&self) -> Result<String> {
        Ok(prometheus::page(&self.gather().await?))
    }

    /// All of them now.
    pub(crate) async fn gather(&self) -> Result<Vec<Family>> {
        let point = Point::whole(&[("version", &self.version)], 1);
        let mut all =
            vec![Family::new("glulam.info", "", Kind::Gauge, "The version that runs.", vec![point])];
        let states = vec![RunState::Waiting, RunState::Running, RunState::Stopping];
        let query = RunQuery { states, limit: RUNS, ..RunQuery::default() };
        let busy = self.runs.list(&query).await?;
        all.push(unfinished(&busy));
        all.extend(self.ledger.families());
        all.extend(applications(&busy));
        for source in &self.sources {
            all.extend(source.families().await?);
        }
        all.push(self.requests());
        all.extend(process::families());
        Ok(all)
    }

    fn requests(&self) -> Family {
        let mut points = Vec::new();
        for (door, counts) in self.doors.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (class, count) in counts() {
                points.push(Point::whole(&[("door", door), ("status", class)], count));
            }
        }
        let help = "Requests that were answered, by door and class of status.";
        Family::new("glulam.http.requests", "{request}", Kind::Counter, help, points)
    }
}

fn unfinished(runs: &[Run]) -> Family {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for run in runs {
        *counts.entry((run.kind.as_str(), run.state.as_str())).or_default() += 1;
    }
    let point = |((kind, state), count)| Point::whole(&[("kind", kind), ("state", state)], count);
    let points = counts.into_iter().map(point).collect();
    Family::new("glulam.runs", "{run}", Kind::Gauge, "Runs that have not ended, by kind and state.", points)
}

/// A family of the applications: its name, its unit, the counter of the run, by what that is divided, kind and help.
type OfApplications = (&'static str, &'static str, &'static str, u64, Kind, &'static str);

const OF_APPLICATIONS: [OfApplications; 7] = [
    (
        "glulam.application.lag",
        "s",
        "lag_millis",
        1000,
        Kind::Gauge,
        "How far reading lies behind the present.",
    ),
    (
        "glulam.application.watermark",
        "s",
        "watermark",
        1000,
        Kind::Gauge,
        "The watermark, in seconds since 1970.",
    ),
    ("glulam.application.open_windows", "{window}", "open_windows", 1, Kind::Gauge, "Windows that are open."),
    ("glulam.application.records", "{record}", "records", 1, Kind::Counter, "Records that were read."),
    (
        "glulam.application.late",
        "{event}",
        "late",
        1,
        Kind::Counter,
        "Events that came too late for their window.",
    ),
    (
        "glulam.application.malformed",
        "{record}",
        "malformed",
        1,
        Kind::Counter,
        "Records that could not be read.",
    ),
    ("glulam.application.rows_out", "{row}", "rows_out", 1, Kind::Counter, "Rows that came out."),
];

/// What running applications say of themselves.
fn applications(runs: &[Run]) -> Vec<Family> {
    let running: Vec<&Run> = runs.iter().filter(|run| run.kind.as_str() == APPLICATION).collect();
    let family = |(name, unit, counter, scale, kind, help): OfApplications| {
        let point = |run: &&Run| {
            let value = *run.counters.get(counter)?;
            let labels = [("application", run.name.as_str())];
            let point = match scale {
                1 => Point::whole(&labels, value),
                scale => Point::real(&labels, value as f64 / scale as f64),
            };
            // Its run counts anew.
            Some(point.since(run.started.unwrap_or(run.created)))
        };
        Family::new(name, unit, kind, help, running.iter().filter_map(point).collect())
    };
    OF_APPLICATIONS.map(family).into()
}
