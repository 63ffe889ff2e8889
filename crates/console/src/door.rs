//! The port: routes, and who answers them.

use crate::caller::{Caller, Keys};
use crate::guesses::Guesses;
use crate::kept::Kept;
use crate::metrics::{self, Requests};
use crate::results::Results;
use crate::sessions::Sessions;
use crate::{api, assets, guard};
use async_trait::async_trait;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use catalog::Catalog;
use engine::Engine;
use lake::Lake;
use model::{AccountId, Error, LakeUri, Result};
use state::Clock;
use state::events::Events;
use state::runs::Runs;
use std::net::SocketAddr;
use std::sync::Arc;
use streams::Log;
use telemetry::{Figures, Tracer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How many queries of pages (panels, previews) run at one time; more wait.
const QUERIES: usize = 8;

/// What the binary can do by name, with JSON in and out: the same operations that commands use.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Carries out an operation, if the caller may have it done.
    async fn perform(&self, name: &str, body: &[u8], caller: &Caller) -> Result<Vec<u8>>;
}

/// The rooms that the console speaks with.
pub struct Rooms {
    /// Files: browsed, uploaded, downloaded; dashboards stand in it.
    pub lake: Lake,
    /// The tables.
    pub catalog: Catalog,
    /// Queries.
    pub engine: Engine,
    /// Streams.
    pub log: Arc<dyn Log>,
    /// What runs.
    pub runs: Runs,
    /// Told of uploads.
    pub events: Events,
    /// The time.
    pub clock: Clock,
    /// The figures of the server; the door's own are added to them.
    pub figures: Arc<Figures>,
    /// Everything that commands can do.
    pub operations: Arc<dyn Operations>,
}

/// How the door is set up.
pub struct DoorConfig {
    /// Who may come in; nobody is asked when this is not set, and then only this machine's names are answered to.
    pub keys: Option<Arc<dyn Keys>>,
    /// The account that everything belongs to, in ARNs.
    pub account: AccountId,
    /// What scrapers of metrics show where people log in.
    pub metrics_token: Option<String>,
    /// The folder of dashboards.
    pub dashboards: LakeUri,
    /// What the program calls itself.
    pub version: String,
    /// What makes spans of requests, and of queries that are no runs.
    pub tracer: Tracer,
}

/// What all handlers share.
pub(crate) struct House {
    pub(crate) rooms: Rooms,
    pub(crate) config: DoorConfig,
    pub(crate) sessions: Sessions,
    pub(crate) guesses: Guesses,
    pub(crate) requests: Arc<Requests>,
    pub(crate) results: Results,
    pub(crate) kept: Kept,
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
        let requests = Arc::new(Requests::default());
        let counts = Arc::clone(&requests);
        rooms.figures.count_door("console", Arc::new(move || counts.by_class()));
        let house = House {
            rooms,
            config,
            sessions: Sessions::default(),
            guesses: Guesses::default(),
            requests,
            results: Results::default(),
            kept: Kept::default(),
            queries: Semaphore::new(QUERIES),
            stop,
        };
        Self { house: Arc::new(house) }
    }

    /// Serves until the token is cancelled, then lets requests that are under way end.
    pub async fn serve(self, listener: TcpListener) -> Result<()> {
        let stop = self.house.stop.clone();
        let router = router(self.house).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
            .map_err(|e| Error::unavailable("the console's door failed").source_is(e))
    }
}

pub(crate) fn router(house: Arc<House>) -> Router {
    Router::new()
        .nest("/api", api::routes())
        .route("/metrics", get(metrics::show))
        .fallback(get(assets::serve))
        .layer(from_fn_with_state(house.clone(), guard::guard))
        .with_state(house)
}
