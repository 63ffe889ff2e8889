//! Statements around queries: EXPLAIN, prepared statements, CTAS, INSERT, UNLOAD, DELETE, UPDATE, MERGE, views.

use sql::Statement;
use sql::ast::{ExplainFormat, ExplainType, MergeAction};
use sqlparser::ast::TableFactor;

fn one(text: &str) -> Statement {
    sql::parse_one(text, "test").unwrap_or_else(|e| panic!("{text}\n{}", e.diagnosis()))
}

#[test]
fn explain() {
    let Statement::Explain { analyze: false, verbose: false, format, kind, statement } =
        one("EXPLAIN SELECT 1")
    else {
        panic!()
    };
    assert_eq!((format, kind), (ExplainFormat::Text, ExplainType::Distributed));
    assert!(matches!(*statement, Statement::Query(_)));
    let Statement::Explain { format, kind, .. } = one("EXPLAIN (FORMAT JSON, TYPE LOGICAL) SELECT 1") else {
        panic!()
    };
    assert_eq!((format, kind), (ExplainFormat::Json, ExplainType::Logical));
    let Statement::Explain { kind, statement, .. } = one("explain (type validate) insert into t select 1")
    else {
        panic!()
    };
    assert_eq!(kind, ExplainType::Validate);
    assert!(matches!(*statement, Statement::Insert(_)));
    let Statement::Explain { analyze: true, verbose: true, .. } = one("EXPLAIN ANALYZE VERBOSE SELECT 1")
    else {
        panic!()
    };
    // A parenthesis may also begin the query.
    let Statement::Explain { statement, .. } = one("EXPLAIN (SELECT 1)") else { panic!() };
    assert!(matches!(*statement, Statement::Query(_)));
    assert!(one("EXPLAIN DELETE FROM t").only_reads());
    assert!(!one("EXPLAIN ANALYZE DELETE FROM t").only_reads());
}

#[test]
fn prepared_statements() {
    let Statement::Prepare { name, statement, text } =
        one("PREPARE p FROM SELECT a FROM t WHERE b = ? AND c < ?;")
    else {
        panic!()
    };
    assert_eq!(name.value, "p");
    assert_eq!(text, "SELECT a FROM t WHERE b = ? AND c < ?");
    let Statement::Query(query) = *statement else { panic!() };
    assert_eq!(query.to_string(), "SELECT a FROM t WHERE b = ?1 AND c < ?2");
    let Statement::Execute { name, arguments } = one("EXECUTE p USING 1, 'x', DATE '2024-01-01'") else {
        panic!()
    };
    assert_eq!((name.value.as_str(), arguments.len()), ("p", 3));
    assert!(matches!(one("EXECUTE p"), Statement::Execute { arguments, .. } if arguments.is_empty()));
    assert!(matches!(one("DEALLOCATE PREPARE p"), Statement::Deallocate { name } if name.value == "p"));
    assert!(matches!(one("DESCRIBE INPUT p"), Statement::DescribeInput { name } if name.value == "p"));
    assert!(matches!(one("DESCRIBE OUTPUT p"), Statement::DescribeOutput { name } if name.value == "p"));
}

#[test]
fn immediate_statements_carry_their_values() {
    let text = "EXECUTE IMMEDIATE\n 'SELECT ''a'', ? + 1 FROM t LIMIT ?' USING 2 * 3, 5";
    let Statement::Query(query) = one(text) else { panic!() };
    assert_eq!(query.to_string(), "SELECT 'a', (2 * 3) + 1 FROM t LIMIT 5");
    let sqlparser::ast::SetExpr::Select(select) = *query.body else { panic!() };
    let sqlparser::ast::SelectItem::UnnamedExpr(sqlparser::ast::Expr::Value(value)) = &select.projection[0]
    else {
        panic!()
    };
    assert_eq!((value.span.start.line, value.span.start.column), (2, 10));
    for (text, message) in [
        ("EXECUTE IMMEDIATE 'SELECT ?'", "the statement has 1 parameters, but 0 values are given"),
        ("EXECUTE IMMEDIATE 'SELECT 1; SELECT 2'", "only one statement can run at a time"),
        ("EXECUTE IMMEDIATE 'SELCT 1'", "no statement begins with `SELCT`"),
        ("EXECUTE IMMEDIATE 'EXECUTE p'", "EXECUTE IMMEDIATE of EXECUTE is not possible"),
        ("EXECUTE IMMEDIATE ''", "no statement begins with ``"),
    ] {
        assert_eq!(sql::parse_one(text, "test").unwrap_err().message(), message, "{text}");
    }
}

#[test]
fn create_table_as() {
    let text = "CREATE TABLE IF NOT EXISTS db.new WITH (format = 'parquet', write_compression = 'zstd', \
        external_location = 's3://b/x/', partitioned_by = ARRAY['y', 'm'], bucketed_by = ARRAY['id'], bucket_count = 8, \
        compression_level = 3, is_external = true, table_type = 'HIVE') AS SELECT * FROM t WITH NO DATA";
    let Statement::CreateTableAs(create) = one(text) else { panic!() };
    assert!(create.if_not_exists && !create.with_data);
    assert_eq!(create.name.to_string(), "db.new");
    let options = create.options;
    assert_eq!(options.format.unwrap().value, "PARQUET");
    assert_eq!(options.compression.unwrap().value, "ZSTD");
    assert_eq!(options.location.unwrap().value, "s3://b/x/");
    let keys: Vec<&str> = options.partitioned_by.iter().map(|k| k.value.as_str()).collect();
    assert_eq!(keys, ["y", "m"]);
    assert_eq!(options.bucketed_by[0].value, "id");
    assert_eq!((options.bucket_count.unwrap().value, options.compression_level.unwrap().value), (8, 3));
    assert!(options.is_external.unwrap().value);
    assert_eq!(options.table_type.unwrap().value, "HIVE");
    assert_eq!(create.query.to_string(), "SELECT * FROM t");

    let Statement::CreateTableAs(create) =
        one("CREATE TABLE t AS WITH a AS (SELECT 1 x) SELECT * FROM a WITH DATA")
    else {
        panic!()
    };
    assert!(create.with_data && create.options == Default::default());
    let Statement::CreateTableAs(create) = one("CREATE TABLE t (a, b) COMMENT 'c' AS SELECT 1, 2") else {
        panic!()
    };
    assert_eq!((create.columns.len(), create.comment.as_deref()), (2, Some("c")));
    let Statement::CreateTableAs(create) =
        one("create table \"T x\" with (parquet_compression='SNAPPY') as table s")
    else {
        panic!()
    };
    assert_eq!(create.name.name.value, "T x");
    assert_eq!(create.options.compression.unwrap().value, "SNAPPY");
}

#[test]
fn insert_and_unload() {
    let Statement::Insert(insert) = one("INSERT INTO db.t (a, \"B\") VALUES (1, 2), (3, 4)") else {
        panic!()
    };
    let columns: Vec<&str> = insert.columns.iter().map(|c| c.value.as_str()).collect();
    assert_eq!((insert.table.to_string().as_str(), columns), ("db.t", vec!["a", "B"]));
    assert_eq!(insert.source.to_string(), "VALUES (1, 2), (3, 4)");
    let Statement::Insert(insert) = one("INSERT INTO t (SELECT 1)") else { panic!() };
    assert!(insert.columns.is_empty());
    assert_eq!(insert.source.to_string(), "(SELECT 1)");

    let text = "UNLOAD (SELECT * FROM t) TO 's3://b/out/' WITH (format = 'TEXTFILE', compression = 'gzip', \
        field_delimiter = '|', partitioned_by = ARRAY['d'])";
    let Statement::Unload(unload) = one(text) else { panic!() };
    assert_eq!(unload.to.value, "s3://b/out/");
    assert_eq!(unload.options.field_delimiter.unwrap().value, "|");
    assert_eq!(unload.options.compression.unwrap().value, "GZIP");
    assert_eq!(unload.query.to_string(), "SELECT * FROM t");
}

#[test]
fn delete_update_merge() {
    let Statement::Delete(delete) = one("DELETE FROM t AS x WHERE x.a = 1") else { panic!() };
    assert_eq!(delete.alias.unwrap().value, "x");
    assert_eq!(delete.selection.unwrap().to_string(), "x.a = 1");
    let Statement::Update(update) = one("UPDATE t SET a = 1, b = b + 1 WHERE c") else { panic!() };
    assert!(update.alias.is_none());
    assert_eq!(update.assignments.len(), 2);
    assert_eq!(update.assignments[1].value.to_string(), "b + 1");
    let text = "MERGE INTO db.t AS a USING (SELECT * FROM s) AS b ON a.id = b.id \
        WHEN MATCHED AND b.gone THEN DELETE WHEN MATCHED THEN UPDATE SET v = b.v \
        WHEN NOT MATCHED THEN INSERT (id, v) VALUES (b.id, b.v)";
    let Statement::Merge(merge) = one(text) else { panic!() };
    assert!(matches!(merge.source, TableFactor::Derived { .. }));
    assert_eq!(merge.on.to_string(), "a.id = b.id");
    assert_eq!(merge.clauses.len(), 3);
    assert!(merge.clauses[0].matched && merge.clauses[0].condition.is_some());
    assert!(matches!(merge.clauses[0].action, MergeAction::Delete));
    assert!(matches!(&merge.clauses[1].action, MergeAction::Update(set) if set[0].column.value == "v"));
    assert!(matches!(&merge.clauses[2].action, MergeAction::Insert { columns, values }
        if !merge.clauses[2].matched && columns.len() == 2 && values.len() == 2));
}

#[test]
fn views_keep_their_text() {
    let Statement::CreateView(view) = one("CREATE OR REPLACE VIEW db.v (a) AS\nSELECT  1 -- one\n;") else {
        panic!()
    };
    assert!(view.or_replace);
    assert_eq!((view.text.as_str(), view.columns.len()), ("SELECT  1", 1));
    let Statement::CreateView(view) = one(r"CREATE VIEW v AS SELECT '\' AS backslash") else { panic!() };
    assert_eq!(view.query.to_string(), r"SELECT '\' AS backslash");
}
