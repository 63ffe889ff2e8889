//! Parquet files of several pages and row groups, written here and read by Parquet's own library: values, nulls, bounds.

use arrow::array::*;
use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use formats::{WriteFormat, WriteSpec, encoder};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Encoding;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use sql::SqlType;
use std::sync::Arc;

const ROWS: usize = 41_001;

/// A number that looks like chance.
fn mixed(at: usize) -> u64 {
    (at as u64 ^ 0x5bd1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(23)
        .wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// Whether a row's value is missing: never, in runs, here and there, always.
const MISSING: [fn(usize) -> bool; 4] =
    [|_| false, |at| at / 10_000 % 3 == 1, |at| mixed(at).is_multiple_of(7), |_| true];

/// The whole number of a row.
type Pattern = fn(usize) -> i64;

fn columns() -> Vec<(String, ArrayRef)> {
    let mut all: Vec<(String, ArrayRef)> = Vec::new();
    let whole: [(&str, Pattern); 6] = [
        ("same", |_| -7),
        ("few", |at| (mixed(at) % 23) as i64 - 11),
        ("runs", |at| (at / 1000 % 9) as i64),
        ("many", |at| mixed(at) as i64),
        ("rising", |at| 1_772_323_200_000 + (at as i64 / 3) * 1000),
        // Few in the first page, then so many that the dictionary is left.
        ("later", |at| if at < 20_000 { (at % 5) as i64 } else { mixed(at) as i64 }),
    ];
    for (number, is_missing) in MISSING.iter().enumerate() {
        let there = |at: &usize| !is_missing(*at);
        for (name, value) in whole {
            macro_rules! column {
                ($kind:literal, $array:ty, $of:expr) => {
                    let of = $of;
                    let values = (0..ROWS).map(|at| Some(at).filter(there).map(|at| of(value(at))));
                    let array: ArrayRef = Arc::new(values.collect::<$array>());
                    all.push((format!("{name}_{}_{number}", $kind), array));
                };
            }
            column!("i32", Int32Array, |v| v as i32);
            column!("i64", Int64Array, |v| v);
            column!("us", TimestampMicrosecondArray, |v| v);
            column!("f32", Float32Array, |v| v as f32 / 4.0);
            // Zeros of both signs, numbers that are none.
            column!("f64", Float64Array, |v: i64| match v % 13 {
                0 => -0.0,
                1 => f64::NAN,
                2 => 0.0,
                _ => v as f64 / 8.0,
            });
            column!("bool", BooleanArray, |v| v % 2 == 0);
            column!("text", StringViewArray, |v: i64| match v % 3 {
                0 => format!("{v}"),
                1 => format!("a longer text, {v}"),
                _ => "é".repeat(40) + &v.to_string(),
            });
            // These go the ways of the others.
            if name == "many" {
                column!("i16", Int16Array, |v| v as i16);
                column!("date", Date32Array, |v| v as i32);
                column!("ms", TimestampMillisecondArray, |v| v);
                column!("utf8", StringArray, |v: i64| format!("v{v}"));
                column!("bytes", BinaryViewArray, |v: i64| v.to_le_bytes());
            }
        }
    }
    all
}

fn written(spec: &WriteSpec, batch: &RecordBatch) -> Bytes {
    let types = vec![SqlType::VARCHAR; batch.num_columns()];
    let mut encoder = encoder(spec, batch.schema(), &types).unwrap();
    let mut bytes = Vec::new();
    for from in (0..batch.num_rows()).step_by(8191) {
        encoder.write(&batch.slice(from, 8191.min(batch.num_rows() - from))).unwrap();
        bytes.extend_from_slice(&encoder.take());
    }
    let finished = encoder.finish().unwrap();
    assert_eq!(finished.rows, batch.num_rows() as u64);
    bytes.extend_from_slice(&finished.bytes);
    assert_eq!(finished.size, bytes.len() as u64);
    bytes.into()
}

fn read(bytes: &Bytes, schema: &Schema) -> (RecordBatch, Arc<ParquetMetaData>) {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options).unwrap();
    let metadata = reader.metadata().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let batch = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
    let arrays = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(array, field)| arrow::compute::cast(array, field.data_type()).unwrap());
    (RecordBatch::try_new(Arc::new(schema.clone()), arrays.collect()).unwrap(), metadata)
}

/// The values of a statistic within which all of the chunk lie.
fn is_within(statistics: &Statistics, array: &dyn Array) -> bool {
    macro_rules! within {
        ($s:expr, $values:expr) => {{
            let (least, most) = ($s.min_opt(), $s.max_opt());
            $values.flatten().all(|v| least.is_some_and(|l| *l <= v) && most.is_some_and(|m| *m >= v))
        }};
    }
    match statistics {
        Statistics::Int32(s) => {
            let cast = arrow::compute::cast(array, &DataType::Int32).unwrap();
            within!(s, cast.as_primitive::<arrow::datatypes::Int32Type>().iter())
        }
        Statistics::Int64(s) => {
            let cast = arrow::compute::cast(array, &DataType::Int64).unwrap();
            within!(s, cast.as_primitive::<arrow::datatypes::Int64Type>().iter())
        }
        Statistics::Float(s) => within!(s, array.as_primitive::<arrow::datatypes::Float32Type>().iter()),
        Statistics::Double(s) => {
            let values = array.as_primitive::<arrow::datatypes::Float64Type>().iter();
            within!(s, values.map(|v| v.filter(|v| !v.is_nan())))
        }
        Statistics::ByteArray(s) => {
            let cast = arrow::compute::cast(array, &DataType::Binary).unwrap();
            let (least, most) = (s.min_opt(), s.max_opt());
            let within = |v: &[u8]| {
                least.is_some_and(|l| l.data() <= v)
                    && most.is_some_and(|m| m.data() >= v && m.data().len() < 80)
            };
            cast.as_binary::<i32>().iter().flatten().all(within)
        }
        _ => true,
    }
}

#[test]
fn what_is_written_reads_back_with_bounds_that_hold() {
    let columns = columns();
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    for (codec, group) in [("zstd", 1 << 20), ("none", 20_000)] {
        let spec = WriteSpec {
            compression: Some(codec.to_owned()),
            row_group_rows: Some(group),
            ..WriteSpec::new(WriteFormat::Parquet)
        };
        let bytes = written(&spec, &batch);
        let (back, metadata) = read(&bytes, &batch.schema());
        assert_eq!(metadata.num_row_groups(), ROWS.div_ceil(group));
        for (at, field) in batch.schema().fields().iter().enumerate() {
            // Equal by their bits: zeros of different signs, and what is no number.
            assert!(back.column(at).to_data() == batch.column(at).to_data(), "{codec}: {}", field.name());
            let mut from = 0;
            for (number, rows) in metadata.row_groups().iter().enumerate() {
                let array = batch.column(at).slice(from, rows.num_rows() as usize);
                from += rows.num_rows() as usize;
                let chunk = rows.column(at);
                let statistics = chunk.statistics().unwrap();
                assert_eq!(statistics.null_count_opt(), Some(array.null_count() as u64), "{}", field.name());
                assert!(is_within(statistics, &array), "{codec}: {} {statistics:?}", field.name());
                let pages = &metadata.offset_index().unwrap()[number][at];
                // The library has its own rule for what it writes.
                let is_own = *field.data_type() != DataType::Boolean;
                let least = if is_own { array.len().div_ceil(20_000) } else { 1 };
                assert!(pages.page_locations.len() >= least, "{}", field.name());
                let nulls = match &metadata.column_index().unwrap()[number][at] {
                    ColumnIndexMetaData::NONE => continue,
                    index => index.null_counts().unwrap().clone(),
                };
                assert_eq!(nulls.iter().sum::<i64>(), array.null_count() as i64, "{}", field.name());
            }
        }
    }
}

#[test]
fn each_column_is_written_in_the_way_that_suits_it() {
    let wanted =
        ["few_i64_0", "many_i64_0", "rising_us_0", "later_i64_0", "few_text_2", "many_text_0", "many_f64_0"];
    let columns: Vec<(String, ArrayRef)> =
        columns().into_iter().filter(|(name, _)| wanted.contains(&name.as_str())).collect();
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let bytes = written(&WriteSpec::new(WriteFormat::Parquet), &batch);
    let (_, metadata) = read(&bytes, &batch.schema());
    let encodings = |name: &str| {
        let at = batch.schema().index_of(name).unwrap();
        let all: Vec<Encoding> = metadata.row_group(0).column(at).encodings().collect();
        all
    };
    let has = |name: &str, encoding| encodings(name).contains(&encoding);
    assert!(has("few_i64_0", Encoding::RLE_DICTIONARY) && !has("few_i64_0", Encoding::DELTA_BINARY_PACKED));
    assert!(has("many_i64_0", Encoding::DELTA_BINARY_PACKED) && !has("many_i64_0", Encoding::RLE_DICTIONARY));
    assert!(has("rising_us_0", Encoding::DELTA_BINARY_PACKED));
    assert!(has("later_i64_0", Encoding::RLE_DICTIONARY) && has("few_text_2", Encoding::RLE_DICTIONARY));
    assert!(!has("many_text_0", Encoding::RLE_DICTIONARY) && !has("many_f64_0", Encoding::RLE_DICTIONARY));
}
