//! Functions that take lambdas. Expectations are those of Trino's documentation.

use crate::harness::*;
use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::kernels::{cmp, numeric};
use arrow::compute::{is_not_null, kernels::zip::zip};
use functions::{Arg, Call, find_scalar};
use std::sync::Arc;

fn ints(values: &[i32]) -> In {
    array("integer", &values.iter().map(|v| int(*v)).collect::<Vec<_>>())
}

/// 5, NULL, 7
fn gap() -> In {
    array("integer", &[int(5), null(), int(7)])
}

/// x -> x + 1
fn plus_one() -> In {
    lambda(1, "integer", |p, _| Ok(numeric::add(&p[0], &Int32Array::new_scalar(1)).unwrap()))
}

/// x -> x > 5
fn over_five() -> In {
    lambda(1, "boolean", |p, _| Ok(Arc::new(cmp::gt(&p[0], &Int32Array::new_scalar(5)).unwrap())))
}

/// (a, b) -> a + b
fn sum(returns: &str) -> In {
    lambda(2, returns, |p, _| Ok(numeric::add(&p[0], &p[1]).unwrap()))
}

/// s -> s
fn identity(returns: &str) -> In {
    lambda(1, returns, |p, _| Ok(p[0].clone()))
}

#[test]
fn transform_and_filter() {
    check("transform", &[ints(&[5, 6]), plus_one()], "[6, 7]");
    check("transform", &[gap(), plus_one()], "[6, NULL, 8]");
    check("transform", &[ints(&[]), plus_one()], "[]");
    check("transform", &[null_of("array(integer)"), plus_one()], "NULL");
    check("filter", &[gap(), over_five()], "[7]");
    let present = lambda(1, "boolean", |p, _| Ok(Arc::new(is_not_null(&p[0]).unwrap())));
    check("filter", &[gap(), present], "[5, 7]");
    check("filter", &[ints(&[]), over_five()], "[]");
}

/// Runs a function on one column of lists and a lambda.
fn on_lists(name: &str, lists: ListArray, lambda: In) -> Vec<String> {
    let In::Lambda(_, lambda) = lambda else { panic!("a lambda") };
    let integers: sql::SqlType = "array(integer)".parse().unwrap();
    let session = session();
    let rows = lists.len();
    let call = Call {
        name,
        args: &[Arg::Column(Arc::new(lists)), Arg::Lambda(lambda)],
        arg_types: &[integers.clone(), sql::SqlType::Unknown],
        return_type: &integers,
        rows,
        session: &session,
    };
    let answer = (find_scalar(name)[0].kernel)(&call).unwrap();
    (0..rows).map(|row| show(&answer, row)).collect()
}

#[test]
fn lambdas_know_the_row_of_each_element() {
    // Row 1 is NULL though elements stand under it, row 2 is empty; the first row is cut off.
    let values: ArrayRef = Arc::new(Int32Array::from_iter_values(0..10));
    let offsets = OffsetBuffer::new(vec![0, 2, 4, 7, 7, 10].into());
    let valid = NullBuffer::from(vec![true, true, false, true, true]);
    let field = Arc::new(arrow::datatypes::Field::new_list_field(arrow::datatypes::DataType::Int32, true));
    let lists = ListArray::new(field, offsets, values, Some(valid)).slice(1, 4);
    let rows = || {
        lambda(1, "integer", |_, rows| {
            Ok(arrow::compute::cast(rows, &arrow::datatypes::DataType::Int32).unwrap())
        })
    };
    assert_eq!(on_lists("transform", lists.clone(), rows()), ["[0, 0]", "NULL", "[]", "[3, 3, 3]"]);
    assert_eq!(on_lists("transform", lists.clone(), plus_one()), ["[3, 4]", "NULL", "[]", "[8, 9, 10]"]);
    assert_eq!(on_lists("filter", lists, over_five()), ["[]", "NULL", "[]", "[7, 8, 9]"]);
}

#[test]
fn matches() {
    check("any_match", &[ints(&[1, 6]), over_five()], "true");
    check("any_match", &[gap(), over_five()], "true");
    check("any_match", &[array("integer", &[int(1), null()]), over_five()], "NULL");
    check("any_match", &[ints(&[]), over_five()], "false");
    check("all_match", &[ints(&[6, 7]), over_five()], "true");
    check("all_match", &[array("integer", &[int(6), null()]), over_five()], "NULL");
    check("all_match", &[array("integer", &[int(1), null()]), over_five()], "false");
    check("none_match", &[ints(&[1, 2]), over_five()], "true");
    check("none_match", &[ints(&[]), over_five()], "true");
    check("none_match", &[ints(&[6]), over_five()], "false");
}

#[test]
fn reduce() {
    check("reduce", &[ints(&[5, 20, 50]), int(0), sum("integer"), identity("integer")], "75");
    check("reduce", &[ints(&[]), int(0), sum("integer"), identity("integer")], "0");
    check("reduce", &[gap(), int(0), sum("integer"), identity("integer")], "NULL");
    check("reduce", &[null_of("array(integer)"), int(0), sum("integer"), identity("integer")], "NULL");
    let skip_null = lambda(2, "integer", |p, _| {
        let sum = numeric::add(&p[0], &p[1]).unwrap();
        Ok(zip(&is_not_null(&p[1]).unwrap(), &sum, &p[0]).unwrap())
    });
    check("reduce", &[gap(), int(0), skip_null, identity("integer")], "12");
}

#[test]
fn zip_with() {
    check("zip_with", &[ints(&[1, 2]), ints(&[3, 4]), sum("integer")], "[4, 6]");
    check("zip_with", &[ints(&[1, 2]), ints(&[3]), sum("integer")], "[4, NULL]");
    check("zip_with", &[ints(&[]), ints(&[]), sum("integer")], "[]");
}

#[test]
fn sorted_by_a_comparator() {
    // (x, y) -> IF(x < y, 1, IF(x = y, 0, -1))
    let descending = || {
        lambda(2, "integer", |p, _| {
            let (x, y) = (
                p[0].as_primitive::<arrow::datatypes::Int32Type>(),
                p[1].as_primitive::<arrow::datatypes::Int32Type>(),
            );
            Ok(Arc::new(x.iter().zip(y.iter()).map(|(x, y)| Some(y.cmp(&x) as i32)).collect::<Int32Array>()))
        })
    };
    check("array_sort", &[ints(&[3, 2, 5, 1, 2]), descending()], "[5, 3, 2, 2, 1]");
    check("array_sort", &[array("integer", &[int(3), null(), int(5)]), descending()], "[5, 3, NULL]");
    check("array_sort", &[ints(&[]), descending()], "[]");
    let two = lambda(2, "integer", |p, _| Ok(Arc::new(Int32Array::from(vec![2; p[0].len()]))));
    fails("array_sort", &[ints(&[1, 2]), two], "must return -1, 0 or 1, not 2");
}

#[test]
fn maps() {
    let ages = |entries: &[(&str, i32)]| {
        map("varchar", "integer", &entries.iter().map(|(k, v)| (text(k), int(*v))).collect::<Vec<_>>())
    };
    let value_over_five =
        lambda(2, "boolean", |p, _| Ok(Arc::new(cmp::gt(&p[1], &Int32Array::new_scalar(5)).unwrap())));
    check("map_filter", &[ages(&[("a", 1), ("b", 9)]), value_over_five], "{b=9}");
    let more = lambda(2, "integer", |p, _| Ok(numeric::add(&p[1], &Int32Array::new_scalar(1)).unwrap()));
    check("transform_values", &[ages(&[("a", 1), ("b", 9)]), more.clone()], "{a=2, b=10}");
    check("transform_keys", &[ages(&[("a", 1), ("b", 9)]), more], "{2=1, 10=9}");
    let same = lambda(2, "integer", |p, _| Ok(Arc::new(Int32Array::from(vec![7; p[0].len()]))));
    fails("transform_keys", &[ages(&[("a", 1), ("b", 9)]), same], "duplicate map keys (7)");
    let none = lambda(2, "integer", |p, _| Ok(Arc::new(Int32Array::from(vec![None; p[0].len()]))));
    fails("transform_keys", &[ages(&[("a", 1)]), none], "cannot be NULL");
    let both = lambda(3, "integer", |p, _| Ok(numeric::add(&p[1], &p[2]).unwrap()));
    check(
        "map_zip_with",
        &[ages(&[("a", 1), ("b", 2)]), ages(&[("b", 3), ("c", 4)]), both],
        "{a=NULL, b=5, c=NULL}",
    );
}

#[test]
fn joined_to_text() {
    check("array_join", &[gap(), text(",")], "5,7");
    check("array_join", &[gap(), text(","), text("-")], "5,-,7");
    check("array_join", &[ints(&[]), text(",")], "");
    check("array_join", &[array("double", &[double(1.0)]), text(",")], "1.0E0");
}
