//! Opens the tables and views a query names before it is analyzed: looking up is I/O, analyzing is not.

use crate::engine::Engine;
use crate::query::DEFAULT_DATABASE;
use crate::{information_schema, partition_table, system};
use base64::Engine as _;
use catalog::{TableEntry, TableQuery};
use datafusion::datasource::provider_as_source;
use model::{EntityName, Error, ErrorKind, Result, nearest_hint};
use plan::{Found, TableColumn, TableName, Tables, table_names};
use scan::{ColumnKind, OpenTable, ScanCounters};
use sql::{Source, Statement};
use sqlparser::ast::{Query, Visit, Visitor};
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

/// How many names of a database are looked at for suggestions.
const NAMES_FOR_HINTS: usize = 2000;

/// The tables of one statement.
#[derive(Default)]
pub(crate) struct OpenTables {
    found: HashMap<TableName, Found>,
    entries: HashMap<TableName, TableEntry>,
    errors: HashMap<TableName, Error>,
    /// By database: the names it has, or none if there is no such database.
    names: HashMap<String, Option<Vec<String>>>,
    databases: Vec<String>,
    /// What a step of a flow calls its inputs.
    inputs: Vec<String>,
}

impl Tables for OpenTables {
    fn find(&self, name: &TableName) -> Result<Found> {
        if let Some(found) = self.found.get(name) {
            return Ok(found.clone());
        }
        if let Some(error) = self.errors.get(name) {
            return Err(error.clone());
        }
        if !self.inputs.is_empty() && name.database == DEFAULT_DATABASE {
            let inputs = self.inputs.iter().map(String::as_str);
            return Err(Error::not_found(format!("there is no input `{}`", name.table))
                .hint(nearest_hint(&name.table, inputs))
                .hint("inputs are named by their aliases, tables of the catalog with their database: `db.table`"));
        }
        match self.names.get(&name.database) {
            Some(Some(names)) => Err(Error::not_found(format!("table `{name}` does not exist"))
                .hint(nearest_hint(&name.table, names.iter().map(String::as_str)))),
            None => Err(Error::not_found(format!("table `{name}` does not exist"))
                .why("a WITH query of that name stands further on: it can only be used behind itself")),
            Some(None) => Err(Error::not_found(format!("database `{}` does not exist", name.database))
                .hint(nearest_hint(&name.database, self.databases.iter().map(String::as_str)))),
        }
    }
}

impl OpenTables {
    /// What the catalog says of a table that was opened.
    pub(crate) fn entry(&self, name: &TableName) -> Option<&TableEntry> {
        self.entries.get(name)
    }

    /// The versions of all that was opened, in the order of their names; `None` if something is no table of the catalog
    /// or could not be opened.
    pub(crate) fn versions(&self) -> Option<Vec<String>> {
        if !self.errors.is_empty() || self.found.keys().any(|name| !self.entries.contains_key(name)) {
            return None;
        }
        let version = |(name, entry): (&TableName, &TableEntry)| {
            format!("{name} {} {} {}", entry.version, entry.created, entry.updated)
        };
        let mut versions: Vec<String> = self.entries.iter().map(version).collect();
        versions.sort_unstable();
        Some(versions)
    }

    /// The texts of all views that were opened.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.found.values().filter_map(|found| match found {
            Found::View { source, .. } => Some(source.text.as_str()),
            Found::Table { .. } => None,
        })
    }

    /// Whether something was opened under that name.
    pub(crate) fn has(&self, name: &TableName) -> bool {
        self.found.contains_key(name)
    }

    /// Adds what others have opened; what is there already stays.
    pub(crate) fn merge(&mut self, more: OpenTables) {
        for (name, found) in more.found {
            self.found.entry(name).or_insert(found);
        }
        self.entries.extend(more.entries);
        self.errors.extend(more.errors);
        self.names.extend(more.names);
        self.databases.extend(more.databases);
    }

    /// Adds an input of a step under the name that its query uses.
    pub(crate) fn put_input(&mut self, name: &str, found: Found) {
        self.inputs.push(name.to_owned());
        self.put(TableName { database: DEFAULT_DATABASE.to_owned(), table: name.to_lowercase() }, found);
    }

    /// Puts a table in the place of the catalog's, for files that are checked before their tables exist.
    pub(crate) fn put(&mut self, name: TableName, found: Found) {
        self.errors.remove(&name);
        self.found.insert(name, found);
    }
}

impl Engine {
    /// Opens all tables that the query names, and those that its views name.
    pub(crate) async fn open_tables(
        &self,
        query: &Query,
        database: &str,
        counters: &Arc<ScanCounters>,
    ) -> Result<OpenTables> {
        self.open_named(table_names(query, database), &cte_names(query), counters).await
    }

    pub(crate) async fn open_named(
        &self,
        names: Vec<TableName>,
        ctes: &HashSet<String>,
        counters: &Arc<ScanCounters>,
    ) -> Result<OpenTables> {
        let mut open = OpenTables::default();
        let mut queue: VecDeque<TableName> = names.into();
        let mut seen: HashSet<TableName> = HashSet::new();
        while let Some(name) = queue.pop_front() {
            if !seen.insert(name.clone()) {
                continue;
            }
            match self.open_one(&name, counters, &mut open).await {
                Ok(Some(more)) => queue.extend(more),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    if !ctes.contains(&name.table) {
                        self.learn_names(&name, &mut open).await?;
                    }
                }
                Err(error) => {
                    open.errors.insert(name, error);
                }
            }
        }
        Ok(open)
    }

    /// Opens one table. For a view, the names its query needs.
    async fn open_one(
        &self,
        name: &TableName,
        counters: &Arc<ScanCounters>,
        open: &mut OpenTables,
    ) -> Result<Option<Vec<TableName>>> {
        if name.database == information_schema::NAME {
            let found = information_schema::open(&self.inner.catalog, &name.table).await?;
            open.found.insert(name.clone(), found);
            return Ok(None);
        }
        if name.database == system::SYSTEM_DATABASE
            && let Some(found) = self.open_system_table(&name.table).await?
        {
            open.found.insert(name.clone(), found);
            return Ok(None);
        }
        if let Some(table) = name.table.strip_suffix(partition_table::SUFFIX) {
            let found =
                partition_table::open(&self.inner.catalog, &name.database, table, self.inner.clock.now())
                    .await?;
            open.found.insert(name.clone(), found);
            return Ok(None);
        }
        let (database, table) = (EntityName::new(&name.database)?, EntityName::new(&name.table)?);
        let entry = self.inner.catalog.get_table(&database, &table).await?;
        if entry.table.is_view() {
            let (found, more) = view(name, &entry)?;
            open.found.insert(name.clone(), found);
            open.entries.insert(name.clone(), entry);
            return Ok(Some(more));
        }
        match self.inner.scans.open(&entry, counters.clone()).await {
            Ok(opened) => {
                open.found.insert(name.clone(), found(opened));
            }
            // The table is there; that its files are not must not be told as if it were not.
            Err(error) => {
                open.errors.insert(name.clone(), error);
            }
        }
        open.entries.insert(name.clone(), entry);
        Ok(None)
    }

    async fn learn_names(&self, name: &TableName, open: &mut OpenTables) -> Result<()> {
        if open.databases.is_empty() {
            let all = self.inner.catalog.list_databases().await?;
            open.databases = all.into_iter().map(|d| d.database.name.to_string()).collect();
            open.databases.push(information_schema::NAME.into());
        }
        if open.names.contains_key(&name.database) {
            return Ok(());
        }
        let names = if name.database == information_schema::NAME {
            Some(information_schema::TABLES.iter().map(|t| (*t).to_owned()).collect())
        } else if name.database == system::SYSTEM_DATABASE && !open.databases.contains(&name.database) {
            Some(self.system_tables().into_iter().map(|(name, _)| name).collect())
        } else if open.databases.contains(&name.database) {
            let query = TableQuery { limit: Some(NAMES_FOR_HINTS), ..TableQuery::default() };
            let page = self.inner.catalog.list_tables(&EntityName::new(&name.database)?, query).await?;
            Some(page.tables.into_iter().map(|t| t.table.name.to_string()).collect())
        } else if name.database == DEFAULT_DATABASE {
            Some(Vec::new())
        } else {
            None
        };
        open.names.insert(name.database.clone(), names);
        Ok(())
    }
}

/// An opened table as the analyzer sees it.
pub(crate) fn found(opened: OpenTable) -> Found {
    let columns = opened
        .columns
        .iter()
        .map(|c| TableColumn {
            name: c.name.clone(),
            sql_type: c.sql_type.clone(),
            hidden: c.kind == ColumnKind::Hidden,
        })
        .collect();
    Found::Table { columns, source: provider_as_source(opened.provider) }
}

/// A view's query out of what the catalog keeps, as Athena writes it.
pub(crate) fn view(name: &TableName, entry: &TableEntry) -> Result<(Found, Vec<TableName>)> {
    let broken = |why: &str| {
        Error::corrupt(format!("view `{name}` cannot be read"))
            .why(why.to_owned())
            .hint("create the view again")
    };
    let original = entry.table.view_original_text.as_deref().unwrap_or_default();
    let (text, database) = match original.trim().strip_prefix("/* Presto View:") {
        Some(rest) => {
            let encoded = rest.trim().trim_end_matches("*/").trim();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(encoded)
                .map_err(|e| broken("its text is not base64").source_is(e))?;
            let json: serde_json::Value =
                serde_json::from_slice(&bytes).map_err(|e| broken("its text is not JSON").source_is(e))?;
            let text = json["originalSql"].as_str().ok_or_else(|| broken("it has no query"))?.to_owned();
            (text, json["schema"].as_str().unwrap_or(&name.database).to_owned())
        }
        None if original.trim().is_empty() => return Err(broken("it has no text")),
        None => (original.to_owned(), name.database.clone()),
    };
    let source_name = format!("view {name}");
    let statement = sql::parse_one(&text, &source_name)?;
    let Statement::Query(query) = statement else { return Err(broken("its text is not a query")) };
    let more = table_names(&query, &database);
    let columns: Vec<String> = entry.table.storage.columns.iter().map(|c| c.name.to_lowercase()).collect();
    let found = Found::View {
        query: Arc::from(query),
        source: Arc::new(Source::new(source_name, text)),
        columns,
        database,
    };
    Ok((found, more))
}

/// The names of all CTEs: these are not missing if the catalog does not know them.
pub(crate) fn cte_names(query: &impl Visit) -> HashSet<String> {
    struct Collector(HashSet<String>);
    impl Visitor for Collector {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            for cte in query.with.iter().flat_map(|w| &w.cte_tables) {
                self.0.insert(cte.alias.name.value.to_lowercase());
            }
            ControlFlow::Continue(())
        }
    }
    let mut collector = Collector(HashSet::new());
    let _ = query.visit(&mut collector);
    collector.0
}
