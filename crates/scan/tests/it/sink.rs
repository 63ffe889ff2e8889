//! Results written into the lake: every row once, in its partition; whole or not at all; within the limits.

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Int64Type, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use formats::{WriteFormat, WriteSpec};
use futures::{StreamExt, TryStreamExt, stream};
use lake::{CommitOptions, Lake, LakeConfig};
use model::{BucketName, Error, ErrorKind, LakeUri};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use scan::sink::{SinkSpec, Written, write};
use sql::SqlType;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

struct Place {
    lake: Lake,
    _folder: TempDir,
}

async fn place() -> Place {
    // In memory where there is such a place: the lake syncs every file, and here are thousands.
    let base = Some(PathBuf::from("/dev/shm")).filter(|shm| shm.is_dir()).unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(base).unwrap();
    let lake = Lake::open(LakeConfig::local(folder.path())).await.unwrap();
    lake.create_bucket(&BucketName::new("lake-bucket").unwrap()).await.unwrap();
    Place { lake, _folder: folder }
}

fn uri(text: &str) -> LakeUri {
    text.parse().unwrap()
}

fn schema_of(columns: &[(String, SqlType)]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|(n, t)| Field::new(n, t.to_arrow(), true)).collect::<Vec<_>>()))
}

fn columns(list: &[(&str, SqlType)]) -> Vec<(String, SqlType)> {
    list.iter().map(|(n, t)| ((*n).to_owned(), t.clone())).collect()
}

fn spec(list: &[(&str, SqlType)]) -> SinkSpec {
    let format = WriteSpec::new(WriteFormat::Parquet);
    SinkSpec::new(uri("s3://lake-bucket/t"), format, columns(list), "run1".to_owned())
}

fn stream_of(
    spec: &SinkSpec,
    batches: Vec<Result<Vec<ArrayRef>, DataFusionError>>,
) -> SendableRecordBatchStream {
    let schema = schema_of(&spec.columns);
    let own = Arc::clone(&schema);
    let batches =
        batches.into_iter().map(move |b| b.map(|a| RecordBatch::try_new(Arc::clone(&own), a).unwrap()));
    Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches.collect::<Vec<_>>())))
}

fn texts(values: impl IntoIterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringViewArray>())
}

fn longs(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// Writes and publishes.
async fn written(place: &Place, spec: &SinkSpec, streams: Vec<SendableRecordBatchStream>) -> Written {
    let commit = place.lake.begin_commit(CommitOptions::default());
    let written = write(streams, spec, &commit, &|_, _| (), &CancellationToken::new()).await.unwrap();
    let published = commit.publish().await.unwrap();
    assert_eq!((published.objects, published.bytes), (written.files.len() as u64, written.bytes));
    written
}

async fn listed(place: &Place) -> Vec<String> {
    let mut objects = place.lake.list(&uri("s3://lake-bucket/"));
    let mut keys = Vec::new();
    while let Some(object) = objects.next().await {
        keys.push(object.unwrap().uri.key().to_owned());
    }
    keys
}

fn read(bytes: Bytes) -> Vec<RecordBatch> {
    ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap().map(|b| b.unwrap()).collect()
}

/// For each folder below the table, the values of the column `row`, sorted.
async fn rows_by_folder(place: &Place) -> BTreeMap<String, Vec<i64>> {
    let mut found: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for key in listed(place).await {
        let (folder, _) = key.rsplit_once('/').unwrap();
        let bytes = place.lake.read(&uri(&format!("s3://lake-bucket/{key}"))).await.unwrap();
        for batch in read(bytes) {
            let rows = batch.column_by_name("row").unwrap().as_primitive::<Int64Type>().values().to_vec();
            found.entry(folder.to_owned()).or_default().extend(rows);
        }
    }
    found.values_mut().for_each(|rows| rows.sort_unstable());
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_in_its_partition_once() {
    let place = place().await;
    let mut spec = spec(&[("metric", SqlType::VARCHAR), ("row", SqlType::BigInt), ("day", SqlType::Date)]);
    spec.partition_by = vec![0, 2];
    let mut expected: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut streams = Vec::new();
    for number in 0..3_i64 {
        let mut batches = Vec::new();
        for batch in 0..8_i64 {
            let rows: Vec<i64> = (0..5000).map(|row| number * 1_000_000 + batch * 5000 + row).collect();
            let metric = |row: i64| format!("a metric with a long name {}", row * 7919 % 40);
            let day = |row: i64| i32::try_from(row % 5).unwrap();
            for row in &rows {
                let folder = format!("t/metric={}/day=1970-01-{:02}", metric(*row), day(*row) + 1);
                expected.entry(folder).or_default().push(*row);
            }
            batches.push(Ok(vec![
                texts(rows.iter().map(|row| Some(metric(*row)))),
                longs(rows.iter().copied()),
                Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| day(*row)))) as ArrayRef,
            ]));
        }
        streams.push(stream_of(&spec, batches));
    }
    let written = written(&place, &spec, streams).await;
    assert_eq!(written.rows, 120_000);
    assert_eq!(written.partitions.len(), expected.len());
    assert_eq!(written.files.len(), expected.len(), "one file for each partition");
    for file in &written.files {
        let partition = &written.partitions[file.partition.unwrap()];
        assert!(file.uri.key().starts_with(partition.location.key()));
        assert_eq!((partition.rows, partition.bytes), (file.rows, file.bytes));
    }
    assert_eq!(rows_by_folder(&place).await, expected);
    let first = place.lake.read(&written.files[0].uri).await.unwrap();
    let names: Vec<String> = read(first)[0].schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["row"], "keys are left out of the files");
}

#[tokio::test]
async fn odd_values_have_folders_of_their_own() {
    let place = place().await;
    let mut spec = spec(&[("Key", SqlType::VARCHAR), ("row", SqlType::BigInt)]);
    spec.partition_by = vec![0];
    let keys = [
        (None, "__HIVE_DEFAULT_PARTITION__"),
        (Some(""), "__HIVE_DEFAULT_PARTITION__"),
        (Some("a/b"), "a%2Fb"),
        (Some("x=1"), "x%3D1"),
        (Some("100%"), "100%25"),
        (Some("100%25"), "100%2525"),
        (Some(" two words "), " two words "),
        (Some("Zürich 東京 🚆"), "Zürich 東京 🚆"),
        (Some("."), "."),
        (Some(".."), ".."),
        (Some("tab\tand\nline"), "tab%09and%0Aline"),
        (Some("A"), "A"),
        (Some("a"), "a"),
    ];
    let batch = vec![
        texts(keys.iter().map(|(key, _)| key.map(str::to_owned))),
        longs(0..i64::try_from(keys.len()).unwrap()),
    ];
    let stream = stream_of(&spec, vec![Ok(batch)]);
    let written = written(&place, &spec, vec![stream]).await;
    let mut expected: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (row, (_, folder)) in keys.iter().enumerate() {
        expected.entry(format!("t/key={folder}")).or_default().push(i64::try_from(row).unwrap());
    }
    assert_eq!(rows_by_folder(&place).await, expected);
    let values: BTreeSet<Option<String>> = written.partitions.iter().map(|p| p.values[0].clone()).collect();
    let given = keys.iter().map(|(key, _)| key.filter(|k| !k.is_empty()).map(str::to_owned));
    assert_eq!(values, given.collect());
    // The crawler reads the same values back from the folders.
    for partition in &written.partitions {
        let segment = crawl::classify::partition::Segment::parse(partition.location.name());
        assert_eq!((segment.key.as_deref(), segment.value), (Some("key"), partition.values[0].clone()));
    }
}

/// Writes rows of `keys` partitions that follow each other, in 16 batches; checks every row.
async fn written_in_turn(spec: &mut SinkSpec, keys: i64, rows: i64) -> Written {
    let place = place().await;
    spec.partition_by = vec![0];
    let key = |row: i64| row * 7 % keys;
    let batches = (0..16).map(|batch| {
        let rows = batch * (rows / 16)..(batch + 1) * (rows / 16);
        Ok(vec![longs(rows.clone().map(key)), longs(rows)])
    });
    let stream = stream_of(spec, batches.collect());
    let written = written(&place, spec, vec![stream]).await;
    let mut expected: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in 0..rows {
        expected.entry(format!("t/k={}", key(row))).or_default().push(row);
    }
    assert_eq!(written.partitions.len(), expected.len());
    assert!(rows_by_folder(&place).await == expected);
    written
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_partitions_need_few_open_files() {
    let mut spec = spec(&[("k", SqlType::BigInt), ("row", SqlType::BigInt)]);
    spec.max_open_writers = 20;
    let written = written_in_turn(&mut spec, 5000, 20_000).await;
    assert!(written.peak_open_writers <= 20, "{}", written.peak_open_writers);
    assert_eq!(written.files.len(), 5000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn little_memory_makes_more_files_but_loses_nothing() {
    let mut spec = spec(&[("k", SqlType::BigInt), ("row", SqlType::BigInt)]);
    spec.max_open_writers = 8;
    spec.memory_limit = 512 * 1024;
    let written = written_in_turn(&mut spec, 60, 160_000).await;
    assert!(written.peak_open_writers <= 8, "{}", written.peak_open_writers);
    assert!(written.files.len() > 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn little_memory_makes_more_row_groups_before_it_makes_more_files() {
    let mut spec = spec(&[("k", SqlType::BigInt), ("row", SqlType::BigInt)]);
    spec.memory_limit = 512 * 1024;
    assert_eq!(written_in_turn(&mut spec, 60, 160_000).await.files.len(), 60);
}

#[tokio::test]
async fn no_rows_write_no_files() {
    let place = place().await;
    let mut spec = spec(&[("k", SqlType::VARCHAR), ("row", SqlType::BigInt)]);
    for partition_by in [vec![], vec![0]] {
        spec.partition_by = partition_by;
        let empty = vec![texts([]), longs([])];
        let streams = vec![stream_of(&spec, vec![Ok(empty)]), stream_of(&spec, vec![])];
        let written = written(&place, &spec, streams).await;
        assert_eq!(written, Written::default());
    }
    assert!(listed(&place).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_keep_their_order_in_files_of_their_own() {
    let place = place().await;
    let mut spec = spec(&[("row", SqlType::BigInt)]);
    spec.max_file_bytes = Some(100_000);
    spec.write.row_group_rows = Some(20_000);
    let streams = [0, 1].map(|number| {
        let batches = (0..20).map(|batch| {
            let first = number * 1_000_000 + batch * 8192;
            // Mixed bits, so that the files do not shrink to nothing.
            Ok(vec![longs(first..first + 8192)])
        });
        stream_of(&spec, batches.collect())
    });
    let written = written(&place, &spec, streams.into()).await;
    assert_eq!(written.rows, 2 * 20 * 8192);
    assert!(written.partitions.is_empty());
    assert!(written.files.iter().all(|file| file.partition.is_none()));
    let mut all = Vec::new();
    for file in &written.files {
        let rows: Vec<i64> = read(place.lake.read(&file.uri).await.unwrap())
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
            .collect();
        assert!(rows.windows(2).all(|two| two[0] + 1 == two[1]), "the rows of {} are in order", file.uri);
        all.extend(rows);
    }
    all.sort_unstable();
    let expected: Vec<i64> = (0..20 * 8192).chain(1_000_000..1_000_000 + 20 * 8192).collect();
    assert_eq!(all, expected);
    assert!(written.files.len() >= 2);
}

#[tokio::test]
async fn streams_of_a_few_rows_share_a_file() {
    let place = place().await;
    let spec = spec(&[("row", SqlType::BigInt)]);
    // The second is long enough for a file of its own, the fourth is empty.
    let sizes = [5_i64, 100_000, 7, 0, 3];
    let streams = sizes.iter().zip(0_i64..).map(|(size, number)| {
        let from = number * 1_000_000;
        stream_of(&spec, vec![Ok(vec![longs(from..from + size)])])
    });
    let written = written(&place, &spec, streams.collect()).await;
    let mut rows: Vec<u64> = written.files.iter().map(|file| file.rows).collect();
    rows.sort_unstable();
    assert_eq!(rows, [5 + 7 + 3, 100_000]);
}

#[tokio::test]
async fn buckets_are_those_of_hive() {
    let place = place().await;
    let mut spec = spec(&[("k", SqlType::VARCHAR), ("row", SqlType::BigInt)]);
    spec.bucketed_by = Some((vec![0], 4));
    // By Java's "…".hashCode() & 0x7fffffff: a 97, b 98, c 99, d 100, hello 99162322, "" and NULL 0.
    let keys = [Some("a"), Some("b"), Some("c"), Some("d"), Some("hello"), Some(""), None];
    let bucket = [1, 2, 3, 0, 2, 0, 0];
    let batch = vec![
        texts(keys.iter().map(|key| key.map(str::to_owned))),
        longs(0..i64::try_from(keys.len()).unwrap()),
    ];
    let stream = stream_of(&spec, vec![Ok(batch)]);
    let written = written(&place, &spec, vec![stream]).await;
    let names: Vec<String> = written.files.iter().map(|file| file.uri.name().to_owned()).collect();
    assert_eq!(names, ["000000", "000001", "000002", "000003"].map(|b| format!("{b}_0_run1.parquet")));
    for (number, file) in written.files.iter().enumerate() {
        for batch in read(place.lake.read(&file.uri).await.unwrap()) {
            for row in batch.column_by_name("row").unwrap().as_primitive::<Int64Type>().values() {
                assert_eq!(bucket[usize::try_from(*row).unwrap()], number);
            }
        }
    }
    spec.columns[1].1 = SqlType::Timestamp(3);
    spec.bucketed_by = Some((vec![1], 4));
    let commit = place.lake.begin_commit(CommitOptions::default());
    let error = write(vec![], &spec, &commit, &|_, _| (), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("`row` of type timestamp(3)"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_in_the_middle_leaves_nothing() {
    let place = place().await;
    let mut spec = spec(&[("k", SqlType::BigInt), ("row", SqlType::BigInt)]);
    spec.partition_by = vec![0];
    spec.memory_limit = 64 * 1024;
    let mut batches: Vec<Result<Vec<ArrayRef>, DataFusionError>> = (0..30_i64)
        .map(|batch| {
            let rows = batch * 8192..(batch + 1) * 8192;
            Ok(vec![longs(rows.clone().map(|row| row % 10)), longs(rows)])
        })
        .collect();
    let cause = Error::corrupt("the page is broken").at(model::Place::object("s3://lake-bucket/source"));
    batches.push(Err(DataFusionError::External(Box::new(cause)).context("reading")));
    let stream = stream_of(&spec, batches);
    let commit = place.lake.begin_commit(CommitOptions::default());
    let staged = AtomicU64::new(0);
    let progress = |_, bytes| staged.store(bytes, Ordering::Relaxed);
    let error = write(vec![stream], &spec, &commit, &progress, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "the stream's own error is kept");
    assert_eq!(error.to_string(), "the page is broken (s3://lake-bucket/source)");
    commit.abort().await.unwrap();
    assert!(listed(&place).await.is_empty());
    let left: Vec<_> = staged_files(place._folder.path());
    assert!(left.is_empty(), "{left:?}");
}

fn staged_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            left.extend(staged_files(&path));
        } else if path.components().any(|c| c.as_os_str() == "staging") {
            left.push(path);
        }
    }
    left
}

#[tokio::test]
async fn a_cancelled_write_stops_although_its_stream_never_ends() {
    let place = place().await;
    let mut spec = spec(&[("k", SqlType::BigInt), ("row", SqlType::BigInt)]);
    spec.partition_by = vec![0];
    let schema = schema_of(&spec.columns);
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![longs(0..100), longs(0..100)]).unwrap();
    let endless = stream::iter([Ok(batch)]).chain(stream::pending());
    let stream: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(schema, endless));
    let commit = place.lake.begin_commit(CommitOptions::default());
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let writing = write(vec![stream], &spec, &commit, &|_, _| (), &cancel);
    let (result, ()) = tokio::join!(writing, async {
        tokio::task::yield_now().await;
        stop.cancel();
    });
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
    commit.abort().await.unwrap();
    assert!(listed(&place).await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_before_the_first_row() {
    let place = place().await;
    let array = SqlType::array(SqlType::BigInt);
    let mut by_array = spec(&[("a", array), ("row", SqlType::BigInt)]);
    by_array.partition_by = vec![0];
    let mut only_keys = spec(&[("k", SqlType::BigInt)]);
    only_keys.partition_by = vec![0];
    for (spec, text) in [(by_array, "`a` of type array(bigint)"), (only_keys, "no column is left")] {
        let commit = place.lake.begin_commit(CommitOptions::default());
        let error = write(vec![], &spec, &commit, &|_, _| (), &CancellationToken::new()).await.unwrap_err();
        assert!(error.message().contains(text), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_large_partition_is_written_in_parallel_and_whole() {
    let place = place().await;
    let mut spec = spec(&[("k", SqlType::VARCHAR), ("text", SqlType::VARCHAR), ("row", SqlType::BigInt)]);
    spec.partition_by = vec![0];
    let batches = (0..40_i64).map(|batch| {
        let rows = batch * 8192..(batch + 1) * 8192;
        let text =
            |row: i64| Some(format!("{:x} {row}", row.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed())));
        let key = |row: i64| Some(if row % 1000 == 0 { "rare" } else { "hot" }.to_owned());
        Ok(vec![texts(rows.clone().map(key)), texts(rows.clone().map(text)), longs(rows)])
    });
    let stream = stream_of(&spec, batches.collect());
    let written = written(&place, &spec, vec![stream]).await;
    assert_eq!(written.partitions.iter().map(|p| p.rows).collect::<Vec<_>>(), [327_680 - 328, 328]);
    let found = rows_by_folder(&place).await;
    assert_eq!(found["t/k=rare"], (0..328).map(|n| n * 1000).collect::<Vec<_>>());
    assert_eq!(found["t/k=hot"].len(), 327_680 - 328);
    assert_eq!(found["t/k=hot"].iter().collect::<BTreeSet<_>>().len(), 327_680 - 328);
    let columns: Vec<RecordBatch> = stream::iter(&written.files)
        .then(|f| place.lake.read(&f.uri))
        .map_ok(read)
        .try_concat()
        .await
        .unwrap();
    assert!(columns.iter().all(|batch| batch.num_columns() == 2 && batch.column(0).null_count() == 0));
}
