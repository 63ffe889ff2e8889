//! What runs did since this process began: how many ended how, how long they took, what they counted.

use super::text::{Kind, Text};
use crate::door::House;
use state::events::{Filter, Live};
use state::runs::Run;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The bounds of the buckets of durations, in seconds.
const BOUNDS: [f64; 12] = [0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0];
/// What runs show that is no count of things.
const NO_COUNTS: [&str; 4] = ["lag_millis", "open_windows", "peak_memory", "watermark"];

/// Sums over ended runs.
#[derive(Default)]
pub(crate) struct Ledger {
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    ended: BTreeMap<(String, &'static str), u64>,
    durations: BTreeMap<String, Durations>,
    counted: BTreeMap<(String, String), u64>,
    missed: u64,
}

#[derive(Default, Clone)]
struct Durations {
    buckets: [u64; BOUNDS.len()],
    sum: f64,
    count: u64,
}

impl Ledger {
    fn note(&self, run: &Run) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = run.kind.as_str().to_owned();
        *sums.ended.entry((kind.clone(), run.state.as_str())).or_default() += 1;
        if let (Some(started), Some(ended)) = (run.started, run.ended) {
            let seconds = (ended - started).as_seconds_f64().max(0.0);
            let durations = sums.durations.entry(kind.clone()).or_default();
            durations.sum += seconds;
            durations.count += 1;
            for (bound, bucket) in BOUNDS.iter().zip(&mut durations.buckets) {
                *bucket += u64::from(seconds <= *bound);
            }
        }
        for (name, value) in run.counters.iter().filter(|(name, _)| !NO_COUNTS.contains(&name.as_str())) {
            *sums.counted.entry((kind.clone(), name.clone())).or_default() += value;
        }
    }

    pub(crate) fn write(&self, text: &mut Text) {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let name = "glulam_runs_ended_total";
        text.family(
            name,
            Kind::Counter,
            "Runs that ended since the server began, by kind and how they ended.",
        );
        for ((kind, state), count) in &sums.ended {
            text.sample(name, &[("kind", kind), ("state", state)], *count as f64);
        }
        let name = "glulam_run_duration_seconds";
        text.family(name, Kind::Histogram, "How long ended runs worked.");
        for (kind, durations) in &sums.durations {
            for (bound, count) in BOUNDS.iter().zip(durations.buckets) {
                let labels = [("kind", kind.as_str()), ("le", &bound.to_string())];
                text.sample(&format!("{name}_bucket"), &labels, count as f64);
            }
            let count = durations.count as f64;
            text.sample(&format!("{name}_bucket"), &[("kind", kind), ("le", "+Inf")], count);
            text.sample(&format!("{name}_sum"), &[("kind", kind)], durations.sum);
            text.sample(&format!("{name}_count"), &[("kind", kind)], count);
        }
        let name = "glulam_run_counted_total";
        let help =
            "What ended runs counted: rows, bytes_scanned, rows_written, bytes_written, files and others.";
        text.family(name, Kind::Counter, help);
        for ((kind, counter), count) in &sums.counted {
            text.sample(name, &[("kind", kind), ("counter", counter)], *count as f64);
        }
        let help = "Ends of runs that came too fast to be counted above.";
        text.single("glulam_runs_missed_total", Kind::Counter, help, sums.missed as f64);
    }
}

/// Notes every run that ends, until the door is closed.
pub(crate) async fn keep(house: Arc<House>) {
    let mut ends = house.rooms.events.live(Filter::kind("run.finished"));
    loop {
        let live = tokio::select! {
            () = house.stop.cancelled() => return,
            live = ends.next() => live,
        };
        match live {
            None => return,
            Some(Live::Missed(count)) => {
                house.ledger.sums.lock().unwrap_or_else(PoisonError::into_inner).missed += count;
            }
            Some(Live::Event(event)) => {
                let Ok(id) = event.subject.parse() else { continue };
                match house.rooms.runs.get(&id).await {
                    Ok(run) => house.ledger.note(&run),
                    Err(error) => tracing::debug!(%error, "an ended run cannot be read"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_runs_add_up() {
        let ledger = Ledger::default();
        let run: Run = serde_json::from_value(serde_json::json!({
            "id": "01jq5z3v4w5x6y7z8a9b0c1d2e", "kind": "query", "name": "q", "owner": "", "state": "succeeded",
            "attempt": 1, "retries_left": 0, "arguments": null, "node": "n", "created": "2026-03-02T08:00:00Z",
            "started": "2026-03-02T08:00:00Z", "ended": "2026-03-02T08:00:02Z", "progress": null,
            "counters": { "bytes_scanned": 10, "lag_millis": 5 }, "outcome": null, "revision": 3
        }))
        .unwrap();
        ledger.note(&run);
        ledger.note(&run);
        let mut text = Text::default();
        ledger.write(&mut text);
        let page = text.finish();
        for line in [
            "glulam_runs_ended_total{kind=\"query\",state=\"succeeded\"} 2",
            "glulam_run_duration_seconds_bucket{kind=\"query\",le=\"1\"} 0",
            "glulam_run_duration_seconds_bucket{kind=\"query\",le=\"5\"} 2",
            "glulam_run_duration_seconds_bucket{kind=\"query\",le=\"+Inf\"} 2",
            "glulam_run_duration_seconds_sum{kind=\"query\"} 4",
            "glulam_run_counted_total{kind=\"query\",counter=\"bytes_scanned\"} 20",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
        assert!(!page.contains("lag_millis"));
    }
}
