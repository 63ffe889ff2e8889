//! Plain files of every format: as tables of the catalog and without, with partitions, changed schemas and damage.

use crate::world::{Opened, World, column, name, rows, try_rows};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema};
use catalog::{SerDe, StorageDescriptor, Table};
use datafusion::logical_expr::{col, lit};
use formats::{CsvSpec, JsonSpec, WriteFormat, WriteSpec};
use model::ErrorKind;
use scan::{FileFormat, FilePath, FileSearch, LinePattern, ScanCounters};
use sql::SqlType;
use std::sync::Arc;

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
