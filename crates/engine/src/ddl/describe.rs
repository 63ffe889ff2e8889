//! DESCRIBE in Hive's layout: cells padded to 20 characters, blocks that begin with `#`.

use super::partition::values;
use super::view::read_view;
use super::{DdlContext, DdlResult};
use catalog::{Parameters, StorageDescriptor, TableEntry};
use model::{Column, Error, HiveType, Result, nearest_hint};
use sql::ast::Describe;
use sqlparser::ast::Ident;

/// How wide Hive makes its cells.
const WIDTH: usize = 20;
const COLUMNS: [&str; 3] = ["col_name", "data_type", "comment"];

/// A cell.
pub(super) fn padded(text: &str) -> String {
    let missing = WIDTH.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

type Row = Vec<String>;

fn row(name: &str, kind: &str, comment: &str) -> Row {
    vec![padded(name), padded(kind), padded(comment)]
}

/// A line of which only the first cell says something.
fn line(text: &str) -> Row {
    vec![text.to_owned(), " ".to_owned(), " ".to_owned()]
}

fn header() -> Row {
    row("# col_name", "data_type", "comment")
}

fn column_row(column: &Column) -> Row {
    row(&column.name, &column.hive_type.to_string(), column.comment.as_deref().unwrap_or_default())
}

pub(super) async fn describe(ctx: &DdlContext<'_>, question: &Describe) -> Result<DdlResult> {
    let entry = ctx.described(&question.name).await?;
    let mut storage = entry.table.storage.clone();
    let mut partition = None;
    if let Some(spec) = &question.partition {
        let entry = ctx.partitioned(&question.name).await?;
        let found = values(ctx, &entry, spec)?;
        let one = ctx
            .catalog
            .get_partition(&entry.database, &entry.table.name, &found)
            .await
            .map_err(|error| ctx.located(error, question.name.span()))?;
        storage = one.storage.clone();
        partition = Some(one);
    }
    if !question.column.is_empty() {
        return one_column(ctx, &entry, &storage, &question.column);
    }
    let mut rows = columns(&entry, &storage, question.formatted);
    if question.formatted {
        details(&entry, &storage, partition.as_ref(), &mut rows);
    } else if question.extended {
        rows.push(line(""));
        rows.push(vec![
            "Detailed Table Information".to_owned(),
            in_one_piece(&entry, &storage),
            " ".to_owned(),
        ]);
    }
    Ok(DdlResult::table(&COLUMNS, rows))
}

/// All columns with the partition keys, and these once more in a block of their own.
fn columns(entry: &TableEntry, storage: &StorageDescriptor, formatted: bool) -> Vec<Row> {
    let keys = &entry.table.partition_keys;
    let mut rows = Vec::new();
    if formatted {
        rows.push(header());
        rows.push(line(""));
    }
    let view_types = if entry.table.is_view() { view_rows(entry) } else { None };
    rows.extend(view_types.unwrap_or_else(|| storage.columns.iter().map(column_row).collect()));
    if !formatted {
        rows.extend(keys.iter().map(column_row));
    }
    if !keys.is_empty() {
        rows.push(line(""));
        rows.push(line("# Partition Information"));
        rows.push(header());
        rows.push(line(""));
        rows.extend(keys.iter().map(column_row));
    }
    rows
}

/// A view's columns in the types of its query, which Hive's do not always say.
fn view_rows(entry: &TableEntry) -> Option<Vec<Row>> {
    let view = read_view(&entry.table).ok()?;
    Some(view.columns.iter().map(|column| row(&column.name, &column.sql_type, "")).collect())
}

/// One column, or a field within it.
fn one_column(
    ctx: &DdlContext<'_>,
    entry: &TableEntry,
    storage: &StorageDescriptor,
    path: &[Ident],
) -> Result<DdlResult> {
    let Some((first, fields)) = path.split_first() else { return Ok(DdlResult::nothing()) };
    let all: Vec<&Column> = storage.columns.iter().chain(&entry.table.partition_keys).collect();
    let unknown = |name: &Ident, known: &[String]| {
        Error::not_found(format!("there is no column `{}`", name.value))
            .at(ctx.place(name.span))
            .hint(nearest_hint(&name.value, known.iter().map(String::as_str)))
    };
    let Some(column) = all.iter().find(|column| column.name.eq_ignore_ascii_case(&first.value)) else {
        let known: Vec<String> = all.iter().map(|column| column.name.clone()).collect();
        return Err(unknown(first, &known));
    };
    let (mut name, mut kind) = (column.name.clone(), column.hive_type.clone());
    for field in fields {
        let inside = match kind {
            HiveType::Struct(ref inside) => inside.clone(),
            _ => Vec::new(),
        };
        let Some(found) = inside.iter().find(|one| one.name.eq_ignore_ascii_case(&field.value)) else {
            let known: Vec<String> = inside.iter().map(|one| one.name.clone()).collect();
            return Err(unknown(field, &known));
        };
        name.clone_from(&found.name);
        kind = found.hive_type.clone();
    }
    let comment = if fields.is_empty() { column.comment.as_deref().unwrap_or_default() } else { "" };
    Ok(DdlResult::table(&COLUMNS, vec![row(&name, &kind.to_string(), comment)]))
}

/// The blocks of DESCRIBE FORMATTED.
fn details(
    entry: &TableEntry,
    storage: &StorageDescriptor,
    partition: Option<&catalog::Partition>,
    rows: &mut Vec<Row>,
) {
    let table = &entry.table;
    let fact = |name: &str, value: &str| vec![padded(name), padded(value), " ".to_owned()];
    rows.push(line(""));
    match partition {
        Some(partition) => {
            rows.push(line("# Detailed Partition Information"));
            rows.push(fact("Partition Value:", &format!("[{}]", partition.values.join(", "))));
        }
        None => rows.push(line("# Detailed Table Information")),
    }
    rows.push(fact("Database:", entry.database.as_str()));
    if partition.is_some() {
        rows.push(fact("Table:", table.name.as_str()));
    }
    rows.push(fact("Owner:", table.owner.as_deref().unwrap_or("hadoop")));
    let created = partition.and_then(|partition| partition.created).unwrap_or(entry.created);
    rows.push(fact("CreateTime:", &created.format("%a %b %d %H:%M:%S UTC %Y").to_string()));
    rows.push(fact("LastAccessTime:", "UNKNOWN"));
    rows.push(fact("Protect Mode:", "None"));
    rows.push(fact("Retention:", &table.retention.to_string()));
    rows.push(fact("Location:", storage.location.as_deref().unwrap_or_default()));
    rows.push(fact("Table Type:", table.table_type.as_deref().unwrap_or_default()));
    parameters("Table Parameters:", partition.map_or(&table.parameters, |p| &p.parameters), rows);
    rows.push(line(""));
    rows.push(line("# Storage Information"));
    rows.push(fact("SerDe Library:", storage.serde.library.as_deref().unwrap_or_default()));
    rows.push(fact("InputFormat:", storage.input_format.as_deref().unwrap_or_default()));
    rows.push(fact("OutputFormat:", storage.output_format.as_deref().unwrap_or_default()));
    rows.push(fact("Compressed:", if storage.compressed { "Yes" } else { "No" }));
    rows.push(fact("Num Buckets:", &storage.number_of_buckets.unwrap_or(-1).to_string()));
    rows.push(fact("Bucket Columns:", &format!("[{}]", storage.bucket_columns.join(", "))));
    rows.push(fact("Sort Columns:", "[]"));
    parameters("Storage Desc Params:", &storage.serde.parameters, rows);
}

fn parameters(title: &str, all: &Parameters, rows: &mut Vec<Row>) {
    if all.is_empty() {
        return;
    }
    rows.push(line(title));
    rows.extend(all.iter().map(|(key, value)| vec![String::new(), padded(key), padded(value)]));
}

/// What DESCRIBE EXTENDED says in one cell.
fn in_one_piece(entry: &TableEntry, storage: &StorageDescriptor) -> String {
    let table = &entry.table;
    let list = |columns: &[Column]| {
        let all: Vec<String> =
            columns.iter().map(|c| format!("FieldSchema(name:{}, type:{})", c.name, c.hive_type)).collect();
        all.join(", ")
    };
    let map = |all: &Parameters| {
        all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "Table(tableName:{}, dbName:{}, createTime:{}, sd:StorageDescriptor(cols:[{}], location:{}, inputFormat:{}, \
         outputFormat:{}, serdeInfo:SerDeInfo(serializationLib:{}, parameters:{{{}}})), partitionKeys:[{}], \
         parameters:{{{}}}, tableType:{})",
        table.name,
        entry.database,
        entry.created.timestamp(),
        list(&storage.columns),
        storage.location.as_deref().unwrap_or_default(),
        storage.input_format.as_deref().unwrap_or_default(),
        storage.output_format.as_deref().unwrap_or_default(),
        storage.serde.library.as_deref().unwrap_or_default(),
        map(&storage.serde.parameters),
        list(&table.partition_keys),
        map(&table.parameters),
        table.table_type.as_deref().unwrap_or_default(),
    )
}
