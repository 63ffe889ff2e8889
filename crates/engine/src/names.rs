//! The tables that a statement names, before anything is opened: what a door asks the caller's rights for.

use sql::Statement;

/// The tables of a statement's queries, each as database and table; a common table expression of the same name is among
/// them. Statements without a query name none here.
pub fn named_tables(statement: &Statement, database: &str) -> Vec<(String, String)> {
    let query = match statement {
        Statement::Query(query) => query,
        Statement::CreateTableAs(create) => &create.query,
        Statement::CreateView(view) => &view.query,
        Statement::Insert(insert) => &insert.source,
        Statement::Unload(unload) => &unload.query,
        Statement::Explain { statement, .. } | Statement::Prepare { statement, .. } => {
            return named_tables(statement, database);
        }
        _ => return Vec::new(),
    };
    plan::table_names(query, database).into_iter().map(|name| (name.database, name.table)).collect()
}
