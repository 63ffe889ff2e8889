//! Bitwise functions. Expected values: Trino's documentation.

use crate::harness::*;

fn tiny(value: i8) -> In {
    typed("tinyint", std::sync::Arc::new(arrow::array::Int8Array::from(vec![value])))
}

fn small(value: i16) -> In {
    typed("smallint", std::sync::Arc::new(arrow::array::Int16Array::from(vec![value])))
}

#[test]
fn bits_are_combined_and_counted() {
    check("bit_count", &[int(9), int(64)], "2");
    check("bit_count", &[int(9), int(8)], "2");
    check("bit_count", &[int(-7), int(64)], "62");
    check("bit_count", &[int(-7), int(8)], "6");
    fails("bit_count", &[int(7), int(1)], "2 to 64");
    fails("bit_count", &[int(1000), int(8)], "does not fit");
    check("bitwise_and", &[int(19), int(25)], "17");
    check("bitwise_or", &[int(19), int(25)], "27");
    check("bitwise_xor", &[int(19), int(25)], "10");
    check("bitwise_not", &[int(-12)], "11");
    check("bitwise_not", &[int(19)], "-20");
    check("bitwise_and", &[null(), int(1)], "NULL");
}

#[test]
fn shifts_keep_their_type() {
    check("bitwise_left_shift", &[tiny(1), int(2)], "4");
    check("bitwise_left_shift", &[int(5), int(2)], "20");
    check("bitwise_left_shift", &[tiny(-128), int(1)], "0");
    check("bitwise_left_shift", &[int(1), int(31)], "-2147483648");
    check("bitwise_left_shift", &[int(1), int(64)], "0");
    check("bitwise_right_shift", &[tiny(8), int(3)], "1");
    check("bitwise_right_shift", &[small(9), int(1)], "4");
    check("bitwise_right_shift", &[int(-8), int(1)], "2147483644");
    check("bitwise_right_shift", &[int(20), int(2)], "5");
    check("bitwise_right_shift", &[int(0), int(0)], "0");
    check("bitwise_right_shift_arithmetic", &[int(-20), int(2)], "-5");
    check("bitwise_right_shift_arithmetic", &[int(-8), int(65)], "-1");
    check("bitwise_right_shift_arithmetic", &[int(8), int(65)], "0");
    assert_eq!(type_of("bitwise_left_shift", &[tiny(1), int(2)]), "tinyint");
}
