//! Aggregates over known rows. Each check runs over one group, over pieces merged through their states, over many groups
//! at once and over a sliding window frame; all have to agree with the expected answer.

use crate::harness::*;
use arrow::array::*;
use arrow::compute::{cast, concat};
use functions::{AggregateCall, ArgType, Lambda, Resolved, resolve_aggregate};
use model::Result;
use sql::SqlType;
use std::sync::Arc;

/// A column of rows: `col("bigint", &[big(1), null()])`.
pub(crate) fn col(sql_type: &str, values: &[In]) -> In {
    let sql_type: SqlType = sql_type.parse().unwrap();
    let values: Vec<In> = values
        .iter()
        .map(|v| match v {
            In::Value(SqlType::Unknown, _) => {
                In::Value(sql_type.clone(), new_null_array(&sql_type.to_arrow(), 1))
            }
            other => other.clone(),
        })
        .collect();
    let array = column(&sql_type, &values);
    In::Value(sql_type, array)
}

pub(crate) fn bigs(values: &[i64]) -> In {
    In::Value(SqlType::BigInt, Arc::new(Int64Array::from(values.to_vec())))
}

pub(crate) fn doubles(values: &[f64]) -> In {
    In::Value(SqlType::Double, Arc::new(Float64Array::from(values.to_vec())))
}

pub(crate) fn texts(values: &[&str]) -> In {
    In::Value(SqlType::VARCHAR, Arc::new(StringViewArray::from(values.to_vec())))
}

/// Numbers of another type, given as text: `nums("decimal(10,2)", &["1.50", "NULL"])`.
pub(crate) fn nums(sql_type: &str, values: &[&str]) -> In {
    let sql_type: SqlType = sql_type.parse().unwrap();
    let texts: StringArray = values.iter().map(|v| (*v != "NULL").then_some(*v)).collect();
    let array = cast(&texts, &sql_type.to_arrow()).unwrap();
    assert_eq!(array.null_count(), values.iter().filter(|v| **v == "NULL").count());
    In::Value(sql_type, array)
}

/// The same value in every row, for settings such as a percentage.
pub(crate) fn same(value: In, rows: usize) -> In {
    match value {
        In::Value(t, a) => In::Value(t, concat(&vec![a.as_ref(); rows]).unwrap()),
        In::Lambda(..) => panic!("a lambda is no column"),
    }
}

struct Run {
    name: String,
    resolved: Resolved<functions::Aggregate>,
    columns: Vec<ArrayRef>,
    lambdas: Vec<Option<Arc<dyn Lambda>>>,
    session: functions::Session,
}

impl Run {
    fn new(name: &str, args: &[In]) -> Result<Self> {
        let session = session();
        let types: Vec<ArgType> = args
            .iter()
            .map(|a| match a {
                In::Value(t, _) => ArgType::Value(t.clone()),
                In::Lambda(n, _) => ArgType::Lambda(*n),
            })
            .collect();
        let resolved = resolve_aggregate(name, &types, &session, &mut |at, _| match &args[at] {
            In::Lambda(_, lambda) => Ok(lambda.returns.clone()),
            In::Value(t, _) => Ok(t.clone()),
        })?;
        let mut columns = Vec::new();
        let mut lambdas = Vec::new();
        for (arg, wanted) in args.iter().zip(&resolved.arg_types) {
            match arg {
                In::Value(_, a) => {
                    columns.push(cast(a, &wanted.to_arrow()).unwrap());
                    lambdas.push(None);
                }
                In::Lambda(_, l) => lambdas.push(Some(l.clone() as Arc<dyn Lambda>)),
            }
        }
        if columns.is_empty() {
            columns.push(Arc::new(NullArray::new(3)));
        }
        Ok(Run { name: name.to_owned(), resolved, columns, lambdas, session })
    }

    fn call(&self) -> AggregateCall<'_> {
        AggregateCall {
            name: &self.name,
            arg_types: &self.resolved.arg_types,
            return_type: &self.resolved.return_type,
            lambdas: &self.lambdas,
            session: &self.session,
        }
    }

    fn rows(&self) -> usize {
        self.columns[0].len()
    }

    fn slice(&self, from: usize, to: usize) -> Vec<ArrayRef> {
        self.columns.iter().map(|c| c.slice(from, to - from)).collect()
    }

    fn shown(&self, answer: &ArrayRef) -> String {
        assert_eq!(
            answer.data_type(),
            &self.resolved.return_type.to_arrow(),
            "{}: the Arrow type",
            self.name
        );
        show(answer, 0)
    }

    fn whole(&self) -> Result<String> {
        let mut accumulator = (self.resolved.function.make)(&self.call())?;
        accumulator.update(&self.columns)?;
        let _ = accumulator.size();
        let first = self.shown(&accumulator.finish()?);
        assert_eq!(first, self.shown(&accumulator.finish()?), "{}: asked twice", self.name);
        Ok(first)
    }

    fn empty(&self) -> Result<String> {
        Ok(self.shown(&(self.resolved.function.make)(&self.call())?.finish()?))
    }

    /// Cut into pieces at these rows, each gathered alone, then merged.
    fn pieces(&self, cuts: &[usize]) -> Result<String> {
        let types = (self.resolved.function.state)(&self.resolved.arg_types, &self.resolved.return_type);
        let mut all = (self.resolved.function.make)(&self.call())?;
        let mut bounds = vec![0];
        bounds.extend(cuts);
        bounds.push(self.rows());
        for pair in bounds.windows(2) {
            let mut piece = (self.resolved.function.make)(&self.call())?;
            if pair[1] > pair[0] {
                piece.update(&self.slice(pair[0], pair[1]))?;
            }
            let state = piece.state()?;
            let found: Vec<_> = state.iter().map(|s| s.data_type().clone()).collect();
            assert_eq!(found, types, "{}: the state's types", self.name);
            all.merge(&state)?;
        }
        Ok(self.shown(&all.finish()?))
    }

    /// All rows in groups 0 and 2, none in 1; in one pass and through states.
    fn grouped(&self) -> Result<[String; 6]> {
        let rows = self.rows();
        let numbers: Vec<usize> = (0..rows).map(|_| 0).chain((0..rows).map(|_| 2)).collect();
        let twice: Vec<ArrayRef> =
            self.columns.iter().map(|c| concat(&[c.as_ref(), c.as_ref()]).unwrap()).collect();
        let mut one = (self.resolved.function.groups)(&self.call())?;
        one.update(&twice, &numbers, 3)?;
        let mut other = (self.resolved.function.groups)(&self.call())?;
        other.update(&twice, &numbers, 3)?;
        let first = other.state(Some(1))?;
        let rest = other.state(None)?;
        let mut merged = (self.resolved.function.groups)(&self.call())?;
        merged.merge(&first, &[0], 1)?;
        merged.merge(&rest, &[1, 2], 3)?;
        let first = one.finish(Some(1))?;
        let rest = one.finish(None)?;
        let _ = one.size();
        let merged = merged.finish(None)?;
        assert_eq!((first.len(), rest.len(), merged.len()), (1, 2, 3));
        Ok([
            show(&first, 0),
            show(&rest, 0),
            show(&rest, 1),
            show(&merged, 0),
            show(&merged, 1),
            show(&merged, 2),
        ])
    }

    /// The rows come behind others that leave again.
    fn slid(&self) -> Result<String> {
        let mut frame = self.resolved.function.sliding(&self.call())?;
        assert!(frame.retracts());
        let middle = self.rows() / 2;
        frame.update(&self.columns)?;
        frame.update(&self.slice(0, middle))?;
        frame.retract(&self.columns)?;
        frame.update(&self.slice(middle, self.rows()))?;
        let _ = frame.size();
        Ok(self.shown(&frame.finish()?))
    }
}

/// Whether two answers are the same, floats up to rounding.
fn agree(found: &str, expected: &str) -> bool {
    match (found.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(a), Ok(b)) if found.contains('.') && expected.contains('.') => {
            (a - b).abs() <= 1e-11 * b.abs().max(1e-3)
        }
        _ => found == expected,
    }
}

/// The answer over the rows, if it is an error its message.
pub(crate) fn over(name: &str, args: &[In]) -> String {
    match Run::new(name, args).and_then(|r| r.whole()) {
        Ok(answer) => answer,
        Err(error) => format!("error: {error}"),
    }
}

/// The answer over the rows, by every way of computing it.
#[track_caller]
pub(crate) fn gives(name: &str, args: &[In], expected: &str) {
    let run = Run::new(name, args).unwrap();
    let same = |found: Result<String>, how: &str| {
        let found = found.unwrap_or_else(|e| format!("error: {e}"));
        assert!(agree(&found, expected), "{name} {how}: expected {expected}, found {found}");
    };
    same(run.whole(), "in one pass");
    let rows = run.rows();
    for cut in 0..=rows.min(8) {
        same(run.pieces(&[cut]), "in two pieces");
        same(run.pieces(&[cut, cut, (cut + rows) / 2]), "in four pieces");
    }
    let empty = run.empty().unwrap();
    let [a, b, c, d, e, f] = run.grouped().unwrap();
    for (found, expected) in
        [(a, expected), (b, &empty), (c, expected), (d, expected), (e, &empty), (f, expected)]
    {
        assert!(agree(&found, expected), "{name} by groups: expected {expected}, found {found}");
    }
    same(run.slid(), "in a sliding frame");
}

/// The answer over no rows.
#[track_caller]
pub(crate) fn gives_empty(name: &str, args: &[In], expected: &str) {
    let run = Run::new(name, args).unwrap();
    assert_eq!(run.empty().unwrap(), expected, "{name} over no rows");
    assert_eq!(run.pieces(&[0]).unwrap(), run.whole().unwrap());
}

/// The call fails with a message that contains this.
#[track_caller]
pub(crate) fn fails_over(name: &str, args: &[In], message: &str) {
    let error = Run::new(name, args).and_then(|r| r.whole()).unwrap_err();
    assert!(error.to_string().contains(message), "{name}: {error}");
}

/// The type of the answer.
pub(crate) fn type_over(name: &str, args: &[In]) -> String {
    Run::new(name, args).unwrap().resolved.return_type.to_string()
}

#[test]
fn rows_are_counted() {
    gives("count", &[], "3");
    gives("count", &[col("bigint", &[big(1), null(), big(3)])], "2");
    gives("count", &[col("varchar", &[null(), null()])], "0");
    gives_empty("count", &[bigs(&[1])], "0");
    gives("count_if", &[col("boolean", &[boolean(true), null(), boolean(false), boolean(true)])], "2");
    gives_empty("count_if", &[col("boolean", &[boolean(true)])], "0");
}

#[test]
fn sums_are_exact_or_an_error() {
    gives("sum", &[col("bigint", &[big(1), null(), big(41)])], "42");
    gives("sum", &[bigs(&[i64::MAX, 1, -1])], "9223372036854775807");
    fails_over("sum", &[bigs(&[i64::MAX, 1])], "out of range");
    gives("sum", &[col("bigint", &[null()])], "NULL");
    gives_empty("sum", &[bigs(&[1])], "NULL");
    assert_eq!(type_over("sum", &[col("integer", &[int(1)])]), "bigint");
    gives("sum", &[col("integer", &[int(i32::MAX), int(i32::MAX)])], "4294967294");
    gives("sum", &[doubles(&[0.5, 0.25])], "0.75");
    assert_eq!(type_over("sum", &[nums("real", &["1"])]), "real");
    gives("sum", &[nums("real", &["1.5", "2.25"])], "3.75");
    assert_eq!(type_over("sum", &[nums("decimal(10,2)", &["1"])]), "decimal(38,2)");
    gives("sum", &[nums("decimal(10,2)", &["1.50", "NULL", "-0.25"])], "1.25");
    let most = "99999999999999999999999999999999999999";
    fails_over("sum", &[nums("decimal(38,0)", &[most, "1"])], "out of range");
    gives(
        "sum",
        &[nums("decimal(38,0)", &[most, most, most, "1", &format!("-{most}"), &format!("-{most}"), "-1"])],
        most,
    );
    let days =
        In::Value(SqlType::IntervalDaySecond, Arc::new(DurationMillisecondArray::from(vec![1000, 500])));
    assert_eq!(type_over("sum", std::slice::from_ref(&days)), "interval day to second");
    gives("sum", &[days], "PT1.5S");
}

#[test]
fn means_are_rounded_half_up() {
    assert_eq!(type_over("avg", &[bigs(&[1])]), "double");
    gives("avg", &[bigs(&[1, 2])], "1.5");
    gives("avg", &[col("double", &[double(1.0), null(), double(2.0)])], "1.5");
    gives_empty("avg", &[doubles(&[1.0])], "NULL");
    assert_eq!(type_over("avg", &[nums("real", &["1"])]), "real");
    gives("avg", &[nums("real", &["1", "2"])], "1.5");
    assert_eq!(type_over("avg", &[nums("decimal(5,2)", &["1"])]), "decimal(5,2)");
    gives("avg", &[nums("decimal(5,2)", &["0.01", "0.02"])], "0.02");
    gives("avg", &[nums("decimal(5,2)", &["-0.01", "-0.02"])], "-0.02");
    gives("avg", &[nums("decimal(5,2)", &["0.01", "0.01", "0.02"])], "0.01");
    let most = "99999999999999999999999999999999999999";
    gives("avg", &[nums("decimal(38,0)", &[most, most, most])], most);
}

#[test]
fn extremes_of_every_type() {
    gives("min", &[col("bigint", &[big(3), null(), big(-7)])], "-7");
    gives("max", &[col("bigint", &[big(3), null(), big(-7)])], "3");
    gives_empty("max", &[bigs(&[1])], "NULL");
    gives("max", &[texts(&["a", "ab", "B"])], "ab");
    gives("min", &[texts(&["a", "ab", "B"])], "B");
    gives("max", &[col("boolean", &[boolean(false), boolean(true)])], "true");
    gives("min", &[nums("decimal(10,2)", &["1.50", "-2.00"])], "-2.00");
    gives("max", &[nums("date", &["2024-02-29", "2023-12-31"])], "2024-02-29");
    let lists =
        [array("bigint", &[big(1), big(2)]), array("bigint", &[big(1)]), array("bigint", &[big(0), big(9)])];
    gives("min", &[col("array(bigint)", &lists)], "[0, 9]");
    gives("max", &[col("array(bigint)", &lists)], "[1, 2]");
    let of = "row(a bigint, b varchar)";
    gives("max", &[col(of, &[row(of, &[big(1), text("z")]), row(of, &[big(2), text("a")])])], "{a=2, b=a}");
}

#[test]
fn not_a_number_is_no_extreme() {
    let infinite = doubles(&[f64::NAN, 1.0, f64::INFINITY, f64::NEG_INFINITY]);
    gives("max", std::slice::from_ref(&infinite), "inf");
    gives("min", &[infinite], "-inf");
    gives("max", &[doubles(&[f64::INFINITY])], "inf");
    gives("min", &[doubles(&[f64::INFINITY])], "inf");
    gives("max", &[doubles(&[f64::NAN, f64::NAN])], "NaN");
    gives("max", &[doubles(&[1.0, f64::NAN])], "1.0");
    gives("max_by", &[texts(&["a", "b"]), doubles(&[1.0, f64::NAN])], "a");
    gives("min_by", &[texts(&["a", "b"]), doubles(&[f64::NAN, 1.0])], "b");
    gives("max", &[doubles(&[1.0, f64::NAN, 2.0]), bigs(&[3, 3, 3])], "[2.0, 1.0, NaN]");
}

#[test]
fn values_beside_extremes() {
    let names = col("varchar", &[text("a"), text("b"), null(), text("d")]);
    let by = col("bigint", &[big(2), big(5), big(7), null()]);
    gives("max_by", &[names.clone(), by.clone()], "NULL");
    gives("min_by", &[names.clone(), by.clone()], "a");
    gives_empty("max_by", &[names.clone(), by.clone()], "NULL");
    gives("max_by", &[names.clone(), by.clone(), same(big(2), 4)], "[NULL, b]");
    gives("min_by", &[names.clone(), by.clone(), same(big(9), 4)], "[a, b, NULL]");
    gives("max", &[bigs(&[1, 5, 3, 5]), same(big(3), 4)], "[5, 5, 3]");
    gives("min", &[texts(&["x", "b"]), same(big(1), 2)], "[b]");
    gives("min", &[col("bigint", &[null()]), bigs(&[1])], "NULL");
    fails_over("max", &[bigs(&[1]), bigs(&[0])], "from 1 to 10000");
    fails_over("max_by", &[bigs(&[1]), bigs(&[0]), bigs(&[10_001])], "third argument");
}

#[test]
fn truths_and_bits() {
    let mixed = col("boolean", &[boolean(true), null(), boolean(false)]);
    gives("bool_and", std::slice::from_ref(&mixed), "false");
    gives("every", &[col("boolean", &[boolean(true), null()])], "true");
    gives("bool_or", &[mixed], "true");
    gives("bool_or", &[col("boolean", &[null()])], "NULL");
    gives("bitwise_and_agg", &[bigs(&[12, 10, -1])], "8");
    gives("bitwise_or_agg", &[col("bigint", &[big(12), null(), big(3)])], "15");
    gives("bitwise_xor_agg", &[bigs(&[12, 10])], "6");
    gives_empty("bitwise_and_agg", &[bigs(&[1])], "NULL");
}

#[test]
fn values_are_gathered_in_order() {
    gives("array_agg", &[col("bigint", &[big(3), null(), big(1)])], "[3, NULL, 1]");
    gives_empty("array_agg", &[bigs(&[1])], "NULL");
    gives("array_agg", &[col("array(varchar)", &[array("varchar", &[text("a")]), null()])], "[[a], NULL]");
    gives("arbitrary", &[col("varchar", &[null(), text("b"), null()])], "b");
    gives("any_value", &[col("bigint", &[null()])], "NULL");
    gives("any_value", &[col("array(bigint)", &[array("bigint", &[big(1)])])], "[1]");
}

#[test]
fn texts_are_joined() {
    let comma = same(text(", "), 3);
    gives("listagg", &[col("varchar", &[text("a"), null(), text("b")]), comma], "a, b");
    gives("listagg", &[texts(&["a", "b"])], "ab");
    gives_empty("listagg", &[texts(&["a"])], "NULL");
    let long = "x".repeat(600_000);
    let rows = texts(&[&long, &long, "y"]);
    fails_over("listagg", &[rows.clone(), same(text(","), 3)], "longer than 1048576 bytes");
    let truncate = |count: bool| {
        let settings = [text(","), boolean(false), text("~"), boolean(count)];
        let mut args = vec![rows.clone()];
        args.extend(settings.map(|s| same(s, 3)));
        over("listagg", &args)
    };
    assert_eq!(truncate(true), format!("{long},~(2)"));
    assert_eq!(truncate(false), format!("{long},~"));
}

/// The answer over the different rows, in one pass and in pieces.
#[track_caller]
pub(crate) fn distinct_gives(name: &str, args: &[In], expected: &str) {
    let run = Run::new(name, args).unwrap();
    let make = || run.resolved.function.distinct(&run.call()).unwrap();
    let mut all = make();
    all.update(&run.columns).unwrap();
    assert_eq!(run.shown(&all.finish().unwrap()), expected, "{name}(DISTINCT) in one pass");
    for cut in 0..=run.rows() {
        let mut merged = make();
        for (from, to) in [(0, cut), (cut, run.rows())] {
            let mut piece = make();
            piece.update(&run.slice(from, to)).unwrap();
            let state = piece.state().unwrap();
            let types: Vec<_> = state.iter().map(|s| s.data_type().clone()).collect();
            assert_eq!(types, functions::Aggregate::distinct_state());
            merged.merge(&state).unwrap();
        }
        let _ = merged.size();
        assert_eq!(run.shown(&merged.finish().unwrap()), expected, "{name}(DISTINCT) in pieces");
    }
}

/// The answer over pieces is that over all rows.
#[track_caller]
pub(crate) fn pieces_agree(name: &str, args: &[In], cut: usize) {
    let run = Run::new(name, args).unwrap();
    let (whole, pieces) = (run.whole().unwrap(), run.pieces(&[cut, cut]).unwrap());
    assert!(agree(&pieces, &whole), "{name} cut at {cut}: {whole} in one pass, {pieces} in pieces");
}
