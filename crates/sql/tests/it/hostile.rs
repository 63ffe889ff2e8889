//! Input that wants to break something: deep, long, unfinished, random. It ends in a diagnosis or a statement, soon,
//! also on a small stack and also when the tree is dropped or walked.

use proptest::prelude::*;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Parses on a stack as small as a worker's, walks and drops the result there. The time is far above what it takes, so
/// that a busy machine fails nothing, and far below what trying things twice at each level would take.
fn judged(text: String) -> Result<usize, String> {
    let start = Instant::now();
    let work = move || match sql::parse(&text, "test") {
        Ok(all) => {
            let mut count = 0;
            for statement in &all {
                if let sql::Statement::Query(query) = statement {
                    let _ = sqlparser::ast::visit_expressions(query.as_ref(), |_| {
                        count += 1;
                        ControlFlow::<()>::Continue(())
                    });
                    drop(query.clone());
                }
            }
            Ok(count)
        }
        Err(error) => Err(error.diagnosis().to_string()),
    };
    let outcome = std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    outcome
}

fn refused(text: String) -> String {
    judged(text).expect_err("this should be refused")
}

#[test]
fn what_nests_too_deep_is_refused() {
    const N: usize = 10_000;
    for text in [
        format!("SELECT {}1{}", "(".repeat(N), ")".repeat(N)),
        format!("SELECT {}1", "(".repeat(N)),
        format!("SELECT {}1{}", "ARRAY[".repeat(N), "]".repeat(N)),
        format!("SELECT {}1{}", "f(".repeat(N), ")".repeat(N)),
        format!("SELECT {}1", "floor(".repeat(N)),
        format!("SELECT {}1", "NOT ".repeat(N)),
        format!("SELECT {}1", "- ".repeat(N)),
        format!("SELECT {}1 END", "CASE WHEN a THEN ".repeat(N)),
        format!("SELECT {}1{}", "CAST(".repeat(N), " AS bigint)".repeat(N)),
        format!("SELECT {}1{}", "(SELECT ".repeat(N), ")".repeat(N)),
        format!("SELECT * FROM {}t{}", "(".repeat(N), ")".repeat(N)),
        format!("SELECT * FROM {}t{}", "(SELECT * FROM ".repeat(N), ")".repeat(N)),
        format!("{}SELECT 1{}", "(".repeat(N), ")".repeat(N)),
        format!("SELECT {}1", "x -> ".repeat(N)),
        format!("SELECT a{}", "+ 1".repeat(N)),
        format!("SELECT a{}", " AT TIME ZONE 'UTC'".repeat(N)),
        format!("SELECT 1{}", " EXCEPT SELECT 1".repeat(N)),
        format!("SELECT * FROM a {}", "JOIN b ".repeat(N)),
        format!("{}SELECT 1", "EXPLAIN ".repeat(N)),
        format!("SELECT CAST(1 AS {}bigint{})", "array(".repeat(N), ")".repeat(N)),
        format!("CREATE EXTERNAL TABLE t (a {}int{})", "array<".repeat(N), ">".repeat(N)),
        format!("WITH {}SELECT 1", "a AS (WITH ".repeat(N)),
        format!("SELECT {}1{}", "x[".repeat(N), "]".repeat(N)),
    ] {
        let begin: String = text.chars().take(40).collect();
        assert!(refused(text).lines().count() <= 10, "{begin}");
    }
}

#[test]
fn long_chains_are_fine() {
    const N: usize = 5_000;
    for text in [
        format!("SELECT a{}", " OR a = 1 + 2".repeat(N)),
        format!("SELECT a{}", " AND NOT b".repeat(N)),
        format!("SELECT 'a'{}", " || 'b'".repeat(N)),
        format!("SELECT 1{}", " UNION ALL SELECT 1 + 1".repeat(N)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(N)),
        format!("SELECT a IN (0{})", ", 1".repeat(20_000)),
        format!("SELECT 1{}", ", a + 1 AS b".repeat(20_000)),
        format!("SELECT CASE {} END", "WHEN a = 1 THEN 2 ".repeat(N)),
        format!("SELECT a{}", ".b".repeat(N)),
        format!("SELECT x{}", "[1]".repeat(N)),
        format!("SELECT * FROM t{}", ", t".repeat(N)),
        format!("SELECT * FROM t{}", " CROSS JOIN t".repeat(N)),
        format!("VALUES (1){}", ", (1)".repeat(20_000)),
        format!("WITH a AS (SELECT 1){} SELECT 1", ", a AS (SELECT 1)".repeat(N)),
        format!("SELECT 1 + 1{}", " + 1".repeat(400)),
        "SELECT 1;".repeat(N),
    ] {
        let begin: String = text.chars().take(40).collect();
        assert!(judged(text).is_ok(), "{begin}");
    }
}

#[test]
fn a_megabyte_is_read_at_once() {
    let mut text = "SELECT 1".to_owned();
    while text.len() < 1 << 20 {
        text.push_str(", some_column_name + 12345 AS other");
    }
    assert_eq!(judged(text).unwrap(), 1 + 3 * 29_960);
    assert!(judged(format!("SELECT '{}'", "x".repeat(1 << 20))).is_ok());
    refused(format!("SELECT '{}", "x".repeat(1 << 20)));
    refused(format!("SELECT {}", "a ".repeat(1 << 19)));
    refused("(".repeat(1 << 20));
    refused("x".repeat(17 << 20));
}

#[test]
fn what_is_never_closed_is_refused() {
    for text in [
        "SELECT 'a",
        "SELECT \"a",
        "SELECT /* a",
        "SELECT `a",
        "SELECT U&'\\D800'",
        "SELECT U&'\\00'",
        "SELECT X'0'",
    ] {
        refused(text.to_owned());
    }
    refused("SELECT \0 1".to_owned());
    refused("SELECT 'a\0' \u{feff}".to_owned());
}

const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "(",
    ")",
    ",",
    "a",
    "t",
    "1",
    "'x'",
    "\"q\"",
    "`b`",
    ".",
    "*",
    "[",
    "]",
    "->",
    "=>",
    "=",
    "<",
    ">",
    "<>",
    "||",
    "+",
    "-",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "CAST",
    "AS",
    "bigint",
    "row",
    "WITH",
    "UNION",
    "ALL",
    "JOIN",
    "ON",
    "UNNEST",
    "ORDER",
    "BY",
    "GROUP",
    "INTERVAL",
    "DAY",
    "OVER",
    "ROWS",
    "BETWEEN",
    "AND",
    "NOT",
    "IN",
    "?",
    ";",
    "CREATE",
    "EXTERNAL",
    "TABLE",
    "PARTITION",
    "PARTITIONED",
    "ALTER",
    "ADD",
    "DROP",
    "SHOW",
    "DESCRIBE",
    "LOCATION",
    "TBLPROPERTIES",
    "STORED",
    "array<",
    "int",
    "json_object",
    "json_value",
    "listagg",
    "trim",
    "FETCH",
    "VALUES",
    "MERGE",
    "INTO",
    "USING",
    "MATCHED",
    "INSERT",
    "UPDATE",
    "SET",
    "é",
    "\\",
    "\n",
    "--",
    "/*",
    "*/",
    "'",
    "\"",
    ":",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn token_soup_never_panics(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let text = pieces.join(" ");
        if let Err(error) = sql::parse(&text, "soup") {
            let shown = error.diagnosis();
            prop_assert!(shown.lines().len() <= 10);
            prop_assert!(shown.place.is_some(), "{text}: {shown}");
        }
        let _ = sql::is_complete(&text);
        let mut end = 0;
        for (range, _) in sql::tokens_for_highlight(&text) {
            prop_assert!(end <= range.start && range.end <= text.len());
            end = range.end;
        }
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,60}") {
        let _ = sql::parse(&text, "noise").map_err(|e| e.diagnosis().to_string());
        let _ = sql::parse(&format!("ALTER TABLE {text}"), "noise").map_err(|e| e.diagnosis().to_string());
        let _ = sql::tokens_for_highlight(&text);
    }

    #[test]
    fn quoted_names_and_strings_come_back(name in "\\PC{1,20}") {
        let text = format!("SELECT {} AS {}", sql::quote_string(&name), sql::quote_ident(&name));
        let query = super::tree::query(&text);
        let sqlparser::ast::SetExpr::Select(select) = *query.body else { panic!() };
        let sqlparser::ast::SelectItem::ExprWithAlias { alias, expr } = &select.projection[0] else { panic!() };
        prop_assert_eq!(&alias.value, &name);
        let sqlparser::ast::Expr::Value(value) = expr else { panic!() };
        prop_assert_eq!(&value.value, &sqlparser::ast::Value::SingleQuotedString(name.clone()));
        let hive = format!("DROP TABLE {}", sql::hive_ident(&name));
        let sql::Statement::DropTable { name: dropped, .. } = sql::parse_one(&hive, "test").unwrap() else { panic!() };
        prop_assert_eq!(dropped.name.value, name);
    }
}
