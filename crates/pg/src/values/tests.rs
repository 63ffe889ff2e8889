//! Values there and back: what is written as text or bytes is what PostgreSQL would write.

use super::*;
use arrow::array::{
    ArrayRef, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array, DurationMillisecondArray,
    Float32Array, Float64Array, Int32Array, Int64Array, IntervalYearMonthArray, ListArray, NullArray,
    StringViewArray, Time64MicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Field;
use bytes::BytesMut;
use functions::scalar::datetime::Zone;
use sql::SqlType;
use std::sync::Arc;

fn text(sql_type: &SqlType, array: &ArrayRef) -> Vec<String> {
    let column = Column::new("x", sql_type);
    (0..array.len())
        .map(|row| {
            let mut out = String::new();
            put_text_value(&column.shape, column.renderer.as_ref(), array.as_ref(), row, Zone::UTC, &mut out);
            out
        })
        .collect()
}

fn arrays() -> Vec<(SqlType, ArrayRef, Vec<&'static str>)> {
    let list =
        ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None, Some(3)]), Some(vec![])]);
    vec![
        (SqlType::Boolean, Arc::new(BooleanArray::from(vec![true, false])), vec!["t", "f"]),
        (SqlType::Integer, Arc::new(Int32Array::from(vec![-5, i32::MAX])), vec!["-5", "2147483647"]),
        (SqlType::BigInt, Arc::new(Int64Array::from(vec![i64::MIN])), vec!["-9223372036854775808"]),
        (
            SqlType::Double,
            Arc::new(Float64Array::from(vec![1.0, 0.1, -2.5e-7, 1e15, 123_456_789_012_345.0, f64::INFINITY])),
            vec!["1", "0.1", "-2.5e-07", "1e+15", "123456789012345", "Infinity"],
        ),
        (SqlType::Real, Arc::new(Float32Array::from(vec![0.1, 1e6, f32::NAN])), vec!["0.1", "1e+06", "NaN"]),
        (
            SqlType::Decimal(10, 2),
            Arc::new(Decimal128Array::from(vec![-5, 12_345]).with_precision_and_scale(10, 2).unwrap()),
            vec!["-0.05", "123.45"],
        ),
        (SqlType::VARCHAR, Arc::new(StringViewArray::from(vec!["a\u{e4}"])), vec!["a\u{e4}"]),
        (SqlType::Varbinary, Arc::new(BinaryViewArray::from(vec![&[0_u8, 255][..]])), vec!["\\x00ff"]),
        (SqlType::Date, Arc::new(Date32Array::from(vec![0, 19_723])), vec!["1970-01-01", "2024-01-01"]),
        (SqlType::Time(3), Arc::new(Time64MicrosecondArray::from(vec![3_661_500_000])), vec!["01:01:01.5"]),
        (
            SqlType::Timestamp(3),
            Arc::new(TimestampMillisecondArray::from(vec![1_704_067_200_120, -1])),
            vec!["2024-01-01 00:00:00.12", "1969-12-31 23:59:59.999"],
        ),
        (
            SqlType::timestamp_utc(9),
            Arc::new(TimestampNanosecondArray::from(vec![1_500]).with_timezone("UTC")),
            vec!["1970-01-01 00:00:00.000001+00"],
        ),
        (
            SqlType::IntervalYearMonth,
            Arc::new(IntervalYearMonthArray::from(vec![14, -1])),
            vec!["1 year 2 mons", "-1 mons"],
        ),
        (
            SqlType::IntervalDaySecond,
            Arc::new(DurationMillisecondArray::from(vec![90_061_000, 0, -1000])),
            vec!["1 day 01:01:01", "00:00:00", "-00:00:01"],
        ),
        (SqlType::array(SqlType::BigInt), Arc::new(list), vec!["{1,NULL,3}", "{}"]),
    ]
}

#[test]
fn texts() {
    for (sql_type, array, expected) in arrays() {
        assert_eq!(text(&sql_type, &array), expected, "{sql_type}");
    }
    let mut out = String::new();
    ["a", "a b", "", "null", "q\"\\"].iter().for_each(|text| {
        text::put_element(text, &mut out);
        out.push(';');
    });
    assert_eq!(out, "a;\"a b\";\"\";\"null\";\"q\\\"\\\\\";");
}

#[test]
fn instants_are_told_in_the_session_s_zone() {
    let instants = vec![1_704_067_200_500, 1_719_792_000_000, -3_786_825_600_000];
    let array: ArrayRef = Arc::new(TimestampMillisecondArray::from(instants).with_timezone("UTC"));
    let column = Column::new("x", &SqlType::timestamp_utc(3));
    for (zone, expected) in [
        ("UTC", ["2024-01-01 00:00:00.5+00", "2024-07-01 00:00:00+00", "1850-01-01 00:00:00+00"]),
        (
            "Europe/Berlin",
            ["2024-01-01 01:00:00.5+01", "2024-07-01 02:00:00+02", "1850-01-01 00:53:28+00:53:28"],
        ),
        (
            "Asia/Kolkata",
            ["2024-01-01 05:30:00.5+05:30", "2024-07-01 05:30:00+05:30", "1850-01-01 05:53:28+05:53:28"],
        ),
        (
            "America/St_Johns",
            ["2023-12-31 20:30:00.5-03:30", "2024-06-30 21:30:00-02:30", "1849-12-31 20:29:08-03:30:52"],
        ),
    ] {
        let zone = Zone::parse(zone).unwrap();
        for (row, expected) in expected.iter().enumerate() {
            let mut out = String::new();
            put_text_value(&column.shape, None, array.as_ref(), row, zone, &mut out);
            assert_eq!(out, *expected);
        }
    }
    let mut out = String::new();
    text::put_moment(-62_167_219_200_000_000, Some(0), &mut out);
    assert_eq!(out, "0001-01-01 00:00:00+00 BC");
}

/// What is sent in binary form is read back as the literal of its text.
#[test]
fn binary_values_are_read_back() {
    for (sql_type, array, expected) in arrays() {
        let column = Column::new("x", &sql_type);
        for (row, text) in expected.iter().enumerate() {
            let mut out = BytesMut::new();
            put_binary(&column.shape, None, array.as_ref(), row, &mut out);
            let from_bytes = literal(Some(&out), true, &column.shape).unwrap();
            let from_text = literal(Some(text.as_bytes()), false, &column.shape).unwrap();
            // The shortest text of a number has several forms.
            let (from_bytes, from_text) = (plain(&from_bytes), plain(&from_text));
            assert_eq!(
                from_bytes.replace("1 day ", ""),
                from_text.replace("1 day ", ""),
                "{sql_type} {text}"
            );
        }
    }
}

#[test]
fn literals() {
    let of = |text: &str, oid: u32| literal(Some(text.as_bytes()), false, &shape_of_oid(oid).unwrap());
    for (text, oid, expected) in [
        ("5", 20, "CAST(5 AS bigint)"),
        ("-5", 23, "CAST(-5 AS integer)"),
        ("it's", 25, "CAST('it''s' AS varchar)"),
        ("yes", 16, "true"),
        ("1.50", 1700, "DECIMAL '1.50'"),
        ("\\x00ff", 17, "X'00ff'"),
        (
            "2024-01-01 10:00:00+02",
            1184,
            "CAST('2024-01-01 08:00:00.000000 UTC' AS timestamp(6) with time zone)",
        ),
        ("2024-01-01", 1114, "CAST('2024-01-01 00:00:00.000000' AS timestamp(6))"),
        ("2024-01-01 10:00", 1184, "CAST('2024-01-01 10:00:00.000000' AS timestamp(6) with time zone)"),
        (
            "2024-01-01 10:00 Europe/Berlin",
            1184,
            "CAST('2024-01-01 10:00 Europe/Berlin' AS timestamp(6) with time zone)",
        ),
        (
            "{12.50,NULL,-0.125,7}",
            1231,
            "CAST(ARRAY[DECIMAL '12.50', NULL, DECIMAL '-0.125', DECIMAL '7'] AS array(decimal(38,3)))",
        ),
        ("{1,2}", 1231, "CAST(ARRAY[DECIMAL '1', DECIMAL '2'] AS array(decimal(38,0)))"),
        ("{1,NULL, 3}", 1007, "CAST(ARRAY[CAST(1 AS integer), NULL, CAST(3 AS integer)] AS array(integer))"),
        (
            "{a,\"b,\\\"\",\"null\"}",
            1009,
            "CAST(ARRAY[CAST('a' AS varchar), CAST('b,\"' AS varchar), CAST('null' AS varchar)] AS array(varchar))",
        ),
        ("{\"a\":1}", 3802, "json_parse('{\"a\":1}')"),
    ] {
        assert_eq!(of(text, oid).unwrap(), expected, "{text}");
    }
    for (text, oid) in [
        ("x", 23),
        ("1.5", 20),
        ("maybe", 16),
        ("NaN", 1700),
        ("1.2.3", 1700),
        ("2024-13-01", 1114),
        ("{1", 1007),
        ("{{1}}", 1007),
        ("one day", 1186),
    ] {
        assert!(of(text, oid).is_err(), "{text}");
    }
    for (bytes, oid) in [(&b"abc"[..], 23), (b"", 16), (b"\0\0\0\x01", 1007), (b"\xff", 25)] {
        assert!(literal(Some(bytes), true, &shape_of_oid(oid).unwrap()).is_err(), "{bytes:?}");
    }
    assert_eq!(literal(None, false, &Shape::Date).unwrap(), "CAST(NULL AS date)");
}

#[test]
fn casts_keep_fractions() {
    for (expression, oid, expected) in [
        ("1.5", 1700, "1.5"),
        ("'1.5'", 1700, "DECIMAL '1.5'"),
        ("a || 'b'", 1700, "a || 'b'"),
        ("ARRAY[1.5]", 1231, "ARRAY[1.5]"),
        ("1", 20, "CAST(1 AS bigint)"),
    ] {
        assert_eq!(cast_to(expression, &shape_of_oid(oid).unwrap()), expected);
    }
}

/// Columns and elements that are nothing but NULL.
#[test]
fn nothing_is_null() {
    let nothing = NullArray::new(2);
    assert!(is_null(&nothing, 0) && is_null(&nothing, 1));
    let field = Arc::new(Field::new_list_field(DataType::Null, true));
    let list: ArrayRef =
        Arc::new(ListArray::new(field, OffsetBuffer::from_lengths([2]), Arc::new(nothing), None));
    let sql_type = SqlType::array(SqlType::VARCHAR);
    assert_eq!(text(&sql_type, &list), ["{NULL,NULL}"]);
    let mut out = BytesMut::new();
    put_binary(&Shape::of(&sql_type), None, list.as_ref(), 0, &mut out);
    assert_eq!(&out[4..8], [0, 0, 0, 1]);
    assert_eq!(&out[20..], [0xff; 8]);
}

/// A cast of a number's text without its exponent.
fn plain(literal: &str) -> String {
    let number = literal.strip_prefix("CAST('").and_then(|rest| rest.split_once('\''));
    match number.and_then(|(number, rest)| Some((number.parse::<f64>().ok()?, rest))) {
        Some((number, rest)) if number.is_finite() => format!("CAST('{number}'{rest}"),
        _ => literal.to_owned(),
    }
}
