//! `anpr-records`: what cameras above roads saw, as Parquet in Hive folders of the hour of ARRIVAL, as a delivery stream
//! leaves them. Some records arrive long after they were made, so that folder and event time differ.
//!
//! One record arrives per iteration. Every file is made on its own, with random numbers of its own.

use crate::fields::{Field, Fields};
use crate::output::{Finished, Staging};
use crate::parquet::Layout;
use crate::random::Random;
use crate::report::Meter;
use crate::task::{Kind, Work, in_parallel, output_folder};
use crate::timer::Timer;
use crate::{Options, Report, Watch};
use arrow::array::{ArrayRef, Int32Array, Int64Array, TimestampMillisecondArray};
use chrono::DateTime;
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;

pub(crate) const KIND: Kind = Kind { name: "anpr-records", parse };

const MINUTE: i64 = 60_000;
/// Rows are made and encoded in batches of this many.
const BATCH: i64 = 1 << 16;
const MAX_FILES: usize = 100_000;
const YEAR: i64 = 366 * 86_400_000;

#[derive(Debug)]
struct Anpr {
    iterations: i64,
    timer: Timer,
    cameras: i64,
    /// Milliseconds between event and arrival, of ordinary records and at most of late ones.
    lag: (i64, i64),
    late_max: i64,
    late_share: f64,
    output: String,
    layout: Layout,
    files: Vec<Slice>,
}

/// The records of one file.
#[derive(Debug)]
struct Slice {
    /// Milliseconds since 1970.
    begin: i64,
    iterations: std::ops::Range<i64>,
}

fn parse(root: &Field<'_>) -> Result<Arc<dyn Work>> {
    let fields = root.fields(&[
        "@type",
        "randomSeed",
        "numberOfIterations",
        "timer",
        "cameras",
        "networkLagMinMillis",
        "networkLagMaxMillis",
        "lateShare",
        "lateMaxMillis",
        "minutesPerFile",
        "compression",
        "outputDirectoryPath",
    ])?;
    let iterations = fields.required("numberOfIterations")?.integer(1, i64::MAX)?;
    let timer_field = fields.required("timer")?;
    let (timer, _) = Timer::synthetic(&timer_field, &[])?;
    timer.check_end(&timer_field, iterations, 0)?;
    let (lag, late_max, late_share) = delays(&fields)?;
    let minutes = minutes_per_file(&fields)?;
    let files = slices(timer, iterations, minutes).ok_or_else(|| {
        timer_field
            .error(format!("the records are spread over more than {MAX_FILES} files"))
            .hint("use fewer iterations, a smaller `timer.stepMillis`, or a larger `minutesPerFile`")
    })?;
    let columns = [
        ("uniqueid", SqlType::Integer),
        ("speed", SqlType::Integer),
        ("trafficjamindicator", SqlType::Integer),
        ("recordtimestamp", SqlType::BigInt),
        ("originalrecordtimestamp", SqlType::Timestamp(3)),
    ];
    Ok(Arc::new(Anpr {
        iterations,
        timer,
        cameras: fields.optional("cameras").map_or(Ok(300), |field| field.integer(1, 1_000_000_000))?,
        lag,
        late_max,
        late_share,
        output: fields.required("outputDirectoryPath")?.file_path()?.to_owned(),
        layout: Layout::new(&columns, &fields)?,
        files,
    }))
}

/// The ordinary lag, the longest delay, and the share of late records.
fn delays(fields: &Fields<'_>) -> Result<((i64, i64), i64, f64)> {
    let millis = |name: &str, least: i64| -> Result<Option<(i64, Field<'_>)>> {
        fields.optional(name).map(|field| Ok((field.integer(least, YEAR)?, field))).transpose()
    };
    let least = millis("networkLagMinMillis", 0)?.map_or(0, |(value, _)| value);
    let most = match millis("networkLagMaxMillis", 0)? {
        Some((most, field)) if most < least => {
            return Err(field.error(format!(
                "`networkLagMaxMillis` is {most}, less than `networkLagMinMillis`, which is {least}"
            )));
        }
        Some((most, _)) => most,
        None => least,
    };
    let share = fields.optional("lateShare").map_or(Ok(0.0), |field| field.share())?;
    let late = match millis("lateMaxMillis", 1)? {
        Some((late, field)) if late <= most => {
            return Err(field.error(format!(
                "`lateMaxMillis` is {late}, but must be more than `networkLagMaxMillis`, which is {most}"
            )));
        }
        Some((late, _)) => late,
        None if share > 0.0 => {
            return Err(fields.missing("lateMaxMillis").hint("say how late a late record may be"));
        }
        None => most,
    };
    Ok(((least, most), late, share))
}

fn minutes_per_file(fields: &Fields<'_>) -> Result<i64> {
    let Some(field) = fields.optional("minutesPerFile") else { return Ok(60) };
    let minutes = field.integer(1, 60)?;
    if 60 % minutes == 0 {
        return Ok(minutes);
    }
    Err(field
        .error(format!("`minutesPerFile` must divide an hour, which {minutes} does not"))
        .hint("use 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60"))
}

/// The files and the iterations whose records arrive in each; none when there are too many.
fn slices(timer: Timer, iterations: i64, minutes: i64) -> Option<Vec<Slice>> {
    let length = minutes * MINUTE;
    let mut files = Vec::new();
    let mut from = 0;
    while from < iterations {
        if files.len() >= MAX_FILES {
            return None;
        }
        let begin = timer.at(from).div_euclid(length) * length;
        // The first iteration at or after the slice's end.
        let left = begin + length - timer.start;
        let to = (left / timer.step + i64::from(left % timer.step > 0)).clamp(from + 1, iterations);
        files.push(Slice { begin, iterations: from..to });
        from = to;
    }
    Some(files)
}

impl Slice {
    fn file_name(&self) -> Result<String> {
        let begin = DateTime::from_timestamp_millis(self.begin)
            .ok_or_else(|| Error::internal("a file of generated records begins beyond all calendars"))?;
        let pattern = "year=%Y/month=%m/day=%d/hour=%H/anpr-%Y-%m-%d-%H-%M.parquet";
        Ok(begin.format(pattern).to_string())
    }
}

impl Work for Anpr {
    fn kind(&self) -> &'static str {
        KIND.name
    }

    fn rows(&self) -> u64 {
        self.iterations.unsigned_abs()
    }

    fn run(&self, seed: u64, options: &Options<'_>, watch: &dyn Watch) -> Result<Report> {
        let staging = Staging::open(&output_folder(options, &self.output)?)?;
        let meter = Meter::new(watch, self.rows());
        let finished = in_parallel(&self.files, |slice| self.write(slice, seed, &staging, &meter))?;
        let files = staging.publish(finished.into_iter().flatten().collect())?;
        Ok(Report { kind: KIND.name, seed, files, rows: meter.rows(), bytes: meter.bytes() })
    }
}

impl Anpr {
    fn write(
        &self,
        slice: &Slice,
        seed: u64,
        staging: &Staging,
        meter: &Meter<'_>,
    ) -> Result<Option<Finished>> {
        let name = slice.file_name()?;
        let mut random = Random::stream(seed, &["anpr", &name]);
        let mut file = self.layout.file(staging, &name)?;
        let mut from = slice.iterations.start;
        while from < slice.iterations.end {
            let to = slice.iterations.end.min(from + BATCH);
            file.write(self.batch(from..to, &mut random)?, meter)?;
            from = to;
        }
        file.finish(meter)
    }

    fn batch(&self, iterations: std::ops::Range<i64>, random: &mut Random) -> Result<Vec<ArrayRef>> {
        let rows = usize::try_from(iterations.end - iterations.start)
            .map_err(|_| Error::internal("a batch of generated records has no rows"))?;
        let mut cameras = Vec::with_capacity(rows);
        let mut speeds = Vec::with_capacity(rows);
        let mut jams = Vec::with_capacity(rows);
        let mut arrivals = Vec::with_capacity(rows);
        let mut events = Vec::with_capacity(rows);
        for iteration in iterations {
            let jam = random.chance(0.06);
            let delay = if self.late_share > 0.0 && random.chance(self.late_share) {
                random.between(self.lag.1 + 1, self.late_max)
            } else {
                random.between(self.lag.0, self.lag.1)
            };
            // Cameras are counted below 2^31.
            cameras.push(random.between(1, self.cameras) as i32);
            speeds.push(if jam { random.between(0, 40) } else { random.between(50, 140) } as i32);
            jams.push(i32::from(jam));
            arrivals.push(self.timer.at(iteration));
            events.push(self.timer.at(iteration) - delay);
        }
        Ok(vec![
            Arc::new(Int32Array::from(cameras)),
            Arc::new(Int32Array::from(speeds)),
            Arc::new(Int32Array::from(jams)),
            Arc::new(Int64Array::from(arrivals)),
            Arc::new(TimestampMillisecondArray::from(events)),
        ])
    }
}
