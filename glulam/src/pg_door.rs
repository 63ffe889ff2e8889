//! The PostgreSQL door, with the access keys of the AWS door as its users.

use crate::platform::Platform;
use crate::settings::PgConfig;
use aws::Rights;
use model::Result;
use sql::Statement;
use std::sync::Arc;
use telemetry::Tracer;
use tokio_util::sync::CancellationToken;

/// The region in whose ARNs policies are asked; buckets and tables here belong to every region.
const REGION: &str = "us-east-1";

/// A door to the platform's engine and catalog.
pub(crate) fn open(
    platform: &Platform,
    config: PgConfig,
    tracer: Tracer,
    stop: CancellationToken,
) -> pg::Door {
    let PgConfig { keys, account, tls, tls_required, grace } = config;
    let rights = Rights::new(keys, account, REGION, platform.engine.clone());
    let rooms = pg::Rooms {
        engine: platform.engine.clone(),
        catalog: platform.catalog.clone(),
        clock: platform.clock.clone(),
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let config =
        pg::DoorConfig { guests: Arc::new(Guests(rights)), tls, tls_required, grace, version, tracer };
    pg::Door::open(rooms, config, stop)
}

/// The access keys, as the door asks for them.
struct Guests(Rights);

#[async_trait::async_trait]
impl pg::Guests for Guests {
    fn secret(&self, user: &str) -> Option<String> {
        self.0.secret(user)
    }

    fn may_see(&self, user: &str, database: &str, table: &str) -> bool {
        self.0.may_see(user, database, table)
    }

    fn may_list(&self, user: &str) -> bool {
        self.0.may_list(user)
    }

    async fn may_run(&self, user: &str, statement: &Statement, database: &str) -> Result<()> {
        self.0.may_run(user, statement, database).await
    }
}
