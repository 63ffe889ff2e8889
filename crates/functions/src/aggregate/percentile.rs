//! Percentiles and histograms of numbers in bounded memory: exact while there are few different values.

use super::digest::{Digest, Histogram};
use super::fold::{Fold, Groups};
use super::tools::{as_doubles, column, floats, list_of, lists, maps, numbers, primitive, typed};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{Array, ArrayRef, Float64Array, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use model::{Error, Result};
use sql::SqlType;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Percentiles",
    scalars: &[],
    aggregates: &[
        aggregate!(
            "approx_percentile",
            &[
                "(bigint, double) -> bigint",
                "(double, double) -> double",
                "(real, double) -> real",
                "(bigint, array(double)) -> array(bigint)",
                "(double, array(double)) -> array(double)",
                "(real, array(double)) -> array(real)",
                "(bigint, double, double) -> bigint",
                "(double, double, double) -> double",
                "(real, double, double) -> real",
                "(bigint, double, array(double)) -> array(bigint)",
                "(double, double, array(double)) -> array(double)",
                "(real, double, array(double)) -> array(real)",
                "(bigint, double, double, double) -> bigint",
                "(double, double, double, double) -> double",
                "(real, double, double, double) -> real",
            ],
            "The value (or values) below which about this part of the values lies; a weight may stand before the part.",
            |_, _| vec![list_of(DataType::Float64); 3],
            percentile
        ),
        aggregate!(
            "numeric_histogram",
            &[
                "(bigint, double) -> map(double, double)",
                "(bigint, real) -> map(real, real)",
                "(bigint, double, double) -> map(double, double)",
                "(bigint, real, double) -> map(real, real)",
            ],
            "About how many values (or how much weight) lie around so many points.",
            |_, _| vec![DataType::Int64, list_of(DataType::Float64), list_of(DataType::Float64)],
            |call: &AggregateCall<'_>| Ok(Buckets { result: call.return_type.to_arrow() })
        ),
    ],
};

/// A group of `approx_percentile`.
#[derive(Debug, Default)]
struct Parts {
    digest: Digest,
    wanted: Option<Vec<f64>>,
}

#[derive(Debug)]
struct Percentile {
    /// Where the part (or parts) stand among the arguments.
    parts: usize,
    /// Whether there are several.
    several: bool,
    element: DataType,
}

fn percentile(call: &AggregateCall<'_>) -> Result<Percentile> {
    let parts = if call.arg_types.len() > 2 { 2 } else { 1 };
    let (several, element) = match call.return_type {
        SqlType::Array(element) => (true, element.to_arrow()),
        other => (false, other.to_arrow()),
    };
    Ok(Percentile { parts, several, element })
}

/// Above this, doubles no longer hold every integer.
const EXACT: i64 = 1 << 53;

/// The values as doubles; an integer that no double is equal to is refused, as in Trino.
fn values_of(args: &[ArrayRef]) -> Result<Float64Array> {
    let values = column(args, 0)?;
    if let Ok(whole) = numbers::<Int64Type>(args, 0) {
        for value in whole.iter().flatten().filter(|v| v.unsigned_abs() > EXACT.unsigned_abs()) {
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "this is what is checked"
            )]
            if (value as f64) as i128 != i128::from(value) {
                return Err(Error::invalid(format!("approx_percentile cannot take {value}"))
                    .why("it counts in doubles and no double is equal to this number")
                    .hint("cast the argument to double"));
            }
        }
    }
    let doubles = cast(values, &DataType::Float64).map_err(crate::cast::arrow_error)?;
    numbers::<Float64Type>(&[doubles], 0).cloned()
}

impl Percentile {
    /// The parts that this row asks for.
    fn wanted(&self, args: &[ArrayRef], row: usize) -> Result<Vec<f64>> {
        let parts = column(args, self.parts)?;
        let missing = || Error::invalid("the percentage of approx_percentile cannot be NULL");
        if parts.is_null(row) {
            return Err(missing());
        }
        let wanted = if self.several {
            let list = [typed::<ListArray>(args, self.parts)?.value(row)];
            let list = numbers::<Float64Type>(&list, 0)?;
            list.iter().map(|p| p.ok_or_else(missing)).collect::<Result<Vec<f64>>>()?
        } else {
            vec![numbers::<Float64Type>(args, self.parts)?.value(row)]
        };
        match wanted.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            Some(part) => Err(Error::invalid(format!(
                "the percentage of approx_percentile must be from 0 to 1, found {part}"
            ))),
            None => Ok(wanted),
        }
    }
}

impl Fold for Percentile {
    type Group = Parts;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Parts>) -> Result<()> {
        let values = values_of(args)?;
        let weights = if self.parts == 2 { Some(numbers::<Float64Type>(args, 1)?) } else { None };
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            let weight = match weights {
                Some(weights) if weights.is_null(row) => continue,
                Some(weights) => weights.value(row),
                None => 1.0,
            };
            if !(weight > 0.0 && weight.is_finite()) {
                return Err(Error::invalid(format!(
                    "the weight of approx_percentile must be above 0, found {weight}"
                )));
            }
            let value = values.value(row);
            if !value.is_finite() {
                return Err(Error::invalid(format!("approx_percentile cannot take {value}"))
                    .why("percentiles are found among finite numbers"));
            }
            let group = groups.of(row);
            if group.wanted.is_none() {
                group.wanted = Some(self.wanted(args, row)?);
            }
            let grown = group.digest.add(value, weight);
            groups.grew(grown);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Parts]) -> Result<Vec<ArrayRef>> {
        let wanted = groups.iter().map(|g| g.wanted.as_ref().map(Vec::len));
        let parts = groups.iter().flat_map(|g| g.wanted.iter().flatten()).map(|p| Some(*p));
        // An entry is three numbers: value, weight, and whether it stands for different values.
        let lengths = || groups.iter().map(|g| Some(g.digest.len()));
        let entries = || groups.iter().flat_map(|g| g.digest.entries());
        let signed = |weight: f64, mixed: bool| if mixed { -weight } else { weight };
        let double = DataType::Float64;
        let bounds = groups.iter().flat_map(|g| <[f64; 2]>::from(g.digest.bounds())).map(Some);
        let values = primitive::<Float64Type>(entries().map(|e| Some(e.value)), &double);
        let weights = primitive::<Float64Type>(entries().map(|e| Some(signed(e.weight, e.mixed))), &double);
        // The bounds stand before the parts.
        let wanted_flat: Vec<Option<f64>> = parts.collect();
        let mut rest = wanted_flat.into_iter();
        let mut settings = Vec::new();
        let mut sizes = Vec::new();
        for (bound, count) in bounds.collect::<Vec<_>>().chunks(2).zip(wanted) {
            sizes.push(count.map(|c| c + 2));
            if let Some(count) = count {
                settings.extend_from_slice(bound);
                settings.extend(rest.by_ref().take(count));
            }
        }
        let settings = primitive::<Float64Type>(settings.into_iter(), &double);
        Ok(vec![lists(sizes.into_iter(), settings)?, lists(lengths(), values)?, lists(lengths(), weights)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Parts>) -> Result<()> {
        let settings: &ListArray = typed(states, 0)?;
        let (values, weights) = (typed::<ListArray>(states, 1)?, typed::<ListArray>(states, 2)?);
        for row in groups.rows().iter().filter(|r| settings.is_valid(*r)) {
            let columns = [settings.value(row), values.value(row), weights.value(row)];
            let settings = numbers::<Float64Type>(&columns, 0)?.values();
            let (values, weights) =
                (numbers::<Float64Type>(&columns, 1)?, numbers::<Float64Type>(&columns, 2)?);
            let [least, greatest, wanted @ ..] = &settings[..] else {
                return Err(Error::internal("a state of approx_percentile is cut short"));
            };
            let group = groups.of(row);
            group.wanted = Some(wanted.to_vec());
            let mut grown = 0;
            for (value, weight) in values.values().iter().zip(weights.values()) {
                grown += group.digest.join(*value, weight.abs(), *weight < 0.0);
            }
            group.digest.widen(*least, *greatest);
            groups.grew(grown);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Parts]) -> Result<ArrayRef> {
        let lengths = groups.iter().map(|g| g.wanted.as_ref().map(Vec::len));
        let mut answers = Vec::new();
        for group in groups {
            let wanted = group.wanted.as_deref();
            answers.extend(wanted.into_iter().flatten().map(|part| group.digest.value_at(*part)));
            if wanted.is_none() && !self.several {
                answers.push(None);
            }
        }
        let values = match self.element {
            DataType::Int64 => {
                #[allow(clippy::cast_possible_truncation, reason = "the values were integers")]
                let whole = answers.into_iter().map(|v| v.map(|v| (v + 0.5).floor() as i64));
                primitive::<Int64Type>(whole, &DataType::Int64)
            }
            ref other => floats(answers.into_iter(), other),
        };
        if self.several { lists(lengths, values) } else { Ok(values) }
    }

    fn heap(&self, group: &Parts) -> usize {
        group.digest.heap()
    }
}

/// `numeric_histogram`.
#[derive(Debug)]
struct Buckets {
    result: DataType,
}

/// The most buckets; more would be no summary.
const MOST: i64 = 1_000_000;

fn buckets(given: Option<i64>) -> Result<usize> {
    let shown = given.map_or_else(|| "NULL".to_owned(), |v| v.to_string());
    given.filter(|v| (2..=MOST).contains(v)).and_then(|v| usize::try_from(v).ok()).ok_or_else(|| {
        Error::invalid(format!(
            "the number of buckets of numeric_histogram must be from 2 to {MOST}, found {shown}"
        ))
    })
}

impl Fold for Buckets {
    type Group = Histogram;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Histogram>) -> Result<()> {
        let (counts, values) = (numbers::<Int64Type>(args, 0)?, as_doubles(args, 1)?);
        let weights = if args.len() > 2 { Some(numbers::<Float64Type>(args, 2)?) } else { None };
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            if weights.is_some_and(|w| w.is_null(row)) {
                continue;
            }
            let group = groups.of(row);
            if group.buckets == 0 {
                group.buckets = buckets(counts.is_valid(row).then(|| counts.value(row)))?;
            }
            let grown = group.add(values.value(row), weights.map_or(1.0, |w| w.value(row)));
            groups.grew(grown);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Histogram]) -> Result<Vec<ArrayRef>> {
        let counts =
            groups.iter().map(|g| (g.buckets > 0).then_some(g.buckets).and_then(|b| i64::try_from(b).ok()));
        let lengths = || groups.iter().map(|g| Some(g.entries.len()));
        let entries = || groups.iter().flat_map(|g| &g.entries);
        let double = DataType::Float64;
        Ok(vec![
            primitive::<Int64Type>(counts, &DataType::Int64),
            lists(lengths(), primitive::<Float64Type>(entries().map(|e| Some(e.0)), &double))?,
            lists(lengths(), primitive::<Float64Type>(entries().map(|e| Some(e.1)), &double))?,
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Histogram>) -> Result<()> {
        let counts = numbers::<Int64Type>(states, 0)?;
        let (values, weights) = (typed::<ListArray>(states, 1)?, typed::<ListArray>(states, 2)?);
        for row in groups.rows().iter().filter(|r| counts.is_valid(*r)) {
            let columns = [values.value(row), weights.value(row)];
            let (values, weights) =
                (numbers::<Float64Type>(&columns, 0)?, numbers::<Float64Type>(&columns, 1)?);
            let group = groups.of(row);
            group.buckets = buckets(Some(counts.value(row)))?;
            let mut grown = 0;
            for (value, weight) in values.values().iter().zip(weights.values()) {
                grown += group.add(*value, *weight);
            }
            groups.grew(grown);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Histogram]) -> Result<ArrayRef> {
        let all: Vec<Option<Vec<(f64, f64)>>> = groups.iter().map(Histogram::compacted).collect();
        let element = match &self.result {
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) => fields.first().map_or(DataType::Null, |f| f.data_type().clone()),
                _ => DataType::Null,
            },
            _ => DataType::Null,
        };
        let flat = || all.iter().flatten().flatten();
        let keys = floats(flat().map(|e| Some(e.0)), &element);
        let values = floats(flat().map(|e| Some(e.1)), &element);
        maps(&self.result, all.iter().map(|a| a.as_ref().map(Vec::len)), keys, values)
    }

    fn heap(&self, group: &Histogram) -> usize {
        group.entries.capacity() * size_of::<(f64, f64)>()
    }
}
