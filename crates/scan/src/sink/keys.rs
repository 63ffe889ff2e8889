//! Which target each row of a batch belongs to: small numbers for the values of the key columns, found through caches,
//! so that a row of a value seen before costs a comparison.

use super::bucket;
use super::value::value_text;
use arrow::array::cast::AsArray;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatch, StringViewArray};
use arrow::datatypes::{
    ArrowNativeType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use datafusion::common::HashMap;
use model::{Error, Result};
use sql::SqlType;

/// The value that says: no value.
const NULL_CODE: u32 = 0;
/// Slots of a column's direct cache, a power of two.
const CACHE_BITS: u32 = 10;
/// Views of texts up to this length hold the text itself.
const INLINE: u32 = 12;

/// What a target is known by: the texts of its partition keys, and its bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TargetKey {
    pub(crate) values: Vec<Option<String>>,
    pub(crate) bucket: Option<u32>,
}

/// How many buckets there are, and by which columns of the batch.
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    pub(crate) columns: Vec<(usize, SqlType)>,
    pub(crate) count: u32,
}

/// Numbers the combinations of key values that one stream brings, from 0 in the order in which they appear.
#[derive(Debug)]
pub(crate) struct Assigner {
    columns: Vec<(usize, KeyColumn)>,
    buckets: Option<Buckets>,
    /// One behind each source but the first: the combination so far with the next source's number.
    pairs: Vec<Pairs>,
}

/// The numbers of a batch's rows.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub(crate) ids: Vec<u32>,
    /// How many runs of one number there are.
    pub(crate) runs: usize,
}

impl Assigner {
    /// `keys` are the key columns' places in the batches, and their types.
    pub(crate) fn new(keys: Vec<(usize, SqlType)>, buckets: Option<Buckets>) -> Self {
        let columns: Vec<_> = keys.into_iter().map(|(at, t)| (at, KeyColumn::new(t))).collect();
        let sources = columns.len() + usize::from(buckets.is_some());
        let pairs = (1..sources).map(|_| Pairs::default()).collect();
        Self { columns, buckets, pairs }
    }

    /// The number of each row's combination.
    pub(crate) fn assign(&mut self, batch: &RecordBatch) -> Result<Assigned> {
        let mut ids: Option<Vec<u32>> = None;
        let mut pairs = self.pairs.iter_mut();
        for (at, column) in &mut self.columns {
            let codes = column.codes(batch.column(*at))?;
            join(&mut ids, codes, &mut pairs)?;
        }
        if let Some(of) = &self.buckets {
            let columns: Vec<(ArrayRef, SqlType)> =
                of.columns.iter().map(|(at, t)| (ArrayRef::clone(batch.column(*at)), t.clone())).collect();
            join(&mut ids, bucket::buckets(&columns, of.count, batch.num_rows())?, &mut pairs)?;
        }
        let ids = ids.unwrap_or_else(|| vec![0; batch.num_rows()]);
        let runs = usize::from(!ids.is_empty()) + ids.windows(2).filter(|two| two[0] != two[1]).count();
        Ok(Assigned { ids, runs })
    }

    /// What a number that was given stands for.
    pub(crate) fn key(&self, id: u32) -> TargetKey {
        let mut codes = Vec::with_capacity(self.pairs.len() + 1);
        let mut rest = id;
        for pairs in self.pairs.iter().rev() {
            let (left, right) = pairs.parts.get(rest as usize).copied().unwrap_or_default();
            codes.push(right);
            rest = left;
        }
        codes.push(rest);
        codes.reverse();
        let values = self.columns.iter().zip(&codes).map(|((_, column), code)| column.text(*code)).collect();
        let bucket = self.buckets.as_ref().and_then(|_| codes.last().copied());
        TargetKey { values, bucket }
    }
}

/// Combines the numbers so far with the next source's.
fn join<'a>(
    ids: &mut Option<Vec<u32>>,
    codes: Vec<u32>,
    pairs: &mut impl Iterator<Item = &'a mut Pairs>,
) -> Result<()> {
    match ids {
        None => *ids = Some(codes),
        Some(ids) => {
            let pairs = pairs.next().ok_or_else(|| Error::internal("a key column has no table of pairs"))?;
            pairs.combine(ids, &codes)?;
        }
    }
    Ok(())
}

/// Numbers for pairs of numbers.
#[derive(Debug, Default)]
struct Pairs {
    known: HashMap<u64, u32>,
    parts: Vec<(u32, u32)>,
}

impl Pairs {
    fn combine(&mut self, ids: &mut [u32], codes: &[u32]) -> Result<()> {
        let mut last: Option<(u64, u32)> = None;
        for (id, code) in ids.iter_mut().zip(codes) {
            let pair = (u64::from(*id) << 32) | u64::from(*code);
            let number = match last {
                Some((same, number)) if same == pair => number,
                _ => match self.known.get(&pair) {
                    Some(number) => *number,
                    None => self.add(pair, (*id, *code))?,
                },
            };
            last = Some((pair, number));
            *id = number;
        }
        Ok(())
    }

    fn add(&mut self, pair: u64, parts: (u32, u32)) -> Result<u32> {
        let number = next_number(self.parts.len())?;
        self.known.insert(pair, number);
        self.parts.push(parts);
        Ok(number)
    }
}

fn next_number(count: usize) -> Result<u32> {
    u32::try_from(count).map_err(|_| Error::internal("more partition values than numbers"))
}

/// Numbers for the values of one column; 0 is no value.
#[derive(Debug)]
struct KeyColumn {
    sql_type: SqlType,
    /// Values that fit 16 bytes, by those.
    small: HashMap<u128, u32>,
    /// Longer texts.
    long: HashMap<Box<str>, u32>,
    /// The last value seen in each slot.
    cache: Vec<(u128, u32)>,
    texts: Vec<Option<String>>,
}

impl KeyColumn {
    fn new(sql_type: SqlType) -> Self {
        Self {
            sql_type,
            small: HashMap::default(),
            long: HashMap::default(),
            cache: vec![(0, NULL_CODE); 1 << CACHE_BITS],
            texts: vec![None],
        }
    }

    fn text(&self, code: u32) -> Option<String> {
        self.texts.get(code as usize).cloned().flatten()
    }

    fn codes(&mut self, array: &ArrayRef) -> Result<Vec<u32>> {
        match array.data_type() {
            DataType::Boolean => {
                let values = array.as_boolean();
                self.fill(array, |row| u128::from(values.value(row)))
            }
            DataType::Int8 => self.primitive::<Int8Type>(array, |v| u128::from(v.cast_unsigned())),
            DataType::Int16 => self.primitive::<Int16Type>(array, |v| u128::from(v.cast_unsigned())),
            DataType::Int32 => self.primitive::<Int32Type>(array, |v| u128::from(v.cast_unsigned())),
            DataType::Int64 => self.primitive::<Int64Type>(array, |v| u128::from(v.cast_unsigned())),
            DataType::Float32 => self.primitive::<Float32Type>(array, |v| u128::from(v.to_bits())),
            DataType::Float64 => self.primitive::<Float64Type>(array, |v| u128::from(v.to_bits())),
            DataType::Date32 => self.primitive::<Date32Type>(array, |v| u128::from(v.cast_unsigned())),
            DataType::Decimal128(..) => self.primitive::<Decimal128Type>(array, i128::cast_unsigned),
            DataType::Timestamp(unit, _) => {
                let bits = |v: i64| u128::from(v.cast_unsigned());
                match unit {
                    TimeUnit::Second => self.primitive::<TimestampSecondType>(array, bits),
                    TimeUnit::Millisecond => self.primitive::<TimestampMillisecondType>(array, bits),
                    TimeUnit::Microsecond => self.primitive::<TimestampMicrosecondType>(array, bits),
                    TimeUnit::Nanosecond => self.primitive::<TimestampNanosecondType>(array, bits),
                }
            }
            DataType::Utf8View => self.views(array),
            other => Err(Error::internal(format!("a partition key arrived as {other}"))),
        }
    }

    fn primitive<T: ArrowPrimitiveType>(
        &mut self,
        array: &ArrayRef,
        bits: impl Fn(T::Native) -> u128,
    ) -> Result<Vec<u32>>
    where
        T::Native: ArrowNativeType,
    {
        let values = array.as_primitive::<T>().values();
        self.fill(array, |row| bits(values[row]))
    }

    /// Values that fit 16 bytes.
    fn fill(&mut self, array: &ArrayRef, bits: impl Fn(usize) -> u128) -> Result<Vec<u32>> {
        let nulls = array.nulls();
        let mut codes = Vec::with_capacity(array.len());
        let mut last: Option<(u128, u32)> = None;
        for row in 0..array.len() {
            if nulls.is_some_and(|n| n.is_null(row)) {
                codes.push(NULL_CODE);
                continue;
            }
            let value = bits(row);
            let code = match last {
                Some((same, code)) if same == value => code,
                _ => self.small_code(value, array, row)?,
            };
            last = Some((value, code));
            codes.push(code);
        }
        Ok(codes)
    }

    /// Texts: short ones are their views, long ones are looked up by their bytes.
    fn views(&mut self, array: &ArrayRef) -> Result<Vec<u32>> {
        let texts: &StringViewArray = array.as_string_view();
        let (views, nulls) = (texts.views(), texts.nulls());
        let mut codes = Vec::with_capacity(array.len());
        let mut last: Option<(u128, u32)> = None;
        for (row, view) in views.iter().enumerate() {
            if nulls.is_some_and(|n| n.is_null(row)) {
                codes.push(NULL_CODE);
                continue;
            }
            // Equal views of one array are the same bytes, also of long texts.
            let code = match last {
                Some((same, code)) if same == *view => code,
                _ if is_inline(*view) => self.small_code(*view, array, row)?,
                _ => self.long_code(texts.value(row), array, row)?,
            };
            last = Some((*view, code));
            codes.push(code);
        }
        Ok(codes)
    }

    fn small_code(&mut self, value: u128, array: &ArrayRef, row: usize) -> Result<u32> {
        let slot = slot(value);
        let (cached, code) = self.cache[slot];
        if cached == value && code != NULL_CODE {
            return Ok(code);
        }
        let code = match self.small.get(&value) {
            Some(code) => *code,
            None => {
                let code = self.add_text(array, row)?;
                self.small.insert(value, code);
                code
            }
        };
        self.cache[slot] = (value, code);
        Ok(code)
    }

    fn long_code(&mut self, text: &str, array: &ArrayRef, row: usize) -> Result<u32> {
        if let Some(code) = self.long.get(text) {
            return Ok(*code);
        }
        let code = self.add_text(array, row)?;
        self.long.insert(text.into(), code);
        Ok(code)
    }

    fn add_text(&mut self, array: &ArrayRef, row: usize) -> Result<u32> {
        let code = next_number(self.texts.len())?;
        self.texts.push(Some(value_text(array.as_ref(), row, &self.sql_type)?));
        Ok(code)
    }
}

/// Whether a view holds its text itself: its first four bytes are the length.
fn is_inline(view: u128) -> bool {
    view & u128::from(u32::MAX) <= u128::from(INLINE)
}

fn slot(value: u128) -> usize {
    let [low, high] =
        [value & u128::from(u64::MAX), value >> 64].map(|half| u64::try_from(half).unwrap_or(0));
    let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> (64 - CACHE_BITS)).unwrap_or(0)
}
