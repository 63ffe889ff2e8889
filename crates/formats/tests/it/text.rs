//! Text formats against what Hive, Athena and Trino document.

use crate::support::{columns, decode, decoded, read_all, rows, table};
use formats::{Compression, DecodeOptions, FormatSpec, OnError, ReadOptions, split};
use std::io::Write;

const LAZY: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
const OPEN_CSV: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
const OPENX: &str = "org.openx.data.jsonserde.JsonSerDe";
const HIVE_JSON: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
const REGEX: &str = "org.apache.hadoop.hive.serde2.RegexSerDe";
const GROK: &str = "com.amazonaws.glue.serde.GrokSerDe";

#[test]
fn delimited_text_as_hive_has_it() {
    let spec = table(LAZY, &[("field.delim", ",")]);
    let columns = columns(&[("a", "integer"), ("b", "varchar"), ("c", "double"), ("d", "date")]);
    assert_eq!(
        decoded(&spec, &columns, "1,x,1.5,2020-01-02\r\n\\N,\\N,\\N,\\N\n2\n3,y,oops,1,extra\n\n4,,,"),
        [
            "1|x|1.5|2020-01-02",
            "NULL|NULL|NULL|NULL",
            "2|NULL|NULL|NULL",
            "3|y|NULL|NULL",
            // An empty line is an empty first field.
            "NULL|NULL|NULL|NULL",
            "4||NULL|NULL"
        ]
    );
}

#[test]
fn nested_delimited_text() {
    let spec = table(LAZY, &[("field.delim", ","), ("collection.delim", ";"), ("mapkey.delim", ":")]);
    let columns = columns(&[
        ("a", "array(integer)"),
        ("m", "map(varchar,integer)"),
        ("r", "row(x integer, y varchar)"),
        ("s", "varchar"),
    ]);
    assert_eq!(
        decoded(&spec, &columns, "1;2;x,k:1;l:\\N;m,7;seven,t\n\\N,,1,\n"),
        ["[1, 2, NULL]|{k: 1, l: NULL, m: NULL}|{x: 7, y: seven}|t", "NULL|NULL|{x: 1, y: NULL}|"]
    );
}

#[test]
fn escapes_in_delimited_text() {
    let spec = table(LAZY, &[("field.delim", ","), ("escape.delim", "\\")]);
    let columns = columns(&[("a", "varchar"), ("b", "varchar")]);
    assert_eq!(decoded(&spec, &columns, "x\\,y,back\\\\slash\n\\N,z\n"), ["x,y|back\\slash", "NULL|z"]);
}

#[test]
fn open_csv_rules() {
    let spec = table(OPEN_CSV, &[]);
    let columns = columns(&[
        ("a", "varchar"),
        ("b", "varchar"),
        ("n", "integer"),
        ("d", "date"),
        ("t", "timestamp(3)"),
    ]);
    assert_eq!(
        decoded(
            &spec,
            &columns,
            "\"x, y\",\"say \"\"hi\"\"\",5,18276,1579059880000\n plain ,a\\b,\"6\",2020-01-15,2020-01-15 03:44:40\n\"open,never\n,,,,\n"
        ),
        [
            "x, y|say \"hi\"|5|2020-01-15|2020-01-15T03:44:40",
            " plain |ab|6|2020-01-15|2020-01-15T03:44:40",
            "NULL|NULL|NULL|NULL|NULL",
            "||NULL|NULL|NULL"
        ]
    );
}

#[test]
fn csv_quotes_over_lines_and_names_in_the_header() {
    let mut spec = FormatSpec::from_name("csv").unwrap();
    let formats::Format::Csv(csv) = &mut spec.format else { panic!("csv") };
    csv.multiline = true;
    csv.header_names = true;
    spec.skip_header = 1;
    let columns = columns(&[("a", "varchar"), ("b", "integer"), ("missing", "integer")]);
    let text = "B,other,A\n1,x,\"two\nlines\"\n2,y,\"q\"\"q\"\n";
    for chunk in 1..text.len() {
        let (batches, _) = decode(&spec, &columns, text.as_bytes(), chunk, DecodeOptions::default()).unwrap();
        assert_eq!(rows(&batches), ["two\nlines|1|NULL", "q\"q|2|NULL"], "chunks of {chunk}");
    }
}

#[test]
fn openx_json_rules() {
    let spec = table(
        OPENX,
        &[("mapping.ts", "@timestamp"), ("dots.in.keys", "true"), ("ignore.malformed.json", "true")],
    );
    let columns = columns(&[
        ("Name", "varchar"),
        ("n", "integer"),
        ("a_b", "double"),
        ("ts", "timestamp(3)"),
        ("obj", "varchar"),
        ("r", "row(x integer, y array(varchar))"),
        ("m", "map(varchar,bigint)"),
    ]);
    let text = concat!(
        r#"{"NAME":"a\u00e9\n\"","N":"12","a.b":1e3,"@timestamp":"2021-09-09T12:15:02.001Z","OBJ":{"k": [1]},"r":{"Y":["p",2],"x":1},"m":{"k":1,"k":2}}"#,
        "\n",
        r#"{"name":12.50,"n":1.9,"@timestamp":1631189702,"obj":[1, 2],"skip":{"deep":[{}]},"r":null,"m":{}} trailing"#,
        "\nno json\n{\"name\":\"cut\n"
    );
    assert_eq!(
        decoded(&spec, &columns, text),
        [
            "aé\n\"|12|1000.0|2021-09-09T12:15:02.001|{\"k\": [1]}|{x: 1, y: [p, 2]}|{k: 2}",
            "12.50|1|NULL|2021-09-09T12:15:02|[1, 2]|NULL|{}",
            "NULL|NULL|NULL|NULL|NULL|NULL|NULL",
            "NULL|NULL|NULL|NULL|NULL|NULL|NULL"
        ]
    );
}

#[test]
fn malformed_json_is_an_error_or_collected() {
    let spec = table(HIVE_JSON, &[]);
    let columns = columns(&[("a", "integer")]);
    let text = b"{\"a\":1}\n\n{\"a\":2\n{\"a\":3}\n";
    let error = decode(&spec, &columns, text, 1000, DecodeOptions::default()).unwrap_err();
    assert!(error.message().contains("line 3 is no JSON object"), "{error}");
    let options = DecodeOptions { on_error: OnError::Collect(5), ..DecodeOptions::default() };
    let (batches, rejects) = decode(&spec, &columns, text, 1000, options).unwrap();
    assert_eq!(rows(&batches), ["1", "3"]);
    assert_eq!((rejects.count, rejects.first[0].line, rejects.first[0].value.as_str()), (1, 3, "{\"a\":2"));
}

#[test]
fn regular_expressions_and_grok() {
    let spec = table(REGEX, &[("input.regex", r#"(\S+) - (\S+) \[([^\]]*)\] "([^"]*)" (\d+) "([^"]*)""#)]);
    let log = "66.249.65.3 - order-service [06/Nov/2014:19:11:24 +0600] \"GET /x HTTP/1.1\" 200 \"Machine\"\nnothing\n";
    let names = [
        ("ip", "varchar"),
        ("who", "varchar"),
        ("at", "varchar"),
        ("request", "varchar"),
        ("status", "integer"),
    ];
    let columns = columns(&names);
    let expected = [
        "66.249.65.3|order-service|06/Nov/2014:19:11:24 +0600|GET /x HTTP/1.1|200",
        "NULL|NULL|NULL|NULL|NULL",
    ];
    assert_eq!(decoded(&spec, &columns, log), expected);
    let pattern = "%{IP:ip} - %{NOTSPACE:who} \\[%{HTTPDATE:at}\\] \"%{DATA:request}\" %{INT:status} %{QS}";
    assert_eq!(decoded(&table(GROK, &[("input.format", pattern)]), &columns, log), expected);
    // CloudFront's expression begins with a lookahead.
    let spec = table(REGEX, &[("input.regex", r"^(?!#)(\S+)\s+(\S+)$")]);
    assert_eq!(decoded(&spec, &columns[..2], "#c d\na b\n"), ["NULL|NULL", "a|b"]);
}

#[test]
fn headers_footers_and_the_byte_order_mark() {
    let mut spec = table(
        LAZY,
        &[("field.delim", ","), ("skip.header.line.count", "2"), ("skip.footer.line.count", "1")],
    );
    let columns = columns(&[("a", "varchar")]);
    let text = "\u{feff}h1\nh2\nx\ny\nfooter\n";
    for chunk in 1..text.len() {
        if chunk >= 3 {
            let (batches, _) =
                decode(&spec, &columns, text.as_bytes(), chunk, DecodeOptions::default()).unwrap();
            assert_eq!(rows(&batches), ["x", "y"], "chunks of {chunk}");
        }
    }
    spec.skip_footer = 9;
    assert!(decoded(&spec, &columns, text).is_empty());
}

#[test]
fn ranges_have_every_line_once() {
    let text: String = (0..200).map(|i| format!("{i},{}\n", "x".repeat(i % 17))).collect();
    let columns = columns(&[("i", "integer"), ("x", "varchar")]);
    let whole = decoded(&table(LAZY, &[("field.delim", ",")]), &columns, &text);
    let spec = table(LAZY, &[("field.delim", ","), ("skip.header.line.count", "1")]);
    for parts in (1..60).step_by(3) {
        let mut found = Vec::new();
        for range in split(text.len() as u64, parts, 1) {
            let options = ReadOptions { range: Some(range), fetch_bytes: 4096, ..ReadOptions::default() };
            let batches = read_all("t.csv", text.clone(), &spec, &columns, &[0, 1], options).unwrap();
            found.extend(rows(&batches));
        }
        assert_eq!(found, whole[1..], "{parts} parts");
    }
}

#[test]
fn compressed_files() {
    let text: String = (0..4_000).map(|i| format!("{i},name {}\n", i % 7)).collect();
    let columns = columns(&[("i", "integer"), ("x", "varchar")]);
    let spec = table(LAZY, &[("field.delim", ",")]);
    let whole = decoded(&spec, &columns, &text);
    let gzip = |part: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(part.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    let (left, right) = text.split_at(text.len() / 2);
    let mut framed = snap::write::FrameEncoder::new(Vec::new());
    framed.write_all(text.as_bytes()).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(text.as_bytes()).unwrap();
    let mut bzip = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip.write_all(text.as_bytes()).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(text.as_bytes()).unwrap();
    let files = [
        ("a.gz", [gzip(left), gzip(right)].concat(), Compression::Gzip),
        (
            "a.zst",
            [zstd::encode_all(left.as_bytes(), 1).unwrap(), zstd::encode_all(right.as_bytes(), 1).unwrap()]
                .concat(),
            Compression::Zstd,
        ),
        ("a.bz2", bzip.finish().unwrap(), Compression::Bzip2),
        ("a.snappy", framed.into_inner().unwrap(), Compression::Snappy),
        ("b.snappy", hadoop_snappy(text.as_bytes()), Compression::Snappy),
        ("a.lz4", lz4.finish().unwrap(), Compression::Lz4),
        ("a.deflate", zlib.finish().unwrap(), Compression::Deflate),
    ];
    for (name, bytes, compression) in files {
        assert_eq!(Compression::detect(name, &bytes[..16]), compression, "{name}");
        for fetch_bytes in [4096, 1 << 20] {
            let options = ReadOptions { fetch_bytes, ..ReadOptions::default() };
            let batches = read_all(name, bytes.clone(), &spec, &columns, &[0, 1], options).unwrap();
            assert!(rows(&batches) == whole, "{name} differs");
        }
        // Only its first range has rows, and has them all.
        let parts = split(bytes.len() as u64, 3, 1).into_iter().flat_map(|range| {
            let options = ReadOptions { range: Some(range), ..ReadOptions::default() };
            rows(&read_all("unnamed", bytes.clone(), &spec, &columns, &[0, 1], options).unwrap())
        });
        if Compression::detect("unnamed", &bytes[..16]) == compression {
            assert!(parts.collect::<Vec<_>>() == whole, "{name} in parts differs");
        }
        // Cut anywhere it is an error, not fewer rows.
        for cut in [bytes.len() - 1, bytes.len() / 2, 20] {
            let read = read_all(name, bytes[..cut].to_vec(), &spec, &columns, &[0], ReadOptions::default());
            assert!(read.is_err(), "{name} cut at {cut} of {}", bytes.len());
        }
    }
}

/// Hadoop's blocks: the plain length, then pieces with their lengths.
fn hadoop_snappy(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for block in text.chunks(10_000) {
        out.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
        for piece in block.chunks(6_000) {
            let packed = snap::raw::Encoder::new().compress_vec(piece).unwrap();
            out.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
            out.extend(packed);
        }
    }
    out
}

#[test]
fn rejects_say_line_column_and_value() {
    let spec = table(LAZY, &[("field.delim", ",")]);
    let columns = columns(&[("a", "integer"), ("b", "date")]);
    let (_, rejects) =
        decode(&spec, &columns, b"1,2020-01-01\nx,y\n3,2020-13-01\n", 5, DecodeOptions::default()).unwrap();
    let found: Vec<_> =
        rejects.first.iter().map(|r| (r.line, r.column.as_deref().unwrap(), r.value.as_str())).collect();
    assert_eq!(found, [(2, "a", "x"), (2, "b", "y"), (3, "b", "2020-13-01")]);
    let options = DecodeOptions { on_error: OnError::Fail, ..DecodeOptions::default() };
    let error = decode(&spec, &columns, b"1,2020-01-01\nx,y\n", 50, options).unwrap_err();
    assert!(error.message().contains("\"x\" is no integer of 32 bits (line 2, column `a`)"), "{error}");
}

#[test]
fn only_what_is_asked_for_in_its_order() {
    let spec = table(LAZY, &[("field.delim", ",")]);
    let columns = columns(&[("a", "integer"), ("b", "varchar"), ("c", "integer")]);
    let read = |projection: &[usize]| {
        read_all("t", "1,x,3\n4,y,6\n", &spec, &columns, projection, ReadOptions::default()).unwrap()
    };
    assert_eq!(rows(&read(&[2, 0])), ["3|1", "6|4"]);
    assert_eq!(rows(&read(&[1, 1])), ["x|x", "y|y"]);
    let counted = read(&[]);
    assert_eq!((counted[0].num_columns(), counted[0].num_rows()), (0, 2));
}

#[test]
fn hostile_text() {
    let columns = columns(&[("a", "varchar"), ("b", "integer")]);
    let lazy = table(LAZY, &[("field.delim", ",")]);
    // Invalid UTF-8 is replaced; NULs are characters like others.
    let (batches, _) =
        decode(&lazy, &columns, b"a\xff\xfeb,1\nx\0y,2\n", 100, DecodeOptions::default()).unwrap();
    assert_eq!(rows(&batches), ["a\u{fffd}\u{fffd}b|1", "x\0y|2"]);
    // A line without an end is refused before it fills the memory.
    let endless = vec![b'x'; 3 << 16];
    let options = DecodeOptions { max_line_bytes: 1 << 16, ..DecodeOptions::default() };
    let error = decode(&lazy, &columns, &endless, 1 << 12, options.clone()).unwrap_err();
    assert!(error.message().contains("line 1 is longer than 65536 bytes"), "{error}");
    // So is a quote that is never closed, where quotes may go over lines.
    let mut csv = FormatSpec::from_name("csv").unwrap();
    if let formats::Format::Csv(options) = &mut csv.format {
        options.multiline = true;
    }
    let open: Vec<u8> =
        b"1,\"".iter().copied().chain(b"text,\n".iter().copied().cycle().take(3 << 16)).collect();
    assert!(decode(&csv, &columns, &open, 1 << 14, options.clone()).is_err());
    // Objects within objects end the line, not the process.
    let json = table(HIVE_JSON, &[]);
    let nested = columns_of_nested();
    let deep = format!("{{\"a\":{}1}}\n", "[".repeat(100_000));
    assert!(decode(&json, &nested, deep.as_bytes(), 1 << 20, DecodeOptions::default()).is_err());
}

fn columns_of_nested() -> Vec<formats::Column> {
    columns(&[("a", "array(array(integer))")])
}
