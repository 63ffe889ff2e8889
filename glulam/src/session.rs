//! Where operations are carried out: by the server that owns the data directory, or in this process.

use crate::operations::Operation;
use crate::platform::Platform;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use model::{Diagnosis, Error, ErrorKind, Result};
use state::data_dir::ServerAddress;
use state::{Config, DataDir, TraceContext};
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// Who carries operations out.
pub(crate) enum Session {
    /// This process: it owns the data directory meanwhile.
    Local(Box<Platform>),
    /// A server, over its socket.
    Remote(PathBuf),
}

impl Session {
    /// Finds the server of the configured data directory, or opens the directory here.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let root = config.data();
        let taken = match DataDir::open(&root) {
            Ok(data) => return Ok(Self::Local(Box::new(Platform::open(config, data).await?))),
            Err(error) if error.kind() == ErrorKind::Conflict => error,
            Err(error) => return Err(error),
        };
        match DataDir::announced(&root) {
            Some(ServerAddress { socket, .. }) if UnixStream::connect(&socket).await.is_ok() => {
                Ok(Self::Remote(socket))
            }
            // Another command owns the directory: it takes no orders, and is done in a moment.
            _ => Ok(Self::Local(Box::new(Platform::open(config, wait_for(&root, taken).await?).await?))),
        }
    }

    /// Carries an operation out.
    pub(crate) async fn perform<O: Operation>(&self, operation: O) -> Result<O::Answer> {
        match self {
            Self::Local(platform) => operation.perform(platform).await,
            Self::Remote(socket) => ask(socket, operation).await,
        }
    }

    /// Ends it: what this process opened is closed in order.
    pub(crate) async fn close(self) {
        if let Self::Local(platform) = self {
            platform.close().await;
        }
    }
}

/// Waits up to some seconds for another command to let go of the directory.
async fn wait_for(root: &Path, taken: Error) -> Result<DataDir> {
    let clock = state::Clock::system();
    let until = clock.now() + chrono::Duration::seconds(5);
    let mut last = taken;
    while clock.now() < until {
        clock.sleep(chrono::Duration::milliseconds(50)).await;
        match DataDir::open(root) {
            Ok(data) => return Ok(data),
            Err(error) if error.kind() == ErrorKind::Conflict => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

async fn ask<O: Operation>(socket: &Path, operation: O) -> Result<O::Answer> {
    let lost = |doing: &str| Error::unavailable(format!("the server on {} {doing}", socket.display()));
    let stream = UnixStream::connect(socket).await.map_err(|e| lost("cannot be reached").source_is(e))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| lost("does not answer").source_is(e))?;
    tokio::spawn(connection);
    let body = serde_json::to_vec(&operation)
        .map_err(|e| Error::internal("a request cannot be written").source_is(e))?;
    let mut request = Request::post(format!("/v1/{}", O::NAME))
        .header("host", "glulam")
        .header("content-type", "application/json");
    // To what the command belongs, whoever has started it says by OpenTelemetry's variable.
    if let Some(under) = std::env::var("TRACEPARENT").ok().and_then(|text| TraceContext::read(text.trim())) {
        request = request.header("traceparent", under.header());
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(|e| Error::internal("a request cannot be built").source_is(e))?;
    let response =
        sender.send_request(request).await.map_err(|e| lost("ended before it answered").source_is(e))?;
    let fine = response.status().is_success();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(|e| lost("ended before it answered").source_is(e))?
        .to_bytes();
    if fine {
        return serde_json::from_slice(&body)
            .map_err(|e| Error::internal("the server's answer cannot be read").source_is(e));
    }
    match serde_json::from_slice::<Diagnosis>(&body) {
        Ok(diagnosis) => Err(diagnosis.into()),
        Err(e) => Err(Error::internal("the server's error cannot be read").source_is(e)),
    }
}
