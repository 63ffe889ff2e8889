//! Definitions against a real catalog and a real lake in a temporary folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use super::view::read_view;
use super::{DdlContext, DdlResult, create_view, execute};
use catalog::{Catalog, Table, TableEntry};
use chrono::DateTime;
use lake::{Lake, LakeConfig, PutOptions};
use model::{EntityName, Error, ErrorKind, HiveType};
use sql::{Source, SqlType, Statement};
use state::{Clock, Database};

/// The lines of Athena's text answers: the cells with tabs between them.
fn joined(answer: &DdlResult) -> Vec<String> {
    answer.rows.iter().map(|row| row.join("\t")).collect()
}

struct World {
    catalog: Catalog,
    lake: Lake,
    database: EntityName,
    _folder: tempfile::TempDir,
}

fn name(text: &str) -> EntityName {
    EntityName::new(text).unwrap()
}

impl World {
    /// A world with the bucket `data` and the database `db`.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = Database::sqlite(&folder.path().join("state.db")).await.unwrap();
        let catalog = Catalog::open(state, Clock::system()).await.unwrap();
        let lake = Lake::open(LakeConfig::local(folder.path())).await.unwrap();
        lake.create_bucket(&"data".parse().unwrap()).await.unwrap();
        let world = Self { catalog, lake, database: name("db"), _folder: folder };
        world.run("CREATE DATABASE db").await;
        world
    }

    async fn attempt(&self, text: &str) -> Result<DdlResult, Error> {
        let source = Source::new("test", text);
        let ctx = DdlContext {
            catalog: &self.catalog,
            lake: &self.lake,
            database: &self.database,
            now: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            source: &source,
        };
        match sql::parse_one(text, "test")? {
            Statement::CreateView(create) => {
                let columns =
                    [("id".to_owned(), SqlType::BigInt), ("at".to_owned(), SqlType::timestamp_utc(3))];
                create_view(&ctx, &create, &columns).await
            }
            statement => execute(&ctx, &statement).await,
        }
    }

    async fn run(&self, text: &str) -> DdlResult {
        self.attempt(text).await.unwrap_or_else(|e| panic!("{text}\n{}", e.diagnosis()))
    }

    /// The lines of an answer, without the blanks that pad them.
    async fn lines(&self, text: &str) -> Vec<String> {
        joined(&self.run(text).await).iter().map(|line| line.trim_end().to_owned()).collect()
    }

    async fn refused(&self, text: &str) -> Error {
        let error = self.attempt(text).await.map(|r| format!("{r:?}")).expect_err(text);
        assert!(error.place().is_some(), "{text}: {error:?}");
        error
    }

    async fn entry(&self, table: &str) -> TableEntry {
        self.catalog.get_table(&self.database, &name(table)).await.unwrap()
    }

    async fn table(&self, table: &str) -> Table {
        self.entry(table).await.table
    }

    async fn put(&self, key: &str) {
        let uri = format!("s3://data/{key}").parse().unwrap();
        self.lake.put(&uri, "1\n".into(), PutOptions::default()).await.unwrap();
    }
}

const LOGS: &str = "CREATE EXTERNAL TABLE logs (id bigint COMMENT 'the id', Message string)
    PARTITIONED BY (year int, city string) STORED AS PARQUET LOCATION 's3://data/logs/'";

#[tokio::test]
async fn databases_come_and_go() {
    let world = World::new().await;
    world.run("CREATE DATABASE IF NOT EXISTS db").await;
    assert_eq!(world.refused("CREATE DATABASE db").await.kind(), ErrorKind::AlreadyExists);
    let text = "CREATE SCHEMA Sales COMMENT 'sold' LOCATION 's3://data/sales/' WITH DBPROPERTIES ('a'='1')";
    world.run(text).await;
    world.run("ALTER DATABASE sales SET DBPROPERTIES ('b'='2')").await;
    let sales = world.catalog.get_database(&name("sales")).await.unwrap().database;
    assert_eq!(sales.description.as_deref(), Some("sold"));
    assert_eq!(sales.location.as_deref(), Some("s3://data/sales/"));
    assert_eq!(sales.parameters.len(), 2);
    assert_eq!(world.lines("SHOW DATABASES").await, ["db", "sales"]);
    assert_eq!(world.lines("SHOW SCHEMAS LIKE 's*|x'").await, ["sales"]);
    assert_eq!(world.run("SHOW DATABASES").await.columns, [("database_name".to_owned(), SqlType::VARCHAR)]);

    world.run("CREATE EXTERNAL TABLE sales.t (a int) LOCATION 's3://data/t/'").await;
    let error = world.refused("DROP DATABASE sales").await;
    assert!(error.message().contains("not empty"), "{error}");
    world.run("DROP DATABASE sales CASCADE").await;
    world.run("DROP DATABASE IF EXISTS sales").await;
    let error = world.refused("DROP DATABASE dbb").await;
    assert!(error.diagnosis().hints[0].contains("`db`"));
    assert_eq!(world.refused("SHOW TABLES IN nowhere").await.kind(), ErrorKind::NotFound);
    assert_eq!(world.refused("SHOW TABLES IN other.db").await.message(), "there is no catalog `other`");
    world.run("SHOW TABLES IN awsdatacatalog.db").await;
}

#[tokio::test]
async fn a_table_is_stored_as_hive_would() {
    let world = World::new().await;
    world.run(LOGS).await;
    let table = world.table("logs").await;
    assert_eq!(table.table_type.as_deref(), Some("EXTERNAL_TABLE"));
    let columns: Vec<&str> = table.storage.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(columns, ["id", "message"]);
    assert_eq!(table.storage.columns[0].comment.as_deref(), Some("the id"));
    assert_eq!(table.partition_keys[0].hive_type, HiveType::Int);
    let storage = &table.storage;
    assert_eq!(
        storage.input_format.as_deref(),
        Some("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat")
    );
    assert_eq!(
        storage.output_format.as_deref(),
        Some("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat")
    );
    assert_eq!(
        storage.serde.library.as_deref(),
        Some("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe")
    );
    assert_eq!(storage.location.as_deref(), Some("s3://data/logs/"));
    assert_eq!(table.parameters["EXTERNAL"], "TRUE");
    assert_eq!(table.parameters["transient_lastDdlTime"], "1700000000");

    world
        .run(
            "CREATE EXTERNAL TABLE csv (a int, m map<string,int>) CLUSTERED BY (a) INTO 4 BUCKETS ROW FORMAT DELIMITED
             FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY '|' MAP KEYS TERMINATED BY ':'
             NULL DEFINED AS 'nil' LOCATION 's3://data/csv' TBLPROPERTIES ('skip.header.line.count'='1')",
        )
        .await;
    let table = world.table("csv").await;
    let serde = &table.storage.serde;
    assert_eq!(serde.library.as_deref(), Some("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"));
    assert_eq!(table.storage.input_format.as_deref(), Some("org.apache.hadoop.mapred.TextInputFormat"));
    assert_eq!(serde.parameters["field.delim"], "\t");
    assert_eq!(serde.parameters["escape.delim"], "\\");
    assert_eq!(serde.parameters["collection.delim"], "|");
    assert_eq!(serde.parameters["mapkey.delim"], ":");
    assert_eq!(serde.parameters["serialization.null.format"], "nil");
    assert_eq!(
        (table.storage.number_of_buckets, &table.storage.bucket_columns[..]),
        (Some(4), &["a".to_owned()][..])
    );
    assert_eq!(table.parameters["skip.header.line.count"], "1");

    world.run(&LOGS.replace("TABLE", "TABLE IF NOT EXISTS")).await;
    assert_eq!(world.refused(LOGS).await.kind(), ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn delta_tables_list_no_columns_and_iceberg_is_refused() {
    let world = World::new().await;
    let text = "CREATE EXTERNAL TABLE d LOCATION 's3://data/d/' TBLPROPERTIES ('table_type'='delta')";
    world.run(text).await;
    let table = world.table("d").await;
    assert_eq!(table.parameters["table_type"], "DELTA");
    assert!(table.storage.columns.is_empty());
    let error = world.refused("ALTER TABLE d ADD COLUMNS (a int)").await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let with_columns =
        "CREATE EXTERNAL TABLE e (a int) LOCATION 's3://data/d/' TBLPROPERTIES ('table_type'='DELTA')";
    assert!(world.refused(with_columns).await.message().contains("no list of columns"));
    let iceberg = "CREATE TABLE i (a int) LOCATION 's3://data/i/' TBLPROPERTIES ('table_type'='ICEBERG')";
    let error = world.refused(iceberg).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unsupported, "Iceberg tables are not supported"));
    assert!(error.diagnosis().hints[0].contains("DELTA"));
}

#[tokio::test]
async fn wrong_definitions_are_refused_at_their_place() {
    let world = World::new().await;
    for (text, message) in [
        ("CREATE TABLE t (a int) LOCATION 's3://data/t/'", "only external tables"),
        ("CREATE EXTERNAL TABLE t (a int)", "no location"),
        ("CREATE EXTERNAL TABLE t LOCATION 's3://data/t/'", "no columns"),
        ("CREATE EXTERNAL TABLE t (a int, A string) LOCATION 's3://data/t/'", "`A` is there twice"),
        (
            "CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (a int) LOCATION 's3://data/t/'",
            "`a` is there twice",
        ),
        (
            "CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (p array<int>) LOCATION 's3://data/t/'",
            "partition key",
        ),
        ("CREATE EXTERNAL TABLE t (a int) LOCATION '/tmp/t'", "no lake address"),
        ("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://dta/t/'", "no bucket `dta`"),
        ("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://data/t/*.csv'", "without `*`"),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS RCFILE LOCATION 's3://data/t/'", "RCFILE"),
        ("CREATE EXTERNAL TABLE t (a int) ROW FORMAT SERDE 'com.x.Foo' LOCATION 's3://data/t/'", "com.x.Foo"),
        (
            "CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' STORED AS ORC LOCATION 's3://data/t/'",
            "does not go with",
        ),
        (
            "CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED LINES TERMINATED BY ';' LOCATION 's3://data/t/'",
            "line break",
        ),
        (
            "CREATE EXTERNAL TABLE t (abc int) CLUSTERED BY (abd) INTO 2 BUCKETS LOCATION 's3://data/t/'",
            "`abd`",
        ),
        (
            "CREATE EXTERNAL TABLE t (a int) CLUSTERED BY (a) INTO 0 BUCKETS LOCATION 's3://data/t/'",
            "buckets",
        ),
        (
            "CREATE EXTERNAL TABLE t (a int) LOCATION 's3://data/t/' TBLPROPERTIES ('table_type'='DELTTA')",
            "DELTTA",
        ),
        ("CREATE EXTERNAL TABLE nodb.t (a int) LOCATION 's3://data/t/'", "no database `nodb`"),
        ("DROP TABLE nothing", "no table `nothing`"),
        ("DROP VIEW nothing", "no table `nothing`"),
        ("MSCK REPAIR TABLE nothing", "no table `nothing`"),
        ("DESCRIBE nothing", "no table `nothing`"),
    ] {
        let error = world.refused(text).await;
        assert!(error.message().contains(message), "{text}: {error:?}");
    }
    assert_eq!(world.lines("SHOW TABLES").await, Vec::<String>::new());
    world.run("DROP TABLE IF EXISTS nothing").await;
    world.run("DROP VIEW IF EXISTS nothing").await;
    world.run(LOGS).await;
    let error = world.refused("DESCRIBE lgos").await;
    assert_eq!(error.diagnosis().hints, ["did you mean `logs`?"]);
}

#[tokio::test]
async fn partitions_are_added_dropped_and_renamed() {
    let world = World::new().await;
    world.run(LOGS).await;
    world
        .run(
            "ALTER TABLE logs ADD PARTITION (year = 2023, city = 'Ulm') PARTITION (city = 'S/M', year = 2024)
             LOCATION 's3://data/elsewhere/' PARTITION (year = 2024, city = 'Bonn')",
        )
        .await;
    let shown = ["year=2023/city=Ulm", "year=2024/city=Bonn", "year=2024/city=S%2FM"];
    assert_eq!(world.lines("SHOW PARTITIONS logs").await, shown);
    let values = ["2023".to_owned(), "Ulm".to_owned()];
    let first = world.catalog.get_partition(&world.database, &name("logs"), &values).await.unwrap();
    assert_eq!(first.storage.location.as_deref(), Some("s3://data/logs/year=2023/city=Ulm/"));
    assert_eq!(first.storage.columns.len(), 2);

    // One that exists keeps all others out, unless that was asked for.
    let both = "PARTITION (year = 2023, city = 'Ulm') PARTITION (year = 2025, city = 'Ulm')";
    let error = world.refused(&format!("ALTER TABLE logs ADD {both}")).await;
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(world.lines("SHOW PARTITIONS logs").await.len(), 3);
    world.run(&format!("ALTER TABLE logs ADD IF NOT EXISTS {both}")).await;
    assert_eq!(world.lines("SHOW PARTITIONS logs").await.len(), 4);

    for (text, message) in [
        ("ALTER TABLE logs ADD PARTITION (year = 2023)", "no value for `city`"),
        ("ALTER TABLE logs ADD PARTITION (yaer = 2023, city = 'x')", "no partition key"),
        ("ALTER TABLE logs ADD PARTITION (year = 2023, year = 2024)", "twice"),
        ("ALTER TABLE logs ADD PARTITION (year = 'soon', city = 'x')", "soon"),
        (
            "ALTER TABLE logs DROP PARTITION (year = 1999, city <> 'x')",
            "no partition fits (year = 1999, city <> 'x')",
        ),
        ("ALTER TABLE logs DROP PARTITION (country = 'x')", "no partition key"),
        (
            "ALTER TABLE logs PARTITION (year=1,city='x') RENAME TO PARTITION (year=2,city='x')",
            "no partition",
        ),
    ] {
        let error = world.refused(text).await;
        assert!(error.message().contains(message), "{text}: {error:?}");
    }

    world
        .run("ALTER TABLE logs PARTITION (year=2023, city='Ulm') RENAME TO PARTITION (year=2022, city='Ulm')")
        .await;
    let values = ["2022".to_owned(), "Ulm".to_owned()];
    let moved = world.catalog.get_partition(&world.database, &name("logs"), &values).await.unwrap();
    assert_eq!(moved.storage.location.as_deref(), Some("s3://data/logs/year=2023/city=Ulm/"));

    world.run("ALTER TABLE logs PARTITION (year=2022, city='Ulm') SET LOCATION 's3://data/new/'").await;
    let moved = world.catalog.get_partition(&world.database, &name("logs"), &values).await.unwrap();
    assert_eq!(moved.storage.location.as_deref(), Some("s3://data/new/"));

    world.run("ALTER TABLE logs DROP PARTITION (year < 2024), PARTITION (city = 'S/M')").await;
    assert_eq!(world.lines("SHOW PARTITIONS logs").await, ["year=2024/city=Bonn", "year=2025/city=Ulm"]);
    world.run("ALTER TABLE logs DROP IF EXISTS PARTITION (year >= '3000')").await;
    world.run("ALTER TABLE logs DROP PARTITION (year != 2025)").await;
    assert_eq!(world.lines("SHOW PARTITIONS logs").await, ["year=2025/city=Ulm"]);

    world.run("CREATE EXTERNAL TABLE flat (a int) LOCATION 's3://data/flat/'").await;
    assert!(world.refused("SHOW PARTITIONS flat").await.message().contains("not partitioned"));
    assert!(world.refused("MSCK REPAIR TABLE flat").await.message().contains("not partitioned"));
}

#[tokio::test]
async fn msck_finds_the_folders_that_name_partitions() {
    let world = World::new().await;
    world.run(LOGS).await;
    for key in [
        "logs/year=2024/city=Ulm/a.parquet",
        "logs/YEAR=2024/city=S%2FM/a.parquet",
        "logs/year=2025/city=Bonn/x/deeper.parquet",
        "logs/year=2025/other=1/a.parquet",
        "logs/nothing/city=Ulm/a.parquet",
        "logs/year=2024/file.parquet",
        "logs/year=soon/city=Ulm/a.parquet",
        "logs2/year=1/city=2/a.parquet",
    ] {
        world.put(key).await;
    }
    world.run("ALTER TABLE logs ADD PARTITION (year = 2024, city = 'Ulm')").await;
    let lines = world.lines("MSCK REPAIR TABLE logs").await;
    assert_eq!(lines[0], "Partitions not in metastore:\tlogs:year=2024/city=S%2FM\tlogs:year=2025/city=Bonn");
    assert_eq!(lines[1], "Repair: Added partition to metastore logs:year=2024/city=S%2FM");
    assert_eq!(lines[2], "Repair: Added partition to metastore logs:year=2025/city=Bonn");
    assert!(lines[3].starts_with("Repair: Cannot add partition logs:year=soon/city=Ulm: "), "{lines:?}");
    let values = ["2024".to_owned(), "S/M".to_owned()];
    let found = world.catalog.get_partition(&world.database, &name("logs"), &values).await.unwrap();
    assert_eq!(found.storage.location.as_deref(), Some("s3://data/logs/YEAR=2024/city=S%2FM/"));
    assert_eq!(world.lines("SHOW PARTITIONS logs").await.len(), 3);
    // Once more, nothing is new.
    assert_eq!(world.lines("MSCK REPAIR TABLE logs").await.len(), 1);
    // Dropping the table leaves its data.
    world.run("DROP TABLE logs").await;
    assert!(world.lake.head(&"s3://data/logs/year=2024/city=Ulm/a.parquet".parse().unwrap()).await.is_ok());
}

#[tokio::test]
async fn columns_properties_and_locations_change() {
    let world = World::new().await;
    world.run(LOGS).await;
    let names = |table: Table| table.storage.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    world.run("ALTER TABLE logs ADD COLUMNS (Extra array<string> COMMENT 'more', n int)").await;
    assert_eq!(names(world.table("logs").await), ["id", "message", "extra", "n"]);
    world.run("ALTER TABLE logs CHANGE COLUMN n total bigint AFTER id").await;
    assert_eq!(names(world.table("logs").await), ["id", "total", "message", "extra"]);
    assert_eq!(world.table("logs").await.storage.columns[1].hive_type, HiveType::BigInt);
    world.run("ALTER TABLE logs CHANGE extra extra string FIRST").await;
    let first = world.table("logs").await.storage.columns[0].clone();
    assert_eq!((first.name.as_str(), first.comment.as_deref()), ("extra", Some("more")));
    world.run("ALTER TABLE logs REPLACE COLUMNS (id bigint, message string)").await;
    assert_eq!(names(world.table("logs").await), ["id", "message"]);
    world.run("ALTER TABLE logs SET LOCATION 's3://data/moved/'").await;
    world
        .run("ALTER TABLE logs SET TBLPROPERTIES ('comment'='new words', 'projection.enabled'='true')")
        .await;
    let table = world.table("logs").await;
    assert_eq!(table.storage.location.as_deref(), Some("s3://data/moved/"));
    assert_eq!(table.description.as_deref(), Some("new words"));
    assert_eq!(world.lines("SHOW TBLPROPERTIES logs('projection.enabled')").await, ["true"]);
    let missing = world.lines("SHOW TBLPROPERTIES logs('x')").await;
    assert_eq!(missing, ["Table db.logs does not have property: x"]);
    assert!(world.lines("SHOW TBLPROPERTIES logs").await.contains(&"EXTERNAL\tTRUE".to_owned()));
    for (text, message) in [
        ("ALTER TABLE logs ADD COLUMNS (ID int)", "`ID` already"),
        ("ALTER TABLE logs ADD COLUMNS (year int)", "partition key"),
        ("ALTER TABLE logs ADD COLUMNS (a int, a int)", "twice"),
        ("ALTER TABLE logs CHANGE mesage m string", "no column `mesage`"),
        ("ALTER TABLE logs CHANGE id message string", "`message` already"),
        ("ALTER TABLE logs CHANGE year y int", "partition key"),
        ("ALTER TABLE logs CHANGE id id int AFTER nope", "no column `nope`"),
        ("ALTER TABLE logs SET LOCATION 's3://nope/x/'", "no bucket"),
    ] {
        let error = world.refused(text).await;
        assert!(error.message().contains(message), "{text}: {error:?}");
    }
    assert_eq!(names(world.table("logs").await), ["id", "message"]);
}

#[tokio::test]
async fn describe_prints_hives_layout() {
    let world = World::new().await;
    world.run(LOGS).await;
    let answer = world.run("DESCRIBE logs").await;
    let names: Vec<&str> = answer.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["col_name", "data_type", "comment"]);
    let expected = [
        "id                  \tbigint              \tthe id              ",
        "message             \tstring              \t                    ",
        "year                \tint                 \t                    ",
        "city                \tstring              \t                    ",
        "\t \t ",
        "# Partition Information\t \t ",
        "# col_name          \tdata_type           \tcomment             ",
        "\t \t ",
        "year                \tint                 \t                    ",
        "city                \tstring              \t                    ",
    ];
    assert_eq!(joined(&answer), expected);
    assert_eq!(world.lines("SHOW COLUMNS IN logs").await, ["id", "message", "year", "city"]);
    assert_eq!(world.lines("DESCRIBE logs message").await, ["message             \tstring"]);
    assert!(world.refused("DESCRIBE logs mesage").await.diagnosis().hints[0].contains("`message`"));
    let formatted = world.lines("DESCRIBE FORMATTED logs").await;
    for line in [
        "# Detailed Table Information",
        "Database:           \tdb",
        "Table Type:         \tEXTERNAL_TABLE",
        "# Storage Information",
        "Location:           \ts3://data/logs/",
        "Compressed:         \tNo",
        "\tEXTERNAL            \tTRUE",
    ] {
        assert!(formatted.iter().any(|found| found == line), "{line}: {formatted:#?}");
    }
    assert!(
        world
            .lines("DESCRIBE EXTENDED logs")
            .await
            .iter()
            .any(|l| l.starts_with("Detailed Table Information\t"))
    );
    world.run("ALTER TABLE logs ADD PARTITION (year=2024, city='Ulm')").await;
    let partition = world.lines("DESCRIBE FORMATTED logs PARTITION (year=2024, city='Ulm')").await;
    assert!(partition.iter().any(|line| line == "Partition Value:    \t[2024, Ulm]"), "{partition:#?}");
}

#[tokio::test]
async fn show_create_table_recreates_the_same_table() {
    let world = World::new().await;
    let texts = [
        LOGS.to_owned(),
        "CREATE EXTERNAL TABLE odd (`select` int COMMENT 'it\\'s', s struct<`a b`:int,c:array<string>>)
         COMMENT 'all \\\\ odd' CLUSTERED BY (`select`) INTO 3 BUCKETS ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\001'
         LOCATION 's3://data/odd' TBLPROPERTIES ('quote'='\\'', 'tab'='\\t')"
            .to_owned(),
        "CREATE EXTERNAL TABLE rx (a string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
         WITH SERDEPROPERTIES ('input.regex'='^(\\\\S+)$') LOCATION 's3://data/rx/'"
            .to_owned(),
        "CREATE EXTERNAL TABLE dl LOCATION 's3://data/dl/' TBLPROPERTIES ('table_type'='DELTA')".to_owned(),
    ];
    for (text, table) in texts.iter().zip(["logs", "odd", "rx", "dl"]) {
        world.run(text).await;
        let before = world.table(table).await;
        let answer = world.run(&format!("SHOW CREATE TABLE {table}")).await;
        assert_eq!(answer.columns[0].0, "createtab_stmt");
        let again = joined(&answer).join("\n");
        world.run(&format!("DROP TABLE {table}")).await;
        world.run(&again).await;
        let mut after = world.table(table).await;
        // An empty comment and none are the same thing to Hive.
        for column in after.storage.columns.iter_mut().chain(&mut after.partition_keys) {
            column.comment = column.comment.take().filter(|comment| !comment.is_empty());
        }
        assert_eq!(after, before, "{again}");
    }
    let lines = world.lines("SHOW CREATE TABLE logs").await;
    assert_eq!(
        lines[..3],
        [
            "CREATE EXTERNAL TABLE `logs`(",
            "  `id` bigint COMMENT 'the id',",
            "  `message` string COMMENT '')"
        ]
    );
    world.run("CREATE DATABASE other").await;
    world.run("CREATE EXTERNAL TABLE other.t (a int) LOCATION 's3://data/t/'").await;
    assert_eq!(world.lines("SHOW CREATE TABLE other.t").await[0], "CREATE EXTERNAL TABLE `other`.`t`(");
}

#[tokio::test]
async fn views_are_stored_as_athena_stores_them() {
    let world = World::new().await;
    world.run(LOGS).await;
    world.run("CREATE VIEW v AS SELECT id,\n  now() AS at FROM logs").await;
    let table = world.table("v").await;
    assert!(table.is_view());
    assert_eq!(table.view_expanded_text.as_deref(), Some("/* Presto View */"));
    let text = table.view_original_text.clone().unwrap();
    assert!(text.starts_with("/* Presto View: ") && text.ends_with(" */"));
    let view = read_view(&table).unwrap();
    assert_eq!(view.original_sql, "SELECT id,\n  now() AS at FROM logs");
    assert_eq!((view.catalog.as_deref(), view.schema.as_deref()), (Some("awsdatacatalog"), Some("db")));
    assert_eq!(view.columns[1].sql_type, "timestamp(3) with time zone");
    assert_eq!(table.storage.columns[0].hive_type, HiveType::BigInt);

    assert_eq!(world.lines("SHOW VIEWS").await, ["v"]);
    assert_eq!(world.lines("SHOW TABLES").await, ["logs", "v"]);
    assert_eq!(world.lines("SHOW TABLES IN db '*g*'").await, ["logs"]);
    assert_eq!(
        world.lines("SHOW CREATE VIEW v").await,
        ["CREATE VIEW v AS", "SELECT id,", "  now() AS at FROM logs"]
    );
    assert_eq!(world.lines("DESCRIBE v").await[1], "at                  \ttimestamp(3) with time zone");

    assert_eq!(world.refused("CREATE VIEW v AS SELECT 1").await.kind(), ErrorKind::AlreadyExists);
    world.run("CREATE OR REPLACE VIEW v (a, b) AS SELECT 1, 2").await;
    assert_eq!(read_view(&world.table("v").await).unwrap().columns[0].name, "a");
    assert_eq!(world.entry("v").await.version, 1);
    for (text, message) in [
        ("CREATE OR REPLACE VIEW logs AS SELECT 1", "is a table, not a view"),
        ("CREATE VIEW w (a) AS SELECT 1, 2", "names 1 columns, but its query has 2"),
        ("CREATE VIEW w (a, A) AS SELECT 1, 2", "twice"),
        ("DROP TABLE v", "is a view"),
        ("DROP VIEW logs", "is a table"),
        ("ALTER TABLE v ADD COLUMNS (a int)", "is a view"),
        ("SHOW CREATE TABLE v", "is a view"),
        ("SHOW CREATE VIEW logs", "is a table"),
    ] {
        let error = world.refused(text).await;
        assert!(error.message().contains(message), "{text}: {error:?}");
    }
    world.run("DROP VIEW v").await;
    assert_eq!(world.lines("SHOW VIEWS").await, Vec::<String>::new());
    // A text that is not a view's is a diagnosis.
    let mut broken = Table::new(name("broken"));
    broken.table_type = Some("VIRTUAL_VIEW".to_owned());
    broken.view_original_text = Some("/* Presto View: !!! */".to_owned());
    assert_eq!(read_view(&broken).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn functions_and_catalogs_are_listed() {
    let world = World::new().await;
    assert_eq!(world.lines("SHOW CATALOGS").await, ["AwsDataCatalog"]);
    assert_eq!(world.lines("SHOW CATALOGS LIKE 'x%'").await, Vec::<String>::new());
    let answer = world.run("SHOW FUNCTIONS LIKE 'upper'").await;
    assert_eq!(answer.columns.len(), 6);
    assert!(
        answer.rows.iter().any(|row| row[0] == "upper" && row[3] == "scalar" && row[4] == "true"),
        "{answer:?}"
    );
    let error = world.refused("SHOW TABLES '(('").await;
    assert!(error.message().contains("not a pattern"));
}
