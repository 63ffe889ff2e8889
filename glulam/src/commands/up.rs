//! `glulam up`: the server. It owns the data directory until it is told to end.

use super::Context;
use crate::args::Up;
use crate::operations::{perform_named, rights};
use crate::platform::Platform;
use crate::server::ControlDoor;
use crate::{figures, pg_door, settings, terminal};
use model::{Error, Result};
use state::{Clock, DataDir};
use std::net::SocketAddr;
use std::sync::Arc;
use telemetry::Figures;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A door's listener, before anybody may come in.
struct Listening {
    listener: TcpListener,
    at: SocketAddr,
}

/// A door that serves, and where.
struct Serving {
    url: String,
    task: Option<JoinHandle<Result<()>>>,
}

impl Serving {
    const OFF: &str = "off";

    fn off() -> Self {
        Self { url: Self::OFF.to_owned(), task: None }
    }

    fn at(address: SocketAddr, task: JoinHandle<Result<()>>) -> Self {
        Self { url: format!("http://{address}"), task: Some(task) }
    }

    async fn ended(self, door: &str) -> Result<()> {
        match self.task {
            Some(task) => {
                task.await.map_err(|e| Error::internal(format!("the {door} door broke off")).source_is(e))?
            }
            None => Ok(()),
        }
    }
}

pub(super) async fn run(context: &Context, up: &Up) -> Result<u8> {
    let data = DataDir::open(context.config.data())?;
    let aws_listening = listen("aws", "AWS", "4566", &up.aws).await?;
    let console_listening = listen("console", "console's", "4567", &up.console).await?;
    let pg_listening = listen("pg", "PostgreSQL", "5437", &up.pg).await?;
    // What is wrong with the doors' settings is told before the rooms are opened.
    let aws_config =
        aws_listening.as_ref().map(|door| settings::aws(&context.config, door.at.ip())).transpose()?;
    let console_config = console_listening
        .as_ref()
        .map(|door| settings::console(&context.config, door.at.ip()))
        .transpose()?;
    let pg_config =
        pg_listening.as_ref().map(|door| settings::pg(&context.config, door.at.ip())).transpose()?;
    let telemetry_options = settings::telemetry(&context.config)?;
    let start = Clock::system().now();
    let platform = Arc::new(Platform::open(&context.config, data).await?);
    let telemetry = figures::open(&platform, telemetry_options, start);
    let door = ControlDoor::open(platform.data())?;
    let stop = CancellationToken::new();
    let path = door.path().to_path_buf();
    let control = tokio::spawn(door.serve(platform.clone(), stop.clone()));
    let aws = match (aws_listening, aws_config) {
        (Some(Listening { listener, at }), Some(config)) => {
            let config = aws::DoorConfig { tracer: telemetry.tracer(), ..config };
            let door = platform.entrance.serve(config, &listener).await?;
            let answered = door.answered();
            telemetry.figures().count_door("aws", Arc::new(move || answered.by_class()));
            Serving::at(at, tokio::spawn(door.serve(listener, stop.clone())))
        }
        _ => Serving::off(),
    };
    let console = match (console_listening, console_config) {
        (Some(Listening { listener, at }), Some(config)) => {
            let rooms = console_rooms(&platform, telemetry.figures());
            let config = console::DoorConfig { tracer: telemetry.tracer(), ..config };
            let door = console::Door::open(rooms, config, stop.clone());
            Serving::at(at, tokio::spawn(door.serve(listener)))
        }
        _ => Serving::off(),
    };
    let pg = match (pg_listening, pg_config) {
        (Some(Listening { listener, at }), Some(config)) => {
            let door = pg_door::open(&platform, config, telemetry.tracer(), stop.clone());
            let task = Some(tokio::spawn(door.serve(listener)));
            Serving { url: format!("postgresql://{at}/glulam"), task }
        }
        _ => Serving::off(),
    };
    terminal::print(&format!(
        "ready aws={} console={} pg={} control=unix:{}",
        aws.url,
        console.url,
        pg.url,
        path.display()
    ));
    tracing::info!(data = %platform.data().root().display(), "serving");
    // From here on a signal ends it in order, also while applications are taken up again.
    let cannot = |e| Error::unavailable("cannot wait for signals").source_is(e);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    match platform.apps.resume().await {
        Ok(all) => all.into_iter().for_each(|(name, started)| match started {
            Ok(run) => tracing::info!("the application `{name}` goes on: run {}", run.id()),
            Err(error) => tracing::error!("the application `{name}` cannot go on: {error}"),
        }),
        Err(error) => tracing::error!("applications cannot go on: {error}"),
    }
    match platform.deliveries.serve().await {
        Ok(failed) => failed.into_iter().for_each(|(name, error)| {
            tracing::error!("the delivery stream `{name}` cannot go on: {error}");
        }),
        Err(error) => tracing::error!("delivery streams cannot go on: {error}"),
    }

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending: no new commands, runs are stopped");
    platform.data().withdraw();
    stop.cancel();
    // Requests that are under way end before the rooms are closed.
    aws.ended("AWS").await?;
    console.ended("console").await?;
    pg.ended("PostgreSQL").await?;
    // What the end of the server ends is still told of.
    platform.end_runs().await;
    telemetry.finish().await;
    platform.close().await;
    match control.await {
        Ok(served) => served.map(|()| 0),
        Err(e) => Err(Error::internal("the control door broke off").source_is(e)),
    }
}

fn console_rooms(platform: &Arc<Platform>, figures: Arc<Figures>) -> console::Rooms {
    console::Rooms {
        lake: platform.lake.clone(),
        catalog: platform.catalog.clone(),
        engine: platform.engine.clone(),
        log: Arc::clone(&platform.log),
        runs: platform.runs.clone(),
        events: platform.events.clone(),
        clock: platform.clock.clone(),
        figures,
        operations: Arc::new(PlatformOperations(platform.clone())),
    }
}

/// The operations, for the console.
struct PlatformOperations(Arc<Platform>);

#[async_trait::async_trait]
impl console::Operations for PlatformOperations {
    async fn perform(&self, name: &str, body: &[u8], caller: &console::Caller) -> Result<Vec<u8>> {
        rights::check(name, body, caller, &self.0).await?;
        perform_named(name, body, &self.0).await
    }
}

/// Takes the address of a door; none when it is off.
async fn listen(flag: &str, door: &str, port: &str, address: &str) -> Result<Option<Listening>> {
    if address == Serving::OFF {
        return Ok(None);
    }
    let cannot = |e: std::io::Error| {
        let error = match e.kind() {
            std::io::ErrorKind::InvalidInput => Error::invalid(format!("`--{flag} {address}` is no address"))
                .hint(format!("write HOST:PORT, such as 127.0.0.1:{port}, or `off`")),
            std::io::ErrorKind::AddrInUse => {
                Error::conflict(format!("the address {address} of the {door} door is taken")).hint(format!(
                    "another server listens there; take --{flag} 127.0.0.1:0 for a free port, or --{flag} off"
                ))
            }
            _ => Error::unavailable(format!("cannot listen on {address}")),
        };
        error.source_is(e)
    };
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let at = listener.local_addr().map_err(cannot)?;
    Ok(Some(Listening { listener, at }))
}
