//! The lake from outside: one behaviour on the local disk and on a real S3 server, races, kills, odd keys.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a failed step is a failed test")]

mod adaptor;
mod conformance;
mod killed;
mod listing;
mod local;
mod odd_keys;
mod races;
mod remote;
mod versions;

use lake::{Lake, LakeConfig};
use model::{BucketName, LakeUri};

fn bucket(name: &str) -> BucketName {
    BucketName::new(name).unwrap()
}

fn uri(bucket: &BucketName, key: &str) -> LakeUri {
    LakeUri::new(bucket.clone(), key).unwrap()
}

/// A fresh local lake with one bucket.
async fn local_lake() -> (tempfile::TempDir, Lake, BucketName) {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(LakeConfig::local(dir.path())).await.unwrap();
    let bucket = bucket("data");
    lake.create_bucket(&bucket).await.unwrap();
    (dir, lake, bucket)
}

/// All keys under a prefix, in the order listed.
async fn keys(lake: &Lake, prefix: &LakeUri) -> Vec<String> {
    use futures::TryStreamExt;
    let objects: Vec<_> = lake.list(prefix).try_collect().await.unwrap();
    objects.into_iter().map(|info| info.uri.key().to_owned()).collect()
}

/// Runs async work from a plain test.
fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}
