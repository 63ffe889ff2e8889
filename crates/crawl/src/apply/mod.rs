//! From the plan to the catalog: creates, alters, marks and removes tables and partitions, within the crawler's policy.
//!
//! Every step is a transaction of the catalog and can be repeated: a crawl that was killed anywhere is completed by the
//! next one. What other people wrote (comments, parameters, names, partitions elsewhere) stays.

mod columns;
mod partitions;
mod table;

pub(crate) use table::{DEPRECATED_BY, Policy, UPDATED_BY};

use crate::crawler::DeleteBehavior;
use crate::naming::unique;
use crate::plan::PlannedTable;
use crate::report::{CrawlReport, TableSummary};
use catalog::{Catalog, Table, TableQuery};
use model::{EntityName, ErrorKind, Result};
use state::runs::RunContext;
use std::collections::{BTreeMap, BTreeSet};
use table::{alter, new_table, same_place};

/// What the crawl knows about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// There are data objects.
    There,
    /// It was looked for, and nothing is there.
    Gone,
    /// The crawl did not look there.
    Unknown,
}

/// Applies plans to one database.
pub(crate) struct Applier<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) database: &'a EntityName,
    pub(crate) prefix: &'a str,
    pub(crate) policy: Policy,
    pub(crate) delete: DeleteBehavior,
    pub(crate) context: &'a RunContext,
    /// Whether objects are left at an address.
    pub(crate) presence: &'a (dyn Fn(&str) -> Presence + Send + Sync),
}

impl Applier<'_> {
    /// Applies all tables, then deals with those whose objects are gone.
    pub(crate) async fn apply(&self, planned: &[PlannedTable], report: &mut CrawlReport) -> Result<()> {
        let existing = existing_tables(self.catalog, self.database).await?;
        let mut taken: BTreeSet<String> = existing.iter().map(|table| table.name.to_string()).collect();
        let mut kept = BTreeSet::new();
        for one in planned {
            self.context.check()?;
            crashpoint::hit("crawl.before_table");
            let wanted = format!("{}{}", self.prefix, one.name).to_lowercase();
            let known = self.find(&existing, one, &wanted, &kept);
            let name = match known {
                Some(table) => table.name.clone(),
                None => EntityName::new(unique(&wanted, &one.location, &taken))?,
            };
            taken.insert(name.to_string());
            kept.insert(name.to_string());
            let is_right = match known {
                Some(_) => self.update(&name, one, report).await?,
                None => self.create(&name, one, report).await?,
            };
            crashpoint::hit("crawl.after_table");
            if is_right {
                self.partitions(&name, one, report).await?;
            }
        }
        self.vanished(&existing, &kept, report).await
    }

    /// The table that stands for this location: made by a crawler under whatever name, or by people under this name.
    fn find<'t>(
        &self,
        existing: &'t [Table],
        planned: &PlannedTable,
        wanted: &str,
        kept: &BTreeSet<String>,
    ) -> Option<&'t Table> {
        let here = |table: &&Table| {
            same_place(table.storage.location.as_deref(), Some(&planned.location))
                && !kept.contains(table.name.as_str())
                && !table.is_view()
        };
        let rank = |table: &&Table| match table.parameters.get(UPDATED_BY) {
            Some(by) if *by == self.policy.crawler => Some(0),
            Some(_) => Some(1),
            None if table.name.as_str() == wanted => Some(2),
            None => None,
        };
        existing.iter().filter(here).filter(|table| rank(table).is_some()).min_by_key(|table| rank(table))
    }

    async fn create(
        &self,
        name: &EntityName,
        planned: &PlannedTable,
        report: &mut CrawlReport,
    ) -> Result<bool> {
        let table = new_table(name.clone(), planned, &self.policy);
        match self.catalog.create_table_with(self.database, table, self.first_partitions(planned)).await {
            Ok((_, outcome)) => self.added(name, outcome, report),
            // Somebody made it in between.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                report.problem(error.diagnosis());
                return Ok(false);
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                report.problem(error.at_if_unknown(|| model::Place::object(&planned.location)).diagnosis());
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        let summary = TableSummary {
            name: name.to_string(),
            location: planned.location.clone(),
            classification: planned.found.classification.clone(),
            columns: planned.found.schema.columns.len(),
            partition_keys: planned
                .keys
                .iter()
                .map(|key| format!("{} {}", key.name, key.hive_type))
                .collect(),
            partitions: planned.partitions.len() as u64,
        };
        self.context.info(format!("created table {summary}")).await;
        self.context.count("tables_created", 1);
        report.created.push(summary);
        Ok(true)
    }

    async fn update(
        &self,
        name: &EntityName,
        planned: &PlannedTable,
        report: &mut CrawlReport,
    ) -> Result<bool> {
        let mut altered = table::Altered::default();
        let change = |table: &mut Table| {
            altered = alter(table, planned, &self.policy)?;
            Ok(())
        };
        if let Err(error) = self.catalog.alter_table(self.database, name, change).await {
            if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Conflict) {
                report.problem(error.diagnosis());
                return Ok(false);
            }
            return Err(error);
        }
        match altered.applied {
            Some(change) => {
                self.context.info(format!("changed table {change}")).await;
                self.context.count("tables_changed", 1);
                report.changed.push(change);
            }
            None => report.unchanged.push(name.to_string()),
        }
        if let Some(change) = altered.left {
            self.context.info(format!("left as it is by policy: {change}")).await;
            report.not_applied.push(change);
        }
        Ok(true)
    }

    /// Tables of this crawler that were not found again.
    async fn vanished(
        &self,
        existing: &[Table],
        kept: &BTreeSet<String>,
        report: &mut CrawlReport,
    ) -> Result<()> {
        for table in existing.iter().filter(|table| !kept.contains(table.name.as_str())) {
            let is_ours = table.parameters.get(UPDATED_BY) == Some(&self.policy.crawler);
            let Some(location) = table.storage.location.as_deref().filter(|_| is_ours) else { continue };
            let name = table.name.to_string();
            match (self.presence)(location) {
                Presence::Unknown => {}
                Presence::There if self.policy.partial => {}
                Presence::There => report.note(format!(
                    "table `{name}` is left as it is: objects are there, but they no longer make it a table of its own"
                )),
                Presence::Gone => self.gone(table, name, report).await?,
            }
        }
        Ok(())
    }

    async fn gone(&self, table: &Table, name: String, report: &mut CrawlReport) -> Result<()> {
        self.context.check()?;
        match self.delete {
            DeleteBehavior::Log => report.gone.push(name),
            DeleteBehavior::DeleteFromDatabase => {
                self.catalog.drop_table(self.database, &table.name).await?;
                self.context.info(format!("deleted table {name}: its objects are gone")).await;
                report.deleted.push(name);
            }
            DeleteBehavior::DeprecateInDatabase if table.parameters.contains_key(DEPRECATED_BY) => {
                report.unchanged.push(name);
            }
            DeleteBehavior::DeprecateInDatabase => {
                let time = self.context.clock().now_millis().to_string();
                let mark = |table: &mut Table| {
                    table.parameters.insert(DEPRECATED_BY.to_owned(), time.clone());
                    Ok(())
                };
                self.catalog.alter_table(self.database, &table.name, mark).await?;
                self.context.info(format!("deprecated table {name}: its objects are gone")).await;
                report.deprecated.push(name);
            }
        }
        Ok(())
    }
}

/// All tables of a database; none when there is no such database.
pub(crate) async fn existing_tables(catalog: &Catalog, database: &EntityName) -> Result<Vec<Table>> {
    match catalog.list_tables(database, TableQuery::default()).await {
        Ok(page) => Ok(page.tables.into_iter().map(|entry| entry.table).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Locations of partitioned tables with their keys' names.
pub(crate) fn known_tables(tables: &[Table]) -> BTreeMap<String, Vec<String>> {
    tables
        .iter()
        .filter(|table| !table.partition_keys.is_empty() && table.parameters.contains_key(UPDATED_BY))
        .filter_map(|table| {
            let location = table.storage.location.as_deref()?;
            let keys = table.partition_keys.iter().map(|key| key.name.to_lowercase()).collect();
            Some((format!("{}/", location.trim_end_matches('/')), keys))
        })
        .collect()
}
