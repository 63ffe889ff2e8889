//! Teradata's functions, by Trino's documentation of them.

use crate::harness::*;
use arrow::array::TimestampMillisecondArray;
use std::sync::Arc;

#[test]
fn dates_by_teradatas_patterns() {
    let time = typed("timestamp(3)", Arc::new(TimestampMillisecondArray::from(vec![575_859_723_000])));
    check("to_char", &[time.clone(), text("yyyy/mm/dd hh24:mi:ss")], "1988/04/01 01:02:03");
    check("to_char", &[time.clone(), text("hh")], "01");
    fails("to_char", &[time, text("yyyy-MM")], "cannot be read at 'MM'");
    check(
        "to_timestamp",
        &[text("1988/04/08;02:03:04"), text("yyyy/mm/dd;hh24:mi:ss")],
        "1988-04-08T02:03:04",
    );
    check("to_date", &[text("1988/04/08"), text("yyyy/mm/dd")], "1988-04-08");
    check("to_date", &[text("88/04/08"), text("yy/mm/dd")], "1988-04-08");
    fails("to_date", &[text("1988/04"), text("yyyy/mm/dd")], "cannot be read by the pattern");
    check("to_date", &[null_of("varchar"), text("yyyy")], "NULL");
}

#[test]
fn texts() {
    check("char2hexint", &[text("Bbc")], "004200620063");
    check("char2hexint", &[text("\u{1F600}")], "D83DDE00");
    check("index", &[text("high"), text("ig")], "2");
}
