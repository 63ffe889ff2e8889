//! Databases: named groups of tables.

use super::Parameters;
use crate::check;
use chrono::{DateTime, Utc};
use model::{EntityName, Result};
use serde::{Deserialize, Serialize};

/// A database as its owner describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// The name, unique without regard to case.
    pub name: EntityName,
    /// A note for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where tables without a location of their own are put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Free properties.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
    /// Permissions that new tables get. Kept for clients that set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub create_table_default_permissions: Vec<PrincipalPermissions>,
    /// The database that this one stands for, when it is a resource link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetDatabase>,
    /// The thing outside the catalog that this database mirrors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated: Option<FederatedDatabase>,
}

/// A database and when it came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseEntry {
    /// The database.
    #[serde(flatten)]
    pub database: Database,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub updated: DateTime<Utc>,
}

/// What a principal may do with new tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalPermissions {
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What: `ALL`, `SELECT`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
}

/// The database behind a resource link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDatabase {
    /// The catalog it lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_id: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A database outside the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedDatabase {
    /// Its name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// The connection that leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The connection's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<String>,
}

impl Database {
    /// A database of that name with nothing else set.
    pub fn new(name: EntityName) -> Self {
        Self {
            name,
            description: None,
            location: None,
            parameters: Parameters::new(),
            create_table_default_permissions: Vec::new(),
            target: None,
            federated: None,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let of = format!("database `{}`", self.name);
        check::name(&of, self.name.as_str())?;
        check::optional_text(&of, "description", self.description.as_deref(), 0, check::DESCRIPTION)?;
        check::optional_text(&of, "location", self.location.as_deref(), 1, check::URI)?;
        check::parameters(&of, &self.parameters)
    }
}
