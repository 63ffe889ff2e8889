//! The port: routes, and who answers them.

use crate::results::Results;
use crate::sessions::Sessions;
use crate::{api, assets, guard};
use async_trait::async_trait;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use engine::Engine;
use lake::Lake;
use model::{Error, LakeUri, Result};
use state::Clock;
use state::events::Events;
use state::runs::Runs;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How many queries of pages (panels, previews) run at one time; more wait.
const QUERIES: usize = 8;

/// What the binary can do by name, with JSON in and out: the same operations that commands use.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Carries out an operation.
    async fn perform(&self, name: &str, body: &[u8]) -> Result<Vec<u8>>;
}

/// The rooms that the console speaks with.
pub struct Rooms {
    /// Files: browsed, uploaded, downloaded; dashboards stand in it.
    pub lake: Lake,
    /// Queries.
    pub engine: Engine,
    /// What runs.
    pub runs: Runs,
    /// Told of uploads.
    pub events: Events,
    /// The time.
    pub clock: Clock,
    /// Everything that commands can do.
    pub operations: Arc<dyn Operations>,
}

/// Whether this access key, id and secret, may use the console.
pub type Admits = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// How the door is set up.
pub struct DoorConfig {
    /// Who may come in; nobody is asked when this is not set, and then only this machine's names are answered to.
    pub admits: Option<Admits>,
    /// The folder of dashboards.
    pub dashboards: LakeUri,
    /// What the program calls itself.
    pub version: String,
}

/// What all handlers share.
pub(crate) struct House {
    pub(crate) rooms: Rooms,
    pub(crate) config: DoorConfig,
    pub(crate) sessions: Sessions,
    pub(crate) results: Results,
    pub(crate) queries: Semaphore,
    pub(crate) stop: CancellationToken,
}

/// The console's door.
pub struct Door {
    house: Arc<House>,
}

impl Door {
    /// A door to these rooms; it is closed when the token is cancelled.
    pub fn open(rooms: Rooms, config: DoorConfig, stop: CancellationToken) -> Self {
        let house = House {
            rooms,
            config,
            sessions: Sessions::default(),
            results: Results::default(),
            queries: Semaphore::new(QUERIES),
            stop,
        };
        Self { house: Arc::new(house) }
    }

    /// Serves until the token is cancelled, then lets requests that are under way end.
    pub async fn serve(self, listener: TcpListener) -> Result<()> {
        let stop = self.house.stop.clone();
        let router = router(self.house);
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
            .map_err(|e| Error::unavailable("the console's door failed").source_is(e))
    }
}

pub(crate) fn router(house: Arc<House>) -> Router {
    Router::new()
        .nest("/api", api::routes())
        .fallback(get(assets::serve))
        .layer(from_fn_with_state(house.clone(), guard::guard))
        .with_state(house)
}
