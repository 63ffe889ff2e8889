//! Rejected lines of every text format: each comes once and whole, with its number in the file, whatever is read of it.

use crate::support::{columns, decode, read_rejecting, table};
use formats::{Column, CsvSpec, DecodeOptions, DelimitedSpec, Format, FormatSpec, JsonSpec, OnError, split};

/// A file with good and bad lines.
struct Case {
    spec: FormatSpec,
    columns: Vec<Column>,
    text: String,
    rows: Vec<&'static str>,
    rejects: Vec<&'static str>,
}

fn csv(change: impl FnOnce(&mut CsvSpec)) -> FormatSpec {
    let mut csv = CsvSpec { escape: Some(b'\\'), ..CsvSpec::default() };
    change(&mut csv);
    FormatSpec { skip_header: 1, ..FormatSpec::new(Format::Csv(csv)) }
}

fn cases() -> Vec<Case> {
    let abc = || columns(&[("a", "integer"), ("b", "varchar"), ("c", "date")]);
    vec![
        Case {
            spec: csv(|_| {}),
            columns: abc(),
            text: concat!(
                "a,b,c\n1,x,2020-01-02\r\n2,y\n\n3,z,2020-01-03,\n4,\"q,\",\n\r\nfive,\"a\",2020-01-05\n",
                "6,\"open,2020-01-06\n7,o\"dd,2020-01-07\n8,o\"d,d\",x,y\n9,o\"dd\",no date\n10,b\\\"s,2020-01-10\n",
                "11,s,2020-13-11\neleven,s,2020-13-11\n12,\"\"\"w\"\"\",2020-01-12\nNA,n,2020-01-13"
            )
            .to_owned(),
            rows: vec![
                "1|x|2020-01-02",
                "4|q,|NULL",
                "10|b\"s|2020-01-10",
                "12|\"w\"|2020-01-12",
                "NULL|n|2020-01-13",
            ],
            rejects: vec![
                "3: it has fewer fields than there are columns <2,y>",
                "5: it has more fields than there are columns <3,z,2020-01-03,>",
                "8 a: is no integer of 32 bits <five,\"a\",2020-01-05>",
                "9: a quote is never closed in its line <6,\"open,2020-01-06>",
                "10: a quote is never closed in its line <7,o\"dd,2020-01-07>",
                "11: it has more fields than there are columns <8,o\"d,d\",x,y>",
                "12 c: is no date <9,o\"dd\",no date>",
                "14 c: is no date <11,s,2020-13-11>",
                "15 a: is no integer of 32 bits <eleven,s,2020-13-11>",
            ],
        },
        Case {
            spec: csv(|csv| csv.multiline = true),
            columns: abc(),
            text: concat!(
                "a,b,c\n1,\"two\nlines\",2020-01-02\n2,y\n3,\"three\n\nlines\",2020-01-03,\n\n4,\"d\n\",x\n5,z,\n",
                "six,\"\n\n\",\n7,o\"d\nd\",2020-13-01\n8,\"o\nd\"d,2020-01-08\n9,z,x\n10,\"never\nclosed,\n"
            )
            .to_owned(),
            rows: vec!["1|two\nlines|2020-01-02", "5|z|NULL", "8|o\nd\"d|2020-01-08"],
            rejects: vec![
                "4: it has fewer fields than there are columns <2,y>",
                "5: it has more fields than there are columns <3,\"three\n\nlines\",2020-01-03,>",
                "9 c: is no date <4,\"d\n\",x>",
                "12 a: is no integer of 32 bits <six,\"\n\n\",>",
                "15 c: is no date <7,o\"d\nd\",2020-13-01>",
                "19 c: is no date <9,z,x>",
                "20: a quote is never closed in its line <10,\"never\nclosed,\n>",
            ],
        },
        Case {
            spec: csv(|csv| csv.header_names = true),
            columns: columns(&[("a", "integer"), ("missing", "varchar"), ("C", "date")]),
            text: "c,other,b,A\n2020-01-01,x,y,1\n2020-01-02,x,y\nx,x,y,2\n,,,\n".to_owned(),
            rows: vec!["1|NULL|2020-01-01", "NULL|NULL|NULL"],
            rejects: vec![
                "3: it has fewer fields than there are columns <2020-01-02,x,y>",
                "4 C: is no date <x,x,y,2>",
            ],
        },
        Case {
            // An empty line is an empty field where there is one column only.
            spec: csv(|_| {}),
            columns: columns(&[("a", "integer")]),
            text: "a\n1\n\n2,3\n".to_owned(),
            rows: vec!["1", "NULL"],
            rejects: vec!["4: it has more fields than there are columns <2,3>"],
        },
        Case {
            spec: FormatSpec::new(Format::Delimited(DelimitedSpec {
                separators: *b"|;:4567\x08",
                escape: Some(b'\\'),
                ..DelimitedSpec::default()
            })),
            columns: columns(&[("a", "integer"), ("b", "varchar"), ("c", "array(integer)")]),
            text: "1|x|1;2\n2|y\n3|z\\|z|3\n\n4|w|4|5\r\n5|v|x;1\n\\N|\\N|\\N\nsix|u|\n".to_owned(),
            rows: vec!["1|x|[1, 2]", "3|z|z|[3]", "NULL|NULL|NULL"],
            rejects: vec![
                "2: it has fewer fields than there are columns <2|y>",
                "5: it has more fields than there are columns <4|w|4|5>",
                "6 c: is no integer <5|v|x;1>",
                "8 a: is no integer of 32 bits <six|u|>",
            ],
        },
        Case {
            spec: FormatSpec::new(Format::Json(JsonSpec::default())),
            columns: columns(&[("a", "integer"), ("b", "row(x integer)"), ("c", "varchar")]),
            text: concat!(
                "{\"a\":1,\"b\":{\"x\":1},\"c\":[1]}\n\n{\"a\":2,\"b\":{\"x\" 1}}\nno json\r\n{\"a\":3,\"b\":{\"x\":\"y\"}}\n",
                "{\"a\":\"four\",\"b\":7}\n{\"a\":5,\"c\":{\"y\":[1,}}\n{\"a\":6,\"z\":[{]}]}\n{\"a\":7} trailing\n{\"a\":8"
            )
            .to_owned(),
            rows: vec!["1|{x: 1}|[1]", "7|NULL|NULL"],
            rejects: vec![
                "3: a `:` is missing behind a key <{\"a\":2,\"b\":{\"x\" 1}}>",
                "4: it does not begin with `{` <no json>",
                "5 b: is no integer <{\"a\":3,\"b\":{\"x\":\"y\"}}>",
                "6 a: is no integer <{\"a\":\"four\",\"b\":7}>",
                "7: a value is missing <{\"a\":5,\"c\":{\"y\":[1,}}>",
                "8: a key in quotes is missing <{\"a\":6,\"z\":[{]}]}>",
                "10: a `,` or `}` is missing behind a value <{\"a\":8>",
            ],
        },
        Case {
            // Lines that the serde takes for rows of NULLs.
            spec: table(
                "org.openx.data.jsonserde.JsonSerDe",
                &[("ignore.malformed.json", "true")],
            ),
            columns: columns(&[("a", "integer")]),
            text: "{\"a\":1}\n[]\n\n{\"a\"}\n".to_owned(),
            rows: vec!["1"],
            rejects: vec!["2: it does not begin with `{` <[]>", "4: a `:` is missing behind a key <{\"a\"}>"],
        },
        Case {
            spec: table(
                "org.apache.hadoop.hive.serde2.RegexSerDe",
                &[("input.regex", r"(\S+) (\d+)x? ?(.*)")],
            ),
            columns: columns(&[("a", "varchar"), ("b", "tinyint"), ("c", "date")]),
            text: "x 1 \nno match\n\ny 300 2020-01-01\nz 3x 2020-01-03\nw 4 never\n".to_owned(),
            rows: vec!["x|1|NULL", "z|3|2020-01-03"],
            rejects: vec![
                "2: does not match the pattern <no match>",
                "4 b: does not fit the column's type <y 300 2020-01-01>",
                "6 c: is no date <w 4 never>",
            ],
        },
        Case {
            spec: table(
                "com.amazonaws.glue.serde.GrokSerDe",
                &[("input.format", "%{WORD:verb} %{INT:status}")],
            ),
            columns: columns(&[("status", "tinyint"), ("verb", "varchar")]),
            text: "GET 20\n-\n\nPUT 2000\nPOST 1\n".to_owned(),
            rows: vec!["20|GET", "1|POST"],
            rejects: vec![
                "2: does not match the pattern <->",
                "4 status: does not fit the column's type <PUT 2000>",
            ],
        },
    ]
}

fn all(case: &Case) -> Vec<usize> {
    (0..case.columns.len()).collect()
}

/// Missing values of scans are none to the decoders alone.
fn is_special(case: &Case) -> bool {
    case.text.contains("NA,n")
}

fn expected(case: &Case) -> (Vec<String>, Vec<String>) {
    let mut rows: Vec<String> = case.rows.iter().map(|row| (*row).to_owned()).collect();
    let mut rejects: Vec<String> = case.rejects.iter().map(|line| (*line).to_owned()).collect();
    if is_special(case) {
        rows.pop();
        rejects.push("17 a: is no integer of 32 bits <NA,n,2020-01-13>".to_owned());
    }
    (rows, rejects)
}

#[test]
fn lines_go_whole_with_their_numbers_wherever_the_file_is_cut() {
    for case in cases() {
        let bytes = case.text.as_bytes();
        let read = |cuts: &[usize], fetch: usize| {
            read_rejecting(&case.spec, &case.columns, &all(&case), bytes, cuts, fetch)
        };
        let whole = expected(&case);
        assert_eq!(read(&[], 1 << 20), whole);
        for cut in 1..bytes.len() {
            assert!(read(&[cut], 1 << 20) == whole, "cut at {cut}: {:#?}", read(&[cut], 1 << 20));
        }
        for parts in [3, 10, bytes.len()] {
            let borders = split(bytes.len() as u64, parts, 1);
            let cuts: Vec<usize> = borders.iter().skip(1).map(|range| range.start as usize).collect();
            assert!(read(&cuts, 1 << 20) == whole, "{parts} parts");
        }
    }
}

#[test]
fn lines_are_counted_far_into_a_file_too() {
    let spec = csv(|_| {});
    let columns = columns(&[("a", "integer"), ("b", "varchar")]);
    let text: String = (0..3000).map(|i| format!("{i},{}\n", "x".repeat(i % 41))).collect();
    let text = text.replace("\n77,", "\n77,,").replace("\n2222,", "\nx,").replace("\n2999,", "\n,,");
    let expected = [
        (78, format!(": it has more fields than there are columns <77,,{}>", "x".repeat(77 % 41))),
        (2223, format!(" a: is no integer of 32 bits <x,{}>", "x".repeat(2222 % 41))),
        (3000, format!(": it has more fields than there are columns <,,{}>", "x".repeat(2999 % 41))),
    ]
    .map(|(line, rest)| format!("{line}{rest}"));
    for parts in [1, 2, 5, 9] {
        let borders = split(text.len() as u64, parts, 1);
        let cuts: Vec<usize> = borders.iter().skip(1).map(|range| range.start as usize).collect();
        let (rows, rejects) = read_rejecting(&spec, &columns, &[0], text.as_bytes(), &cuts, 4096);
        assert_eq!((rows.len(), rejects), (3000 - 1 - 3, expected.to_vec()), "{parts} parts");
    }
}

#[test]
fn a_projection_changes_no_verdict_about_a_lines_form() {
    for case in cases() {
        let (_, rejects) = expected(&case);
        let is_form = |line: &&String| line.split(": ").next().is_some_and(|at| !at.contains(' '));
        let forms: Vec<&String> = rejects.iter().filter(is_form).collect();
        let count = case.rows.len() + case.rejects.len();
        for projection in (0..1usize << case.columns.len())
            .map(|set| (0..case.columns.len()).filter(|index| set >> index & 1 == 1).collect::<Vec<_>>())
        {
            let (rows, rejected) =
                read_rejecting(&case.spec, &case.columns, &projection, case.text.as_bytes(), &[], 1 << 20);
            let found: Vec<&String> = rejected.iter().filter(is_form).collect();
            assert_eq!(found, forms, "{projection:?}");
            // Whatever is read of it, every line comes out once.
            assert_eq!(rows.len() + rejected.len(), count, "{projection:?}");
            let numbers = |lines: &[String]| -> Vec<u64> {
                let number = |line: &String| line.split([' ', ':']).next().unwrap().parse().unwrap();
                lines.iter().map(number).collect()
            };
            let known = numbers(&rejects);
            assert!(
                numbers(&rejected).iter().all(|line| known.contains(line)),
                "{projection:?}: {rejected:#?}"
            );
        }
    }
}

#[test]
fn any_chunks_decode_the_same() {
    for case in cases() {
        let (expected, rejects) = expected(&case);
        for chunk in 1..case.text.len() {
            let options =
                DecodeOptions { on_error: OnError::Reject, batch_rows: 2, ..DecodeOptions::default() };
            let (batches, counted) =
                decode(&case.spec, &case.columns, case.text.as_bytes(), chunk, options).unwrap();
            assert_eq!(crate::support::rows(&batches), expected, "chunks of {chunk}");
            assert_eq!(counted.count, rejects.len() as u64);
        }
    }
}

#[test]
fn texts_that_mean_a_missing_value_reject_nothing() {
    let case = cases().swap_remove(0);
    let options = DecodeOptions { on_error: OnError::Reject, missing: &["NA"], ..DecodeOptions::default() };
    let (batches, counted) = decode(&case.spec, &case.columns, case.text.as_bytes(), 1000, options).unwrap();
    assert_eq!(crate::support::rows(&batches), case.rows);
    assert_eq!(counted.count, case.rejects.len() as u64);
    assert_eq!(counted.first[0].value, "2,y");
}

#[test]
fn rows_of_documents_are_numbered_as_rows() {
    let json = JsonSpec { documents: true, path: Some("$[*]".to_owned()), ..JsonSpec::default() };
    let columns = columns(&[("a", "integer")]);
    let text = "[\n{\"a\":\n1},\n{\"a\":\n\"x\"},\n{\"a\":3}, {\"a\" 4}]";
    let spec = FormatSpec::new(Format::Json(json));
    let (rows, rejects) = read_rejecting(&spec, &columns, &[0], text.as_bytes(), &[20], 4096);
    assert_eq!(rows, ["1", "3"]);
    assert_eq!(
        rejects,
        ["2 a: is no integer <{\"a\": \"x\"}>", "4: a `:` is missing behind a key <{\"a\" 4}>"]
    );
}

#[test]
fn numbers_of_lines_are_right_where_records_have_several() {
    // Also where mistakes become NULL or an error.
    let case = cases().swap_remove(1);
    let (_, rejects) =
        decode(&case.spec, &case.columns, case.text.as_bytes(), 1000, DecodeOptions::default()).unwrap();
    let mut lines: Vec<u64> = rejects.first.iter().map(|reject| reject.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [9, 12, 15, 19]);
}

#[test]
fn an_expression_that_takes_too_many_steps_rejects_its_line() {
    let spec = table("org.apache.hadoop.hive.serde2.RegexSerDe", &[("input.regex", r"(?=a)((?:a+)+)\1b")]);
    let text = format!("aab\n{}c\naaaab\n", "a".repeat(60));
    let (rows, rejects) =
        read_rejecting(&spec, &columns(&[("a", "varchar")]), &[0], text.as_bytes(), &[], 4096);
    assert_eq!(rows, ["a", "aa"]);
    assert_eq!(rejects, [format!("2: takes the expression too many steps <{}c>", "a".repeat(60))]);
}
