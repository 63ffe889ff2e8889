//! Arrays of any content against the same thing written plainly, and decimals against whole numbers.

use crate::harness::session;
use arrow::array::*;
use functions::{Arg, ArgType, Call, resolve_scalar};
use proptest::prelude::*;
use sql::SqlType;
use std::sync::Arc;

type Ints = Vec<Option<i32>>;
type Lists = Vec<Option<Ints>>;

fn list_array(lists: &Lists) -> ArrayRef {
    let lists = lists.iter().map(|l| l.as_ref().map(|l| l.iter().copied()));
    Arc::new(ListArray::from_iter_primitive::<arrow::datatypes::Int32Type, _, _>(lists))
}

/// Runs a function on columns of these types.
fn run(name: &str, args: &[(&str, Arg)], rows: usize) -> ArrayRef {
    let session = session();
    let types: Vec<ArgType> = args.iter().map(|(t, _)| ArgType::Value(t.parse().unwrap())).collect();
    let resolved = resolve_scalar(name, &types, &session, &mut |_, _| Ok(SqlType::Unknown)).unwrap();
    let args: Vec<Arg> = args.iter().map(|(_, a)| a.clone()).collect();
    let call = Call {
        name,
        args: &args,
        arg_types: &resolved.arg_types,
        return_type: &resolved.return_type,
        rows,
        session: &session,
    };
    (resolved.function.kernel)(&call).unwrap()
}

fn back(array: &ArrayRef) -> Lists {
    let lists = array.as_list::<i32>().iter();
    lists.map(|l| l.map(|l| l.as_primitive::<arrow::datatypes::Int32Type>().iter().collect())).collect()
}

const INTS: &str = "array(integer)";

fn some_lists() -> impl Strategy<Value = Lists> {
    let list = prop::collection::vec(prop::option::weighted(0.8, -3..4i32), 0..7);
    prop::collection::vec(prop::option::weighted(0.9, list), 1..6)
}

fn distinct(list: impl IntoIterator<Item = Option<i32>>) -> Ints {
    let mut out = Vec::new();
    list.into_iter().for_each(|x| {
        if !out.contains(&x) {
            out.push(x);
        }
    });
    out
}

/// Applies a plain function to each row in which both lists are there.
fn each(a: &Lists, b: &Lists, f: impl Fn(&Ints, &Ints) -> Ints) -> Lists {
    a.iter().zip(b).map(|(a, b)| a.as_ref().zip(b.as_ref()).map(|(a, b)| f(a, b))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn functions_of_one_array(lists in some_lists(), cut in 0usize..3) {
        // Also on a slice: its offsets do not begin at 0.
        let cut = cut.min(lists.len());
        let array = list_array(&lists).slice(cut, lists.len() - cut);
        let lists = lists[cut..].to_vec();
        let apply = |name| back(&run(name, &[(INTS, Arg::Column(array.clone()))], array.len()));
        let plain = |f: fn(Ints) -> Ints| lists.iter().cloned().map(|l| l.map(f)).collect::<Lists>();
        prop_assert_eq!(apply("array_distinct"), plain(distinct));
        prop_assert_eq!(apply("reverse"), plain(|l| l.into_iter().rev().collect()));
        prop_assert_eq!(apply("array_sort"), plain(|mut l| { l.sort_by_key(|x| (x.is_none(), *x)); l }));
    }

    #[test]
    fn functions_of_two_arrays((a, b) in (some_lists(), some_lists())) {
        let rows = a.len().min(b.len());
        let (a, b) = (a[..rows].to_vec(), b[..rows].to_vec());
        let columns = [(INTS, Arg::Column(list_array(&a))), (INTS, Arg::Column(list_array(&b)))];
        let apply = |name| back(&run(name, &columns, rows));
        prop_assert_eq!(apply("array_union"), each(&a, &b, |a, b| distinct(a.iter().chain(b).copied())));
        let except = |a: &Ints, b: &Ints| distinct(a.iter().copied().filter(|x| !b.contains(x)));
        prop_assert_eq!(apply("array_except"), each(&a, &b, except));
        let intersect = |a: &Ints, b: &Ints| {
            let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
            distinct(long.iter().copied().filter(|x| short.contains(x)))
        };
        prop_assert_eq!(apply("array_intersect"), each(&a, &b, intersect));
        prop_assert_eq!(apply("$concat"), each(&a, &b, |a, b| a.iter().chain(b).copied().collect()));
        let equal = run("$eq", &columns, rows);
        let distinct_from = run("$distinct_from", &columns, rows);
        for row in 0..rows {
            let null = |l: &Option<Ints>| l.as_ref().is_none_or(|l| l.contains(&None));
            prop_assert_eq!(distinct_from.as_boolean().value(row), a[row] != b[row]);
            if !null(&a[row]) && !null(&b[row]) {
                prop_assert_eq!(equal.as_boolean().value(row), a[row] == b[row]);
            }
        }
    }

    #[test]
    fn a_constant_is_searched_as_a_column_is(
        list in prop::collection::vec(prop::option::weighted(0.97, -40..40i32), 0..60),
        needles in prop::collection::vec(prop::option::weighted(0.9, -40..40i32), 1..20),
    ) {
        let needle = Arg::Column(Arc::new(Int32Array::from(needles.clone())));
        let constant = Arg::Constant(list_array(&vec![Some(list.clone())]));
        let column = Arg::Column(list_array(&vec![Some(list.clone()); needles.len()]));
        for haystack in [constant, column] {
            let found = run("contains", &[(INTS, haystack), ("integer", needle.clone())], needles.len());
            let expected: Vec<Option<bool>> = needles.iter().map(|n| match n {
                None => None,
                found if list.contains(found) => Some(true),
                _ if list.contains(&None) => None,
                _ => Some(false),
            }).collect();
            prop_assert_eq!(found.as_boolean().iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn slices(list in prop::collection::vec(-9..9i32, 0..6), start in -8i64..8, length in 0i64..8) {
        prop_assume!(start != 0);
        let of = |v: i64| Arg::Constant(Arc::new(Int64Array::from(vec![v])));
        let lists = vec![Some(list.iter().copied().map(Some).collect())];
        let args = [(INTS, Arg::Column(list_array(&lists))), ("bigint", of(start)), ("bigint", of(length))];
        let count = list.len() as i64;
        let first = if start > 0 { start - 1 } else { count + start };
        let expected: Ints = (first..first + length)
            .filter(|_| first >= 0)
            .filter_map(|i| list.get(usize::try_from(i).ok()?).copied().map(Some))
            .collect();
        prop_assert_eq!(back(&run("slice", &args, 1)), vec![Some(expected)]);
    }

    #[test]
    fn quotients_are_the_nearest_decimals(a in -10i128.pow(15)..10i128.pow(15), b in 1i128..10i128.pow(9), negative: bool) {
        let b = if negative { -b } else { b };
        let of = |digits: i128, p: u8, s: i8| {
            Arg::Column(Arc::new(Decimal128Array::from(vec![digits]).with_precision_and_scale(p, s).unwrap()) as ArrayRef)
        };
        let args = [("decimal(18,2)", of(a, 18, 2)), ("decimal(12,4)", of(b, 12, 4))];
        let quotient = run("$divide", &args, 1);
        let q = quotient.as_primitive::<arrow::datatypes::Decimal128Type>().value(0);
        // q / 10^4 is a / 10^2 divided by b / 10^4, within half of its last place.
        prop_assert!((q * b - a * 1_000_000).abs() * 2 <= b.abs(), "{} / {} = {}", a, b, q);
    }
}
