//! `glulam tables`

use super::Context;
use crate::args::Tables;
use crate::operations::ListTables;
use crate::terminal;
use model::{EntityName, Result};

pub(super) async fn run(context: &Context, tables: Tables) -> Result<u8> {
    let database = tables.database.map(EntityName::new).transpose()?;
    let list = context
        .with_session(async |session| session.perform(ListTables { database, pattern: tables.pattern }).await)
        .await?;
    if context.shared.json {
        terminal::print_json(&list)?;
        return Ok(0);
    }
    if list.is_empty() {
        terminal::remark(
            context.shared.quiet,
            "no tables; `glulam crawl s3://<bucket>/ --database <name>` makes some",
        );
        return Ok(0);
    }
    let rows = list.into_iter().map(|table| {
        let partitions = match table.partitions {
            Some(count) => format!("{} by {}", terminal::amount(count), table.partition_keys.join(", ")),
            None => "-".to_owned(),
        };
        vec![
            format!("{}.{}", table.database, table.table),
            table.format,
            table.columns.to_string(),
            partitions,
            table.location.unwrap_or_else(|| "-".to_owned()),
        ]
    });
    terminal::print(&terminal::table(&["table", "format", "columns", "partitions", "location"], rows));
    Ok(0)
}
