//! CREATE, DROP and ALTER DATABASE.

use super::resolve::is_absent;
use super::{DdlContext, DdlResult};
use catalog::Database;
use model::{ErrorKind, Result};
use sql::QualifiedName;
use sql::ast::{CreateDatabase, Property};

pub(super) async fn create(ctx: &DdlContext<'_>, create: &CreateDatabase) -> Result<DdlResult> {
    let name = ctx.database_name(&create.name)?;
    let mut database = Database::new(name);
    database.description = create.comment.clone();
    if let Some(location) = &create.location {
        ctx.location(location).await?;
        database.location = Some(location.value.trim().to_owned());
    }
    for property in &create.properties {
        database.parameters.insert(property.key.value.clone(), property.value.value.clone());
    }
    match ctx.catalog.create_database(database).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && create.if_not_exists => {
            Ok(DdlResult::nothing())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(ctx.located(error, create.name.span()).hint("write CREATE DATABASE IF NOT EXISTS"))
        }
        Err(error) => Err(ctx.located(error, create.name.span())),
        Ok(_) => Ok(DdlResult::nothing()),
    }
}

pub(super) async fn drop(
    ctx: &DdlContext<'_>,
    name: &QualifiedName,
    if_exists: bool,
    cascade: bool,
) -> Result<DdlResult> {
    let database = ctx.database_name(name)?;
    match ctx.catalog.delete_database(&database, cascade).await {
        Err(error) if is_absent(&error) && if_exists => Ok(DdlResult::nothing()),
        Err(error) if error.kind() == ErrorKind::InvalidInput => Err(ctx
            .located(error, name.span())
            .hint(format!("write `DROP DATABASE {database} CASCADE`; data stays"))),
        Err(error) => Err(ctx.located(error, name.span())),
        Ok(()) => Ok(DdlResult::nothing()),
    }
}

pub(super) async fn alter(
    ctx: &DdlContext<'_>,
    name: &QualifiedName,
    properties: &[Property],
) -> Result<DdlResult> {
    let wanted = ctx.database_name(name)?;
    let located = |error| ctx.located(error, name.span());
    let mut database = ctx.catalog.get_database(&wanted).await.map_err(located)?.database;
    for property in properties {
        database.parameters.insert(property.key.value.clone(), property.value.value.clone());
    }
    ctx.catalog.update_database(database).await.map_err(located)?;
    Ok(DdlResult::nothing())
}
