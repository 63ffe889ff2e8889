//! The rows of the tables of `pg_catalog` and `information_schema`, from the catalog.

use super::World;
use super::query::Bound;
use super::shapes::TYPES;
use super::snapshot::{Attribute, DATABASE, INFORMATION_SCHEMA, PG_CATALOG, Relation, USER};
use super::tables::{TABLES, columns_of};
use super::value::Value;
use crate::values::Shape;

/// A row, of the values that are named; the others are NULL.
fn row(bound: &Bound, values: &[(&str, Value)]) -> Vec<Value> {
    let of = |name: &str| values.iter().find(|(column, _)| *column == name).map(|(_, value)| value.clone());
    bound.columns.iter().map(|(name, _)| of(name).unwrap_or(Value::Null)).collect()
}

pub(super) fn rows(world: &World, information: bool, name: &str, bound: &Bound) -> Vec<Vec<Value>> {
    let snapshot = &world.snapshot;
    let (user, database) = (world.facts.user.as_str(), world.facts.database.as_str());
    let make = |values: &[(&str, Value)]| row(bound, values);
    if information {
        return information_rows(world, name, bound);
    }
    match name {
        "pg_namespace" => {
            let own = [(PG_CATALOG, "pg_catalog"), (INFORMATION_SCHEMA, "information_schema")];
            let lake = snapshot.namespaces.iter().map(|n| (n.oid, n.name.as_str()));
            own.into_iter()
                .chain(lake)
                .map(|(oid, name)| {
                    make(&[("oid", oid.into()), ("nspname", name.into()), ("nspowner", USER.into())])
                })
                .collect()
        }
        "pg_class" => {
            let system = TABLES.iter().filter(|t| t.schema == 'p' && t.oid > 0 && t.name != "pg_authid");
            let system = system.map(|t| class(bound, t.oid, t.name, PG_CATALOG, false, columns_of(t).len()));
            let lake = snapshot.relations.iter();
            let lake = lake.map(|r| class(bound, r.oid, &r.name, r.namespace, r.is_view, r.columns.len()));
            system.chain(lake).collect()
        }
        "pg_attribute" => snapshot.relations.iter().flat_map(|r| attributes(bound, r)).collect(),
        "pg_type" => TYPES
            .iter()
            .map(|t| {
                let array = TYPES.iter().find(|array| array.element == t.oid).map_or(0, |array| array.oid);
                let kind = if t.category == "P" { "p" } else { "b" };
                let collation = if matches!(t.oid, 19 | 25 | 1042 | 1043) { 100_u32 } else { 0 };
                make(&[
                    ("oid", t.oid.into()),
                    ("typname", t.name.into()),
                    ("typnamespace", PG_CATALOG.into()),
                    ("typowner", USER.into()),
                    ("typlen", Value::Int(t.size)),
                    ("typbyval", (1..=8).contains(&t.size).into()),
                    ("typtype", kind.into()),
                    ("typcategory", t.category.into()),
                    ("typispreferred", matches!(t.oid, 16 | 25 | 26 | 701 | 869 | 1184 | 1186).into()),
                    ("typisdefined", true.into()),
                    ("typdelim", ",".into()),
                    ("typrelid", 0_u32.into()),
                    ("typelem", t.element.into()),
                    ("typarray", array.into()),
                    ("typinput", if t.element > 0 { "array_in" } else { t.name }.into()),
                    ("typnotnull", false.into()),
                    ("typbasetype", 0_u32.into()),
                    ("typtypmod", Value::Int(-1)),
                    ("typndims", Value::Int(0)),
                    ("typcollation", collation.into()),
                ])
            })
            .collect(),
        "pg_database" => vec![make(&[
            ("oid", DATABASE.into()),
            ("datname", database.into()),
            ("datdba", USER.into()),
            ("encoding", Value::Int(6)),
            ("datlocprovider", "c".into()),
            ("datistemplate", false.into()),
            ("datallowconn", true.into()),
            ("datconnlimit", Value::Int(-1)),
            ("dattablespace", 1663_u32.into()),
            ("datcollate", "C".into()),
            ("datctype", "C".into()),
        ])],
        "pg_roles" | "pg_authid" => vec![make(&[
            ("oid", USER.into()),
            ("rolname", user.into()),
            ("rolsuper", false.into()),
            ("rolinherit", true.into()),
            ("rolcreaterole", false.into()),
            ("rolcreatedb", false.into()),
            ("rolcanlogin", true.into()),
            ("rolreplication", false.into()),
            ("rolconnlimit", Value::Int(-1)),
            ("rolbypassrls", false.into()),
        ])],
        "pg_user" => vec![make(&[
            ("usename", user.into()),
            ("usesysid", USER.into()),
            ("usecreatedb", false.into()),
            ("usesuper", false.into()),
        ])],
        "pg_description" => descriptions(world, bound),
        "pg_am" => vec![make(&[("oid", 2_u32.into()), ("amname", "heap".into()), ("amtype", "t".into())])],
        "pg_settings" => world
            .settings
            .all()
            .map(|(name, value)| {
                make(&[
                    ("name", name.into()),
                    ("setting", value.into()),
                    ("context", "user".into()),
                    ("vartype", "string".into()),
                ])
            })
            .collect(),
        "pg_collation" => vec![make(&[
            ("oid", 100_u32.into()),
            ("collname", "default".into()),
            ("collnamespace", PG_CATALOG.into()),
            ("collowner", USER.into()),
            ("collprovider", "d".into()),
            ("collisdeterministic", true.into()),
            ("collencoding", Value::Int(-1)),
        ])],
        "pg_tablespace" => vec![make(&[
            ("oid", 1663_u32.into()),
            ("spcname", "pg_default".into()),
            ("spcowner", USER.into()),
        ])],
        "pg_language" => {
            vec![make(&[("oid", 14_u32.into()), ("lanname", "sql".into()), ("lanowner", USER.into())])]
        }
        "pg_tables" => tables_and_views(world, false)
            .map(|r| {
                make(&[
                    ("schemaname", r.schema.as_str().into()),
                    ("tablename", r.name.as_str().into()),
                    ("tableowner", user.into()),
                    ("hasindexes", false.into()),
                    ("hasrules", false.into()),
                    ("hastriggers", false.into()),
                    ("rowsecurity", false.into()),
                ])
            })
            .collect(),
        "pg_views" => tables_and_views(world, true)
            .map(|r| {
                make(&[
                    ("schemaname", r.schema.as_str().into()),
                    ("viewname", r.name.as_str().into()),
                    ("viewowner", user.into()),
                    ("definition", r.view.clone().into()),
                ])
            })
            .collect(),
        "pg_cursors" => world
            .cursors
            .iter()
            .map(|name| make(&[("name", name.as_str().into()), ("is_scrollable", false.into())]))
            .collect(),
        "pg_prepared_statements" => {
            world.statements.iter().map(|name| make(&[("name", name.as_str().into())])).collect()
        }
        _ => Vec::new(),
    }
}

fn tables_and_views(world: &World, views: bool) -> impl Iterator<Item = &Relation> {
    world.snapshot.relations.iter().filter(move |relation| relation.is_view == views)
}

fn class(bound: &Bound, oid: u32, name: &str, namespace: u32, is_view: bool, columns: usize) -> Vec<Value> {
    row(
        bound,
        &[
            ("oid", oid.into()),
            ("relname", name.into()),
            ("relnamespace", namespace.into()),
            ("reltype", 0_u32.into()),
            ("reloftype", 0_u32.into()),
            ("relowner", USER.into()),
            ("relam", if is_view { 0_u32 } else { 2 }.into()),
            ("relfilenode", oid.into()),
            ("reltablespace", 0_u32.into()),
            ("relpages", Value::Int(0)),
            ("reltuples", Value::Float(-1.0)),
            ("relallvisible", Value::Int(0)),
            ("reltoastrelid", 0_u32.into()),
            ("relhasindex", false.into()),
            ("relisshared", false.into()),
            ("relpersistence", "p".into()),
            ("relkind", if is_view { "v" } else { "r" }.into()),
            ("relnatts", i64::try_from(columns).unwrap_or(0).into()),
            ("relchecks", Value::Int(0)),
            ("relhasrules", false.into()),
            ("relhastriggers", false.into()),
            ("relhassubclass", false.into()),
            ("relrowsecurity", false.into()),
            ("relforcerowsecurity", false.into()),
            ("relispopulated", true.into()),
            ("relreplident", "n".into()),
            ("relispartition", false.into()),
            ("relrewrite", 0_u32.into()),
            ("relhasoids", false.into()),
        ],
    )
}

fn attributes(bound: &Bound, relation: &Relation) -> Vec<Vec<Value>> {
    let one = |(column, number): (&Attribute, i64)| {
        let collation = if matches!(column.shape, Shape::Text(..)) { 100_u32 } else { 0 };
        row(
            bound,
            &[
                ("attrelid", relation.oid.into()),
                ("attname", column.name.as_str().into()),
                ("atttypid", column.shape.oid().into()),
                ("attstattarget", Value::Int(-1)),
                ("attlen", i64::from(column.shape.size()).into()),
                ("attnum", number.into()),
                ("attndims", i64::from(matches!(column.shape, Shape::Array(_))).into()),
                ("attcacheoff", Value::Int(-1)),
                ("atttypmod", i64::from(column.shape.modifier()).into()),
                ("attbyval", (1..=8).contains(&column.shape.size()).into()),
                ("attstorage", "p".into()),
                ("attalign", "i".into()),
                ("attnotnull", false.into()),
                ("atthasdef", false.into()),
                ("atthasmissing", false.into()),
                ("attidentity", "".into()),
                ("attgenerated", "".into()),
                ("attisdropped", false.into()),
                ("attislocal", true.into()),
                ("attinhcount", Value::Int(0)),
                ("attcollation", collation.into()),
                ("attcompression", "".into()),
            ],
        )
    };
    relation.columns.iter().zip(1_i64..).map(one).collect()
}

fn descriptions(world: &World, bound: &Bound) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    let mut add = |oid: u32, class: u32, number: i64, text: &Option<String>| {
        if let Some(text) = text {
            rows.push(row(
                bound,
                &[
                    ("objoid", oid.into()),
                    ("classoid", class.into()),
                    ("objsubid", number.into()),
                    ("description", text.as_str().into()),
                ],
            ));
        }
    };
    for namespace in &world.snapshot.namespaces {
        add(namespace.oid, 2615, 0, &namespace.description);
    }
    for relation in &world.snapshot.relations {
        add(relation.oid, 1259, 0, &relation.description);
        for (column, number) in relation.columns.iter().zip(1_i64..) {
            add(relation.oid, 1259, number, &column.description);
        }
    }
    rows
}

fn information_rows(world: &World, name: &str, bound: &Bound) -> Vec<Vec<Value>> {
    let (user, database) = (world.facts.user.as_str(), world.facts.database.as_str());
    let make = |values: &[(&str, Value)]| row(bound, values);
    let relations = world.snapshot.relations.iter();
    match name {
        "schemata" => ["pg_catalog", "information_schema"]
            .into_iter()
            .chain(world.snapshot.namespaces.iter().map(|n| n.name.as_str()))
            .map(|name| {
                make(&[
                    ("catalog_name", database.into()),
                    ("schema_name", name.into()),
                    ("schema_owner", user.into()),
                ])
            })
            .collect(),
        "tables" => relations
            .map(|r| {
                make(&[
                    ("table_catalog", database.into()),
                    ("table_schema", r.schema.as_str().into()),
                    ("table_name", r.name.as_str().into()),
                    ("table_type", if r.is_view { "VIEW" } else { "BASE TABLE" }.into()),
                    ("is_insertable_into", if r.is_view { "NO" } else { "YES" }.into()),
                    ("is_typed", "NO".into()),
                ])
            })
            .collect(),
        "views" => relations
            .filter(|r| r.is_view)
            .map(|r| {
                make(&[
                    ("table_catalog", database.into()),
                    ("table_schema", r.schema.as_str().into()),
                    ("table_name", r.name.as_str().into()),
                    ("view_definition", r.view.clone().into()),
                    ("check_option", "NONE".into()),
                    ("is_updatable", "NO".into()),
                    ("is_insertable_into", "NO".into()),
                ])
            })
            .collect(),
        "columns" => relations.flat_map(|r| information_columns(r, database, bound)).collect(),
        "information_schema_catalog_name" => vec![make(&[("catalog_name", database.into())])],
        "enabled_roles" => vec![make(&[("role_name", user.into())])],
        _ => Vec::new(),
    }
}

fn information_columns(relation: &Relation, database: &str, bound: &Bound) -> Vec<Vec<Value>> {
    let one = |(column, number): (&Attribute, i64)| {
        let oid = column.shape.oid();
        let found = TYPES.iter().find(|t| t.oid == oid);
        let (length, precision, scale) = match &column.shape {
            Shape::Text(_, length) => (length.map(i64::from), None, None),
            Shape::Numeric(p, s) => (None, Some(i64::from(*p)), Some(i64::from(*s))),
            Shape::Int2 => (None, Some(16), Some(0)),
            Shape::Int4 => (None, Some(32), Some(0)),
            Shape::Int8 => (None, Some(64), Some(0)),
            Shape::Float4 => (None, Some(24), None),
            Shape::Float8 => (None, Some(53), None),
            _ => (None, None, None),
        };
        let radix = precision.map(|_| if matches!(column.shape, Shape::Numeric(..)) { 10_i64 } else { 2 });
        let time = match column.shape {
            Shape::Date => Some(0_i64),
            Shape::Time | Shape::Timestamp | Shape::TimestampTz | Shape::Interval => Some(6),
            _ => None,
        };
        let shown = match &column.shape {
            Shape::Array(_) => "ARRAY",
            _ => found.map_or("text", |t| t.shown),
        };
        row(
            bound,
            &[
                ("table_catalog", database.into()),
                ("table_schema", relation.schema.as_str().into()),
                ("table_name", relation.name.as_str().into()),
                ("column_name", column.name.as_str().into()),
                ("ordinal_position", number.into()),
                ("is_nullable", "YES".into()),
                ("data_type", shown.into()),
                ("character_maximum_length", length.into()),
                ("numeric_precision", precision.into()),
                ("numeric_precision_radix", radix.into()),
                ("numeric_scale", scale.into()),
                ("datetime_precision", time.into()),
                ("udt_catalog", database.into()),
                ("udt_schema", "pg_catalog".into()),
                ("udt_name", found.map_or("text", |t| t.name).into()),
                ("dtd_identifier", number.to_string().into()),
                ("is_self_referencing", "NO".into()),
                ("is_identity", "NO".into()),
                ("is_generated", "NEVER".into()),
                ("is_updatable", "NO".into()),
                ("comment", column.description.clone().into()),
            ],
        )
    };
    relation.columns.iter().zip(1_i64..).map(one).collect()
}
