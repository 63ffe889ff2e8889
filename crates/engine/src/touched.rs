//! What a statement touches, before it runs: what a door asks the caller's rights for. Protocols' words for rights are the
//! doors' own.

use crate::engine::Engine;
use crate::names::{named_tables, tables_of_view};
use model::{EntityName, ErrorKind, LakeUri, Result};
use sql::Statement;
use sql::ast::Show;
use std::collections::BTreeSet;

/// Something that a statement reads or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// The description of a table or view.
    Table {
        /// Its database.
        database: String,
        /// Its name.
        table: String,
    },
    /// All objects below a folder are read.
    Folder(LakeUri),
    /// Any object may be read.
    AnyObject,
    /// The names of a database's tables; of all databases' without one.
    Tables(Option<String>),
    /// The names of the databases.
    Databases,
    /// Something is made, changed or removed: which tables and objects is not worked out.
    Change,
}

/// So many places of partitions outside of their table's folder are told one by one.
const MOST_PLACES: usize = 1000;

impl Engine {
    /// What the statement touches: tables, those behind views, the folders that they and their partitions lie in. A
    /// prepared statement of that workgroup is looked into. What is not there is left out: the engine says so when the
    /// statement runs.
    pub async fn touched(
        &self,
        statement: &Statement,
        database: &str,
        workgroup: &str,
    ) -> Result<Vec<Touched>> {
        let kept = match statement {
            Statement::Execute { name, .. } => match self.get_prepared(workgroup, &name.value).await {
                Ok(kept) => Some(sql::parse_one(&kept.query, "<prepared>")?),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
            _ => None,
        };
        let statement = kept.as_ref().unwrap_or(statement);
        let mut touched = Vec::new();
        let mut open = named_tables(statement, database);
        let mut seen = BTreeSet::new();
        while let Some((database, table)) = open.pop() {
            if !seen.insert((database.clone(), table.clone())) {
                continue;
            }
            touched.push(Touched::Table { database: database.clone(), table: table.clone() });
            let (Ok(database), Ok(table)) = (EntityName::new(&database), EntityName::new(&table)) else {
                continue;
            };
            self.touched_of(&database, &table, &mut touched, &mut open).await?;
        }
        match statement {
            Statement::Show(Show::Databases { .. }) => touched.push(Touched::Databases),
            Statement::Show(Show::Tables { database: of, .. } | Show::Views { database: of, .. }) => {
                let of = of.as_ref().map_or(database, |name| name.name.value.as_str());
                touched.push(Touched::Tables(Some(of.to_lowercase())));
            }
            other if !other.only_reads() => touched.push(Touched::Change),
            _ => {}
        }
        Ok(touched)
    }

    async fn touched_of(
        &self,
        database: &EntityName,
        table: &EntityName,
        touched: &mut Vec<Touched>,
        open: &mut Vec<(String, String)>,
    ) -> Result<()> {
        let catalog = &self.inner.catalog;
        let entry = match catalog.get_table(database, table).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entry => entry?,
        };
        if entry.table.is_view() {
            // A view that cannot be read cannot be queried either.
            open.extend(tables_of_view(&entry).unwrap_or_default());
            return Ok(());
        }
        let folder = |at: &str| at.parse::<LakeUri>().ok().map(|uri| uri.as_folder());
        let own = entry.table.storage.location.as_deref().and_then(folder);
        touched.extend(own.clone().map(Touched::Folder));
        if entry.table.partition_keys.is_empty() {
            return Ok(());
        }
        let below = own.map_or_else(String::new, |own| own.to_string());
        let elsewhere = catalog.locations_outside(database, table, &below, MOST_PLACES + 1).await?;
        match elsewhere.len() > MOST_PLACES {
            true => touched.push(Touched::AnyObject),
            false => touched.extend(elsewhere.iter().filter_map(|at| folder(at)).map(Touched::Folder)),
        }
        Ok(())
    }
}
