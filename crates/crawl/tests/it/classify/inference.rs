//! Types of nested and mixed values.

use super::{classify, columns};

fn json_type(rows: &[&str]) -> String {
    let text: String = rows.iter().map(|row| format!("{{\"v\":{row}}}\n")).collect();
    let found = classify("v.json", text).unwrap();
    found.schema.columns[0].hive_type.to_string()
}

#[test]
fn json_values() {
    for (rows, expected) in [
        (&["1", "null", "-2"][..], "int"),
        (&["1", "2147483648"], "bigint"),
        (&["18446744073709551615"], "decimal(20,0)"),
        (&["1", "1.5"], "double"),
        (&["1", "\"x\""], "string"),
        (&["true"], "boolean"),
        (&["true", "1"], "string"),
        (&["null"], "string"),
        (&["[]"], "array<string>"),
        (&["[]", "[1, null, 2.5]"], "array<double>"),
        (&["[[1],[2]]"], "array<array<int>>"),
        (&["{}"], "map<string,string>"),
        (&["{\"a\":1}", "{\"b\":\"x\",\"a\":null}"], "struct<a:int,b:string>"),
        (&["{\"a\":1}", "7"], "string"),
        (&["{\"a\":1}", "[{\"a\":1}]"], "string"),
        (&["\"2020-01-01T00:00:00Z\""], "string"),
        (&["{\"Id\":1,\"id\":2.5}"], "struct<Id:double>"),
    ] {
        assert_eq!(json_type(rows), expected, "{rows:?}");
    }
}

#[test]
fn objects_with_ever_new_keys_are_maps() {
    let rows: Vec<String> = (0..200).map(|n| format!("{{\"user{n}\":{n},\"user{}\":1.5}}", n + 1)).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!(json_type(&rows), "map<string,double>");
    let fields: Vec<String> = (0..100).map(|n| format!("\"f{n}\":{n}")).collect();
    let wide = format!("{{{}}}", fields.join(","));
    assert!(json_type(&[&wide, &wide]).starts_with("struct<f0:int,"));
}

#[test]
fn deep_documents_end_in_strings() {
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let found = json_type(&[&deep]);
    assert!(found.starts_with("array<array<") && found.contains("<string>"), "{found}");
    assert!(found.parse::<model::HiveType>().is_ok());
}

#[test]
fn missing_markers_leave_numbers_alone() {
    let found =
        classify("m.csv", "id,a,b,c,d\n1,NA,,null,NA\n2,3.5,7,\\N,\n3,NaN,N/A,2020-01-01,\n").unwrap();
    assert_eq!(columns(&found), ["id int", "a double", "b int", "c date", "d string"]);
    assert!(found.untyped.contains("d"));
}

#[test]
fn a_header_without_rows_has_no_types_yet() {
    let found = classify("m.csv", "order_id,customer_name\n").unwrap();
    assert_eq!(columns(&found), ["order_id string", "customer_name string"]);
    assert_eq!(found.untyped.len(), 2);
    assert_eq!(found.sampled_rows, 0);
}
