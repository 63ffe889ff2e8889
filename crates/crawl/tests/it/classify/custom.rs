//! Custom classifiers: in their order before the built-in ones, and checked beforehand.

use super::{columns, run};
use crawl::classify::{BytesSource, Classification, Classifiers, CustomClassifier, Limits};
use serde_json::{Value, json};

fn classifiers(all: Value) -> model::Result<Classifiers> {
    Classifiers::new(serde_json::from_value::<Vec<CustomClassifier>>(all).unwrap())
}

fn classify(all: Value, text: &str) -> model::Result<Classification> {
    let source = BytesSource::new("s3://lake/object", text.as_bytes().to_vec());
    run(classifiers(all)?.classify(&source, &Limits::default()))
}

#[test]
fn grok_lines() {
    let all = json!([{"GrokClassifier": {
        "Name": "app", "Classification": "app-log",
        "GrokPattern": "%{TIMESTAMP_ISO8601:at} %{LOGLEVEL:level} %{TICKET:ticket} took %{NUMBER:took:double} ms",
        "CustomPatterns": "TICKET [A-Z]+-%{INT}",
    }}]);
    let text = "2021-01-01T10:00:00Z INFO OPS-1 took 1.5 ms\nstack trace\n2021-01-01 10:00:01 WARN OPS-2 took 7 ms\n";
    let found = classify(all, text).unwrap();
    assert_eq!(found.classification, "app-log");
    assert_eq!(columns(&found), ["at string", "level string", "ticket string", "took double"]);
    assert_eq!(found.serde_library, "com.amazonaws.glue.serde.GrokSerDe");
    assert_eq!(found.serde_parameters["input.grokCustomPatterns"], "TICKET [A-Z]+-%{INT}");
    assert!(found.serde_parameters["input.format"].starts_with("%{TIMESTAMP_ISO8601:at}"));
    assert!(found.notes.iter().any(|note| note.contains("row 2")), "{:?}", found.notes);
}

#[test]
fn the_first_that_fits_wins_and_built_in_ones_follow() {
    let all = json!([
        {"GrokClassifier": {"Name": "one", "Classification": "one", "GrokPattern": "^ONE %{WORD:x}$"}},
        {"GrokClassifier": {"Name": "any", "Classification": "any", "GrokPattern": "^[A-Z]+ %{WORD:y}$"}},
    ]);
    assert_eq!(classify(all.clone(), "ONE a\nONE b\n").unwrap().classification, "one");
    assert_eq!(classify(all.clone(), "TWO a\nTWO b\n").unwrap().classification, "any");
    assert_eq!(classify(all, "id,x\n1,2\n3,4\n").unwrap().classification, "csv");
}

#[test]
fn delimited_text_as_described() {
    let all = json!([{"CsvClassifier": {
        "Name": "c", "Delimiter": "!", "QuoteSymbol": "'", "ContainsHeader": "ABSENT", "Header": ["a", "b", "c"],
        "CustomDatatypeConfigured": true, "CustomDatatypes": ["LONG", "STRING", "DATE"], "Serde": "LazySimpleSerDe",
    }}]);
    let found = classify(all, "1!'x!y'!2020-01-01\n2!z!2020-01-02\n").unwrap();
    assert_eq!(columns(&found), ["a bigint", "b string", "c date"]);
    assert_eq!(found.table_parameters["delimiter"], "!");
    assert!(!found.table_parameters.contains_key("skip.header.line.count"));
    assert!(found.serde_library.ends_with("LazySimpleSerDe"));

    let present =
        json!([{"CsvClassifier": {"Name": "c", "ContainsHeader": "PRESENT", "AllowSingleColumn": true}}]);
    assert_eq!(columns(&classify(present, "anna\nben\ncem\n").unwrap()), ["anna string"]);
}

#[test]
fn space_around_values_counts_when_trimming_is_off() {
    let all = json!([{"CsvClassifier": {"Name": "c", "Delimiter": ",", "DisableValueTrimming": true}}]);
    assert_eq!(columns(&classify(all, "id,x\n1, 2\n3, 4\n").unwrap()), ["id int", "x string"]);
}

#[test]
fn json_paths() {
    let all = json!([{"JsonClassifier": {"Name": "j", "JsonPath": "$.records[*]"}}]);
    let found = classify(all.clone(), "{\"n\":2,\"records\":[{\"id\":1},{\"id\":2,\"x\":\"y\"}]}").unwrap();
    assert_eq!(columns(&found), ["id int", "x string"]);
    assert_eq!(found.table_parameters["jsonPath"], "$.records[*]");
    assert_eq!(found.sampled_rows, 2);
    // Where the path leads nowhere the built-in classifier takes over.
    assert_eq!(columns(&classify(all, "{\"id\":1}\n{\"id\":2}\n").unwrap()), ["id int"]);
}

#[test]
fn xml_row_tags() {
    let all = json!([{"XMLClassifier": {"Name": "x", "Classification": "trips", "RowTag": "trip"}}]);
    let text =
        "<all><meta><v>1</v></meta><day><trip km=\"3\"/><trip km=\"4.5\"><to>Oslo</to></trip></day></all>";
    let found = classify(all, text).unwrap();
    assert_eq!(found.classification, "trips");
    assert_eq!(columns(&found), ["_km double", "to string"]);
    assert_eq!(found.table_parameters["rowTag"], "trip");
}

#[test]
fn wrong_classifiers_are_refused_by_name() {
    for (classifier, expected) in [
        (
            json!({"GrokClassifier": {"Name": "g", "Classification": "x", "GrokPattern": "%{IPP:x}"}}),
            "did you mean `IP",
        ),
        (
            json!({"GrokClassifier": {"Name": "g", "Classification": "x", "GrokPattern": "(%{IP:x}"}}),
            "no regular expression",
        ),
        (
            json!({"GrokClassifier": {"Name": "g", "Classification": "", "GrokPattern": "%{IP:x}"}}),
            "classification is missing",
        ),
        (json!({"CsvClassifier": {"Name": "g", "Delimiter": ",,"}}), "must be one character"),
        (json!({"CsvClassifier": {"Name": "g", "Delimiter": "'", "QuoteSymbol": "'"}}), "the same character"),
        (
            json!({"CsvClassifier": {"Name": "g", "CustomDatatypeConfigured": true, "CustomDatatypes": ["STRIN"]}}),
            "did you mean `STRING`",
        ),
        (json!({"JsonClassifier": {"Name": "g", "JsonPath": "records"}}), "does not begin with `$`"),
        (
            json!({"XMLClassifier": {"Name": "g", "Classification": "x", "RowTag": "<a>"}}),
            "no element's name",
        ),
    ] {
        let text = classifiers(json!([classifier.clone()])).unwrap_err().diagnosis().to_string();
        assert!(text.contains(expected), "{classifier}: {text}");
        assert!(text.contains("`g`"), "{text}");
    }
}

#[test]
fn written_and_read_back_as_the_interface_spells_it() {
    let all = json!([
        {"GrokClassifier": {"Name": "g", "Classification": "x", "GrokPattern": "%{IP:x}"}},
        {"CsvClassifier": {
            "Name": "c", "Delimiter": ";", "ContainsHeader": "UNKNOWN", "Header": ["a"], "DisableValueTrimming": true,
            "AllowSingleColumn": false, "CustomDatatypeConfigured": false, "Serde": "OpenCSVSerDe",
        }},
        {"XMLClassifier": {"Name": "x", "Classification": "y", "RowTag": "r"}},
    ]);
    assert_eq!(serde_json::to_value(classifiers(all.clone()).unwrap().custom()).unwrap(), all);
}
