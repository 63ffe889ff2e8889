//! Different values, counted or with something beside them: maps and sets.

use super::fold::{Fold, Groups};
use super::rows::{Bytes, Distinct, Keys, Nan, binary, bytes_at};
use super::tools::{column, list_of, lists, maps, numbers, primitive, typed};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{Array, ArrayRef, BinaryArray, Int64Array, ListArray, MapArray};
use arrow::datatypes::{DataType, Int64Type};
use model::{Error, Result};
use sql::SqlType;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Maps and sets of rows",
    scalars: &[],
    aggregates: &[
        aggregate!(
            "histogram",
            &["(T:comparable) -> map(T, bigint)"],
            "How often each value occurs.",
            state,
            |call: &AggregateCall<'_>| mapped(call, How::Count)
        ),
        aggregate!(
            "map_agg",
            &["(K:comparable, V) -> map(K, V)"],
            "A map of the two; of equal keys one is kept.",
            state,
            |call: &AggregateCall<'_>| mapped(call, How::First)
        ),
        aggregate!(
            "multimap_agg",
            &["(K:comparable, V) -> map(K, array(V))"],
            "A map from each key to all its values.",
            state,
            |call: &AggregateCall<'_>| mapped(call, How::All)
        ),
        aggregate!(
            "map_union",
            &["(map(K, V)) -> map(K, V)"],
            "All entries of the maps in one; of equal keys one is kept.",
            state,
            |call: &AggregateCall<'_>| mapped(call, How::Union)
        ),
        aggregate!(
            "set_agg",
            &["(T:comparable) -> array(T)"],
            "An array of the different values.",
            state,
            |call: &AggregateCall<'_>| mapped(call, How::Set)
        ),
        aggregate!(
            "set_union",
            &["(array(T)) -> array(T)"],
            "An array of the different elements of all arrays.",
            state,
            |call: &AggregateCall<'_>| mapped(call, How::SetUnion)
        ),
        aggregate!(
            "approx_most_frequent",
            &[
                "(bigint, bigint, bigint) -> map(bigint, bigint)",
                "(bigint, varchar, bigint) -> map(varchar, bigint)"
            ],
            "The so many most frequent values and about how often they occur.",
            |_, _| {
                let keys = list_of(DataType::Binary);
                vec![DataType::Int64, DataType::Int64, keys, list_of(DataType::Int64)]
            },
            frequent
        ),
    ],
};

fn state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![list_of(DataType::Binary), list_of(DataType::Int64), list_of(DataType::Binary)]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Count,
    First,
    All,
    Union,
    Set,
    SetUnion,
}

/// What stands beside a key: how often it came, or its values.
#[derive(Debug, Default)]
struct Beside {
    count: i64,
    values: Vec<Bytes>,
}

/// A group: its different keys, once there were rows that count.
#[derive(Debug, Default)]
struct Entries {
    some: bool,
    entries: Distinct<Beside>,
}

#[derive(Debug)]
struct Mapped {
    how: How,
    keys: Keys,
    values: Option<Keys>,
    result: DataType,
}

fn mapped(call: &AggregateCall<'_>, how: How) -> Result<Mapped> {
    let broken = || Error::internal(format!("{} returns {}", call.name, call.return_type));
    let (key, value) = match (call.return_type, how) {
        (SqlType::Map(key, _), How::Count) => (key, None),
        (SqlType::Map(key, value), How::First | How::Union) => (key, Some(value.as_ref())),
        (SqlType::Map(key, value), How::All) => match value.as_ref() {
            SqlType::Array(element) => (key, Some(element.as_ref())),
            _ => return Err(broken()),
        },
        (SqlType::Array(element), How::Set | How::SetUnion) => (element, None),
        _ => return Err(broken()),
    };
    Ok(Mapped {
        how,
        keys: Keys::new(key.to_arrow())?,
        values: value.map(|v| Keys::new(v.to_arrow())).transpose()?,
        result: call.return_type.to_arrow(),
    })
}

impl Mapped {
    /// Notes a key, and a value beside it as `how` says.
    fn note(&self, group: &mut Entries, key: &[u8], value: Option<&[u8]>, count: i64) -> usize {
        group.some = true;
        let (beside, mut grown) = group.entries.entry(key, Beside::default);
        beside.count += count;
        if let Some(value) = value
            && (self.how == How::All || beside.values.is_empty())
        {
            beside.values.push(value.into());
            grown += value.len() + size_of::<Bytes>();
        }
        grown
    }

    /// Takes keys and values that stand beside each other; `places` says which of them belong to which row.
    fn take(
        &self,
        columns: (&ArrayRef, Option<&ArrayRef>),
        places: impl Fn(usize) -> std::ops::Range<usize>,
        groups: &mut Groups<'_, Entries>,
    ) -> Result<()> {
        let keys = self.keys.rows(columns.0, Nan::Last)?;
        let values = match (&self.values, columns.1) {
            (Some(kept), Some(column)) => Some(kept.rows(column, Nan::Last)?),
            _ => None,
        };
        let nulls = columns.0.logical_nulls();
        let null_counts = matches!(self.how, How::Set | How::SetUnion);
        for row in groups.rows().iter() {
            for place in places(row) {
                if null_counts || nulls.as_ref().is_none_or(|n| n.is_valid(place)) {
                    let value = values.as_ref().map(|v| v.row(place));
                    let value = value.as_ref().map(|v| v.data());
                    let grown = self.note(groups.of(row), keys.row(place).data(), value, 1);
                    groups.grew(grown);
                }
            }
        }
        Ok(())
    }
}

/// Where a row's elements stand among all.
fn spans(offsets: &[i32], nulls: Option<&arrow::buffer::NullBuffer>) -> Vec<std::ops::Range<usize>> {
    let at = |i: usize| usize::try_from(offsets[i]).unwrap_or(0);
    (0..offsets.len().saturating_sub(1))
        .map(|row| if nulls.is_none_or(|n| n.is_valid(row)) { at(row)..at(row + 1) } else { 0..0 })
        .collect()
}

impl Fold for Mapped {
    type Group = Entries;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Entries>) -> Result<()> {
        match self.how {
            How::Union => {
                let maps: &MapArray = typed(args, 0)?;
                let spans = spans(maps.value_offsets(), maps.nulls());
                for row in groups.rows().iter().filter(|r| maps.is_valid(*r)) {
                    groups.of(row).some = true;
                }
                self.take((maps.keys(), Some(maps.values())), |row| spans[row].clone(), groups)
            }
            How::SetUnion => {
                let lists: &ListArray = typed(args, 0)?;
                let spans = spans(lists.value_offsets(), lists.nulls());
                for row in groups.rows().iter().filter(|r| lists.is_valid(*r)) {
                    groups.of(row).some = true;
                }
                self.take((lists.values(), None), |row| spans[row].clone(), groups)
            }
            _ => self.take((column(args, 0)?, args.get(1)), |row| row..row + 1, groups),
        }
    }

    fn state(&mut self, groups: &[Entries]) -> Result<Vec<ArrayRef>> {
        let lengths = || groups.iter().map(|g| g.some.then_some(g.entries.len()));
        let besides = || groups.iter().flat_map(|g| g.entries.entries().map(|(_, b)| b));
        let counts = |b: &Beside| match self.how {
            How::All => i64::try_from(b.values.len()).ok(),
            _ => Some(b.count),
        };
        let values = groups.iter().map(|g| Some(g.entries.entries().map(|(_, b)| b.values.len()).sum()));
        Ok(vec![
            lists(lengths(), binary(groups.iter().flat_map(|g| g.entries.keys().map(Some))))?,
            lists(lengths(), primitive::<Int64Type>(besides().map(counts), &DataType::Int64))?,
            lists(values, binary(besides().flat_map(|b| b.values.iter().map(|v| Some(v.as_ref())))))?,
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Entries>) -> Result<()> {
        let all: &ListArray = typed(states, 0)?;
        let (counts, values) = (typed::<ListArray>(states, 1)?, typed::<ListArray>(states, 2)?);
        for row in groups.rows().iter().filter(|r| all.is_valid(*r)) {
            groups.of(row).some = true;
            let columns = [all.value(row), counts.value(row), values.value(row)];
            let (keys, counts) = (typed::<BinaryArray>(&columns, 0)?, typed::<Int64Array>(&columns, 1)?);
            let mut values = typed::<BinaryArray>(&columns, 2)?.iter().flatten();
            for (key, count) in keys.iter().flatten().zip(counts.values()) {
                let per_key = match self.how {
                    How::All => *count,
                    How::First | How::Union => 1,
                    _ => 0,
                };
                let mut grown = 0;
                for value in values.by_ref().take(usize::try_from(per_key).unwrap_or(0)) {
                    grown += self.note(groups.of(row), key, Some(value), 0);
                }
                grown += self.note(groups.of(row), key, None, *count);
                groups.grew(grown);
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Entries]) -> Result<ArrayRef> {
        let lengths = groups.iter().map(|g| g.some.then_some(g.entries.len()));
        let keys = self.keys.values(groups.iter().flat_map(|g| g.entries.keys()))?;
        let besides = || groups.iter().flat_map(|g| g.entries.entries().map(|(_, b)| b));
        let flat = || besides().flat_map(|b| b.values.iter().map(AsRef::as_ref));
        match (&self.values, self.how) {
            (_, How::Set | How::SetUnion) => lists(lengths, keys),
            (Some(kept), How::All) => {
                let values = lists(besides().map(|b| Some(b.values.len())), kept.values(flat())?)?;
                maps(&self.result, lengths, keys, values)
            }
            (Some(kept), _) => maps(&self.result, lengths, keys, kept.values(flat())?),
            (None, _) => {
                let counts = primitive::<Int64Type>(besides().map(|b| Some(b.count)), &DataType::Int64);
                maps(&self.result, lengths, keys, counts)
            }
        }
    }

    fn heap(&self, group: &Entries) -> usize {
        let values = group.entries.entries().flat_map(|(_, b)| &b.values);
        group.entries.bytes() + values.map(|v| v.len() + size_of::<Bytes>()).sum::<usize>()
    }
}

/// A group of `approx_most_frequent`: exact until there are more different values than it may hold, then each new value
/// takes the place of the rarest and its count (the space-saving method).
#[derive(Debug, Default)]
struct Tally {
    settings: Option<(usize, usize)>,
    counts: Vec<(Bytes, i64)>,
    places: std::collections::HashMap<Bytes, usize>,
}

#[derive(Debug)]
struct Frequent {
    keys: Keys,
    result: DataType,
}

fn frequent(call: &AggregateCall<'_>) -> Result<Frequent> {
    let key = call.arg_types.get(1).map_or(DataType::Null, SqlType::to_arrow);
    Ok(Frequent { keys: Keys::new(key)?, result: call.return_type.to_arrow() })
}

impl Tally {
    fn note(&mut self, key: &[u8], count: i64) -> usize {
        let capacity = self.settings.map_or(usize::MAX, |(_, capacity)| capacity);
        if let Some(&place) = self.places.get(key) {
            self.counts[place].1 += count;
            return 0;
        }
        if self.counts.len() < capacity {
            self.places.insert(key.into(), self.counts.len());
            self.counts.push((key.into(), count));
            return 2 * key.len() + 2 * size_of::<(Bytes, i64)>();
        }
        let rarest = self.counts.iter().enumerate().min_by_key(|(_, (_, c))| *c).map(|(i, _)| i);
        if let Some(place) = rarest {
            let old = std::mem::replace(&mut self.counts[place].0, key.into());
            self.counts[place].1 += count;
            self.places.remove(&old);
            self.places.insert(key.into(), place);
        }
        0
    }

    /// The most frequent, the first of equals first.
    fn most(&self) -> Vec<&(Bytes, i64)> {
        let mut counts: Vec<&(Bytes, i64)> = self.counts.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.truncate(self.settings.map_or(0, |(buckets, _)| buckets));
        counts
    }
}

fn tally_settings(buckets: Option<i64>, capacity: Option<i64>) -> Result<(usize, usize)> {
    let read = |value: Option<i64>, least: i64, what: &str| {
        let given = value.map_or_else(|| "NULL".to_owned(), |v| v.to_string());
        let fits = value.filter(|v| *v >= least && *v <= 1_000_000);
        fits.and_then(|v| usize::try_from(v).ok()).ok_or_else(|| {
            Error::invalid(format!(
                "{what} of approx_most_frequent must be from {least} to 1000000, found {given}"
            ))
        })
    };
    Ok((read(buckets, 2, "the number of buckets")?, read(capacity, 1, "the capacity")?))
}

impl Fold for Frequent {
    type Group = Tally;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Tally>) -> Result<()> {
        let values = column(args, 1)?;
        let (buckets, capacity) = (numbers::<Int64Type>(args, 0)?, numbers::<Int64Type>(args, 2)?);
        let rows = self.keys.rows(values, Nan::Last)?;
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            let group = groups.of(row);
            if group.settings.is_none() {
                let at = |a: &Int64Array| a.is_valid(row).then(|| a.value(row));
                group.settings = Some(tally_settings(at(buckets), at(capacity))?);
            }
            let grown = group.note(rows.row(row).data(), 1);
            groups.grew(grown);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Tally]) -> Result<Vec<ArrayRef>> {
        let setting = |which: fn((usize, usize)) -> usize| {
            let values = groups.iter().map(move |g| g.settings.and_then(|s| i64::try_from(which(s)).ok()));
            primitive::<Int64Type>(values, &DataType::Int64)
        };
        let lengths = || groups.iter().map(|g| Some(g.counts.len()));
        let entries = || groups.iter().flat_map(|g| &g.counts);
        Ok(vec![
            setting(|s| s.0),
            setting(|s| s.1),
            lists(lengths(), binary(entries().map(|(k, _)| Some(k.as_ref()))))?,
            lists(lengths(), primitive::<Int64Type>(entries().map(|(_, c)| Some(*c)), &DataType::Int64))?,
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Tally>) -> Result<()> {
        let (buckets, capacity) = (numbers::<Int64Type>(states, 0)?, numbers::<Int64Type>(states, 1)?);
        let (keys, counts) = (typed::<ListArray>(states, 2)?, typed::<ListArray>(states, 3)?);
        for row in groups.rows().iter().filter(|r| buckets.is_valid(*r)) {
            let settings = tally_settings(Some(buckets.value(row)), Some(capacity.value(row)))?;
            let group = groups.of(row);
            group.settings = Some(settings);
            let columns = [keys.value(row), counts.value(row)];
            let (keys, counts) = (typed::<BinaryArray>(&columns, 0)?, typed::<Int64Array>(&columns, 1)?);
            let mut grown = 0;
            for (place, count) in counts.values().iter().enumerate() {
                grown += bytes_at(keys, place).map_or(0, |key| group.note(key, *count));
            }
            groups.grew(grown);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Tally]) -> Result<ArrayRef> {
        let most: Vec<_> = groups.iter().map(Tally::most).collect();
        let lengths = groups.iter().zip(&most).map(|(g, m)| g.settings.map(|_| m.len()));
        let keys = self.keys.values(most.iter().flatten().map(|(k, _)| k.as_ref()))?;
        let counts = most.iter().flatten().map(|(_, count)| Some(*count));
        maps(&self.result, lengths, keys, primitive::<Int64Type>(counts, &DataType::Int64))
    }

    fn heap(&self, group: &Tally) -> usize {
        group.counts.iter().map(|(k, _)| 2 * k.len() + 2 * size_of::<(Bytes, i64)>()).sum()
    }
}
