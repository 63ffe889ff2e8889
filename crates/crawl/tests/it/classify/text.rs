//! Delimited text, JSON, XML and logs, plain and compressed.

use super::{classify, classify_fixture, columns};
use crawl::classify::Compression;
use regex::Regex;

#[test]
fn one_csv_under_each_compression() {
    for (name, compression) in [
        ("orders.csv", None),
        ("orders.csv.gz", Some(Compression::Gzip)),
        ("orders.csv.zst", Some(Compression::Zstd)),
        ("orders.csv.bz2", Some(Compression::Bzip2)),
        ("orders.csv.sz", Some(Compression::Snappy)),
        ("orders.csv.snappy", Some(Compression::Snappy)),
        ("orders.csv.lz4", Some(Compression::Lz4)),
    ] {
        let found = classify_fixture(name).unwrap();
        assert_eq!(found.compression, compression, "{name}");
        let expected = compression.map_or("none".to_owned(), |c| c.to_string());
        assert_eq!(found.table_parameters["compressionType"], expected, "{name}");
        assert_eq!(
            columns(&found),
            ["order_id int", "customer string", "amount double", "ordered date"],
            "{name}"
        );
        assert_eq!(found.sampled_rows, 59, "{name}");
    }
}

#[test]
fn csv_facts() {
    let found = classify_fixture("orders.csv").unwrap();
    assert_eq!(found.classification, "csv");
    assert_eq!(found.serde_library, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe");
    assert_eq!(found.input_format, "org.apache.hadoop.mapred.TextInputFormat");
    assert_eq!(found.output_format, "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat");
    assert_eq!(found.serde_parameters["field.delim"], ",");
    for (key, value) in [
        ("classification", "csv"),
        ("skip.header.line.count", "1"),
        ("delimiter", ","),
        ("typeOfData", "file"),
        ("areColumnsQuoted", "false"),
    ] {
        assert_eq!(found.table_parameters[key], value, "{key}");
    }
    assert!(found.notes.is_empty(), "{:?}", found.notes);
}

#[test]
fn csv_as_pandas_writes_it() {
    let expected =
        ["airline string", "flights int", "delay double", "on_time boolean", "day date", "seen timestamp"];
    let tabs = classify_fixture("pandas_tabs.tsv").unwrap();
    assert_eq!(columns(&tabs), expected);
    assert_eq!(tabs.table_parameters["delimiter"], "\t");
    let index = classify_fixture("pandas_index.csv").unwrap();
    assert_eq!(columns(&index)[0], "col0 int");
    assert_eq!(columns(&index)[1..], expected);
    assert_eq!(index.serde_library, "org.apache.hadoop.hive.serde2.OpenCSVSerde");
    assert_eq!(index.serde_parameters["separatorChar"], ",");
    let latin = classify_fixture("latin1.csv").unwrap();
    assert_eq!(columns(&latin), expected);
    assert_eq!(latin.serde_parameters["serialization.encoding"], "ISO-8859-1");
    assert!(latin.notes[0].contains("row 2"), "{:?}", latin.notes);
}

#[test]
fn delimiters_quotes_and_headers() {
    for (name, text, delimiter, expected) in [
        ("a.csv", "id;name\r\n1;a,b\r\n2;c\r\n", ";", &["id int", "name string"][..]),
        ("a.txt", "id|price\n1|2,50\n2|3,50\n", "|", &["id int", "price string"]),
        ("a.txt", "1\u{1}x\n2\u{1}y\n", "\u{1}", &["col0 int", "col1 string"]),
        ("a.csv", "\u{feff}id,name\n1,x\n2,y\n", ",", &["id int", "name string"]),
        ("a.csv", "'id','name'\n'1','x, y'\n'2','z'\n", ",", &["id int", "name string"]),
        ("a.csv", "id,note\n1,\"two\nlines, and \"\"quotes\"\"\"\n2,x\n", ",", &["id int", "note string"]),
        ("a.csv", "My title\n\nid,x\n1,2\n3,4\n", ",", &["id int", "x int"]),
        ("a.csv", "a,a,,A\n1,2,3,4\n5,6,7,8\n", ",", &["a int", "a_1 int", "col2 int", "A_2 int"]),
        ("words.csv", "word\nlake\nriver\n", ",", &["col0 string"]),
        ("names.csv", "name\nanna\nben\n", ",", &["name string"]),
        ("zip.csv", "name,zip\nanna,10115\nben,20095\n", ",", &["name string", "zip string"]),
        ("ids.csv", "id,ref\n1,007\n2,123\n", ",", &["id int", "ref string"]),
    ] {
        let found = classify(name, text).unwrap();
        assert_eq!(found.classification, "csv", "{text:?}");
        assert_eq!(found.table_parameters["delimiter"], delimiter, "{text:?}");
        assert_eq!(columns(&found), expected, "{text:?}");
    }
}

#[test]
fn lines_above_the_table_are_skipped() {
    let found = classify("a.csv", "My title\n\nid,x\n1,2\n3,4\n").unwrap();
    assert_eq!(found.table_parameters["skip.header.line.count"], "3");
    assert!(found.notes.iter().any(|note| note.contains("above the table")), "{:?}", found.notes);
}

#[test]
fn windowed_metrics_keep_their_times_as_strings() {
    let text = "componentName,fromTimestamp,maxValue,metricName,minValue,toTimestamp,unit\n\
        order-service,2021-09-09T12:15:00Z,94.5,cpu,2.25,2021-09-09T12:20:00Z,percent\n\
        order-service,2021-09-09T12:20:00Z,90.5,cpu,3,2021-09-09T12:25:00Z,percent\n";
    let found = classify("order-service.csv", text).unwrap();
    assert_eq!(
        columns(&found),
        [
            "componentName string",
            "fromTimestamp string",
            "maxValue double",
            "metricName string",
            "minValue double",
            "toTimestamp string",
            "unit string",
        ]
    );
    assert!(
        found.notes.iter().any(|note| note.contains("`fromTimestamp`, `toTimestamp`")),
        "{:?}",
        found.notes
    );
}

#[test]
fn json_layouts() {
    let row = "id int,name string";
    for (name, text, layout, expected) in [
        ("lines", "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":null}\n", None, row),
        ("array", "[{\"id\":1,\"name\":\"a\"},\n {\"id\":2}]", Some("$[*]"), row),
        ("pretty", "{\n  \"id\": 1,\n  \"name\": \"a\"\n}\n{\n  \"id\": 2\n}\n", None, row),
        ("joined", "{\"id\":1,\"name\":\"a\"}{\"id\":2}", None, row),
        (
            "document",
            "{\"type\":\"x\",\"rows\":[{\"v\":1.5}]}",
            None,
            "type string,rows array<struct<v:double>>",
        ),
        ("plain", "[1, 2, 3]", Some("$[*]"), "array array<int>"),
    ] {
        let found =
            classify(&format!("{name}.json"), text).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(columns(&found).join(","), expected, "{name}");
        assert_eq!(found.table_parameters.get("jsonPath").map(String::as_str), layout, "{name}");
        assert_eq!(found.serde_library, "org.openx.data.jsonserde.JsonSerDe", "{name}");
        // A document on one line is a file of one line.
        let lines = matches!(name, "lines" | "document");
        assert_eq!(found.table_parameters.contains_key("multiLine"), !lines, "{name}");
    }
}

#[test]
fn json_as_pandas_writes_it() {
    let expected =
        ["airline string", "flights int", "delay double", "on_time boolean", "day string", "seen string"];
    for name in ["pandas_records.json", "pandas_lines.json"] {
        let found = classify_fixture(name).unwrap();
        assert_eq!(columns(&found), expected, "{name}");
        assert_eq!(found.sampled_rows, 3, "{name}");
        assert_eq!(found.serde_parameters["paths"], "airline,day,delay,flights,on_time,seen", "{name}");
    }
}

#[test]
fn xml_rows() {
    let text = r#"<?xml version="1.0"?>
<catalog>
  <book id="1"><title>A &amp; B</title><price currency="EUR">12.50</price><tag>x</tag><tag>y</tag></book>
  <book id="2"><title>C</title><price currency="USD">7</price><tag>z</tag><out>2020-01-01</out></book>
</catalog>"#;
    let found = classify("books.xml", text).unwrap();
    assert_eq!(found.classification, "xml");
    assert_eq!(found.table_parameters["rowTag"], "book");
    assert_eq!(
        columns(&found),
        [
            "_id int",
            "title string",
            "price struct<_currency:string,_VALUE:double>",
            "tag array<string>",
            "out date",
        ]
    );
}

const NGINX: &str = "66.249.65.3 - order-service [06/Nov/2014:19:11:24 +0600] \"GET /user-service/api/users/234 HTTP/1.1\" 200 \"Machine (Apache-Http-Client; order-service)\"\n\
    66.249.65.3 - - [06/Nov/2014:19:12:14 +0600] \"POST /order-service/api HTTP/1.1\" 404 \"Mozilla/5.0 (X11)\"\n";
const GENERATED: &str = "192.168.16.16  - 34509dlkjg \"GET /api/v1/orders/{id}\" 200 [2022-09-15T13:43:01.005Z] \"Edge\"\n\
    <masked>  - user-service \"GET /api/v1/orders\" 500 [2022-09-15T13:43:02.105Z] \"Apache HTTP Client\"\n";

#[test]
fn both_access_logs() {
    let found = classify("access.log", NGINX).unwrap();
    assert_eq!(found.classification, "access-log");
    assert_eq!(
        columns(&found),
        [
            "remote_addr string",
            "remote_user string",
            "time_local string",
            "method string",
            "path string",
            "protocol string",
            "status int",
            "http_user_agent string",
        ]
    );
    assert_eq!(found.serde_library, "org.apache.hadoop.hive.serde2.RegexSerDe");
    let regex = Regex::new(&found.serde_parameters["input.regex"]).unwrap();
    let row = regex.captures(NGINX.lines().next().unwrap()).unwrap();
    let values: Vec<&str> = row.iter().skip(1).map(|value| value.unwrap().as_str()).collect();
    assert_eq!(
        values,
        [
            "66.249.65.3",
            "order-service",
            "06/Nov/2014:19:11:24 +0600",
            "GET",
            "/user-service/api/users/234",
            "HTTP/1.1",
            "200",
            "Machine (Apache-Http-Client; order-service)",
        ]
    );

    let found = classify("order-service-2022-09-15.txt", GENERATED).unwrap();
    assert_eq!(found.classification, "access-log");
    let regex = Regex::new(&found.serde_parameters["input.regex"]).unwrap();
    let row = regex.captures(GENERATED.lines().nth(1).unwrap()).unwrap();
    let values: Vec<Option<&str>> =
        row.iter().skip(1).map(|value| value.map(|value| value.as_str())).collect();
    assert_eq!(
        values,
        [
            Some("<masked>"),
            Some("user-service"),
            Some("GET"),
            Some("/api/v1/orders"),
            None,
            Some("500"),
            Some("2022-09-15T13:43:02.105Z"),
            Some("Apache HTTP Client"),
        ]
    );
}

#[test]
fn common_logs() {
    for (text, classification, column) in [
        (
            "127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /a.gif HTTP/1.0\" 200 2326 \"http://a.example/\" \"Mozilla/4.08 [en] (Win98)\"",
            "combined-log",
            "body_bytes_sent bigint",
        ),
        (
            "127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /a.gif HTTP/1.0\" 200 -",
            "common-log",
            "body_bytes_sent bigint",
        ),
        ("Oct 11 22:14:15 mymachine su[230]: 'su root' failed", "syslog", "program string"),
        (
            "<34>1 2003-10-11T22:14:15.003Z host.example su - ID47 - failed for lonvick",
            "syslog",
            "message_id string",
        ),
        (
            "https 2018-07-02T22:23:00.186641Z app/my-lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" ECDHE-RSA TLSv1.2 arn:aws:x \"Root=1-58\" \"www.example.com\" \"-\" 1",
            "alb-log",
            "elb_status_code int",
        ),
        (
            "2015-05-13T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 \"GET http://www.example.com:80/ HTTP/1.1\" \"curl/7.38.0\" - -",
            "elb-log",
            "backend string",
        ),
    ] {
        let found = classify("some.log", format!("{text}\n{text}\n")).unwrap();
        assert_eq!(found.classification, classification, "{text}");
        assert!(columns(&found).contains(&column.to_owned()), "{text}: {:?}", columns(&found));
        let regex = Regex::new(&found.serde_parameters["input.regex"]).unwrap();
        assert_eq!(regex.captures(text).unwrap().len() - 1, found.schema.columns.len(), "{text}");
    }
}

#[test]
fn logs_that_name_their_columns() {
    let text = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes cs(User-Agent)\n\
        2019-12-04\t21:02:31\tLAX1\t392\tcurl\n2019-12-05\t21:02:32\tLAX1\t-\tcurl\n";
    let found = classify("cloudfront.log", text).unwrap();
    assert_eq!(
        columns(&found),
        ["date date", "time string", "x_edge_location string", "sc_bytes int", "cs_user_agent string"]
    );
    assert_eq!(found.table_parameters["skip.header.line.count"], "2");
    assert_eq!(found.serde_parameters["field.delim"], "\t");
}

#[test]
fn a_name_that_promises_compression_but_holds_text() {
    let found = classify("plain.csv.gz", "id,x\n1,2\n3,4\n").unwrap();
    assert_eq!(found.compression, None);
    assert!(found.notes[0].contains("plain text"), "{:?}", found.notes);
}
