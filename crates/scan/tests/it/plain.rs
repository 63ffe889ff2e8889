//! Plain files of every format: as tables of the catalog and without, with partitions, changed schemas and damage.

use crate::world::{Opened, World, column, name, rows, try_rows};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema};
use catalog::{SerDe, StorageDescriptor, Table};
use datafusion::logical_expr::{col, lit};
use formats::{CsvSpec, JsonSpec, RejectSink, RejectedLine, WriteFormat, WriteSpec};
use model::ErrorKind;
use scan::{FileFormat, FilePath, FileSearch, LinePattern, OpenOptions, ScanCounters};
use sql::SqlType;
use std::sync::{Arc, Mutex};

/// A format: its name, how it is written, and the classes of its tables.
struct Kind {
    name: &'static str,
    write: WriteFormat,
    input: &'static str,
    serde: &'static str,
    parameters: &'static [(&'static str, &'static str)],
}

fn kinds() -> Vec<Kind> {
    let text = "org.apache.hadoop.mapred.TextInputFormat";
    vec![
        Kind {
            name: "csv",
            write: WriteFormat::Csv { spec: CsvSpec::default(), header: false, quote_all: false },
            input: text,
            serde: "org.apache.hadoop.hive.serde2.OpenCSVSerde",
            parameters: &[],
        },
        Kind {
            name: "json",
            write: WriteFormat::Json(JsonSpec::default()),
            input: text,
            serde: "org.openx.data.jsonserde.JsonSerDe",
            parameters: &[],
        },
        Kind {
            name: "avro",
            write: WriteFormat::Avro,
            input: "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
            serde: "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
            parameters: &[],
        },
        Kind {
            name: "orc",
            write: WriteFormat::Orc,
            input: "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
            serde: "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
            parameters: &[("orc.column.index.access", "false")],
        },
        Kind {
            name: "parquet",
            write: WriteFormat::Parquet,
            input: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            serde: crate::world::PARQUET,
            parameters: &[],
        },
    ]
}

/// The bytes of a file with these columns.
fn file(write: &WriteFormat, columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let types: Vec<SqlType> =
        columns.iter().map(|(_, array)| SqlType::from_arrow(array.data_type()).unwrap()).collect();
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let mut encoder = formats::encoder(&WriteSpec::new(write.clone()), schema, &types).unwrap();
    encoder.write(&batch).unwrap();
    let mut bytes = encoder.take().to_vec();
    bytes.extend_from_slice(&encoder.finish().unwrap().bytes);
    bytes
}

fn ints(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringViewArray::from(values.to_vec()))
}

fn table(kind: &Kind, columns: &[(&str, &str)]) -> Table {
    let parameters = kind.parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Table {
        storage: StorageDescriptor {
            columns: columns.iter().map(|(name, kind)| column(name, kind)).collect(),
            location: Some(format!("s3://data/{}/", kind.name)),
            input_format: Some(kind.input.to_owned()),
            serde: SerDe { library: Some(kind.serde.to_owned()), parameters, ..SerDe::default() },
            ..StorageDescriptor::default()
        },
        partition_keys: vec![column("day", "date")],
        ..Table::new(name(kind.name))
    }
}

#[tokio::test]
async fn tables_of_every_format_have_partitions_and_changed_schemas() {
    for kind in kinds() {
        let world = World::new().await;
        let old = file(&kind.write, vec![("id", ints(&[1, 2])), ("note", texts(&["x", "y"]))]);
        // A column came later; where names count, it may stand anywhere.
        let new = match kind.name {
            "csv" => {
                file(&kind.write, vec![("id", ints(&[3])), ("note", texts(&["z"])), ("more", ints(&[7]))])
            }
            _ => file(&kind.write, vec![("more", ints(&[7])), ("id", ints(&[3])), ("note", texts(&["z"]))]),
        };
        world.put(&format!("{}/day=2026-01-01/a", kind.name), old).await;
        world.put(&format!("{}/day=2026-01-02/b", kind.name), new).await;
        let table =
            world.create(table(&kind, &[("id", "bigint"), ("note", "string"), ("more", "int")])).await;
        world.partitions(&table, &[&["2026-01-01"], &["2026-01-02"]]).await;
        let opened = world.open(&table).await;
        let all = ["id", "note", "more", "day"].map(col).to_vec();
        let frame = opened.frame().select(all.clone()).unwrap();
        let expected = ["id|note|more|day", "1|x||2026-01-01", "2|y||2026-01-01", "3|z|7|2026-01-02"];
        assert_eq!(rows(frame).await, expected, "{}", kind.name);
        let frame = opened.frame().filter(col("more").eq(lit(7))).unwrap().select(vec![col("note")]).unwrap();
        assert_eq!(rows(frame).await, ["note", "z"], "{}", kind.name);
    }
}

#[tokio::test]
async fn damage_is_told_with_the_files_name() {
    for kind in kinds().into_iter().filter(|kind| kind.name != "csv") {
        let world = World::new().await;
        let whole = file(&kind.write, vec![("id", ints(&[1, 2])), ("note", texts(&["x", "y"]))]);
        let mut damaged = whole.clone();
        damaged.truncate(whole.len() - 7);
        if kind.name == "json" {
            damaged = b"{\"id\": 1, \"note\": \"x\"}\n{\"id\": [}\n".to_vec();
        }
        world.put(&format!("{}/day=2026-01-01/bad", kind.name), damaged).await;
        let table = world.create(table(&kind, &[("id", "bigint"), ("note", "string")])).await;
        world.partitions(&table, &[&["2026-01-01"]]).await;
        let frame = world.open(&table).await.frame().select(vec![col("id")]).unwrap();
        let error = try_rows(frame).await.unwrap_err();
        let at = format!("s3://data/{}/day=2026-01-01/bad", kind.name);
        assert!(error.to_string().contains(&at), "{}: {error}", kind.name);
        assert!(
            matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::InvalidInput),
            "{}: {error:?}",
            kind.name
        );
    }
}

async fn open(world: &World, search: FileSearch, format: FileFormat) -> model::Result<(Opened, Vec<String>)> {
    let counters = Arc::new(ScanCounters::default());
    let found = world.scans.find_files(&search).await?;
    let open = world.scans.open_files(&found, &format, Arc::clone(&counters)).await?;
    Ok((world.opened(open.table, counters), open.names))
}

fn lake(path: &str) -> FileSearch {
    FileSearch::new(vec![path.parse::<FilePath>().unwrap()])
}

#[tokio::test]
async fn files_without_a_table_are_found_and_described() {
    for kind in kinds() {
        let world = World::new().await;
        let write = match kind.write.clone() {
            WriteFormat::Csv { spec, .. } => WriteFormat::Csv { spec, header: true, quote_all: false },
            other => other,
        };
        let first = file(&write, vec![("Id", ints(&[1, 2])), ("note", texts(&["x", "y"]))]);
        let second = file(&write, vec![("Id", ints(&[3, 4])), ("note", texts(&["z", "w"]))]);
        world.put("t/k=a/1.data", first).await;
        world.put("t/k=b%2Fc/2.data", second).await;
        world.put("t/k=b%2Fc/_SUCCESS", "x").await;
        let (opened, names) = open(&world, lake("s3://data/t/"), FileFormat::default()).await.unwrap();
        assert_eq!(names, ["Id", "note", "k"], "{}", kind.name);
        let frame = opened.frame().select(["id", "note", "k"].map(col).to_vec()).unwrap();
        let expected = ["id|note|k", "1|x|a", "2|y|a", "3|z|b/c", "4|w|b/c"];
        assert_eq!(rows(frame).await, expected, "{}", kind.name);
    }
}

#[tokio::test]
async fn searches_have_patterns_exclusions_and_depth() {
    let world = World::new().await;
    for key in ["s/a.csv", "s/b.csv", "s/deep/c.csv", "s/deep/d.txt"] {
        world.put(key, format!("name,n\n{key},1\nx,2\n")).await;
    }
    let found = async |search: FileSearch| -> Vec<String> {
        let found = world.scans.find_files(&search).await.unwrap();
        found.iter().map(|file| file.name.replace("s3://data/s/", "")).collect()
    };
    assert_eq!(found(lake("s3://data/s/")).await, ["a.csv", "b.csv", "deep/c.csv", "deep/d.txt"]);
    assert_eq!(found(FileSearch { recurse: false, ..lake("s3://data/s") }).await, ["a.csv", "b.csv"]);
    assert_eq!(found(lake("s3://data/s/*.csv")).await, ["a.csv", "b.csv"]);
    assert_eq!(found(lake("s3://data/s/**/?.{csv,txt}")).await, ["deep/c.csv", "deep/d.txt"]);
    assert_eq!(found(lake("s3://data/*/deep")).await, ["deep/c.csv", "deep/d.txt"]);
    let exclusions = vec!["**.txt".to_owned(), "b*".to_owned()];
    assert_eq!(found(FileSearch { exclusions, ..lake("s3://data/s/") }).await, ["a.csv", "deep/c.csv"]);
    // What was read before can be left out.
    let mut some = world.scans.find_files(&lake("s3://data/s/")).await.unwrap();
    some.admit(Arc::new(OnlyB)).unwrap();
    assert_eq!((some.iter().count(), some.bytes()), (1, 21));
    let error = world.scans.find_files(&lake("s3://data/s/*.orc")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn this_machines_files_are_read_too() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("y=2020/.hidden")).unwrap();
    std::fs::write(folder.path().join("y=2020/a.csv"), "n;text\n1;'a;\nb'\nNA;c\n").unwrap();
    std::fs::write(folder.path().join("y=2020/.hidden/b.csv"), "x\n").unwrap();
    let search = FileSearch::new(vec![FilePath::Disk(folder.path().to_owned())]);
    let format = FileFormat {
        separator: Some(';'),
        quote: Some(Some('\'')),
        header: Some(true),
        multiline: true,
        strict: true,
        ..FileFormat::default()
    };
    let (opened, _) = open(&world, search.clone(), format.clone()).await.unwrap();
    let frame = opened.frame().filter(col("n").is_null()).unwrap();
    let frame = frame.select(["n", "text", "y"].map(col).to_vec()).unwrap();
    assert_eq!(rows(frame).await, ["n|text|y", "|c|2020"]);
    // A file that changes between the listing and the reading is not read by halves.
    let (opened, _) = open(&world, search.clone(), format.clone()).await.unwrap();
    std::fs::write(folder.path().join("y=2020/a.csv"), "n;text\n1;2\n").unwrap();
    let error = try_rows(opened.frame().select(vec![col("n")]).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    std::fs::create_dir(folder.path().join("_delta_log")).unwrap();
    assert_eq!(world.scans.find_files(&search).await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn strict_reading_says_row_and_column() {
    let world = World::new().await;
    let lines = format!("{}not a line\n", "GET 200\n".repeat(3));
    world.put("log.txt", lines).await;
    let regex = FileFormat {
        lines: Some(LinePattern::Regex("(?<verb>[A-Z]+) ([0-9]+)".to_owned())),
        strict: true,
        ..FileFormat::default()
    };
    let (opened, names) = open(&world, lake("s3://data/log.txt"), regex).await.unwrap();
    assert_eq!(names, ["verb", "col1"]);
    let error = try_rows(opened.frame().select(vec![col("verb")]).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("s3://data/log.txt, row 4"), "{error}");
    let grok = FileFormat {
        lines: Some(LinePattern::Grok {
            pattern: "%{VERB:verb} %{INT:status:int}".to_owned(),
            custom: "VERB [A-Z]+".to_owned(),
        }),
        ..FileFormat::default()
    };
    let (opened, _) = open(&world, lake("s3://data/log.txt"), grok).await.unwrap();
    let frame = opened.frame().filter(col("status").eq(lit(200))).unwrap().select(vec![col("verb")]).unwrap();
    assert_eq!(rows(frame).await.len(), 4);
}

/// Lets one file through.
#[derive(Debug)]
struct OnlyB;

impl scan::FileGate for OnlyB {
    fn admit(&self, files: &[scan::FoundFile<'_>]) -> model::Result<Vec<bool>> {
        Ok(files.iter().map(|file| file.name.ends_with("b.csv")).collect())
    }
}

/// Keeps rejected lines as `file:line column: reason <text>`, sorted.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<String>>);

impl RejectSink for Kept {
    fn take(&self, rejected: RejectedLine<'_>) {
        let RejectedLine { file, line, text, column, reason } = rejected;
        let file = file.rsplit('/').next().unwrap();
        let column = column.map(|column| format!(" {column}")).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        let mut kept = self.0.lock().unwrap();
        kept.push(format!("{file}:{line}{column}: {reason} <{text}>"));
        kept.sort();
    }
}

async fn open_rejecting(world: &World, search: FileSearch, format: FileFormat) -> (Opened, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    let options = OpenOptions { rejects: Some(Arc::<Kept>::clone(&kept)), ..OpenOptions::default() };
    let counters = Arc::clone(&options.counters);
    let found = world.scans.find_files(&search).await.unwrap();
    let open = world.scans.open_files_with(&found, &format, options).await.unwrap();
    (world.opened(open.table, counters), kept)
}

#[tokio::test]
async fn access_logs_are_read_without_a_look_at_them() {
    let world = World::new().await;
    let front =
        "10.0.0.1 - anna [02/Mar/2026:13:43:01 +0100] \"GET /stock/x HTTP/1.1\" 200 \"Machine (c; mail)\"\n";
    let service = "<masked>  - order \"GET /x\" 503 [2026-03-02T13:43:01.005Z] \"Apache HTTP Client\"\n";
    world.put("logs/k=1/front.txt", format!("{front}broken\n")).await;
    world.put("logs/k=2/user-2026-03-02.txt", service).await;
    let named = FileFormat { name: Some("Access-Log".to_owned()), ..FileFormat::default() };
    let meant = FileFormat { lines: Some(LinePattern::AccessLog), ..FileFormat::default() };
    for format in [named, meant] {
        let (opened, names) = open(&world, lake("s3://data/logs/"), format.clone()).await.unwrap();
        let columns = "remote_addr|remote_user|time|method|path|protocol|status|user_agent|source|target|k";
        assert_eq!(names.join("|"), columns);
        let wanted = ["time", "status", "source", "target", "k", "$path"].map(col).to_vec();
        let expected = [
            "time|status|source|target|k|$path",
            "2026-03-02T12:43:01|200|mail|stock|1|s3://data/logs/k=1/front.txt",
            "2026-03-02T13:43:01.005|503|order|user|2|s3://data/logs/k=2/user-2026-03-02.txt",
            "||||1|s3://data/logs/k=1/front.txt",
        ];
        assert_eq!(rows(opened.frame().select(wanted.clone()).unwrap()).await, expected);
        let (opened, kept) = open_rejecting(&world, lake("s3://data/logs/"), format).await;
        assert_eq!(rows(opened.frame().select(wanted).unwrap()).await, expected[..3]);
        assert_eq!(*kept.0.lock().unwrap(), ["front.txt:2: it does not begin with an address <broken>"]);
    }
    let both = FileFormat {
        name: Some("access-log".to_owned()),
        lines: Some(LinePattern::Regex("(.*)".to_owned())),
        ..FileFormat::default()
    };
    assert_eq!(
        open(&world, lake("s3://data/logs/"), both).await.err().unwrap().kind(),
        ErrorKind::InvalidInput
    );
}

#[tokio::test]
async fn rejected_lines_come_once_whatever_is_read() {
    let world = World::new().await;
    let mut text = "id,day,note\n".to_owned();
    let note = "n".repeat(90);
    for i in 0..150_000 {
        match i {
            70_000 | 149_999 => text.push_str(&format!("{i},2026-01-02\n")),
            130_000 => text.push_str("many,2026-01-02,x\n"),
            _ => text.push_str(&format!("{i},2026-01-02,{note}\n")),
        }
    }
    // Several pieces, read at the same time.
    assert!(text.len() > 12 << 20);
    world.put("big/a.csv", text).await;
    let few_lines = "1,2026-01-02,x\n".repeat(10);
    world.put("big/b.csv", format!("id,day,note\n{few_lines}2,2026-01-02,y,z\n")).await;
    let columns = FileFormat { name: Some("csv".to_owned()), strict: true, ..FileFormat::default() };
    let few = "it has fewer fields than there are columns";
    let ragged = [
        format!("a.csv:150001: {few} <149999,2026-01-02>"),
        format!("a.csv:70002: {few} <70000,2026-01-02>"),
        "b.csv:12: it has more fields than there are columns <2,2026-01-02,y,z>".to_owned(),
    ];
    let (opened, kept) = open_rejecting(&world, lake("s3://data/big/"), columns.clone()).await;
    let count = opened.frame().filter(col("id").gt_eq(lit(0))).unwrap().count().await.unwrap();
    assert_eq!(count, 150_000 - 3 + 10);
    let found = kept.0.lock().unwrap().clone();
    assert_eq!(found.len(), 4, "{found:#?}");
    assert_eq!(found[0], "a.csv:130002 id: is no integer of 32 bits <many,2026-01-02,x>");
    assert_eq!(found[1..], ragged);
    // Of values that nobody reads nothing is said.
    let (opened, kept) = open_rejecting(&world, lake("s3://data/big/"), columns).await;
    assert_eq!(opened.frame().count().await.unwrap(), 150_011 - 3);
    assert_eq!(*kept.0.lock().unwrap(), ragged);
    assert_eq!(kept.0.lock().unwrap().len(), 3);
    // Lines of other formats are looked at in the same way.
    world.put("lines.json", format!("{}{{\"a\": }}\n", "{\"a\": 1}\n".repeat(20))).await;
    let (opened, kept) = open_rejecting(&world, lake("s3://data/lines.json"), FileFormat::default()).await;
    assert_eq!(opened.frame().count().await.unwrap(), 20);
    assert_eq!(*kept.0.lock().unwrap(), ["lines.json:21: a value is missing <{\"a\": }>"]);
    let digits = LinePattern::Grok { pattern: "^%{INT:n:int}$".to_owned(), custom: String::new() };
    let grok = FileFormat { lines: Some(digits), ..FileFormat::default() };
    world.put("lines.txt", format!("{}x\n", "1\n".repeat(20))).await;
    let (opened, kept) = open_rejecting(&world, lake("s3://data/lines.txt"), grok).await;
    assert_eq!(opened.frame().count().await.unwrap(), 20);
    assert_eq!(*kept.0.lock().unwrap(), ["lines.txt:21: does not match the pattern <x>"]);
}
