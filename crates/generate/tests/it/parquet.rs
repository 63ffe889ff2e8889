//! The tasks that write Parquet: camera records in folders of their arrival, taxi trips with flaws. Read back with the
//! `parquet` crate; the binary's tests read them with pyarrow.

use crate::samples::{ANPR, StopAfter, TAXI, files, made, options};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{
    Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
};
use chrono::{DateTime, Datelike};
use generate::{Task, run};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn read(bytes: &[u8]) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::copy_from_slice(bytes)).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// Lag of every record, after checking that its folder and file are those of its arrival.
fn lags(files: &BTreeMap<String, Vec<u8>>, minutes: i64) -> Vec<i64> {
    let mut lags = Vec::new();
    let mut arrived = Vec::new();
    for (name, bytes) in files {
        let batch = read(bytes);
        let arrivals = batch.column_by_name("recordtimestamp").unwrap().as_primitive::<Int64Type>();
        let events = batch.column_by_name("originalrecordtimestamp").unwrap();
        let events = events.as_primitive::<TimestampMillisecondType>();
        let speeds = batch.column_by_name("speed").unwrap().as_primitive::<Int32Type>();
        let cameras = batch.column_by_name("uniqueid").unwrap().as_primitive::<Int32Type>();
        let jams = batch.column_by_name("trafficjamindicator").unwrap().as_primitive::<Int32Type>();
        assert_eq!(batch.columns().iter().map(|c| c.null_count()).sum::<usize>(), 0);
        for row in 0..batch.num_rows() {
            let arrival = arrivals.value(row);
            let begin = arrival.div_euclid(minutes * 60_000) * minutes * 60_000;
            let expected = DateTime::from_timestamp_millis(begin)
                .unwrap()
                .format("anpr/year=%Y/month=%m/day=%d/hour=%H/anpr-%Y-%m-%d-%H-%M.parquet");
            assert_eq!(*name, expected.to_string());
            assert!((1..=20).contains(&cameras.value(row)));
            assert!(if jams.value(row) == 1 { 0..=40 } else { 50..=140 }.contains(&speeds.value(row)));
            arrived.push(arrival);
            lags.push(arrival - events.value(row));
        }
    }
    assert!(arrived.is_sorted());
    lags
}

fn anpr(iterations: u64, step: i64, minutes: i64) -> String {
    ANPR.replace("\"numberOfIterations\": 2000", &format!("\"numberOfIterations\": {iterations}"))
        .replace("\"stepMillis\": 4500", &format!("\"stepMillis\": {step}"))
        .replace("\"minutesPerFile\": 30", &format!("\"minutesPerFile\": {minutes}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn records_lie_in_the_folder_of_their_arrival_and_are_never_early(
        iterations in 1u64..300, step in 1i64..200_000, minutes in prop::sample::select(vec![1, 7 - 1, 15, 60]),
    ) {
        let lags = lags(&made(&anpr(iterations, step, minutes)), minutes);
        prop_assert_eq!(lags.len() as u64, iterations);
        prop_assert!(lags.iter().all(|lag| (20..=7_200_000).contains(lag)));
    }
}

#[test]
fn about_the_wanted_share_is_late() {
    let lags = lags(&made(&anpr(20_000, 100, 30)), 30);
    let late = lags.iter().filter(|lag| **lag > 900).count();
    assert!((680..920).contains(&late), "{late} of 20000");
    assert!(lags.iter().max().unwrap() > &7_000_000);
    let punctual = ANPR.replace("\"lateShare\": 0.04, \"lateMaxMillis\": 7200000,", "");
    let lags = self::lags(&made(&punctual), 30);
    assert!(lags.iter().all(|lag| (20..=900).contains(lag)));
}

#[test]
fn a_few_records_are_exactly_these() {
    let files = made(&anpr(6, 1_500_000, 30));
    let shown: Vec<String> = files
        .iter()
        .map(|(name, bytes)| {
            format!("{name}\n{}", arrow::util::pretty::pretty_format_batches(&[read(bytes)]).unwrap())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

fn taxi(trips: u64, files: u64) -> String {
    TAXI.replace("\"numberOfTrips\": 30000", &format!("\"numberOfTrips\": {trips}"))
        .replace("\"numberOfFiles\": 2", &format!("\"numberOfFiles\": {files}"))
}

/// All trips of all files, one after the other.
fn trips(text: &str) -> RecordBatch {
    let batches: Vec<RecordBatch> = made(text).values().map(|bytes| read(bytes)).collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// Trips without a time, with a negative duration, of another month.
fn flaws(trips: &RecordBatch) -> [usize; 3] {
    let time = |name: &str| {
        trips
            .column_by_name(name)
            .unwrap()
            .as_primitive::<TimestampMicrosecondType>()
            .iter()
            .collect::<Vec<_>>()
    };
    let mut found = [0; 3];
    for (from, to) in time("tpep_pickup_datetime").into_iter().zip(time("tpep_dropoff_datetime")) {
        let (Some(from), Some(to)) = (from, to) else {
            found[0] += 1;
            continue;
        };
        assert_eq!(from % 1_000_000, 0);
        let begin = DateTime::from_timestamp_micros(from).unwrap();
        let other = (begin.year(), begin.month()) != (2021, 2);
        found[2] += usize::from(other);
        found[1] += usize::from(to < from);
        assert!(!(other && to < from) && to - from <= 7_200_000_000);
    }
    found
}

#[test]
fn trips_have_the_published_columns_and_about_the_wanted_flaws() {
    let trips = trips(&taxi(20_000, 3));
    let shown: Vec<String> =
        trips.schema().fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
    insta::assert_snapshot!(shown.join("\n"));
    let [no_time, negative, other_month] = flaws(&trips);
    assert!((310..490).contains(&no_time), "{no_time}");
    assert!((140..260).contains(&negative), "{negative}");
    assert!((490..710).contains(&other_month), "{other_month}");
    for name in ["passenger_count", "RatecodeID", "store_and_fwd_flag", "congestion_surcharge", "airport_fee"]
    {
        let nulls = trips.column_by_name(name).unwrap().null_count();
        assert!((1_820..2_180).contains(&nulls), "{name}: {nulls}");
    }
    assert_eq!(trips.column_by_name("total_amount").unwrap().null_count(), 0);
}

#[test]
fn the_parts_of_a_fare_add_up() {
    let trips = trips(&taxi(4000, 1));
    let cents = |name: &str, row: usize| {
        let column = trips.column_by_name(name).unwrap().as_primitive::<Float64Type>();
        if column.is_null(row) { 0 } else { (column.value(row) * 100.0).round() as i64 }
    };
    let parts = [
        "fare_amount",
        "extra",
        "mta_tax",
        "tip_amount",
        "tolls_amount",
        "improvement_surcharge",
        "congestion_surcharge",
        "airport_fee",
    ];
    for row in 0..trips.num_rows() {
        assert_eq!(parts.map(|name| cents(name, row)).iter().sum::<i64>(), cents("total_amount", row));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]
    #[test]
    fn the_number_of_files_changes_no_trip(count in 1u64..20_000) {
        let blocks = count.div_ceil(8192);
        let one = trips(&taxi(count, 1));
        prop_assert_eq!(one.num_rows() as u64, count);
        prop_assert_eq!(&one, &trips(&taxi(count, blocks)));
        flaws(&one);
    }
}

#[test]
fn shares_of_zero_and_one_are_exact() {
    let clean = taxi(9000, 1).replace(": 0.1, \"nullTimeShare\": 0.02", ": 0, \"nullTimeShare\": 0").replace(
        "\"negativeDurationShare\": 0.01, \"otherMonthShare\": 0.03",
        "\"negativeDurationShare\": 0, \"otherMonthShare\": 0",
    );
    let clean = trips(&clean);
    assert_eq!(flaws(&clean), [0, 0, 0]);
    assert_eq!(clean.columns().iter().map(|c| c.null_count()).sum::<usize>(), 0);
    let backwards = taxi(9000, 1).replace(
        "0.02, \"negativeDurationShare\": 0.01, \"otherMonthShare\": 0.03",
        "0, \"negativeDurationShare\": 1, \"otherMonthShare\": 0",
    );
    assert_eq!(flaws(&trips(&backwards)), [0, 9000, 0]);
}

#[test]
fn every_compression_holds_the_same_rows() {
    let packed = |name: &str| {
        let with = |text: &str| {
            text.replace("\"randomSeed\": 7", &format!("\"randomSeed\": 7, \"compression\": \"{name}\""))
        };
        let anpr: Vec<RecordBatch> = made(&with(ANPR)).values().map(|bytes| read(bytes)).collect();
        (anpr, trips(&with(&taxi(2000, 1))))
    };
    let plain = packed("none");
    for name in ["zstd", "snappy", "gzip"] {
        assert_eq!(packed(name), plain, "{name}");
    }
}

#[test]
fn a_cancelled_run_leaves_no_folders() {
    let folder = tempfile::tempdir().unwrap();
    for text in [anpr(400_000, 100, 10), taxi(400_000, 4)] {
        let task = Task::parse("task.json", &text).unwrap();
        run(&task, &options(folder.path()), &StopAfter::rows(1)).unwrap_err();
        assert!(files(folder.path()).is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_file_where_a_folder_should_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("anpr/year=2020")).unwrap();
    std::fs::write(folder.path().join("anpr/year=2020/month=06"), "mine").unwrap();
    let task = Task::parse("task.json", ANPR).unwrap();
    let error = run(&task, &options(folder.path()), &()).unwrap_err();
    assert!(error.diagnosis().to_string().contains("month=06"), "{error}");
    assert_eq!(files(folder.path()).len(), 1);
}
