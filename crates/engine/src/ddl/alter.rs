//! ALTER TABLE: partitions, columns, location, properties.

use super::resolve::LAST_DDL;
use super::table::{check_columns, column};
use super::{DdlContext, DdlResult, partition};
use catalog::{StorageDescriptor, Table};
use model::{Column, Error, Result, nearest_hint};
use sql::QualifiedName;
use sql::ast::{AlterAction, AlterTable, At, ColumnDef, ColumnPosition, PartitionSpec, Property};
use sqlparser::ast::Ident;

pub(super) async fn alter(ctx: &DdlContext<'_>, alter: &AlterTable) -> Result<DdlResult> {
    let name = &alter.name;
    match &alter.action {
        AlterAction::AddPartitions { if_not_exists, partitions } => {
            partition::add(ctx, name, *if_not_exists, partitions).await
        }
        AlterAction::DropPartitions { if_exists, partitions } => {
            partition::drop(ctx, name, *if_exists, partitions).await
        }
        AlterAction::RenamePartition { from, to } => partition::rename(ctx, name, from, to).await,
        AlterAction::AddColumns { partition, columns } => {
            check_columns(ctx, columns, &[])?;
            change_storage(ctx, name, partition.as_ref(), |storage, keys| add(ctx, storage, keys, columns))
                .await
        }
        AlterAction::ReplaceColumns { partition, columns } => {
            check_columns(ctx, columns, &[])?;
            change_storage(ctx, name, partition.as_ref(), |storage, keys| {
                storage.columns.clear();
                add(ctx, storage, keys, columns)
            })
            .await
        }
        AlterAction::ChangeColumn { old, new, position } => {
            change_storage(ctx, name, None, |storage, keys| {
                change(ctx, storage, keys, old, new, position.as_ref())
            })
            .await
        }
        AlterAction::SetLocation { partition, location } => {
            ctx.location(location).await?;
            let folder = location.value.trim().to_owned();
            change_storage(ctx, name, partition.as_ref(), |storage, _| {
                storage.location = Some(folder.clone());
                Ok(())
            })
            .await
        }
        AlterAction::SetProperties(properties) => set_properties(ctx, name, properties).await,
    }
}

/// Changes how a table's rows are stored, or one partition's.
async fn change_storage(
    ctx: &DdlContext<'_>,
    name: &QualifiedName,
    partition: Option<&PartitionSpec>,
    mut edit: impl FnMut(&mut StorageDescriptor, &[Column]) -> Result<()>,
) -> Result<DdlResult> {
    let located = |error| ctx.located(error, name.span());
    let Some(spec) = partition else {
        let entry = ctx.stored_table(name).await?;
        refuse_delta(ctx, name, &entry.table)?;
        let (database, table) = (entry.database, entry.table.name);
        ctx.catalog
            .alter_table(&database, &table, |table| {
                let keys = table.partition_keys.clone();
                edit(&mut table.storage, &keys)?;
                table.parameters.insert(LAST_DDL.to_owned(), ctx.stamp());
                Ok(())
            })
            .await
            .map_err(located)?;
        return Ok(DdlResult::nothing());
    };
    let entry = ctx.partitioned(name).await?;
    let values = partition::values(ctx, &entry, spec)?;
    let (database, table) = (&entry.database, &entry.table.name);
    let mut partition = ctx.catalog.get_partition(database, table, &values).await.map_err(located)?;
    edit(&mut partition.storage, &entry.table.partition_keys)?;
    partition.parameters.insert(LAST_DDL.to_owned(), ctx.stamp());
    ctx.catalog.update_partition(database, table, &values, partition).await.map_err(located)?;
    Ok(DdlResult::nothing())
}

/// A Delta table's columns are in its log; changing the catalog's would change nothing.
fn refuse_delta(ctx: &DdlContext<'_>, name: &QualifiedName, table: &Table) -> Result<()> {
    let kind = super::resolve::property(table, "table_type").unwrap_or_default();
    if !kind.eq_ignore_ascii_case("DELTA") {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "`{}` is a Delta table: its columns and files are in its log",
        table.name
    ))
    .at(ctx.place(name.span()))
    .hint("drop the table and create it at another location; data stays"))
}

fn position_of(storage: &StorageDescriptor, name: &str) -> Option<usize> {
    storage.columns.iter().position(|column| column.name.to_lowercase() == name.to_lowercase())
}

fn add(
    ctx: &DdlContext<'_>,
    storage: &mut StorageDescriptor,
    keys: &[Column],
    columns: &[ColumnDef],
) -> Result<()> {
    for new in columns {
        let name = &new.name;
        if position_of(storage, &name.value).is_some() {
            return Err(ctx.invalid(name.span, format!("the table has a column `{}` already", name.value)));
        }
        refuse_key(ctx, keys, name)?;
        storage.columns.push(column(new));
    }
    Ok(())
}

fn refuse_key(ctx: &DdlContext<'_>, keys: &[Column], name: &Ident) -> Result<()> {
    if keys.iter().any(|key| key.name.to_lowercase() == name.value.to_lowercase()) {
        let message = format!("`{}` is a partition key of the table", name.value);
        return Err(ctx
            .invalid(name.span, message)
            .why("partition keys are columns by themselves and stay as they are"));
    }
    Ok(())
}

fn change(
    ctx: &DdlContext<'_>,
    storage: &mut StorageDescriptor,
    keys: &[Column],
    old: &Ident,
    new: &ColumnDef,
    position: Option<&ColumnPosition>,
) -> Result<()> {
    refuse_key(ctx, keys, old)?;
    refuse_key(ctx, keys, &new.name)?;
    let unknown = |storage: &StorageDescriptor, name: &Ident| {
        let hint = nearest_hint(&name.value, storage.columns.iter().map(|column| column.name.as_str()));
        Error::not_found(format!("the table has no column `{}`", name.value))
            .at(ctx.place(name.span))
            .hint(hint)
    };
    let Some(index) = position_of(storage, &old.value) else { return Err(unknown(storage, old)) };
    if position_of(storage, &new.name.value).is_some_and(|other| other != index) {
        let message = format!("the table has a column `{}` already", new.name.value);
        return Err(ctx.invalid(new.name.span, message));
    }
    let before = storage.columns.remove(index);
    let mut changed = column(new);
    if changed.comment.is_none() {
        changed.comment = before.comment;
    }
    for bucket in &mut storage.bucket_columns {
        if bucket.eq_ignore_ascii_case(&before.name) {
            bucket.clone_from(&changed.name);
        }
    }
    let to = match position {
        None => index,
        Some(ColumnPosition::First) => 0,
        Some(ColumnPosition::After(name)) => match position_of(storage, &name.value) {
            Some(after) => after + 1,
            None => return Err(unknown(storage, name)),
        },
    };
    storage.columns.insert(to.min(storage.columns.len()), changed);
    Ok(())
}

async fn set_properties(
    ctx: &DdlContext<'_>,
    name: &QualifiedName,
    properties: &[Property],
) -> Result<DdlResult> {
    let entry = ctx.entry(name).await?;
    let values: Vec<(&At<String>, &At<String>)> = properties.iter().map(|p| (&p.key, &p.value)).collect();
    ctx.catalog
        .alter_table(&entry.database, &entry.table.name, |table| {
            for (key, value) in &values {
                if key.value.eq_ignore_ascii_case("comment") {
                    table.description = Some(value.value.clone());
                    // A view's own `comment` says that it is one.
                    if table.is_view() {
                        continue;
                    }
                }
                table.parameters.insert(key.value.clone(), value.value.clone());
            }
            table.parameters.insert(LAST_DDL.to_owned(), ctx.stamp());
            Ok(())
        })
        .await
        .map_err(|error| ctx.located(error, name.span()))?;
    Ok(DdlResult::nothing())
}
