//! The catalog's tables in the state database.

use state::Migration;

/// How many partition keys have index columns of their own. Tables with more keep the rest beside.
pub(super) const KEY_COLUMNS: usize = 8;

pub(super) const MIGRATIONS: &[Migration] = &[Migration { version: 1, name: "the data model", sql: FIRST }];

// Partitions lie wide: k0 to k7 hold encoded key values, the empty text being null or no key at all. The unique index
// finds one partition and filters on the first keys; the others serve filters that leave the first keys out, and cost
// nothing for tables with fewer keys. `spelling` holds the values as written where the encoding would not give them
// back exactly. There is no reference from partitions to tables on purpose: a dropped table's partitions are removed
// in small steps afterwards (`catalog_dropped` remembers which), so that dropping a million does not block everybody.
const FIRST: &str = "
CREATE TABLE catalog_databases (
    id {id}, name {text} NOT NULL UNIQUE, definition TEXT NOT NULL,
    created BIGINT NOT NULL, updated BIGINT NOT NULL);
CREATE TABLE catalog_tables (
    id {id}, database_id BIGINT NOT NULL REFERENCES catalog_databases (id), name {text} NOT NULL,
    definition TEXT NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL, updated BIGINT NOT NULL,
    UNIQUE (database_id, name));
CREATE TABLE catalog_table_versions (
    table_id BIGINT NOT NULL REFERENCES catalog_tables (id) ON DELETE CASCADE,
    version BIGINT NOT NULL, definition TEXT NOT NULL, updated BIGINT NOT NULL, PRIMARY KEY (table_id, version));
CREATE TABLE catalog_table_statistics (
    table_id BIGINT NOT NULL REFERENCES catalog_tables (id) ON DELETE CASCADE,
    column_name {text} NOT NULL, body TEXT NOT NULL, PRIMARY KEY (table_id, column_name));
CREATE TABLE catalog_partition_indexes (
    table_id BIGINT NOT NULL REFERENCES catalog_tables (id) ON DELETE CASCADE,
    name {text} NOT NULL, key_names TEXT NOT NULL, PRIMARY KEY (table_id, name));
CREATE TABLE catalog_descriptors (
    id {id}, table_id BIGINT NOT NULL, hash {text} NOT NULL, body TEXT NOT NULL, UNIQUE (table_id, hash));
CREATE TABLE catalog_partitions (
    id {id}, table_id BIGINT NOT NULL,
    k0 {text} NOT NULL, k1 {text} NOT NULL, k2 {text} NOT NULL, k3 {text} NOT NULL,
    k4 {text} NOT NULL, k5 {text} NOT NULL, k6 {text} NOT NULL, k7 {text} NOT NULL, spelling {text} NOT NULL,
    descriptor_id BIGINT NOT NULL, location TEXT, storage_parameters TEXT, parameters TEXT,
    created BIGINT NOT NULL, last_access BIGINT, last_analyzed BIGINT);
CREATE UNIQUE INDEX catalog_partitions_keys
    ON catalog_partitions (table_id, k0, k1, k2, k3, k4, k5, k6, k7, spelling);
CREATE INDEX catalog_partitions_k1 ON catalog_partitions (table_id, k1) WHERE k1 <> '';
CREATE INDEX catalog_partitions_k2 ON catalog_partitions (table_id, k2) WHERE k2 <> '';
CREATE INDEX catalog_partitions_k3 ON catalog_partitions (table_id, k3) WHERE k3 <> '';
CREATE INDEX catalog_partitions_k4 ON catalog_partitions (table_id, k4) WHERE k4 <> '';
CREATE INDEX catalog_partitions_k5 ON catalog_partitions (table_id, k5) WHERE k5 <> '';
CREATE INDEX catalog_partitions_k6 ON catalog_partitions (table_id, k6) WHERE k6 <> '';
CREATE INDEX catalog_partitions_k7 ON catalog_partitions (table_id, k7) WHERE k7 <> '';
CREATE TABLE catalog_partition_statistics (
    partition_id BIGINT NOT NULL REFERENCES catalog_partitions (id) ON DELETE CASCADE,
    column_name {text} NOT NULL, body TEXT NOT NULL, PRIMARY KEY (partition_id, column_name));
CREATE TABLE catalog_dropped (table_id BIGINT NOT NULL PRIMARY KEY);
CREATE TABLE catalog_functions (
    id {id}, database_id BIGINT NOT NULL REFERENCES catalog_databases (id) ON DELETE CASCADE,
    name {text} NOT NULL, definition TEXT NOT NULL, created BIGINT NOT NULL, UNIQUE (database_id, name));
CREATE TABLE catalog_connections (
    name {text} NOT NULL PRIMARY KEY, definition TEXT NOT NULL, created BIGINT NOT NULL, updated BIGINT NOT NULL);
";
