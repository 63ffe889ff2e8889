//! What the suites stand on: a fresh database of each dialect, a clock that the test moves, the bus and the runs.

use chrono::{DateTime, Duration, Utc};
use model::RunKind;
use state::runs::{NewRun, RunOptions};
use state::{Clock, Database, Events, ManualClock, Runs};

/// Runs a suite's tests on SQLite and on PostgreSQL: each is an `async fn(Database)`.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let dir = tempfile::tempdir().unwrap();
                super::$test(state::Database::sqlite(&dir.path().join("state.db")).await.unwrap()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(state::Database::postgres(&testkit::postgres()).await.unwrap()).await;
            })+
        }
    };
}
pub(crate) use on_both;

pub(crate) const START: i64 = 1_700_000_000_000;

pub(crate) fn start_time() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(START).unwrap()
}

pub(crate) struct Ground {
    pub(crate) db: Database,
    pub(crate) clock: Clock,
    pub(crate) hand: ManualClock,
    pub(crate) events: Events,
    pub(crate) runs: Runs,
}

impl Ground {
    pub(crate) async fn open(db: Database, options: RunOptions) -> Self {
        let (clock, hand) = Clock::manual(start_time());
        let events = Events::open(db.clone(), clock.clone()).await.unwrap();
        let runs = Runs::open(db.clone(), clock.clone(), events.clone(), options).await.unwrap();
        Self { db, clock, hand, events, runs }
    }

    /// Moves the clock step by step until the condition holds.
    pub(crate) async fn until(&self, what: &str, step: Duration, mut holds: impl AsyncFnMut() -> bool) {
        let start = std::time::Instant::now();
        while start.elapsed() < std::time::Duration::from_secs(30) {
            if holds().await {
                return;
            }
            self.hand.advance(step);
            // A question to the database takes about as long as the others' work that is waited for.
            self.count("migrations").await;
        }
        panic!("in vain: {what}");
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::query_scalar(sql).fetch_one(self.db.read()).await.unwrap()
    }
}

pub(crate) fn new(kind: &str, name: &str) -> NewRun {
    NewRun::new(RunKind::new(kind).unwrap(), name)
}

pub(crate) fn millis(n: i64) -> Duration {
    Duration::milliseconds(n)
}
