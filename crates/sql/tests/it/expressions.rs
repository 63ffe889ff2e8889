//! Expressions: what is accepted, and which tree comes out. The expected trees follow Trino's grammar and precedence.

use super::tree::expression;

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(expression(text), *expected, "{text}");
    }
}

#[test]
fn operators_bind_as_in_trino() {
    check(&[
        ("1 + 2 * 3", "(+ 1 (* 2 3))"),
        ("(1 + 2) * 3", "(* [(+ 1 2)] 3)"),
        ("1 - 2 - 3", "(- (- 1 2) 3)"),
        ("a / b % c", "(% (/ a b) c)"),
        ("-a * b", "(* (- a) b)"),
        ("- -1", "(- (- 1))"),
        ("+1", "(+ 1)"),
        // `||` binds weaker than `+` in Trino's grammar.
        ("a || b + c", "(|| a (+ b c))"),
        ("a || b || c", "(|| (|| a b) c)"),
        ("a OR b AND c", "(OR a (AND b c))"),
        ("NOT a AND b", "(AND (NOT a) b)"),
        ("NOT a = b", "(NOT (= a b))"),
        ("NOT NOT a", "(NOT (NOT a))"),
        ("a < b + 1", "(< a (+ b 1))"),
        ("a <> b", "(<> a b)"),
        ("a != b", "(<> a b)"),
        ("a >= 1 AND a <= 2", "(AND (>= a 1) (<= a 2))"),
        // Chains are balanced, with their leaves in order.
        ("a AND b AND c AND d", "(AND (AND a b) (AND c d))"),
        ("a OR b OR c", "(OR (OR a b) c)"),
        ("x AT TIME ZONE 'UTC'", "(at-zone x 'UTC')"),
        ("-x AT TIME ZONE 'UTC'", "(- (at-zone x 'UTC'))"),
        ("x AT TIME ZONE INTERVAL '-08' HOUR", "(at-zone x INTERVAL '-08' HOUR)"),
        ("x AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Paris'", "(at-zone (at-zone x 'UTC') 'Europe/Paris')"),
    ]);
}

#[test]
fn literals_keep_their_text() {
    check(&[
        ("1", "1"),
        ("1.50", "1.50"),
        ("1.", "1."),
        (".5", ".5"),
        ("1e3", "1e3"),
        ("1.5E-3", "1.5E-3"),
        ("1_000_000", "1000000"),
        ("'it''s'", "'it''s'"),
        ("''", "''"),
        (r"'\'", r"'\'"),
        (r"U&'Hello \00e9\+01F600 \\'", r"'Hello é😀 \'"),
        (r"U&'#00e9' UESCAPE '#'", "'é'"),
        ("X'65 66'", "X'6566'"),
        ("x'ab'", "X'AB'"),
        ("true", "true"),
        ("NULL", "NULL"),
        ("?", "?1"),
        ("? + ?", "(+ ?1 ?2)"),
        ("DATE '2024-01-01'", "(date '2024-01-01')"),
        ("TIMESTAMP '2024-01-01 00:00:00'", "(timestamp(3) '2024-01-01 00:00:00')"),
        ("time '01:02:03'", "(time(3) '01:02:03')"),
        ("DECIMAL '1.0'", "(decimal(38,0) '1.0')"),
        ("BIGINT '1'", "(bigint '1')"),
        ("DOUBLE '1'", "(double '1')"),
        ("DOUBLE PRECISION '1'", "(double '1')"),
        ("JSON '[1]'", "(json '[1]')"),
        ("UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", "(uuid '12151fd2-7586-11e9-8f9e-2a86e4085a59')"),
        ("IPADDRESS '10.0.0.1'", "(ipaddress '10.0.0.1')"),
        ("INTERVAL '1' DAY", "INTERVAL '1' DAY"),
        ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH"),
        ("INTERVAL '2 03:04:05' DAY TO SECOND", "INTERVAL '2 03:04:05' DAY TO SECOND"),
        ("INTERVAL -'3' MONTH", "(- INTERVAL '3' MONTH)"),
        ("INTERVAL '1' WEEK", "INTERVAL '1' WEEK"),
        ("ARRAY[1, 2]", "(array 1 2)"),
        ("ARRAY[]", "(array )"),
        ("ROW(1, 'a')", "(row 1 'a')"),
        ("(1, 'a')", "(row 1 'a')"),
        ("ROW(1)", "(row 1)"),
    ]);
}

#[test]
fn predicates() {
    check(&[
        ("a BETWEEN 1 AND 2", "(between a 1 2)"),
        ("a NOT BETWEEN 1 AND 2 AND b", "(AND (between! a 1 2) b)"),
        ("a IN (1, 2)", "(in a 1 2)"),
        ("a NOT IN (1)", "(in! a 1)"),
        ("a IN (SELECT 1)", "(in a {SELECT 1})"),
        ("(a, b) IN ((1, 2), (3, 4))", "(in (row a b) (row 1 2) (row 3 4))"),
        ("a LIKE 'x%'", "(like a 'x%')"),
        ("a NOT LIKE '\\_%' ESCAPE '\\'", "(like! a '\\_%' '\\')"),
        ("a IS NULL", "(null? a)"),
        ("a IS NOT NULL", "(not-null? a)"),
        ("a IS DISTINCT FROM b", "(distinct a b)"),
        ("a IS NOT DISTINCT FROM NULL", "(not-distinct a NULL)"),
        ("a = ANY (SELECT 1)", "(any = a {SELECT 1})"),
        ("a < SOME (SELECT 1)", "(any < a {SELECT 1})"),
        ("a >= ALL (VALUES 1, 2)", "(all >= a {VALUES (1), (2)})"),
        ("EXISTS (SELECT 1)", "(exists {SELECT 1})"),
        ("NOT EXISTS (SELECT 1)", "(NOT (exists {SELECT 1}))"),
        ("(SELECT max(x) FROM t)", "{SELECT max(x) FROM t}"),
        ("((SELECT 1))", "{(SELECT 1)}"),
        ("((SELECT 1) + 2)", "[(+ {SELECT 1} 2)]"),
        ("((SELECT 1) UNION SELECT 2)", "{(SELECT 1) UNION SELECT 2}"),
    ]);
}

#[test]
fn names_fields_and_subscripts() {
    check(&[
        ("a", "a"),
        ("\"Order\"", "\"Order\""),
        ("\"$path\"", "\"$path\""),
        ("t.\"a.b\"", "t.\"a.b\""),
        ("db.t.c", "db.t.c"),
        ("a.b.c.d.e", "a.b.c.d.e"),
        ("x[1]", "(access x [1])"),
        ("t.m['k'].f[2]", "(access t.m ['k'] .f [2])"),
        ("f(x).y", "(access f(x) .y)"),
        ("(r).f", "(access [r] .f)"),
        ("ARRAY[1,2][1]", "(access (array 1 2) [1])"),
        ("CAST(r AS row(a bigint)).a", "(access (Cast r row(a bigint)) .a)"),
        // Words with a meaning elsewhere are names here.
        ("date", "date"),
        ("interval", "interval"),
        ("map", "map"),
        ("row", "row"),
        ("position", "position"),
        ("year + month", "(+ year month)"),
        ("limit", "limit"),
        ("array", "array"),
        ("if", "if"),
        ("U&\"d\\0061t\"", "\"dat\""),
    ]);
}

#[test]
fn casts_and_case() {
    check(&[
        ("CAST(x AS bigint)", "(Cast x bigint)"),
        ("TRY_CAST(x AS DOUBLE)", "(TryCast x double)"),
        ("CAST(x AS varchar(10))", "(Cast x varchar(10))"),
        ("CAST(x AS decimal(10, 2))", "(Cast x decimal(10,2))"),
        ("CAST(x AS timestamp(6) with time zone)", "(Cast x timestamp(6) with time zone)"),
        ("CAST(x AS timestamp with time zone)", "(Cast x timestamp(3) with time zone)"),
        ("CAST(x AS double precision)", "(Cast x double)"),
        ("CAST(x AS row(a bigint, b array(varchar)))", "(Cast x row(a bigint, b array(varchar)))"),
        ("CAST(x AS ROW(\"A b\" bigint))", "(Cast x row(a b bigint))"),
        ("CAST(x AS map(varchar, array(row(a double))))", "(Cast x map(varchar, array(row(a double))))"),
        ("CAST(x AS array<map<varchar,bigint>>)", "(Cast x array(map(varchar, bigint)))"),
        ("CAST(x AS bigint ARRAY)", "(Cast x array(bigint))"),
        ("CAST(x AS interval day to second)", "(Cast x interval day to second)"),
        ("CAST(x AS json)", "(Cast x json)"),
        ("TRY(CAST(x AS date))", "TRY((Cast x date))"),
        ("CASE WHEN a THEN 1 ELSE 2 END", "(case a=>1 else 2)"),
        ("CASE x WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "(case x 1=>'a' 2=>'b')"),
        ("COALESCE(a, b)", "COALESCE(a, b)"),
        ("NULLIF(a, b)", "NULLIF(a, b)"),
        ("IF(a, 1)", "IF(a, 1)"),
    ]);
}

#[test]
fn calls_with_everything_behind_them() {
    check(&[
        ("f()", "f()"),
        ("count(*)", "count(*)"),
        ("count(DISTINCT a)", "count(a, DISTINCT)"),
        ("sum(ALL a)", "sum(a, ALL)"),
        ("array_agg(a ORDER BY b DESC NULLS FIRST)", "array_agg(a, order b DESC NULLS FIRST)"),
        ("sum(a) FILTER (WHERE b > 1)", "sum(a) filter((> b 1))"),
        ("lag(a, 2) IGNORE NULLS OVER (ORDER BY b)", "lag(a, 2) IGNORE NULLS over(ORDER BY b)"),
        ("first_value(a) RESPECT NULLS OVER w", "first_value(a) RESPECT NULLS over w"),
        ("row_number() OVER ()", "row_number() over()"),
        ("rank() OVER (PARTITION BY a, b ORDER BY c DESC)", "rank() over(PARTITION BY a, b ORDER BY c DESC)"),
        ("sum(a) OVER (w ROWS 2 PRECEDING)", "sum(a) over(w ROWS 2 PRECEDING)"),
        (
            "sum(a) OVER (ORDER BY b RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW)",
            "sum(a) over(ORDER BY b RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW)",
        ),
        (
            "sum(a) OVER (ORDER BY b GROUPS BETWEEN 1 + 1 PRECEDING AND UNBOUNDED FOLLOWING)",
            "sum(a) over(ORDER BY b GROUPS BETWEEN 1 + 1 PRECEDING AND UNBOUNDED FOLLOWING)",
        ),
        ("listagg(a, ',') WITHIN GROUP (ORDER BY b)", "listagg(a, ',') within(b)"),
        (
            "LISTAGG(DISTINCT a, ';' ON OVERFLOW TRUNCATE '..' WITH COUNT) WITHIN GROUP (ORDER BY a DESC)",
            "LISTAGG(a, ';', DISTINCT, ON OVERFLOW TRUNCATE '..' WITH COUNT) within(a DESC)",
        ),
        ("listagg(a ON OVERFLOW ERROR) WITHIN GROUP (ORDER BY a)", "listagg(a, ON OVERFLOW ERROR) within(a)"),
        ("transform(a, x -> x + 1)", "transform(a, (fn x (+ x 1)))"),
        ("reduce(a, 0, (s, x) -> s + x, s -> s)", "reduce(a, 0, (fn (s x) (+ s x)), (fn s s))"),
        ("f(() -> 1)", "f((fn () 1))"),
        ("filter(m, x -> x = ANY (SELECT 1))", "filter(m, (fn x (any = x {SELECT 1})))"),
        ("f(a => 1, b => 'x')", "f(a=>1, b=>'x')"),
        ("system.builtin.f(1)", "system.builtin.f(1)"),
        ("current_date", "current_date"),
        ("CURRENT_TIMESTAMP(6)", "current_timestamp(6)"),
        ("localtime", "localtime"),
        ("current_user", "current_user"),
        ("now()", "now()"),
        ("extract(YEAR FROM d)", "(extract year d)"),
        ("EXTRACT(day_of_week FROM d)", "(extract day_of_week d)"),
        ("substring(x FROM 2 FOR 3)", "substring(x, 2, 3)"),
        ("substring(x FROM 2)", "substring(x, 2)"),
        ("substring(x, 2, 3)", "substring(x, 2, 3)"),
        ("substr(x, 2)", "substr(x, 2)"),
        ("position('a' IN x)", "strpos(x, 'a')"),
        ("trim(x)", "trim(x)"),
        ("trim(BOTH FROM x)", "trim(x)"),
        ("trim(BOTH 'y' FROM x)", "trim(x, 'y')"),
        ("trim('y' FROM x)", "trim(x, 'y')"),
        ("trim(LEADING 'y' FROM x)", "ltrim(x, 'y')"),
        ("trim(TRAILING FROM x)", "rtrim(x)"),
        ("normalize(x, NFD)", "normalize(x, 'NFD')"),
        ("normalize(x)", "normalize(x, 'NFC')"),
        ("grouping(a, b)", "grouping(a, b)"),
        ("date(x)", "date(x)"),
        ("map(ARRAY['a'], ARRAY[1])", "map((array 'a'), (array 1))"),
    ]);
}

#[test]
fn json_clauses_are_named_arguments() {
    check(&[
        ("json_exists(j, 'lax $.a')", "json_exists(j, 'lax $.a')"),
        ("json_exists(j, '$.a' TRUE ON ERROR)", "json_exists(j, '$.a', on_error=>'true')"),
        (
            "json_value(j, 'lax $[$i]' PASSING 2 AS \"i\" RETURNING bigint DEFAULT 0 ON EMPTY ERROR ON ERROR)",
            "json_value(j, 'lax $[$i]', passing.i=>2, returning=>'bigint', default_on_empty=>0, on_error=>'error')",
        ),
        (
            "json_query(j FORMAT JSON, '$' WITH ARRAY WRAPPER OMIT QUOTES EMPTY ARRAY ON EMPTY NULL ON ERROR)",
            "json_query(j, '$', format=>'json', wrapper=>'unconditional', quotes=>'omit', on_empty=>'empty array', \
             on_error=>'null')",
        ),
        (
            "json_query(j, '$' RETURNING varchar FORMAT JSON WITH CONDITIONAL WRAPPER)",
            "json_query(j, '$', returning=>'varchar', returning_format=>'json', wrapper=>'conditional')",
        ),
        ("json_array(1, 'a' NULL ON NULL)", "json_array(1, 'a', nulls=>'null')"),
        ("json_array()", "json_array()"),
        (
            "json_object('a' : 1, KEY 'b' VALUE 2, 'c' VALUE 3 ABSENT ON NULL WITH UNIQUE KEYS)",
            "json_object('a', 1, 'b', 2, 'c', 3, nulls=>'absent', unique_keys=>'with')",
        ),
        ("json_object(RETURNING varchar(10))", "json_object(returning=>'varchar(10)')"),
    ]);
}
