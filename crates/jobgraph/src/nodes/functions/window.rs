//! glulam_window: rows in windows of time, tumbling or sliding, and what is computed of each.
//!
//! Parameters: `timestamp` (the event-time column); `size` (default `5 minutes`); `slide` (default the size: windows
//! that follow each other; less: windows that overlap); `keys` (columns whose values get windows of their own);
//! `aggregates` (such as `avg(value) as average`); `start` and `end` (the new columns' names, default `fromTimestamp`
//! and `toTimestamp`). Windows begin at multiples of the slide since 1970; the end does not belong to a window. Rows
//! without a time are rejected.

use super::event_time;
use super::window_aggregate::{self, Aggregate};
use crate::columns::same_name;
use crate::fields::Fields;
use crate::nodes::{Context, Operation};
use crate::script::{Script, py};
use crate::step::{Reject, Step};
use crate::text::Placed;
use model::Error;
use sql::quote_ident;

#[derive(Debug)]
struct Window {
    timestamp: Placed<String>,
    /// Seconds.
    size: u64,
    slide: u64,
    keys: Vec<Placed<String>>,
    aggregates: Vec<Aggregate>,
    start: String,
    end: String,
}

const FIVE_MINUTES: u64 = 300;
/// So many windows may share a row.
const MOST_OVERLAPS: u64 = 1_000;

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let timestamp = fields.need_text("timestamp");
    let size = duration(fields, "size").unwrap_or(FIVE_MINUTES);
    let slide = duration(fields, "slide").unwrap_or(size);
    if slide > size || !size.is_multiple_of(slide) || size / slide > MOST_OVERLAPS {
        let span = fields.text("slide").map_or_else(|| fields.span.clone(), |slide| slide.span);
        let error = Error::invalid(format!("windows of {size} seconds cannot slide by {slide}"));
        fields.wrong(
            &span,
            error.why("the size must be a multiple of the slide, at most a thousand times as long"),
        );
    }
    let keys = fields.names("keys");
    fields.need_items("aggregates");
    let mut aggregates: Vec<Aggregate> = Vec::new();
    for text in fields.texts("aggregates") {
        match window_aggregate::read(&text) {
            Ok(aggregate) if aggregates.iter().any(|before| same_name(&before.name, &aggregate.name)) => {
                fields.wrong(
                    &text.span,
                    Error::invalid(format!("two aggregates are named `{}`", aggregate.name)),
                );
            }
            Ok(aggregate) => aggregates.push(aggregate),
            Err(error) => fields.wrong(&text.span, error),
        }
    }
    let name = |name, usual: &str| fields.text(name).map_or_else(|| usual.to_owned(), |text| text.value);
    let (start, end) = (name("start", "fromTimestamp"), name("end", "toTimestamp"));
    fields.is_good().then_some(())?;
    Some(Box::new(Window { timestamp: timestamp?, size, slide, keys, aggregates, start, end }))
}

/// `5 minutes`, `90 s`, `1 hour`, in seconds.
fn duration(fields: &Fields<'_>, name: &'static str) -> Option<u64> {
    let text = fields.text(name)?;
    let written = text.value.trim();
    let digits = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(digits);
    let unit = match unit.trim().to_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => Some(1),
        "m" | "min" | "minute" | "minutes" => Some(60),
        "h" | "hour" | "hours" => Some(3_600),
        "d" | "day" | "days" => Some(86_400),
        _ => None,
    };
    let seconds = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    let seconds = seconds.filter(|seconds| (1..=366 * 86_400).contains(seconds));
    if seconds.is_none() {
        let error = Error::invalid(format!("`{written}` is no duration"));
        fields.wrong(
            &text.span,
            error.hint("write a number and a unit: `30 seconds`, `5 minutes`, `1 hour`, `1 day`"),
        );
    }
    seconds
}

impl Window {
    /// SQL of the window's begin in seconds; windows that overlap count back from the latest one by `glulam_back`.
    fn begin(&self, time: &str) -> String {
        let latest = format!("floor(to_unixtime({time}) / {slide}e0) * {slide}e0", slide = self.slide);
        if self.overlaps() > 1 { format!("{latest} - glulam_back * {}e0", self.slide) } else { latest }
    }

    fn overlaps(&self) -> u64 {
        self.size / self.slide.max(1)
    }
}

impl Operation for Window {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        for key in &self.keys {
            cx.column(&key.value, &key.span);
        }
        let (time, nothing) = event_time(&self.timestamp, cx)?;
        let begin = self.begin(&time);
        let at = |seconds: &str| format!("CAST(from_unixtime({seconds}) AT TIME ZONE 'UTC' AS timestamp(3))");
        let mut items: Vec<String> = self.keys.iter().map(|key| quote_ident(&key.value)).collect();
        items.push(format!("{} AS {}", at("glulam_begin"), quote_ident(&self.start)));
        items.push(format!(
            "{} AS {}",
            at(&format!("glulam_begin + {}e0", self.size)),
            quote_ident(&self.end)
        ));
        for aggregate in &self.aggregates {
            items.push(format!("{} AS {}", aggregate.sql("glulam_time", cx), quote_ident(&aggregate.name)));
        }
        let mut rows = format!(
            "SELECT *, {time} AS glulam_time, {begin} AS glulam_begin FROM {}",
            quote_ident(&cx.relation().name)
        );
        if self.overlaps() > 1 {
            rows.push_str(&format!(
                " CROSS JOIN UNNEST(sequence(0, {})) AS glulam_windows (glulam_back)",
                self.overlaps() - 1
            ));
        }
        let mut groups: Vec<String> = self.keys.iter().map(|key| quote_ident(&key.value)).collect();
        groups.push("glulam_begin".to_owned());
        let sql = format!(
            "SELECT {} FROM ({rows}) AS glulam_rows GROUP BY {}",
            items.join(", "),
            groups.join(", ")
        );
        let reject = Reject {
            condition: nothing,
            column: self.timestamp.value.clone(),
            reason: "the row has no event time".to_owned(),
        };
        cx.query(sql, vec![reject])
    }

    fn script(&self, out: &mut Script<'_>) {
        let time = format!("SqlFuncs.to_timestamp(SqlFuncs.col({}))", py::text(&self.timestamp.value));
        let window = format!(
            "SqlFuncs.window({time}, \"{} seconds\", \"{} seconds\").alias(\"window\")",
            self.size, self.slide
        );
        let keys: String = self.keys.iter().map(|key| format!("{}, ", py::text(&key.value))).collect();
        let aggregates: Vec<String> = self
            .aggregates
            .iter()
            .map(|aggregate| format!("{}.alias({})", aggregate.python(&time), py::text(&aggregate.name)))
            .collect();
        let mut columns: Vec<String> = self.keys.iter().map(|key| py::text(&key.value)).collect();
        columns.push(format!("SqlFuncs.col(\"window.start\").alias({})", py::text(&self.start)));
        columns.push(format!("SqlFuncs.col(\"window.end\").alias({})", py::text(&self.end)));
        columns.extend(self.aggregates.iter().map(|aggregate| py::text(&aggregate.name)));
        let frame = out.input(0).to_owned();
        out.assign_frame(&format!(
            "{frame}.toDF().groupBy({keys}{window}).agg({}).select({})",
            aggregates.join(", "),
            columns.join(", ")
        ));
    }
}
