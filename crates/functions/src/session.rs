//! What a function may know about the query it runs in.

use crate::scalar::datetime::Zone;
use chrono::{DateTime, Datelike, Utc};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The query's surroundings: fixed when it starts, the same for every row.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Session {
    started: DateTime<Utc>,
    asked: Asked,
    /// The zone of `current_timestamp` and of texts that name none.
    pub zone: Zone,
    /// Whether PostgreSQL's meaning holds where it is not Trino's: an instant has no zone of its own but stands in the
    /// session's, and functions under names with `$pg_` may be called.
    pub postgres: bool,
    /// Who asks.
    pub user: String,
    /// The current catalog.
    pub catalog: String,
    /// The current database.
    pub schema: String,
}

/// Without the time: what is kept for a question is found by how its parts show themselves, and what has asked for the time
/// is not kept.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { started: _, asked: _, zone, postgres, user, catalog, schema } = self;
        f.debug_struct("Session")
            .field("zone", zone)
            .field("postgres", postgres)
            .field("user", user)
            .field("catalog", catalog)
            .field("schema", schema)
            .finish_non_exhaustive()
    }
}

/// Whether anything in the query has asked for the time; no part of what a session is.
#[derive(Clone, Default)]
struct Asked(Arc<AtomicBool>);

impl PartialEq for Asked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Asked {}

impl Hash for Asked {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Session {
    /// A session that started then, in UTC, as Athena's always are.
    pub fn new(started: DateTime<Utc>) -> Self {
        Self {
            started,
            asked: Asked::default(),
            zone: Zone::UTC,
            postgres: false,
            user: "glulam".into(),
            catalog: "awsdatacatalog".into(),
            schema: "default".into(),
        }
    }

    /// When the query started: what `now()` returns everywhere in it. The answer of a query that asks for it is another
    /// one tomorrow, which [`Self::knows_time`] tells from then on.
    pub fn now(&self) -> DateTime<Utc> {
        self.asked.0.store(true, Ordering::Relaxed);
        self.started
    }

    /// The year in which the query started, by which years of two digits are understood.
    pub fn year(&self) -> i32 {
        self.started.year()
    }

    /// Whether anything in the query has asked for the time.
    pub fn knows_time(&self) -> bool {
        self.asked.0.load(Ordering::Relaxed)
    }
}
