//! A table's partitions: those that were found against those that are registered, a hundred at a time.

use super::table::{DEPRECATED_BY, partition, repaired};
use super::{Applier, Presence};
use crate::crawler::{DeleteBehavior, UpdateBehavior};
use crate::plan::PlannedTable;
use crate::report::CrawlReport;
use catalog::{BatchOutcome, Partition, PartitionQuery};
use model::{EntityName, Error, Place, Result};
use std::collections::BTreeMap;

/// Partitions that change in one transaction.
const BATCH: usize = 100;
/// Partitions that appear in one transaction with their new table: a few seconds' work.
const FIRST: usize = 20_000;
/// Registered partitions that are compared at a time.
const PAGE: usize = 1000;

/// What is to be done.
#[derive(Default)]
struct Work {
    changed: Vec<(Vec<String>, Partition)>,
    deprecated: Vec<(Vec<String>, Partition)>,
    deleted: Vec<Vec<String>>,
}

impl Applier<'_> {
    /// Registers, repairs and removes the partitions of a table.
    pub(super) async fn partitions(
        &self,
        name: &EntityName,
        planned: &PlannedTable,
        report: &mut CrawlReport,
    ) -> Result<()> {
        if planned.keys.is_empty() {
            return Ok(());
        }
        let mut wanted: BTreeMap<&[String], Partition> = planned
            .partitions
            .iter()
            .map(|one| (one.values.as_slice(), partition(one, &self.policy)))
            .collect();
        let work = self.compare(name, &mut wanted, report).await?;
        let new: Vec<Partition> = wanted.into_values().collect();
        for batch in new.chunks(BATCH) {
            self.context.check()?;
            let outcome = self.catalog.create_partitions(self.database, name, batch.to_vec()).await?;
            self.added(name, outcome, report);
            crashpoint::hit("crawl.mid_partitions");
        }
        report.partitions.changed += self.rewrite(name, work.changed, report).await?;
        report.partitions.deprecated += self.rewrite(name, work.deprecated, report).await?;
        for batch in work.deleted.chunks(BATCH) {
            self.context.check()?;
            let outcome = self.catalog.delete_partitions(self.database, name, batch.to_vec()).await?;
            report.partitions.deleted += outcome.created as u64;
            refused(name, outcome.errors, report);
        }
        Ok(())
    }

    /// The partitions that a new table is created with, so that nobody sees it without them.
    pub(super) fn first_partitions(&self, planned: &PlannedTable) -> Vec<Partition> {
        if planned.keys.is_empty() {
            return Vec::new();
        }
        planned.partitions.iter().take(FIRST).map(|one| partition(one, &self.policy)).collect()
    }

    /// Takes note of partitions that were added, and of those that were refused.
    pub(super) fn added(&self, name: &EntityName, outcome: BatchOutcome, report: &mut CrawlReport) {
        report.partitions.added += outcome.created as u64;
        self.context.count("partitions_added", outcome.created as u64);
        refused(name, outcome.errors, report);
    }

    /// Takes what is registered rightly out of `wanted`, and finds what else is to be done.
    async fn compare(
        &self,
        name: &EntityName,
        wanted: &mut BTreeMap<&[String], Partition>,
        report: &mut CrawlReport,
    ) -> Result<Work> {
        let mut work = Work::default();
        let mut after = None;
        loop {
            self.context.check()?;
            let query = PartitionQuery { after, limit: Some(PAGE), ..PartitionQuery::default() };
            let page = self.catalog.list_partitions(self.database, name, query).await?;
            for existing in page.partitions {
                match wanted.remove(existing.values.as_slice()) {
                    Some(right) => {
                        let may = self.policy.update != UpdateBehavior::Log;
                        if let Some(repaired) = repaired(&existing, &right).filter(|_| may) {
                            work.changed.push((existing.values, repaired));
                        }
                    }
                    None => self.missing(existing, &mut work, report),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(work);
            }
        }
    }

    fn missing(&self, existing: Partition, work: &mut Work, report: &mut CrawlReport) {
        let location = existing.storage.location.as_deref().unwrap_or_default();
        if (self.presence)(location) != Presence::Gone {
            return;
        }
        match self.delete {
            DeleteBehavior::Log => report.partitions.gone += 1,
            DeleteBehavior::DeleteFromDatabase => work.deleted.push(existing.values),
            DeleteBehavior::DeprecateInDatabase if existing.parameters.contains_key(DEPRECATED_BY) => {}
            DeleteBehavior::DeprecateInDatabase => {
                let mut marked = existing;
                let time = self.context.clock().now_millis().to_string();
                marked.parameters.insert(DEPRECATED_BY.to_owned(), time);
                work.deprecated.push((marked.values.clone(), marked));
            }
        }
    }

    async fn rewrite(
        &self,
        name: &EntityName,
        changes: Vec<(Vec<String>, Partition)>,
        report: &mut CrawlReport,
    ) -> Result<u64> {
        let mut done = 0;
        for batch in changes.chunks(BATCH) {
            self.context.check()?;
            let outcome = self.catalog.update_partitions(self.database, name, batch.to_vec()).await?;
            done += outcome.created as u64;
            refused(name, outcome.errors, report);
        }
        Ok(done)
    }
}

fn refused(name: &EntityName, errors: Vec<(Vec<String>, Error)>, report: &mut CrawlReport) {
    for (values, error) in errors {
        let place = Place::object(format!("table {name}, partition {}", values.join("/")));
        report.problem(error.at_if_unknown(|| place).diagnosis());
    }
}
