//! `kinesis-metrics-stream`: single measurements in the order of time, to a file or standard output as JSON lines or CSV,
//! or handed to whoever sends them to the stream.

use crate::fields::{Entry, Field};
use crate::output::{BUFFER_BYTES, Lines, Staging};
use crate::random::Random;
use crate::report::Meter;
use crate::stream_target::{StreamEvent, StreamTarget, target};
use crate::task::{Kind, Work};
use crate::text::{TimeFormat, TimeText, csv_cell, decimals_for, finest_step, fixed_range, push_fixed};
use crate::timer::{Timer, start_time};
use crate::windowed::refuse_less;
use crate::{Options, Output, Report, Watch};
use chrono::TimeDelta;
use model::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const KIND: Kind = Kind { name: "kinesis-metrics-stream", parse };

pub(crate) const HEADER: &str = "componentName,metricName,unit,value,publicationTimestamp\n";

/// How many events are handed on at once: as many records as a request of Kinesis takes.
const BATCH: usize = 500;

/// The file's name when a folder was given and the task names none.
const DEFAULT_FILE: &str = "metrics-stream.jsonl";

#[derive(Debug)]
struct MetricsStream {
    stream: Option<StreamTarget>,
    iterations: i64,
    start: Option<i64>,
    rate: i64,
    output: Option<String>,
    metrics: Vec<Metric>,
}

/// A metric; its numbers are multiples of `10^-decimals`.
#[derive(Debug)]
pub(crate) struct Metric {
    component: String,
    name: String,
    unit: String,
    decimals: u32,
    range: (i64, i64),
}

fn parse(root: &Field<'_>) -> Result<Arc<dyn Work>> {
    let fields = root.fields(&[
        "@type",
        "randomSeed",
        "stream",
        "auth",
        "iterationsNumber",
        "timer",
        "metrics",
        "outputFilePath",
    ])?;
    let output =
        fields.optional("outputFilePath").map(|field| field.file_path().map(str::to_owned)).transpose()?;
    let stream = target(&fields, output.is_some())?;
    let iterations = fields.required("iterationsNumber")?.integer(1, i64::MAX)?;
    let (start, rate) = realtime(&fields.required("timer")?, iterations)?;
    let mut metrics = Vec::new();
    for component in fields.required("metrics")?.entries()? {
        refuse_odd_name(&component)?;
        for entry in component.field.entries()? {
            metrics.push(metric(component.name, &entry)?);
        }
    }
    Ok(Arc::new(MetricsStream { stream, iterations, start, rate, output, metrics }))
}

fn realtime(field: &Field<'_>, iterations: i64) -> Result<(Option<i64>, i64)> {
    field.tag(&["realtime"])?;
    let fields = field.fields(&["@type", "startTime", "rateMillis"])?;
    let start = fields.optional("startTime").map(|field| start_time(&field)).transpose()?;
    let rate = fields.required("rateMillis")?.integer(1, i64::MAX)?;
    Timer { start: start.unwrap_or(0), step: rate }.check_end(field, iterations, 0)?;
    Ok((start, rate))
}

fn refuse_odd_name(entry: &Entry<'_>) -> Result<()> {
    if entry.name.trim().is_empty() || entry.name.chars().any(char::is_control) {
        return Err(entry.name_error("a name must not be empty or hold control characters"));
    }
    Ok(())
}

/// Reads the metric of this component.
pub(crate) fn metric(component: &str, entry: &Entry<'_>) -> Result<Metric> {
    refuse_odd_name(entry)?;
    let fields = entry.field.fields(&["unit", "minValue", "maxValue"])?;
    let unit = fields.required("unit")?.words()?.to_owned();
    let least = fields.required("minValue")?.number()?;
    let most_field = fields.required("maxValue")?;
    let most = most_field.number()?;
    refuse_less(&most_field, most, "minValue", least)?;
    let decimals = decimals_for(least.abs().max(most.abs()), finest_step(least, most));
    let range = fixed_range(least, most, decimals);
    Ok(Metric { component: component.to_owned(), name: entry.name.to_owned(), unit, decimals, range })
}

impl Work for MetricsStream {
    fn kind(&self) -> &'static str {
        KIND.name
    }

    fn rows(&self) -> u64 {
        (self.metrics.len() as u64).saturating_mul(self.iterations.unsigned_abs())
    }

    fn stream_target(&self) -> Option<&StreamTarget> {
        self.stream.as_ref().filter(|_| self.output.is_none())
    }

    fn run(&self, seed: u64, options: &Options<'_>, watch: &dyn Watch) -> Result<Report> {
        let meter = Meter::new(watch, self.iterations.unsigned_abs());
        if let (Some(send), None, None) = (options.send, &options.output, &self.output) {
            self.send(send, seed, options, &meter)?;
            return Ok(Report {
                kind: KIND.name,
                seed,
                files: Vec::new(),
                rows: meter.rows(),
                bytes: meter.bytes(),
            });
        }
        let files = match self.target(options)? {
            None => {
                self.write(Lines::stdout(), Shape::Json, seed, options, &meter)?;
                Vec::new()
            }
            Some(path) => {
                let (folder, name) = split(&path)?;
                let staging = Staging::open(folder)?;
                let (plain, gzip) = name.strip_suffix(".gz").map_or((name, false), |plain| (plain, true));
                let shape = if plain.ends_with(".csv") { Shape::Csv } else { Shape::Json };
                let lines = staging.file(name, gzip, BUFFER_BYTES)?;
                let finished = self.write(lines, shape, seed, options, &meter)?;
                staging.publish(finished.into_iter().collect())?
            }
        };
        Ok(Report { kind: KIND.name, seed, files, rows: meter.rows(), bytes: meter.bytes() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Json,
    Csv,
}

fn split(path: &Path) -> Result<(&Path, &str)> {
    match (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        (Some(folder), Some(name)) => Ok((folder, name)),
        _ => Err(Error::invalid(format!("`{}` cannot name a file", path.display()))
            .hint("name a file with `--output FILE`")),
    }
}

impl MetricsStream {
    /// The file to write, or none for standard output.
    fn target(&self, options: &Options<'_>) -> Result<Option<PathBuf>> {
        match (&options.output, &self.output) {
            (Some(Output::Stdout), _) => Ok(None),
            (Some(Output::Path(path)), of_task) => {
                let joined = options.base_dir.join(path);
                let is_folder = joined.is_dir() || path.to_string_lossy().ends_with('/');
                let own = of_task.as_deref().and_then(|path| Path::new(path).file_name());
                let file = if is_folder { joined.join(own.unwrap_or(DEFAULT_FILE.as_ref())) } else { joined };
                Ok(Some(file))
            }
            (None, Some(path)) => Ok(Some(options.base_dir.join(path))),
            (None, None) => {
                let name = self.stream.as_ref().map(|stream| stream.name.as_str()).unwrap_or_default();
                Err(Error::unsupported(format!("cannot write to the stream `{name}`"))
                    .why("whoever runs the task here takes files only")
                    .hint("pass `--output FILE` for a file, or `--output -` for standard output"))
            }
        }
    }

    fn timer(&self, options: &Options<'_>) -> Result<Timer> {
        let timer =
            Timer { start: self.start.unwrap_or_else(|| options.now.timestamp_millis()), step: self.rate };
        if timer.fits(self.iterations, 0) {
            return Ok(timer);
        }
        Err(Error::invalid(format!("{} iterations from now end after the year 9999", self.iterations))
            .hint("use fewer iterations or a smaller `timer.rateMillis`"))
    }

    /// Waits until an iteration is due, if the caller wants that.
    fn wait(&self, iteration: i64, options: &Options<'_>, meter: &Meter<'_>) -> Result<()> {
        let Some(wait_until) = options.wait_until else { return Ok(()) };
        wait_until(options.now + TimeDelta::milliseconds(self.rate.saturating_mul(iteration)));
        // Cancelled while waiting: the event is not due.
        meter.advance(0, 0, 0)
    }

    /// Hands the events on, in the order of time: as they are due, or in batches as large as a request takes.
    fn send(
        &self,
        send: crate::options::SendEvents<'_>,
        seed: u64,
        options: &Options<'_>,
        meter: &Meter<'_>,
    ) -> Result<()> {
        let timer = self.timer(options)?;
        let mut events: Vec<Event<'_>> =
            self.metrics.iter().map(|metric| event(metric, Shape::Json, seed)).collect::<Result<_>>()?;
        let per_iteration = events.len() as u64;
        let mut time = TimeText::new(TimeFormat::Iso);
        let (mut batch, mut bytes, mut counted) = (Vec::new(), 0, 0);
        for iteration in 0..self.iterations {
            self.wait(iteration, options, meter)?;
            let time = time.at(timer.at(iteration));
            for event in &mut events {
                let mut data = Vec::with_capacity(160);
                event.push(&mut data, time);
                data.pop();
                bytes += data.len() as u64;
                let key = format!("{}/{}", event.metric.component, event.metric.name);
                batch.push(StreamEvent { key, data });
                if batch.len() == BATCH {
                    send(std::mem::take(&mut batch))?;
                }
            }
            let due = options.wait_until.is_some() || batch.is_empty() || iteration + 1 == self.iterations;
            if due {
                if !batch.is_empty() {
                    send(std::mem::take(&mut batch))?;
                }
                let done = iteration.unsigned_abs() + 1 - counted;
                counted += done;
                meter.advance(done, done * per_iteration, std::mem::take(&mut bytes))?;
            }
        }
        Ok(())
    }

    fn write(
        &self,
        mut lines: Lines,
        shape: Shape,
        seed: u64,
        options: &Options<'_>,
        meter: &Meter<'_>,
    ) -> Result<Option<crate::output::Finished>> {
        let timer = self.timer(options)?;
        let mut events: Vec<Event<'_>> =
            self.metrics.iter().map(|metric| event(metric, shape, seed)).collect::<Result<_>>()?;
        if shape == Shape::Csv {
            lines.buffer.extend_from_slice(HEADER.as_bytes());
        }
        let per_iteration = events.len() as u64;
        let mut time = TimeText::new(TimeFormat::Iso);
        let mut counted = 0;
        for iteration in 0..self.iterations {
            self.wait(iteration, options, meter)?;
            let time = time.at(timer.at(iteration));
            for event in &mut events {
                event.push(&mut lines.buffer, time);
            }
            if lines.is_full() || options.wait_until.is_some() {
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

/// A metric's random numbers and what stands before the value, between value and time, and after the time.
pub(crate) struct Event<'a> {
    metric: &'a Metric,
    pub(crate) random: Random,
    before: Vec<u8>,
    between: &'static [u8],
    after: &'static [u8],
}

pub(crate) fn event<'a>(metric: &'a Metric, shape: Shape, seed: u64) -> Result<Event<'a>> {
    let Metric { component, name, unit, .. } = metric;
    let random = Random::stream(seed, &[component, name]);
    let cells = [component, name, unit];
    Ok(match shape {
        Shape::Csv => {
            let [component, name, unit] = cells.map(|cell| csv_cell(cell));
            let before = format!("{component},{name},{unit},").into_bytes();
            Event { metric, random, before, between: b",", after: b"\n" }
        }
        Shape::Json => {
            let quoted = |text: &str| {
                serde_json::to_string(text)
                    .map_err(|cause| Error::internal("cannot write a string as JSON").source_is(cause))
            };
            let before = format!(
                r#"{{"componentName":{},"metricName":{},"unit":{},"value":"#,
                quoted(component)?,
                quoted(name)?,
                quoted(unit)?
            );
            let between = br#","publicationTimestamp":""#;
            Event { metric, random, before: before.into_bytes(), between, after: b"\"}\n" }
        }
    })
}

impl Event<'_> {
    #[inline]
    pub(crate) fn push(&mut self, out: &mut Vec<u8>, time: &[u8]) {
        let (least, most) = self.metric.range;
        out.extend_from_slice(&self.before);
        push_fixed(out, self.random.between(least, most), self.metric.decimals);
        out.extend_from_slice(self.between);
        out.extend_from_slice(time);
        out.extend_from_slice(self.after);
    }
}
