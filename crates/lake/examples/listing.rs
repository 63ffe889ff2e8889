//! Lists a bucket of a data directory, whole or by pages of a thousand keys, and says how many keys there are:
//! `listing DATA BUCKET whole|pages`. Measured by the project's benchmarks.

use futures::StreamExt;
use lake::{Lake, LakeConfig, ListOptions};
use model::{BucketName, Error, LakeUri, Result};

#[tokio::main]
#[allow(clippy::print_stdout, reason = "its answer")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, bucket, mode] = arguments.as_slice() else {
        return Err(Error::invalid("usage: listing DATA BUCKET whole|pages"));
    };
    let lake = Lake::open(LakeConfig::local(data)).await?;
    let prefix = LakeUri::new(BucketName::new(bucket.as_str())?, "")?;
    let mut keys = 0usize;
    let mut bytes = 0u64;
    if mode == "whole" {
        let mut objects = lake.list(&prefix);
        while let Some(object) = objects.next().await {
            keys += 1;
            bytes += object?.size;
        }
    } else {
        let mut after = None;
        loop {
            let options = ListOptions { start_after: after, max_keys: 1000, ..ListOptions::default() };
            let page = lake.list_page(&prefix, options).await?;
            keys += page.objects.len();
            bytes += page.objects.iter().map(|object| object.size).sum::<u64>();
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    println!("{keys} keys, {bytes} bytes");
    Ok(())
}
