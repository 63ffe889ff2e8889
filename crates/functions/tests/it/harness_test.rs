//! The harness itself: it shows values as written, and unknown names are refused with the nearest one.

use crate::harness::*;

#[test]
fn values_are_shown() {
    let shown = |v: In| match v {
        In::Value(_, a) => show(&a, 0),
        In::Lambda(..) => String::new(),
    };
    assert_eq!(shown(text("a b")), "a b");
    assert_eq!(shown(array("bigint", &[big(1), null()])), "[1, NULL]");
    assert_eq!(shown(map("varchar", "double", &[(text("k"), double(1.0))])), "{k=1.0}");
    assert_eq!(shown(row("row(a integer, varchar)", &[int(1), text("x")])), "{a=1, field1=x}");
    assert_eq!(shown(bytes(&[0, 255])), "00 ff");
    assert_eq!(shown(null_of("date")), "NULL");
}

#[test]
fn unknown_names_are_refused() {
    let error = functions::unknown_function("st_area", &[]);
    assert!(error.message().contains("st_area"), "{error}");
}
