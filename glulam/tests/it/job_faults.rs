//! Jobs where something goes wrong or stands in the way: what is refused, what is kept, what is not lost.

use crate::home::{Home, LONG};
use serde_json::Value;
use testkit::Process;

fn lines(rows: std::ops::Range<u32>) -> String {
    rows.map(|id| format!("{id},{}.5\n", id % 7)).collect()
}

/// A home with a bucket of one CSV file.
fn with_orders() -> Home {
    let home = Home::new();
    home.drop_file("orders", "a.csv", format!("id,price\n{}", lines(0..20)));
    home
}

fn count(home: &Home, from: &str) -> String {
    let sql = format!("SELECT count(*) FROM {from}");
    home.succeed(["sql", &sql, "--format", "csv"]).lines().last().unwrap_or_default().to_owned()
}

fn rows_in(home: &Home, folder: &str) -> usize {
    let out = home.path().join(format!("{}.csv", folder.replace(['/', ':'], "_")));
    let _ = std::fs::remove_file(&out);
    home.succeed(["convert", folder, out.to_str().unwrap(), "--select", "SELECT count(*) AS n FROM input"]);
    std::fs::read_to_string(out).unwrap().lines().last().unwrap().trim_matches('"').parse().unwrap()
}

const SOURCE: &str = "S3CsvSource: {Name: Files, Paths: [\"s3://orders/\"], Separator: comma, QuoteChar: quote, WithHeader: true}";

/// A job from the orders' files to targets that are given as YAML.
fn job(targets: &str) -> String {
    format!("Name: orders\nCodeGenConfigurationNodes:\n  files:\n    {SOURCE}\n{targets}")
}

/// What a command says that must fail.
fn refused<const N: usize>(home: &Home, words: [&str; N]) -> String {
    let finished = home.run(words);
    assert_ne!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    format!("{}{}", finished.stdout, finished.stderr)
}

#[test]
fn what_the_catalog_refuses_is_said_before_anything_is_written() {
    let home = with_orders();
    let long = "x".repeat(300);
    home.write(
        "job.yaml",
        &job(&format!(
            "  named:\n    SparkSQL: {{Name: Named, Inputs: [files], SqlAliases: [{{From: files, Alias: t}}], \
             SqlQuery: 'SELECT id, price AS {long} FROM t'}}\n  lake:\n    S3GlueParquetTarget: {{Name: Lake, Inputs: [named], \
             Path: 's3://lake/orders/', SchemaChangePolicy: {{EnableUpdateCatalog: true, UpdateBehavior: UPDATE_IN_DATABASE, \
             Database: shop, Table: orders}}}}\n"
        )),
    );
    let said = refused(&home, ["job", "run", "job.yaml"]);
    assert!(said.contains("300 characters, the limit is 255"), "{said}");
    assert!(!home.bucket("lake").join("orders").exists());
    // Everything else goes on.
    assert_eq!(home.tables(), Vec::<String>::new());
}

#[test]
fn two_targets_do_not_get_in_each_others_way() {
    let home = with_orders();
    let delta = |id: &str| {
        format!(
            "  {id}:\n    S3DeltaDirectTarget: {{Name: {id}, Inputs: [files], Path: 's3://lake/d/', Format: delta, Compression: snappy}}\n"
        )
    };
    let plain = |id: &str, path: &str, mode: &str| {
        format!(
            "  {id}:\n    S3DirectTarget: {{Name: {id}, Inputs: [files], Path: '{path}', Format: json, AdditionalOptions: {{writeMode: {mode}}}}}\n"
        )
    };
    let cases = [
        (delta("one") + &delta("two"), "write into one Delta table"),
        (
            plain("one", "s3://lake/a/", "overwrite") + &plain("two", "s3://lake/a/b/", "append"),
            "write into one place, which is replaced",
        ),
        (plain("one", "s3://orders/", "append"), "writes into the folder that `files` reads"),
        (plain("one", "s3://orders/out/", "overwrite"), "writes into the folder that `files` reads"),
    ];
    for (targets, expected) in cases {
        home.write("job.yaml", &job(&targets));
        for words in [["check", "job.yaml"].as_slice(), &["job", "run", "job.yaml"]] {
            let finished = Process::start(&mut home.command(words)).wait(LONG);
            let said = format!("{}{}", finished.stdout, finished.stderr);
            assert!(finished.code != Some(0) && said.contains(expected), "{words:?}: {said}");
        }
    }
    // To replace a folder by what was made of it is fine.
    home.write("job.yaml", &job(&plain("one", "s3://orders/", "overwrite")));
    home.succeed(["job", "run", "job.yaml"]);
    assert!(!home.bucket("orders").join("a.csv").exists());
    assert_eq!(rows_in(&home, "s3://orders/"), 20);
}

#[test]
fn a_failed_run_leaves_no_delta_table() {
    let home = with_orders();
    home.drop_file("orders", "b.csv", "id,price\nx,1\n");
    let target = |kind: &str| {
        format!(
            "  typed:\n    ApplyMapping:\n      Name: Types\n      Inputs: [files]\n      Mapping:\n        - {{FromPath: [id], \
             FromType: string, ToKey: id, ToType: {kind}}}\n  table:\n    S3DeltaDirectTarget: {{Name: Table, Inputs: [typed], \
             Path: 's3://lake/d/', Format: delta, Compression: snappy, SchemaChangePolicy: {{EnableUpdateCatalog: true, \
             UpdateBehavior: UPDATE_IN_DATABASE, Database: shop, Table: orders}}}}\n"
        )
    };
    home.write("job.yaml", &job(&target("int")));
    let said = refused(&home, ["job", "run", "job.yaml", "--max-rejects", "0"]);
    assert!(said.contains("more than 0 rows were rejected"), "{said}");
    assert!(!home.bucket("lake").join("d").exists());
    // Nothing of its types is left over, and the catalog learns of the table when it is there.
    home.write("job.yaml", &job(&target("string")));
    let made = home.run(["job", "run", "job.yaml"]);
    assert_eq!((made.code, made.stderr.contains("ERROR")), (Some(0), false), "{}", made.stderr);
    assert_eq!(count(&home, "shop.orders"), "21");
    home.succeed(["job", "run", "job.yaml"]);
    assert_eq!(count(&home, "shop.orders"), "42");
    let versions = home.bucket("lake").join("d/_delta_log");
    assert!(versions.join("00000000000000000001.json").exists());
}

#[test]
fn a_bookmark_with_nothing_new_replaces_nothing() {
    let home = with_orders();
    home.succeed(["crawl", "s3://orders/", "--database", "shop"]);
    let definition = "Name: copy\nCodeGenConfigurationNodes:\n  table:\n    CatalogSource: {Name: T, Database: shop, Table: orders}\n  \
                      lake:\n    S3DirectTarget: {Name: L, Inputs: [table], Path: 's3://lake/copy/', Format: json, AdditionalOptions: {writeMode: overwrite}}\n";
    home.write("job.yaml", definition);
    let words = ["job", "run", "job.yaml", "--job-bookmark-option", "job-bookmark-enable"];
    home.succeed(words);
    assert_eq!(rows_in(&home, "s3://lake/copy/"), 20);
    let again = home.succeed(words);
    assert!(again.contains("nothing new"), "{again}");
    assert_eq!(rows_in(&home, "s3://lake/copy/"), 20);
}

#[test]
fn a_table_to_look_things_up_in_is_read_whole_beside_a_bookmark() {
    let home = with_orders();
    home.drop_file("names", "n.csv", "id,name\n1,a\n2,b\n30,c\n");
    let definition = |option: &str| {
        format!(
            "Name: named\nCodeGenConfigurationNodes:\n  files:\n    {SOURCE}\n  names:\n    S3CsvSource: {{Name: Names, \
             Paths: ['s3://names/'], Separator: comma, QuoteChar: quote, WithHeader: true{option}}}\n  both:\n    SparkSQL: {{Name: Both, \
             Inputs: [files, names], SqlAliases: [{{From: files, Alias: f}}, {{From: names, Alias: n}}], \
             SqlQuery: 'SELECT f.id, n.name FROM f JOIN n ON f.id = n.id'}}\n  lake:\n    S3DirectTarget: {{Name: L, Inputs: [both], \
             Path: 's3://lake/named/', Format: json}}\n"
        )
    };
    let words = ["job", "run", "job.yaml", "--job-bookmark-option", "job-bookmark-enable"];
    home.write("job.yaml", &definition(", AdditionalOptions: {JobBookmark: disable}"));
    home.succeed(words);
    assert_eq!(rows_in(&home, "s3://lake/named/"), 2);
    home.drop_file("orders", "b.csv", format!("id,price\n{}", lines(30..31)));
    home.succeed(words);
    assert_eq!(rows_in(&home, "s3://lake/named/"), 3);
    // Where it follows the bookmark as well, the report warns.
    home.write("job.yaml", &definition(""));
    home.succeed(words);
    home.drop_file("orders", "c.csv", format!("id,price\n{}", lines(2..3)));
    let said = home.succeed(words);
    assert!(said.contains("`names` gave no rows"), "{said}");
}

#[test]
fn rejects_are_counted_against_what_was_read() {
    let home = Home::new();
    let good =
        "10.0.0.1 - anna [02/Mar/2026:13:43:01 +0100] \"GET /stock/x HTTP/1.1\" 200 \"Machine (c; mail)\"\n";
    home.drop_file("logs", "a.txt", format!("{}{}", good.repeat(45), "broken\n".repeat(5)));
    let definition = "Name: logs\nCodeGenConfigurationNodes:\n  lines:\n    S3TextSource: {Name: Lines, Paths: ['s3://logs/']}\n  \
                      parsed:\n    DynamicTransform: {Name: Parsed, Inputs: [lines], FunctionName: glulam_parse_log}\n  \
                      out:\n    S3DirectTarget: {Name: Out, Inputs: [parsed], Path: 's3://lake/logs/', Format: json}\n";
    home.write("job.yaml", definition);
    for most in ["2", "9%"] {
        let said = refused(&home, ["job", "run", "job.yaml", "--max-rejects", most]);
        assert!(said.contains("rejected"), "{said}");
        assert!(!home.bucket("lake").join("logs").exists(), "{most}");
    }
    for most in ["5", "10%"] {
        home.succeed(["job", "run", "job.yaml", "--max-rejects", most]);
    }
    assert_eq!(rows_in(&home, "s3://lake/logs/"), 90);
}

#[test]
fn columns_without_values_are_dropped_and_rows_counted_once() {
    let home = with_orders();
    home.drop_file("orders", "b.csv", "id,price\nx,1\n");
    home.write(
        "job.yaml",
        &job("  typed:\n    ApplyMapping:\n      Name: Types\n      Inputs: [files]\n      Mapping:\n        - {FromPath: [id], \
              FromType: string, ToKey: id, ToType: int}\n  full:\n    DropNullFields: {Name: Full, Inputs: [typed]}\n  \
              out:\n    S3DirectTarget: {Name: Out, Inputs: [full], Path: 's3://lake/full/', Format: json}\n"),
    );
    let shown = home.json(["job", "run", "job.yaml", "--max-rejects", "1"]);
    let nodes = shown["report"]["nodes"].as_array().unwrap();
    let of = |id: &str| nodes.iter().find(|node| node["id"] == id).unwrap();
    let expected = |rows: u64| Value::from(rows);
    assert_eq!((&of("files")["rows_out"], &of("typed")["rejected"]), (&expected(21), &expected(1)));
    assert_eq!(rows_in(&home, "s3://lake/full/"), 20);
}

#[test]
fn a_whole_bucket_is_replaced_but_for_what_others_left() {
    let home = with_orders();
    home.drop_file("orders", "b.csv", "id,price\nx,1\n");
    home.write(
        "job.yaml",
        &job("  typed:\n    ApplyMapping:\n      Name: Types\n      Inputs: [files]\n      Mapping:\n        - {FromPath: [id], \
              FromType: string, ToKey: id, ToType: int}\n  out:\n    S3DirectTarget: {Name: Out, Inputs: [typed], \
              Path: 's3://whole/', Format: json, AdditionalOptions: {writeMode: overwrite}}\n"),
    );
    home.succeed(["job", "run", "job.yaml"]);
    home.succeed(["job", "run", "job.yaml"]);
    let rejected = home.bucket("whole").join("_rejected/orders");
    assert_eq!(std::fs::read_dir(rejected).unwrap().count(), 2, "the rejects of both runs are there");
}

#[test]
fn a_bookmark_is_set_back_through_a_server() {
    let home = with_orders();
    let mut server =
        Process::start(&mut home.command(["up", "--aws", "off", "--console", "off", "--pg", "off"]));
    server.wait_for_line("ready ", LONG);
    home.write(
        "job.yaml",
        &job(
            "  out:\n    S3DirectTarget: {Name: Out, Inputs: [files], Path: 's3://lake/o/', Format: json}\n",
        ),
    );
    let words = ["job", "run", "job.yaml", "--job-bookmark-option", "job-bookmark-enable"];
    home.succeed(words);
    assert!(home.succeed(words).contains("nothing new"));
    home.succeed(["job", "bookmark", "orders", "--reset"]);
    home.succeed(words);
    assert_eq!(rows_in(&home, "s3://lake/o/"), 40);
    drop(server);
}

#[test]
fn a_table_with_other_keys_is_not_written() {
    let home = with_orders();
    home.succeed(["sql", "CREATE DATABASE shop"]);
    home.succeed(["sql", "CREATE TABLE shop.o WITH (external_location = 's3://lake/o/', partitioned_by = ARRAY['id']) AS SELECT '1' AS price, 1 AS id"]);
    home.write(
        "job.yaml",
        &job("  out:\n    S3GlueParquetTarget: {Name: Out, Inputs: [files], Path: 's3://lake/o/', PartitionKeys: [price], SchemaChangePolicy: \
              {EnableUpdateCatalog: true, UpdateBehavior: UPDATE_IN_DATABASE, Database: shop, Table: o}}\n"),
    );
    let said = refused(&home, ["job", "run", "job.yaml"]);
    assert!(said.contains("is partitioned by id, the target by price"), "{said}");
}

#[test]
fn jobs_with_required_arguments_can_be_kept() {
    let home = with_orders();
    let target =
        "  out:\n    S3DirectTarget: {Name: Out, Inputs: [files], Path: '${output}', Format: json}\n";
    home.write("job.yaml", &job(target));
    let said = refused(&home, ["check", "job.yaml"]);
    assert!(said.contains("the argument `--output` is not given") && said.contains("1 mistake"), "{said}");
    home.succeed(["job", "create", "job.yaml"]);
    home.succeed(["job", "run", "orders", "--output", "s3://lake/kept/"]);
    assert_eq!(rows_in(&home, "s3://lake/kept/"), 20);
}

#[test]
fn what_the_catalog_refuses_behind_the_commit_is_told_once_and_doubles_nothing() {
    let home = Home::new();
    // No database can keep the character zero, so no partition of the catalog can have it; only the rows tell.
    home.drop_file("orders", "a.csv", "id,price\n1,2\n2,3\n");
    let targets = "  named:\n    SparkSQL: {Name: Named, Inputs: [files], SqlAliases: [{From: files, Alias: t}], \
                   SqlQuery: 'SELECT id, price || chr(0) AS price FROM t'}\n  out:\n    S3GlueParquetTarget: {Name: Out, \
                   Inputs: [named], Path: 's3://lake/o/', PartitionKeys: [price], SchemaChangePolicy: {EnableUpdateCatalog: true, \
                   UpdateBehavior: UPDATE_IN_DATABASE, Database: shop, Table: o}}\n";
    home.write("job.yaml", &format!("MaxRetries: 2\n{}", job(targets)));
    let words = ["job", "run", "job.yaml", "--job-bookmark-option", "job-bookmark-enable"];
    let said = home.succeed(words);
    assert!(said.contains("the outputs are published, but") && said.contains("shop.o"), "{said}");
    assert_eq!(rows_in(&home, "s3://lake/o/"), 2);
    // It stands in nobody's way, and the bookmark has moved.
    assert!(home.succeed(words).contains("nothing new"));
    assert_eq!(rows_in(&home, "s3://lake/o/"), 2);
}

#[test]
fn arguments_that_mean_nothing_are_told() {
    let home = with_orders();
    let target =
        "  out:\n    S3DirectTarget: {Name: Out, Inputs: [files], Path: '${output}', Format: json}\n";
    let with = |option: &str| {
        job(target).replacen(
            '\n',
            &format!("\nDefaultArguments: {{--output: 's3://made/o/', {option}}}\n"),
            1,
        )
    };
    home.write("wrong.yaml", &with("--job-bookmark-option: on"));
    let said = refused(&home, ["check", "wrong.yaml"]);
    assert!(said.contains("wrong.yaml:2") && said.contains("`on` is no value"), "{said}");
    assert!(refused(&home, ["job", "create", "wrong.yaml"]).contains("job-bookmark-enable"));
    home.write("job.yaml", &with("--enable-metrics: 'true'"));
    let report = home.json(["job", "run", "job.yaml", "--ouput", "s3://other/", "--enable-metrics", "true"]);
    let notes: Vec<_> =
        report["report"]["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(
        notes,
        [
            "the argument `--ouput` is not used by the job; did you mean `--output`?",
            "the bucket `made` of `out` was not there and was made"
        ]
    );
}

#[test]
fn a_mistyped_bucket_is_a_mistake_and_one_to_come_is_not() {
    let home = with_orders();
    let target =
        "  out:\n    S3DirectTarget: {Name: Out, Inputs: [files], Path: 's3://lake/o/', Format: json}\n";
    home.write("mistyped.yaml", &job(target).replace("s3://orders/", "s3://ordres/"));
    let said = refused(&home, ["check", "mistyped.yaml"]);
    assert!(
        said.contains("there is no bucket `ordres`") && said.contains("did you mean `orders`?"),
        "{said}"
    );
    home.write("later.yaml", &job(target).replace("s3://orders/", "s3://arrivals-of-tomorrow/"));
    home.succeed(["check", "later.yaml"]);
}

#[test]
fn one_table_lies_in_one_folder() {
    let home = with_orders();
    let target = |id: &str| {
        format!(
            "  {id}:\n    S3GlueParquetTarget: {{Name: To {id}, Inputs: [files], Path: 's3://lake/{id}/', SchemaChangePolicy: \
             {{EnableUpdateCatalog: true, UpdateBehavior: UPDATE_IN_DATABASE, Database: shop, Table: o}}}}\n"
        )
    };
    home.write("job.yaml", &job(&(target("one") + &target("two"))));
    let said = refused(&home, ["check", "job.yaml"]);
    assert!(said.contains("make the table `shop.o` of two folders"), "{said}");
}

#[test]
fn bookmarks_of_no_job_are_told() {
    let home = with_orders();
    let target =
        "  out:\n    S3DirectTarget: {Name: Out, Inputs: [files], Path: 's3://lake/o/', Format: json}\n";
    home.write("job.yaml", &job(target));
    home.succeed(["job", "create", "job.yaml"]);
    assert!(refused(&home, ["job", "bookmark", "order", "--reset"]).contains("did you mean `orders`?"));
    home.succeed(["job", "run", "orders", "--job-bookmark-option", "job-bookmark-enable"]);
    let shown = home.run(["job", "show", "orders"]);
    assert!(shown.stderr.contains("bookmark: 1 file read, moved by"), "{}", shown.stderr);
}

#[test]
fn delta_tables_have_the_codec_and_the_files_that_were_asked_for() {
    let home = with_orders();
    let target = "  out:\n    S3DeltaDirectTarget: {Name: Out, Inputs: [files], Path: 's3://lake/o/', Format: delta, \
                  Compression: uncompressed}\n";
    home.write("job.yaml", &job(target));
    home.succeed(["job", "run", "job.yaml"]);
    let mut files =
        std::fs::read_dir(home.bucket("lake").join("o")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|e| e == "parquet")).unwrap();
    let script = "import sys, pyarrow.parquet as p; print(p.ParquetFile(sys.argv[1]).metadata.row_group(0).column(0).compression)";
    let mut python = std::process::Command::new(testkit::venv().join("bin/python"));
    let codec = Process::start(python.args(["-c", script]).arg(file)).wait(LONG);
    assert_eq!(codec.stdout.trim(), "UNCOMPRESSED", "{}", codec.stderr);
}

#[test]
fn fields_that_come_late_are_columns_too() {
    let home = Home::new();
    // More rows than are looked at; the last ones have a field more, and one of them a nested one.
    let mut text: String =
        (0..40_000).map(|id| format!("{{\"id\": {id}, \"at\": {{\"x\": 1}}}}\n")).collect();
    text.push_str("{\"id\": 40000, \"at\": {\"x\": 2, \"y\": 2.5}, \"Note\": \"late\"}\n");
    text.push_str("{\"id\": 40001, \"at\": {\"x\": 3}, \"Note\": \"later\"}\n");
    home.drop_file("events", "a.json", text);
    let source = "S3JsonSource: {Name: Files, Paths: [\"s3://events/\"]}";
    let target = "S3DirectTarget: {Name: Lake, Inputs: [files], Path: 's3://lake/events/', Format: parquet}";
    home.write(
        "job.yaml",
        &format!("Name: events\nCodeGenConfigurationNodes:\n  files:\n    {source}\n  lake:\n    {target}\n"),
    );
    let shown = home.json(["job", "run", "job.yaml"]);
    let report = &shown["report"];
    assert_eq!(report["nodes"][0]["rejected"], 0, "{report}");
    assert_eq!(report["targets"][0]["rows"], 40_002, "{report}");
    let out = home.path().join("out.csv");
    let late = "SELECT id, note, at.y FROM input WHERE note IS NOT NULL ORDER BY id";
    home.succeed(["convert", "s3://lake/events/", out.to_str().unwrap(), "--select", late]);
    let rows = std::fs::read_to_string(out).unwrap().replace('"', "");
    assert_eq!(rows.lines().skip(1).collect::<Vec<_>>(), ["40000,late,2.5", "40001,later,"], "{rows}");
    assert_eq!(std::fs::read_dir(home.bucket("lake").join("events")).unwrap().count(), 1);
}
