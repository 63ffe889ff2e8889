//! What questions may cost.

use super::query::answer;
use super::*;

fn world() -> World {
    World {
        snapshot: Snapshot::default(),
        facts: Facts::default(),
        settings: Settings::new("1.0", "me"),
        cursors: Vec::new(),
        statements: Vec::new(),
        now: DateTime::UNIX_EPOCH,
        values: Vec::new(),
        cancel: CancellationToken::new(),
    }
}

fn asked(world: &World, text: &str) -> Result<Vec<Vec<Value>>, Fault> {
    answer(world, &Question::parse(text)?.query).map(|output| output.rows)
}

#[test]
fn chains_of_operators_are_bounded() {
    let select = |chain: String| format!("SELECT pg_backend_pid(){chain}");
    for chain in
        ["+1", " OR true", "::text", " AT TIME ZONE 'UTC'", " UNION ALL SELECT 1", " IS NULL", " ISNULL"]
    {
        let fault = Question::parse(&select(chain.repeat(3000))).unwrap_err();
        assert_eq!(fault.code, "54001", "{chain}");
    }
    for text in
        [select(format!("::int{}", "[]".repeat(3000))), format!("SELECT {}'1'", "INTERVAL ".repeat(3000))]
    {
        assert_eq!(Question::parse(&text).unwrap_err().code, "54001");
    }
    // As many as there may be, on the small stack of a thread of a test.
    for chain in ["+1", "::text", " || 'x'"] {
        let rows = asked(&world(), &select(chain.repeat(500))).unwrap();
        assert_eq!(rows.len(), 1, "{chain}");
    }
    assert_eq!(bound(&world(), &format!("1{}", "+1".repeat(501))).unwrap_err().code, "54001");
    let negatives = format!("CAST(ARRAY[{}0] AS array(integer))", "CAST(-5 AS integer), ".repeat(600));
    assert!(matches!(bound(&world(), &negatives), Ok(Value::List(all)) if all.len() == 601));
}

#[test]
fn series() {
    for (arguments, expected) in [
        ("1, 3", Some(3)),
        ("3, 1", Some(0)),
        ("3, 1, -1", Some(3)),
        ("0, -9223372036854775807 - 1, -1", None),
        ("-9223372036854775807 - 1, 9223372036854775807, 9223372036854775807", Some(2)),
        ("9223372036854775807, 9223372036854775807", Some(1)),
        ("1, 9223372036854775807", None),
    ] {
        let rows = asked(&world(), &format!("SELECT * FROM generate_series({arguments})"));
        assert_eq!(rows.ok().map(|rows| rows.len()), expected, "{arguments}");
    }
}

#[test]
fn memory_is_bounded() {
    let wide = format!("(VALUES (1{})) v", ", 1".repeat(99));
    let piece = "a".repeat(600);
    let long =
        format!("(SELECT array_to_string(array_agg('{piece}'), '') AS x FROM generate_series(1, 800) g) t");
    for text in [
        format!("SELECT count(*) FROM {wide}, generate_series(1, 90000) a, generate_series(1, 3) b"),
        format!("SELECT generate_series(1, 90000), v.* FROM {wide}, generate_series(1, 3) b"),
        format!("SELECT replace(x, 'a', x) FROM {long}"),
        format!("SELECT regexp_replace(x, '(a)', x, 'g') FROM {long}"),
        format!("SELECT concat(x, x, x) FROM {long}"),
        format!("SELECT x || x || x FROM {long}"),
        format!("SELECT string_agg(x, ',') FROM {long}, generate_series(1, 100) g"),
        format!("SELECT DISTINCT x, g FROM {long}, generate_series(1, 1000) g"),
    ] {
        let fault = asked(&world(), &text).unwrap_err();
        assert_eq!(fault.code, "54000", "{text}");
    }
    // What a query inside held is free when it has ended.
    let text = format!(
        "SELECT (SELECT max(b) FROM {wide}, generate_series(1, 1000) b) FROM generate_series(1, 120) a"
    );
    assert_eq!(asked(&world(), &text).unwrap().len(), 120);
}

#[test]
fn nobody_waits() {
    let world = world();
    world.cancel.cancel();
    let fault = asked(&world, "SELECT count(*) FROM generate_series(1, 5000)").unwrap_err();
    assert_eq!(fault.code, "57014");
}
