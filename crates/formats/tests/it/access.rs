//! Access logs of both shapes: what each line means, what is wrong with others, and that any cut reads the same.

use crate::support::{NAME, columns, decode, read_all, read_rejecting, rows, table};
use formats::{Column, DecodeOptions, FormatSpec, OnError, ReadOptions, access_log_columns};
use std::io::Write;
use std::sync::Arc;

fn spec() -> FormatSpec {
    FormatSpec::from_name("access-log").unwrap()
}

fn options(on_error: OnError) -> DecodeOptions {
    DecodeOptions { on_error, file: Arc::from(NAME), ..DecodeOptions::default() }
}

/// A line alone, read into all columns.
fn row(line: &str) -> Vec<String> {
    let columns = access_log_columns();
    let (batches, rejects) =
        decode(&spec(), &columns, line.as_bytes(), usize::MAX, options(OnError::Fail)).unwrap();
    assert_eq!(rejects.count, 0, "{line}");
    rows(&batches)
}

/// What each line means. The file is called after the `order-service`.
const LINES: &[(&str, &str)] = &[
    // A server's in front of services.
    (
        r#"66.249.65.3 - order-service [06/Nov/2014:19:11:24 +0600] "GET /user-service/api/users/234 HTTP/1.1" 200 "Machine (Apache-Http-Client; order-service)""#,
        "66.249.65.3|order-service|2014-11-06T13:11:24|GET|/user-service/api/users/234|HTTP/1.1|200|Machine (Apache-Http-Client; order-service)|order-service|user-service",
    ),
    // The user names the calling service where the agent does not.
    (
        r#"10.0.0.1 - billing [31/Dec/2014:23:30:00 -0130] "POST /user-service?x=/y HTTP/2" 404 "Machine (Apache-Http-Client)""#,
        "10.0.0.1|billing|2015-01-01T01:00:00|POST|/user-service?x=/y|HTTP/2|404|Machine (Apache-Http-Client)|billing|user-service",
    ),
    // External users, whatever their agent looks like.
    (
        r#"::1 - - [29/Feb/2020:00:00:00 +0000] "GET /user-service HTTP/1.1" 500 "Mozilla/5.0 (X11; Linux)""#,
        "::1|NULL|2020-02-29T00:00:00|GET|/user-service|HTTP/1.1|500|Mozilla/5.0 (X11; Linux)|NULL|user-service",
    ),
    (
        r#"::1 - anna [29/Feb/2020:00:00:00 +0000] "GET /a/b HTTP/1.1" 200 "Apache HTTP Client""#,
        "::1|anna|2020-02-29T00:00:00|GET|/a/b|HTTP/1.1|200|Apache HTTP Client|NULL|a",
    ),
    (
        r#"::1 - anna [29/Feb/2020:00:00:00 +0000] "GET /a/b HTTP/1.1" 200 "Machine (curl;x)""#,
        "::1|anna|2020-02-29T00:00:00|GET|/a/b|HTTP/1.1|200|Machine (curl;x)|NULL|a",
    ),
    (
        r#"::1 - anna [29/Feb/2020:00:00:00 +0000] "GET /a/b HTTP/1.1" 200 "Machine (curl; x) too""#,
        "::1|anna|2020-02-29T00:00:00|GET|/a/b|HTTP/1.1|200|Machine (curl; x) too|NULL|a",
    ),
    (
        r#"::1 - anna [29/Feb/2020:00:00:00 +0000] "GET /a/b HTTP/1.1" 200 "Machine (curl; x;y)""#,
        "::1|anna|2020-02-29T00:00:00|GET|/a/b|HTTP/1.1|200|Machine (curl; x;y)|x;y|a",
    ),
    (
        r#"::1 - - [29/Feb/2020:00:00:00 +0000] "GET /a/b HTTP/1.1" 200 "Machine ()""#,
        "::1|NULL|2020-02-29T00:00:00|GET|/a/b|HTTP/1.1|200|Machine ()|NULL|a",
    ),
    // Odd requests: spaces in the path, a dash for the protocol, no segment, no agent.
    (
        r#"::1 - anna [29/Feb/2020:00:00:00 +0000] "GET /a b/c d HTTP/1.1" 200 "-""#,
        "::1|anna|2020-02-29T00:00:00|GET|/a b/c d|HTTP/1.1|200|NULL|NULL|a",
    ),
    (
        r#"::1 - anna [29/Feb/2020:00:00:00 +0000] "- - -" 400 """#,
        "::1|anna|2020-02-29T00:00:00|NULL|NULL|NULL|400||NULL|NULL",
    ),
    (
        r#"::1 - anna [29/Feb/2020:00:00:00 +0000] "GET / " 200 "-""#,
        "::1|anna|2020-02-29T00:00:00|GET|/|NULL|200|NULL|NULL|NULL",
    ),
    // A service's own.
    (
        r#"192.168.16.16  - 34509dlkjg "GET /api/v1/orders/{id}" 200 [2022-09-15T13:43:01.005Z] "Edge""#,
        "192.168.16.16|34509dlkjg|2022-09-15T13:43:01.005|GET|/api/v1/orders/{id}|NULL|200|Edge|NULL|order-service",
    ),
    (
        r#"<masked>  - user-service "PUT /api/v1/orders" 503 [2022-09-15T13:43:02.1234567899+02:00] "Apache HTTP Client""#,
        "<masked>|user-service|2022-09-15T11:43:02.123|PUT|/api/v1/orders|NULL|503|Apache HTTP Client|user-service|order-service",
    ),
    (
        r#"<masked>  - - "PUT /é?"x" 503 [2022-09-15T13:43:02Z] "Apache HTTP Client""#,
        "<masked>|NULL|2022-09-15T13:43:02|PUT|/é?\"x|NULL|503|Apache HTTP Client|NULL|order-service",
    ),
    (
        r#"-  - anna "PUT /a" 503 [2022-09-15T13:43:02] "Machine (curl; x)""#,
        "NULL|anna|2022-09-15T13:43:02|PUT|/a|NULL|503|Machine (curl; x)|NULL|order-service",
    ),
];

/// Lines that are none, with what they are rejected for.
const WRONG: &[(&str, &str)] = &[
    ("nonsense", ": it does not begin with an address"),
    (" x - y", ": it does not begin with an address"),
    ("10.0.0.1 anna", ": no ` - ` stands behind the address"),
    (
        "10.0.0.1   - anna \"GET /a\" 200 [2022-09-15T13:43:02Z] \"Edge\"",
        ": no ` - ` stands behind the address",
    ),
    ("10.0.0.1 - anna", ": no user stands behind the address"),
    ("10.0.0.1 -  [x] \"GET / HTTP\" 200 \"Edge\"", ": no user stands behind the address"),
    (
        "10.0.0.1 - anna \"GET /a\" 200 [2022-09-15T13:43:02Z] \"Edge\"",
        ": its time does not stand in brackets",
    ),
    ("10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600 \"GET", ": a bracket is never closed"),
    ("10.0.0.1 - anna [] \"GET", ": its time does not stand in brackets"),
    ("10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] GET / 200", ": its request does not stand in quotes"),
    (
        "10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] \"GET\" 200",
        ": no path and protocol stand behind the method",
    ),
    ("10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] \"GET /a HTTP", ": the request's quote is never closed"),
    (
        "10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] \"GET /a HTTP/1.1\" 20 \"Edge\"",
        ": its status is not of three digits",
    ),
    (
        "10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] \"GET /a HTTP/1.1\" - \"Edge\"",
        ": its status is not of three digits",
    ),
    (
        "10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] \"GET /a HTTP/1.1\" 200 17 \"-\" \"Edge\"",
        ": its user agent does not stand in quotes",
    ),
    (
        "10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] \"GET /a HTTP/1.1\" 200 \"Ed",
        ": the user agent's quote is never closed",
    ),
    (
        "10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] \"GET /a HTTP/1.1\" 200 \"Edge\" 0.5",
        ": something stands behind the user agent",
    ),
    (
        "10.0.0.1  - anna \"GET /a HTTP/1.1\" 200 [2022-09-15T13:43:02Z] \"Edge\"",
        ": the request's quote is not closed behind the path",
    ),
    (
        "10.0.0.1  - anna \"GET /a\" 200 2022-09-15T13:43:02Z \"Edge\"",
        ": its time does not stand in brackets",
    ),
    ("10.0.0.1  - anna \"GET /a\" 200", ": a space is missing behind the status"),
    (
        "10.0.0.1 - anna [31/Nov/2014:19:11:24 +0600] \"GET /a HTTP/1.1\" 200 \"Edge\"",
        " time: is no timestamp",
    ),
    ("10.0.0.1 - anna [2022-09-15T13:43:02Z] \"GET /a HTTP/1.1\" 200 \"Edge\"", " time: is no timestamp"),
    ("10.0.0.1  - anna \"GET /a\" 200 [2022-09-15T25:43:02Z] \"Edge\"", " time: is no timestamp"),
    ("10.0.0.1  - anna \"GET /a\" 200 [06/Nov/2014:19:11:24 +0600] \"Edge\"", " time: is no timestamp"),
];

/// All lines, good and bad, with empty ones and other line ends between, and what should come of them.
fn mixed() -> (String, Vec<String>, Vec<String>) {
    let (mut text, mut good, mut bad, mut line) = (String::new(), Vec::new(), Vec::new(), 0);
    for i in 0..LINES.len().max(WRONG.len()) {
        if let Some((is, means)) = LINES.get(i) {
            text.push_str(&format!("{is}\r\n\n"));
            line += 2;
            good.push((*means).to_owned());
        }
        if let Some((is, why)) = WRONG.get(i) {
            text.push_str(&format!("{is}\n  \r\n"));
            line += 2;
            bad.push(format!("{}{why} <{is}>", line - 1));
        }
    }
    (text, good, bad)
}

#[test]
fn lines_mean_what_they_say() {
    let names: Vec<String> = access_log_columns().into_iter().map(|column| column.name).collect();
    assert_eq!(
        names.join("|"),
        "remote_addr|remote_user|time|method|path|protocol|status|user_agent|source|target"
    );
    for (line, means) in LINES {
        assert_eq!(row(line), [*means], "{line}");
    }
}

#[test]
fn any_cut_gives_the_same_rows_and_rejects() {
    let (text, good, bad) = mixed();
    let (columns, all) = (access_log_columns(), (0..10).collect::<Vec<_>>());
    let whole = (good, bad);
    let bytes = text.as_bytes();
    assert_eq!(read_rejecting(&spec(), &columns, &all, bytes, &[], 1 << 20), whole);
    for cut in (1..bytes.len()).step_by(3) {
        assert!(read_rejecting(&spec(), &columns, &all, bytes, &[cut], 1 << 20) == whole, "cut at {cut}");
    }
    for step in [1, 7, 100, 1000] {
        let cuts: Vec<usize> = (0..bytes.len()).step_by(step).skip(1).collect();
        assert!(read_rejecting(&spec(), &columns, &all, bytes, &cuts, 4096) == whole, "cut every {step}");
    }
    // Ranges of a packed file are all read by the first.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    let gzip = gzip.finish().unwrap();
    for cuts in [vec![], vec![gzip.len() / 2]] {
        assert_eq!(read_rejecting(&spec(), &columns, &all, &gzip, &cuts, 4096), whole);
    }
}

#[test]
fn a_projection_only_leaves_values_out() {
    let (text, good, bad) = mixed();
    let columns = access_log_columns();
    for projection in [vec![9, 2], vec![8, 9, 6], vec![2]] {
        let shown: Vec<String> = good
            .iter()
            .map(|row| {
                let values: Vec<&str> = row.split('|').collect();
                projection.iter().map(|index| values[*index]).collect::<Vec<_>>().join("|")
            })
            .collect();
        let (found, rejected) = read_rejecting(&spec(), &columns, &projection, text.as_bytes(), &[], 1 << 20);
        // Times that nobody reads are not looked at.
        if projection.contains(&2) {
            assert_eq!((found, rejected), (shown, bad.clone()));
        } else {
            assert_eq!(found.len(), shown.len() + 4);
            assert!(rejected.iter().eq(bad.iter().filter(|line| !line.contains(" time: "))));
        }
    }
    let (found, rejected) = read_rejecting(&spec(), &columns, &[], text.as_bytes(), &[100, 300], 4096);
    assert_eq!((found.len(), rejected.len()), (good.len() + 4, bad.len() - 4));
}

#[test]
fn malformed_lines_are_null_rows_errors_or_left_out() {
    let columns = access_log_columns();
    let text = format!("{}\n\nnonsense\n{}\n", LINES[0].0, WRONG[20].0);
    let read = |on_error| decode(&spec(), &columns, text.as_bytes(), 64, options(on_error));
    let (batches, rejects) = read(OnError::Null).unwrap();
    let no_time = "10.0.0.1|anna|NULL|GET|/a|HTTP/1.1|200|Edge|NULL|a";
    assert_eq!(rows(&batches), [LINES[0].1, ["NULL"; 10].join("|").as_str(), no_time]);
    assert_eq!(rejects.first.iter().map(|reject| reject.line).collect::<Vec<_>>(), [3, 4]);
    let (batches, rejects) = read(OnError::Collect(5)).unwrap();
    assert_eq!((rows(&batches).len(), rejects.count), (2, 2));
    let error = read(OnError::Fail).unwrap_err();
    assert_eq!(error.message(), "line 3 is no line of an access log: it does not begin with an address");
    let (batches, rejects) = read(OnError::Reject).unwrap();
    assert_eq!((rows(&batches).len(), rejects.count), (1, 2));
    let options = ReadOptions { on_error: OnError::Fail, ..ReadOptions::default() };
    let error = read_all(NAME, text, &spec(), &columns, &[0], options).unwrap_err();
    assert!(error.to_string().contains("order-service-2022-09-15.txt, row 3"), "{error}");
}

#[test]
fn columns_are_found_by_name_and_may_have_other_types() {
    let columns: Vec<Column> = columns(&[
        ("TARGET", "varchar(4)"),
        ("more", "integer"),
        ("Time", "timestamp(6)"),
        ("status", "varchar"),
        ("source", "varchar"),
    ]);
    let text: String = LINES.iter().map(|(line, _)| format!("{line}\n")).collect();
    let (batches, _) =
        decode(&spec(), &columns, text.as_bytes(), usize::MAX, options(OnError::Null)).unwrap();
    let found = rows(&batches);
    assert_eq!(found[0], "user|NULL|2014-11-06T13:11:24|200|order-service");
    assert_eq!(found[12], "orde|NULL|2022-09-15T11:43:02.123456|503|user-service");
    let columns = self::columns(&[("time", "varchar")]);
    let (batches, _) =
        decode(&spec(), &columns, text.as_bytes(), usize::MAX, options(OnError::Null)).unwrap();
    assert_eq!(rows(&batches)[0], "06/Nov/2014:19:11:24 +0600");
    // Tables may say it by their classification.
    let spec = FormatSpec::from_table(None, None, [], [("classification", "access-log")]).unwrap();
    assert_eq!(spec, self::spec());
}

#[test]
fn hostile_logs() {
    let columns = access_log_columns();
    let front = "10.0.0.1 - anna [06/Nov/2014:19:11:24 +0600] ";
    // Long lines, each of one kind of byte behind a good beginning.
    for begin in ["", "10.0.0.1 ", "10.0.0.1 - ", "10.0.0.1 - anna ", front, "10.0.0.1  - anna \"GET /"] {
        for piece in
            ["[", "]", "\"", " ", "\0", "a", "\u{1}\u{2}", "é", "\t", " - ", "\" 200 ", "] \"", "; )"]
        {
            let line = begin.to_owned() + &piece.repeat(200_000 / piece.len());
            for text in [line.clone(), line.clone() + "\n\n", format!("\n{line}\n{}", LINES[0].0)] {
                let good = usize::from(text.ends_with(LINES[0].0));
                let (batches, rejects) =
                    decode(&spec(), &columns, text.as_bytes(), 300_000, options(OnError::Reject)).unwrap();
                let blank = line.trim().is_empty();
                assert_eq!(
                    (rows(&batches).len(), rejects.count),
                    (good, u64::from(!blank)),
                    "{begin}{piece}"
                );
            }
        }
    }
    // What is handed over of such a line is cut.
    let long = "x".repeat(100_000);
    let (_, rejected) = read_rejecting(&spec(), &columns, &[0], long.as_bytes(), &[50_000], 4096);
    assert_eq!(rejected.len(), 1);
    assert!(rejected[0].len() > 65_536 && rejected[0].len() < 65_700);
    // Bytes that are no text are replaced, NULs are kept, in good lines.
    let odd = b"10.0.0.1  - an\xffna\0\x01 \"GET /\xc3\" 200 [2022-09-15T13:43:02Z] \"\xf0\x9f\"\n";
    let (batches, _) = decode(&spec(), &columns, odd, 10, options(OnError::Fail)).unwrap();
    assert_eq!(
        rows(&batches),
        [
            "10.0.0.1|an\u{fffd}na\0\u{1}|2022-09-15T13:43:02|GET|/\u{fffd}|NULL|200|\u{fffd}|NULL|order-service"
        ]
    );
    // A line longer than memory is meant for is refused.
    let options = DecodeOptions { max_line_bytes: 1000, ..options(OnError::Reject) };
    assert!(decode(&spec(), &columns, &[b'x'; 5000], 100, options).is_err());
    // The same table with expressions reads the same.
    let regex = table(
        "org.apache.hadoop.hive.serde2.RegexSerDe",
        &[("input.regex", r#"(\S+) - (\S+) \[([^\]]+)\] "(\S+) (.*) (\S+)" (\d{3}) "([^"]*)""#)],
    );
    let texts = self::columns(&[("remote_addr", "varchar"), ("remote_user", "varchar")]);
    let text: String = LINES[..5].iter().map(|(line, _)| format!("{line}\n")).collect();
    let read = |spec: &FormatSpec| {
        rows(&decode(spec, &texts, text.as_bytes(), 1000, self::options(OnError::Null)).unwrap().0)
    };
    assert_eq!(read(&regex)[0], read(&spec())[0]);
}
