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
        (
            "where a ~* '^x' or b !~ 'y'",
            "where \"$pg_matches\"(a, '^x', 'i') or (NOT \"$pg_matches\"(b, 'y'))",
        ),
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
        ("select to_char(ts, 'YYYY')", "select \"$pg_to_char\"(ts, 'YYYY')"),
        (
            "create view v as select to_char(ts, 'YYYY-MM-DD HH24:MI:SS') as x",
            "create view v as select date_format(ts, '%Y-%m-%d %H:%i:%s') as x",
        ),
        ("where a like 'x\\_%' and b", "where a like 'x\\_%' ESCAPE '\\' and b"),
        ("where a not like '\\a\\%'", "where a NOT like 'a\\%' ESCAPE '\\'"),
        ("where a like 'x!_' escape '!'", "where a like 'x!_' escape '!'"),
        ("where a ilike 'a\\_b%'", "where lower(a) LIKE lower('a\\_b%') ESCAPE '\\'"),
        (
            "create or replace view v as select regexp_replace(d, '(\\d+)-(\\d+)', '\\2/\\1', 'g') as x",
            "create or replace view v as select regexp_replace(d, '(\\d+)-(\\d+)', '$2/$1') as x",
        ),
        (
            "prepare p from select regexp_replace(d, 'x', '$\\10\\&\\\\', 'g')",
            "prepare p from select regexp_replace(d, 'x', '\\$$1\\0$0\\\\')",
        ),
        ("select regexp_replace(a, 'b', c)", "select \"$pg_regexp_replace\"(a, 'b', c)"),
        ("select substring(a from 'b.')", "select \"$pg_substring\"(a, 'b.')"),
        ("select substring(a from 2 for (3))", "select \"$pg_substring\"(a, 2, (3))"),
        ("select substring(a for 2), left(a, -1)", "select \"$pg_substring\"(a, 1, 2), \"$pg_left\"(a, - 1)"),
        ("select a at time zone 'UTC' || 'x'", "select \"$pg_timezone\"(a, 'UTC') || 'x'"),
        (
            "select b + a.x::timestamp at time zone $1 at time zone z.n",
            "select b + \"$pg_timezone\"(\"$pg_timezone\"(CAST(a.x AS timestamp(6)), ?), z.n)",
        ),
        (
            "select '2024-01-01' at time zone interval '-05:30'",
            "select \"$pg_timezone\"(CAST('2024-01-01' AS timestamp(6) with time zone), '+05:30')",
        ),
        (
            "select date_trunc('day', a, 'UTC')",
            "select \"$pg_timezone\"(date_trunc('day', \"$pg_timezone\"(a, 'UTC')), 'UTC')",
        ),
        (
            "select timestamptz '2024-01-01 10:00+02'",
            "select CAST('2024-01-01 08:00:00.000000 UTC' AS timestamp(6) with time zone)",
        ),
        (
            "select timestamp with time zone '2024-01-01', bool 'yes'",
            "select CAST('2024-01-01 00:00:00.000000' AS timestamp(6) with time zone), true",
        ),
        (
            "select '2024-01-01T10:00Z'::timestamptz",
            "select CAST('2024-01-01 10:00Z' AS timestamp(6) with time zone)",
        ),
        (
            "select '{1,2}'::int[]",
            "select CAST(ARRAY[CAST(1 AS integer), CAST(2 AS integer)] AS array(integer))",
        ),
        ("select current_date - 7, current_date", "select CURRENT_DATE - INTERVAL '7' DAY, current_date"),
        ("where a is not true and b is unknown", "where a IS DISTINCT FROM true and b IS NULL"),
        ("where a isnull or b notnull", "where a IS NULL or b IS NOT NULL"),
        ("where a ~~ 'x%' and b !~~* 'y'", "where a LIKE 'x%' and lower(b) NOT LIKE lower('y')"),
        (
            "select a collate \"C\" from t order by b collate pg_catalog.\"default\"",
            "select a from t order by b",
        ),
        ("with t as materialized (select 1) select 2", "with t as (select 1) select 2"),
        ("with t as not materialized (select 1) select 2", "with t as (select 1) select 2"),
        ("select cast('1 day' as interval)", "select INTERVAL '1' DAY"),
        ("select pg_typeof(a + 1)", "select \"$pg_type\"(typeof(a + 1))"),
        ("select char_length(a), octet_length(a)", "select length(a), length(to_utf8(a))"),
        ("select repeat(a, 3)", "select array_join(repeat(a, 3), '')"),
        ("select greatest(a, 1)", "select array_max(filter(ARRAY[a, 1 ], element -> element IS NOT NULL))"),
        ("select lpad(a, 3), encode(b, 'hex')", "select lpad(a, 3, ' '), lower(to_hex(b))"),
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
        (
            "select string_agg(a, ',') filter (where b > 1)",
            "select array_join(array_agg(a) FILTER (WHERE a IS NOT NULL AND (b > 1)), ',')",
        ),
        (
            "select extract(epoch from t), extract(dow from t)",
            "select \"$pg_extract\"('epoch', t), (day_of_week(t) % 7)",
        ),
        ("select extract(hours from t)", "select extract(hour FROM t)"),
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
        "create view v as select to_char(a, 'Q') as x",
        "create view v as select a at time zone 'UTC' as x",
        "create view v as select regexp_replace(a, 'b', 'c') as x",
        "create view v as select regexp_replace(a, 'b', c, 'g') as x",
        "select a at time zone 'Mars/Base'",
        "select a at time zone f(x)",
        "select unnest(a)",
        "select generate_series(1, 2)",
        "select a collate \"de_DE\"",
        "select a similar to 'b'",
        "select 1 for update",
        "select a ->> 'b'",
        "select encode(a, 'escape')",
        "select timestamptz '2024-13-01'",
        "select string_agg(string_agg(a, ','), ',')",
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
