//! Reads arrays and maps row by row and builds new ones, whatever their elements are.
//!
//! A kernel picks elements by number, from one array or from several, and `ListWriter` gathers them in one pass at the
//! end. So no kernel ever touches an element's bytes, and each works for every type.

use crate::Call;
use crate::cast::arrow_error;
use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, NullBufferBuilder, StructArray, UInt32Array,
    new_empty_array, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{cast, interleave, take};
use arrow::datatypes::DataType;
use model::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// An argument that is an array or a map, read by row.
#[derive(Debug)]
pub(crate) struct Lists {
    /// All elements; of a map its entries.
    pub(crate) values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
    /// Whether one list stands for all rows.
    pub(crate) constant: bool,
}

impl Lists {
    /// The argument at this position.
    pub(crate) fn of(call: &Call<'_>, index: usize) -> Result<Lists> {
        let (array, constant) = call.arg(index)?;
        Lists::from_array(array, constant)
    }

    /// A list or map array.
    pub(crate) fn from_array(array: &ArrayRef, constant: bool) -> Result<Lists> {
        let (values, offsets): (ArrayRef, _) = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                (list.values().clone(), list.offsets().clone())
            }
            DataType::Map(..) => {
                let map = array.as_map();
                (Arc::new(map.entries().clone()), map.offsets().clone())
            }
            DataType::Null => {
                let offsets = OffsetBuffer::new_zeroed(array.len());
                (new_empty_array(&DataType::Null), offsets)
            }
            other => return Err(Error::internal(format!("an array or a map was expected, found {other}"))),
        };
        Ok(Lists { values, offsets, nulls: array.logical_nulls(), constant })
    }

    /// Where the row's elements stand; nothing if the row is NULL.
    pub(crate) fn range(&self, row: usize) -> Option<Range<usize>> {
        let row = if self.constant { 0 } else { row };
        if self.nulls.as_ref().is_some_and(|n| n.is_null(row)) {
            return None;
        }
        let (start, end) = (self.offsets.get(row)?, self.offsets.get(row + 1)?);
        Some(*start as usize..*end as usize)
    }

    /// How many elements the row has.
    pub(crate) fn len(&self, row: usize) -> Option<usize> {
        self.range(row).map(|r| r.len())
    }

    /// A map's keys.
    pub(crate) fn keys(&self) -> Result<ArrayRef> {
        self.entry_column(0)
    }

    /// A map's values.
    pub(crate) fn map_values(&self) -> Result<ArrayRef> {
        self.entry_column(1)
    }

    fn entry_column(&self, index: usize) -> Result<ArrayRef> {
        match self.values.as_struct_opt().and_then(|s| s.columns().get(index)) {
            Some(column) => Ok(column.clone()),
            None if self.values.is_empty() => Ok(new_empty_array(&DataType::Null)),
            None => Err(Error::internal(format!(
                "a map was expected, found a list of {}",
                self.values.data_type()
            ))),
        }
    }
}

/// The elements of many lists side by side, and where each comes from: what a lambda is called with.
#[derive(Debug)]
pub(crate) struct Flat {
    /// The elements of all rows that are not NULL.
    pub(crate) values: ArrayRef,
    /// The row of each element.
    pub(crate) rows: UInt32Array,
    /// Where each row's elements begin and end.
    pub(crate) offsets: OffsetBuffer<i32>,
    /// Which rows are not NULL.
    pub(crate) nulls: Option<NullBuffer>,
}

impl Flat {
    /// Flattens the argument at this position, one list per row of the batch.
    pub(crate) fn of(call: &Call<'_>, index: usize) -> Result<Flat> {
        let array = call.column(index)?;
        let lists = Lists::from_array(&array, false)?;
        let (mut rows, mut offsets) = (Vec::new(), vec![0i32]);
        let mut contiguous = true;
        let mut expected = lists.offsets.first().map_or(0, |o| *o as usize);
        for row in 0..call.rows {
            if let Some(range) = lists.range(row) {
                contiguous &= range.is_empty() || range.start == expected;
                expected = if range.is_empty() { expected } else { range.end };
                rows.resize(rows.len() + range.len(), index_of(row)?);
            }
            offsets.push(length_of(rows.len())?);
        }
        let values = if contiguous {
            let start = lists.offsets.first().map_or(0, |o| *o as usize);
            lists.values.slice(start.min(lists.values.len()), rows.len())
        } else {
            let mut picked = Vec::with_capacity(rows.len());
            for range in (0..call.rows).filter_map(|row| lists.range(row)) {
                for at in range {
                    picked.push(index_of(at)?);
                }
            }
            take(&lists.values, &UInt32Array::from(picked), None).map_err(arrow_error)?
        };
        Ok(Flat {
            values,
            rows: UInt32Array::from(rows),
            offsets: OffsetBuffer::new(ScalarBuffer::from(offsets)),
            nulls: lists.nulls,
        })
    }

    /// Where the row's elements stand in `values`.
    pub(crate) fn range(&self, row: usize) -> Range<usize> {
        match (self.offsets.get(row), self.offsets.get(row + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }

    /// Whether the row's list is NULL.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|n| n.is_null(row))
    }

    /// A column of the entries, if the lists were maps.
    pub(crate) fn entry(&self, index: usize) -> Result<ArrayRef> {
        match self.values.as_struct_opt().and_then(|s| s.columns().get(index)) {
            Some(column) => Ok(column.clone()),
            None => Ok(new_null_array(&DataType::Null, self.values.len())),
        }
    }
}

/// Gathers the elements of new lists by where they stand in their sources.
#[derive(Debug)]
pub(crate) struct ListWriter {
    /// The places in the first source: enough for most lists.
    places: Vec<u32>,
    /// Sources and places, from the first pick of another source on; then `places` is empty.
    several: Option<Vec<(usize, usize)>>,
    offsets: Vec<i32>,
    valid: NullBufferBuilder,
}

/// A source that does not exist: the element is NULL.
const NULL: usize = usize::MAX;

impl ListWriter {
    /// For so many lists.
    pub(crate) fn new(lists: usize) -> ListWriter {
        let mut offsets = Vec::with_capacity(lists + 1);
        offsets.push(0);
        ListWriter { places: Vec::new(), several: None, offsets, valid: NullBufferBuilder::new(lists) }
    }

    /// Appends an element of a source.
    pub(crate) fn push(&mut self, source: usize, index: usize) {
        self.extend(source, index..index + 1);
    }

    /// Appends elements of a source.
    pub(crate) fn extend(&mut self, source: usize, range: Range<usize>) {
        match (u32::try_from(range.start), u32::try_from(range.end)) {
            (Ok(start), Ok(end)) if source == 0 && self.several.is_none() => self.places.extend(start..end),
            _ => self.several().extend(range.map(|at| (source, at))),
        }
    }

    /// Appends a NULL element.
    pub(crate) fn push_null(&mut self) {
        self.several().push((NULL, 0));
    }

    fn several(&mut self) -> &mut Vec<(usize, usize)> {
        let places = &mut self.places;
        self.several
            .get_or_insert_with(|| std::mem::take(places).into_iter().map(|at| (0, at as usize)).collect())
    }

    /// How many elements there are so far.
    pub(crate) fn elements(&self) -> usize {
        self.several.as_ref().map_or(self.places.len(), Vec::len)
    }

    /// Ends the list.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.offsets.push(length_of(self.elements())?);
        self.valid.append_non_null();
        Ok(())
    }

    /// Ends a list that is NULL.
    pub(crate) fn close_null(&mut self) -> Result<()> {
        self.offsets.push(length_of(self.elements())?);
        self.valid.append_null();
        Ok(())
    }

    /// The elements, picked from these sources.
    pub(crate) fn gather(&self, sources: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef> {
        let sources: Vec<ArrayRef> = sources.iter().map(|s| fit(s, data_type)).collect::<Result<_>>()?;
        match (&self.several, sources.first()) {
            (Some(picks), _) => pick(&sources, picks.iter().copied(), data_type),
            (None, Some(source)) => {
                take(source, &UInt32Array::from(self.places.clone()), None).map_err(arrow_error)
            }
            (None, None) => Ok(new_null_array(data_type, self.places.len())),
        }
    }

    /// The lists as an array of the call's return type.
    pub(crate) fn finish(self, sources: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef> {
        let DataType::List(field) = data_type else {
            return Err(Error::internal(format!("an array is built, but {data_type} is wanted")));
        };
        let values = self.gather(sources, field.data_type())?;
        self.finish_with(values, data_type)
    }

    /// The lists over elements that stand there already in order, as many as were pushed.
    pub(crate) fn finish_with(mut self, values: ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
        let DataType::List(field) = data_type else {
            return Err(Error::internal(format!("an array is built, but {data_type} is wanted")));
        };
        let values = fit(&values, field.data_type())?;
        let nulls = self.valid.finish();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let list = ListArray::try_new(field.clone(), offsets, values, nulls).map_err(arrow_error)?;
        Ok(Arc::new(list))
    }

    /// The lists as a map array: keys and values are picked alike.
    pub(crate) fn finish_map(
        mut self,
        keys: &[ArrayRef],
        values: &[ArrayRef],
        data_type: &DataType,
    ) -> Result<ArrayRef> {
        let (key_type, value_type) = entry_types(data_type)?;
        let keys = self.gather(keys, key_type)?;
        let values = self.gather(values, value_type)?;
        let nulls = self.valid.finish();
        build_map(data_type, OffsetBuffer::new(ScalarBuffer::from(self.offsets)), keys, values, nulls)
    }
}

impl ListWriter {
    /// The lists as a map array whose values stand there already, one per pushed key.
    pub(crate) fn finish_map_with(
        mut self,
        keys: &[ArrayRef],
        values: ArrayRef,
        data_type: &DataType,
    ) -> Result<ArrayRef> {
        let (key_type, value_type) = entry_types(data_type)?;
        let (keys, values) = (self.gather(keys, key_type)?, fit(&values, value_type)?);
        let nulls = self.valid.finish();
        build_map(data_type, OffsetBuffer::new(ScalarBuffer::from(self.offsets)), keys, values, nulls)
    }
}

/// Picks values by source and place; a source that does not exist stands for NULL.
pub(crate) fn pick(
    sources: &[ArrayRef],
    picks: impl Iterator<Item = (usize, usize)>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let none = new_null_array(data_type, 1);
    let mut arrays: Vec<&dyn Array> = sources.iter().map(AsRef::as_ref).collect();
    arrays.push(none.as_ref());
    let last = arrays.len() - 1;
    let picks: Vec<(usize, usize)> =
        picks.map(|(s, at)| if s >= last { (last, 0) } else { (s, at) }).collect();
    if picks.is_empty() {
        return Ok(new_empty_array(data_type));
    }
    interleave(&arrays, &picks).map_err(arrow_error)
}

/// Takes a value per row; NULL where there is none.
pub(crate) fn take_or_null(
    source: &ArrayRef,
    picks: impl Iterator<Item = Option<usize>>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let source = fit(source, data_type)?;
    let at = picks.map(|p| p.map(index_of).transpose()).collect::<Result<Vec<Option<u32>>>>()?;
    if source.is_empty() {
        return Ok(new_null_array(data_type, at.len()));
    }
    take(&source, &UInt32Array::from(at), None).map_err(arrow_error)
}

/// The Arrow types of a map's keys and values.
pub(crate) fn entry_types(data_type: &DataType) -> Result<(&DataType, &DataType)> {
    if let DataType::Map(entries, _) = data_type
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        return Ok((key.data_type(), value.data_type()));
    }
    Err(Error::internal(format!("a map is built, but {data_type} is wanted")))
}

/// Puts a map array together.
pub(crate) fn build_map(
    data_type: &DataType,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::Map(field, ordered) = data_type else {
        return Err(Error::internal(format!("a map is built, but {data_type} is wanted")));
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(Error::internal("a map's entries are no structs"));
    };
    if keys.logical_null_count() > 0 {
        return Err(Error::invalid("a map key cannot be NULL"));
    }
    let length = keys.len();
    let entries = StructArray::try_new_with_length(fields.clone(), vec![keys, values], None, length);
    let map = MapArray::try_new(field.clone(), offsets, entries.map_err(arrow_error)?, nulls, *ordered);
    Ok(Arc::new(map.map_err(arrow_error)?))
}

/// The array as one of this type: field names may differ, and elements of no type become NULLs of one.
pub(crate) fn fit(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if array.data_type() == data_type {
        return Ok(array.clone());
    }
    if array.data_type() == &DataType::Null {
        return Ok(new_null_array(data_type, array.len()));
    }
    match (array.data_type(), data_type) {
        (DataType::Struct(from), DataType::Struct(to)) if from.len() == to.len() => {
            let source = array.as_struct();
            let columns =
                source.columns().iter().zip(to).map(|(c, f)| fit(c, f.data_type())).collect::<Result<_>>()?;
            let nulls = source.nulls().cloned();
            let fitted = StructArray::try_new_with_length(to.clone(), columns, nulls, array.len());
            Ok(Arc::new(fitted.map_err(arrow_error)?))
        }
        (DataType::List(_), DataType::List(to)) => {
            let source = array.as_list::<i32>();
            let values = fit(source.values(), to.data_type())?;
            let fitted =
                ListArray::try_new(to.clone(), source.offsets().clone(), values, source.nulls().cloned());
            Ok(Arc::new(fitted.map_err(arrow_error)?))
        }
        (DataType::Map(..), DataType::Map(..)) => {
            let source = array.as_map();
            let (key, value) = entry_types(data_type)?;
            let (keys, values) = (fit(source.keys(), key)?, fit(source.values(), value)?);
            build_map(data_type, source.offsets().clone(), keys, values, source.nulls().cloned())
        }
        _ => cast(array, data_type).map_err(arrow_error),
    }
}

/// A place in an array as Arrow counts it.
pub(crate) fn index_of(at: usize) -> Result<u32> {
    u32::try_from(at).map_err(|_| too_large())
}

fn length_of(elements: usize) -> Result<i32> {
    i32::try_from(elements).map_err(|_| too_large())
}

fn too_large() -> Error {
    Error::invalid("the arrays of one batch would hold more than 2147483647 elements")
}
