//! `taxi-trips`: a month of taxi trips as Parquet, with the columns and the flaws of the files that New York publishes:
//! trips without passenger count, without a time, ended before they began, or of other months.
//!
//! Trips are made in blocks with random numbers of their own, so that they are the same in one file and in many.

use crate::fields::{Field, Fields};
use crate::output::{Finished, Staging};
use crate::parquet::Layout;
use crate::random::Random;
use crate::report::Meter;
use crate::task::{Kind, Work, in_parallel, output_folder};
use crate::{Options, Report, Watch};
use block::{Block, columns};
use chrono::{Months, NaiveDate, NaiveTime};
use model::Result;
use std::sync::Arc;

mod block;

pub(crate) const KIND: Kind = Kind { name: "taxi-trips", parse };

/// Trips per block.
const BLOCK: u64 = 8192;

#[derive(Debug)]
struct TaxiTrips {
    name: String,
    month: Month,
    trips: u64,
    shares: Shares,
    output: String,
    layout: Layout,
    files: Vec<Part>,
}

/// The month that the trips belong to, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Month {
    start: i64,
    end: i64,
}

/// How many trips have each flaw; the last three exclude each other.
#[derive(Debug, Clone, Copy)]
struct Shares {
    /// Without passenger count, rate code, flag, surcharge and airport fee.
    unknown: f64,
    no_time: f64,
    negative: f64,
    other_month: f64,
}

/// One file: the blocks in it.
#[derive(Debug)]
struct Part {
    name: String,
    blocks: std::ops::Range<u64>,
}

fn parse(root: &Field<'_>) -> Result<Arc<dyn Work>> {
    let fields = root.fields(&[
        "@type",
        "randomSeed",
        "month",
        "numberOfTrips",
        "numberOfFiles",
        "nullShare",
        "nullTimeShare",
        "negativeDurationShare",
        "otherMonthShare",
        "compression",
        "outputDirectoryPath",
    ])?;
    let (name, month) = month(&fields.required("month")?)?;
    let trips = fields.required("numberOfTrips")?.integer(1, i64::MAX / 1_000_000)?.unsigned_abs();
    Ok(Arc::new(TaxiTrips {
        files: parts(&fields, &name, trips)?,
        name,
        month,
        trips,
        shares: shares(&fields)?,
        output: fields.required("outputDirectoryPath")?.file_path()?.to_owned(),
        layout: Layout::new(&columns(), &fields)?,
    }))
}

fn month(field: &Field<'_>) -> Result<(String, Month)> {
    let text = field.text()?;
    let wrong = || {
        field
            .error(format!("`{}` must be a month of the years 1970 to 9998, but is `{text}`", field.path()))
            .hint("write it like 2021-03")
    };
    let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok();
    let first = first.filter(|first| first.format("%Y-%m").to_string() == text).ok_or_else(wrong)?;
    let next = first.checked_add_months(Months::new(1)).ok_or_else(wrong)?;
    let seconds = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp();
    let month = Month { start: seconds(first), end: seconds(next) };
    if month.start < 0 || text > "9998-12" {
        return Err(wrong());
    }
    Ok((text.to_owned(), month))
}

fn shares(fields: &Fields<'_>) -> Result<Shares> {
    let share =
        |name: &str, usual: f64| fields.optional(name).map_or(Ok(usual), |field: Field<'_>| field.share());
    let shares = Shares {
        unknown: share("nullShare", 0.05)?,
        no_time: share("nullTimeShare", 0.001)?,
        negative: share("negativeDurationShare", 0.001)?,
        other_month: share("otherMonthShare", 0.001)?,
    };
    let flawed = shares.no_time + shares.negative + shares.other_month;
    let last = ["otherMonthShare", "negativeDurationShare", "nullTimeShare"];
    match last.into_iter().find_map(|name| fields.optional(name)).filter(|_| flawed > 1.0) {
        None => Ok(shares),
        Some(field) => Err(field.error(format!(
            "`nullTimeShare`, `negativeDurationShare` and `otherMonthShare` are {flawed} together, more than 1"
        ))),
    }
}

fn parts(fields: &Fields<'_>, month: &str, trips: u64) -> Result<Vec<Part>> {
    let blocks = trips.div_ceil(BLOCK);
    let files = match fields.optional("numberOfFiles") {
        None => 1,
        Some(field) => {
            let files = field.integer(1, 10_000)?.unsigned_abs();
            if files > blocks {
                return Err(field
                    .error(format!("`numberOfFiles` is {files}, too many for {trips} trips"))
                    .why(format!("trips are made in blocks of {BLOCK}, and a file has at least one"))
                    .hint(format!("use at most {blocks}")));
            }
            files
        }
    };
    let part = |index: u64| {
        let number = if files == 1 { String::new() } else { format!("_{:04}", index + 1) };
        let name = format!("yellow_tripdata_{month}{number}.parquet");
        Part { name, blocks: (index * blocks / files)..((index + 1) * blocks / files) }
    };
    Ok((0..files).map(part).collect())
}

impl Work for TaxiTrips {
    fn kind(&self) -> &'static str {
        KIND.name
    }

    fn rows(&self) -> u64 {
        self.trips
    }

    fn run(&self, seed: u64, options: &Options<'_>, watch: &dyn Watch) -> Result<Report> {
        let staging = Staging::open(&output_folder(options, &self.output)?)?;
        let meter = Meter::new(watch, self.rows());
        let finished = in_parallel(&self.files, |part| self.write(part, seed, &staging, &meter))?;
        let files = staging.publish(finished.into_iter().flatten().collect())?;
        Ok(Report { kind: KIND.name, seed, files, rows: meter.rows(), bytes: meter.bytes() })
    }
}

impl TaxiTrips {
    fn write(
        &self,
        part: &Part,
        seed: u64,
        staging: &Staging,
        meter: &Meter<'_>,
    ) -> Result<Option<Finished>> {
        let mut file = self.layout.file(staging, &part.name)?;
        for block in part.blocks.clone() {
            let mut random = Random::stream(seed, &["taxi", &self.name, &block.to_string()]);
            let trips = (block * BLOCK)..((block + 1) * BLOCK).min(self.trips);
            let mut made = Block::default();
            for trip in trips {
                made.add(self.usual_pickup(trip), self.month, self.shares, &mut random);
            }
            file.write(made.into_columns(), meter)?;
        }
        file.finish(meter)
    }

    /// The beginning of a trip if nothing is random: trips are spread evenly over the month, which is roughly the order
    /// of a published file.
    fn usual_pickup(&self, trip: u64) -> i64 {
        let length = i128::from(self.month.end - self.month.start);
        (i128::from(trip) * length / i128::from(self.trips.max(1))) as i64
    }
}
