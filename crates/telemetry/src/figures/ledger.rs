//! What runs did since this process began: how many ended how, how long they took, what they counted.

use super::{Family, Figure, Kind, Point, Spread};
use state::runs::Run;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The bounds of the buckets of durations, in seconds.
pub(crate) const BOUNDS: [f64; 12] =
    [0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0];
/// What runs show that is no count of things.
const NO_COUNTS: [&str; 5] = ["join_rows", "lag_millis", "open_windows", "peak_memory", "watermark"];

/// Sums over ended runs.
#[derive(Default)]
pub(crate) struct Ledger {
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    ended: BTreeMap<(String, &'static str), u64>,
    durations: BTreeMap<String, Spread>,
    counted: BTreeMap<(String, String), u64>,
    missed: u64,
    spans: BTreeMap<&'static str, u64>,
}

impl Ledger {
    /// A run has ended.
    pub(crate) fn note(&self, run: &Run) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = run.kind.as_str().to_owned();
        *sums.ended.entry((kind.clone(), run.state.as_str())).or_default() += 1;
        if let (Some(started), Some(ended)) = (run.started, run.ended) {
            let seconds = (ended - started).as_seconds_f64().max(0.0);
            let durations = sums.durations.entry(kind.clone()).or_default();
            durations.sum += seconds;
            let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
            durations.buckets[bucket] += 1;
        }
        for (name, value) in run.counters.iter().filter(|(name, _)| !NO_COUNTS.contains(&name.as_str())) {
            *sums.counted.entry((kind.clone(), name.clone())).or_default() += value;
        }
    }

    /// So many ends of runs went by unheard.
    pub(crate) fn note_missed(&self, count: u64) {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).missed += count;
    }

    /// So many spans had that fate: `sent`, `rejected`, `dropped`.
    pub(crate) fn note_spans(&self, fate: &'static str, count: u64) {
        if count > 0 {
            *self.sums.lock().unwrap_or_else(PoisonError::into_inner).spans.entry(fate).or_default() += count;
        }
    }

    pub(super) fn families(&self) -> Vec<Family> {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = |name, unit, help, points| Family::new(name, unit, Kind::Counter, help, points);
        let ended = sums
            .ended
            .iter()
            .map(|((kind, state), count)| Point::whole(&[("kind", kind.as_str()), ("state", state)], *count));
        let durations = sums.durations.iter().map(|(kind, durations)| {
            Point::new(&[("kind", kind.as_str())], Figure::Spread(durations.clone()))
        });
        let counted = sums
            .counted
            .iter()
            .map(|((kind, counter), count)| Point::whole(&[("kind", kind), ("counter", counter)], *count));
        let missed = vec![Point::whole(&[], sums.missed)];
        let mut families = vec![
            counter(
                "glulam.runs.ended",
                "{run}",
                "Runs that ended since the server began, by kind and how they ended.",
                ended.collect(),
            ),
            Family::new(
                "glulam.run.duration",
                "s",
                Kind::Histogram,
                "How long ended runs worked.",
                durations.collect(),
            ),
            counter(
                "glulam.run.counted",
                "",
                "What ended runs counted: rows, bytes_scanned, rows_written, bytes_written, files and others.",
                counted.collect(),
            ),
            counter(
                "glulam.runs.missed",
                "{run}",
                "Ends of runs that came too fast to be counted above.",
                missed,
            ),
        ];
        if !sums.spans.is_empty() {
            let points = sums.spans.iter().map(|(fate, count)| Point::whole(&[("fate", fate)], *count));
            let help = "Spans that were sent to the collector, rejected by it, or dropped.";
            families.push(counter("glulam.spans", "{span}", help, points.collect()));
        }
        families
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::prometheus::page;

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
        let page = page(&ledger.families());
        for line in [
            "glulam_runs_ended_total{kind=\"query\",state=\"succeeded\"} 2",
            "glulam_run_duration_seconds_bucket{kind=\"query\",le=\"1\"} 0",
            "glulam_run_duration_seconds_bucket{kind=\"query\",le=\"5\"} 2",
            "glulam_run_duration_seconds_bucket{kind=\"query\",le=\"+Inf\"} 2",
            "glulam_run_duration_seconds_sum{kind=\"query\"} 4",
            "glulam_run_duration_seconds_count{kind=\"query\"} 2",
            "glulam_run_counted_total{kind=\"query\",counter=\"bytes_scanned\"} 20",
            "glulam_runs_missed_total 0",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
        assert!(!page.contains("lag_millis") && !page.contains("spans"));
        ledger.note_spans("sent", 3);
        let families = ledger.families();
        assert_eq!(families.last().unwrap().points, [Point::whole(&[("fate", "sent")], 3)]);
    }
}
