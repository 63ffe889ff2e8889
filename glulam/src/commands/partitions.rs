//! `glulam partitions`

use super::Context;
use crate::args::Partitions;
use crate::operations::ListPartitions;
use crate::terminal;
use model::Result;

pub(super) async fn run(context: &Context, wanted: Partitions) -> Result<u8> {
    let operation = ListPartitions { table: wanted.table, filter: wanted.filter, limit: wanted.limit };
    let list = context.with_session(async |session| session.perform(operation).await).await?;
    if context.shared.json {
        terminal::print_json(&list)?;
        return Ok(0);
    }
    if list.keys.is_empty() {
        terminal::remark(context.shared.quiet, "the table is not partitioned");
        return Ok(0);
    }
    let mut header: Vec<&str> = list.keys.iter().map(String::as_str).collect();
    header.push("location");
    let count = list.partitions.len();
    let rows = list.partitions.into_iter().map(|partition| {
        let mut row = partition.values;
        row.push(partition.storage.location.unwrap_or_else(|| "-".to_owned()));
        row
    });
    terminal::print(&terminal::table(&header, rows));
    if list.more {
        terminal::remark(
            context.shared.quiet,
            &format!("the first {count}; --limit shows more, --where fewer"),
        );
    }
    Ok(0)
}
