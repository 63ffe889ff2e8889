//! Casts. Expectations come from Trino's documentation and its tests' values.

use crate::harness::{array, big, boolean, bytes, double, int, json, map, null, row, text};
use crate::value::{casts, interval, typed, value};
use functions::cast::{is_castable, is_plain};

#[test]
fn numbers_are_rounded_and_checked() {
    casts(&double(1.5), "bigint", "2");
    casts(&double(-2.5), "bigint", "-3");
    casts(&double(0.499_999_999_999_999_94), "integer", "0");
    casts(&double(1e19), "bigint", "error: cannot cast '1.0E19' to bigint");
    casts(&double(f64::NAN), "integer", "error: cannot cast 'NaN' to integer");
    casts(&double(128.0), "tinyint", "error: cannot cast '128.0' to tinyint");
    casts(&big(i64::MAX), "integer", "error: cannot cast '9223372036854775807' to integer");
    casts(&big(300), "smallint", "300");
    casts(&int(0), "boolean", "false");
    casts(&double(0.1), "boolean", "true");
    casts(&boolean(true), "double", "1.0");
    casts(&boolean(true), "decimal(5,2)", "1.00");
    casts(&double(16_777_217.0), "real", "1.6777216E7");
    casts(&null(), "bigint", "NULL");
}

#[test]
fn decimals_are_rounded_and_checked() {
    casts(&value("decimal(5,2)", "123.45"), "decimal(4,1)", "123.5");
    casts(&value("decimal(5,2)", "-123.45"), "decimal(4,1)", "-123.5");
    casts(&value("decimal(5,2)", "123.45"), "decimal(3,1)", "error: cannot cast '123.45' to decimal(3,1)");
    casts(&value("decimal(5,2)", "123.50"), "integer", "124");
    casts(
        &value("decimal(38,0)", "99999999999999999999"),
        "bigint",
        "error: cannot cast '99999999999999999999' to bigint",
    );
    casts(&value("decimal(38,1)", "12345678901234567890.1"), "double", "1.2345678901234567E19");
    casts(&value("decimal(5,2)", "-0.05"), "varchar", "-0.05");
    casts(&double(1.005), "decimal(10,2)", "1.01");
    casts(&double(f64::INFINITY), "decimal(10,2)", "error: cannot cast 'Infinity' to decimal(10,2)");
    casts(&big(1000), "decimal(5,2)", "error: cannot cast '1000' to decimal(5,2)");
    casts(&text("12.345"), "decimal(4,2)", "12.35");
    casts(&text("abc"), "decimal(4,2)", "error: cannot cast 'abc' to decimal(4,2)");
}

#[test]
fn text_becomes_values() {
    casts(&text(" 42 "), "integer", "42");
    casts(&text("+42"), "bigint", "42");
    casts(&text("abc"), "integer", "error: cannot cast 'abc' to integer");
    casts(&text("1.5"), "integer", "error: cannot cast '1.5' to integer");
    casts(&text("3000000000"), "integer", "error: cannot cast '3000000000' to integer");
    casts(&text("1e3"), "double", "1000.0");
    casts(&text("1.5d"), "double", "1.5");
    casts(&text("-Infinity"), "double", "-Infinity");
    casts(&text("inf"), "double", "error: cannot cast 'inf' to double");
    casts(&text("nan"), "double", "error: cannot cast 'nan' to double");
    casts(&text("T"), "boolean", "true");
    casts(&text("FALSE"), "boolean", "false");
    casts(&text("yes"), "boolean", "error: cannot cast 'yes' to boolean");
    casts(&text("2024-1-5"), "date", "2024-01-05");
    casts(&text("2024-01-05 00:00:00"), "date", "error: cannot cast '2024-01-05 00:00:00' to date");
    casts(&text("2024-01-05 1:2:3.4567"), "timestamp(3)", "2024-01-05 01:02:03.457");
    casts(&text("2024-01-05 UTC"), "timestamp(3)", "error: cannot cast '2024-01-05 UTC' to timestamp(3)");
    casts(&text("2024-01-05 12:00:00 Europe/Berlin"), "timestamp(3) UTC", "2024-01-05 11:00:00.000 UTC");
    casts(&text("2024-01-05 12:00:00"), "timestamp(3) UTC", "2024-01-05 12:00:00.000 UTC");
    casts(&text("12:30"), "time(3)", "12:30:00.000");
    casts(&text("12151FD2-7586-11e9-8f9e-2a86e4085a59"), "uuid", "12151fd2-7586-11e9-8f9e-2a86e4085a59");
    casts(
        &text("12151fd2758611e98f9e2a86e4085a59"),
        "uuid",
        "error: cannot cast '12151fd2758611e98f9e2a86e4085a59' to uuid",
    );
    casts(&text("10.0.0.1"), "ipaddress", "10.0.0.1");
    casts(&text("2001:db8:0:0::1"), "ipaddress", "2001:db8::1");
    casts(&text("hello"), "varbinary", "68 65 6c 6c 6f");
}

#[test]
fn values_become_text() {
    casts(&double(37.7), "varchar", "3.77E1");
    casts(&double(1e10), "varchar", "1.0E10");
    casts(&double(0.0), "varchar", "0E0");
    casts(&double(f64::NEG_INFINITY), "varchar", "-Infinity");
    casts(&value("real", "37.7"), "varchar", "3.77E1");
    casts(&big(-42), "varchar", "-42");
    casts(&big(12345), "varchar(3)", "error: cannot cast '12345' to varchar(3)");
    casts(&boolean(true), "varchar", "true");
    casts(&value("date", "2024-01-05"), "varchar", "2024-01-05");
    casts(&value("timestamp(6)", "2024-01-05 01:02:03"), "varchar", "2024-01-05 01:02:03.000000");
    casts(
        &value("timestamp(0) Europe/Berlin", "2024-01-05 00:00:00 UTC"),
        "varchar",
        "2024-01-05 01:00:00 Europe/Berlin",
    );
    casts(&value("time(0)", "01:02:03"), "varchar", "01:02:03");
    casts(&interval("2 03:04:05.678", "day", "second"), "varchar", "2 03:04:05.678");
    casts(&interval("-1-6", "year", "month"), "varchar", "-1-6");
    casts(&text("héllo"), "varchar(2)", "hé");
    casts(&text("ab  "), "char(3)", "ab ");
    casts(&text("abcdef"), "char(3)", "abc");
    casts(&value("char(5)", "ab"), "varchar", "ab");
    casts(&value("char(5)", "ab"), "char(3)", "ab ");
}

#[test]
fn times_become_each_other() {
    casts(&value("date", "2024-01-05"), "timestamp(3)", "2024-01-05 00:00:00.000");
    casts(&value("date", "2024-01-05"), "timestamp(9)", "2024-01-05 00:00:00.000000000");
    casts(&value("timestamp(3)", "1969-12-31 23:59:59.999"), "date", "1969-12-31");
    casts(&value("timestamp(3)", "2024-01-05 01:02:03.999"), "timestamp(0)", "2024-01-05 01:02:04");
    casts(
        &value("timestamp(9)", "2024-01-05 01:02:03.1234567"),
        "timestamp(6)",
        "2024-01-05 01:02:03.123457",
    );
    casts(&value("timestamp(3)", "2024-01-05 01:02:03.999"), "time(0)", "01:02:04");
    casts(&value("time(3)", "23:59:59.999"), "time(0)", "00:00:00");
    casts(&value("timestamp(3) Europe/Berlin", "2024-07-01 23:00:00 UTC"), "date", "2024-07-02");
    casts(
        &value("timestamp(3) Europe/Berlin", "2024-07-01 23:00:00 UTC"),
        "timestamp(3)",
        "2024-07-02 01:00:00.000",
    );
    casts(&value("timestamp(3) Europe/Berlin", "2024-07-01 23:00:00 UTC"), "time(3)", "01:00:00.000");
    casts(
        &value("timestamp(3)", "2024-07-01 23:00:00"),
        "timestamp(3) Europe/Berlin",
        "2024-07-02 01:00:00.000 Europe/Berlin",
    );
    casts(&value("time(3)", "01:02:03"), "timestamp(3)", "2024-03-10 01:02:03.000");
}

#[test]
fn parts_are_cast() {
    let numbers = || array("varchar", &[text("1"), null(), text("3")]);
    casts(&numbers(), "array(bigint)", "[1, null, 3]");
    casts(&array("varchar", &[text("1"), text("x")]), "array(bigint)", "error: cannot cast 'x' to bigint");
    let entries = [(text("1"), double(1.5)), (text("2"), null())];
    casts(&map("varchar", "double", &entries), "map(integer, varchar)", "{1=1.5E0, 2=null}");
    casts(
        &map("varchar", "double", &[(text("x"), double(1.5))]),
        "map(integer, double)",
        "error: cannot cast 'x' to integer",
    );
    casts(&row("row(a bigint, b varchar)", &[big(1), text("2")]), "row(x double, y integer)", "{x=1.0, y=2}");
    casts(&row("row(a varchar)", &[text("q")]), "row(a integer)", "error: cannot cast 'q' to integer");
    casts(&bytes(&[0; 16]), "uuid", "00000000-0000-0000-0000-000000000000");
    casts(&bytes(&[1, 2]), "ipaddress", "error: cannot cast '01 02' to ipaddress");
}

#[test]
fn which_casts_there_are() {
    let both =
        |from: &str, to: &str| (is_castable(&typed(from), &typed(to)), is_plain(&typed(from), &typed(to)));
    for (from, to) in [
        ("integer", "bigint"),
        ("bigint", "double"),
        ("real", "double"),
        ("date", "timestamp(3)"),
        ("varchar(3)", "varchar"),
        ("char(3)", "varchar"),
        ("decimal(5,2)", "decimal(10,3)"),
        ("integer", "decimal(12,2)"),
        ("timestamp(1)", "timestamp(3)"),
    ] {
        assert_eq!(both(from, to), (true, true), "{from} to {to}");
    }
    for (from, to) in [
        ("bigint", "integer"),
        ("double", "varchar"),
        ("varchar(3)", "char(3)"),
        ("timestamp(3)", "timestamp(0)"),
        ("decimal(5,2)", "decimal(5,3)"),
        ("array(integer)", "array(bigint)"),
    ] {
        assert_eq!(both(from, to), (true, false), "{from} to {to}");
    }
    for (from, to) in [
        ("date", "bigint"),
        ("bigint", "date"),
        ("integer", "char(3)"),
        ("boolean", "timestamp(3)"),
        ("array(date)", "array(bigint)"),
        ("array(bigint)", "varchar"),
        ("row(a bigint)", "row(a bigint, b bigint)"),
        ("varbinary", "varchar"),
    ] {
        assert_eq!(both(from, to), (false, false), "{from} to {to}");
    }
}

#[test]
fn json_is_written_and_read() {
    casts(&big(5), "json", "5");
    casts(&text("a\"b"), "json", r#""a\"b""#);
    casts(&row("row(a bigint, b boolean)", &[big(1), boolean(true)]), "json", r#"{"a":1,"b":true}"#);
    casts(&array("date", &[value("date", "2024-01-05"), null()]), "json", r#"["2024-01-05",null]"#);
    casts(&json("[1, 2, null]"), "array(bigint)", "[1, 2, null]");
    casts(&json(r#"{"a": 1.5}"#), "map(varchar, double)", "{a=1.5}");
    casts(&json("null"), "bigint", "NULL");
    casts(&json("true"), "varchar", "true");
    assert!(!is_castable(&typed("time(3)"), &typed("json")));
    assert!(!is_castable(&typed("json"), &typed("date")));
}

#[test]
fn bare_nulls_inside_become_nulls_of_a_type() {
    casts(
        &row("row(integer, unknown)", &[int(1), null()]),
        "row(integer, varchar(1))",
        "{field0=1, field1=null}",
    );
}
