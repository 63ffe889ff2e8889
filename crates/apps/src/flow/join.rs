//! What the condition of a join means to a stream: which columns are its keys, and how far apart in time two rows may be
//! that meet. Without keys and bounds every row would have to be kept for ever.

use super::compile::physical;
use super::tables::{Origin, origin};
use crate::script::window::length;
use arrow::array::{ArrayRef, RecordBatch, TimestampNanosecondArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::common::JoinType;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Join, LogicalPlan, Operator, lit};
use model::{Error, Result};
use std::sync::Arc;

/// The condition of a join, understood.
pub(super) struct Condition {
    /// Of which sides rows without a partner come out, too.
    pub(super) outer: [bool; 2],
    /// What has to be equal, of the left and the right side.
    pub(super) keys: Vec<(Expr, Expr)>,
    /// The event time of each side.
    pub(super) times: (usize, usize),
    /// By how many milliseconds the left row's time is at least behind the right one's.
    pub(super) lower: i64,
    /// And at most.
    pub(super) upper: i64,
    /// All of it.
    pub(super) whole: Expr,
}

/// A bound of the left time behind the right one, in nanoseconds.
struct Bound {
    times: (usize, usize),
    operator: Operator,
    nanos: i64,
    /// Whether one of the times is finer than milliseconds.
    is_fine: bool,
}

const MILLI: i64 = 1_000_000;
const SHAPE: &str = "join on equal columns and bounded times: a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '5' MINUTE AND b.ts + INTERVAL '1' MINUTE";

/// Understands a join with what is filtered right behind it, which is a part of the condition of an inner one only.
pub(super) fn understood(join: &Join, behind: Option<&Expr>) -> Result<Condition> {
    let refused = |kind: &str| {
        Err(Error::unsupported(format!("{kind} join of streams is not supported"))
            .hint("inner, LEFT, RIGHT and FULL joins of streams are"))
    };
    let outer = match join.join_type {
        JoinType::Inner => [false, false],
        JoinType::Left => [true, false],
        JoinType::Right => [false, true],
        JoinType::Full => [true, true],
        JoinType::LeftSemi | JoinType::RightSemi => return refused("a semi"),
        JoinType::LeftAnti | JoinType::RightAnti => return refused("an anti"),
        other => return refused(&format!("a {other}")),
    };
    let equal = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    let all: Vec<Expr> = equal.chain(join.filter.iter().chain(behind).cloned()).collect();
    let mut parts = Vec::new();
    all.iter().for_each(|condition| split(condition, &mut parts));
    let (mut keys, mut bounds) = (Vec::new(), Vec::new());
    for part in parts {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = part else { continue };
        let (left, op, right) = match (is_of(left, &join.left), is_of(right, &join.right)) {
            (true, true) => (left, *op, right),
            _ if is_of(right, &join.left) && is_of(left, &join.right) => match op.swap() {
                Some(swapped) => (right, swapped, left),
                None => continue,
            },
            _ => continue,
        };
        if op == Operator::Eq {
            keys.push(((**left).clone(), (**right).clone()));
        }
        let is_bound =
            matches!(op, Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
        let times =
            if is_bound { (time(left, &join.left)?, time(right, &join.right)?) } else { (None, None) };
        if let (Some(left), Some(right)) = times {
            bounds.push(Bound {
                times: (left.column, right.column),
                operator: op,
                nanos: right.nanos - left.nanos,
                is_fine: left.is_fine || right.is_fine,
            });
        }
    }
    if keys.is_empty() {
        return Err(Error::unsupported("a join of streams without an equality is not supported").hint(SHAPE));
    }
    let times = bounds.first().map(|bound| bound.times);
    let (mut lower, mut upper) = (None::<i64>, None::<i64>);
    for bound in bounds.iter().filter(|bound| Some(bound.times) == times) {
        let (least, most) = bound.millis();
        lower = lower.max(least);
        upper = [upper, most].into_iter().flatten().min();
    }
    let (Some(times), Some(lower), Some(upper)) = (times, lower, upper) else {
        let error =
            Error::unsupported("a join of streams without bounds of time on both sides is not supported")
                .why("a row could only be let go once nothing that it meets can come any more")
                .hint(SHAPE)
                .hint("both times are event times: those of the tables' WATERMARK");
        let error = match outer.contains(&true) {
            true => error.hint("an outer join has them in ON, not in WHERE"),
            false => error,
        };
        return Err(match all.iter().any(|condition| has_padded_time(condition, join)) {
            true => error.hint("of an outer join below, take the time of the side whose rows all come out"),
            false => error,
        });
    };
    if lower > upper {
        let text = format!(
            "no two rows can meet: one time would be {} and {} behind the other",
            length(lower),
            length(upper)
        );
        return Err(Error::invalid(text).hint(SHAPE));
    }
    let whole = all.into_iter().reduce(Expr::and);
    let whole = whole.ok_or_else(|| Error::internal("a join without a condition"))?;
    Ok(Condition { outer, keys, times, lower, upper, whole })
}

/// Whether a condition names an event time that an outer join below may have filled with NULL.
fn has_padded_time(condition: &Expr, join: &Join) -> bool {
    condition.column_refs().into_iter().any(|column| {
        [&join.left, &join.right].into_iter().any(|side| {
            let at = side.schema().maybe_index_of_column(column);
            at.is_some_and(|at| origin(side, at) == Origin::Padded)
        })
    })
}

/// What holds wherever a condition does. Where its second half may fail, `a AND b` is `a AND CASE WHEN a IS NOT FALSE THEN b
/// ELSE false END` in a plan.
fn split<'a>(condition: &'a Expr, parts: &mut Vec<&'a Expr>) {
    for part in split_conjunction(condition) {
        let guarded = match part {
            Expr::Case(case) if case.expr.is_none() => {
                match (case.when_then_expr.as_slice(), &case.else_expr) {
                    ([(_, then)], Some(otherwise)) if **otherwise == lit(false) => Some(then),
                    _ => None,
                }
            }
            _ => None,
        };
        match guarded {
            Some(then) => split(then, parts),
            None => parts.push(part),
        }
    }
}

impl Bound {
    /// The least and the greatest milliseconds that it allows. Times that are finer are rounded, so one more is allowed: the
    /// condition itself is asked for every pair.
    fn millis(&self) -> (Option<i64>, Option<i64>) {
        let (floor, rest) = (self.nanos.div_euclid(MILLI), self.nanos.rem_euclid(MILLI));
        let ceil = floor + i64::from(rest > 0);
        let more = i64::from(self.is_fine);
        let least = match self.operator {
            Operator::Gt => Some(floor + 1),
            Operator::GtEq | Operator::Eq => Some(ceil),
            _ => None,
        };
        let most = match self.operator {
            Operator::Lt => Some(ceil - 1),
            Operator::LtEq | Operator::Eq => Some(floor),
            _ => None,
        };
        (least.map(|at| at - more), most.map(|at| at + more))
    }
}

/// Whether an expression has columns, all of them of this side.
fn is_of(expr: &Expr, side: &LogicalPlan) -> bool {
    let columns = expr.column_refs();
    !columns.is_empty() && columns.iter().all(|column| side.schema().maybe_index_of_column(column).is_some())
}

/// An event time and what is added to it.
struct Time {
    column: usize,
    nanos: i64,
    is_fine: bool,
}

/// What an expression adds to an event time; nothing if it is something else.
fn time(expr: &Expr, side: &LogicalPlan) -> Result<Option<Time>> {
    let columns = expr.column_refs();
    let [column] = columns.iter().copied().collect::<Vec<_>>()[..] else { return Ok(None) };
    let Some(at) = side.schema().maybe_index_of_column(column) else { return Ok(None) };
    if origin(side, at) != Origin::Time {
        return Ok(None);
    }
    // Tried with times of many years: it is the same everywhere, or no bound.
    let nanos: Vec<i64> = (0..64_i64).map(|n| (n * 41 * 86_400_000 + n * n * 977_351 + 1) * MILLI).collect();
    let sample = TimestampNanosecondArray::from(nanos.clone());
    let fields = side.schema().as_arrow().fields();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(fields.len());
    for (n, field) in fields.iter().enumerate() {
        columns.push(match n == at {
            true => cast(&sample, field.data_type()).map_err(crate::run::rows::arrow)?,
            false => new_null_array(field.data_type(), nanos.len()),
        });
    }
    let open: Vec<Field> = fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(open)), columns).map_err(crate::run::rows::arrow)?;
    let tried =
        physical(expr, side.schema())?.evaluate(&rows).and_then(|value| value.into_array(nanos.len()));
    let Ok(tried) = tried else { return Ok(None) };
    let (DataType::Timestamp(unit, None), DataType::Timestamp(given, _)) =
        (tried.data_type().clone(), fields[at].data_type().clone())
    else {
        return Ok(None);
    };
    let tried =
        cast(&tried, &DataType::Timestamp(TimeUnit::Nanosecond, None)).map_err(crate::run::rows::arrow)?;
    let Some(tried) = tried.as_any().downcast_ref::<TimestampNanosecondArray>() else { return Ok(None) };
    let mut added = tried.iter().zip(&nanos).map(|(out, given)| out.map(|out| out - given));
    let Some(Some(nanos)) = added.next() else { return Ok(None) };
    let is_fine = [unit, given].iter().any(|u| matches!(u, TimeUnit::Microsecond | TimeUnit::Nanosecond));
    Ok(added.all(|other| other == Some(nanos)).then_some(Time { column: at, nanos, is_fine }))
}
