//! A column chunk of a row group: pages of at most so many rows, the dictionary before them, and what its footer says.

use super::bits::{bit_levels, same_levels};
use super::page::{Codec, Content, Pages};
use super::values::{EARLY, Values};
use super::{numbers, texts};
use arrow::array::{Array, ArrayRef, BooleanBufferBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use model::{Error, Result};
use parquet::basic::{Compression, Encoding, EncodingMask, PageType, Type};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::schema::types::ColumnDescPtr;
use std::cell::Cell;

/// A page has at most so many rows, and about so many bytes. Each file that is open holds a page of every column: with
/// twice as many rows files are a fiftieth smaller, and a job with 200 partitions takes 30 MB more memory.
const PAGE_ROWS: usize = 10_240;
const PAGE_BYTES: usize = 1 << 20;
/// Rows are taken so many at a time, so that long texts do not make a page much larger.
const STEP: usize = 1024;

/// A column chunk that is being made.
pub(super) struct Chunk {
    descr: ColumnDescPtr,
    codec: Codec,
    compression: Compression,
    /// What arrays are brought to first.
    taken_as: DataType,
    values: Box<dyn Values>,
    /// Which rows of the page have a value; only kept once one has none.
    there: BooleanBufferBuilder,
    page_rows: usize,
    page_nulls: usize,
    rows: usize,
    nulls: usize,
    /// The data pages.
    pages: Pages,
    unpacked: usize,
    encodings: Vec<(Encoding, i32)>,
    dictionary: Option<Pages>,
    index: ColumnIndexBuilder,
    offsets: OffsetIndexBuilder,
}

/// What is kept for the next page is no larger.
const LARGEST_KEPT: usize = 4 << 20;

thread_local! {
    /// What a page is put together in: one for all chunks, which may be thousands.
    static RAW: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Has a page put together, and passes it on.
fn with_raw<T>(work: impl FnOnce(&mut Vec<u8>) -> Result<T>) -> Result<T> {
    let mut raw = RAW.take();
    raw.clear();
    let done = work(&mut raw);
    if raw.capacity() <= LARGEST_KEPT {
        RAW.set(raw);
    }
    done
}

/// The type as which a column of this type is taken here; none if it is left to the library.
pub(super) fn taken_as(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 => DataType::Int32,
        DataType::Date32 => DataType::Date32,
        DataType::Int64 => DataType::Int64,
        DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond, _)
        | DataType::Time64(_)
        | DataType::Float32
        | DataType::Float64 => data_type.clone(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => DataType::BinaryView,
        _ => return None,
    })
}

fn values(data_type: &DataType, physical: Type) -> Option<Box<dyn Values>> {
    Some(match (data_type, physical) {
        (DataType::Utf8View, Type::BYTE_ARRAY) => Box::new(texts::Column::new(true)),
        (DataType::BinaryView, Type::BYTE_ARRAY) => Box::new(texts::Column::new(false)),
        (_, Type::INT32) => Box::new(numbers::Column::<i32>::new()),
        (_, Type::INT64) => Box::new(numbers::Column::<i64>::new()),
        (_, Type::FLOAT) => Box::new(numbers::Column::<f32>::new()),
        (_, Type::DOUBLE) => Box::new(numbers::Column::<f64>::new()),
        _ => return None,
    })
}

impl Chunk {
    /// A chunk of a column; none if its kind is left to the library.
    pub(super) fn new(
        descr: ColumnDescPtr,
        data_type: &DataType,
        codec: Codec,
        compression: Compression,
    ) -> Option<Self> {
        let taken_as =
            taken_as(data_type).filter(|_| descr.max_rep_level() == 0 && descr.max_def_level() < 2)?;
        let values = values(&taken_as, descr.physical_type())?;
        let index = ColumnIndexBuilder::new(descr.physical_type());
        Some(Self {
            descr,
            codec,
            compression,
            taken_as,
            values,
            there: BooleanBufferBuilder::new(0),
            page_rows: 0,
            page_nulls: 0,
            rows: 0,
            nulls: 0,
            pages: Pages::default(),
            unpacked: 0,
            encodings: Vec::new(),
            dictionary: None,
            index,
            offsets: OffsetIndexBuilder::new(),
        })
    }

    /// Takes some rows of an array.
    pub(super) fn write(&mut self, array: &ArrayRef, from: usize, count: usize) -> Result<()> {
        let array = match array.data_type() == &self.taken_as {
            true => array.clone(),
            false => cast(array, &self.taken_as)
                .map_err(|e| Error::internal("a column cannot be written as Parquet").source_is(e))?,
        };
        let is_text = matches!(self.taken_as, DataType::Utf8View | DataType::BinaryView);
        let (mut at, end) = (from, from + count);
        while at < end {
            let is_first = self.rows == 0 && self.page_rows < EARLY;
            let most = if is_text || is_first { STEP } else { PAGE_ROWS };
            let step = most.min(end - at).min(PAGE_ROWS - self.page_rows);
            self.take(array.as_ref(), at, step);
            at += step;
            // In time: a dictionary of nothing but different values is a large table for nothing.
            if self.rows == 0 && self.page_rows - step < EARLY && self.page_rows - self.page_nulls >= EARLY {
                self.values.look_early();
            }
            let is_large = is_text && self.values.held() >= PAGE_BYTES && !self.values.has_dictionary();
            if self.page_rows >= PAGE_ROWS || is_large {
                self.end_page()?;
            }
            if self.values.is_dictionary_full() {
                self.end_page()?;
                self.end_dictionary()?;
            }
        }
        Ok(())
    }

    fn take(&mut self, array: &dyn Array, from: usize, count: usize) {
        if self.descr.max_def_level() > 0 {
            let nulls = array.nulls().map(|nulls| nulls.slice(from, count)).filter(|n| n.null_count() > 0);
            match nulls {
                Some(nulls) => {
                    if self.page_nulls == 0 {
                        self.there.append_n(self.page_rows, true);
                    }
                    self.there.append_buffer(nulls.inner());
                    self.page_nulls += nulls.null_count();
                }
                None if self.page_nulls > 0 => self.there.append_n(count, true),
                None => {}
            }
        }
        self.values.take_slice(array, from, count);
        self.page_rows += count;
    }

    fn end_page(&mut self) -> Result<()> {
        if self.page_rows == 0 {
            return Ok(());
        }
        with_raw(|raw| self.end_page_in(raw))
    }

    fn end_page_in(&mut self, raw: &mut Vec<u8>) -> Result<()> {
        let (rows, nulls) = (self.page_rows, self.page_nulls);
        if self.descr.max_def_level() > 0 {
            raw.extend_from_slice(&[0; 4]);
            match nulls {
                0 => same_levels(rows, 1, raw),
                all if all == rows => same_levels(rows, 0, raw),
                _ => bit_levels(self.there.as_slice(), raw),
            }
            let length = (raw.len() - 4) as u32;
            raw.iter_mut().zip(length.to_le_bytes()).for_each(|(to, from)| *to = from);
            self.there.truncate(0);
        }
        let encoding = self.values.end_page(raw);
        let before = self.pages.size();
        let content = Content::Data { values: rows, encoding };
        self.unpacked += self.pages.add(self.codec, raw, &content)?;
        let size = i32::try_from(self.pages.size() - before)
            .map_err(|_| Error::unsupported("a Parquet page would have more than 2 GB"))?;
        self.offsets.append_row_count(rows as i64);
        self.offsets.append_offset_and_size(before as i64, size);
        let bounds = self.values.end_page_bounds();
        let is_empty = nulls == rows;
        // A page of NaN has no bounds, and then the index says nothing.
        if bounds.is_none() && !is_empty {
            self.index.to_invalid();
        }
        let (least, most) = bounds.unwrap_or_default();
        self.index.append(is_empty, least, most, nulls as i64);
        match self.encodings.last_mut() {
            Some((last, count)) if *last == encoding => *count += 1,
            _ => self.encodings.push((encoding, 1)),
        }
        self.rows += rows;
        self.nulls += nulls;
        (self.page_rows, self.page_nulls) = (0, 0);
        Ok(())
    }

    fn end_dictionary(&mut self) -> Result<()> {
        if !self.values.has_dictionary() {
            return Ok(());
        }
        with_raw(|raw| {
            if let Some(count) = self.values.end_dictionary(raw) {
                let mut page = Pages::default();
                self.unpacked += page.add(self.codec, raw, &Content::Dictionary(count))?;
                self.dictionary = Some(page);
            }
            Ok(())
        })
    }

    /// About how many bytes it will have.
    pub(super) fn size(&self) -> usize {
        self.pages.size() + self.dictionary.as_ref().map_or(0, Pages::size) + self.values.held()
    }

    /// How many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        let dictionary = self.dictionary.as_ref().map_or(0, Pages::size);
        self.pages.size() + dictionary + self.values.memory()
    }

    /// Ends it: its pages, and what the footer says of them.
    pub(super) fn finish(mut self) -> Result<(Pages, ColumnCloseResult)> {
        self.end_page()?;
        self.end_dictionary()?;
        let failed = |cause: parquet::errors::ParquetError| {
            Error::internal("a Parquet column cannot be ended").source_is(cause)
        };
        let dictionary = self.dictionary.take().unwrap_or_default();
        let before = dictionary.size() as i64;
        let bytes = dictionary.before(self.pages);
        let mut pages: Vec<PageEncodingStats> = Vec::new();
        let mut used = vec![Encoding::RLE];
        if before > 0 {
            used.push(Encoding::PLAIN);
            let page_type = PageType::DICTIONARY_PAGE;
            pages.push(PageEncodingStats { page_type, encoding: Encoding::PLAIN, count: 1 });
        }
        for (encoding, count) in self.encodings {
            used.push(encoding);
            pages.push(PageEncodingStats { page_type: PageType::DATA_PAGE, encoding, count });
        }
        let metadata = ColumnChunkMetaData::builder(self.descr)
            .set_compression(self.compression)
            .set_encodings_mask(EncodingMask::new_from_encodings(used.iter()))
            .set_page_encoding_stats(pages)
            .set_total_compressed_size(bytes.size() as i64)
            .set_total_uncompressed_size(self.unpacked as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(before)
            .set_dictionary_page_offset((before > 0).then_some(0))
            .set_statistics(self.values.statistics(self.nulls as u64))
            .build()
            .map_err(failed)?;
        let mut offsets = self.offsets.build();
        offsets.page_locations.iter_mut().for_each(|page| page.offset += before);
        let column_index = match self.index.valid() {
            true => Some(self.index.build().map_err(failed)?),
            false => None,
        };
        let close = ColumnCloseResult {
            bytes_written: bytes.size() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index,
            offset_index: Some(offsets),
        };
        Ok((bytes, close))
    }
}
