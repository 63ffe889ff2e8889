//! A column of numbers: a page's values as places in a dictionary, by their differences, or as they are.

use super::bits::{deltas, deltas_size, hybrid, width_of};
use super::dictionary::Numbers;
use super::values::{DICTIONARY_BYTES, Values};
use arrow::array::Array;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::ArrowNativeType;
use parquet::basic::Encoding;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// A number as Parquet keeps it.
pub(super) trait Number: ArrowNativeType + PartialOrd {
    /// Whether it can be written by differences, and then whether these have 32 bits.
    const WHOLE: Option<bool>;
    /// All bits, so that what differs in any is different.
    fn bits(self) -> u64;
    fn put(self, out: &mut Vec<u8>);
    /// The number, where it is whole.
    fn whole(self) -> i64;
    /// As the least or largest value of some: of zeros the one that includes both.
    fn bound(self, least: bool) -> Self;
    fn statistics(bounds: Option<(Self, Self)>, nulls: u64) -> Statistics;
}

macro_rules! whole {
    ($native:ty, $narrow:literal, $variant:ident) => {
        impl Number for $native {
            const WHOLE: Option<bool> = Some($narrow);
            #[inline]
            fn bits(self) -> u64 {
                self as u64
            }
            #[inline]
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn whole(self) -> i64 {
                i64::from(self)
            }
            fn bound(self, _: bool) -> Self {
                self
            }
            fn statistics(bounds: Option<(Self, Self)>, nulls: u64) -> Statistics {
                let (least, most) = bounds.unzip();
                let statistics = ValueStatistics::new(least, most, None, Some(nulls), false);
                Statistics::$variant(statistics.with_backwards_compatible_min_max(true))
            }
        }
    };
}

macro_rules! fraction {
    ($native:ty, $variant:ident) => {
        impl Number for $native {
            const WHOLE: Option<bool> = None;
            #[inline]
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            #[inline]
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn whole(self) -> i64 {
                0
            }
            fn bound(self, least: bool) -> Self {
                if self != 0.0 {
                    return self;
                }
                if least { -0.0 } else { 0.0 }
            }
            fn statistics(bounds: Option<(Self, Self)>, nulls: u64) -> Statistics {
                let (least, most) = bounds.unzip();
                let statistics = ValueStatistics::new(least, most, None, Some(nulls), false);
                Statistics::$variant(statistics.with_backwards_compatible_min_max(true))
            }
        }
    };
}

whole!(i32, true, Int32);
whole!(i64, false, Int64);
fraction!(f32, Float);
fraction!(f64, Double);

/// A column's values.
#[derive(Debug)]
pub(super) struct Column<N> {
    dictionary: Option<Dictionary<N>>,
    /// Whether a page has been written with the dictionary.
    is_used: bool,
    /// The page's values, where there is no dictionary.
    plain: Vec<N>,
    page: Option<(N, N)>,
    chunk: Option<(N, N)>,
}

#[derive(Debug)]
struct Dictionary<N> {
    numbers: Numbers,
    values: Vec<N>,
    /// The page's values.
    places: Vec<u32>,
}

impl<N: Number> Column<N> {
    pub(super) fn new() -> Self {
        let dictionary = Dictionary { numbers: Numbers::new(), values: Vec::new(), places: Vec::new() };
        Self { dictionary: Some(dictionary), is_used: false, plain: Vec::new(), page: None, chunk: None }
    }

    fn take(&mut self, values: impl Iterator<Item = N>) {
        let Some(Dictionary { numbers, values: known, places }) = &mut self.dictionary else {
            self.plain.extend(values);
            return;
        };
        let mut last: Option<(u64, u32)> = None;
        places.extend(values.map(|value| {
            let bits = value.bits();
            if let Some((_, place)) = last.filter(|(same, _)| *same == bits) {
                return place;
            }
            let (place, is_new) = numbers.number(numbers.exact_hash(bits), |_| true);
            if is_new {
                known.push(value);
            }
            last = Some((bits, place));
            place
        }));
    }

    /// The dictionary does not pay: the page's values become what they were.
    fn drop_dictionary(&mut self) {
        let Some(Dictionary { values, places, .. }) = self.dictionary.take() else { return };
        self.plain = places.iter().filter_map(|place| values.get(*place as usize)).copied().collect();
    }

    /// Whether the first page shows that another way is better.
    fn is_better_without(&self) -> bool {
        let Some(Dictionary { values, places, .. }) = &self.dictionary else { return false };
        if values.len() * 2 > places.len() {
            return true;
        }
        if N::WHOLE.is_none() {
            return false;
        }
        let written = places.iter().filter_map(|place| values.get(*place as usize)).map(|v| v.whole());
        let by_place = places.len() * usize::from(width_of(values.len() as u64)) / 8;
        deltas_size(&written.collect::<Vec<i64>>()) < by_place
    }
}

fn widened<N: Number>(bounds: Option<(N, N)>, more: Option<(N, N)>) -> Option<(N, N)> {
    match (bounds, more) {
        (Some((least, most)), Some((low, high))) => {
            Some((if low < least { low } else { least }, if high > most { high } else { most }))
        }
        (bounds, more) => bounds.or(more),
    }
}

/// The least and the largest; what is not a number is neither.
fn bounds_of<N: Number>(values: impl Iterator<Item = N>) -> Option<(N, N)> {
    let mut values = values.skip_while(|value| value.partial_cmp(value).is_none());
    let first = values.next()?;
    Some(values.fold((first, first), |(least, most), value| {
        (if value < least { value } else { least }, if value > most { value } else { most })
    }))
}

impl<N: Number> Values for Column<N> {
    fn take_slice(&mut self, array: &dyn Array, from: usize, count: usize) {
        let data = array.to_data();
        let Some(buffer) = data.buffers().first() else { return };
        let all = ScalarBuffer::<N>::new(buffer.clone(), data.offset() + from, count);
        let missing = array.nulls().map(|nulls| nulls.slice(from, count)).filter(|n| n.null_count() > 0);
        let bounds = match missing {
            None => {
                self.take(all.iter().copied());
                bounds_of(all.iter().copied())
            }
            Some(nulls) => {
                let there = || nulls.valid_indices().filter_map(|at| all.get(at)).copied();
                self.take(there());
                bounds_of(there())
            }
        };
        self.page = widened(self.page, bounds);
    }

    fn look_early(&mut self) {
        let is_distinct = |d: &Dictionary<N>| d.values.len() * 10 > d.places.len() * 9;
        if !self.is_used && self.dictionary.as_ref().is_some_and(is_distinct) {
            self.drop_dictionary();
        }
    }

    fn end_page(&mut self, out: &mut Vec<u8>) -> Encoding {
        if !self.is_used && self.is_better_without() {
            self.drop_dictionary();
        }
        if let Some(Dictionary { values, places, .. }) = &mut self.dictionary {
            let width = width_of(values.len().saturating_sub(1) as u64);
            out.push(width);
            hybrid(places, width, out);
            places.clear();
            self.is_used = true;
            return Encoding::RLE_DICTIONARY;
        }
        let encoding = match N::WHOLE {
            Some(narrow) => {
                let whole: Vec<i64> = self.plain.iter().map(|value| value.whole()).collect();
                deltas(&whole, narrow, out);
                Encoding::DELTA_BINARY_PACKED
            }
            None => {
                self.plain.iter().for_each(|value| value.put(out));
                Encoding::PLAIN
            }
        };
        self.plain.clear();
        encoding
    }

    fn end_page_bounds(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let page = self.page.take();
        self.chunk = widened(self.chunk, page);
        page.map(|(least, most)| {
            let bytes = |value: N, is_least| {
                let mut bytes = Vec::with_capacity(8);
                value.bound(is_least).put(&mut bytes);
                bytes
            };
            (bytes(least, true), bytes(most, false))
        })
    }

    fn is_dictionary_full(&self) -> bool {
        self.dictionary.as_ref().is_some_and(|d| d.values.len() * size_of::<N>() > DICTIONARY_BYTES)
    }

    fn end_dictionary(&mut self, out: &mut Vec<u8>) -> Option<usize> {
        let dictionary = self.dictionary.take().filter(|_| self.is_used)?;
        dictionary.values.iter().for_each(|value| value.put(out));
        Some(dictionary.values.len())
    }

    fn has_dictionary(&self) -> bool {
        self.dictionary.is_some()
    }

    fn held(&self) -> usize {
        let dictionary = self.dictionary.as_ref().map_or(0, |d| {
            let places = d.places.len() * usize::from(width_of(d.values.len() as u64)) / 8;
            d.values.len() * size_of::<N>() + places
        });
        dictionary + self.plain.len() * size_of::<N>()
    }

    fn memory(&self) -> usize {
        let dictionary = self.dictionary.as_ref().map_or(0, |d| {
            d.numbers.memory() + d.values.capacity() * size_of::<N>() + d.places.capacity() * 4
        });
        dictionary + self.plain.capacity() * size_of::<N>()
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        N::statistics(self.chunk.map(|(least, most)| (least.bound(true), most.bound(false))), nulls)
    }
}
