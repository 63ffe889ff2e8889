//! Hive's definitions: what is accepted and what it says.

use sql::Statement;
use sql::ast::{AlterAction, ColumnPosition, CreateTable, PartitionCompare, RowFormat, Show, StoredAs};

fn one(text: &str) -> Statement {
    sql::parse_one(text, "test").unwrap_or_else(|e| panic!("{text}\n{}", e.diagnosis()))
}

fn table(text: &str) -> CreateTable {
    match one(text) {
        Statement::CreateTable(table) => *table,
        other => panic!("{other:?}"),
    }
}

fn action(text: &str) -> AlterAction {
    match one(text) {
        Statement::AlterTable(alter) => alter.action,
        other => panic!("{other:?}"),
    }
}

#[test]
fn databases() {
    let text = "CREATE DATABASE IF NOT EXISTS `my db` COMMENT 'it\\'s' LOCATION 's3://b/' WITH DBPROPERTIES ('a'='1', \"b\"=\"2\")";
    let Statement::CreateDatabase(create) = one(text) else { panic!() };
    assert!(create.if_not_exists);
    assert_eq!((create.name.name.value.as_str(), create.comment.as_deref()), ("my db", Some("it's")));
    assert_eq!(create.location.unwrap().value, "s3://b/");
    assert_eq!(
        (create.properties[1].key.value.as_str(), create.properties[1].value.value.as_str()),
        ("b", "2")
    );
    assert!(matches!(one("CREATE SCHEMA s"), Statement::CreateDatabase(c) if !c.if_not_exists));
    assert!(matches!(
        one("DROP SCHEMA IF EXISTS s CASCADE"),
        Statement::DropDatabase { if_exists: true, cascade: true, .. }
    ));
    assert!(matches!(
        one("DROP DATABASE s RESTRICT"),
        Statement::DropDatabase { if_exists: false, cascade: false, .. }
    ));
    assert!(matches!(
        one("ALTER DATABASE s SET DBPROPERTIES ('a'='b')"),
        Statement::AlterDatabase { properties, .. } if properties.len() == 1
    ));
}

#[test]
fn a_table_with_everything() {
    let table = table(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `db`.`logs 1` (
           `date` DATE COMMENT 'day',
           n int, big bigint, small smallint, tiny tinyint, f float, d double, ok boolean,
           price DECIMAL(10, 2), c char(3), v varchar(20), b binary, ts timestamp,
           tags array<string>, m map<string,int>, s struct<a:int, b:array<struct<c:string>>>
         )
         COMMENT 'everything'
         PARTITIONED BY (year string, `month` int COMMENT 'm')
         CLUSTERED BY (n, big) INTO 16 BUCKETS
         ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY '\\002'
           MAP KEYS TERMINATED BY ':' LINES TERMINATED BY '\\n' NULL DEFINED AS ''
         STORED AS TEXTFILE
         LOCATION 's3://bucket/logs/'
         TBLPROPERTIES ('skip.header.line.count'='1', \"has_encrypted_data\"=\"false\")",
    );
    assert!(table.external && table.if_not_exists);
    assert_eq!(table.name.to_string(), "db.logs 1");
    assert_eq!(table.columns.len(), 16);
    assert_eq!(
        (table.columns[0].name.value.as_str(), table.columns[0].comment.as_deref()),
        ("date", Some("day"))
    );
    let types: Vec<String> = table.columns.iter().map(|c| c.hive_type.value.to_string()).collect();
    assert_eq!(types[8], "decimal(10,2)");
    assert_eq!(types[15], "struct<a:int,b:array<struct<c:string>>>");
    assert_eq!(table.partitioned_by[1].comment.as_deref(), Some("m"));
    assert_eq!((table.clustered_by.len(), table.buckets.unwrap().value), (2, 16));
    let Some(RowFormat::Delimited(parts)) = table.row_format else { panic!() };
    let said = |part: &Option<sql::ast::At<String>>| part.as_ref().unwrap().value.clone();
    assert_eq!(said(&parts.fields), "\t");
    assert_eq!(said(&parts.escape), "\\");
    assert_eq!(said(&parts.items), "\u{2}");
    assert_eq!(said(&parts.keys), ":");
    assert_eq!(said(&parts.lines), "\n");
    assert_eq!(said(&parts.null), "");
    assert!(matches!(table.stored_as, Some(StoredAs::Format(f)) if f.value == "TEXTFILE"));
    assert_eq!(table.location.unwrap().value, "s3://bucket/logs/");
    assert_eq!(table.properties[1].value.value, "false");
}

#[test]
fn tables_with_serdes_and_classes() {
    let csv = table(
        "CREATE EXTERNAL TABLE t (a string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
         WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '\\\"') LOCATION 's3://b/'",
    );
    let Some(RowFormat::Serde { class, properties }) = csv.row_format else { panic!() };
    assert!(class.value.ends_with("OpenCSVSerde"));
    assert_eq!(properties[1].value.value, "\"");
    let regex = table(
        r"CREATE EXTERNAL TABLE t (a string) ROW FORMAT SERDE 'x.RegexSerDe'
          WITH SERDEPROPERTIES ('input.regex' = '^(\\S+) \\[(.*)\\]$') LOCATION 's3://b/'",
    );
    let Some(RowFormat::Serde { properties, .. }) = regex.row_format else { panic!() };
    assert_eq!(properties[0].value.value, r"^(\S+) \[(.*)\]$");
    let classes = table(
        "CREATE EXTERNAL TABLE t (a int) STORED AS INPUTFORMAT 'a.B' OUTPUTFORMAT 'c.D' LOCATION 's3://b/'",
    );
    assert!(matches!(classes.stored_as, Some(StoredAs::Classes { input, output })
        if input.value == "a.B" && output.value == "c.D"));
    let delta =
        table("CREATE EXTERNAL TABLE db.t LOCATION 's3://b/d/' TBLPROPERTIES ('table_type' = 'DELTA')");
    assert!(delta.columns.is_empty() && delta.properties[0].value.value == "DELTA");
    let iceberg = table(
        "CREATE TABLE t (a int, b timestamp) PARTITIONED BY (a, day(b), bucket(4, a)) LOCATION 's3://b/' TBLPROPERTIES ('table_type'='ICEBERG')",
    );
    assert!(!iceberg.external);
    let transforms: Vec<&str> = iceberg.partition_transforms.iter().map(|t| t.value.as_str()).collect();
    assert_eq!(transforms, ["a", "day(b)", "bucket(4, a)"]);
    assert!(
        matches!(table("create external table t (a int) stored as parquet location 's3://b/'").stored_as,
        Some(StoredAs::Format(f)) if f.value == "PARQUET")
    );
}

#[test]
fn drops_and_repairs() {
    assert!(matches!(one("DROP TABLE IF EXISTS `a`.`b`"), Statement::DropTable { if_exists: true, name }
        if name.to_string() == "a.b"));
    assert!(matches!(one("DROP TABLE c.d.t"), Statement::DropTable { name, .. } if name.catalog.is_some()));
    assert!(matches!(one("DROP VIEW v"), Statement::DropView { if_exists: false, .. }));
    assert!(matches!(one("MSCK REPAIR TABLE t"), Statement::MsckRepair { name } if name.name.value == "t"));
}

#[test]
fn partitions() {
    let AlterAction::AddPartitions { if_not_exists, partitions } = action(
        "ALTER TABLE t ADD IF NOT EXISTS PARTITION (y = '2024', m = 1) LOCATION 's3://b/a/' PARTITION (y='2025',m=-2)",
    ) else {
        panic!()
    };
    assert!(if_not_exists);
    assert_eq!(partitions.len(), 2);
    let (spec, location) = &partitions[0];
    assert_eq!(location.as_ref().unwrap().value, "s3://b/a/");
    assert!(spec.values[0].1.value.quoted && spec.values[0].1.value.text == "2024");
    assert!(!spec.values[1].1.value.quoted && spec.values[1].1.value.text == "1");
    assert!(partitions[1].1.is_none() && partitions[1].0.values[1].1.value.text == "-2");

    let AlterAction::DropPartitions { if_exists, partitions } = action(
        "ALTER TABLE t DROP IF EXISTS PARTITION (y < '2020', m != 3), PARTITION (`date` >= '2024-01-01')",
    ) else {
        panic!()
    };
    assert!(if_exists);
    let compares: Vec<PartitionCompare> = partitions.iter().flatten().map(|f| f.compare).collect();
    assert_eq!(
        compares,
        [PartitionCompare::Less, PartitionCompare::NotEqual, PartitionCompare::GreaterOrEqual]
    );

    let AlterAction::RenamePartition { from, to } =
        action("ALTER TABLE t PARTITION (y = '1') RENAME TO PARTITION (y = '2')")
    else {
        panic!()
    };
    assert_eq!((from.values[0].1.value.text.as_str(), to.values[0].1.value.text.as_str()), ("1", "2"));
}

#[test]
fn altered_tables() {
    let AlterAction::AddColumns { partition, columns } =
        action("ALTER TABLE t PARTITION (y='1') ADD COLUMNS (a int COMMENT 'x', b string)")
    else {
        panic!()
    };
    assert_eq!((partition.is_some(), columns.len()), (true, 2));
    assert!(matches!(action("ALTER TABLE t ADD COLUMN c map<string,int>"),
        AlterAction::AddColumns { partition: None, columns } if columns.len() == 1));
    assert!(
        matches!(action("ALTER TABLE t REPLACE COLUMNS (a int)"), AlterAction::ReplaceColumns { columns, .. }
        if columns[0].name.value == "a")
    );
    let AlterAction::ChangeColumn { old, new, position } =
        action("ALTER TABLE t CHANGE COLUMN a b bigint COMMENT 'now big' AFTER c")
    else {
        panic!()
    };
    assert_eq!((old.value.as_str(), new.name.value.as_str()), ("a", "b"));
    assert!(matches!(position, Some(ColumnPosition::After(c)) if c.value == "c"));
    assert!(matches!(
        action("ALTER TABLE t CHANGE a a int FIRST"),
        AlterAction::ChangeColumn { position: Some(ColumnPosition::First), .. }
    ));
    assert!(matches!(
        action("ALTER TABLE t SET LOCATION 's3://b/'"),
        AlterAction::SetLocation { partition: None, .. }
    ));
    assert!(matches!(
        action("ALTER TABLE t PARTITION (a=1) SET LOCATION 's3://b/'"),
        AlterAction::SetLocation { partition: Some(_), .. }
    ));
    assert!(matches!(action("ALTER TABLE t SET TBLPROPERTIES ('a'='b','c'='d')"),
        AlterAction::SetProperties(p) if p.len() == 2));
}

#[test]
fn show_and_describe() {
    let show = |text: &str| match one(text) {
        Statement::Show(show) => show,
        other => panic!("{other:?}"),
    };
    assert!(
        matches!(show("SHOW DATABASES LIKE 'a*'"), Show::Databases { like: Some(l), .. } if l.value == "a*")
    );
    assert!(matches!(show("SHOW SCHEMAS"), Show::Databases { like: None, catalog: None }));
    assert!(matches!(show("SHOW SCHEMAS IN AwsDataCatalog"), Show::Databases { catalog: Some(_), .. }));
    assert!(matches!(show("SHOW TABLES IN db 'a*|b*'"), Show::Tables { database: Some(d), like: Some(l) }
        if d.name.value == "db" && l.value == "a*|b*"));
    assert!(matches!(show("SHOW TABLES '.*x'"), Show::Tables { database: None, like: Some(_) }));
    assert!(matches!(show("SHOW VIEWS IN db LIKE 'v*'"), Show::Views { like: Some(_), .. }));
    assert!(
        matches!(show("SHOW COLUMNS IN t IN db"), Show::Columns { table } if table.to_string() == "db.t")
    );
    assert!(matches!(show("SHOW COLUMNS FROM db.t"), Show::Columns { table } if table.to_string() == "db.t"));
    assert!(
        matches!(show("SHOW PARTITIONS db.t"), Show::Partitions { table } if table.to_string() == "db.t")
    );
    assert!(
        matches!(show("SHOW TBLPROPERTIES t('comment')"), Show::Properties { key: Some(k), .. } if k.value == "comment")
    );
    assert!(matches!(show("SHOW CREATE TABLE t"), Show::CreateTable { .. }));
    assert!(matches!(show("SHOW CREATE VIEW db.v"), Show::CreateView { .. }));
    assert!(matches!(show("SHOW FUNCTIONS LIKE 'date%'"), Show::Functions { like: Some(_) }));
    assert!(matches!(show("SHOW CATALOGS"), Show::Catalogs { like: None }));

    let describe = |text: &str| match one(text) {
        Statement::Describe(describe) => *describe,
        other => panic!("{other:?}"),
    };
    assert!(!describe("DESCRIBE db.t").formatted);
    assert!(describe("DESCRIBE FORMATTED t").formatted);
    assert!(describe("DESC EXTENDED t PARTITION (y='1')").partition.is_some());
    assert_eq!(describe("DESCRIBE t col.field").column.len(), 2);
    assert_eq!(describe("DESCRIBE `input`").name.name.value, "input");
}
