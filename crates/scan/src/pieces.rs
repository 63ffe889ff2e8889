//! A scan in pieces: files that stay together, so that what was worked out from a piece can be kept by its key. Files that
//! come later make pieces of their own, or change the last one.

use crate::files::ScanFile;
use crate::observed::Observed;
use datafusion::common::Statistics;
use datafusion::datasource::listing::{FileRange, PartitionedFile};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A piece of more bytes or files than this ends.
const LARGE: u64 = 64 << 20;
const MANY: usize = 64;
/// About so many files make a piece: whether one ends it says its own digest, so that a file that goes or comes does not
/// change where all others behind it end.
const SOME: u8 = 8;

/// A scan of files that is the same as long as they are.
#[derive(Debug)]
pub struct Pieces {
    config: FileScanConfig,
    about: String,
    pieces: Vec<Piece>,
}

/// Some of the files.
#[derive(Debug, Clone)]
pub struct Piece {
    key: [u8; 32],
    files: Vec<PartitionedFile>,
    bytes: u64,
}

impl Piece {
    /// The same as long as the files are.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// How much is to be read, about.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Pieces {
    /// Of a scan that was planned where somebody wanted to know the state of the files. `None` if the plan is none, or if
    /// what it gives depends on more than on files and filters.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let config = plan.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()?;
        let source = config.file_source().downcast_ref::<Observed>()?;
        let reading = source.reading()?;
        if config.limit.is_some() || config.preserve_order || !config.output_ordering.is_empty() {
            return None;
        }
        let about = format!("{reading} {:?} {:?}", source.filter(), source.projection());
        let is_parquet = source.file_type() == "parquet";
        let files = config.file_groups.iter().flat_map(FileGroup::iter).cloned();
        let files =
            if is_parquet { whole(files)?.into_iter().flat_map(cut).collect() } else { files.collect() };
        Some(Self { config: config.clone(), about, pieces: pieces(files)? })
    }

    /// What it gives of the files, in full.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The pieces.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The scan of some of the pieces alone, one partition.
    pub fn scan<'a>(&self, pieces: impl IntoIterator<Item = &'a Piece>) -> Arc<dyn ExecutionPlan> {
        let files = pieces.into_iter().flat_map(|piece| piece.files.iter().cloned()).collect();
        let schema = self.config.file_source().table_schema().table_schema();
        let config = FileScanConfigBuilder::from(self.config.clone())
            .with_statistics(Statistics::new_unknown(schema))
            .with_output_partitioning(None)
            .with_file_groups(vec![FileGroup::new(files)])
            .build();
        DataSourceExec::from_data_source(config)
    }
}

/// Files that were dealt out in ranges, whole again; `None` if something of one is missing.
fn whole(files: impl Iterator<Item = PartitionedFile>) -> Option<Vec<PartitionedFile>> {
    let mut all = Vec::new();
    let mut parts: BTreeMap<(String, String), Vec<PartitionedFile>> = BTreeMap::new();
    for mut file in files {
        let size = file.object_meta.size;
        let is_all =
            |range: &FileRange| range.start == 0 && u64::try_from(range.end).is_ok_and(|end| end == size);
        if file.range.as_ref().is_none_or(is_all) {
            file.range = None;
            all.push(file);
            continue;
        }
        // A file may be there twice: as that of two partitions.
        let key = (ScanFile::of(&file).ok()?.name().to_owned(), format!("{:?}", file.partition_values));
        parts.entry(key).or_default().push(file);
    }
    let one = |mut parts: Vec<PartitionedFile>| {
        parts.sort_by_key(|part| part.range.as_ref().map_or(0, |range| range.start));
        let mut end = 0;
        for part in &parts {
            let size = i64::try_from(part.object_meta.size).ok()?;
            let range = part.range.clone().unwrap_or(FileRange { start: 0, end: size });
            if range.start != end {
                return None;
            }
            end = range.end;
        }
        let mut file = parts.swap_remove(0);
        file.range = None;
        (u64::try_from(end).ok()? == file.object_meta.size).then_some(file)
    };
    for file in parts.into_values().map(one) {
        all.push(file?);
    }
    Some(all)
}

/// A large file in ranges that do not depend on other files.
fn cut(file: PartitionedFile) -> Vec<PartitionedFile> {
    let size = file.object_meta.size;
    let count = size.div_ceil(LARGE);
    if count <= 1 {
        return vec![file];
    }
    let bound = |at: u64| i64::try_from(size * at / count).unwrap_or(i64::MAX);
    (0..count).map(|at| file.clone().with_range(bound(at), bound(at + 1))).collect()
}

fn pieces(files: Vec<PartitionedFile>) -> Option<Vec<Piece>> {
    let mut known = Vec::with_capacity(files.len());
    for file in files {
        let (meta, scanned) = (&file.object_meta, ScanFile::of(&file).ok()?);
        let start = file.range.as_ref().map_or(0, |range| range.start);
        let order = (meta.last_modified, scanned.name().to_owned(), start);
        let text = format!(
            "{order:?} {:?} {} {} {:?}",
            file.range,
            meta.size,
            scanned.etag(),
            file.partition_values
        );
        let digest: [u8; 32] = Sha256::digest(text).into();
        known.push((order, digest, file));
    }
    known.sort_by(|a, b| a.0.cmp(&b.0));
    let mut all = Vec::new();
    let mut open: Option<(Sha256, Piece)> = None;
    for (_, digest, file) in known {
        let (hash, piece) =
            open.get_or_insert_with(|| (Sha256::new(), Piece { key: [0; 32], files: Vec::new(), bytes: 0 }));
        hash.update(digest);
        piece.bytes += file.effective_size();
        piece.files.push(file);
        if digest[0] % SOME == 0 || piece.bytes >= LARGE || piece.files.len() >= MANY {
            all.extend(open.take());
        }
    }
    all.extend(open);
    Some(all.into_iter().map(|(hash, piece)| Piece { key: hash.finalize().into(), ..piece }).collect())
}
