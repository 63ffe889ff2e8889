//! What needs more memory than it may use: joins sort what they cannot hash, and say so.

use crate::home::{Home, LONG};
use testkit::Process;

/// 600,000 rows, a hundred and fifty megabytes where a join hashes them.
const TABLE: &str = "CREATE TABLE t WITH (format = 'PARQUET') AS
    SELECT x * 1000 + y AS n, rpad(CAST(x * 1000 + y AS varchar), 240, 'x') AS s
    FROM UNNEST(sequence(1, 600)) AS a (x) CROSS JOIN UNNEST(sequence(0, 999)) AS b (y)";

const JOB: &str = r#"
Name: joined
CodeGenConfigurationNodes:
  left:
    CatalogSource: {Name: Left, Database: r, Table: t}
  right:
    CatalogSource: {Name: Right, Database: r, Table: t}
  renamed:
    ApplyMapping:
      Name: Renamed
      Inputs: [right]
      Mapping:
        - {ToKey: m, FromPath: [n], FromType: bigint, ToType: bigint}
        - {ToKey: again, FromPath: [s], FromType: string, ToType: string}
  joined:
    Join:
      Name: Joined
      JoinType: equijoin
      Inputs: [left, renamed]
      Columns:
        - {From: left, Keys: [[n]]}
        - {From: renamed, Keys: [[m]]}
  lake:
    S3GlueParquetTarget: {Name: Lake, Inputs: [joined], Path: "s3://curated/joined/"}
"#;

#[test]
fn joins_larger_than_memory_are_sorted() {
    let home = Home::new();
    home.succeed(["sql", "CREATE DATABASE r"]);
    home.succeed(["sql", "-d", "r", TABLE]);
    let within = |more: &[&str]| {
        let mut arguments = vec!["--set", "sql.memory_mb=80"];
        arguments.extend(more);
        let finished = Process::start(&mut home.command(&arguments)).wait(LONG);
        assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
        finished.stdout
    };
    let join = "FROM r.t a JOIN r.t b ON a.n = b.n";
    let sums = "count(*), sum(a.n), sum(length(a.s) + length(b.s)), count_if(a.s <> b.s)";
    let counted = within(&["sql", "--format", "csv", &format!("SELECT {sums} {join}")]);
    // 1000 to 600999
    assert_eq!(counted.lines().nth(1), Some("600000,180599700000,288000000,0"), "{counted}");
    let table = format!("CREATE TABLE r.u WITH (format = 'PARQUET') AS SELECT a.n, a.s, b.s AS again {join}");
    within(&["sql", &table]);
    let written = "SELECT count(*), count(DISTINCT n), sum(n), count_if(s <> again) FROM r.u";
    let written = within(&["sql", "--format", "csv", written]);
    assert_eq!(written.lines().nth(1), Some("600000,600000,180599700000,0"), "{written}");
    home.write("job.yaml", JOB);
    let shown = within(&["job", "run", "job.yaml", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["report"]["rows_written"], 600_000, "{shown}");
    let log = home.succeed(["logs", shown["run"].as_str().unwrap()]);
    assert!(log.contains("sorts both sides"), "{log}");
}
