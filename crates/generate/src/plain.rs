//! `plain-metrics`: single measurements as CSV, one file per component, slightly out of order: a measurement is published
//! up to `timer.jitterMillis` after its iteration's time, and lines stand in the order of the iterations.

use crate::fields::{Entry, Field};
use crate::output::{BUFFER_BYTES, Finished, Staging};
use crate::report::Meter;
use crate::stream::{Event, HEADER, Metric, Shape, event, metric};
use crate::task::{Kind, Work, in_parallel, output_folder};
use crate::text::{TimeFormat, TimeText};
use crate::timer::Timer;
use crate::windowed::refuse_unsafe_names;
use crate::{Options, Report, Watch};
use model::Result;
use std::sync::Arc;

pub(crate) const KIND: Kind = Kind { name: "plain-metrics", parse };

#[derive(Debug)]
struct PlainMetrics {
    iterations: i64,
    timer: Timer,
    jitter: i64,
    short_times: bool,
    output: String,
    components: Vec<Component>,
}

#[derive(Debug)]
struct Component {
    name: String,
    metrics: Vec<Metric>,
}

fn parse(root: &Field<'_>) -> Result<Arc<dyn Work>> {
    let fields = root.fields(&[
        "@type",
        "randomSeed",
        "numberOfIterations",
        "timer",
        "shortTimes",
        "outputFilePath",
        "metrics",
    ])?;
    let iterations = fields.required("numberOfIterations")?.integer(1, i64::MAX)?;
    let timer_field = fields.required("timer")?;
    let (timer, timer_fields) = Timer::synthetic(&timer_field, &["jitterMillis"])?;
    let jitter =
        timer_fields.optional("jitterMillis").map_or(Ok(0), |field| field.integer(0, i64::MAX / 4))?;
    timer.check_end(&timer_field, iterations, jitter)?;
    let short_times = fields.optional("shortTimes").map_or(Ok(false), |field| field.boolean())?;
    let output = fields.required("outputFilePath")?.file_path()?.to_owned();
    let entries = fields.required("metrics")?.entries()?;
    refuse_unsafe_names(&entries)?;
    let components = entries.iter().map(component).collect::<Result<_>>()?;
    Ok(Arc::new(PlainMetrics { iterations, timer, jitter, short_times, output, components }))
}

fn component(entry: &Entry<'_>) -> Result<Component> {
    let metrics = entry.field.entries()?;
    let metrics = metrics.iter().map(|of_metric| metric(entry.name, of_metric)).collect::<Result<_>>()?;
    Ok(Component { name: entry.name.to_owned(), metrics })
}

impl Work for PlainMetrics {
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

impl PlainMetrics {
    fn write(
        &self,
        component: &Component,
        seed: u64,
        staging: &Staging,
        meter: &Meter<'_>,
    ) -> Result<Option<Finished>> {
        let mut lines = staging.file(&format!("{}.csv", component.name), false, BUFFER_BYTES)?;
        lines.buffer.extend_from_slice(HEADER.as_bytes());
        let mut events: Vec<Event<'_>> =
            component.metrics.iter().map(|metric| event(metric, Shape::Csv, seed)).collect::<Result<_>>()?;
        let per_iteration = events.len() as u64;
        let mut time = TimeText::new(TimeFormat::Iso);
        let mut counted = 0;
        for iteration in 0..self.iterations {
            let begin = self.timer.at(iteration);
            for event in &mut events {
                let published = begin + event.random.between(0, self.jitter);
                let text = time.at(published);
                match text.strip_suffix(b".000Z").filter(|_| self.short_times) {
                    None => event.push(&mut lines.buffer, text),
                    Some(seconds) => {
                        let mut short = [b'Z'; 20];
                        short[..19].copy_from_slice(seconds);
                        event.push(&mut lines.buffer, &short);
                    }
                }
            }
            if lines.is_full() {
                let done = iteration.unsigned_abs() + 1 - counted;
                counted += done;
                let bytes = lines.flush()?;
                meter.advance(done, done * per_iteration, bytes)?;
            }
        }
        let all = self.iterations.unsigned_abs();
        let (bytes, finished) = lines.finish(all * per_iteration)?;
        meter.advance(all - counted, (all - counted) * per_iteration, bytes)?;
        Ok(finished)
    }
}
