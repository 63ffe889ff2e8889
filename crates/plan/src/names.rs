//! Names of tables: their parts, and which ones a query mentions.

use model::{Error, Result};
use sqlparser::ast::{ObjectName, ObjectNamePart, Visit, Visitor};
use std::fmt;
use std::ops::ControlFlow;

/// The catalog that is Athena's own.
const CATALOG: &str = "awsdatacatalog";

/// A table's name with its database, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// The database.
    pub database: String,
    /// The table in it.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

impl TableName {
    /// The name as written, completed by the current database.
    pub fn resolve(name: &ObjectName, current_database: &str) -> Result<TableName> {
        let parts: Vec<String> = name
            .0
            .iter()
            .filter_map(|part| match part {
                ObjectNamePart::Identifier(ident) => Some(ident.value.to_lowercase()),
                ObjectNamePart::Function(_) => None,
            })
            .collect();
        match parts.as_slice() {
            [table] => Ok(TableName { database: current_database.to_lowercase(), table: table.clone() }),
            [database, table] => Ok(TableName { database: database.clone(), table: table.clone() }),
            [catalog, database, table] if catalog == CATALOG || catalog == "hive" => {
                Ok(TableName { database: database.clone(), table: table.clone() })
            }
            [catalog, ..] if parts.len() == 3 => {
                Err(Error::not_found(format!("catalog `{catalog}` does not exist"))
                    .hint("the catalog is AwsDataCatalog; leave it out"))
            }
            _ => Err(Error::invalid(format!("`{name}` is not a table's name"))
                .hint("write table, database.table or AwsDataCatalog.database.table")),
        }
    }
}

/// All tables a query (or a part of one) mentions, CTEs by chance among them: what has to be opened before it can be
/// analyzed.
pub fn table_names(query: &impl Visit, current_database: &str) -> Vec<TableName> {
    struct Collector<'a> {
        current_database: &'a str,
        names: Vec<TableName>,
    }
    impl Visitor for Collector<'_> {
        type Break = ();
        fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
            if let Ok(name) = TableName::resolve(name, self.current_database)
                && !self.names.contains(&name)
            {
                self.names.push(name);
            }
            ControlFlow::Continue(())
        }
    }
    let mut collector = Collector { current_database, names: Vec::new() };
    let _ = query.visit(&mut collector);
    collector.names
}
