//! The port: accepts connections, agrees on encryption, asks who comes in, and ends without cutting off an answer.

use crate::fault::Fault;
use crate::process::{Process, Processes};
use crate::scram::{Exchange, MECHANISM};
use crate::session::Session;
use crate::wire::{Body, Message, Opening, Wire, put_text};
use async_trait::async_trait;
use bytes::BufMut;
use catalog::Catalog;
use chrono::Duration as Span;
use engine::Engine;
use model::{Error, ErrorKind, Place, Result};
use socket2::{SockRef, TcpKeepalive};
use sql::Statement;
use state::Clock;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use telemetry::Tracer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig, pki_types};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many connections may be open; more wait until one ends.
const MAX_CONNECTIONS: usize = 512;
/// How long a client may take until it is known.
const LOGIN_TIME: Duration = Duration::from_secs(30);
/// After how long without a word a client is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long connections have to tell their clients that their statements were stopped.
const FAREWELL: Duration = Duration::from_secs(5);

/// Who may come in, and what they may do.
#[async_trait]
pub trait Guests: Send + Sync {
    /// The secret of a user; none if there is no such user.
    fn secret(&self, user: &str) -> Option<String>;

    /// Whether the user may know of this table.
    fn may_see(&self, user: &str, database: &str, table: &str) -> bool;

    /// Refuses a statement that the user may not run.
    async fn may_run(&self, user: &str, statement: &Statement, database: &str) -> Result<()>;

    /// Whether the user may know which databases there are; who may not is told of those with a table to see.
    fn may_list(&self, user: &str) -> bool;
}

/// What the door hands statements to.
#[derive(Clone)]
pub struct Rooms {
    /// Statements.
    pub engine: Engine,
    /// Databases and tables, for questions about them.
    pub catalog: Catalog,
    /// The time.
    pub clock: Clock,
}

/// How the door is set up.
pub struct DoorConfig {
    /// Who may come in.
    pub guests: Arc<dyn Guests>,
    /// Encryption, if there is a certificate.
    pub tls: Option<Tls>,
    /// Whether only encrypted connections are let in.
    pub tls_required: bool,
    /// How long statements that are under way have once the server ends; then they are stopped.
    pub grace: Duration,
    /// What the program's version is.
    pub version: String,
    /// What makes spans of statements that are no runs.
    pub tracer: Tracer,
}

/// A certificate with its key, ready to encrypt connections.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads a chain of certificates and its key, both as PEM.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self> {
        use pki_types::pem::PemObject;
        let unreadable = |path: &Path, e: pki_types::pem::Error| {
            Error::invalid("cannot read the certificate or key of the PostgreSQL door")
                .at(Place::object(path.display()))
                .source_is(e)
        };
        let chain = pki_types::CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
            .map_err(|e| unreadable(certificate, e))?;
        if chain.is_empty() {
            return Err(
                Error::invalid("the file has no certificate").at(Place::object(certificate.display()))
            );
        }
        let key_der = pki_types::PrivateKeyDer::from_pem_file(key).map_err(|e| unreadable(key, e))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key_der))
            .map_err(|e| {
                Error::invalid("the certificate and the key of the PostgreSQL door do not fit")
                    .at(Place::object(certificate.display()))
                    .source_is(e)
            })?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

/// What all connections share.
pub(crate) struct House {
    pub(crate) rooms: Rooms,
    pub(crate) config: DoorConfig,
    pub(crate) processes: Processes,
    pub(crate) stop: CancellationToken,
}

/// The door, ready to serve.
pub struct Door {
    house: Arc<House>,
}

impl Door {
    /// A door to these rooms; it is closed when the token is cancelled.
    pub fn open(rooms: Rooms, config: DoorConfig, stop: CancellationToken) -> Self {
        Self { house: Arc::new(House { rooms, config, processes: Processes::default(), stop }) }
    }

    /// Serves until the token is cancelled, lets statements that are under way end for a moment, and stops the others.
    pub async fn serve(self, listener: TcpListener) -> Result<()> {
        let tracker = TaskTracker::new();
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let stop = self.house.stop.clone();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&listener, &places) => accepted,
            };
            match accepted {
                Ok((stream, place)) => {
                    let house = Arc::clone(&self.house);
                    tracker.spawn(async move {
                        if let Err(error) = connection(stream, house).await {
                            tracing::debug!(%error, "a PostgreSQL connection ended");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    // Too many open files, mostly: it gets better when connections end.
                    tracing::warn!(%error, "a PostgreSQL connection could not be accepted");
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = self.house.rooms.clock.sleep(Span::milliseconds(100)) => {}
                    }
                }
            }
        }
        drop(listener);
        tracker.close();
        if tokio::time::timeout(self.house.config.grace, tracker.wait()).await.is_ok() {
            return Ok(());
        }
        tracing::info!(open = tracker.len(), "statements of PostgreSQL connections are stopped");
        self.house.processes.cut();
        if tokio::time::timeout(FAREWELL, tracker.wait()).await.is_err() {
            tracing::warn!(open = tracker.len(), "PostgreSQL connections were cut off");
        }
        Ok(())
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn connection(stream: TcpStream, house: Arc<House>) -> Result<()> {
    // Small answers are not held back.
    let _ = stream.set_nodelay(true);
    // A client that went away without a word gives its place back.
    let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE));
    let peer = if house.config.tracer.is_on() { stream.peer_addr().ok() } else { None };
    let mut wire = Wire::new(stream);
    let greeted = tokio::time::timeout(LOGIN_TIME, greet(&mut wire, &house)).await;
    match greeted.map_err(|_| slow())?? {
        Greeting::Gone => Ok(()),
        Greeting::In { minor, parameters } => {
            if house.config.tls_required {
                let fault = Fault::new("28000", "only encrypted connections are let in").fatal();
                return refuse(&mut wire, &fault.hint("set sslmode=require")).await;
            }
            talk(wire, house, minor, parameters, peer).await
        }
        Greeting::Tls(acceptor) => {
            let accepted = tokio::time::timeout(LOGIN_TIME, acceptor.accept(wire.into_stream()?)).await;
            let stream = accepted
                .map_err(|_| slow())?
                .map_err(|e| Error::unavailable("a client broke off the TLS handshake").source_is(e))?;
            let mut wire = Wire::new(stream);
            match tokio::time::timeout(LOGIN_TIME, wire.opening()).await.map_err(|_| slow())?? {
                Some(Opening::Startup { minor, parameters }) => {
                    talk(wire, house, minor, parameters, peer).await
                }
                Some(Opening::Cancel { process, secret }) => {
                    house.processes.cancel(process, secret);
                    Ok(())
                }
                _ => Ok(()),
            }
        }
    }
}

enum Greeting {
    Gone,
    Tls(TlsAcceptor),
    In { minor: u16, parameters: Vec<(String, String)> },
}

/// What comes before the startup message: wishes for encryption, or a cancellation.
async fn greet(wire: &mut Wire<TcpStream>, house: &House) -> Result<Greeting> {
    // A client asks for each kind of encryption at most once.
    for _ in 0..4 {
        match wire.opening().await? {
            None => return Ok(Greeting::Gone),
            Some(Opening::Tls) => {
                if let Some(Tls(acceptor)) = &house.config.tls {
                    wire.put_byte(b'S');
                    wire.flush().await?;
                    return Ok(Greeting::Tls(acceptor.clone()));
                }
                wire.put_byte(b'N');
                wire.flush().await?;
            }
            Some(Opening::Gss) => {
                wire.put_byte(b'N');
                wire.flush().await?;
            }
            Some(Opening::Cancel { process, secret }) => {
                house.processes.cancel(process, secret);
                return Ok(Greeting::Gone);
            }
            Some(Opening::Startup { minor, parameters }) => return Ok(Greeting::In { minor, parameters }),
        }
    }
    Ok(Greeting::Gone)
}

fn slow() -> Error {
    Error::new(ErrorKind::Timeout, "a client took too long to say who it is")
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, fault: &Fault) -> Result<()> {
    wire.put(b'E', |out| fault.write(out));
    wire.flush().await
}

/// Lets a client in, or not, and serves its session.
async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send>(
    mut wire: Wire<S>,
    house: Arc<House>,
    minor: u16,
    parameters: Vec<(String, String)>,
    peer: Option<SocketAddr>,
) -> Result<()> {
    let of = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let unknown: Vec<&str> =
        parameters.iter().map(|(key, _)| key.as_str()).filter(|key| key.starts_with("_pq_.")).collect();
    if minor > 0 || !unknown.is_empty() {
        // 3.0 is what is spoken; a client that knows more goes down to it.
        wire.put(b'v', |out| {
            out.put_i32(196_608);
            out.put_i32(i32::try_from(unknown.len()).unwrap_or(0));
            unknown.iter().for_each(|name| put_text(out, name));
        });
    }
    let Some(user) = of("user").filter(|user| !user.is_empty()) else {
        return refuse(&mut wire, &Fault::new("28000", "the startup message names no user").fatal()).await;
    };
    match tokio::time::timeout(LOGIN_TIME, login(&mut wire, &house, &user)).await.map_err(|_| slow())? {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(error) => {
            let mut fault = Fault::of(&error).fatal();
            if error.kind() == ErrorKind::Denied {
                fault = Fault::new("28P01", format!("password authentication failed for user \"{user}\""))
                    .fatal()
                    .hint("the user is an access key's id, the password its secret; `test` and `test` unless keys are configured");
            }
            return refuse(&mut wire, &fault).await;
        }
    }
    let process = Process::enter(&house, peer)?;
    let database = of("database").filter(|name| !name.is_empty()).unwrap_or_else(|| user.clone());
    let session = Session::open(house, process, user, database, &parameters).await;
    match session {
        Ok(session) => session.serve(&mut wire).await,
        Err(fault) => refuse(&mut wire, &fault.fatal()).await,
    }
}

/// Asks for the password. False: the client went away.
async fn login<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    house: &House,
    user: &str,
) -> Result<bool> {
    wire.put(b'R', |out| {
        out.put_i32(10);
        put_text(out, MECHANISM);
        out.put_u8(0);
    });
    wire.flush().await?;
    let Some(first) = password(wire).await? else { return Ok(false) };
    let mut first = Body(first);
    let mechanism = first.text()?;
    if mechanism != MECHANISM {
        return Err(crate::wire::broken(format!("the mechanism {mechanism} is not known")));
    }
    let first = first.value()?.ok_or_else(|| crate::wire::broken("the first message is empty"))?;
    let exchange = Exchange::begin(text(&first)?, house.config.guests.secret(user))?;
    wire.put(b'R', |out| {
        out.put_i32(11);
        out.put_slice(exchange.challenge().as_bytes());
    });
    wire.flush().await?;
    let Some(last) = password(wire).await? else { return Ok(false) };
    let proof = exchange.finish(text(&last)?)?;
    wire.put(b'R', |out| {
        out.put_i32(12);
        out.put_slice(proof.as_bytes());
    });
    wire.put(b'R', |out| out.put_i32(0));
    Ok(true)
}

async fn password<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) -> Result<Option<bytes::Bytes>> {
    match wire.next(false).await? {
        None | Some(Message::Terminate) => Ok(None),
        Some(Message::Password(bytes)) => Ok(Some(bytes)),
        Some(_) => Err(crate::wire::broken("a password was expected")),
    }
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|e| crate::wire::broken("a message is not UTF-8").source_is(e))
}
