//! What a function may know about the query it runs in.

use chrono::{DateTime, Utc};

/// The query's surroundings: fixed when it starts, the same for every row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Session {
    /// When the query started: what `now()` returns everywhere in it.
    pub started: DateTime<Utc>,
    /// The zone of `current_timestamp` and of texts that name none.
    pub zone: chrono_tz::Tz,
    /// Who asks.
    pub user: String,
    /// The current catalog.
    pub catalog: String,
    /// The current database.
    pub schema: String,
}

impl Session {
    /// A session that started then, in UTC, as Athena's always are.
    pub fn new(started: DateTime<Utc>) -> Self {
        Self {
            started,
            zone: chrono_tz::UTC,
            user: "glulam".into(),
            catalog: "awsdatacatalog".into(),
            schema: "default".into(),
        }
    }
}
