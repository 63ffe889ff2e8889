//! What objects are, told from real bytes: fixtures made by the field's own writers, and texts as people write them.

mod bad_input;
mod binary;
mod custom;
mod frugal;
mod inference;
mod merging;
mod random;
mod text;

use crawl::classify::{BytesSource, Classification, Classifiers, Limits, Source};
use model::Result;
use std::future::Future;

/// Runs one of the classifier's futures to its end.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn classify_source(source: &dyn Source, limits: &Limits) -> Result<Classification> {
    run(Classifiers::built_in().classify(source, limits))
}

fn classify(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Classification> {
    let source = BytesSource::new(format!("s3://lake/{name}"), bytes.into());
    classify_source(&source, &Limits::default())
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn classify_fixture(name: &str) -> Result<Classification> {
    classify(name, fixture(name))
}

/// The schema as `name type` lines.
fn columns(found: &Classification) -> Vec<String> {
    found.schema.columns.iter().map(|column| format!("{} {}", column.name, column.hive_type)).collect()
}
