//! How a new run is written down: at once where nothing can refuse it, else after its limit was counted.

use super::options::NewRun;
use crate::db::{self, Database, Transaction};
use model::Result;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection};

/// With what a new run is written down.
pub(super) enum Pen {
    /// A record that stands for itself is one statement, which commits itself.
    Once(PoolConnection<Any>),
    /// One that others may refuse is counted and written in one change.
    Change(Transaction),
}

impl Pen {
    pub(super) async fn take(db: &Database, new: &NewRun) -> Result<Self> {
        Ok(match new.concurrency {
            None => Self::Once(db.writer().await?),
            Some(_) => Self::Change(db.begin().await?),
        })
    }

    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        match self {
            Self::Once(connection) => connection,
            Self::Change(tx) => tx,
        }
    }

    pub(super) async fn commit(self) -> Result<()> {
        match self {
            Self::Once(_) => Ok(()),
            Self::Change(tx) => db::commit(tx).await,
        }
    }
}
