//! `glulam up`: the server. It owns the data directory until it is told to end.

use super::Context;
use crate::args::Up;
use crate::platform::Platform;
use crate::server::ControlDoor;
use crate::{settings, terminal};
use model::{Error, Result};
use state::DataDir;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A door with its listener, before anybody may come in.
struct AwsDoor {
    listener: TcpListener,
    config: aws::DoorConfig,
    url: String,
}

pub(super) async fn run(context: &Context, up: &Up) -> Result<u8> {
    for (door, address) in [("console", &up.console), ("pg", &up.pg)] {
        if address != "off" {
            return Err(Error::unsupported(format!("this version has no `{door}` door yet"))
                .hint(format!("leave --{door} away; commands reach the server through its data directory")));
        }
    }
    let data = DataDir::open(context.config.data())?;
    let aws = listen(context, &up.aws).await?;
    let platform = Arc::new(Platform::open(&context.config, data).await?);
    let door = ControlDoor::open(platform.data())?;
    let stop = CancellationToken::new();
    let path = door.path().to_path_buf();
    let serving = tokio::spawn(door.serve(platform.clone(), stop.clone()));
    let (mut url, mut aws_serving) = ("off".to_owned(), None);
    if let Some(AwsDoor { listener, config, url: at }) = aws {
        url = at;
        let door = platform.entrance.serve(config, &listener).await?;
        aws_serving = Some(tokio::spawn(door.serve(listener, stop.clone())));
    }
    terminal::print(&format!("ready aws={url} console=off pg=off control=unix:{}", path.display()));
    tracing::info!(data = %platform.data().root().display(), "serving");
    for (name, started) in platform.apps.resume().await? {
        match started {
            Ok(run) => tracing::info!("the application `{name}` goes on: run {}", run.id()),
            Err(error) => tracing::error!("the application `{name}` cannot go on: {error}"),
        }
    }

    let cannot = |e| Error::unavailable("cannot wait for signals").source_is(e);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending: no new commands, runs are stopped");
    platform.data().withdraw();
    stop.cancel();
    // Requests that are under way end before the rooms are closed.
    if let Some(serving) = aws_serving {
        serving.await.map_err(|e| Error::internal("the AWS door broke off").source_is(e))??;
    }
    platform.close().await;
    match serving.await {
        Ok(served) => served.map(|()| 0),
        Err(e) => Err(Error::internal("the control door broke off").source_is(e)),
    }
}

/// Takes the address of the AWS door; none when it is off.
async fn listen(context: &Context, address: &str) -> Result<Option<AwsDoor>> {
    if address == "off" {
        return Ok(None);
    }
    let cannot = |e: std::io::Error| {
        let error = match e.kind() {
            std::io::ErrorKind::InvalidInput => Error::invalid(format!("`--aws {address}` is no address"))
                .hint("write HOST:PORT, such as 127.0.0.1:4566, or `off`"),
            std::io::ErrorKind::AddrInUse => Error::conflict(format!(
                "the address {address} of the AWS door is taken"
            ))
            .hint("another server listens there; take --aws 127.0.0.1:0 for a free port, or --aws off"),
            _ => Error::unavailable(format!("cannot listen on {address}")),
        };
        error.source_is(e)
    };
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let at = listener.local_addr().map_err(cannot)?;
    let config = settings::aws(&context.config, at.ip())?;
    Ok(Some(AwsDoor { listener, config, url: format!("http://{at}") }))
}
