//! Maps, rows and comparisons. Expectations are those of Trino's documentation and of its own tests.

use crate::harness::*;

fn ages(entries: &[(&str, i32)]) -> In {
    map("varchar", "integer", &entries.iter().map(|(k, v)| (text(k), int(*v))).collect::<Vec<_>>())
}

fn ints(values: &[i32]) -> In {
    array("integer", &values.iter().map(|v| int(*v)).collect::<Vec<_>>())
}

fn texts(values: &[&str]) -> In {
    array("varchar", &values.iter().map(|v| text(v)).collect::<Vec<_>>())
}

/// 1, NULL
fn gap() -> In {
    array("integer", &[int(1), null()])
}

#[test]
fn values_by_key() {
    let people = ages(&[("ann", 31), ("bob", 7)]);
    check("$subscript", &[people.clone(), text("bob")], "7");
    check("element_at", &[people.clone(), text("eve")], "NULL");
    check("$subscript", &[people.clone(), null_of("varchar")], "NULL");
    fails("$subscript", &[people.clone(), text("eve")], "key not present in map: eve");
    check("cardinality", std::slice::from_ref(&people), "2");
    check("map_keys", std::slice::from_ref(&people), "[ann, bob]");
    check("map_values", std::slice::from_ref(&people), "[31, 7]");
    check("map_entries", &[people], "[{field0=ann, field1=31}, {field0=bob, field1=7}]");
    // Large enough to be looked up by hash.
    let many: Vec<(In, In)> = (0..40).map(|i| (int(i), int(i * i))).collect();
    check("element_at", &[map("integer", "integer", &many), int(33)], "1089");
    check("element_at", &[map("integer", "integer", &many), int(40)], "NULL");
}

#[test]
fn maps_are_made() {
    check("map", &[], "{}");
    check("map", &[texts(&["a", "b"]), ints(&[1, 2])], "{a=1, b=2}");
    check("map", &[texts(&["a", "b"]), gap()], "{a=1, b=NULL}");
    fails("map", &[texts(&["a", "a"]), ints(&[1, 2])], "duplicate map keys (a) are not allowed");
    fails("map", &[texts(&["a"]), ints(&[1, 2])], "must be the same length");
    fails("map", &[gap(), ints(&[1, 2])], "cannot be NULL");
    let entry = |k: &str, v: i32| row("row(varchar, integer)", &[text(k), int(v)]);
    let entries = |all: &[In]| array("row(varchar, integer)", all);
    check("map_from_entries", &[entries(&[entry("x", 1), entry("y", 2)])], "{x=1, y=2}");
    fails("map_from_entries", &[entries(&[entry("x", 1), entry("x", 2)])], "duplicate map keys (x)");
    fails("map_from_entries", &[entries(&[null()])], "entry cannot be NULL");
    check(
        "multimap_from_entries",
        &[entries(&[entry("x", 1), entry("y", 2), entry("x", 3)])],
        "{x=[1, 3], y=[2]}",
    );
    check("map_concat", &[ages(&[("a", 1), ("b", 2)]), ages(&[("b", 9)])], "{b=9, a=1}");
    check("map_concat", &[ages(&[("a", 1)]), null_of("map(varchar, integer)")], "NULL");
}

#[test]
fn rows_are_made() {
    check("$row", &[int(1), text("x"), null()], "{field0=1, field1=x, field2=NULL}");
    assert_eq!(type_of("$row", &[int(1), double(2.0)]), "row(integer, double)");
}

#[test]
fn arrays_are_compared() {
    check("$eq", &[ints(&[1, 2]), ints(&[1, 2])], "true");
    check("$eq", &[ints(&[1, 2]), ints(&[1])], "false");
    check("$ne", &[ints(&[1, 2]), ints(&[1])], "true");
    // The NULL leaves it open, unless another element decides.
    check("$eq", &[gap(), gap()], "NULL");
    check("$eq", &[gap(), ints(&[2, 2])], "false");
    check("$distinct_from", &[gap(), gap()], "false");
    check("$distinct_from", &[gap(), null_of("array(integer)")], "true");
    check("$lt", &[ints(&[1, 2]), ints(&[1, 3])], "true");
    check("$lt", &[ints(&[1, 2]), ints(&[1, 2, 0])], "true");
    check("$gte", &[ints(&[2]), ints(&[1, 9])], "true");
    fails("$lt", &[gap(), ints(&[1, 2])], "array comparison is not supported for arrays with NULL elements");
    check("$eq", &[array("double", &[double(0.0)]), array("double", &[double(-0.0)])], "true");
    check("$eq", &[array("double", &[double(f64::NAN)]), array("double", &[double(f64::NAN)])], "false");
}

#[test]
fn maps_and_rows_are_compared() {
    check("$eq", &[ages(&[("a", 1), ("b", 2)]), ages(&[("b", 2), ("a", 1)])], "true");
    check("$eq", &[ages(&[("a", 1), ("b", 2)]), ages(&[("a", 1), ("c", 2)])], "false");
    check("$ne", &[ages(&[("a", 1)]), ages(&[("a", 2)])], "true");
    check("$distinct_from", &[ages(&[("a", 1), ("b", 2)]), ages(&[("b", 2), ("a", 1)])], "false");
    let pair = |a: In, b: &str| row("row(integer, varchar)", &[a, text(b)]);
    check("$eq", &[pair(int(1), "x"), pair(int(1), "x")], "true");
    check("$eq", &[pair(null(), "x"), pair(int(1), "x")], "NULL");
    check("$eq", &[pair(null(), "x"), pair(int(1), "y")], "false");
    check("$lt", &[pair(int(1), "x"), pair(int(1), "y")], "true");
    fails("$lt", &[pair(null(), "x"), pair(int(1), "y")], "row comparison is not supported");
}
