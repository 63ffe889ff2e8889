//! `server-access-log`: simulated users call services, services call their dependencies, and every call is a line in the
//! log of the service that was called, one file per service and UTC day.
//!
//! `definition` reads the task, `calls` unfolds each load item into the calls it causes, `schedule` gives them their
//! times and sorts them, `lines` knows how a call is written, and this file sends them through to the day files.

mod calls;
mod definition;
mod lines;
mod schedule;

use crate::fields::Field;
use crate::output::{BUFFER_BYTES, Finished, Lines, Staging};
use crate::report::Meter;
use crate::task::{Kind, Work, output_folder};
use crate::text::{TimeText, day_name, day_of};
use crate::{Options, Report, Watch};
use calls::Calls;
use definition::Definition;
use model::{Error, Result};
use schedule::{Batch, Schedule};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

pub(crate) const KIND: Kind = Kind { name: "server-access-log", parse };

/// All services' buffers together.
const ALL_BUFFERS: usize = 64 << 20;

fn parse(root: &Field<'_>) -> Result<Arc<dyn Work>> {
    let definition = definition::parse(root)?;
    let calls = Calls::unfold(&definition, root)?;
    let schedule = Schedule::new(&definition, &calls, root)?;
    Ok(Arc::new(AccessLog { definition, calls, schedule }))
}

#[derive(Debug)]
struct AccessLog {
    definition: Definition,
    calls: Calls,
    schedule: Schedule,
}

impl Work for AccessLog {
    fn kind(&self) -> &'static str {
        KIND.name
    }

    fn rows(&self) -> u64 {
        (self.calls.per_iteration() as u64).saturating_mul(self.definition.iterations.unsigned_abs())
    }

    fn run(&self, seed: u64, options: &Options<'_>, watch: &dyn Watch) -> Result<Report> {
        let staging = Staging::open(&output_folder(options, &self.definition.output)?)?;
        let meter = Meter::new(watch, self.definition.iterations.unsigned_abs());
        // One thread makes and sorts the calls, this one writes them.
        let finished = std::thread::scope(|scope| {
            let (send, receive) = sync_channel(2);
            let making = scope.spawn(move || self.schedule.make(&self.calls, seed, &send));
            let finished = self.write(receive, &staging, &meter);
            match making.join() {
                Ok(()) => finished,
                Err(_) => Err(Error::internal("the thread that makes the calls died")),
            }
        })?;
        let files = staging.publish(finished)?;
        Ok(Report { kind: KIND.name, seed, files, rows: meter.rows(), bytes: meter.bytes() })
    }
}

/// The log of one service: the file of the day that is being written.
struct ServiceLog<'a> {
    name: &'a str,
    day: i64,
    rows: u64,
    lines: Option<Lines>,
}

impl AccessLog {
    /// Writes the calls, which arrive in the order of time. Returning early closes the channel, which ends the making.
    fn write(&self, batches: Receiver<Batch>, staging: &Staging, meter: &Meter<'_>) -> Result<Vec<Finished>> {
        let mut finished = Vec::new();
        let mut time = TimeText::new(self.definition.format.time());
        let names = self.definition.services.iter();
        let mut logs: Vec<ServiceLog<'_>> =
            names.map(|name| ServiceLog { name, day: 0, rows: 0, lines: None }).collect();
        for batch in batches {
            let mut bytes = 0;
            for call in &batch.calls {
                let millis = self.schedule.time(*call);
                let shape = self.calls.shape(*call);
                let Some(log) = logs.get_mut(shape.service) else { continue };
                if log.lines.is_none() || log.day != day_of(millis) {
                    bytes += log.close(&mut finished)?;
                    log.open(day_of(millis), &self.definition, staging)?;
                }
                let Some(lines) = &mut log.lines else { continue };
                shape.push(&mut lines.buffer, time.at(millis), call.salt());
                log.rows += 1;
                if lines.is_full() {
                    bytes += lines.flush()?;
                }
            }
            meter.advance(batch.iterations, batch.calls.len() as u64, bytes)?;
        }
        let mut bytes = 0;
        for log in &mut logs {
            bytes += log.close(&mut finished)?;
        }
        meter.advance(0, 0, bytes)?;
        Ok(finished)
    }
}

impl ServiceLog<'_> {
    fn open(&mut self, day: i64, definition: &Definition, staging: &Staging) -> Result<()> {
        let name = format!("{}-{}.txt{}", self.name, day_name(day), if definition.gzip { ".gz" } else { "" });
        let capacity = (ALL_BUFFERS / definition.services.len().max(1)).clamp(1 << 14, BUFFER_BYTES);
        self.lines = Some(staging.file(&name, definition.gzip, capacity)?);
        self.day = day;
        self.rows = 0;
        Ok(())
    }

    fn close(&mut self, finished: &mut Vec<Finished>) -> Result<u64> {
        let Some(lines) = self.lines.take() else { return Ok(0) };
        let (bytes, file) = lines.finish(self.rows)?;
        finished.extend(file);
        Ok(bytes)
    }
}
