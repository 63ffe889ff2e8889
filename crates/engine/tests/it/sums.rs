//! Sums that are kept: asked again, a question reads only the files that have come since, and its answer is the same.

use crate::slt::Session;
use engine::QueryRequest;

/// So many rows in a file for each of three days, some of them without values.
const ROWS: &str = "SELECT n, IF(n % 7 = 0, NULL, n * 1.5e0) AS v, 'name ' || CAST(n % 5 AS varchar) AS name, \
     date_add('day', n % 3, DATE '2026-01-01') AS day FROM UNNEST(sequence(1, 300)) AS t (n)";

/// Questions whose first half is over a table's files.
const SUMMED: [&str; 16] = [
    "SELECT count(*), count(v), sum(v), avg(v) FROM t WHERE n > 1",
    "SELECT min(v), max(v), min(name), max(n) FROM t",
    "SELECT name, day, sum(n), avg(v), max(v) FROM t GROUP BY 1, 2",
    "SELECT day, count(*) FROM t WHERE v > 100 GROUP BY day",
    "SELECT from_unixtime(floor(n / 60) * 60) AS slot, max(v) FROM t GROUP BY 1",
    "SELECT name, approx_percentile(v, 0.5), approx_distinct(n) FROM t GROUP BY name",
    "SELECT day, count(DISTINCT n % 10), sum(DISTINCT n % 10) FROM t GROUP BY day",
    "SELECT name, day, count(*) FROM t GROUP BY GROUPING SETS ((name), (day), ())",
    "SELECT name, count(*) FILTER (WHERE n > 100) FROM t GROUP BY name HAVING sum(n) > 9000",
    "SELECT sum(reduce(transform(sequence(1, 3), x -> x + 1), 0, (s, x) -> s + x, s -> s)) FROM t WHERE n > 5",
    "SELECT sum(reduce(transform(sequence(1, 3), x -> x + 2), 0, (s, x) -> s + x, s -> s)) FROM t WHERE n > 5",
    "SELECT max_by(name, n), min_by(v, n) FROM t",
    "SELECT name, max(n) FROM t GROUP BY 1 UNION ALL SELECT name, min(n) FROM t GROUP BY 1",
    "SELECT \"$path\" LIKE '%parquet%', count(*) FROM t GROUP BY 1",
    "SELECT name FROM t WHERE day = DATE '2026-01-02' GROUP BY name ORDER BY sum(n) DESC LIMIT 2",
    "SELECT stddev(v), variance(v), bool_and(n > 0), checksum(name) FROM t",
];

impl Session {
    /// The rows as usual and with what is kept, both in order; and how many files were opened for the latter.
    async fn both(&self, sql: &str) -> (Vec<Vec<String>>, Vec<Vec<String>>, u64) {
        let (_, mut usual) = self.rows(sql).await.unwrap();
        let request = QueryRequest { with_origin: true, ..QueryRequest::new(sql) };
        let (_, mut rows, report) = self.asked(request).await.unwrap();
        usual.sort();
        rows.sort();
        (usual, rows, report.files_read)
    }

    async fn equal(&self, sql: &str) -> u64 {
        let (usual, rows, files) = self.both(sql).await;
        assert_eq!(rows.len(), usual.len(), "{sql}");
        for (one, other) in rows.iter().flatten().zip(usual.iter().flatten()) {
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
            let is_near = one.parse().is_ok_and(|a| other.parse().is_ok_and(|b| near(a, b)));
            assert!(one == other || is_near, "{sql}: {rows:?} instead of {usual:?}");
        }
        files
    }
}

fn tables(format: &str) -> String {
    format!("CREATE TABLE t WITH (format = '{format}', partitioned_by = ARRAY['day']) AS {ROWS}")
}

#[test]
fn only_new_files_are_read() {
    let session = Session::new();
    session.runtime.block_on(async {
        let run = async |sql: &str| session.rows(sql).await.unwrap();
        run(&tables("PARQUET")).await;
        let mut first = Vec::new();
        for sql in SUMMED {
            first.push(session.equal(sql).await);
            assert_eq!(session.equal(sql).await, 0, "asked again, nothing is read: {sql}");
        }
        // A statement that differs in a lambda alone is another one.
        assert!(first[9] > 0 && first[10] > 0, "{first:?}");
        for (day, n) in [(1, 5000), (2, 6000), (9, 7000)] {
            run(&format!("INSERT INTO t SELECT {n}, {n}.5e0, 'name 3', DATE '2026-01-0{day}'")).await;
            for sql in SUMMED {
                let is_read = session.equal(sql).await > 0;
                assert!(is_read || sql.contains("WHERE day ="), "{sql}");
                assert_eq!(session.equal(sql).await, 0, "{sql}");
            }
        }
        run("ALTER TABLE t DROP PARTITION (day = DATE '2026-01-09')").await;
        for sql in SUMMED {
            session.equal(sql).await;
        }
    });
}

#[test]
fn many_small_files_are_summed_up_once() {
    let session = Session::new();
    session.runtime.block_on(async {
        let run = async |sql: &str| session.rows(sql).await.unwrap();
        run("CREATE TABLE t WITH (format = 'JSON') AS SELECT 0 AS n, 'a' AS name").await;
        let sql = "SELECT name, count(*), sum(n) FROM t WHERE n >= 0 GROUP BY name";
        let mut read = 0;
        for n in 1..=60 {
            run(&format!("INSERT INTO t VALUES ({n}, '{}')", if n % 2 == 0 { "a" } else { "b" })).await;
            read += session.equal(sql).await;
        }
        // About eight files make a piece; the last one is read again while it grows.
        assert!(read < 60 * 30 / 2, "{read} files were opened");
        assert_eq!(session.both(sql).await.1, vec![vec!["a", "31", "930"], vec!["b", "30", "900"]]);
    });
}

#[test]
fn too_many_groups_are_not_kept() {
    let session = Session::new();
    session.runtime.block_on(async {
        let run = async |sql: &str| session.rows(sql).await.unwrap();
        run("CREATE TABLE t WITH (format = 'PARQUET') AS SELECT a * 1000 + b AS n, 'a name that is rather long, of ' || \
             CAST(a * 1000 + b AS varchar) AS name FROM UNNEST(sequence(0, 299)) AS x (a) CROSS JOIN \
             UNNEST(sequence(0, 999)) AS y (b)")
        .await;
        for n in 0..20 {
            run(&format!("INSERT INTO t SELECT n + {n} * 1000000, name FROM t WHERE n < 1000")).await;
        }
        let sql = "SELECT count(*), sum(c), max(s) FROM (SELECT name, count(*) AS c, sum(n) AS s FROM t GROUP BY name)";
        let read = session.equal(sql).await;
        assert!(read > 0);
        assert!(session.equal(sql).await > 0, "the large file is read again");
    });
}

#[test]
fn what_has_an_order_or_goes_by_chance_is_asked_anew() {
    let session = Session::new();
    session.runtime.block_on(async {
        session.rows(&tables("PARQUET")).await.unwrap();
        for sql in [
            "SELECT count(*) FROM t WHERE n > random() * 0",
            "SELECT count(*) FROM t WHERE date_diff('day', day, current_date) + n > -100000",
        ] {
            assert!(session.equal(sql).await > 0 && session.equal(sql).await > 0, "{sql}");
        }
        // Worked out anew, or from what is kept; the same in either case.
        for sql in [
            "SELECT day, array_agg(n ORDER BY n DESC), listagg(name, ',') WITHIN GROUP (ORDER BY n) FROM t GROUP BY day",
            "SELECT a.name, a.high, b.low FROM (SELECT name, max(n) AS high FROM t GROUP BY 1) a \
             JOIN (SELECT name, min(n) AS low FROM t GROUP BY 1) b ON a.name = b.name",
            "SELECT sum(reduce(sequence(1, n), 0, (s, x) -> s + x, s -> s)) FROM t WHERE n < 9 UNION ALL \
             SELECT sum(reduce(sequence(1, n), 0, (s, x) -> s - x, s -> s)) FROM t WHERE n < 9",
            "SELECT n, sum(v) OVER (ORDER BY n) FROM (SELECT n, sum(v) AS v FROM t GROUP BY n) ORDER BY n LIMIT 3",
        ] {
            session.equal(sql).await;
            session.equal(sql).await;
        }
    });
}
