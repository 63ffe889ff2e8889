//! `windowed-metrics`: minimum and maximum of every metric in consecutive windows, one CSV file per component, made by
//! one thread each. The order of the columns is what readers of these files rely on.

use crate::fields::{Entry, Field, file_name};
use crate::output::{BUFFER_BYTES, Finished, Staging};
use crate::random::Random;
use crate::report::Meter;
use crate::task::{Kind, Work, in_parallel, output_folder};
use crate::text::{TimeFormat, TimeText, csv_cell, decimals_for, finest_step, fixed_range, push_fixed};
use crate::timer::Timer;
use crate::{Options, Report, Watch};
use model::Result;
use std::sync::Arc;

pub(crate) const KIND: Kind = Kind { name: "windowed-metrics", parse };

const HEADER: &str = "componentName,fromTimestamp,maxValue,metricName,minValue,toTimestamp,unit\n";

#[derive(Debug)]
struct WindowedMetrics {
    iterations: i64,
    timer: Timer,
    output: String,
    components: Vec<Component>,
}

#[derive(Debug)]
struct Component {
    name: String,
    metrics: Vec<Metric>,
}

/// A metric; its numbers are multiples of `10^-decimals`.
#[derive(Debug)]
struct Metric {
    name: String,
    unit: String,
    decimals: u32,
    average: (i64, i64),
    distance: (i64, i64),
}

fn parse(root: &Field<'_>) -> Result<Arc<dyn Work>> {
    let fields =
        root.fields(&["@type", "randomSeed", "numberOfIterations", "timer", "outputFilePath", "metrics"])?;
    let iterations = fields.required("numberOfIterations")?.integer(1, i64::MAX)?;
    let timer_field = fields.required("timer")?;
    let (timer, _) = Timer::synthetic(&timer_field, &[])?;
    timer.check_end(&timer_field, iterations, 0)?;
    let output = fields.required("outputFilePath")?.file_path()?.to_owned();
    let entries = fields.required("metrics")?.entries()?;
    refuse_unsafe_names(&entries)?;
    let components = entries.iter().map(component).collect::<Result<_>>()?;
    Ok(Arc::new(WindowedMetrics { iterations, timer, output, components }))
}

/// Components name files, and a catalog compares names without case.
pub(crate) fn refuse_unsafe_names(entries: &[Entry<'_>]) -> Result<()> {
    let mut seen = std::collections::HashMap::new();
    for entry in entries {
        file_name(entry.name).map_err(|why| {
            entry.name_error(format!("the component `{}` cannot name a file", entry.name)).why(why)
        })?;
        if let Some(other) = seen.insert(entry.name.to_lowercase(), entry.name) {
            return Err(entry
                .name_error(format!("the components `{other}` and `{}` differ in case only", entry.name))
                .why("their files would be one where file names have no case"));
        }
    }
    Ok(())
}

fn component(entry: &Entry<'_>) -> Result<Component> {
    let metrics = entry.field.entries()?.iter().map(metric).collect::<Result<_>>()?;
    Ok(Component { name: entry.name.to_owned(), metrics })
}

fn metric(entry: &Entry<'_>) -> Result<Metric> {
    if entry.name.trim().is_empty() || entry.name.chars().any(char::is_control) {
        return Err(entry.name_error("a metric's name must not be empty or hold control characters"));
    }
    let fields = entry.field.fields(&["unit", "averageFrom", "averageTo", "minDiff", "maxDiff"])?;
    let number = |name: &str| -> Result<(Field<'_>, f64)> {
        let field = fields.required(name)?;
        let value = field.number()?;
        Ok((field, value))
    };
    let unit = fields.required("unit")?.words()?.to_owned();
    let ((_, from), (to_field, to)) = (number("averageFrom")?, number("averageTo")?);
    let ((least_field, least), (most_field, most)) = (number("minDiff")?, number("maxDiff")?);
    refuse_less(&to_field, to, "averageFrom", from)?;
    if least < 0.0 {
        return Err(least_field.error(format!("`{}` must not be negative", least_field.path())));
    }
    refuse_less(&most_field, most, "minDiff", least)?;
    let steps = [finest_step(from, to), finest_step(least, most)];
    let finest = steps.into_iter().filter(|step| *step > 0.0).fold(f64::MAX, f64::min);
    let decimals = decimals_for(from.abs().max(to.abs()) + most, finest);
    Ok(Metric {
        name: entry.name.to_owned(),
        unit,
        decimals,
        average: fixed_range(from, to, decimals),
        distance: fixed_range(least, most, decimals),
    })
}

/// Refuses a range that ends before it begins.
pub(crate) fn refuse_less(field: &Field<'_>, value: f64, least_name: &str, least: f64) -> Result<()> {
    if value >= least {
        return Ok(());
    }
    Err(field.error(format!("`{}` is {value}, less than `{least_name}`, which is {least}", field.path())))
}

impl Work for WindowedMetrics {
    fn kind(&self) -> &'static str {
        KIND.name
    }

    fn rows(&self) -> u64 {
        let metrics: usize = self.components.iter().map(|component| component.metrics.len()).sum();
        (metrics as u64).saturating_mul(self.iterations.unsigned_abs())
    }

    fn run(&self, seed: u64, options: &Options<'_>, watch: &dyn Watch) -> Result<Report> {
        let staging = Staging::open(&output_folder(options, &self.output)?)?;
        let total = (self.components.len() as u64).saturating_mul(self.iterations.unsigned_abs());
        let meter = Meter::new(watch, total);
        let write = |component: &Component| self.write(component, seed, &staging, &meter);
        let finished = in_parallel(&self.components, write)?;
        let files = staging.publish(finished.into_iter().flatten().collect())?;
        Ok(Report { kind: KIND.name, seed, files, rows: meter.rows(), bytes: meter.bytes() })
    }
}

/// The constant parts of a metric's row and its random numbers.
struct Row<'a> {
    metric: &'a Metric,
    random: Random,
    name_cell: Vec<u8>,
    unit_cell: Vec<u8>,
}

impl WindowedMetrics {
    fn write(
        &self,
        component: &Component,
        seed: u64,
        staging: &Staging,
        meter: &Meter<'_>,
    ) -> Result<Option<Finished>> {
        let mut lines = staging.file(&format!("{}.csv", component.name), false, BUFFER_BYTES)?;
        lines.buffer.extend_from_slice(HEADER.as_bytes());
        let start = format!("{},", csv_cell(&component.name)).into_bytes();
        let mut rows: Vec<Row<'_>> =
            component.metrics.iter().map(|metric| row(component, metric, seed)).collect();
        let per_window = rows.len() as u64;
        let (mut from, mut to) = (TimeText::new(TimeFormat::Iso), TimeText::new(TimeFormat::Iso));
        let mut counted = 0;
        for window in 0..self.iterations {
            let from = from.at(self.timer.at(window));
            let to = to.at(self.timer.at(window + 1));
            for row in &mut rows {
                row.push(&mut lines.buffer, &start, from, to);
            }
            if lines.is_full() {
                let done = window.unsigned_abs() + 1 - counted;
                counted += done;
                let bytes = lines.flush()?;
                meter.advance(done, done * per_window, bytes)?;
            }
        }
        let all = self.iterations.unsigned_abs();
        let (bytes, finished) = lines.finish(all * per_window)?;
        meter.advance(all - counted, (all - counted) * per_window, bytes)?;
        Ok(finished)
    }
}

fn row<'a>(component: &Component, metric: &'a Metric, seed: u64) -> Row<'a> {
    Row {
        metric,
        random: Random::stream(seed, &[&component.name, &metric.name]),
        name_cell: format!(",{},", csv_cell(&metric.name)).into_bytes(),
        unit_cell: format!(",{}\n", csv_cell(&metric.unit)).into_bytes(),
    }
}

impl Row<'_> {
    #[inline]
    fn push(&mut self, out: &mut Vec<u8>, start: &[u8], from: &[u8], to: &[u8]) {
        let metric = self.metric;
        let average = self.random.between(metric.average.0, metric.average.1);
        let distance = self.random.between(metric.distance.0, metric.distance.1);
        out.extend_from_slice(start);
        out.extend_from_slice(from);
        out.push(b',');
        push_fixed(out, average + distance, metric.decimals);
        out.extend_from_slice(&self.name_cell);
        push_fixed(out, average - distance, metric.decimals);
        out.push(b',');
        out.extend_from_slice(to);
        out.extend_from_slice(&self.unit_cell);
    }
}
