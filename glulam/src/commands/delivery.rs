//! `glulam stream delivery`: delivery streams, from records to objects.

use super::Context;
use super::stream::{CHUNK, lines_of, perform};
use crate::args;
use crate::operations::{ListDeliveries, PutDelivery, ShowDelivery};
use crate::terminal;
use delivery::{DeliveryStream, Source};
use model::{Error, Result};

pub(super) async fn run(context: &Context, wanted: args::DeliveryCommand) -> Result<u8> {
    match wanted {
        args::DeliveryCommand::List => list(context).await,
        args::DeliveryCommand::Show { name } => {
            let stream = perform(context, ShowDelivery { name }).await?;
            match context.shared.json {
                true => terminal::print_json(&stream)?,
                false => show(&stream)?,
            }
            Ok(0)
        }
        args::DeliveryCommand::Put { name, file } => put(context, name, file.as_deref()).await,
    }
}

/// Where records come from.
fn source(stream: &DeliveryStream) -> String {
    match &stream.source {
        Source::Direct { .. } => "put directly".to_owned(),
        Source::Stream { name, .. } => format!("stream {name}"),
    }
}

fn state(stream: &DeliveryStream) -> &'static str {
    if stream.failure.is_some() { "failing" } else { "active" }
}

async fn list(context: &Context) -> Result<u8> {
    let all = perform(context, ListDeliveries {}).await?;
    if context.shared.json {
        terminal::print_json(&all)?;
        return Ok(0);
    }
    let rows = all.iter().map(|stream| {
        let bucket = stream.destination.bucket_arn.rsplit(':').next().unwrap_or_default();
        let to = format!("s3://{bucket}/{}", stream.destination.prefix.as_deref().unwrap_or_default());
        let last = stream.totals.last.map_or_else(|| "-".to_owned(), terminal::time);
        let records = terminal::amount(stream.totals.records);
        vec![stream.name.clone(), state(stream).to_owned(), source(stream), to, records, last]
    });
    let head = ["delivery stream", "state", "from", "to", "records", "last batch"];
    terminal::print(&terminal::table(&head, rows));
    Ok(0)
}

fn show(stream: &DeliveryStream) -> Result<()> {
    let totals = &stream.totals;
    let settings = serde_json::to_string_pretty(&stream.destination)
        .map_err(|e| Error::internal("settings cannot be written").source_is(e))?;
    let mut text = format!(
        "{} ({}), version {}, made {}\nfrom: {}\ndelivered: {} records in {} objects, {} of them failed\n",
        stream.name,
        state(stream),
        stream.version,
        terminal::time(stream.created),
        source(stream),
        terminal::amount(totals.records),
        terminal::amount(totals.objects),
        terminal::amount(totals.failed),
    );
    if let Some(run) = &stream.run {
        text.push_str(&format!("run: {run} (glulam logs {run})\n"));
    }
    if let Some((diagnosis, since)) = &stream.failure {
        text.push_str(&format!("nothing is delivered since {}:\n{diagnosis}\n", terminal::time(*since)));
    }
    terminal::print(&format!("{text}{settings}"));
    Ok(())
}

async fn put(context: &Context, name: String, file: Option<&std::path::Path>) -> Result<u8> {
    let lines = lines_of(file)?;
    let stored = context
        .with_session(async |session| {
            let (mut stored, mut records) = (0, Vec::with_capacity(CHUNK));
            let mut lines = lines.peekable();
            while let Some(line) = lines.next() {
                // A line is a record; its end is part of it, so that objects have lines, too.
                let line = line.map_err(|e| Error::unavailable("the records cannot be read").source_is(e))?;
                if !line.is_empty() {
                    records.push(format!("{line}\n"));
                }
                if records.len() == CHUNK || (lines.peek().is_none() && !records.is_empty()) {
                    let records = std::mem::take(&mut records);
                    stored += session.perform(PutDelivery { name: name.clone(), records }).await?;
                }
            }
            Ok(stored)
        })
        .await?;
    match context.shared.json {
        true => terminal::print_json(&serde_json::json!({ "records": stored }))?,
        false => {
            terminal::remark(context.shared.quiet, &format!("{} records stored", terminal::amount(stored)));
        }
    }
    Ok(0)
}
