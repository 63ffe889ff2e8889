//! The least and the greatest, and what stands beside them. Not-a-number is neither, as long as there is a number.

use super::fold::{Fold, Groups};
use super::rows::{Bytes, Keys, Nan, binary, bytes_at, plain_nan};
use super::tools::{column, list_of, lists, numbers, primitive, typed};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, BinaryArray, ListArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use model::{Error, Result};
use sql::SqlType;
use std::fmt::Debug;
use std::marker::PhantomData;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Extremes",
    scalars: &[],
    aggregates: &[
        aggregate!("min", &["(double) -> double"], MIN, same_state, number::<Float64Type>),
        aggregate!("min", &["(real) -> real"], MIN, same_state, number::<Float32Type>),
        aggregate!("min", &["(T:orderable) -> T"], MIN, kept_state, kept, native: |types| native(types, "min")),
        aggregate!("max", &["(double) -> double"], MAX, same_state, number::<Float64Type>),
        aggregate!("max", &["(real) -> real"], MAX, same_state, number::<Float32Type>),
        aggregate!("max", &["(T:orderable) -> T"], MAX, kept_state, kept, native: |types| native(types, "max")),
        aggregate!(
            "min",
            &["(T:orderable, bigint) -> array(T)"],
            "The n least values, in order.",
            several_state,
            several
        ),
        aggregate!(
            "max",
            &["(T:orderable, bigint) -> array(T)"],
            "The n greatest values, the greatest first.",
            several_state,
            several
        ),
        aggregate!(
            "min_by",
            &["(T, U:orderable) -> T"],
            "The first value where the second is least.",
            kept_state,
            kept
        ),
        aggregate!(
            "max_by",
            &["(T, U:orderable) -> T"],
            "The first value where the second is greatest.",
            kept_state,
            kept
        ),
        aggregate!(
            "min_by",
            &["(T, U:orderable, bigint) -> array(T)"],
            "The first value for the n least of the second.",
            several_state,
            several
        ),
        aggregate!(
            "max_by",
            &["(T, U:orderable, bigint) -> array(T)"],
            "The first value for the n greatest of the second.",
            several_state,
            several
        ),
    ],
};

const MIN: &str = "The least value.";
const MAX: &str = "The greatest value.";

fn native(types: &[SqlType], name: &'static str) -> Option<&'static str> {
    use SqlType::*;
    let first = types.first()?;
    let number =
        matches!(first, TinyInt | SmallInt | Integer | BigInt | Decimal(..) | Boolean | IntervalDaySecond);
    let time = matches!(first, Date | Time(_) | Timestamp(_) | TimestampTz(..));
    let bytes = matches!(first, Varchar(_) | Uuid | Varbinary | IpAddress);
    let plain = number || time || bytes;
    plain.then_some(name)
}

fn same_state(types: &[SqlType], _: &SqlType) -> Vec<DataType> {
    types.iter().take(1).map(SqlType::to_arrow).collect()
}

fn kept_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Binary, DataType::Binary]
}

fn several_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Int64, list_of(DataType::Binary), list_of(DataType::Binary)]
}

fn is_greatest(call: &AggregateCall<'_>) -> bool {
    call.name.starts_with("max")
}

/// The least or greatest floating-point number.
#[derive(Debug)]
struct Number<T> {
    greatest: bool,
    kind: PhantomData<fn() -> T>,
}

fn number<T: ArrowPrimitiveType>(call: &AggregateCall<'_>) -> Result<Number<T>> {
    Ok(Number { greatest: is_greatest(call), kind: PhantomData })
}

impl<T: ArrowPrimitiveType + Debug> Fold for Number<T>
where
    T::Native: PartialOrd + Default,
{
    type Group = Option<T::Native>;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Self::Group>) -> Result<()> {
        let values = numbers::<T>(args, 0)?;
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            let (group, value) = (groups.of(row), values.value(row));
            #[allow(clippy::eq_op, reason = "not-a-number is the one value that differs from itself")]
            let better = match *group {
                None => true,
                Some(before) if before != before => value == value,
                Some(before) if self.greatest => value > before,
                Some(before) => value < before,
            };
            if better {
                *group = Some(value);
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Self::Group]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.finish(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Self::Group>) -> Result<()> {
        self.update(states, groups)
    }

    fn finish(&mut self, groups: &[Self::Group]) -> Result<ArrayRef> {
        Ok(primitive::<T>(groups.iter().copied(), &T::DATA_TYPE))
    }
}

/// What a group has kept: the bytes it was chosen by, and those of the value beside them.
#[derive(Debug, Default)]
struct Chosen {
    key: Vec<u8>,
    value: Vec<u8>,
    some: bool,
}

/// The least or greatest of any type, or what stands beside it.
#[derive(Debug)]
struct Kept {
    greatest: bool,
    keys: Keys,
    /// For `min_by` and `max_by`: the value to be returned.
    values: Option<Keys>,
}

fn keys_of(call: &AggregateCall<'_>) -> Result<(Keys, Option<Keys>)> {
    let of = |index: usize| Keys::new(call.arg_types.get(index).map_or(DataType::Null, SqlType::to_arrow));
    if call.name.ends_with("_by") { Ok((of(1)?, Some(of(0)?))) } else { Ok((of(0)?, None)) }
}

fn kept(call: &AggregateCall<'_>) -> Result<Kept> {
    let (keys, values) = keys_of(call)?;
    Ok(Kept { greatest: is_greatest(call), keys, values })
}

/// Whether a key goes before another.
fn better(greatest: bool, new: &[u8], old: &[u8]) -> bool {
    if greatest { new > old } else { new < old }
}

impl Kept {
    fn keep(&self, group: &mut Chosen, key: &[u8], value: &[u8]) -> usize {
        if group.some && !better(self.greatest, key, &group.key) {
            return 0;
        }
        let before = group.key.capacity() + group.value.capacity();
        group.some = true;
        group.key.clear();
        group.key.extend_from_slice(key);
        group.value.clear();
        group.value.extend_from_slice(value);
        (group.key.capacity() + group.value.capacity()).saturating_sub(before)
    }
}

fn nan(greatest: bool) -> Nan {
    if greatest { Nan::First } else { Nan::Last }
}

impl Fold for Kept {
    type Group = Chosen;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Chosen>) -> Result<()> {
        let by = column(args, usize::from(self.values.is_some()))?;
        let keys = self.keys.rows(by, nan(self.greatest))?;
        let values = match &self.values {
            Some(values) => Some(values.rows(column(args, 0)?, Nan::Last)?),
            None => None,
        };
        let present = by.logical_nulls();
        for row in groups.rows().iter() {
            if present.as_ref().is_none_or(|n| n.is_valid(row)) {
                let value = values.as_ref().map(|v| v.row(row));
                let value = value.as_ref().map_or(&[][..], |v| v.data());
                let grown = self.keep(groups.of(row), keys.row(row).data(), value);
                groups.grew(grown);
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Chosen]) -> Result<Vec<ArrayRef>> {
        Ok(vec![
            binary(groups.iter().map(|g| g.some.then_some(g.key.as_slice()))),
            binary(groups.iter().map(|g| g.some.then_some(g.value.as_slice()))),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Chosen>) -> Result<()> {
        let (keys, values) = (typed::<BinaryArray>(states, 0)?, typed::<BinaryArray>(states, 1)?);
        for row in groups.rows().iter() {
            if let (Some(key), Some(value)) = (bytes_at(keys, row), bytes_at(values, row)) {
                let grown = self.keep(groups.of(row), key, value);
                groups.grew(grown);
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Chosen]) -> Result<ArrayRef> {
        match &self.values {
            Some(values) => values.options(groups.iter().map(|g| g.some.then_some(g.value.as_slice()))),
            None => {
                let kept = groups.iter().map(|g| g.some.then_some(g.key.as_slice()));
                self.keys.options(kept).map(plain_nan)
            }
        }
    }

    fn heap(&self, group: &Chosen) -> usize {
        group.key.capacity() + group.value.capacity()
    }
}

/// The n best of a group, the best first.
#[derive(Debug, Default)]
struct Best {
    wanted: Option<usize>,
    entries: Vec<(Bytes, Bytes)>,
}

/// The n least or greatest, or what stands beside them.
#[derive(Debug)]
struct Several {
    name: String,
    greatest: bool,
    keys: Keys,
    values: Option<Keys>,
}

fn several(call: &AggregateCall<'_>) -> Result<Several> {
    let (keys, values) = keys_of(call)?;
    Ok(Several { name: call.name.to_owned(), greatest: is_greatest(call), keys, values })
}

/// The most values that may be asked for, as Trino has it.
const MOST: i64 = 10_000;

impl Several {
    fn wanted(&self, n: Option<i64>) -> Result<usize> {
        let given = n.map_or_else(|| "NULL".to_owned(), |n| n.to_string());
        n.filter(|n| (1..=MOST).contains(n)).and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
            let which = if self.values.is_some() { "third" } else { "second" };
            Error::invalid(format!(
                "the {which} argument of {} must be from 1 to {MOST}, found {given}",
                self.name
            ))
        })
    }

    fn keep(&self, group: &mut Best, wanted: usize, key: &[u8], value: &[u8]) -> usize {
        group.wanted = Some(wanted);
        let full = group.entries.len() >= wanted;
        if full && group.entries.last().is_some_and(|(last, _)| !better(self.greatest, key, last)) {
            return 0;
        }
        let place = group.entries.partition_point(|(other, _)| !better(self.greatest, key, other));
        group.entries.insert(place, (key.into(), value.into()));
        group.entries.truncate(wanted);
        if full { 0 } else { key.len() + value.len() + size_of::<(Bytes, Bytes)>() }
    }
}

impl Fold for Several {
    type Group = Best;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Best>) -> Result<()> {
        let beside = usize::from(self.values.is_some());
        let by = column(args, beside)?;
        let counts = numbers::<Int64Type>(args, beside + 1)?;
        let keys = self.keys.rows(by, nan(self.greatest))?;
        let values = match &self.values {
            Some(values) => Some(values.rows(column(args, 0)?, Nan::Last)?),
            None => None,
        };
        let present = by.logical_nulls();
        for row in groups.rows().iter() {
            let wanted = match groups.of(row).wanted {
                Some(wanted) => wanted,
                None => self.wanted(counts.is_valid(row).then(|| counts.value(row)))?,
            };
            if present.as_ref().is_none_or(|n| n.is_valid(row)) {
                let value = values.as_ref().map(|v| v.row(row));
                let value = value.as_ref().map_or(&[][..], |v| v.data());
                let grown = self.keep(groups.of(row), wanted, keys.row(row).data(), value);
                groups.grew(grown);
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Best]) -> Result<Vec<ArrayRef>> {
        let counts = groups.iter().map(|g| g.wanted.and_then(|w| i64::try_from(w).ok()));
        let lengths = || groups.iter().map(|g| Some(g.entries.len()));
        let keys = binary(groups.iter().flat_map(|g| g.entries.iter().map(|(k, _)| Some(k.as_ref()))));
        let values = binary(groups.iter().flat_map(|g| g.entries.iter().map(|(_, v)| Some(v.as_ref()))));
        Ok(vec![
            primitive::<Int64Type>(counts, &DataType::Int64),
            lists(lengths(), keys)?,
            lists(lengths(), values)?,
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Best>) -> Result<()> {
        let counts = numbers::<Int64Type>(states, 0)?;
        let (keys, values) = (typed::<ListArray>(states, 1)?, typed::<ListArray>(states, 2)?);
        for row in groups.rows().iter().filter(|r| counts.is_valid(*r)) {
            let wanted = self.wanted(Some(counts.value(row)))?;
            let columns = [keys.value(row), values.value(row)];
            let (keys, values) = (typed::<BinaryArray>(&columns, 0)?, typed::<BinaryArray>(&columns, 1)?);
            for (key, value) in keys.iter().flatten().zip(values.iter().flatten()) {
                let grown = self.keep(groups.of(row), wanted, key, value);
                groups.grew(grown);
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Best]) -> Result<ArrayRef> {
        let lengths = groups.iter().map(|g| (!g.entries.is_empty()).then_some(g.entries.len()));
        let entries = groups.iter().flat_map(|g| g.entries.iter());
        let values = match &self.values {
            Some(values) => values.values(entries.map(|(_, v)| v.as_ref()))?,
            None => plain_nan(self.keys.values(entries.map(|(k, _)| k.as_ref()))?),
        };
        lists(lengths, values)
    }

    fn heap(&self, group: &Best) -> usize {
        group.entries.iter().map(|(k, v)| k.len() + v.len() + size_of::<(Bytes, Bytes)>()).sum()
    }
}
