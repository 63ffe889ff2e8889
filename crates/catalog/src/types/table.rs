//! Tables and views, the versions they went through, and the questions about them.

use super::{Parameters, StorageDescriptor, is_false};
use crate::check;
use chrono::{DateTime, Utc};
use model::{Column, EntityName, Error, Result};
use serde::{Deserialize, Serialize};

/// A table or view as its owner describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The name, unique in its database without regard to case.
    pub name: EntityName,
    /// A note for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How long rows are kept; kept for clients that set it.
    #[serde(default)]
    pub retention: i32,
    /// Where and how rows are stored.
    #[serde(default)]
    pub storage: StorageDescriptor,
    /// The columns whose values name the partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_keys: Vec<Column>,
    /// `EXTERNAL_TABLE`, `VIRTUAL_VIEW`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_type: Option<String>,
    /// Free properties, such as `classification`.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
    /// A view's text as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_original_text: Option<String>,
    /// A view's text with everything spelled out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_expanded_text: Option<String>,
    /// When somebody last read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_access: Option<DateTime<Utc>>,
    /// When its statistics were last computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_analyzed: Option<DateTime<Utc>>,
    /// The table that this one stands for, when it is a resource link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_table: Option<TargetTable>,
    /// The thing outside the catalog that this table mirrors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated: Option<FederatedTable>,
    /// A view in several dialects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_definition: Option<ViewDefinition>,
}

/// The table behind a resource link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetTable {
    /// The catalog it lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_id: Option<String>,
    /// Its database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A table outside the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedTable {
    /// Its name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Its database there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_identifier: Option<String>,
    /// The connection that leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The connection's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<String>,
}

/// A view that is written down in more than one dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewDefinition {
    /// Whether engines must not push predicates through it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_protected: bool,
    /// Whose rights it reads with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definer: Option<String>,
    /// What it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_objects: Vec<String>,
    /// The texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub representations: Vec<ViewRepresentation>,
}

/// A view's text in one dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewRepresentation {
    /// `ATHENA`, `SPARK` or `REDSHIFT`.
    pub dialect: String,
    /// The dialect's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect_version: Option<String>,
    /// The text as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_text: Option<String>,
    /// The text with everything spelled out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expanded_text: Option<String>,
    /// The connection that checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_connection: Option<String>,
}

/// A table as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// Its database.
    pub database: EntityName,
    /// The table.
    pub table: Table,
    /// How many changes it has seen; each change adds one.
    pub version: i64,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When this version was written.
    pub updated: DateTime<Utc>,
}

/// Which tables of a database are wanted.
#[derive(Debug, Clone, Default)]
pub struct TableQuery {
    /// A regular expression that the whole name must match, without regard to case.
    pub name_pattern: Option<String>,
    /// Continue behind this token of an earlier page.
    pub after: Option<String>,
    /// At most that many; everything when unset.
    pub limit: Option<usize>,
}

/// Tables in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePage {
    /// The tables.
    pub tables: Vec<TableEntry>,
    /// Where to go on, when there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Versions of a table, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionPage {
    /// The table as it was at each version.
    pub versions: Vec<TableEntry>,
    /// Where to go on, when there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// How a table is replaced.
#[derive(Debug, Clone, Default)]
pub struct UpdateOptions {
    /// Refuse with `Conflict` unless the table is still at this version.
    pub expected_version: Option<i64>,
    /// Do not keep the replaced version.
    pub skip_archive: bool,
}

impl Table {
    /// A table of that name with nothing else set.
    pub fn new(name: EntityName) -> Self {
        Self {
            name,
            description: None,
            owner: None,
            retention: 0,
            storage: StorageDescriptor::default(),
            partition_keys: Vec::new(),
            table_type: None,
            parameters: Parameters::new(),
            view_original_text: None,
            view_expanded_text: None,
            last_access: None,
            last_analyzed: None,
            target_table: None,
            federated: None,
            view_definition: None,
        }
    }

    /// Whether it is a view: nothing is stored for it.
    pub fn is_view(&self) -> bool {
        self.table_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("VIRTUAL_VIEW"))
    }

    /// Whether the catalog would take the table: names, texts and types are within Glue's limits.
    pub fn check(&self) -> Result<()> {
        let of = format!("table `{}`", self.name);
        check::name(&of, self.name.as_str())?;
        check::optional_text(&of, "description", self.description.as_deref(), 0, check::DESCRIPTION)?;
        check::optional_text(&of, "owner", self.owner.as_deref(), 1, check::NAME)?;
        check::optional_text(&of, "table type", self.table_type.as_deref(), 0, check::NAME)?;
        check::optional_text(&of, "view text", self.view_original_text.as_deref(), 0, check::VIEW_TEXT)?;
        check::optional_text(&of, "view text", self.view_expanded_text.as_deref(), 0, check::VIEW_TEXT)?;
        check::parameters(&of, &self.parameters)?;
        if self.retention < 0 {
            return Err(Error::invalid(format!("{of} has a negative retention")));
        }
        self.storage.check(&of)?;
        self.check_keys(&of)
    }

    fn check_keys(&self, of: &str) -> Result<()> {
        check::columns(&format!("the partition keys of {of}"), &self.partition_keys)?;
        for key in &self.partition_keys {
            if key.hive_type.is_nested() {
                return Err(Error::invalid(format!(
                    "{of} has a partition key `{}` of type {}",
                    key.name, key.hive_type
                ))
                .why("only simple types can name a folder")
                .hint("use string, int, bigint, decimal, date or timestamp"));
            }
            if self.storage.columns.iter().any(|column| column.name.to_lowercase() == key.name.to_lowercase())
            {
                return Err(Error::invalid(format!(
                    "{of} has `{}` twice: as a column and as a partition key",
                    key.name
                ))
                .hint("leave it out of the columns: its value comes from the partition"));
            }
        }
        Ok(())
    }
}
