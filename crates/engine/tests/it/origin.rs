//! What an answer is made of: the same as long as nothing has changed, another one as soon as anything has.

use crate::slt::Session;
use engine::QueryRequest;
use futures::TryStreamExt;

const DATA: &str = "(VALUES (1, 'a', DATE '2026-01-01'), (2, 'b', DATE '2026-01-02')) AS t (id, name, day)";

impl Session {
    /// The key of a query's answer before it is worked out and after.
    async fn keys(&self, sql: &str) -> (Option<[u8; 32]>, Option<[u8; 32]>) {
        let request = QueryRequest { with_origin: true, ..QueryRequest::new(sql) };
        let answer = self.engine.query(request).await.unwrap();
        let Some(origin) = answer.origin else { return (None, None) };
        let before = origin.key();
        let _: Vec<_> = answer.stream.try_collect().await.unwrap();
        (before, origin.key())
    }

    async fn key(&self, sql: &str) -> [u8; 32] {
        self.keys(sql).await.1.unwrap_or_else(|| panic!("{sql} has no key"))
    }
}

#[test]
fn an_answer_is_the_same_until_something_changes() {
    let session = Session::new();
    session.runtime.block_on(async {
        let run = async |sql: &str| session.rows(sql).await.unwrap();
        run(&format!("CREATE TABLE plain WITH (format = 'PARQUET') AS SELECT * FROM {DATA}")).await;
        run(&format!(
            "CREATE TABLE days WITH (format = 'JSON', partitioned_by = ARRAY['day']) AS SELECT * FROM {DATA}"
        ))
        .await;
        run("CREATE VIEW seen AS SELECT id FROM plain").await;
        // A count is answered from what is known of the files, without reading them.
        let statements = [
            "SELECT count(*) FROM plain",
            "SELECT * FROM plain WHERE id > 1",
            "SELECT name FROM days WHERE day = DATE '2026-01-01'",
            "SELECT a.id FROM seen a JOIN days b ON a.id = b.id",
        ];
        let mut keys = Vec::new();
        for sql in statements {
            keys.push(session.key(sql).await);
            assert_eq!(session.key(sql).await, *keys.last().unwrap(), "{sql}");
        }
        assert_ne!(session.key("SELECT *  FROM plain WHERE id > 2").await, keys[1]);

        run("INSERT INTO days SELECT 3, 'c', DATE '2026-01-02'").await;
        assert_eq!(session.key(statements[2]).await, keys[2], "the new file is of another day");
        assert_ne!(session.key(statements[3]).await, keys[3]);
        run("INSERT INTO plain SELECT 3, 'c', DATE '2026-01-02'").await;
        assert_ne!(session.key(statements[0]).await, keys[0]);
        assert_ne!(session.key(statements[1]).await, keys[1]);
        let before = session.key(statements[3]).await;
        run("CREATE OR REPLACE VIEW seen AS SELECT id + 1 AS id FROM plain").await;
        assert_ne!(session.key(statements[3]).await, before);
        let before = session.key(statements[0]).await;
        run("ALTER TABLE plain SET TBLPROPERTIES ('note' = 'changed')").await;
        assert_ne!(session.key(statements[0]).await, before);
    });
}

#[test]
fn what_is_another_each_time_has_no_key() {
    let session = Session::new();
    session.runtime.block_on(async {
        let run = async |sql: &str| session.rows(sql).await.unwrap();
        run(&format!("CREATE TABLE plain WITH (format = 'PARQUET') AS SELECT * FROM {DATA}")).await;
        run("CREATE TABLE changed WITH (table_type = 'DELTA') AS SELECT 1 AS a").await;
        run("CREATE VIEW now_and_then AS SELECT id, random() AS r FROM plain").await;
        for sql in [
            "SELECT id, now() FROM plain",
            "SELECT * FROM plain WHERE day < current_date",
            "SELECT random() FROM plain",
            "SELECT * FROM plain TABLESAMPLE BERNOULLI (50)",
            "SELECT * FROM now_and_then",
            "SELECT * FROM changed",
            "SELECT table_name FROM information_schema.tables",
            "SELECT * FROM \"days$partitions\"",
        ] {
            if sql.contains('$') {
                run(&format!("CREATE TABLE days WITH (format = 'JSON', partitioned_by = ARRAY['day']) AS SELECT * FROM {DATA}"))
                    .await;
            }
            assert_eq!(session.keys(sql).await.1, None, "{sql}");
        }
        // That a time of the day was asked for shows only when rows are read.
        let (_, after) = session.keys("SELECT CAST(TIME '10:00:00' AS timestamp) > day FROM plain").await;
        assert_eq!(after, None);
        // Nobody has asked.
        assert!(session.engine.query(QueryRequest::new("SELECT 1")).await.unwrap().origin.is_none());
    });
}
