//! The port: accepts connections, serves them with limits, and ends without cutting off an answer.

use crate::front::Front;
use crate::keys::KeyRing;
use crate::logs::Logs;
use crate::store::Documents;
use apps::Applications;
use catalog::Catalog;
use chrono::Duration as Span;
use crawl::Crawlers;
use delivery::Deliveries;
use engine::Engine;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use jobs::Jobs;
use lake::Lake;
use model::{AccountId, Result};
use state::events::Events;
use state::{Clock, Database, Runs};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use streams::Log;
use telemetry::Tracer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many connections may be open; more wait until one ends.
const MAX_CONNECTIONS: usize = 1024;
/// How long a client may take for a request's headers, and be silent between requests.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// The most that the headers of a request may hold.
const MAX_HEADERS: usize = 64 << 10;
/// How many requests a connection of HTTP/2 may have under way.
const MAX_STREAMS: u32 = 256;
/// How long answers that are under way have once the server ends.
const GRACE: Duration = Duration::from_secs(15);

/// What the door hands requests to.
#[derive(Clone)]
pub struct Rooms {
    /// Objects.
    pub lake: Lake,
    /// Databases and tables.
    pub catalog: Catalog,
    /// Crawlers and classifiers.
    pub crawlers: Crawlers,
    /// Statements.
    pub engine: Engine,
    /// Jobs and their bookmarks.
    pub jobs: Jobs,
    /// Delivery streams.
    pub deliveries: Deliveries,
    /// Streams.
    pub log: Arc<dyn Log>,
    /// Applications over streams.
    pub apps: Applications,
    /// What executes, and its logs.
    pub runs: Runs,
    /// Where the door keeps what no other room knows of.
    pub database: Database,
    /// Where is told what happened to objects.
    pub events: Events,
    /// The time, against which signatures are checked.
    pub clock: Clock,
}

/// How the door is set up.
#[derive(Debug, Clone)]
pub struct DoorConfig {
    /// Who may come in.
    pub keys: KeyRing,
    /// The account that everything belongs to.
    pub account: AccountId,
    /// Whether objects that are put have ETags that are no MD5, unless the request says what it must be.
    pub fast_etags: bool,
    /// What makes spans of requests.
    pub tracer: Tracer,
}

/// The door, ready to serve.
pub struct Door {
    front: Arc<Front>,
    clock: Clock,
    answered: Answered,
    /// Ends answers that would go on for minutes.
    ending: CancellationToken,
}

/// How many requests a door has answered, by class of status. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    classes: Arc<[AtomicU64; 5]>,
}

impl Answered {
    fn note(&self, status: http::StatusCode) {
        if let Some(count) = self.classes.get(usize::from(status.as_u16() / 100).saturating_sub(1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts: `2xx` and how many.
    pub fn by_class(&self) -> Vec<(&'static str, u64)> {
        let counts = self.classes.iter().map(|count| count.load(Ordering::Relaxed));
        ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(counts).collect()
    }
}

impl Door {
    /// Prepares the services; their own tables are made in the database.
    pub async fn open(rooms: Rooms, config: DoorConfig) -> Result<Self> {
        let clock = rooms.clock.clone();
        let documents = Documents::open(rooms.database.clone(), clock.clone()).await?;
        let logs = Logs::open(&rooms).await?;
        let ending = CancellationToken::new();
        let front = Arc::new(Front::new(rooms, &documents, &logs, config, &ending));
        Ok(Self { front, clock, answered: Answered::default(), ending })
    }

    /// What it has answered, now and later.
    pub fn answered(&self) -> Answered {
        self.answered.clone()
    }

    /// Serves until `stop` is cancelled, then lets the answers that are under way end.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> Result<()> {
        let tracker = TaskTracker::new();
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&listener, &places) => accepted,
            };
            match accepted {
                Ok((stream, place)) => {
                    let (front, answered, stop) =
                        (Arc::clone(&self.front), self.answered.clone(), stop.clone());
                    tracker.spawn(async move {
                        connection(stream, front, answered, stop).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Too many open files, mostly: it gets better when connections end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = self.clock.sleep(Span::milliseconds(100)) => {}
                    }
                }
            }
        }
        drop(listener);
        self.ending.cancel();
        tracker.close();
        let ended = async {
            tracker.wait().await;
            self.front.ended().await;
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!(open = tracker.len(), "connections were cut off");
        }
        Ok(())
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Whether the client speaks HTTP/2 from its first byte on, as some do where there is no TLS to agree upon it.
async fn speaks_http2(stream: &TcpStream) -> bool {
    let mut first = [0; PREFACE.len()];
    let count = stream.peek(&mut first).await.unwrap_or(0);
    // No method of HTTP/1 begins with these three letters.
    count >= 3 && first[..count] == PREFACE[..count]
}

async fn connection(stream: TcpStream, front: Arc<Front>, answered: Answered, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let (front, answered) = (Arc::clone(&front), answered.clone());
        async move {
            let response = front.answer(request).await;
            answered.note(response.status());
            Ok::<_, Infallible>(response)
        }
    });
    let is_http2 = tokio::select! {
        () = stop.cancelled() => return,
        found = tokio::time::timeout(HEADER_TIME, speaks_http2(&stream)) => found.unwrap_or(false),
    };
    let ended = if is_http2 {
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .max_header_list_size(MAX_HEADERS as u32)
            .max_concurrent_streams(MAX_STREAMS)
            .keep_alive_interval(HEADER_TIME)
            .keep_alive_timeout(HEADER_TIME);
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    } else {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(MAX_HEADERS);
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
