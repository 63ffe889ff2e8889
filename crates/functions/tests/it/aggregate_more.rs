//! Statistics, maps, sketches and percentiles over known rows. Numbers were computed with numpy and scipy, checksums with
//! the reference implementation of xxHash.

use crate::aggregate::*;
use crate::harness::*;
use arrow::array::*;
use arrow::compute::kernels::numeric::add;
use proptest::prelude::*;
use std::sync::Arc;

const X: [f64; 7] = [1.5, 2.0, 4.25, -3.0, 8.0, 0.5, 0.5];
const Y: [f64; 7] = [2.0, 1.0, 5.0, -4.0, 9.5, 0.0, 1.0];

#[test]
fn spread_of_numbers() {
    for (name, expected) in [
        ("stddev", "3.435199446625368"),
        ("stddev_samp", "3.435199446625368"),
        ("stddev_pop", "3.180376694413312"),
        ("variance", "11.800595238095235"),
        ("var_samp", "11.800595238095235"),
        ("var_pop", "10.114795918367346"),
        ("skewness", "0.45786087604234865"),
        ("kurtosis", "1.2052053577249877"),
    ] {
        gives(name, &[doubles(&X)], expected);
        gives_empty(name, &[doubles(&X)], "NULL");
    }
    gives("stddev", &[col("double", &[double(1.0), null()])], "NULL");
    gives("stddev_pop", &[col("double", &[double(1.0), null()])], "0.0");
    gives("var_samp", &[bigs(&[2, 4])], "2.0");
    gives("kurtosis", &[doubles(&[1.0, 2.0, 3.0])], "NULL");
}

#[test]
fn pairs_of_numbers() {
    for (name, expected) in [
        ("corr", "0.9901365670453978"),
        ("covar_pop", "12.323979591836734"),
        ("covar_samp", "14.37797619047619"),
        ("regr_slope", "1.218411097099622"),
        ("regr_intercept", "-0.3218789407314002"),
        ("regr_r2", "0.9803704214004453"),
        ("regr_count", "7.0"),
        ("regr_avgx", "1.9642857142857142"),
        ("regr_avgy", "2.0714285714285716"),
        ("regr_sxx", "70.80357142857142"),
        ("regr_syy", "107.21428571428571"),
        ("regr_sxy", "86.26785714285714"),
    ] {
        gives(name, &[doubles(&Y), doubles(&X)], expected);
    }
    for name in ["corr", "covar_samp", "regr_slope", "regr_intercept"] {
        gives(name, &[doubles(&[1.0]), doubles(&[2.0])], "NULL");
        gives_empty(name, &[doubles(&Y), doubles(&X)], "NULL");
    }
    gives("corr", &[doubles(&[1.0, 2.0]), doubles(&[3.0, 3.0])], "NULL");
    gives("covar_pop", &[col("double", &[double(1.0), null()]), doubles(&[2.0, 5.0])], "0.0");
}

#[test]
fn other_means() {
    gives("geometric_mean", &[doubles(&[1.0, 2.0, 8.0])], "2.519842099789746");
    gives("geometric_mean", &[bigs(&[4, 9])], "6.0");
    gives_empty("geometric_mean", &[doubles(&[1.0])], "NULL");
    gives("entropy", &[bigs(&[1, 1, 2, 4])], "1.75");
    gives("entropy", &[bigs(&[0, 0])], "0.0");
    fails_over("entropy", &[doubles(&[-1.0])], "entropy takes counts");
}

#[test]
fn maps_of_rows() {
    let words = col("varchar", &[text("a"), text("b"), null(), text("a")]);
    gives("histogram", std::slice::from_ref(&words), "{a=2, b=1}");
    gives_empty("histogram", std::slice::from_ref(&words), "NULL");
    gives("histogram", &[doubles(&[0.0, -0.0, f64::NAN, -f64::NAN])], "{0.0=2, NaN=2}");
    let numbers = col("bigint", &[big(1), null(), big(3), big(4)]);
    gives("map_agg", &[words.clone(), numbers.clone()], "{a=1, b=NULL}");
    gives("multimap_agg", &[words.clone(), numbers], "{a=[1, 4], b=[NULL]}");
    gives("map_agg", &[col("varchar", &[null()]), bigs(&[1])], "NULL");
    gives("set_agg", &[words], "[a, b, NULL]");
    let maps = [
        map("varchar", "bigint", &[(text("a"), big(1)), (text("b"), null())]),
        null(),
        map("varchar", "bigint", &[(text("c"), big(3)), (text("a"), big(9))]),
    ];
    gives("map_union", &[col("map(varchar, bigint)", &maps)], "{a=1, b=NULL, c=3}");
    let lists = [array("bigint", &[big(2), big(1)]), null(), array("bigint", &[null(), big(2)])];
    gives("set_union", &[col("array(bigint)", &lists)], "[2, 1, NULL]");
    gives("map_union", &[col("map(varchar, bigint)", &[map("varchar", "bigint", &[])])], "{}");
}

#[test]
fn most_frequent_values() {
    let words = texts(&["c", "a", "b", "a", "a", "b"]);
    gives("approx_most_frequent", &[same(big(2), 6), words.clone(), same(big(10), 6)], "{a=3, b=2}");
    gives("approx_most_frequent", &[same(big(3), 2), bigs(&[7, 7]), same(big(10), 2)], "{7=2}");
    let few = over("approx_most_frequent", &[same(big(2), 6), words, same(big(2), 6)]);
    assert!(few.contains("a="), "{few}");
    fails_over("approx_most_frequent", &[bigs(&[1]), bigs(&[1]), bigs(&[5])], "the number of buckets");
}

#[test]
fn percentiles_of_few_values_are_exact() {
    let half = |rows| same(double(0.5), rows);
    gives("approx_percentile", &[bigs(&[3, 1, 2]), half(3)], "2");
    gives("approx_percentile", &[bigs(&[1, 2, 3, 4]), half(4)], "3");
    gives("approx_percentile", &[col("bigint", &[null(), big(7)]), half(2)], "7");
    gives("approx_percentile", &[col("bigint", &[null()]), half(1)], "NULL");
    gives_empty("approx_percentile", &[bigs(&[1]), half(1)], "NULL");
    gives("approx_percentile", &[doubles(&[0.5, 0.25]), same(double(0.0), 2)], "0.25");
    gives("approx_percentile", &[doubles(&[0.5, 0.25]), same(double(1.0), 2)], "0.5");
    assert_eq!(type_over("approx_percentile", &[nums("real", &["1"]), half(1)]), "real");
    assert_eq!(type_over("approx_percentile", &[nums("decimal(5,2)", &["1"]), half(1)]), "double");
    assert_eq!(type_over("approx_percentile", &[nums("integer", &["1"]), half(1)]), "bigint");
    let parts = same(array("double", &[double(0.9), double(0.1)]), 10);
    let ten: Vec<i64> = (1..=10).collect();
    gives("approx_percentile", &[bigs(&ten), parts], "[10, 2]");
    gives("approx_percentile", &[bigs(&[1, 2, 3]), doubles(&[1.0, 1.0, 9.0]), half(3)], "3");
    gives("approx_percentile", &[bigs(&[1, 2]), bigs(&[5, 1]), half(2), same(double(0.01), 2)], "1");
    fails_over("approx_percentile", &[bigs(&[1]), doubles(&[1.5])], "from 0 to 1");
    fails_over("approx_percentile", &[bigs(&[1]), doubles(&[0.0]), doubles(&[0.5])], "above 0");
    fails_over("approx_percentile", &[bigs(&[i64::MAX]), doubles(&[0.5])], "cannot take 9223372036854775807");
    fails_over("approx_percentile", &[doubles(&[f64::NAN]), doubles(&[0.5])], "cannot take NaN");
}

#[test]
fn percentiles_of_many_values_are_close() {
    // A permutation of 0..n, so that every percentile is known.
    let n: i64 = 40_009;
    let values: Vec<i64> = (0..n).map(|i| i * 7919 % n).collect();
    for part in [0.0, 0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0] {
        let found: f64 =
            over("approx_percentile", &[bigs(&values), same(double(part), values.len())]).parse().unwrap();
        let off = (found / n as f64 - part).abs();
        assert!(off < 0.005 * (part * (1.0 - part)).sqrt() + 0.0002, "{part}: {found}");
    }
}

#[test]
fn histograms_of_numbers() {
    gives("numeric_histogram", &[same(big(4), 3), doubles(&[2.0, 1.0, 2.0])], "{1.0=1.0, 2.0=2.0}");
    gives("numeric_histogram", &[same(big(2), 4), doubles(&[1.0, 2.0, 10.0, 12.0])], "{1.5=2.0, 11.0=2.0}");
    gives("numeric_histogram", &[same(big(3), 2), doubles(&[1.0, 1.0]), doubles(&[2.0, 0.5])], "{1.0=2.5}");
    gives_empty("numeric_histogram", &[same(big(3), 1), doubles(&[1.0])], "NULL");
    fails_over("numeric_histogram", &[bigs(&[1]), doubles(&[1.0])], "from 2 to");
}

#[test]
fn distinct_values_are_counted_closely() {
    gives("approx_distinct", &[col("varchar", &[text("a"), null(), text("b"), text("a")])], "2");
    gives("approx_distinct", &[col("boolean", &[boolean(true), boolean(true)])], "1");
    gives("approx_distinct", &[doubles(&[0.0, -0.0])], "1");
    gives_empty("approx_distinct", &[bigs(&[1])], "0");
    for n in [100_i64, 500, 1000, 5000, 20_000, 200_000] {
        let values: Vec<i64> = (0..2 * n).map(|i| i % n).collect();
        let found: f64 = over("approx_distinct", &[bigs(&values)]).parse().unwrap();
        let off = (found / n as f64 - 1.0).abs();
        assert!(off < 0.05, "{n}: {found}");
        if n <= 500 {
            assert_eq!(found, n as f64);
        }
    }
    let values: Vec<i64> = (0..30_000).collect();
    let found: f64 =
        over("approx_distinct", &[bigs(&values), same(double(0.0041), values.len())]).parse().unwrap();
    assert!((found / 30_000.0 - 1.0).abs() < 0.013, "{found}");
    fails_over("approx_distinct", &[bigs(&[1]), doubles(&[0.5])], "standard error");
}

#[test]
fn sketches_join() {
    let sketch = |from: i64, to: i64| {
        let values: Vec<i64> = (from..to).collect();
        let shown = over("approx_set", &[bigs(&values)]);
        let bytes: Vec<u8> = shown.split(' ').map(|b| u8::from_str_radix(b, 16).unwrap()).collect();
        typed("HyperLogLog", Arc::new(BinaryViewArray::from(vec![bytes.as_slice()])))
    };
    check("cardinality", &[sketch(0, 100)], "100");
    check("cardinality", &[null_of("HyperLogLog")], "NULL");
    let (a, b) = (sketch(0, 6000), sketch(3000, 9000));
    let union = over("merge", &[col("HyperLogLog", &[a, b, null_of("HyperLogLog")])]);
    let bytes: Vec<u8> = union.split(' ').map(|b| u8::from_str_radix(b, 16).unwrap()).collect();
    let union = typed("HyperLogLog", Arc::new(BinaryViewArray::from(vec![bytes.as_slice()])));
    let found: f64 = answer("cardinality", &[union]).parse().unwrap();
    assert!((found / 9000.0 - 1.0).abs() < 0.05, "{found}");
    for broken in [&[][..], &[1], &[2, 12, 0], &[1, 12, 1, 2, 3], &[9, 12], &[2, 99], &[2, 4, 200]] {
        fails(
            "cardinality",
            &[typed("HyperLogLog", Arc::new(BinaryViewArray::from(vec![broken])))],
            "no HyperLogLog",
        );
    }
}

#[test]
fn an_empty_sketch_has_seen_nothing() {
    let (_, sketch) = eval("empty_approx_set", &[]).unwrap();
    check("cardinality", &[typed("HyperLogLog", sketch)], "0");
}

#[test]
fn checksums_are_those_of_trino() {
    gives("checksum", &[col("bigint", &[big(1), null(), big(2)])], "ea 51 bc 7b 38 d9 08 d5");
    gives("checksum", &[col("integer", &[int(1), int(2), null()])], "ea 51 bc 7b 38 d9 08 d5");
    gives("checksum", &[texts(&["abc"])], "af c9 cb b3 79 98 10 54");
    gives_empty("checksum", &[texts(&["abc"])], "NULL");
    fails_over(
        "checksum",
        &[col("array(bigint)", &[array("bigint", &[big(1)])])],
        "checksum of array(bigint)",
    );
}

#[test]
fn queries_write_their_own_aggregates() {
    let plus = || lambda(2, "bigint", |params, _| Ok(add(&params[0], &params[1]).unwrap()));
    gives("reduce_agg", &[col("bigint", &[big(1), null(), big(5)]), same(big(0), 3), plus(), plus()], "6");
    gives_empty("reduce_agg", &[bigs(&[1]), bigs(&[0]), plus(), plus()], "NULL");
}

#[test]
fn rows_that_differ_are_taken_once() {
    distinct_gives("sum", &[col("bigint", &[big(5), big(5), null(), big(2), null()])], "7");
    distinct_gives("count", &[col("varchar", &[text("a"), text("a"), null()])], "1");
    distinct_gives("array_agg", &[col("bigint", &[big(3), big(1), big(3)])], "[3, 1]");
    distinct_gives("corr", &[doubles(&[1.0, 2.0, 2.0]), doubles(&[1.0, 2.0, 2.0])], "1.0");
}

#[test]
fn digests_are_refused_by_name() {
    let error = format!("{:?}", functions::unknown_function("tdigest_agg", &[]));
    assert!(error.contains("approx_percentile"), "{error}");
}

#[test]
fn window_functions_are_listed() {
    let lag = functions::find_window("lag").unwrap();
    assert!(lag.ordered && !lag.framed && lag.ignores_nulls);
    assert!(functions::find_window("median").is_none());
    for window in functions::WINDOWS {
        for signature in window.signatures {
            functions::Signature::parse(signature).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However rows are cut into pieces, the answer is that over all of them.
    #[test]
    fn pieces_agree_with_one_pass(
        rows in prop::collection::vec((prop::option::of(-50_i64..50), -1000_i64..1000), 1..60),
        at in 0.0_f64..1.0,
    ) {
        let first = In::Value(sql::SqlType::BigInt, Arc::new(rows.iter().map(|r| r.0).collect::<Int64Array>()));
        let second = bigs(&rows.iter().map(|r| r.1).collect::<Vec<_>>());
        let cut = (at * rows.len() as f64) as usize;
        for name in ["sum", "avg", "min", "max", "count", "array_agg", "histogram", "set_agg", "checksum", "bitwise_xor_agg",
            "approx_distinct", "var_pop", "kurtosis", "arbitrary"] {
            pieces_agree(name, std::slice::from_ref(&first), cut);
        }
        for name in ["map_agg", "multimap_agg", "min_by", "max_by", "covar_pop"] {
            pieces_agree(name, &[first.clone(), second.clone()], cut);
        }
        pieces_agree("approx_percentile", &[first.clone(), same(double(at), rows.len())], cut);
        pieces_agree("max", &[first.clone(), same(big(5), rows.len())], cut);
        pieces_agree("numeric_histogram", &[same(big(100), rows.len()), first], cut);
    }
}
