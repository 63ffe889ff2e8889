//! The timers of a task: when each of its iterations takes place. Only reads and checks them; waiting for a realtime
//! timer is the caller's business.

use crate::fields::{Field, Fields};
use chrono::DateTime;
use model::Result;

/// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z: what four digits of a year can write.
const FIRST: i64 = -62_135_596_800_000;
const LAST: i64 = 253_402_300_799_999;

/// Iterations at fixed distances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timer {
    /// Milliseconds since 1970.
    pub(crate) start: i64,
    /// Milliseconds between two iterations.
    pub(crate) step: i64,
}

impl Timer {
    /// Reads `{"@type": "synthetic", "startTime", "stepMillis"}`, with further fields that the task knows.
    pub(crate) fn synthetic<'a>(field: &Field<'a>, further: &[&'static str]) -> Result<(Self, Fields<'a>)> {
        field.tag(&["synthetic"])?;
        let known: Vec<&str> =
            ["@type", "startTime", "stepMillis"].into_iter().chain(further.iter().copied()).collect();
        let fields = field.fields(&known)?;
        let start = start_time(&fields.required("startTime")?)?;
        let step = fields.required("stepMillis")?.integer(1, i64::MAX)?;
        Ok((Self { start, step }, fields))
    }

    /// Whether all iterations end before the year 9999 does.
    pub(crate) fn fits(&self, iterations: i64, slack: i64) -> bool {
        let end = i128::from(self.start) + i128::from(self.step) * i128::from(iterations) + i128::from(slack);
        end <= i128::from(LAST)
    }

    /// When this iteration begins.
    #[inline]
    pub(crate) fn at(&self, iteration: i64) -> i64 {
        self.start + self.step * iteration
    }

    /// Refuses a timer that would run past the year 9999, counting `slack` milliseconds after the last iteration.
    pub(crate) fn check_end(&self, field: &Field<'_>, iterations: i64, slack: i64) -> Result<()> {
        if self.fits(iterations, slack) {
            return Ok(());
        }
        Err(field
            .error(format!("{iterations} iterations of `{}` end after the year 9999", field.path()))
            .hint("use fewer iterations or a smaller step"))
    }
}

/// An ISO-8601 moment with a zone, in milliseconds since 1970.
pub(crate) fn start_time(field: &Field<'_>) -> Result<i64> {
    let text = field.text()?;
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| {
        let error = field.error(format!("`{}` must be an ISO-8601 time, but is `{text}`", field.path()));
        if DateTime::parse_from_rfc3339(&format!("{text}Z")).is_ok() {
            error.hint(format!("say which time zone is meant: `{text}Z` is UTC"))
        } else {
            error.hint("write it like 2026-03-02T12:35:05.001Z")
        }
    })?;
    let millis = parsed.timestamp_millis();
    if (FIRST..=LAST).contains(&millis) {
        return Ok(millis);
    }
    Err(field.error(format!("`{}` must lie within the years 1 to 9999", field.path())))
}
