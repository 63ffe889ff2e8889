//! Connections: how to reach a database or service outside the lake.

use super::Parameters;
use crate::check;
use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A connection as its owner describes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The name as it was given; unique without regard to case.
    pub name: String,
    /// A note for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `JDBC`, `KAFKA`, `NETWORK`, …
    pub kind: String,
    /// The properties, such as `JDBC_CONNECTION_URL`, `USERNAME` and `PASSWORD`.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub properties: Parameters,
    /// Words by which it can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_criteria: Vec<String>,
    /// Properties for Spark jobs alone.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub spark_properties: Parameters,
    /// Properties for queries alone.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub athena_properties: Parameters,
    /// Properties for Python jobs alone.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub python_properties: Parameters,
    /// The network it needs; kept for clients that set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical: Option<PhysicalRequirements>,
    /// How it proves who it is, as the service that uses it understands it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<serde_json::Value>,
}

/// A connection and when it came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEntry {
    /// The connection.
    pub connection: Connection,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub updated: DateTime<Utc>,
}

/// The network that a connection needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhysicalRequirements {
    /// The subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<String>,
    /// The security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_group_ids: Vec<String>,
    /// The availability zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
}

impl Connection {
    /// A connection of that name and kind with nothing else set.
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            kind: kind.into(),
            properties: Parameters::new(),
            match_criteria: Vec::new(),
            spark_properties: Parameters::new(),
            athena_properties: Parameters::new(),
            python_properties: Parameters::new(),
            physical: None,
            authentication: None,
        }
    }

    /// The same without its secrets, for showing.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        let groups = [
            &mut self.properties,
            &mut self.spark_properties,
            &mut self.athena_properties,
            &mut self.python_properties,
        ];
        for group in groups {
            group.retain(|key, _| !is_secret(key));
        }
        self.authentication = None;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        let of = format!("connection `{}`", self.name);
        check::name(&of, &self.name)?;
        check::optional_text(&of, "description", self.description.as_deref(), 0, check::DESCRIPTION)?;
        if self.kind.is_empty()
            || !self.kind.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        {
            return Err(Error::invalid(format!("{of} has the type `{}`", self.kind))
                .hint("types are written like `JDBC`, `KAFKA`, `MONGODB`, `NETWORK` or `POSTGRESQL`"));
        }
        check::count(&of, "properties", self.properties.len(), 100)?;
        check::count(&of, "match criteria", self.match_criteria.len(), 10)?;
        for group in
            [&self.properties, &self.spark_properties, &self.athena_properties, &self.python_properties]
        {
            check::parameters(&of, group)?;
        }
        Ok(())
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_uppercase();
    ["PASSWORD", "SECRET_KEY", "TOKEN", "PRIVATE_KEY"].iter().any(|word| key.contains(word))
}

// Written by hand so that no password lands in a log.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
