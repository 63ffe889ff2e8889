//! The state of the files that a query reads: as long as it is the same, so is the query's answer.

use crate::files::ScanFile;
use crate::format::Layout;
use datafusion::datasource::listing::PartitionedFile;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;

/// What is known of the files of all scans of a query.
#[derive(Debug, Default)]
pub(crate) enum FilesState {
    /// Nobody wants to know.
    #[default]
    Unasked,
    /// These were planned so far, a digest of each scan. Scans are planned side by side: which is first is chance.
    Known(Vec<[u8; 32]>),
    /// One of the tables is more than its files.
    Unknown,
}

impl FilesState {
    /// The files of a scan, in the order in which they are read, and how they are read.
    pub(crate) fn saw(&mut self, files: &[(PartitionedFile, Arc<Layout>)]) {
        let Self::Known(scans) = self else { return };
        let mut digest = Sha256::new();
        let mut text = String::new();
        let mut known: Option<&Arc<Layout>> = None;
        for (file, layout) in files {
            text.clear();
            if !known.is_some_and(|known| Arc::ptr_eq(known, layout)) {
                let _ = write!(text, "{layout:?}");
                known = Some(layout);
            }
            let object = &file.object_meta;
            let (changed, values) = (object.last_modified.timestamp_nanos_opt(), &file.partition_values);
            let (size, tag) = (object.size, &object.e_tag);
            // Its own name has the bucket in it.
            match file.extension::<ScanFile>() {
                Some(file) => text.push_str(file.name()),
                None => text.push_str(object.location.as_ref()),
            }
            let _ = write!(text, " {size} {changed:?} {tag:?} {values:?};");
            digest.update(&text);
        }
        scans.push(digest.finalize().into());
    }

    pub(crate) fn digest(&self) -> Option<[u8; 32]> {
        match self {
            Self::Known(scans) => {
                let mut scans = scans.clone();
                scans.sort_unstable();
                let mut digest = Sha256::new();
                scans.iter().for_each(|scan| digest.update(scan));
                Some(digest.finalize().into())
            }
            Self::Unasked | Self::Unknown => None,
        }
    }
}
