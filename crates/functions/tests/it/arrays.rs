//! Arrays. Expectations are those of Trino's documentation and of its own tests.

use crate::harness::*;
use arrow::array::*;
use std::sync::Arc;

fn ints(values: &[i32]) -> In {
    array("integer", &values.iter().map(|v| int(*v)).collect::<Vec<_>>())
}

fn texts(values: &[&str]) -> In {
    array("varchar", &values.iter().map(|v| text(v)).collect::<Vec<_>>())
}

fn doubles(values: &[f64]) -> In {
    array("double", &values.iter().map(|v| double(*v)).collect::<Vec<_>>())
}

/// 1, NULL, 3
fn gap() -> In {
    array("integer", &[int(1), null(), int(3)])
}

#[test]
fn elements_by_position() {
    check("$array", &[int(1), null(), big(3)], "[1, NULL, 3]");
    check("$array", &[], "[]");
    check("$subscript", &[ints(&[5, 6, 7]), int(3)], "7");
    fails(
        "$subscript",
        &[ints(&[1, 2, 3]), int(5)],
        "array subscript must be less than or equal to array length: 5 > 3",
    );
    fails("$subscript", &[ints(&[1]), int(0)], "start at 1");
    fails("$subscript", &[ints(&[1]), int(-1)], "array subscript is negative: -1");
    check("$subscript", &[ints(&[1]), null_of("bigint")], "NULL");
    check("element_at", &[ints(&[1, 2, 3]), int(-1)], "3");
    check("element_at", &[ints(&[1, 2, 3]), int(4)], "NULL");
    check("element_at", &[ints(&[1, 2, 3]), big(i64::MIN)], "NULL");
    fails("element_at", &[ints(&[1]), int(0)], "start at 1");
    check("array_first", &[ints(&[4, 5])], "4");
    check("array_last", &[ints(&[])], "NULL");
    check("cardinality", &[gap()], "3");
    check("cardinality", &[null_of("array(integer)")], "NULL");
}

#[test]
fn parts() {
    check("slice", &[ints(&[1, 2, 3, 4]), int(2), int(2)], "[2, 3]");
    check("slice", &[ints(&[1, 2, 3, 4]), int(-2), int(5)], "[3, 4]");
    check("slice", &[ints(&[1, 2]), int(5), int(1)], "[]");
    check("slice", &[ints(&[1, 2]), int(-5), int(1)], "[]");
    check("slice", &[ints(&[1, 2]), big(i64::MAX), big(i64::MAX)], "[]");
    fails("slice", &[ints(&[1]), int(0), int(1)], "start at 1");
    fails("slice", &[ints(&[1]), int(1), int(-1)], "length is negative");
    check("trim_array", &[ints(&[1, 2, 3, 4]), int(1)], "[1, 2, 3]");
    fails("trim_array", &[ints(&[1, 2]), int(3)], "size must not exceed array cardinality 2: 3");
    fails("trim_array", &[ints(&[1, 2]), int(-1)], "size must not be negative: -1");
}

#[test]
fn joined_and_rearranged() {
    check("$concat", &[ints(&[1]), ints(&[2])], "[1, 2]");
    check("$concat", &[ints(&[1]), int(2)], "[1, 2]");
    check("$concat", &[int(2), ints(&[1])], "[2, 1]");
    check("$concat", &[ints(&[2]), big(1)], "[2, 1]");
    check("$concat", &[array("array(integer)", &[ints(&[1])]), ints(&[3, 6])], "[[1], [3, 6]]");
    check("$concat", &[ints(&[1]), null_of("array(integer)")], "NULL");
    check("concat", &[ints(&[1]), ints(&[2, 3]), ints(&[])], "[1, 2, 3]");
    check("reverse", &[gap()], "[3, NULL, 1]");
    check("repeat", &[text("x"), int(3)], "[x, x, x]");
    check("repeat", &[null_of("integer"), int(2)], "[NULL, NULL]");
    fails("repeat", &[int(1), int(10_001)], "at most 10000");
    check(
        "flatten",
        &[array("array(integer)", &[ints(&[1, 2]), null_of("array(integer)"), ints(&[3])])],
        "[1, 2, 3]",
    );
    check(
        "zip",
        &[ints(&[1, 2]), array("varchar", &[text("1b"), null(), text("3b")])],
        "[{field0=1, field1=1b}, {field0=2, field1=NULL}, {field0=NULL, field1=3b}]",
    );
    check("ngrams", &[texts(&["foo", "bar", "baz", "foo"]), int(2)], "[[foo, bar], [bar, baz], [baz, foo]]");
    check("ngrams", &[texts(&["foo", "bar"]), int(5)], "[[foo, bar]]");
    fails("ngrams", &[ints(&[1]), int(0)], "greater than 0");
    check("combinations", &[texts(&["foo", "bar", "baz"]), int(2)], "[[foo, bar], [foo, baz], [bar, baz]]");
    check("combinations", &[ints(&[1, 2, 2]), int(2)], "[[1, 2], [1, 2], [2, 2]]");
    check("combinations", &[ints(&[1]), int(2)], "[]");
    fails("combinations", &[ints(&[1]), int(6)], "must not exceed 5");
    let (_, shuffled) = eval("shuffle", &[ints(&[1, 2, 3])]).unwrap();
    assert_eq!(shuffled.as_list::<i32>().value_length(0), 3);
}

#[test]
fn search() {
    check("contains", &[ints(&[1, 2]), int(2)], "true");
    check("contains", &[gap(), int(1)], "true");
    check("contains", &[gap(), int(2)], "NULL");
    check("contains", &[ints(&[]), int(2)], "false");
    check("contains", &[doubles(&[f64::NAN]), double(f64::NAN)], "false");
    let nested = array("array(integer)", &[ints(&[1, 2]), ints(&[3, 4])]);
    check("contains", &[nested.clone(), ints(&[3, 4])], "true");
    check("contains", &[nested.clone(), ints(&[3])], "false");
    fails("contains", &[nested, array("integer", &[int(3), null()])], "contains does not support");
    check("contains_sequence", &[ints(&[1, 2, 3]), ints(&[2, 3])], "true");
    check("contains_sequence", &[ints(&[1, 2, 3]), ints(&[1, 3])], "false");
    check("array_position", &[ints(&[7, 8, 7]), int(7)], "1");
    check("array_position", &[ints(&[7, 8, 7]), int(7), int(-1)], "3");
    check("array_position", &[ints(&[7]), int(9)], "0");
    check("array_remove", &[gap(), int(3)], "[1, NULL]");
    check("array_remove", &[gap(), null_of("integer")], "NULL");
    check("arrays_overlap", &[ints(&[1, 2]), ints(&[2])], "true");
    check("arrays_overlap", &[ints(&[1, 2]), gap()], "true");
    check("arrays_overlap", &[ints(&[5]), gap()], "NULL");
    check("arrays_overlap", &[ints(&[]), gap()], "false");
}

#[test]
fn sets() {
    check("array_distinct", &[array("integer", &[int(2), null(), int(2), null(), int(1)])], "[2, NULL, 1]");
    check("array_distinct", &[doubles(&[0.0, -0.0, f64::NAN, f64::NAN])], "[0.0, NaN]");
    check("array_intersect", &[ints(&[1, 5, 3]), ints(&[3, 5, 9, 5])], "[3, 5]");
    check("array_intersect", &[gap(), gap()], "[1, NULL, 3]");
    check("array_union", &[ints(&[1, 2, 1]), ints(&[3, 2])], "[1, 2, 3]");
    check("array_except", &[ints(&[1, 2, 2, 3]), ints(&[3])], "[1, 2]");
    check("array_histogram", &[array("integer", &[int(42), int(7), int(42), null()])], "{42=2, 7=1}");
    let maps = |k1: &str, k2: &str| map("varchar", "integer", &[(text(k1), int(1)), (text(k2), int(1))]);
    check(
        "array_distinct",
        &[array("map(varchar, integer)", &[maps("a", "b"), maps("b", "a")])],
        "[{a=1, b=1}]",
    );
}

#[test]
fn order() {
    check("array_sort", &[array("integer", &[int(3), null(), int(1)])], "[1, 3, NULL]");
    check("array_sort", &[doubles(&[f64::NAN, 1.0, f64::NEG_INFINITY])], "[-inf, 1.0, NaN]");
    check("array_sort", &[texts(&["b", "a", "ab"])], "[a, ab, b]");
    check("array_max", &[ints(&[1, 3, 2])], "3");
    check("array_min", &[ints(&[2, 1])], "1");
    check("array_max", &[gap()], "NULL");
    check("array_max", &[ints(&[])], "NULL");
    check("array_max", &[doubles(&[1.0, f64::NAN, 2.0])], "2.0");
    check("array_min", &[doubles(&[f64::NAN, 2.0])], "2.0");
    check("array_max", &[doubles(&[f64::NAN])], "NaN");
}

#[test]
fn sequences() {
    check("sequence", &[int(1), int(5)], "[1, 2, 3, 4, 5]");
    check("sequence", &[int(3), int(1)], "[3, 2, 1]");
    check("sequence", &[int(1), int(10), int(4)], "[1, 5, 9]");
    check("sequence", &[big(i64::MAX - 1), big(i64::MAX)], "[9223372036854775806, 9223372036854775807]");
    fails("sequence", &[int(1), int(5), int(-1)], "leads away");
    fails("sequence", &[int(1), int(5), int(0)], "must not be zero");
    fails("sequence", &[int(1), int(10_001)], "more than 10000 entries");
    let date = |days: i32| typed("date", Arc::new(Date32Array::from(vec![days])));
    let months = |n: i32| typed("interval year to month", Arc::new(IntervalYearMonthArray::from(vec![n])));
    let millis = |n: i64| typed("interval day to second", Arc::new(DurationMillisecondArray::from(vec![n])));
    check("sequence", &[date(0), date(2)], "[1970-01-01, 1970-01-02, 1970-01-03]");
    check("sequence", &[date(2), date(0), millis(-172_800_000)], "[1970-01-03, 1970-01-01]");
    check("sequence", &[date(30), date(89), months(1)], "[1970-01-31, 1970-02-28, 1970-03-31]");
    fails("sequence", &[date(0), date(2), millis(1)], "day interval");
    let time = |n: i64| typed("timestamp(3)", Arc::new(TimestampMillisecondArray::from(vec![n])));
    check(
        "sequence",
        &[time(0), time(5_000), millis(2_500)],
        "[1970-01-01T00:00:00, 1970-01-01T00:00:02.500, 1970-01-01T00:00:05]",
    );
    check(
        "sequence",
        &[time(0), time(40 * 86_400_000), months(1)],
        "[1970-01-01T00:00:00, 1970-02-01T00:00:00]",
    );
}

#[test]
fn vectors() {
    check("dot_product", &[doubles(&[1.0, 2.0]), doubles(&[3.0, 4.0])], "11.0");
    check("euclidean_distance", &[doubles(&[1.0, 2.0]), doubles(&[3.0, 4.0])], "2.8284271247461903");
    check("cosine_similarity", &[doubles(&[1.0, 2.0]), doubles(&[3.0, 4.0])], "0.9838699100999074");
    check("cosine_distance", &[doubles(&[1.0, 2.0]), doubles(&[3.0, 4.0])], "0.01613008990009257");
    fails("dot_product", &[doubles(&[1.0]), doubles(&[])], "same length");
    let sparse = |k: &str, v: f64| map("varchar", "double", &[(text(k), double(v))]);
    check("cosine_similarity", &[sparse("a", 1.0), sparse("a", 2.0)], "1.0");
    check("cosine_similarity", &[sparse("a", 1.0), sparse("b", 2.0)], "0.0");
}
