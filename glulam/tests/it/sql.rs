//! SQL from the command line: forms of rows, mistakes, files, the demo's questions, hostile input.

use crate::home::{Home, LONG};
use std::time::Duration;
use testkit::Process;

/// An error of a command, which must have failed with this exit code.
fn refused<const N: usize>(home: &Home, code: i32, arguments: [&str; N]) -> String {
    let finished = home.run(arguments);
    assert_eq!(finished.code, Some(code), "{arguments:?}\n{}{}", finished.stdout, finished.stderr);
    finished.stderr
}

fn csv(home: &Home, sql: &str) -> String {
    home.succeed(["sql", sql, "--format", "csv"])
}

#[test]
fn rows_come_in_the_form_that_is_asked_for() {
    let home = Home::new();
    let sql =
        "SELECT a, b, c FROM (VALUES (1, 'x,y', ARRAY[1.5, NULL]), (2, '', NULL)) AS t(a, b, c) ORDER BY a";
    assert_eq!(csv(&home, sql), "a,b,c\n1,\"x,y\",\"[1.5, null]\"\n2,\"\",\n");
    let json = home.succeed(["sql", sql, "--format", "json"]);
    let rows: Vec<serde_json::Value> = json.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows[0]["b"], "x,y");
    assert_eq!(rows[1]["c"], serde_json::Value::Null);
    for file in ["out.parquet", "out.arrow", "out.csv", "out.json"] {
        home.succeed(["sql", sql, "--output", file]);
        assert!(std::fs::metadata(home.path().join(file)).unwrap().len() > 0, "{file}");
    }
    let parquet = std::fs::read(home.path().join("out.parquet")).unwrap();
    assert_eq!((&parquet[..4], &parquet[parquet.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
    // What was written reads back equal.
    home.drop_file("out", "t/part.parquet", parquet);
    home.succeed(["crawl", "s3://out/", "--database", "back"]);
    assert_eq!(csv(&home, "SELECT a, b, c FROM back.t ORDER BY a"), csv(&home, sql));
}

#[test]
fn mistakes_are_told_with_their_place_and_what_is_near() {
    let home = Home::new();
    home.drop_file("raw", "pets/a.csv", "name,age\nrex,3\nmia,4\n");
    home.succeed(["crawl", "s3://raw/", "--database", "zoo"]);
    let cases = [
        ("SELECT nam FROM zoo.pets", 3, ":1:8", "did you mean `name`"),
        ("SELECT name FROM zoo.pet", 3, ":1:18", "did you mean `pets`"),
        ("SELECT uper(name) FROM zoo.pets", 3, ":1:8", "did you mean `upper`"),
        ("SELECT *\nFROM zoo.pets\nWHERE age = 'x'", 2, ":3:", "integer"),
        ("SELECT name, count(*) FROM zoo.pets", 2, ":1:8", "GROUP BY"),
        ("SELEC 1", 2, ":1:1", "SELECT"),
    ];
    for (sql, code, place, hint) in cases {
        let error = refused(&home, code, ["sql", sql]);
        assert!(error.contains(place) && error.contains(hint), "{sql}\n{error}");
        assert!(error.lines().count() <= 11, "{error}");
    }
}

#[test]
fn files_are_checked_as_a_whole_before_they_run() {
    let home = Home::new();
    home.write("good.sql", "CREATE TABLE t AS SELECT 1 AS a;\nSELECT a FROM t;\n");
    home.write("bad.sql", "SELECT 1;\n\nSELECT b FROM (SELECT 1 AS a);\nSELECT * FROM nowhere\n");
    let error = home.run(["check", "good.sql", "bad.sql"]);
    assert_eq!(error.code, Some(2), "{}{}", error.stdout, error.stderr);
    assert!(error.stdout.contains("bad.sql:3:8") && error.stdout.contains("bad.sql:4:"), "{}", error.stdout);
    assert!(!error.stdout.contains("good.sql"), "{}", error.stdout);
    home.succeed(["check", "good.sql"]);
    // The mistake in the last line is found before the first line has run.
    home.write("late.sql", "CREATE TABLE early AS SELECT 1 AS a;\nSELECT FROM;\n");
    let error = refused(&home, 2, ["sql", "--file", "late.sql"]);
    assert!(error.contains("late.sql:2:"), "{error}");
    assert!(home.tables().is_empty());
}

#[test]
fn a_server_answers_the_same() {
    let home = Home::new();
    let sql = "SELECT x, x * x AS y FROM UNNEST(sequence(1, 5)) AS t(x)";
    let alone = csv(&home, sql);
    let mut server =
        Process::start(&mut home.command(["up", "--aws", "off", "--console", "off", "--pg", "off"]));
    server.wait_for_line("ready ", LONG);
    assert_eq!(csv(&home, sql), alone);
    refused(&home, 3, ["sql", "SELECT * FROM nowhere"]);
    server.signal(15);
    assert_eq!(server.wait(LONG).code, Some(0));
}

#[test]
fn writing_statements_appear_whole_or_not_at_all() {
    let rows = "SELECT x AS id, x % 5 AS part FROM UNNEST(sequence(1, 1000)) AS t(x)";
    let make = format!("CREATE TABLE t WITH (partitioned_by = ARRAY['part']) AS {rows}");
    let count = "SELECT count(*), sum(id) FROM t";
    for point in ["engine.ctas.before_publish", "engine.ctas.before_table"] {
        let home = Home::new();
        let killed = Process::start(home.command(["sql", &make]).env("GLULAM_CRASH_AT", point)).wait(LONG);
        assert_eq!(killed.code, None, "{point}: {}", killed.stderr);
        assert!(home.tables().is_empty(), "{point}");
        home.succeed(["sql", &make]);
        assert_eq!(csv(&home, count), "_col0,_col1\n1000,500500\n", "{point}");
    }
    let home = Home::new();
    home.succeed(["sql", &make]);
    let insert = "INSERT INTO t SELECT x, x % 7 FROM UNNEST(sequence(1, 70)) AS t(x)";
    let killed =
        Process::start(home.command(["sql", insert]).env("GLULAM_CRASH_AT", "engine.insert.before_publish"))
            .wait(LONG);
    assert_eq!(killed.code, None, "{}", killed.stderr);
    assert_eq!(csv(&home, count), "_col0,_col1\n1000,500500\n");
    home.succeed(["sql", insert]);
    assert_eq!(csv(&home, count), "_col0,_col1\n1070,502985\n");
}

#[test]
fn changes_of_delta_tables_are_whole_or_not_there() {
    let home = Home::new();
    let make = "CREATE TABLE d WITH (table_type = 'DELTA', partitioned_by = ARRAY['part']) AS \
                SELECT x AS id, x % 5 AS part FROM UNNEST(sequence(1, 100)) AS t(x)";
    for point in ["engine.delta.before_commit", "engine.delta.before_table"] {
        let killed = Process::start(home.command(["sql", make]).env("GLULAM_CRASH_AT", point)).wait(LONG);
        assert_eq!(killed.code, None, "{point}: {}", killed.stderr);
        assert!(home.tables().is_empty(), "{point}");
    }
    home.succeed(["sql", make]);
    let count = "SELECT count(*), sum(id) FROM d";
    for change in [
        "INSERT INTO d SELECT id + 100, part FROM d",
        "DELETE FROM d WHERE id > 50",
        "UPDATE d SET id = 0 WHERE part = 3",
        "MERGE INTO d USING (VALUES 1, 1000) AS s(id) ON d.id = s.id WHEN MATCHED THEN DELETE \
         WHEN NOT MATCHED THEN INSERT VALUES (s.id, 0)",
    ] {
        let mut command = home.command(["sql", change]);
        let killed = Process::start(command.env("GLULAM_CRASH_AT", "engine.delta.before_commit")).wait(LONG);
        assert_eq!(killed.code, None, "{change}: {}", killed.stderr);
        assert_eq!(csv(&home, count), "_col0,_col1\n100,5050\n", "{change}");
    }
    assert_eq!(csv(&home, "DELETE FROM d WHERE id > 50"), "rows\n50\n");
    assert_eq!(csv(&home, count), "_col0,_col1\n50,1275\n");
}

#[test]
fn prepared_statements_outlive_the_process() {
    let home = Home::new();
    home.succeed(["sql", "PREPARE twice FROM SELECT ? * 2 AS n"]);
    assert_eq!(csv(&home, "EXECUTE twice USING 21"), "n\n42\n");
    home.succeed(["sql", "PREPARE twice FROM SELECT ? * 3 AS n"]);
    assert_eq!(csv(&home, "EXECUTE twice USING 5"), "n\n15\n");
    let error = refused(&home, 3, ["sql", "EXECUTE twise USING 1"]);
    assert!(error.contains("did you mean `twice`") && error.contains(":1:9"), "{error}");
    home.succeed(["sql", "DEALLOCATE PREPARE twice"]);
    refused(&home, 3, ["sql", "EXECUTE twice USING 5"]);
}

#[test]
fn hostile_input_ends_in_a_diagnosis() {
    let home = Home::new();
    let quick = Duration::from_secs(60);
    let ends = |sql: &str, name: &str| {
        home.write("hostile.sql", sql);
        let mut command = home.command(["sql", "--file", "hostile.sql", "--format", "csv"]);
        let finished = Process::start(&mut command).wait(quick);
        let code = finished.code.unwrap_or_else(|| panic!("{name} crashed: {}", finished.stderr));
        assert!(code != 70 && code != 101, "{name}: {}", finished.stderr);
        (code, finished.stderr)
    };
    let (code, _) =
        ends(&format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000)), "nested parentheses");
    assert_ne!(code, 0);
    let list: Vec<String> = (0..150_000).map(|n| n.to_string()).collect();
    let (code, error) = ends(&format!("SELECT 5 IN ({})", list.join(",")), "a statement of a megabyte");
    assert!(code == 0 || error.contains("error:"), "{error}");
    let (code, error) = ends("SELECT regexp_like(rpad('a', 40, 'a') || 'b', '^(a+)+$')", "a regex bomb");
    assert_eq!(code, 0, "{error}");
    let (code, _) =
        ends("SELECT regexp_like(rpad('a', 4000, 'a') || 'b', '^(?=(a+)+$)a')", "a bomb with look-ahead");
    assert!(code == 0 || code == 2 || code == 1);
    home.succeed(["sql", "CREATE VIEW v AS SELECT 1 AS a"]);
    let (code, error) =
        ends("CREATE OR REPLACE VIEW v AS SELECT * FROM v; SELECT * FROM v", "a view of itself");
    assert!(code != 0 && error.contains('v'), "{error}");
    // The first page of each Parquet file is damaged, from its header on: values alone have no checksum.
    home.succeed(["sql", "CREATE TABLE p WITH (external_location = 's3://files/p/') AS SELECT x, cast(x * 7919 AS varchar) AS y FROM UNNEST(sequence(1, 9999)) AS t(x)"]);
    for entry in std::fs::read_dir(home.bucket("files").join("p")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4..204].fill(0xA5);
        std::fs::write(&path, bytes).unwrap();
    }
    let (code, error) = ends("SELECT sum(x), count(DISTINCT y) FROM p", "a damaged page");
    assert!(code != 0 && error.contains("s3://files/p/"), "{error}");
}

#[test]
fn the_reference_lists_what_there_is() {
    let home = Home::new();
    let reference = home.succeed(["sql", "--reference"]);
    for name in ["`date_trunc(", "`approx_percentile(", "`regexp_replace(", "`transform("] {
        assert!(reference.contains(name), "{name}");
    }
    let written = std::fs::read_to_string(testkit::project_root().join("docs/sql.md")).unwrap();
    assert_eq!(written, reference, "write it again: glulam sql --reference > docs/sql.md");
}

#[test]
fn sorted_texts_take_the_room_of_their_rows() {
    let home = Home::new();
    home.succeed(["sql", "CREATE DATABASE r"]);
    let table = "CREATE TABLE t WITH (format = 'PARQUET') AS
        SELECT x * 1000 + y AS n,
            'a text of some length ' || CAST((x * 7919 + y * 104729) % 1000003 AS varchar) AS s
        FROM UNNEST(sequence(1, 300)) AS a (x) CROSS JOIN UNNEST(sequence(1, 1000)) AS b (y)";
    home.succeed(["sql", "-d", "r", table]);
    // Nine megabytes of texts: no file may become larger than fifty, neither the kept answer nor a spilled one.
    let within = |arguments: &[&str]| {
        let command = home.command(arguments);
        let mut limited = std::process::Command::new("bash");
        limited.args(["-c", "ulimit -f 50000 && exec \"$@\"", "limited"]).arg(command.get_program());
        limited.args(command.get_args()).current_dir(home.path()).stdin(std::process::Stdio::null());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        let finished = Process::start(&mut limited).wait(LONG);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        finished.stdout
    };
    let lines = within(&["sql", "SELECT s FROM r.t ORDER BY s DESC", "--format", "csv"]);
    let lines: Vec<&str> = lines.lines().skip(1).collect();
    assert_eq!(lines.len(), 300_000);
    assert!(lines.is_sorted_by(|a, b| a >= b));
    let sorted =
        "UNLOAD (SELECT s, n FROM r.t ORDER BY s, n) TO 's3://warehouse/sorted/' WITH (format = 'PARQUET')";
    within(&["--set", "sql.memory_mb=64", "sql", sorted]);
}
