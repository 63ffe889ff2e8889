//! PostgreSQL's spellings and what becomes of them.

use super::lexer::tokens;
use super::translate::{Facts, translate};

fn facts() -> Facts {
    Facts {
        database: "glulam".into(),
        schema: "lake".into(),
        user: "test".into(),
        version: "PostgreSQL 16".into(),
        process: 7,
    }
}

fn written(text: &str) -> String {
    translate(text, &tokens(text).unwrap(), &facts()).unwrap_or_else(|e| panic!("{text}: {e:?}")).text
}

#[test]
fn spellings() {
    for (postgres, engine) in [
        ("select a::int8 + b.c::text", "select CAST(a AS bigint) + CAST(b.c AS varchar)"),
        ("select f(x)::int::text", "select CAST(CAST(f (x) AS integer) AS varchar)"),
        ("select (a+b)::numeric(10,2)", "select CAST((a + b) AS decimal(10,2))"),
        ("select x[1]::date", "select CAST(x[1] AS date)"),
        ("select '{}'::jsonb", "select json_parse('{}')"),
        ("select case when a then 1 end::float8", "select CAST(CASE when a then 1 END AS double)"),
        ("select date '2024-01-01'::timestamp", "select CAST(date '2024-01-01' AS timestamp(6))"),
        ("select $2, $1, $2::int", "select ?, ?, CAST(? AS integer)"),
        ("where a || b ilike 'x%' and c", "where lower(a || b) LIKE lower('x%') and c"),
        ("where a not ilike b escape '!'", "where lower(a) NOT LIKE lower(b) escape '!'"),
        ("where a ~* '^x' or b !~ 'y'", "where regexp_like(a, '(?i)' || '^x') or (NOT regexp_like(b, 'y'))"),
        ("select a = any($1), b <> all(array[1])", "select contains(?, a), (NOT contains(array[1], b))"),
        ("select 1 limit 5 offset 2", "select 1 offset 2 limit 5"),
        ("select 1 limit $1::INTEGER offset 2::int8", "select 1 offset 2 limit ?"),
        ("select E'it\\'s\\n'", "select 'it''s\n'"),
        ("select now() - interval '1 day'", "select now () - INTERVAL '1' DAY"),
        ("select now() - interval '1' day", "select now () - interval '1' day"),
        ("select interval '90 minutes'", "select INTERVAL '5400' SECOND"),
        ("select current_schema(), current_user", "select 'lake', 'test'"),
        ("from glulam.lake.t, awsdatacatalog.\"x\".t", "from lake.t, \"x\".t"),
        ("select pg_catalog.lower(a)", "select lower (a)"),
        ("select to_char(ts, 'YYYY-MM-DD HH24:MI:SS')", "select date_format(ts, '%Y-%m-%d %H:%i:%s')"),
        ("where a like 'x\\_%' and b", "where a like 'x\\_%' ESCAPE '\\' and b"),
        ("where a not like '\\a\\%'", "where a NOT like 'a\\%' ESCAPE '\\'"),
        ("where a like 'x!_' escape '!'", "where a like 'x!_' escape '!'"),
        ("where a ilike 'a\\_b%'", "where lower(a) LIKE lower('a\\_b%') ESCAPE '\\'"),
        (
            "select regexp_replace(d, '(\\d+)-(\\d+)', '\\2/\\1', 'g')",
            "select regexp_replace(d, '(\\d+)-(\\d+)', '$2/$1')",
        ),
        (
            "select regexp_replace(d, 'x', '$\\10\\&\\\\', 'g')",
            "select regexp_replace(d, 'x', '\\$$1\\0$0\\\\')",
        ),
        ("from generate_series(1, 0) g", "from UNNEST(CASE WHEN 1 <= 0 THEN sequence(1, 0) END) g(g)"),
        (
            "from generate_series(a, b, -2) g",
            "from UNNEST(CASE WHEN a >= b THEN sequence(a, b, - 2) END) g(g)",
        ),
        ("from generate_series(1, 3) as g", "from UNNEST(sequence(1, 3)) as g(g)"),
        ("from generate_series(1, 3)", "from UNNEST(sequence(1, 3)) as generate_series(generate_series)"),
        ("from generate_series(1, 3) g(i) where", "from UNNEST(sequence(1, 3)) g (i) where"),
        (
            "select string_agg(distinct a, ',' order by a)",
            "select array_join(array_agg(distinct a order by a) FILTER (WHERE a IS NOT NULL), ',')",
        ),
        ("select extract(epoch from t), extract(dow from t)", "select to_unixtime(t), (day_of_week(t) % 7)"),
        ("select extract(year from t)", "select extract (year from t)"),
        ("select date_part('month', t)", "select extract(month FROM t)"),
        (
            "select cast(a as text), cast(b as row(x integer))",
            "select CAST(a AS varchar), cast (b as row (x integer))",
        ),
    ] {
        // Where a space of the original stays does not matter.
        assert_eq!(
            written(postgres).replace("  ", " ").replace(" )", ")").replace(" ,", ","),
            engine,
            "{postgres}"
        );
    }
}

#[test]
fn definitions_stay_as_they_are() {
    let text = "CREATE EXTERNAL TABLE `a` (b string)\n LOCATION 's3://x/'";
    assert_eq!(written(text), "CREATE EXTERNAL TABLE `a` (b string) LOCATION 's3://x/'");
}

#[test]
fn refusals_and_places() {
    for text in [
        "select a::regclass",
        "select ::int",
        "select (a",
        "select a::numeric",
        "select to_char(a, 'Q')",
        "select string_agg(string_agg(a, ','), ',')",
        "select regexp_replace(a, 'b', c, 'g')",
    ] {
        let error = translate(text, &tokens(text).unwrap(), &facts()).unwrap_err();
        assert!(error.place().is_some(), "{text}: {error:?}");
    }
    let text = "select a::int8,  nothing";
    let translated = translate(text, &tokens(text).unwrap(), &facts()).unwrap();
    let column = translated.text.find("nothing").unwrap() + 1;
    assert_eq!(translated.original(column), text.find("nothing"));
    assert_eq!(
        translate("select $2, $1, $2", &tokens("select $2, $1, $2").unwrap(), &facts()).unwrap().parameters,
        [2, 1, 2]
    );
}

/// What moves or repeats what was written before is stopped before it takes long.
#[test]
fn work_is_bounded() {
    for text in [
        format!("select a{}", "~a".repeat(60_000)),
        format!("select a{}", "::int".repeat(60_000)),
        format!("select {}offset 1", "limit 1 ".repeat(20_000)),
    ] {
        let tokens = tokens(&text).unwrap();
        let error = translate(&text, &tokens, &facts()).unwrap_err();
        assert_eq!(error.kind(), model::ErrorKind::LimitExceeded, "{error}");
    }
    let long = format!("insert into t values (1{}", "), (1".repeat(50_000)) + ")";
    assert!(translate(&long, &tokens(&long).unwrap(), &facts()).is_ok());
}
