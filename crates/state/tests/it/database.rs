//! Migrations and transactions: one suite, run against SQLite and PostgreSQL.

use model::ErrorKind;
use state::db::{self, Database, Migration};

const FIRST: Migration = Migration {
    version: 1,
    name: "pets",
    sql: "CREATE TABLE pets (id {id}, name {text} NOT NULL UNIQUE, age BIGINT, weight DOUBLE PRECISION, photo {blob});
          CREATE INDEX pets_age ON pets (age);",
};
const SECOND: Migration =
    Migration { version: 2, name: "colour", sql: "ALTER TABLE pets ADD COLUMN colour TEXT;" };

async fn suite(open: impl AsyncFn() -> Database) {
    let database = open().await;
    database.migrate("pets", &[FIRST]).await.unwrap();
    database.migrate("pets", &[FIRST, SECOND]).await.unwrap();
    database.migrate("pets", &[FIRST, SECOND]).await.unwrap();
    let newer = database.migrate("pets", &[FIRST]).await.unwrap_err();
    assert_eq!(newer.kind(), ErrorKind::Unsupported);

    let mut tx = database.begin().await.unwrap();
    sqlx::query("INSERT INTO pets (name, age, weight, photo, colour) VALUES ($1, $2, $3, $4, $5)")
        .bind("rex")
        .bind(None::<i64>)
        .bind(4.5f64)
        .bind(vec![0u8, 255])
        .bind(None::<String>)
        .execute(&mut *tx)
        .await
        .unwrap();
    db::commit(tx).await.unwrap();

    // Dropped without a commit, nothing of it stays.
    let mut tx = database.begin().await.unwrap();
    sqlx::query("DELETE FROM pets").execute(&mut *tx).await.unwrap();
    drop(tx);

    let (name, age, weight, photo): (String, Option<i64>, f64, Vec<u8>) =
        sqlx::query_as("SELECT name, age, weight, photo FROM pets").fetch_one(database.read()).await.unwrap();
    assert_eq!((name.as_str(), age, weight, photo), ("rex", None, 4.5, vec![0u8, 255]));

    let mut tx = database.begin().await.unwrap();
    let twice =
        sqlx::query("INSERT INTO pets (name) VALUES ($1)").bind("rex").execute(&mut *tx).await.unwrap_err();
    assert_eq!(db::failed("adding a pet", twice).kind(), ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd ?name#%.db");
    suite(async || Database::sqlite(&path).await.unwrap()).await;
    assert!(path.exists());
}

#[tokio::test]
async fn on_postgres() {
    let url = testkit::postgres();
    suite(async || Database::open(&url).await.unwrap()).await;
}

#[tokio::test]
async fn nodes_that_start_together_migrate_once() {
    let url = testkit::postgres();
    let nodes = [Database::open(&url).await.unwrap(), Database::open(&url).await.unwrap()];
    let [a, b] = nodes.map(|node| async move { node.migrate("pets", &[FIRST, SECOND]).await });
    let (a, b) = tokio::join!(a, b);
    a.unwrap();
    b.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_so() {
    let url = format!("postgresql://glulam@127.0.0.1:{}/none", testkit::free_port());
    let error = Database::open(&url).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = Database::open("mysql://localhost/x").await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
