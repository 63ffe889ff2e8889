//! Texts out of buffers of which they use only a part: rows that were sorted or joined hold on to all buffers of all rows
//! they come from, which are counted, written and kept as a whole.

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, RecordBatchOptions, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use arrow::error::ArrowError;
use std::sync::Arc;

/// Buffers up to this size are left as they are.
const SMALL: usize = 64 * 1024;

/// Copies texts out of buffers of which they use only a part.
pub fn compact(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = rows.columns().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(rows.schema(), columns, &options)
}

/// Whether columns of these fields may hold on to more than they use.
pub fn may_be_wasteful(fields: &Fields) -> bool {
    fields.iter().any(|field| has_views(field.data_type()))
}

fn has_views(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View | DataType::BinaryView => true,
        DataType::List(item) | DataType::Map(item, _) => has_views(item.data_type()),
        DataType::Struct(fields) => may_be_wasteful(fields),
        _ => false,
    }
}

fn column(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match array.data_type() {
        DataType::Utf8View => {
            let texts = array.as_string_view();
            let held = texts.data_buffers().iter().map(|b| b.len()).sum();
            if is_wasteful(held, texts.views()) { Arc::new(texts.gc()) } else { Arc::clone(array) }
        }
        DataType::BinaryView => {
            let bytes = array.as_binary_view();
            let held = bytes.data_buffers().iter().map(|b| b.len()).sum();
            if is_wasteful(held, bytes.views()) { Arc::new(bytes.gc()) } else { Arc::clone(array) }
        }
        DataType::List(item) if has_views(item.data_type()) => {
            let list = array.as_list::<i32>();
            let (offsets, values) = used(list.offsets(), list.values());
            let item: Arc<Field> = Arc::clone(item);
            Arc::new(ListArray::try_new(item, offsets, column(&values)?, list.nulls().cloned())?)
        }
        DataType::Map(entries, sorted) if has_views(entries.data_type()) => {
            let map = array.as_map();
            let whole: ArrayRef = Arc::new(map.entries().clone());
            let (offsets, used) = used(map.offsets(), &whole);
            let used = column(&used)?.as_struct().clone();
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, used, map.nulls().cloned(), *sorted)?)
        }
        DataType::Struct(fields) if may_be_wasteful(fields) => {
            let whole = array.as_struct();
            let columns = whole.columns().iter().map(column).collect::<Result<Vec<_>, _>>()?;
            let nulls = whole.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, whole.len())?)
        }
        _ => Arc::clone(array),
    })
}

/// The values that are between the first and the last offset, and the offsets among them.
fn used(offsets: &OffsetBuffer<i32>, values: &ArrayRef) -> (OffsetBuffer<i32>, ArrayRef) {
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let moved: Vec<i32> = offsets.iter().map(|offset| offset - first).collect();
    let length = usize::try_from(last - first).unwrap_or(0);
    (OffsetBuffer::new(moved.into()), values.slice(usize::try_from(first).unwrap_or(0), length))
}

fn is_wasteful(held: usize, views: &[u128]) -> bool {
    held > SMALL && held / 2 > views.iter().map(|view| long_length(*view)).sum::<usize>()
}

/// How many bytes a view has in the buffers; short texts stand in the view itself.
pub(crate) fn long_length(view: u128) -> usize {
    let length = usize::try_from(view & u128::from(u32::MAX)).unwrap_or(0);
    if length <= 12 { 0 } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, StringViewArray};
    use arrow::compute::take_record_batch;

    fn held(array: &ArrayRef) -> usize {
        array.get_buffer_memory_size()
    }

    #[test]
    fn rows_hold_on_to_what_they_use() {
        let texts: Vec<String> =
            (0..10_000).map(|n| format!("a text that is long enough, number {n}")).collect();
        let texts: ArrayRef =
            Arc::new(texts.iter().map(|text| Some(text.as_str())).collect::<StringViewArray>());
        let list = |field: &Field| {
            let offsets = OffsetBuffer::from_lengths(vec![2; 5_000]);
            let item = Arc::new(field.clone());
            Arc::new(ListArray::new(item, offsets, Arc::clone(&texts), None)) as ArrayRef
        };
        let plain = Field::new("item", DataType::Utf8View, true);
        let row: ArrayRef =
            Arc::new(StructArray::from(vec![(Arc::new(plain.clone()), texts.slice(0, 5_000))]));
        let lists = list(&plain);
        let map: ArrayRef = {
            let keys = Field::new("keys", DataType::Utf8View, false);
            let fields = Fields::from(vec![keys, Field::new("values", DataType::Utf8View, true)]);
            let entries =
                StructArray::new(fields.clone(), vec![Arc::clone(&texts), Arc::clone(&texts)], None);
            let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
            Arc::new(MapArray::new(field, OffsetBuffer::from_lengths(vec![2; 5_000]), entries, None, false))
        };
        let all = [texts.slice(0, 5_000), row, lists, map];
        let names = ["text", "row", "list", "map"];
        let rows = RecordBatch::try_from_iter(names.into_iter().zip(all)).unwrap();
        assert!(may_be_wasteful(rows.schema().fields()));
        let few = take_record_batch(&rows, &Int32Array::from(vec![4_000, 17, 2_500])).unwrap();
        let (few, part) = (compact(&few).unwrap(), compact(&rows.slice(100, 3)).unwrap());
        for (name, column) in
            names.into_iter().zip(few.columns()).chain(names.into_iter().zip(part.columns()))
        {
            assert!(held(column) < 4_000, "{name}: {}", held(column));
        }
        assert_eq!(few, take_record_batch(&rows, &Int32Array::from(vec![4_000, 17, 2_500])).unwrap());
        assert_eq!(part, rows.slice(100, 3));
        // Nothing is copied where all is used.
        let whole = compact(&rows.project(&[2]).unwrap()).unwrap();
        let data = |batch: &RecordBatch| {
            batch.column(0).as_list::<i32>().values().as_string_view().data_buffers()[0].as_ptr()
        };
        assert_eq!(data(&whole), data(&rows.project(&[2]).unwrap()));
    }
}
