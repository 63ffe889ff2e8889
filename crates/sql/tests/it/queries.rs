//! Queries: what is accepted, shown again by the tree, and the parts that the text does not show.

use super::tree::query;
use sqlparser::ast::{
    Expr, GroupByExpr, JoinConstraint, JoinOperator, SetExpr, SetOperator, SetQuantifier, TableFactor,
};

/// Texts that the tree shows again unchanged.
const UNCHANGED: &[&str] = &[
    "SELECT 1",
    "SELECT DISTINCT a, b AS c FROM t",
    "SELECT * FROM t",
    "SELECT t.*, s.x FROM t, s",
    "SELECT a FROM db.t AS x WHERE a > 1 GROUP BY a HAVING count(*) > 2 ORDER BY a DESC NULLS LAST LIMIT 5",
    "SELECT a FROM \"AwsDataCatalog\".\"db\".\"t\"",
    "SELECT a FROM t OFFSET 10 ROWS FETCH FIRST 5 ROWS ONLY",
    "SELECT a FROM t FETCH FIRST 5 ROWS WITH TIES",
    "WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x FROM a) SELECT * FROM a CROSS JOIN b",
    "WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT sum(n) FROM t",
    "SELECT * FROM a LEFT JOIN b ON a.x = b.x",
    "SELECT * FROM a RIGHT JOIN b USING(x, y)",
    "SELECT * FROM a FULL JOIN b ON true",
    "SELECT * FROM a NATURAL INNER JOIN b",
    "SELECT * FROM (a INNER JOIN b ON a.x = b.x)",
    "SELECT * FROM (SELECT 1 AS x) AS s",
    "SELECT * FROM a CROSS JOIN LATERAL (SELECT a.x) AS s",
    "SELECT * FROM UNNEST(ARRAY[1, 2]) WITH ORDINALITY AS t (x, n)",
    "SELECT x FROM t CROSS JOIN UNNEST(a, m) AS u (e, k, v)",
    "SELECT * FROM t AS x TABLESAMPLE BERNOULLI (10)",
    "SELECT * FROM t TABLESAMPLE SYSTEM (75)",
    "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t (id, name)",
    "VALUES (1), (2)",
    "SELECT a FROM t GROUP BY ROLLUP (a, b)",
    "SELECT a FROM t GROUP BY CUBE (a, b), c",
    "SELECT a FROM t GROUP BY GROUPING SETS ((a, b), (a), ())",
    "SELECT 1 UNION SELECT 2",
    "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3",
    "SELECT 1 INTERSECT SELECT 2 EXCEPT SELECT 3",
    "(SELECT 1 LIMIT 1) UNION ALL (SELECT 2)",
    "SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b), v AS (ORDER BY c)",
    "SELECT \"$path\", \"$bucket\" FROM t",
    "SELECT * FROM TABLE(sequence(1, 10)) AS s",
    "SELECT (r).* FROM t",
    "SELECT a AS \"A b\" FROM t",
    "SELECT count(*) FROM t WHERE year = '2024' AND month IN ('01', '02')",
];

#[test]
fn queries_come_back_as_they_were_written() {
    for text in UNCHANGED {
        assert_eq!(query(text).to_string(), *text);
    }
}

#[test]
fn the_same_in_other_words() {
    for (text, expected) in [
        ("select a x from t s", "SELECT a AS x FROM t s"),
        ("TABLE t", "SELECT * FROM t"),
        ("SELECT ALL a FROM t", "SELECT a FROM t"),
        ("SELECT a FROM t LIMIT ALL", "SELECT a FROM t"),
        ("SELECT a FROM t OFFSET 2 LIMIT 3", "SELECT a FROM t LIMIT 3 OFFSET 2"),
        ("SELECT * FROM a LEFT OUTER JOIN b ON x = y", "SELECT * FROM a LEFT JOIN b ON x = y"),
        ("SELECT * FROM a JOIN b ON x = y", "SELECT * FROM a INNER JOIN b ON x = y"),
        (
            "SELECT * FROM a JOIN b JOIN c ON b.x = c.x ON a.x = b.x",
            "SELECT * FROM a INNER JOIN (b INNER JOIN c ON b.x = c.x) ON a.x = b.x",
        ),
        ("VALUES 1, (2), ROW(3)", "VALUES (1), (2), (3)"),
        ("SELECT a FROM t FETCH NEXT ROW ONLY", "SELECT a FROM t FETCH FIRST ROWS ONLY"),
        ("SELECT limit FROM offset", "SELECT limit FROM offset"),
        ("SELECT 1 limit", "SELECT 1 AS limit"),
        ("/* a */ SELECT -- b\n 1;", "SELECT 1"),
        (
            "SELECT * FROM UNNEST(a) TABLESAMPLE BERNOULLI (1)",
            "SELECT * FROM (SELECT * FROM UNNEST(a)) TABLESAMPLE BERNOULLI (1)",
        ),
        ("SELECT a FROM t GROUP BY ALL a", "SELECT a FROM t GROUP BY a"),
    ] {
        assert_eq!(query(text).to_string(), expected, "{text}");
    }
}

#[test]
fn joins_and_aliases_carry_what_was_said() {
    let query = query("SELECT * FROM a x (p, q) NATURAL LEFT JOIN b");
    let SetExpr::Select(select) = *query.body else { panic!() };
    let TableFactor::Table { alias: Some(alias), .. } = &select.from[0].relation else { panic!() };
    let columns: Vec<&str> = alias.columns.iter().map(|c| c.name.value.as_str()).collect();
    assert_eq!((alias.name.value.as_str(), columns), ("x", vec!["p", "q"]));
    assert_eq!(select.from[0].joins[0].join_operator, JoinOperator::Left(JoinConstraint::Natural));
}

#[test]
fn set_operations_bind_and_associate() {
    let SetExpr::SetOperation { op, left, right, .. } =
        *query("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3").body
    else {
        panic!()
    };
    assert_eq!(op, SetOperator::Union);
    assert!(matches!(*left, SetExpr::Select(_)));
    assert!(matches!(*right, SetExpr::SetOperation { op: SetOperator::Intersect, .. }));

    let text = "SELECT 1 UNION ALL SELECT 2 UNION DISTINCT SELECT 3";
    let SetExpr::SetOperation { left, set_quantifier, .. } = *query(text).body else { panic!() };
    assert_eq!(set_quantifier, SetQuantifier::Distinct);
    assert!(matches!(*left, SetExpr::SetOperation { set_quantifier: SetQuantifier::All, .. }));
}

#[test]
fn group_by_distinct_is_marked() {
    let SetExpr::Select(select) = *query("SELECT a FROM t GROUP BY DISTINCT ROLLUP (a), (), (a, b)").body
    else {
        panic!()
    };
    let GroupByExpr::Expressions(elements, marks) = select.group_by else { panic!() };
    assert_eq!(marks.len(), 1);
    assert!(matches!(&elements[..], [Expr::Rollup(_), Expr::Tuple(none), Expr::Tuple(two)]
        if none.is_empty() && two.len() == 2));
}

#[test]
fn spans_lead_back_to_the_text() {
    let text = "SELECT 'é',\n       wrong FROM t";
    let source = sql::Source::new("q.sql", text);
    let SetExpr::Select(select) = *query(text).body else { panic!() };
    let sqlparser::ast::SelectItem::UnnamedExpr(Expr::Identifier(ident)) = &select.projection[1] else {
        panic!()
    };
    assert_eq!(source.slice(ident.span), "wrong");
    let place = sql::at(&source, ident.span);
    assert_eq!((place.line, place.column, place.length), (2, 8, 5));
}

#[test]
fn texts_hold_several_statements() {
    let all = sql::parse_located("SELECT 1;\n;-- nothing\nSELECT ';' ; SHOW TABLES", "test").unwrap();
    let texts: Vec<&str> = all.iter().map(|s| s.text.as_str()).collect();
    assert_eq!(texts, ["SELECT 1", "SELECT ';'", "SHOW TABLES"]);
    assert_eq!((all[1].span.start.line, all[1].span.start.column), (3, 1));
}
