//! The standard's JSON functions. Expected values: Trino's documentation of the path language.

use crate::harness::*;

/// All items of a path, as json_query shows them with a wrapper.
fn items(input: &str, path: &str) -> String {
    let clauses = ["unconditional", "keep", "null", "error"].map(text);
    let mut args = vec![text(input), text(path)];
    args.extend(clauses);
    args.push(null_of("varchar"));
    let answer = answer("$json_query", &args);
    if answer.starts_with("error") { "error".to_owned() } else { answer }
}

const OBJECTS: &str = r#"[{"customer":100,"region":"AFRICA"},{"region":"ASIA"},{"customer":300,"region":"AFRICA","comment":null}]"#;
const ARRAYS: &str = r#"[[0,1,2],["a","b","c","d"],[null,null]]"#;

#[test]
fn the_documentation_s_paths() {
    for (input, path, expected) in [
        (OBJECTS, "lax $.customer", "[100,300]"),
        (OBJECTS, "strict $[*].customer", "error"),
        (OBJECTS, "lax $.*", r#"[100,"AFRICA","ASIA",300,"AFRICA",null]"#),
        (
            r#"{"id":1,"notes":[{"type":1,"comment":"foo"},{"type":2,"comment":null}],"comment":["bar","baz"]}"#,
            "lax $..comment",
            r#"[["bar","baz"],"foo",null]"#,
        ),
        (ARRAYS, "lax $[*][last]", r#"[2,"d",null]"#),
        (ARRAYS, "lax $[*][2 to 3]", r#"[2,"c","d"]"#),
        (ARRAYS, "strict $[*][2 to 3]", "error"),
        (ARRAYS, "lax $[*][1, 0, 0]", r#"[1,0,0,"b","a","a",null,null,null]"#),
        (ARRAYS, "lax $[*][*]", r#"[0,1,2,"a","b","c","d",null,null]"#),
        (ARRAYS, "lax $[*].size()", "[3,4,2]"),
        (ARRAYS, "lax $.size()", "[3]"),
        (OBJECTS, r#"lax $?(@.region != "ASIA").customer"#, "[100,300]"),
        (OBJECTS, "lax $?(!exists(@.customer))", r#"[{"region":"ASIA"}]"#),
        (OBJECTS, r#"lax $?(@.region starts with "AF" && @.customer > 100).customer"#, "[300]"),
        (OBJECTS, "lax $?((@.customer > 100) is unknown || @.customer == 100).region", r#"["AFRICA"]"#),
        (r#"[-1,23e4,"5.6"]"#, "lax $.double()", "[-1.0,230000.0,5.6]"),
        ("[-1.5,-1,1.3]", "lax $.ceiling()", "[-1.0,-1,2.0]"),
        ("[-1.5,-1,1.3]", "lax $.floor()", "[-2.0,-1,1.0]"),
        ("[-1.5,-1,1.3]", "lax $.abs()", "[1.5,1,1.3]"),
        (r#"[1,"a",null]"#, "lax $.floor()", "error"),
        (
            r#"[{"a":1},{"b":2}]"#,
            "lax $.keyvalue()",
            r#"[{"name":"a","value":1,"id":0},{"name":"b","value":2,"id":1}]"#,
        ),
        (
            r#"[null,1,"x",true,[],{}]"#,
            "strict $[*].type()",
            r#"["null","number","string","boolean","array","object"]"#,
        ),
        ("5", "lax ($ + 2) * -3 % 4", "[-1]"),
        ("5", "lax $ / 0", "error"),
        ("5", "lax $ / 2", "[2]"),
        ("5", "lax $ / 2.0", "[2.5]"),
        ("5", "lax $[0]", "[5]"),
        ("5", "strict $[0]", "error"),
        ("[1,2,3]", "lax $[last - 1]", "[2]"),
        ("[1,2,3]", "lax $?(@ >= 2)", "[2,3]"),
        (r#"{"a b":{"c":1}}"#, r#"strict $."a b".c"#, "[1]"),
        (r#"[1,"a",2]"#, "lax $?(@ == null)", "NULL"),
        ("[null]", "lax $?(@ == null)", "[null]"),
    ] {
        assert_eq!(items(input, path), expected, "{path}");
    }
}

#[test]
fn broken_paths_are_refused() {
    for path in [
        "",
        "$",
        "lax",
        "lax $.",
        "lax $[",
        "lax $[1",
        "lax $?(@ > )",
        "lax $?(@)",
        "lax $ 1",
        "lax $.a()",
        "lax \"a",
        "lax $?(@ like_regex \"a\")",
    ] {
        let args = [text("1"), text(path), text("unknown"), null_of("varchar")];
        fails("$json_exists", &args, "is not valid");
    }
    let deep = format!("lax {}$", "(".repeat(100_000));
    fails("$json_exists", &[text("1"), text(&deep), text("false"), null_of("varchar")], "is not valid");
    let deep = format!("lax $?{}", "(".repeat(1000));
    fails("$json_exists", &[text("1"), text(&deep), text("false"), null_of("varchar")], "is not valid");
    let deep = format!("lax $?({}@ > 1", "!".repeat(100_000));
    fails("$json_exists", &[text("1"), text(&deep), text("false"), null_of("varchar")], "is not valid");
}

fn exists(input: &str, path: &str, on_error: &str) -> String {
    answer("$json_exists", &[text(input), text(path), text(on_error), text(r#"{"limit":10}"#)])
}

#[test]
fn existence() {
    assert_eq!(exists(r#"{"children":[8,11]}"#, "lax $.children[*]?(@ > 10)", "false"), "true");
    assert_eq!(exists(r#"{"children":[2]}"#, "lax $.children[*]?(@ > $limit)", "false"), "false");
    assert_eq!(exists(r#"{"children":[2]}"#, "strict $.children[2]?(@ > 10)", "unknown"), "NULL");
    assert_eq!(exists("no json", "lax $", "false"), "false");
    assert_eq!(exists("no json", "lax $", "true"), "true");
    assert!(exists("no json", "lax $", "error").starts_with("error: json_exists"));
    assert_eq!(exists("{}", "lax $nobody", "unknown"), "NULL");
    check("$json_exists", &[null_of("varchar"), text("lax $"), text("true"), null_of("varchar")], "NULL");
}

fn value(input: &str, path: &str, on_empty: &str, on_error: &str) -> String {
    let args = [input, path, on_empty, on_error, "-1", "-2"].map(text);
    let mut args = args.to_vec();
    args.push(null_of("varchar"));
    answer("$json_value", &args)
}

#[test]
fn single_values() {
    assert_eq!(value(r#"{"a":[1,"x"]}"#, "lax $.a[1]", "null", "null"), "x");
    assert_eq!(value(r#"{"a":1.50}"#, "lax $.a", "null", "null"), "1.5");
    assert_eq!(value(r#"{"a":null}"#, "lax $.a", "error", "error"), "NULL");
    assert_eq!(value("{}", "lax $.a", "null", "error"), "NULL");
    assert_eq!(value("{}", "lax $.a", "default", "null"), "-1");
    assert_eq!(value("[1,2]", "lax $[*]", "null", "default"), "-2");
    assert_eq!(value("[[1]]", "lax $[0]", "null", "null"), "NULL");
    assert!(value("{}", "lax $.a", "error", "null").starts_with("error: json_value"));
    assert!(value("[[1]]", "lax $[0]", "null", "error").starts_with("error: json_value"));
}

fn query(input: &str, path: &str, wrapper: &str, quotes: &str, on_empty: &str, on_error: &str) -> String {
    let mut args = [input, path, wrapper, quotes, on_empty, on_error].map(text).to_vec();
    args.push(null_of("varchar"));
    answer("$json_query", &args)
}

#[test]
fn queries_and_wrappers() {
    let children = r#"{"children" : [10, 13, 16]}"#;
    assert_eq!(query(children, "lax $.children", "without", "keep", "null", "null"), "[10,13,16]");
    assert_eq!(query(children, "lax $.children[*]", "without", "keep", "null", "null"), "NULL");
    assert_eq!(query(children, "lax $.children[*]", "conditional", "keep", "null", "null"), "[10,13,16]");
    assert_eq!(query(children, "lax $.children", "conditional", "keep", "null", "null"), "[10,13,16]");
    assert_eq!(query(children, "lax $.children", "unconditional", "keep", "null", "null"), "[[10,13,16]]");
    assert_eq!(query(children, "lax $.children[last]", "conditional", "keep", "null", "null"), "[16]");
    assert_eq!(query(r#"{"c":"nice"}"#, "lax $.c", "without", "keep", "null", "null"), "\"nice\"");
    assert_eq!(query(r#"{"c":"nice"}"#, "lax $.c", "without", "omit", "null", "null"), "nice");
    assert_eq!(query("{}", "lax $.c", "without", "keep", "empty array", "null"), "[]");
    assert_eq!(query("{", "lax $.c", "without", "keep", "null", "empty object"), "{}");
    assert!(query("{", "lax $.c", "without", "keep", "null", "error").starts_with("error: json_query"));
}

#[test]
fn arrays_and_objects_are_made() {
    check("$json_array", &[boolean(true), double(1.2), text("text"), null()], "[true,1.2,\"text\"]");
    check("$json_array_with", &[text("null"), int(1), null(), json("[5]")], "[1,null,[5]]");
    check("$json_array", &[], "[]");
    let day = typed("date", std::sync::Arc::new(arrow::array::Date32Array::from(vec![11_353])));
    let id = typed(
        "uuid",
        std::sync::Arc::new(arrow::array::StringViewArray::from(vec![
            "12151fd2-7586-11e9-8f9e-2a86e4085a59",
        ])),
    );
    check("$json_array", &[day, id], r#"["2001-01-31","12151fd2-7586-11e9-8f9e-2a86e4085a59"]"#);
    check(
        "$json_object",
        &[text("x"), boolean(true), text("y"), null(), text("x"), int(1)],
        r#"{"x":true,"y":null,"x":1}"#,
    );
    check("$json_object_with", &[text("absent"), text("without"), text("x"), null()], "{}");
    fails("$json_object_with", &[text("null"), text("with"), text("x"), int(1), text("x"), int(2)], "twice");
    fails("$json_object", &[null(), int(1)], "NULL");
    fails("$json_object", &[int(1), int(1)], "is text");
    fails("$json_object", &[text("x")], "without a value");
    check("$json_input", &[text(r#" [ "text" , {"b":1, "a":2} ] "#)], r#"["text",{"b":1,"a":2}]"#);
    fails("$json_input", &[text("[")], "is no JSON");
    check("$json_value", &[text("{\"a\":1}"), text("lax $.a")], "1");
    check("$json_query", &[text("{\"a\":[1 ]}"), text("lax $.a")], "[1]");
    check("$json_exists", &[text("{\"a\":1}"), text("strict $.b")], "false");
}
