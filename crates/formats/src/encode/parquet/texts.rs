//! A column of texts or bytes: a page's values as places in a dictionary, or as they are.

use super::bits::{hybrid, width_of};
use super::dictionary::Numbers;
use super::values::{DICTIONARY_BYTES, Values};
use arrow::array::{Array, AsArray, GenericByteViewArray};
use arrow::datatypes::{ByteViewType, DataType};
use parquet::basic::Encoding;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// Longer bounds are cut, as far as what is between them stays between them.
const MAX_BOUND: usize = 64;
/// Views hold texts of up to so many bytes themselves, behind the length.
const INLINE: u32 = 12;
/// Stands for the view of a longer text.
const LONG: u128 = u128::MAX;

/// A column's values.
#[derive(Debug)]
pub(super) struct Column {
    /// Whether they are texts: these are cut between characters.
    is_text: bool,
    dictionary: Option<Dictionary>,
    /// Whether a page has been written with the dictionary.
    is_used: bool,
    /// The page's values with their lengths, where there is no dictionary.
    plain: Vec<u8>,
    page: Bounds,
    chunk: Bounds,
}

#[derive(Debug)]
struct Dictionary {
    numbers: Numbers,
    known: Known,
    /// The page's values.
    places: Vec<u32>,
}

/// The dictionary's values.
#[derive(Debug, Default)]
struct Known {
    /// With their lengths, as they are written.
    bytes: Vec<u8>,
    /// Of each its view, if that holds all of it, and where it ends.
    ends: Vec<(u128, usize)>,
}

impl Known {
    fn value(&self, place: u32) -> &[u8] {
        let end = |place: usize| self.ends.get(place).map(|(_, end)| *end);
        let place = place as usize;
        let start = place.checked_sub(1).and_then(end).unwrap_or(0) + 4;
        end(place).and_then(|end| self.bytes.get(start..end)).unwrap_or_default()
    }

    fn add(&mut self, view: u128, value: &[u8]) {
        put(value, &mut self.bytes);
        self.ends.push((view, self.bytes.len()));
    }
}

impl Dictionary {
    #[inline]
    fn take_short(&mut self, view: u128) {
        let (numbers, known) = (&mut self.numbers, &mut self.known);
        let hash = numbers.hash_wide(view);
        let (place, is_new) =
            numbers.number(hash, |at| known.ends.get(at as usize).is_some_and(|(known, _)| *known == view));
        if is_new {
            known.add(view, view.to_le_bytes().get(4..4 + (view as u32 as usize)).unwrap_or_default());
        }
        self.places.push(place);
    }

    fn take_long(&mut self, value: &[u8]) {
        let (numbers, known) = (&mut self.numbers, &mut self.known);
        let hash = numbers.hash_bytes(value);
        let (place, is_new) = numbers.number(hash, |at| {
            known.ends.get(at as usize).is_some_and(|(view, _)| *view == LONG) && known.value(at) == value
        });
        if is_new {
            known.add(LONG, value);
        }
        self.places.push(place);
    }
}

/// The least and the largest value.
#[derive(Debug, Default)]
struct Bounds(Option<(Vec<u8>, Vec<u8>)>);

impl Bounds {
    fn see(&mut self, value: &[u8]) {
        match &mut self.0 {
            None => self.0 = Some((value.to_vec(), value.to_vec())),
            Some((least, _)) if value < least.as_slice() => *least = value.to_vec(),
            Some((_, most)) if value > most.as_slice() => *most = value.to_vec(),
            _ => {}
        }
    }
}

fn put(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
}

impl Column {
    pub(super) fn new(is_text: bool) -> Self {
        let dictionary = Dictionary { numbers: Numbers::new(), known: Known::default(), places: Vec::new() };
        Self {
            is_text,
            dictionary: Some(dictionary),
            is_used: false,
            plain: Vec::new(),
            page: Bounds::default(),
            chunk: Bounds::default(),
        }
    }

    fn take<T: ByteViewType + ?Sized>(
        &mut self,
        array: &GenericByteViewArray<T>,
        rows: impl Iterator<Item = usize>,
    ) {
        let (views, bytes) = (array.views(), |at: usize| -> &[u8] { array.value(at).as_ref() });
        match &mut self.dictionary {
            Some(dictionary) => {
                let mut last = LONG;
                for at in rows {
                    let view = views.get(at).copied().unwrap_or_default();
                    if view == last
                        && let Some(place) = dictionary.places.last().copied()
                    {
                        dictionary.places.push(place);
                        continue;
                    }
                    last = view;
                    if view as u32 <= INLINE {
                        dictionary.take_short(view);
                    } else {
                        dictionary.take_long(bytes(at));
                    }
                }
            }
            None => {
                for at in rows {
                    let value = bytes(at);
                    self.page.see(value);
                    put(value, &mut self.plain);
                }
            }
        }
    }

    /// The dictionary does not pay: the page's values become what they were.
    fn drop_dictionary(&mut self) {
        let Some(Dictionary { known, places, .. }) = self.dictionary.take() else { return };
        (0..known.ends.len() as u32).for_each(|place| self.page.see(known.value(place)));
        places.iter().for_each(|place| put(known.value(*place), &mut self.plain));
    }

    /// A bound of not too many bytes, and whether it is the value itself.
    fn cut(&self, value: &[u8], is_least: bool) -> (Vec<u8>, bool) {
        if value.len() <= MAX_BOUND {
            return (value.to_vec(), true);
        }
        let text = std::str::from_utf8(value).ok().filter(|_| self.is_text);
        let end = text.map_or(MAX_BOUND, |text| text.floor_char_boundary(MAX_BOUND));
        let start = value.get(..end).unwrap_or(value);
        if is_least {
            return (start.to_vec(), false);
        }
        let larger = match text {
            Some(_) => std::str::from_utf8(start).ok().and_then(larger_text),
            None => larger_bytes(start),
        };
        larger.map_or_else(|| (value.to_vec(), true), |larger| (larger, false))
    }
}

/// The shortest change that makes the text larger than all that begin with it.
fn larger_text(start: &str) -> Option<Vec<u8>> {
    let (at, next) = start.char_indices().rev().find_map(|(at, c)| {
        let next = char::from_u32(u32::from(c) + 1)?;
        (next.len_utf8() == c.len_utf8()).then_some((at, next))
    })?;
    let mut larger = start.get(..at)?.to_owned();
    larger.push(next);
    Some(larger.into_bytes())
}

fn larger_bytes(start: &[u8]) -> Option<Vec<u8>> {
    let at = start.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut larger = start.get(..=at)?.to_vec();
    if let Some(last) = larger.last_mut() {
        *last += 1;
    }
    Some(larger)
}

/// The places that occur, each once.
fn each_once(places: &[u32], known: usize) -> impl Iterator<Item = u32> {
    let mut seen = vec![0_u64; known.div_ceil(64)];
    for place in places {
        if let Some(word) = seen.get_mut(*place as usize / 64) {
            *word |= 1 << (place % 64);
        }
    }
    seen.into_iter().zip(0_u32..).flat_map(|(word, number)| {
        (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| number * 64 + bit)
    })
}

impl Values for Column {
    fn take_slice(&mut self, array: &dyn Array, from: usize, count: usize) {
        let missing = array.nulls().map(|nulls| nulls.slice(from, count)).filter(|n| n.null_count() > 0);
        macro_rules! take {
            ($views:expr) => {
                match &missing {
                    None => self.take($views, from..from + count),
                    Some(nulls) => self.take($views, nulls.valid_indices().map(|at| from + at)),
                }
            };
        }
        match array.data_type() {
            DataType::Utf8View => take!(array.as_string_view()),
            DataType::BinaryView => take!(array.as_binary_view()),
            _ => {}
        }
    }

    fn look_early(&mut self) {
        let is_distinct = |d: &Dictionary| d.known.ends.len() * 10 > d.places.len() * 9;
        if !self.is_used && self.dictionary.as_ref().is_some_and(is_distinct) {
            self.drop_dictionary();
        }
    }

    fn end_page(&mut self, out: &mut Vec<u8>) -> Encoding {
        if let Some(Dictionary { known, places, .. }) = &self.dictionary {
            if !self.is_used && known.ends.len() * 2 > places.len() {
                self.drop_dictionary();
            } else {
                for place in each_once(places, known.ends.len()) {
                    self.page.see(known.value(place));
                }
            }
        }
        if let Some(Dictionary { known, places, .. }) = &mut self.dictionary {
            let width = width_of(known.ends.len().saturating_sub(1) as u64);
            out.push(width);
            hybrid(places, width, out);
            places.clear();
            self.is_used = true;
            return Encoding::RLE_DICTIONARY;
        }
        out.append(&mut self.plain);
        Encoding::PLAIN
    }

    fn end_page_bounds(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (least, most) = std::mem::take(&mut self.page).0?;
        self.chunk.see(&least);
        self.chunk.see(&most);
        Some((self.cut(&least, true).0, self.cut(&most, false).0))
    }

    fn is_dictionary_full(&self) -> bool {
        self.dictionary.as_ref().is_some_and(|d| d.known.bytes.len() > DICTIONARY_BYTES)
    }

    fn end_dictionary(&mut self, out: &mut Vec<u8>) -> Option<usize> {
        let mut dictionary = self.dictionary.take().filter(|_| self.is_used)?;
        out.append(&mut dictionary.known.bytes);
        Some(dictionary.known.ends.len())
    }

    fn has_dictionary(&self) -> bool {
        self.dictionary.is_some()
    }

    fn held(&self) -> usize {
        let dictionary = self.dictionary.as_ref().map_or(0, |d| {
            let places = d.places.len() * usize::from(width_of(d.known.ends.len() as u64)) / 8;
            d.known.bytes.len() + places
        });
        dictionary + self.plain.len()
    }

    fn memory(&self) -> usize {
        let dictionary = self.dictionary.as_ref().map_or(0, |d| {
            let known = d.known.bytes.capacity() + d.known.ends.capacity() * 32;
            d.numbers.memory() + known + d.places.capacity() * 4
        });
        dictionary + self.plain.capacity()
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        let bounds = self.chunk.0.as_ref();
        let (least, least_exact) = bounds.map(|(least, _)| self.cut(least, true)).unzip();
        let (most, most_exact) = bounds.map(|(_, most)| self.cut(most, false)).unzip();
        let bytes = |bound: Option<Vec<u8>>| bound.map(ByteArray::from);
        let statistics = ValueStatistics::new(bytes(least), bytes(most), None, Some(nulls), false);
        Statistics::ByteArray(
            statistics
                .with_min_is_exact(least_exact.unwrap_or(false))
                .with_max_is_exact(most_exact.unwrap_or(false)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_cut_and_still_bound() {
        let column = Column::new(true);
        let long = "é".repeat(40);
        let (least, exact) = column.cut(long.as_bytes(), true);
        assert!(!exact && least.len() == 64 && least.as_slice() < long.as_bytes());
        let (most, exact) = column.cut(long.as_bytes(), false);
        assert!(!exact && most.as_slice() > long.as_bytes());
        assert!(std::str::from_utf8(&most).is_ok_and(|text| text.ends_with('ê')));
        assert_eq!(column.cut(b"short", false), (b"short".to_vec(), true));
        let last = "\u{10ffff}".repeat(20);
        assert_eq!(column.cut(last.as_bytes(), false), (last.clone().into_bytes(), true));
        let bytes = Column::new(false);
        let (most, _) = bytes.cut(&[[7; 60].as_slice(), &[255; 10]].concat(), false);
        assert_eq!(most, [[7; 59].as_slice(), &[8]].concat());
    }

    #[test]
    fn each_place_is_seen_once() {
        assert_eq!(each_once(&[70, 3, 3, 0, 70], 71).collect::<Vec<_>>(), [0, 3, 70]);
    }
}
