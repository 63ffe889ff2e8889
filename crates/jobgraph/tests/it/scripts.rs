//! Jobs as code: Python that compiles, SQL that parses.

use crate::examples::{ANPR, WINDOWED};
use crate::{around, checked};
use jobgraph::script;
use std::process::Command;

/// One graph with nearly every kind of node.
const EVERYTHING: &str = r#"
orders: {CatalogSource: {Name: Orders, Database: shop, Table: orders, PartitionPredicate: "year = 2020"}}
nested: {CatalogSource: {Name: Nested "quoted" \ name, Database: shop, Table: nested}}
csv: {S3CsvSource: {Name: Csv, Paths: ["s3://lake/csv/"], Separator: tab, QuoteChar: single_quote, Escaper: "'", Exclusions: ["[\"**.tmp\"]"], CompressionType: gzip}}
json: {S3JsonSource: {Name: Json, Paths: ["s3://lake/json/"], JsonPath: "$.rows[*]"}}
text: {S3TextSource: {Name: Text, Paths: ["s3://lake/text/"]}}
log: {DynamicTransform: {Name: Log, Inputs: [text], FunctionName: glulam_parse_log}}
grok: {DynamicTransform: {Name: Grok, Inputs: [text], FunctionName: glulam_parse_log, Parameters: {pattern: "%{WORD:verb}"}}}
mapped: {ApplyMapping: {Name: Mapped, Inputs: [orders], Mapping: [{FromPath: [id], FromType: int, ToKey: key, ToType: long}, {FromPath: [customer], FromType: int, ToKey: customer, ToType: int}, {FromPath: [note], FromType: string, ToKey: "a.b", ToType: string}]}}
selected: {SelectFields: {Name: Selected, Inputs: [mapped], Paths: [key, customer]}}
filtered: {Filter: {Name: Filtered, Inputs: [selected], LogicalOperator: OR, Filters: [{Operation: GT, Values: [{Type: COLUMNEXTRACTED, Value: [key]}, {Type: CONSTANT, Value: ["5"]}]}, {Operation: ISNULL, Negated: true, Values: [{Type: COLUMNEXTRACTED, Value: [customer]}]}]}}
dropped: {DropFields: {Name: Dropped, Inputs: [filtered], Paths: [customer]}}
renamed: {RenameField: {Name: Renamed, Inputs: [dropped], SourcePath: [key], TargetPath: [id]}}
joined: {Join: {Name: Joined, Inputs: [renamed, nested], JoinType: left, Columns: [{From: renamed, Keys: [id]}, {From: nested, Keys: [id]}]}}
united: {Union: {Name: United, Inputs: [renamed, dropped2], UnionType: DISTINCT}}
dropped2: {SelectFields: {Name: Dropped 2, Inputs: [joined], Paths: [id]}}
merged: {Merge: {Name: Merged, Inputs: [united, renamed], Source: united, PrimaryKeys: [id]}}
grouped: {Aggregate: {Name: Grouped, Inputs: [orders], Groups: [customer], Aggs: [{Column: [amount], AggFunc: avg}, {Column: [id], AggFunc: countDistinct}]}}
unique: {DropDuplicates: {Name: Unique, Inputs: [grouped], Columns: [customer]}}
full: {DropNullFields: {Name: Full, Inputs: [unique], NullCheckBoxList: {IsEmpty: true, IsNegOne: true}}}
filled: {FillMissingValues: {Name: Filled, Inputs: [orders], ImputedPath: amount}}
split: {SplitFields: {Name: Split, Inputs: [filled], Paths: [id]}}
one: {SelectFromCollection: {Name: One, Inputs: [split], Index: 0}}
ways: {Route: {Name: Ways, Inputs: [orders], GroupFiltersList: [{GroupName: big, LogicalOperator: AND, Filters: [{Operation: REGEX, Values: [{Type: COLUMNEXTRACTED, Value: [note]}, {Type: CONSTANT, Value: ["a\\d\"b"]}]}]}]}}
way: {SelectFromCollection: {Name: Way, Inputs: [ways], Index: 1}}
sample: {Spigot: {Name: Sample, Inputs: [one], Path: "s3://lake/sample/", Topk: 5, Prob: 0.1}}
sql: {SparkSQL: {Name: Sql, Inputs: [way], SqlAliases: [{From: way, Alias: w}], SqlQuery: "SELECT id, note,\n  placed FROM w WHERE note = 'it''s'"}}
derived: {DynamicTransform: {Name: Derived, Inputs: [sql], FunctionName: gs_derived, Parameters: {colName: up, expr: "upper(note)"}}}
stamped: {DynamicTransform: {Name: Stamped, Inputs: [derived], FunctionName: gs_to_timestamp, Parameters: {colName: note, newColName: at}}}
formatted: {DynamicTransform: {Name: Formatted, Inputs: [stamped], FunctionName: gs_format_timestamp, Parameters: {colName: at, dateFormat: yyyy-MM}}}
found: {DynamicTransform: {Name: Found, Inputs: [formatted], FunctionName: gs_regex_extract, Parameters: {colName: note, regex: '(\d+)', newCols: number}}}
windowed: {DynamicTransform: {Name: Windowed, Inputs: [orders], FunctionName: glulam_window, Parameters: {timestamp: placed, slide: 1 minute, keys: [customer], aggregates: ["percentile(amount, 50) as median", "last(note) as note", "count(*) as n"]}}}
timed: {DynamicTransform: {Name: Timed, Inputs: [found], FunctionName: glulam_event_time, Parameters: {column: placed, style: text}}}
parts: {DynamicTransform: {Name: Parts, Inputs: [timed], FunctionName: gs_repartition, Parameters: {numPartitionsStr: 4}}}
exploded: {DynamicTransform: {Name: Exploded, Inputs: [nested], FunctionName: gs_explode, Parameters: {colName: tags, newCol: tag, outer: true}}}
t1: {S3DirectTarget: {Name: T1, Inputs: [parts], Path: "s3://lake/t1/", Format: csv, Compression: gzip, PartitionKeys: [year], AdditionalOptions: {writeMode: overwrite}}}
t2: {S3GlueParquetTarget: {Name: T2, Inputs: [windowed], Path: "s3://lake/t2/", Compression: snappy, PartitionKeys: [customer], SchemaChangePolicy: {EnableUpdateCatalog: true, UpdateBehavior: LOG, Database: shop, Table: windows}}}
t3: {S3CatalogTarget: {Name: T3, Inputs: [merged], Database: shop, Table: nested, SchemaChangePolicy: {EnableUpdateCatalog: true, UpdateBehavior: UPDATE_IN_DATABASE}}}
t4: {CatalogTarget: {Name: T4, Inputs: [merged], Database: shop, Table: nested}}
t5: {S3DeltaDirectTarget: {Name: T5, Inputs: [exploded], Path: "s3://lake/t5/", Format: delta, Compression: snappy, PartitionKeys: [tag], AdditionalOptions: {writeMode: overwrite}}}
t6: {S3DeltaCatalogTarget: {Name: T6, Inputs: [merged], Database: shop, Table: nested, AdditionalOptions: {writeMode: merge, mergeKeys: [id]}}}
t7: {S3DirectTarget: {Name: T7, Inputs: [log], Path: "s3://lake/t7/", Format: json}}
t8: {S3DirectTarget: {Name: T8, Inputs: [csv], Path: "s3://lake/t8/", Format: parquet}}
t9: {S3DirectTarget: {Name: T9, Inputs: [json], Path: "s3://lake/t9/", Format: avro}}
t10: {S3DirectTarget: {Name: T10, Inputs: [full], Path: "s3://lake/t10/", Format: orc}}
t11: {S3DirectTarget: {Name: T11, Inputs: [grok], Path: "s3://lake/t11/", Format: json}}
"#;

fn compile(name: &str, script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{name}.py"));
    std::fs::write(&path, script).unwrap();
    let done = Command::new("python3").args(["-m", "py_compile"]).arg(&path).output().unwrap();
    assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn every_node_is_valid_python() {
    let (graph, checked) = checked(EVERYTHING);
    assert!(checked.errors.is_empty(), "{:#?}", checked.errors);
    compile("everything", &script::pyspark(&graph));
}

#[test]
fn a_script_reads_as_glue_writes_it() {
    let (graph, _) = checked(WINDOWED);
    let python = script::pyspark(&graph);
    compile("windowed", &python);
    for line in [
        "args = getResolvedOptions(sys.argv, [\"JOB_NAME\"])",
        "job.init(args[\"JOB_NAME\"], args)",
        "# ApplyMapping: Types",
        "Types_typed = ApplyMapping.apply(",
        "        (\"minValue\", \"string\", \"minValue\", \"double\"),",
        "    transformation_ctx=\"Types_typed\",",
        "Parquet_lake.setCatalogInfo(catalogDatabase=\"practice\", catalogTableName=\"windowed_metrics\")",
        "Parquet_lake.writeFrame(Types_typed)",
        "job.commit()",
    ] {
        assert!(python.lines().any(|l| l == line), "{line}\n{python}");
    }
    let (graph, _) = checked(ANPR);
    let python = script::pyspark(&graph);
    compile("anpr", &python);
    assert!(
        python.contains("push_down_predicate=\"year = 2020 and month = 6 and day = 3 and hour = 14\""),
        "{python}"
    );
}

#[test]
fn athena_gets_statements_that_parse() {
    let (graph, checked) = checked(ANPR);
    let sql = script::athena(&graph, &checked).unwrap();
    let statements = sql::parse(&sql, "athena").unwrap_or_else(|error| panic!("{sql}\n{error:?}"));
    assert_eq!(statements.len(), 1);
    assert!(sql.contains("UNLOAD ("), "{sql}");
    assert!(sql.contains("partitioned_by = ARRAY['year', 'month', 'day', 'hour']"), "{sql}");
    assert!(sql.contains("SELECT * FROM anpr.arrived WHERE year = 2020"), "{sql}");
    let (graph, checked) = crate::checked(
        &WINDOWED.replace(", maxFileSize: 128 MB", "").replace("overwrite_partitions", "append"),
    );
    let sql = script::athena(&graph, &checked).unwrap();
    let statements = sql::parse(&sql, "athena").unwrap_or_else(|error| panic!("{sql}\n{error:?}"));
    assert_eq!(statements.len(), 2, "{sql}");
    assert!(sql.contains("CREATE EXTERNAL TABLE IF NOT EXISTS `source_files`"), "{sql}");
    assert!(sql.contains("CREATE TABLE practice.windowed_metrics WITH ("), "{sql}");
}

#[test]
fn athena_says_which_node_has_no_sql() {
    let of = |node: &str| {
        let (graph, checked) = checked(&around(node));
        assert!(checked.errors.is_empty(), "{:?}", checked.errors);
        script::athena(&graph, &checked)
    };
    let error = of("it: {DropNullFields: {Name: it, Inputs: [orders]}}").unwrap_err();
    assert_eq!(error.message(), "DropNullFields `it` has no equivalent in SQL");
    let error = of("it: {Spigot: {Name: it, Inputs: [orders], Path: 's3://lake/s/'}}").unwrap_err();
    assert!(error.message().contains("Spigot `it`"));
    for node in [
        "it: {SparkSQL: {Name: it, Inputs: [orders], SqlAliases: [{From: orders, Alias: o}], SqlQuery: 'WITH a AS (SELECT id FROM o) SELECT * FROM a'}}",
        "s: {SplitFields: {Name: s, Inputs: [orders], Paths: [id]}}\nit: {SelectFromCollection: {Name: it, Inputs: [s], Index: 1}}",
    ] {
        let sql = of(node).unwrap();
        sql::parse(&sql, "athena").unwrap_or_else(|error| panic!("{sql}\n{error:?}"));
    }
}
