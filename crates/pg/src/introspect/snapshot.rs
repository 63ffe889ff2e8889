//! The catalog as it is when a question is asked, with numbers for everything as PostgreSQL's clients want them.

use super::Surroundings;
use crate::fault::Fault;
use crate::values::Shape;
use base64::Engine as _;
use catalog::TableQuery;
use sql::SqlType;
use std::collections::BTreeSet;

/// The number of the schema `pg_catalog`.
pub(super) const PG_CATALOG: u32 = 11;
/// The number of the schema `information_schema`.
pub(super) const INFORMATION_SCHEMA: u32 = 13_000;
/// The number of the one user that is asking.
pub(super) const USER: u32 = 10;
/// The number of the one database.
pub(super) const DATABASE: u32 = 5;

/// A schema: a database of the catalog.
#[derive(Debug, Clone)]
pub(super) struct Namespace {
    pub(super) oid: u32,
    pub(super) name: String,
    pub(super) description: Option<String>,
}

/// A table or view.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) oid: u32,
    pub(super) namespace: u32,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) is_view: bool,
    pub(super) columns: Vec<Attribute>,
    pub(super) description: Option<String>,
    pub(super) view: Option<String>,
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) description: Option<String>,
}

/// Everything that the caller may see.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub(super) namespaces: Vec<Namespace>,
    pub(super) relations: Vec<Relation>,
}

impl Snapshot {
    /// Reads the catalog.
    pub(super) async fn take(surroundings: &Surroundings<'_>) -> Result<Self, Fault> {
        let mut found = Self::default();
        let mut numbers = Numbers::default();
        let Surroundings { catalog, engine, guests, facts, .. } = surroundings;
        for database in catalog.list_databases().await? {
            let schema = database.database.name.to_string();
            let namespace = numbers.give(&schema);
            let tables = catalog.list_tables(&database.database.name, TableQuery::default()).await?.tables;
            for entry in tables {
                let table = &entry.table;
                if !guests.may_see(&facts.user, &schema, table.name.as_str()) {
                    continue;
                }
                let columns = table.storage.columns.iter().map(|column| (column, false));
                let keys = table.partition_keys.iter().map(|column| (column, true));
                let attributes = columns.chain(keys).map(|(column, is_key)| Attribute {
                    name: column.name.to_lowercase(),
                    shape: Shape::of(&SqlType::from_hive(&column.hive_type)),
                    description: column
                        .comment
                        .clone()
                        .or_else(|| is_key.then(|| "partition key".to_owned())),
                });
                found.relations.push(Relation {
                    oid: numbers.give(&format!("{schema}.{}", table.name)),
                    namespace,
                    schema: schema.clone(),
                    name: table.name.to_string(),
                    is_view: table.is_view(),
                    columns: attributes.collect(),
                    description: table.description.clone(),
                    view: table.view_original_text.as_deref().map(view_query),
                });
            }
            if found.shows(surroundings, namespace) {
                found.namespaces.push(Namespace {
                    oid: namespace,
                    name: schema,
                    description: database.database.description.clone(),
                });
            }
        }
        found.add_system(engine, surroundings, &mut numbers);
        Ok(found)
    }

    fn add_system(
        &mut self,
        engine: &engine::Engine,
        surroundings: &Surroundings<'_>,
        numbers: &mut Numbers,
    ) {
        let schema = engine::SYSTEM_DATABASE;
        if self.namespaces.iter().any(|namespace| namespace.name == schema) {
            return;
        }
        let namespace = numbers.give(schema);
        for (name, columns) in engine.system_tables() {
            if !surroundings.guests.may_see(&surroundings.facts.user, schema, &name) {
                continue;
            }
            let columns = columns.into_iter().map(|(name, sql_type)| Attribute {
                name,
                shape: Shape::of(&sql_type),
                description: None,
            });
            self.relations.push(Relation {
                oid: numbers.give(&format!("{schema}.{name}")),
                namespace,
                schema: schema.to_owned(),
                name,
                is_view: true,
                columns: columns.collect(),
                description: None,
                view: None,
            });
        }
        if self.shows(surroundings, namespace) {
            self.namespaces.push(Namespace { oid: namespace, name: schema.to_owned(), description: None });
        }
    }

    /// Whether the caller may know of a schema: of all, or because of a table in it.
    fn shows(&self, surroundings: &Surroundings<'_>, namespace: u32) -> bool {
        surroundings.guests.may_list(&surroundings.facts.user)
            || self.relations.iter().any(|relation| relation.namespace == namespace)
    }

    /// A relation by its number.
    pub(super) fn relation(&self, oid: i64) -> Option<&Relation> {
        self.relations.iter().find(|relation| i64::from(relation.oid) == oid)
    }

    /// A relation by its name, in a schema.
    pub(super) fn named(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.schema == schema && relation.name == name)
    }
}

/// The query of a view, out of the form in which Athena keeps it.
fn view_query(text: &str) -> String {
    let decoded = || {
        let encoded = text.trim().strip_prefix("/* Presto View:")?.trim().strip_suffix("*/")?.trim();
        let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
        let json: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        json.get("originalSql")?.as_str().map(str::to_owned)
    };
    decoded().unwrap_or_else(|| text.to_owned())
}

/// Numbers by name: the same name has the same number in every session, as clients keep them between questions.
#[derive(Default)]
struct Numbers {
    taken: BTreeSet<u32>,
}

impl Numbers {
    fn give(&mut self, name: &str) -> u32 {
        let hash = name
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        // Below this PostgreSQL has numbers of its own, and clients may keep them in signed ones.
        let mut number = (hash & 0x3fff_ffff) + 20_000;
        while !self.taken.insert(number) {
            number += 1;
        }
        number
    }
}
