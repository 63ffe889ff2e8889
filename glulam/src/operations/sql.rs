//! Queries: started as runs, checked without running, names for completion.

use super::{Operation, Started};
use crate::platform::Platform;
use catalog::TableQuery;
use engine::{Finding, Overlay, QueryRequest};
use model::Result;
use serde::{Deserialize, Serialize};

/// Starts one statement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartQuery {
    /// The statement.
    pub(crate) text: String,
    /// What the text is called in diagnoses.
    pub(crate) source_name: String,
    /// The database in which names are looked up.
    pub(crate) database: String,
    /// Values for `?`.
    pub(crate) parameters: Vec<String>,
}

impl Operation for StartQuery {
    const NAME: &'static str = "start-query";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        let request = QueryRequest {
            source_name: self.source_name,
            database: self.database,
            parameters: self.parameters,
            ..QueryRequest::new(self.text)
        };
        let handle = platform.engine.start(request).await?;
        Ok(Started { run: handle.id().clone() })
    }
}

/// A text to check.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CheckedText {
    /// Its name.
    pub(crate) name: String,
    /// The statements.
    pub(crate) text: String,
}

/// Checks texts, each by itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CheckSql {
    /// The texts.
    pub(crate) texts: Vec<CheckedText>,
    /// The database in which names are looked up.
    pub(crate) database: String,
}

impl Operation for CheckSql {
    const NAME: &'static str = "check-sql";
    type Answer = Vec<Finding>;

    async fn perform(self, platform: &Platform) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for CheckedText { name, text } in self.texts {
            if apps::is_script(&text) {
                findings.extend(super::streams::check(platform, &text, &name).await?);
                continue;
            }
            let request = QueryRequest {
                source_name: name,
                database: self.database.clone(),
                ..QueryRequest::new(text)
            };
            findings.extend(platform.engine.check(&request, &mut Overlay::default()).await);
        }
        Ok(findings)
    }
}

/// The names a prompt completes: databases, tables, columns, functions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CompletionNames {
    /// The database whose tables and columns are named.
    pub(crate) database: String,
}

/// How many tables are looked at.
const TABLES: usize = 500;

impl Operation for CompletionNames {
    const NAME: &'static str = "completion-names";
    type Answer = Vec<String>;

    async fn perform(self, platform: &Platform) -> Result<Vec<String>> {
        let mut names: Vec<String> = functions::names().into_iter().map(str::to_owned).collect();
        for entry in platform.catalog.list_databases().await? {
            let database = entry.database.name;
            names.push(database.to_string());
            let query = TableQuery { limit: Some(TABLES), ..TableQuery::default() };
            let current = database.as_str() == self.database;
            for table in platform.catalog.list_tables(&database, query).await?.tables {
                let name = &table.table.name;
                names.push(format!("{database}.{name}"));
                if current {
                    names.push(name.to_string());
                    let columns = table.table.storage.columns.iter().chain(&table.table.partition_keys);
                    names.extend(columns.map(|c| c.name.to_lowercase()));
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}
