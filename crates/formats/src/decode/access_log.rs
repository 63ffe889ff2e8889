//! Access logs of two shapes, mixed as they come, into the columns of [`access_log_columns`].

use super::access_line::{AccessLine, Shape, Span};
use super::delimited::line_end;
use super::feed::Lines;
use super::rejects::OnError;
use super::sink::Sink;
use crate::Column;
use crate::build::{Block, Builder, Field};
use crate::pack::Compression;
use crate::parse::LogClock;
use memchr::memchr;
use model::Result;
use sql::SqlType;

/// The columns of access logs: the line's parts, and which service called which. Times are in UTC. `source` is the calling
/// service, NULL for an external user; `target` is the path's first segment where the line has a protocol and its time
/// behind the user, else the service that the file is called after (`order-service-2022-09-15.txt.gz`). A dash is NULL.
pub fn access_log_columns() -> Vec<Column> {
    Part::ALL.map(|part| Column::new(part.name(), part.sql_type())).to_vec()
}

/// What a column takes from a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Address,
    User,
    Time,
    Method,
    Path,
    Protocol,
    Status,
    Agent,
    Source,
    Target,
}

impl Part {
    const ALL: [Part; 10] = [
        Part::Address,
        Part::User,
        Part::Time,
        Part::Method,
        Part::Path,
        Part::Protocol,
        Part::Status,
        Part::Agent,
        Part::Source,
        Part::Target,
    ];

    fn name(self) -> &'static str {
        match self {
            Part::Address => "remote_addr",
            Part::User => "remote_user",
            Part::Time => "time",
            Part::Method => "method",
            Part::Path => "path",
            Part::Protocol => "protocol",
            Part::Status => "status",
            Part::Agent => "user_agent",
            Part::Source => "source",
            Part::Target => "target",
        }
    }

    fn sql_type(self) -> SqlType {
        match self {
            Part::Time => SqlType::Timestamp(3),
            Part::Status => SqlType::Integer,
            _ => SqlType::VARCHAR,
        }
    }
}

pub(super) struct AccessLog {
    /// For each builder its part; none for a column that access logs do not have.
    parts: Vec<Option<Part>>,
    /// The service that the file is called after.
    service: Block,
    clock: LogClock,
}

/// Blocks that are fed are numbered from 1.
const SERVICE_BLOCK: u64 = 0;

impl AccessLog {
    pub(super) fn new(columns: &[Column], wanted: &[usize], file: &str) -> Self {
        let part = |column: &usize| {
            let name = columns.get(*column)?.name.as_str();
            Part::ALL.into_iter().find(|part| part.name().eq_ignore_ascii_case(name))
        };
        let service = bytes::Bytes::copy_from_slice(service_of(file).as_bytes());
        let service = Block::new(service, SERVICE_BLOCK);
        Self { parts: wanted.iter().map(part).collect(), service, clock: LogClock::default() }
    }

    #[inline]
    fn line(&mut self, block: &Block, start: usize, end: usize, sink: &mut Sink) -> Result<()> {
        let text = block.bytes().get(start..end).unwrap_or_default();
        let line = match AccessLine::parse(text) {
            Ok(line) => line,
            Err(why) => return malformed(text, why, sink),
        };
        let length = self.service.bytes().len();
        let service = (length > 0).then(|| Field::within(&self.service, 0, length));
        let mut failed = Vec::new();
        let Sink { builders, rules, .. } = sink;
        for (index, (builder, part)) in builders.iter_mut().zip(&self.parts).enumerate() {
            let within = |(from, to): Span| Field::within(block, start + from, start + to);
            let field = match part {
                None => None,
                Some(Part::Target) if line.shape == Shape::Service => service,
                Some(part) => span_of(*part, &line, text).map(within),
            };
            let Some(field) = field.filter(|field| field.bytes != b"-") else {
                builder.push_null();
                continue;
            };
            let pushed = match part {
                Some(Part::Time) if matches!(builder, Builder::Timestamp(..)) => {
                    builder.push_instant(match line.shape {
                        Shape::Front => self.clock.local(field.bytes),
                        Shape::Service => self.clock.iso(field.bytes),
                    })
                }
                _ => builder.push_text(field, rules, 1),
            };
            if let Err(why) = pushed {
                failed.push((index, field, why));
            }
        }
        if failed.is_empty() { sink.end_row(text.len()) } else { sink.end_row_with(text, failed) }
    }
}

#[inline]
fn span_of(part: Part, line: &AccessLine, text: &[u8]) -> Option<Span> {
    match part {
        Part::Address => Some(line.address),
        Part::User => Some(line.user),
        Part::Time => Some(line.time),
        Part::Method => Some(line.method),
        Part::Path => Some(line.path),
        Part::Protocol => Some(line.protocol).filter(|(start, end)| start < end),
        Part::Status => Some(line.status),
        Part::Agent => Some(line.agent),
        Part::Source => line.source(text),
        Part::Target => line.target(text),
    }
}

/// A line of neither shape is, as with expressions, a row of NULLs where mistakes become NULL.
#[cold]
fn malformed(text: &[u8], why: &'static str, sink: &mut Sink) -> Result<()> {
    if text.trim_ascii().is_empty() {
        sink.line += 1;
        return Ok(());
    }
    if sink.on_error != OnError::Null {
        return sink.malformed(text, why, "line of an access log");
    }
    sink.rejects.add(sink.line, None, text, why, sink.on_error.keeps());
    sink.fill_row();
    sink.end_row(text.len())
}

impl Lines for AccessLog {
    fn decode(&mut self, block: &Block, sink: &mut Sink) -> Result<()> {
        let bytes = block.bytes();
        let mut start = 0;
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let newline = memchr(b'\n', rest).map_or(bytes.len(), |at| start + at);
            self.line(block, start, line_end(bytes, start, newline), sink)?;
            start = newline + 1;
        }
        Ok(())
    }
}

/// The service that a log is called after: the file's name up to its day, or without its endings.
fn service_of(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or_default();
    let day = (1..name.len()).rev().find(|at| name.as_bytes().get(*at..).is_some_and(begins_with_day));
    if let Some(service) = day.and_then(|at| name.get(..at)) {
        return service;
    }
    let stem = |name: &'_ str| name.rfind('.').filter(|at| *at > 0);
    let packed = Compression::detect(name, &[]) != Compression::None;
    let name = stem(name).filter(|_| packed).and_then(|at| name.get(..at)).unwrap_or(name);
    stem(name).and_then(|at| name.get(..at)).unwrap_or(name)
}

/// `-YYYY-MM-DD`
fn begins_with_day(text: &[u8]) -> bool {
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    let day = text.get(..11).is_some_and(|day| day.iter().zip(b"-0000-00-00").all(fits));
    day && !text.get(11).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_in_names_of_files() {
        for (file, service) in [
            ("s3://logs/2022/order-service-2022-09-15.txt", "order-service"),
            ("/var/log/order-service-2022-09-15.txt.gz", "order-service"),
            ("order-service-2022-09-15-13.log.zst", "order-service"),
            ("a-2022-09-15-2022-09-16.txt", "a-2022-09-15"),
            ("user-service.log.gz", "user-service"),
            ("user-service.txt", "user-service"),
            ("v1.2-service.txt", "v1.2-service"),
            ("user-service", "user-service"),
            ("x/.hidden", ".hidden"),
            ("x-2022-09-155.txt", "x-2022-09-155"),
            ("-2022-09-15.txt", "-2022-09-15"),
            ("dienst-größe-2022-09-15", "dienst-größe"),
            ("folder/", ""),
            ("", ""),
        ] {
            assert_eq!(service_of(file), service, "{file}");
        }
    }
}
