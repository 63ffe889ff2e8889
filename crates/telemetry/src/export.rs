//! The room as a whole: figures that are always gathered, and what is sent where the variables ask for it.

use crate::figures::{Figures, Source};
use crate::link::{Link, Reach};
use crate::metrics::Reporter;
use crate::options::{Options, Target};
use crate::otlp::Teller;
use crate::post::Post;
use crate::queue::Queue;
use crate::tracer::{House, Tracer};
use crate::traces::Sender;
use crate::watch::{Watch, channel, hear};
use chrono::{DateTime, Duration, Utc};
use state::Clock;
use state::events::{Events, Filter};
use state::runs::Runs;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the server's end waits for what is still to be sent.
const LAST_WAIT: Duration = Duration::seconds(5);

/// What is told of, and by what.
pub struct Rooms {
    /// What runs.
    pub runs: Runs,
    /// Where ends of runs are told.
    pub events: Events,
    /// The time.
    pub clock: Clock,
    /// Figures of other rooms.
    pub sources: Vec<Arc<dyn Source>>,
    /// The server's version.
    pub version: String,
    /// When the server began, before it opened its rooms.
    pub start: DateTime<Utc>,
}

/// What tells of the server while it runs.
pub struct Telemetry {
    figures: Arc<Figures>,
    tracer: Tracer,
    clock: Clock,
    stop: CancellationToken,
    tasks: TaskTracker,
    handles: Vec<JoinHandle<()>>,
}

impl Telemetry {
    /// Begins to listen, and to send what these options ask for.
    pub fn open(rooms: Rooms, options: Options) -> Self {
        let Rooms { runs, events, clock, sources, version, start } = rooms;
        // Nothing that ends from here on is missed.
        let ends = events.live(Filter::kind("run.finished"));
        let figures = Arc::new(Figures::new(runs.clone(), version.clone(), sources));
        let teller = Teller::new(&options.resource, &version);
        let (stop, last, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let mut handles = Vec::new();
        let reach = Arc::new(Reach::default());
        let same = match (&options.traces, &options.metrics) {
            (Some(traces), Some(metrics)) => {
                traces.target.address.origin() == metrics.target.address.origin()
            }
            _ => false,
        };
        let link = |what, target: &Target, reach: Arc<Reach>| Link::new(what, target.address.clone(), reach);
        let post = |target: Target| Post::new(target, clock.clone(), &version);
        let mut spans = None;
        if let Some(options) = options.traces {
            let queue = Arc::new(Queue::new(options.most, clock.clone()));
            spans = Some(Arc::new(House {
                queue: queue.clone(),
                figures: figures.clone(),
                sampling: options.sampling,
                clock: clock.clone(),
            }));
            let sender = Sender {
                clock: clock.clone(),
                queue,
                figures: figures.clone(),
                teller: teller.clone(),
                link: link("traces", &options.target, reach.clone()),
                post: post(options.target.clone()),
                options,
                last: last.clone(),
            };
            handles.push(tasks.spawn(sender.run()));
        }
        if let Some(options) = options.metrics {
            let reach = if same { reach } else { Arc::default() };
            let reporter = Reporter {
                clock: clock.clone(),
                figures: figures.clone(),
                teller,
                link: link("metrics", &options.target, reach),
                post: post(options.target.clone()),
                options,
                start,
                last: last.clone(),
            };
            handles.push(tasks.spawn(reporter.run()));
        }
        let tracer = spans.clone().map(Tracer::new).unwrap_or_default();
        let (ended, heard) = channel();
        handles.push(tasks.spawn(hear(ends, ended, figures.clone(), stop.clone())));
        let watch = Watch { runs, figures: figures.clone(), spans, start };
        handles.push(tasks.spawn(async move {
            // Cancelled also where the task is: whoever waits for the last word gets it.
            let _last = last.drop_guard();
            watch.run(heard).await;
        }));
        tasks.close();
        Self { figures, tracer, clock, stop, tasks, handles }
    }

    /// The figures, for who shows them or has more of them.
    pub fn figures(&self) -> Arc<Figures> {
        self.figures.clone()
    }

    /// What makes spans of what is no run, for the doors.
    pub fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }

    /// Sends what is still to be sent, and ends. A collector that does not answer holds it up for a few seconds only.
    pub async fn finish(self) {
        self.stop.cancel();
        tokio::select! {
            () = self.tasks.wait() => {}
            () = self.clock.sleep(LAST_WAIT) => {
                tracing::warn!("the collector did not take all that was to be told within {} s", LAST_WAIT.num_seconds());
                self.handles.iter().for_each(JoinHandle::abort);
            }
        }
    }
}
