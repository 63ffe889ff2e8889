//! The state database: SQLite in the data directory, or PostgreSQL by URL, behind one set of calls.
//!
//! Statements are written once for both, with `$1` placeholders and the types BIGINT, DOUBLE PRECISION, TEXT and blobs.
//! SQLite has one writing connection (so writers queue instead of failing) and several readers on its write-ahead log;
//! what a commit acknowledged is on disk.

use model::{Error, ErrorKind, Result};
use sqlx::AnyPool;
use sqlx::any::{Any, AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// A transaction. Dropped without a commit, it is rolled back.
pub type Transaction = sqlx::Transaction<'static, Any>;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded default.
    Sqlite,
    /// A server, for several nodes.
    Postgres,
}

/// The state database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    dialect: Dialect,
    write: AnyPool,
    read: AnyPool,
}

/// One step of a room's tables. Steps are applied in order, once, each in a transaction. In the SQL,
/// `{id}` stands for an automatic 64-bit primary key, `{blob}` for bytes, `{text}` for text that compares by bytes on
/// every database (use it wherever order or ranges matter). Statements end with `;` at a line's end.
pub struct Migration {
    /// From 1, without gaps.
    pub version: i64,
    /// A short name.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

impl Database {
    /// The embedded database in that file, made if it is missing.
    pub async fn sqlite(path: &Path) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let encoded: String = path
            .to_string_lossy()
            .bytes()
            .map(|b| match b {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                    char::from(b).to_string()
                }
                _ => format!("%{b:02X}"),
            })
            .collect();
        let options = AnyConnectOptions::from_str(&format!("sqlite://{encoded}?mode=rwc"))
            .map_err(|e| failed("opening the state database", e))?;
        let write = sqlite_pool(1, options.clone()).await.map_err(|e| at(path, e))?;
        let read = sqlite_pool(4, options).await.map_err(|e| at(path, e))?;
        Ok(Self { inner: Arc::new(Inner { dialect: Dialect::Sqlite, write, read }) })
    }

    /// A PostgreSQL database by its URL.
    pub async fn postgres(url: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let options = AnyConnectOptions::from_str(url)
            .map_err(|e| Error::invalid("the state database's URL cannot be read").source_is(e))?;
        let unreachable = |e| {
            Error::unavailable("cannot connect to the state database")
                .hint("check state.url, and that the server runs and admits this user")
                .source_is(e)
        };
        // A pool tries a server that refuses for half a minute; one connection says at once that the URL is wrong.
        let first = sqlx::AnyConnection::connect_with(&options).await.map_err(unreachable)?;
        first.close().await.map_err(unreachable)?;
        let pool = AnyPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options)
            .await
            .map_err(unreachable)?;
        Ok(Self { inner: Arc::new(Inner { dialect: Dialect::Postgres, write: pool.clone(), read: pool }) })
    }

    /// By URL: `postgres://…`, `postgresql://…`, or a path to an SQLite file.
    pub async fn open(url: &str) -> Result<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::postgres(url).await;
        }
        if url.contains("://") {
            return Err(Error::invalid("the state database must be PostgreSQL or a file")
                .hint("write postgresql://user:password@host/database, or the path of a file"));
        }
        Self::sqlite(Path::new(url)).await
    }

    /// Which database it is, for the few statements that must differ.
    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    /// Connections for reading.
    pub fn read(&self) -> &AnyPool {
        &self.inner.read
    }

    /// The connection for one statement that changes something by itself. On SQLite it waits for its turn.
    pub async fn writer(&self) -> Result<PoolConnection<Any>> {
        self.inner.write.acquire().await.map_err(|e| failed("writing to the state database", e))
    }

    /// Begins a change. On SQLite it waits for its turn, so a transaction must be short and must not wait for another.
    pub async fn begin(&self) -> Result<Transaction> {
        let begun = match self.inner.dialect {
            Dialect::Sqlite => self.inner.write.begin_with("BEGIN IMMEDIATE").await,
            Dialect::Postgres => self.inner.write.begin().await,
        };
        begun.map_err(|e| failed("beginning a transaction", e))
    }

    /// Brings a room's tables up to date. A database that a newer version has written is refused.
    pub async fn migrate(&self, room: &str, migrations: &[Migration]) -> Result<()> {
        let mut tx = self.begin().await?;
        if self.dialect() == Dialect::Postgres {
            // Several nodes may start at once.
            tx.execute("SELECT pg_advisory_xact_lock(7160234)").await.map_err(|e| failed("migrating", e))?;
        }
        tx.execute(
            "CREATE TABLE IF NOT EXISTS migrations (
                room TEXT NOT NULL, version BIGINT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (room, version))",
        )
        .await
        .map_err(|e| failed("migrating", e))?;
        let applied: i64 = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM migrations WHERE room = $1")
            .bind(room)
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|e| failed("migrating", e))?;
        let known = migrations.last().map_or(0, |m| m.version);
        if applied > known {
            return Err(Error::unsupported(format!(
                "the state database was written by a newer Glulam: `{room}` is at version {applied}, this one knows {known}"
            ))
            .hint("use the newer version again, or another data directory"));
        }
        for migration in migrations.iter().filter(|m| m.version > applied) {
            for statement in self.statements(migration.sql) {
                tx.execute(AssertSqlSafe(statement)).await.map_err(|e| {
                    failed(
                        &format!("migrating `{room}` to version {} ({})", migration.version, migration.name),
                        e,
                    )
                })?;
            }
            sqlx::query("INSERT INTO migrations (room, version, name) VALUES ($1, $2, $3)")
                .bind(room)
                .bind(migration.version)
                .bind(migration.name)
                .execute(&mut *tx)
                .await
                .map_err(|e| failed("migrating", e))?;
        }
        commit(tx).await
    }

    fn statements(&self, sql: &str) -> Vec<String> {
        let (id, blob, text) = match self.inner.dialect {
            Dialect::Sqlite => ("INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB", "TEXT"),
            Dialect::Postgres => {
                ("BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "BYTEA", "TEXT COLLATE \"C\"")
            }
        };
        let sql = sql.replace("{id}", id).replace("{blob}", blob).replace("{text}", text);
        let mut statements = vec![String::new()];
        for line in sql.lines() {
            if let Some(statement) = statements.last_mut() {
                statement.push_str(line);
                statement.push('\n');
            }
            if line.trim_end().ends_with(';') {
                statements.push(String::new());
            }
        }
        statements.retain(|statement| !statement.trim().is_empty());
        statements
    }

    /// Closes the connections, so that SQLite tidies its log up.
    pub async fn close(&self) {
        self.inner.read.close().await;
        self.inner.write.close().await;
    }
}

async fn sqlite_pool(connections: u32, options: AnyConnectOptions) -> Result<AnyPool, sqlx::Error> {
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(120))
        // There is no server that could have hung up, and each look would be a way to the connection's thread and back.
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                for pragma in [
                    "PRAGMA busy_timeout = 10000",
                    "PRAGMA journal_mode = WAL",
                    "PRAGMA synchronous = FULL",
                    "PRAGMA foreign_keys = ON",
                    "PRAGMA cache_size = -16384",
                    "PRAGMA temp_store = MEMORY",
                    "PRAGMA journal_size_limit = 67108864",
                ] {
                    connection.execute(pragma).await?;
                }
                Ok(())
            })
        })
        .connect_with(options)
        .await
}

fn at(path: &Path, error: sqlx::Error) -> Error {
    failed("opening the state database", error).at(model::Place::object(path.display()))
}

/// Commits, with an error of the house.
pub async fn commit(tx: Transaction) -> Result<()> {
    tx.commit().await.map_err(|e| failed("committing to the state database", e))
}

/// Translates a database error: what was being done comes before, the cause stays attached. A broken unique key is
/// `AlreadyExists`, a lost race between writers is `Conflict`.
pub fn failed(doing: &str, error: sqlx::Error) -> Error {
    let kind = match &error {
        sqlx::Error::RowNotFound => ErrorKind::NotFound,
        sqlx::Error::Database(e) if e.is_unique_violation() => ErrorKind::AlreadyExists,
        sqlx::Error::Database(e) if matches!(e.code().as_deref(), Some("40001" | "40P01" | "55P03")) => {
            ErrorKind::Conflict
        }
        sqlx::Error::Database(_) if error.to_string().contains("database or disk is full") => {
            ErrorKind::Unavailable
        }
        sqlx::Error::Database(_) if error.to_string().contains("malformed") => ErrorKind::Corrupt,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format!("{doing} failed")).source_is(error)
}
