//! From written names to the catalog's, with places for what is not there.

use super::DdlContext;
use catalog::{Table, TableEntry};
use model::{EntityName, Error, ErrorKind, LakeUri, Place, Result};
use sql::QualifiedName;
use sql::ast::At;
use sqlparser::ast::Ident;
use sqlparser::tokenizer::Span;

/// Whether a catalog's name means ours; `hive` is what Trino's own examples call it.
fn known(name: &str) -> bool {
    name.eq_ignore_ascii_case(CATALOG) || name.eq_ignore_ascii_case("hive")
}

/// The only catalog there is.
pub(super) const CATALOG: &str = "AwsDataCatalog";

impl DdlContext<'_> {
    pub(super) fn place(&self, span: Span) -> Place {
        sql::at(self.source, span).into()
    }

    /// Says where, unless the error knows it better.
    pub(super) fn located(&self, error: Error, span: Span) -> Error {
        error.at_if_unknown(|| self.place(span))
    }

    pub(super) fn invalid(&self, span: Span, message: impl Into<String>) -> Error {
        Error::invalid(message).at(self.place(span))
    }

    pub(super) fn entity(&self, ident: &Ident) -> Result<EntityName> {
        EntityName::new(ident.value.as_str()).map_err(|error| self.located(error, ident.span))
    }

    pub(super) fn check_catalog(&self, catalog: Option<&Ident>) -> Result<()> {
        match catalog {
            Some(ident) if !known(&ident.value) => {
                Err(Error::not_found(format!("there is no catalog `{}`", ident.value))
                    .at(self.place(ident.span))
                    .hint(format!("the only catalog is `{CATALOG}`")))
            }
            _ => Ok(()),
        }
    }

    /// The database and the table that a name means.
    pub(super) fn table_name(&self, name: &QualifiedName) -> Result<(EntityName, EntityName)> {
        self.check_catalog(name.catalog.as_ref())?;
        let database = match &name.database {
            Some(ident) => self.entity(ident)?,
            None => self.database.clone(),
        };
        Ok((database, self.entity(&name.name)?))
    }

    /// The database that a name of one or two parts means.
    pub(super) fn database_name(&self, name: &QualifiedName) -> Result<EntityName> {
        if let Some(too_many) = &name.catalog {
            return Err(
                self.invalid(too_many.span, "a database's name has at most two parts: catalog and database")
            );
        }
        self.check_catalog(name.database.as_ref())?;
        self.entity(&name.name)
    }

    /// The table or view of that name.
    pub(super) async fn entry(&self, name: &QualifiedName) -> Result<TableEntry> {
        let (database, table) = self.table_name(name)?;
        self.catalog.get_table(&database, &table).await.map_err(|error| self.located(error, name.span()))
    }

    /// The same with the columns that a Delta table's log says: the catalog may have others, or none.
    pub(super) async fn described(&self, name: &QualifiedName) -> Result<TableEntry> {
        let mut entry = self.entry(name).await?;
        if !crate::delta::is_delta(&entry) {
            return Ok(entry);
        }
        match scan::delta::log_columns(self.lake, &entry).await {
            Ok((data, keys)) => (entry.table.storage.columns, entry.table.partition_keys) = (data, keys),
            // Without a log that can be read, the catalog's word is all there is.
            Err(_) if !entry.table.storage.columns.is_empty() => {}
            Err(error) => return Err(self.located(error, name.span())),
        }
        Ok(entry)
    }

    /// The same where a view will not do.
    pub(super) async fn stored_table(&self, name: &QualifiedName) -> Result<TableEntry> {
        let entry = self.entry(name).await?;
        if entry.table.is_view() {
            return Err(self
                .invalid(name.span(), format!("`{}.{}` is a view", entry.database, entry.table.name))
                .hint("views are changed with `CREATE OR REPLACE VIEW` and dropped with `DROP VIEW`"));
        }
        Ok(entry)
    }

    /// The same where it must have partitions.
    pub(super) async fn partitioned(&self, name: &QualifiedName) -> Result<TableEntry> {
        let entry = self.stored_table(name).await?;
        if entry.table.partition_keys.is_empty() {
            let message = format!("the table `{}.{}` is not partitioned", entry.database, entry.table.name);
            return Err(self
                .invalid(name.span(), message)
                .hint("declare the keys when the table is created: PARTITIONED BY (year string)"));
        }
        Ok(entry)
    }

    /// A location, checked: an address whose bucket exists.
    pub(super) async fn location(&self, location: &At<String>) -> Result<LakeUri> {
        let uri: LakeUri =
            location.value.trim().parse().map_err(|error| self.located_again(error, location.span))?;
        if uri.key().contains("*") {
            return Err(self
                .invalid(location.span, "a location is a folder, without `*`")
                .hint("name the folder that holds the files: 's3://bucket/folder/'"));
        }
        if !self.lake.bucket_exists(uri.bucket()).await? {
            let known = self.lake.list_buckets().await.unwrap_or_default();
            let hint =
                model::nearest_hint(uri.bucket().as_str(), known.iter().map(|bucket| bucket.name.as_str()));
            return Err(Error::not_found(format!("there is no bucket `{}`", uri.bucket()))
                .at(self.place(location.span))
                .hint(hint));
        }
        Ok(uri)
    }

    /// The statement is the better place than the value that was read out of it.
    pub(super) fn located_again(&self, error: Error, span: Span) -> Error {
        error.at(self.place(span))
    }

    /// The seconds since 1970 as Hive stamps them.
    pub(super) fn stamp(&self) -> String {
        self.now.timestamp().to_string()
    }
}

/// The property with the time of the last change.
pub(crate) const LAST_DDL: &str = "transient_lastDdlTime";

/// Whether an error only says that something is not there.
pub(super) fn is_absent(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

/// A table's property, without regard to the case of its name.
pub(super) fn property<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
}
