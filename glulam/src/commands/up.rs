//! `glulam up`: the server. It owns the data directory until it is told to end.

use super::Context;
use crate::args::Up;
use crate::platform::Platform;
use crate::server::ControlDoor;
use crate::terminal;
use model::{Error, Result};
use state::DataDir;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(super) async fn run(context: &Context, up: &Up) -> Result<u8> {
    for (door, address) in [("aws", &up.aws), ("console", &up.console), ("pg", &up.pg)] {
        if address != "off" {
            return Err(Error::unsupported(format!("this version has no `{door}` door yet"))
                .hint(format!("leave --{door} away; commands reach the server through its data directory")));
        }
    }
    let data = DataDir::open(context.config.data())?;
    let platform = Arc::new(Platform::open(&context.config, data).await?);
    let door = ControlDoor::open(platform.data())?;
    let stop = CancellationToken::new();
    let path = door.path().to_path_buf();
    let serving = tokio::spawn(door.serve(platform.clone(), stop.clone()));
    terminal::print(&format!("ready aws=off console=off pg=off control=unix:{}", path.display()));
    tracing::info!(data = %platform.data().root().display(), "serving");

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
    platform.close().await;
    match serving.await {
        Ok(served) => served.map(|()| 0),
        Err(e) => Err(Error::internal("the control door broke off").source_is(e)),
    }
}
