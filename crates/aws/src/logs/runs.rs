//! The groups that hold the logs of runs: which there are, and the runs and lines in them. They can only be read.

use super::MAX_EVENTS;
use super::read::{Event, Span};
use crate::door::Rooms;
use crate::glue::{self, JOB_RUNS as JOB, is_script};
use model::{Error, Result, RunId, RunKind};
use state::runs::{LogLevel, LogLine, Run, RunQuery};

/// How many of the newest runs of a group are streams, and are searched.
const MOST_RUNS: usize = 1000;

/// A group of streams.
pub(super) struct Group {
    pub(super) name: &'static str,
    kind: &'static str,
    /// Whether the stream is called like what was run, and holds all its runs.
    is_by_name: bool,
    /// Which runs of the kind are in it.
    holds: fn(&Run) -> bool,
    /// The least and the most grave line that is in it.
    levels: (LogLevel, LogLevel),
}

/// The groups there are, by name.
pub(super) static GROUPS: [Group; 6] = [
    Group { name: glue::CRAWL_LOGS, kind: crawl::RUN_KIND, is_by_name: true, holds: |_| true, levels: ALL },
    Group { name: "/aws-glue/jobs/error", kind: JOB, is_by_name: false, holds: is_graph, levels: GRAVE },
    Group { name: "/aws-glue/jobs/logs-v2", kind: JOB, is_by_name: false, holds: is_graph, levels: ALL },
    Group { name: "/aws-glue/jobs/output", kind: JOB, is_by_name: false, holds: is_graph, levels: ALL },
    Group {
        name: "/aws-glue/python-jobs/error",
        kind: JOB,
        is_by_name: false,
        holds: is_script,
        levels: GRAVE,
    },
    Group {
        name: "/aws-glue/python-jobs/output",
        kind: JOB,
        is_by_name: false,
        holds: is_script,
        levels: PLAIN,
    },
];

const ALL: (LogLevel, LogLevel) = (LogLevel::Debug, LogLevel::Error);
const PLAIN: (LogLevel, LogLevel) = (LogLevel::Debug, LogLevel::Info);
const GRAVE: (LogLevel, LogLevel) = (LogLevel::Warn, LogLevel::Error);

fn is_graph(run: &Run) -> bool {
    !is_script(run)
}

/// The group of that name, if it is one of these.
pub(super) fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

/// Refuses a change of such a group.
pub(super) fn read_only(name: &str) -> Error {
    Error::invalid(format!("`{name}` holds the logs of runs and can only be read"))
        .hint("create a log group of your own")
}

impl Group {
    /// The newest runs of the group, and of one stream of it if one is named; the newest first.
    pub(super) async fn runs(&self, rooms: &Rooms, stream: Option<&str>) -> Result<Vec<Run>> {
        let mut query =
            RunQuery { kind: Some(RunKind::new(self.kind)?), limit: MOST_RUNS, ..RunQuery::default() };
        match stream {
            Some(stream) if self.is_by_name => query.name = Some(stream.to_owned()),
            Some(stream) => {
                let found = match stream.parse::<RunId>() {
                    Ok(id) => rooms.runs.get(&id).await.ok(),
                    Err(_) => None,
                };
                return Ok(found.into_iter().filter(|run| self.has(run)).collect());
            }
            None => {}
        }
        let mut runs = rooms.runs.list(&query).await?;
        runs.retain(|run| self.has(run));
        Ok(runs)
    }

    fn has(&self, run: &Run) -> bool {
        run.kind.as_str() == self.kind && (self.holds)(run)
    }

    pub(super) fn stream_of(&self, run: &Run) -> String {
        if self.is_by_name { run.name.clone() } else { run.id.to_string() }
    }

    /// The lines of a run that are in this group.
    async fn lines(&self, rooms: &Rooms, run: &Run) -> Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        let mut after = 0;
        loop {
            let page = rooms.runs.log(&run.id, after, MAX_EVENTS).await?;
            let Some(last) = page.last() else { return Ok(lines) };
            after = last.seq;
            let (least, most) = self.levels;
            lines.extend(page.into_iter().filter(|line| line.level >= least && line.level <= most));
        }
    }

    fn event(&self, run: &Run, line: &LogLine) -> Event {
        let message = if self.is_by_name {
            format!("[{}] {} : {}", run.id, line.level.as_str().to_uppercase(), line.message)
        } else {
            line.message.clone()
        };
        let timestamp = line.at.timestamp_millis();
        Event {
            log_stream_name: self.stream_of(run),
            timestamp,
            message,
            ingestion_time: timestamp,
            event_id: format!("{}-{}", run.id, line.seq),
        }
    }

    /// All events of these runs within the times, in their order.
    pub(super) async fn events(&self, rooms: &Rooms, runs: &[Run], span: Span) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        for run in runs {
            let ended = run.ended.map_or(i64::MAX, |ended| ended.timestamp_millis());
            if span.start.is_some_and(|start| ended < start) {
                continue;
            }
            for line in self.lines(rooms, run).await? {
                let event = self.event(run, &line);
                if span.holds(event.timestamp) {
                    events.push(event);
                }
            }
        }
        events.sort_by_key(|event| event.timestamp);
        Ok(events)
    }
}
