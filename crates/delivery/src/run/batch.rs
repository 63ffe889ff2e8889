//! Writing a batch: from the log, between two places, into a commit of the lake.

use super::driver::Driver;
use super::partitions::Registrar;
use super::work::{Counted, Naming, Output, Work};
use crate::convert::Converter;
use crate::names::Seed;
use crate::settings::{Compiled, Target};
use crate::source::{Gathered, SpanReader};
use crate::store::{NewPartitions, Stored};
use catalog::TableEntry;
use lake::{Commit, ObjectWriter, PutOptions};
use model::{Error, LakeUri, Result};
use std::sync::Arc;

/// What a batch has put into its commit.
pub(crate) struct Written {
    pub(crate) objects: Vec<LakeUri>,
    pub(crate) counted: Counted,
    /// Why the first record failed.
    pub(crate) first_failure: Option<String>,
    pub(crate) partitions: Option<NewPartitions>,
}

impl Driver {
    /// Writes the records of a batch into a commit, which is not published yet. Where their rows were `refused`, they are
    /// written as failed records with that reason.
    pub(crate) async fn write(
        &self,
        (stored, compiled): (&Stored, &Arc<Compiled>),
        gathered: &Gathered,
        commit: &Commit,
        refused: Option<String>,
    ) -> Result<Written> {
        let (converter, registrar) = match &compiled.target {
            Some(target) => {
                let entry = self.table(target).await?;
                let registrar = Registrar::new(&entry, &compiled.bucket).filter(|_| refused.is_none());
                (Some(Converter::new(target, &entry)?), registrar)
            }
            None => (None, None),
        };
        let facts = [stored.name.clone(), stored.id.clone()].into_iter().chain(
            gathered.spans.iter().flat_map(|span| {
                [span.shard.to_string(), format!("{:?}", span.from), span.through.clone().unwrap_or_default()]
            }),
        );
        let facts: Vec<String> = facts.collect();
        let naming = Naming {
            stream: stored.name.clone(),
            version: stored.version,
            seed: Seed::new(facts.iter().map(String::as_str)),
            oldest: gathered.oldest(),
            now: self.rooms.clock.now(),
        };
        let mut work = Work::new(Arc::clone(compiled), converter, registrar, naming);
        work.refused = refused;
        let mut writers = Vec::new();
        for span in &gathered.spans {
            let mut reader = SpanReader::open(&*self.rooms.log, self.stream(), span).await?;
            while let Some(records) = reader.next().await? {
                let done = tokio::task::spawn_blocking(move || {
                    let outputs = work.take(&records);
                    (work, outputs)
                });
                let outputs;
                (work, outputs) = done.await.map_err(broke_off)?;
                put(&work.uris(), outputs?, commit, &mut writers).await?;
            }
        }
        let (uris, counted, first_failure) = (work.uris(), work.counted, work.first_failure.take());
        let partitions = work.registrar().and_then(Registrar::found);
        let ends = tokio::task::spawn_blocking(move || work.finish()).await.map_err(broke_off)??;
        let mut objects = Vec::with_capacity(uris.len());
        for ((uri, end), mut writer) in uris.into_iter().zip(ends).zip(writers) {
            match end {
                Some(bytes) => {
                    if !bytes.is_empty() {
                        writer.write(bytes).await?;
                    }
                    writer.finish().await?;
                    objects.push(uri);
                }
                None => writer.abort().await?,
            }
        }
        if counted.records < gathered.records {
            let gone = gathered.records - counted.records;
            tracing::warn!(stream = stored.name, gone, "records were deleted before they could be delivered");
        }
        Ok(Written { objects, counted, first_failure, partitions })
    }

    async fn table(&self, target: &Target) -> Result<TableEntry> {
        let catalog = &self.rooms.catalog;
        let found = match target.version {
            Some(version) => catalog.get_table_version(&target.database, &target.table, version).await,
            None => catalog.get_table(&target.database, &target.table).await,
        };
        found.map_err(|error| error.context("the table that records are converted to"))
    }
}

fn broke_off(error: tokio::task::JoinError) -> Error {
    Error::internal("writing a batch broke off").source_is(error)
}

/// Writes bytes to their objects; those that are new are begun.
async fn put(
    uris: &[LakeUri],
    outputs: Vec<Output>,
    commit: &Commit,
    writers: &mut Vec<ObjectWriter>,
) -> Result<()> {
    for uri in uris.iter().skip(writers.len()) {
        writers.push(commit.writer(uri, PutOptions::made_here()).await?);
    }
    for (at, bytes) in outputs {
        if let Some(writer) = writers.get_mut(at)
            && !bytes.is_empty()
        {
            writer.write(bytes).await?;
        }
    }
    Ok(())
}
