//! Avro and ORC files: projections, schema evolution, ranges, damage.

use crate::support::{columns, read_all, rows};
use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use formats::{FormatSpec, Match, OnError, ReadOptions, WriteFormat, WriteSpec, adapt, encoder, split};
use sql::SqlType;
use std::sync::Arc;

fn file(format: WriteFormat, rows: usize, block_bytes: Option<usize>) -> Vec<u8> {
    let columns = columns(&[("Id", "integer"), ("name", "varchar"), ("score", "double")]);
    let types: Vec<SqlType> = columns.iter().map(|c| c.sql_type.clone()).collect();
    let schema = formats::projected_schema(&columns, &[0, 1, 2]);
    let spec = WriteSpec { block_bytes, ..WriteSpec::new(format) };
    let mut writer = encoder(&spec, Arc::clone(&schema), &types).unwrap();
    let mut bytes = Vec::new();
    for start in (0..rows).step_by(100) {
        let ids = start..(start + 100).min(rows);
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(ids.clone().map(|i| i as i32).collect::<Int32Array>()),
            Arc::new(
                ids.clone()
                    .map(|i| (i % 3 > 0).then(|| format!("a longer name {}", i * 7919)))
                    .collect::<arrow::array::StringViewArray>(),
            ),
            Arc::new(ids.map(|i| i as f64 / 4.0).collect::<arrow::array::Float64Array>()),
        ];
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap()).unwrap();
        bytes.extend(writer.take());
    }
    bytes.extend(writer.finish().unwrap().bytes);
    bytes
}

fn both() -> [(FormatSpec, Vec<u8>, &'static str); 2] {
    [
        (FormatSpec::from_name("avro").unwrap(), file(WriteFormat::Avro, 1000, None), "t.avro"),
        (FormatSpec::from_name("orc").unwrap(), file(WriteFormat::Orc, 1000, Some(1 << 16)), "t.orc"),
    ]
}

#[test]
fn columns_by_name_reordered_widened_and_missing() {
    let table =
        columns(&[("score", "double"), ("added", "varchar"), ("ID", "bigint"), ("name", "varchar(8)")]);
    for (spec, bytes, name) in both() {
        let read = |projection: &[usize]| {
            read_all(name, bytes.clone(), &spec, &table, projection, ReadOptions::default()).unwrap()
        };
        let found = rows(&read(&[2, 1, 3, 0]));
        assert_eq!(found.len(), 1000);
        assert_eq!(found[0..2], ["0|NULL|NULL|0.0", "1|NULL|a longer|0.25"], "{name}");
        assert_eq!(read(&[]).iter().map(RecordBatch::num_rows).sum::<usize>(), 1000, "{name}");
        assert_eq!(rows(&read(&[1]))[999], "NULL");
    }
}

#[test]
fn columns_by_position() {
    let table =
        columns(&[("first", "bigint"), ("second", "varchar"), ("third", "double"), ("fourth", "integer")]);
    for (spec, bytes, name) in both() {
        let options = ReadOptions { matching: Match::Index, ..ReadOptions::default() };
        let found = rows(&read_all(name, bytes, &spec, &table, &[3, 2, 0], options).unwrap());
        assert_eq!(found[5], "NULL|1.25|5", "{name}");
    }
}

#[test]
fn ranges_have_every_row_once() {
    let table = columns(&[("id", "integer")]);
    for (spec, bytes, name) in both() {
        for parts in [1, 2, 3, 7, 20] {
            let mut found = Vec::new();
            for range in split(bytes.len() as u64, parts, 1) {
                let options = ReadOptions { range: Some(range), fetch_bytes: 4096, ..ReadOptions::default() };
                found.extend(rows(&read_all(name, bytes.clone(), &spec, &table, &[0], options).unwrap()));
            }
            let expected: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
            assert_eq!(found, expected, "{name} in {parts} parts");
        }
    }
}

#[test]
fn types_that_do_not_convert_are_named() {
    let table = columns(&[("name", "date")]);
    for (spec, bytes, name) in both() {
        let error = read_all(name, bytes, &spec, &table, &[0], ReadOptions::default()).unwrap_err();
        assert_eq!(error.message(), "column `name` is varchar in the file, but date in the table");
        assert!(error.place().unwrap().short().contains(name));
    }
}

#[test]
fn damaged_files_are_errors() {
    let table = columns(&[("id", "integer"), ("name", "varchar"), ("score", "double")]);
    for (spec, bytes, name) in both() {
        for cut in [1, 10, bytes.len() / 2, bytes.len() - 1] {
            let read =
                read_all(name, bytes[..cut].to_vec(), &spec, &table, &[0, 1, 2], ReadOptions::default());
            assert!(read.is_err(), "{name} cut at {cut}");
        }
        // Whatever byte is wrong, it ends with rows or with an error.
        for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x5a;
            let _ = read_all(name, damaged, &spec, &table, &[0, 1, 2], ReadOptions::default());
        }
        assert!(read_all(name, Vec::new(), &spec, &table, &[0], ReadOptions::default()).unwrap().is_empty());
    }
}

#[test]
fn batches_of_other_files_are_adapted() {
    let table = columns(&[
        ("ts", "timestamp(3)"),
        ("r", "row(b varchar, a bigint, missing double)"),
        ("d", "varchar"),
    ]);
    let dictionary: arrow::array::DictionaryArray<arrow::datatypes::Int8Type> =
        vec![Some("x"), None, Some("x")].into_iter().collect();
    let row = arrow::array::StructArray::from(vec![
        (
            Arc::new(arrow::datatypes::Field::new("A", arrow::datatypes::DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])) as ArrayRef,
        ),
        (
            Arc::new(arrow::datatypes::Field::new("b", arrow::datatypes::DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["p", "q", "r"])) as ArrayRef,
        ),
    ]);
    let batch = RecordBatch::try_from_iter([
        ("D", Arc::new(dictionary) as ArrayRef),
        ("R", Arc::new(row) as ArrayRef),
        (
            "TS",
            Arc::new(TimestampNanosecondArray::from(vec![Some(1_500_000_000), Some(-1), None])) as ArrayRef,
        ),
    ])
    .unwrap();
    let adapted = adapt(&batch, &table, &[0, 1, 2], Match::Name).unwrap();
    assert_eq!(
        rows(&[adapted]),
        [
            "1970-01-01T00:00:01.500|{b: p, a: 1, missing: NULL}|x",
            "1969-12-31T23:59:59.999|{b: q, a: NULL, missing: NULL}|NULL",
            "NULL|{b: r, a: 3, missing: NULL}|x"
        ]
    );
    let wide =
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1 << 40])) as ArrayRef)]).unwrap();
    let error = adapt(&wide, &columns(&[("n", "integer")]), &[0], Match::Name).unwrap_err();
    assert_eq!(
        error.message(),
        "column `n` has a value that does not fit: it is bigint in the file, but integer in the table"
    );
}

#[test]
fn what_cannot_be_written_is_refused_by_name() {
    let refused = |format: WriteFormat, column: &str, sql_type: &str| {
        let columns = columns(&[(column, sql_type)]);
        let types = [columns[0].sql_type.clone()];
        encoder(&WriteSpec::new(format), formats::projected_schema(&columns, &[0]), &types)
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        refused(WriteFormat::Orc, "price", "decimal(9,2)"),
        "the column `price` of type decimal(9,2) cannot be written as ORC"
    );
    assert_eq!(refused(WriteFormat::Avro, "a b", "integer"), "the column `a b` cannot be written as Avro");
    let mut spec = WriteSpec::new(WriteFormat::Parquet);
    spec.compression = Some("bzip2".to_owned());
    let columns = columns(&[("a", "integer")]);
    let error = encoder(&spec, formats::projected_schema(&columns, &[0]), &[SqlType::Integer]).err().unwrap();
    assert_eq!(error.message(), "Parquet files cannot be compressed by `bzip2`");
    assert_eq!(OnError::Null, ReadOptions::default().on_error);
}
