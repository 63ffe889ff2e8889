//! The tables that a statement names, before anything is opened: what a door asks the caller's rights for.

use catalog::TableEntry;
use model::Result;
use sql::ast::Show;
use sql::{QualifiedName, Statement};

/// The tables of a statement's queries, each as database and table; a common table expression of the same name is among
/// them. Statements that describe or show a table name that one; other statements without a query name none here.
pub(crate) fn named_tables(statement: &Statement, database: &str) -> Vec<(String, String)> {
    let query = match statement {
        Statement::Query(query) => query,
        Statement::CreateTableAs(create) => &create.query,
        Statement::CreateView(view) => &view.query,
        Statement::Delete(delete) => return names(&delete.selection, database),
        Statement::Update(update) => {
            let values = update.assignments.iter().flat_map(|set| names(&set.value, database));
            return names(&update.selection, database).into_iter().chain(values).collect();
        }
        Statement::Merge(merge) => {
            return names(&merge.source, database).into_iter().chain(names(&merge.on, database)).collect();
        }
        Statement::Insert(insert) => &insert.source,
        Statement::Unload(unload) => &unload.query,
        Statement::Explain { statement, .. } | Statement::Prepare { statement, .. } => {
            return named_tables(statement, database);
        }
        Statement::Describe(describe) => return vec![pair(&describe.name, database)],
        Statement::Show(
            Show::Columns { table }
            | Show::Partitions { table }
            | Show::Properties { table, .. }
            | Show::CreateTable { table }
            | Show::CreateView { view: table },
        ) => return vec![pair(table, database)],
        _ => return Vec::new(),
    };
    names(query, database)
}

/// The tables that a view reads, views among them.
pub(crate) fn tables_of_view(view: &TableEntry) -> Result<Vec<(String, String)>> {
    let name = plan::TableName { database: view.database.to_string(), table: view.table.name.to_string() };
    let (_, named) = crate::tables::view(&name, view)?;
    Ok(named.into_iter().map(|name| (name.database, name.table)).collect())
}

fn pair(name: &QualifiedName, database: &str) -> (String, String) {
    let database = name.database.as_ref().map_or(database, |named| named.value.as_str());
    (database.to_lowercase(), name.name.value.to_lowercase())
}

/// The tables of a part of a statement. Who asks for a table's partitions asks for the table.
fn names(part: &impl sqlparser::ast::Visit, database: &str) -> Vec<(String, String)> {
    let table =
        |name: String| name.strip_suffix(crate::partition_table::SUFFIX).map(str::to_owned).unwrap_or(name);
    plan::table_names(part, database).into_iter().map(|name| (name.database, table(name.table))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tables_that_are_read_are_named() {
        let named = |text: &str| {
            let mut names = named_tables(&sql::parse_one(text, "<query>").unwrap(), "d");
            names.sort();
            names.into_iter().map(|(database, table)| format!("{database}.{table}")).collect::<Vec<_>>()
        };
        assert_eq!(named("SELECT * FROM a JOIN e.b ON true"), ["d.a", "e.b"]);
        assert_eq!(named("EXPLAIN SELECT * FROM \"a$partitions\""), ["d.a"]);
        assert_eq!(named("DESCRIBE E.b"), ["e.b"]);
        assert_eq!(named("SHOW CREATE TABLE a"), ["d.a"]);
        assert_eq!(named("SHOW PARTITIONS a"), ["d.a"]);
        assert_eq!(named("DELETE FROM a WHERE id IN (SELECT id FROM secret)"), ["d.secret"]);
        assert_eq!(
            named("UPDATE a SET x = (SELECT max(x) FROM secret) WHERE id IN (SELECT id FROM b)"),
            ["d.b", "d.secret"]
        );
        let merge = "MERGE INTO a USING secret s ON a.id = s.id WHEN MATCHED THEN DELETE";
        assert_eq!(named(merge), ["d.secret"]);
    }
}
