//! `glulam describe`

use super::Context;
use crate::args;
use crate::operations::{Describe, TableDescription};
use crate::terminal;
use model::{Column, Result};

pub(super) async fn run(context: &Context, wanted: args::Describe) -> Result<u8> {
    let operation = Describe { table: wanted.table, versions: wanted.versions };
    let answer = context.with_session(async |session| session.perform(operation).await).await?;
    if context.shared.json {
        terminal::print_json(&answer)?;
        return Ok(0);
    }
    terminal::print(&text(&answer));
    Ok(0)
}

/// A parameter's value with what cannot be seen written out.
fn visible(value: &str) -> String {
    value
        .chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

fn text(answer: &TableDescription) -> String {
    let table = &answer.entry.table;
    let mut facts = vec![
        ("table", format!("{}.{}", answer.entry.database, table.name)),
        ("format", answer.format.clone()),
        ("location", table.storage.location.clone().unwrap_or_else(|| "-".to_owned())),
    ];
    if let Some(partitions) = answer.partitions {
        facts.push(("partitions", terminal::amount(partitions)));
    }
    if let Some(library) = &table.storage.serde.library {
        facts.push(("serde", library.clone()));
    }
    for (key, value) in &table.storage.serde.parameters {
        facts.push(("", format!("{key} = {}", visible(value))));
    }
    for (key, label) in [("recordCount", "rows"), ("objectCount", "files"), ("sizeKey", "size")] {
        let Some(number) = table.parameters.get(key).and_then(|text| text.parse::<u64>().ok()) else {
            continue;
        };
        facts
            .push((label, if key == "sizeKey" { terminal::bytes(number) } else { terminal::amount(number) }));
    }
    if let Some(description) = &table.description {
        facts.push(("about", description.clone()));
    }
    facts.push(("version", format!("{} of {}", answer.entry.version, terminal::time(answer.entry.updated))));
    let mut out = terminal::table(&[], facts.into_iter().map(|(key, value)| vec![key.to_owned(), value]));
    out.push_str("\n\n");
    let line = |column: &Column, note: &str| {
        vec![
            column.name.clone(),
            column.hive_type.to_string(),
            column.comment.clone().unwrap_or_else(|| note.to_owned()),
        ]
    };
    let rows = (table.storage.columns.iter().map(|column| line(column, "")))
        .chain(table.partition_keys.iter().map(|key| line(key, "partition key")));
    out.push_str(&terminal::table(&["column", "type", "note"], rows));
    for version in &answer.versions {
        let changes: Vec<String> = version.changes.iter().map(ToString::to_string).collect();
        let changes = if changes.is_empty() { "no column changed".to_owned() } else { changes.join("; ") };
        out.push_str(&format!("\n\nversion {} ({}): {changes}", version.version, terminal::time(version.at)));
    }
    out
}
