//! Operators and mathematical functions. Expectations are those of Trino's documentation and of its own tests.

#![allow(clippy::approx_constant, reason = "the documentation's examples round with 3.14")]

use crate::harness::*;
use arrow::array::{Decimal128Array, Int8Array};
use std::sync::Arc;

/// A decimal from its digits: `dec(15, 2, 1)` is 1.5.
fn dec(digits: i128, precision: u8, scale: u8) -> In {
    let array = Decimal128Array::from(vec![digits]).with_precision_and_scale(precision, scale as i8).unwrap();
    In::Value(sql::SqlType::Decimal(precision, scale), Arc::new(array))
}

fn tiny(value: i8) -> In {
    typed("tinyint", Arc::new(Int8Array::from(vec![value])))
}

#[test]
fn integers_are_checked() {
    check("$add", &[int(1), int(2)], "3");
    check("$subtract", &[big(1), int(2)], "-1");
    check("$multiply", &[int(1_000_000), big(1_000_000)], "1000000000000");
    check("$divide", &[int(7), int(-2)], "-3");
    check("$modulus", &[int(-7), int(3)], "-1");
    check("mod", &[int(10), int(3)], "1");
    check("$add", &[int(1), null_of("integer")], "NULL");
    check("$negate", &[int(5)], "-5");
    check("$modulus", &[big(i64::MIN), big(-1)], "0");
    assert_eq!(type_of("$add", &[int(1), big(2)]), "bigint");
    assert_eq!(type_of("$add", &[int(1), double(2.0)]), "double");
    fails("$add", &[big(i64::MAX), big(1)], "bigint addition overflow: 9223372036854775807 + 1");
    fails("$multiply", &[int(65536), int(65536)], "integer multiplication overflow: 65536 * 65536");
    fails("$subtract", &[tiny(-128), tiny(1)], "tinyint subtraction overflow: -128 - 1");
    fails("$divide", &[big(i64::MIN), big(-1)], "bigint division overflow");
    fails("$divide", &[int(1), int(0)], "division by zero");
    fails("$modulus", &[int(1), int(0)], "division by zero");
    fails("$negate", &[int(i32::MIN)], "integer negation overflow: -2147483648");
}

#[test]
fn doubles_follow_ieee() {
    check("$divide", &[double(1.0), double(0.0)], "inf");
    check("$modulus", &[double(5.5), int(2)], "1.5");
    check("$add", &[double(0.1), double(0.2)], "0.30000000000000004");
}

#[test]
fn decimals_have_trinos_types() {
    let typed = |name: &str, a: (u8, u8), b: (u8, u8)| type_of(name, &[dec(1, a.0, a.1), dec(1, b.0, b.1)]);
    assert_eq!(typed("$add", (10, 2), (5, 3)), "decimal(12,3)");
    assert_eq!(typed("$multiply", (10, 2), (5, 3)), "decimal(15,5)");
    assert_eq!(typed("$divide", (10, 2), (5, 3)), "decimal(14,3)");
    assert_eq!(typed("$modulus", (10, 2), (5, 3)), "decimal(5,3)");
    assert_eq!(type_of("$add", &[dec(1, 3, 1), int(1)]), "decimal(12,1)");
    assert_eq!(type_of("$add", &[dec(1, 3, 1), double(1.0)]), "double");
}

#[test]
fn decimals_are_exact() {
    check("$add", &[dec(15, 2, 1), dec(225, 3, 2)], "3.75");
    check("$subtract", &[dec(15, 2, 1), dec(225, 3, 2)], "-0.75");
    check("$multiply", &[dec(15, 2, 1), dec(-225, 3, 2)], "-3.375");
    check("$divide", &[dec(10, 2, 0), dec(3, 1, 0)], "3");
    check("$divide", &[dec(200, 3, 2), dec(300, 3, 2)], "0.67");
    check("$divide", &[dec(-5, 1, 0), dec(2, 1, 0)], "-3");
    check("$modulus", &[dec(-75, 2, 1), dec(2, 1, 0)], "-1.5");
    check("$negate", &[dec(15, 2, 1)], "-1.5");
    let max = 10i128.pow(38) - 1;
    check("$divide", &[dec(max, 38, 0), dec(max, 38, 0)], "1");
    check(
        "$divide",
        &[dec(10i128.pow(37), 38, 38), dec(5 * 10i128.pow(37), 38, 38)],
        "0.20000000000000000000000000000000000000",
    );
    fails("$divide", &[dec(max, 38, 38), dec(10i128.pow(37), 38, 38)], "decimal overflow");
    fails(
        "$add",
        &[dec(max, 38, 0), dec(1, 38, 0)],
        "decimal overflow: 99999999999999999999999999999999999999 + 1",
    );
    fails("$multiply", &[dec(max, 38, 0), dec(10, 38, 0)], "decimal overflow");
    fails("$divide", &[dec(1, 1, 0), dec(0, 1, 0)], "division by zero");
    fails("$multiply", &[dec(1, 38, 20), dec(1, 38, 20)], "40 decimal places");
}

#[test]
fn rounding_goes_away_from_zero() {
    check("round", &[double(2.5)], "3.0");
    check("round", &[double(-2.5)], "-3.0");
    check("round", &[double(3.0), int(1)], "3.0");
    check("round", &[double(3.1415), int(2)], "3.14");
    check("round", &[double(1234.5), int(-2)], "1200.0");
    check("round", &[double(f64::INFINITY), int(2)], "inf");
    check("round", &[int(1254), int(-2)], "1300");
    check("round", &[int(-1250), int(-2)], "-1300");
    check("round", &[int(5), int(-40)], "0");
    fails("round", &[int(i32::MAX), int(-1)], "cannot be rounded to -1 places");
    check("round", &[dec(3450, 4, 3), int(1)], "3.500");
    check("round", &[dec(999, 3, 2), int(1)], "10.00");
    check("round", &[dec(12_545_678, 8, 4), int(-2)], "1300.0000");
    check("round", &[dec(12_345_678, 8, 4), int(-7)], "0.0000");
    check("round", &[dec(-9_999_999_999_999_999_999_999, 22, 6)], "-10000000000000000");
    assert_eq!(type_of("round", &[dec(1, 22, 6)]), "decimal(17,0)");
    assert_eq!(type_of("round", &[dec(1, 3, 2), int(1)]), "decimal(4,2)");
    let almost_max = 10i128.pow(38) - 1;
    fails("round", &[dec(almost_max, 38, 1), int(0)], "decimal overflow");
    check("ceil", &[dec(-15, 2, 1)], "-1");
    check("ceiling", &[dec(11, 2, 1)], "2");
    check("floor", &[dec(-11, 2, 1)], "-2");
    check("floor", &[double(-1.1)], "-2.0");
    check("ceil", &[int(7)], "7");
    check("truncate", &[double(-1.9)], "-1.0");
    check("truncate", &[dec(12_345, 5, 3), int(1)], "12.300");
    check("truncate", &[dec(-12_345, 5, 3)], "-12");
    check("truncate", &[dec(12_345, 5, 3), int(-1)], "10.000");
}

#[test]
fn functions_of_one_number() {
    check("abs", &[int(-3)], "3");
    check("abs", &[dec(-15, 2, 1)], "1.5");
    fails("abs", &[big(i64::MIN)], "value -9223372036854775808 is out of range for abs(bigint)");
    check("sign", &[int(-7)], "-1");
    check("sign", &[double(-0.0)], "-0.0");
    check("sign", &[double(f64::NAN)], "NaN");
    check("sign", &[dec(-1230, 4, 2)], "-1");
    assert_eq!(type_of("sign", &[dec(1, 38, 0)]), "decimal(1,0)");
    check("sqrt", &[int(16)], "4.0");
    check("cbrt", &[int(27)], "3.0");
    check("log", &[int(2), int(8)], "3.0");
    check("log2", &[int(8)], "3.0");
    check("power", &[int(2), int(10)], "1024.0");
    check("power", &[double(1.0), double(f64::NAN)], "NaN");
    check("degrees", &[double(std::f64::consts::PI)], "180.0");
    check("is_nan", &[double(f64::NAN)], "true");
    check("is_finite", &[double(f64::INFINITY)], "false");
    check("is_infinite", &[double(f64::NEG_INFINITY)], "true");
    check("pi", &[], "3.141592653589793");
}

#[test]
fn bases_and_buckets() {
    check("to_base", &[big(2_147_483_648), int(16)], "80000000");
    check("to_base", &[big(-2_147_483_647), int(16)], "-7fffffff");
    check("to_base", &[big(0), int(2)], "0");
    fails("to_base", &[int(255), int(1)], "radix must be between 2 and 36");
    check("from_base", &[text("-7fffffff"), int(16)], "-2147483647");
    check("from_base", &[text("-9223372036854775808"), int(10)], "-9223372036854775808");
    fails("from_base", &[text("Z"), int(35)], "not a valid base-35 number: Z");
    check("width_bucket", &[double(3.14), int(0), int(4), int(3)], "3");
    check("width_bucket", &[double(f64::INFINITY), int(0), int(4), int(3)], "4");
    check("width_bucket", &[double(3.14), int(4), int(0), int(3)], "1");
    check("width_bucket", &[int(2), int(4), int(0), int(3)], "2");
    check("width_bucket", &[int(-1), double(3.2), int(0), int(4)], "5");
    fails("width_bucket", &[double(3.14), int(0), int(4), int(0)], "bucketCount must be greater than 0");
    fails("width_bucket", &[double(3.14), int(-1), int(-1), int(3)], "bounds cannot equal each other");
    let bins = |values: &[f64]| array("double", &values.iter().map(|v| double(*v)).collect::<Vec<_>>());
    check("width_bucket", &[double(3.14), bins(&[0.0, 2.0, 4.0])], "2");
    check("width_bucket", &[double(f64::INFINITY), bins(&[0.0, 2.0, 4.0])], "3");
    check("width_bucket", &[int(-1), bins(&[0.0, 1.2, 3.3, 4.5])], "0");
    fails("width_bucket", &[double(3.145), bins(&[1.0, 0.0])], "not sorted in ascending order");
    fails("width_bucket", &[double(3.145), bins(&[])], "empty array");
}

#[track_caller]
fn close(name: &str, args: &[f64], expected: f64) {
    let args: Vec<In> = args.iter().map(|a| double(*a)).collect();
    let found: f64 = answer(name, &args).parse().unwrap();
    assert!(
        (found - expected).abs() <= 1e-14 * expected.abs().max(1.0),
        "{name}: {found}, expected {expected}"
    );
}

#[test]
fn distributions() {
    close("normal_cdf", &[0.0, 1.0, 1.96], 0.975_002_104_851_779_6);
    close("normal_cdf", &[-1.5, 2.1, -7.8], 0.001_349_898_031_630_103_5);
    close("inverse_normal_cdf", &[0.0, 1.0, 0.3], -0.524_400_512_708_040_9);
    close("inverse_normal_cdf", &[10.0, 9.0, 0.9], 21.533_964_089_901_406);
    close("inverse_normal_cdf", &[0.5, 0.25, 0.65], 0.596_330_116_601_892);
    close("beta_cdf", &[3.0, 3.6, 0.3], 0.217_648_099_976_799_38);
    close("beta_cdf", &[3.0, 3.6, 0.9], 0.997_250_288_161_155_1);
    close("inverse_beta_cdf", &[3.0, 3.6, 0.3], 0.346_967_548_544_061_8);
    close("inverse_beta_cdf", &[3.0, 3.6, 0.95], 0.760_027_246_310_022_3);
    fails("normal_cdf", &[int(0), int(0), double(0.1985)], "must be > 0");
    fails("inverse_normal_cdf", &[int(4), int(48), int(1)], "less than 1");
    // The t distribution with one degree of freedom is Cauchy's: 1/2 + atan(x)/pi.
    close("t_cdf", &[1.0, 1.0], 0.75);
    close("t_pdf", &[0.0, 1.0], std::f64::consts::FRAC_1_PI);
}

#[test]
fn wilson_intervals() {
    let bound = |name: &str| answer(name, &[int(1250), int(1310), double(1.96)]).parse::<f64>().unwrap();
    assert!((bound("wilson_interval_lower") - 0.941_488_372_539_589).abs() < 1e-12);
    assert!(bound("wilson_interval_upper") > 1250.0 / 1310.0);
    fails(
        "wilson_interval_lower",
        &[int(5), int(4), double(1.96)],
        "must not be larger than number of trials",
    );
}

#[test]
fn random_stays_in_its_range() {
    for _ in 0..20 {
        let number: i64 = answer("random", &[int(5), int(8)]).parse().unwrap();
        assert!((5..8).contains(&number));
        let fraction: f64 = answer("rand", &[]).parse().unwrap();
        assert!((0.0..1.0).contains(&fraction));
    }
    fails("random", &[int(0)], "bound of random must be positive");
}

#[test]
fn greatest_and_least() {
    check("greatest", &[int(1), big(3), int(2)], "3");
    check("least", &[text("b"), text("a")], "a");
    check("greatest", &[int(1), null_of("integer")], "NULL");
    check("greatest", &[double(f64::NAN), double(5.0), double(4.0)], "5.0");
    check("least", &[double(5.0), double(f64::NAN)], "5.0");
    check("greatest", &[double(f64::NAN)], "NaN");
    let pair = |a, b| array("integer", &[int(a), int(b)]);
    check("greatest", &[pair(1, 2), pair(1, 3)], "[1, 3]");
}
