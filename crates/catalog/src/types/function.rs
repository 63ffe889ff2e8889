//! User-defined functions: where the code of a function that queries may call is found.

use crate::check;
use chrono::{DateTime, Utc};
use model::{EntityName, Result};
use serde::{Deserialize, Serialize};

/// A function as its owner describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The name, unique in its database without regard to case.
    pub name: EntityName,
    /// The class that implements it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What the owner is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_kind: Option<OwnerKind>,
    /// What sort of function it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FunctionKind>,
    /// The files it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// Where its code lies as one archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_location: Option<String>,
}

/// A function and when it came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionEntry {
    /// Its database.
    pub database: EntityName,
    /// The function.
    pub function: Function,
    /// When it was created.
    pub created: DateTime<Utc>,
}

/// What an owner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum OwnerKind {
    User,
    Role,
    Group,
}

/// What sort of function it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum FunctionKind {
    Regular,
    Aggregate,
    StoredProcedure,
}

/// A file that a function needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What sort of file it is.
    pub kind: ResourceKind,
    /// Where it lies.
    pub uri: String,
}

/// What sort of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ResourceKind {
    Jar,
    File,
    Archive,
}

impl Function {
    /// A function of that name with nothing else set.
    pub fn new(name: EntityName) -> Self {
        Self {
            name,
            class_name: None,
            owner: None,
            owner_kind: None,
            kind: None,
            resources: Vec::new(),
            artifact_location: None,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let of = format!("function `{}`", self.name);
        check::name(&of, self.name.as_str())?;
        check::optional_text(&of, "class name", self.class_name.as_deref(), 1, check::NAME)?;
        check::optional_text(&of, "owner", self.owner.as_deref(), 1, check::NAME)?;
        check::optional_text(&of, "artifact location", self.artifact_location.as_deref(), 1, check::URI)?;
        check::count(&of, "resources", self.resources.len(), 1000)?;
        for resource in &self.resources {
            check::text(&of, "resource", &resource.uri, 1, check::URI)?;
        }
        Ok(())
    }
}
