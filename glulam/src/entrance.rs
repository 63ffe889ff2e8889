//! The AWS door as scripts find it: the server's, or one of this process's own on a free port of the loopback.

use crate::settings;
use jobs::{ScriptDoor, ScriptKey};
use model::{AccountId, Error, Result};
use state::Config;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use telemetry::Tracer;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Where scripts without a server sign for; buckets here belong to every region.
const REGION: &str = "us-east-1";

/// What a door needs, and the key of the scripts that the owner starts. The key is made anew for each process.
pub(crate) struct ScriptEntrance {
    rooms: aws::Rooms,
    account: AccountId,
    key: aws::Key,
    /// Says which roles scripts may assume.
    config: Config,
    url: OnceCell<String>,
    stop: CancellationToken,
    serving: Mutex<Option<JoinHandle<Result<()>>>>,
}

impl ScriptEntrance {
    pub(crate) fn new(rooms: aws::Rooms, account: AccountId, config: &Config) -> Result<Self> {
        Ok(Self {
            rooms,
            account,
            key: aws::Key::made_up()?,
            config: config.clone(),
            url: OnceCell::new(),
            stop: CancellationToken::new(),
            serving: Mutex::new(None),
        })
    }

    /// The server's door, which scripts use from now on.
    pub(crate) async fn serve(&self, config: aws::DoorConfig, listener: &TcpListener) -> Result<aws::Door> {
        let config = aws::DoorConfig { keys: config.keys.with(self.key.clone()), ..config };
        let door = aws::Door::open(self.rooms.clone(), config).await?;
        let at = listener.local_addr().map_err(cannot)?;
        self.url.get_or_init(|| async move { url(at) }).await;
        Ok(door)
    }

    /// A door for this process's scripts alone.
    async fn open_own(&self) -> Result<String> {
        let home = IpAddr::from(Ipv4Addr::LOCALHOST);
        let listener = TcpListener::bind((home, 0)).await.map_err(cannot)?;
        let at = listener.local_addr().map_err(cannot)?;
        let keys = aws::KeyRing::new(vec![self.key.clone()], home)?;
        let keys = keys.with_roles(settings::roles(&self.config)?)?;
        let config = aws::DoorConfig {
            keys,
            account: self.account.clone(),
            fast_etags: false,
            tracer: Tracer::default(),
        };
        let door = aws::Door::open(self.rooms.clone(), config).await?;
        *self.serving.lock().await = Some(tokio::spawn(door.serve(listener, self.stop.clone())));
        Ok(url(at))
    }

    /// Ends the door that was opened here, if one was.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.lock().await.take() {
            // Its requests have ended or were cut off; nobody waits for an answer.
            let _ = serving.await;
        }
    }
}

#[async_trait::async_trait]
impl ScriptDoor for ScriptEntrance {
    async fn open(&self) -> Result<(String, ScriptKey)> {
        let url = self.url.get_or_try_init(|| self.open_own()).await?;
        let (id, secret) = (self.key.id.clone(), self.key.secret.clone());
        let key = ScriptKey { id, secret, token: None, region: REGION.to_owned() };
        Ok((url.clone(), key))
    }
}

/// How a process of this machine reaches what listens there.
fn url(at: SocketAddr) -> String {
    let ip = match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, at.port()))
}

fn cannot(error: std::io::Error) -> Error {
    Error::unavailable("cannot listen on this machine").source_is(error)
}
