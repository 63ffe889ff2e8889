//! What is written reads back equal, whatever the values.

use crate::support::read_all;
use arrow::array::{ArrayRef, RecordBatch};
use formats::{
    Column, CsvSpec, DelimitedSpec, Encoder, FormatSpec, JsonSpec, ReadOptions, WriteFormat, WriteSpec,
    encoder,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sql::SqlType;
use std::sync::Arc;

/// A column of values, made by the builders of Arrow and of nothing of ours.
fn array_of(sql_type: &SqlType, values: &[Option<Value>]) -> ArrayRef {
    use arrow::array::*;
    macro_rules! numbers {
        ($array:ty, $variant:ident, $as:ty) => {
            Arc::new(values.iter().map(|v| v.as_ref().map(|v| v.number() as $as)).collect::<$array>())
        };
    }
    match sql_type {
        SqlType::Boolean => {
            Arc::new(values.iter().map(|v| v.as_ref().map(|v| v.number() % 2 == 0)).collect::<BooleanArray>())
        }
        SqlType::TinyInt => numbers!(Int8Array, Number, i8),
        SqlType::SmallInt => numbers!(Int16Array, Number, i16),
        SqlType::Integer => numbers!(Int32Array, Number, i32),
        SqlType::BigInt => numbers!(Int64Array, Number, i64),
        SqlType::Real => numbers!(Float32Array, Number, f32),
        SqlType::Double => Arc::new(
            values
                .iter()
                .map(|v| v.as_ref().map(|v| f64::from_bits(v.number() as u64)).filter(|v| !v.is_nan()))
                .collect::<Float64Array>(),
        ),
        SqlType::Decimal(p, s) => Arc::new(
            values
                .iter()
                .map(|v| v.as_ref().map(|v| i128::from(v.number()) % 10i128.pow(u32::from(*p))))
                .collect::<Decimal128Array>()
                .with_precision_and_scale(*p, i8::try_from(*s).unwrap())
                .unwrap(),
        ),
        SqlType::Date => Arc::new(
            values
                .iter()
                .map(|v| v.as_ref().map(|v| (v.number() % 1_000_000) as i32))
                .collect::<Date32Array>(),
        ),
        SqlType::Timestamp(3) => Arc::new(
            values
                .iter()
                .map(|v| v.as_ref().map(|v| v.number() % 100_000_000_000_000))
                .collect::<TimestampMillisecondArray>(),
        ),
        SqlType::Timestamp(_) => Arc::new(
            values
                .iter()
                .map(|v| v.as_ref().map(|v| v.number() % 100_000_000_000_000_000))
                .collect::<TimestampMicrosecondArray>(),
        ),
        SqlType::Varbinary => Arc::new(
            values
                .iter()
                .map(|v| v.as_ref().map(|v| v.text().as_bytes().to_vec()))
                .collect::<BinaryViewArray>(),
        ),
        _ => Arc::new(
            values.iter().map(|v| v.as_ref().map(|v| v.text().to_owned())).collect::<StringViewArray>(),
        ),
    }
}

#[derive(Debug, Clone)]
struct Value(i64, String);

impl Value {
    fn number(&self) -> i64 {
        self.0
    }
    fn text(&self) -> &str {
        &self.1
    }
}

fn flat_types() -> Vec<SqlType> {
    [
        "boolean",
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double",
        "decimal(12,3)",
        "decimal(38,10)",
        "date",
        "timestamp(3)",
        "timestamp(6)",
        "varbinary",
        "varchar",
    ]
    .map(|name| name.parse().unwrap())
    .to_vec()
}

fn values(text: &'static str) -> impl Strategy<Value = Vec<Option<Value>>> {
    let number = prop_oneof![any::<i64>(), -1000i64..1000, Just(0)];
    proptest::collection::vec(proptest::option::of((number, text).prop_map(|(n, t)| Value(n, t))), 1..60)
}

/// Anything that may stand in a text but line ends, which not every format has.
const TEXTS: &str = r#"([ -~]|[,;|"'\\{}]|é|日|🦀|\t|\x01|\x02){0,20}"#;
const ALL_TEXTS: &str = r#"([ -~]|[,"\\]|\n|\r|é|🦀){0,20}"#;

fn table_of(types: &[SqlType], values: &[Option<Value>]) -> (RecordBatch, Vec<Column>) {
    let columns: Vec<Column> =
        types.iter().enumerate().map(|(i, t)| Column::new(format!("c{i}"), t.clone())).collect();
    let arrays: Vec<ArrayRef> = types.iter().map(|t| array_of(t, values)).collect();
    let all: Vec<usize> = (0..columns.len()).collect();
    let batch = RecordBatch::try_new(formats::projected_schema(&columns, &all), arrays).unwrap();
    (batch, columns)
}

/// Writes in two parts, taking bytes between.
fn written(spec: &WriteSpec, batch: &RecordBatch, types: &[SqlType]) -> Vec<u8> {
    let mut writer: Box<dyn Encoder> = encoder(spec, batch.schema(), types).unwrap();
    let half = batch.num_rows() / 2;
    let mut bytes = Vec::new();
    writer.write(&batch.slice(0, half)).unwrap();
    bytes.extend(writer.take());
    writer.write(&batch.slice(half, batch.num_rows() - half)).unwrap();
    bytes.extend(writer.take());
    let finished = writer.finish().unwrap();
    bytes.extend(finished.bytes);
    assert_eq!((finished.size, finished.rows), (bytes.len() as u64, batch.num_rows() as u64));
    bytes
}

/// Why the rows cannot be written, if they cannot.
fn refused(spec: &WriteSpec, types: &[SqlType], values: &[Option<Value>]) -> Option<model::Error> {
    let (batch, _) = table_of(types, values);
    let mut writer = encoder(spec, batch.schema(), types).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().err()
}

fn check(
    write: &WriteSpec,
    read: &FormatSpec,
    types: &[SqlType],
    values: &[Option<Value>],
) -> Result<(), TestCaseError> {
    let (batch, columns) = table_of(types, values);
    let bytes = written(write, &batch, types);
    let all: Vec<usize> = (0..columns.len()).collect();
    let name = format!("file{}", write.extension());
    let batches = read_all(&name, bytes, read, &columns, &all, ReadOptions::default()).unwrap();
    let read = arrow::compute::concat_batches(&batch.schema(), &batches).unwrap();
    for (i, column) in columns.iter().enumerate() {
        prop_assert_eq!(read.column(i), batch.column(i), "{} {}", &column.name, &column.sql_type);
    }
    Ok(())
}

/// Parquet is read by its own library here, as the engine does it, and then adapted.
fn check_parquet(
    write: &WriteSpec,
    types: &[SqlType],
    values: &[Option<Value>],
) -> Result<(), TestCaseError> {
    let (batch, columns) = table_of(types, values);
    let bytes = bytes::Bytes::from(written(write, &batch, types));
    let all: Vec<usize> = (0..columns.len()).collect();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let adapted: Vec<RecordBatch> = reader
        .build()
        .unwrap()
        .map(|b| formats::adapt(&b.unwrap(), &columns, &all, formats::Match::Name).unwrap())
        .collect();
    let read = arrow::compute::concat_batches(&batch.schema(), &adapted).unwrap();
    prop_assert_eq!(read, batch);
    Ok(())
}

fn spec(format: WriteFormat, compression: Option<&str>) -> WriteSpec {
    WriteSpec { compression: compression.map(str::to_owned), ..WriteSpec::new(format) }
}

const PACKED: [Option<&str>; 6] =
    [None, Some("gzip"), Some("zstd"), Some("bzip2"), Some("snappy"), Some("lz4")];

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_lines(values in values(ALL_TEXTS), packed in 0..6usize, write_nulls: bool) {
        let write = spec(WriteFormat::Json(JsonSpec { write_nulls, ..JsonSpec::default() }), PACKED[packed]);
        check(&write, &FormatSpec::from_name("json").unwrap(), &flat_types(), &values)?;
    }

    #[test]
    fn csv(values in values(ALL_TEXTS), packed in 0..6usize, quote_all: bool, escape: bool) {
        let options = CsvSpec {
            null_text: Some(String::new()),
            multiline: true,
            escape: escape.then_some(b'\\'),
            ..CsvSpec::default()
        };
        let write = spec(WriteFormat::Csv { spec: options.clone(), header: true, quote_all }, PACKED[packed]);
        let mut read = FormatSpec::new(formats::Format::Csv(options));
        read.skip_header = 1;
        check(&write, &read, &flat_types(), &values)?;
    }

    #[test]
    fn delimited_text(values in values(TEXTS), packed in 0..6usize) {
        let options = DelimitedSpec { escape: Some(b'\\'), escape_line_ends: true, ..DelimitedSpec::default() };
        let write = spec(WriteFormat::Delimited { spec: options.clone(), header: false }, PACKED[packed]);
        check(&write, &FormatSpec::new(formats::Format::Delimited(options)), &flat_types(), &values)?;
    }

    #[test]
    fn avro(values in values(ALL_TEXTS), codec in 0..5usize) {
        let codecs = [None, Some("snappy"), Some("deflate"), Some("zstd"), Some("bzip2")];
        check(&spec(WriteFormat::Avro, codecs[codec]), &FormatSpec::from_name("avro").unwrap(), &flat_types(), &values)?;
    }

    #[test]
    fn parquet(values in values(ALL_TEXTS), codec in 0..6usize) {
        let codecs = [None, Some("snappy"), Some("gzip"), Some("zstd"), Some("lz4"), Some("none")];
        check_parquet(&spec(WriteFormat::Parquet, codecs[codec]), &flat_types(), &values)?;
    }

    #[test]
    fn orc(values in values(ALL_TEXTS), codec in 0..5usize) {
        let codecs = [None, Some("snappy"), Some("zlib"), Some("zstd"), Some("lz4")];
        let types: Vec<SqlType> = flat_types().into_iter().filter(|t| !matches!(t, SqlType::Decimal(..))).collect();
        // ORC cannot tell the second before 1970 from the one behind it.
        let values: Vec<_> = values.into_iter().map(|v| v.map(|v| Value(v.0.checked_abs().unwrap_or(0), v.1))).collect();
        let orc = spec(WriteFormat::Orc, codecs[codec]);
        // The library's writer is wrong for some values, which must be an error and never a damaged file.
        if let Some(error) = refused(&orc, &types, &values) {
            prop_assert!(error.message().contains("cannot be written as ORC"), "{}", error);
        } else {
            check(&orc, &FormatSpec::from_name("orc").unwrap(), &types, &values)?;
        }
    }
}

/// Nested values by JSON text, which is read into columns and written again by every format that has them.
#[test]
fn nested_values() {
    let columns = crate::support::columns(&[
        ("a", "array(array(integer))"),
        ("m", "map(varchar, row(x bigint, y array(varchar)))"),
        ("r", "row(d decimal(10,2), t timestamp(3), b boolean)"),
    ]);
    let text = [
        r#"{"a":[[1,2],[],null,[null]],"m":{"k":{"x":1,"y":["p,q","\"",null]},"é":null},"r":{"d":-0.05,"t":"1969-12-31 23:59:59.5","b":true}}"#,
        r#"{"a":[],"m":{},"r":{"d":null}}"#,
        r#"{}"#,
        r#"{"a":[[7]],"m":{"only":{"x":-9223372036854775808}},"r":{"b":false}}"#,
    ]
    .join("\n");
    let json = FormatSpec::from_name("json").unwrap();
    let all = [0, 1, 2];
    let batches = read_all("t.json", text, &json, &columns, &all, ReadOptions::default()).unwrap();
    let types: Vec<SqlType> = columns.iter().map(|c| c.sql_type.clone()).collect();
    let batch = batches[0].clone();
    assert_eq!(batch.num_rows(), 4);
    let csv = CsvSpec { null_text: Some(String::new()), ..CsvSpec::default() };
    let cases = [
        (WriteFormat::Json(JsonSpec::default()), json.clone()),
        (
            WriteFormat::Csv { spec: csv.clone(), header: false, quote_all: false },
            FormatSpec::new(formats::Format::Csv(csv)),
        ),
        (WriteFormat::Avro, FormatSpec::from_name("avro").unwrap()),
    ];
    for (format, read) in cases {
        let write = WriteSpec::new(format);
        let bytes = written(&write, &batch, &types);
        let name = format!("t{}", write.extension());
        let found = read_all(&name, bytes, &read, &columns, &all, ReadOptions::default()).unwrap();
        let found = arrow::compute::concat_batches(&batch.schema(), &found).unwrap();
        assert_eq!(
            crate::support::rows(&[found]),
            crate::support::rows(std::slice::from_ref(&batch)),
            "{name}"
        );
    }
    // Delimited text has no word for empty arrays, so without them.
    let full = batch.slice(3, 1);
    let options = DelimitedSpec::default();
    let write = WriteSpec::new(WriteFormat::Delimited { spec: options.clone(), header: false });
    let bytes = written(&write, &full, &types);
    let read = FormatSpec::new(formats::Format::Delimited(options));
    let found = read_all("t.txt", bytes, &read, &columns, &all, ReadOptions::default()).unwrap();
    assert_eq!(crate::support::rows(&found), crate::support::rows(&[full]));
    let mut writer = encoder(&write, batch.schema(), &types).unwrap();
    let error = writer.write(&batch).unwrap_err();
    assert!(error.message().contains("an empty array cannot be written as delimited text"), "{error}");
}
