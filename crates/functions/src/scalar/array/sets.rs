//! Arrays as sets: doubles, intersection, union, difference, counts. NULL equals NULL here, and NaN equals NaN.

use super::element_type;
use crate::registry::Family;
use crate::scalar::elements::{ListWriter, Lists};
use crate::scalar::keys::Keys;
use crate::{Call, Scalar};
use arrow::array::{Array, ArrayRef, Int64Array};
use model::Result;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

const TWO: &[&str] = &["(array(T:comparable), array(T)) -> array(T)"];

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Array functions",
    scalars: &[
        Scalar::new(
            "array_distinct",
            &["(array(T:comparable)) -> array(T)"],
            array_distinct,
            "Removes all but the first of equal elements.",
        ),
        Scalar::new(
            "array_intersect",
            TWO,
            array_intersect,
            "Returns the elements that both arrays hold, once.",
        ),
        Scalar::new(
            "array_union",
            TWO,
            array_union,
            "Returns the elements that one of the arrays holds, once.",
        ),
        Scalar::new(
            "array_except",
            TWO,
            array_except,
            "Returns the elements that only the first holds, once.",
        ),
        Scalar::new(
            "array_histogram",
            &["(array(K:comparable)) -> map(K, bigint)"],
            array_histogram,
            "Returns how often each element appears, without NULL.",
        ),
    ],
    aggregates: &[],
};

fn array_distinct(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let keys = Keys::new(&lists.values, element_type(call, 0))?;
    let mut writer = ListWriter::new(call.rows);
    let mut seen: HashSet<&[u8]> = HashSet::new();
    for row in 0..call.rows {
        let Some(range) = lists.range(row) else {
            writer.close_null()?;
            continue;
        };
        seen.clear();
        range.filter(|at| seen.insert(keys.get(*at))).for_each(|at| writer.push(0, at));
        writer.close()?;
    }
    drop(seen);
    writer.finish(&[lists.values], &call.return_type.to_arrow())
}

/// Two arrays, their elements as keys, and what is written for each row.
struct Pair {
    lists: [Lists; 2],
    keys: [Keys; 2],
    writer: ListWriter,
}

impl Pair {
    fn of(call: &Call<'_>) -> Result<Pair> {
        let lists = [Lists::of(call, 0)?, Lists::of(call, 1)?];
        let keys = [
            Keys::new(&lists[0].values, element_type(call, 0))?,
            Keys::new(&lists[1].values, element_type(call, 1))?,
        ];
        Ok(Pair { lists, keys, writer: ListWriter::new(call.rows) })
    }

    /// Writes for each row the elements of one side that are wanted, once. `order` says which sides are gone through,
    /// given both lengths; `wanted` whether an element is written, given that the other side holds it.
    fn write(
        mut self,
        call: &Call<'_>,
        order: fn(usize, usize) -> &'static [usize],
        wanted: fn(bool) -> bool,
    ) -> Result<ArrayRef> {
        let mut others: HashSet<&[u8]> = HashSet::new();
        let mut written: HashSet<&[u8]> = HashSet::new();
        for row in 0..call.rows {
            let (Some(a), Some(b)) = (self.lists[0].range(row), self.lists[1].range(row)) else {
                self.writer.close_null()?;
                continue;
            };
            let ranges = [a, b];
            written.clear();
            for side in order(ranges[0].len(), ranges[1].len()) {
                let (own, other) = (&self.keys[*side], &self.keys[1 - side]);
                others.clear();
                others.extend(ranges[1 - side].clone().map(|at| other.get(at)));
                for at in ranges[*side].clone() {
                    let key = own.get(at);
                    if wanted(others.contains(key)) && written.insert(key) {
                        self.writer.push(*side, at);
                    }
                }
            }
            self.writer.close()?;
        }
        let [a, b] = self.lists;
        self.writer.finish(&[a.values, b.values], &call.return_type.to_arrow())
    }
}

fn array_intersect(call: &Call<'_>) -> Result<ArrayRef> {
    // The longer array gives the order.
    Pair::of(call)?.write(call, |a, b| if a < b { &[1] } else { &[0] }, |in_other| in_other)
}

fn array_union(call: &Call<'_>) -> Result<ArrayRef> {
    Pair::of(call)?.write(call, |_, _| &[0, 1], |_| true)
}

fn array_except(call: &Call<'_>) -> Result<ArrayRef> {
    Pair::of(call)?.write(call, |_, _| &[0], |in_other| !in_other)
}

fn array_histogram(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let keys = Keys::new(&lists.values, element_type(call, 0))?;
    let nulls = lists.values.logical_nulls();
    let mut writer = ListWriter::new(call.rows);
    let mut counts: Vec<i64> = Vec::new();
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    for row in 0..call.rows {
        let Some(range) = lists.range(row) else {
            writer.close_null()?;
            continue;
        };
        places.clear();
        for at in range.filter(|at| nulls.as_ref().is_none_or(|n| n.is_valid(*at))) {
            let place = *places.entry(keys.get(at)).or_insert_with(|| {
                writer.push(0, at);
                counts.push(0);
                counts.len() - 1
            });
            if let Some(count) = counts.get_mut(place) {
                *count += 1;
            }
        }
        writer.close()?;
    }
    drop(places);
    let counts: ArrayRef = Arc::new(Int64Array::from(counts));
    writer.finish_map_with(&[lists.values], counts, &call.return_type.to_arrow())
}
