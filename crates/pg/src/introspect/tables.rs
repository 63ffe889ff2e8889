//! The tables of `pg_catalog` and `information_schema`: their columns, and their rows from the catalog. What does not
//! exist here (indexes, constraints, triggers, …) has tables without rows, in which every column is found.

use super::World;
use super::query::{Bound, Scope, folded};
use super::rows::rows;
use super::shapes::{NAME, TEXT};
use super::value::Value;
use crate::fault::Fault;
use crate::values::Shape;
use sqlparser::ast::{ObjectName, Select, TableFactor};

/// A table: its schema (`p` for `pg_catalog`, `i` for `information_schema`), its name, its number, its columns with a
/// letter for each one's type.
pub(super) struct Known {
    pub(super) schema: char,
    pub(super) name: &'static str,
    pub(super) oid: u32,
    columns: &'static str,
}

const fn known(schema: char, name: &'static str, oid: u32, columns: &'static str) -> Known {
    Known { schema, name, oid, columns }
}

pub(super) const TABLES: [Known; 24] = [
    known('p', "pg_namespace", 2615, "oid:o nspname:n nspowner:o nspacl:a"),
    known(
        'p',
        "pg_class",
        1259,
        "oid:o relname:n relnamespace:o reltype:o reloftype:o relowner:o relam:o relfilenode:o reltablespace:o \
         relpages:4 reltuples:f relallvisible:4 reltoastrelid:o relhasindex:b relisshared:b relpersistence:c relkind:c \
         relnatts:2 relchecks:2 relhasrules:b relhastriggers:b relhassubclass:b relrowsecurity:b relforcerowsecurity:b \
         relispopulated:b relreplident:c relispartition:b relrewrite:o relfrozenxid:t relminmxid:t relacl:a reloptions:a \
         relpartbound:t relhasoids:b",
    ),
    known(
        'p',
        "pg_attribute",
        1249,
        "attrelid:o attname:n atttypid:o attstattarget:4 attlen:2 attnum:2 attndims:4 attcacheoff:4 atttypmod:4 \
         attbyval:b attstorage:c attalign:c attnotnull:b atthasdef:b atthasmissing:b attidentity:c attgenerated:c \
         attisdropped:b attislocal:b attinhcount:4 attcollation:o attacl:a attoptions:a attfdwoptions:a \
         attcompression:c attmissingval:t",
    ),
    known(
        'p',
        "pg_type",
        1247,
        "oid:o typname:n typnamespace:o typowner:o typlen:2 typbyval:b typtype:c typcategory:c typispreferred:b \
         typisdefined:b typdelim:c typrelid:o typelem:o typarray:o typinput:t typoutput:t typreceive:t typsend:t \
         typalign:c typstorage:c typnotnull:b typbasetype:o typtypmod:4 typndims:4 typcollation:o typdefault:t typacl:a \
         typsubscript:t",
    ),
    known(
        'p',
        "pg_database",
        1262,
        "oid:o datname:n datdba:o encoding:4 datlocprovider:c datistemplate:b datallowconn:b datconnlimit:4 \
         dattablespace:o datcollate:t datctype:t daticulocale:t daticurules:t datcollversion:t datacl:a datlastsysoid:o \
         datfrozenxid:t",
    ),
    known(
        'p',
        "pg_roles",
        1260,
        "oid:o rolname:n rolsuper:b rolinherit:b rolcreaterole:b rolcreatedb:b rolcanlogin:b rolreplication:b \
         rolconnlimit:4 rolpassword:t rolvaliduntil:t rolbypassrls:b rolconfig:a",
    ),
    known('p', "pg_authid", 1260, "oid:o rolname:n rolsuper:b rolinherit:b rolcanlogin:b"),
    known(
        'p',
        "pg_user",
        0,
        "usename:n usesysid:o usecreatedb:b usesuper:b userepl:b usebypassrls:b passwd:t",
    ),
    known('p', "pg_description", 2609, "objoid:o classoid:o objsubid:4 description:t"),
    known('p', "pg_am", 2601, "oid:o amname:n amhandler:t amtype:c"),
    known(
        'p',
        "pg_settings",
        0,
        "name:t setting:t unit:t category:t short_desc:t context:t vartype:t source:t boot_val:t reset_val:t",
    ),
    known(
        'p',
        "pg_collation",
        3456,
        "oid:o collname:n collnamespace:o collowner:o collprovider:c collisdeterministic:b collencoding:4 collcollate:t collctype:t",
    ),
    known('p', "pg_tablespace", 1213, "oid:o spcname:n spcowner:o spcacl:a spcoptions:a"),
    known('p', "pg_language", 2612, "oid:o lanname:n lanowner:o lanispl:b lanpltrusted:b"),
    known(
        'p',
        "pg_tables",
        0,
        "schemaname:n tablename:n tableowner:n tablespace:n hasindexes:b hasrules:b hastriggers:b rowsecurity:b",
    ),
    known('p', "pg_views", 0, "schemaname:n viewname:n viewowner:n definition:t"),
    known(
        'p',
        "pg_cursors",
        0,
        "name:t statement:t is_holdable:b is_binary:b is_scrollable:b creation_time:t",
    ),
    known('p', "pg_prepared_statements", 0, "name:t statement:t prepare_time:t parameter_types:a from_sql:b"),
    known(
        'i',
        "schemata",
        0,
        "catalog_name:n schema_name:n schema_owner:n default_character_set_catalog:t default_character_set_schema:t default_character_set_name:t sql_path:t",
    ),
    known(
        'i',
        "tables",
        0,
        "table_catalog:n table_schema:n table_name:n table_type:t self_referencing_column_name:t reference_generation:t \
         user_defined_type_catalog:t user_defined_type_schema:t user_defined_type_name:t is_insertable_into:t is_typed:t \
         commit_action:t",
    ),
    known(
        'i',
        "views",
        0,
        "table_catalog:n table_schema:n table_name:n view_definition:t check_option:t is_updatable:t is_insertable_into:t",
    ),
    known(
        'i',
        "columns",
        0,
        "table_catalog:n table_schema:n table_name:n column_name:n ordinal_position:4 column_default:t is_nullable:t \
         data_type:t character_maximum_length:4 character_octet_length:4 numeric_precision:4 numeric_precision_radix:4 \
         numeric_scale:4 datetime_precision:4 interval_type:t character_set_name:t collation_name:t domain_name:t \
         udt_catalog:n udt_schema:n udt_name:n scope_catalog:t dtd_identifier:t is_self_referencing:t is_identity:t \
         identity_generation:t identity_start:t identity_increment:t identity_maximum:t identity_minimum:t identity_cycle:t \
         is_generated:t generation_expression:t is_updatable:t comment:t",
    ),
    known('i', "information_schema_catalog_name", 0, "catalog_name:n"),
    known('i', "enabled_roles", 0, "role_name:n"),
];

/// Tables that never have rows here.
const EMPTY: [(&str, u32); 62] = [
    ("pg_index", 2610),
    ("pg_constraint", 2606),
    ("pg_attrdef", 2604),
    ("pg_inherits", 2611),
    ("pg_policy", 3256),
    ("pg_statistic_ext", 3381),
    ("pg_publication", 6104),
    ("pg_publication_rel", 6106),
    ("pg_publication_namespace", 6237),
    ("pg_subscription", 6100),
    ("pg_trigger", 2620),
    ("pg_rewrite", 2618),
    ("pg_foreign_table", 3118),
    ("pg_foreign_server", 1417),
    ("pg_foreign_data_wrapper", 2328),
    ("pg_enum", 3501),
    ("pg_range", 3541),
    ("pg_sequence", 2224),
    ("pg_sequences", 0),
    ("pg_extension", 3079),
    ("pg_depend", 2608),
    ("pg_shdepend", 1214),
    ("pg_shdescription", 2396),
    ("pg_auth_members", 1261),
    ("pg_event_trigger", 3466),
    ("pg_operator", 2617),
    ("pg_opclass", 2616),
    ("pg_opfamily", 2753),
    ("pg_cast", 2605),
    ("pg_conversion", 2607),
    ("pg_matviews", 0),
    ("pg_indexes", 0),
    ("pg_locks", 0),
    ("pg_stat_activity", 0),
    ("pg_stat_user_tables", 0),
    ("pg_stat_all_tables", 0),
    ("pg_statio_user_tables", 0),
    ("pg_stat_database", 0),
    ("pg_partitioned_table", 3350),
    ("pg_timezone_names", 0),
    ("pg_group", 0),
    ("pg_proc", 1255),
    ("pg_aggregate", 2600),
    ("pg_db_role_setting", 2964),
    ("pg_seclabel", 3596),
    ("pg_shseclabel", 3592),
    ("pg_default_acl", 826),
    ("pg_ts_config", 3602),
    ("pg_stats", 0),
    ("pg_policies", 0),
    ("pg_rules", 0),
    ("pg_available_extensions", 0),
    ("pg_largeobject_metadata", 2995),
    ("pg_init_privs", 3394),
    ("pg_transform", 3576),
    ("pg_user_mappings", 0),
    ("pg_statistic", 2619),
    ("pg_shadow", 0),
    ("pg_replication_slots", 0),
    ("pg_stat_replication", 0),
    ("pg_stat_progress_vacuum", 0),
    ("pg_amop", 2602),
];

/// The same of `information_schema`.
const EMPTY_INFORMATION: [&str; 24] = [
    "table_constraints",
    "key_column_usage",
    "referential_constraints",
    "constraint_column_usage",
    "constraint_table_usage",
    "check_constraints",
    "triggers",
    "routines",
    "parameters",
    "sequences",
    "domains",
    "element_types",
    "role_table_grants",
    "table_privileges",
    "column_privileges",
    "view_table_usage",
    "view_column_usage",
    "applicable_roles",
    "administrable_role_authorizations",
    "character_sets",
    "collations",
    "foreign_tables",
    "user_defined_types",
    "column_udt_usage",
];

/// Whether there is a table of that name in `pg_catalog`.
pub(super) fn is_known(name: &str) -> bool {
    TABLES.iter().any(|table| table.schema == 'p' && table.name == name)
        || EMPTY.iter().any(|(empty, _)| *empty == name)
}

/// The number of a table of `pg_catalog`.
pub(super) fn number(name: &str) -> Option<u32> {
    let known = TABLES.iter().filter(|table| table.schema == 'p').map(|table| (table.name, table.oid));
    known.chain(EMPTY).find(|(table, oid)| *table == name && *oid > 0).map(|(_, oid)| oid)
}

/// The table of `pg_catalog` of that number.
pub(super) fn name_of(oid: i64) -> Option<&'static str> {
    let known = TABLES.iter().filter(|table| table.schema == 'p').map(|table| (table.name, table.oid));
    known.chain(EMPTY).find(|(_, number)| *number > 0 && i64::from(*number) == oid).map(|(name, _)| name)
}

/// The last part of a name.
pub(super) fn last_name(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default()
}

pub(super) fn columns_of(table: &Known) -> Vec<(String, Shape)> {
    let column = |text: &str| {
        let (name, letter) = text.split_once(':')?;
        let shape = match letter {
            "o" => Shape::Oid,
            "n" => NAME,
            "b" => Shape::Bool,
            "2" => Shape::Int2,
            "4" => Shape::Int4,
            "f" => Shape::Float8,
            "c" => Shape::Text(18, None),
            "a" => Shape::Array(Box::new(TEXT)),
            _ => TEXT,
        };
        Some((name.to_owned(), shape))
    };
    table.columns.split_whitespace().filter_map(column).collect()
}

fn find(schema: Option<&str>, name: &str) -> Option<Bound> {
    let fits = |letter: char| match schema {
        None => letter == 'p',
        Some("pg_catalog") => letter == 'p',
        Some("information_schema") => letter == 'i',
        Some(_) => false,
    };
    if let Some(table) = TABLES.iter().find(|table| fits(table.schema) && table.name == name) {
        return Some(Bound { alias: name.to_owned(), columns: columns_of(table), open: false });
    }
    let is_empty = (fits('p') && EMPTY.iter().any(|(empty, _)| *empty == name))
        || (fits('i') && EMPTY_INFORMATION.contains(&name));
    is_empty.then(|| Bound { alias: name.to_owned(), columns: Vec::new(), open: true })
}

/// The tables of a SELECT, for the types of what it selects.
pub(super) fn scope_of(select: &Select, _outer: &Scope<'_>) -> Vec<Bound> {
    let factors = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    let bound = |factor: &TableFactor| match factor {
        TableFactor::Table { name, alias, .. } => {
            let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(folded).collect();
            let schema = parts.len().checked_sub(2).and_then(|at| parts.get(at));
            let mut found = find(schema.map(String::as_str), parts.last()?)?;
            if let Some(alias) = alias {
                found.alias = folded(&alias.name);
            }
            Some(found)
        }
        _ => None,
    };
    factors.filter_map(bound).collect()
}

/// A table with its rows.
pub(super) fn open(
    world: &World,
    schema: Option<&str>,
    name: &str,
) -> Result<(Bound, Vec<Vec<Value>>), Fault> {
    let Some(bound) = find(schema, name) else {
        let shown = schema.map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}"));
        let is_ours = matches!(schema, Some("pg_catalog" | "information_schema"));
        let fault = Fault::new("42P01", format!("relation \"{shown}\" does not exist"));
        return Err(if is_ours {
            fault
        } else {
            Fault::new("0A000", format!("\"{shown}\" cannot be asked together with the tables of pg_catalog"))
                .hint("ask the two apart; tables of the lake are read by the engine")
        });
    };
    let rows =
        if bound.open { Vec::new() } else { rows(world, schema == Some("information_schema"), name, &bound) };
    Ok((bound, rows))
}
