//! Making arrays: from values, from other arrays, in another order, in groups.

use crate::registry::Family;
use crate::scalar::elements::{ListWriter, Lists, fit};
use crate::{Call, Scalar, Session};
use arrow::array::{ArrayRef, ListArray, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use model::{Error, Result};
use sql::{RowField, SqlType};
use std::sync::Arc;

/// How many elements `repeat` may return, as in Trino.
const MAX_REPEAT: i64 = 10_000;

/// How many elements all groups of `combinations` may have together, as in Trino.
const MAX_COMBINATIONS: usize = 100_000;

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Array functions",
    scalars: &[
        Scalar::new("$array", &["(T...) -> array(T)"], array, "ARRAY[…]").handles_nulls(),
        Scalar::new("$concat", CONCAT, concat, "Joins arrays and elements."),
        Scalar::new(
            "concat",
            &[
                "(array(T), array(T)...) -> array(T)",
                "(array(T), T) -> array(T)",
                "(T, array(T)) -> array(T)",
            ],
            concat,
            "Joins arrays.",
        ),
        Scalar::new(
            "reverse",
            &["(array(T)) -> array(T)"],
            reverse,
            "Returns the elements from last to first.",
        ),
        Scalar::new(
            "repeat",
            &["(T, bigint) -> array(T)"],
            repeat,
            "Returns an array that holds the value so many times.",
        )
        .handles_nulls(),
        Scalar::new(
            "flatten",
            &["(array(array(T))) -> array(T)"],
            flatten,
            "Joins the arrays in an array; NULL among them is left out.",
        ),
        Scalar::new(
            "shuffle",
            &["(array(T)) -> array(T)"],
            shuffle,
            "Returns the elements in a random order.",
        )
        .volatile(),
        Scalar::new(
            "zip",
            &["(any, any...) -> any"],
            zip,
            "Merges arrays element by element into an array of rows.",
        )
        .returns(zip_type),
        Scalar::new(
            "combinations",
            &["(array(T), bigint) -> array(array(T))"],
            combinations,
            "Returns all groups of so many elements; at most 5 each, 100000 elements in all.",
        ),
        Scalar::new(
            "ngrams",
            &["(array(T), bigint) -> array(array(T))"],
            ngrams,
            "Returns all groups of so many elements that stand side by side.",
        ),
    ],
    aggregates: &[],
};

const CONCAT: &[&str] =
    &["(array(T), array(T)) -> array(T)", "(array(T), T) -> array(T)", "(T, array(T)) -> array(T)"];

fn array(call: &Call<'_>) -> Result<ArrayRef> {
    let args = (0..call.args.len()).map(|i| call.arg(i)).collect::<Result<Vec<_>>>()?;
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        for (source, (_, constant)) in args.iter().enumerate() {
            writer.push(source, if *constant { 0 } else { row });
        }
        writer.close()?;
    }
    let sources: Vec<ArrayRef> = args.into_iter().map(|(a, _)| a.clone()).collect();
    writer.finish(&sources, &call.return_type.to_arrow())
}

/// An argument of `||`: an array's elements, or one element.
enum Part {
    Many(Lists),
    One(ArrayRef, bool),
}

fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let parts = (0..call.args.len())
        .map(|i| {
            // An argument is an array of the result's kind, or else an element of one.
            if call.arg_types.get(i) == Some(call.return_type) {
                return Ok(Part::Many(Lists::of(call, i)?));
            }
            let (array, constant) = call.arg(i)?;
            Ok(Part::One(array.clone(), constant))
        })
        .collect::<Result<Vec<Part>>>()?;
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        if parts.iter().any(|p| matches!(p, Part::Many(lists) if lists.range(row).is_none())) {
            writer.close_null()?;
            continue;
        }
        for (source, part) in parts.iter().enumerate() {
            match part {
                Part::Many(lists) => writer.extend(source, lists.range(row).unwrap_or_default()),
                Part::One(_, constant) => writer.push(source, if *constant { 0 } else { row }),
            }
        }
        writer.close()?;
    }
    let sources: Vec<ArrayRef> = parts
        .into_iter()
        .map(|p| match p {
            Part::Many(lists) => lists.values,
            Part::One(array, _) => array,
        })
        .collect();
    writer.finish(&sources, &call.return_type.to_arrow())
}

/// Builds each row's array from one array argument by pushing its places.
fn rearrange(
    call: &Call<'_>,
    mut write: impl FnMut(usize, std::ops::Range<usize>, &mut ListWriter) -> Result<()>,
) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        match lists.range(row) {
            Some(range) => {
                write(row, range, &mut writer)?;
                writer.close()?;
            }
            None => writer.close_null()?,
        }
    }
    writer.finish(&[lists.values], &call.return_type.to_arrow())
}

fn reverse(call: &Call<'_>) -> Result<ArrayRef> {
    rearrange(call, |_, range, writer| {
        range.rev().for_each(|at| writer.push(0, at));
        Ok(())
    })
}

fn shuffle(call: &Call<'_>) -> Result<ArrayRef> {
    let mut random = crate::scalar::random::Random::new()?;
    rearrange(call, |_, range, writer| {
        let mut places: Vec<usize> = range.collect();
        for last in (1..places.len()).rev() {
            places.swap(last, random.below(last as u64 + 1) as usize);
        }
        places.into_iter().for_each(|at| writer.push(0, at));
        Ok(())
    })
}

fn repeat(call: &Call<'_>) -> Result<ArrayRef> {
    let ((values, constant), counts) = (call.arg(0)?, call.bigints(1)?);
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        let Some(count) = counts.get(row) else {
            writer.close_null()?;
            continue;
        };
        if count < 0 {
            return Err(Error::invalid(format!(
                "repeat cannot return {count} elements: the count is negative"
            )));
        }
        if count > MAX_REPEAT {
            return Err(Error::invalid(format!(
                "repeat may return at most {MAX_REPEAT} elements, not {count}"
            )));
        }
        (0..count).for_each(|_| writer.push(0, if constant { 0 } else { row }));
        writer.close()?;
    }
    writer.finish(std::slice::from_ref(values), &call.return_type.to_arrow())
}

fn flatten(call: &Call<'_>) -> Result<ArrayRef> {
    let outer = Lists::of(call, 0)?;
    let inner = Lists::from_array(&outer.values, false)?;
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        match outer.range(row) {
            Some(range) => {
                range.filter_map(|at| inner.range(at)).for_each(|elements| writer.extend(0, elements));
                writer.close()?;
            }
            None => writer.close_null()?,
        }
    }
    writer.finish(&[inner.values], &call.return_type.to_arrow())
}

fn zip_type(types: &[SqlType], _: &Session) -> Result<SqlType> {
    let fields = types.iter().map(|t| match t {
        SqlType::Array(element) => Ok(RowField::unnamed(element.as_ref().clone())),
        SqlType::Unknown => Ok(RowField::unnamed(SqlType::Unknown)),
        other => Err(Error::invalid(format!("zip cannot be called with {other}")).why("it takes arrays")),
    });
    Ok(SqlType::array(SqlType::Row(fields.collect::<Result<_>>()?)))
}

fn zip(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = (0..call.args.len()).map(|i| Lists::of(call, i)).collect::<Result<Vec<_>>>()?;
    let mut writers: Vec<ListWriter> = lists.iter().map(|_| ListWriter::new(call.rows)).collect();
    let mut shape = ListWriter::new(call.rows);
    for row in 0..call.rows {
        let ranges: Option<Vec<_>> = lists.iter().map(|l| l.range(row)).collect();
        let Some(ranges) = ranges else {
            shape.close_null()?;
            continue;
        };
        let length = ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        for (writer, range) in writers.iter_mut().zip(&ranges) {
            writer.extend(0, range.clone());
            (range.len()..length).for_each(|_| writer.push_null());
        }
        shape.extend(0, 0..length);
        shape.close()?;
    }
    let data_type = call.return_type.to_arrow();
    let DataType::List(field) = &data_type else {
        return Err(Error::internal("zip returns an array"));
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(Error::internal("zip returns an array of rows"));
    };
    let columns = writers.iter().zip(&lists).zip(fields);
    let columns: Vec<ArrayRef> = columns
        .map(|((writer, list), f)| writer.gather(std::slice::from_ref(&list.values), f.data_type()))
        .collect::<Result<_>>()?;
    let length = shape.elements();
    let rows = StructArray::try_new_with_length(fields.clone(), columns, None, length);
    let rows: ArrayRef = Arc::new(rows.map_err(crate::cast::arrow_error)?);
    shape.finish_with(rows, &data_type)
}

/// Wraps a flat array of groups: `inner` are the groups' bounds, `outer` the bounds of each row's groups.
fn nested(writer: ListWriter, inner: Vec<i32>, values: ArrayRef, call: &Call<'_>) -> Result<ArrayRef> {
    let data_type = call.return_type.to_arrow();
    let DataType::List(outer) = &data_type else {
        return Err(Error::internal("groups are an array of arrays"));
    };
    let DataType::List(field) = outer.data_type() else {
        return Err(Error::internal("groups are an array of arrays"));
    };
    let values = fit(&values, field.data_type())?;
    let groups =
        ListArray::try_new(field.clone(), OffsetBuffer::new(ScalarBuffer::from(inner)), values, None);
    let groups: ArrayRef = Arc::new(groups.map_err(crate::cast::arrow_error)?);
    writer.finish_with(groups, &data_type)
}

/// Pushes each group of so many of the places.
type Grouping = fn(&[usize], i64, &mut dyn FnMut(&[usize]) -> Result<()>) -> Result<()>;

/// Computes groups of elements per row: `groups` gets the places and pushes each group.
fn grouped(call: &Call<'_>, groups: Grouping) -> Result<ArrayRef> {
    let (lists, sizes) = (Lists::of(call, 0)?, call.bigints(1)?);
    let (mut elements, mut outer, mut bounds) = (ListWriter::new(0), ListWriter::new(call.rows), vec![0i32]);
    for row in 0..call.rows {
        let (Some(range), Some(size)) = (lists.range(row), sizes.get(row)) else {
            outer.close_null()?;
            continue;
        };
        let places: Vec<usize> = range.collect();
        let before = bounds.len();
        groups(&places, size, &mut |group| {
            group.iter().for_each(|at| elements.push(0, *at));
            bounds.push(i32::try_from(elements.elements()).map_err(|_| Error::invalid("too many groups"))?);
            Ok(())
        })?;
        outer.extend(0, 0..bounds.len() - before);
        outer.close()?;
    }
    let element = match call.return_type {
        SqlType::Array(group) => match group.as_ref() {
            SqlType::Array(element) => element.to_arrow(),
            _ => DataType::Null,
        },
        _ => DataType::Null,
    };
    let values = elements.gather(&[lists.values], &element)?;
    nested(outer, bounds, values, call)
}

fn ngrams(call: &Call<'_>) -> Result<ArrayRef> {
    grouped(call, |places, size, push| {
        let size = usize::try_from(size).ok().filter(|n| *n > 0);
        let size = size.ok_or_else(|| Error::invalid("ngrams needs a size greater than 0"))?;
        if places.len() <= size {
            return push(places);
        }
        places.windows(size).try_for_each(push)
    })
}

fn combinations(call: &Call<'_>) -> Result<ArrayRef> {
    grouped(call, |places, size, push| {
        let size =
            usize::try_from(size).map_err(|_| Error::invalid("combination size must not be negative"))?;
        if size > 5 {
            return Err(Error::invalid(format!("combination size must not exceed 5: {size}")));
        }
        if size > places.len() {
            return Ok(());
        }
        let mut chosen: Vec<usize> = (0..size).collect();
        let mut total = 0;
        loop {
            total += size;
            if total > MAX_COMBINATIONS {
                return Err(Error::invalid(format!("combinations exceed max size: {MAX_COMBINATIONS}")));
            }
            let group: Vec<usize> = chosen.iter().filter_map(|c| places.get(*c).copied()).collect();
            push(&group)?;
            // The first choice that can move on does, and those before it begin anew.
            let next =
                (0..size).find(|i| chosen[*i] + 1 < chosen.get(i + 1).copied().unwrap_or(places.len()));
            let Some(next) = next else { return Ok(()) };
            chosen[next] += 1;
            for (i, choice) in chosen.iter_mut().enumerate().take(next) {
                *choice = i;
            }
        }
    })
}
