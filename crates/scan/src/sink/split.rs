//! One stream's rows, cut into pieces that each belong to one target. Batches whose keys come in long runs are sliced;
//! others are gathered until there are enough of them that sorting by target pays.

use super::keys::{Assigner, Buckets, TargetKey};
use crate::compact::{compact, long_length};
use arrow::array::cast::AsArray;
use arrow::array::{Array, RecordBatch};

use arrow::compute::interleave_record_batch;
use arrow::datatypes::DataType;
use model::{Error, Result};
use sql::SqlType;

/// As many rows are gathered before they are sorted by target, at most.
const GATHER_ROWS: usize = 32 * 1024;
/// As many bytes are gathered, between these limits, as are an eighth of the memory.
const GATHER_BYTES: (usize, usize) = (64 * 1024, 16 * 1024 * 1024);
/// Runs of at least so many rows are sliced where they stand.
const LONG_RUN: usize = 512;

/// Rows that stand next to each other in memory and belong to one target.
#[derive(Debug)]
pub(crate) struct Cut {
    /// The stream's own number of the target, see [`Splitter::key`].
    pub(crate) id: u32,
    pub(crate) rows: RecordBatch,
}

/// Pieces that share their memory.
#[derive(Debug)]
pub(crate) struct Cuts {
    pub(crate) pieces: Vec<Cut>,
    pub(crate) bytes: usize,
}

/// Splits one stream.
#[derive(Debug)]
pub(crate) struct Splitter {
    assigner: Assigner,
    /// The columns that go into files.
    kept: Vec<usize>,
    gathered: Vec<RecordBatch>,
    ids: Vec<u32>,
    bytes: usize,
    most_bytes: usize,
    /// For each number, how many of its rows were gathered; all zero between two chunks.
    counts: Vec<u32>,
    /// Where each row of a chunk that is sorted by target comes from: batch and row. Only its memory is kept.
    order: Vec<(usize, usize)>,
}

impl Splitter {
    /// `keys` decide the partition, `buckets` the bucket, `kept` is written; `memory` is what the whole write may hold.
    pub(crate) fn new(
        keys: Vec<(usize, SqlType)>,
        buckets: Option<Buckets>,
        kept: Vec<usize>,
        memory: usize,
    ) -> Self {
        let most_bytes = (memory / 8).clamp(GATHER_BYTES.0, GATHER_BYTES.1);
        let assigner = Assigner::new(keys, buckets);
        Self {
            assigner,
            kept,
            gathered: Vec::new(),
            ids: Vec::new(),
            bytes: 0,
            most_bytes,
            counts: Vec::new(),
            order: Vec::new(),
        }
    }

    /// What a number stands for.
    pub(crate) fn key(&self, id: u32) -> TargetKey {
        self.assigner.key(id)
    }

    /// Takes a batch and returns what is ready.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<Vec<Cuts>> {
        if batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let assigned = self.assigner.assign(batch)?;
        let rows = batch.project(&self.kept).map_err(broken)?;
        if assigned.runs == 1 || assigned.runs * LONG_RUN <= rows.num_rows() {
            let mut ready = Vec::from_iter(self.flush()?);
            ready.push(sliced(&rows, &assigned.ids));
            return Ok(ready);
        }
        self.bytes += size(&rows);
        self.gathered.push(rows);
        self.ids.extend(assigned.ids);
        let full = self.ids.len() >= GATHER_ROWS || self.bytes >= self.most_bytes;
        Ok(if full { Vec::from_iter(self.flush()?) } else { Vec::new() })
    }

    /// What was gathered, sorted by target; rows of one target keep their order.
    pub(crate) fn flush(&mut self) -> Result<Option<Cuts>> {
        if self.ids.is_empty() {
            return Ok(None);
        }
        let batches = std::mem::take(&mut self.gathered);
        self.bytes = 0;
        let starts = self.sort(&batches);
        self.ids.clear();
        let sources: Vec<&RecordBatch> = batches.iter().collect();
        let sorted =
            interleave_record_batch(&sources, &self.order).and_then(|rows| compact(&rows)).map_err(broken)?;
        let ends = starts.iter().skip(1).map(|(_, start)| *start).chain([sorted.num_rows()]);
        let pieces = starts
            .iter()
            .zip(ends)
            .map(|((id, start), end)| Cut { id: *id, rows: sorted.slice(*start, end - start) })
            .collect();
        Ok(Some(Cuts { pieces, bytes: sorted.get_array_memory_size() }))
    }

    /// Orders what was gathered by target; answers where each target begins.
    fn sort(&mut self, batches: &[RecordBatch]) -> Vec<(u32, usize)> {
        let mut seen: Vec<u32> = Vec::new();
        for id in &self.ids {
            let at = *id as usize;
            if at >= self.counts.len() {
                self.counts.resize((at + 1).next_power_of_two(), 0);
            }
            if self.counts[at] == 0 {
                seen.push(*id);
            }
            self.counts[at] += 1;
        }
        let mut starts = Vec::with_capacity(seen.len());
        let mut next = 0_u32;
        for id in &seen {
            starts.push((*id, next as usize));
            // From here on the count is the place of the target's next row.
            next += std::mem::replace(&mut self.counts[*id as usize], next);
        }
        self.order.resize(self.ids.len(), (0, 0));
        let mut ids = self.ids.iter();
        for (index, batch) in batches.iter().enumerate() {
            for (row, id) in ids.by_ref().take(batch.num_rows()).enumerate() {
                let place = &mut self.counts[*id as usize];
                self.order[*place as usize] = (index, row);
                *place += 1;
            }
        }
        for id in seen {
            self.counts[id as usize] = 0;
        }
        starts
    }
}

/// Slices of a batch whose numbers come in runs.
fn sliced(rows: &RecordBatch, ids: &[u32]) -> Cuts {
    let mut pieces = Vec::new();
    let mut start = 0;
    for run in ids.chunk_by(|a, b| a == b) {
        if let Some(id) = run.first() {
            pieces.push(Cut { id: *id, rows: rows.slice(start, run.len()) });
        }
        start += run.len();
    }
    Cuts { pieces, bytes: size(rows) }
}

/// The memory that a batch's own rows need, without what it shares with its neighbours.
pub(crate) fn size(rows: &RecordBatch) -> usize {
    rows.columns().iter().map(|column| column_size(column.as_ref())).sum()
}

fn column_size(column: &dyn Array) -> usize {
    match column.data_type() {
        DataType::Utf8View => views_size(column.as_string_view().views()),
        DataType::BinaryView => views_size(column.as_binary_view().views()),
        _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()),
    }
}

fn views_size(views: &[u128]) -> usize {
    views.iter().map(|view| 16 + long_length(*view)).sum()
}

pub(crate) fn broken(error: arrow::error::ArrowError) -> Error {
    Error::internal("rows could not be sorted into partitions").source_is(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringViewArray};
    use arrow::datatypes::{Field, Schema};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// Rows of a text key, a number key and the row's number.
    fn batch(rows: &[(Option<String>, Option<i64>)], first: i64) -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("k", DataType::Utf8View, true),
            Field::new("n", DataType::Int64, true),
            Field::new("row", DataType::Int64, true),
        ]);
        let texts: StringViewArray = rows.iter().map(|(k, _)| k.as_deref()).collect();
        let numbers: Int64Array = rows.iter().map(|(_, n)| *n).collect();
        let places: Int64Array = (first..first + rows.len() as i64).map(Some).collect();
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(texts), Arc::new(numbers), Arc::new(places)])
            .unwrap()
    }

    type Key = (Option<String>, Option<String>);

    fn splitter() -> Splitter {
        Splitter::new(vec![(0, SqlType::VARCHAR), (1, SqlType::BigInt)], None, vec![2], usize::MAX)
    }

    fn gather(cuts: Cuts, splitter: &Splitter, found: &mut BTreeMap<Key, Vec<i64>>) {
        for cut in cuts.pieces {
            let key = splitter.key(cut.id);
            let rows = cut.rows.column(0).as_primitive::<arrow::datatypes::Int64Type>().values().to_vec();
            found.entry((key.values[0].clone(), key.values[1].clone())).or_default().extend(rows);
        }
    }

    fn keys() -> impl Strategy<Value = Vec<(Option<String>, Option<i64>)>> {
        let text = prop_oneof![
            Just(None),
            Just(Some(String::new())),
            "[a-c]{1,2}".prop_map(Some),
            "[xy]{11,14}".prop_map(Some),
            Just(Some("a text that is longer than a view".to_owned())),
        ];
        let number = prop_oneof![Just(None), (-2_i64..3).prop_map(Some), Just(Some(i64::MIN))];
        // Each key stands for a run, so that long runs occur.
        prop::collection::vec(((text, number), prop_oneof![1..4_usize, 600..700_usize]), 0..12)
            .prop_map(|runs| runs.into_iter().flat_map(|(key, n)| std::iter::repeat_n(key, n)).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_row_comes_out_once_under_its_key(batches in prop::collection::vec(keys(), 0..6)) {
            let mut splitter = splitter();
            let (mut found, mut expected) = (BTreeMap::new(), BTreeMap::<Key, Vec<i64>>::new());
            let mut next = 0;
            for rows in &batches {
                for (at, (k, n)) in rows.iter().enumerate() {
                    let key = (k.clone(), n.map(|n| n.to_string()));
                    expected.entry(key).or_default().push(next + at as i64);
                }
                for cuts in splitter.push(&batch(rows, next)).unwrap() {
                    gather(cuts, &splitter, &mut found);
                }
                next += rows.len() as i64;
            }
            if let Some(cuts) = splitter.flush().unwrap() {
                gather(cuts, &splitter, &mut found);
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn long_runs_are_sliced_without_a_copy() {
        let rows: Vec<_> = (0..4096).map(|row| (Some(format!("k{}", row / 1024)), Some(1))).collect();
        let input = batch(&rows, 0);
        let cuts = splitter().push(&input).unwrap();
        assert_eq!(cuts.len(), 1);
        assert_eq!(cuts[0].pieces.len(), 4);
        let at = |rows: &RecordBatch| {
            rows.column(rows.num_columns() - 1)
                .as_primitive::<arrow::datatypes::Int64Type>()
                .values()
                .as_ptr()
        };
        assert_eq!(at(&cuts[0].pieces[0].rows), at(&input));
    }

    #[test]
    fn a_full_chunk_is_sorted_at_once() {
        let mut splitter = splitter();
        let rows: Vec<_> = (0..8192).map(|row| (Some(format!("k{}", row % 200)), Some(row % 3))).collect();
        let mut chunks = Vec::new();
        for round in 0..GATHER_ROWS as i64 / 8192 {
            assert!(chunks.is_empty());
            chunks = splitter.push(&batch(&rows, round * 8192)).unwrap();
        }
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].pieces.len(), 600);
        assert!(splitter.flush().unwrap().is_none());
    }
}
