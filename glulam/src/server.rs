//! The control door: commands of the same user, over a Unix socket that only that user may open.

use crate::operations::perform_named;
use crate::platform::Platform;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as PathPart, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use model::{Error, ErrorKind, Place, Result};
use state::data_dir::ServerAddress;
use state::{DataDir, TraceContext, trace};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

/// Task files and classifier definitions fit in easily.
const MAX_REQUEST_BYTES: usize = 64 << 20;
/// What a socket's address can hold on every system.
const MAX_SOCKET_PATH: usize = 100;

/// The listening socket; removed when it is dropped.
pub(crate) struct ControlDoor {
    listener: UnixListener,
    path: PathBuf,
    // Holds the folder of a socket that could not stand in the data directory.
    _folder: Option<PrivateFolder>,
}

struct PrivateFolder(PathBuf);

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl ControlDoor {
    /// Listens in the data directory, or in a private folder when the directory's path is too long for a socket.
    pub(crate) fn open(data: &DataDir) -> Result<Self> {
        let mut path = data.root().join("glulam.sock");
        let mut folder = None;
        if path.as_os_str().len() > MAX_SOCKET_PATH {
            let private = std::env::temp_dir().join(format!("glulam-{}", std::process::id()));
            std::fs::create_dir_all(&private).map_err(|e| cannot(&private, e))?;
            std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o700))
                .map_err(|e| cannot(&private, e))?;
            path = private.join("glulam.sock");
            folder = Some(PrivateFolder(private));
        }
        // The directory's lock is ours, so a socket that stands there belongs to a process that is gone.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(|e| cannot(&path, e))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
            .map_err(|e| cannot(&path, e))?;
        data.announce(&ServerAddress { pid: std::process::id(), socket: path.clone() })?;
        Ok(Self { listener, path, _folder: folder })
    }

    /// Where it listens.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Serves until the token is cancelled, then lets requests that are under way end.
    pub(crate) async fn serve(self, platform: Arc<Platform>, stop: CancellationToken) -> Result<()> {
        let router = Router::new()
            .route("/v1/{name}", post(handle))
            .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
            .with_state(platform);
        let served = axum::serve(self.listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        let _ = std::fs::remove_file(&self.path);
        served.map_err(|e| Error::unavailable("the control door failed").source_is(e))
    }
}

async fn handle(
    State(platform): State<Arc<Platform>>,
    PathPart(name): PathPart<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let under = headers.get("traceparent").and_then(|value| TraceContext::read(value.to_str().ok()?));
    match trace::within(under, perform_named(&name, &body, &platform)).await {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(error) => {
            let status = match error.kind() {
                ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
                ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                _ => StatusCode::BAD_REQUEST,
            };
            (status, axum::Json(error.diagnosis())).into_response()
        }
    }
}

fn cannot(path: &Path, error: std::io::Error) -> Error {
    Error::unavailable("cannot listen for commands").at(Place::object(path.display())).source_is(error)
}
