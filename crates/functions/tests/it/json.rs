//! JSON functions and casts. Expected values: Trino's documentation, and by hand from its rules.

use crate::harness::*;
use functions::scalar::json::convert::{from_json, to_json, try_from_json};
use proptest::prelude::*;
use sql::SqlType;

const STORE: &str = r#"{"store": {"book": [{"category":"reference","author":"Nigel Rees","price":8.95},
 {"category":"fiction", "last owner":null, "tags":[]}], "bicycle":{"color":"red"}}, "a.b":{"":1}, "n\u0061me":"J\u00e9 \ud83d\ude00\n"}"#;

fn extract(path: &str) -> String {
    answer("json_extract", &[text(STORE), text(path)])
}

fn scalar(path: &str) -> String {
    answer("json_extract_scalar", &[text(STORE), text(path)])
}

#[test]
fn values_at_paths() {
    assert_eq!(scalar("$.store.book[0].author"), "Nigel Rees");
    assert_eq!(scalar(r#"$["store"]["book"][0]["price"]"#), "8.95");
    assert_eq!(scalar("$.store[bicycle].color"), "red");
    assert_eq!(scalar("$.store.book[2]"), "NULL");
    assert_eq!(scalar("$.store.book[0]"), "NULL");
    assert_eq!(scalar(r#"$.store.book[1]["last owner"]"#), "NULL");
    assert_eq!(scalar(r#"$["a.b"][""]"#), "1");
    assert_eq!(scalar("$.name"), "J\u{e9} \u{1f600}\n");
    assert_eq!(scalar("$.store.book.author"), "NULL");
    assert_eq!(scalar("$.store.book.0.category"), "reference");
    assert_eq!(extract(r#"$.store.book[1]["last owner"]"#), "null");
    assert_eq!(extract("$.store.book[1]"), r#"{"category":"fiction","last owner":null,"tags":[]}"#);
    assert_eq!(extract("$.name"), "\"J\u{e9} \u{1f600}\\n\"");
    assert_eq!(extract("$.nothing"), "NULL");
    check("json_extract_scalar", &[text("[1, 2, 3]"), text("$[2]")], "3");
    check("json_extract_scalar", &[text("true"), text("$")], "true");
    check("json_extract_scalar", &[text("1.50"), text("$")], "1.50");
    check("json_extract_scalar", &[json(r#"{"a":1}"#), text("$.a")], "1");
    check("json_extract_scalar", &[null(), text("$.a")], "NULL");
    check("json_extract", &[text("{ }"), text("$")], "{}");
    check("json_size", &[text(r#"{"x": {"a": 1, "b": 2}}"#), text("$.x")], "2");
    check("json_size", &[text(r#"{"x": [1, 2, 3]}"#), text("$.x")], "3");
    check("json_size", &[text(r#"{"x": {"a": 1, "b": 2}}"#), text("$.x.a")], "0");
    check("json_size", &[text("{}"), text("$.x")], "NULL");
}

#[test]
fn paths_that_are_none_are_refused() {
    for path in ["", "a", "$..a", "$.*", "$[*]", "$.", "$[", "$[]", "$[\"a]", "$.a b", "$[-1]", "$['a']"] {
        fails("json_extract", &[text("{}"), text(path)], "is not valid");
    }
}

#[test]
fn what_is_no_json_is_null() {
    for broken in [
        "",
        "{",
        "{\"a\" 1}",
        "[1,]",
        "{\"a\":tru}",
        "{\"b\":01,\"a\":1}",
        "{'a':1}",
        "{\"b\":\"\t\",\"a\":1}",
    ] {
        check("json_extract_scalar", &[text(broken), text("$.a")], "NULL");
        check("json_extract", &[text(broken), text("$.a")], "NULL");
        check("json_size", &[text(broken), text("$.a")], "NULL");
        fails("json_parse", &[text(broken)], "is no JSON");
        fails("is_json_scalar", &[text(broken)], "is no JSON");
    }
    let deep = "[".repeat(1_000_000);
    fails("json_parse", &[text(&deep)], "is no JSON");
    check("json_size", &[text(&deep), text("$[0]")], "NULL");
}

#[test]
fn parsing_and_arrays() {
    check(
        "json_parse",
        &[text(r#" { "b" : [1, 2.50, -0] , "a" : "x\/\u0041" } "#)],
        r#"{"a":"x/A","b":[1,2.5,0]}"#,
    );
    check("json_parse", &[text("1e10")], "1.0E10");
    check("json_parse", &[text("123456789012345678901234567890")], "123456789012345678901234567890");
    check("json_parse", &[text(r#"{"a":1,"a":2}"#)], r#"{"a":2}"#);
    check("json_parse", &[text("\"\\u001f\\u007f\"")], "\"\\u001F\u{7f}\"");
    check("json_format", &[json("[1,2,3]")], "[1,2,3]");
    check("is_json_scalar", &[text("1")], "true");
    check("is_json_scalar", &[text("null")], "true");
    check("is_json_scalar", &[text("[1, 2, 3]")], "false");
    check("json_array_contains", &[text("[1, 2, 3]"), int(2)], "true");
    check("json_array_contains", &[text("[1, 2.5]"), double(2.5)], "true");
    check("json_array_contains", &[text("[1, 2.0]"), int(2)], "false");
    check("json_array_contains", &[text(r#"["a", [3], "b"]"#), text("b")], "true");
    check("json_array_contains", &[text("[[3], {}, true]"), boolean(true)], "true");
    check("json_array_contains", &[text("[]"), int(1)], "false");
    check("json_array_contains", &[text("{}"), int(1)], "NULL");
    check("json_array_length", &[text("[1, 2, 3]")], "3");
    check("json_array_length", &[text("{}")], "NULL");
    check("json_array_get", &[text(r#"["a", [3, 9], "c"]"#), int(0)], "a");
    check("json_array_get", &[text(r#"["a", [3, 9], "c"]"#), int(1)], "[3,9]");
    check("json_array_get", &[text(r#"["c", [3, 9], "a"]"#), int(-1)], "a");
    check("json_array_get", &[text("[]"), int(0)], "NULL");
    check("json_array_get", &[text("[1]"), int(-2)], "NULL");
    check("json_array_get", &[text("[null]"), int(0)], "NULL");
}

fn as_json(value: In) -> String {
    let In::Value(sql_type, array) = value else { return String::new() };
    match to_json(&array, &sql_type) {
        Ok(made) => show(&made, 0),
        Err(error) => format!("error: {error}"),
    }
}

fn read_as(value: &str, sql_type: &str) -> String {
    let In::Value(_, array) = json(value) else { return String::new() };
    let sql_type: SqlType = sql_type.parse().unwrap();
    let tried = try_from_json(&array, &sql_type).unwrap();
    assert_eq!(tried.data_type(), &sql_type.to_arrow());
    match from_json(&array, &sql_type) {
        Ok(made) => {
            assert_eq!(show(&made, 0), show(&tried, 0));
            show(&made, 0)
        }
        Err(error) => {
            assert!(tried.is_null(0), "{error}");
            "error".to_owned()
        }
    }
}

#[test]
fn casts_to_json() {
    assert_eq!(as_json(int(1)), "1");
    assert_eq!(as_json(big(i64::MAX)), "9223372036854775807");
    assert_eq!(as_json(text("a\"b\u{e9}")), "\"a\\\"b\u{e9}\"");
    assert_eq!(as_json(boolean(true)), "true");
    assert_eq!(as_json(double(1.234)), "1.234");
    assert_eq!(as_json(double(f64::NAN)), "\"NaN\"");
    assert_eq!(as_json(double(1e20)), "1.0E20");
    assert_eq!(as_json(null_of("bigint")), "NULL");
    let decimal = arrow::array::Decimal128Array::from(vec![1230]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(as_json(typed("decimal(10,2)", std::sync::Arc::new(decimal))), "12.30");
    let day = std::sync::Arc::new(arrow::array::Date32Array::from(vec![19_782]));
    assert_eq!(as_json(typed("date", day)), "\"2024-02-29\"");
    assert_eq!(as_json(array("integer", &[int(1), null(), int(456)])), "[1,null,456]");
    let ages = map("varchar", "integer", &[(text("k2"), int(23)), (text("k1"), int(1))]);
    assert_eq!(as_json(ages), r#"{"k1":1,"k2":23}"#);
    let fields = [big(123), text("abc"), boolean(true)];
    assert_eq!(
        as_json(row("row(v1 bigint, v2 varchar, v3 boolean)", &fields)),
        r#"{"v1":123,"v2":"abc","v3":true}"#
    );
    assert_eq!(as_json(array("json", &[json("[1]"), null()])), "[[1],null]");
    assert!(as_json(bytes(b"a")).contains("cannot cast varbinary to json"));
}

#[test]
fn casts_from_json() {
    for (given, sql_type, expected) in [
        ("null", "varchar", "NULL"),
        ("1", "integer", "1"),
        ("9223372036854775807", "bigint", "9223372036854775807"),
        ("\"abc\"", "varchar", "abc"),
        ("true", "boolean", "true"),
        ("0", "boolean", "false"),
        ("1.234", "double", "1.234"),
        ("1.5", "bigint", "2"),
        ("-1.5", "bigint", "-2"),
        ("\"12\"", "bigint", "12"),
        ("true", "bigint", "1"),
        ("12.345", "decimal(5,2)", "12.35"),
        ("12345.6", "decimal(5,2)", "error"),
        ("300", "tinyint", "error"),
        ("\"x\"", "integer", "error"),
        ("[1]", "integer", "error"),
        ("{}", "varchar", "error"),
        ("\"abcd\"", "varchar(3)", "error"),
        ("1.5", "varchar", "1.5E0"),
        ("15", "varchar", "15"),
        ("[1,23,456]", "array(integer)", "[1, 23, 456]"),
        ("[1,null,456]", "array(integer)", "[1, NULL, 456]"),
        ("[[1,23],[456]]", "array(array(integer))", "[[1, 23], [456]]"),
        (r#"{"k1":1,"k2":23}"#, "map(varchar, integer)", "{k1=1, k2=23}"),
        (r#"{"1":true}"#, "map(bigint, boolean)", "{1=true}"),
        (r#"{"x":true}"#, "map(bigint, boolean)", "error"),
        (r#"{"a":1,"a":2}"#, "map(varchar, bigint)", "error"),
        (r#"{"V2":"abc","v1":123}"#, "row(v1 bigint, v2 varchar, v3 boolean)", "{v1=123, v2=abc, v3=NULL}"),
        (r#"[123,"abc",true]"#, "row(v1 bigint, v2 varchar, v3 boolean)", "{v1=123, v2=abc, v3=true}"),
        ("[1]", "row(a bigint, b bigint)", "error"),
        ("[[1, 23], 456]", "array(json)", "[[1,23], 456]"),
        (r#"{"k1": [1, 23], "k2": 456}"#, "map(varchar, json)", "{k1=[1,23], k2=456}"),
        ("[null]", "array(json)", "[null]"),
        ("{\"a\":[{\"b\":\"x\"}]}", "row(a array(row(b varchar)))", "{a=[{b=x}]}"),
        ("not json", "bigint", "error"),
        ("[1,\"x\"]", "array(bigint)", "error"),
    ] {
        assert_eq!(read_as(given, sql_type), expected, "{given} as {sql_type}");
    }
    let In::Value(_, array) = json("1") else { return };
    assert!(from_json(&array, &"varbinary".parse().unwrap()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any text, hostile or not, ends in an answer or an error.
    #[test]
    fn nothing_panics(given in "[\\[\\]{}\":,\\\\u0-9a-f.eE+\\- \u{e9}truefalsn]{0,40}", path in "[$.\\[\\]\"a0\\\\]{0,8}") {
        for name in ["json_extract", "json_extract_scalar", "json_size"] {
            answer(name, &[text(&given), text(&path)]);
            answer(name, &[text(&given), text("$.a[0]")]);
        }
        answer("json_parse", &[text(&given)]);
        read_as(&given, "array(map(varchar, bigint))");
    }

    /// What serde reads, json_parse reads alike.
    #[test]
    fn parsing_agrees_with_serde(given in "\\PC{0,12}", numbers in proptest::collection::vec(any::<i64>(), 0..5)) {
        let value = serde_json::json!({"z": numbers, "a": given, "m": {"k": [null, true, given]}});
        let parsed = answer("json_parse", &[text(&value.to_string())]);
        let back: serde_json::Value = serde_json::from_str(&parsed).unwrap();
        prop_assert_eq!(back, value);
    }
}
