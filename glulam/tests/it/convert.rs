//! Converting files: every format into every other, folders, queries, refusals, and nothing half-written. What is written
//! is read back by pyarrow and Python's own readers.

use crate::home::{Home, LONG};
use std::path::Path;
use std::process::Command;
use testkit::Process;

/// The rows of a file as pyarrow (or Python's csv and json) reads it: one line each, `name=value` sorted by name.
const READER: &str = r#"
import bz2, csv, gzip, io, json, sys
import pyarrow as pa, pyarrow.orc, pyarrow.parquet, pyarrow.ipc
path = sys.argv[1]
def text(path):
    if path.endswith('.gz'): return gzip.open(path, 'rt', newline='').read()
    if path.endswith('.bz2'): return bz2.open(path, 'rt', newline='').read()
    if path.endswith('.zst'):
        with pa.input_stream(path, compression='zstd') as stream: return stream.read().decode()
    return open(path, newline='').read()
stem = path
for ending in ('.gz', '.bz2', '.zst'):
    stem = stem.removesuffix(ending)
if stem.endswith('.parquet'): rows = pa.parquet.ParquetFile(path).read().to_pylist()
elif stem.endswith('.orc'): rows = pa.orc.read_table(path).to_pylist()
elif stem.endswith('.arrow'): rows = pa.ipc.open_file(path).read_all().to_pylist()
elif stem.endswith('.json'): rows = [json.loads(line) for line in text(path).splitlines()]
else: rows = list(csv.DictReader(io.StringIO(text(path)), delimiter='\t' if stem.endswith('.tsv') else ','))
for row in rows:
    print('|'.join(f'{k}={row[k]}' for k in row))
"#;

fn read(path: &Path) -> Vec<String> {
    let program = testkit::venv().join("bin/python");
    let finished = Process::start(Command::new(program).args(["-c", READER]).arg(path)).wait(LONG);
    assert_eq!(finished.code, Some(0), "{}: {}", path.display(), finished.stderr);
    finished.stdout.lines().map(str::to_owned).collect()
}

const ORDERS: &str = "Id,name,price,day\n1,\"Ann, \"\"A\"\"\",1.5,2026-01-02\n2,Bo,,2026-01-03\n3,,-2.25,\n";

fn refused<const N: usize>(home: &Home, code: i32, arguments: [&str; N]) -> String {
    let finished = home.run(arguments);
    assert_eq!(finished.code, Some(code), "{arguments:?}\n{}{}", finished.stdout, finished.stderr);
    finished.stderr
}

/// The names in a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n != "glulam-data")
        .collect();
    names.sort();
    names
}

#[test]
fn every_format_becomes_every_other() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    let typed = [
        "Id=1|name=Ann, \"A\"|price=1.5|day=2026-01-02",
        "Id=2|name=Bo|price=None|day=2026-01-03",
        "Id=3|name=None|price=-2.25|day=None",
    ];
    let untyped = [
        "Id=1|name=Ann, \"A\"|price=1.5|day=2026-01-02",
        "Id=2|name=Bo|price=|day=2026-01-03",
        "Id=3|name=|price=-2.25|day=",
    ];
    let mut last = "orders.csv".to_owned();
    for (to, expected) in [
        ("a.parquet", typed),
        ("b.orc", typed),
        ("c.json", typed),
        ("d.json.gz", typed),
        ("e.csv.zst", untyped),
        ("f.tsv.bz2", untyped),
        ("g.avro", typed),
        ("h.csv.lz4", untyped),
        ("i.json.snappy", typed),
        ("j.arrow", typed),
    ] {
        let account = home.json(["convert", &last, to]);
        assert_eq!((account["rows"].as_u64(), account["files"].as_u64()), (Some(3), Some(1)), "{to}");
        // Python has no reader for these here: they are judged by what they become next.
        if ![".avro", ".snappy", ".lz4"].iter().any(|ending| to.ends_with(ending)) {
            assert_eq!(read(&home.path().join(to)), expected, "{last} to {to}");
        }
        last = if to.ends_with(".arrow") { last } else { to.to_owned() };
    }
    assert_eq!(home.json(["runs"])[0]["kind"], "convert");
}

#[test]
fn folders_partitions_and_patterns() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    home.succeed(["convert", "orders.csv", "out", "--to", "parquet", "--partition-by", "day"]);
    assert_eq!(
        names(&home.path().join("out")),
        ["day=2026-01-02", "day=2026-01-03", "day=__HIVE_DEFAULT_PARTITION__"]
    );
    // The folders become a column again, with its type.
    let account = home.json(["convert", "out", "back.csv", "--select", "SELECT * FROM input ORDER BY id"]);
    assert_eq!(account["columns"][3], "day date");
    assert_eq!(account["files_in"], 3);
    assert_eq!(read(&home.path().join("back.csv"))[1], "Id=2|name=Bo|price=|day=2026-01-03");
    let pattern = home.json(["convert", "out/day=2026*/*.parquet", "two.json"]);
    assert_eq!(pattern["rows"], 2);
    let excluded = home.json(["convert", "out", "one.json", "--exclude", "day=2026**"]);
    assert_eq!(excluded["rows"], 1);
    // Several inputs, into the lake and out of it.
    home.succeed([
        "convert",
        "back.csv",
        "orders.csv",
        "s3://raw/all/",
        "--to",
        "json",
        "--compression",
        "gzip",
    ]);
    let from_lake = home.json([
        "convert",
        "s3://raw/all/",
        "s3://raw/sum.parquet",
        "--select",
        "SELECT count(*) AS n, sum(price) AS total FROM input",
    ]);
    assert_eq!(from_lake["rows"], 1);
    assert_eq!(read(&home.bucket("raw").join("sum.parquet")), ["n=6|total=-1.5"]);
    home.succeed(["crawl", "s3://raw/all/", "--database", "d"]);
    assert_eq!(home.succeed(["sql", "SELECT count(*) AS n FROM d.\"all\"", "--format", "csv"]), "n\n6\n");
}

#[test]
fn what_is_there_is_not_lost() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    home.write("b.parquet", "precious");
    assert!(refused(&home, 4, ["convert", "orders.csv", "b.parquet"]).contains("--overwrite"));
    assert_eq!(std::fs::read_to_string(home.path().join("b.parquet")).unwrap(), "precious");
    home.succeed(["convert", "orders.csv", "b.parquet", "--overwrite"]);
    assert_eq!(read(&home.path().join("b.parquet")).len(), 3);
    // A folder is replaced as a whole, unless there is more in it than data.
    home.succeed(["convert", "orders.csv", "out/", "--to", "csv"]);
    assert!(refused(&home, 4, ["convert", "orders.csv", "out/", "--to", "json"]).contains("--overwrite"));
    home.succeed(["convert", "out/", "out/", "--to", "json", "--overwrite"]);
    assert_eq!(names(&home.path().join("out")), ["part_00000.json"]);
    home.write("out/thesis.odt", "years of work");
    let error = refused(&home, 4, ["convert", "orders.csv", "out/", "--to", "csv", "--overwrite"]);
    assert!(error.contains("thesis.odt"), "{error}");
    assert_eq!(names(&home.path().join("out")), ["part_00000.json", "thesis.odt"]);
    home.succeed(["convert", "orders.csv", "s3://raw/t/", "--to", "csv"]);
    assert!(
        refused(&home, 4, ["convert", "orders.csv", "s3://raw/t/", "--to", "json"]).contains("s3://raw/t/")
    );
    home.succeed(["convert", "orders.csv", "s3://raw/t/", "--to", "json", "--overwrite"]);
    assert_eq!(names(&home.bucket("raw").join("t")), ["part_00000.json"]);
    assert_eq!(names(home.path()), ["b.parquet", "orders.csv", "out"]);
}

#[test]
fn values_that_do_not_fit_are_told_with_file_row_and_column() {
    let home = Home::new();
    let mut text = "id,amount,note\n".to_owned();
    let note = "n".repeat(60);
    for i in 0..120_000 {
        text.push_str(&format!("{i},{},{note}\n", i * 2));
    }
    // Far behind what is looked at, and in a part of the file that is read by itself.
    text.push_str("120000,twelve,\n");
    home.write("big.csv", &text);
    let error = refused(&home, 2, ["convert", "big.csv", "big.parquet"]);
    assert!(error.contains("big.csv") && error.contains("twelve"), "{error}");
    assert!(error.contains("row 120002") && error.contains("amount"), "{error}");
    assert_eq!(names(home.path()), ["big.csv"]);
    let lenient = home.json(["convert", "big.csv", "null.parquet", "--lenient"]);
    assert_eq!(lenient["rows"], 120_001);
    let strings = home.json(["convert", "big.csv", "text.parquet", "--as-strings"]);
    assert_eq!(strings["columns"], serde_json::json!(["id varchar", "amount varchar", "note varchar"]));
    let last = home.json([
        "convert",
        "text.parquet",
        "last.json",
        "--select",
        "SELECT * FROM input WHERE amount = 'twelve'",
    ]);
    assert_eq!(last["rows"], 1);
    // The order of the rows is kept, however many threads read.
    home.succeed(["convert", "text.parquet", "again.csv"]);
    assert!(std::fs::read_to_string(home.path().join("again.csv")).unwrap() == text);

    home.write("wide.csv", &format!("a,b\n{}1,2,3\n", "1,2\n".repeat(20_001)));
    let error = refused(&home, 2, ["convert", "wide.csv", "wide.json"]);
    assert!(error.contains("20003") && error.contains("more fields"), "{error}");
    home.write("open.csv", &format!("a,b\n{}1,\"two\n\n", "1,\"x\"\n".repeat(20_001)));
    let error = refused(&home, 2, ["convert", "open.csv", "open.json"]);
    assert!(error.contains("20003") && error.contains("never closed"), "{error}");
    let cut = std::fs::read(home.path().join("null.parquet")).unwrap();
    std::fs::write(home.path().join("cut.parquet"), &cut[..cut.len() / 2]).unwrap();
    let error = refused(&home, 1, ["convert", "cut.parquet", "cut.csv"]);
    assert!(error.contains("cut.parquet"), "{error}");
}

#[test]
fn fields_that_come_late_are_not_dropped() {
    let home = Home::new();
    for (name, late, field) in [
        ("top", r#"{"id": 9, "at": {"x": 1}, "extra": "here"}"#, "extra"),
        ("nested", r#"{"id": 9, "at": {"x": 1, "depth": 2}}"#, "depth"),
    ] {
        let text = format!("{}{late}\n", "{\"id\": 1, \"at\": {\"x\": 1}}\n".repeat(20_001));
        let (from, to) = (format!("{name}.json"), format!("{name}.parquet"));
        home.write(&from, &text);
        let error = refused(&home, 2, ["convert", &from, &to]);
        assert!(error.contains(field) && error.contains("20002"), "{error}");
        assert_eq!(home.json(["convert", &from, &to, "--lenient"])["rows"], 20_002);
    }
    // What is looked at early, or left out on purpose, is no mistake.
    home.write("early.json", "{\"id\": 1}\n{\"id\": 2, \"extra\": \"here\"}\n");
    home.succeed(["convert", "early.json", "early.parquet", "--select", "SELECT id FROM input"]);
}

#[test]
fn documents_lines_and_odd_csv() {
    let home = Home::new();
    home.write(
        "api.json",
        "{\"page\": 1, \"records\": [\n {\"a\": 1, \"b\": {\"c\": [1, 2]}},\n {\"a\": 2}\n]}",
    );
    home.succeed(["convert", "api.json", "api.csv", "--json-path", "$.records[*]"]);
    assert_eq!(read(&home.path().join("api.csv")), ["a=1|b={\"c\":[1,2]}", "a=2|b="]);
    let error = refused(&home, 3, ["convert", "api.json", "no.csv", "--json-path", "$.recrods[*]"]);
    assert!(error.contains("leads to nothing"), "{error}");
    home.write("array.json", "[\n{\"a\": 1},\n{\"a\": 2}\n]\n");
    home.succeed(["convert", "array.json", "array.parquet"]);
    assert_eq!(read(&home.path().join("array.parquet")), ["a=1", "a=2"]);
    home.write("app.txt", "INFO 7 started\nWARN 8 slow\n");
    home.succeed(["convert", "app.txt", "app.json", "--regex", "(?<level>[A-Z]+) ([0-9]+) (?<text>.*)"]);
    assert_eq!(read(&home.path().join("app.json"))[1], "level=WARN|col1=8|text=slow");
    home.succeed([
        "convert",
        "app.txt",
        "grok.json",
        "--grok",
        "%{WORD:level} %{INT:code:int} %{GREEDYDATA:text}",
    ]);
    assert_eq!(read(&home.path().join("grok.json"))[0], "level=INFO|code=7|text=started");
    home.succeed(["convert", "app.txt", "lines.json", "--from", "text"]);
    assert_eq!(read(&home.path().join("lines.json"))[0], "line=INFO 7 started");
    home.write(
        "user-service-2026-03-02.txt",
        "10.0.0.1 - anna [02/Mar/2026:13:43:01 +0100] \"GET /order-service/x HTTP/1.1\" 200 \"Machine (c; stock)\"\n\
         <masked>  - order-service \"GET /x\" 503 [2026-03-02T13:43:01.005Z] \"Apache HTTP Client\"\n",
    );
    home.succeed([
        "convert",
        "user-service-2026-03-02.txt",
        "log.csv",
        "--from",
        "access-log",
        "--select",
        "SELECT time, status, source, target FROM input",
    ]);
    assert_eq!(
        read(&home.path().join("log.csv")),
        [
            "time=2026-03-02 12:43:01|status=200|source=stock|target=order-service",
            "time=2026-03-02 13:43:01.005|status=503|source=order-service|target=user-service"
        ]
    );
    home.write("broken-2026-03-02.txt", "10.0.0.1 - anna\n");
    let error = refused(&home, 2, ["convert", "broken-2026-03-02.txt", "no.csv", "--from", "access-log"]);
    assert!(error.contains("row 1") && error.contains("no user stands behind"), "{error}");
    home.write("odd.csv", "1;'a;b'\n2;'c\nd'\n");
    home.succeed([
        "convert",
        "odd.csv",
        "odd.json",
        "--delimiter",
        ";",
        "--quote",
        "'",
        "--no-header",
        "--multiline",
    ]);
    assert_eq!(read(&home.path().join("odd.json")), ["col0=1|col1=a;b", "col0=2|col1=c", "d"]);
    home.succeed([
        "convert",
        "app.json",
        "app.psv",
        "--to",
        "csv",
        "--out-delimiter",
        "|",
        "--out-no-header",
    ]);
    assert_eq!(names(&home.path().join("app.psv")), ["part_00000.csv"]);
    // No rows are an output too, with its columns.
    home.succeed([
        "convert",
        "app.json",
        "none.csv",
        "--select",
        "SELECT level FROM input WHERE level = 'X'",
    ]);
    assert_eq!(std::fs::read_to_string(home.path().join("none.csv")).unwrap(), "level\n");
}

#[test]
fn mistakes_are_refused_before_anything_is_written() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    home.write("nested.json", "{\"m\": {\"x\": [1.5]}}\n");
    let before = names(home.path());
    for (code, words, arguments) in [
        (3, "no file", vec!["nowhere.csv", "a.parquet"]),
        (2, "--to", vec!["orders.csv", "a"]),
        (2, "did you mean `parquet`", vec!["orders.csv", "a", "--to", "parqet"]),
        (3, "did you mean `day`", vec!["orders.csv", "a", "--to", "csv", "--partition-by", "dya"]),
        (3, "did you mean `price`", vec!["orders.csv", "a.csv", "--select", "SELECT prise FROM input"]),
        (2, "must be a query", vec!["orders.csv", "a.csv", "--select", "DROP TABLE input"]),
        (2, "not json", vec!["orders.csv", "a.parquet", "--from", "json"]),
        (2, "as a whole", vec!["orders.csv", "a.parquet.gz"]),
        (2, "choose", vec!["nested.json", "a.orc"]),
        (2, "one character", vec!["orders.csv", "a.json", "--delimiter", "ab"]),
        (2, "option of CSV", vec!["nested.json", "a.csv", "--from", "json", "--header"]),
        (2, "one table", vec!["orders.csv", "nested.json", "a.csv"]),
        (2, "size", vec!["orders.csv", "a", "--to", "csv", "--max-file-size", "big"]),
    ] {
        let mut all = vec!["convert"];
        all.extend(&arguments);
        let finished = Process::start(&mut home.command(&all)).wait(LONG);
        assert_eq!(finished.code, Some(code), "{arguments:?}: {}{}", finished.stdout, finished.stderr);
        assert!(finished.stderr.contains(words), "{arguments:?}: {}", finished.stderr);
        assert_eq!(names(home.path()), before, "{arguments:?}");
    }
}

#[test]
fn a_kill_leaves_nothing_that_is_seen() {
    for point in ["engine.convert.before_publish", "lake.commit.journal", "engine.convert.before_rename"] {
        let home = Home::new();
        home.write("orders.csv", ORDERS);
        home.succeed(["convert", "orders.csv", "out/", "--to", "json"]);
        for output in ["a.parquet", "out/"] {
            let arguments = ["convert", "orders.csv", output, "--to", "parquet", "--overwrite"];
            let killed = Process::start(home.command(arguments).env("GLULAM_CRASH_AT", point)).wait(LONG);
            assert_eq!(killed.code, None, "{point}: {}{}", killed.stdout, killed.stderr);
            let seen: Vec<String> = names(home.path()).into_iter().filter(|n| !n.starts_with('.')).collect();
            assert_eq!(seen, ["orders.csv", "out"], "{point}");
            assert_eq!(names(&home.path().join("out")), ["part_00000.json"], "{point}");
        }
        // The next conversion removes what is left.
        home.succeed(["convert", "orders.csv", "a.parquet"]);
        assert_eq!(names(home.path()), ["a.parquet", "orders.csv", "out"], "{point}");
    }
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    home.bucket("raw");
    let arguments = ["convert", "orders.csv", "s3://raw/t/", "--to", "csv"];
    let point = "engine.convert.before_publish";
    let killed = Process::start(home.command(arguments).env("GLULAM_CRASH_AT", point)).wait(LONG);
    assert_eq!(killed.code, None, "{}{}", killed.stdout, killed.stderr);
    assert!(names(&home.bucket("raw")).is_empty());
}
